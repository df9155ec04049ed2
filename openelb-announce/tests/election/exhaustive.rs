//! Every history of two and of three real machines in which so many things go wrong, step by step.
//!
//! A step is half a beat interval. In each, all may be well, or one thing is wrong: beats of one node
//! do not reach another, or nobody; a node is frozen or runs on; a process starts anew. States that
//! are equal at the same instant are explored once; what a machine remembers is compared by its debug
//! text. From every state that is left in the end, all goes well for as long as the bound says.

use openelb_announce::ownership::{
    Group, GroupName, Input, KeyRing, Machine, NodeId, Output, Profile,
};
use openelb_announce::ownership::{Settings, Shard, Standing};
use openelb_announce::{Machine as _, Time};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

#[test]
fn two_nodes_agree_on_one_owner_in_every_history_with_few_faults() {
    let explored = explore(2, 14, crate::number("OPENELB_FAULTS").unwrap_or(2));
    println!("2 nodes: {explored} states");
}

#[test]
fn three_nodes_agree_on_one_owner_in_every_history_with_few_faults() {
    let explored = explore(3, 12, crate::number("OPENELB_FAULTS").unwrap_or(1));
    println!("3 nodes: {explored} states");
}

/// What is wrong in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Nothing,
    /// Beats of the first do not reach the second.
    Lost(usize, usize),
    /// The node neither hears nor is heard.
    Alone(usize),
    /// A running node is frozen, a frozen one runs on.
    Frozen(usize),
    /// A process dies, and a new one is there at once.
    Restarted(usize),
}

#[derive(Clone)]
struct World {
    now: Time,
    nodes: Vec<Node>,
    /// Since when two nodes own the shard.
    dual_since: Option<Time>,
    /// Until when anything was wrong.
    wrong_until: Time,
    left: u64,
    history: Vec<Wrong>,
}

#[derive(Clone)]
struct Node {
    machine: Machine,
    boot: u64,
    frozen_at: Option<Time>,
    /// What arrived while it was frozen.
    queue: Vec<(Time, Arc<[u8]>)>,
}

/// Explores all, and says how many states there were.
fn explore(nodes: usize, steps: usize, faults: u64) -> usize {
    let mut level = vec![World::settled(nodes, faults)];
    let mut explored = 0;
    for _ in 0..steps {
        let mut next = BTreeMap::new();
        for world in &level {
            for wrong in world.choices() {
                let mut world = world.clone();
                world.step(wrong);
                next.entry(world.digest()).or_insert(world);
            }
        }
        explored += next.len();
        level = next.into_values().collect();
    }
    for mut world in level {
        world.thaw_all();
        let end = world.now + BOUND;
        while world.now < end {
            world.step(Wrong::Nothing);
        }
        assert_eq!(world.owners().len(), 1, "after {:?}", world.history);
    }
    explored
}

impl World {
    /// Nodes that started together and have agreed.
    fn settled(nodes: usize, left: u64) -> Self {
        let node = |number: usize| {
            let mut node = Node {
                machine: Machine::new(),
                boot: 1_000_000,
                frozen_at: None,
                queue: Vec::new(),
            };
            node.start(number, Time::ZERO);
            node
        };
        let mut world = Self {
            now: Time::ZERO,
            nodes: (0..nodes).map(node).collect(),
            dual_since: None,
            wrong_until: Time::ZERO,
            left,
            history: Vec::new(),
        };
        while world.now < Time::ZERO + BOUND {
            world.step(Wrong::Nothing);
        }
        assert_eq!(world.owners().len(), 1);
        world.history.clear();
        world
    }

    fn choices(&self) -> Vec<Wrong> {
        let mut choices = vec![Wrong::Nothing];
        if self.left == 0 {
            return choices;
        }
        let all = 0..self.nodes.len();
        for node in all.clone() {
            choices.extend([
                Wrong::Alone(node),
                Wrong::Frozen(node),
                Wrong::Restarted(node),
            ]);
            let others = all.clone().filter(|other| *other != node);
            choices.extend(others.map(|other| Wrong::Lost(node, other)));
        }
        choices
    }

    fn step(&mut self, wrong: Wrong) {
        self.history.push(wrong);
        if wrong != Wrong::Nothing {
            self.left -= 1;
            self.wrong_until = self.now + STEP;
        }
        match wrong {
            Wrong::Frozen(node) if self.nodes[node].frozen_at.is_none() => {
                self.nodes[node].frozen_at = Some(self.now);
            }
            Wrong::Frozen(node) => self.thaw(node, wrong),
            Wrong::Restarted(node) => {
                let now = self.now;
                let restarted = &mut self.nodes[node];
                restarted.boot += 1_000_000;
                (restarted.machine, restarted.frozen_at) = (Machine::new(), None);
                restarted.queue.clear();
                restarted.start(node, now);
                self.carry(node, wrong);
            }
            _ => {}
        }
        let end = self.now + STEP;
        while let Some((at, node)) = self.next_wake().filter(|(at, _)| *at <= end) {
            self.now = self.now.max(at);
            self.nodes[node].machine.handle_timeout(self.now);
            self.carry(node, wrong);
        }
        self.now = end;
        self.judge();
    }

