//! What a speaker answers for by election: the ownership machine, and the addresses of each shard.

use super::demand::Demand;
use crate::claim::{Claim, Probe, Validity};
use crate::machine::Machine;
use crate::ownership::{self, Event, Group, How, Input, Output, Settings, Shard};
use crate::sim::datagram::{self, Protocol};
use crate::sim::trace::Action;
use crate::time::Time;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

/// An ownership machine driven as the announcer drives it. All times are those of the host's clock.
#[derive(Debug)]
pub(in crate::sim) struct Election {
    pub(super) machine: ownership::Machine,
    settings: Settings,
    source: IpAddr,
    pub(super) groups: Vec<Group>,
    holdings: BTreeMap<Shard, Vec<IpAddr>>,
    /// The deadline that the claims were last given.
    renewed: Option<Time>,
    /// Has any frame come in since the last look?
    has_received: bool,
    /// When the count of received frames is looked at next.
    look: Time,
    /// Does the socket refuse to send?
    pub(super) is_mute: bool,
    demands: VecDeque<Demand>,
}

impl Election {
    pub(in crate::sim) fn new(
        settings: Settings,
        source: IpAddr,
        groups: Vec<Group>,
        holdings: BTreeMap<Shard, Vec<IpAddr>>,
    ) -> Self {
        Self {
            machine: ownership::Machine::new(),
            settings,
            source,
            groups,
            holdings,
            renewed: None,
            has_received: false,
            look: Time::ZERO,
            is_mute: false,
            demands: VecDeque::new(),
        }
    }

    /// The process starts, on a link that is up or not.
    pub(super) fn start(&mut self, is_up: bool, now: Time) {
        self.machine
            .handle_input(Input::Configure(&self.settings, &self.groups), now);
        self.input(Input::Link { up: is_up }, now);
    }

    /// The same, anew: nothing is left of what the process knew.
    pub(super) fn restart(&mut self, boot: u64, is_up: bool, now: Time) {
        let settings = Settings {
            boot,
            ..self.settings.clone()
        };
        let groups = std::mem::take(&mut self.groups);
        let holdings = std::mem::take(&mut self.holdings);
        let is_mute = self.is_mute;
        *self = Self::new(settings, self.source, groups, holdings);
        self.is_mute = is_mute;
        self.start(is_up, now);
    }

    /// Hands over the whole desired set again.
    pub(super) fn configure(&mut self, groups: Vec<Group>, now: Time) {
        self.groups = groups;
        self.machine
            .handle_input(Input::Configure(&self.settings, &self.groups), now);
        self.follow(now);
    }

    /// The count of received frames rises.
    pub(super) const fn count_frame(&mut self) {
        self.has_received = true;
    }

    pub(super) fn input(&mut self, input: Input<'_>, now: Time) {
        self.machine.handle_input(input, now);
        self.follow(now);
    }

    /// Does what is due, and looks at the count of received frames once in a beat interval.
    pub(super) fn run(&mut self, now: Time) {
        if now >= self.look {
            self.look = now + self.settings.timing.interval();
            if std::mem::take(&mut self.has_received) {
                self.machine.handle_input(Input::Reception(now), now);
            }
        }
        self.machine.handle_timeout(now);
        self.follow(now);
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.machine.poll_timeout()
    }

    pub(super) fn next_demand(&mut self) -> Option<Demand> {
        self.demands.pop_front()
    }

    /// Turns what the machine said into demands.
    fn follow(&mut self, now: Time) {
        while let Some(output) = self.machine.poll_output() {
            match output {
                Output::Transmit(_) if self.is_mute => {
                    self.machine.handle_input(Input::Unsent, now);
                }
                Output::Transmit(octets) => self.send(&octets),
                Output::Event(event) => self.report(&event),
                Output::WantPermit(_) | Output::ReleasePermit(_) => {}
            }
        }
        let valid_until = self.machine.valid_until();
        if valid_until != self.renewed {
            self.renewed = valid_until;
            self.demands.extend(valid_until.map(Demand::Renew));
        }
    }

    fn send(&mut self, octets: &[u8]) {
        let (protocol, octets) = (Protocol::Beat, octets.into());
        let (source, destination) = (self.source, datagram::BEATS.into());
        self.demands.push_back(Demand::Send {
            protocol,
            source,
            destination,
            octets,
        });
    }

    fn report(&mut self, event: &Event) {
        self.demands
            .push_back(Demand::Report(Action::Owned(event.clone())));
        match event {
            Event::Acquired { shard, how, .. } => {
                let probe = match how {
                    How::Cold => Probe::Fast,
                    How::Takeover | How::Handover => Probe::Skip,
                };
                // The deadline first: a claim that begins after it has passed would wait for it.
                self.renewed = self.machine.valid_until();
                self.demands.extend(self.renewed.map(Demand::Renew));
                let claim = |address: &IpAddr| {
                    Demand::Claim(Claim {
                        address: *address,
                        probe,
                        valid_until: Validity::Renewed,
                    })
                };
                self.demands
                    .extend(addresses(&self.holdings, *shard).map(claim));
            }
            Event::Lost { shard, .. } => {
                let releases = addresses(&self.holdings, *shard)
                    .copied()
                    .map(Demand::Release);
                self.demands.extend(releases);
            }
            Event::Reannounce { shard } => {
                let repeats = addresses(&self.holdings, *shard)
                    .copied()
                    .map(Demand::Announce);
                self.demands.extend(repeats);
            }
            _ => {}
        }
    }

    /// How long a pause the process tolerates before it fences itself off.
    pub(super) fn longest_pause(&self) -> Duration {
        self.settings.timing.dead_after() * 9 / 10
    }
}

fn addresses(
    holdings: &BTreeMap<Shard, Vec<IpAddr>>,
    shard: Shard,
) -> impl Iterator<Item = &IpAddr> {
    holdings.get(&shard).into_iter().flatten()
}
