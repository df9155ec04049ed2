//! Gives a virtual router its link and its addresses, and takes them away (rtnetlink).
//!
//! All of it needs `CAP_NET_ADMIN`. Nothing outlives us for long: addresses carry a lifetime of a few
//! seconds that has to be renewed, so that the kernel itself removes those of a process that was
//! killed or frozen; what else a killed process left is known by its form and removed by [`sweep`].

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST, NetlinkPayload,
};
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressMessage, AddressProtocol, CacheInfo,
};
use netlink_packet_route::link::{
    AfSpecInet6, AfSpecUnspec, In6AddrGenMode, InfoData, InfoKind, InfoMacVlan, LinkAttribute,
    LinkFlags, LinkInfo, LinkMessage, MacVlanMode,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use nix::net::if_::if_nametoindex;

use super::netlink::{MESSAGE_BUFFER, messages, open_socket, send};
use crate::wire::Mac;

/// One thing to do to the host. Each may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Make the link, down.
    Make(Macvlan),
    /// Remove it.
    Remove(Macvlan),
    /// Set a link up or down.
    SetUp {
        /// The link.
        index: u32,
        /// Up?
        up: bool,
    },
    /// Give a link an address for the next [`LIFETIME`], or renew it.
    PutAddress {
        /// The link.
        index: u32,
        /// The address.
        address: IpAddr,
    },
    /// Take an address from a link.
    RemoveAddress {
        /// The link.
        index: u32,
        /// The address.
        address: IpAddr,
    },
}

impl Order {
    /// Does it; some tenths of a millisecond. The index of the link, when one was made.
    pub(crate) fn carry_out(self) -> io::Result<Option<u32>> {
        match self {
            Self::Make(macvlan) => return macvlan.make().map(Some),
            Self::Remove(macvlan) => macvlan.remove()?,
            Self::SetUp { index, up } => set_up(index, up)?,
            Self::PutAddress { index, address } => put_address(index, address)?,
            Self::RemoveAddress { index, address } => remove_address(index, address)?,
        }
        Ok(None)
    }
}

/// The act, as an error names it: what goes before "operation not permitted".
impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Make(macvlan) => write!(f, "making macvlan {}", macvlan.name()),
            Self::Remove(macvlan) => write!(f, "removing macvlan {}", macvlan.name()),
            Self::SetUp { index, up: true } => write!(f, "setting link {index} up"),
            Self::SetUp { index, up: false } => write!(f, "setting link {index} down"),
            Self::PutAddress { index, address } => write!(f, "adding {address} to link {index}"),
            Self::RemoveAddress { index, address } => {
                write!(f, "removing {address} from link {index}")
            }
        }
    }
}

/// The macvlan of one virtual router: what makes the kernel accept frames to the virtual MAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Macvlan {
    /// The link that it sits on.
    pub(crate) parent: u32,
    /// The virtual router MAC address; it ends with the family, 1 or 2, and the VRID (RFC 9568
    /// section 7.3).
    pub(crate) mac: Mac,
}

impl Macvlan {
    /// By this name [`sweep`] knows what is ours: `oelb4-VRID-PARENT` or `oelb6-VRID-PARENT`. The
    /// number of the parent is hexadecimal because the kernel allows 15 octets.
    pub(crate) fn name(self) -> String {
        let [.., family, vrid] = self.mac.octets();
        let prefix = if family == 2 { V6_PREFIX } else { V4_PREFIX };
        format!("{prefix}{vrid}-{:x}", self.parent)
    }

