//! Asks the kernel for links, addresses and routes (rtnetlink), and hears when they change.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use ipnet::IpNet;
use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkBuffer, NetlinkHeader, NetlinkMessage,
    NetlinkPayload,
};
use netlink_packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use netlink_packet_route::link::{
    InfoPortKind, LinkAttribute, LinkFlags, LinkInfo, LinkLayerType, LinkMessage, Prop, State,
};
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteType};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use nix::sys::socket::{setsockopt, sockopt::ReceiveTimeout};
use nix::sys::time::TimeVal;

use super::interface::RouteError;
use super::topology::{Link, Media, Topology};
use crate::wire::Mac;

/// Keeps a [`Topology`] up to date. Needs no capability and, once open, never blocks.
pub(crate) struct Monitor {
    socket: Socket,
    buffer: Vec<u8>,
    topology: Topology,
    reading: Option<Reading>,
}

/// Everything being read anew, beside the picture that is in use.
struct Reading {
    stage: Stage,
    fresh: Topology,
    /// Something was lost or changed meanwhile, so it must be read once more.
    is_spoilt: bool,
}

#[derive(Clone, Copy)]
enum Stage {
    Links,
    Addresses,
}

impl Monitor {
    /// Subscribes to changes of links and addresses and reads how they are now.
    ///
    /// Takes a few milliseconds on a host with a thousand links.
    pub(crate) fn open() -> io::Result<Self> {
        let socket = open_socket()?;
        // Losing messages is repaired by reading everything again; a large queue makes it rare.
        // Beyond net.core.rmem_max the kernel takes what it allows.
        socket.set_rx_buf_sz(RECEIVE_BUFFER)?;
        for group in [RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR] {
            socket.add_membership(group)?;
        }
        let buffer = vec![0; MESSAGE_BUFFER];
        let mut monitor = Self {
            socket,
            buffer,
            topology: Topology::default(),
            reading: None,
        };
        monitor.read_everything()?;
        while monitor.reading.is_some() {
            monitor.receive_one(0)?;
        }
        Ok(monitor)
    }

    /// How the host looks as of the last [`receive`](Self::receive).
    pub(crate) fn topology(&self) -> &Topology {
        &self.topology
    }

    /// Takes in every message that waits, without blocking; true when the topology changed.
    pub(crate) fn receive(&mut self) -> io::Result<bool> {
        let mut changed = false;
        loop {
            match self.receive_one(libc::MSG_DONTWAIT) {
                Ok(has_changed) => changed |= has_changed,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(changed),
                Err(error) => return Err(error),
            }
        }
    }

    fn receive_one(&mut self, flags: libc::c_int) -> io::Result<bool> {
        match self.socket.recv(&mut self.buffer.as_mut_slice(), flags) {
            Ok(length) => self.take_in(length),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(false),
            // The queue overflowed: what was lost can only be read again.
            Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                match &mut self.reading {
                    Some(reading) => reading.is_spoilt = true,
                    None => self.read_everything()?,
                }
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    fn read_everything(&mut self) -> io::Result<()> {
        let (stage, fresh) = (Stage::Links, Topology::default());
        self.reading = Some(Reading {
            stage,
            fresh,
            is_spoilt: false,
        });
        let links = RouteNetlinkMessage::GetLink(LinkMessage::default());
        send(&self.socket, links, NLM_F_REQUEST | NLM_F_DUMP)
    }

    fn take_in(&mut self, length: usize) -> io::Result<bool> {
        let (mut is_changed, mut is_done) = (false, false);
        for message in messages(self.buffer.get(..length).unwrap_or_default()) {
            let is_torn = message.header.flags & NLM_F_DUMP_INTR != 0;
            if let Some(reading) = &mut self.reading {
                reading.is_spoilt |= is_torn;
            }
            match message.payload {
                NetlinkPayload::Done(_) | NetlinkPayload::Error(_) => is_done = true,
                NetlinkPayload::InnerMessage(message) => {
                    // News and the answers to a question come in one order on one socket, so both
                    // pictures may take both.
                    if let Some(reading) = &mut self.reading {
                        apply(&mut reading.fresh, &message);
                    }
                    is_changed |= apply(&mut self.topology, &message);
                }
                _ => {}
            }
        }
        Ok((is_done && self.finish_stage()?) || is_changed)
    }

    /// After the links come the addresses; after those the fresh picture is the one in use.
    fn finish_stage(&mut self) -> io::Result<bool> {
        let Some(mut reading) = self.reading.take() else {
            return Ok(false);
        };
        if let Stage::Links = reading.stage {
            reading.stage = Stage::Addresses;
            self.reading = Some(reading);
            let addresses = RouteNetlinkMessage::GetAddress(AddressMessage::default());
            send(&self.socket, addresses, NLM_F_REQUEST | NLM_F_DUMP)?;
            return Ok(false);
        }
        if reading.is_spoilt {
            self.read_everything()?;
        }
        let before = std::mem::replace(&mut self.topology, reading.fresh);
        self.topology.inherit_names(&before);
        Ok(self.topology != before)
    }
}

impl AsFd for Monitor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl std::fmt::Debug for Monitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Monitor")
            .field("topology", &self.topology)
            .finish_non_exhaustive()
    }
}

