//! Who speaks: autonomous system numbers (RFC 6793, RFC 5396) and BGP identifiers (RFC 6286).

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// The number of an autonomous system, of four octets (RFC 6793).
///
/// ```
/// use openelb_announce::bgp::Asn;
///
/// assert_eq!("1.10".parse(), Ok(Asn(65_546)));
/// assert_eq!(Asn(65_546).to_string(), "65546");
/// assert_eq!(Asn(65_546).wire16(), 23_456);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Asn(pub u32);

impl Asn {
    /// Stands for a number above 65535 where only two octets fit (RFC 6793 section 2).
    pub const AS_TRANS: Self = Self(23_456);

    /// The number in two octets: itself, or [`AS_TRANS`](Self::AS_TRANS) when it needs four.
    pub fn wire16(self) -> u16 {
        u16::try_from(self.0).unwrap_or(23_456)
    }

    /// Whether no speaker may have this number: 0 (RFC 7607), 23456 (RFC 6793), 65535 and
    /// 4294967295 (RFC 7300).
    pub const fn is_reserved(self) -> bool {
        matches!(self.0, 0 | 23_456 | 65_535 | u32::MAX)
    }
}

impl From<u32> for Asn {
    fn from(number: u32) -> Self {
        Self(number)
    }
}

impl fmt::Display for Asn {
    /// Writes the number as asplain (RFC 5396 section 2).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Asn {
    type Err = ParseAsnError;

    /// Reads asplain (`65546`) and asdot (`1.10`), without a prefix such as `AS`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseAsnError {
            text: text.to_owned(),
        };
        // `parse` alone would take "+1" for a number.
        if text.contains('+') {
            return Err(wrong());
        }
        let plain = || text.parse().map(Self).map_err(|_| wrong());
        let Some((high, low)) = text.split_once('.') else {
            return plain();
        };
        let half = |half: &str| half.parse::<u16>().map_err(|_| wrong());
        Ok(Self(u32::from(half(high)?) << 16 | u32::from(half(low)?)))
    }
}

/// A text is no AS number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no AS number; write 0 to 4294967295, or two parts of 0 to 65535 as in 1.10")]
pub struct ParseAsnError {
    text: String,
}

/// The BGP identifier of a speaker: four octets that are not all zero (RFC 6286 section 2.1).
///
/// It is written like an IPv4 address, but need not be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouterId(u32);

impl RouterId {
    /// Takes any number but zero.
    pub const fn new(number: u32) -> Option<Self> {
        match number {
            0 => None,
            number => Some(Self(number)),
        }
    }

    /// The identifier as number, as collisions compare it (RFC 4271 section 6.8).
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl TryFrom<Ipv4Addr> for RouterId {
    type Error = ParseRouterIdError;

    fn try_from(address: Ipv4Addr) -> Result<Self, Self::Error> {
        Self::new(address.into()).ok_or_else(|| ParseRouterIdError {
            text: address.to_string(),
        })
    }
}

impl fmt::Display for RouterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ipv4Addr::from(self.0).fmt(f)
    }
}

impl FromStr for RouterId {
    type Err = ParseRouterIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address: Option<Ipv4Addr> = text.parse().ok();
        address
            .and_then(|address| Self::new(address.into()))
            .ok_or_else(|| ParseRouterIdError {
                text: text.to_owned(),
            })
    }
}

/// A text is no BGP identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no router id; write four numbers as in 192.0.2.1, not all of them zero")]
pub struct ParseRouterIdError {
    text: String,
}

super::serde_as_text!(RouterId);

#[cfg(test)]
mod tests;
