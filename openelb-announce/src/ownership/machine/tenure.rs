//! What this node has of one group, and what it should have: the rules R1 to R3.

use std::time::Duration;

use crate::ownership::name::{GroupId, NodeKey};
use crate::ownership::ranking::{self, Bid, Rank};
use crate::ownership::roll::{Peer, Roll};
use crate::ownership::settings::{Group, MOST_SHARDS, Standing};
use crate::ownership::shard::{Shard, ShardSet};
use crate::ownership::terms::{How, Why};
use crate::time::Time;

/// One group, with what this node owns of it.
#[derive(Clone, Debug)]
pub(super) struct Tenure {
    pub(super) group: Group,
    pub(super) id: GroupId,
    pub(super) owned: ShardSet,
    // One place for each shard.
    pub(super) cells: Vec<Cell>,
    /// Before this instant nothing of it is claimed: the others may not know the group yet.
    pub(super) settles: Time,
    /// The own standing fell: what others would do better goes at once.
    pub(super) is_eager: bool,
    /// The ranks must be computed again.
    pub(super) is_stale: bool,
}

/// What is known about one shard.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and none rules out another"
)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    /// The first-ranked candidate, if it ranks above this node or this node makes no bid.
    pub(super) above: Option<Bid>,
    /// A node that starts together with this one and still listens ranks above it.
    waits: bool,
    /// Since when it is owned.
    since: Time,
    /// How it would come to this node now.
    pub(super) past: How,
    /// Its owner died or gave it up since this node takes part.
    is_vacated: bool,
    /// Another live node claims what is owned here.
    is_contended: bool,
    /// An announcement has answered that claim.
    is_answered: bool,
    /// Another live node has claimed it, or may have, since this node announced it last, and has given
    /// it up: it may have been heard last.
    was_contended: bool,
    /// It came while this node heard nothing at all.
    pub(super) is_doubtful: bool,
    reannounced: Option<Time>,
}

/// What the rules look at besides the group itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub(super) roll: &'a Roll,
    pub(super) me: NodeKey,
    pub(super) is_draining: bool,
    /// How many fence groups there are, if shards are fenced off.
    pub(super) fences: Option<u16>,
    /// Nodes that listen and count all the same, because all start together.
    pub(super) starters: &'a [NodeKey],
    pub(super) now: Time,
}

/// What should change.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) acquire: Vec<u16>,
    pub(super) lose: Vec<(u16, Why)>,
    pub(super) reannounce: Vec<u16>,
    /// Another node claims what stays here: let it hear so.
    pub(super) insist: u64,
}

impl Tenure {
    /// A group of which nothing is owned.
    pub(super) fn new(group: &Group, settles: Time) -> Self {
        let shards = group.shards.clamp(1, MOST_SHARDS);
        let cell = Cell {
            above: None,
            waits: false,
            since: Time::ZERO,
            past: How::Cold,
            is_vacated: false,
            is_contended: false,
            is_answered: false,
            was_contended: false,
            is_doubtful: false,
            reannounced: None,
        };
        Self {
            group: Group {
                shards,
                ..group.clone()
            },
            id: group.name.id(),
            owned: ShardSet::new(shards),
            cells: vec![cell; shards.into()],
            settles,
            is_eager: false,
            is_stale: true,
        }
    }

    /// What should change now. O(shards x nodes) when candidates have changed, else O(shards).
    pub(super) fn plan(&mut self, view: &View<'_>) -> Plan {
        if std::mem::take(&mut self.is_stale) {
            self.rank(view);
        }
        let mut plan = Plan::default();
        self.contend(view, &mut plan);
        self.give_up(view, &mut plan);
        self.take_over(view, &mut plan);
        plan
    }

    /// The shard to hand to a node that ranks higher and has been there for `hold`, if this node had
    /// it for `dwell` (R2).
    pub(super) fn returnable(
        &self,
        view: &View<'_>,
        hold: Duration,
        dwell: Duration,
    ) -> Option<(u16, Why)> {
        let is_ripe = |index: &u16| {
            let cell = self.cells.get(usize::from(*index))?;
            let peer = view.roll.peer(cell.above?.node)?;
            let is_here = peer
                .ready_since
                .is_some_and(|since| since + hold <= view.now);
            let is_ripe = is_here && !cell.is_contended && cell.since + dwell <= view.now;
            is_ripe.then(|| (*index, Why::HandedTo(peer.id.clone())))
        };
        self.owned.iter().find_map(|index| is_ripe(&index))
    }

    /// The shard with this number.
    pub(super) const fn shard(&self, index: u16) -> Shard {
        Shard {
            group: self.id,
            index,
        }
    }

