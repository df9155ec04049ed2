//! A segment made of a queue: every datagram reaches every other node whose link is not cut.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::machine::Machine as _;
use crate::ownership::{
    Event, Group, GroupName, Input, Key, KeyRing, Machine, NodeId, Output, Settings, Shard,
    Standing,
};
use crate::random::Random;
use crate::time::Time;

pub(super) const SHARDS: u16 = 32;
/// The same, as a number of things that were counted.
pub(super) const ALL: usize = 32;
/// D and T of the normal profile.
pub(super) const DEAD: Duration = Duration::from_secs(1);
pub(super) const INTERVAL: Duration = Duration::from_millis(333);

pub(super) fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(super) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) fn name(number: usize) -> NodeId {
    NodeId::new(&format!("node-{number}")).unwrap()
}

pub(super) fn keys() -> KeyRing {
    KeyRing::new(Key::new(&[7; 32]).unwrap(), [])
}

pub(super) fn settings(number: usize, boot: u64) -> Settings {
    Settings::new(name(number), boot, keys())
}

pub(super) fn group(standing: Standing) -> Group {
    Group {
        name: GroupName::default(),
        shards: SHARDS,
        standing,
    }
}

pub(super) fn shard(index: u16) -> Shard {
    Shard {
        group: GroupName::default().id(),
        index,
    }
}

/// One node on the bus.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) machine: Machine,
    pub(super) settings: Settings,
    pub(super) groups: Vec<Group>,
    pub(super) events: Vec<Event>,
    /// Neither told of time nor of datagrams.
    pub(super) is_frozen: bool,
    /// Does nothing at all any more.
    pub(super) is_dead: bool,
    waiting: Vec<(Arc<[u8]>, Time)>,
}

/// Nodes and what flies between them.
#[derive(Debug)]
pub(super) struct Bus {
    pub(super) now: Time,
    pub(super) nodes: Vec<Node>,
    /// (from, to) of links that carry nothing.
    pub(super) cut: BTreeSet<(usize, usize)>,
    /// Datagrams lost in a thousand.
    pub(super) loss: u16,
    /// Every datagram arrives twice, the second time late.
    pub(super) doubles: bool,
    pub(super) sent: u64,
    random: Random,
    // When, for whom, what.
    flying: Vec<(Time, usize, Arc<[u8]>)>,
}

impl Bus {
    /// This many nodes, all started at the same instant.
    pub(super) fn new(count: usize, seed: u64) -> Self {
        let mut bus = Self {
            now: Time::ZERO + seconds(1),
            nodes: Vec::new(),
            cut: BTreeSet::new(),
            loss: 0,
            doubles: false,
            sent: 0,
            random: Random::new(seed),
            flying: Vec::new(),
        };
        for number in 0..count {
            bus.join(settings(number, 1), vec![group(Standing::default())]);
        }
        bus
    }

    /// This many nodes that have shared the shards already.
    pub(super) fn settled(count: usize) -> Self {
        let mut bus = Self::new(count, 1);
        bus.run(seconds(3));
        bus.check_owners();
        bus.forget();
        bus
    }

    /// Another node starts.
    pub(super) fn join(&mut self, settings: Settings, groups: Vec<Group>) -> usize {
        let mut node = Node {
            machine: Machine::new(),
            settings,
            groups,
            events: Vec::new(),
            is_frozen: false,
            is_dead: false,
            waiting: Vec::new(),
        };
        node.machine
            .handle_input(Input::Configure(&node.settings, &node.groups), self.now);
        node.machine
            .handle_input(Input::Link { up: true }, self.now);
        self.nodes.push(node);
        let place = self.nodes.len() - 1;
        self.collect(place);
        place
    }

    /// A node dies and starts again at once.
    pub(super) fn restart(&mut self, place: usize, boot: u64) {
        let node = &mut self.nodes[place];
        node.settings.boot = boot;
        node.machine = Machine::new();
        node.waiting.clear();
        node.is_dead = false;
        node.machine
            .handle_input(Input::Configure(&node.settings, &node.groups), self.now);
        node.machine
            .handle_input(Input::Link { up: true }, self.now);
        self.collect(place);
    }

    pub(super) fn input(&mut self, place: usize, input: Input<'_>) {
        self.nodes[place].machine.handle_input(input, self.now);
        self.collect(place);
    }

    pub(super) fn standing(&mut self, place: usize, standing: Standing) {
        let node = &mut self.nodes[place];
        node.groups[0].standing = standing;
        node.machine
            .handle_input(Input::Configure(&node.settings, &node.groups), self.now);
        self.collect(place);
    }

    /// The process is frozen, or goes on: then it is told what waited, and how late it is.
    pub(super) fn freeze(&mut self, place: usize, is_frozen: bool) {
        self.nodes[place].is_frozen = is_frozen;
        if !is_frozen {
            self.nodes[place].machine.handle_timeout(self.now);
            self.collect(place);
            for (octets, received) in std::mem::take(&mut self.nodes[place].waiting) {
                self.input(
                    place,
                    Input::Datagram {
                        octets: &octets,
                        hop_limit: 255,
                        received,
                    },
                );
            }
        }
    }

