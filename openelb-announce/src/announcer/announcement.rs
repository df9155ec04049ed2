//! What a front end wants announced, and who is to decide whether this host does.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::claim::Probe;
use crate::link::InterfaceSelector;
use crate::ownership::{self, Group, GroupName};
use crate::vrrp;

/// Everything that an announcer is to do: addresses, and what decides whose they are.
///
/// ```
/// use openelb_announce::announcer::{Announcement, Desired, Election, Owner};
/// use openelb_announce::claim::Probe;
/// use openelb_announce::ownership::{Group, GroupName, Key, KeyRing, NodeId, Settings, Standing};
///
/// let keys = KeyRing::new(Key::new(b"a secret of 16 octets or more")?, []);
/// let settings = Settings::new(NodeId::new("node-1")?, 1_760_000_000_000_000_000, keys);
/// let group = Group { name: GroupName::default(), shards: 256, standing: Standing::default() };
/// let desired = Desired {
///     announcements: vec![Announcement {
///         address: "192.0.2.10".parse()?,
///         interfaces: "eth0".parse()?,
///         probe: Probe::Fast,
///         owner: Owner::Elected { group: GroupName::default(), unit: "192.0.2.10".into() },
///     }],
///     election: Some(Election::new(settings, vec![group])),
///     ..Desired::default()
/// };
/// assert_eq!(desired.election.unwrap().port, 7947);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desired {
    /// The addresses.
    pub announcements: Vec<Announcement>,
    /// How nodes elect the owners of those that are [`Owner::Elected`].
    pub election: Option<Election>,
    /// The virtual routers of those that are [`Owner::Router`].
    pub routers: Vec<VirtualRouter>,
}

/// One address to announce.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Announcement {
    /// The address, of either family.
    pub address: IpAddr,
    /// On which interfaces; they are looked for again whenever the host's interfaces change.
    pub interfaces: InterfaceSelector,
    /// How to make sure before the first announcement that nobody else uses the address.
    pub probe: Probe,
    /// What decides whether this host answers for it. The same wherever the address is announced.
    #[cfg_attr(feature = "serde", serde(default))]
    pub owner: Owner,
}

/// What decides whether this host answers for an address.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Owner {
    /// Nothing: this host does, because no other is told to.
    #[default]
    Sole,
    /// The election among the nodes of each link: whoever owns the unit's shard does.
    Elected {
        /// Which of [`Election::groups`]: what has the same eligibility.
        #[cfg_attr(feature = "serde", serde(with = "group_name"))]
        group: GroupName,
        /// What moves together, such as both addresses of a service
        /// ([`units`](crate::ownership::units)). The same on every node.
        unit: Arc<str>,
    },
    /// The virtual router of that name: its Active router does.
    Router(RouterName),
}

/// The election that decides on [`Owner::Elected`] addresses, once for each link that has any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Election {
    /// What this node brings in. The seed is mixed with one of each link.
    pub settings: ownership::Settings,
    /// What is elected, and how this node stands in it.
    pub groups: Vec<Group>,
    /// The UDP port of the beats. Default 7947.
    pub port: u16,
    /// Other nodes, for networks without multicast: beats go to each of them instead of to the groups
    /// `ff02::114` and `224.0.0.254`. They must be on the links themselves. Default none.
    pub peers: Vec<IpAddr>,
    /// Hand over what others can have, and take nothing. Default false.
    pub draining: bool,
}

impl Election {
    /// An election with the defaults.
    pub fn new(settings: ownership::Settings, groups: Vec<Group>) -> Self {
        Self {
            settings,
            groups,
            port: PORT,
            peers: Vec::new(),
            draining: false,
        }
    }
}

