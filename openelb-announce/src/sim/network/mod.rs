//! The network: hosts, cables, one switch and one clock.

mod deliver;
mod election;
mod router;

use super::client::{Client, Neighbor};
use super::clock::Clock;
use super::netem::Impairment;
use super::speaker::{Happening, Speaker};
use super::switch::{Switch, SwitchOptions};
use super::trace::Trace;
use crate::claim::{Claim, Config, State};
use crate::random::Random;
use crate::time::Time;
use crate::wire::{Frame, Mac};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// What a network starts from.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// All randomness follows from it.
    pub seed: u64,
    /// How the switch behaves.
    pub switch: SwitchOptions,
    /// How the speakers' machines behave; each gets a seed of its own.
    pub config: Config,
    /// A speaker that did not run for longer fences itself off when it runs again; `None`: never.
    pub fence_after: Option<Duration>,
}

/// A host of one network, in the order of their creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(usize);

impl fmt::Display for HostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "host{}", self.0)
    }
}

/// A simulated network. Every method acts at the present instant; [`run`](Self::run) lets time pass.
///
/// Methods that name a host of the wrong kind do nothing.
#[derive(Debug)]
pub struct Network {
    setup: Setup,
    random: Random,
    now: Time,
    hosts: Vec<Host>,
    switch: Switch,
    blocked: BTreeSet<(usize, usize)>,
    // Ordered by time and then by the order in which they were scheduled; with the place of what is
    // pending then.
    schedule: BinaryHeap<Reverse<(Time, u64, usize)>>,
    pending: Vec<Option<Pending>>,
    /// The places that are empty.
    free: Vec<usize>,
    scheduled: u64,
    trace: Trace,
}

#[derive(Debug)]
struct Host {
    kind: Kind,
    up: Impairment,
    down: Impairment,
    /// When the host is woken next.
    wake: Option<Time>,
}

#[derive(Debug)]
enum Kind {
    Speaker(Box<Speaker>),
    Client(Box<Client>),
}

#[derive(Debug)]
enum Pending {
    AtSwitch { port: usize, frame: Frame },
    AtHost { host: usize, frame: Frame },
    Wake { host: usize },
}

impl Network {
    /// A network without hosts.
    pub fn new(setup: Setup) -> Self {
        Self {
            random: Random::new(setup.seed),
            now: Time::ZERO,
            hosts: Vec::new(),
            switch: Switch::new(setup.switch),
            blocked: BTreeSet::new(),
            schedule: BinaryHeap::new(),
            pending: Vec::new(),
            free: Vec::new(),
            scheduled: 0,
            trace: Trace::new(),
            setup,
        }
    }

    /// Adds a host that can announce addresses, its clock equal to the network's.
    pub fn add_speaker(&mut self) -> HostId {
        self.add_speaker_with_clock(Clock::default())
    }

    /// Adds a host that can announce addresses.
    pub fn add_speaker_with_clock(&mut self, clock: Clock) -> HostId {
        let config = Config {
            seed: self.random.bits(),
            ..self.setup.config.clone()
        };
        let speaker = Speaker::new(self.next_mac(), &config, clock, self.setup.fence_after);
        self.add(Kind::Speaker(Box::new(speaker)))
    }

    /// Adds a host that sends traffic to addresses.
    pub fn add_client(&mut self) -> HostId {
        let number = u16::try_from(self.hosts.len()).unwrap_or(u16::MAX);
        let client = Client::new(self.next_mac(), number, self.random.bits());
        self.add(Kind::Client(Box::new(client)))
    }

    /// The present instant.
    pub const fn now(&self) -> Time {
        self.now
    }

    /// Lets a speaker claim an address.
    pub fn claim(&mut self, speaker: HostId, claim: Claim) {
        self.happen(speaker, Happening::Claim(claim));
    }

    /// Lets a speaker release an address.
    pub fn release(&mut self, speaker: HostId, address: IpAddr) {
        self.happen(speaker, Happening::Release(address));
    }

