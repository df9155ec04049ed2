//! The ICMPv6 header (RFC 4443 section 2.1).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |     Type      |     Code      |          Checksum             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                         Message body ...
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-
//! ```

use super::checksum::Checksum;
use super::ip::NextHeader;
use super::{NoRoom, Reader, Truncated, Writer, wire_enum};
use std::net::Ipv6Addr;

wire_enum! {
    /// The kind of an ICMPv6 message.
    pub enum Type(u8) {
        /// Asks routers to make themselves known (RFC 4861 section 4.1).
        RouterSolicitation = 133,
        /// A router makes itself known (RFC 4861 section 4.2).
        RouterAdvertisement = 134,
        /// Asks for the hardware address of a neighbor (RFC 4861 section 4.3).
        NeighborSolicitation = 135,
        /// Tells it (RFC 4861 section 4.4).
        NeighborAdvertisement = 136,
    }
}

/// An ICMPv6 message of any kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// What kind of message it is.
    pub kind: Type,
    /// A variant of that kind.
    pub code: u8,
    /// The rest.
    pub body: &'a [u8],
}

impl<'a> Message<'a> {
    /// How many octets the header in front of the body takes.
    pub const HEADER_LENGTH: usize = 4;

    /// Reads the payload of an IPv6 packet between these two addresses, which its checksum covers.
    pub fn decode(
        payload: &'a [u8],
        source: Ipv6Addr,
        destination: Ipv6Addr,
    ) -> Result<Self, DecodeIcmpv6Error> {
        let message = Self::decode_verified(payload)?;
        if checksum(payload, source, destination) != 0 {
            return Err(DecodeIcmpv6Error::Checksum);
        }
        Ok(message)
    }

    /// Reads a payload whose checksum somebody else has checked: the kernel, for a raw ICMPv6 socket.
    pub fn decode_verified(payload: &'a [u8]) -> Result<Self, Truncated> {
        let mut reader = Reader::new(payload);
        let (kind, code, _checksum) = (reader.u8()?, reader.u8()?, reader.u16()?);
        Ok(Self {
            kind: kind.into(),
            code,
            body: reader.rest(),
        })
    }

    /// Writes the message for a packet between these two addresses, with its checksum;
    /// [`HEADER_LENGTH`](Self::HEADER_LENGTH) octets and the body.
    pub fn emit(
        &self,
        out: &mut Writer<'_>,
        source: Ipv6Addr,
        destination: Ipv6Addr,
    ) -> Result<(), NoRoom> {
        let [kind, code] = [self.kind.into(), self.code];
        let length = Self::HEADER_LENGTH + self.body.len();
        let mut sum = Checksum::of_ipv6(source, destination, NextHeader::Icmpv6, length);
        sum.add(&[kind, code]);
        sum.add(self.body);
        out.octets(&[kind, code])?;
        out.u16(sum.value())?;
        out.octets(self.body)
    }
}

/// Why octets are not an ICMPv6 message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeIcmpv6Error {
    /// The message was changed on its way, or is for other addresses.
    #[error("ICMPv6 checksum does not match")]
    Checksum,
    /// The header ends early.
    #[error("ICMPv6 message {0}")]
    Truncated(#[from] Truncated),
}

fn checksum(payload: &[u8], source: Ipv6Addr, destination: Ipv6Addr) -> u16 {
    let mut sum = Checksum::of_ipv6(source, destination, NextHeader::Icmpv6, payload.len());
    sum.add(payload);
    sum.value()
}

#[cfg(test)]
mod tests;
