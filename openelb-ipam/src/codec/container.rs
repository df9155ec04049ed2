//! Up to 65,536 low bits: the three containers of the roaring format.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::count::AddressCount;
use crate::occupancy::{ChunkBits, ChunkWords, Occupancy};
use crate::range::AddressRange;

/// A container of the kind that takes the fewest bytes; the format's order breaks ties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Container {
    /// Up to 4,096 values, ascending.
    Array(Vec<u16>),
    /// More values, one bit each.
    Words(ChunkBits),
    /// First and last values of maximal runs, ascending.
    Runs(Vec<(u16, u16)>),
}

impl Container {
    /// All 65,536 values.
    pub(super) fn full() -> Self {
        Self::Runs(Vec::from([(0, u16::MAX)]))
    }

    /// The smallest container of these bits; `None` for no bits.
    pub(super) fn from_words(words: Box<ChunkWords>) -> Option<Self> {
        let bits = ChunkBits::new(words);
        let (taken, runs) = (bits.taken() as usize, bits.runs() as usize);
        if taken == 0 {
            return None;
        }
        Some(match Kind::smallest(taken, runs) {
            Kind::Runs => Self::Runs(runs_of(bits.words(), runs)),
            Kind::Array => Self::Array(values_of(bits.words(), taken)),
            Kind::Words => Self::Words(bits),
        })
    }

    /// The same set in its smallest container; other writers choose differently.
    pub(super) fn canonical(self) -> Self {
        let (own, runs) = match &self {
            Self::Array(values) => {
                let breaks = values.windows(2).filter(|pair| !is_next(pair)).count();
                (Kind::Array, breaks + 1)
            }
            Self::Runs(runs) => (Kind::Runs, runs.len()),
            // Made by `from_words`, which chose.
            Self::Words(_) => return self,
        };
        let len = usize::try_from(self.len()).unwrap_or(usize::MAX);
        if Kind::smallest(len, runs) == own {
            return self;
        }
        let mut words = empty();
        self.add_to(&mut words);
        Self::from_words(words).unwrap_or(self)
    }

    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Array(values) => values.len() as u64,
            Self::Words(bits) => bits.taken().into(),
            Self::Runs(runs) => runs
                .iter()
                .map(|(first, last)| u64::from(last - first) + 1)
                .sum(),
        }
    }

    /// How many bytes the container takes in the format.
    pub(super) fn byte_len(&self) -> usize {
        match self {
            Self::Array(values) => 2 * values.len(),
            Self::Words(_) => WORDS_BYTES,
            Self::Runs(runs) => 2 + 4 * runs.len(),
        }
    }

    pub(super) const fn is_runs(&self) -> bool {
        matches!(self, Self::Runs(_))
    }

    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Array(values) => bytes.extend(values.iter().flat_map(|v| v.to_le_bytes())),
            Self::Words(bits) => {
                let mut copy = [0; WORDS_BYTES];
                let (eights, _) = copy.as_chunks_mut();
                for (eight, word) in eights.iter_mut().zip(bits.words()) {
                    *eight = word.to_le_bytes();
                }
                bytes.extend_from_slice(&copy);
            }
            Self::Runs(runs) => {
                let count = u16::try_from(runs.len()).expect("at most 32,768 runs do not touch");
                bytes.extend_from_slice(&count.to_le_bytes());
                for (first, last) in runs {
                    bytes.extend_from_slice(&first.to_le_bytes());
                    bytes.extend_from_slice(&(last - first).to_le_bytes());
                }
            }
        }
    }

    /// Takes these values in an index; says how many were free.
    pub(super) fn take_into(&self, index: &mut Occupancy, key: u128) -> AddressCount {
        let base = key << 16;
        match self {
            Self::Array(values) if values.len() <= FEW_VALUES => {
                let taken = values
                    .iter()
                    .filter(|value| index.take(base | u128::from(**value)));
                AddressCount::from(taken.count() as u64)
            }
            Self::Runs(runs) if runs.len() <= FEW_VALUES => {
                let ranges = runs.iter().filter_map(|(first, last)| {
                    let (first, last) = (base | u128::from(*first), base | u128::from(*last));
                    AddressRange::from_bits(index.family(), first, last)
                });
                let ranges: Vec<_> = ranges.collect();
                ranges
                    .into_iter()
                    .map(|range| index.take_range(range))
                    .sum()
            }
            Self::Words(bits) => index.take_chunk(key, bits),
            Self::Array(_) | Self::Runs(_) => {
                let mut words = empty();
                self.add_to(&mut words);
                index.take_chunk(key, &ChunkBits::new(words))
            }
        }
    }

    fn add_to(&self, words: &mut ChunkWords) {
        match self {
            Self::Array(values) => {
                for value in values {
                    if let Some(word) = words.get_mut(usize::from(*value / 64)) {
                        *word |= 1 << (value % 64);
                    }
                }
            }
            Self::Words(bits) => {
                for (word, own) in words.iter_mut().zip(bits.words()) {
                    *word |= own;
                }
            }
            Self::Runs(runs) => {
                for (first, last) in runs {
                    add_run(words, (*first).into(), (*last).into());
                }
            }
        }
    }
}

