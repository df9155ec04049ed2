//! Routes in one of the kernel's tables (rtnetlink): reads those of one protocol number, adds and
//! removes them, and hears when somebody else does.
//!
//! Adding and removing need `CAP_NET_ADMIN`. Nothing here replaces a route: for the kernel the first
//! route with the same destination and metric is the one to replace, whoever made it. Instead a route
//! that changes is added beside itself, and then the former one is removed.

mod message;
mod watch;

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::IpAddr;

use ipnet::IpNet;
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_EXCL, NLM_F_REQUEST,
    NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::route::RouteMessage;
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::{Socket, SocketAddr};

use super::netlink::{MESSAGE_BUFFER, messages, open_socket};

pub(crate) use watch::RouteWatch;

/// A neighbour that packets are handed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Hop {
    /// Its address, of either family.
    pub(crate) gateway: IpAddr,
    /// The link that it is on.
    pub(crate) link: u32,
}

/// A route as the kernel holds it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    /// Where it leads.
    pub(crate) destination: IpNet,
    /// Its metric: of several routes to one destination the lowest counts.
    pub(crate) metric: u32,
    /// The neighbours, in the kernel's order, which removing an IPv4 route has to repeat.
    pub(crate) hops: Vec<Hop>,
    /// It is more than a destination, a metric and neighbours: nothing that was made here.
    pub(crate) is_odd: bool,
}

impl Entry {
    /// A route to `destination` through all of `hops` alike.
    pub(crate) fn new(destination: IpNet, metric: u32, hops: &BTreeSet<Hop>) -> Self {
        Self {
            destination,
            metric,
            hops: hops.iter().copied().collect(),
            is_odd: false,
        }
    }

    /// Its neighbours, sorted.
    pub(crate) fn hop_set(&self) -> BTreeSet<Hop> {
        self.hops.iter().copied().collect()
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} metric {}", self.destination, self.metric)
    }
}

/// The routes of one protocol number in one table.
pub(crate) struct RouteTable {
    socket: Socket,
    buffer: Vec<u8>,
    table: u32,
    protocol: u8,
    sequence: u32,
    port: u32,
}

impl RouteTable {
    /// Opens the way to the routes of `protocol` in `table`.
    pub(crate) fn open(table: u32, protocol: u8) -> io::Result<Self> {
        let socket = open_socket()?;
        // Else a dump lists all routes of all tables.
        socket.set_netlink_get_strict_chk(true)?;
        let mut own = SocketAddr::new(0, 0);
        socket.get_address(&mut own)?;
        Ok(Self {
            socket,
            buffer: vec![0; MESSAGE_BUFFER],
            table,
            protocol,
            sequence: 0,
            port: own.port_number(),
        })
    }

    /// By this the kernel tells what was changed through here from what others change.
    pub(crate) const fn port(&self) -> u32 {
        self.port
    }

    /// What is there now; some microseconds a route.
    pub(crate) fn held(&mut self) -> io::Result<Vec<Entry>> {
        let mut held = Vec::new();
        for answer in self.list()? {
            if message::table(&answer) == self.table {
                held.extend(message::read(&answer));
            }
        }
        Ok(held)
    }

    /// Adds a route; an error of kind `AlreadyExists` if there is one with its destination and
    /// metric, whoever made it.
    pub(crate) fn add(&mut self, entry: &Entry) -> io::Result<()> {
        self.put(entry, NLM_F_CREATE | NLM_F_EXCL)
    }

    /// Makes `to` of routes of ours with the same destination and metric. Packets always find one.
    pub(crate) fn change(&mut self, from: &[Entry], to: &Entry) -> io::Result<()> {
        match to.destination {
            IpNet::V4(_) => {
                self.join(to)?;
                from.iter().try_for_each(|entry| self.remove(entry))
            }
            IpNet::V6(_) => self.change_v6(from, to),
        }
    }

    /// Removes a route of ours; harmless when it is gone.
    pub(crate) fn remove(&mut self, entry: &Entry) -> io::Result<()> {
        let message = message::write(entry, self.table, self.protocol);
        match self.ask(RouteNetlinkMessage::DelRoute(message), NLM_F_ACK) {
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
            result => result.map(drop),
        }
    }

