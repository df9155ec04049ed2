//! The `bitvec` crate with a remembered lowest free position.

use bitvec::vec::BitVec;

use super::Contender;
use crate::fill::{Fill, Pool};

/// `BitVec<u64>` and a hint.
#[derive(Debug)]
pub struct BitVector {
    pool: Pool,
    taken: BitVec<u64>,
    /// No position below this one is free.
    hint: usize,
}

impl Contender for BitVector {
    const NAME: &'static str = "bitvec + hint";

    fn new(pool: Pool, fill: Fill) -> Self {
        let mut taken = BitVec::repeat(false, pool.size as usize);
        for address in fill.taken(pool) {
            taken.set((address - pool.first) as usize, true);
        }
        Self {
            pool,
            taken,
            hint: 0,
        }
    }

    fn next_free(&self) -> Option<u32> {
        let rest = self.taken.get(self.hint..)?;
        let at = self.hint + rest.first_zero()?;
        u32::try_from(at).ok().map(|at| self.pool.first + at)
    }

    fn take(&mut self, address: u32) {
        let at = (address - self.pool.first) as usize;
        self.taken.set(at, true);
        if at == self.hint {
            self.hint += 1;
        }
    }

    fn release(&mut self, address: u32) {
        let at = (address - self.pool.first) as usize;
        self.taken.set(at, false);
        self.hint = self.hint.min(at);
    }

    fn contains(&self, address: u32) -> bool {
        self.taken
            .get((address - self.pool.first) as usize)
            .is_some_and(|bit| *bit)
    }
}
