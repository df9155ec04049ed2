//! ARP packets: any packet as a view, and the ones for IPv4 over Ethernet as a value.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |      Hardware type (1)        |    Protocol type (0x0800)     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! | HW length (6) | P. length (4) |           Operation           |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |         Sender hardware address (6), protocol address (4)     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |         Target hardware address (6), protocol address (4)     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use crate::wire::{Mac, NoRoom, Reader, Truncated, Writer, wire_enum};
use std::net::Ipv4Addr;

wire_enum! {
    /// What an ARP packet wants.
    pub enum Operation(u16) {
        /// Asks for a hardware address.
        Request = 1,
        /// Tells it.
        Reply = 2,
    }
}

/// An ARP packet for any hardware and protocol, its addresses still as octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The kind of link; 1 is Ethernet.
    pub hardware_type: u16,
    /// The protocol whose addresses are resolved; 0x0800 is IPv4.
    pub protocol_type: u16,
    /// What the packet wants.
    pub operation: Operation,
    /// The sender's hardware address.
    pub sender_hardware: &'a [u8],
    /// The sender's protocol address.
    pub sender_protocol: &'a [u8],
    /// The hardware address asked for, or the receiver's.
    pub target_hardware: &'a [u8],
    /// The protocol address asked for, or the receiver's.
    pub target_protocol: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads the payload of an Ethernet frame; what follows the packet is padding.
    pub fn decode(payload: &'a [u8]) -> Result<Self, Truncated> {
        let mut reader = Reader::new(payload);
        let (hardware_type, protocol_type) = (reader.u16()?, reader.u16()?);
        let (hardware, protocol) = (usize::from(reader.u8()?), usize::from(reader.u8()?));
        Ok(Self {
            hardware_type,
            protocol_type,
            operation: reader.u16()?.into(),
            sender_hardware: reader.take(hardware)?,
            sender_protocol: reader.take(protocol)?,
            target_hardware: reader.take(hardware)?,
            target_protocol: reader.take(protocol)?,
        })
    }
}

/// An ARP packet for IPv4 over Ethernet: what can be built can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repr {
    /// What the packet wants.
    pub operation: Operation,
    /// The sender's hardware address.
    pub sender_mac: Mac,
    /// The sender's address; unspecified in a probe (RFC 5227 section 1.1).
    pub sender: Ipv4Addr,
    /// The hardware address asked for (then it means nothing), or the receiver's.
    pub target_mac: Mac,
    /// The address asked for, or the receiver's.
    pub target: Ipv4Addr,
}

impl Repr {
    /// How many octets a packet takes.
    pub const LENGTH: usize = 28;

    /// Reads the payload of an Ethernet frame; what follows the packet is padding.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeArpError> {
        Self::parse(&Packet::decode(payload)?)
    }

    /// Accepts a packet for IPv4 over Ethernet, whatever its operation.
    pub fn parse(packet: &Packet<'_>) -> Result<Self, DecodeArpError> {
        let foreign = DecodeArpError::NotIpv4OverEthernet;
        if (packet.hardware_type, packet.protocol_type) != (ETHERNET, IPV4) {
            return Err(foreign);
        }
        Ok(Self {
            operation: packet.operation,
            sender_mac: Mac::new(packet.sender_hardware.try_into().map_err(|_| foreign)?),
            sender: ipv4(packet.sender_protocol).ok_or(foreign)?,
            target_mac: Mac::new(packet.target_hardware.try_into().map_err(|_| foreign)?),
            target: ipv4(packet.target_protocol).ok_or(foreign)?,
        })
    }

    /// Writes the packet; [`LENGTH`](Self::LENGTH) octets.
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), NoRoom> {
        out.u16(ETHERNET)?;
        out.u16(IPV4)?;
        out.octets(&[MAC_LENGTH, IPV4_LENGTH])?;
        out.u16(self.operation.into())?;
        out.octets(&self.sender_mac.octets())?;
        out.octets(&self.sender.octets())?;
        out.octets(&self.target_mac.octets())?;
        out.octets(&self.target.octets())
    }
}

/// Why a payload is not an ARP packet for IPv4 over Ethernet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeArpError {
    /// It resolves addresses of another protocol, or for another kind of link.
    #[error("ARP packet is not for IPv4 over Ethernet")]
    NotIpv4OverEthernet,
    /// The packet ends early.
    #[error("ARP packet {0}")]
    Truncated(#[from] Truncated),
}

fn ipv4(octets: &[u8]) -> Option<Ipv4Addr> {
    <[u8; 4]>::try_from(octets).ok().map(Ipv4Addr::from)
}

const ETHERNET: u16 = 1;
const IPV4: u16 = 0x0800;
const MAC_LENGTH: u8 = 6;
const IPV4_LENGTH: u8 = 4;

#[cfg(test)]
mod tests;
