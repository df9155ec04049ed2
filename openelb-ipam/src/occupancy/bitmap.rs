//! A bitmap with summary levels: the next free position in a fixed number of word reads.
//!
//! Level 0 holds one bit per address, set when taken. A bit of each level above is set when the
//! word below it is full, so a climb and a descent find the next free bit past any run of taken
//! ones. Three levels serve a chunk of 65,536 addresses, four the largest flat pool of 2^20.

use alloc::boxed::Box;
use alloc::vec;

use super::runs::LongestRun;
use super::state::{Neighbours, State};

#[derive(Clone, Debug)]
pub(super) struct Bitmap {
    /// Leaves first; levels that are not needed are empty. Bits beyond `len` are set everywhere.
    levels: [Box<[u64]>; LEVELS],
    /// Free addresses in each [`BLOCK`] of leaf words; what makes an exact draw cheap.
    free_in_block: Box<[u16]>,
    free: usize,
    len: usize,
}

impl Bitmap {
    /// `len` addresses, all in one state.
    pub(super) fn new(len: usize, state: State) -> Self {
        let word = match state {
            State::Taken => u64::MAX,
            State::Free => 0,
        };
        let mut words = vec![word; len.div_ceil(WORD)];
        if let Some(last) = words.last_mut().filter(|_| !len.is_multiple_of(WORD)) {
            *last |= u64::MAX << (len % WORD);
        }
        Self {
            len,
            ..Self::from_words(&words)
        }
    }

    /// A bitmap of the given leaf words, bit set = taken.
    pub(super) fn from_words(words: &[u64]) -> Self {
        let mut level: Box<[u64]> = words.into();
        let levels = [(); LEVELS].map(|()| {
            let above = if level.len() > 1 {
                summary(&level)
            } else {
                Box::default()
            };
            core::mem::replace(&mut level, above)
        });
        let free_in_block = words.chunks(BLOCK).map(|block| {
            let taken: usize = block.iter().map(|word| ones(*word)).sum();
            let free = block.len() * WORD - taken;
            u16::try_from(free).expect("a block has 4,096 addresses")
        });
        let free_in_block: Box<[u16]> = free_in_block.collect();
        let free = free_in_block.iter().copied().map(usize::from).sum();
        Self {
            levels,
            free_in_block,
            free,
            len: words.len() * WORD,
        }
    }

    pub(super) const fn free(&self) -> usize {
        self.free
    }

    /// Whether the position is free; positions beyond the end are not.
    #[inline]
    pub(super) fn is_free(&self, at: usize) -> bool {
        self.leaf(at / WORD) & bit(at) == 0
    }

    /// Takes a position; `None` when it was taken or lies beyond the end.
    #[inline]
    pub(super) fn take(&mut self, at: usize) -> Option<Neighbours> {
        let [leaves, ..] = &mut self.levels;
        let word = leaves
            .get_mut(at / WORD)
            .filter(|word| **word & bit(at) == 0)?;
        let before = *word;
        *word |= bit(at);
        if *word == u64::MAX {
            self.mark_full(at / WORD);
        }
        self.free -= 1;
        if let Some(free) = self.free_in_block.get_mut(at / WORD / BLOCK) {
            *free -= 1;
        }
        Some(self.neighbours(before, at))
    }

    /// Frees a position; `None` when it was free or lies beyond the end.
    #[inline]
    pub(super) fn release(&mut self, at: usize) -> Option<Neighbours> {
        // The bits beyond the end are set for good.
        if at >= self.len {
            return None;
        }
        let [leaves, ..] = &mut self.levels;
        let word = leaves
            .get_mut(at / WORD)
            .filter(|word| **word & bit(at) != 0)?;
        let before = *word;
        *word &= !bit(at);
        if before == u64::MAX {
            self.mark_open(at / WORD);
        }
        self.free += 1;
        if let Some(free) = self.free_in_block.get_mut(at / WORD / BLOCK) {
            *free += 1;
        }
        Some(self.neighbours(before, at))
    }

    /// The lowest free position at or after `from`.
    #[inline]
    pub(super) fn next_free(&self, from: usize) -> Option<usize> {
        super::step();
        let open = !self.leaf(from / WORD) & (u64::MAX << (from % WORD));
        if open != 0 {
            return Some(from / WORD * WORD + trailing(open));
        }
        self.climb(from / WORD + 1)
    }

