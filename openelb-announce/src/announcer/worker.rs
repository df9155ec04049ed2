//! What the I/O thread does: follows the desired set and the host's interfaces with its stations.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use super::announcement::Desired;
use super::mailbox::Mailbox;
use super::options::Options;
use super::outbox::Outbox;
use super::plan::{self, Change};
use super::report::{Snapshot, StationView};
use super::station::{Lease, SocketState, Station};
use super::status::Event;
use crate::claim::{Config, Input, Output};
use crate::driver::opener::{Answer, Opener, Request};
use crate::driver::poller::Poller;
use crate::driver::port::{PortKey, Protocol};
use crate::driver::{Host, clock};
use crate::link::netlink::Monitor;
use crate::link::raw_socket::Batch;
use crate::link::{InterfaceSelector, NoInterface, RouteError};
use crate::time::Time;

/// The state of the I/O thread. Nobody else touches it.
pub(crate) struct Worker {
    options: Options,
    mailbox: Arc<Mailbox>,
    monitor: Monitor,
    outbox: Outbox,
    desired: Arc<Desired>,
    /// What each selector of `desired` means at present.
    resolved: Vec<Result<BTreeSet<u32>, NoInterface>>,
    stations: BTreeMap<PortKey, Station>,
    /// What the routing table said about the addresses that selectors depend on.
    routes: BTreeMap<IpAddr, Result<u32, RouteError>>,
    /// When to ask it again, if there are any.
    rescan_at: Option<Time>,
    lease: Time,
    batch: Batch,
    wishes: Vec<Output>,
    is_finished: bool,
}

impl Worker {
    /// A worker that announces nothing yet, and the poller that wakes it.
    pub(crate) fn new(
        options: Options,
        mailbox: Arc<Mailbox>,
        opener: Opener,
        events: SyncSender<Event>,
    ) -> io::Result<(Self, Poller)> {
        let monitor = Monitor::open()?;
        let poller = Poller::new()?;
        poller.watch(&**mailbox.wake(), WAKE)?;
        poller.watch(&monitor, NETLINK)?;
        let worker = Self {
            options,
            mailbox,
            monitor,
            outbox: Outbox::new(opener, events),
            desired: Arc::default(),
            resolved: Vec::new(),
            stations: BTreeMap::new(),
            routes: BTreeMap::new(),
            rescan_at: None,
            lease: Time::ZERO,
            batch: Batch::new(),
            wishes: Vec::new(),
            is_finished: false,
        };
        Ok((worker, poller))
    }

    /// Does what the handle left, and takes what the opener has to say.
    fn handle_letters(&mut self, poller: &Poller) -> io::Result<()> {
        let letters = self.mailbox.collect();
        while let Some(answer) = self.outbox.opener.answer() {
            self.handle_answer(answer, poller)?;
        }
        if letters.stop {
            self.adopt(Desired::default(), poller)?;
            let keys: Vec<PortKey> = self.stations.keys().copied().collect();
            for key in keys {
                self.close(key, poller)?;
            }
            self.is_finished = true;
        } else if let Some(desired) = letters.desired {
            self.adopt(desired, poller)?;
        }
        for asker in letters.questions {
            // An asker that has given up is no concern of this thread.
            drop(asker.send(self.snapshot()));
        }
        Ok(())
    }

    fn handle_answer(&mut self, answer: Answer, poller: &Poller) -> io::Result<()> {
        let now = clock::now();
        match answer {
            Answer::Opened(key, filter, Ok(socket)) => {
                let config = self.config(key);
                let lease = Lease {
                    until: self.lease.max(now),
                    now,
                };
                let Some(station) = self
                    .stations
                    .get_mut(&key)
                    .filter(|station| station.is_opening())
                else {
                    self.outbox.opener.ask(Request::Close(socket));
                    return Ok(());
                };
                if let Err(error) = poller.watch(&socket, token(key)) {
                    station.fail(error.to_string(), now);
                    self.outbox.opener.ask(Request::Close(socket));
                    return Ok(());
                }
                station.open(socket, filter, config, lease, &mut self.wishes);
                self.outbox.carry_out(station, &mut self.wishes);
            }
            Answer::Opened(key, _, Err(error)) => {
                if let Some(station) = self.stations.get_mut(&key) {
                    tracing::warn!(interface = %station.name, %error, "packet socket not opened");
                    station.fail(error.to_string(), now);
                }
            }
            Answer::Route(target, answer) => {
                let known = self.routes.get_mut(&target);
                if let Some(known) = known.filter(|known| **known != answer) {
                    *known = answer;
                    self.reconsider(poller)?;
                }
            }
            Answer::Membership(index, group, error) => {
                let key = PortKey {
                    index,
                    protocol: Protocol::Ndp,
                };
                if let Some(station) = self.stations.get_mut(&key) {
                    station.note_error(format!("membership of group {group}: {error}"));
                }
            }
        }
        Ok(())
    }

