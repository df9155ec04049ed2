//! A roaring bitmap of taken addresses, walked run by run to the first gap.

use roaring::RoaringBitmap;

use super::Contender;
use crate::fill::{Fill, Pool};

/// `RoaringBitmap` of used addresses.
#[derive(Debug)]
pub struct RoaringUsed {
    pool: Pool,
    taken: RoaringBitmap,
}

impl Contender for RoaringUsed {
    const NAME: &'static str = "roaring, used";

    fn new(pool: Pool, fill: Fill) -> Self {
        Self {
            pool,
            taken: fill.taken(pool).collect(),
        }
    }

    fn next_free(&self) -> Option<u32> {
        let mut next = self.pool.first;
        let mut taken = self.taken.iter();
        while let Some(run) = taken.next_range() {
            if *run.start() != next {
                break;
            }
            next = run.end() + 1;
        }
        (next < self.pool.first + self.pool.size).then_some(next)
    }

    fn take(&mut self, address: u32) {
        self.taken.insert(address);
    }

    fn release(&mut self, address: u32) {
        self.taken.remove(address);
    }

    fn contains(&self, address: u32) -> bool {
        self.taken.contains(address)
    }
}