    /// Cuts the links between two sides, both ways, or mends everything.
    pub(super) fn split(&mut self, sides: Option<fn(usize) -> bool>) {
        self.cut.clear();
        let Some(is_left) = sides else { return };
        let count = self.nodes.len();
        let pairs = (0..count).flat_map(|from| (0..count).map(move |to| (from, to)));
        self.cut
            .extend(pairs.filter(|(from, to)| is_left(*from) != is_left(*to)));
    }

    pub(super) fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while self.step(end) {}
        self.now = end;
    }

    /// Runs until a condition holds; returns how long that took, and fails after ten seconds.
    pub(super) fn run_until(&mut self, is_done: impl Fn(&Self) -> bool) -> Duration {
        let start = self.now;
        let end = start + seconds(10);
        while !is_done(self) {
            assert!(
                self.step(end),
                "it does not come about: {:#?}",
                self.owners()
            );
        }
        self.now - start
    }

    /// The next thing that happens before `end`.
    fn step(&mut self, end: Time) -> bool {
        let flying = self.flying.iter().enumerate().min_by_key(|(_, it)| it.0);
        let flying = flying.map(|(place, it)| (it.0, place));
        let wakes = self
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| !node.is_frozen && !node.is_dead);
        let wakes = wakes.filter_map(|(place, node)| Some((node.machine.poll_timeout()?, place)));
        let wake = wakes.min();
        let next = flying.iter().chain(&wake).map(|it| it.0).min();
        let Some(next) = next.filter(|next| *next <= end) else {
            return false;
        };
        self.now = self.now.max(next);
        if let Some((at, place)) = flying.filter(|(at, _)| *at <= next) {
            let (_, to, octets) = self.flying.remove(place);
            let node = &mut self.nodes[to];
            if node.is_frozen {
                node.waiting.push((octets, at));
            } else if !node.is_dead {
                self.input(
                    to,
                    Input::Datagram {
                        octets: &octets,
                        hop_limit: 255,
                        received: at,
                    },
                );
            }
        } else if let Some((_, place)) = wake {
            self.nodes[place].machine.handle_timeout(self.now);
            let next = self.nodes[place].machine.poll_timeout();
            assert!(
                next.is_none_or(|next| next > self.now),
                "it asks to be woken for ever"
            );
            self.collect(place);
        }
        true
    }

    fn collect(&mut self, from: usize) {
        while let Some(output) = self.nodes[from].machine.poll_output() {
            match output {
                Output::Event(event) => self.nodes[from].events.push(event),
                Output::Transmit(octets) => self.transmit(from, &octets),
                Output::WantPermit(_) | Output::ReleasePermit(_) => {}
            }
        }
    }

    fn transmit(&mut self, from: usize, octets: &Arc<[u8]>) {
        self.sent += 1;
        for to in (0..self.nodes.len()).filter(|to| *to != from) {
            if self.cut.contains(&(from, to)) || self.random.chance(self.loss) {
                continue;
            }
            let delay = Duration::from_micros(50 + self.random.below(100));
            self.flying.push((self.now + delay, to, Arc::clone(octets)));
            if self.doubles {
                let delay = delay + Duration::from_micros(self.random.below(50_000));
                self.flying.push((self.now + delay, to, Arc::clone(octets)));
            }
        }
    }

    /// Who may answer for what is in this shard now.
    pub(super) fn answerers(&self, index: u16) -> Vec<usize> {
        let answers = |node: &Node| {
            let is_valid = node
                .machine
                .valid_until()
                .is_some_and(|until| self.now < until);
            !node.is_dead && is_valid && node.machine.owns(shard(index))
        };
        let nodes = self.nodes.iter().enumerate();
        nodes
            .filter(|(_, node)| answers(node))
            .map(|(place, _)| place)
            .collect()
    }

    pub(super) fn owners(&self) -> Vec<Vec<usize>> {
        (0..SHARDS).map(|index| self.answerers(index)).collect()
    }

    /// How many shards a node may answer for.
    pub(super) fn count(&self, place: usize) -> usize {
        self.owners()
            .iter()
            .filter(|owners| owners.contains(&place))
            .count()
    }

    /// Does every shard have exactly one owner?
    pub(super) fn is_settled(&self) -> bool {
        self.owners().iter().all(|owners| owners.len() == 1)
    }

    pub(super) fn check_owners(&self) {
        assert!(self.is_settled(), "owners: {:?}", self.owners());
    }

    pub(super) fn forget(&mut self) {
        self.nodes.iter_mut().for_each(|node| node.events.clear());
        self.sent = 0;
    }

    pub(super) fn events(&self, place: usize) -> &[Event] {
        &self.nodes[place].events
    }

    /// A datagram that a node would send now, without sending it.
    pub(super) fn overheard(&mut self, from: usize) -> Arc<[u8]> {
        loop {
            let node = &mut self.nodes[from];
            let at = node.machine.poll_timeout().unwrap();
            self.run(at - self.now);
            if let Some((_, _, octets)) = self.flying.last() {
                return Arc::clone(octets);
            }
        }
    }
}
