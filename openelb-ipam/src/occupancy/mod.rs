//! Which addresses of a pool are taken, and where the next free one is.

mod array;
mod bitmap;
mod chunk;
mod directory;
mod draw;
mod group;
mod interchange;
mod ranges;
mod runs;
mod state;
mod store;
mod universe;

pub(crate) use self::state::{ChunkBits, ChunkWords};

use self::state::{Neighbours, State};
use self::store::Store;
use self::universe::Universe;

use crate::count::AddressCount;
use crate::family::Family;
use crate::range_set::RangeSet;

/// The taken addresses of a universe of one family, indexed for finding free ones.
///
/// The universe is what a pool may give out: its ranges without exclusions and reserved
/// addresses. Whatever lies outside reads as taken for ever, so no operation has to look at ranges
/// first. Addresses are numbers ([`to_bits`](crate::family::to_bits)) of the family.
///
/// ```
/// use openelb_ipam::occupancy::Occupancy;
/// use openelb_ipam::{AddressCount, Family, RangeSet};
///
/// let pool: RangeSet = "2001:db8::/64".parse()?;
/// let excluded: RangeSet = "2001:db8::".parse()?;
/// let mut taken = Occupancy::new(Family::V6, &pool.difference(&excluded));
///
/// let first = taken.first_free().expect("nothing is taken yet");
/// assert_eq!(first, 0x2001_0db8 << 96 | 1);
/// assert!(taken.take(first) && !taken.take(first));
/// assert_eq!(taken.next_free(first), Some(first + 1));
/// assert_eq!(taken.free(), AddressCount::new(u128::from(u64::MAX) - 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Layout
///
/// A span of up to 2^20 addresses is one bitmap with three summary levels. Anything larger is
/// kept as chunks of 65,536 addresses (a sorted array of the odd ones out, or 1,024 words with
/// summaries), 64 chunks to a group, full groups as runs: a full `/8` and a million sequential
/// addresses of a `/64` take a few entries, and `::/0` works.
///
/// # Cost
///
/// e is the number of entries: runs of full groups plus mixed groups of 2^22 addresses. It depends
/// on what is taken, not on the size of the universe, and is 0 for the flat layout.
///
/// | operation | steps |
/// |---|---|
/// | `free`, `taken`, `capacity`, `free_runs` | O(1), counters |
/// | `next_free` when nothing is free | O(1), a counter |
/// | `next_free`, `first_free` | O(log e), then at most 3 words a level |
/// | `take`, `release`, `is_taken` | O(log e), then O(1) in words or O(log n) in an array |
/// | `in_universe` | O(log r), r ranges of the universe |
/// | `random_free` | O(1) expected while a quarter is free, else as `nth_free` |
/// | `nth_free` | O(e), then at most 64 chunks, 16 counters, 64 words |
/// | `free_prefix` | O(e) and the words of mixed chunks below the answer |
/// | `take_range`, `release_range` | O(runs changed); whole groups cost one entry |
/// | `largest_free_run` | O(e) and the words of mixed chunks |
// Invariants: `free` counts the universe's free addresses; `free_runs` its maximal free runs;
// no address outside the universe is free in `store`.
#[derive(Clone, Debug)]
pub struct Occupancy {
    family: Family,
    universe: Universe,
    store: Store,
    capacity: AddressCount,
    free: AddressCount,
    free_runs: u64,
}

