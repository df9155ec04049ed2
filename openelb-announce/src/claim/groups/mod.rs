//! Membership in solicited-node groups: counted, capped, and shared by addresses that may.

use crate::wire::ip::ALL_NODES;
use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv6Addr;

/// The groups that this machine is a member of.
///
/// Besides the solicited-node groups there is one for all nodes, to which conflicts are announced:
/// it is joined before the first and left after the last (RFC 4862 section 5.4.2).
#[derive(Clone, Debug)]
pub(super) struct Groups {
    limit: usize,
    // Invariant: no count is zero, and there are at most `limit` of them.
    members: BTreeMap<Ipv6Addr, u32>,
    waiting: BTreeMap<Ipv6Addr, Vec<u32>>,
    // Invariant: the keys of `waiting`, each once, in the order of their first request.
    queue: VecDeque<Ipv6Addr>,
}

/// What became of a request for a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joined {
    /// The group must be joined now, after that for all nodes if this is the first one.
    New { first: bool },
    /// Another address joined it already.
    Shared,
    /// There is no room; the slot waits until there is.
    Exhausted,
}

/// What became of a group when one of its addresses went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// Other addresses need it.
    StillNeeded,
    /// It must be left now, and that for all nodes too if this was the last one.
    Empty { last: bool },
    /// The slot only waited for it.
    NeverJoined,
}

impl Groups {
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            limit,
            members: BTreeMap::new(),
            waiting: BTreeMap::new(),
            queue: VecDeque::new(),
        }
    }

    /// How many groups there may be.
    pub(super) const fn limit(&self) -> usize {
        self.limit
    }

    /// Counts `slot` in, or lets it wait.
    pub(super) fn join(&mut self, group: Ipv6Addr, slot: u32) -> Joined {
        if let Some(count) = self.members.get_mut(&group) {
            *count += 1;
            return Joined::Shared;
        }
        if self.members.len() >= self.limit {
            if !self.waiting.contains_key(&group) {
                self.queue.push_back(group);
            }
            self.waiting.entry(group).or_default().push(slot);
            return Joined::Exhausted;
        }
        self.members.insert(group, 1);
        Joined::New {
            first: self.members.len() == 1,
        }
    }

    /// Counts `slot` out.
    pub(super) fn leave(&mut self, group: Ipv6Addr, slot: u32) -> Left {
        let Some(count) = self.members.get_mut(&group) else {
            self.forget_waiting(group, slot);
            return Left::NeverJoined;
        };
        *count -= 1;
        if *count > 0 {
            return Left::StillNeeded;
        }
        self.members.remove(&group);
        Left::Empty {
            last: self.members.is_empty(),
        }
    }

    /// The slots that waited longest for one group, if there is room for it now. They must ask again.
    pub(super) fn admit(&mut self) -> Vec<u32> {
        if self.members.len() >= self.limit {
            return Vec::new();
        }
        let group = self.queue.pop_front();
        group
            .and_then(|group| self.waiting.remove(&group))
            .unwrap_or_default()
    }

    /// The group for all nodes.
    pub(super) const ALL: Ipv6Addr = ALL_NODES;

    fn forget_waiting(&mut self, group: Ipv6Addr, slot: u32) {
        let Some(slots) = self.waiting.get_mut(&group) else {
            return;
        };
        slots.retain(|waiting| *waiting != slot);
        if slots.is_empty() {
            self.waiting.remove(&group);
            self.queue.retain(|waiting| *waiting != group);
        }
    }
}

#[cfg(test)]
mod tests;
