//! The election machine of one segment.

use std::collections::VecDeque;

use super::name::NodeId;
use super::settings::{Group, Settings};
use super::shard::Shard;
use super::status::{Counters, GroupStatus, Phase, Status};
use super::terms::{Event, How, Input, Output, Why};
use crate::random::Random;
use crate::time::Time;

/// One node's part in the election of one segment.
///
/// It says nothing until it is configured and the link is up.
#[derive(Debug)]
pub struct Machine {
    settings: Option<Settings>,
    groups: Vec<Group>,
    is_up: bool,
    phase: Phase,
    draining: bool,
    random: Random,
    counters: Counters,
    outputs: VecDeque<Output>,
}

impl Machine {
    /// A machine that waits for its configuration.
    pub fn new() -> Self {
        Self {
            settings: None,
            groups: Vec::new(),
            is_up: false,
            phase: Phase::Idle,
            draining: false,
            random: Random::new(0),
            counters: Counters::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Is this shard the node's own? O(log groups).
    ///
    /// Nothing may be sent for it past [`valid_until`](Self::valid_until) all the same.
    pub fn owns(&self, shard: Shard) -> bool {
        let group = self
            .groups
            .iter()
            .find(|group| group.name.id() == shard.group);
        self.phase == Phase::Running && group.is_some_and(|group| shard.index < group.shards)
    }

    /// Until when answers may be sent for what is owned; `None` while nothing may be owned.
    pub fn valid_until(&self) -> Option<Time> {
        (self.phase == Phase::Running).then_some(Time::MAX)
    }

    /// Whose the shard is, as far as this node knows. O(nodes).
    pub fn owner(&self, shard: Shard) -> Option<&NodeId> {
        let settings = self.settings.as_ref()?;
        self.owns(shard).then_some(&settings.node)
    }

    /// What the machine knows at `now`. O(nodes x groups).
    pub fn status(&self, _now: Time) -> Status {
        let group = |group: &Group| GroupStatus {
            group: group.name.clone(),
            shards: group.shards,
            standing: group.standing,
            owners: std::collections::BTreeMap::new(),
        };
        Status {
            node: self.settings.as_ref().map(|it| it.node.clone()),
            phase: self.phase,
            is_draining: self.draining,
            valid_until: self.valid_until(),
            nodes: Vec::new(),
            groups: self.groups.iter().map(group).collect(),
            counters: self.counters.clone(),
        }
    }

    fn listen(&mut self, now: Time) {
        let Some(settings) = self.settings.as_ref().filter(|_| self.is_up) else {
            return;
        };
        let timing = settings.timing;
        let jitter = self
            .random
            .between(std::time::Duration::ZERO, timing.interval());
        let until = now + timing.dead_after() + jitter;
        self.phase = Phase::Listening { until };
        self.outputs.push_back(Output::Event(Event::Listening));
    }

    fn shards(&self) -> Vec<Shard> {
        let shards = |group: &Group| {
            let id = group.name.id();
            (0..group.shards).map(move |index| Shard { group: id, index })
        };
        self.groups.iter().flat_map(shards).collect()
    }

    fn lose(&mut self, why: &Why) {
        if self.phase == Phase::Running {
            for shard in self.shards() {
                let why = why.clone();
                self.outputs
                    .push_back(Output::Event(Event::Lost { shard, why }));
            }
        }
        self.phase = Phase::Idle;
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
        match input {
            Input::Link { up } if up != self.is_up => {
                self.is_up = up;
                self.lose(&Why::LinkDown);
                self.listen(now);
            }
            Input::Configure(settings, groups) => {
                self.lose(&Why::Unconfigured);
                self.random = Random::new(settings.seed);
                self.settings = Some(settings.clone());
                self.groups = groups.to_vec();
                self.listen(now);
            }
            Input::Fence => {
                self.lose(&Why::Fenced);
                self.listen(now);
            }
            Input::Drain(drain) => self.draining = drain,
            Input::Leave => {
                self.lose(&Why::Left);
                self.phase = Phase::Left;
            }
            _ => {}
        }
    }

    fn handle_timeout(&mut self, now: Time) {
        if self.poll_timeout().is_some_and(|at| at <= now) {
            self.phase = Phase::Running;
            for shard in self.shards() {
                let (how, is_doubtful) = (How::Cold, false);
                let event = Event::Acquired {
                    shard,
                    how,
                    is_doubtful,
                };
                self.outputs.push_back(Output::Event(event));
            }
        }
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Time> {
        match self.phase {
            Phase::Listening { until } => Some(until),
            _ => None,
        }
    }
}
