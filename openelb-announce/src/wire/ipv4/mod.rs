//! The IPv4 header (RFC 791 section 3.1), without options when we write it.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |Version|  IHL  |Type of Service|          Total Length         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |         Identification        |Flags|      Fragment Offset    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  Time to Live |    Protocol   |         Header Checksum       |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                       Source Address                          |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                    Destination Address                        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::checksum::Checksum;
use super::{NoRoom, Reader, Truncated, Writer};
use std::net::Ipv4Addr;

/// What of the header matters to us: the packet is whole, not fragmented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv4Header {
    /// Differentiated services and congestion bits.
    pub type_of_service: u8,
    /// How many octets follow the header.
    pub payload_length: u16,
    /// How many more routers may forward the packet.
    pub ttl: u8,
    /// What follows the header.
    pub protocol: u8,
    /// The sender.
    pub source: Ipv4Addr,
    /// The receiver or group of receivers.
    pub destination: Ipv4Addr,
}

impl Ipv4Header {
    /// How many octets a header without options takes.
    pub const LENGTH: usize = 20;

    /// Splits a packet into its header and its payload. Options are passed over; what follows the
    /// payload is link padding and is cut off. The checksum is the kernel's affair.
    pub fn split(packet: &[u8]) -> Result<(Self, &[u8]), DecodeIpv4Error> {
        let mut reader = Reader::new(packet);
        let first = reader.u8()?;
        let header_length = usize::from(first & 0x0f) * 4;
        if first >> 4 != VERSION || header_length < Self::LENGTH {
            return Err(DecodeIpv4Error::Version);
        }
        let type_of_service = reader.u8()?;
        let total = usize::from(reader.u16()?);
        let _identification_and_fragment = reader.u32()?;
        let (ttl, protocol) = (reader.u8()?, reader.u8()?);
        let _checksum = reader.u16()?;
        let (source, destination) = (reader.array::<4>()?.into(), reader.array::<4>()?.into());
        reader.take(header_length - Self::LENGTH)?;
        let length = total.saturating_sub(header_length);
        let header = Self {
            type_of_service,
            payload_length: u16::try_from(length).unwrap_or(u16::MAX),
            ttl,
            protocol,
            source,
            destination,
        };
        Ok((header, reader.take(length)?))
    }

    /// Writes the header with its checksum; [`LENGTH`](Self::LENGTH) octets.
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), NoRoom> {
        let mut octets = [0; Self::LENGTH];
        self.write(&mut Writer::new(&mut octets), 0)?;
        let mut checksum = Checksum::default();
        checksum.add(&octets);
        self.write(out, checksum.value())
    }

    fn write(&self, out: &mut Writer<'_>, checksum: u16) -> Result<(), NoRoom> {
        out.u8((VERSION << 4) | WORDS)?;
        out.u8(self.type_of_service)?;
        out.u16(self.payload_length.saturating_add(u16::from(WORDS) * 4))?;
        out.u16(0)?;
        out.u16(DONT_FRAGMENT)?;
        out.u8(self.ttl)?;
        out.u8(self.protocol)?;
        out.u16(checksum)?;
        out.octets(&self.source.octets())?;
        out.octets(&self.destination.octets())
    }
}

/// Why octets are not an IPv4 packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeIpv4Error {
    /// The first octet does not say version 4 and at least five words of header.
    #[error("not version 4 of IP")]
    Version,
    /// The header or the payload ends early.
    #[error("IPv4 packet {0}")]
    Truncated(#[from] Truncated),
}

const VERSION: u8 = 4;
/// The header's length in units of four octets.
const WORDS: u8 = 5;
const DONT_FRAGMENT: u16 = 0x4000;

#[cfg(test)]
mod tests;
