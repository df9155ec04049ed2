//! The election machine of one segment.
//!
//! ```text
//!            configured, link up               D + jitter without a fence
//!   Idle ---------------------> Listening --------------------------------> Running
//!    ^                             ^  ^                                        |
//!    | link down (from anywhere)   |  +--- fence, or nothing sent for 0.9 D ---+
//!                                  |                                           |
//!                                  +--------------- Shadowed <-----------------+
//!                                    the other is gone       a later start has the same name
//! ```
//!
//! Only a running node claims shards. What it claims follows from rules that are looked at after every
//! input:
//!
//! - take over what nobody live claims, when this node ranks first among the candidates;
//! - hand over what another ranks higher for: at once when draining or excluded, else slowly;
//! - when two claim the same, the higher rank keeps it, or the one that receives, if only one does;
//! - speak for what is owned only for 0.9 D after the last beat that was sent.
//!
//! Deaths are judged when time is told, never between two datagrams, and not right after a call
//! that came late: what others sent meanwhile may still wait to be handed over.

mod configure;
mod decide;
mod hear;
mod report;
mod speak;
mod tenure;
mod voice;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use self::hear::Twin;
use self::speak::SentOrder;
use self::tenure::Tenure;
use self::voice::Voice;
use super::beat::Assembly;
use super::name::{GroupId, NodeId, NodeKey};
use super::roll::Roll;
use super::settings::Settings;
use super::shard::Shard;
use super::status::{Counters, Phase};
use super::terms::{Event, How, Input, Output, Refusal, Why};
use crate::random::Random;
use crate::time::Time;

/// One node's part in the election of one segment.
///
/// It says nothing until it is configured and the link is up. A step costs O(what changed): a beat
/// that says nothing new O(its length); one that changes who is eligible a ranking of every shard.
///
/// ```
/// use openelb_announce::ownership::{Event, Group, GroupName, Input, Key, KeyRing, Machine, NodeId};
/// use openelb_announce::ownership::{Output, Settings, Shard, Standing};
/// use openelb_announce::{Machine as _, Time};
///
/// let keys = KeyRing::new(Key::new(b"thirty-two octets of randomness.")?, []);
/// let settings = Settings::new(NodeId::new("node-1")?, 1, keys);
/// let name = GroupName::default();
/// let groups = [Group { name: name.clone(), shards: 256, standing: Standing::default() }];
///
/// let mut machine = Machine::new();
/// machine.handle_input(Input::Configure(&settings, &groups), Time::ZERO);
/// machine.handle_input(Input::Link { up: true }, Time::ZERO);
/// assert_eq!(machine.poll_output(), Some(Output::Event(Event::Listening)));
///
/// // Nobody else is there, so everything is its own once it has listened for long enough.
/// let shard = Shard::of(&name, 256, "192.0.2.10");
/// while !machine.owns(shard) {
///     while machine.poll_output().is_some() {}
///     let wake = machine.poll_timeout().ok_or("it beats")?;
///     machine.handle_timeout(wake);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and none rules out another"
)]
pub struct Machine {
    me: Option<Me>,
    tenures: BTreeMap<GroupId, Tenure>,
    roll: Roll,
    voice: Voice,
    is_up: bool,
    phase: Phase,
    is_draining: bool,
    has_left: bool,
    /// `Drained` was reported.
    is_drained: bool,
    random: Random,
    /// When the last listening ended: who was there before starts together with this node.
    started: Time,
    starters: Vec<NodeKey>,
    /// When any frame at all came in last.
    reception: Option<Time>,
    /// Another node was heard since the link came up.
    had_peers: bool,
    /// A number that changes whenever the claims do.
    changes: u16,
    /// Something changed that the rules look at.
    is_dirty: bool,
    /// A node that has started again may have announced before what is owned here.
    is_suspicious: bool,
    /// When all that is owned was announced again because of such a node.
    allayed: Option<Time>,
    /// When the rules were looked at last.
    looked: Time,
    /// Nobody counts as dead before this instant, because the last call came late.
    lenient_until: Option<Time>,
    twin: Option<Twin>,
    own_assembly: Assembly,
    orders: Vec<SentOrder>,
    /// The number of the next order.
    next_order: u64,
    /// Until when shards of a fence group may be owned.
    permits: BTreeMap<u16, Time>,
    wanted_permits: BTreeSet<u16>,
    /// Fence groups that the rules asked for when they were looked at last.
    needed_permits: BTreeSet<u16>,
    refused: BTreeSet<(Option<NodeId>, Refusal)>,
    counters: Counters,
    outputs: VecDeque<Output>,
    /// What makes the owner of the machine announce, until the beat that says why has left.
    announcing: Vec<Event>,
}

/// What the settings make of this node.
#[derive(Clone, Debug)]
struct Me {
    settings: Settings,
    key: NodeKey,
}

