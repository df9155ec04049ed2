//! `Eip` v1alpha2: an address pool as the user writes it.

use std::collections::BTreeMap;

use openelb_ipam::pool::Selector;
use serde::{Deserialize, Serialize};

use super::default::is_default;
use super::{EipBgp, EipLayer2, EipStatus, EipVrrp, ObjectMeta};
use crate::names;

/// An address pool.
///
/// The fields of OpenELB keep their names and meaning; every addition is optional, so a file
/// written for OpenELB reads the same here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Eip {
    /// `network.kubesphere.io/v1alpha2`.
    pub api_version: String,
    /// `Eip`.
    pub kind: String,
    /// Name, labels and annotations.
    pub metadata: ObjectMeta,
    /// What the user wants.
    pub spec: EipSpec,
    /// What the controller observed; absent in files.
    #[serde(default, skip_serializing_if = "is_default")]
    pub status: EipStatus,
}

impl Eip {
    /// A pool of this name and these addresses, every other field at its default.
    pub fn new(name: impl Into<String>, address: impl Into<String>) -> Self {
        Self {
            api_version: names::EIP_API_VERSION.to_owned(),
            kind: names::EIP_KIND.to_owned(),
            metadata: ObjectMeta {
                name: name.into(),
                ..ObjectMeta::default()
            },
            spec: EipSpec {
                address: address.into(),
                ..EipSpec::default()
            },
            status: EipStatus::default(),
        }
    }

    /// Whether this is the default pool: the annotation says `true` in any letter case.
    ///
    /// OpenELB's webhook compared without case and its allocator with case, so `"True"` was
    /// accepted and then not used; here both are one rule.
    pub fn is_default(&self) -> bool {
        self.metadata
            .annotations
            .get(names::DEFAULT_EIP_ANNOTATION)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// What the user wants of a pool.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own that users turn on or off"
)]
pub struct EipSpec {
    /// One address, a prefix, a netmask form or `first-last`; several, separated by comma or
    /// white space, also of both families. OpenELB knew exactly one entry.
    pub address: String,
    /// How the addresses are announced: bgp (also when empty), layer2, vip (VRRP), or none, which
    /// only allocates them.
    #[serde(default, skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::protocol"))]
    pub protocol: Protocol,
    /// Where they are announced: interface name, glob, prefix, `can_reach:ADDR` or `all`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub interface: String,
    /// No new allocation; what is allocated stays.
    #[serde(default, skip_serializing_if = "is_default")]
    pub disable: bool,
    /// Kept for compatibility: no version of OpenELB ever read it.
    #[serde(default, rename = "usingKnownIPs", skip_serializing_if = "is_default")]
    pub using_known_ips: bool,
    /// Smaller is preferred, among the pools bound to a namespace.
    #[serde(default, skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "schema", schemars(with = "i64"))]
    pub priority: i32,
    /// Namespaces that are served from this pool without asking for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// The same by labels of the namespace; either binds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub namespace_selector: BTreeMap<String, String>,

    // Additions. All optional: their absence means what OpenELB did, or the safe default.
    /// Addresses of the pool that are never handed out, in the forms of `address`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// Which free address is handed out next.
    #[serde(default, skip_serializing_if = "is_default")]
    pub strategy: Strategy,
    /// How long a released address rests before another owner may have it: `90s`, `10m`, `1h30m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cool_down: Option<String>,
    /// Never hand out addresses that end in .0 or .255.
    #[serde(default, rename = "avoidBuggyIPs", skip_serializing_if = "is_default")]
    pub avoid_buggy_ips: bool,
    /// `false`: only requests that name the pool or one of its addresses are served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_assign: Option<bool>,
    /// Only services with one of these label selectors are served without asking for the pool.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::selectors"))]
    pub service_selectors: Vec<Selector>,
    /// Upper limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quota>,
    /// What happens to allocations whose address leaves the pool by an edit.
    #[serde(default, skip_serializing_if = "is_default")]
    pub on_shrink: OnShrink,
    /// More places where they are announced, in the forms of `interface`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interfaces: Vec<String>,
    /// Labels of the nodes that announce the addresses; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::selector"))]
    pub node_selector: Option<Selector>,
    /// What a node's condition `Ready` has to say about announcing.
    #[serde(default, skip_serializing_if = "is_default")]
    pub node_readiness: NodeReadiness,
    /// Keep announcing the address of a service that has no serving endpoint.
    #[serde(default, skip_serializing_if = "is_default")]
    pub announce_without_endpoints: bool,
    /// Take the pool out of service: nothing new is allocated from it, as with `disable`, and what is
    /// allocated stays and is announced until it is released.
    #[serde(default, skip_serializing_if = "is_default")]
    pub drain: bool,
    /// How it is made sure first that nobody else uses an address (`layer2` only).
    #[serde(default, skip_serializing_if = "is_default")]
    pub probe: Probe,
    /// How the addresses become routes (`bgp` only). Absent: each a host route to every peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bgp: Option<EipBgp>,
    /// Which nodes answer for the addresses (`layer2` only). Absent: all are equal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer2: Option<EipLayer2>,
    /// The virtual routers that have the addresses (`vip` only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vrrp: Option<EipVrrp>,
}

/// How the addresses of a pool are announced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// BGP: the default, also written as the empty string.
    #[default]
    #[serde(alias = "")]
    Bgp,
    /// ARP and NDP.
    Layer2,
    /// VRRP.
    Vip,
    /// Not at all: addresses are only allocated (an addition to OpenELB).
    None,
}

/// Which free address is handed out next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Strategy {
    /// The lowest free address, as OpenELB does.
    #[default]
    Lowest,
    /// The next free one after the last handed out, going round.
    NextFit,
    /// Never used ones first, then the one released longest ago.
    LeastRecentlyReleased,
    /// Uniformly at random among the free ones.
    Random,
    /// By a hash of the owner: the same owner tends to get the same address.
    HashStable,
    /// IPv6 addresses that share one solicited-node multicast group; IPv4 as `Lowest`.
    SolicitedNode,
}

/// What happens to allocations whose address leaves the pool by an edit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum OnShrink {
    /// They keep their address until they are released.
    #[default]
    Retain,
    /// They keep it, and are shown as to be moved.
    Drain,
    /// They get another address at once.
    Reassign,
}

/// What a node's condition `Ready` has to say about announcing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum NodeReadiness {
    /// Nothing.
    Ignore,
    /// Nodes that are ready come before those that are not, where one is chosen.
    #[default]
    Prefer,
    /// Only nodes that are ready announce.
    Require,
}

/// How it is made sure, before an address is announced, that nobody else uses it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Probe {
    /// Three probes within about 0.1 s, as RFC 5227 section 2.2 allows on a link known to be fast.
    #[default]
    Fast,
    /// At the pace of the standards: 4 to 7 s for IPv4 (RFC 5227), 1 to 2 s for IPv6 (RFC 4862).
    Standard,
    /// Not at all: the address is announced at once.
    Skip,
}

/// Upper limits of a pool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Quota {
    /// Most addresses of this pool that one namespace may hold.
    pub per_namespace: u32,
}
