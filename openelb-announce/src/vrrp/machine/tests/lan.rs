//! A link with several routers: packets are delayed, lost, and hosts die, freeze and are cut off.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::bench::address;
use crate::machine::Machine as _;
use crate::random::Random;
use crate::time::Time;
use crate::vrrp::Settings;
use crate::vrrp::machine::{Event, Input, Machine, Output, State};
use crate::vrrp::packet::HOP_LIMIT;

/// The longest that a packet is on its way.
pub(super) const DELAY: Duration = Duration::from_millis(2);

pub(super) struct Lan {
    pub(super) hosts: Vec<Host>,
    pub(super) now: Time,
    /// How many packets in a thousand are lost.
    pub(super) loss: u16,
    /// Pairs (from, to) that hear nothing of each other.
    pub(super) cut: Vec<(usize, usize)>,
    random: Random,
    flying: BTreeMap<(Time, u64), Packet>,
    serial: u64,
    /// Since when two hosts that hear each other would both answer.
    overlap_since: Option<Time>,
    /// The longest that this lasted.
    pub(super) longest_overlap: Duration,
    /// A frozen host went on and would have answered although another one did.
    pub(super) has_woken_beside_another: bool,
}

pub(super) struct Host {
    pub(super) machine: Machine,
    pub(super) is_alive: bool,
    pub(super) is_frozen: bool,
    pub(super) events: Vec<(Time, Event)>,
    /// What arrived while it was frozen.
    backlog: Vec<Packet>,
    settings: Settings,
}

#[derive(Clone)]
struct Packet {
    to: usize,
    source: IpAddr,
    destination: IpAddr,
    octets: Vec<u8>,
    arrival: Time,
}

impl Lan {
    /// Hosts 10, 11, … with these settings; all links up.
    pub(super) fn new(settings: impl IntoIterator<Item = Settings>, seed: u64) -> Self {
        let host = |settings: Settings| Host {
            machine: Machine::new(),
            is_alive: true,
            is_frozen: false,
            events: Vec::new(),
            backlog: Vec::new(),
            settings,
        };
        let mut lan = Self {
            hosts: settings.into_iter().map(host).collect(),
            now: Time::ZERO,
            loss: 0,
            cut: Vec::new(),
            random: Random::new(seed),
            flying: BTreeMap::new(),
            serial: 0,
            overlap_since: None,
            longest_overlap: Duration::ZERO,
            has_woken_beside_another: false,
        };
        for host in 0..lan.hosts.len() {
            lan.boot(host);
        }
        lan
    }

    /// A host starts, or starts again with nothing in its memory.
    pub(super) fn boot(&mut self, host: usize) {
        let settings = self.hosts[host].settings.clone();
        let primary = Some(primary(&settings, host));
        self.hosts[host].machine = Machine::new();
        self.hosts[host].backlog.clear();
        self.hosts[host].is_alive = true;
        self.hosts[host].is_frozen = false;
        self.input(host, Input::Configure(settings));
        self.input(host, Input::Link { up: true, primary });
    }

    pub(super) fn kill(&mut self, host: usize) {
        self.hosts[host].is_alive = false;
    }

    pub(super) fn freeze(&mut self, host: usize) {
        self.hosts[host].is_frozen = true;
    }

    /// What waits is read before the time is told, as every driver must.
    pub(super) fn thaw(&mut self, host: usize) {
        self.hosts[host].is_frozen = false;
        // The first thing that it does may be to answer a question, before it reads any of that.
        self.has_woken_beside_another |= self.answering().len() > 1 && self.answers(host);
        for packet in std::mem::take(&mut self.hosts[host].backlog) {
            self.hand_over(&packet);
        }
        let now = self.now;
        self.hosts[host].machine.handle_timeout(now);
        self.collect(host);
    }

    /// Cuts the hosts into those of `side` and the rest.
    pub(super) fn partition(&mut self, side: &[usize]) {
        let of = |host: &usize| side.contains(host);
        let hosts = 0..self.hosts.len();
        let pairs = hosts
            .clone()
            .flat_map(|from| hosts.clone().map(move |to| (from, to)));
        self.cut = pairs.filter(|(from, to)| of(from) != of(to)).collect();
    }

    pub(super) fn input(&mut self, host: usize, input: Input<'_>) {
        self.hosts[host].machine.handle_input(input, self.now);
        self.collect(host);
        self.measure();
    }

