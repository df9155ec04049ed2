//! Communities: standard (RFC 1997), large (RFC 8092) and extended (RFC 4360).

mod extended;
mod set;

pub use extended::ExtendedCommunity;
pub use set::CommunitySet;

use std::fmt;
use std::str::FromStr;

/// A community of four octets (RFC 1997).
///
/// ```
/// use openelb_announce::bgp::Community;
///
/// assert_eq!("65535:0".parse(), Ok(Community::GRACEFUL_SHUTDOWN));
/// assert_eq!(Community(0xfc00_0001).to_string(), "64512:1");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Community(pub u32);

impl Community {
    /// Prefer any other path: this one is about to go (RFC 8326).
    pub const GRACEFUL_SHUTDOWN: Self = Self(0xffff_0000);
    /// Do not accept own (RFC 7611).
    pub const ACCEPT_OWN: Self = Self(0xffff_0001);
    /// Keep the route although its session is gone (RFC 9494).
    pub const LLGR_STALE: Self = Self(0xffff_0006);
    /// Do not keep the route once its session is gone (RFC 9494).
    pub const NO_LLGR: Self = Self(0xffff_0007);
    /// Discard traffic (RFC 7999).
    pub const BLACKHOLE: Self = Self(0xffff_029a);
    /// Not beyond the confederation or autonomous system (RFC 1997).
    pub const NO_EXPORT: Self = Self(0xffff_ff01);
    /// To nobody (RFC 1997).
    pub const NO_ADVERTISE: Self = Self(0xffff_ff02);
    /// Not beyond the autonomous system, members of the confederation included (RFC 1997).
    pub const NO_EXPORT_SUBCONFED: Self = Self(0xffff_ff03);
    /// Not over peerings (RFC 3765).
    pub const NO_PEER: Self = Self(0xffff_ff04);

    /// The community of its two halves.
    pub const fn of(high: u16, low: u16) -> Self {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Self(u32::from_be_bytes([a, b, c, d]))
    }

    /// The name that its RFC gave it.
    pub fn name(self) -> Option<&'static str> {
        NAMES
            .iter()
            .find(|(_, community)| *community == self)
            .map(|(name, _)| *name)
    }
}

impl fmt::Display for Community {
    /// Writes the name if it has one, else both halves.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{}:{}", self.0 >> 16, self.0 & 0xffff),
        }
    }
}

impl FromStr for Community {
    type Err = ParseCommunityError;

    /// Reads a name, two halves (`64512:1`) or one number.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some((_, community)) = NAMES.iter().find(|(name, _)| *name == text) {
            return Ok(*community);
        }
        let whole = || number(text).map(Self);
        let halves = |(high, low)| Some(Self::of(number(high)?, number(low)?));
        text.split_once(':')
            .map_or_else(whole, halves)
            .ok_or_else(|| ParseCommunityError::new(text, STANDARD))
    }
}

/// A community of twelve octets (RFC 8092).
///
/// ```
/// use openelb_announce::bgp::LargeCommunity;
///
/// let community: LargeCommunity = "large:64500:1:2".parse()?;
/// assert_eq!(community.to_string(), "64500:1:2");
/// # Ok::<(), openelb_announce::bgp::community::ParseCommunityError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LargeCommunity {
    /// Who gives it a meaning: an AS number.
    pub global: u32,
    /// The first part of the meaning.
    pub local_1: u32,
    /// The second part of the meaning.
    pub local_2: u32,
}

impl fmt::Display for LargeCommunity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.global, self.local_1, self.local_2)
    }
}

impl FromStr for LargeCommunity {
    type Err = ParseCommunityError;

    /// Reads three numbers, with or without `large:` before them.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.strip_prefix("large:").unwrap_or(text).split(':');
        let mut part = || number(parts.next()?);
        let read = (|| {
            let (global, local_1, local_2) = (part()?, part()?, part()?);
            Some(Self {
                global,
                local_1,
                local_2,
            })
        })();
        read.filter(|_| parts.next().is_none())
            .ok_or_else(|| ParseCommunityError::new(text, LARGE))
    }
}

/// A text is no community of the kind that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {expected}")]
pub struct ParseCommunityError {
    text: String,
    expected: &'static str,
}

impl ParseCommunityError {
    fn new(text: &str, expected: &'static str) -> Self {
        Self {
            text: text.to_owned(),
            expected,
        }
    }
}

super::serde_as_text!(Community, LargeCommunity, ExtendedCommunity);

/// Digits only: `parse` alone would take "+1" for a number.
fn number<N: FromStr>(text: &str) -> Option<N> {
    let digits = text.bytes().all(|octet| octet.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

const NAMES: [(&str, Community); 9] = [
    ("graceful-shutdown", Community::GRACEFUL_SHUTDOWN),
    ("accept-own", Community::ACCEPT_OWN),
    ("llgr-stale", Community::LLGR_STALE),
    ("no-llgr", Community::NO_LLGR),
    ("blackhole", Community::BLACKHOLE),
    ("no-export", Community::NO_EXPORT),
    ("no-advertise", Community::NO_ADVERTISE),
    ("no-export-subconfed", Community::NO_EXPORT_SUBCONFED),
    ("no-peer", Community::NO_PEER),
];
const STANDARD: &str =
    "community; write two numbers of 0 to 65535 as in 64512:1, or a name such as no-export";
const LARGE: &str = "large community; write three numbers of 0 to 4294967295 as in large:64500:1:2";

#[cfg(test)]
mod tests;