    /// In IPv6 the routes to one destination with one metric are one route with several neighbours,
    /// each of which comes and goes alone.
    fn change_v6(&mut self, from: &[Entry], to: &Entry) -> io::Result<()> {
        let (odd, plain): (Vec<_>, Vec<_>) = from.iter().partition(|entry| entry.is_odd);
        let before: BTreeSet<Hop> = plain.iter().flat_map(|entry| entry.hop_set()).collect();
        let after = to.hop_set();
        let part = |hop: &Hop| Entry::new(to.destination, to.metric, &BTreeSet::from([*hop]));
        for hop in after.difference(&before) {
            self.join(&part(hop))?;
        }
        for hop in before.difference(&after) {
            self.remove(&part(hop))?;
        }
        odd.iter().try_for_each(|entry| self.remove(entry))
    }

    /// Adds a route beside others with its destination and metric; harmless when it is there.
    fn join(&mut self, entry: &Entry) -> io::Result<()> {
        match self.put(entry, NLM_F_CREATE | NLM_F_APPEND) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            result => result,
        }
    }

    fn put(&mut self, entry: &Entry, flags: u16) -> io::Result<()> {
        let message = message::write(entry, self.table, self.protocol);
        let order = RouteNetlinkMessage::NewRoute(message);
        self.ask(order, NLM_F_ACK | flags).map(drop)
    }

    /// The routes of the protocol number, both families, and on older kernels those of all tables.
    fn list(&mut self) -> io::Result<Vec<RouteMessage>> {
        let mut listed = Vec::new();
        for family in [AddressFamily::Inet, AddressFamily::Inet6] {
            let question = message::question(family, self.table, self.protocol);
            match self.dump(&question) {
                Ok(answers) => listed.extend(answers),
                // A table that never had a route does not exist.
                Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {}
                Err(error) => return Err(error),
            }
        }
        listed.retain(|route| u8::from(route.header.protocol) == self.protocol);
        Ok(listed)
    }

    /// Asks again as long as the answer is torn: routes changed while it was given.
    fn dump(&mut self, question: &RouteMessage) -> io::Result<Vec<RouteMessage>> {
        for _ in 0..MOST_TORN_DUMPS {
            let question = RouteNetlinkMessage::GetRoute(question.clone());
            if let Some(whole) = self.ask(question, NLM_F_DUMP)? {
                return Ok(whole);
            }
        }
        Err(io::Error::other(
            "the routes change faster than they can be read",
        ))
    }

    /// Sends one message and takes all of its answer; `None` if that is torn.
    fn ask(
        &mut self,
        message: RouteNetlinkMessage,
        flags: u16,
    ) -> io::Result<Option<Vec<RouteMessage>>> {
        self.sequence = self.sequence.wrapping_add(1);
        self.send(message, NLM_F_REQUEST | flags)?;
        let (mut answers, mut is_torn) = (Vec::new(), false);
        loop {
            let length = self.socket.recv(&mut self.buffer.as_mut_slice(), 0)?;
            for answer in messages(self.buffer.get(..length).unwrap_or_default()) {
                // A late answer to a question that was given up.
                if answer.header.sequence_number != self.sequence {
                    continue;
                }
                is_torn |= answer.header.flags & NLM_F_DUMP_INTR != 0;
                match answer.payload {
                    NetlinkPayload::Error(error) if error.code.is_some() => {
                        return Err(error.to_io());
                    }
                    NetlinkPayload::Error(_) | NetlinkPayload::Done(_) => {
                        return Ok((!is_torn).then_some(answers));
                    }
                    NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewRoute(route)) => {
                        answers.push(route);
                    }
                    _ => {}
                }
            }
        }
    }

    fn send(&self, message: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        let payload = NetlinkPayload::from(message);
        let mut message = NetlinkMessage::new(NetlinkHeader::default(), payload);
        message.header.flags = flags;
        message.header.sequence_number = self.sequence;
        message.finalize();
        let mut octets = vec![0; message.buffer_len()];
        message.serialize(&mut octets);
        self.socket.send(&octets, 0).map(drop)
    }
}

/// The tables that hold routes of `protocol`.
pub(crate) fn tables(protocol: u8) -> io::Result<BTreeSet<u32>> {
    let mut all = RouteTable::open(ALL_TABLES, protocol)?;
    Ok(all.list()?.iter().map(message::table).collect())
}

impl fmt::Debug for RouteTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouteTable")
            .field("table", &self.table)
            .field("protocol", &self.protocol)
            .finish_non_exhaustive()
    }
}

/// `RT_TABLE_UNSPEC`: no table is left out.
const ALL_TABLES: u32 = 0;

/// A host whose routes change all the time is asked again later.
const MOST_TORN_DUMPS: u32 = 5;

#[cfg(test)]
mod tests;
