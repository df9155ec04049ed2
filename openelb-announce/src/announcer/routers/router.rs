//! One virtual router on one link: the machine, and what is done for it.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use super::lane::{Lane, LaneKey};
use super::presence::{Orders, Presence, Progress};
use super::status::RouterStatus;
use crate::announcer::announcement::{RouterName, VirtualRouter};
use crate::announcer::component::Surroundings;
use crate::announcer::status::Event;
use crate::claim::Probe;
use crate::driver::port::Role;
use crate::link::configure::Macvlan;
use crate::link::topology::Link;
use crate::link::vrrp_socket::VrrpSocket;
use crate::machine::Machine as _;
use crate::time::Time;
use crate::vrrp::{self, Input, Output, State, Vrid};
use crate::wire::Mac;

/// A virtual router on a link; a host has one for each of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RouterKey {
    pub(crate) lane: LaneKey,
    pub(crate) vrid: Vrid,
}

impl RouterKey {
    /// The role of the station that answers for its addresses.
    pub(crate) fn role(self) -> Role {
        Role::Router(self.lane.family.into(), self.vrid.get())
    }
}

/// A virtual router at work.
pub(crate) struct Router {
    key: RouterKey,
    name: RouterName,
    /// The present name of its link, for events.
    interface: Arc<str>,
    /// What frames come from, when that is not the link's own address.
    mac: Option<Mac>,
    addresses: Vec<IpAddr>,
    machine: vrrp::Machine,
    presence: Presence,
    /// What the machine was last told of its link.
    link: (bool, Option<IpAddr>),
    /// Until when the station was told that it may answer; `None` while the addresses stand by.
    lease: Option<Time>,
    since: Time,
    problem: Option<String>,
}

/// What a router needs to act: its socket if that is open, and everything else.
pub(crate) struct Desk<'a, 'b> {
    pub(crate) socket: Option<&'a VrrpSocket>,
    pub(crate) orders: &'a mut Orders,
    pub(crate) around: &'a mut Surroundings<'b>,
}

impl Router {
    /// `desired` on `link`; it takes no part yet.
    pub(crate) fn new(key: RouterKey, desired: &VirtualRouter, link: &Link, now: Time) -> Self {
        let mac = desired.virtual_mac.then(|| key.vrid.mac(key.lane.family));
        let macvlan = mac.map(|mac| Macvlan {
            parent: key.lane.index,
            mac,
        });
        Self {
            key,
            name: desired.name.clone(),
            interface: Arc::from(link.name.as_str()),
            mac,
            addresses: Vec::new(),
            machine: vrrp::Machine::new(),
            presence: Presence::new(key.lane.index, macvlan),
            link: (false, None),
            lease: None,
            since: now,
            problem: None,
        }
    }

    /// Does it do what `desired` says, but for the settings of the machine?
    pub(crate) fn is(&self, desired: &VirtualRouter) -> bool {
        self.name == desired.name && self.mac.is_some() == desired.virtual_mac
    }

    /// Its addresses, as last told.
    pub(crate) const fn addresses(&self) -> &Vec<IpAddr> {
        &self.addresses
    }

    /// Takes over settings.
    pub(crate) fn lead(&mut self, settings: &vrrp::Settings, desk: &mut Desk<'_, '_>) {
        self.addresses.clone_from(&settings.addresses);
        let accepts = settings.accept && !settings.owner;
        let accepted = if accepts {
            self.addresses.clone()
        } else {
            Vec::new()
        };
        let (opener, now) = (&desk.around.stations.outbox.opener, desk.around.now);
        self.presence.accept(accepted, desk.orders, opener, now);
        self.presence.handle_timeout(desk.orders, opener, now);
        let (index, role) = (self.key.lane.index, self.key.role());
        desk.around.stations.assume(index, role, self.mac, now);
        self.handle(Input::Configure(settings.clone()), desk);
        if self.lease.is_some() {
            // New ones join the others; those that are answered for already are passed over.
            let (stations, addresses) = (&mut desk.around.stations, &self.addresses);
            stations.acquire(index, role, addresses, Some(Probe::Skip), now);
        }
    }

