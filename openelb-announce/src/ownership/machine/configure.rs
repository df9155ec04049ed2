//! What is desired, compared with what is.

use std::collections::BTreeMap;

use super::tenure::Tenure;
use super::voice::Voice;
use super::{Machine, Me, TELLINGS};
use crate::ownership::beat::{MOST_GROUPS, MOST_SHARDS_OF_ALL};
use crate::ownership::name::GroupId;
use crate::ownership::settings::{Group, MOST_SHARDS, Settings, Standing};
use crate::ownership::terms::Why;
use crate::random::Random;
use crate::time::Time;

impl Machine {
    /// Takes over what is desired. Handing over the same again costs a comparison and does nothing.
    pub(super) fn configure(&mut self, settings: &Settings, groups: &[Group], now: Time) {
        let is_other = self.me.as_ref().is_none_or(|me| {
            (&me.settings.node, me.settings.boot) != (&settings.node, settings.boot)
        });
        if self.me.as_ref().is_none_or(|me| me.settings != *settings) {
            if self
                .me
                .as_ref()
                .is_some_and(|me| me.settings.fences != settings.fences)
            {
                self.release_permits();
                self.rank_again();
            }
            let key = settings.node.key();
            let settings = settings.clone();
            self.me = Some(Me { settings, key });
            self.refused.clear();
            self.is_dirty = true;
            self.voice.tell(TELLINGS, now);
        }
        if is_other {
            self.lose_all(&Why::Unconfigured);
            self.changes = 0;
            self.random = Random::new(settings.seed);
            self.voice = Voice::default();
            self.twin = None;
            self.rank_again();
            self.listen(now);
        }
        self.configure_groups(groups, now);
    }

    fn configure_groups(&mut self, groups: &[Group], now: Time) {
        let (desired, left_out) = fitting(groups);
        self.counters.groups_left_out = u64::try_from(left_out).unwrap_or(u64::MAX);
        let is_gone = |tenure: &Tenure| {
            desired
                .get(&tenure.id)
                .is_none_or(|group| shards(group) != tenure.group.shards)
        };
        let gone: Vec<GroupId> = self
            .tenures
            .values()
            .filter(|it| is_gone(it))
            .map(|it| it.id)
            .collect();
        for id in gone {
            self.lose_group(id, &Why::Unconfigured);
            self.tenures.remove(&id);
            self.is_dirty = true;
            self.voice.tell(TELLINGS, now);
        }
        for (id, group) in desired {
            let settles = now + self.interval();
            let Some(tenure) = self.tenures.get_mut(&id) else {
                self.tenures.insert(id, Tenure::new(group, settles));
                self.is_dirty = true;
                self.voice.tell(TELLINGS, now);
                continue;
            };
            if tenure.group.standing != group.standing {
                tenure.is_eager |= is_lower(group.standing, tenure.group.standing);
                tenure.group.standing = group.standing;
                tenure.is_stale = true;
                self.is_dirty = true;
                self.voice.tell(TELLINGS, now);
            }
        }
    }

    /// When the next new group may be claimed. One that is new to a running node waits for an interval,
    /// within which the other nodes will have said what they offer for it.
    pub(super) fn settling(&self) -> Option<Time> {
        let after = self.looked;
        let settles = self.tenures.values().map(|tenure| tenure.settles);
        settles.filter(|at| *at > after).min()
    }
}

/// The groups that one beat can carry, the same on every node, and the number of the others.
fn fitting(groups: &[Group]) -> (BTreeMap<GroupId, &Group>, usize) {
    let by_id: BTreeMap<GroupId, &Group> = groups
        .iter()
        .map(|group| (group.name.id(), group))
        .collect();
    let all = by_id.len();
    let mut room = MOST_SHARDS_OF_ALL;
    let mut fitting = BTreeMap::new();
    for (id, group) in by_id.into_iter().take(MOST_GROUPS) {
        if let Some(rest) = room.checked_sub(shards(group).into()) {
            room = rest;
            fitting.insert(id, group);
        }
    }
    let left_out = all - fitting.len();
    (fitting, left_out)
}

fn shards(group: &Group) -> u16 {
    group.shards.clamp(1, MOST_SHARDS)
}

/// Did the standing fall, though it is still eligible?
fn is_lower(now: Standing, before: Standing) -> bool {
    let order = |standing| match standing {
        Standing::Excluded => None,
        Standing::Eligible { weight, preference } => Some((preference, weight)),
    };
    order(now) < order(before)
}
