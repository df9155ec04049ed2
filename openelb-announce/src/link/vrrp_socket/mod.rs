//! Raw sockets of VRRP (protocol 112): adverts come in and go out on one link (RFC 9568 section 5.1).

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::sys::socket::sockopt::{Ipv6RecvHopLimit, Ipv6RecvPacketInfo};
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn, SockaddrIn6, cmsg_space, recvmsg,
    sendmsg, setsockopt,
};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};

use super::raw_socket::PacketSocket;
use crate::vrrp::Family;
use crate::wire::ethernet::{EtherType, Header};
use crate::wire::ip::Ipv6Header;
use crate::wire::ipv4::Ipv4Header;
use crate::wire::{Frame, Mac};

/// Hears and sends the adverts of one family on one link, those of every virtual router there.
///
/// Opening one needs `CAP_NET_RAW`; using it needs nothing.
#[derive(Debug)]
pub(crate) struct VrrpSocket {
    socket: Socket,
    /// For adverts that must come from a virtual MAC, which no link of this host may have yet.
    frames: PacketSocket,
    index: u32,
    family: Family,
}

/// What came, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Advert<'a> {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) hop_limit: u8,
    /// What follows the IP header.
    pub(crate) octets: &'a [u8],
}

/// Room for one packet and what the kernel says about it.
#[derive(Debug)]
pub(crate) struct Room {
    octets: [u8; LONGEST],
    control: [u8; CONTROL],
}

impl Room {
    /// Empty room.
    pub(crate) const fn new() -> Self {
        Self {
            octets: [0; LONGEST],
            control: [0; CONTROL],
        }
    }
}

impl VrrpSocket {
    /// Opens a socket that hears only link `index`, which is called `name`, and none of its own
    /// adverts.
    pub(crate) fn open(index: u32, name: &str, family: Family) -> io::Result<Self> {
        let domain = match family {
            Family::Ipv4 => Domain::IPV4,
            Family::Ipv6 => Domain::IPV6,
        };
        let protocol = Protocol::from(i32::from(PROTOCOL));
        let socket = Socket::new(domain, Type::RAW.nonblocking(), Some(protocol))?;
        socket.bind_device(Some(name.as_bytes()))?;
        match family {
            Family::Ipv4 => {
                socket.set_ttl_v4(HOP_LIMIT.into())?;
                socket.set_multicast_ttl_v4(HOP_LIMIT.into())?;
                socket.set_multicast_loop_v4(false)?;
                socket.set_tos_v4(INTERNETWORK_CONTROL.into())?;
                // Else groups that others joined on this host would come in too.
                socket.set_multicast_all_v4(false)?;
            }
            Family::Ipv6 => {
                setsockopt(&socket, Ipv6RecvHopLimit, &true)?;
                setsockopt(&socket, Ipv6RecvPacketInfo, &true)?;
                socket.set_unicast_hops_v6(HOP_LIMIT.into())?;
                socket.set_multicast_hops_v6(HOP_LIMIT.into())?;
                socket.set_multicast_loop_v6(false)?;
                socket.set_tclass_v6(INTERNETWORK_CONTROL.into())?;
                socket.set_multicast_all_v6(false)?;
            }
        }
        match family.group() {
            IpAddr::V4(group) => {
                socket.join_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(index))?;
            }
            IpAddr::V6(group) => socket.join_multicast_v6(&group, index)?,
        }
        let frames = PacketSocket::sender(index)?;
        let socket = Self {
            socket,
            frames,
            index,
            family,
        };
        // What other links sent before the socket was bound to this one.
        socket.discard();
        Ok(socket)
    }

    /// Sends `octets` from `source`, an address of the link, to a group or a station; now or never.
    pub(crate) fn send(
        &self,
        source: IpAddr,
        destination: IpAddr,
        octets: &[u8],
    ) -> io::Result<()> {
        let descriptor = self.socket.as_raw_fd();
        let (content, flags) = ([IoSlice::new(octets)], MsgFlags::MSG_DONTWAIT);
        match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let info = libc::in_pktinfo {
                    ipi_ifindex: self.index.cast_signed(),
                    ipi_spec_dst: libc::in_addr {
                        s_addr: u32::from_ne_bytes(source.octets()),
                    },
                    ipi_addr: libc::in_addr { s_addr: 0 },
                };
                let control = [ControlMessage::Ipv4PacketInfo(&info)];
                let to = SockaddrIn::from(SocketAddrV4::new(destination, 0));
                sendmsg(descriptor, &content, &control, flags, Some(&to))?;
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                let info = libc::in6_pktinfo {
                    ipi6_addr: libc::in6_addr {
                        s6_addr: source.octets(),
                    },
                    ipi6_ifindex: self.index,
                };
                let control = [ControlMessage::Ipv6PacketInfo(&info)];
                let to = SockaddrIn6::from(SocketAddrV6::new(destination, 0, 0, self.index));
                sendmsg(descriptor, &content, &control, flags, Some(&to))?;
            }
            _ => return Err(io::ErrorKind::InvalidInput.into()),
        }
        Ok(())
    }

    /// The same to the group `destination`, in a frame that comes from `mac` (RFC 9568 section 7.2),
    /// so that switches learn where the virtual MAC is.
    pub(crate) fn send_as(
        &self,
        mac: Mac,
        source: IpAddr,
        destination: IpAddr,
        octets: &[u8],
    ) -> io::Result<()> {
        let frame = frame(mac, source, destination, octets);
        self.frames.send(&frame.ok_or(io::ErrorKind::InvalidInput)?)
    }

    /// The next packet that waits, `WouldBlock` when none does. What is longer than `room` is cut.
    pub(crate) fn receive<'a>(&self, room: &'a mut Room) -> io::Result<Advert<'a>> {
        match self.family {
            Family::Ipv4 => self.receive_v4(room),
            Family::Ipv6 => self.receive_v6(room),
        }
    }

    /// Throws away what waits; at most as much as a receive queue holds.
    pub(crate) fn discard(&self) {
        let mut octets = [];
        for _ in 0..MOST_DISCARDED {
            let received = nix::sys::socket::recv(
                self.socket.as_raw_fd(),
                &mut octets,
                MsgFlags::MSG_DONTWAIT,
            );
            if received.is_err() {
                return;
            }
        }
    }

    /// Raw sockets of IPv4 hand over the header too.
    fn receive_v4<'a>(&self, room: &'a mut Room) -> io::Result<Advert<'a>> {
        let descriptor = self.socket.as_raw_fd();
        let length = nix::sys::socket::recv(descriptor, &mut room.octets, MsgFlags::MSG_DONTWAIT)?;
        let packet = room.octets.get(..length).unwrap_or_default();
        let broken = |error| io::Error::new(io::ErrorKind::InvalidData, error);
        let (header, octets) = Ipv4Header::split(packet).map_err(broken)?;
        Ok(Advert {
            source: header.source.into(),
            destination: header.destination.into(),
            hop_limit: header.ttl,
            octets,
        })
    }

    fn receive_v6<'a>(&self, room: &'a mut Room) -> io::Result<Advert<'a>> {
        let (mut source, mut destination, mut hop_limit) = (None, None, None);
        let length = {
            let mut slices = [IoSliceMut::new(&mut room.octets)];
            let message = recvmsg::<SockaddrIn6>(
                self.socket.as_raw_fd(),
                &mut slices,
                Some(&mut room.control),
                MsgFlags::MSG_DONTWAIT,
            )?;
            if let Some(address) = &message.address {
                source = Some(IpAddr::V6(address.ip()));
            }
            for control in message.cmsgs()? {
                match control {
                    ControlMessageOwned::Ipv6PacketInfo(info) => {
                        destination = Some(IpAddr::from(info.ipi6_addr.s6_addr));
                    }
                    ControlMessageOwned::Ipv6HopLimit(limit) => {
                        hop_limit = u8::try_from(limit).ok();
                    }
                    _ => {}
                }
            }
            message.bytes
        };
        let missing = || io::Error::new(io::ErrorKind::InvalidData, "no packet information");
        Ok(Advert {
            source: source.ok_or_else(missing)?,
            destination: destination.ok_or_else(missing)?,
            hop_limit: hop_limit.ok_or_else(missing)?,
            octets: room.octets.get(..length).unwrap_or_default(),
        })
    }
}

