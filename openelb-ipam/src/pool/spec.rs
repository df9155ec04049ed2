//! A pool as its user writes it.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use super::selector::Selector;
use crate::name::PoolName;

/// A pool as written in a configuration: text, not yet checked.
///
/// `Pool::try_from(&spec)` checks it. The defaults are those of a pool that serves everyone:
/// automatic assignment on, lowest address first, no cool-down.
///
/// ```
/// use openelb_ipam::{Pool, PoolSpec};
///
/// let spec = PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"]);
/// assert!(Pool::try_from(&spec).is_ok());
///
/// let typo = PoolSpec::new("public".parse()?, ["192.0.2.0/33"]);
/// let error = Pool::try_from(&typo).unwrap_err();
/// assert!(error.to_string().starts_with("pool public, ranges, entry 1"));
/// # Ok::<(), openelb_ipam::ParsePoolNameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(rename_all = "camelCase", deny_unknown_fields)
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the user's file, not a state"
)]
pub struct PoolSpec {
    /// The name, unique among pools.
    pub name: PoolName,
    /// What the pool holds: entries of one address, a prefix, an address with a netmask, or
    /// `first-last`; an entry may be a list separated by commas or line ends.
    pub ranges: Vec<String>,
    /// What it leaves out, in the same forms.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Vec::is_empty")
    )]
    pub exclude: Vec<String>,
    /// Whether `192.0.2.10/24` means all of `192.0.2.0/24` (how OpenELB reads it) instead of being
    /// refused. Default no.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub drop_host_bits: bool,
    /// Which free address is given.
    #[cfg_attr(feature = "serde", serde(default))]
    pub strategy: Strategy,
    /// Order among pools that may serve a request: the smaller number first, `None` after all
    /// numbers, then the order in which the pools are listed.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub priority: Option<i32>,
    /// Whether the pool serves requests that name neither it nor an address in it. Default yes.
    ///
    /// A pool that is neither bound to anybody nor the default serves everyone when this is set.
    /// OpenELB never chooses such a pool: its front ends clear the switch.
    #[cfg_attr(feature = "serde", serde(default = "yes"))]
    pub auto_assign: bool,
    /// Whether it is tried first among the pools that are bound to nobody. At most one pool of each
    /// family may be the default.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub is_default: bool,
    /// Whether it gives nothing new. What it gave stays.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub is_disabled: bool,
    /// Namespaces the pool is bound to.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Vec::is_empty")
    )]
    pub namespaces: Vec<String>,
    /// Namespaces it is bound to by their labels; any one match, or a listed name, is enough.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Vec::is_empty")
    )]
    pub namespace_selectors: Vec<Selector>,
    /// Services it is bound to by their labels; any one match is enough, beside the namespace.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Vec::is_empty")
    )]
    pub service_selectors: Vec<Selector>,
    /// Whether a request that names the pool or an address of it is served although the pool is
    /// bound to others, as OpenELB does. Default no.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub serve_explicit: bool,
    /// Whether owners of one namespace may share an address they pin without a sharing key, as
    /// OpenELB allows; their ports must still differ. Default no.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub share_pinned: bool,
    /// Addresses that are never given.
    #[cfg_attr(feature = "serde", serde(default))]
    pub reserve: ReserveRules,
    /// How long a released address stays unused, but for its last owner. With
    /// [`Strategy::LeastRecentlyReleased`] it is the minimum age of a reused address.
    #[cfg_attr(
        feature = "serde",
        serde(
            default,
            rename = "coolDownMs",
            with = "millis",
            skip_serializing_if = "Duration::is_zero"
        )
    )]
    pub cool_down: Duration,
    /// How many addresses of each family the owners of one namespace may hold, delegated prefixes
    /// not counted. `None` is no limit.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub namespace_quota: Option<u32>,
    /// What becomes of addresses in use that an edit leaves outside.
    #[cfg_attr(feature = "serde", serde(default))]
    pub on_shrink: OnShrink,
}

