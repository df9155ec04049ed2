//! Sixty-four chunks, 2^22 addresses: one word says which are full, one which are mixed.

use alloc::vec::Vec;

use super::bitmap::aligned_run;
use super::chunk::Chunk;
use super::runs::LongestRun;
use super::state::{ChunkWords, Neighbours, State};

// Invariants: `full` and `mixed` share no bit; `chunks` holds one chunk for each bit of `mixed`,
// in order, and none of them is all free or all taken; `free` is the sum over all 64.
#[derive(Clone, Debug)]
pub(super) struct Group {
    full: u64,
    mixed: u64,
    chunks: Vec<Chunk>,
    free: u32,
}

impl Group {
    /// A group all in one state, about to be changed.
    pub(super) const fn new(state: State) -> Self {
        let (full, free) = match state {
            State::Free => (0, ADDRESSES),
            State::Taken => (u64::MAX, 0),
        };
        Self {
            full,
            mixed: 0,
            chunks: Vec::new(),
            free,
        }
    }

    pub(super) const fn free(&self) -> u32 {
        self.free
    }

    /// The state of all addresses, when it is one.
    pub(super) const fn uniform(&self) -> Option<State> {
        match self.free {
            0 => Some(State::Taken),
            ADDRESSES => Some(State::Free),
            _ => None,
        }
    }

    #[inline]
    pub(super) fn is_free(&self, at: u32) -> bool {
        let (index, low) = split(at);
        match self.mixed_chunk(index) {
            Some(chunk) => chunk.is_free(low),
            None => self.full & bit(index) == 0,
        }
    }

    /// Takes an offset; `None` when it was taken. Neighbours outside the group read as taken.
    #[inline]
    pub(super) fn take(&mut self, at: u32) -> Option<Neighbours> {
        let (index, low) = split(at);
        if self.full & bit(index) != 0 {
            return None;
        }
        let chunk = self.open_chunk(index, State::Free);
        let found = chunk.take(low)?;
        if chunk.free() == 0 {
            self.settle(index);
        }
        self.free -= 1;
        Some(self.beyond_chunk(found, at))
    }

    /// Frees an offset; `None` when it was free. Neighbours outside the group read as taken.
    #[inline]
    pub(super) fn release(&mut self, at: u32) -> Option<Neighbours> {
        let (index, low) = split(at);
        if (self.full | self.mixed) & bit(index) == 0 {
            return None;
        }
        let chunk = self.open_chunk(index, State::Taken);
        let found = chunk.release(low)?;
        if chunk.free() == CHUNK {
            self.settle(index);
        }
        self.free += 1;
        Some(self.beyond_chunk(found, at))
    }

    #[inline]
    pub(super) fn next_free(&self, from: u32) -> Option<u32> {
        let (index, low) = split(from);
        let here = match self.mixed_chunk(index) {
            Some(chunk) => chunk.next_free(low),
            None => (self.full & bit(index) == 0).then_some(low),
        };
        super::step();
        here.map(|low| join(index, low)).or_else(|| {
            let index = lowest(!self.full & above(index))?;
            let low = self
                .mixed_chunk(index)
                .map_or(Some(0), |chunk| chunk.next_free(0))?;
            Some(join(index, low))
        })
    }

    pub(super) fn next_taken(&self, from: u32) -> Option<u32> {
        let (index, low) = split(from);
        let here = match self.mixed_chunk(index) {
            Some(chunk) => chunk.next_taken(low),
            None => (self.full & bit(index) != 0).then_some(low),
        };
        here.map(|low| join(index, low)).or_else(|| {
            let index = lowest((self.full | self.mixed) & above(index))?;
            let low = self
                .mixed_chunk(index)
                .map_or(Some(0), |chunk| chunk.next_taken(0))?;
            Some(join(index, low))
        })
    }

    pub(super) fn nth_free(&self, n: u32) -> Option<u32> {
        let mut rest = usize::try_from(n).ok()?;
        for index in 0..64 {
            let chunk = self.mixed_chunk(index);
            let here = match chunk {
                Some(chunk) => chunk.free(),
                None if self.full & bit(index) == 0 => CHUNK,
                None => 0,
            };
            if rest < here {
                let low = match chunk {
                    Some(chunk) => chunk.nth_free(rest)?,
                    None => u16::try_from(rest).ok()?,
                };
                return Some(join(index, low));
            }
            rest -= here;
        }
        None
    }

    /// Puts `first ..= last` into one state.
    pub(super) fn fill(&mut self, first: u32, last: u32, state: State) {
        let ((first_index, first_low), (last_index, last_low)) = (split(first), split(last));
        for index in first_index..=last_index {
            let low = if index == first_index { first_low } else { 0 };
            let high = if index == last_index {
                last_low
            } else {
                u16::MAX
            };
            let before = self.free_in(index);
            if low == 0 && high == u16::MAX {
                self.make_uniform(index, state);
            } else {
                let rest = if self.full & bit(index) != 0 {
                    State::Taken
                } else {
                    State::Free
                };
                self.open_chunk(index, rest).fill(low, high, state);
                self.settle(index);
            }
            self.free = self.free - before + self.free_in(index);
        }
    }

