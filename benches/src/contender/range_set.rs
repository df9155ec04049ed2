//! The `range-set-blaze` crate: taken addresses as a tree of ranges.

use range_set_blaze::RangeSetBlaze;

use super::Contender;
use crate::fill::{Fill, Pool};

/// `RangeSetBlaze<u32>` of used addresses.
#[derive(Debug)]
pub struct RangeSetBlazeUsed {
    pool: Pool,
    taken: RangeSetBlaze<u32>,
}

impl Contender for RangeSetBlazeUsed {
    const NAME: &'static str = "range-set-blaze";

    fn new(pool: Pool, fill: Fill) -> Self {
        Self {
            pool,
            taken: fill.taken(pool).collect(),
        }
    }

    fn next_free(&self) -> Option<u32> {
        let next = match self.taken.ranges().next() {
            Some(run) if *run.start() == self.pool.first => run.end() + 1,
            _ => self.pool.first,
        };
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
