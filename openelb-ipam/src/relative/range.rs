//! Addresses of a pool whose prefix is known by name only.

use alloc::string::String;
use core::fmt;
use core::net::{IpAddr, Ipv6Addr};
use core::str::FromStr;

use thiserror::Error;

use super::ledger::{HOST_MASK, host_part, in_space, ledger_space};
use super::name::{ParsePrefixNameError, PrefixName};
use crate::family::{Family, to_bits};
use crate::range::{AddressRange, RangeError};
use crate::text::text_serde;

/// The addresses with host bits `first ..= last` of a prefix that is known by name.
///
/// ```
/// use openelb_ipam::relative::RelativeRange;
///
/// for (text, canonical) in [
///     ("home/::1000-::1fff", "home/::1000/116"),
///     ("home/::1000 - ::1999", "home/::1000-::1999"),
///     ("home/::/112", "home/::/112"),
///     ("home/::10", "home/::10"),
/// ] {
///     assert_eq!(text.parse::<RelativeRange>()?.to_string(), canonical);
/// }
///
/// let error = "home/::1000-2001:db8::1fff".parse::<RelativeRange>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "`home/::1000-2001:db8::1fff`: 2001:db8::1fff has bits of a prefix, which home gives; \
///      write host bits only, such as ::1fff",
/// );
/// # Ok::<(), openelb_ipam::relative::RelativeRangeError>(())
/// ```
// Invariant: first <= last <= HOST_MASK.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelativeRange {
    prefix: PrefixName,
    first: u128,
    last: u128,
}

impl RelativeRange {
    /// The range between two host parts; `None` when it is reversed or wider than
    /// [`HOST_BITS`](super::HOST_BITS).
    pub fn from_bits(prefix: PrefixName, first: u128, last: u128) -> Option<Self> {
        if first <= last && last <= HOST_MASK {
            Some(Self {
                prefix,
                first,
                last,
            })
        } else {
            None
        }
    }

    /// One host part of which the ledger has an address.
    pub(super) fn one(prefix: PrefixName, host: Ipv6Addr) -> Self {
        let bits = host_part(host) & HOST_MASK;
        Self {
            prefix,
            first: bits,
            last: bits,
        }
    }

    /// The host part of an address of the ledger; `None` for one of another name, or of none.
    pub fn of_ledger(prefix: PrefixName, address: IpAddr) -> Option<Self> {
        let IpAddr::V6(host) = address else {
            return None;
        };
        ledger_space(&prefix)
            .contains(&host)
            .then(|| Self::one(prefix, host))
    }

    /// Whether a text is meant to be relative: a name, a slash, and something with a colon.
    ///
    /// It may still be wrong; [`str::parse`] then says how. No address, prefix or range of either
    /// family looks like that, because names have no colon and no dot.
    ///
    /// ```
    /// use openelb_ipam::relative::RelativeRange;
    ///
    /// assert!(RelativeRange::is_meant_by("home/::10"));
    /// assert!(!RelativeRange::is_meant_by("192.0.2.0/24"));
    /// assert!(!RelativeRange::is_meant_by("2001:db8::/64"));
    /// ```
    pub fn is_meant_by(text: &str) -> bool {
        let parts = text.split_once('/');
        parts.is_some_and(|(name, host)| !name.contains([':', '.']) && host.contains(':'))
    }

    /// The prefix that gives the other bits.
    pub const fn prefix(&self) -> &PrefixName {
        &self.prefix
    }

    /// The lowest host part.
    pub const fn first(&self) -> Ipv6Addr {
        Ipv6Addr::from_bits(self.first)
    }

    /// The highest host part.
    pub const fn last(&self) -> Ipv6Addr {
        Ipv6Addr::from_bits(self.last)
    }

    /// The addresses under which the ledger keeps the range.
    ///
    /// ```
    /// # use openelb_ipam::relative::RelativeRange;
    /// let range: RelativeRange = "home/::/112".parse()?;
    /// assert_eq!(range.in_ledger().to_string(), "1bcc:7e6b:9fbf::/112");
    /// # Ok::<(), openelb_ipam::relative::RelativeRangeError>(())
    /// ```
    pub fn in_ledger(&self) -> AddressRange {
        let end = |host| to_bits(IpAddr::V6(in_space(&self.prefix, host)));
        span(end(self.first), end(self.last))
    }

