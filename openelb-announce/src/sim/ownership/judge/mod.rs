//! The invariants, checked after every single event of a run.
//!
//! | | invariant |
//! |---|---|
//! | I1 | at most one of the nodes that must agree answers for an address, but for D + T after a change (and 10 s more where a node hears another that does not hear it, and was deaf) |
//! | I2 | within the bound after the last change each segment has an owner, if anybody in it may own |
//! | I3 | no frame speaks for an address 0.9 D or more after its sender's last beat, or once its sender has lost it |
//! | I4 | a client that could hear the owner's announcements, or must have because another gave way to it, sends to the owner |
//! | I5 | announcements and beats stay below their rates |
//! | I6 | once settled, a shard moves only from hand to hand, and once |

mod clients;
mod owners;
mod participant;
mod rates;
mod reach;

use super::scenario::{Fault, Scenario, letter};
use crate::ownership::{Event, How};
use crate::sim::trace::asserted;
use crate::sim::{Action, HostId, Network, Record, datagram};
use crate::time::Time;
use crate::wire::Mac;
use clients::Audience;
use owners::{Found, Owners};
use participant::{Participant, Process};
use rates::Rates;
use reach::{Reach, bit};
use std::fmt;
use std::time::Duration;

pub(super) use owners::Held;
pub(super) use reach::Change;

/// What a run must never show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Invariant {
    /// I1: two nodes that must agree both answer.
    OneOwner,
    /// I2: nobody answers.
    SomeOwner,
    /// I3: a frame after its time.
    Fenced,
    /// I4: a client sends elsewhere.
    Converged,
    /// I5: too many announcements or beats.
    Paced,
    /// I6: a shard moves without a cause.
    Settled,
}

/// An invariant that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// When it was noticed.
    pub at: Time,
    /// What was the case.
    pub what: String,
}

/// What a run came close to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Figures {
    /// The longest time for which two nodes that must agree both answered.
    pub longest_dual: Duration,
    /// The same as a share of what is allowed, in thousandths.
    pub dual_per_mille: u64,
    /// The longest time for which an address lacked an owner after the sudden end of its owner in a
    /// settled cluster, as a share of D + T, in thousandths.
    pub failover_per_mille: u64,
    /// How often ownership was acquired.
    pub acquisitions: u64,
    /// How many beats were sent.
    pub beats: u64,
}

impl Figures {
    /// The worse of two runs in each respect, and the sums of both.
    #[must_use]
    pub fn worst(self, other: Self) -> Self {
        Self {
            longest_dual: self.longest_dual.max(other.longest_dual),
            dual_per_mille: self.dual_per_mille.max(other.dual_per_mille),
            failover_per_mille: self.failover_per_mille.max(other.failover_per_mille),
            acquisitions: self.acquisitions + other.acquisitions,
            beats: self.beats + other.beats,
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "longest two answerers {:?} ({} per mille of the bound), longest failover {} per mille of the bound, {} \
             acquisitions, {} beats",
            self.longest_dual,
            self.dual_per_mille,
            self.failover_per_mille,
            self.acquisitions,
            self.beats
        )
    }
}

/// Who watches a run.
#[derive(Debug)]
pub(super) struct Judge {
    bounds: Bounds,
    interval: Duration,
    nodes: Vec<Participant>,
    is_lossy: bool,
    /// Does somebody hear another one that does not hear it?
    is_lopsided: bool,
    reach: Reach,
    owners: Owners,
    rates: Rates,
    audience: Audience,
    figures: Figures,
    /// The present instant, and how much happened in it so far.
    instant: (Time, u32),
    violation: Option<Violation>,
}

/// How long what may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// D + T, by the slowest clock.
    detect: Duration,
    /// From a change to an owner where nobody has to listen first.
    quick: Duration,
    /// The same where everybody may have to.
    slow: Duration,
    /// How long a planned move may leave an address without an owner.
    planned: Duration,
    /// 0.9 D, by the sender's own clock.
    validity: Duration,
}

impl Bounds {
    fn of(scenario: &Scenario) -> Self {
        let timing = scenario.profile.timing();
        let slowest = |span: Duration| span * 106 / 100;
        let detect = slowest(timing.dead_after() + timing.interval());
        let margin = 4 * scenario.delay() + Duration::from_millis(1);
        Self {
            detect,
            quick: detect + margin,
            // A listening time, a detection and the probes of a cold start.
            slow: 2 * detect + slowest(timing.interval()) + PROBING + margin,
            planned: margin + PLANNED,
            validity: timing.dead_after() * 9 / 10,
        }
    }
}

