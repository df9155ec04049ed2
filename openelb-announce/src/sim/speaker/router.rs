//! What a speaker answers for as a virtual router: the VRRP machine and its addresses.

use super::demand::Demand;
use crate::claim::{Claim, Probe, Validity};
use crate::machine::Machine;
use crate::sim::datagram::{Datagram, Protocol};
use crate::sim::trace::Action;
use crate::time::Time;
use crate::vrrp::{self, Event, Input, Output, Settings};
use std::collections::VecDeque;
use std::net::IpAddr;

/// A VRRP machine driven as the announcer drives it, with the hardware address of its host. All times
/// are those of the host's clock.
#[derive(Debug)]
pub(in crate::sim) struct Router {
    pub(super) machine: vrrp::Machine,
    settings: Settings,
    primary: IpAddr,
    /// Until when the addresses were last claimed.
    claimed: Option<Time>,
    demands: VecDeque<Demand>,
}

impl Router {
    pub(in crate::sim) fn new(settings: Settings, primary: IpAddr) -> Self {
        Self {
            machine: vrrp::Machine::new(),
            settings,
            primary,
            claimed: None,
            demands: VecDeque::new(),
        }
    }

    /// The process starts, on a link that is up or not.
    pub(super) fn start(&mut self, is_up: bool, now: Time) {
        self.input(Input::Configure(self.settings.clone()), now);
        self.link(is_up, now);
    }

    /// The same, anew: nothing is left of what the process knew.
    pub(super) fn restart(&mut self, is_up: bool, now: Time) {
        *self = Self::new(self.settings.clone(), self.primary);
        self.start(is_up, now);
    }

    pub(super) fn link(&mut self, up: bool, now: Time) {
        self.input(
            Input::Link {
                up,
                primary: Some(self.primary),
            },
            now,
        );
    }

    pub(super) fn receive(&mut self, datagram: &Datagram<'_>, received: Time, now: Time) {
        if datagram.source.is_ipv4() != self.primary.is_ipv4() {
            return;
        }
        let input = Input::Packet {
            octets: datagram.octets,
            source: datagram.source,
            destination: datagram.destination,
            hop_limit: datagram.hop_limit,
            received,
        };
        self.input(input, now);
    }

    pub(super) fn input(&mut self, input: Input<'_>, now: Time) {
        self.machine.handle_input(input, now);
        self.follow();
    }

    pub(super) fn run(&mut self, now: Time) {
        self.machine.handle_timeout(now);
        self.follow();
    }

    pub(super) fn next_demand(&mut self) -> Option<Demand> {
        self.demands.pop_front()
    }

    fn follow(&mut self) {
        while let Some(output) = self.machine.poll_output() {
            match output {
                Output::Transmit {
                    source,
                    destination,
                    octets,
                } => {
                    let octets = octets.as_slice().into();
                    self.demands.push_back(Demand::Send {
                        protocol: Protocol::Vrrp,
                        source,
                        destination,
                        octets,
                    });
                }
                Output::Event(event) => self.report(event),
            }
        }
        let valid_until = self.machine.valid_until();
        if self.claimed.is_some() && valid_until != self.claimed {
            self.claim(valid_until);
        }
    }

    fn report(&mut self, event: Event) {
        match event {
            Event::Active { .. } => self.claim(self.machine.valid_until()),
            Event::Backup { .. } | Event::Initialized => {
                self.claimed = None;
                self.demands
                    .extend(self.settings.addresses.iter().copied().map(Demand::Release));
            }
            Event::Reannounce => {
                self.demands.extend(
                    self.settings
                        .addresses
                        .iter()
                        .copied()
                        .map(Demand::Announce),
                );
            }
            _ => {}
        }
        self.demands
            .push_back(Demand::Report(Action::Routed(event)));
    }

    /// Claims the addresses until then; what is claimed already goes on.
    fn claim(&mut self, until: Option<Time>) {
        self.claimed = until;
        let Some(until) = until else { return };
        let claim = |address: &IpAddr| {
            let valid_until = Validity::Until(until);
            Demand::Claim(Claim {
                address: *address,
                probe: Probe::Skip,
                valid_until,
            })
        };
        self.demands
            .extend(self.settings.addresses.iter().map(claim));
    }
}
