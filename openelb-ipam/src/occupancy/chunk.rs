//! 65,536 addresses that are neither all free nor all taken.
//!
//! The container split is that of the roaring format, with one addition: a nearly full chunk keeps
//! the few *free* offsets, so that a pool at 99.9 % is as small and as quick as one at 0.1 %, and
//! the last address can come and go without building a bitmap each time.

use alloc::boxed::Box;

use super::array::Array;
use super::bitmap::Bitmap;
use super::runs::LongestRun;
use super::state::{ChunkWords, Neighbours, State};

#[derive(Clone, Debug)]
pub(super) enum Chunk {
    /// These offsets are taken, all others free.
    FewTaken(Array),
    /// These offsets are free, all others taken.
    FewFree(Array),
    /// One bit each.
    Words(Box<Bitmap>),
}

impl Chunk {
    /// A chunk all in one state, about to be changed.
    pub(super) fn new(state: State) -> Self {
        match state {
            State::Free => Self::FewTaken(Array::default()),
            State::Taken => Self::FewFree(Array::default()),
        }
    }

    /// A chunk of the given bits, whichever way it is smallest.
    pub(super) fn from_words(words: &ChunkWords) -> Self {
        let mut chunk = Self::Words(Box::new(Bitmap::from_words(words)));
        chunk.shrink();
        chunk
    }

    /// Copies the bits of the chunk, set when taken.
    pub(super) fn copy_to(&self, words: &mut ChunkWords) {
        match self {
            Self::FewTaken(taken) => sparse(taken, 0, words),
            Self::FewFree(free) => sparse(free, u64::MAX, words),
            Self::Words(bitmap) => words.copy_from_slice(bitmap.leaves()),
        }
    }

    pub(super) fn free(&self) -> usize {
        match self {
            Self::FewTaken(taken) => ADDRESSES - taken.len(),
            Self::FewFree(free) => free.len(),
            Self::Words(bitmap) => bitmap.free(),
        }
    }

    #[inline]
    pub(super) fn is_free(&self, at: u16) -> bool {
        match self {
            Self::FewTaken(taken) => !taken.contains(at),
            Self::FewFree(free) => free.contains(at),
            Self::Words(bitmap) => bitmap.is_free(at.into()),
        }
    }

    /// Takes an offset; `None` when it was taken. Neighbours outside the chunk read as taken.
    #[inline]
    pub(super) fn take(&mut self, at: u16) -> Option<Neighbours> {
        match self {
            Self::FewTaken(taken) => {
                let found = taken.insert(at).map(|members| among_free(members, at));
                if taken.len() > MOST_VALUES {
                    self.become_words();
                }
                found
            }
            Self::FewFree(free) => free.remove(at).map(among_taken),
            Self::Words(bitmap) => {
                let found = bitmap.take(at.into());
                if bitmap.free() < FEWEST_BITS {
                    self.become_array();
                }
                found
            }
        }
    }

    /// Frees an offset; `None` when it was free. Neighbours outside the chunk read as taken.
    #[inline]
    pub(super) fn release(&mut self, at: u16) -> Option<Neighbours> {
        match self {
            Self::FewTaken(taken) => taken.remove(at).map(|members| among_free(members, at)),
            Self::FewFree(free) => {
                let found = free.insert(at).map(among_taken);
                if free.len() > MOST_VALUES {
                    self.become_words();
                }
                found
            }
            Self::Words(bitmap) => {
                let found = bitmap.release(at.into());
                if ADDRESSES - bitmap.free() < FEWEST_BITS {
                    self.become_array();
                }
                found
            }
        }
    }

    #[inline]
    pub(super) fn next_free(&self, from: u16) -> Option<u16> {
        match self {
            Self::FewTaken(taken) => taken.next_gap(from),
            Self::FewFree(free) => free.next_member(from),
            Self::Words(bitmap) => bitmap.next_free(from.into()).map(offset),
        }
    }

    pub(super) fn next_taken(&self, from: u16) -> Option<u16> {
        match self {
            Self::FewTaken(taken) => taken.next_member(from),
            Self::FewFree(free) => free.next_gap(from),
            Self::Words(bitmap) => bitmap.next_taken(from.into()).map(offset),
        }
    }

    pub(super) fn nth_free(&self, n: usize) -> Option<u16> {
        match self {
            Self::FewTaken(taken) => taken.nth_gap(n),
            Self::FewFree(free) => free.nth_member(n),
            Self::Words(bitmap) => bitmap.nth_free(n).map(offset),
        }
    }