impl PoolSpec {
    /// A pool of these ranges with every default.
    ///
    /// ```
    /// # use openelb_ipam::PoolSpec;
    /// let spec = PoolSpec { is_default: true, ..PoolSpec::new("public".parse()?, ["192.0.2.0/24"]) };
    /// assert!(spec.auto_assign);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn new<const N: usize>(name: PoolName, ranges: [&str; N]) -> Self {
        Self {
            name,
            ranges: ranges.into_iter().map(ToString::to_string).collect(),
            exclude: Vec::new(),
            drop_host_bits: false,
            strategy: Strategy::default(),
            priority: None,
            auto_assign: true,
            is_default: false,
            is_disabled: false,
            namespaces: Vec::new(),
            namespace_selectors: Vec::new(),
            service_selectors: Vec::new(),
            serve_explicit: false,
            share_pinned: false,
            reserve: ReserveRules::default(),
            cool_down: Duration::ZERO,
            namespace_quota: None,
            on_shrink: OnShrink::default(),
        }
    }
}

/// Which free address is given.
///
/// ```
/// use openelb_ipam::pool::Strategy;
///
/// assert_eq!(Strategy::default(), Strategy::Lowest);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub enum Strategy {
    /// The lowest.
    #[default]
    Lowest,
    /// The next above the one given last, wrapping: every address is used before one repeats.
    NextFit,
    /// Never used ones first, lowest first; then the one released longest ago, once it is older
    /// than the cool-down.
    LeastRecentlyReleased,
    /// Any, each with the same probability.
    Random,
    /// The next free one from a position that depends on the owner's key alone: the same owner gets
    /// the same address on every installation with this pool, as long as it is free.
    HashStable,
    /// IPv6 addresses that share their low 24 bits, so that one solicited-node multicast group
    /// (RFC 4291 2.7.1) serves them all and a network card's group table does not overflow.
    /// IPv4 addresses are given lowest first.
    SolicitedNode,
}

/// Addresses that are in the ranges and never given.
///
/// ```
/// use openelb_ipam::pool::ReserveRules;
///
/// let rules = ReserveRules::default();
/// assert!(rules.subnet_edges && !rules.buggy);
/// assert!(!ReserveRules::NONE.subnet_edges);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(rename_all = "camelCase", default, deny_unknown_fields)
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a set of independent rules, each on or off"
)]
pub struct ReserveRules {
    /// The first and the last address of each IPv4 prefix up to /30, its network and broadcast
    /// address. A /31 (RFC 3021), a /32 and `first-last` ranges have none. Default on.
    pub subnet_edges: bool,
    /// The first address of each IPv6 prefix up to /126, its subnet-router anycast address
    /// (RFC 4291 2.6.1; a /127 is exempt by RFC 6164). Default on.
    pub subnet_router: bool,
    /// IPv4 addresses that end in .0 or .255, which some old equipment drops. Default off.
    pub buggy: bool,
    /// The reserved IPv6 interface identifiers of RFC 5453 in every /64. Default off.
    pub interface_ids: bool,
    /// Unspecified, loopback, link-local, multicast, limited broadcast and IPv4-mapped addresses.
    /// Default on.
    pub special: bool,
}

impl ReserveRules {
    /// Every address is given.
    pub const NONE: Self = Self {
        subnet_edges: false,
        subnet_router: false,
        buggy: false,
        interface_ids: false,
        special: false,
    };
}

impl Default for ReserveRules {
    fn default() -> Self {
        Self {
            subnet_edges: true,
            subnet_router: true,
            special: true,
            ..Self::NONE
        }
    }
}

/// What becomes of an address in use when an edit leaves it outside its pool.
///
/// A pool that is deleted releases its addresses whatever the policy.
///
/// ```
/// # use openelb_ipam::pool::OnShrink;
/// assert_eq!(OnShrink::default(), OnShrink::Retain);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub enum OnShrink {
    /// It is orphaned: its owner keeps it for life, nobody gets it afterwards.
    #[default]
    Retain,
    /// It is orphaned, its owner is woken and moves when a replacement can be had.
    Drain,
    /// It is released at once and its owner is woken to ask again.
    Reassign,
}

#[cfg(feature = "serde")]
fn yes() -> bool {
    true
}

#[cfg(feature = "serde")]
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde calls"
)]
fn is_false(switch: &bool) -> bool {
    !switch
}

/// Durations as whole milliseconds.
#[cfg(feature = "serde")]
mod millis {
    use core::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(value.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}
