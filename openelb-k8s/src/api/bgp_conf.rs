//! `BgpConf` v1alpha2: the speaker as the user writes it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::default::is_default;
use super::{Condition, ObjectMeta};
use crate::names;

/// The speaker. Only the object named [`names::DEFAULT_BGP_CONF`] counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BgpConf {
    /// `network.kubesphere.io/v1alpha2`.
    pub api_version: String,
    /// `BgpConf`.
    pub kind: String,
    /// Name, labels and annotations.
    pub metadata: ObjectMeta,
    /// What the user wants.
    #[serde(default)]
    pub spec: BgpConfSpec,
    /// What the speakers observed; absent in files.
    #[serde(default, skip_serializing_if = "is_default")]
    pub status: BgpConfStatus,
}

impl BgpConf {
    /// The speaker of this AS, every other field at its default.
    pub fn new(asn: u32) -> Self {
        Self {
            api_version: names::BGP_API_VERSION.to_owned(),
            kind: names::BGP_CONF_KIND.to_owned(),
            metadata: ObjectMeta {
                name: names::DEFAULT_BGP_CONF.to_owned(),
                ..ObjectMeta::default()
            },
            spec: BgpConfSpec {
                r#as: asn,
                ..BgpConfSpec::default()
            },
            status: BgpConfStatus::default(),
        }
    }
}

/// What the user wants of the speaker.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct BgpConfSpec {
    /// The AS of the speaker; 0 means that it is not configured yet.
    #[serde(default, skip_serializing_if = "is_default")]
    pub r#as: u32,
    /// The AS by the value of the node's label `openelb.kubesphere.io/rack`; it clears `routerId`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub as_per_rack: BTreeMap<String, u32>,
    /// The BGP identifier; empty: an IPv4 address of the node, or a number derived from its name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub router_id: String,
    /// The port that connections are accepted on; 0: 179, -1: nowhere.
    #[serde(default, skip_serializing_if = "is_default")]
    pub listen_port: i32,
    /// The addresses that connections are accepted on; empty: every address of both families.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listen_addresses: Vec<String>,
    /// The families of all peers that list none: 0 or 65537 for IPv4, 1 or 131073 for IPv6 unicast.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub families: Vec<u32>,
    /// Without effect: nothing is installed here.
    #[serde(default, skip_serializing_if = "is_default")]
    pub use_multiple_paths: bool,
    /// Graceful restart of all peers that say nothing about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graceful_restart: Option<BgpGracefulRestart>,
    /// Name of the `ConfigMap` whose key `gobgp.conf` holds the export policy.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub policy: String,

    // Additions. All optional.
    /// Names for communities, to be used in `spec.bgp.advertisements` of the pools.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub communities: BTreeMap<String, String>,
}

/// Graceful restart (RFC 4724, RFC 8538, RFC 9494), of the speaker or of one peer.
#[expect(
    clippy::struct_excessive_bools,
    reason = "the fields are those of OpenELB"
)]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct BgpGracefulRestart {
    /// Whether it is offered; absent: it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Seconds for which the peer is asked to keep the routes; 0: 120.
    #[serde(default, skip_serializing_if = "is_default")]
    pub restart_time: u32,
    /// Keep the peer's routes, but do not ask it to keep ours.
    #[serde(default, skip_serializing_if = "is_default")]
    pub helper_only: bool,
    /// Longest wait in seconds for the routes to be complete before End-of-RIB; 0: 360.
    #[serde(default, skip_serializing_if = "is_default")]
    pub deferral_time: u32,
    /// Keep routes through notifications too; absent: yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification_enabled: Option<bool>,
    /// Offer long-lived graceful restart.
    #[serde(default, skip_serializing_if = "is_default")]
    pub longlived_enabled: bool,
    /// Seconds for which the peer is asked to keep routes as a last resort.
    #[serde(default, skip_serializing_if = "is_default")]
    pub stale_routes_time: u32,
    /// State that leaked into the schema; ignored with a warning.
    #[serde(default, skip_serializing_if = "is_default")]
    pub peer_restart_time: u32,
    /// State that leaked into the schema; ignored with a warning.
    #[serde(default, skip_serializing_if = "is_default")]
    pub peer_restarting: bool,
    /// State that leaked into the schema; ignored with a warning.
    #[serde(default, skip_serializing_if = "is_default")]
    pub local_restarting: bool,
    /// State that leaked into the schema; ignored with a warning.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mode: String,
}

/// What the speakers observed, by node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct BgpConfStatus {
    /// Node name to what its speaker is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nodes_conf_status: BTreeMap<String, NodeConfStatus>,

    // Additions. All optional.
    /// Generation of the specification that the conditions were made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What is said about the object: one entry a subject.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

/// What the speaker of a node is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct NodeConfStatus {
    /// Its BGP identifier.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub router_id: String,
    /// Its AS.
    #[serde(default, skip_serializing_if = "is_default")]
    pub r#as: u32,
}
