//! Who is to act when, and who is to speak next: heaps over a hundred thousand claims.

use crate::time::Time;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A heap whose entries may have gone stale, because that is cheaper than to take them out.
///
/// Pushing and popping are O(log n). The owner says which entries still hold; stale ones are
/// skipped, and swept out before they make up more than about half of the heap.
#[derive(Clone, Debug)]
pub(super) struct LazyHeap<T> {
    heap: BinaryHeap<Reverse<T>>,
}

impl<T: Ord + Copy> LazyHeap<T> {
    /// Adds an entry. `live` is how many entries can hold at most.
    pub(super) fn push(&mut self, entry: T, live: usize, holds: impl Fn(&T) -> bool) {
        if self.heap.len() > 2 * live + SWEEP_FLOOR {
            self.heap.retain(|Reverse(entry)| holds(entry));
        }
        if self.heap.len() == self.heap.capacity() {
            // An eighth at a time: doubling would waste megabytes at a hundred thousand claims.
            self.heap.reserve_exact(self.heap.len() / 8 + 16);
        }
        self.heap.push(Reverse(entry));
    }

    /// The least entry that holds; drops stale ones in front of it.
    pub(super) fn first(&mut self, holds: impl Fn(&T) -> bool) -> Option<T> {
        while let Some(Reverse(entry)) = self.heap.peek() {
            if holds(entry) {
                return Some(*entry);
            }
            self.heap.pop();
        }
        None
    }

    /// Takes out the least entry.
    pub(super) fn pop(&mut self) {
        self.heap.pop();
    }

    /// Octets of heap memory in use.
    pub(super) fn footprint(&self) -> usize {
        self.heap.capacity() * size_of::<T>()
    }
}

impl<T: Ord> Default for LazyHeap<T> {
    fn default() -> Self {
        Self {
            heap: BinaryHeap::new(),
        }
    }
}

/// A claim is to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    pub(super) at: Time,
    pub(super) slot: u32,
    pub(super) what: What,
}

/// Why a claim is to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// Its validity ends.
    End,
    /// It has something to do.
    Act,
}

/// A claim waits to send something, in this order: defences, then the first frame of every round,
/// then the second one. Among equals the address asked for most recently goes first, then the one
/// that has waited longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    pub(super) stage: Stage,
    /// The less, the more recently it was asked for.
    pub(super) coldness: u32,
    pub(super) order: u32,
    pub(super) slot: u32,
}

/// What a waiting claim sends next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// An announcement against another station's claim.
    Defend,
    /// A probe, or the first frame of an announcement.
    First,
    /// The second frame of an announcement.
    Second,
    /// Nothing.
    Idle,
}

/// Sweeping a heap smaller than this is not worth it.
const SWEEP_FLOOR: usize = 64;

#[cfg(test)]
mod tests;
