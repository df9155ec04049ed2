//! The ways to keep a pool's taken addresses that are measured against each other.

mod bit_vec;
mod hash_scan;
mod index;
mod ordered_set;
mod range_set;
mod roaring_free;
mod roaring_used;
mod text_scan;

pub use self::bit_vec::BitVector;
pub use self::hash_scan::HashScan;
pub use self::index::Index;
pub use self::ordered_set::OrderedSet;
pub use self::range_set::RangeSetBlazeUsed;
pub use self::roaring_free::RoaringFree;
pub use self::roaring_used::RoaringUsed;
pub use self::text_scan::TextScan;

use crate::fill::{Fill, Pool};

/// What an allocator asks of its set of taken addresses.
pub trait Contender: Sized {
    /// What tables call it.
    const NAME: &'static str;

    /// The largest pool it is worth waiting for (or fits in memory).
    const LARGEST: u32 = u32::MAX;

    /// The pool with these addresses taken.
    fn new(pool: Pool, fill: Fill) -> Self;

    /// The lowest free address.
    fn next_free(&self) -> Option<u32>;

    /// Takes a free address.
    fn take(&mut self, address: u32);

    /// Frees a taken address.
    fn release(&mut self, address: u32);

    /// Whether an address of the pool is taken.
    fn contains(&self, address: u32) -> bool;
}