    /// The lowest taken position at or after `from` and below `len`.
    pub(super) fn next_taken(&self, from: usize) -> Option<usize> {
        let mut at = from / WORD;
        let mut taken = self.leaf(at) & (u64::MAX << (from % WORD));
        while taken == 0 {
            at += 1;
            taken = self.leaf(at);
        }
        Some(at * WORD + trailing(taken)).filter(|found| *found < self.len)
    }

    /// The free position that has `n` free ones below it.
    pub(super) fn nth_free(&self, n: usize) -> Option<usize> {
        let mut rest = n;
        let block = self.free_in_block.iter().position(|free| {
            let here = usize::from(*free);
            let found = rest < here;
            rest -= if found { 0 } else { here };
            found
        })?;
        for at in block * BLOCK..(block + 1) * BLOCK {
            let open = !self.leaf(at);
            let here = ones(open);
            if rest < here {
                return Some(at * WORD + nth_one(open, rest));
            }
            rest -= here;
        }
        None
    }

    /// Puts every position of `first ..= last` (below `len`) into one state.
    pub(super) fn fill(&mut self, first: usize, last: usize, state: State) {
        for at in first / WORD..=last / WORD {
            let low = if at == first / WORD {
                u64::MAX << (first % WORD)
            } else {
                u64::MAX
            };
            let high = if at == last / WORD {
                u64::MAX >> (WORD - 1 - last % WORD)
            } else {
                u64::MAX
            };
            self.set_word(at, low & high, state);
        }
    }

    /// The lowest free block of `2^host_bits` positions whose position plus `skew` is a multiple
    /// of its size. `skew` counts words: what an aligned address is away from an aligned position.
    pub(super) fn free_block(&self, host_bits: u32, skew: usize) -> Option<usize> {
        let leaves = self.leaves();
        if host_bits <= WORD.ilog2() {
            return leaves
                .iter()
                .enumerate()
                .find_map(|(at, word)| aligned_run(!word, host_bits).map(|bit| at * WORD + bit));
        }
        let width = 1_usize.checked_shl(host_bits - WORD.ilog2())?;
        let mut at = skew.wrapping_neg() % width;
        while let Some(block) = leaves.get(at..at + width) {
            if block.iter().all(|word| *word == 0) {
                return Some(at * WORD);
            }
            at += width;
        }
        None
    }

    /// Feeds every free run to `longest`; position 0 is the address `base`.
    pub(super) fn longest_run(&self, base: u128, longest: &mut LongestRun) {
        for (at, word) in self.leaves().iter().enumerate() {
            longest.word(base + (at * WORD) as u128, *word);
        }
    }

    /// The leaf words, bit set = taken.
    pub(super) const fn leaves(&self) -> &[u64] {
        let [leaves, ..] = &self.levels;
        leaves
    }

    /// A leaf word; beyond the end everything is taken.
    #[inline]
    fn leaf(&self, at: usize) -> u64 {
        self.leaves().get(at).map_or(u64::MAX, |word| *word)
    }

    /// The lowest free position in or behind a leaf word, by way of the summaries.
    fn climb(&self, leaf: usize) -> Option<usize> {
        let mut index = leaf;
        for (height, level) in self.levels.iter().enumerate().skip(1) {
            super::step();
            let open = !level.get(index / WORD)? & (u64::MAX << (index % WORD));
            if open != 0 {
                return Some(self.descend(height, index / WORD * WORD + trailing(open)));
            }
            index = index / WORD + 1;
        }
        None
    }

    /// Follows open bits down from `index`, a bit number of the level at `height`.
    fn descend(&self, height: usize, mut index: usize) -> usize {
        for level in self.levels.iter().take(height).rev() {
            super::step();
            let open = !level.get(index).map_or(u64::MAX, |word| *word);
            index = index * WORD + trailing(open);
        }
        index
    }

    fn mark_full(&mut self, leaf: usize) {
        let mut index = leaf;
        for level in self.levels.iter_mut().skip(1) {
            let Some(word) = level.get_mut(index / WORD) else {
                return;
            };
            *word |= bit(index);
            if *word != u64::MAX {
                return;
            }
            index /= WORD;
        }
    }

