//! Any operations on three virtual routers and on the packets between them: what is sent is always an
//! advertisement, nothing is valid beyond its time, and once they are left alone one is Active.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use openelb_announce::vrrp::packet::{Head, Path};
use openelb_announce::vrrp::{
    Advert, Checksum, ChecksumForm, Family, Input, Interval, Machine, Output, Settings, State,
    Version, Vrid,
};
use openelb_announce::{Machine as _, Time};
use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

/// One thing that happens. Routers are numbers below three, after a remainder.
#[derive(Arbitrary, Clone, Debug)]
enum Op {
    /// The oldest packet for the router arrives.
    Deliver {
        to: u8,
        hop_limit: u8,
    },
    /// It is lost.
    Lose {
        to: u8,
    },
    /// It is overtaken by the next ones.
    Delay {
        to: u8,
    },
    /// It arrives and will arrive again.
    Double {
        to: u8,
    },
    /// Octets of somebody else arrive.
    Forge {
        to: u8,
        from: u8,
        octets: Vec<u8>,
    },
    /// A well-formed advertisement of somebody else arrives.
    Pretend {
        to: u8,
        from: u8,
        priority: u8,
        centiseconds: u16,
        last: u8,
        is_plain: bool,
    },
    /// Other settings.
    Configure {
        router: u8,
        priority: u8,
        centiseconds: u16,
        flags: u8,
        delay: u8,
        last: u8,
    },
    Link {
        router: u8,
        up: bool,
    },
    Priority {
        router: u8,
        priority: u8,
    },
    Shutdown {
        router: u8,
    },
    Fence {
        router: u8,
    },
    /// What was sent last could not be sent.
    Unsent {
        router: u8,
    },
    /// Time passes; routers are woken whenever they ask for it, or only at the end.
    Run {
        millis: u16,
    },
    Stall {
        millis: u16,
    },
}

#[derive(Arbitrary, Clone, Debug)]
struct Story {
    is_v6: bool,
    is_v2: bool,
    ops: Vec<Op>,
}

struct World {
    family: Family,
    version: Version,
    routers: [Machine; 3],
    waiting: [VecDeque<(usize, Vec<u8>)>; 3],
    now: Time,
}

fuzz_target!(|story: Story| {
    let family = if story.is_v6 {
        Family::Ipv6
    } else {
        Family::Ipv4
    };
    let is_v2 = story.is_v2 && !story.is_v6;
    let mut world = World {
        family,
        version: if is_v2 { Version::V2 } else { Version::V3 },
        routers: Default::default(),
        waiting: Default::default(),
        now: Time::from_nanos(1_000_000_000),
    };
    for router in 0..3 {
        world.begin(router);
    }
    for op in story.ops.into_iter().take(200) {
        world.apply(op);
    }
    world.settle();
});

