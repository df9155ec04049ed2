//! Which rows changed, generation by generation.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use super::owners::Slot;
use crate::row::RowKey;

/// A changed row, as small as it can be: the row itself is made when somebody asks.
#[derive(Clone, Debug)]
pub(super) enum Changed {
    /// The owner that the record holds now. Later entries tell what became of an earlier one.
    Owner(Slot),
    /// Any other row, also one that is gone.
    Key(Box<RowKey>),
}

/// The latest changes, bounded.
// Invariant: generations ascend; everything after `since` is here.
#[derive(Clone, Debug)]
pub(super) struct Log {
    entries: VecDeque<(u64, Changed)>,
    since: u64,
    last: u64,
    capacity: usize,
}

impl Log {
    /// Starts at a generation with nothing to tell.
    pub(super) fn new(since: u64) -> Self {
        Self {
            entries: VecDeque::new(),
            since,
            last: since,
            capacity: DEFAULT_CAPACITY,
        }
    }

    pub(super) fn set_capacity(&mut self, capacity: usize) {
        self.capacity = capacity;
        self.trim();
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Forgets everything and starts again at a generation.
    pub(super) fn restart(&mut self, since: u64) {
        self.entries.clear();
        (self.since, self.last) = (since, since);
    }

    pub(super) fn note(&mut self, generation: u64, changed: Changed) {
        self.last = generation;
        self.entries.push_back((generation, changed));
        if self.entries.len() > self.capacity {
            self.trim();
        }
    }

    /// The latest generation with a change, remembered or not.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// What changed after a generation; `None` when that is no longer known.
    pub(super) fn after(&self, generation: u64) -> Option<impl Iterator<Item = &Changed>> {
        if generation < self.since {
            return None;
        }
        let start = self.entries.partition_point(|(at, _)| *at <= generation);
        Some(self.entries.range(start..).map(|(_, changed)| changed))
    }

    /// Drops whole generations, oldest first, until the log fits.
    fn trim(&mut self) {
        while self.entries.len() > self.capacity {
            let Some((dropped, _)) = self.entries.pop_front() else {
                return;
            };
            self.since = dropped;
            while self.entries.front().is_some_and(|(at, _)| *at <= dropped) {
                self.entries.pop_front();
            }
        }
    }
}

/// 24 bytes each: 1.5 MiB at most, enough for a store that commits in groups of thousands.
const DEFAULT_CAPACITY: usize = 65_536;