    /// Renews a speaker's claims until `validity` from now, by its own clock.
    pub fn renew(&mut self, speaker: HostId, validity: Duration) {
        let deadline = self.local_time(speaker, self.now) + validity;
        self.happen(speaker, Happening::Renew(deadline));
    }

    /// Fences a speaker off.
    pub fn fence(&mut self, speaker: HostId) {
        self.happen(speaker, Happening::Fence);
    }

    /// Takes a speaker's interface up or down.
    pub fn set_link(&mut self, speaker: HostId, up: bool) {
        let mac = self.mac(speaker);
        self.happen(speaker, Happening::Link { mac, up });
    }

    /// Stops a speaker's process, as `SIGSTOP` or a stalled machine does; frames queue up meanwhile.
    pub fn pause(&mut self, speaker: HostId) {
        if let Some(speaker) = self.speaker_mut(speaker) {
            speaker.pause();
        }
    }

    /// Lets a paused process run again.
    pub fn resume(&mut self, speaker: HostId) {
        let now = self.local_time(speaker, self.now);
        if let Some(speaker) = self.speaker_mut(speaker) {
            speaker.resume(now);
        }
        self.settle(speaker.0);
    }

    /// Ends a speaker's process without a word, as `SIGKILL` does; the host goes on forwarding.
    pub fn stop(&mut self, speaker: HostId) {
        if let Some(speaker) = self.speaker_mut(speaker) {
            speaker.stop();
        }
    }

    /// Starts a speaker's process anew: it knows what it was told to announce by election, and
    /// nothing else. `boot` tells its beats from those of the former process.
    pub fn restart(&mut self, speaker: HostId, boot: u64) {
        let now = self.local_time(speaker, self.now);
        if let Some(speaker) = self.speaker_mut(speaker) {
            speaker.restart(boot, now);
        }
        self.settle(speaker.0);
    }

    /// Lets the switch forget where everybody is.
    pub fn forget_stations(&mut self) {
        self.switch.forget();
    }

    /// Lets a client send one frame of traffic.
    pub fn send(&mut self, client: HostId, address: IpAddr) {
        let now = self.now;
        if let Some(client) = self.client_mut(client) {
            client.send(address, now);
        }
        self.settle(client.0);
    }

    /// Lets a client send a frame of traffic now and again every so often.
    pub fn stream(&mut self, client: HostId, address: IpAddr, every: Duration) {
        let now = self.now;
        if let Some(client) = self.client_mut(client) {
            client.stream(address, every, now);
        }
        self.settle(client.0);
    }

    /// Sets the faults of a host's cable, in both directions.
    pub fn impair(&mut self, host: HostId, impairment: Impairment) {
        self.impair_sent(host, impairment);
        self.impair_received(host, impairment);
    }

    /// Sets the faults of a host's cable for what the host sends.
    pub fn impair_sent(&mut self, host: HostId, impairment: Impairment) {
        if let Some(host) = self.hosts.get_mut(host.0) {
            host.up = impairment;
        }
    }

    /// Sets the faults of a host's cable for what the host receives.
    pub fn impair_received(&mut self, host: HostId, impairment: Impairment) {
        if let Some(host) = self.hosts.get_mut(host.0) {
            host.down = impairment;
        }
    }

    /// Sets the faults of a host's cable in both directions; what is cut stays cut.
    pub(super) fn impair_gently(&mut self, host: HostId, impairment: Impairment) {
        if let Some(host) = self.hosts.get_mut(host.0) {
            host.up = Impairment {
                is_cut: host.up.is_cut,
                ..impairment
            };
            host.down = Impairment {
                is_cut: host.down.is_cut,
                ..impairment
            };
        }
    }

    /// From now on nothing that `from` sends reaches `to`; the way back is another matter.
    pub fn block(&mut self, from: HostId, to: HostId) {
        self.blocked.insert((from.0, to.0));
    }