impl World {
    fn begin(&mut self, router: usize) {
        let settings = self.settings(100 + router as u8, 0, 0, 10);
        self.input(router, Input::Configure(settings));
        let primary = Some(self.address(router as u8));
        self.input(router, Input::Link { up: true, primary });
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Deliver { to, hop_limit } => {
                let hop_limit = if hop_limit < 8 { hop_limit } else { 255 };
                if let Some((from, octets)) = self.waiting[of(to)].pop_front() {
                    self.hear(of(to), from as u8, &octets, hop_limit);
                }
            }
            Op::Lose { to } => drop(self.waiting[of(to)].pop_front()),
            Op::Delay { to } => {
                let queue = &mut self.waiting[of(to)];
                let first = queue.pop_front();
                queue.extend(first);
            }
            Op::Double { to } => {
                if let Some((from, octets)) = self.waiting[of(to)].front().cloned() {
                    self.hear(of(to), from as u8, &octets, 255);
                }
            }
            Op::Forge { to, from, octets } => self.hear(of(to), from, &octets, 255),
            Op::Pretend {
                to,
                from,
                priority,
                centiseconds,
                last,
                is_plain,
            } => {
                let head = Head {
                    version: self.version,
                    vrid: Vrid::new(51).expect("not zero"),
                    priority,
                    interval: self.interval(centiseconds),
                };
                let form = if is_plain {
                    ChecksumForm::Plain
                } else {
                    ChecksumForm::PseudoHeader
                };
                let path = self.path(from);
                let octets = head.encode(&[self.address(last)], path, form);
                self.hear(of(to), from, &octets, 255);
            }
            Op::Configure {
                router,
                priority,
                centiseconds,
                flags,
                delay,
                last,
            } => {
                let mut settings = self.settings(priority, flags, delay, last);
                settings.interval = self.interval(centiseconds);
                self.input(of(router), Input::Configure(settings));
            }
            Op::Link { router, up } => {
                let primary = Some(self.address(router % 3));
                self.input(of(router), Input::Link { up, primary });
            }
            Op::Priority { router, priority } => self.input(of(router), Input::Priority(priority)),
            Op::Shutdown { router } => self.input(of(router), Input::Shutdown),
            Op::Fence { router } => self.input(of(router), Input::Fence),
            Op::Unsent { router } => self.input(of(router), Input::Unsent),
            Op::Run { millis } => self.run(Duration::from_millis(millis.into()), false),
            Op::Stall { millis } => self.now += Duration::from_millis(millis.into()),
        }
    }

    fn settings(&self, priority: u8, flags: u8, delay: u8, last: u8) -> Settings {
        let mut addresses = vec![self.address(last)];
        if self.family == Family::Ipv6 {
            addresses.push(IpAddr::from([
                0x2001,
                0xdb8,
                0,
                0,
                0,
                0,
                0,
                u16::from(last),
            ]));
        }
        let owner = flags & 1 != 0;
        let checksum = match flags >> 4 & 3 {
            1 => Checksum::PseudoHeader,
            2 => Checksum::Plain,
            _ => Checksum::Auto,
        };
        Settings {
            version: self.version,
            priority: if owner { 255 } else { priority },
            owner,
            preempt: flags & 2 == 0,
            preempt_delay: Duration::from_secs(u64::from(delay) * 20),
            accept: flags & 4 != 0,
            listen_before_use: flags & 8 == 0,
            checksum,
            ..Settings::new(Vrid::new(51).expect("not zero"), addresses)
        }
    }

    fn interval(&self, centiseconds: u16) -> Interval {
        let centiseconds = match self.version {
            Version::V2 => (centiseconds % 10 + 1) * 100,
            Version::V3 => centiseconds % 4095 + 1,
        };
        Interval::from_centiseconds(centiseconds).expect("not zero")
    }

    fn address(&self, last: u8) -> IpAddr {
        match self.family {
            Family::Ipv4 => IpAddr::from([192, 0, 2, last]),
            Family::Ipv6 => IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, u16::from(last) + 1]),
        }
    }

    fn path(&self, from: u8) -> Path {
        Path {
            source: self.address(from),
            destination: self.family.group(),
        }
    }

    fn hear(&mut self, to: usize, from: u8, octets: &[u8], hop_limit: u8) {
        let Path {
            source,
            destination,
        } = self.path(from);
        let received = self.now;
        self.input(
            to,
            Input::Packet {
                octets,
                source,
                destination,
                hop_limit,
                received,
            },
        );
    }

    fn input(&mut self, router: usize, input: Input<'_>) {
        self.routers[router].handle_input(input, self.now);
        self.collect(router);
    }

    fn run(&mut self, span: Duration, delivers: bool) {
        let end = self.now + span;
        loop {
            while let Some(to) = (0..3).find(|to| delivers && !self.waiting[*to].is_empty()) {
                let (from, octets) = self.waiting[to].pop_front().expect("it is not empty");
                self.hear(to, from as u8, &octets, 255);
            }
            let due = |router: &Machine| router.poll_timeout().filter(|at| *at <= end);
            let Some(next) = self.routers.iter().filter_map(due).min() else {
                break;
            };
            self.now = self.now.max(next);
            for router in 0..3 {
                self.routers[router].handle_timeout(self.now);
                self.collect(router);
                let next = self.routers[router].poll_timeout();
                assert!(next.is_none_or(|next| next > self.now), "it comes to rest");
            }
        }
        self.now = end;
    }

    fn collect(&mut self, from: usize) {
        while let Some(output) = self.routers[from].poll_output() {
            let Output::Transmit {
                source,
                destination,
                octets,
            } = output
            else {
                continue;
            };
            let path = Path {
                source,
                destination,
            };
            Advert::decode(&octets, path).expect("it wrote an advertisement");
            for to in (0..3).filter(|to| *to != from) {
                self.waiting[to].push_back((from, octets.to_vec()));
                self.waiting[to].truncate(100);
            }
        }
        let router = &self.routers[from];
        assert_eq!(
            router.valid_until().is_some(),
            router.state() == State::Active
        );
        assert!(router.state() != State::Active || router.priority() > 0);
    }

    /// Everything is as at the beginning; nobody pretends to be anyone any more.
    fn settle(&mut self) {
        for router in 0..3 {
            self.waiting[router].clear();
            self.input(router, Input::Shutdown);
        }
        self.waiting.iter_mut().for_each(VecDeque::clear);
        for router in 0..3 {
            self.begin(router);
        }
        self.run(Duration::from_secs(20), true);
        let states = self.routers.each_ref().map(Machine::state);
        assert_eq!(states, [State::Backup, State::Backup, State::Active]);
    }
}

fn of(number: u8) -> usize {
    usize::from(number % 3)
}