impl Occupancy {
    /// An index of the universe's addresses of one family, all free. O(ranges).
    ///
    /// ```
    /// # use openelb_ipam::{Family, RangeSet, occupancy::Occupancy};
    /// let pool: RangeSet = "192.0.2.0/24,2001:db8::/64".parse()?;
    /// let index = Occupancy::new(Family::V4, &pool);
    /// assert_eq!(index.capacity().to_u128(), Some(256));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(family: Family, universe: &RangeSet) -> Self {
        let universe = Universe::new(family, universe);
        let (first, last) = universe.first().zip(universe.last()).unwrap_or((0, 0));
        let mut store = Store::new(family, first, last);
        for (first, last) in universe.spans() {
            store.fill(first, last, State::Free);
        }
        let capacity = universe.count();
        let free_runs = universe.runs() as u64;
        Self {
            family,
            universe,
            store,
            capacity,
            free: capacity,
            free_runs,
        }
    }

    /// The family of every address of this index.
    ///
    /// ```
    /// # use openelb_ipam::{AddressCount, Family, Occupancy, RangeSet};
    /// let index = Occupancy::new(Family::V4, &"0.0.0.4/30".parse::<RangeSet>()?);
    /// assert_eq!(index.family(), Family::V4);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn family(&self) -> Family {
        self.family
    }

    /// How many addresses the universe has.
    ///
    /// ```
    /// # use openelb_ipam::{AddressCount, Family, Occupancy, RangeSet};
    /// let index = Occupancy::new(Family::V4, &"0.0.0.4/30".parse::<RangeSet>()?);
    /// assert_eq!(index.capacity(), AddressCount::new(4));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn capacity(&self) -> AddressCount {
        self.capacity
    }

    /// How many addresses of the universe are free.
    ///
    /// ```
    /// # use openelb_ipam::{AddressCount, Family, Occupancy, RangeSet};
    /// let mut index = Occupancy::new(Family::V4, &"0.0.0.4/30".parse::<RangeSet>()?);
    /// index.take(5);
    /// assert_eq!(index.free(), AddressCount::new(3));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn free(&self) -> AddressCount {
        self.free
    }

    /// How many addresses of the universe are taken.
    ///
    /// ```
    /// # use openelb_ipam::{AddressCount, Family, RangeSet, occupancy::Occupancy};
    /// let mut index = Occupancy::new(Family::V6, &"::/0".parse::<RangeSet>()?);
    /// index.take(7);
    /// assert_eq!((index.taken(), index.free()), (AddressCount::ONE, AddressCount::new(u128::MAX)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn taken(&self) -> AddressCount {
        self.capacity.saturating_sub(self.free)
    }

    /// How many maximal runs of free addresses there are: 1 when untouched and of one range, more
    /// the more the pool is fragmented.
    ///
    /// ```
    /// # use openelb_ipam::{Family, RangeSet, occupancy::Occupancy};
    /// let mut index = Occupancy::new(Family::V4, &"0.0.0.0/29".parse::<RangeSet>()?);
    /// index.take(3);
    /// assert_eq!(index.free_runs(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn free_runs(&self) -> u64 {
        self.free_runs
    }

    /// Whether the address may be given out by this pool at all.
    ///
    /// ```
    /// # use openelb_ipam::{AddressCount, Family, Occupancy, RangeSet};
    /// let index = Occupancy::new(Family::V4, &"0.0.0.4/30".parse::<RangeSet>()?);
    /// assert!(index.in_universe(7) && !index.in_universe(8));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn in_universe(&self, bits: u128) -> bool {
        self.universe.contains(bits)
    }

    /// Whether the address is taken; outside the universe always.
    ///
    /// ```
    /// # use openelb_ipam::{AddressCount, Family, Occupancy, RangeSet};
    /// let index = Occupancy::new(Family::V4, &"0.0.0.4/30".parse::<RangeSet>()?);
    /// assert!(!index.is_taken(7) && index.is_taken(8));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn is_taken(&self, bits: u128) -> bool {
        !self.store.is_free(bits)
    }

    /// Takes an address. `false` when it was taken or lies outside the universe.
    ///
    /// ```
    /// # use openelb_ipam::{Family, RangeSet, occupancy::Occupancy};
    /// let mut index = Occupancy::new(Family::V4, &"0.0.0.0/30".parse::<RangeSet>()?);
    /// assert!(index.take(2));
    /// assert!(!index.take(2), "taken");
    /// assert!(!index.take(4), "outside");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn take(&mut self, bits: u128) -> bool {
        let Some(Neighbours { below, above }) = self.store.take(bits) else {
            return false;
        };
        self.free = self.free.saturating_sub(AddressCount::ONE);
        // The run around it ends (no free neighbour), shrinks (one) or splits (two).
        self.free_runs = self.free_runs + u64::from(below) + u64::from(above) - 1;
        true
    }

    /// Frees an address. `false` when it was free or lies outside the universe.
    ///
    /// ```
    /// # use openelb_ipam::{Family, RangeSet, occupancy::Occupancy};
    /// let mut index = Occupancy::new(Family::V4, &"0.0.0.0/30".parse::<RangeSet>()?);
    /// index.take(2);
    /// assert!(index.release(2));
    /// assert!(!index.release(2), "free");
    /// assert!(!index.release(4), "outside");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn release(&mut self, bits: u128) -> bool {
        if !self.universe.contains(bits) {
            return false;
        }
        let Some(Neighbours { below, above }) = self.store.release(bits) else {
            return false;
        };
        self.free = self.free.saturating_add(AddressCount::ONE);
        // A run begins (no free neighbour), grows (one) or two become one (two).
        self.free_runs = self.free_runs + 1 - u64::from(below) - u64::from(above);
        true
    }

    /// The lowest free address at or after `from`.
    ///
    /// ```
    /// # use openelb_ipam::{Family, RangeSet, occupancy::Occupancy};
    /// let mut index = Occupancy::new(Family::V4, &"0.0.0.4/30".parse::<RangeSet>()?);
    /// index.take(5);
    /// assert_eq!(index.next_free(5), Some(6));
    /// assert_eq!(index.next_free(8), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn next_free(&self, from: u128) -> Option<u128> {
        if self.free.is_zero() {
            return None;
        }
        self.store.next_free(from)
    }

    /// The lowest free address.
    ///
    /// ```
    /// # use openelb_ipam::{AddressCount, Family, Occupancy, RangeSet};
    /// let mut index = Occupancy::new(Family::V4, &"0.0.0.4/30".parse::<RangeSet>()?);
    /// index.take(4);
    /// assert_eq!(index.first_free(), Some(5));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn first_free(&self) -> Option<u128> {
        self.next_free(self.universe.first()?)
    }

    /// The free address that has `n` free ones below it.
    ///
    /// ```
    /// # use openelb_ipam::{Family, RangeSet, occupancy::Occupancy};
    /// let mut index = Occupancy::new(Family::V4, &"0.0.0.4/30".parse::<RangeSet>()?);
    /// index.take(5);
    /// assert_eq!(index.nth_free(1), Some(6));
    /// assert_eq!(index.nth_free(3), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn nth_free(&self, n: u128) -> Option<u128> {
        if AddressCount::new(n) >= self.free {
            return None;
        }
        self.store.nth_free(n)
    }

    /// A free address, every one equally likely if `draw` gives uniform 64-bit words.
    ///
    /// While many are free it tries a few addresses of the universe, then (or at once) draws by
    /// rank among the free ones. Both are exact, hence so is their mixture.
    ///
    /// ```
    /// # use openelb_ipam::{Family, RangeSet, occupancy::Occupancy};
    /// let index = Occupancy::new(Family::V4, &"0.0.0.4/30".parse::<RangeSet>()?);
    /// let found = index.random_free(|| 2).expect("nothing is taken");
    /// assert!((4..8).contains(&found));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn random_free(&self, mut draw: impl FnMut() -> u64) -> Option<u128> {
        if self.free.is_zero() {
            return None;
        }
        // Below one success in four a rank is cheaper than the draws that it would take.
        let quarter = self.capacity.to_u128_saturating() / 4;
        if self.free.to_u128_saturating() >= quarter {
            for _ in 0..BLIND_TRIES {
                let bits = self
                    .universe
                    .nth(draw::below(self.capacity.to_u128(), &mut draw))?;
                if self.store.is_free(bits) {
                    return Some(bits);
                }
            }
        }
        self.store.nth_free(draw::below(self.free.to_u128(), draw))
    }

    /// The first address of the lowest wholly free prefix of `length` bits.
    ///
    /// ```
    /// # use openelb_ipam::{Family, RangeSet, occupancy::Occupancy};
    /// let mut index = Occupancy::new(Family::V6, &"2001:db8::/48".parse::<RangeSet>()?);
    /// let first = 0x2001_0db8 << 96;
    /// index.take(first);
    /// assert_eq!(index.free_prefix(64), Some(first + (1 << 64)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn free_prefix(&self, length: u8) -> Option<u128> {
        let host_bits = u32::from(self.family.bits().checked_sub(length)?);
        if host_bits == 0 {
            return self.first_free();
        }
        if host_bits == u128::BITS {
            return (self.free == AddressCount::MAX).then_some(0);
        }
        if AddressCount::new(1 << host_bits) > self.free {
            return None;
        }
        self.store.free_block(host_bits)
    }
}

/// Two indexes are equal when they have the same universe and the same taken addresses, whatever
/// way they came to it. O(runs).
impl PartialEq for Occupancy {
    fn eq(&self, other: &Self) -> bool {
        self.family == other.family
            && self.universe == other.universe
            && self.free == other.free
            && self.free_runs == other.free_runs
            && self.free_ranges().eq(other.free_ranges())
    }
}

impl Eq for Occupancy {}

/// Counts one step of a search, in tests: they prove that searches do not grow with the pool.
#[inline]
fn step() {
    #[cfg(test)]
    tests::steps::count();
}

/// Draws before ranking: with a quarter free, nine times in ten one of them succeeds.
const BLIND_TRIES: usize = 8;

#[cfg(test)]
mod tests;
