//! `Eip.spec.vrrp`: the virtual routers of a `vip` pool. An addition to OpenELB.

use serde::{Deserialize, Serialize};

use super::Secret;
use super::default::is_default;

/// The virtual routers of a pool (RFC 9568, RFC 3768).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct EipVrrp {
    /// The virtual router that has every address of the pool, 1 to 255.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vrid: Option<u32>,
    /// Several, such as `100-150`: each service goes to one of them, by its address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub vrid_range: String,
    /// The priority of this node, 1 to 254; absent: one between 101 and 200 that differs by node and
    /// virtual router, so that the addresses spread over the nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u32>,
    /// The time between two advertisements, such as `1s` or `100ms`; absent: `1s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advertisement_interval: Option<String>,
    /// 2 or 3; absent: 3. IPv6 has only 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// Whether a higher priority takes over from a living Active router; absent: `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preempt: Option<bool>,
    /// How long it waits with that; absent: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preempt_delay: Option<String>,
    /// The Active router puts the addresses on an interface of its own and takes what is sent to them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub accept_mode: bool,
    /// Answer with the virtual router's MAC instead of the interface's own.
    #[serde(default, skip_serializing_if = "is_default")]
    pub virtual_mac: bool,
    /// How the checksum of version 3 over IPv4 is made.
    #[serde(default, skip_serializing_if = "is_default")]
    pub checksum: Checksum,
    /// Addresses of the other routers, for links without multicast; empty: multicast.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unicast_peers: Vec<String>,
    /// How far the priority falls while a service does not answer here; at or above the priority the
    /// router gives up. Absent: 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unhealthy_decrement: Option<u32>,
    /// Refused by name: RFC 3768 and RFC 9568 removed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<VrrpAuthentication>,
}

/// Authentication of RFC 2338, known only to be refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct VrrpAuthentication {
    /// `PASS` or `AH`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub r#type: String,
    /// The password.
    #[serde(default, skip_serializing_if = "Secret::is_empty")]
    pub pass: Secret,
}

/// How the checksum of version 3 over IPv4 is made: routers disagree about it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Checksum {
    /// As the other router does; at first with the pseudo-header.
    #[default]
    Auto,
    /// With the pseudo-header, as keepalived and FRR want it.
    PseudoHeader,
    /// Without, as RFC 9568 section 5.2.8 has it.
    Plain,
}
