//! What a `BgpPeer` says beyond OpenELB's schema.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::super::Secret;
use super::super::default::is_default;

/// The AS of a neighbour by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum PeerAsType {
    /// Any AS but ours.
    External,
    /// Ours.
    Internal,
}

/// The generalised TTL security mechanism (RFC 5082).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TtlSecurity {
    /// How many hops away the neighbour is at most, 1 to 254.
    pub hops: u8,
}

/// A value in a Kubernetes Secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SecretKey {
    /// Name of the Secret, in the namespace of OpenELB.
    pub name: String,
    /// Key within it.
    #[serde(default = "password_key")]
    pub key: String,
}

/// Failure detection with BFD (RFC 5880, RFC 5881, RFC 5883).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Bfd {
    /// Least pause between two packets that we send, in milliseconds; absent: 300.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_tx_ms: Option<u32>,
    /// Least pause between two packets that we take, in milliseconds; absent: 300.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_rx_ms: Option<u32>,
    /// So many packets lost in a row mean that the neighbour is gone; absent: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiplier: Option<u32>,
    /// The neighbour is several hops away; the value is the least TTL of its packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_ttl: Option<u32>,
    /// No session before BFD is up.
    #[serde(default, skip_serializing_if = "is_default")]
    pub strict: bool,
    /// Wait for the neighbour's packets before sending our own.
    #[serde(default, skip_serializing_if = "is_default")]
    pub passive: bool,
    /// How packets are authenticated; absent: not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<BfdAuth>,
}

/// How BFD packets are authenticated (RFC 5880 section 6.7).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct BfdAuth {
    /// `keyed-sha1` or `meticulous-keyed-sha1`.
    pub r#type: String,
    /// Number of the key, the same on both sides.
    pub key_id: u8,
    /// The key, 1 to 20 octets.
    #[serde(default, skip_serializing_if = "Secret::is_empty")]
    pub key: Secret,
    /// File whose first line is the key.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key_file: String,
}

/// Neighbours that connect out of some prefixes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DynamicNeighbors {
    /// The prefixes.
    pub prefixes: Vec<String>,
    /// How many may be connected at once; absent: 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Next hops instead of the session's own addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct NextHops {
    /// Of IPv4 routes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv4: Option<IpAddr>,
    /// Of IPv6 routes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<IpAddr>,
}

fn password_key() -> String {
    "password".to_owned()
}
