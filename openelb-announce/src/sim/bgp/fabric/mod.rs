//! The fabric: who is there, what connects them, and one clock.

mod deliver;
mod dial;
mod host;

use super::router::{Record, Router, RouterOptions, Table};
use super::tcp::{Connection, Side};
use crate::bgp::config::{Config, ConfigError, Remote};
use crate::bgp::peer::Stop;
use crate::bgp::prefix::Prefix;
use crate::bgp::route::{LocalAddresses, Route};
use crate::bgp::session::ConnectionId;
use crate::bgp::speaker::{Applied, Event, Speaker};
use crate::bgp::status::PeerStatus;
use crate::random::Random;
use crate::time::Time;
use deliver::Pending;
use host::{Process, RouterHost, SpeakerHost};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

/// What a fabric starts from.
#[derive(Clone, Debug)]
pub struct FabricSetup {
    /// All randomness follows from it.
    pub seed: u64,
    /// How long octets, and the answer to a dial, need. Default 1 ms.
    pub delay: Duration,
    /// How many octets fit into a connection that nobody reads from. Default 64 KiB.
    pub window: usize,
    /// Octets arrive in pieces of random length up to this. Default 4,096.
    pub piece: usize,
}

impl Default for FabricSetup {
    fn default() -> Self {
        Self {
            seed: 0,
            delay: Duration::from_millis(1),
            window: 65_536,
            piece: 4_096,
        }
    }
}

/// A router of one fabric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouterId(usize);

/// A speaker of one fabric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpeakerId(usize);

/// What becomes of connections to a router.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listening {
    /// They are accepted.
    #[default]
    Accepts,
    /// They are refused.
    Refuses,
    /// They are not answered.
    Silent,
}

/// Speakers, routers, and the connections between them. Every method acts at the present instant;
/// [`run`](Self::run) lets time pass. Methods that name nobody do nothing.
#[derive(Debug)]
pub struct Fabric {
    setup: FabricSetup,
    random: Random,
    now: Time,
    speakers: Vec<SpeakerHost>,
    routers: Vec<RouterHost>,
    wires: BTreeMap<u64, Wire>,
    next_wire: u64,
    // Ordered by time and then by the order in which they were scheduled.
    schedule: BinaryHeap<Reverse<(Time, u64)>>,
    pending: BTreeMap<u64, Pending>,
    scheduled: u64,
}

/// A connection between a speaker and a router.
#[derive(Debug)]
struct Wire {
    tcp: Connection,
    speaker: usize,
    router: usize,
    /// The speaker's number for it, until its end is closed.
    number: Option<ConnectionId>,
    speaker_side: Side,
    /// Is the router's end open?
    is_open_at_router: bool,
}

impl Fabric {
    /// A fabric without anybody.
    pub fn new(setup: FabricSetup) -> Self {
        Self {
            random: Random::new(setup.seed),
            setup,
            now: Time::ZERO,
            speakers: Vec::new(),
            routers: Vec::new(),
            wires: BTreeMap::new(),
            next_wire: 0,
            schedule: BinaryHeap::new(),
            pending: BTreeMap::new(),
            scheduled: 0,
        }
    }

    /// Adds a router that waits to be dialled.
    pub fn add_router(&mut self, options: RouterOptions) -> RouterId {
        self.routers.push(RouterHost::new(options));
        RouterId(self.routers.len() - 1)
    }

    /// Adds a node with a running speaker.
    pub fn add_speaker(&mut self) -> SpeakerId {
        let id = SpeakerId(self.speakers.len());
        self.speakers.push(SpeakerHost::new(addresses(id.0)));
        self.start(id);
        id
    }

    /// Where a router is, for a configuration.
    pub fn remote(&self, router: RouterId) -> Remote {
        Remote::from(router_address(router.0))
    }

    /// The addresses of a speaker's node.
    pub fn addresses(&self, speaker: SpeakerId) -> LocalAddresses {
        let host = self.speakers.get(speaker.0);
        host.map_or_else(|| addresses(speaker.0), |host| host.addresses)
    }

    /// Gives a speaker's node other addresses; sessions that are up learn of it.
    pub fn set_addresses(&mut self, speaker: SpeakerId, addresses: LocalAddresses) {
        if let Some(host) = self.speakers.get_mut(speaker.0) {
            host.addresses = addresses;
        }
        for connection in self.connections_of(speaker.0) {
            let input = crate::bgp::speaker::Input::Addresses {
                connection,
                addresses,
            };
            self.tell(speaker.0, input);
        }
    }

    /// Configures a speaker; a restarted one is configured so, too.
    pub fn configure(
        &mut self,
        speaker: SpeakerId,
        config: Config,
    ) -> Result<Vec<Applied>, ConfigError> {
        let config = Arc::new(config);
        let mut applied = Ok(Vec::new());
        self.with(speaker, |process, now| {
            applied = process.speaker.configure(&config, now);
        });
        if let (Ok(_), Some(host)) = (&applied, self.speakers.get_mut(speaker.0)) {
            host.config = Some(config);
        }
        applied
    }