    /// How many low bits the range needs; a prefix longer than 128 less these has no room for it.
    ///
    /// ```
    /// # use openelb_ipam::relative::RelativeRange;
    /// let range: RelativeRange = "home/::1000-::1fff".parse()?;
    /// assert_eq!(range.host_bits(), 13);
    /// # Ok::<(), openelb_ipam::relative::RelativeRangeError>(())
    /// ```
    pub const fn host_bits(&self) -> u8 {
        // At most HOST_BITS, by the invariant.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "128 - leading zeros is at most 80"
        )]
        {
            (128 - self.last.leading_zeros()) as u8
        }
    }
}

impl FromStr for RelativeRange {
    type Err = RelativeRangeError;

    fn from_str(text: &str) -> Result<Self, RelativeRangeError> {
        parse(text.trim()).map_err(|problem| RelativeRangeError {
            entry: text.trim().chars().take(LONGEST_EXCERPT).collect(),
            problem,
        })
    }
}

impl fmt::Display for RelativeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.prefix, span(self.first, self.last))
    }
}

text_serde!(
    RelativeRange,
    "the name of a prefix and host bits, such as home/::1000-::1fff"
);

/// A refused range: the entry as it was written, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{entry}`: {problem}")]
pub struct RelativeRangeError {
    /// The entry as it was written; at most its first 143 characters.
    pub entry: String,
    /// What is wrong with it.
    pub problem: RelativeProblem,
}

/// What is wrong with a relative range. Each message names the part at fault and what to write.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RelativeProblem {
    /// No slash.
    #[error("no prefix is named; write NAME/HOST, such as home/::1000-::1fff")]
    NoName,
    /// Not a name.
    #[error("{0}")]
    Name(#[from] ParsePrefixNameError),
    /// Not a range.
    #[error("{0}")]
    Host(HostProblem),
    /// An IPv4 address.
    #[error("{0} is an IPv4 address; only IPv6 prefixes have names, write host bits such as ::10")]
    Ipv4(IpAddr),
    /// An end that is more than host bits.
    #[error(
        "{end} has bits of a prefix, which {prefix} gives; write host bits only, such as {instead}"
    )]
    PrefixBits {
        /// The end at fault.
        end: Ipv6Addr,
        /// The name before the slash.
        prefix: PrefixName,
        /// Its lower half.
        instead: Ipv6Addr,
    },
}

/// What the parser of ranges says of the part behind the slash.
pub type HostProblem = crate::range::RangeProblem;

/// A range of numbers that are known to be in order.
fn span(first: u128, last: u128) -> AddressRange {
    AddressRange::from_bits(Family::V6, first, last)
        .expect("first <= last is an invariant, and sharing a block keeps it")
}

fn parse(text: &str) -> Result<RelativeRange, RelativeProblem> {
    let (name, host) = text.split_once('/').ok_or(RelativeProblem::NoName)?;
    let prefix: PrefixName = name.trim().parse()?;
    let range: Result<AddressRange, RangeError> = host.parse();
    let range = range.map_err(|error| error.problem().clone());
    // Bits of a prefix in its first end alone make a range look reversed; swapping would not mend it.
    let ends = match &range {
        Ok(range) => [range.first(), range.last()],
        Err(HostProblem::Reversed { first, last }) => [*first, *last],
        Err(problem) => return Err(RelativeProblem::Host(problem.clone())),
    };
    for end in ends {
        check_host_bits(end, &prefix)?;
    }
    let range = range.map_err(RelativeProblem::Host)?;
    Ok(RelativeRange {
        prefix,
        first: range.first_bits(),
        last: range.last_bits(),
    })
}

fn check_host_bits(end: IpAddr, prefix: &PrefixName) -> Result<(), RelativeProblem> {
    let IpAddr::V6(end) = end else {
        return Err(RelativeProblem::Ipv4(end));
    };
    if end.to_bits() <= HOST_MASK {
        return Ok(());
    }
    Err(RelativeProblem::PrefixBits {
        end,
        prefix: prefix.clone(),
        instead: Ipv6Addr::from_bits(end.to_bits() & u128::from(u64::MAX)),
    })
}

/// Longer than any valid entry: a label of 63, a slash, two full addresses and a dash.
const LONGEST_EXCERPT: usize = 143;