    /// Notes that it is owned from now on.
    pub(super) fn acquire(&mut self, index: u16, is_doubtful: bool, now: Time) -> How {
        self.owned.set(index, true);
        let Some(cell) = self.cells.get_mut(usize::from(index)) else {
            return How::Cold;
        };
        cell.since = now;
        cell.is_contended = false;
        cell.is_answered = false;
        cell.was_contended = false;
        cell.is_doubtful = is_doubtful;
        cell.reannounced = Some(now);
        cell.past
    }

    /// Notes that it is owned no more, and what that says about its past.
    pub(super) fn lose(&mut self, index: u16, why: &Why) {
        self.owned.set(index, false);
        if let Some(cell) = self.cells.get_mut(usize::from(index)) {
            cell.is_contended = false;
            cell.is_answered = false;
            cell.was_contended = false;
            cell.is_doubtful = false;
            cell.past = match why {
                Why::LinkDown | Why::Unconfigured => How::Cold,
                Why::HandedTo(_) | Why::Excluded | Why::Left => How::Handover,
                Why::Yielded(_) | Why::Fenced | Why::Duplicate => How::Takeover,
            };
        }
    }

    /// What was acquired at this instant, and in which way. O(shards).
    pub(super) fn acquired_at(&self, at: Time) -> Vec<(u16, How)> {
        let cells = (0..).zip(&self.cells);
        let acquired =
            cells.filter(|(index, cell)| cell.since == at && self.owned.contains(*index));
        acquired.map(|(index, cell)| (index, cell.past)).collect()
    }

    /// Notes how this shard would be acquired.
    pub(super) fn remember(&mut self, index: u16, past: How) {
        if let Some(cell) = self.cells.get_mut(usize::from(index)) {
            cell.past = past;
        }
    }

    /// Notes that these lost their owner in this way.
    pub(super) fn bereave(&mut self, shards: &ShardSet, past: How) {
        for index in shards.iter() {
            if let Some(cell) = self.cells.get_mut(usize::from(index)) {
                cell.past = past;
                cell.is_vacated = true;
            }
        }
    }

    /// Notes that this node takes part from now on.
    pub(super) fn begin(&mut self) {
        for cell in &mut self.cells {
            cell.is_vacated = false;
        }
    }

    /// Notes that another node has given these up, of which only what is owned matters.
    pub(super) fn was_contended(&mut self, shards: &ShardSet) {
        for index in self.owned.common(shards).iter() {
            if let Some(cell) = self.cells.get_mut(usize::from(index)) {
                cell.was_contended = true;
            }
        }
    }

    fn bid(&self, view: &View<'_>) -> Option<Bid> {
        Bid::new(view.me, self.group.standing, view.is_draining)
    }

    fn rank(&mut self, view: &View<'_>) {
        let mine = self.bid(view);
        let candidates = view.roll.live().filter(|peer| peer.is_candidate());
        let bid = |peer: &Peer| Some((peer.is_listening, peer.bid(self.id, self.group.shards)?));
        let (listening, ready): (Vec<_>, Vec<_>) = candidates.filter_map(bid).partition(|it| it.0);
        for (index, cell) in (0..).zip(&mut self.cells) {
            let (group, fences) = (self.id, view.fences);
            let seed = ranking::fenced_seed(Shard { group, index }, fences);
            let mine = mine.map(|bid| bid.rank(seed));
            let is_above = |rank: &Rank| mine.is_none_or(|mine| *rank > mine);
            let ranks = |bids: &[(bool, Bid)]| bids.iter().map(|(_, bid)| bid.rank(seed)).max();
            cell.above = ranks(&ready).filter(is_above).map(|rank| rank.bid);
            let starters = listening
                .iter()
                .filter(|(_, bid)| view.starters.contains(&bid.node));
            cell.waits = starters
                .map(|(_, bid)| bid.rank(seed))
                .any(|rank| is_above(&rank));
        }
    }

    /// R3: another live node claims what is owned here.
    fn contend(&mut self, view: &View<'_>, plan: &mut Plan) {
        let mut contended = ShardSet::new(self.group.shards);
        for peer in view.roll.live().filter(|peer| peer.is_direct) {
            let Some(claims) = peer.claims(self.id, self.group.shards) else {
                continue;
            };
            let common = self.owned.common(&claims);
            for index in common.iter() {
                match self.verdict(peer, index, view) {
                    // When two others claim it, the second finds nothing left to lose.
                    Verdict::Yield => plan.lose.push((index, Why::Yielded(peer.id.clone()))),
                    verdict => {
                        contended.set(index, true);
                        self.insist(index, verdict, view.now, plan);
                    }
                }
            }
        }
        for claims in view.roll.disputes(self.id, self.group.shards) {
            for index in self.owned.common(&claims).iter() {
                contended.set(index, true);
                self.insist(index, Verdict::Outshout, view.now, plan);
            }
        }
        let owned = self.owned.clone();
        for (index, cell) in (0..)
            .zip(&mut self.cells)
            .filter(|(index, _)| owned.contains(*index))
        {
            cell.was_contended |= cell.is_contended;
            cell.is_contended = contended.contains(index);
            cell.is_answered &= cell.is_contended;
            if cell.was_contended && !cell.is_contended {
                // The other one may have announced itself last.
                cell.was_contended = false;
                cell.reannounced = Some(view.now);
                plan.reannounce.push(index);
            }
        }
    }