impl Judge {
    pub(super) fn new(scenario: &Scenario, hosts: &[(HostId, Mac)], held: &[Held]) -> Self {
        let window = scenario.profile.timing().dead_after() * 106 / 100 + scenario.delay();
        let nodes = hosts.iter().zip(&scenario.nodes);
        let participants = nodes.map(|((host, mac), node)| Participant::new(*host, *mac, node));
        Self {
            bounds: Bounds::of(scenario),
            interval: scenario.profile.timing().interval(),
            nodes: participants.collect(),
            is_lossy: false,
            is_lopsided: false,
            reach: Reach::new(hosts.len(), window),
            owners: Owners::new(held),
            rates: Rates::default(),
            audience: Audience::default(),
            figures: Figures::default(),
            instant: (Time::ZERO, 0),
            violation: None,
        }
    }

    pub(super) const fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    pub(super) const fn figures(&self) -> Figures {
        self.figures
    }

    /// Nothing happened until `now`: judges the state that held until then.
    pub(super) fn advance(&mut self, now: Time) -> Vec<Change> {
        let before = if self.instant.0 == now {
            self.instant.1
        } else {
            0
        };
        self.instant = (now, before + 1);
        if before > MOST_AT_ONCE {
            self.blame(
                now,
                Some((Invariant::Paced, "time stands still".to_owned())),
            );
        }
        let silent = self.reach.advance(now);
        for change in &silent {
            self.reach_changed(change.at);
        }
        let bounds = self.bounds();
        let found = self
            .owners
            .judge(now, &self.reach, &self.nodes, &bounds, &mut self.figures);
        self.blame(now, found);
        silent
    }

    /// Something is done to the cluster. To be told before it is done.
    pub(super) fn fault(&mut self, fault: Fault, now: Time) {
        let (bound, is_sudden) = match fault {
            Fault::Pause(_) | Fault::Stop(_) | Fault::Link { up: false, .. } => {
                (self.bounds.quick, true)
            }
            Fault::Split(_)
            | Fault::Drain(..)
            | Fault::Leave(_)
            | Fault::Exclude { .. }
            | Fault::Weigh(..)
            | Fault::Forget => (self.bounds.quick, false),
            _ => (self.bounds.slow, false),
        };
        // Who was deaf counts as that for ten seconds more where hearing works one way only.
        self.is_lopsided = match fault {
            Fault::Cut { .. } => true,
            Fault::Heal => false,
            _ => self.is_lopsided,
        };
        let bound = if self.is_lopsided {
            bound + DEAFNESS
        } else {
            bound
        };
        self.owners.disturb(now, bound, is_sudden);
        if self.is_lopsided {
            self.owners.reach_changed(now + DEAFNESS);
        }
        self.audience.disturb(fault, now);
        self.note(fault);
    }

    /// A record of the network's trace.
    pub(super) fn observe(&mut self, record: &Record, network: &Network) -> Option<Change> {
        let node = self
            .nodes
            .iter()
            .position(|node| node.host == record.host)?;
        match &record.action {
            Action::Sent(frame) if datagram::is_beat(frame) => {
                self.sent_beat(node, record.at, network);
            }
            Action::Sent(frame) => self.sent(node, frame, record.at, network),
            Action::Heard(mac) => {
                let speaker = self.nodes.iter().position(|node| node.mac == *mac)?;
                let change = self.reach.hear(node, speaker, record.at)?;
                self.reach_changed(record.at);
                return Some(change);
            }
            Action::Owned(event) => self.owned(node, event, record.at, network),
            Action::Reported(_) => self.refresh(network),
            _ => {}
        }
        None
    }

    /// The run is over.
    pub(super) fn finish(&mut self, now: Time) {
        let held: Vec<_> = self.owners.held().copied().collect();
        let shard_of = |address| {
            held.iter()
                .find(|held| held.address == address)
                .map(|held| held.shard)
        };
        let found = self.rates.judge(now - Time::ZERO, self.interval, shard_of);
        self.blame(now, found);
    }

    /// Looks who answers for what now.
    pub(super) fn refresh(&mut self, network: &Network) {
        let nodes = &self.nodes;
        self.owners.refresh(
            network.now(),
            self.bounds.detect,
            &mut self.figures,
            |address| {
                let answering = nodes
                    .iter()
                    .enumerate()
                    .filter(|(_, node)| network.answers(node.host, address));
                answering.fold(0, |all, (node, _)| all | bit(node))
            },
        );
    }

    fn reach_changed(&mut self, at: Time) {
        self.owners.reach_changed(at);
        // Without loss every change has a cause that the judge was told of.
        if self.is_lossy {
            self.owners.disturb(at, self.bounds.slow, false);
        }
    }

