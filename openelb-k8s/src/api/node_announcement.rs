//! `NodeAnnouncement` v1alpha2: what the speaker of a node announces. An addition to OpenELB.

use serde::{Deserialize, Serialize};

use super::default::is_default;
use super::{Condition, ObjectMeta, ObservedPrefix, Protocol};
use crate::names;

/// Which addresses a node announces, since when, and why not those that it could. Named as the node,
/// and owned by it, so that it goes with the node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeAnnouncement {
    /// `network.kubesphere.io/v1alpha2`.
    pub api_version: String,
    /// `NodeAnnouncement`.
    pub kind: String,
    /// The name is the node's.
    pub metadata: ObjectMeta,
    /// What the speaker observes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub status: NodeAnnouncementStatus,
}

impl NodeAnnouncement {
    /// Of the node of this name, with nothing announced yet.
    pub fn new(node: impl Into<String>) -> Self {
        Self {
            api_version: names::EIP_API_VERSION.to_owned(),
            kind: names::NODE_ANNOUNCEMENT_KIND.to_owned(),
            metadata: ObjectMeta {
                name: node.into(),
                ..ObjectMeta::default()
            },
            status: NodeAnnouncementStatus::default(),
        }
    }
}

/// What a speaker observes of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct NodeAnnouncementStatus {
    /// In the order of address, service and protocol.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<AnnouncedAddress>,
    /// What the node sees of each `DynamicPrefix`, in the order of name, source and origin.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prefixes: Vec<ObservedPrefix>,
    /// What is said about the speaker: one entry a subject.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

/// What a node does with one address of one service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AnnouncedAddress {
    /// The address, canonical.
    pub address: String,
    /// The service that has it, as `namespace/name`.
    pub service: String,
    /// The pool that it is of.
    pub eip: String,
    /// How it is announced.
    pub protocol: Protocol,
    /// Where, for `layer2` and `vip`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub interface: String,
    /// To whom, for `bgp`: names of `BgpPeer`s.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<String>,
    /// Whether it is announced here.
    pub state: AnnouncementState,
    /// Since when, as RFC 3339 text.
    pub since: String,
    /// One word why it is not announced.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Hardware address of another station on the link that uses the address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub station: String,
}

/// Whether a node announces an address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum AnnouncementState {
    /// It does.
    Announced,
    /// Another node does, and this one would follow.
    Standby,
    /// It will, when what it waits for has come: a probe, a session, the link.
    #[default]
    Waiting,
    /// It must not: another host has the address.
    Conflict,
}