    /// Tells the machine how its link is, if that is news.
    pub(crate) fn follow(
        &mut self,
        link: Option<&Link>,
        primary: Option<IpAddr>,
        desk: &mut Desk<'_, '_>,
    ) {
        let (topology, now) = (desk.around.topology, desk.around.now);
        self.presence
            .look(|index| topology.link(index).is_some(), now);
        if let Some(link) = link.filter(|link| *link.name != *self.interface) {
            self.interface = Arc::from(link.name.as_str());
        }
        let is_up = link.is_some_and(|link| link.is_up);
        let up = is_up && desk.socket.is_some() && self.presence.is_ready();
        if (up, primary) != self.link {
            self.link = (up, primary);
            self.handle(Input::Link { up, primary }, desk);
        }
    }

    /// Gives the machine an input, and carries out what it wants.
    pub(crate) fn handle(&mut self, input: Input<'_>, desk: &mut Desk<'_, '_>) {
        let before = self.machine.state();
        self.machine.handle_input(input, desk.around.now);
        self.settle(before, desk);
    }

    /// Tells the machine the time, and renews what has a lifetime.
    pub(crate) fn handle_timeout(&mut self, desk: &mut Desk<'_, '_>) {
        let now = desk.around.now;
        let opener = &desk.around.stations.outbox.opener;
        self.presence.handle_timeout(desk.orders, opener, now);
        if self.is_due(now) {
            let before = self.machine.state();
            self.machine.handle_timeout(now);
            self.settle(before, desk);
        }
    }

    /// Does the machine wait for this instant?
    pub(crate) fn is_due(&self, now: Time) -> bool {
        self.machine.poll_timeout().is_some_and(|at| at <= now)
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called next.
    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        let deadlines = [self.machine.poll_timeout(), self.presence.poll_timeout()];
        deadlines.into_iter().flatten().min()
    }

    /// Takes the answer to an order; true when it was about the link.
    pub(crate) fn take(
        &mut self,
        number: u64,
        answer: &Result<Option<u32>, String>,
        desk: &mut Desk<'_, '_>,
    ) -> bool {
        match self.presence.take(number, answer, desk.around.now) {
            Progress::None => false,
            Progress::Link => true,
            Progress::Serving => {
                self.announce(desk);
                false
            }
        }
    }

    /// Leaves the virtual router, with a word to the others, and the host as it was.
    pub(crate) fn close(&mut self, desk: &mut Desk<'_, '_>) {
        self.handle(Input::Shutdown, desk);
        let (index, role, now) = (self.key.lane.index, self.key.role(), desk.around.now);
        desk.around.stations.assume(index, role, None, now);
        let opener = &desk.around.stations.outbox.opener;
        self.presence.close(desk.orders, opener);
    }

    /// What it was told to be.
    pub(crate) const fn settings(&self) -> Option<&vrrp::Settings> {
        self.machine.settings()
    }

    /// How often it advertises while Active.
    pub(crate) fn interval(&self) -> Option<vrrp::Interval> {
        self.settings().map(|settings| settings.interval)
    }

    /// The host was paused: others may have taken over, and what clients asked meanwhile is answered
    /// by nobody or by them.
    pub(crate) fn fence(&mut self, desk: &mut Desk<'_, '_>) {
        let stations = &mut *desk.around.stations;
        stations.discard(self.key.lane.index, self.key.role());
        self.handle(Input::Fence, desk);
    }

    /// How it stands.
    pub(crate) fn status(&self, lane: Option<&Lane>, now: Time) -> RouterStatus {
        let problem = lane.and_then(Lane::problem);
        let problem = problem.or_else(|| self.presence.problem());
        RouterStatus {
            name: self.name.clone(),
            interface: self.interface.to_string(),
            vrid: self.key.vrid,
            family: self.key.lane.family,
            state: self.machine.state(),
            since: now - self.since,
            priority: self.machine.priority(),
            active: self.machine.active(),
            interval: self.machine.active_adver_interval(),
            active_down_interval: self.machine.active_down_interval(),
            primary: self.link.1,
            addresses: self.addresses.clone(),
            virtual_mac: self.mac,
            counters: *self.machine.counters(),
            last_error: problem.or(self.problem.as_deref()).map(str::to_owned),
        }
    }