    /// Makes the link, down and without any address of its own; returns its index.
    ///
    /// What a killed process left under the name is replaced. Mode *bridge*: in mode *private* the
    /// parent hears no adverts of other routers, because those come from the same MAC. `NOARP`, so
    /// that the kernel answers neither ARP for every address of the host on it nor sends DAD probes:
    /// answering is the business of the machine that listens on the parent. No IPv6 address is
    /// derived from the virtual MAC (RFC 9568 section 7.4).
    fn make(self) -> io::Result<u32> {
        match self.create() {
            Err(error) if error.raw_os_error() == Some(libc::EEXIST) => {
                self.remove()?;
                self.create()?;
            }
            created => created?,
        }
        let index = if_nametoindex(self.name().as_str())?;
        let mut quiet = LinkMessage::default();
        quiet.header.index = index;
        quiet.header.flags = LinkFlags::Noarp;
        quiet.header.change_mask = LinkFlags::Noarp;
        let no_addresses = AfSpecInet6::AddrGenMode(In6AddrGenMode::None);
        quiet.attributes = vec![LinkAttribute::AfSpecUnspec(vec![AfSpecUnspec::Inet6(
            vec![no_addresses],
        )])];
        order(RouteNetlinkMessage::SetLink(quiet), 0)?;
        self.loosen_source_check();
        Ok(index)
    }

    /// Removes the link; harmless when there is none.
    fn remove(self) -> io::Result<()> {
        match if_nametoindex(self.name().as_str()) {
            Ok(index) => remove_link(index),
            Err(_) => Ok(()),
        }
    }

    fn create(self) -> io::Result<()> {
        let mut link = LinkMessage::default();
        let mode = InfoMacVlan::Mode(MacVlanMode::Bridge);
        link.attributes = vec![
            LinkAttribute::IfName(self.name()),
            LinkAttribute::Link(self.parent),
            LinkAttribute::Address(self.mac.octets().to_vec()),
            LinkAttribute::LinkInfo(vec![
                LinkInfo::Kind(InfoKind::MacVlan),
                LinkInfo::Data(InfoData::MacVlan(vec![mode])),
            ]),
        ];
        order(
            RouteNetlinkMessage::NewLink(link),
            NLM_F_CREATE | NLM_F_EXCL,
        )
    }

    /// Packets come in here whose answers leave by the parent, so the strict check would drop them;
    /// the kernel applies the greater of this value and that of `all`. Where `/proc/sys` cannot be
    /// written the host's own value stays.
    fn loosen_source_check(self) {
        let path = format!("/proc/sys/net/ipv4/conf/{}/rp_filter", self.name());
        drop(std::fs::write(path, LOOSE));
    }
}

/// Sets a link up or down.
fn set_up(index: u32, up: bool) -> io::Result<()> {
    let mut link = LinkMessage::default();
    link.header.index = index;
    link.header.change_mask = LinkFlags::Up;
    if up {
        link.header.flags = LinkFlags::Up;
    }
    order(RouteNetlinkMessage::SetLink(link), 0)
}

/// It brings no route, no duplicate address detection (another host had the address a moment ago) and,
/// being deprecated, is never chosen as a source.
fn put_address(index: u32, address: IpAddr) -> io::Result<()> {
    let mut message = address_message(index, address);
    let mut validity = CacheInfo::default();
    validity.ifa_valid = u32::try_from(LIFETIME.as_secs()).unwrap_or(u32::MAX);
    message.attributes.extend([
        AddressAttribute::Flags(AddressFlags::Noprefixroute | AddressFlags::Nodad),
        AddressAttribute::CacheInfo(validity),
        AddressAttribute::Protocol(AddressProtocol::Other(OURS)),
    ]);
    let flags = NLM_F_CREATE | NLM_F_REPLACE;
    order(RouteNetlinkMessage::NewAddress(message), flags)
}

/// Takes the address from link `index`; harmless when either is gone.
fn remove_address(index: u32, address: IpAddr) -> io::Result<()> {
    let message = RouteNetlinkMessage::DelAddress(address_message(index, address));
    match order(message, 0) {
        Err(error) if is_gone(&error) => Ok(()),
        result => result,
    }
}

/// Removes every macvlan and every address that a killed process of ours left in this network
/// namespace; returns what that was. Call it before anything is made here.
pub(crate) fn sweep() -> io::Result<Vec<String>> {
    let mut swept = Vec::new();
    for message in dump(RouteNetlinkMessage::GetLink(LinkMessage::default()))? {
        if let RouteNetlinkMessage::NewLink(link) = message
            && let Some(name) = our_macvlan(&link)
        {
            remove_link(link.header.index)?;
            swept.push(name);
        }
    }
    for message in dump(RouteNetlinkMessage::GetAddress(AddressMessage::default()))? {
        if let RouteNetlinkMessage::NewAddress(found) = message
            && let Some(address) = our_address(&found)
        {
            remove_address(found.header.index, address)?;
            swept.push(address.to_string());
        }
    }
    Ok(swept)
}

