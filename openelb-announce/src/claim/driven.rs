//! A machine on a virtual clock, for tests: inputs in, everything it did with its instant out.

use super::{
    AnnouncePlan, Claim, Config, Event, Frame, Input, Lifecycle, NeighborProtocol, Output, Probe,
    Validity,
};
use crate::machine::Machine;
use crate::time::Time;
use crate::wire::Mac;
use std::net::IpAddr;
use std::time::Duration;

/// The hardware address of the machine under test.
pub(crate) const OWN: Mac = Mac::new([0x02, 0, 0, 0, 0, 0x01]);
/// Another station.
pub(crate) const OTHER: Mac = Mac::new([0x02, 0, 0, 0, 0, 0x02]);

pub(crate) struct Driven<P: NeighborProtocol> {
    pub(crate) machine: Lifecycle<P>,
    pub(crate) now: Time,
    log: Vec<(Time, Output)>,
}

impl<P: NeighborProtocol> Driven<P> {
    /// A machine whose link is up.
    pub(crate) fn new(config: Config) -> Self {
        let mut driven = Self {
            machine: Lifecycle::new(config),
            now: Time::ZERO,
            log: Vec::new(),
        };
        driven.input(Input::Link { mac: OWN, up: true });
        driven
    }

    /// A machine that owns `address`, its first announcement over and taken.
    pub(crate) fn owner(config: Config, address: impl Into<IpAddr>) -> Self {
        let mut driven = Self::new(config);
        driven.claim(address, Probe::Skip);
        driven.run_seconds(1);
        driven.outputs();
        driven
    }

    pub(crate) fn input(&mut self, input: Input<'_>) {
        self.machine.handle_input(input, self.now);
        self.collect();
    }

    pub(crate) fn claim(&mut self, address: impl Into<IpAddr>, probe: Probe) {
        self.claim_until(address, probe, Validity::Unlimited);
    }

    pub(crate) fn claim_until(
        &mut self,
        address: impl Into<IpAddr>,
        probe: Probe,
        valid_until: Validity,
    ) {
        self.input(Input::Claim(Claim {
            address: address.into(),
            probe,
            valid_until,
        }));
    }

    /// A frame arrives and is handed over at once.
    pub(crate) fn hear(&mut self, frame: &[u8]) {
        self.input(Input::Frame {
            bytes: frame,
            received: self.now,
        });
    }

    /// Lets time pass, waking the machine whenever it asks for it.
    pub(crate) fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(wake) = self.machine.poll_timeout().filter(|wake| *wake <= end) {
            assert!(
                wake > self.now || self.log.len() < 1_000_000,
                "the machine spins"
            );
            self.now = self.now.max(wake);
            self.machine.handle_timeout(self.now);
            self.collect();
        }
        self.now = end;
    }

    pub(crate) fn run_seconds(&mut self, seconds: u64) {
        self.run(Duration::from_secs(seconds));
    }

    /// Everything done since the last call, with its instant.
    pub(crate) fn outputs(&mut self) -> Vec<(Time, Output)> {
        std::mem::take(&mut self.log)
    }

    /// The frames sent since the last call; everything else is dropped.
    pub(crate) fn frames(&mut self) -> Vec<(Time, Frame)> {
        let frame = |(at, output)| match output {
            Output::Transmit(frame) => Some((at, frame)),
            _ => None,
        };
        self.outputs().into_iter().filter_map(frame).collect()
    }

    /// The events reported since the last call; everything else is dropped.
    pub(crate) fn events(&mut self) -> Vec<Event> {
        let event = |(_, output)| match output {
            Output::Event(event) => Some(event),
            _ => None,
        };
        self.outputs().into_iter().filter_map(event).collect()
    }

    fn collect(&mut self) {
        while let Some(output) = self.machine.poll_output() {
            self.log.push((self.now, output));
        }
    }
}

/// Seconds from the clock's start to `time`, to compare schedules with.
pub(crate) fn seconds(time: Time) -> f64 {
    (time - Time::ZERO).as_secs_f64()
}

/// A machine that announces nothing by itself after the first round, to keep logs short.
pub(crate) fn quiet() -> Config {
    let announce = AnnouncePlan {
        count: 1,
        refresh: None,
        ..AnnouncePlan::default()
    };
    Config {
        announce,
        ..Config::default()
    }
}
