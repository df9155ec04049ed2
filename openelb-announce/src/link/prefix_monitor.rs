//! Hears from the kernel (rtnetlink) about links, IPv6 addresses with their lifetimes and IPv6 routes.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use ipnet::Ipv6Net;
use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REPLACE, NLM_F_REQUEST, NetlinkPayload,
};
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage,
};
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteType};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::Socket;

use super::netlink::{MESSAGE_BUFFER, messages, open_socket, send};

/// A subscription to everything that tells prefixes. Needs no capability.
pub(crate) struct PrefixMonitor {
    socket: Socket,
    buffer: Vec<u8>,
    news: VecDeque<News>,
    /// What is asked for now, while everything is read.
    stage: Option<Stage>,
    /// Something was lost or changed meanwhile, so it must be read once more.
    is_spoilt: bool,
}

/// What the kernel says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// Everything is told anew from here on: what was known counts no longer.
    Beginning,
    /// Everything was told.
    Complete,
    /// A link is there, or has changed.
    Link {
        index: u32,
        name: String,
        /// Set up by the administrator and with a carrier.
        is_up: bool,
        mac: Option<[u8; 6]>,
    },
    /// A link is gone.
    NoLink { index: u32 },
    /// An address is there, or its lifetimes have changed.
    Address(Address),
    /// An address is gone.
    NoAddress { index: u32, address: Ipv6Addr },
    /// A route is there.
    Route {
        route: Route,
        /// In place of every other one to the same destination with this priority.
        replaces: bool,
    },
    /// A route is gone.
    NoRoute(Route),
}

/// An address of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) index: u32,
    pub(crate) own: Ipv6Addr,
    pub(crate) length: u8,
    /// Made for privacy (RFC 8981) and replaced within a day.
    pub(crate) is_temporary: bool,
    /// Nobody can use it as a source yet: duplicate address detection goes on, or has failed.
    pub(crate) is_tentative: bool,
    /// What is left; `None`: for ever.
    pub(crate) preferred: Option<Duration>,
    pub(crate) valid: Option<Duration>,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) kind: RouteType,
    pub(crate) table: u32,
    pub(crate) prefix: Ipv6Net,
    pub(crate) priority: u32,
    pub(crate) protocol: u8,
    /// The links that it leads to.
    pub(crate) links: Vec<u32>,
    /// Does it lead to a router?
    pub(crate) has_gateway: bool,
    /// What is left; `None`: for ever.
    pub(crate) expires: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Links,
    Addresses,
    Routes,
}

impl PrefixMonitor {
    /// Subscribes, and asks for everything: the answers are the first news.
    pub(crate) fn open() -> io::Result<Self> {
        let socket = open_socket()?;
        // As for the announcer's own monitor: a large queue makes losses rare.
        socket.set_rx_buf_sz(RECEIVE_BUFFER)?;
        for group in [RTNLGRP_LINK, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV6_ROUTE] {
            socket.add_membership(group)?;
        }
        let mut monitor = Self {
            socket,
            buffer: vec![0; MESSAGE_BUFFER],
            news: VecDeque::new(),
            stage: None,
            is_spoilt: false,
        };
        monitor.read_everything()?;
        Ok(monitor)
    }

