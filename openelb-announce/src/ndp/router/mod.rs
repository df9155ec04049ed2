//! Router Solicitations and Advertisements (RFC 4861 sections 4.1, 4.2, 6.1), as far as routers use
//! them to find each other.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |   Type 134    |   Code (0)    |           Checksum            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! | Cur Hop Limit |M|O|  Reserved |       Router Lifetime         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                         Reachable Time                        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                          Retrans Timer                        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |   Options ...
//! +-+-+-+-+-+-+-+-+-+-+-+-
//! ```

mod discovery;
mod prefix;

use std::net::Ipv6Addr;

pub use discovery::{Discovery, FAST_COUNT, INTERVAL, Input, Output};
pub use prefix::{Flags, PrefixInformation};

use super::option::{self, DecodeOptionError, Kind, Options, RawOption};
use crate::wire::icmpv6::{Message, Type};
use crate::wire::{Mac, NoRoom, Reader, Truncated, Writer};

/// A message between routers that makes sense: what can be built can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repr {
    /// Asks the routers on the link to make themselves known.
    Solicitation {
        /// The asker's hardware address.
        source_mac: Option<Mac>,
    },
    /// Makes its sender known.
    Advertisement {
        /// For how many seconds hosts may use the sender as their default router; 0 is never.
        lifetime: u16,
        /// The sender's hardware address.
        source_mac: Option<Mac>,
    },
}

impl Repr {
    /// Accepts a message from `source` as RFC 4861 sections 6.1.1 and 6.1.2 want it, as far as that
    /// can be told without the IPv6 header; whoever received it has seen to the hop limit of 255.
    pub fn parse(message: &Message<'_>, source: Ipv6Addr) -> Result<Self, DecodeRouterError> {
        if message.code != 0 {
            return Err(DecodeRouterError::Code(message.code));
        }
        let mut reader = Reader::new(message.body);
        match message.kind {
            Type::RouterSolicitation => {
                let _reserved = reader.u32()?;
                let source_mac = source_mac(reader.rest())?;
                if source.is_unspecified() && source_mac.is_some() {
                    return Err(DecodeRouterError::NobodysMac);
                }
                Ok(Self::Solicitation { source_mac })
            }
            Type::RouterAdvertisement => {
                if !source.is_unicast_link_local() {
                    return Err(DecodeRouterError::Source(source));
                }
                let (_hop_limit_and_flags, lifetime) = (reader.u16()?, reader.u16()?);
                let _timers = (reader.u32()?, reader.u32()?);
                let source_mac = source_mac(reader.rest())?;
                Ok(Self::Advertisement {
                    lifetime,
                    source_mac,
                })
            }
            other => Err(DecodeRouterError::OtherMessage(other.into())),
        }
    }

    /// How many octets the message takes.
    pub const fn length(&self) -> usize {
        let (fixed, source_mac) = match self {
            Self::Solicitation { source_mac } => (SOLICITATION_BODY, source_mac),
            Self::Advertisement { source_mac, .. } => (ADVERTISEMENT_BODY, source_mac),
        };
        let option = if source_mac.is_some() {
            RawOption::LENGTH
        } else {
            0
        };
        Message::HEADER_LENGTH + fixed + option
    }

    /// The message for a packet between these two addresses.
    pub(crate) fn to_octets(self, source: Ipv6Addr, destination: Ipv6Addr) -> Vec<u8> {
        let mut octets = vec![0; self.length()];
        self.emit(&mut Writer::new(&mut octets), source, destination)
            .expect("the buffer is as long as the message says");
        octets
    }

    /// Writes the message for a packet between these two addresses; [`length`](Self::length) octets.
    ///
    /// What an advertisement may recommend to hosts (hop limit, timers, prefixes) stays unspecified.
    pub fn emit(
        &self,
        out: &mut Writer<'_>,
        source: Ipv6Addr,
        destination: Ipv6Addr,
    ) -> Result<(), NoRoom> {
        let mut body = [0; ADVERTISEMENT_BODY + RawOption::LENGTH];
        let mut writer = Writer::new(&mut body);
        let (kind, source_mac) = match *self {
            Self::Solicitation { source_mac } => {
                writer.u32(0)?;
                (Type::RouterSolicitation, source_mac)
            }
            Self::Advertisement {
                lifetime,
                source_mac,
            } => {
                writer.u16(0)?;
                writer.u16(lifetime)?;
                writer.octets(&[0; 8])?;
                (Type::RouterAdvertisement, source_mac)
            }
        };
        if let Some(mac) = source_mac {
            option::emit(&mut writer, Kind::SourceLinkLayerAddress, mac.octets())?;
        }
        let length = self.length() - Message::HEADER_LENGTH;
        let body = body.get(..length).unwrap_or_default();
        Message {
            kind,
            code: 0,
            body,
        }
        .emit(out, source, destination)
    }
}

/// Why a message is not to be heeded. All of them are the sender's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeRouterError {
    /// Another ICMPv6 message.
    #[error("ICMPv6 type {0} is neither router solicitation nor advertisement")]
    OtherMessage(u8),
    /// The code is not zero.
    #[error("code is {0}, not 0")]
    Code(u8),
    /// A router advertises from its link-local address, which identifies it.
    #[error("advertisement from {0}, which is not link-local")]
    Source(Ipv6Addr),
    /// Who has no address yet cannot be answered at a hardware address.
    #[error("solicitation from :: names a hardware address")]
    NobodysMac,
    /// An option is malformed.
    #[error(transparent)]
    Option(#[from] DecodeOptionError),
    /// The message ends early.
    #[error("router discovery message {0}")]
    Truncated(#[from] Truncated),
}

fn source_mac(options: &[u8]) -> Result<Option<Mac>, DecodeOptionError> {
    let mut found = None;
    for option in Options::new(options) {
        let option = option?;
        if option.kind == Kind::SourceLinkLayerAddress {
            found = found.or_else(|| option.mac());
        }
    }
    Ok(found)
}

const SOLICITATION_BODY: usize = 4;
const ADVERTISEMENT_BODY: usize = 12;

#[cfg(test)]
mod tests;
