//! The edge between the ledger and the world: which addresses a host part has now.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr};

use smallvec::SmallVec;
use thiserror::Error;

use super::ledger::{Collision, HOST_MASK, Names, in_space, is_ledger, project, unproject};
use super::name::PrefixName;
use super::overlap::{self, Overlap};
use super::range::{RelativeRange, RelativeRangeError};
use crate::dynamic_prefix::{Generation, Generations};
use crate::time::Time;

/// Every prefix in use and its generations: how the ledger's addresses are shown and read.
///
/// A value without memory: make a new one, or [`insert`](Self::insert) again, whenever a prefix
/// changes. Where two names have one prefix, only one of them is shown under it
/// ([`overlaps`](Self::overlaps)). The example is at the [module](super).
// Invariant: `overlaps` are those among `generations`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Projection {
    names: Names,
    generations: BTreeMap<PrefixName, Generations>,
    overlaps: Vec<Overlap>,
}

impl Projection {
    /// Sets the generations of a prefix; none while it is not known yet.
    ///
    /// Refused is a name whose block of the ledger another has.
    pub fn insert(&mut self, name: PrefixName, generations: Generations) -> Result<(), Collision> {
        self.names.insert(&name)?;
        self.generations.insert(name, generations);
        self.overlaps = overlap::among(&self.generations);
        Ok(())
    }

    /// Forgets a prefix; addresses that follow it are then shown as of an unknown one.
    pub fn remove(&mut self, name: &PrefixName) {
        self.names.remove(name);
        self.generations.remove(name);
        self.overlaps = overlap::among(&self.generations);
    }

    /// The generations of a prefix, shown or not; `None` when no such prefix is in use.
    pub fn generations(&self, name: &PrefixName) -> Option<&Generations> {
        self.generations.get(name)
    }

    /// The prefix in use whose block of the ledger an address lies in. O(log prefixes).
    pub fn name_of(&self, address: Ipv6Addr) -> Option<&PrefixName> {
        self.names.of(address)
    }

    /// The generations of a prefix under which addresses are shown, the preferred one first.
    pub fn shown<'a>(&'a self, name: &'a PrefixName) -> impl Iterator<Item = &'a Generation> {
        let all = self.generations.get(name).into_iter();
        let all = all.flat_map(Generations::iter);
        all.filter(|generation| self.is_shown(name, generation))
    }

    /// The prefixes under which no address is shown, because another name has them.
    pub fn overlaps(&self) -> &[Overlap] {
        &self.overlaps
    }

    /// The latest of a name's [`overlaps`](Self::overlaps): that of its preferred prefix, if it has one.
    pub fn overlap_of(&self, name: &str) -> Option<&Overlap> {
        self.overlaps.iter().rfind(|it| &*it.name == name)
    }

    /// Every prefix in use, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&PrefixName, &Generations)> {
        self.generations.iter()
    }

    /// Whether no prefix is in use: then every address is shown as it is.
    pub fn is_empty(&self) -> bool {
        self.generations.is_empty()
    }

    /// What the world sees of an address of the ledger. O(log prefixes + generations).
    pub fn show(&self, address: IpAddr) -> Shown {
        let IpAddr::V6(host) = address else {
            return Shown::Static(address);
        };
        if !is_ledger(host) {
            return Shown::Static(address);
        }
        let Some(name) = self.names.of(host) else {
            return Shown::Nameless(host);
        };
        let generations = self.generations.get(name);
        let is_shown = |generation: &&Generation| self.is_shown(name, generation);
        let current = generations.and_then(|known| known.preferred.as_ref());
        let current = current.filter(is_shown);
        let deprecated = generations.into_iter().flat_map(|known| &known.deprecated);
        let former = deprecated.filter(is_shown).filter_map(|generation| {
            let address = project(host, generation.prefix).ok()?;
            let until = generation.until;
            Some(Former { address, until })
        });
        Shown::Following(Following {
            relative: RelativeRange::one(name.clone(), host),
            current: current.and_then(|generation| project(host, generation.prefix).ok()),
            former: former.collect(),
        })
    }

    /// The ledger's form of an address: of one inside a known generation its host bits, of any other
    /// the address itself.
    ///
    /// A generation that has left is not known any more: what was pinned to it by a full address must
    /// be written anew. `home/::10` never has to.
    pub fn read_address(&self, address: IpAddr) -> IpAddr {
        let IpAddr::V6(host) = address else {
            return address;
        };
        let inside = self.generations.keys().find_map(|name| {
            let mut all = self.shown(name);
            all.find_map(|generation| unproject(host, generation.prefix, name))
        });
        inside.map_or(address, IpAddr::V6)
    }

    /// The ledger's form of what a user writes: `home/::10`, `::10` where only one prefix is in use,
    /// or an address.
    pub fn read(&self, text: &str) -> Result<IpAddr, ReadError> {
        let text = text.trim();
        if text.contains('/') {
            return self.read_relative(text);
        }
        let address: IpAddr = text.parse().map_err(|_| ReadError::NotAnAddress {
            text: text.chars().take(LONGEST_EXCERPT).collect(),
        })?;
        match address {
            IpAddr::V6(host) if is_ledger(host) => Err(ReadError::Unassigned(host)),
            IpAddr::V6(host) if is_host_part(host) => self.read_host(host),
            _ => Ok(self.read_address(address)),
        }
    }

    /// The ledger's form of a bare host part in the prefix of that name.
    ///
    /// For callers that know which prefix is meant, such as that of the pool that was asked for.
    pub fn read_host_in(&self, name: &PrefixName, host: Ipv6Addr) -> Option<IpAddr> {
        let fits = is_host_part(host) && self.generations.contains_key(name);
        fits.then(|| IpAddr::V6(in_space(name, host.to_bits())))
    }

    fn is_shown(&self, name: &PrefixName, generation: &Generation) -> bool {
        let mut overlaps = self.overlaps.iter();
        !overlaps.any(|it| it.name == *name && it.prefix == generation.prefix)
    }

    fn read_relative(&self, text: &str) -> Result<IpAddr, ReadError> {
        let range: RelativeRange = text.parse()?;
        if range.first() != range.last() {
            return Err(ReadError::NotOne(range));
        }
        if !self.generations.contains_key(range.prefix()) {
            return Err(ReadError::UnknownPrefix {
                name: range.prefix().clone(),
                known: self.known(),
            });
        }
        Ok(range.in_ledger().first())
    }

    fn read_host(&self, host: Ipv6Addr) -> Result<IpAddr, ReadError> {
        let mut names = self.generations.keys();
        match (names.next(), names.next()) {
            (Some(name), None) => Ok(IpAddr::V6(in_space(name, host.to_bits()))),
            (None, _) => Ok(IpAddr::V6(host)),
            (Some(_), Some(_)) => Err(ReadError::WhichPrefix {
                host,
                known: self.known(),
            }),
        }
    }

    fn known(&self) -> String {
        let names: Vec<String> = self.generations.keys().map(ToString::to_string).collect();
        if names.is_empty() {
            "none".into()
        } else {
            names.join(", ")
        }
    }
}

