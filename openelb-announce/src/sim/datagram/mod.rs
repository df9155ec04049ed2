//! Datagrams of the other protocols as frames: who, to whom, how far, and what.
//!
//! The headers are the simulator's own. What matters to the machines is in them; the encodings of IP
//! and UDP are the kernel's business.

use crate::wire::ethernet::{EtherType, Header};
use crate::wire::{Frame, Mac, Reader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A datagram on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Datagram<'a> {
    pub(super) protocol: Protocol,
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) hop_limit: u8,
    pub(super) octets: &'a [u8],
}

/// What a datagram carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// A beat of the election of owners.
    Beat,
    /// An advertisement of a virtual router.
    Vrrp,
}

impl<'a> Datagram<'a> {
    /// A frame of it. Datagrams to one station are flooded, as those to a station that the switch has
    /// not met.
    pub(super) fn frame(&self, source: Mac) -> Frame {
        let header = Header {
            destination: group(self.destination),
            source,
            ethertype: LOCAL_EXPERIMENTAL,
        };
        header.frame(HEADER + self.octets.len(), |out| {
            let protocol = match self.protocol {
                Protocol::Beat => BEAT,
                Protocol::Vrrp => VRRP,
            };
            out.octets(&[protocol, self.hop_limit])?;
            out.octets(&in_sixteen(self.source))?;
            out.octets(&in_sixteen(self.destination))?;
            out.octets(self.octets)
        })
    }

    /// The datagram in a frame, if there is one.
    pub(super) fn of(frame: &'a [u8]) -> Option<Self> {
        let (header, payload) = Header::split(frame).ok()?;
        if header.ethertype != LOCAL_EXPERIMENTAL {
            return None;
        }
        let mut reader = Reader::new(payload);
        let [protocol, hop_limit] = reader.array().ok()?;
        let protocol = match protocol {
            BEAT => Protocol::Beat,
            VRRP => Protocol::Vrrp,
            _ => return None,
        };
        let source = from_sixteen(reader.array().ok()?);
        let destination = from_sixteen(reader.array().ok()?);
        Some(Self {
            protocol,
            source,
            destination,
            hop_limit,
            octets: reader.rest(),
        })
    }
}

/// Does this frame carry a beat?
pub(super) fn is_beat(frame: &[u8]) -> bool {
    Datagram::of(frame).is_some_and(|datagram| datagram.protocol == Protocol::Beat)
}

/// Who sent a frame.
pub(super) fn sender(frame: &[u8]) -> Option<Mac> {
    Header::split(frame).ok().map(|(header, _)| header.source)
}

fn group(destination: IpAddr) -> Mac {
    match destination {
        IpAddr::V6(group) if group.is_multicast() => Mac::of_group(group),
        // RFC 1112 section 6.4.
        IpAddr::V4(group) if group.is_multicast() => {
            let [_, b, c, d] = group.octets();
            Mac::new([0x01, 0x00, 0x5e, b & 0x7f, c, d])
        }
        _ => Mac::BROADCAST,
    }
}

fn in_sixteen(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

fn from_sixteen(octets: [u8; 16]) -> IpAddr {
    IpAddr::V6(Ipv6Addr::from(octets)).to_canonical()
}

/// The addresses of a host's own, by the number in its hardware address.
pub(super) fn own_addresses(mac: Mac) -> (Ipv4Addr, Ipv6Addr) {
    let [.., high, low] = mac.octets();
    let number = u16::from_be_bytes([high, low]);
    (
        Ipv4Addr::new(10, 254, high, low),
        Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, number),
    )
}

/// The group that beats are sent to: one of those for experiments of RFC 4727 section 3.4.
pub(super) const BEATS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x114);
/// What a datagram that no router forwarded arrives with (RFC 5082).
pub(super) const HOP_LIMIT: u8 = 255;
/// The second of the two types that IEEE 802 sets aside for experiments; traffic has the first.
const LOCAL_EXPERIMENTAL: EtherType = EtherType::Unknown(0x88b6);
const BEAT: u8 = 0;
const VRRP: u8 = 112;
/// Protocol, hop limit and two addresses.
const HEADER: usize = 2 + 16 + 16;

#[cfg(test)]
mod tests;
