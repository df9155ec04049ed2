//! The words all levels of the index share.

use alloc::boxed::Box;

/// Whether addresses can be given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Free,
    Taken,
}

impl State {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Free => Self::Taken,
            Self::Taken => Self::Free,
        }
    }
}

/// Which of an address's two neighbours are free: what decides whether taking or freeing it
/// splits, joins, starts or ends a free run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Neighbours {
    pub(super) below: bool,
    pub(super) above: bool,
}

/// The bits of 65,536 addresses, set when taken.
pub(crate) type ChunkWords = [u64; 1024];

/// Bits with what is to be known about them, counted in one pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChunkBits {
    words: Box<ChunkWords>,
    taken: u32,
    runs: u32,
}

impl ChunkBits {
    pub(crate) fn new(words: Box<ChunkWords>) -> Self {
        let (mut taken, mut runs, mut before) = (0, 0, 0);
        for word in words.iter() {
            taken += word.count_ones();
            runs += (word & !(word << 1 | before)).count_ones();
            before = word >> 63;
        }
        Self { words, taken, runs }
    }

    pub(crate) const fn words(&self) -> &ChunkWords {
        &self.words
    }

    /// How many bits are set.
    pub(crate) const fn taken(&self) -> u32 {
        self.taken
    }

    /// In how many maximal runs the set bits stand.
    pub(crate) const fn runs(&self) -> u32 {
        self.runs
    }

    /// How many free runs touch these addresses or their two neighbours.
    pub(super) fn free_runs(&self, edges: Neighbours) -> u64 {
        let [first, .., last] = *self.words;
        // Set runs separate clear ones; one more stands at either end unless it is set there.
        let starts_free = edges.below || first & 1 == 0;
        let ends_free = edges.above || last >> 63 == 0;
        match self.runs {
            0 => 1,
            runs => u64::from(runs - 1) + u64::from(starts_free) + u64::from(ends_free),
        }
    }
}