    /// Copies the bits of one chunk.
    pub(super) fn chunk(&self, index: u32, words: &mut ChunkWords) {
        match self.mixed_chunk(index) {
            Some(chunk) => chunk.copy_to(words),
            None if self.full & bit(index) == 0 => words.fill(0),
            None => words.fill(u64::MAX),
        }
    }

    pub(super) const fn is_chunk_free(&self, index: u32) -> bool {
        (self.full | self.mixed) & bit(index) == 0
    }

    /// Replaces the bits of one chunk.
    pub(super) fn put_chunk(&mut self, index: u32, words: &ChunkWords) {
        let before = self.free_in(index);
        *self.open_chunk(index, State::Free) = Chunk::from_words(words);
        self.settle(index);
        self.free = self.free - before + self.free_in(index);
    }

    /// The lowest free aligned block of `2^host_bits`, fewer than 22 bits.
    pub(super) fn free_block(&self, host_bits: u32) -> Option<u32> {
        if host_bits >= 16 {
            let start = aligned_run(!(self.full | self.mixed), host_bits - 16)?;
            return Some(join(u32::try_from(start).ok()?, 0));
        }
        (0..64).find_map(|index| match self.mixed_chunk(index) {
            Some(chunk) if chunk.free() >= 1 << host_bits => {
                chunk.free_block(host_bits).map(|low| join(index, low))
            }
            Some(_) => None,
            None => (self.full & bit(index) == 0).then(|| join(index, 0)),
        })
    }

    /// Feeds every free run to `longest`; offset 0 is the address `base`.
    pub(super) fn longest_run(&self, base: u128, longest: &mut LongestRun) {
        for index in 0..64 {
            let base = base + u128::from(join(index, 0));
            match self.mixed_chunk(index) {
                Some(chunk) => chunk.longest_run(base, longest),
                None if self.full & bit(index) == 0 => {
                    longest.free(base, base + (CHUNK as u128 - 1));
                }
                None => {}
            }
        }
    }

    #[inline]
    fn mixed_chunk(&self, index: u32) -> Option<&Chunk> {
        if self.mixed & bit(index) == 0 {
            return None;
        }
        self.chunks.get(self.rank(index))
    }

    /// The chunk at `index`, made mixed if it was uniform.
    #[inline]
    fn open_chunk(&mut self, index: u32, uniform: State) -> &mut Chunk {
        let rank = self.rank(index);
        if self.mixed & bit(index) == 0 {
            self.mixed |= bit(index);
            self.full &= !bit(index);
            self.chunks.insert(rank, Chunk::new(uniform));
        }
        self.chunks
            .get_mut(rank)
            .expect("one chunk for each bit of `mixed`")
    }

    /// Drops the chunk at `index` if it is no longer mixed.
    fn settle(&mut self, index: u32) {
        match self.mixed_chunk(index).map(Chunk::free) {
            Some(0) => self.make_uniform(index, State::Taken),
            Some(CHUNK) => self.make_uniform(index, State::Free),
            _ => {}
        }
    }

    fn make_uniform(&mut self, index: u32, state: State) {
        if self.mixed & bit(index) != 0 {
            self.chunks.remove(self.rank(index));
            self.mixed &= !bit(index);
        }
        match state {
            State::Taken => self.full |= bit(index),
            State::Free => self.full &= !bit(index),
        }
    }

    fn free_in(&self, index: u32) -> u32 {
        let free = match self.mixed_chunk(index) {
            Some(chunk) => chunk.free(),
            None if self.full & bit(index) == 0 => CHUNK,
            None => 0,
        };
        u32::try_from(free).expect("a chunk has 65,536 addresses")
    }

    /// Looks across the chunk's edges, which the chunk itself reads as taken.
    #[inline]
    fn beyond_chunk(&self, mut found: Neighbours, at: u32) -> Neighbours {
        match split(at).1 {
            0 => found.below = at.checked_sub(1).is_some_and(|below| self.is_free(below)),
            u16::MAX => found.above = at + 1 < ADDRESSES && self.is_free(at + 1),
            _ => {}
        }
        found
    }

    #[inline]
    const fn rank(&self, index: u32) -> usize {
        (self.mixed & (bit(index) - 1)).count_ones() as usize
    }
}

#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the low 16 bits are wanted"
)]
const fn split(at: u32) -> (u32, u16) {
    (at >> 16, at as u16)
}

#[inline]
fn join(index: u32, low: u16) -> u32 {
    index << 16 | u32::from(low)
}

#[inline]
const fn bit(index: u32) -> u64 {
    1 << (index % 64)
}

/// All bits above `index`.
#[inline]
const fn above(index: u32) -> u64 {
    !(bit(index) | (bit(index) - 1))
}

#[inline]
fn lowest(word: u64) -> Option<u32> {
    (word != 0).then(|| word.trailing_zeros())
}

/// log2 of a group's addresses.
pub(super) const BITS: u32 = 22;
const ADDRESSES: u32 = 1 << BITS;
const CHUNK: usize = 1 << 16;
