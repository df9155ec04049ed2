//! A sorted set of taken addresses, walked to its first gap.

use std::collections::BTreeSet;

use super::Contender;
use crate::fill::{Fill, Pool};

/// `BTreeSet<u32>` gap walk.
#[derive(Debug)]
pub struct OrderedSet {
    pool: Pool,
    taken: BTreeSet<u32>,
}

impl Contender for OrderedSet {
    const NAME: &'static str = "BTreeSet";
    const LARGEST: u32 = 1 << 20;

    fn new(pool: Pool, fill: Fill) -> Self {
        Self {
            pool,
            taken: fill.taken(pool).collect(),
        }
    }

    fn next_free(&self) -> Option<u32> {
        let mut next = self.pool.first;
        for taken in &self.taken {
            if *taken != next {
                break;
            }
            next += 1;
        }
        (next < self.pool.first + self.pool.size).then_some(next)
    }

    fn take(&mut self, address: u32) {
        self.taken.insert(address);
    }

    fn release(&mut self, address: u32) {
        self.taken.remove(&address);
    }

    fn contains(&self, address: u32) -> bool {
        self.taken.contains(&address)
    }
}
