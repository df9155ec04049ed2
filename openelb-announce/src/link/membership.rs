//! Membership in solicited-node groups, so that cards and snooping switches let solicitations through.

use std::collections::HashMap;
use std::io;
use std::net::Ipv6Addr;

use socket2::{Domain, Protocol, Socket, Type};

use super::raw_socket::PacketSocket;
use crate::wire::Mac;

/// The groups of one link. Needs no capability once it exists.
///
/// Each group is joined twice: on a packet socket for the card's filter, which works without an
/// IPv6 address, and on an IPv6 socket for the Multicast Listener Report that snooping switches wait
/// for (without it, 0 of 5 solicitations came through one).
#[derive(Debug)]
pub(crate) struct Memberships {
    index: u32,
    card: PacketSocket,
    listeners: Vec<Listener>,
    // Invariant: each value is an index of `listeners`, and `joined` there counts the groups with it.
    groups: HashMap<Ipv6Addr, Option<usize>>,
}

#[derive(Debug)]
struct Listener {
    socket: Socket,
    joined: usize,
}

impl Memberships {
    /// No groups yet on link `index`. Needs `CAP_NET_RAW`.
    pub(crate) fn open(index: u32) -> io::Result<Self> {
        let card = PacketSocket::deaf()?;
        Ok(Self {
            index,
            card,
            listeners: Vec::new(),
            groups: HashMap::new(),
        })
    }

    /// Joins `group`. It may wait for the kernel's network configuration lock.
    ///
    /// An error about the report leaves the card's membership in place: a network without snooping
    /// switches works then.
    pub(crate) fn join(&mut self, group: Ipv6Addr) -> io::Result<()> {
        if self.groups.contains_key(&group) {
            return Ok(());
        }
        self.card.join(self.index, Mac::of_group(group))?;
        let report = self.join_listener(group);
        self.groups.insert(group, report.as_ref().ok().copied());
        report.map(drop)
    }

    /// Leaves `group`; harmless when it was not joined.
    pub(crate) fn leave(&mut self, group: Ipv6Addr) -> io::Result<()> {
        let Some(listener) = self.groups.remove(&group) else {
            return Ok(());
        };
        if let Some(listener) = listener.and_then(|place| self.listeners.get_mut(place)) {
            listener.joined = listener.joined.saturating_sub(1);
            listener.socket.leave_multicast_v6(&group, self.index)?;
        }
        self.card.leave(self.index, Mac::of_group(group))
    }

    /// Joins on the first socket with room and returns its place.
    fn join_listener(&mut self, group: Ipv6Addr) -> io::Result<usize> {
        let has_room = |listener: &Listener| listener.joined < GROUPS_PER_SOCKET;
        let place = self
            .listeners
            .iter()
            .position(has_room)
            .unwrap_or(self.listeners.len());
        if place == self.listeners.len() {
            let socket = Socket::new(Domain::IPV6, Type::DGRAM, Some(Protocol::UDP))?;
            self.listeners.push(Listener { socket, joined: 0 });
        }
        let listener = self
            .listeners
            .get_mut(place)
            .expect("the place was found or made above");
        listener.socket.join_multicast_v6(&group, self.index)?;
        listener.joined += 1;
        Ok(place)
    }
}

// One socket stops at 2,340 groups: each takes 56 of its 131,072 octets of option memory
// (net.core.optmem_max, 20,480 octets on older kernels).
const GROUPS_PER_SOCKET: usize = 256;