    /// Lets the time pass, everything happening in its order.
    pub(super) fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.next().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.measure();
            while let Some(entry) = self.flying.first_entry() {
                if entry.key().0 > self.now {
                    break;
                }
                let packet = entry.remove();
                self.deliver(packet);
            }
            for host in 0..self.hosts.len() {
                if self.hosts[host].runs() {
                    self.hosts[host].machine.handle_timeout(self.now);
                    self.collect(host);
                }
            }
            self.measure();
        }
        self.now = end;
        self.measure();
    }

    /// Runs until `condition` holds, and says how long it took; panics after `limit`.
    pub(super) fn run_until(
        &mut self,
        limit: Duration,
        condition: impl Fn(&Self) -> bool,
    ) -> Duration {
        let start = self.now;
        while !condition(self) {
            let next = self.next().expect("something is still to happen");
            assert!(next - start <= limit, "not within {limit:?}");
            self.run(next - self.now);
        }
        self.now - start
    }

    /// The hosts that are Active, frozen ones too.
    pub(super) fn active(&self) -> Vec<usize> {
        let hosts = self.hosts.iter().enumerate();
        let is_active = |host: &Host| host.is_alive && host.machine.state() == State::Active;
        hosts
            .filter(|(_, host)| is_active(host))
            .map(|(number, _)| number)
            .collect()
    }

    fn next(&self) -> Option<Time> {
        let running = self.hosts.iter().filter(|host| host.runs());
        let timers = running.filter_map(|host| host.machine.poll_timeout());
        let flying = self.flying.keys().next().map(|(at, _)| *at);
        timers.chain(flying).min()
    }

    fn deliver(&mut self, packet: Packet) {
        let host = &mut self.hosts[packet.to];
        if !host.is_alive {
            return;
        }
        if host.is_frozen {
            return host.backlog.push(packet);
        }
        self.hand_over(&packet);
    }

    fn hand_over(&mut self, packet: &Packet) {
        let input = Input::Packet {
            octets: &packet.octets,
            source: packet.source,
            destination: packet.destination,
            hop_limit: HOP_LIMIT,
            received: packet.arrival,
        };
        self.hosts[packet.to].machine.handle_input(input, self.now);
        self.collect(packet.to);
    }

    fn collect(&mut self, from: usize) {
        while let Some(output) = self.hosts[from].machine.poll_output() {
            match output {
                Output::Event(event) => self.hosts[from].events.push((self.now, event)),
                Output::Transmit {
                    source,
                    destination,
                    octets,
                } => {
                    for to in (0..self.hosts.len()).filter(|to| *to != from) {
                        let arrival = self.now + self.random.between(Duration::ZERO, DELAY);
                        let octets = octets.to_vec();
                        self.serial += 1;
                        let packet = Packet {
                            to,
                            source,
                            destination,
                            octets,
                            arrival,
                        };
                        let is_lost =
                            self.random.chance(self.loss) || self.cut.contains(&(from, to));
                        if !is_lost {
                            self.flying.insert((arrival, self.serial), packet);
                        }
                    }
                }
            }
        }
    }

    /// The hosts that would answer for the addresses now.
    fn answering(&self) -> Vec<usize> {
        let hosts = 0..self.hosts.len();
        hosts.filter(|host| self.answers(*host)).collect()
    }

    fn answers(&self, host: usize) -> bool {
        let host = &self.hosts[host];
        let until = host.machine.valid_until();
        host.runs() && until.is_some_and(|until| self.now < until)
    }

    /// Would two hosts that hear each other answer for the addresses now?
    fn measure(&mut self) {
        let answering = self.answering();
        let hear = |one: usize, other: usize| {
            !self.cut.contains(&(one, other)) && !self.cut.contains(&(other, one))
        };
        let pairs = answering
            .iter()
            .flat_map(|one| answering.iter().map(move |other| (*one, *other)));
        let is_overlap = pairs
            .into_iter()
            .any(|(one, other)| one < other && hear(one, other));
        match (is_overlap, self.overlap_since) {
            (true, None) => self.overlap_since = Some(self.now),
            (true, Some(since)) => {
                self.longest_overlap = self.longest_overlap.max(self.now - since);
            }
            (false, Some(since)) => {
                self.longest_overlap = self.longest_overlap.max(self.now - since);
                self.overlap_since = None;
            }
            (false, None) => {}
        }
    }

    /// Forgets how long two hosts answered so far.
    pub(super) fn measure_anew(&mut self) {
        self.longest_overlap = Duration::ZERO;
        self.overlap_since = None;
        self.measure();
    }
}

impl Host {
    const fn runs(&self) -> bool {
        self.is_alive && !self.is_frozen
    }

    pub(super) fn count(&self, counted: impl Fn(&Event) -> bool) -> usize {
        self.events
            .iter()
            .filter(|(_, event)| counted(event))
            .count()
    }
}

fn primary(settings: &Settings, host: usize) -> IpAddr {
    address(
        settings.family,
        10 + u8::try_from(host).expect("a handful of hosts"),
    )
}
