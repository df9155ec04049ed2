//! `BgpPeer.status`: the sessions with a neighbour, by node, under the keys that dashboards read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::default::is_default;
use super::super::{Condition, Secret, TextNumber};

/// The observed state of a neighbour.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct BgpPeerStatus {
    /// Node name to its session.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nodes_peer_status: BTreeMap<String, NodePeerStatus>,

    // Additions. All optional.
    /// Generation of the specification that the conditions were made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What is said about the object: one entry a subject.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

/// The session of one node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct NodePeerStatus {
    /// The session.
    #[serde(default)]
    pub peer_state: PeerState,
    /// Its times.
    #[serde(default)]
    pub timers_state: TimersState,
}

/// A session as it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct PeerState {
    /// OpenELB copied the password here. It is read so that old objects can be, and never written.
    #[serde(skip_serializing)]
    pub auth_password: Secret,
    /// As configured.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Our AS in the session.
    #[serde(skip_serializing_if = "is_default")]
    pub local_as: u32,
    /// Counts of messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<Messages>,
    /// The peer's address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub neighbor_address: String,
    /// The peer's AS.
    #[serde(skip_serializing_if = "is_default")]
    pub peer_as: u32,
    /// Never set: groups are refused.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub peer_group: String,
    /// 0 internal, 1 external.
    #[serde(skip_serializing_if = "is_default")]
    pub peer_type: u32,
    /// Lengths of queues.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queues: Option<Queues>,
    /// Never set.
    #[serde(skip_serializing_if = "is_default")]
    pub remove_private_as: u32,
    /// Never set.
    #[serde(skip_serializing_if = "is_default")]
    pub route_flap_damping: bool,
    /// Never set.
    #[serde(skip_serializing_if = "is_default")]
    pub send_community: u32,
    /// `IDLE` to `ESTABLISHED`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub session_state: String,
    /// `UP`, `DOWN` or `PFX_CT`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub admin_state: String,
    /// Routes that wait to be sent.
    #[serde(skip_serializing_if = "is_default")]
    pub out_q: u32,
    /// How often the session was lost.
    #[serde(skip_serializing_if = "is_default")]
    pub flops: u32,
    /// The peer's BGP identifier.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub router_id: String,
}

/// Counts of messages both ways.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Messages {
    /// From the peer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received: Option<MessageCounts>,
    /// To the peer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<MessageCounts>,
}

/// Counts of messages by type.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct MessageCounts {
    /// NOTIFICATION.
    #[serde(skip_serializing_if = "is_default")]
    pub notification: TextNumber,
    /// UPDATE.
    #[serde(skip_serializing_if = "is_default")]
    pub update: TextNumber,
    /// OPEN.
    #[serde(skip_serializing_if = "is_default")]
    pub open: TextNumber,
    /// KEEPALIVE.
    #[serde(skip_serializing_if = "is_default")]
    pub keepalive: TextNumber,
    /// ROUTE-REFRESH.
    #[serde(skip_serializing_if = "is_default")]
    pub refresh: TextNumber,
    /// Messages that were not understood.
    #[serde(skip_serializing_if = "is_default")]
    pub discarded: TextNumber,
    /// All of them.
    #[serde(skip_serializing_if = "is_default")]
    pub total: TextNumber,
    /// UPDATEs that only withdraw.
    #[serde(skip_serializing_if = "is_default")]
    pub withdraw_update: TextNumber,
    /// Prefixes withdrawn.
    #[serde(skip_serializing_if = "is_default")]
    pub withdraw_prefix: TextNumber,
}

/// Lengths of queues.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Queues {
    /// Received and not yet looked at.
    #[serde(skip_serializing_if = "is_default")]
    pub input: u32,
    /// To be sent.
    #[serde(skip_serializing_if = "is_default")]
    pub output: u32,
}

/// The times of a session: seconds as text, and moments in RFC 3339.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct TimersState {
    /// Between two attempts.
    #[serde(skip_serializing_if = "is_default")]
    pub connect_retry: TextNumber,
    /// Offered.
    #[serde(skip_serializing_if = "is_default")]
    pub hold_time: TextNumber,
    /// Between two KEEPALIVEs.
    #[serde(skip_serializing_if = "is_default")]
    pub keepalive_interval: TextNumber,
    /// Between two bursts of UPDATEs.
    #[serde(skip_serializing_if = "is_default")]
    pub minimum_advertisement_interval: TextNumber,
    /// The lesser of both sides' hold times.
    #[serde(skip_serializing_if = "is_default")]
    pub negotiated_hold_time: TextNumber,
    /// Since when the session is up.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uptime: String,
    /// Since when it is down.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub downtime: String,
}
