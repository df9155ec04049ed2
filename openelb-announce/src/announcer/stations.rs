//! All stations of the host, led to what they should announce.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{IpAddr, Ipv6Addr};

use super::outbox::Outbox;
use super::plan::{Change, Placements};
use super::readers::{Reader, Readers};
use super::station::{SocketState, Station};
use crate::claim::{Config, Input, Output, Probe};
use crate::driver::clock;
use crate::driver::opener::Request;
use crate::driver::port::{PortKey, Protocol, Role};
use crate::link::filter::Filter;
use crate::link::raw_socket::{Batch, PacketSocket};
use crate::link::topology::Topology;
use crate::time::Time;
use crate::wire::Mac;

/// The stations, and what all of them need.
pub(crate) struct Stations {
    pub(crate) outbox: Outbox,
    pub(crate) readers: Readers,
    by_key: BTreeMap<PortKey, Station>,
    machine: Config,
    /// Until when stations that need nobody's leave may answer.
    lease: Time,
    batch: Batch,
    wishes: Vec<Output>,
}

impl Stations {
    /// No stations yet. Their machines will behave as `machine` says.
    pub(crate) fn new(outbox: Outbox, readers: Readers, machine: Config) -> Self {
        Self {
            outbox,
            readers,
            by_key: BTreeMap::new(),
            machine,
            lease: Time::ZERO,
            batch: Batch::new(),
            wishes: Vec::new(),
        }
    }

    /// Leads every station to its `placements`.
    ///
    /// All releases come before the first claim: an address that moves between two interfaces of
    /// this host is never answered for on both.
    pub(crate) fn lead(
        &mut self,
        mut placements: Placements,
        topology: &Topology,
        now: Time,
    ) -> io::Result<()> {
        let keys: Vec<PortKey> = self.by_key.keys().copied().collect();
        let mut changes: Vec<(PortKey, Change)> = Vec::new();
        for key in keys {
            let targets = placements.remove(&key).unwrap_or_default();
            if let Some(station) = self.by_key.get_mut(&key) {
                let change = station.release(targets, now, &mut self.wishes);
                self.outbox.carry_out(station, &mut self.wishes);
                changes.push((key, change));
            }
            // A station without addresses stays, deaf, for as long as its link: opening sockets takes
            // milliseconds, which the next address to move here would wait for.
            if topology.link(key.index).is_none() {
                self.close(key)?;
            }
        }
        for (key, change) in changes {
            if let Some(station) = self.by_key.get_mut(&key) {
                station.claim(&change, now, &mut self.wishes);
                self.outbox.carry_out(station, &mut self.wishes);
            }
        }
        for (key, targets) in placements {
            if let Some(link) = topology.link(key.index) {
                let station = Station::new(key, link, targets, &self.outbox.opener);
                self.by_key.insert(key, station);
            }
        }
        Ok(())
    }

    /// These addresses of a link are this host's from now on, probed as `probe` says, for as long as
    /// [`renew`](Self::renew) said. Those that are already, or that the role does not have there,
    /// are passed over. O(log n) each.
    pub(crate) fn acquire(
        &mut self,
        index: u32,
        role: Role,
        addresses: &[IpAddr],
        probe: Option<Probe>,
        now: Time,
    ) {
        self.each(index, role, addresses, |station, address, wishes| {
            station.acquire(address, probe, now, wishes);
        });
    }

    /// These addresses of a link are this host's no longer: nothing is sent for them any more.
    pub(crate) fn relinquish(&mut self, index: u32, role: Role, addresses: &[IpAddr], now: Time) {
        self.each(index, role, addresses, |station, address, wishes| {
            station.relinquish(address, now, wishes);
        });
    }

    /// These addresses of a link, acquired just now, are announced no more than once before their
    /// first refresh.
    pub(crate) fn announce_once(
        &mut self,
        index: u32,
        role: Role,
        addresses: &[IpAddr],
        now: Time,
    ) {
        self.each(index, role, addresses, |station, address, wishes| {
            station.announce_once(address, now, wishes);
        });
    }

    /// These addresses of a link are announced once more, if they are this host's: somebody else
    /// may have been heard for them.
    pub(crate) fn announce_again(
        &mut self,
        index: u32,
        role: Role,
        addresses: &[IpAddr],
        now: Time,
    ) {
        self.each(index, role, addresses, |station, address, wishes| {
            station.announce_again(address, now, wishes);
        });
    }

    /// What is sent for a role on a link carries `mac` from now on, or with `None` the link's own.
    pub(crate) fn assume(&mut self, index: u32, role: Role, mac: Option<Mac>, now: Time) {
        for key in both(index, role) {
            if let Some(station) = self.by_key.get_mut(&key) {
                station.assume(mac, now, &mut self.wishes);
                self.outbox.carry_out(station, &mut self.wishes);
            }
        }
    }

    /// The addresses of a role on a link may be answered for until `until`.
    pub(crate) fn renew(&mut self, index: u32, role: Role, until: Time, now: Time) {
        for key in both(index, role) {
            if let Some(station) = self.by_key.get_mut(&key) {
                station.renew(until, now, &mut self.wishes);
                self.outbox.carry_out(station, &mut self.wishes);
            }
        }
    }

    /// Throws away the frames that wait at the ports of a role on a link.
    pub(crate) fn discard(&mut self, index: u32, role: Role) {
        for key in both(index, role) {
            let station = self.by_key.get_mut(&key);
            if let Some(port) = station.and_then(Station::port) {
                port.discard_queued(&mut self.batch);
            }
        }
    }