impl AsFd for VrrpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The whole frame of an advert; `None` when the families differ or it is too long for IP.
fn frame(mac: Mac, source: IpAddr, destination: IpAddr, octets: &[u8]) -> Option<Frame> {
    let payload_length = u16::try_from(octets.len()).ok()?;
    let header = |ethertype| Header {
        destination: Mac::of_multicast(destination),
        source: mac,
        ethertype,
    };
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let packet = Ipv4Header {
                type_of_service: INTERNETWORK_CONTROL,
                payload_length,
                ttl: HOP_LIMIT,
                protocol: PROTOCOL,
                source,
                destination,
            };
            let length = Ipv4Header::LENGTH + octets.len();
            Some(header(IPV4).frame(length, |out| {
                packet.emit(out)?;
                out.octets(octets)
            }))
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let packet = Ipv6Header {
                traffic_class: INTERNETWORK_CONTROL,
                flow_label: 0,
                payload_length,
                next_header: PROTOCOL.into(),
                hop_limit: HOP_LIMIT,
                source,
                destination,
            };
            let length = Ipv6Header::LENGTH + octets.len();
            Some(header(EtherType::Ipv6).frame(length, |out| {
                packet.emit(out)?;
                out.octets(octets)
            }))
        }
        _ => None,
    }
}

/// The number of VRRP among the protocols of IP (RFC 9568 section 5.1.1.4).
const PROTOCOL: u8 = 112;
/// What no router that forwards can leave (RFC 9568 sections 5.1.1.3 and 5.1.2.3).
const HOP_LIMIT: u8 = 255;
/// DSCP CS6, as every routing protocol: adverts must not be the first to be dropped.
const INTERNETWORK_CONTROL: u8 = 0xc0;
// Machines that build frames have no use for it, so it has no name there.
const IPV4: EtherType = EtherType::Unknown(0x0800);
// The longest advert: 8 octets and 255 IPv6 addresses; after an IPv4 header with all options it is
// 60 and 8 and 255 times 4.
const LONGEST: usize = 8 + 255 * 16;
const CONTROL: usize = cmsg_space::<libc::in6_pktinfo>() + 2 * cmsg_space::<libc::c_int>();
// More than the default queue of 208 KiB can hold of the smallest packets.
const MOST_DISCARDED: usize = 1024;

#[cfg(test)]
mod tests;