    fn next_wake(&self) -> Option<(Time, usize)> {
        let awake = self
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| node.frozen_at.is_none());
        awake
            .filter_map(|(number, node)| Some((node.machine.poll_timeout()?, number)))
            .min()
    }

    /// A frozen node runs on; its driver notices if that was for long, and hands over what waited.
    fn thaw(&mut self, node: usize, wrong: Wrong) {
        let now = self.now;
        let Some(since) = self.nodes[node].frozen_at.take() else {
            return;
        };
        if now - since > TIMING_DEAD_AFTER * 9 / 10 {
            self.nodes[node].machine.handle_input(Input::Fence, now);
            self.carry(node, wrong);
            assert!(
                !self.owns(node),
                "owns right after a long freeze: {:?}",
                self.history
            );
        }
        for (received, octets) in std::mem::take(&mut self.nodes[node].queue) {
            self.nodes[node].hear(&octets, received, now);
            self.carry(node, wrong);
        }
    }

    fn thaw_all(&mut self) {
        for node in 0..self.nodes.len() {
            self.thaw(node, Wrong::Nothing);
        }
        self.wrong_until = self.now;
    }

    /// Carries the beats of a node to all that they reach; they answer at once if they do.
    fn carry(&mut self, node: usize, wrong: Wrong) {
        let now = self.now;
        while let Some(output) = self.nodes[node].machine.poll_output() {
            let Output::Transmit(octets) = output else {
                continue;
            };
            for other in (0..self.nodes.len()).filter(|other| *other != node) {
                let is_lost = wrong == Wrong::Lost(node, other)
                    || matches!(wrong, Wrong::Alone(alone) if alone == node || alone == other);
                if is_lost {
                    continue;
                }
                if self.nodes[other].frozen_at.is_some() {
                    self.nodes[other].queue.push((now, octets.clone()));
                } else {
                    self.nodes[other].hear(&octets, now, now);
                    self.carry(other, wrong);
                }
            }
        }
        self.judge();
    }

    /// Two may own the shard for D + T after something was wrong, and no longer; nobody owns it past
    /// its time.
    fn judge(&mut self) {
        let owners = self.owners();
        if owners.len() < 2 {
            self.dual_since = None;
            return;
        }
        let since = *self.dual_since.get_or_insert(self.now);
        let lasts = self.now - since.max(self.wrong_until);
        assert!(
            lasts <= TIMING_DEAD_AFTER + TIMING_INTERVAL,
            "{owners:?} own for {lasts:?}: {:?}",
            self.history
        );
    }

    fn owns(&self, node: usize) -> bool {
        let node = &self.nodes[node];
        let is_valid = node
            .machine
            .valid_until()
            .is_some_and(|until| self.now < until);
        node.frozen_at.is_none() && node.machine.owns(shard()) && is_valid
    }

    fn owners(&self) -> Vec<usize> {
        (0..self.nodes.len())
            .filter(|node| self.owns(*node))
            .collect()
    }

    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for node in &self.nodes {
            format!("{:?}", node.machine).hash(&mut hasher);
            (node.frozen_at, &node.queue).hash(&mut hasher);
        }
        (self.dual_since, self.wrong_until, self.left).hash(&mut hasher);
        hasher.finish()
    }
}

impl Node {
    fn start(&mut self, number: usize, now: Time) {
        let name = NodeId::new(["a", "b", "c"][number]).unwrap();
        let mut settings = Settings::new(name, self.boot, KeyRing::unsigned());
        settings.timing = Profile::Fast.timing();
        let standing = Standing::default();
        let group = Group {
            name: GroupName::default(),
            shards: 1,
            standing,
        };
        self.machine
            .handle_input(Input::Configure(&settings, &[group]), now);
        self.machine.handle_input(Input::Link { up: true }, now);
    }

    fn hear(&mut self, octets: &[u8], received: Time, now: Time) {
        self.machine.handle_input(Input::Reception(received), now);
        self.machine.handle_input(
            Input::Datagram {
                octets,
                hop_limit: 255,
                received,
            },
            now,
        );
    }
}

fn shard() -> Shard {
    Shard {
        group: GroupName::default().id(),
        index: 0,
    }
}

/// Of the fast profile.
const TIMING_INTERVAL: Duration = Duration::from_millis(100);
const TIMING_DEAD_AFTER: Duration = Duration::from_millis(300);
const STEP: Duration = Duration::from_millis(50);
/// To listen, and to find somebody dead: twice D + T, and a step.
const BOUND: Duration = Duration::from_millis(850);