/// Which container takes the fewest bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Array,
    Words,
    Runs,
}

impl Kind {
    const fn smallest(len: usize, runs: usize) -> Self {
        let plain_bytes = if len <= MOST_VALUES {
            2 * len
        } else {
            WORDS_BYTES
        };
        if 2 + 4 * runs < plain_bytes {
            Self::Runs
        } else if len <= MOST_VALUES {
            Self::Array
        } else {
            Self::Words
        }
    }
}

/// Whether the second of two values follows the first.
fn is_next(pair: &[u16]) -> bool {
    matches!(pair, [a, b] if a.checked_add(1) == Some(*b))
}

/// No bits.
pub(super) fn empty() -> Box<ChunkWords> {
    Box::new([0; 1024])
}

fn add_run(words: &mut ChunkWords, first: usize, last: usize) {
    for at in first / 64..=last / 64 {
        let low = if at == first / 64 {
            u64::MAX << (first % 64)
        } else {
            u64::MAX
        };
        let high = if at == last / 64 {
            u64::MAX >> (63 - last % 64)
        } else {
            u64::MAX
        };
        if let Some(word) = words.get_mut(at) {
            *word |= low & high;
        }
    }
}

fn values_of(words: &ChunkWords, len: usize) -> Vec<u16> {
    let mut values = Vec::with_capacity(len);
    for (at, word) in words.iter().enumerate() {
        let mut rest = *word;
        while rest != 0 {
            values.push(value(at, rest.trailing_zeros()));
            rest &= rest - 1;
        }
    }
    values
}

fn runs_of(words: &ChunkWords, count: usize) -> Vec<(u16, u16)> {
    let mut runs: Vec<(u16, u16)> = Vec::with_capacity(count);
    for (at, word) in words.iter().enumerate() {
        let mut rest = *word;
        while rest != 0 {
            let start = rest.trailing_zeros();
            let length = (rest >> start).trailing_ones();
            let (first, last) = (value(at, start), value(at, start + length - 1));
            match runs.last_mut() {
                Some((_, end)) if end.checked_add(1) == Some(first) => *end = last,
                _ => runs.push((first, last)),
            }
            // Carries past the run: clears it and nothing else.
            rest &= u64::MAX.checked_shl(start + length).unwrap_or(0);
        }
    }
    runs
}

fn value(word: usize, bit: u32) -> u16 {
    u16::try_from(word * 64 + bit as usize).expect("1,024 words of 64 bits")
}

/// The most values of an array, which is where a bitmap takes no more bytes.
pub(super) const MOST_VALUES: usize = 4_096;
pub(super) const WORDS_BYTES: usize = 8_192;
/// Up to here single operations are cheaper than building and merging 8 KB of words.
const FEW_VALUES: usize = 32;
