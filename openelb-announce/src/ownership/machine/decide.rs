//! The rules looked at, and what follows carried out.

use std::collections::BTreeSet;

use super::tenure::{DEFEND_INTERVAL, Plan, View};
use super::{Machine, TELLINGS};
use crate::ownership::name::{GroupId, NodeKey};
use crate::ownership::ranking;
use crate::ownership::roll::Peer;
use crate::ownership::shard::Shard;
use crate::ownership::status::Phase;
use crate::ownership::terms::{Event, Output, Why};
use crate::time::Time;

impl Machine {
    /// Looks at the rules if anything changed. O(groups x nodes), and O(shards x nodes) for each group
    /// whose candidates changed.
    pub(super) fn decide(&mut self, now: Time) {
        self.looked = now;
        if !std::mem::take(&mut self.is_dirty) || self.phase != Phase::Running {
            return;
        }
        let Some((me, fences)) = self.me.as_ref().map(|me| (me.key, me.settings.fences)) else {
            return;
        };
        self.needed_permits.clear();
        self.find_starters(now);
        self.announce_again(now);
        self.allay(now);
        let ids: Vec<GroupId> = self.tenures.keys().copied().collect();
        for id in ids {
            let view = View {
                roll: &self.roll,
                me,
                is_draining: self.is_draining,
                fences,
                starters: &self.starters,
                now,
            };
            let plan = self.tenures.get_mut(&id).map(|tenure| tenure.plan(&view));
            self.carry_out(id, plan.unwrap_or_default(), now);
        }
        self.drop_permits();
        self.report_drained();
    }

    /// R2, the part that waits: hands one shard to a node that ranks higher and is here to stay.
    pub(super) fn hand_back(&mut self, now: Time) {
        let Some(me) = self
            .me
            .as_ref()
            .filter(|me| me.settings.preempt && !self.is_draining)
        else {
            return;
        };
        let view = View {
            roll: &self.roll,
            me: me.key,
            is_draining: self.is_draining,
            fences: me.settings.fences,
            starters: &self.starters,
            now,
        };
        let (hold, dwell) = (me.settings.hold, me.settings.dwell);
        let returnable = |(id, tenure): (&GroupId, &super::Tenure)| {
            Some((*id, tenure.returnable(&view, hold, dwell)?))
        };
        if let Some((id, (index, why))) = self.tenures.iter().find_map(returnable) {
            for index in self.bound_to(id, index) {
                self.lose(id, index, why.clone());
            }
            // A permit of which nothing is left goes back at once: the next owner waits for it.
            self.is_dirty |= self
                .me
                .as_ref()
                .is_some_and(|me| me.settings.fences.is_some());
            self.voice.tell(TELLINGS, now);
        }
    }

    /// What can only be handed over together with this shard: all of its group that need the same permit.
    fn bound_to(&self, id: GroupId, index: u16) -> Vec<u16> {
        let Some(tenure) = self.tenures.get(&id) else {
            return Vec::new();
        };
        let fence = self.fence_of(tenure.shard(index));
        let is_bound = |other: &u16| {
            *other == index || fence.is_some() && self.fence_of(tenure.shard(*other)) == fence
        };
        tenure.owned.iter().filter(is_bound).collect()
    }

    fn carry_out(&mut self, id: GroupId, plan: Plan, now: Time) {
        let Some(tenure) = self.tenures.get(&id) else {
            return;
        };
        let shard = |index| tenure.shard(index);
        let reannounce: Vec<Shard> = plan.reannounce.iter().map(|index| shard(*index)).collect();
        let acquire: Vec<Shard> = plan.acquire.iter().map(|index| shard(*index)).collect();
        if plan.insist > 0 || !plan.lose.is_empty() {
            self.counters.contended += plan.insist;
            self.voice.tell(TELLINGS, now);
        }
        for (index, why) in plan.lose {
            self.lose(id, index, why);
        }
        let reannounce = reannounce
            .into_iter()
            .map(|shard| Event::Reannounce { shard });
        self.announcing.extend(reannounce);
        for shard in acquire {
            self.acquire(shard, now);
        }
    }

