//! From an index to containers, without looking at every address.

use super::container::Container;
use super::{BLOCK_BITS, CompactSet};
use crate::family::Family;
use crate::occupancy::Occupancy;

use alloc::vec::Vec;

pub(super) fn gather(index: &Occupancy) -> CompactSet {
    let mut set = CompactSet {
        family: index.family(),
        blocks: Vec::new(),
        chunks: Vec::new(),
    };
    let mut done = Some(0);
    for (first, last) in index.universe_spans() {
        // The chunk at a span's start may have been written with the span before.
        let mut next = done
            .map(|done| first.max(done))
            .filter(|next| *next <= last);
        while let Some(at) = next
            .and_then(|next| index.next_taken(next))
            .filter(|at| *at <= last)
        {
            // Whatever follows the universe's end reads as taken, hence the bound.
            let end = index
                .next_free(at)
                .map_or(last, |free| (free - 1).min(last));
            done = if let Some(block) = whole(set.family, at, end) {
                set.blocks.push((at >> BLOCK_BITS, block));
                (block + 1).checked_mul(1 << BLOCK_BITS)
            } else {
                let key = at >> 16;
                let container = if at.is_multiple_of(1 << 16) && end - at >= 0xffff {
                    Some(Container::full())
                } else {
                    Container::from_words(index.chunk(key))
                };
                set.chunks
                    .extend(container.map(|container| (key, container)));
                (key + 1).checked_mul(1 << 16)
            };
            next = done.filter(|done| *done <= last);
        }
    }
    set
}

/// The last of the whole blocks that start at `at`, if `at ..= end` has one.
fn whole(family: Family, at: u128, end: u128) -> Option<u128> {
    let beyond_start = (1_u128 << BLOCK_BITS) - 1;
    if family == Family::V4 || at & beyond_start != 0 || end - at < beyond_start {
        return None;
    }
    // One past the end may not be a number; the block that `end` lies in counts only if complete.
    let last = end >> BLOCK_BITS;
    if end & beyond_start == beyond_start {
        Some(last)
    } else {
        last.checked_sub(1)
    }
}
