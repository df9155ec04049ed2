//! What several fuzz targets share: one interpreter for the operations of a neighbor protocol's machine.

use arbitrary::Arbitrary;
use openelb_announce::claim::{
    Claim, Config, Input, Lifecycle, NeighborProtocol, Output, Probe, RateLimit, Validity,
};
use openelb_announce::wire::Mac;
use openelb_announce::{Machine, Time};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// One thing that happens to a machine. Addresses are numbers below eight.
#[derive(Arbitrary, Clone, Debug)]
pub enum Op {
    /// The link changes.
    Link { other_mac: bool, up: bool },
    /// An address is claimed until the common deadline, for some milliseconds, or for good.
    Claim {
        address: u8,
        probe: u8,
        millis: Option<u16>,
        renewed: bool,
    },
    /// An address is released.
    Release { address: u8 },
    /// The common deadline moves.
    Renew { millis: u16 },
    /// The machine is fenced off.
    Fence,
    /// Any octets arrive.
    Frame { octets: Vec<u8>, age_millis: u16 },
    /// A frame of another machine for the same address arrives: a probe, or an announcement.
    Foreign {
        address: u8,
        form: Option<bool>,
        own_mac: bool,
    },
    /// Time passes, and the machine is woken whenever it asks for it.
    Run { millis: u16 },
    /// Time passes, but nobody wakes the machine.
    Stall { millis: u16 },
}

/// Runs the operations and checks after each that the machine speaks for nothing but valid claims,
/// only while the link is up, and not for ever without time passing.
pub fn run<P: NeighborProtocol>(seed: u64, ops: Vec<Op>, address: fn(u8) -> P::Address) {
    let rate = RateLimit {
        per_second: 1000,
        burst: 20,
    };
    let config = Config {
        seed,
        rate,
        max_groups: 3,
        ..Config::default()
    };
    let mut fuzzed = Fuzzed::<P> {
        protocol: P::new(&config),
        machine: Lifecycle::new(config),
        address,
        now: Time::ZERO,
        is_up: false,
        mac: MACS[0],
        common: Time::ZERO,
        claims: BTreeMap::new(),
    };
    for op in ops {
        fuzzed.apply(op);
        fuzzed.check();
    }
}

struct Fuzzed<P: NeighborProtocol> {
    protocol: P,
    machine: Lifecycle<P>,
    address: fn(u8) -> P::Address,
    now: Time,
    is_up: bool,
    mac: Mac,
    common: Time,
    claims: BTreeMap<IpAddr, Validity>,
}

impl<P: NeighborProtocol> Fuzzed<P> {
    fn apply(&mut self, op: Op) {
        match op {
            Op::Link { other_mac, up } => {
                (self.mac, self.is_up) = (MACS[usize::from(other_mac)], up);
                self.input(Input::Link { mac: self.mac, up });
            }
            Op::Claim {
                address,
                probe,
                millis,
                renewed,
            } => self.claim(address, probe, millis, renewed),
            Op::Release { address } => {
                let address = self.ip(address);
                self.claims.remove(&address);
                self.input(Input::Release(address));
            }
            Op::Renew { millis } => {
                self.common = self.now + Duration::from_millis(millis.into());
                self.input(Input::Renew(self.common));
            }
            Op::Fence => self.input(Input::Fence),
            Op::Frame { octets, age_millis } => {
                let received = self.now - Duration::from_millis(age_millis.into());
                self.input(Input::Frame {
                    bytes: &octets,
                    received,
                });
            }
            Op::Foreign {
                address,
                form,
                own_mac,
            } => {
                let mac = if own_mac { self.mac } else { FOREIGN };
                let address = (self.address)(address % 8);
                let frame = match form {
                    None => self.protocol.probe(address, mac, [7; 6]),
                    Some(form) => self.protocol.announcement(address, mac, form.into()),
                };
                self.input(Input::Frame {
                    bytes: &frame,
                    received: self.now,
                });
            }
            Op::Run { millis } => self.run(Duration::from_millis(millis.into())),
            Op::Stall { millis } => self.now += Duration::from_millis(millis.into()),
        }
    }

    fn claim(&mut self, address: u8, probe: u8, millis: Option<u16>, renewed: bool) {
        let address = self.ip(address);
        let until = |millis: u16| Validity::Until(self.now + Duration::from_millis(millis.into()));
        let valid_until = match millis {
            _ if renewed => Validity::Renewed,
            Some(millis) => until(millis),
            None => Validity::Unlimited,
        };
        let probe = [Probe::Skip, Probe::Fast, Probe::Standard][usize::from(probe % 3)];
        self.claims.insert(address, valid_until);
        self.input(Input::Claim(Claim {
            address,
            probe,
            valid_until,
        }));
    }

    fn run(&mut self, span: Duration) {
        let end = self.now + span;
        let mut idle = 0;
        while let Some(wake) = self.machine.poll_timeout().filter(|wake| *wake <= end) {
            idle = if wake > self.now { 0 } else { idle + 1 };
            assert!(
                idle < 100,
                "the machine asks to be woken again and again at {}",
                self.now
            );
            self.now = self.now.max(wake);
            self.machine.handle_timeout(self.now);
            self.check();
        }
        self.now = end;
    }

    fn input(&mut self, input: Input<'_>) {
        self.machine.handle_input(input, self.now);
    }

    fn check(&mut self) {
        while let Some(output) = self.machine.poll_output() {
            let Output::Transmit(frame) = output else {
                continue;
            };
            assert!(self.is_up, "a frame left while the link is down");
            // A station that hears everything tells what the frame says.
            let heard = P::hear(&frame, LISTENER).or_else(|| P::hear(&frame, FOREIGN));
            let Some(asserted) = heard.and_then(|heard| heard.asserted) else {
                continue;
            };
            let validity = self.claims.get(&asserted.into()).copied();
            assert!(
                self.is_valid(validity),
                "spoke for {asserted:?}, which is {validity:?}"
            );
        }
        assert_eq!(self.machine.claims(), self.claims.len());
    }

    fn is_valid(&self, validity: Option<Validity>) -> bool {
        match validity {
            None => false,
            Some(Validity::Unlimited) => true,
            Some(Validity::Renewed) => self.now < self.common,
            Some(Validity::Until(end)) => self.now < end,
        }
    }

    fn ip(&self, address: u8) -> IpAddr {
        (self.address)(address % 8).into()
    }
}

/// The machine's hardware addresses.
const MACS: [Mac; 2] = [Mac::new([2, 0, 0, 0, 0, 1]), Mac::new([2, 0, 0, 0, 0, 2])];
const FOREIGN: Mac = Mac::new([2, 0, 0, 0, 0, 3]);
const LISTENER: Mac = Mac::new([2, 0, 0, 0, 0, 4]);
