//! `Eip.spec.bgp`: how the addresses of a pool become routes. An addition to OpenELB.

use openelb_ipam::pool::Selector;
use serde::{Deserialize, Serialize};

use super::default::is_default;

/// How the addresses of a pool become routes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct EipBgp {
    /// Each makes routes of its own; empty: one with every default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advertisements: Vec<Advertisement>,
    /// What the routes point at.
    #[serde(default, skip_serializing_if = "is_default")]
    pub next_hop: NextHop,
}

/// One way to announce the addresses of a pool.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Advertisement {
    /// Length of IPv4 prefixes; absent: 32.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregation_length: Option<u8>,
    /// Length of IPv6 prefixes; absent: 128.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregation_length_v6: Option<u8>,
    /// `LOCAL_PREF`, sent to internal peers only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_pref: Option<u32>,
    /// `MULTI_EXIT_DISC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub med: Option<u32>,
    /// How many times our own AS is prepended, besides the one time that external peers always see.
    #[serde(default, skip_serializing_if = "is_default")]
    pub prepend: u8,
    /// Communities: `65000:100`, `large:64500:1:2`, a well-known name, or a name of the `BgpConf`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub communities: Vec<String>,
    /// Names of the peers it is for; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<String>,
    /// Labels of the nodes that announce it; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::selectors"))]
    pub node_selectors: Vec<Selector>,
}

/// What the routes of a pool point at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum NextHop {
    /// At the announcing node, and where the peer takes several paths (RFC 7911) also at every node
    /// that can serve and does not speak with the same peers itself.
    #[default]
    Nodes,
    /// At the announcing node alone.
    #[serde(rename = "Self")]
    Own,
}
