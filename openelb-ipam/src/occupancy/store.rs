//! The two layouts behind one set of operations.

use super::bitmap::Bitmap;
use super::directory::Directory;
use super::runs::LongestRun;
use super::state::{ChunkWords, Neighbours, State};
use crate::family::Family;

/// Where the taken bits are kept.
#[derive(Clone, Debug)]
pub(super) enum Store {
    /// One bitmap over the whole span; position 0 is `base`, a multiple of 64.
    Flat { base: u128, bits: Bitmap },
    /// Whatever is larger.
    Chunked(Directory),
}

impl Store {
    /// A store for addresses `first ..= last`, all taken.
    pub(super) fn new(family: Family, first: u128, last: u128) -> Self {
        let base = first & !63;
        match usize::try_from(last - base) {
            Ok(beyond_first) if beyond_first < LARGEST_FLAT => Self::Flat {
                base,
                bits: Bitmap::new(beyond_first + 1, State::Taken),
            },
            _ => Self::Chunked(Directory::new(family.max_bits())),
        }
    }

    #[inline]
    pub(super) fn is_free(&self, bits: u128) -> bool {
        match self {
            Self::Flat { base, bits: flat } => {
                position(*base, bits).is_some_and(|at| flat.is_free(at))
            }
            Self::Chunked(directory) => directory.is_free(bits),
        }
    }

    #[inline]
    pub(super) fn take(&mut self, bits: u128) -> Option<Neighbours> {
        match self {
            Self::Flat { base, bits: flat } => flat.take(position(*base, bits)?),
            Self::Chunked(directory) => directory.take(bits),
        }
    }

    /// Frees an address of the universe.
    #[inline]
    pub(super) fn release(&mut self, bits: u128) -> Option<Neighbours> {
        match self {
            Self::Flat { base, bits: flat } => flat.release(position(*base, bits)?),
            Self::Chunked(directory) => directory.release(bits),
        }
    }

    #[inline]
    pub(super) fn next_free(&self, from: u128) -> Option<u128> {
        match self {
            Self::Flat { base, bits: flat } => {
                let at = if from <= *base {
                    0
                } else {
                    position(*base, from)?
                };
                flat.next_free(at).map(|at| base + at as u128)
            }
            Self::Chunked(directory) => directory.next_free(from),
        }
    }

    pub(super) fn next_taken(&self, from: u128) -> Option<u128> {
        match self {
            Self::Flat { base, bits: flat } => {
                let at = if from <= *base {
                    0
                } else {
                    position(*base, from)?
                };
                flat.next_taken(at).map(|at| base + at as u128)
            }
            Self::Chunked(directory) => directory.next_taken(from),
        }
    }

    pub(super) fn nth_free(&self, n: u128) -> Option<u128> {
        match self {
            Self::Flat { base, bits: flat } => flat
                .nth_free(usize::try_from(n).ok()?)
                .map(|at| base + at as u128),
            Self::Chunked(directory) => directory.nth_free(n),
        }
    }

    /// Puts `first ..= last`, all of the universe, into one state.
    pub(super) fn fill(&mut self, first: u128, last: u128, state: State) {
        match self {
            Self::Flat { base, bits: flat } => {
                if let (Some(first), Some(last)) = (position(*base, first), position(*base, last)) {
                    flat.fill(first, last, state);
                }
            }
            Self::Chunked(directory) => directory.fill(first, last, state),
        }
    }

    pub(super) fn free_block(&self, host_bits: u32) -> Option<u128> {
        match self {
            Self::Flat { base, bits: flat } => {
                // Wider than the span cannot be free, and would overflow the alignment.
                if host_bits > LARGEST_FLAT.ilog2() {
                    return None;
                }
                let skew = usize::try_from(base / 64 % LARGEST_FLAT as u128).ok()?;
                flat.free_block(host_bits, skew).map(|at| base + at as u128)
            }
            Self::Chunked(directory) => directory.free_block(host_bits),
        }
    }

    /// Copies the bits of `key * 65,536 ..`; what the store does not cover is taken.
    pub(super) fn chunk(&self, key: u128, words: &mut ChunkWords) {
        match self {
            Self::Flat { base, bits: flat } => {
                for (word, at) in words.iter_mut().zip(key << 10..) {
                    let leaf = at
                        .checked_sub(base / 64)
                        .and_then(|at| usize::try_from(at).ok());
                    *word = leaf
                        .and_then(|at| flat.leaves().get(at))
                        .map_or(u64::MAX, |leaf| *leaf);
                }
            }
            Self::Chunked(directory) => directory.chunk(key, words),
        }
    }

    /// Whether it is known at once that no address of `key * 65,536 ..` is taken.
    pub(super) fn is_chunk_free(&self, key: u128) -> bool {
        match self {
            Self::Flat { .. } => false,
            Self::Chunked(directory) => directory.is_chunk_free(key),
        }
    }

    /// Replaces the bits of `key * 65,536 ..`; none that is set may be cleared.
    pub(super) fn put_chunk(&mut self, key: u128, words: &ChunkWords) {
        match self {
            Self::Flat { base, bits: flat } => {
                for (word, at) in words.iter().zip(key << 10..) {
                    if let Some(at) = at.checked_sub(*base / 64) {
                        flat.set_word(
                            usize::try_from(at).unwrap_or(usize::MAX),
                            *word,
                            State::Taken,
                        );
                    }
                }
            }
            Self::Chunked(directory) => directory.put_chunk(key, words),
        }
    }

    pub(super) fn longest_run(&self) -> Option<(u128, u128)> {
        let mut longest = LongestRun::default();
        match self {
            Self::Flat { base, bits: flat } => flat.longest_run(*base, &mut longest),
            Self::Chunked(directory) => directory.longest_run(&mut longest),
        }
        longest.finish()
    }
}

/// The position of an address in a flat bitmap; below the base there is none.
#[inline]
fn position(base: u128, bits: u128) -> Option<usize> {
    bits.checked_sub(base)
        .and_then(|at| usize::try_from(at).ok())
}

/// The longest span that one bitmap serves: 128 KiB of leaves, four levels.
const LARGEST_FLAT: usize = 1 << 20;