    /// The thread runs: what needs nobody's leave may be answered for until `until`.
    pub(crate) fn renew_sole(&mut self, until: Time, now: Time) {
        self.lease = until;
        let is_sole = |station: &&mut Station| station.key.role == Role::Sole;
        for station in self.by_key.values_mut().filter(is_sole) {
            station.renew(until, now, &mut self.wishes);
            self.outbox.carry_out(station, &mut self.wishes);
        }
    }

    /// The thread did not run: what needs nobody's leave starts again.
    pub(crate) fn fence_sole(&mut self, now: Time) {
        let is_sole = |station: &&mut Station| station.key.role == Role::Sole;
        for station in self.by_key.values_mut().filter(is_sole) {
            let Some(port) = station.port() else { continue };
            port.discard_queued(&mut self.batch);
            port.handle_input(Input::Fence, now, &mut self.wishes);
            self.outbox.carry_out(station, &mut self.wishes);
        }
    }

    /// Gives an opened socket to the station that asked for it.
    pub(crate) fn opened(
        &mut self,
        key: PortKey,
        filter: Filter,
        opened: io::Result<PacketSocket>,
        now: Time,
    ) {
        let station = self.by_key.get_mut(&key);
        let station = station.filter(|station| station.is_opening());
        match (opened, station) {
            (Ok(socket), None) => self.outbox.opener.ask(Request::close(socket)),
            (Ok(socket), Some(station)) => {
                let token = match self.readers.watch(&socket, Reader::Station(key)) {
                    Ok(token) => token,
                    Err(error) => {
                        station.fail(error.to_string(), now);
                        return self.outbox.opener.ask(Request::close(socket));
                    }
                };
                if key.role == Role::Sole {
                    station.renew(self.lease.max(now), now, &mut self.wishes);
                }
                let config = config(&self.machine, key);
                station.open((socket, token), filter, config, now, &mut self.wishes);
                self.outbox.carry_out(station, &mut self.wishes);
            }
            (Err(error), Some(station)) => {
                tracing::warn!(interface = %station.name, %error, "packet socket not opened");
                station.fail(error.to_string(), now);
            }
            (Err(_), None) => {}
        }
    }

    /// Remembers that a group could not be joined or left, for the status.
    pub(crate) fn note_membership(&mut self, key: PortKey, group: Ipv6Addr, error: &io::Error) {
        if let Some(station) = self.by_key.get_mut(&key) {
            station.note_error(format!("membership of group {group}: {error}"));
        }
    }

    /// Tells every station how its link is now.
    pub(crate) fn follow_links(&mut self, topology: &Topology, now: Time) {
        for station in self.by_key.values_mut() {
            if let Some(link) = topology.link(station.key.index) {
                station.follow(link, now, &mut self.wishes);
                self.outbox.carry_out(station, &mut self.wishes);
            }
        }
    }

    /// Hands a station the frames that wait at its port.
    pub(crate) fn receive(&mut self, key: PortKey) {
        let Some(station) = self.by_key.get_mut(&key) else {
            return;
        };
        if let Some(port) = station.port() {
            port.receive(&mut self.batch, &mut self.wishes);
            self.outbox.carry_out(station, &mut self.wishes);
        }
    }

    /// When a station wants to be served next.
    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        self.by_key.values().filter_map(Station::poll_timeout).min()
    }

    /// Serves every station whose time has come.
    pub(crate) fn handle_timeout(&mut self, now: Time) {
        for station in self.by_key.values_mut() {
            station.retry(now, &self.outbox.opener);
            if let Some(port) = station.port() {
                port.handle_timeout(now, &mut self.wishes);
                self.outbox.carry_out(station, &mut self.wishes);
            }
        }
    }

    /// Closes the ports of all stations.
    pub(crate) fn close_all(&mut self) -> io::Result<()> {
        let keys: Vec<PortKey> = self.by_key.keys().copied().collect();
        keys.into_iter().try_for_each(|key| self.close(key))
    }

    /// Every station, for a report.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Station> {
        self.by_key.values_mut()
    }

    /// Lets the station of each address act, and carries out what it wants.
    fn each(
        &mut self,
        index: u32,
        role: Role,
        addresses: &[IpAddr],
        mut act: impl FnMut(&mut Station, IpAddr, &mut Vec<Output>),
    ) {
        for address in addresses {
            if let Some(station) = self.by_key.get_mut(&place(index, role, *address)) {
                act(station, *address, &mut self.wishes);
                self.outbox.carry_out(station, &mut self.wishes);
            }
        }
    }

    fn close(&mut self, key: PortKey) -> io::Result<()> {
        if let Some(Station {
            socket: SocketState::Open(port, token),
            ..
        }) = self.by_key.remove(&key)
        {
            self.readers.forget(&port.socket(), token)?;
            self.outbox.opener.ask(Request::close(port.into_socket()));
        }
        if key.protocol == Protocol::Ndp {
            self.outbox.opener.ask(Request::LeaveAll(key));
        }
        Ok(())
    }
}

fn place(index: u32, role: Role, address: IpAddr) -> PortKey {
    PortKey {
        index,
        protocol: Protocol::of(address),
        role,
    }
}

fn both(index: u32, role: Role) -> [PortKey; 2] {
    [Protocol::Arp, Protocol::Ndp].map(|protocol| PortKey {
        index,
        protocol,
        role,
    })
}

/// Two hosts, or two interfaces, that start together must not probe together.
fn config(machine: &Config, key: PortKey) -> Config {
    let mut config = machine.clone();
    config.seed ^= RandomState::new().hash_one((key, clock::now()));
    // A virtual router is its clients' default router (RFC 9568 section 8.2.2).
    config.router |= matches!(key.role, Role::Router(..));
    config
}