    fn verdict(&self, peer: &Peer, index: u16, view: &View<'_>) -> Verdict {
        if peer.mutual_since.is_some() {
            let wins = match peer.offers.get(&self.id).map(|offer| offer.claims.shards()) {
                Some(shards) if shards != self.group.shards => {
                    (self.group.shards, view.me) > (shards, peer.key)
                }
                _ => {
                    let seed = ranking::fenced_seed(self.shard(index), view.fences);
                    let theirs = peer
                        .bid(self.id, self.group.shards)
                        .map(|bid| bid.rank(seed));
                    self.bid(view).map(|bid| bid.rank(seed)) > theirs
                }
            };
            return if wins { Verdict::Keep } else { Verdict::Yield };
        }
        if peer.is_deaf {
            return Verdict::Outshout;
        }
        // It receives, but not what this node sends, so it can serve and will never yield. A node
        // that has just come into hearing gets the time to hear this one first.
        let is_settled = peer.since + peer.interval * 2 <= view.now;
        if is_settled {
            Verdict::Yield
        } else {
            Verdict::Wait
        }
    }

    fn insist(&mut self, index: u16, verdict: Verdict, now: Time, plan: &mut Plan) {
        let Some(cell) = self.cells.get_mut(usize::from(index)) else {
            return;
        };
        let is_long_ago = cell
            .reannounced
            .is_none_or(|at| at + DEFEND_INTERVAL <= now);
        let announces = match verdict {
            Verdict::Keep => !cell.is_answered,
            Verdict::Outshout => !cell.is_answered || is_long_ago,
            Verdict::Wait | Verdict::Yield => false,
        };
        plan.insist += u64::from(!cell.is_contended);
        if announces {
            cell.is_answered = true;
            cell.reannounced = Some(now);
            plan.reannounce.push(index);
        }
    }

    /// R2, the part that does not wait: excluded, draining, or fallen in standing.
    fn give_up(&mut self, view: &View<'_>, plan: &mut Plan) {
        let is_eager = std::mem::take(&mut self.is_eager);
        let is_excluded = self.group.standing == Standing::Excluded;
        if !(is_eager || is_excluded || view.is_draining) {
            return;
        }
        let mut lost = ShardSet::new(self.group.shards);
        plan.lose
            .iter()
            .for_each(|(index, _)| lost.set(*index, true));
        for index in self.owned.without(&lost).iter() {
            let above = self
                .cells
                .get(usize::from(index))
                .and_then(|cell| cell.above);
            let gets_better = above.is_some_and(|bid| is_eager || !bid.is_draining);
            let heir = above
                .and_then(|bid| view.roll.peer(bid.node))
                .map(|peer| peer.id.clone());
            if is_excluded || gets_better {
                plan.lose
                    .push((index, heir.map_or(Why::Excluded, Why::HandedTo)));
            }
        }
    }

    /// R1: nobody live claims it, and this node ranks first.
    fn take_over(&self, view: &View<'_>, plan: &mut Plan) {
        if self.group.standing == Standing::Excluded || view.now < self.settles {
            return;
        }
        let mut taken = self.owned.clone();
        for peer in view.roll.live().filter(|peer| peer.is_respected()) {
            if let Some(claims) = peer.claims(self.id, self.group.shards) {
                taken.unite(&claims);
            }
        }
        // Those who start together wait for each other with what they found without an owner, but clients
        // wait for what has just lost one.
        let is_ours = |cell: &Cell| cell.above.is_none() && (!cell.waits || cell.is_vacated);
        let free = (0..)
            .zip(&self.cells)
            .filter(|(index, _)| !taken.contains(*index));
        plan.acquire.extend(
            free.filter(|(_, cell)| is_ours(cell))
                .map(|(index, _)| index),
        );
    }
}

/// Who keeps a shard that two nodes claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// This node, and the other will hear of it.
    Keep,
    /// This node, though the other will not hear of it: it hears nothing, or is not known to be there.
    Outshout,
    /// This node for now.
    Wait,
    /// The other one.
    Yield,
}

/// Announcements against a node that cannot know better: RFC 5227 section 2.4 (c).
pub(super) const DEFEND_INTERVAL: Duration = Duration::from_secs(10);
