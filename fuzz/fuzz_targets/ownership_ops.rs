//! Any operations on three nodes of a segment and on the beats between them: what a machine says it
//! owns is what its events add up to, nothing is owned past its time, every machine comes to rest,
//! and when they are left alone every shard gets exactly one owner.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use openelb_announce::ownership::{
    Event, Group, GroupName, Input, Key, KeyRing, Machine, NodeId, Output, Profile, Settings, Shard,
    Standing,
};
use openelb_announce::{Machine as _, Time};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// One thing that happens. Nodes are numbers below three.
#[derive(Arbitrary, Clone, Debug)]
enum Op {
    /// The oldest datagram for the node arrives, is lost, is overtaken, or arrives and stays.
    Deliver { to: u8, age_millis: u16, hop_limit: bool },
    Lose { to: u8 },
    Delay { to: u8 },
    Double { to: u8 },
    /// Octets of somebody else arrive.
    Forge { to: u8, octets: Vec<u8> },
    /// Other settings or standing.
    Standing { node: u8, weight: u16, preference: u8 },
    Timing { node: u8, profile: u8 },
    Shards { node: u8, shards: u8 },
    Restart { node: u8, boot: u8 },
    /// Commands and observations.
    Link { node: u8, up: bool },
    Drain { node: u8, drain: bool },
    Order { node: u8, to: u8, drain: bool },
    Fence { node: u8 },
    Unsent { node: u8 },
    Reception { node: u8 },
    Permit { node: u8, fence: u8, millis: Option<u16> },
    /// Time passes; machines are woken and datagrams arrive, or only time passes.
    Run { millis: u16 },
    Stall { millis: u16 },
}

#[derive(Debug)]
struct Node {
    machine: Machine,
    settings: Settings,
    group: Group,
    owned: BTreeSet<Shard>,
    waiting: VecDeque<(Arc<[u8]>, Time)>,
}

struct Segment {
    nodes: Vec<Node>,
    now: Time,
}

fuzz_target!(|ops: Vec<Op>| {
    let mut segment = Segment { nodes: Vec::new(), now: Time::ZERO + Duration::from_secs(100) };
    segment.nodes = (0..3).map(|number| Node::new(number, segment.now)).collect();
    for op in ops.into_iter().take(200) {
        segment.apply(op);
    }
    segment.agree();
});

impl Node {
    fn new(number: usize, now: Time) -> Self {
        let name = NodeId::new(&format!("node-{number}")).expect("it is short and plain");
        let key = Key::new(&[7; 32]).expect("it is long enough");
        let settings = Settings::new(name, 100, KeyRing::new(key, []));
        let group = Group { name: GroupName::default(), shards: 8, standing: Standing::default() };
        let waiting = VecDeque::new();
        let mut node = Self { machine: Machine::new(), settings, group, owned: BTreeSet::new(), waiting };
        node.configure(now);
        node.input(Input::Link { up: true }, now);
        node
    }

    fn configure(&mut self, now: Time) {
        let groups = [self.group.clone()];
        self.machine.handle_input(Input::Configure(&self.settings, &groups), now);
    }

    fn input(&mut self, input: Input<'_>, now: Time) {
        self.machine.handle_input(input, now);
    }
}

impl Segment {
    fn apply(&mut self, op: Op) {
        let now = self.now;
        match op {
            Op::Deliver { to, age_millis, hop_limit } => {
                let age = Duration::from_millis(u64::from(age_millis % 2000));
                let hop_limit = if hop_limit { 255 } else { 64 };
                if let Some((octets, _)) = self.node(to).waiting.pop_front() {
                    let datagram = Input::Datagram { octets: &octets, hop_limit, received: now - age };
                    self.input(to, datagram);
                }
            }
            Op::Lose { to } => drop(self.node(to).waiting.pop_front()),
            Op::Delay { to } => {
                let first = self.node(to).waiting.pop_front();
                self.node(to).waiting.extend(first);
            }
            Op::Double { to } => {
                if let Some((octets, received)) = self.node(to).waiting.front().cloned() {
                    self.input(to, Input::Datagram { octets: &octets, hop_limit: 255, received });
                }
            }
            Op::Forge { to, octets } => {
                self.input(to, Input::Datagram { octets: &octets, hop_limit: 255, received: now });
            }
            Op::Standing { node, weight, preference } => {
                self.node(node).group.standing = match weight % 1001 {
                    0 => Standing::Excluded,
                    weight => Standing::Eligible { weight, preference },
                };
                self.configure(node);
            }
            Op::Timing { node, profile } => {
                let profiles = [Profile::Calm, Profile::Normal, Profile::Fast];
                let profile = profiles[usize::from(profile) % 3];
                self.node(node).settings.timing = profile.timing();
                self.configure(node);
            }
            Op::Shards { node, shards } => {
                self.node(node).group.shards = u16::from(shards % 16) + 1;
                self.configure(node);
            }
            Op::Restart { node, boot } => {
                let node = self.node(node);
                node.settings.boot = u64::from(boot) + 1;
                node.machine = Machine::new();
                node.owned.clear();
                node.configure(now);
                node.input(Input::Link { up: true }, now);
            }
            Op::Link { node, up } => self.input(node, Input::Link { up }),
            Op::Drain { node, drain } => self.input(node, Input::Drain(drain)),
            Op::Order { node, to, drain } => {
                let to = self.node(to).settings.node.clone();
                self.input(node, Input::Order { node: &to, drain });
            }
            Op::Fence { node } => self.input(node, Input::Fence),
            Op::Unsent { node } => self.input(node, Input::Unsent),
            Op::Reception { node } => self.input(node, Input::Reception(now)),
            Op::Permit { node, fence, millis } => {
                let until = millis.map(|millis| now + Duration::from_millis(millis.into()));
                self.input(node, Input::Permit { fence: u16::from(fence % 4), until });
            }
            Op::Run { millis } => self.run(Duration::from_millis(millis.into())),
            Op::Stall { millis } => self.now += Duration::from_millis(millis.into()),
        }
        self.collect();
    }