    fn acquire(&mut self, shard: Shard, now: Time) {
        if !self.is_permitted(shard, now) {
            return;
        }
        if !self.voice.may_tell(now) {
            // Nothing is owned that was not claimed aloud: frozen in between, this node would go on
            // to answer for what others have every right to take.
            self.is_dirty = true;
            self.voice.tell(TELLINGS, now);
            return;
        }
        if self.voice.has_failed() {
            // Nobody would hear of it, so nobody could object; and the probes of a node that is deaf
            // as well would silence the owner that it takes for dead, if that one still probes too.
            self.is_dirty = true;
            return;
        }
        let is_doubtful = self.is_deaf(now);
        let Some(tenure) = self.tenures.get_mut(&shard.group) else {
            return;
        };
        let how = tenure.acquire(shard.index, is_doubtful, now);
        self.changes = self.changes.wrapping_add(1);
        self.counters.acquired += 1;
        self.announcing.push(Event::Acquired {
            shard,
            how,
            is_doubtful,
        });
        self.voice.tell(TELLINGS, now);
    }

    /// Nobody heard that this was acquired at `at`: it has to be said before it is so.
    pub(super) fn take_back(&mut self, at: Time) {
        let ids: Vec<GroupId> = self.tenures.keys().copied().collect();
        for id in ids {
            let unsaid = self.tenures.get(&id).map(|tenure| tenure.acquired_at(at));
            for (index, past) in unsaid.unwrap_or_default() {
                self.unsay(Shard { group: id, index });
                self.lose(id, index, Why::Fenced);
                if let Some(tenure) = self.tenures.get_mut(&id) {
                    tenure.remember(index, past);
                }
                self.is_dirty = true;
            }
        }
    }

    /// The caller learns nothing of an acquisition that it was not told yet.
    fn unsay(&mut self, acquired: Shard) {
        self.outputs.retain(|output| {
            !matches!(output, Output::Event(Event::Acquired { shard, .. }) if *shard == acquired)
        });
    }

    /// Gives one shard up. The caller tells the others.
    pub(super) fn lose(&mut self, id: GroupId, index: u16, why: Why) {
        let Some(tenure) = self
            .tenures
            .get_mut(&id)
            .filter(|it| it.owned.contains(index))
        else {
            return;
        };
        tenure.lose(index, &why);
        let shard = tenure.shard(index);
        self.changes = self.changes.wrapping_add(1);
        self.counters.lost += 1;
        self.event(Event::Lost { shard, why });
    }

    pub(super) fn lose_group(&mut self, id: GroupId, why: &Why) {
        let owned = self.tenures.get(&id).map(|tenure| tenure.owned.clone());
        for index in owned.unwrap_or_default().iter() {
            self.lose(id, index, why.clone());
        }
    }

    pub(super) fn lose_all(&mut self, why: &Why) {
        let ids: Vec<GroupId> = self.tenures.keys().copied().collect();
        for id in ids {
            self.lose_group(id, why);
        }
        self.release_permits();
    }

    /// R0, when all start together: whoever was there while this node still listened, and listens
    /// itself, will want its share in a moment. Only as long as nobody has anything from before.
    fn find_starters(&mut self, now: Time) {
        let is_old = |peer: &Peer| peer.has_claims() && !peer.was_listening;
        let is_starter = |peer: &&Peer| {
            // D and T by a clock that is 5 % slow, one T for the beat that says so.
            let most = (peer.dead_after + peer.interval) * 106 / 100 + peer.interval;
            peer.is_listening && peer.since < self.started && now < peer.since + most
        };
        let starters: Vec<NodeKey> = if self.roll.live().any(is_old) {
            Vec::new()
        } else {
            self.roll
                .live()
                .filter(is_starter)
                .map(|peer| peer.key)
                .collect()
        };
        if starters != self.starters {
            self.starters = starters;
            self.rank_again();
        }
    }

    /// What came while this node was perhaps deaf is announced in full once it is known to hear.
    fn announce_again(&mut self, now: Time) {
        if self.is_deaf(now) {
            return;
        }
        let mut shards = Vec::new();
        for tenure in self.tenures.values_mut() {
            let id = tenure.id;
            for (index, cell) in (0..)
                .zip(&mut tenure.cells)
                .filter(|(_, cell)| cell.is_doubtful)
            {
                cell.is_doubtful = false;
                shards.push(Shard { group: id, index });
            }
        }
        let events = shards.into_iter().map(|shard| Event::Reannounce { shard });
        self.announcing.extend(events);
    }

