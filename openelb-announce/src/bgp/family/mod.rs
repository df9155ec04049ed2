//! Address families (RFC 4760): the two that this speaker announces, and values kept per family.

use std::fmt;
use std::net::IpAddr;
use std::ops::{Index, IndexMut};
use std::str::FromStr;

/// An address family with its subsequent one: unicast routes of IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// AFI 1, SAFI 1.
    Ipv4Unicast,
    /// AFI 2, SAFI 1.
    Ipv6Unicast,
}

impl Family {
    /// Both families, IPv4 first.
    pub const ALL: [Self; 2] = [Self::Ipv4Unicast, Self::Ipv6Unicast];

    /// The family whose routes lead to `address`.
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::Ipv4Unicast,
            IpAddr::V6(_) => Self::Ipv6Unicast,
        }
    }

    /// The address family identifier on the wire.
    pub const fn afi(self) -> u16 {
        match self {
            Self::Ipv4Unicast => 1,
            Self::Ipv6Unicast => 2,
        }
    }

    /// The subsequent address family identifier on the wire.
    pub const fn safi(self) -> u8 {
        UNICAST
    }

    /// The family of a pair on the wire; `None` for all that this speaker does not know.
    pub const fn from_wire(afi: u16, safi: u8) -> Option<Self> {
        match (afi, safi) {
            (1, UNICAST) => Some(Self::Ipv4Unicast),
            (2, UNICAST) => Some(Self::Ipv6Unicast),
            _ => None,
        }
    }

    /// How many octets an address of the family has.
    pub const fn octets(self) -> u8 {
        match self {
            Self::Ipv4Unicast => 4,
            Self::Ipv6Unicast => 16,
        }
    }

    /// The length of a host route: 32 or 128.
    pub const fn host_length(self) -> u8 {
        self.octets() * 8
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ipv4Unicast => "ipv4-unicast",
            Self::Ipv6Unicast => "ipv6-unicast",
        })
    }
}

impl FromStr for Family {
    type Err = ParseFamilyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "ipv4-unicast" => Ok(Self::Ipv4Unicast),
            "ipv6-unicast" => Ok(Self::Ipv6Unicast),
            _ => Err(ParseFamilyError {
                text: text.to_owned(),
            }),
        }
    }
}

/// A text is no family of this speaker.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no address family; write ipv4-unicast or ipv6-unicast")]
pub struct ParseFamilyError {
    text: String,
}

super::serde_as_text!(Family);

/// One value for each family.
///
/// ```
/// use openelb_announce::bgp::{Family, PerFamily};
///
/// let mut sent = PerFamily { ipv4: 1, ipv6: 2 };
/// sent[Family::Ipv6Unicast] += 1;
/// assert_eq!(sent.iter().map(|(_, count)| count).sum::<u32>(), 4);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PerFamily<T> {
    /// The value for IPv4 unicast.
    pub ipv4: T,
    /// The value for IPv6 unicast.
    pub ipv6: T,
}

impl<T> PerFamily<T> {
    /// Asks `value` once for each family.
    pub fn from_fn(mut value: impl FnMut(Family) -> T) -> Self {
        Self {
            ipv4: value(Family::Ipv4Unicast),
            ipv6: value(Family::Ipv6Unicast),
        }
    }

    /// Both values with their families, IPv4 first.
    pub fn iter(&self) -> impl Iterator<Item = (Family, &T)> {
        Family::ALL.into_iter().zip([&self.ipv4, &self.ipv6])
    }

    /// Both values with their families, IPv4 first, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Family, &mut T)> {
        Family::ALL
            .into_iter()
            .zip([&mut self.ipv4, &mut self.ipv6])
    }

    /// Makes another value of each.
    pub fn map<U>(self, mut change: impl FnMut(T) -> U) -> PerFamily<U> {
        PerFamily {
            ipv4: change(self.ipv4),
            ipv6: change(self.ipv6),
        }
    }

    /// Borrows both.
    pub const fn as_ref(&self) -> PerFamily<&T> {
        PerFamily {
            ipv4: &self.ipv4,
            ipv6: &self.ipv6,
        }
    }
}

impl<T: Clone> PerFamily<T> {
    /// The same value for both families.
    pub fn both(value: T) -> Self {
        Self {
            ipv4: value.clone(),
            ipv6: value,
        }
    }
}

impl<T> Index<Family> for PerFamily<T> {
    type Output = T;

    fn index(&self, family: Family) -> &T {
        match family {
            Family::Ipv4Unicast => &self.ipv4,
            Family::Ipv6Unicast => &self.ipv6,
        }
    }
}

impl<T> IndexMut<Family> for PerFamily<T> {
    fn index_mut(&mut self, family: Family) -> &mut T {
        match family {
            Family::Ipv4Unicast => &mut self.ipv4,
            Family::Ipv6Unicast => &mut self.ipv6,
        }
    }
}

/// Some of the families.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FamilySet {
    members: PerFamily<bool>,
}

impl FamilySet {
    /// None.
    pub const EMPTY: Self = Self::new(false, false);
    /// Both.
    pub const ALL: Self = Self::new(true, true);

    /// Those for which the argument is true.
    pub const fn new(ipv4: bool, ipv6: bool) -> Self {
        Self {
            members: PerFamily { ipv4, ipv6 },
        }
    }

    /// Whether `family` is one of them.
    pub fn contains(self, family: Family) -> bool {
        self.members[family]
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        !self.members.ipv4 && !self.members.ipv6
    }

    /// Adds one; tells whether it is new.
    pub fn insert(&mut self, family: Family) -> bool {
        !std::mem::replace(&mut self.members[family], true)
    }

    /// Takes one out; tells whether it was there.
    pub fn remove(&mut self, family: Family) -> bool {
        std::mem::replace(&mut self.members[family], false)
    }

    /// Those in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self::new(
            self.members.ipv4 && other.members.ipv4,
            self.members.ipv6 && other.members.ipv6,
        )
    }

    /// Its members, IPv4 first.
    pub fn iter(self) -> impl Iterator<Item = Family> {
        Family::ALL
            .into_iter()
            .filter(move |family| self.contains(*family))
    }
}

impl FromIterator<Family> for FamilySet {
    fn from_iter<I: IntoIterator<Item = Family>>(families: I) -> Self {
        let mut set = Self::EMPTY;
        for family in families {
            set.insert(family);
        }
        set
    }
}

impl fmt::Display for FamilySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("no family");
        }
        for (number, family) in self.iter().enumerate() {
            let between = if number > 0 { ", " } else { "" };
            write!(f, "{between}{family}")?;
        }
        Ok(())
    }
}

const UNICAST: u8 = 1;

#[cfg(test)]
mod tests;