/// What the world sees of an address of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// An address like any other: it is what it is.
    Static(IpAddr),
    /// Host bits that follow a prefix.
    Following(Following),
    /// Host bits of a prefix that is not in use (any more).
    Nameless(Ipv6Addr),
}

impl Shown {
    /// The address to tell people now; `None` while the prefix is not known.
    pub const fn current(&self) -> Option<IpAddr> {
        match self {
            Self::Static(address) => Some(*address),
            Self::Following(Following {
                current: Some(address),
                ..
            }) => Some(IpAddr::V6(*address)),
            Self::Following(_) | Self::Nameless(_) => None,
        }
    }

    /// What stays of the address when its prefix changes, as people write it: `home/::10`, or `?/::10`
    /// where nobody knows the name any more. `None` of one that follows no prefix.
    pub fn relative(&self) -> Option<String> {
        match self {
            Self::Static(_) => None,
            Self::Following(following) => Some(following.relative.to_string()),
            Self::Nameless(host) => {
                let host = Ipv6Addr::from_bits(host.to_bits() & HOST_MASK);
                Some(alloc::format!("?/{host}"))
            }
        }
    }

    /// Every address that is answered for now, the one to tell people first.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let former = match self {
            Self::Following(following) => following.former.as_slice(),
            Self::Static(_) | Self::Nameless(_) => &[],
        };
        let former = former.iter().map(|former| IpAddr::V6(former.address));
        self.current().into_iter().chain(former)
    }
}

/// The addresses that a host part has under the generations of its prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Following {
    /// The name of the prefix and the host bits, as `home/::1000`.
    pub relative: RelativeRange,
    /// Under the preferred generation; `None` while there is none, or while the host part does not
    /// fit it.
    pub current: Option<Ipv6Addr>,
    /// Under those that are leaving, the latest first.
    pub former: SmallVec<[Former; 1]>,
}

/// An address that is still answered for, and told to nobody new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Former {
    /// The address.
    pub address: Ipv6Addr,
    /// When it leaves; `None` while the address that replaces it is not announced yet.
    pub until: Option<Time>,
}

/// Why a text is no address of the ledger.
///
/// ```
/// use openelb_ipam::relative::Projection;
///
/// let error = Projection::default().read("office/::10").unwrap_err();
/// assert_eq!(error.to_string(), "no prefix is named office (known: none); define it or correct the name");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Neither an address nor relative.
    #[error("`{text}` is not an address; write one, or NAME/HOST such as home/::10")]
    NotAnAddress {
        /// What was written.
        text: String,
    },
    /// Not a relative address.
    #[error("{0}")]
    Relative(#[from] RelativeRangeError),
    /// More than one address.
    #[error("{0} is a range; write one host part, such as home/::10")]
    NotOne(RelativeRange),
    /// A name that is not in use.
    #[error("no prefix is named {name} (known: {known}); define it or correct the name")]
    UnknownPrefix {
        /// What was written.
        name: PrefixName,
        /// The names in use.
        known: String,
    },
    /// Host bits alone, and several prefixes they may mean.
    #[error("{host} may belong to any of the prefixes {known}; write which, as NAME/{host}")]
    WhichPrefix {
        /// What was written.
        host: Ipv6Addr,
        /// The names in use.
        known: String,
    },
    /// An address of the ledger's own.
    #[error("{0} lies in 1000::/4, which no network has; write NAME/HOST such as home/::10")]
    Unassigned(Ipv6Addr),
}

/// Host bits without a prefix: the upper half is zero. No host has such an address in full; `::1`
/// is meant as the first host of a prefix.
const fn is_host_part(address: Ipv6Addr) -> bool {
    address.to_bits() >> 64 == 0 && address.to_ipv4_mapped().is_none()
}

/// Longer than any address.
const LONGEST_EXCERPT: usize = 80;