    /// A node that was out of hearing and has started again since may have announced what is owned here,
    /// and what it claimed is forgotten: all of it is announced again, but once in ten seconds at most.
    fn allay(&mut self, now: Time) {
        let is_due = self.allayed.is_none_or(|at| at + DEFEND_INTERVAL <= now);
        if !self.is_suspicious || !is_due {
            return;
        }
        self.is_suspicious = false;
        if self.is_owner() {
            self.allayed = Some(now);
        }
        for tenure in self.tenures.values_mut() {
            let owned = tenure.owned.clone();
            tenure.was_contended(&owned);
        }
    }

    pub(super) fn report_drained(&mut self) {
        let is_done = (self.is_draining || self.has_left) && !self.is_owner();
        if is_done && !self.is_drained {
            self.is_drained = true;
            self.event(Event::Drained);
        }
    }

    /// R6: the answer of the outer fence.
    pub(super) fn permit(&mut self, fence: u16, until: Option<Time>, now: Time) {
        match until {
            Some(until) if now < until && self.wanted_permits.contains(&fence) => {
                self.permits.insert(fence, until);
                self.is_dirty = true;
            }
            _ => {
                self.permits.remove(&fence);
                self.lose_fenced(fence, now);
            }
        }
    }

    /// R6: shards whose permit is over are given up.
    pub(super) fn end_permits(&mut self, now: Time) {
        let over = self.permits.iter().filter(|(_, until)| **until <= now);
        let over: Vec<u16> = over.map(|(fence, _)| *fence).collect();
        for fence in over {
            self.permits.remove(&fence);
            self.lose_fenced(fence, now);
        }
    }

    /// The permits that what is owned depends on.
    pub(super) fn held_permits(&self) -> impl Iterator<Item = (u16, Time)> + '_ {
        self.permits.iter().map(|(fence, until)| (*fence, *until))
    }

    pub(super) fn release_permits(&mut self) {
        self.permits.clear();
        for fence in std::mem::take(&mut self.wanted_permits) {
            self.outputs.push_back(Output::ReleasePermit(fence));
        }
    }

    /// Lets go of fence groups of which nothing is owned any more.
    fn drop_permits(&mut self) {
        if self.wanted_permits.is_empty() {
            return;
        }
        let owned = self
            .tenures
            .values()
            .flat_map(|tenure| tenure.owned.iter().map(|index| tenure.shard(index)));
        let mut used: BTreeSet<u16> = owned.filter_map(|shard| self.fence_of(shard)).collect();
        used.append(&mut self.needed_permits);
        let idle: Vec<u16> = self.wanted_permits.difference(&used).copied().collect();
        for fence in idle {
            self.permits.remove(&fence);
            self.wanted_permits.remove(&fence);
            self.outputs.push_back(Output::ReleasePermit(fence));
        }
    }

    fn is_permitted(&mut self, shard: Shard, now: Time) -> bool {
        let Some(fence) = self.fence_of(shard) else {
            return true;
        };
        self.needed_permits.insert(fence);
        if self.wanted_permits.insert(fence) {
            self.outputs.push_back(Output::WantPermit(fence));
        }
        self.permits.get(&fence).is_some_and(|until| now < *until)
    }

    fn lose_fenced(&mut self, fence: u16, now: Time) {
        let owned = self
            .tenures
            .values()
            .flat_map(|tenure| tenure.owned.iter().map(|index| tenure.shard(index)));
        let fenced: Vec<Shard> = owned
            .filter(|shard| self.fence_of(*shard) == Some(fence))
            .collect();
        if !fenced.is_empty() {
            self.voice.tell(TELLINGS, now);
        }
        for shard in fenced {
            self.lose(shard.group, shard.index, Why::Fenced);
        }
    }

    fn fence_of(&self, shard: Shard) -> Option<u16> {
        let fences = self.me.as_ref()?.settings.fences?;
        Some(ranking::fence(shard, fences))
    }
}