fn our_macvlan(link: &LinkMessage) -> Option<String> {
    let (mut name, mut is_virtual, mut is_macvlan) = (None, false, false);
    for attribute in &link.attributes {
        match attribute {
            LinkAttribute::IfName(text) => name = Some(text.clone()),
            LinkAttribute::Address(octets) => {
                is_virtual = matches!(octets.as_slice(), [0x00, 0x00, 0x5e, 0x00, 1 | 2, _]);
            }
            LinkAttribute::LinkInfo(parts) => {
                is_macvlan = parts.contains(&LinkInfo::Kind(InfoKind::MacVlan));
            }
            _ => {}
        }
    }
    let ours = |name: &String| [V4_PREFIX, V6_PREFIX].iter().any(|it| name.starts_with(it));
    name.filter(|name| is_virtual && is_macvlan && ours(name))
}

fn our_address(message: &AddressMessage) -> Option<IpAddr> {
    let is_ours = AddressAttribute::Protocol(AddressProtocol::Other(OURS));
    if !message.attributes.contains(&is_ours) {
        return None;
    }
    message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            AddressAttribute::Address(address) => Some(*address),
            _ => None,
        })
}

fn remove_link(index: u32) -> io::Result<()> {
    let mut link = LinkMessage::default();
    link.header.index = index;
    match order(RouteNetlinkMessage::DelLink(link), 0) {
        Err(error) if is_gone(&error) => Ok(()),
        result => result,
    }
}

/// A host's address alone: `/32` or `/128`.
fn address_message(index: u32, address: IpAddr) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.index = index;
    (message.header.family, message.header.prefix_len) = match address {
        IpAddr::V4(_) => (AddressFamily::Inet, 32),
        IpAddr::V6(_) => (AddressFamily::Inet6, 128),
    };
    message.attributes = vec![
        AddressAttribute::Local(address),
        AddressAttribute::Address(address),
    ];
    message
}

fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::ENODEV | libc::EADDRNOTAVAIL)
    )
}

/// Sends an order and waits for the kernel to confirm it.
fn order(message: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
    ask(message, NLM_F_ACK | flags).map(drop)
}

fn dump(question: RouteNetlinkMessage) -> io::Result<Vec<RouteNetlinkMessage>> {
    ask(question, NLM_F_DUMP)
}

fn ask(message: RouteNetlinkMessage, flags: u16) -> io::Result<Vec<RouteNetlinkMessage>> {
    let socket = open_socket()?;
    send(&socket, message, NLM_F_REQUEST | flags)?;
    let mut buffer = vec![0; MESSAGE_BUFFER];
    let mut answers = Vec::new();
    loop {
        let length = socket.recv(&mut buffer.as_mut_slice(), 0)?;
        for answer in messages(buffer.get(..length).unwrap_or_default()) {
            match answer.payload {
                NetlinkPayload::Error(error) if error.code.is_some() => return Err(error.to_io()),
                NetlinkPayload::Error(_) | NetlinkPayload::Done(_) => return Ok(answers),
                NetlinkPayload::InnerMessage(inner) => answers.push(inner),
                _ => {}
            }
        }
    }
}

/// How long an address stays on a link unless it is put there again: as long as it takes a kernel that
/// counts in seconds to be sure that whoever put it there is gone.
pub(crate) const LIFETIME: Duration = Duration::from_secs(3);

const V4_PREFIX: &str = "oelb4-";
const V6_PREFIX: &str = "oelb6-";
// The kernel's own origins are 1 to 3; administrators name theirs in rt_addrprotos.
const OURS: u8 = 112;
const LOOSE: &str = "2";

#[cfg(test)]
mod tests;