/// The index of the link over which the routing table reaches `target`, never loopback.
///
/// One question and one answer, some ten microseconds.
pub(crate) fn route_to(target: IpAddr) -> Result<u32, RouteError> {
    let broken = |error: io::Error| RouteError::Netlink(error.to_string());
    let socket = open_socket().map_err(broken)?;
    let mut question = RouteMessage::default();
    question.header.address_family = match target {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    };
    question.header.destination_prefix_length = if target.is_ipv4() { 32 } else { 128 };
    question
        .attributes
        .push(RouteAttribute::Destination(RouteAddress::from(target)));
    send(
        &socket,
        RouteNetlinkMessage::GetRoute(question),
        NLM_F_REQUEST,
    )
    .map_err(broken)?;
    let mut buffer = vec![0; MESSAGE_BUFFER];
    let length = socket.recv(&mut buffer.as_mut_slice(), 0).map_err(broken)?;
    let mut answers = messages(buffer.get(..length).unwrap_or_default());
    let answer = answers.find_map(|message| match message.payload {
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewRoute(route)) => Some(route),
        _ => None,
    });
    let route = answer.ok_or(RouteError::Unreachable)?;
    let link = route
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            RouteAttribute::Oif(index) => Some(*index),
            _ => None,
        });
    match route.header.kind {
        RouteType::Local | RouteType::Broadcast | RouteType::Anycast => Err(RouteError::Local),
        RouteType::Unicast => link.ok_or(RouteError::Unreachable),
        _ => Err(RouteError::Unreachable),
    }
}

/// A socket for questions, that waits some seconds for an answer at most.
pub(super) fn open_socket() -> io::Result<Socket> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    // Only questions are waited for, and the kernel answers them within milliseconds. The bound
    // keeps the I/O thread alive if it ever does not.
    let patience = TimeVal::new(ANSWER_TIMEOUT.as_secs().cast_signed(), 0);
    setsockopt(&socket, ReceiveTimeout, &patience)?;
    Ok(socket)
}

/// Sends a question or an order.
pub(super) fn send(socket: &Socket, question: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
    let mut message = NetlinkMessage::new(NetlinkHeader::default(), NetlinkPayload::from(question));
    message.header.flags = flags;
    message.finalize();
    let mut octets = vec![0; message.buffer_len()];
    message.serialize(&mut octets);
    socket.send(&octets, 0).map(drop)
}

/// The messages of one datagram. One that cannot be decoded is passed over: newer kernels add
/// attributes, and a link that we cannot read must not hide the others.
pub(super) fn messages(
    datagram: &[u8],
) -> impl Iterator<Item = NetlinkMessage<RouteNetlinkMessage>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let length = usize::try_from(NetlinkBuffer::new_checked(rest).ok()?.length()).ok()?;
        let message = rest.get(..length)?;
        let aligned = length.next_multiple_of(4).min(rest.len());
        rest = rest.get(aligned..).filter(|_| length > 0)?;
        Some(NetlinkMessage::<RouteNetlinkMessage>::deserialize(message).ok())
    })
    .flatten()
}