/// One virtual router of this host, on each interface that the selector means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualRouter {
    /// What announcements call it.
    pub name: RouterName,
    /// Where it runs.
    pub interface: InterfaceSelector,
    /// How it behaves, and for which addresses. While it is Active all of them are announced, whether
    /// there are announcements for them or not.
    pub settings: vrrp::Settings,
    /// Answer with the virtual router's own hardware address (RFC 9568 section 7.3), on an interface
    /// made for it, instead of with the interface's.
    pub virtual_mac: bool,
}

/// The name of a virtual router within a [`Desired`] set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(from = "String", into = "String"))]
pub struct RouterName(Arc<str>);

impl RouterName {
    /// Takes over a name.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RouterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for RouterName {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl From<RouterName> for String {
    fn from(name: RouterName) -> Self {
        name.as_str().to_owned()
    }
}

/// Why a set of announcements was not taken over. The previous set stays in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnnounceError {
    /// An address can have no owner that answers for it.
    #[error("{address} cannot be announced: it is {reason}; remove it from the set")]
    Unsuitable {
        /// The address.
        address: IpAddr,
        /// What it is instead of a host's address.
        reason: &'static str,
    },
    /// More different interface selectors than can be told apart.
    #[error("the set has more than {limit} different interface selectors")]
    TooManySelectors {
        /// How many there may be.
        limit: usize,
    },
    /// Two announcements of one address name different owners.
    #[error("{address} has two owners in the set; give all its announcements the same one")]
    TwoOwners {
        /// The address.
        address: IpAddr,
    },
    /// There is an elected address and no election of its group.
    #[error("{address} is of the group {group}, which the election does not have; add the group")]
    NoSuchGroup {
        /// The address.
        address: IpAddr,
        /// The group that it names.
        group: GroupName,
    },
    /// There is an address of a virtual router that is not in the set.
    #[error("{address} is of the virtual router {router}, which the set does not have; add it")]
    NoSuchRouter {
        /// The address.
        address: IpAddr,
        /// The virtual router that it names.
        router: RouterName,
    },
    /// Two virtual routers have one name.
    #[error("two virtual routers are called {router}; rename one of them")]
    TwoRouters {
        /// The name.
        router: RouterName,
    },
    /// Two virtual routers of one family are the same one on their interfaces.
    #[error(
        "the virtual routers {other} and {router} both have VRID {vrid} on the same interfaces; give \
         one of them another"
    )]
    SameVrid {
        /// One of them.
        router: RouterName,
        /// The other.
        other: RouterName,
        /// What they have in common.
        vrid: vrrp::Vrid,
    },
    /// The election asks for permits, and there is nobody to ask.
    #[error(
        "the election has {fences} fence groups, but the announcer was started without a fence, so it \
         could never own anything; start it with Announcer::start_fenced, or set no fences"
    )]
    NeedsFence {
        /// How many fence groups.
        fences: u16,
    },
    /// A virtual router cannot be what it is told to be.
    #[error("the virtual router {router}: {reason}")]
    Router {
        /// Its name.
        router: RouterName,
        /// What is wrong with it, and what to do.
        #[source]
        reason: vrrp::SettingsError,
    },
    /// An election as fast as that would take every stall of an ordinary thread for a death.
    #[error(
        "nodes that count as dead after {dead_after:?} need a real-time I/O thread, and this one is not \
         ({reason}); or choose {least:?} or more (the profile normal)"
    )]
    NeedsRealtime {
        /// What is asked for.
        dead_after: Duration,
        /// Why the thread is an ordinary one.
        reason: String,
        /// What an ordinary thread can keep.
        least: Duration,
    },
    /// The I/O thread has ended.
    #[error("the announcer has ended ({reason}); start a new one")]
    Ended {
        /// Why it ended.
        reason: String,
    },
}

/// A group's name as plain text.
#[cfg(feature = "serde")]
mod group_name {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::ownership::GroupName;

    pub(super) fn serialize<S: Serializer>(name: &GroupName, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(name.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<GroupName, D::Error> {
        Ok(GroupName::new(&String::deserialize(from)?))
    }
}

const PORT: u16 = 7947;
