//! Who answers for each address, since when, and whether that is as it must be (I1, I2, I6).

use super::reach::{Reach, bit};
use super::{Bounds, Figures, Invariant, Participant, Process};
use crate::ownership::{How, Shard};
use crate::sim::ownership::scenario::letter;
use crate::time::Time;
use std::net::IpAddr;
use std::time::Duration;

/// An address of the cluster.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim::ownership) struct Held {
    pub(in crate::sim::ownership) address: IpAddr,
    pub(in crate::sim::ownership) group: usize,
    pub(in crate::sim::ownership) shard: Shard,
}

#[derive(Debug)]
pub(super) struct Owners {
    entries: Vec<Entry>,
    /// When something changed last about who reaches whom.
    changed: Time,
    /// From when on every address must have its owner.
    due: Time,
    /// When the next address is looked for that was ceded some time ago.
    look: Time,
    /// Everything was found in order, and stays so until something changes.
    is_in_order: bool,
    /// Did the cluster stand still when the last change came, and was that a sudden end?
    is_sudden: bool,
}

#[derive(Debug)]
struct Entry {
    held: Held,
    /// The nodes that answer, as a bit set.
    answering: u8,
    /// When that set changed last.
    since: Time,
    /// Who answered beside the only one that does now, until then.
    ceded: u8,
    /// Moves since the cluster settled.
    moves: usize,
}

/// An address that just one node answers for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owned {
    pub(super) address: IpAddr,
    pub(super) owner: usize,
    /// Since when just that one does.
    pub(super) since: Time,
    /// Who else did until then, as a bit set.
    pub(super) ceded: u8,
}

/// What was found, if it must not be.
pub(super) type Found = Option<(Invariant, String)>;

impl Owners {
    pub(super) fn new(held: &[Held]) -> Self {
        let entry = |held: &Held| Entry {
            held: *held,
            answering: 0,
            since: Time::ZERO,
            ceded: 0,
            moves: 0,
        };
        Self {
            entries: held.iter().map(entry).collect(),
            changed: Time::ZERO,
            due: Time::ZERO,
            look: Time::MAX,
            is_in_order: false,
            is_sudden: false,
        }
    }

    pub(super) fn held(&self) -> impl Iterator<Item = &Held> {
        self.entries.iter().map(|entry| &entry.held)
    }

    /// Every address that just one node answers for, with it.
    pub(super) fn owned(&self) -> impl Iterator<Item = Owned> {
        self.entries.iter().filter_map(Entry::owned)
    }

    /// What two nodes answered for until `patience` ago, and one of them since; each once. `None` when it
    /// is not time to look.
    pub(super) fn take_ceded(&mut self, now: Time, patience: Duration) -> Option<Vec<Owned>> {
        if now < self.look {
            return None;
        }
        self.look = Time::MAX;
        let mut ceded = Vec::new();
        for entry in self.entries.iter_mut().filter(|entry| entry.ceded != 0) {
            let at = entry.since + patience;
            if at <= now {
                ceded.extend(entry.owned());
                entry.ceded = 0;
            } else {
                self.look = self.look.min(at);
            }
        }
        Some(ceded)
    }

    /// Something changed at `at` about who reaches whom: two owners must have settled it some time
    /// after.
    pub(super) fn reach_changed(&mut self, at: Time) {
        self.changed = self.changed.max(at);
        self.is_in_order = false;
    }

    /// Something was done to the cluster at `at`; owners are due within `bound`.
    pub(super) fn disturb(&mut self, at: Time, bound: Duration, is_sudden: bool) {
        self.is_sudden = is_sudden && at > self.due;
        self.reach_changed(at);
        self.due = self.due.max(at + bound);
        for entry in &mut self.entries {
            entry.moves = 0;
        }
    }

    /// From when on every address must have its owner.
    pub(super) const fn due(&self) -> Time {
        self.due
    }

    /// A node acquired `shard`: in a settled cluster only from the hands of another.
    pub(super) fn acquired(&mut self, shard: Shard, how: How, now: Time, nodes: usize) -> Found {
        if now <= self.due {
            return None;
        }
        if how != How::Handover {
            let what = format!("{shard:?} was acquired ({how:?}) though nothing had happened");
            return Some((Invariant::Settled, what));
        }
        for entry in self
            .entries
            .iter_mut()
            .filter(|entry| entry.held.shard == shard)
        {
            entry.moves += 1;
            // Nodes whose hold time ends one after the other may each be better than the one before.
            if entry.moves >= nodes {
                let what = format!(
                    "{shard:?} moved {} times though nothing had happened",
                    entry.moves
                );
                return Some((Invariant::Settled, what));
            }
        }
        None
    }

