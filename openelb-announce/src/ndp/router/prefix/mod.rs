//! The Prefix Information option of Router Advertisements (RFC 4861 section 4.6.2), with its flags as
//! registered by RFC 8425.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |    Type 3     |   Length 4    | Prefix Length |L|A|R|P| Rsvd  |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                         Valid Lifetime                        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                       Preferred Lifetime                      |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                           Reserved2                           |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                    Prefix (four times 32 bits)                |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use std::net::Ipv6Addr;
use std::time::Duration;

use ipnet::Ipv6Net;

use crate::ndp::option::{Kind, Options, RawOption};
use crate::wire::icmpv6::{Message, Type};
use crate::wire::{NoRoom, Reader, Writer};

/// What a router says of one prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrefixInformation {
    /// The prefix, without the bits behind its length, which mean nothing.
    pub prefix: Ipv6Net,
    /// What hosts may conclude from it.
    pub flags: Flags,
    /// For how long addresses of the prefix may be used; `None`: for ever.
    pub valid: Option<Duration>,
    /// For how long new connections should use them; `None`: for ever.
    pub preferred: Option<Duration>,
}

/// What hosts may conclude from a prefix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "four independent bits of one octet, named as the standards name them"
)]
pub struct Flags {
    /// L: its addresses are on this link.
    pub on_link: bool,
    /// A: hosts may make addresses of it themselves (RFC 4862).
    pub autonomous: bool,
    /// R: the field holds the router's whole address (RFC 6275 section 7.2).
    pub router_address: bool,
    /// P: hosts should rather ask for a prefix of their own (RFC 9762).
    pub delegation_preferred: bool,
}

impl PrefixInformation {
    /// How many octets the option takes.
    pub const LENGTH: usize = 32;

    /// Reads an option; `None` when it is another one, has another length than the standard's, or a
    /// prefix length beyond 128: such an option is passed over, the rest of the message counts.
    pub fn parse(option: &RawOption<'_>) -> Option<Self> {
        if option.kind != Kind::PrefixInformation || option.value.len() != Self::LENGTH - 2 {
            return None;
        }
        let mut reader = Reader::new(option.value);
        let (length, flags) = (reader.u8().ok()?, reader.u8().ok()?);
        let (valid, preferred) = (reader.u32().ok()?, reader.u32().ok()?);
        let _reserved = reader.u32().ok()?;
        let prefix = Ipv6Addr::from(reader.array::<16>().ok()?);
        Some(Self {
            prefix: Ipv6Net::new(prefix, length).ok()?.trunc(),
            flags: Flags::from(flags),
            valid: lifetime(valid),
            preferred: lifetime(preferred),
        })
    }

    /// Every prefix of an advertisement, in order; none of another message or of malformed options.
    pub fn all<'a>(message: &Message<'a>) -> impl Iterator<Item = Self> + use<'a> {
        let options = match message.kind {
            Type::RouterAdvertisement => message.body.get(super::ADVERTISEMENT_BODY..),
            _ => None,
        };
        Options::new(options.unwrap_or_default())
            .map_while(Result::ok)
            .filter_map(|option| Self::parse(&option))
    }

    /// Writes the option; [`LENGTH`](Self::LENGTH) octets.
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), NoRoom> {
        out.octets(&[Kind::PrefixInformation.into(), UNITS])?;
        out.octets(&[self.prefix.prefix_len(), self.flags.into()])?;
        out.u32(seconds(self.valid))?;
        out.u32(seconds(self.preferred))?;
        out.u32(0)?;
        out.octets(&self.prefix.addr().octets())
    }
}

impl From<u8> for Flags {
    fn from(octet: u8) -> Self {
        Self {
            on_link: octet & ON_LINK != 0,
            autonomous: octet & AUTONOMOUS != 0,
            router_address: octet & ROUTER_ADDRESS != 0,
            delegation_preferred: octet & DELEGATION_PREFERRED != 0,
        }
    }
}

impl From<Flags> for u8 {
    fn from(flags: Flags) -> Self {
        [
            (flags.on_link, ON_LINK),
            (flags.autonomous, AUTONOMOUS),
            (flags.router_address, ROUTER_ADDRESS),
            (flags.delegation_preferred, DELEGATION_PREFERRED),
        ]
        .iter()
        .filter(|(is_set, _)| *is_set)
        .fold(0, |octet, (_, bit)| octet | bit)
    }
}

/// All ones are infinity (RFC 4861 section 4.6.2).
fn lifetime(seconds: u32) -> Option<Duration> {
    (seconds != u32::MAX).then(|| Duration::from_secs(seconds.into()))
}

/// Longer ones than fit, 136 years, become the longest that is not infinity.
fn seconds(lifetime: Option<Duration>) -> u32 {
    lifetime.map_or(u32::MAX, |span| {
        u32::try_from(span.as_secs()).map_or(u32::MAX - 1, |seconds| seconds.min(u32::MAX - 1))
    })
}

/// The option's length field counts eight octets.
const UNITS: u8 = 4;
const ON_LINK: u8 = 0x80;
const AUTONOMOUS: u8 = 0x40;
const ROUTER_ADDRESS: u8 = 0x20;
const DELEGATION_PREFERRED: u8 = 0x10;

#[cfg(test)]
mod tests;