    fn mark_open(&mut self, leaf: usize) {
        let mut index = leaf;
        for level in self.levels.iter_mut().skip(1) {
            let Some(word) = level.get_mut(index / WORD) else {
                return;
            };
            let was_full = *word == u64::MAX;
            *word &= !bit(index);
            if !was_full {
                return;
            }
            index /= WORD;
        }
    }

    /// Puts the masked positions of a leaf word into one state; words beyond the end are left.
    pub(super) fn set_word(&mut self, at: usize, mask: u64, state: State) {
        let [leaves, ..] = &mut self.levels;
        let Some(word) = leaves.get_mut(at) else {
            return;
        };
        let before = *word;
        *word = match state {
            State::Taken => before | mask,
            State::Free => before & !mask,
        };
        let after = *word;
        let (was_free, is_free) = (ones(!before), ones(!after));
        self.free = self.free + is_free - was_free;
        if let Some(free) = self.free_in_block.get_mut(at / BLOCK) {
            let now = usize::from(*free) + is_free - was_free;
            *free = u16::try_from(now).expect("a block has 4,096 addresses");
        }
        match (before == u64::MAX, after == u64::MAX) {
            (false, true) => self.mark_full(at),
            (true, false) => self.mark_open(at),
            _ => {}
        }
    }

    /// Which neighbours are free, from the word that `at` lies in; both ends read as taken.
    #[inline]
    fn neighbours(&self, word: u64, at: usize) -> Neighbours {
        let below = if at.is_multiple_of(WORD) {
            at.checked_sub(1).is_some_and(|below| self.is_free(below))
        } else {
            word & bit(at - 1) == 0
        };
        let above = if at % WORD == WORD - 1 {
            self.is_free(at + 1)
        } else {
            word & bit(at + 1) == 0
        };
        Neighbours { below, above }
    }
}

/// The level above: a bit is set where the word below is full, or where there is none.
fn summary(below: &[u64]) -> Box<[u64]> {
    let word = |words: &[u64]| {
        words
            .iter()
            .enumerate()
            .fold(u64::MAX, |summary, (at, word)| {
                if *word == u64::MAX {
                    summary
                } else {
                    summary & !bit(at)
                }
            })
    };
    below.chunks(WORD).map(word).collect()
}

/// The lowest set bit that starts `2^host_bits` set bits and is a multiple of that; at most 64.
pub(super) fn aligned_run(open: u64, host_bits: u32) -> Option<usize> {
    let mut run = open;
    for step in 0..host_bits {
        run &= run >> (1_u32 << step);
    }
    // After the folds a set bit means "a run of that width starts here"; keep aligned starts.
    let starts = ALIGNED_STARTS.get(host_bits as usize)?;
    Some(run & starts).filter(|run| *run != 0).map(trailing)
}

#[inline]
const fn bit(at: usize) -> u64 {
    1 << (at % WORD)
}

#[inline]
const fn trailing(word: u64) -> usize {
    word.trailing_zeros() as usize
}

const fn ones(word: u64) -> usize {
    word.count_ones() as usize
}

/// The position of the set bit with `n` set bits below it; `n` is less than the word has.
fn nth_one(word: u64, n: usize) -> usize {
    let (mut rest, mut at, mut window) = (n, 0, word);
    for half in [32, 16, 8, 4, 2, 1] {
        let low = window & ((1 << half) - 1);
        let here = ones(low);
        if rest < here {
            window = low;
        } else {
            rest -= here;
            at += half;
            window >>= half;
        }
    }
    at
}

const WORD: usize = 64;
/// Leaf words per counter: 4,096 addresses, the most a `u16` scan should cross word by word.
const BLOCK: usize = 64;
/// 64^4 addresses are more than the largest flat pool.
const LEVELS: usize = 4;
/// For each block size 2^0 ..= 2^6 the bits where an aligned block starts.
const ALIGNED_STARTS: [u64; 7] = [
    u64::MAX,
    0x5555_5555_5555_5555,
    0x1111_1111_1111_1111,
    0x0101_0101_0101_0101,
    0x0001_0001_0001_0001,
    0x0000_0001_0000_0001,
    0x0000_0000_0000_0001,
];
