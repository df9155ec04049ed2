//! The UDP socket that beats of the ownership election take: one for each link and family.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::os::fd::{AsFd, BorrowedFd};

use socket2::{InterfaceIndexOrAddress, Protocol, SockAddr, Socket, Type};

use super::udp::{self, Datagram, INTERNETWORK_CONTROL, Room, TTL, Version};

/// Sends to and hears from all speakers on one link, in one family.
///
/// Bound to the link, so that nothing else comes in and nothing leaves elsewhere. Opening one takes
/// no capability, but may wait for the kernel's network configuration lock.
#[derive(Debug)]
pub(crate) struct BeatSocket {
    socket: Socket,
    destinations: Vec<SockAddr>,
}

/// Which socket is asked for, and whom it sends to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// The link, by its number.
    pub(crate) index: u32,
    /// The family.
    pub(crate) version: Version,
    /// The port of all speakers.
    pub(crate) port: u16,
    /// The group of all speakers, or each of them.
    pub(crate) destinations: Vec<IpAddr>,
}

impl Endpoint {
    /// One of a family that sends to the group, or to those of `peers` that are of that family
    /// instead.
    pub(crate) fn new(index: u32, version: Version, port: u16, peers: &[IpAddr]) -> Self {
        let group: IpAddr = match version {
            Version::V4 => GROUP_V4.into(),
            Version::V6 => GROUP_V6.into(),
        };
        let all = if peers.is_empty() { &[group] } else { peers };
        let is_of_family = |peer: &&IpAddr| Version::of(**peer) == version;
        Self {
            index,
            version,
            port,
            destinations: all.iter().filter(is_of_family).copied().collect(),
        }
    }

    fn group(&self) -> Option<IpAddr> {
        let mut destinations = self.destinations.iter().copied();
        destinations.find(IpAddr::is_multicast)
    }
}

impl BeatSocket {
    /// Takes the port on the link and joins the group there, unless there are peers to send to.
    pub(crate) fn open(endpoint: &Endpoint) -> io::Result<Self> {
        let version = endpoint.version;
        let socket = Socket::new(version.domain(), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        udp::ask_for_arrivals(&socket, version)?;
        udp::ask_for_stamps(&socket)?;
        let index = NonZeroU32::new(endpoint.index);
        match version {
            Version::V4 => {
                socket.bind_device_by_index_v4(index)?;
                socket.set_ttl_v4(TTL)?;
                socket.set_multicast_ttl_v4(TTL)?;
                socket.set_multicast_loop_v4(false)?;
                socket.set_tos_v4(INTERNETWORK_CONTROL)?;
            }
            Version::V6 => {
                socket.bind_device_by_index_v6(index)?;
                socket.set_unicast_hops_v6(TTL)?;
                socket.set_multicast_hops_v6(TTL)?;
                socket.set_multicast_loop_v6(false)?;
                socket.set_multicast_if_v6(endpoint.index)?;
                socket.set_tclass_v6(INTERNETWORK_CONTROL)?;
            }
        }
        // A beat of a hundred speakers takes a few datagrams of each three times a second.
        drop(socket.set_recv_buffer_size(RECEIVE_BUFFER));
        socket.bind(&SocketAddr::new(version.unspecified(), endpoint.port).into())?;
        match endpoint.group() {
            Some(IpAddr::V4(group)) => {
                let link = InterfaceIndexOrAddress::Index(endpoint.index);
                socket.join_multicast_v4_n(&group, &link)?;
            }
            Some(IpAddr::V6(group)) => socket.join_multicast_v6(&group, endpoint.index)?,
            None => {}
        }
        let scoped = |address| udp::scoped(address, endpoint.port, endpoint.index).into();
        let destinations = endpoint.destinations.iter().copied().map(scoped).collect();
        Ok(Self {
            socket,
            destinations,
        })
    }

    /// Sends one datagram to everybody, now or not at all. An error only when nobody was sent to.
    pub(crate) fn send(&self, octets: &[u8]) -> io::Result<()> {
        let mut outcome = Err(io::ErrorKind::AddrNotAvailable.into());
        for destination in &self.destinations {
            match self.socket.send_to(octets, destination) {
                Ok(_) => outcome = Ok(()),
                Err(error) if outcome.is_err() => outcome = Err(error),
                Err(_) => {}
            }
        }
        outcome
    }

    /// The next datagram that waits, `WouldBlock` when none does. Allocates nothing.
    pub(crate) fn receive<'a>(&self, room: &'a mut BeatRoom) -> io::Result<Datagram<'a>> {
        udp::receive(&self.socket, room)
    }

    /// Throws away everything that waits.
    pub(crate) fn discard_queued(&self, room: &mut BeatRoom) {
        // Bounded, so that a storm cannot hold the thread here.
        for _ in 0..MOST_QUEUED {
            if self.receive(room).is_err() {
                return;
            }
        }
    }
}

impl AsFd for BeatSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Room for one beat: longer datagrams are none.
pub(crate) type BeatRoom = Room<1500>;

// The groups that RFC 4727 sections 2.4.3 and 3.2 keep for experiments, on one link.
const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 254);
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x114);
const RECEIVE_BUFFER: usize = 1024 * 1024;
// A buffer of that size holds fewer datagrams.
const MOST_QUEUED: u32 = 8192;

#[cfg(test)]
mod tests;