    /// Says what a speaker should announce, and that this is all; a restarted one announces it, too.
    pub fn announce(&mut self, speaker: SpeakerId, routes: Vec<Route>) {
        if let Some(host) = self.speakers.get_mut(speaker.0) {
            host.routes.clone_from(&routes);
        }
        self.with(speaker, |process, now| {
            process.speaker.announce(routes, now);
            process.speaker.synced(now);
        });
    }

    /// Changes some of what a speaker announces.
    pub fn change(&mut self, speaker: SpeakerId, routes: &[Route], withdrawn: &[Prefix]) {
        if let Some(host) = self.speakers.get_mut(speaker.0) {
            let is_replaced = |old: &Route| routes.iter().any(|new| new.prefix == old.prefix);
            host.routes
                .retain(|old| !is_replaced(old) && !withdrawn.contains(&old.prefix));
            host.routes.extend_from_slice(routes);
        }
        self.with(speaker, |process, now| {
            process.speaker.change(routes.to_vec(), withdrawn, now);
        });
    }

    /// Asks all routers to prefer other paths.
    pub fn drain(&mut self, speaker: SpeakerId) {
        self.with(speaker, |process, now| process.speaker.drain(now));
    }

    /// Takes a drain back.
    pub fn undrain(&mut self, speaker: SpeakerId) {
        self.with(speaker, |process, now| process.speaker.undrain(now));
    }

    /// Ends a speaker in an orderly way. Its process is gone once all is said.
    pub fn stop(&mut self, speaker: SpeakerId, stop: &Stop) {
        self.with(speaker, |process, now| process.speaker.stop(stop, now));
        if let Some(host) = self.speakers.get_mut(speaker.0) {
            host.process = None;
        }
    }

    /// Ends a speaker's process on the spot, as `kill -9` does: the kernel closes its connections.
    pub fn kill(&mut self, speaker: SpeakerId) {
        let Some(host) = self.speakers.get_mut(speaker.0) else {
            return;
        };
        host.process = None;
        for wire in self.wires_of(speaker.0) {
            self.close_at_speaker(wire);
        }
    }

    /// Starts a speaker's process, with the configuration and the routes of the former one, which it
    /// says are complete.
    pub fn start(&mut self, speaker: SpeakerId) {
        let seed = self.random.bits();
        let Some(host) = self.speakers.get_mut(speaker.0) else {
            return;
        };
        let now = host.local(self.now);
        host.process = Some(Process::new(Speaker::new(seed, now)));
        let (config, routes) = (host.config.clone(), host.routes.clone());
        let Some(config) = config else {
            return;
        };
        self.with(speaker, |process, now| {
            // It was accepted by the former process.
            let _applied = process.speaker.configure(&config, now);
        });
        self.announce(speaker, routes);
    }

    /// Stops a speaker's process as `SIGSTOP` does; what arrives waits in the kernel.
    pub fn pause(&mut self, speaker: SpeakerId) {
        if let Some(host) = self.speakers.get_mut(speaker.0) {
            host.is_paused = true;
        }
    }

    /// Lets a paused process run again.
    pub fn resume(&mut self, speaker: SpeakerId) {
        if let Some(host) = self.speakers.get_mut(speaker.0) {
            host.is_paused = false;
        }
        for wire in self.wires_of(speaker.0) {
            self.read_at_speaker(wire);
            self.pump(wire);
        }
        self.wake_speaker(speaker.0);
    }

    /// Lets a speaker's clock leap ahead, as after a suspend.
    pub fn leap(&mut self, speaker: SpeakerId, span: Duration) {
        if let Some(host) = self.speakers.get_mut(speaker.0) {
            host.offset += span;
        }
        self.wake_speaker(speaker.0);
    }

    /// Decides what becomes of connections to a router.
    pub fn listen(&mut self, router: RouterId, listening: Listening) {
        if let Some(host) = self.routers.get_mut(router.0) {
            host.listening = listening;
        }
    }

    /// Lets a router dial a speaker every three seconds while they have no session.
    pub fn dial_from(&mut self, router: RouterId, speaker: SpeakerId) {
        if let Some(host) = self.routers.get_mut(router.0) {
            host.dials.insert(speaker.0, self.now);
        }
        self.reschedule_router(router.0);
    }

    /// Lets a router stop reading from its connections, or go on.
    pub fn stall(&mut self, router: RouterId, is_stalled: bool) {
        if let Some(host) = self.routers.get_mut(router.0) {
            host.is_stalled = is_stalled;
        }
        let wires = self
            .wires
            .iter()
            .filter(|(_, wire)| wire.router == router.0);
        let wires: Vec<u64> = wires.map(|(id, _)| *id).collect();
        for wire in wires {
            self.read_at_router(wire);
        }
        self.wake_router(router.0);
    }

