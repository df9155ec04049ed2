//! The two address families, and values held once for each.
//!
//! Everything below this crate's surface computes on `u128`: an IPv6 address is its 128 bits, an
//! IPv4 address its 32 bits as a number. A number alone does not say its family, so it never
//! travels without one.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::ops::{Index, IndexMut};
use core::str::FromStr;

use thiserror::Error;

use crate::text::text_serde;

/// An address family.
///
/// Its text is the Kubernetes name, `IPv4` or `IPv6`; parsing ignores case.
///
/// ```
/// use openelb_ipam::Family;
///
/// assert_eq!(Family::of("2001:db8::1".parse()?), Family::V6);
/// assert_eq!("ipv4".parse(), Ok(Family::V4));
/// assert_eq!(Family::V4.other().to_string(), "IPv6");
/// # Ok::<(), core::net::AddrParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4, 32 bits.
    V4,
    /// IPv6, 128 bits.
    V6,
}

impl Family {
    /// Both families, IPv4 first.
    pub const ALL: [Self; 2] = [Self::V4, Self::V6];

    /// The family of an address. An IPv4-mapped IPv6 address is an IPv6 address.
    ///
    /// ```
    /// # use openelb_ipam::Family;
    /// assert_eq!(Family::of("::ffff:192.0.2.1".parse()?), Family::V6);
    /// # Ok::<(), core::net::AddrParseError>(())
    /// ```
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// How many bits an address has: 32 or 128.
    ///
    /// ```
    /// # use openelb_ipam::Family;
    /// assert_eq!((Family::V4.bits(), Family::V6.bits()), (32, 128));
    /// ```
    pub const fn bits(self) -> u8 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }

    /// The highest address as a number: `255.255.255.255`, or all 128 bits set.
    ///
    /// ```
    /// # use openelb_ipam::Family;
    /// assert_eq!(Family::V4.max_bits(), 0xffff_ffff);
    /// ```
    pub const fn max_bits(self) -> u128 {
        match self {
            Self::V4 => u32::MAX as u128,
            Self::V6 => u128::MAX,
        }
    }

    /// The family this one is not.
    ///
    /// ```
    /// # use openelb_ipam::Family;
    /// assert_eq!(Family::V6.other(), Family::V4);
    /// ```
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::V4 => Self::V6,
            Self::V6 => Self::V4,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

impl FromStr for Family {
    type Err = ParseFamilyError;

    fn from_str(text: &str) -> Result<Self, ParseFamilyError> {
        if text.eq_ignore_ascii_case("ipv4") {
            Ok(Self::V4)
        } else if text.eq_ignore_ascii_case("ipv6") {
            Ok(Self::V6)
        } else {
            Err(ParseFamilyError)
        }
    }
}

text_serde!(Family, "an address family, \"IPv4\" or \"IPv6\"");

/// The text names no address family.
///
/// ```
/// # use openelb_ipam::Family;
/// let error = "inet".parse::<Family>().unwrap_err();
/// assert_eq!(error.to_string(), "not an address family; write IPv4 or IPv6");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not an address family; write IPv4 or IPv6")]
pub struct ParseFamilyError;

/// One value for each family.
///
/// ```
/// use openelb_ipam::{DualStack, Family};
///
/// let mut live = DualStack { v4: 3, v6: 0 };
/// live[Family::V6] += 1;
/// assert_eq!(live.map(|n| n * 2), DualStack { v4: 6, v6: 2 });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DualStack<T> {
    /// The IPv4 value.
    pub v4: T,
    /// The IPv6 value.
    pub v6: T,
}

impl<T> DualStack<T> {
    /// Makes each value from its family.
    ///
    /// ```
    /// # use openelb_ipam::DualStack;
    /// assert_eq!(DualStack::from_fn(|family| family.bits()), DualStack { v4: 32, v6: 128 });
    /// ```
    pub fn from_fn(mut make: impl FnMut(Family) -> T) -> Self {
        Self {
            v4: make(Family::V4),
            v6: make(Family::V6),
        }
    }

    /// Turns both values into others.
    ///
    /// ```
    /// # use openelb_ipam::DualStack;
    /// assert_eq!(DualStack { v4: 1, v6: 2 }.map(|n| n + 1), DualStack { v4: 2, v6: 3 });
    /// ```
    pub fn map<U>(self, mut f: impl FnMut(T) -> U) -> DualStack<U> {
        DualStack {
            v4: f(self.v4),
            v6: f(self.v6),
        }
    }

    /// Both values with their families, IPv4 first.
    ///
    /// ```
    /// # use openelb_ipam::{DualStack, Family};
    /// let pair = DualStack { v4: 'a', v6: 'b' };
    /// assert!(pair.iter().eq([(Family::V4, &'a'), (Family::V6, &'b')]));
    /// ```
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Family, &T)> + ExactSizeIterator {
        [(Family::V4, &self.v4), (Family::V6, &self.v6)].into_iter()
    }
}

impl<T> Index<Family> for DualStack<T> {
    type Output = T;

    fn index(&self, family: Family) -> &T {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }
}

impl<T> IndexMut<Family> for DualStack<T> {
    fn index_mut(&mut self, family: Family) -> &mut T {
        match family {
            Family::V4 => &mut self.v4,
            Family::V6 => &mut self.v6,
        }
    }
}

/// An address as a number: the 32 or 128 bits, most significant first.
///
/// ```
/// use openelb_ipam::family::to_bits;
///
/// assert_eq!(to_bits("0.0.1.2".parse()?), 0x0102);
/// assert_eq!(to_bits("::1:2".parse()?), 0x1_0002);
/// # Ok::<(), core::net::AddrParseError>(())
/// ```
pub const fn to_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_bits() as u128,
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The address that a number means in a family. Bits beyond the family's width are ignored.
///
/// ```
/// use openelb_ipam::family::{Family, from_bits};
///
/// assert_eq!(from_bits(Family::V4, 0x0102).to_string(), "0.0.1.2");
/// assert_eq!(from_bits(Family::V6, 0x0102).to_string(), "::102");
/// ```
#[expect(
    clippy::cast_possible_truncation,
    reason = "documented: bits beyond the family's width are ignored"
)]
pub const fn from_bits(family: Family, bits: u128) -> IpAddr {
    match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::from_bits(bits as u32)),
        Family::V6 => IpAddr::V6(Ipv6Addr::from_bits(bits)),
    }
}

#[cfg(test)]
mod tests;