impl Machine {
    /// A machine that waits for its configuration.
    pub fn new() -> Self {
        Self {
            me: None,
            tenures: BTreeMap::new(),
            roll: Roll::default(),
            voice: Voice::default(),
            is_up: false,
            phase: Phase::Idle,
            is_draining: false,
            has_left: false,
            is_drained: false,
            random: Random::new(0),
            started: Time::ZERO,
            starters: Vec::new(),
            reception: None,
            had_peers: false,
            changes: 0,
            is_dirty: false,
            is_suspicious: false,
            allayed: None,
            looked: Time::ZERO,
            lenient_until: None,
            twin: None,
            own_assembly: Assembly::default(),
            orders: Vec::new(),
            next_order: 1,
            permits: BTreeMap::new(),
            wanted_permits: BTreeSet::new(),
            needed_permits: BTreeSet::new(),
            refused: BTreeSet::new(),
            counters: Counters::default(),
            outputs: VecDeque::new(),
            announcing: Vec::new(),
        }
    }

    /// Is this shard the node's own? O(log groups).
    ///
    /// Nothing may be sent for it past [`valid_until`](Self::valid_until) all the same.
    pub fn owns(&self, shard: Shard) -> bool {
        let tenure = self.tenures.get(&shard.group);
        tenure.is_some_and(|tenure| tenure.owned.contains(shard.index))
    }

    /// Until when answers may be sent for what is owned, this instant excluded, unless another beat
    /// leaves before; `None` while nothing may be owned.
    ///
    /// It moves on with every beat, so ask again after every round.
    pub fn valid_until(&self) -> Option<Time> {
        let settings = &self.me.as_ref()?.settings;
        if self.phase != Phase::Running {
            return None;
        }
        let proved = self.voice.proved().unwrap_or(Time::ZERO) + settings.timing.valid_for();
        Some(
            self.held_permits()
                .map(|(_, until)| until)
                .fold(proved, Time::min),
        )
    }

    /// Is anything owned?
    fn is_owner(&self) -> bool {
        self.tenures.values().any(|tenure| !tenure.owned.is_empty())
    }

    /// T, the time between two beats.
    fn interval(&self) -> Duration {
        self.me
            .as_ref()
            .map_or(Duration::ZERO, |me| me.settings.timing.interval())
    }

