//! A run of addresses of one family: one address, a prefix, or from-to.

mod blocks;
mod error;
mod parse;

use core::fmt;
use core::net::IpAddr;

use ipnet::IpNet;

pub use self::blocks::Blocks;
pub use self::error::{End, RangeError, RangeProblem};
pub use self::parse::HostBits;

use crate::count::AddressCount;
use crate::family::{Family, from_bits, to_bits};
use crate::text::text_serde;

/// Addresses `first ..= last` of one family. Never empty, never of two families.
///
/// Reads every form people write; prints the shortest one (an address, a prefix, or `first-last`):
///
/// ```
/// use openelb_ipam::AddressRange;
///
/// for (text, canonical) in [
///     ("192.0.2.7", "192.0.2.7"),
///     ("192.0.2.0/24", "192.0.2.0/24"),
///     ("192.0.2.0/255.255.255.252", "192.0.2.0/30"),
///     ("192.0.2.10 - 192.0.2.20", "192.0.2.10-192.0.2.20"),
///     ("2001:DB8:0::0/64", "2001:db8::/64"),
/// ] {
///     assert_eq!(text.parse::<AddressRange>()?.to_string(), canonical);
/// }
///
/// let error = "192.0.2.10/24".parse::<AddressRange>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "`192.0.2.10/24`: the address has bits set beyond its prefix; \
///      write 192.0.2.0/24 for the prefix or 192.0.2.10 for the one address",
/// );
/// # Ok::<(), openelb_ipam::RangeError>(())
/// ```
///
/// Ranges order by family, then first, then last address. Every operation is O(1).
// Invariant: first <= last <= family.max_bits().
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressRange {
    family: Family,
    first: u128,
    last: u128,
}

impl AddressRange {
    /// Every address of a family.
    ///
    /// ```
    /// # use openelb_ipam::{AddressRange, Family};
    /// assert_eq!(AddressRange::all(Family::V4).to_string(), "0.0.0.0/0");
    /// ```
    pub const fn all(family: Family) -> Self {
        Self {
            family,
            first: 0,
            last: family.max_bits(),
        }
    }

