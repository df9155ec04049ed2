//! Raw ICMPv6 sockets on which routers of one link find each other.

use std::io;
use std::net::{Ipv6Addr, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::sys::socket::{SockaddrIn6, recvfrom};
use socket2::{Domain, Protocol, SockFilter, Socket, Type};

use super::filter::Filter;
use crate::wire::ip::ALL_ROUTERS;

/// A socket on one link that sends and hears Router Solicitations and Advertisements. Opening one
/// takes `CAP_NET_RAW`; using it takes nothing.
#[derive(Debug)]
pub(crate) struct RouterSocket {
    socket: Socket,
    index: u32,
}

impl RouterSocket {
    /// Opens a socket on the link `name`, whose number is `index`.
    ///
    /// The kernel writes and checks the checksums; what was forwarded by a router never arrives.
    pub(crate) fn open(index: u32, name: &str) -> io::Result<Self> {
        let kind = Type::RAW.nonblocking();
        let socket = Socket::new(Domain::IPV6, kind, Some(Protocol::ICMPV6))?;
        let program: Vec<SockFilter> = Filter::router_discovery()
            .instructions()
            .iter()
            .map(|step| SockFilter::new(step.code, step.jump_true, step.jump_false, step.operand))
            .collect();
        socket.attach_filter(&program)?;
        socket.bind_device(Some(name.as_bytes()))?;
        socket.set_multicast_if_v6(index)?;
        socket.set_multicast_hops_v6(HOP_LIMIT)?;
        socket.set_unicast_hops_v6(HOP_LIMIT)?;
        socket.set_multicast_loop_v6(false)?;
        socket.join_multicast_v6(&ALL_ROUTERS, index)?;
        let socket = Self { socket, index };
        // What other links sent before the socket was bound to this one.
        while socket.receive(&mut [0; 64]).is_ok() {}
        Ok(socket)
    }

    /// Sends a message to a group on the link, now or not at all.
    pub(crate) fn send(&self, message: &[u8], destination: Ipv6Addr) -> io::Result<()> {
        let destination = SocketAddrV6::new(destination, 0, 0, self.index);
        self.socket.send_to(message, &destination.into()).map(drop)
    }

    /// Takes the next message that waits: its sender and how many octets of `buffer` it fills. A
    /// longer one is cut short.
    pub(crate) fn receive(&self, buffer: &mut [u8]) -> io::Result<(Ipv6Addr, usize)> {
        let (length, sender) = recvfrom::<SockaddrIn6>(self.socket.as_raw_fd(), buffer)?;
        let sender = sender.ok_or(io::ErrorKind::InvalidData)?;
        Ok((sender.ip(), length.min(buffer.len())))
    }
}

impl AsFd for RouterSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// What no router that forwards can leave (RFC 4861 section 6.1).
const HOP_LIMIT: u32 = 255;
