//! What a statement asks about a route.

mod pattern;
mod prefix_set;

use super::Subject;
use crate::bgp::attribute::Attributes;
use crate::bgp::community::{CommunitySet, ExtendedCommunity, LargeCommunity};
use crate::bgp::family::FamilySet;
use crate::bgp::route::PeerName;
use ipnet::IpNet;
use std::sync::Arc;

pub use pattern::{
    AsPathPattern, CommunityPattern, ParseAsPathPatternError, ParseCommunityPatternError,
};
pub use prefix_set::{PrefixRange, PrefixRangeError, PrefixSet};

/// One question about a route.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Is its prefix in the set?
    Prefixes {
        /// The set.
        set: Arc<PrefixSet>,
        /// In it, or not in it.
        how: MatchAny,
    },
    /// Is the peer in the set?
    Neighbors {
        /// The set.
        set: Arc<NeighborSet>,
        /// In it, or not in it.
        how: MatchAny,
    },
    /// Does it carry communities of the set?
    Communities {
        /// What the set is called.
        name: Arc<str>,
        /// Its members.
        patterns: Vec<CommunityPattern>,
        /// Any of them, all of them, or none.
        how: MatchAll,
    },
    /// Does it carry extended communities of the set?
    ExtendedCommunities {
        /// What the set is called.
        name: Arc<str>,
        /// Its members.
        communities: Vec<ExtendedCommunity>,
        /// Any of them, all of them, or none.
        how: MatchAll,
    },
    /// Does it carry large communities of the set?
    LargeCommunities {
        /// What the set is called.
        name: Arc<str>,
        /// Its members.
        communities: Vec<LargeCommunity>,
        /// Any of them, all of them, or none.
        how: MatchAll,
    },
    /// Does its AS path fit patterns of the set?
    AsPaths {
        /// What the set is called.
        name: Arc<str>,
        /// Its members.
        patterns: Vec<AsPathPattern>,
        /// Any of them, all of them, or none.
        how: MatchAll,
    },
    /// How long is its AS path?
    AsPathLength {
        /// How it compares.
        comparison: Comparison,
        /// With what.
        length: usize,
    },
    /// Is it of one of these families?
    Families(FamilySet),
}

/// How one value is looked up in a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MatchAny {
    /// It must be in the set.
    #[default]
    Any,
    /// It must not be in the set.
    Invert,
}

/// How several values are looked up in a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MatchAll {
    /// At least one member of the set must be found.
    #[default]
    Any,
    /// Every member of the set must be found.
    All,
    /// No member of the set may be found.
    Invert,
}

/// How two lengths compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// Equal.
    Equal,
    /// At least as long.
    AtLeast,
    /// At most as long.
    AtMost,
}

/// Peers by name or by address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeighborSet {
    /// What the set is called.
    pub name: Arc<str>,
    /// Peers with these names.
    pub peers: Vec<PeerName>,
    /// Peers with addresses in these networks.
    pub networks: Vec<IpNet>,
}

impl Condition {
    /// Whether the route meets it. Prefix conditions are answered by their bits before.
    pub(super) fn holds(&self, subject: &Subject<'_>, attributes: &Attributes) -> bool {
        match self {
            Self::Prefixes { .. } => true,
            Self::Neighbors { set, how } => how.of(set.contains(subject)),
            Self::Communities { patterns, how, .. } => how.of(patterns, |pattern| {
                let mut carried = attributes.communities.iter();
                carried.any(|community| pattern.matches(community))
            }),
            Self::ExtendedCommunities {
                communities, how, ..
            } => holds_in(&attributes.extended_communities, communities, *how),
            Self::LargeCommunities {
                communities, how, ..
            } => holds_in(&attributes.large_communities, communities, *how),
            Self::AsPaths { patterns, how, .. } => {
                how.of(patterns, |pattern| pattern.matches(&attributes.as_path))
            }
            Self::AsPathLength { comparison, length } => {
                comparison.holds(attributes.as_path.length(), *length)
            }
            Self::Families(families) => families.contains(subject.family),
        }
    }

    /// The kind and name of its set if that has no member.
    pub(super) fn empty_set(&self) -> Option<(&'static str, Arc<str>)> {
        let (kind, name, is_empty) = match self {
            Self::Prefixes { set, .. } => ("prefix", &set.name, set.ranges.is_empty()),
            Self::Neighbors { set, .. } => ("neighbor", &set.name, set.is_empty()),
            Self::Communities { name, patterns, .. } => ("community", name, patterns.is_empty()),
            Self::ExtendedCommunities {
                name, communities, ..
            } => ("extended community", name, communities.is_empty()),
            Self::LargeCommunities {
                name, communities, ..
            } => ("large community", name, communities.is_empty()),
            Self::AsPaths { name, patterns, .. } => ("AS path", name, patterns.is_empty()),
            Self::AsPathLength { .. } | Self::Families(_) => return None,
        };
        is_empty.then(|| (kind, Arc::clone(name)))
    }
}

impl NeighborSet {
    fn contains(&self, subject: &Subject<'_>) -> bool {
        let at = |address| {
            let mut networks = self.networks.iter();
            networks.any(|network| network.contains(&address))
        };
        let names = [Some(subject.peer), subject.group];
        let is_named = names.iter().flatten().any(|name| self.peers.contains(name));
        is_named || subject.remote.is_some_and(at)
    }

    const fn is_empty(&self) -> bool {
        self.peers.is_empty() && self.networks.is_empty()
    }
}

impl MatchAny {
    const fn of(self, found: bool) -> bool {
        match self {
            Self::Any => found,
            Self::Invert => !found,
        }
    }
}

impl MatchAll {
    fn of<T>(self, members: &[T], mut found: impl FnMut(&T) -> bool) -> bool {
        match self {
            Self::Any => members.iter().any(found),
            Self::All => members.iter().all(found),
            Self::Invert => !members.iter().any(&mut found),
        }
    }
}

impl Comparison {
    const fn holds(self, length: usize, other: usize) -> bool {
        match self {
            Self::Equal => length == other,
            Self::AtLeast => length >= other,
            Self::AtMost => length <= other,
        }
    }
}

fn holds_in<T: Ord + Copy>(carried: &CommunitySet<T>, members: &[T], how: MatchAll) -> bool {
    how.of(members, |community| carried.contains(community))
}