    /// Splits the network: hosts on different sides do not hear each other.
    pub fn partition(&mut self, one: &[HostId], other: &[HostId]) {
        for (a, b) in one.iter().flat_map(|a| other.iter().map(move |b| (*a, *b))) {
            self.block(a, b);
            self.block(b, a);
        }
    }

    /// Ends all partitions.
    pub fn heal(&mut self) {
        self.blocked.clear();
    }

    /// Lets this much time pass.
    pub fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while self.step(end) {}
    }

    /// Lets time pass until the next thing happens, but not beyond `end`; false when `end` has come.
    pub fn step(&mut self, end: Time) -> bool {
        let next = self.schedule.peek().copied();
        let Some(Reverse((at, _, place))) = next.filter(|Reverse((at, ..))| *at <= end) else {
            self.now = self.now.max(end);
            return false;
        };
        self.schedule.pop();
        self.now = at;
        if let Some(pending) = self.pending.get_mut(place).and_then(Option::take) {
            self.free.push(place);
            self.take_place(pending);
        }
        true
    }

    /// Where a speaker stands with an address.
    pub fn state(&self, speaker: HostId, address: IpAddr) -> Option<State> {
        self.speaker(speaker)?.state(address)
    }

    /// Who answers for an address at present.
    pub fn owners(&self, address: IpAddr) -> Vec<HostId> {
        let hosts = (0..self.hosts.len()).map(HostId);
        hosts
            .filter(|host| self.state(*host, address) == Some(State::Announced))
            .collect()
    }

    /// What a client believes about an address.
    pub fn neighbor(&self, client: HostId, address: IpAddr) -> Option<Neighbor> {
        match &self.hosts.get(client.0)?.kind {
            Kind::Client(client) => client.neighbor(address),
            Kind::Speaker(_) => None,
        }
    }

    /// The hardware address of a host: locally administered, with the host's number in it.
    pub fn mac(&self, host: HostId) -> Mac {
        self.speaker(host)
            .map_or_else(|| mac(host.0), |speaker| speaker.mac)
    }

    /// What a host's clock shows at an instant of the network's.
    pub fn local_time(&self, host: HostId, at: Time) -> Time {
        self.speaker(host)
            .map_or(at, |speaker| speaker.clock.local(at))
    }

    /// Everything that happened so far, or since the trace was taken.
    pub const fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Takes the trace so far away, so that a long run need not keep all of it.
    pub fn take_trace(&mut self) -> Trace {
        std::mem::take(&mut self.trace)
    }

    fn add(&mut self, kind: Kind) -> HostId {
        let cable = Impairment::default();
        self.hosts.push(Host {
            kind,
            up: cable,
            down: cable,
            wake: None,
        });
        let port = self.switch.plug();
        self.settle(port);
        HostId(port)
    }

    fn next_mac(&self) -> Mac {
        mac(self.hosts.len())
    }

    fn speaker(&self, host: HostId) -> Option<&Speaker> {
        match &self.hosts.get(host.0)?.kind {
            Kind::Speaker(speaker) => Some(speaker),
            Kind::Client(_) => None,
        }
    }

    fn speaker_mut(&mut self, host: HostId) -> Option<&mut Speaker> {
        match &mut self.hosts.get_mut(host.0)?.kind {
            Kind::Speaker(speaker) => Some(speaker),
            Kind::Client(_) => None,
        }
    }

    fn client_mut(&mut self, host: HostId) -> Option<&mut Client> {
        match &mut self.hosts.get_mut(host.0)?.kind {
            Kind::Client(client) => Some(client),
            Kind::Speaker(_) => None,
        }
    }

    fn happen(&mut self, host: HostId, happening: Happening) {
        let now = self.local_time(host, self.now);
        if let Some(speaker) = self.speaker_mut(host) {
            speaker.happen(happening, now);
        }
        self.settle(host.0);
    }
}

fn mac(host: usize) -> Mac {
    let [high, low] = u16::try_from(host + 1).unwrap_or(u16::MAX).to_be_bytes();
    Mac::new([0x02, 0, 0, 0, high, low])
}