    /// Makes `desired` what is announced.
    fn adopt(&mut self, desired: Desired, poller: &Poller) -> io::Result<()> {
        self.desired = Arc::new(desired);
        self.resolve_selectors();
        self.lead_stations(poller)
    }

    /// Acts if selectors mean other links than before. Most news of the host change nothing here.
    fn reconsider(&mut self, poller: &Poller) -> io::Result<()> {
        let before = std::mem::take(&mut self.resolved);
        self.resolve_selectors();
        if self.resolved == before {
            return Ok(());
        }
        self.lead_stations(poller)
    }

    fn resolve_selectors(&mut self) {
        let mut targets = BTreeSet::new();
        for selector in &self.desired.selectors {
            selector.route_targets(&mut targets);
        }
        self.routes.retain(|target, _| targets.contains(target));
        for target in targets {
            self.routes.entry(target).or_insert_with(|| {
                self.outbox.opener.ask(Request::Route(target));
                Err(RouteError::Pending)
            });
        }
        if self.rescan_at.is_none() != self.routes.is_empty() {
            self.rescan_at = (!self.routes.is_empty()).then(|| clock::now() + RESCAN);
        }
        let (topology, routes) = (self.monitor.topology(), &self.routes);
        let mut route = |target| match routes.get(&target) {
            Some(answer) => answer.clone(),
            None => Err(RouteError::Pending),
        };
        let mut resolve = |selector: &InterfaceSelector| {
            selector.resolve(topology, &self.options.excluded, &mut route)
        };
        self.resolved = self.desired.selectors.iter().map(&mut resolve).collect();
    }

    /// Asks the routing table again about everything that depends on it.
    fn ask_routes(&mut self) {
        for target in self.routes.keys() {
            self.outbox.opener.ask(Request::Route(*target));
        }
        self.rescan_at = self.rescan_at.map(|_| clock::now() + RESCAN);
    }

    /// Leads every station to what it should announce.
    fn lead_stations(&mut self, poller: &Poller) -> io::Result<()> {
        let now = clock::now();
        let links = self
            .resolved
            .iter()
            .map(|links| links.clone().unwrap_or_default());
        let mut placements = plan::place(&self.desired, &links.collect::<Vec<_>>());

        // All releases come before the first claim: an address that moves between two interfaces of
        // this host is never answered for on both.
        let keys: Vec<PortKey> = self.stations.keys().copied().collect();
        let mut changes: Vec<(PortKey, Change)> = Vec::new();
        for key in keys {
            let targets = placements.remove(&key).unwrap_or_default();
            if let Some(station) = self.stations.get_mut(&key) {
                let change = station.release(targets, now, &mut self.wishes);
                self.outbox.carry_out(station, &mut self.wishes);
                changes.push((key, change));
            }
            // A station without addresses stays, deaf, for as long as its link: opening sockets takes
            // milliseconds, which the next address to move here would wait for.
            if self.monitor.topology().link(key.index).is_none() {
                self.close(key, poller)?;
            }
        }
        for (key, change) in changes {
            if let Some(station) = self.stations.get_mut(&key) {
                station.claim(&change, now, &mut self.wishes);
                self.outbox.carry_out(station, &mut self.wishes);
            }
        }
        for (key, targets) in placements {
            if let Some(link) = self.monitor.topology().link(key.index) {
                self.stations
                    .insert(key, Station::new(key, link, targets, &self.outbox.opener));
            }
        }
        Ok(())
    }

    /// Tells every station how its link is now.
    fn follow_links(&mut self) {
        let now = clock::now();
        for station in self.stations.values_mut() {
            if let Some(link) = self.monitor.topology().link(station.key.index) {
                station.follow(link, now, &mut self.wishes);
                self.outbox.carry_out(station, &mut self.wishes);
            }
        }
    }