    /// While frames get lost, all tellings of a planned move may be among them: then it is no faster
    /// than a detection.
    fn bounds(&self) -> Bounds {
        let planned = if self.is_lossy {
            self.bounds.detect
        } else {
            self.bounds.planned
        };
        Bounds {
            planned,
            ..self.bounds
        }
    }

    fn note(&mut self, fault: Fault) {
        match fault {
            Fault::Loss(per_mille) => self.is_lossy = per_mille > 0,
            Fault::Start(node) => self.change(node, |node| node.process = Process::Runs),
            Fault::Pause(node) => self.change(node, |node| node.process.freeze()),
            Fault::Resume(node) => self.change(node, |node| node.process.thaw()),
            Fault::Stop(node) => {
                self.reach.forget(node);
                self.change(node, |node| node.end(Process::Stopped));
            }
            Fault::Restart { node, .. } => {
                self.reach.forget(node);
                self.change(node, |node| {
                    node.end(Process::Runs);
                    (node.has_left, node.last_beat) = (false, None);
                });
            }
            Fault::Link { node, up } => self.change(node, |node| node.is_up = up),
            Fault::Deaf(node, is) => self.change(node, |node| node.is_deaf = is),
            Fault::Mute(node, is) => self.change(node, |node| node.is_mute = is),
            Fault::Leave(node) => self.change(node, |node| node.has_left = true),
            Fault::Exclude {
                node,
                group,
                is_excluded,
            } => self.change(node, |node| {
                let group = bit(group);
                node.excluded = if is_excluded {
                    node.excluded | group
                } else {
                    node.excluded & !group
                };
            }),
            _ => {}
        }
    }

    fn change(&mut self, node: usize, change: impl FnOnce(&mut Participant)) {
        if let Some(node) = self.nodes.get_mut(node) {
            change(node);
        }
    }

    fn sent_beat(&mut self, node: usize, at: Time, network: &Network) {
        self.figures.beats += 1;
        self.rates.beat(node);
        self.change(node, |node| {
            node.last_beat = Some(network.local_time(node.host, at));
        });
    }

    /// A node sends a frame: it may speak only for addresses that it owns, and only while its last
    /// beat is recent.
    fn sent(&mut self, node: usize, frame: &[u8], at: Time, network: &Network) {
        let Some((destination, address)) = asserted(frame) else {
            return;
        };
        if destination.is_group() {
            self.rates.announced(node, address);
            self.audience.announced(node, address, at);
        }
        let Some(sender) = self.nodes.get(node) else {
            return;
        };
        let local = network.local_time(sender.host, at);
        if sender
            .last_beat
            .is_none_or(|beat| local >= beat + self.bounds.validity)
        {
            let name = letter(node);
            let what = format!(
                "{name} speaks for {address} at its {local}, its last beat was at {:?}",
                sender.last_beat
            );
            return self.blame(at, Some((Invariant::Fenced, what)));
        }
        let shard = self.owners.held().find(|held| held.address == address);
        if shard.is_some_and(|held| !sender.owned.contains(&held.shard)) {
            let what = format!(
                "{} speaks for {address}, which it does not own",
                letter(node)
            );
            self.blame(at, Some((Invariant::Fenced, what)));
        }
    }

    fn owned(&mut self, node: usize, event: &Event, now: Time, network: &Network) {
        self.rates.changed(node);
        match event {
            Event::Acquired { shard, how, .. } => {
                self.figures.acquisitions += 1;
                self.rates.allow(node, *shard);
                self.change(node, |node| {
                    node.owned.insert(*shard);
                });
                if *how == How::Cold {
                    self.rates.probes(*shard);
                }
                // Where frames get lost, a row of beats may be among them.
                if !self.is_lossy {
                    let found = self.owners.acquired(*shard, *how, now, self.nodes.len());
                    self.blame(now, found);
                }
            }
            Event::Lost { shard, .. } => self.change(node, |node| {
                node.owned.remove(shard);
            }),
            Event::Reannounce { shard } => self.rates.allow(node, *shard),
            _ => {}
        }
        self.refresh(network);
    }

    fn blame(&mut self, at: Time, found: Found) {
        if let Some((invariant, what)) = found
            && self.violation.is_none()
        {
            self.violation = Some(Violation {
                invariant,
                at,
                what,
            });
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}: {}", self.at, self.invariant, self.what)
    }
}

/// For how long a node that said it was deaf counts as that unless it hears the one that judges.
const DEAFNESS: Duration = Duration::from_secs(10);
/// What a planned move may take: the new owner's beat may follow its last one after 2 ms only.
const PLANNED: Duration = Duration::from_millis(4);
/// Three probes of the fast kind, and the time to listen after the last.
const PROBING: Duration = Duration::from_millis(150);
/// Events in one instant; a machine that asks to be woken at once for ever has more.
const MOST_AT_ONCE: u32 = 10_000;
