//! Neighbor Solicitations and Advertisements (RFC 4861 sections 4.3, 4.4, 7.1).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! | Type 135/136  |   Code (0)    |           Checksum            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |R|S|O| (Advertisement only)     Reserved                       |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                       Target Address (16)                     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |   Options ...
//! +-+-+-+-+-+-+-+-+-+-+-+-
//! ```

use super::option::{self, DecodeOptionError, Kind, Nonce, Options, RawOption};
use crate::wire::icmpv6::{DecodeIcmpv6Error, Message, Type};
use crate::wire::ip::{DecodeIpv6Error, Ipv6Header, NextHeader, is_solicited_node};
use crate::wire::{Mac, NoRoom, Reader, Truncated, Writer};
use std::net::Ipv6Addr;

/// The body of either message as it stands on the wire, its options unread.
#[derive(Clone, Debug)]
pub struct Packet<'a> {
    /// The flags and the reserved bits.
    pub flags: u32,
    /// The address that the message is about.
    pub target: Ipv6Addr,
    /// What follows.
    pub options: Options<'a>,
}

impl<'a> Packet<'a> {
    /// Reads the body of a solicitation or advertisement.
    pub fn decode(body: &'a [u8]) -> Result<Self, Truncated> {
        let mut reader = Reader::new(body);
        let (flags, target) = (reader.u32()?, reader.array::<16>()?.into());
        Ok(Self {
            flags,
            target,
            options: Options::new(reader.rest()),
        })
    }
}

/// A message that makes sense: what can be built can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repr {
    /// Asks for the hardware address of `target`.
    Solicitation {
        /// The address asked for.
        target: Ipv6Addr,
        /// The asker's hardware address; absent in duplicate address detection.
        source_mac: Option<Mac>,
        /// Tells duplicate address detection of different hosts apart.
        nonce: Option<Nonce>,
    },
    /// Tells the hardware address of `target`.
    Advertisement {
        /// The address told about.
        target: Ipv6Addr,
        /// Its hardware address.
        target_mac: Option<Mac>,
        /// Does the sender forward packets for others (R)?
        router: bool,
        /// Is this an answer to a unicast address (S)?
        solicited: bool,
        /// Shall it replace what the receiver knows (O)?
        overriding: bool,
    },
}

impl Repr {
    /// Accepts a message as RFC 4861 sections 7.1.1 and 7.1.2 want it, as far as that can be told
    /// from the message itself.
    pub fn parse(message: &Message<'_>) -> Result<Self, DecodeNdpError> {
        if message.code != 0 {
            return Err(DecodeNdpError::Code(message.code));
        }
        match message.kind {
            Type::NeighborSolicitation => Self::parse_solicitation(message.body),
            Type::NeighborAdvertisement => Self::parse_advertisement(message.body),
            other => Err(DecodeNdpError::OtherMessage(other.into())),
        }
    }

    /// The address that the message is about.
    pub const fn target(&self) -> Ipv6Addr {
        match self {
            Self::Solicitation { target, .. } | Self::Advertisement { target, .. } => *target,
        }
    }

    /// How many octets the ICMPv6 message takes.
    pub fn length(&self) -> usize {
        let options = match self {
            Self::Solicitation {
                source_mac, nonce, ..
            } => usize::from(source_mac.is_some()) + usize::from(nonce.is_some()),
            Self::Advertisement { target_mac, .. } => usize::from(target_mac.is_some()),
        };
        Message::HEADER_LENGTH + FIXED_BODY + options * RawOption::LENGTH
    }

    /// Writes the ICMPv6 message for a packet between these two addresses;
    /// [`length`](Self::length) octets.
    pub fn emit(
        &self,
        out: &mut Writer<'_>,
        source: Ipv6Addr,
        destination: Ipv6Addr,
    ) -> Result<(), NoRoom> {
        let mut buffer = [0; LONGEST_BODY];
        let length = self.length() - Message::HEADER_LENGTH;
        let (body, _) = buffer.split_at_mut(length);
        let kind = self.emit_body(&mut Writer::new(body))?;
        Message {
            kind,
            code: 0,
            body,
        }
        .emit(out, source, destination)
    }

