//! The IPv6 header (RFC 8200 section 3) and the multicast groups of neighbor discovery.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |Version| Traffic Class |           Flow Label                  |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |         Payload Length        |  Next Header  |   Hop Limit   |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                        Source Address (16)                    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                      Destination Address (16)                 |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::{NoRoom, Reader, Truncated, Writer, wire_enum};
use std::net::Ipv6Addr;

wire_enum! {
    /// What follows an IPv6 header.
    pub enum NextHeader(u8) {
        /// ICMP for IPv6.
        Icmpv6 = 58,
        /// The Virtual Router Redundancy Protocol.
        Vrrp = 112,
    }
}

/// The forty octets in front of every IPv6 packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv6Header {
    /// Differentiated services and congestion bits.
    pub traffic_class: u8,
    /// The flow label; its lower 20 bits count.
    pub flow_label: u32,
    /// How many octets follow the header.
    pub payload_length: u16,
    /// What follows the header.
    pub next_header: NextHeader,
    /// How many more routers may forward the packet.
    pub hop_limit: u8,
    /// The sender.
    pub source: Ipv6Addr,
    /// The receiver or group of receivers.
    pub destination: Ipv6Addr,
}

impl Ipv6Header {
    /// How many octets a header takes.
    pub const LENGTH: usize = 40;

    /// Splits a packet into its header and its payload. What follows the payload is link padding
    /// and is cut off.
    pub fn split(packet: &[u8]) -> Result<(Self, &[u8]), DecodeIpv6Error> {
        let mut reader = Reader::new(packet);
        let first = reader.u32()?;
        if first >> 28 != VERSION {
            return Err(DecodeIpv6Error::Version);
        }
        let [.., traffic_class] = (first >> 20).to_be_bytes();
        let header = Self {
            traffic_class,
            flow_label: first & FLOW_LABEL,
            payload_length: reader.u16()?,
            next_header: reader.u8()?.into(),
            hop_limit: reader.u8()?,
            source: reader.array::<16>()?.into(),
            destination: reader.array::<16>()?.into(),
        };
        Ok((header, reader.take(header.payload_length.into())?))
    }

    /// Writes the header; [`LENGTH`](Self::LENGTH) octets.
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), NoRoom> {
        let class = u32::from(self.traffic_class) << 20;
        out.u32((VERSION << 28) | class | (self.flow_label & FLOW_LABEL))?;
        out.u16(self.payload_length)?;
        out.u8(self.next_header.into())?;
        out.u8(self.hop_limit)?;
        out.octets(&self.source.octets())?;
        out.octets(&self.destination.octets())
    }
}

/// Why octets are not an IPv6 packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeIpv6Error {
    /// The version field does not say 6.
    #[error("not version 6 of IP")]
    Version,
    /// The header or the payload ends early.
    #[error("IPv6 packet {0}")]
    Truncated(#[from] Truncated),
}

/// All nodes on the link (RFC 4291 section 2.7.1).
pub const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// All routers on the link (RFC 4291 section 2.7.1).
pub const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);

/// The group on which whoever owns `address` is asked for it (RFC 4291 section 2.7.1). Addresses
/// with equal low 24 bits share it.
pub const fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let [.., high, low] = address.segments();
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | (high & 0xff), low)
}

/// Is it the solicited-node group of some address?
pub const fn is_solicited_node(group: Ipv6Addr) -> bool {
    matches!(
        group.octets(),
        [0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, ..]
    )
}

const VERSION: u32 = 6;
const FLOW_LABEL: u32 = 0x000f_ffff;

#[cfg(test)]
mod tests;