    /// D, the silence after which this node counts as dead.
    fn dead_after(&self) -> Duration {
        self.me
            .as_ref()
            .map_or(Duration::ZERO, |me| me.settings.timing.dead_after())
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn set_link(&mut self, up: bool, now: Time) {
        if up == self.is_up {
            return;
        }
        self.is_up = up;
        self.lose_all(&Why::LinkDown);
        if up {
            self.listen(now);
            return;
        }
        self.voice.stop();
        self.twin = None;
        self.had_peers = false;
        self.reception = None;
        self.phase = if self.has_left {
            Phase::Left
        } else {
            Phase::Idle
        };
        for node in self.roll.silence() {
            self.bury(node);
        }
    }

    /// R0: own nothing, and listen for D and a bit. Needs a configuration and a link.
    fn listen(&mut self, now: Time) {
        let Some(timing) = self.me.as_ref().map(|me| me.settings.timing) else {
            return;
        };
        if !self.is_up || self.has_left {
            return;
        }
        let jitter = self.random.between(Duration::ZERO, timing.interval());
        let until = now + timing.dead_after() + jitter;
        self.phase = Phase::Listening { until };
        self.event(Event::Listening);
        self.voice.start(now);
    }

    /// R4: others may have taken over what is owned here.
    fn fence(&mut self, now: Time) {
        if matches!(self.phase, Phase::Running | Phase::Listening { .. }) {
            self.counters.fenced += 1;
            self.lose_all(&Why::Fenced);
            self.listen(now);
        }
    }

    /// R4: too long since a beat left, so others may count this node as dead.
    fn fence_if_overdue(&mut self, now: Time) {
        let valid_for = self.me.as_ref().map(|me| me.settings.timing.valid_for());
        let (Phase::Running, Some(valid_for)) = (self.phase, valid_for) else {
            return;
        };
        if self.voice.proved().is_none_or(|at| at + valid_for <= now) {
            self.fence(now);
        }
        self.end_permits(now);
    }

    /// The time to listen is over: claim from now on, if what is claimed could be said.
    fn stop_listening(&mut self, until: Time, now: Time) {
        let valid_for = self
            .me
            .as_ref()
            .map_or(Duration::ZERO, |me| me.settings.timing.valid_for());
        if self.voice.proved().is_none_or(|at| at + valid_for <= now) {
            let until = now + self.interval();
            self.phase = Phase::Listening { until };
            return;
        }
        self.phase = Phase::Running;
        self.started = until;
        self.tenures.values_mut().for_each(Tenure::begin);
        self.is_dirty = true;
        self.rank_again();
        self.voice.tell(TELLINGS, now);
    }

    fn leave(&mut self, now: Time) {
        if self.has_left {
            return;
        }
        self.has_left = true;
        self.lose_all(&Why::Left);
        self.phase = Phase::Left;
        self.voice.tell(TELLINGS, now);
        self.report_drained();
    }

    fn drain(&mut self, drain: bool, now: Time) {
        if self.is_draining == drain {
            return;
        }
        self.is_draining = drain;
        self.is_drained = false;
        self.is_dirty = true;
        self.rank_again();
        self.voice.tell(TELLINGS, now);
    }

    /// Judges who is dead, unless the call came late and their beats may not be handed over yet.
    fn judge(&mut self, expected: Option<Time>, now: Time) {
        let is_late = expected.is_some_and(|at| at + self.interval() / 4 < now);
        // Not again right after: a caller that is always late must not keep the dead alive.
        let leniency = is_late.then(|| now + self.interval() / 8);
        self.lenient_until = self.lenient_until.or(leniency).filter(|until| now < *until);
        if self.lenient_until.is_some() {
            return;
        }
        let judgement = self.roll.judge(now);
        if judgement.lapsed || !judgement.dead.is_empty() {
            self.is_dirty = true;
            self.rank_again();
        }
        for node in judgement.dead {
            self.bury(node);
        }
    }

    /// A node is dead: what it claimed can be taken over.
    fn bury(&mut self, node: NodeKey) {
        self.bereave(node);
        if let Some(peer) = self.roll.peer(node) {
            self.event(Event::NodeDown(peer.id.clone()));
        }
    }

    /// What is known of a node's claims holds no more.
    fn bereave(&mut self, node: NodeKey) {
        let Some(peer) = self.roll.peer(node) else {
            return;
        };
        for tenure in self.tenures.values_mut() {
            if let Some(claims) = peer.claims(tenure.id, tenure.group.shards) {
                tenure.bereave(&claims, How::Takeover);
            }
        }
    }

    fn rank_again(&mut self) {
        for tenure in self.tenures.values_mut() {
            tenure.is_stale = true;
        }
    }

    /// After every call: act on what changed, and say so.
    fn settle(&mut self, now: Time) {
        self.decide(now);
        if self.voice.is_due(now) {
            self.beat(now);
        }
        // Whoever must yield hears the claim before the announcement, and does not answer that with
        // one of its own.
        for event in std::mem::take(&mut self.announcing) {
            // Of two others that claim it, one may have been the lower and one the higher.
            let is_over = matches!(event, Event::Reannounce { shard } if !self.owns(shard));
            if !is_over {
                self.event(event);
            }
        }
    }
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

impl crate::machine::Machine for Machine {
    type Input<'a> = Input<'a>;
    type Output = Output;

    fn handle_input(&mut self, input: Input<'_>, now: Time) {
        self.fence_if_overdue(now);
        match input {
            Input::Link { up } => self.set_link(up, now),
            Input::Configure(settings, groups) => self.configure(settings, groups, now),
            Input::Datagram {
                octets,
                hop_limit,
                received,
            } => self.hear(octets, hop_limit, received.min(now), now),
            Input::Reception(at) => self.receive(at.min(now), now),
            Input::Unsent => self.unsent(),
            Input::Fence => self.fence(now),
            Input::Drain(drain) => self.drain(drain, now),
            Input::Leave => self.leave(now),
            Input::Order { node, drain } => self.order(node, drain, now),
            Input::Permit { fence, until } => self.permit(fence, until, now),
        }
        self.settle(now);
    }

    fn handle_timeout(&mut self, now: Time) {
        let expected = self.poll_timeout();
        self.fence_if_overdue(now);
        self.judge(expected, now);
        if let Phase::Listening { until } = self.phase
            && until <= now
            && self.lenient_until.is_none()
        {
            self.stop_listening(until, now);
        }
        self.forget_twin(now);
        if self.voice.is_regular_due(now) {
            self.hand_back(now);
            self.give_up_orders(now);
            // Whether nodes that started together still count depends on the time alone, and so does
            // when a suspicion may be met again.
            self.is_dirty |= !self.starters.is_empty() || self.is_suspicious;
        }
        self.is_dirty |= self.settling().is_some_and(|at| at <= now);
        self.settle(now);
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Time> {
        if self.me.is_none() || !self.is_up {
            return None;
        }
        let listening = match self.phase {
            Phase::Listening { until } => Some(until),
            _ => None,
        };
        let twin = self
            .twin
            .as_ref()
            .map(|twin| twin.heard + self.dead_after());
        let judging = [listening, twin, self.roll.deadline()]
            .into_iter()
            .flatten()
            .min();
        let judging = judging.map(|at| self.lenient_until.map_or(at, |until| at.max(until)));
        [
            self.voice.deadline(),
            judging,
            self.valid_until(),
            self.settling(),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

/// So often a change is told within a few milliseconds: two lost datagrams cost nothing.
const TELLINGS: u8 = 3;

#[cfg(test)]
mod tests;