    /// Takes in what waits, without blocking. At most some datagrams a call, so that a table of a
    /// million routes does not keep the caller from its other work.
    pub(crate) fn receive(&mut self) -> io::Result<()> {
        for _ in 0..MOST_DATAGRAMS {
            let buffer = &mut self.buffer.as_mut_slice();
            match self.socket.recv(buffer, libc::MSG_DONTWAIT) {
                Ok(length) => self.take_in(length)?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The queue overflowed: what was lost can only be read again.
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                    if self.stage.is_some() {
                        self.is_spoilt = true;
                    } else {
                        self.read_everything()?;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The next thing that was heard.
    pub(crate) fn poll_news(&mut self) -> Option<News> {
        self.news.pop_front()
    }

    fn read_everything(&mut self) -> io::Result<()> {
        (self.stage, self.is_spoilt) = (Some(Stage::Links), false);
        self.news.push_back(News::Beginning);
        self.ask(RouteNetlinkMessage::GetLink(LinkMessage::default()))
    }

    fn ask(&self, question: RouteNetlinkMessage) -> io::Result<()> {
        send(&self.socket, question, NLM_F_REQUEST | NLM_F_DUMP)
    }

    fn take_in(&mut self, length: usize) -> io::Result<()> {
        let mut is_done = false;
        for message in messages(self.buffer.get(..length).unwrap_or_default()) {
            self.is_spoilt |= message.header.flags & NLM_F_DUMP_INTR != 0;
            match message.payload {
                NetlinkPayload::Done(_) | NetlinkPayload::Error(_) => is_done = true,
                NetlinkPayload::InnerMessage(inner) => {
                    self.news.extend(news_of(&inner, message.header.flags));
                }
                _ => {}
            }
        }
        if is_done { self.finish_stage() } else { Ok(()) }
    }

    fn finish_stage(&mut self) -> io::Result<()> {
        match self.stage {
            Some(Stage::Links) => {
                self.stage = Some(Stage::Addresses);
                let mut question = AddressMessage::default();
                question.header.family = AddressFamily::Inet6;
                self.ask(RouteNetlinkMessage::GetAddress(question))
            }
            Some(Stage::Addresses) => {
                self.stage = Some(Stage::Routes);
                let mut question = RouteMessage::default();
                question.header.address_family = AddressFamily::Inet6;
                self.ask(RouteNetlinkMessage::GetRoute(question))
            }
            Some(Stage::Routes) if self.is_spoilt => self.read_everything(),
            Some(Stage::Routes) => {
                self.stage = None;
                self.news.push_back(News::Complete);
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl AsFd for PrefixMonitor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl std::fmt::Debug for PrefixMonitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PrefixMonitor")
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}

fn news_of(message: &RouteNetlinkMessage, flags: u16) -> Option<News> {
    Some(match message {
        // Bridges tell about their ports in messages of their own family.
        RouteNetlinkMessage::NewLink(link) | RouteNetlinkMessage::DelLink(link)
            if link.header.interface_family == AddressFamily::Bridge =>
        {
            return None;
        }
        RouteNetlinkMessage::NewLink(link) => link_of(link),
        RouteNetlinkMessage::DelLink(link) => News::NoLink {
            index: link.header.index,
        },
        RouteNetlinkMessage::NewAddress(message) => News::Address(address_of(message)?),
        RouteNetlinkMessage::DelAddress(message) => {
            let Address { index, own, .. } = address_of(message)?;
            let address = own;
            News::NoAddress { index, address }
        }
        RouteNetlinkMessage::NewRoute(message) => News::Route {
            route: route_of(message)?,
            replaces: flags & NLM_F_REPLACE != 0,
        },
        RouteNetlinkMessage::DelRoute(message) => News::NoRoute(route_of(message)?),
        _ => return None,
    })
}

fn link_of(message: &LinkMessage) -> News {
    let flags = message.header.flags;
    let (mut name, mut mac) = (String::new(), None);
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::IfName(text) => name.clone_from(text),
            LinkAttribute::Address(octets) => mac = octets.as_slice().try_into().ok(),
            _ => {}
        }
    }
    News::Link {
        index: message.header.index,
        name,
        is_up: flags.contains(LinkFlags::Up) && flags.contains(LinkFlags::LowerUp),
        mac,
    }
}

fn address_of(message: &AddressMessage) -> Option<Address> {
    let (mut own, mut lifetimes) = (None, (None, None));
    // The attribute has the bits that no longer fit into the header.
    let in_header = message.header.flags;
    let mut flags = AddressFlags::from_bits_retain(in_header.bits().into());
    for attribute in &message.attributes {
        match attribute {
            // `Address` is the peer's where both are given.
            AddressAttribute::Local(IpAddr::V6(address)) => own = Some(*address),
            AddressAttribute::Address(IpAddr::V6(address)) => own = own.or(Some(*address)),
            AddressAttribute::Flags(all) => flags = *all,
            AddressAttribute::CacheInfo(cache) => {
                lifetimes = (lifetime(cache.ifa_preferred), lifetime(cache.ifa_valid));
            }
            _ => {}
        }
    }
    let (mut preferred, valid) = lifetimes;
    // The kernel stops counting at zero or, in some versions, shows what it was given.
    if flags.contains(AddressFlags::Deprecated) {
        preferred = Some(Duration::ZERO);
    }
    let is_tentative = AddressFlags::Tentative | AddressFlags::Dadfailed;
    Some(Address {
        index: message.header.index,
        own: own?,
        length: message.header.prefix_len,
        is_temporary: in_header.contains(AddressHeaderFlags::Secondary),
        is_tentative: flags.intersects(is_tentative),
        preferred,
        valid,
    })
}

fn route_of(message: &RouteMessage) -> Option<Route> {
    let header = &message.header;
    if header.address_family != AddressFamily::Inet6 {
        return None;
    }
    let mut route = Route {
        kind: header.kind,
        table: header.table.into(),
        prefix: Ipv6Net::default(),
        priority: 0,
        protocol: header.protocol.into(),
        links: Vec::new(),
        has_gateway: false,
        expires: None,
    };
    let mut destination = Ipv6Addr::UNSPECIFIED;
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(RouteAddress::Inet6(address)) => destination = *address,
            RouteAttribute::Table(table) => route.table = *table,
            RouteAttribute::Priority(priority) => route.priority = *priority,
            RouteAttribute::Oif(index) => route.links.push(*index),
            RouteAttribute::Gateway(_) | RouteAttribute::Via(_) => route.has_gateway = true,
            RouteAttribute::MultiPath(hops) => {
                route
                    .links
                    .extend(hops.iter().map(|hop| hop.interface_index));
                route.has_gateway = true;
            }
            RouteAttribute::CacheInfo(cache) => {
                route.expires = ticks(cache.expires.cast_signed());
            }
            _ => {}
        }
    }
    route.prefix = Ipv6Net::new(destination, header.destination_prefix_length).ok()?;
    Some(route)
}

/// All ones are infinity.
fn lifetime(seconds: u32) -> Option<Duration> {
    (seconds != u32::MAX).then(|| Duration::from_secs(seconds.into()))
}

/// What is left of a route, in hundredths of a second whatever the kernel's own clock is; zero is for
/// ever.
fn ticks(expires: i32) -> Option<Duration> {
    let left = u64::try_from(expires).unwrap_or(0);
    (expires != 0).then(|| Duration::from_millis(left * 10))
}

/// Each up to 32 KiB.
const MOST_DATAGRAMS: usize = 16;
const RECEIVE_BUFFER: usize = 1024 * 1024;
const RTNLGRP_LINK: u32 = 1;
const RTNLGRP_IPV6_IFADDR: u32 = 9;
const RTNLGRP_IPV6_ROUTE: u32 = 11;