    /// Resets all connections between the two.
    pub fn reset(&mut self, speaker: SpeakerId, router: RouterId) {
        for id in self.wires_between(speaker, router) {
            let now = self.now;
            if let Some(wire) = self.wires.get_mut(&id) {
                let at = wire.tcp.reset(now);
                self.schedule(at, Pending::AtSpeaker { wire: id });
                self.schedule(at, Pending::AtRouter { wire: id });
            }
        }
    }

    /// Cuts all connections between the two without telling anybody: they are half open from now on.
    pub fn cut(&mut self, speaker: SpeakerId, router: RouterId) {
        for id in self.wires_between(speaker, router) {
            if let Some(wire) = self.wires.get_mut(&id) {
                wire.tcp.cut();
            }
        }
    }

    /// Lets a router send octets in its session with a speaker, whatever they mean.
    pub fn inject(&mut self, router: RouterId, speaker: SpeakerId, octets: &[u8]) {
        let machine = self
            .routers
            .get(router.0)
            .and_then(|host| host.machines.get(&speaker.0));
        if let Some(wire) = machine.and_then(Router::established) {
            self.send_from_router(wire, octets.to_vec());
        }
    }

    /// Lets this much time pass.
    pub fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(Reverse((at, number))) = self.schedule.peek().copied() {
            if at > end {
                break;
            }
            self.schedule.pop();
            self.now = at;
            if let Some(pending) = self.pending.remove(&number) {
                self.take_place(pending);
            }
        }
        self.now = end;
    }

    /// The present instant.
    pub const fn now(&self) -> Time {
        self.now
    }

    /// What a router was told by a speaker; `None` if they never met.
    pub fn table(&self, router: RouterId, speaker: SpeakerId) -> Option<&Table> {
        Some(
            self.routers
                .get(router.0)?
                .machines
                .get(&speaker.0)?
                .table(),
        )
    }

    /// What a router has seen of a speaker; `None` if they never met.
    pub fn record(&self, router: RouterId, speaker: SpeakerId) -> Option<&Record> {
        Some(
            self.routers
                .get(router.0)?
                .machines
                .get(&speaker.0)?
                .record(),
        )
    }

    /// Does the router think that the session is up?
    pub fn is_established(&self, router: RouterId, speaker: SpeakerId) -> bool {
        let host = self.routers.get(router.0);
        let machine = host.and_then(|host| host.machines.get(&speaker.0));
        machine.is_some_and(Router::is_established)
    }

    /// How a speaker sees its peers; nothing while it does not run.
    pub fn status(&self, speaker: SpeakerId) -> Vec<PeerStatus> {
        let host = self.speakers.get(speaker.0);
        let process = host.and_then(|host| Some((host.process.as_ref()?, host.local(self.now))));
        process.map_or_else(Vec::new, |(process, now)| process.speaker.status(now))
    }

    /// What a speaker's process has reported since it started.
    pub fn events(&self, speaker: SpeakerId) -> &[Event] {
        let process = self
            .speakers
            .get(speaker.0)
            .and_then(|host| host.process.as_ref());
        process.map_or(&[], |process| &process.events)
    }

    fn wires_of(&self, speaker: usize) -> Vec<u64> {
        let wires = self
            .wires
            .iter()
            .filter(|(_, wire)| wire.speaker == speaker);
        wires.map(|(id, _)| *id).collect()
    }

    fn wires_between(&self, speaker: SpeakerId, router: RouterId) -> Vec<u64> {
        let wires = self
            .wires
            .iter()
            .filter(|(_, wire)| wire.router == router.0);
        let wires = wires.filter(|(_, wire)| wire.speaker == speaker.0);
        wires.map(|(id, _)| *id).collect()
    }

    fn connections_of(&self, speaker: usize) -> Vec<ConnectionId> {
        let wires = self.wires.values().filter(|wire| wire.speaker == speaker);
        wires.filter_map(|wire| wire.number).collect()
    }
}

/// The addresses of a node: of both families, on the link of every router.
fn addresses(speaker: usize) -> LocalAddresses {
    let number = u16::try_from(speaker + 1).unwrap_or(u16::MAX);
    let [high, low] = number.to_be_bytes();
    let v4 = Ipv4Addr::new(10, 0, high, low);
    LocalAddresses {
        session: IpAddr::V4(v4),
        v4: Some(v4),
        v6_global: Some(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, number)),
        v6_link_local: Some(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, number)),
        on_link: true,
    }
}

fn router_address(router: usize) -> IpAddr {
    let number = u16::try_from(router + 1).unwrap_or(u16::MAX);
    let [high, low] = number.to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(10, 1, high, low))
}