/// Takes one message into the picture; true when it changed.
fn apply(topology: &mut Topology, message: &RouteNetlinkMessage) -> bool {
    match message {
        // Bridges tell about their ports in messages of their own family, without the usual
        // attributes; the plain message about the same change follows.
        RouteNetlinkMessage::NewLink(link) if is_about_bridging(link) => false,
        RouteNetlinkMessage::DelLink(link) if is_about_bridging(link) => false,
        RouteNetlinkMessage::NewLink(link) => topology.put_link(link_of(link)),
        RouteNetlinkMessage::DelLink(link) => topology.remove_link(link.header.index),
        // Not an address yet: nothing can be sent from it before duplicate address detection is over
        // (RFC 4862 section 5.4), and then it is told of again.
        RouteNetlinkMessage::NewAddress(address) if is_tentative(address) => {
            net_of(address).is_some_and(|net| topology.remove_address(address.header.index, net))
        }
        RouteNetlinkMessage::NewAddress(address) => {
            net_of(address).is_some_and(|net| topology.put_address(address.header.index, net))
        }
        RouteNetlinkMessage::DelAddress(address) => {
            net_of(address).is_some_and(|net| topology.remove_address(address.header.index, net))
        }
        _ => false,
    }
}

fn is_about_bridging(message: &LinkMessage) -> bool {
    message.header.interface_family == AddressFamily::Bridge
}

fn link_of(message: &LinkMessage) -> Link {
    let flags = message.header.flags;
    let mut link = Link {
        index: message.header.index,
        name: String::new(),
        alternative_names: Vec::new(),
        mac: None,
        is_up: flags.contains(LinkFlags::Up) && flags.contains(LinkFlags::LowerUp),
        media: media_of(message),
        master: None,
    };
    let mut controller = None;
    // A port of a VRF keeps its own neighbours; ports of the others hand their frames to the master.
    let mut shares_frames = false;
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::IfName(name) => link.name.clone_from(name),
            LinkAttribute::PropList(properties) => {
                link.alternative_names
                    .extend(properties.iter().filter_map(alternative_name));
            }
            LinkAttribute::Address(octets) => {
                link.mac = <[u8; 6]>::try_from(octets.as_slice()).ok().map(Mac::from);
            }
            LinkAttribute::Controller(index) => controller = Some(*index),
            LinkAttribute::LinkInfo(parts) => {
                shares_frames = parts.iter().any(
                    |part| matches!(part, LinkInfo::PortKind(kind) if *kind != InfoPortKind::Vrf),
                );
            }
            LinkAttribute::OperState(state) => link.is_up &= can_pass(*state),
            _ => {}
        }
    }
    link.mac = link.mac.filter(|mac| mac.is_station());
    link.master = controller.filter(|_| shares_frames);
    link
}

fn alternative_name(property: &Prop) -> Option<String> {
    match property {
        Prop::AltIfName(name) => Some(name.clone()),
        _ => None,
    }
}

/// Drivers that never report an operational state (veth in old kernels, tun) stay at unknown.
fn can_pass(state: State) -> bool {
    matches!(state, State::Up | State::Unknown)
}

fn media_of(message: &LinkMessage) -> Media {
    let flags = message.header.flags;
    match message.header.link_layer_type {
        _ if flags.contains(LinkFlags::Loopback) => Media::Loopback,
        _ if flags.contains(LinkFlags::Pointopoint) => Media::PointToPoint,
        _ if flags.contains(LinkFlags::Noarp) => Media::NoArp,
        LinkLayerType::Ether => Media::Ethernet,
        _ => Media::Foreign,
    }
}

fn is_tentative(message: &AddressMessage) -> bool {
    let flags = message.header.flags;
    flags.contains(AddressHeaderFlags::Tentative) && !flags.contains(AddressHeaderFlags::Optimistic)
}

/// The interface's own address: `Local` where both are given, because `Address` is then the peer's.
fn net_of(message: &AddressMessage) -> Option<IpNet> {
    let mut own = None;
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(address) => own = Some(*address),
            AddressAttribute::Address(address) => own = own.or(Some(*address)),
            _ => {}
        }
    }
    IpNet::new(own?, message.header.prefix_len).ok()
}

const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
// The kernel fills datagrams of a dump up to 32 KiB.
pub(super) const MESSAGE_BUFFER: usize = 64 * 1024;
const RECEIVE_BUFFER: usize = 1024 * 1024;
const RTNLGRP_LINK: u32 = 1;
const RTNLGRP_IPV4_IFADDR: u32 = 5;
const RTNLGRP_IPV6_IFADDR: u32 = 9;
