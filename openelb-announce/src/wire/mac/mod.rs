//! Ethernet hardware addresses (EUI-48).

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// A 48-bit Ethernet hardware address, in the order of the wire.
///
/// ```
/// use openelb_announce::wire::Mac;
///
/// let mac: Mac = "02:00:5E:10:00:01".parse()?;
/// assert_eq!(mac.to_string(), "02:00:5e:10:00:01");
/// # Ok::<(), openelb_announce::wire::mac::ParseMacError>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac([u8; 6]);

impl Mac {
    /// Every station on the link.
    pub const BROADCAST: Self = Self([0xff; 6]);
    /// No address: what an ARP probe asks for.
    pub const ZERO: Self = Self([0; 6]);

    /// The address with these octets.
    pub const fn new(octets: [u8; 6]) -> Self {
        Self(octets)
    }

    /// The six octets, in the order of the wire.
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }

    /// The group address that carries frames to an IPv6 multicast group (RFC 2464 section 7).
    pub const fn of_group(group: Ipv6Addr) -> Self {
        let [.., a, b, c, d] = group.octets();
        Self([0x33, 0x33, a, b, c, d])
    }

    /// The group address that carries frames to a multicast group of either family (RFC 1112 section
    /// 6.4: 32 IPv4 groups share each).
    pub const fn of_multicast(group: IpAddr) -> Self {
        match group {
            IpAddr::V4(v4) => {
                let [_, b, c, d] = v4.octets();
                Self([0x01, 0x00, 0x5e, b & 0x7f, c, d])
            }
            IpAddr::V6(v6) => Self::of_group(v6),
        }
    }

    /// Does it stand for a group of stations, all of them included?
    pub const fn is_group(self) -> bool {
        let [first, ..] = self.0;
        first & 0x01 != 0
    }

    /// Can it be the address of one station?
    pub const fn is_station(self) -> bool {
        !self.is_group() && !matches!(self.0, [0, 0, 0, 0, 0, 0])
    }
}

impl From<[u8; 6]> for Mac {
    fn from(octets: [u8; 6]) -> Self {
        Self(octets)
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, octet) in self.0.iter().enumerate() {
            let colon = if position == 0 { "" } else { ":" };
            write!(f, "{colon}{octet:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is not a hardware address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a hardware address: write six hexadecimal pairs, as in 02:00:5e:10:00:01")]
pub struct ParseMacError {
    text: String,
}

impl FromStr for Mac {
    type Err = ParseMacError;

    /// Reads six hexadecimal pairs with `:` or `-` between them.
    fn from_str(text: &str) -> Result<Self, ParseMacError> {
        parse(text).ok_or_else(|| ParseMacError {
            text: text.to_owned(),
        })
    }
}

fn parse(text: &str) -> Option<Mac> {
    let mut octets = [0; 6];
    let mut pairs = text.split([':', '-']);
    for octet in &mut octets {
        let pair = pairs.next()?;
        // `from_str_radix` alone would take "+1" for a pair.
        if pair.len() != 2 || !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        *octet = u8::from_str_radix(pair, 16).ok()?;
    }
    pairs.next().is_none().then_some(Mac(octets))
}

#[cfg(test)]
mod tests;
