//! Two hosts with a session each, and the two directions of the link between them.

use crate::bfd::machine::{Change, Input, Output, Session};
use crate::bfd::packet::{Packet, State};
use crate::bfd::settings::Settings;
use crate::machine::Machine;
use crate::random::Random;
use crate::time::Time;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

/// What one direction of the link does to packets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// Of a thousand packets this many are lost.
    pub(super) lost: u16,
    /// Of a thousand packets this many arrive twice.
    pub(super) doubled: u16,
    pub(super) delay: (Duration, Duration),
    /// Packets may arrive in another order than they were sent.
    pub(super) reorders: bool,
}

impl Link {
    pub(super) const GOOD: Self = Self {
        lost: 0,
        doubled: 0,
        delay: (Duration::from_micros(100), Duration::from_millis(2)),
        reorders: false,
    };
    pub(super) const CUT: Self = Self {
        lost: 1000,
        ..Self::GOOD
    };
    /// Loses a fifth, doubles a tenth, and lets packets overtake each other.
    pub(super) const BAD: Self = Self {
        lost: 200,
        doubled: 100,
        delay: (Duration::ZERO, Duration::from_millis(400)),
        reorders: true,
    };
}

/// One of the two hosts.
pub(super) struct Host {
    pub(super) session: Session,
    /// How far its clock is ahead of the world's.
    ahead: Duration,
    /// It does not run before; packets wait.
    frozen_until: Time,
    waiting: Vec<Vec<u8>>,
    /// When it last took in a packet.
    pub(super) heard_at: Option<Time>,
    pub(super) changes: Vec<(Time, Change)>,
}

/// The world. Host `n` sends over link `n`.
pub(super) struct World {
    pub(super) now: Time,
    pub(super) hosts: [Host; 2],
    pub(super) links: [Link; 2],
    random: Random,
    in_flight: BTreeMap<(Time, u64), (usize, Vec<u8>)>,
    /// When the last packet of each link arrives that must not be overtaken.
    last_arrival: [Time; 2],
    launched: u64,
}

impl World {
    /// Both are enabled, and the link works.
    pub(super) fn new(settings: [Settings; 2], seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut number = 0;
        let hosts = settings.map(|settings| {
            number += 1;
            let discriminator = NonZeroU32::new(number).unwrap();
            Host {
                session: Session::new(settings, discriminator, random.bits()),
                ahead: random.between(Duration::ZERO, Duration::from_secs(1_000_000)),
                frozen_until: Time::ZERO,
                waiting: Vec::new(),
                heard_at: None,
                changes: Vec::new(),
            }
        });
        let mut world = Self {
            now: Time::ZERO,
            hosts,
            links: [Link::GOOD; 2],
            random,
            in_flight: BTreeMap::new(),
            last_arrival: [Time::ZERO; 2],
            launched: 0,
        };
        for host in 0..2 {
            world.input(host, Input::Enable);
        }
        world
    }

    pub(super) fn input(&mut self, host: usize, input: Input<'_>) {
        let now = self.now + self.hosts[host].ahead;
        self.hosts[host].session.handle_input(input, now);
        self.carry_out(host);
    }

    /// The host stops for a while: packets wait, timers do not fire.
    pub(super) fn freeze(&mut self, host: usize, span: Duration) {
        self.hosts[host].frozen_until = self.now + span;
    }

    /// The host's clock jumps forward, as after a suspension that nobody else noticed.
    pub(super) fn jump(&mut self, host: usize, span: Duration) {
        self.hosts[host].ahead += span;
    }

    pub(super) fn are_up(&self) -> bool {
        self.hosts
            .iter()
            .all(|host| host.session.state() == State::Up)
    }

    /// Lets time pass.
    pub(super) fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(next) = self.next_instant().filter(|at| *at <= end) {
            self.now = self.now.max(next);
            while let Some(entry) = self.in_flight.first_entry() {
                if entry.key().0 > self.now {
                    break;
                }
                let (host, octets) = entry.remove();
                self.hosts[host].waiting.push(octets);
            }
            for host in 0..2 {
                self.serve(host);
            }
        }
        self.now = end;
    }

    /// What waits first, then the deadlines: as the driver does.
    fn serve(&mut self, host: usize) {
        if self.hosts[host].frozen_until > self.now {
            return;
        }
        for octets in std::mem::take(&mut self.hosts[host].waiting) {
            self.deliver(host, &octets);
        }
        let now = self.now + self.hosts[host].ahead;
        if self.hosts[host]
            .session
            .poll_timeout()
            .is_some_and(|at| at <= now)
        {
            self.hosts[host].session.handle_timeout(now);
            self.carry_out(host);
        }
    }

    fn deliver(&mut self, host: usize, octets: &[u8]) {
        let received = Packet::decode(octets).unwrap();
        let before = self.hosts[host].session.state();
        let other_was_heard = self.hosts[1 - host].heard_at.is_some();
        self.hosts[host].heard_at = Some(self.now);
        let ttl = 255;
        self.input(
            host,
            Input::Packet {
                received: &received,
                ttl,
            },
        );
        let session = &self.hosts[host].session;
        if before != State::Up && session.state() == State::Up {
            // Three-way: the neighbour has heard us, and says so.
            assert!(matches!(received.packet.state, State::Init | State::Up));
            let ours = Some(session.discriminator());
            assert_eq!(received.packet.your_discriminator, ours);
            assert!(other_was_heard);
        }
    }

    fn next_instant(&self) -> Option<Time> {
        let deadline = |host: &Host| {
            let own = host.session.poll_timeout()?;
            let at = Time::from_nanos(own.as_nanos()) - host.ahead;
            Some(at.max(host.frozen_until))
        };
        let deadlines = self.hosts.iter().filter_map(deadline);
        let thaws = self.hosts.iter().filter(|host| !host.waiting.is_empty());
        let thaws = thaws.map(|host| host.frozen_until);
        let arrivals = self.in_flight.keys().map(|(at, _)| *at).take(1);
        deadlines.chain(thaws).chain(arrivals).min()
    }

    fn carry_out(&mut self, host: usize) {
        while let Some(output) = self.hosts[host].session.poll_output() {
            match output {
                Output::Transmit(octets) => self.launch(host, &octets),
                Output::Change(change) => self.hosts[host].changes.push((self.now, change)),
                Output::Discarded(_) => {}
            }
        }
    }

    fn launch(&mut self, from: usize, octets: &[u8]) {
        let Link {
            lost,
            doubled,
            delay: (shortest, longest),
            reorders,
        } = self.links[from];
        let copies = 1 + usize::from(self.random.chance(doubled));
        for _ in 0..copies {
            if self.random.chance(lost) {
                continue;
            }
            let mut at = self.now + self.random.between(shortest, longest);
            if !reorders {
                at = at.max(self.last_arrival[from]);
                self.last_arrival[from] = at;
            }
            self.launched += 1;
            self.in_flight
                .insert((at, self.launched), (1 - from, octets.to_vec()));
        }
    }
}
