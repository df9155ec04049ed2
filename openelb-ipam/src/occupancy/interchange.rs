//! Chunks of 65,536 bits in and out: what the compact form is made of.

use alloc::boxed::Box;

use super::Occupancy;
use super::state::{ChunkBits, ChunkWords, Neighbours};
use crate::count::AddressCount;

impl Occupancy {
    /// The universe's ranges, first and last address, ascending.
    pub(crate) fn universe_spans(&self) -> impl Iterator<Item = (u128, u128)> + '_ {
        self.universe.spans()
    }

    /// The lowest taken address at or after `from`; what lies outside the universe counts.
    pub(crate) fn next_taken(&self, from: u128) -> Option<u128> {
        self.store.next_taken(from)
    }

    /// The taken addresses of the universe among `key * 65,536 ..`, one bit each.
    pub(crate) fn chunk(&self, key: u128) -> Box<ChunkWords> {
        let mut words = Box::new([0; 1024]);
        self.store.chunk(key, &mut words);
        self.universe.mask_chunk(key, &mut words);
        words
    }

    /// Takes every address among `key * 65,536 ..` whose bit is set; says how many were free.
    pub(crate) fn take_chunk(&mut self, key: u128, bits: &ChunkBits) -> AddressCount {
        let base = key << 16;
        let edges = Neighbours {
            below: base
                .checked_sub(1)
                .is_some_and(|below| self.store.is_free(below)),
            above: (base | 0xffff)
                .checked_add(1)
                .is_some_and(|above| self.store.is_free(above)),
        };
        let (taken_before, runs_before, joined);
        let after = if self.store.is_chunk_free(key) {
            (taken_before, runs_before) = (0, 1);
            bits
        } else {
            let mut words = Box::new([0; 1024]);
            self.store.chunk(key, &mut words);
            let before = ChunkBits::new(words.clone());
            (taken_before, runs_before) = (before.taken(), before.free_runs(edges));
            for (word, new) in words.iter_mut().zip(bits.words()) {
                *word |= new;
            }
            joined = ChunkBits::new(words);
            &joined
        };
        self.store.put_chunk(key, after.words());
        let taken = AddressCount::from(after.taken() - taken_before);
        self.free = self.free.saturating_sub(taken);
        self.free_runs = self.free_runs + after.free_runs(edges) - runs_before;
        taken
    }
}
