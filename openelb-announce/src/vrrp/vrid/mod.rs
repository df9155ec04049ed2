//! Names of virtual routers, and the rule by which every node finds the same one for an address.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU8;
use std::ops::RangeInclusive;

use crate::random::mix;
use crate::wire::Mac;

/// The address family of a virtual router: families never mix in one (RFC 9568 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Family {
    /// Advertised over IPv4.
    Ipv4,
    /// Advertised over IPv6.
    Ipv6,
}

impl Family {
    /// The family of an address.
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::Ipv4,
            IpAddr::V6(_) => Self::Ipv6,
        }
    }

    /// The multicast group of all VRRP routers (RFC 9568 sections 5.1.1.2 and 5.1.2.2).
    pub const fn group(self) -> IpAddr {
        match self {
            Self::Ipv4 => IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18)),
            Self::Ipv6 => IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12)),
        }
    }

    /// Octets of an address.
    pub const fn octets(self) -> usize {
        match self {
            Self::Ipv4 => 4,
            Self::Ipv6 => 16,
        }
    }

    /// How many addresses one advertisement carries at most: what an Ethernet frame of 1,500 octets
    /// holds, and for IPv4 what the count of 8 bits can say.
    pub const fn most_addresses(self) -> usize {
        match self {
            Self::Ipv4 => 255,
            // 1,500 octets less 40 of IPv6 and 8 of VRRP, in sixteens.
            Self::Ipv6 => 90,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
        })
    }
}

/// Virtual Router Identifier: 1 to 255, unique on a link for each family (RFC 9568 section 5.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct Vrid(NonZeroU8);

impl Vrid {
    /// The identifier `number`; `None` for zero, which is none.
    pub const fn new(number: u8) -> Option<Self> {
        match NonZeroU8::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// As a number.
    pub const fn get(self) -> u8 {
        self.0.get()
    }

    /// The virtual router MAC address (RFC 9568 section 7.3).
    ///
    /// ```
    /// use openelb_announce::vrrp::{Family, Vrid};
    ///
    /// let vrid = Vrid::new(51).ok_or("zero")?;
    /// assert_eq!(vrid.mac(Family::Ipv6).to_string(), "00:00:5e:00:02:33");
    /// # Ok::<(), &str>(())
    /// ```
    pub const fn mac(self, family: Family) -> Mac {
        let family = match family {
            Family::Ipv4 => 1,
            Family::Ipv6 => 2,
        };
        Mac::new([0x00, 0x00, 0x5e, 0x00, family, self.get()])
    }
}

impl fmt::Display for Vrid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The identifiers that may be used on a link, from the first to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VridRange {
    // Invariant: first <= last.
    first: Vrid,
    last: Vrid,
}

impl VridRange {
    /// From `first` to `last`, both included; `None` when that holds none.
    pub fn new(first: Vrid, last: Vrid) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// One identifier alone.
    pub const fn single(vrid: Vrid) -> Self {
        Self {
            first: vrid,
            last: vrid,
        }
    }

    /// The first one.
    pub const fn first(self) -> Vrid {
        self.first
    }

    /// The last one.
    pub const fn last(self) -> Vrid {
        self.last
    }

    /// How many it holds: 1 to 255.
    pub const fn len(self) -> u8 {
        // Cannot wrap: 255 identifiers at most, as zero is none.
        self.last.get() - self.first.get() + 1
    }

    /// Never: a range holds at least one.
    pub const fn is_empty(self) -> bool {
        false
    }

    /// Do the two have an identifier in common? On one link they must not.
    pub fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

impl fmt::Display for VridRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            return fmt::Display::fmt(&self.first, f);
        }
        write!(f, "{}-{}", self.first, self.last)
    }
}

/// The virtual router that announces `unit`, the name of what must move together.
///
/// It follows from the name and the range alone: every node finds the same, in whatever order
/// services come, and no other unit is renumbered when one is added. Units may meet in one virtual
/// router; its addresses then move together.
pub fn vrid_of(unit: &str, range: VridRange) -> Vrid {
    let step = below(hash(unit, 0), range.len());
    Vrid::new(range.first.get().saturating_add(step)).unwrap_or(range.first)
}

/// The priority of `node` for a virtual router, out of `band`: another order of the nodes for every
/// VRID, so that virtual routers spread over the nodes without anyone handing them out.
///
/// Two nodes may draw the same priority; then the greater address decides (RFC 9568 section 6.4.3).
pub fn spread(node: &str, vrid: Vrid, band: RangeInclusive<u8>) -> u8 {
    let (first, last) = band.into_inner();
    let width = last.saturating_sub(first).saturating_add(1);
    first.saturating_add(below(hash(node, vrid.get().into()), width))
}

/// Priorities of nodes that are fit to serve; an unfit one is [`UNFIT`] lower, below them all.
pub const BAND: RangeInclusive<u8> = 101..=200;
/// How much lower the priority of a node that fails its health check is.
pub const UNFIT: u8 = 100;

/// FNV-1a of 64 bits, stirred: part of the agreement between nodes, so it never changes.
fn hash(text: &str, seed: u64) -> u64 {
    let start = FNV_OFFSET ^ mix(seed);
    let step = |hash: u64, octet: &u8| (hash ^ u64::from(*octet)).wrapping_mul(FNV_PRIME);
    mix(text.as_bytes().iter().fold(start, step))
}

/// A number below `bound` out of a hash; zero when `bound` is.
fn below(hash: u64, bound: u8) -> u8 {
    let product = u128::from(hash) * u128::from(bound);
    u8::try_from(product >> 64).unwrap_or_default()
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

#[cfg(test)]
mod tests;
