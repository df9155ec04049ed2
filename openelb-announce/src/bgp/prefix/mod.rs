//! Destinations: prefixes in canonical form, and what a message names of them.

use super::family::Family;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An IPv4 or IPv6 prefix whose host bits are zero: one destination has one value.
///
/// Ordered by family, address and length. It has 18 octets.
///
/// ```
/// use openelb_announce::bgp::Prefix;
///
/// let prefix: Prefix = "2001:db8::/32".parse()?;
/// assert!(prefix.contains("2001:db8::1".parse()?));
/// assert!("192.0.2.1/24".parse::<Prefix>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
// Invariants: `length <= family.host_length()`; every bit of `octets` after `length` is zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix {
    family: Family,
    octets: [u8; 16],
    length: u8,
}

impl Prefix {
    /// Takes an address as it is; its host bits must be zero.
    pub fn new(address: IpAddr, length: u8) -> Result<Self, PrefixError> {
        let canonical = Self::truncate(address, length)?;
        if canonical.address() != address {
            return Err(PrefixError::HostBits {
                address,
                length,
                canonical,
            });
        }
        Ok(canonical)
    }

    /// Takes an address without the bits after `length`, as aggregation does.
    pub fn truncate(address: IpAddr, length: u8) -> Result<Self, PrefixError> {
        let whole = Self::host(address);
        if length > whole.length {
            return Err(PrefixError::Length { address, length });
        }
        let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
        Ok(Self {
            octets: (u128::from_be_bytes(whole.octets) & mask).to_be_bytes(),
            length,
            ..whole
        })
    }

    /// The route to one address: a /32 or a /128.
    pub const fn host(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::host_v4(address.octets()),
            IpAddr::V6(address) => Self::host_v6(address.octets()),
        }
    }

    /// The family of its address.
    pub const fn family(&self) -> Family {
        self.family
    }

    /// Its first address.
    pub fn address(&self) -> IpAddr {
        match self.family {
            Family::Ipv4Unicast => {
                let [a, b, c, d, ..] = self.octets;
                Ipv4Addr::new(a, b, c, d).into()
            }
            Family::Ipv6Unicast => Ipv6Addr::from(self.octets).into(),
        }
    }

    /// How many of the leading bits count: 0 to 32 or to 128.
    pub const fn length(&self) -> u8 {
        self.length
    }

    /// Whether it leads to one address only.
    pub const fn is_host(&self) -> bool {
        self.length == self.family.host_length()
    }

    /// Whether it leads to `address`; never true for an address of the other family.
    pub fn contains(&self, address: IpAddr) -> bool {
        Self::truncate(address, self.length).is_ok_and(|prefix| prefix == *self)
    }

    /// Whether all of `other` lies in it.
    pub fn covers(&self, other: &Self) -> bool {
        self.length <= other.length && self.contains(other.address())
    }

    /// The address, left-aligned in 16 octets with zeros behind it.
    pub(in crate::bgp) const fn octets(&self) -> &[u8; 16] {
        &self.octets
    }

    /// The prefix of the wire (RFC 4271 section 4.3): `length` bits, of which `octets` holds as
    /// many whole octets as they need, with zeros behind. Bits after `length` "may be set to any
    /// value" there; here they are cleared.
    pub(in crate::bgp) fn from_wire(family: Family, octets: [u8; 16], length: u8) -> Self {
        let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
        Self {
            family,
            octets: (u128::from_be_bytes(octets) & mask).to_be_bytes(),
            length,
        }
    }

    /// A /32 of its octets.
    pub(in crate::bgp) const fn host_v4([a, b, c, d]: [u8; 4]) -> Self {
        Self {
            family: Family::Ipv4Unicast,
            octets: [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            length: 32,
        }
    }

    /// A /128 of its octets.
    pub(in crate::bgp) const fn host_v6(octets: [u8; 16]) -> Self {
        Self {
            family: Family::Ipv6Unicast,
            octets,
            length: 128,
        }
    }
}

impl Hash for Prefix {
    /// Two words instead of a slice with its length: prefixes are the keys of the largest tables.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(u128::from_ne_bytes(self.octets));
        state.write_u16(u16::from_be_bytes([self.family.octets(), self.length]));
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.width().is_some() {
            return f.pad(&format!("{}/{}", self.address(), self.length));
        }
        write!(f, "{}/{}", self.address(), self.length)
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Prefix {
    type Err = ParsePrefixError;

    /// Reads `address/length`; a bare address is a host route.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParsePrefixError::Form {
            text: text.to_owned(),
        };
        let Some((address, length)) = text.split_once('/') else {
            return text.parse().map(Self::host).map_err(|_| wrong());
        };
        let address = address.parse().map_err(|_| wrong())?;
        // `parse` alone would take "+8" for a number.
        if length.starts_with('+') {
            return Err(wrong());
        }
        let length = length.parse().map_err(|_| wrong())?;
        Ok(Self::new(address, length)?)
    }
}

impl From<Prefix> for ipnet::IpNet {
    fn from(prefix: Prefix) -> Self {
        Self::new(prefix.address(), prefix.length)
            .expect("a prefix is never longer than its address")
    }
}

impl From<ipnet::IpNet> for Prefix {
    /// Clears the host bits.
    fn from(network: ipnet::IpNet) -> Self {
        Self::truncate(network.addr(), network.prefix_len())
            .expect("a network is never longer than its address")
    }
}

super::serde_as_text!(Prefix);

/// Why an address and a length are no prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// The length is beyond the family's.
    #[error("{address}/{length} is longer than the address; write at most {}", Family::of(*address).host_length())]
    Length {
        /// The address.
        address: IpAddr,
        /// The length that is too long.
        length: u8,
    },
    /// Bits after the length are set.
    #[error("{address}/{length} has host bits; write {canonical}")]
    HostBits {
        /// The address with host bits.
        address: IpAddr,
        /// The length.
        length: u8,
        /// The prefix without them.
        canonical: Prefix,
    },
}

/// Why a text is no prefix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParsePrefixError {
    /// It has not the form of one.
    #[error("`{text}` is no prefix; write an address, or address/length as in 192.0.2.0/24")]
    Form {
        /// What was written.
        text: String,
    },
    /// The address and the length do not fit.
    #[error(transparent)]
    Prefix(#[from] PrefixError),
}

/// What a message says about one destination: a prefix and, under add-path, which of its paths
/// (RFC 7911 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nlri {
    /// The path identifier; `Some` exactly if add-path was negotiated for family and direction.
    pub path_id: Option<u32>,
    /// The destination.
    pub prefix: Prefix,
}

impl From<Prefix> for Nlri {
    fn from(prefix: Prefix) -> Self {
        Self {
            path_id: None,
            prefix,
        }
    }
}

impl fmt::Display for Nlri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path_id {
            Some(path) => write!(f, "{} path {path}", self.prefix),
            None => self.prefix.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
