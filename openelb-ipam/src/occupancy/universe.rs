//! Which addresses an index is about.

use alloc::vec::Vec;

use super::state::ChunkWords;
use crate::count::AddressCount;
use crate::family::Family;
use crate::range::AddressRange;
use crate::range_set::RangeSet;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Universe {
    /// Ascending, with a gap between each two.
    spans: Vec<Span>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    first: u128,
    last: u128,
    /// Addresses of the universe below `first`.
    below: u128,
}

impl Universe {
    pub(super) fn new(family: Family, ranges: &RangeSet) -> Self {
        let mut below = 0;
        let spans = ranges.ranges(family).iter().map(|range| {
            let span = Span {
                first: range.first_bits(),
                last: range.last_bits(),
                below,
            };
            // Only the universe `::/0` could wrap, and it has no second span.
            below += range.count().to_u128_saturating();
            span
        });
        Self {
            spans: spans.collect(),
        }
    }

    #[inline]
    pub(super) fn contains(&self, bits: u128) -> bool {
        // Nearly every pool is one range; a search over one costs more than the test itself.
        match self.spans.as_slice() {
            [only] => only.first <= bits && bits <= only.last,
            spans => {
                let at = spans.partition_point(|span| span.last < bits);
                spans.get(at).is_some_and(|span| span.first <= bits)
            }
        }
    }

    pub(super) fn count(&self) -> AddressCount {
        self.spans
            .iter()
            .map(|span| AddressCount::between(span.first, span.last))
            .sum()
    }

    /// How many ranges, which is how many free runs an untouched universe has.
    pub(super) fn runs(&self) -> usize {
        self.spans.len()
    }

    pub(super) fn first(&self) -> Option<u128> {
        self.spans.first().map(|span| span.first)
    }

    pub(super) fn last(&self) -> Option<u128> {
        self.spans.last().map(|span| span.last)
    }

    /// The address that has `n` addresses of the universe below it.
    pub(super) fn nth(&self, n: u128) -> Option<u128> {
        let at = self
            .spans
            .partition_point(|span| span.below <= n)
            .checked_sub(1)?;
        let span = self.spans.get(at)?;
        span.first
            .checked_add(n - span.below)
            .filter(|bits| *bits <= span.last)
    }

    /// The parts of `range` inside the universe, ascending.
    pub(super) fn within(&self, range: AddressRange) -> impl Iterator<Item = (u128, u128)> + '_ {
        let (first, last) = (range.first_bits(), range.last_bits());
        let at = self.spans.partition_point(|span| span.last < first);
        self.spans
            .get(at..)
            .unwrap_or_default()
            .iter()
            .take_while(move |span| span.first <= last)
            .map(move |span| (span.first.max(first), span.last.min(last)))
    }

    /// Clears the bits of `key * 65,536 ..` that lie outside the universe.
    pub(super) fn mask_chunk(&self, key: u128, words: &mut ChunkWords) {
        let (first, last) = (key << 16, key << 16 | 0xffff);
        let at = self.spans.partition_point(|span| span.last < first);
        let spans = self.spans.get(at..).unwrap_or_default();
        if spans
            .first()
            .is_some_and(|span| span.first <= first && last <= span.last)
        {
            return;
        }
        let mut inside = [0; 1024];
        for span in spans.iter().take_while(|span| span.first <= last) {
            let (low, high) = (span.first.max(first) - first, span.last.min(last) - first);
            for (word, base) in inside.iter_mut().zip((0..).step_by(64)) {
                *word |= bits_between(base, low, high);
            }
        }
        for (word, inside) in words.iter_mut().zip(inside) {
            *word &= inside;
        }
    }

    /// All spans, first and last address, ascending.
    pub(super) fn spans(&self) -> impl Iterator<Item = (u128, u128)> + '_ {
        self.spans.iter().map(|span| (span.first, span.last))
    }
}

/// The bits of the word at `base` that lie in `low ..= high`.
fn bits_between(base: u128, low: u128, high: u128) -> u64 {
    if high < base || low > base + 63 {
        return 0;
    }
    let (from, to) = (low.max(base) - base, high.min(base + 63) - base);
    u64::MAX << from & u64::MAX >> (63 - to)
}
