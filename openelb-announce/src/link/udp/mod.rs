//! UDP sockets that tell how a datagram came (TTL, interface, destination) and send from a fixed port.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Duration;

use nix::sys::socket::sockopt::{
    Ipv4PacketInfo, Ipv4RecvTtl, Ipv6RecvHopLimit, Ipv6RecvPacketInfo, ReceiveTimestampns,
};
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrStorage, cmsg_space, recvmsg, setsockopt,
};
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};
use socket2::{Domain, Protocol, Socket, Type};

/// Which addresses a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    V4,
    V6,
}

impl Version {
    /// That of an address.
    pub(crate) const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    pub(super) const fn domain(self) -> Domain {
        match self {
            Self::V4 => Domain::IPV4,
            Self::V6 => Domain::IPV6,
        }
    }

    pub(super) const fn unspecified(self) -> IpAddr {
        match self {
            Self::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Self::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        }
    }
}

/// Hears what is sent to one port of any address of this host.
#[derive(Debug)]
pub(crate) struct Receiver {
    socket: Socket,
}

/// A datagram, and how it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Datagram<'a> {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) interface: u32,
    pub(crate) ttl: u8,
    /// How long it has waited at the socket: zero unless that [was asked for](ask_for_stamps).
    pub(crate) age: Duration,
    pub(crate) octets: &'a [u8],
}

/// Room for one datagram and what the kernel says about it.
#[derive(Debug)]
pub(crate) struct Room<const LONGEST: usize = LONGEST_OF_BFD> {
    octets: [u8; LONGEST],
    control: [u8; CONTROL],
}

impl<const LONGEST: usize> Room<LONGEST> {
    /// Empty room.
    pub(crate) const fn new() -> Self {
        Self {
            octets: [0; LONGEST],
            control: [0; CONTROL],
        }
    }
}

impl Receiver {
    /// Takes the port for itself: fails when somebody else has it.
    pub(crate) fn open(version: Version, port: u16) -> io::Result<Self> {
        let socket = Socket::new(version.domain(), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        ask_for_arrivals(&socket, version)?;
        // Room for a burst of a thousand neighbours; the kernel takes what rmem_max allows.
        drop(socket.set_recv_buffer_size(RECEIVE_BUFFER));
        socket.bind(&SocketAddr::new(version.unspecified(), port).into())?;
        Ok(Self { socket })
    }

    /// The next datagram that waits, `WouldBlock` when none does. What is longer than `room` is cut.
    pub(crate) fn receive<'a>(&self, room: &'a mut Room) -> io::Result<Datagram<'a>> {
        receive(&self.socket, room)
    }
}

impl AsFd for Receiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Asks the kernel to tell how each datagram came. Before the port is taken, so that none comes
/// without.
pub(super) fn ask_for_arrivals(socket: &Socket, version: Version) -> io::Result<()> {
    match version {
        Version::V4 => {
            setsockopt(socket, Ipv4RecvTtl, &true)?;
            setsockopt(socket, Ipv4PacketInfo, &true)?;
        }
        Version::V6 => {
            socket.set_only_v6(true)?;
            setsockopt(socket, Ipv6RecvHopLimit, &true)?;
            setsockopt(socket, Ipv6RecvPacketInfo, &true)?;
        }
    }
    Ok(())
}

/// Asks the kernel to tell when each datagram came. The first socket of a host that does so gets
/// its first few datagrams as if they had just come: stamping is switched on in the background.
pub(super) fn ask_for_stamps(socket: &Socket) -> io::Result<()> {
    Ok(setsockopt(socket, ReceiveTimestampns, &true)?)
}

/// The next datagram that waits at `socket`, `WouldBlock` when none does. What is longer than `room`
/// is cut. Allocates nothing.
pub(super) fn receive<'a, const LONGEST: usize>(
    socket: &Socket,
    room: &'a mut Room<LONGEST>,
) -> io::Result<Datagram<'a>> {
    let mut source = None;
    let mut arrival = Arrival::default();
    let length = {
        let mut slices = [IoSliceMut::new(&mut room.octets)];
        let message = recvmsg::<SockaddrStorage>(
            socket.as_raw_fd(),
            &mut slices,
            Some(&mut room.control),
            MsgFlags::MSG_DONTWAIT,
        )?;
        if let Some(address) = &message.address {
            let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
            let v6 = address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip()));
            source = v4.or(v6);
        }
        for control in message.cmsgs()? {
            arrival.note(&control);
        }
        message.bytes
    };
    let missing = || io::Error::other("the kernel did not say how a datagram came");
    Ok(Datagram {
        source: source.ok_or_else(missing)?,
        destination: arrival.destination.ok_or_else(missing)?,
        interface: arrival.interface,
        ttl: arrival.ttl.ok_or_else(missing)?,
        age: arrival.stamp.map_or(Duration::ZERO, age),
        octets: room.octets.get(..length).unwrap_or_default(),
    })
}