    /// The range `first ..= last`.
    ///
    /// Refused are ends of two families, a last address below the first, and IPv4-mapped IPv6
    /// addresses (`::ffff:a.b.c.d`), which would let one IPv4 address be handed out twice.
    ///
    /// ```
    /// # use openelb_ipam::{AddressRange, AddressCount};
    /// let range = AddressRange::new("2001:db8::".parse()?, "2001:db8::10".parse()?)?;
    /// assert_eq!(range.count(), AddressCount::new(17));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(first: IpAddr, last: IpAddr) -> Result<Self, RangeError> {
        Self::between(first, last).map_err(|problem| RangeError::of_ends(first, last, problem))
    }

    /// The range between two numbers, or `None` when it is reversed or leaves the family.
    ///
    /// ```
    /// # use openelb_ipam::{AddressRange, Family};
    /// assert!(AddressRange::from_bits(Family::V4, 1, 2).is_some());
    /// assert!(AddressRange::from_bits(Family::V4, 2, 1).is_none());
    /// assert!(AddressRange::from_bits(Family::V4, 0, 1 << 32).is_none());
    /// ```
    pub const fn from_bits(family: Family, first: u128, last: u128) -> Option<Self> {
        if first <= last && last <= family.max_bits() {
            Some(Self {
                family,
                first,
                last,
            })
        } else {
            None
        }
    }

    /// The family of every address of the range.
    ///
    /// ```
    /// # use openelb_ipam::{AddressRange, Family};
    /// let range: AddressRange = "0.0.0.0/30".parse()?;
    /// assert_eq!(range.family(), Family::V4);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn family(&self) -> Family {
        self.family
    }

    /// The lowest address.
    ///
    /// ```
    /// # use openelb_ipam::{AddressRange, Family};
    /// let range: AddressRange = "0.0.0.0/30".parse()?;
    /// assert_eq!(range.first().to_string(), "0.0.0.0");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn first(&self) -> IpAddr {
        from_bits(self.family, self.first)
    }

    /// The highest address.
    ///
    /// ```
    /// # use openelb_ipam::{AddressRange, Family};
    /// let range: AddressRange = "0.0.0.0/30".parse()?;
    /// assert_eq!(range.last().to_string(), "0.0.0.3");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn last(&self) -> IpAddr {
        from_bits(self.family, self.last)
    }

    /// The lowest address as a number.
    ///
    /// ```
    /// # use openelb_ipam::{AddressRange, Family};
    /// let range: AddressRange = "0.0.0.0/30".parse()?;
    /// assert_eq!(range.first_bits(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn first_bits(&self) -> u128 {
        self.first
    }

    /// The highest address as a number.
    ///
    /// ```
    /// # use openelb_ipam::{AddressRange, Family};
    /// let range: AddressRange = "0.0.0.0/30".parse()?;
    /// assert_eq!(range.last_bits(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn last_bits(&self) -> u128 {
        self.last
    }

    /// How many addresses; exact, also for `::/0`.
    ///
    /// ```
    /// # use openelb_ipam::{AddressRange, AddressCount};
    /// let pool: AddressRange = "2001:db8::/64".parse()?;
    /// assert_eq!(pool.count(), AddressCount::new(1 << 64));
    /// # Ok::<(), openelb_ipam::RangeError>(())
    /// ```
    pub const fn count(&self) -> AddressCount {
        AddressCount::between(self.first, self.last)
    }

    /// Whether the address lies inside. An address of the other family never does.
    ///
    /// ```
    /// # use openelb_ipam::AddressRange;
    /// let range: AddressRange = "192.168.0.100-192.168.0.200".parse()?;
    /// assert!(range.contains("192.168.0.150".parse()?));
    /// assert!(!range.contains("::ffff:192.168.0.150".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn contains(&self, address: IpAddr) -> bool {
        matches!(
            (self.family, address),
            (Family::V4, IpAddr::V4(_)) | (Family::V6, IpAddr::V6(_))
        ) && self.contains_bits(to_bits(address))
    }

    /// Whether the number lies inside; the caller knows its family.
    ///
    /// ```
    /// # use openelb_ipam::{AddressRange, Family};
    /// let range: AddressRange = "0.0.0.0/30".parse()?;
    /// assert!(range.contains_bits(3) && !range.contains_bits(4));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn contains_bits(&self, bits: u128) -> bool {
        self.first <= bits && bits <= self.last
    }

    /// The position of an address in the range, from 0; `None` outside.
    ///
    /// ```
    /// # use openelb_ipam::AddressRange;
    /// let range: AddressRange = "192.0.2.1-192.0.2.100".parse()?;
    /// assert_eq!(range.ordinal("192.0.2.2".parse()?), Some(1));
    /// assert_eq!(range.ordinal("192.0.2.101".parse()?), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ordinal(&self, address: IpAddr) -> Option<u128> {
        self.contains(address)
            .then(|| to_bits(address) - self.first)
    }

    /// The address at a position from 0; `None` beyond the end.
    ///
    /// ```
    /// # use openelb_ipam::AddressRange;
    /// let range: AddressRange = "192.0.2.1-192.0.2.100".parse()?;
    /// assert_eq!(range.nth(99).map(|a| a.to_string()).as_deref(), Some("192.0.2.100"));
    /// assert_eq!(range.nth(100), None);
    /// # Ok::<(), openelb_ipam::RangeError>(())
    /// ```
    pub fn nth(&self, ordinal: u128) -> Option<IpAddr> {
        let bits = self.first.checked_add(ordinal)?;
        (bits <= self.last).then(|| from_bits(self.family, bits))
    }

    /// Whether the two ranges share an address.
    ///
    /// ```
    /// # use openelb_ipam::AddressRange;
    /// let a: AddressRange = "192.0.2.100-192.0.2.200".parse()?;
    /// assert!(a.overlaps(&"192.0.2.200-192.0.2.250".parse()?));
    /// assert!(!a.overlaps(&"192.0.2.201-192.0.2.250".parse()?));
    /// # Ok::<(), openelb_ipam::RangeError>(())
    /// ```
    pub fn overlaps(&self, other: &Self) -> bool {
        self.family == other.family && self.first <= other.last && other.first <= self.last
    }

    /// The addresses in both ranges.
    ///
    /// ```
    /// # use openelb_ipam::AddressRange;
    /// let a: AddressRange = "192.0.2.0/24".parse()?;
    /// let b: AddressRange = "192.0.2.250-192.0.3.9".parse()?;
    /// assert_eq!(a.intersection(&b), Some("192.0.2.250-192.0.2.255".parse()?));
    /// # Ok::<(), openelb_ipam::RangeError>(())
    /// ```
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        self.overlaps(other).then(|| Self {
            family: self.family,
            first: self.first.max(other.first),
            last: self.last.min(other.last),
        })
    }

    /// The fewest prefixes that cover exactly this range, lowest first; at most 2 × bits − 2 of
    /// them.
    ///
    /// ```
    /// # use openelb_ipam::AddressRange;
    /// let range: AddressRange = "198.51.100.10-198.51.100.20".parse()?;
    /// let blocks: Vec<String> = range.blocks().map(|block| block.to_string()).collect();
    /// assert_eq!(
    ///     blocks,
    ///     ["198.51.100.10/31", "198.51.100.12/30", "198.51.100.16/30", "198.51.100.20/32"],
    /// );
    /// # Ok::<(), openelb_ipam::RangeError>(())
    /// ```
    pub fn blocks(&self) -> Blocks {
        Blocks::of(*self)
    }

    /// The range as one prefix, if it is one.
    ///
    /// ```
    /// # use openelb_ipam::AddressRange;
    /// let range: AddressRange = "192.0.2.0-192.0.2.255".parse()?;
    /// assert_eq!(range.as_prefix(), Some("192.0.2.0/24".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn as_prefix(&self) -> Option<IpNet> {
        let mut blocks = self.blocks();
        blocks.next().filter(|_| blocks.next().is_none())
    }

    /// [`AddressRange::new`] with the bare reason, for callers that know the text it came from.
    fn between(first: IpAddr, last: IpAddr) -> Result<Self, RangeProblem> {
        let family = Family::of(first);
        if family != Family::of(last) {
            return Err(RangeProblem::MixedFamilies { first, last });
        }
        for end in [first, last] {
            if let IpAddr::V6(v6) = end
                && let Some(v4) = v6.to_ipv4_mapped()
            {
                return Err(RangeProblem::MappedIpv4 {
                    address: v6,
                    instead: v4,
                });
            }
        }
        Self::from_bits(family, to_bits(first), to_bits(last))
            .ok_or(RangeProblem::Reversed { first, last })
    }
}

/// One address.
impl From<IpAddr> for AddressRange {
    fn from(address: IpAddr) -> Self {
        let bits = to_bits(address);
        Self {
            family: Family::of(address),
            first: bits,
            last: bits,
        }
    }
}

/// Every address of the prefix; its host bits do not matter.
impl From<IpNet> for AddressRange {
    fn from(prefix: IpNet) -> Self {
        Self {
            family: Family::of(prefix.addr()),
            first: to_bits(prefix.network()),
            last: to_bits(prefix.broadcast()),
        }
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            return write!(f, "{}", self.first());
        }
        match self.as_prefix() {
            Some(prefix) => write!(f, "{prefix}"),
            None => write!(f, "{}-{}", self.first(), self.last()),
        }
    }
}

text_serde!(AddressRange, "an address, a prefix, or a range first-last");

#[cfg(test)]
mod tests;