    pub(super) fn fill(&mut self, first: u16, last: u16, state: State) {
        self.become_words();
        if let Self::Words(bitmap) = self {
            bitmap.fill(first.into(), last.into(), state);
            self.shrink();
        }
    }

    /// The lowest free aligned block of `2^host_bits`, fewer than 16 bits.
    pub(super) fn free_block(&self, host_bits: u32) -> Option<u16> {
        if let Self::Words(bitmap) = self {
            return bitmap.free_block(host_bits, 0).map(offset);
        }
        let beyond_start = u16::MAX.checked_shr(16 - host_bits).unwrap_or(0);
        let mut from = 0;
        loop {
            let free = self.next_free(from)?;
            let start = free.checked_add(beyond_start)? & !beyond_start;
            let end = start + beyond_start;
            match self.next_taken(start).filter(|taken| *taken <= end) {
                Some(taken) => from = taken.checked_add(1)?,
                None => return Some(start),
            }
        }
    }

    /// Feeds every free run to `longest`; offset 0 is the address `base`.
    pub(super) fn longest_run(&self, base: u128, longest: &mut LongestRun) {
        match self {
            Self::FewTaken(taken) => {
                let mut next = 0;
                for value in taken.values().iter().copied().map(u128::from) {
                    if value > next {
                        longest.free(base + next, base + value - 1);
                    }
                    next = value + 1;
                }
                let last = ADDRESSES as u128 - 1;
                if next <= last {
                    longest.free(base + next, base + last);
                }
            }
            Self::FewFree(free) => {
                for at in free.values().iter().map(|value| base + u128::from(*value)) {
                    longest.free(at, at);
                }
            }
            Self::Words(bitmap) => bitmap.longest_run(base, longest),
        }
    }

    fn shrink(&mut self) {
        let free = self.free();
        if free.min(ADDRESSES - free) <= MOST_VALUES {
            self.become_array();
        }
    }

    fn become_words(&mut self) {
        let (array, rest) = match self {
            Self::FewTaken(taken) => (taken, State::Free),
            Self::FewFree(free) => (free, State::Taken),
            Self::Words(_) => return,
        };
        let mut bitmap = Bitmap::new(ADDRESSES, rest);
        for value in array.values() {
            match rest {
                State::Free => bitmap.take((*value).into()),
                State::Taken => bitmap.release((*value).into()),
            };
        }
        *self = Self::Words(Box::new(bitmap));
    }

    fn become_array(&mut self) {
        let Self::Words(bitmap) = self else { return };
        let few_free = bitmap.free() < ADDRESSES / 2;
        let flip = if few_free { u64::MAX } else { 0 };
        let members = Array::from_sorted(set_bits(bitmap.leaves().iter().map(|word| word ^ flip)));
        *self = if few_free {
            Self::FewFree(members)
        } else {
            Self::FewTaken(members)
        };
    }
}

/// Makes words that are all `rest` but for the bits of `values`.
fn sparse(values: &Array, rest: u64, words: &mut ChunkWords) {
    words.fill(rest);
    for value in values.values() {
        if let Some(word) = words.get_mut(usize::from(value / 64)) {
            *word ^= 1 << (value % 64);
        }
    }
}

/// The positions of set bits, ascending.
fn set_bits(words: impl Iterator<Item = u64>) -> impl Iterator<Item = u16> {
    words.enumerate().flat_map(|(at, mut word)| {
        core::iter::from_fn(move || {
            let bit = word.trailing_zeros() as usize;
            word &= word.checked_sub(1)?;
            Some(offset(at * 64 + bit))
        })
    })
}

/// Neighbours of an offset whose *taken* neighbours are known; the chunk's edges read as taken.
fn among_free((below, above): (bool, bool), at: u16) -> Neighbours {
    Neighbours {
        below: !below && at != 0,
        above: !above && at != u16::MAX,
    }
}

/// Neighbours of an offset whose *free* neighbours are known.
fn among_taken((below, above): (bool, bool)) -> Neighbours {
    Neighbours { below, above }
}

fn offset(at: usize) -> u16 {
    u16::try_from(at).expect("a chunk has 65,536 offsets")
}

/// Addresses of a chunk: the roaring format's 16 low bits.
const ADDRESSES: usize = 1 << 16;
/// Longer arrays become bitmaps. The format's 4,096 would halve memory between the two limits but
/// moves up to 8 KB on an insertion; 1,024 keeps the worst insertion near that of a bitmap.
const MOST_VALUES: usize = 1_024;
/// Bitmaps with fewer odd ones out become arrays; half the limit above, so that one address
/// coming and going never converts back and forth.
const FEWEST_BITS: usize = MOST_VALUES / 2;