    fn node(&mut self, number: u8) -> &mut Node {
        &mut self.nodes[usize::from(number) % 3]
    }

    fn input(&mut self, node: u8, input: Input<'_>) {
        let now = self.now;
        self.node(node).input(input, now);
    }

    fn configure(&mut self, node: u8) {
        let now = self.now;
        self.node(node).configure(now);
    }

    fn run(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            for to in 0..3 {
                while let Some((octets, received)) = self.nodes[to].waiting.pop_front() {
                    let datagram = Input::Datagram { octets: &octets, hop_limit: 255, received };
                    self.nodes[to].input(datagram, self.now);
                }
            }
            self.collect();
            if self.nodes.iter().any(|node| !node.waiting.is_empty()) {
                // What they say to each other at one instant arrives a little later.
                self.now += Duration::from_micros(50);
                continue;
            }
            let wakes = self.nodes.iter().filter_map(|node| node.machine.poll_timeout());
            let Some(next) = wakes.min().filter(|at| *at <= end) else {
                break;
            };
            self.now = self.now.max(next);
            for node in &mut self.nodes {
                node.machine.handle_timeout(self.now);
                let next = node.machine.poll_timeout();
                assert!(next.is_none_or(|next| next > self.now), "it comes to rest");
            }
            self.collect();
        }
        self.now = self.now.max(end);
    }

    fn collect(&mut self) {
        for from in 0..3 {
            while let Some(output) = self.nodes[from].machine.poll_output() {
                match output {
                    Output::Transmit(octets) => {
                        for to in (0..3).filter(|to| *to != from) {
                            let queue = &mut self.nodes[to].waiting;
                            queue.push_back((Arc::clone(&octets), self.now));
                            queue.truncate(200);
                        }
                    }
                    Output::Event(event) => self.nodes[from].follow(&event),
                    Output::WantPermit(_) | Output::ReleasePermit(_) => {}
                }
            }
            self.nodes[from].check();
        }
    }

    /// Left alone with the same settings, they find one owner for every shard.
    fn agree(&mut self) {
        let now = self.now;
        for node in &mut self.nodes {
            node.group.standing = Standing::default();
            node.group.shards = 8;
            node.settings.timing = Profile::Normal.timing();
            node.waiting.clear();
            node.configure(now);
            node.input(Input::Link { up: true }, now);
        }
        self.collect();
        // D of the slowest profile for what was heard before, then twice D and T to listen and settle.
        self.run(Duration::from_secs(8));
        let group = GroupName::default().id();
        for index in 0..8 {
            let shard = Shard { group, index };
            let owners = self.nodes.iter().filter(|node| node.machine.owns(shard)).count();
            assert_eq!(owners, 1, "{shard}: {:#?}", self.nodes);
        }
    }
}

impl Node {
    fn follow(&mut self, event: &Event) {
        match event {
            Event::Acquired { shard, .. } => assert!(self.owned.insert(*shard), "acquired twice"),
            Event::Lost { shard, .. } => assert!(self.owned.remove(shard), "lost without having"),
            Event::Reannounce { shard } => assert!(self.owned.contains(shard)),
            _ => {}
        }
    }

    fn check(&self) {
        assert!(self.owned.iter().all(|shard| self.machine.owns(*shard)));
        assert!(self.owned.is_empty() || self.machine.valid_until().is_some());
        let owners = self.machine.status(Time::ZERO).groups.into_iter();
        let counted = owners.filter_map(|group| group.owners.get(&self.settings.node).copied());
        assert_eq!(counted.sum::<usize>(), self.owned.len());
    }
}