    fn settle(&mut self, before: State, desk: &mut Desk<'_, '_>) {
        if !self.carry_out(desk) {
            self.machine.handle_input(Input::Unsent, desk.around.now);
            // It may have left Active for that; its farewell is not to be sent either.
            self.carry_out(desk);
        }
        if self.machine.state() != before {
            self.since = desk.around.now;
        }
        self.renew(desk);
    }

    /// Does what the machine wants; false if it wanted to send something and nothing could be sent.
    fn carry_out(&mut self, desk: &mut Desk<'_, '_>) -> bool {
        let (mut sent, mut unsent) = (0, 0);
        while let Some(output) = self.machine.poll_output() {
            match output {
                Output::Transmit {
                    source,
                    destination,
                    octets,
                } => match self.send(source, destination, &octets, desk.socket) {
                    Ok(()) => sent += 1,
                    Err(error) => {
                        unsent += 1;
                        self.problem = Some(format!("advertising to {destination}: {error}"));
                    }
                },
                Output::Event(event) => self.heed(event, desk),
            }
        }
        sent > 0 || unsent == 0
    }

    /// Adverts to the group come from the virtual MAC, if there is one (RFC 9568 section 7.2). Those
    /// to single routers take whatever the routing table says.
    fn send(
        &self,
        source: IpAddr,
        destination: IpAddr,
        octets: &[u8],
        socket: Option<&VrrpSocket>,
    ) -> io::Result<()> {
        let socket = socket.ok_or(io::ErrorKind::NotConnected)?;
        match self.mac.filter(|_| destination.is_multicast()) {
            Some(mac) => socket.send_as(mac, source, destination, octets),
            None => socket.send(source, destination, octets),
        }
    }

    fn heed(&mut self, event: vrrp::Event, desk: &mut Desk<'_, '_>) {
        let (index, role, now) = (self.key.lane.index, self.key.role(), desk.around.now);
        let stations = &mut *desk.around.stations;
        match event {
            vrrp::Event::Active { .. } => {
                let opener = &stations.outbox.opener;
                if self.presence.arrive(desk.orders, opener, now) {
                    self.announce(desk);
                }
            }
            vrrp::Event::Backup { .. } | vrrp::Event::Initialized => {
                self.lease = None;
                stations.relinquish(index, role, &self.addresses, now);
                let opener = &stations.outbox.opener;
                self.presence.depart(desk.orders, opener);
            }
            vrrp::Event::Reannounce if self.lease.is_some() => {
                stations.announce_again(index, role, &self.addresses, now);
            }
            _ => {}
        }
        let (router, interface) = (self.name.clone(), Arc::clone(&self.interface));
        desk.around.stations.outbox.tell(Event::Router {
            router,
            interface,
            event,
        });
    }

    /// Hands the addresses to the station: without a probe, as it is known who had them.
    fn announce(&mut self, desk: &mut Desk<'_, '_>) {
        if self.machine.state() != State::Active {
            return;
        }
        self.lease = Some(Time::ZERO);
        self.renew(desk);
        let (index, role, now) = (self.key.lane.index, self.key.role(), desk.around.now);
        let stations = &mut *desk.around.stations;
        stations.acquire(index, role, &self.addresses, Some(Probe::Skip), now);
    }

    /// The station may answer for as long as nobody else can have taken over.
    fn renew(&mut self, desk: &mut Desk<'_, '_>) {
        let now = desk.around.now;
        let until = self.machine.valid_until().unwrap_or(now);
        if self.lease.is_some_and(|lease| lease != until) {
            self.lease = Some(until);
            let (index, role) = (self.key.lane.index, self.key.role());
            desk.around.stations.renew(index, role, until, now);
        }
    }
}
