//! Why a text is not a range of addresses.

use alloc::string::{String, ToString};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use thiserror::Error;

/// A refused range: the entry as it was written, and what is wrong with it.
///
/// ```
/// use openelb_ipam::{AddressRange, range::RangeProblem};
///
/// let error = "192.0.2.9-192.0.2.3".parse::<AddressRange>().unwrap_err();
/// assert_eq!(error.entry(), "192.0.2.9-192.0.2.3");
/// assert!(matches!(error.problem(), RangeProblem::Reversed { .. }));
/// assert_eq!(
///     error.to_string(),
///     "`192.0.2.9-192.0.2.3`: the range starts at 192.0.2.9, after its end 192.0.2.3; swap the two",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{entry}`: {problem}")]
pub struct RangeError {
    entry: String,
    problem: RangeProblem,
}

impl RangeError {
    /// The entry as it was written; at most its first 80 characters.
    ///
    /// ```
    /// let error = "10.0.0.0/33".parse::<openelb_ipam::AddressRange>().unwrap_err();
    /// assert_eq!(error.entry(), "10.0.0.0/33");
    /// ```
    pub fn entry(&self) -> &str {
        &self.entry
    }

    /// What is wrong with it.
    ///
    /// ```
    /// # use openelb_ipam::range::RangeProblem;
    /// let error = "10.0.0.0/33".parse::<openelb_ipam::AddressRange>().unwrap_err();
    /// assert!(matches!(error.problem(), RangeProblem::BadPrefixLength { max: 32, .. }));
    /// ```
    pub const fn problem(&self) -> &RangeProblem {
        &self.problem
    }

    pub(super) fn new(entry: &str, problem: RangeProblem) -> Self {
        Self {
            entry: excerpt(entry),
            problem,
        }
    }

    pub(super) fn of_ends(first: IpAddr, last: IpAddr, problem: RangeProblem) -> Self {
        Self {
            entry: alloc::format!("{first}-{last}"),
            problem,
        }
    }
}

/// What is wrong with an entry. Each message names the part at fault and what to write instead.
///
/// ```
/// use openelb_ipam::{AddressRange, range::RangeProblem};
///
/// let error = "010.0.0.1".parse::<AddressRange>().unwrap_err();
/// assert_eq!(*error.problem(), RangeProblem::LeadingZero { part: "010.0.0.1".into() });
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RangeProblem {
    /// Nothing between the commas.
    #[error("nothing is written here; write an address, a prefix, or a range first-last")]
    Empty,
    /// `first-` or `-last`.
    #[error("the {side} address is missing; write both ends, first-last")]
    MissingEnd {
        /// Which of the two is missing.
        side: End,
    },
    /// More than one dash.
    #[error("more than one dash; a range has two ends, first-last")]
    TooManyDashes,
    /// A part that is not an address at all.
    #[error("`{part}` is not an IPv4 or IPv6 address")]
    NotAnAddress {
        /// The part at fault.
        part: String,
    },
    /// `010.0.0.1`: octal to some readers, decimal to others.
    #[error("`{part}` has leading zeros, which some programs read as octal; leave them out")]
    LeadingZero {
        /// The part at fault.
        part: String,
    },
    /// `fe80::1%eth0`.
    #[error("`{part}` names a zone; a pool's addresses are the same on every link, leave `%…` out")]
    Zone {
        /// The part at fault.
        part: String,
    },
    /// `::ffff:192.0.2.1`.
    #[error("{address} is an IPv4 address in IPv6 dress; write {instead}")]
    MappedIpv4 {
        /// The address as written.
        address: Ipv6Addr,
        /// The IPv4 address inside it.
        instead: Ipv4Addr,
    },
    /// `192.0.2.1-2001:db8::1`.
    #[error("the ends are of different families ({first} and {last}); write one range for each")]
    MixedFamilies {
        /// The first end.
        first: IpAddr,
        /// The other end.
        last: IpAddr,
    },
    /// The first address is above the last.
    #[error("the range starts at {first}, after its end {last}; swap the two")]
    Reversed {
        /// The first end.
        first: IpAddr,
        /// The other end.
        last: IpAddr,
    },
    /// `192.0.2.0/24-192.0.3.0/24`.
    #[error("`{part}` is a prefix; the ends of a range are single addresses")]
    PrefixAsEnd {
        /// The part at fault.
        part: String,
    },
    /// `/33`, `/x`, `/`.
    #[error("prefix length `{length}` is not a number from 0 to {max}")]
    BadPrefixLength {
        /// What stands after the slash.
        length: String,
        /// 32 or 128.
        max: u8,
    },
    /// A mask with holes, such as `255.255.0.254`.
    #[error("the netmask {mask} is not a run of ones followed by zeros; write a prefix length")]
    MaskWithHoles {
        /// The mask as written.
        mask: Ipv4Addr,
    },
    /// `2001:db8::/255.255.255.0`.
    #[error("an IPv6 prefix takes a length from 0 to 128, not the netmask `{mask}`")]
    MaskOnIpv6 {
        /// The mask as written.
        mask: String,
    },
    /// `192.0.2.10/24`.
    #[error(
        "the address has bits set beyond its prefix; write {prefix} for the prefix or {address} \
         for the one address"
    )]
    HostBits {
        /// The address as written.
        address: IpAddr,
        /// The prefix it lies in.
        prefix: IpNet,
    },
}

/// One end of a range.
///
/// ```
/// # use openelb_ipam::range::End;
/// assert_eq!(End::First.to_string(), "first");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The lower end.
    First,
    /// The upper end.
    Last,
}

impl core::fmt::Display for End {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::First => "first",
            Self::Last => "last",
        })
    }
}

/// Enough of a text to recognise it: an error about a megabyte is not a megabyte.
pub(super) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(LONGEST_EXCERPT) {
        Some((end, _)) => alloc::format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_string(),
    }
}

/// Longer than any valid entry (two full IPv6 addresses and a dash are 79 characters).
const LONGEST_EXCERPT: usize = 80;