    /// Looks again who answers.
    pub(super) fn refresh(
        &mut self,
        now: Time,
        detect: Duration,
        figures: &mut Figures,
        answering: impl Fn(IpAddr) -> u8,
    ) {
        for entry in &mut self.entries {
            let found = answering(entry.held.address);
            if found == entry.answering {
                continue;
            }
            if entry.answering == 0 && self.is_sudden && entry.since >= self.changed {
                let gap = per_mille(now - entry.since, detect);
                figures.failover_per_mille = figures.failover_per_mille.max(gap);
            }
            let is_left = found.is_power_of_two() && entry.answering & found != 0;
            entry.ceded = if is_left { entry.answering & !found } else { 0 };
            if entry.ceded != 0 {
                self.look = self.look.min(now);
            }
            entry.answering = found;
            entry.since = now;
            self.is_in_order = false;
        }
    }

    /// Judges the state that has held until `now`.
    pub(super) fn judge(
        &mut self,
        now: Time,
        reach: &Reach,
        nodes: &[Participant],
        bounds: &Bounds,
        figures: &mut Figures,
    ) -> Found {
        if self.is_in_order {
            return None;
        }
        for entry in self
            .entries
            .iter()
            .filter(|entry| entry.answering.count_ones() > 1)
        {
            let lasts = now - entry.since.max(self.changed);
            let Some((a, b)) = rivals(entry.answering, reach) else {
                continue;
            };
            figures.longest_dual = figures.longest_dual.max(lasts);
            figures.dual_per_mille = figures.dual_per_mille.max(per_mille(lasts, bounds.detect));
            if lasts > bounds.detect {
                let (address, a, b) = (entry.held.address, letter(a), letter(b));
                let what = format!(
                    "{a} and {b} both answer for {address}, for {lasts:?} since the last change"
                );
                return Some((Invariant::OneOwner, what));
            }
        }
        if now <= self.due {
            return None;
        }
        let found = self
            .entries
            .iter()
            .find_map(|entry| self.judge_segments(entry, now, reach, nodes, bounds));
        // Once all has held for long enough, and no two must still agree, time alone changes nothing.
        let is_final = |entry: &Entry| {
            now - entry.since.max(self.due) > bounds.planned
                && rivals(entry.answering, reach).is_none()
        };
        self.is_in_order = found.is_none() && self.entries.iter().all(is_final);
        found
    }

    fn judge_segments(
        &self,
        entry: &Entry,
        now: Time,
        reach: &Reach,
        nodes: &[Participant],
        bounds: &Bounds,
    ) -> Found {
        let lasts = now - entry.since.max(self.due);
        if lasts <= bounds.planned {
            return None;
        }
        let set = |is: &dyn Fn(&Participant) -> bool| {
            let members = nodes.iter().enumerate().filter(|(_, node)| is(node));
            members.fold(0, |all, (node, _)| all | bit(node))
        };
        let reachable = set(&|node| node.process == Process::Runs && node.is_up && !node.is_deaf);
        let excluded = set(&|node| node.excluded & bit(entry.held.group) != 0);
        let able = set(&|node| !node.is_mute && !node.has_left) & reachable & !excluded;
        let address = entry.held.address;
        if entry.answering & excluded != 0 {
            return Some((
                Invariant::SomeOwner,
                format!("{address} is answered for by an excluded node"),
            ));
        }
        let mut rest = reachable;
        while rest != 0 {
            let first = usize::try_from(rest.trailing_zeros()).unwrap_or(0);
            let segment = reach.segment(first, reachable);
            rest &= !segment;
            if segment & able != 0 && segment & entry.answering == 0 {
                let members: String = letters(segment).collect();
                let what = format!(
                    "nobody of {members} answers for {address}, {lasts:?} after an owner was due"
                );
                return Some((Invariant::SomeOwner, what));
            }
        }
        None
    }
}

impl Entry {
    fn owned(&self) -> Option<Owned> {
        let owner = usize::try_from(self.answering.trailing_zeros()).ok()?;
        self.answering.is_power_of_two().then_some(Owned {
            address: self.held.address,
            owner,
            since: self.since,
            ceded: self.ceded,
        })
    }
}

/// Two of the nodes that answer and must agree.
fn rivals(answering: u8, reach: &Reach) -> Option<(usize, usize)> {
    let owners = || (0..8).filter(|node| answering & bit(*node) != 0);
    let mut pairs = owners().flat_map(|a| owners().filter(move |b| a < *b).map(move |b| (a, b)));
    pairs.find(|(a, b)| reach.must_agree(*a, *b))
}

fn letters(set: u8) -> impl Iterator<Item = char> {
    (0..8).filter(move |node| set & bit(*node) != 0).map(letter)
}

fn per_mille(part: Duration, whole: Duration) -> u64 {
    let share = part.as_nanos() * 1000 / whole.as_nanos().max(1);
    u64::try_from(share).unwrap_or(u64::MAX)
}