    fn close(&mut self, key: PortKey, poller: &Poller) -> io::Result<()> {
        if let Some(Station {
            socket: SocketState::Open(port),
            ..
        }) = self.stations.remove(&key)
        {
            poller.forget(&port.socket())?;
            self.outbox.opener.ask(Request::Close(port.into_socket()));
        }
        if key.protocol == Protocol::Ndp {
            self.outbox.opener.ask(Request::LeaveAll(key.index));
        }
        Ok(())
    }

    /// Two hosts, or two interfaces, that start together must not probe together.
    fn config(&self, key: PortKey) -> Config {
        let mut config = self.options.machine.clone();
        config.seed ^= RandomState::new().hash_one((key, clock::now()));
        config
    }

    /// Copies what a report is made of; the asker's thread puts it together.
    fn snapshot(&mut self) -> Snapshot {
        Snapshot {
            desired: Arc::clone(&self.desired),
            resolved: self.resolved.clone(),
            stations: self.stations.values_mut().map(StationView::of).collect(),
            sightings: self.outbox.sightings.clone(),
            topology: self.monitor.topology().clone(),
            now: clock::now(),
        }
    }
}

impl Host for Worker {
    fn is_finished(&self) -> bool {
        self.is_finished
    }

    fn poll_timeout(&self) -> Option<Time> {
        let stations = self.stations.values().filter_map(Station::poll_timeout);
        stations.chain(self.rescan_at).min()
    }

    fn fence(&mut self, pause: Duration, now: Time) {
        for station in self.stations.values_mut() {
            let Some(port) = station.port() else { continue };
            port.discard_queued(&mut self.batch);
            port.handle_input(Input::Fence, now, &mut self.wishes);
            self.outbox.carry_out(station, &mut self.wishes);
        }
        tracing::warn!(
            ?pause,
            "did not run for a while; every address starts again"
        );
        self.outbox.tell(Event::Paused { pause });
    }

    fn renew(&mut self, until: Time, now: Time) {
        self.lease = until;
        for station in self.stations.values_mut() {
            let Some(port) = station.port() else { continue };
            port.handle_input(Input::Renew(until), now, &mut self.wishes);
            self.outbox.carry_out(station, &mut self.wishes);
        }
    }

    fn feed(&mut self, ready: u64, poller: &Poller) -> io::Result<()> {
        match ready {
            WAKE => self.handle_letters(poller),
            NETLINK => {
                if self.monitor.receive()? {
                    self.follow_links();
                    let soon = clock::now() + SETTLE;
                    self.rescan_at = self.rescan_at.map(|at| at.min(soon));
                    self.reconsider(poller)?;
                }
                Ok(())
            }
            _ => {
                let Some(station) = self.stations.get_mut(&key(ready)) else {
                    return Ok(());
                };
                if let Some(port) = station.port() {
                    port.receive(&mut self.batch, &mut self.wishes);
                    self.outbox.carry_out(station, &mut self.wishes);
                }
                Ok(())
            }
        }
    }

    fn handle_timeout(&mut self, now: Time) {
        for station in self.stations.values_mut() {
            station.retry(now, &self.outbox.opener);
            if let Some(port) = station.port() {
                port.handle_timeout(now, &mut self.wishes);
                self.outbox.carry_out(station, &mut self.wishes);
            }
        }
        if self.rescan_at.is_some_and(|at| at <= now) {
            self.ask_routes();
        }
    }
}

fn token(key: PortKey) -> u64 {
    let protocol = match key.protocol {
        Protocol::Arp => 0,
        Protocol::Ndp => 1,
    };
    FIRST_PORT + (u64::from(key.index) << 1) + protocol
}

fn key(token: u64) -> PortKey {
    let number = token - FIRST_PORT;
    let protocol = if number & 1 == 0 {
        Protocol::Arp
    } else {
        Protocol::Ndp
    };
    PortKey {
        index: u32::try_from(number >> 1).unwrap_or_default(),
        protocol,
    }
}

const WAKE: u64 = 0;
const NETLINK: u64 = 1;
const FIRST_PORT: u64 = 2;
// Routes are not subscribed to: a router's table changes thousands of times a second.
const RESCAN: Duration = Duration::from_secs(10);
// News come in bursts, and routes follow links and addresses with a delay.
const SETTLE: Duration = Duration::from_millis(200);
