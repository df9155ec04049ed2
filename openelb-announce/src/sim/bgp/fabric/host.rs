//! What runs on a node and on a router of a fabric.

use super::super::router::{Router, RouterOptions};
use super::{Fabric, Listening, Pending, SpeakerId};
use crate::bgp::config::Config;
use crate::bgp::route::{LocalAddresses, Route};
use crate::bgp::session::ConnectionId;
use crate::bgp::speaker::{Event, Input, Output, Speaker};
use crate::machine::Machine;
use crate::time::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// A node, with or without a running speaker.
#[derive(Debug)]
pub(super) struct SpeakerHost {
    pub(super) addresses: LocalAddresses,
    pub(super) config: Option<Arc<Config>>,
    pub(super) routes: Vec<Route>,
    pub(super) process: Option<Process>,
    pub(super) is_paused: bool,
    /// How far its clock is ahead of the fabric's.
    pub(super) offset: Duration,
    /// When it is woken next, by the fabric's clock.
    pub(super) wake: Option<Time>,
}

/// A running speaker.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) speaker: Speaker,
    pub(super) dials: BTreeSet<ConnectionId>,
    pub(super) wires: BTreeMap<ConnectionId, u64>,
    pub(super) events: Vec<Event>,
}

impl Process {
    pub(super) const fn new(speaker: Speaker) -> Self {
        Self {
            speaker,
            dials: BTreeSet::new(),
            wires: BTreeMap::new(),
            events: Vec::new(),
        }
    }
}

impl SpeakerHost {
    pub(super) const fn new(addresses: LocalAddresses) -> Self {
        Self {
            addresses,
            config: None,
            routes: Vec::new(),
            process: None,
            is_paused: false,
            offset: Duration::ZERO,
            wake: None,
        }
    }

    /// What its clock shows.
    pub(super) fn local(&self, now: Time) -> Time {
        now + self.offset
    }
}

/// A router, which has one machine for each speaker that it met.
#[derive(Debug)]
pub(super) struct RouterHost {
    pub(super) options: RouterOptions,
    pub(super) machines: BTreeMap<usize, Router>,
    pub(super) listening: Listening,
    pub(super) is_stalled: bool,
    /// The speakers that it dials, and when it does so next.
    pub(super) dials: BTreeMap<usize, Time>,
    /// When it is woken next.
    pub(super) wake: Option<Time>,
}

impl RouterHost {
    pub(super) const fn new(options: RouterOptions) -> Self {
        Self {
            options,
            machines: BTreeMap::new(),
            listening: Listening::Accepts,
            is_stalled: false,
            dials: BTreeMap::new(),
            wake: None,
        }
    }

    /// Its machine for a speaker.
    pub(super) fn machine(&mut self, speaker: usize) -> &mut Router {
        let options = &self.options;
        self.machines
            .entry(speaker)
            .or_insert_with(|| Router::new(options.clone()))
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        let timers = self.machines.values().filter_map(Router::deadline);
        timers.chain(self.dials.values().copied()).min()
    }
}

impl Fabric {
    /// Does something to a running speaker, and carries out what it wants.
    pub(super) fn with(&mut self, speaker: SpeakerId, act: impl FnOnce(&mut Process, Time)) {
        let Some(host) = self.speakers.get_mut(speaker.0) else {
            return;
        };
        let now = host.local(self.now);
        if let Some(process) = &mut host.process {
            act(process, now);
        }
        self.settle(speaker.0);
    }

    pub(super) fn tell(&mut self, speaker: usize, input: Input<'_>) {
        self.with(SpeakerId(speaker), |process, now| {
            process.speaker.handle_input(input, now);
        });
    }

    /// Carries out all that a speaker wants, and notes when it wants to be woken.
    pub(super) fn settle(&mut self, speaker: usize) {
        loop {
            let Some(process) = self.process(speaker) else {
                return;
            };
            let outputs: Vec<Output> =
                std::iter::from_fn(|| process.speaker.poll_output()).collect();
            if outputs.is_empty() {
                break;
            }
            for output in outputs {
                self.carry_out(speaker, output);
            }
        }
        self.reschedule_speaker(speaker);
    }

    pub(super) fn process(&mut self, speaker: usize) -> Option<&mut Process> {
        self.speakers.get_mut(speaker)?.process.as_mut()
    }

    fn carry_out(&mut self, speaker: usize, output: Output) {
        match output {
            Output::Connect { connection, target } => {
                self.dial(speaker, connection, target.address);
            }
            Output::Close {
                connection,
                after_flush,
            } => self.close(speaker, connection, after_flush),
            Output::Wake(connection) => {
                let wire = self
                    .process(speaker)
                    .and_then(|it| it.wires.get(&connection).copied());
                if let Some(wire) = wire {
                    self.pump(wire);
                }
            }
            Output::Event(event) => {
                if let Some(process) = self.process(speaker) {
                    process.events.push(event);
                }
            }
            // Everybody can reach a speaker here, and nobody asks for keys, routers or BFD.
            Output::Listen(_) | Output::Keys(_) | Output::Discover(_) | Output::Watch(_) => {}
        }
    }

    fn close(&mut self, speaker: usize, connection: ConnectionId, after_flush: bool) {
        let Some(process) = self.process(speaker) else {
            return;
        };
        process.dials.remove(&connection);
        if let Some(wire) = process.wires.get(&connection).copied() {
            if after_flush {
                self.pump(wire);
            }
            self.close_at_speaker(wire);
        }
        let why = "closed by this side".to_owned();
        self.tell(speaker, Input::Closed { connection, why });
    }

    pub(super) fn wake_speaker(&mut self, speaker: usize) {
        let Some(host) = self.speakers.get_mut(speaker) else {
            return;
        };
        host.wake = None;
        let now = host.local(self.now);
        if !host.is_paused
            && let Some(process) = &mut host.process
        {
            process.speaker.handle_timeout(now);
        }
        self.settle(speaker);
    }

    fn reschedule_speaker(&mut self, speaker: usize) {
        let Some(host) = self.speakers.get_mut(speaker) else {
            return;
        };
        let due = host
            .process
            .as_ref()
            .and_then(|process| process.speaker.poll_timeout());
        let Some(due) = due.filter(|_| !host.is_paused) else {
            return;
        };
        let at = (due - host.offset).max(self.now);
        if host.wake.is_none_or(|wake| at < wake) {
            host.wake = Some(at);
            self.schedule(at, Pending::WakeSpeaker { speaker });
        }
    }

    pub(super) fn wake_router(&mut self, router: usize) {
        let now = self.now;
        let Some(host) = self.routers.get_mut(router) else {
            return;
        };
        host.wake = None;
        for machine in host.machines.values_mut() {
            machine.tick(now);
        }
        let due: Vec<usize> = host
            .dials
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(speaker, _)| *speaker)
            .collect();
        for speaker in due {
            self.dial_speaker(router, speaker);
        }
        self.settle_router(router);
    }

    pub(super) fn reschedule_router(&mut self, router: usize) {
        let Some(host) = self.routers.get_mut(router) else {
            return;
        };
        let Some(at) = host.deadline().map(|at| at.max(self.now)) else {
            return;
        };
        if host.wake.is_none_or(|wake| at < wake) {
            host.wake = Some(at);
            self.schedule(at, Pending::WakeRouter { router });
        }
    }
}