    fn parse_solicitation(body: &[u8]) -> Result<Self, DecodeNdpError> {
        let Packet {
            target, options, ..
        } = Packet::decode(body)?;
        let (mut source_mac, mut nonce) = (None, None);
        for option in options {
            let option = option?;
            match option.kind {
                Kind::SourceLinkLayerAddress => source_mac = option.mac(),
                Kind::Nonce => nonce = option.six(),
                Kind::TargetLinkLayerAddress | Kind::PrefixInformation | Kind::Unknown(_) => {}
            }
        }
        not_multicast(target)?;
        Ok(Self::Solicitation {
            target,
            source_mac,
            nonce,
        })
    }

    fn parse_advertisement(body: &[u8]) -> Result<Self, DecodeNdpError> {
        let Packet {
            flags,
            target,
            options,
        } = Packet::decode(body)?;
        let mut target_mac = None;
        for option in options {
            let option = option?;
            if option.kind == Kind::TargetLinkLayerAddress {
                target_mac = option.mac();
            }
        }
        not_multicast(target)?;
        Ok(Self::Advertisement {
            target,
            target_mac,
            router: flags & ROUTER != 0,
            solicited: flags & SOLICITED != 0,
            overriding: flags & OVERRIDE != 0,
        })
    }

    fn emit_body(&self, out: &mut Writer<'_>) -> Result<Type, NoRoom> {
        match *self {
            Self::Solicitation {
                target,
                source_mac,
                nonce,
            } => {
                out.u32(0)?;
                out.octets(&target.octets())?;
                if let Some(mac) = source_mac {
                    option::emit(out, Kind::SourceLinkLayerAddress, mac.octets())?;
                }
                if let Some(nonce) = nonce {
                    option::emit(out, Kind::Nonce, nonce)?;
                }
                Ok(Type::NeighborSolicitation)
            }
            Self::Advertisement {
                target,
                target_mac,
                router,
                solicited,
                overriding,
            } => {
                let set = |is_set: bool, flag| if is_set { flag } else { 0 };
                let flags = set(router, ROUTER) | set(solicited, SOLICITED);
                out.u32(flags | set(overriding, OVERRIDE))?;
                out.octets(&target.octets())?;
                if let Some(mac) = target_mac {
                    option::emit(out, Kind::TargetLinkLayerAddress, mac.octets())?;
                }
                Ok(Type::NeighborAdvertisement)
            }
        }
    }
}

/// A message together with the IPv6 addresses that it came from and went to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// The sender; unspecified in duplicate address detection.
    pub source: Ipv6Addr,
    /// The receiver or group of receivers.
    pub destination: Ipv6Addr,
    /// The message.
    pub message: Repr,
}

impl Datagram {
    /// Reads an IPv6 packet, making every check of RFC 4861 sections 7.1.1 and 7.1.2.
    ///
    /// Packets with extension headers are refused: hosts do not send them for neighbor discovery,
    /// and RFC 6980 forbids the one that would hide a message from filters.
    pub fn decode(packet: &[u8]) -> Result<Self, DecodeNdpError> {
        let (header, payload) = Ipv6Header::split(packet)?;
        if header.next_header != NextHeader::Icmpv6 {
            return Err(DecodeNdpError::NotIcmpv6(header.next_header.into()));
        }
        if header.hop_limit != HOP_LIMIT {
            return Err(DecodeNdpError::HopLimit(header.hop_limit));
        }
        let Ipv6Header {
            source,
            destination,
            ..
        } = header;
        let message = Repr::parse(&Message::decode(payload, source, destination)?)?;
        let datagram = Self {
            source,
            destination,
            message,
        };
        datagram.check()?;
        Ok(datagram)
    }