/// Stamps are of the wall clock. One that was set back meanwhile makes what waits new; one that was
/// set forward makes it old, as if it had been lost.
fn age(stamp: TimeSpec) -> Duration {
    let now = clock_gettime(ClockId::CLOCK_REALTIME).unwrap_or(stamp);
    (now.max(stamp) - stamp).into()
}

#[derive(Default)]
struct Arrival {
    destination: Option<IpAddr>,
    interface: u32,
    ttl: Option<u8>,
    stamp: Option<TimeSpec>,
}

impl Arrival {
    fn note(&mut self, control: &ControlMessageOwned) {
        match control {
            ControlMessageOwned::Ipv4PacketInfo(info) => {
                let octets = info.ipi_addr.s_addr.to_ne_bytes();
                self.destination = Some(IpAddr::from(octets));
                self.interface = info.ipi_ifindex.cast_unsigned();
            }
            ControlMessageOwned::Ipv6PacketInfo(info) => {
                self.destination = Some(IpAddr::from(info.ipi6_addr.s6_addr));
                self.interface = info.ipi6_ifindex;
            }
            ControlMessageOwned::Ipv4Ttl(ttl) | ControlMessageOwned::Ipv6HopLimit(ttl) => {
                self.ttl = u8::try_from(*ttl).ok();
            }
            ControlMessageOwned::ScmTimestampns(stamp) => self.stamp = Some(*stamp),
            _ => {}
        }
    }
}

/// Where a [`Sender`] sends to, and from where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route<'a> {
    pub(crate) remote: IpAddr,
    pub(crate) port: u16,
    /// `None`: the routing table chooses, for each datagram anew.
    pub(crate) local: Option<IpAddr>,
    /// The only interface that is used, by name and number.
    pub(crate) interface: Option<(&'a str, u32)>,
    pub(crate) source_port: u16,
}

/// Sends to one address, always from the same port, with TTL 255.
#[derive(Debug)]
pub(crate) struct Sender {
    socket: Socket,
    remote: SocketAddr,
}

impl Sender {
    /// Takes the source port.
    ///
    /// Binding to an interface takes no capability since Linux 5.7, `CAP_NET_RAW` before.
    pub(crate) fn open(route: &Route<'_>) -> io::Result<Self> {
        let version = Version::of(route.remote);
        let socket = Socket::new(version.domain(), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        match version {
            Version::V4 => {
                socket.set_ttl_v4(TTL)?;
                socket.set_tos_v4(INTERNETWORK_CONTROL)?;
            }
            Version::V6 => {
                socket.set_unicast_hops_v6(TTL)?;
                socket.set_tclass_v6(INTERNETWORK_CONTROL)?;
            }
        }
        // Nobody has a reason to answer to this port, and nobody reads what comes.
        drop(socket.set_recv_buffer_size(0));
        if let Some((name, _)) = route.interface {
            socket.bind_device(Some(name.as_bytes()))?;
        }
        let scope = route.interface.map_or(0, |(_, index)| index);
        let local = route.local.unwrap_or_else(|| version.unspecified());
        socket.bind(&scoped(local, route.source_port, scope).into())?;
        let remote = scoped(route.remote, route.port, scope);
        Ok(Self { socket, remote })
    }

    /// Sends one datagram, now or not at all.
    pub(crate) fn send(&self, octets: &[u8]) -> io::Result<()> {
        self.socket.send_to(octets, &self.remote.into()).map(drop)
    }
}

/// Link-local addresses, and groups, say on which link.
pub(super) fn scoped(address: IpAddr, port: u16, scope: u32) -> SocketAddr {
    match address {
        IpAddr::V6(v6) if v6.is_unicast_link_local() || v6.is_multicast() => {
            SocketAddrV6::new(v6, port, 0, scope).into()
        }
        _ => SocketAddr::new(address, port),
    }
}

pub(super) const TTL: u32 = 255;
// DSCP CS6, as every routing protocol: heartbeats must not be the first to be dropped.
pub(super) const INTERNETWORK_CONTROL: u32 = 0xc0;
const RECEIVE_BUFFER: usize = 1024 * 1024;
// A BFD packet takes at most 52 octets; longer ones are read as far as their Length field can say.
const LONGEST_OF_BFD: usize = 256;
const CONTROL: usize = cmsg_space::<libc::in_pktinfo>()
    + cmsg_space::<libc::in6_pktinfo>()
    + 2 * cmsg_space::<libc::c_int>()
    + cmsg_space::<TimeSpec>();

#[cfg(test)]
mod tests;
