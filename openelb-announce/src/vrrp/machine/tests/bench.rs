//! One machine, a clock, and the words of its neighbours.

use std::net::IpAddr;
use std::time::Duration;

use crate::machine::Machine as _;
use crate::time::Time;
use crate::vrrp::machine::{Event, Input, Machine, Output, State};
use crate::vrrp::packet::{Advert, ChecksumForm, HOP_LIMIT, Head, Path, Version};
use crate::vrrp::{Family, Interval, Settings, Vrid};

/// The address of the machine on the bench; neighbours have any other of 192.0.2.0/24.
pub(super) const OURS: u8 = 5;

pub(super) struct Bench {
    pub(super) machine: Machine,
    pub(super) now: Time,
}

impl Bench {
    /// A machine whose link is up, at second 100.
    pub(super) fn new(settings: Settings) -> Self {
        let family = settings.family;
        let mut bench = Self {
            machine: Machine::new(),
            now: Time::ZERO + Duration::from_secs(100),
        };
        bench.input(Input::Configure(settings));
        let primary = Some(address(family, OURS));
        bench.input(Input::Link { up: true, primary });
        bench
    }

    /// A machine that is Active, with nothing left to tell.
    pub(super) fn active(settings: Settings) -> Self {
        let mut bench = Self::new(settings);
        bench.wake();
        assert_eq!(bench.machine.state(), State::Active);
        bench.drain();
        bench
    }

    /// A machine that is Backup, with nothing left to tell.
    pub(super) fn backup(settings: Settings) -> Self {
        let mut bench = Self::new(settings);
        assert_eq!(bench.machine.state(), State::Backup);
        bench.drain();
        bench
    }

    pub(super) fn input(&mut self, input: Input<'_>) {
        self.machine.handle_input(input, self.now);
    }

    /// Time passes; the machine is not woken.
    pub(super) fn sleep(&mut self, span: Duration) {
        self.now += span;
    }

    /// Time passes until the machine wants to be woken, and it is.
    pub(super) fn wake(&mut self) -> Duration {
        let at = self.machine.poll_timeout().expect("it waits for something");
        let span = at - self.now;
        self.now = self.now.max(at);
        self.machine.handle_timeout(self.now);
        span
    }

    /// Time passes; the machine is woken whenever it wants to be.
    pub(super) fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while self.machine.poll_timeout().is_some_and(|at| at <= end) {
            self.wake();
        }
        self.now = end;
    }

    /// A neighbour advertises the addresses of the machine.
    pub(super) fn hear(&mut self, from: u8, priority: u8) {
        let settings = self.machine.settings().expect("it is set up").clone();
        self.hear_of(from, priority, &settings);
    }

    /// A neighbour with settings of its own advertises.
    pub(super) fn hear_of(&mut self, from: u8, priority: u8, settings: &Settings) {
        self.hear_late(from, priority, settings, self.now);
    }

    /// The same, of an advertisement that arrived earlier.
    pub(super) fn hear_late(&mut self, from: u8, priority: u8, of: &Settings, received: Time) {
        let path = Path {
            source: address(of.family, from),
            destination: of.family.group(),
        };
        let octets = advert(of, priority, path, ChecksumForm::PseudoHeader);
        self.packet(&octets, path, HOP_LIMIT, received);
    }

    pub(super) fn packet(&mut self, octets: &[u8], path: Path, hop_limit: u8, received: Time) {
        let Path {
            source,
            destination,
        } = path;
        self.input(Input::Packet {
            octets,
            source,
            destination,
            hop_limit,
            received,
        });
    }

    /// Everything that the machine has to tell, in words.
    pub(super) fn drain(&mut self) -> Vec<Said> {
        let mut said = Vec::new();
        while let Some(output) = self.machine.poll_output() {
            said.push(match output {
                Output::Event(event) => Said::Event(event),
                Output::Transmit {
                    source,
                    destination,
                    octets,
                } => {
                    let path = Path {
                        source,
                        destination,
                    };
                    let advert = Advert::decode(&octets, path).expect("it wrote an advertisement");
                    assert_eq!(Some(source), self.machine.primary);
                    Said::Advert(destination, advert.head.priority)
                }
            });
        }
        said
    }

    /// The priorities of the advertisements among what the machine has to tell.
    pub(super) fn sent(&mut self) -> Vec<u8> {
        let said = self.drain();
        let priority = |said: &Said| match said {
            Said::Advert(_, priority) => Some(*priority),
            Said::Event(_) => None,
        };
        said.iter().filter_map(priority).collect()
    }

    /// The events among what the machine has to tell.
    pub(super) fn events(&mut self) -> Vec<Event> {
        let said = self.drain().into_iter();
        said.filter_map(|said| match said {
            Said::Event(event) => Some(event),
            Said::Advert(..) => None,
        })
        .collect()
    }

    pub(super) fn state(&self) -> State {
        self.machine.state()
    }
}

/// One output, without its octets.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    /// An advertisement: to whom, with which priority.
    Advert(IpAddr, u8),
    Event(Event),
}

impl Said {
    /// An advertisement to the group of IPv4.
    pub(super) fn to_all(priority: u8) -> Self {
        Self::Advert(Family::Ipv4.group(), priority)
    }
}

/// Version 3, VRID 51, priority 100, every second: 192.0.2.100.
pub(super) fn v3() -> Settings {
    Settings::new(
        Vrid::new(51).expect("not zero"),
        vec![IpAddr::from([192, 0, 2, 100])],
    )
}

/// The same in version 2.
pub(super) fn v2() -> Settings {
    Settings {
        version: Version::V2,
        ..v3()
    }
}

/// The same over IPv6: `fe80::100` and `2001:db8::100`.
pub(super) fn v6() -> Settings {
    let addresses = ["fe80::100", "2001:db8::100"];
    let addresses = addresses.map(|it| it.parse().expect("an address"));
    Settings::new(Vrid::new(51).expect("not zero"), addresses.to_vec())
}

pub(super) fn every(settings: Settings, centiseconds: u16) -> Settings {
    let interval = Interval::from_centiseconds(centiseconds).expect("not zero");
    Settings {
        interval,
        ..settings
    }
}

pub(super) fn advert(of: &Settings, priority: u8, path: Path, form: ChecksumForm) -> Vec<u8> {
    let head = Head {
        version: of.version,
        vrid: of.vrid,
        priority,
        interval: of.interval,
    };
    head.encode(&of.addresses, path, form).to_vec()
}

pub(super) fn address(family: Family, host: u8) -> IpAddr {
    match family {
        Family::Ipv4 => IpAddr::from([192, 0, 2, host]),
        Family::Ipv6 => IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, u16::from(host)]),
    }
}

pub(super) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A fraction of a second in 256ths, as skews are.
pub(super) fn in_256ths(of: Duration, parts: u32) -> Duration {
    of * parts / 256
}