    /// How many octets the packet takes.
    pub fn length(&self) -> usize {
        Ipv6Header::LENGTH + self.message.length()
    }

    /// Writes the IPv6 packet; [`length`](Self::length) octets.
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), NoRoom> {
        let header = Ipv6Header {
            traffic_class: 0,
            flow_label: 0,
            payload_length: u16::try_from(self.message.length()).unwrap_or(u16::MAX),
            next_header: NextHeader::Icmpv6,
            hop_limit: HOP_LIMIT,
            source: self.source,
            destination: self.destination,
        };
        header.emit(out)?;
        self.message.emit(out, self.source, self.destination)
    }

    fn check(&self) -> Result<(), DecodeNdpError> {
        match self.message {
            Repr::Solicitation { source_mac, .. } if self.source.is_unspecified() => {
                if !is_solicited_node(self.destination) {
                    return Err(DecodeNdpError::ProbeDestination(self.destination));
                }
                source_mac.map_or(Ok(()), |_| Err(DecodeNdpError::ProbeWithSourceMac))
            }
            Repr::Advertisement {
                solicited: true, ..
            } if self.destination.is_multicast() => Err(DecodeNdpError::SolicitedMulticast),
            Repr::Solicitation { .. } | Repr::Advertisement { .. } => Ok(()),
        }
    }
}

/// Why a packet is not a neighbor discovery message to be heeded. All of them are the sender's
/// fault, or not about neighbor discovery at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeNdpError {
    /// Something else than ICMPv6 follows the IPv6 header.
    #[error("next header is {0}, not ICMPv6")]
    NotIcmpv6(u8),
    /// A router forwarded the packet, so the sender is not on this link.
    #[error("hop limit is {0}, not 255")]
    HopLimit(u8),
    /// Another ICMPv6 message.
    #[error("ICMPv6 type {0} is neither solicitation nor advertisement")]
    OtherMessage(u8),
    /// The code is not zero.
    #[error("code is {0}, not 0")]
    Code(u8),
    /// The message is about a group of hosts.
    #[error("target {0} is multicast")]
    MulticastTarget(Ipv6Addr),
    /// Duplicate address detection must go to a solicited-node group.
    #[error("solicitation from :: went to {0}, not to a solicited-node group")]
    ProbeDestination(Ipv6Addr),
    /// Duplicate address detection must not tell the sender's hardware address.
    #[error("solicitation from :: carries a source link-layer address")]
    ProbeWithSourceMac,
    /// A group cannot have solicited it.
    #[error("advertisement to a group claims to be solicited")]
    SolicitedMulticast,
    /// The fixed part ends early.
    #[error("neighbor discovery message {0}")]
    Truncated(#[from] Truncated),
    /// An option is malformed.
    #[error("neighbor discovery {0}")]
    Option(#[from] DecodeOptionError),
    /// The IPv6 header is malformed.
    #[error(transparent)]
    Ipv6(#[from] DecodeIpv6Error),
    /// The ICMPv6 header is malformed, or the checksum does not match.
    #[error(transparent)]
    Icmpv6(#[from] DecodeIcmpv6Error),
}

const fn not_multicast(target: Ipv6Addr) -> Result<(), DecodeNdpError> {
    if target.is_multicast() {
        Err(DecodeNdpError::MulticastTarget(target))
    } else {
        Ok(())
    }
}

/// Proves that no router forwarded the packet (RFC 4861 section 7.1).
const HOP_LIMIT: u8 = 255;
const ROUTER: u32 = 1 << 31;
const SOLICITED: u32 = 1 << 30;
const OVERRIDE: u32 = 1 << 29;
/// Flags and target.
const FIXED_BODY: usize = 20;
/// A solicitation with both of its options.
const LONGEST_BODY: usize = FIXED_BODY + 2 * RawOption::LENGTH;

#[cfg(test)]
mod tests;
