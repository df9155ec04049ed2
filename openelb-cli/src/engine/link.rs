//! Layer 2 of a daemon beyond its own addresses: the election and the virtual routers, as they are
//! asked about and shown. The JSON names are part of the interface; there is no key in any of it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use openelb_ipam::OwnerKey;
use serde::{Deserialize, Serialize};

use super::bgp::BgpReport;

/// The election, seen from this node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ElectionReport {
    /// This node's name in it; absent without a `Layer2Conf`.
    pub(crate) node: Option<String>,
    /// The profile of its timers.
    pub(crate) profile: Option<String>,
    /// Whether everything is being handed over.
    pub(crate) draining: bool,
    /// Whether the thread that answers and beats is real-time, or why not.
    pub(crate) scheduling: Option<String>,
    /// Why nothing is elected although it should be.
    pub(crate) trouble: Option<String>,
    /// One for each link, by interface.
    pub(crate) segments: Vec<SegmentReport>,
    /// What moves together, and who has it.
    pub(crate) units: Vec<UnitReport>,
}

/// The election on one link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SegmentReport {
    /// The interface.
    pub(crate) interface: String,
    /// What this node does there, in few words.
    pub(crate) phase: String,
    /// Whether it may answer for what it has: its beats leave in time.
    pub(crate) valid: bool,
    /// Shards that this node has.
    pub(crate) owned: u64,
    /// The other nodes.
    pub(crate) nodes: Vec<NodeReport>,
    /// How often what happened.
    pub(crate) counters: SegmentCounters,
    /// Beats that were refused, by reason.
    pub(crate) refused: BTreeMap<String, u64>,
    /// What keeps it from working, one sentence each.
    pub(crate) problems: Vec<String>,
}

/// How often what happened on a link since the daemon looks after it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SegmentCounters {
    /// Beats that left.
    pub(crate) sent: u64,
    /// Beats that could not be sent.
    pub(crate) unsent: u64,
    /// Beats that were accepted.
    pub(crate) heard: u64,
    /// Shards that came to this node.
    pub(crate) acquired: u64,
    /// Those of them whose owner fell silent.
    pub(crate) takeovers: u64,
    /// Shards that went.
    pub(crate) lost: u64,
    /// Shards that another living node claimed too.
    pub(crate) contended: u64,
    /// How often everything was given up at once.
    pub(crate) fenced: u64,
}

/// Another node of a link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NodeReport {
    /// Its name.
    pub(crate) name: String,
    /// `in service`, or what it is instead.
    pub(crate) state: String,
    /// How long ago it was heard.
    pub(crate) age_ms: u64,
    /// For how long it has been heard without a break.
    pub(crate) heard_seconds: u64,
    /// Shards that it has.
    pub(crate) owned: u64,
    /// Whether it hands everything over.
    pub(crate) draining: bool,
}

/// Addresses that move together, on one link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UnitReport {
    /// The link; absent while no link has it.
    pub(crate) interface: Option<String>,
    /// The addresses.
    pub(crate) addresses: Vec<IpAddr>,
    /// The services that have them.
    pub(crate) services: Vec<OwnerKey>,
    /// The group of the election.
    pub(crate) group: String,
    /// The shard of the group.
    pub(crate) shard: u16,
    /// Whether this node may have it.
    pub(crate) eligible: bool,
    /// The node that has it.
    pub(crate) owner: Option<String>,
    /// Since when, as far as this node knows.
    pub(crate) seconds: Option<u64>,
}

/// The virtual routers of a daemon.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VrrpReport {
    /// Why there are fewer than should be.
    pub(crate) trouble: Vec<String>,
    /// Each virtual router on each of its links.
    pub(crate) routers: Vec<RouterReport>,
}

/// A virtual router on a link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RouterReport {
    /// Its name: pool, VRID and family.
    pub(crate) name: String,
    /// The pool.
    pub(crate) pool: String,
    /// The link; absent while none has it.
    pub(crate) interface: Option<String>,
    /// Its VRID.
    pub(crate) vrid: u8,
    /// `IPv4` or `IPv6`.
    pub(crate) family: String,
    /// `Initialize`, `Backup` or `Active`.
    pub(crate) state: String,
    /// For how long.
    pub(crate) seconds: Option<u64>,
    /// This node's priority.
    pub(crate) priority: u8,
    /// The router that is Active, as far as is known.
    pub(crate) active: Option<IpAddr>,
    /// Its priority.
    pub(crate) active_priority: Option<u8>,
    /// What it has.
    pub(crate) addresses: Vec<IpAddr>,
    /// The MAC that answers carry.
    pub(crate) mac: Option<String>,
    /// How often what happened.
    pub(crate) counters: RouterCounters,
    /// What is wrong, one sentence each.
    pub(crate) problems: Vec<String>,
}

/// How often what happened to a virtual router.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RouterCounters {
    /// Advertisements sent.
    pub(crate) sent: u64,
    /// Advertisements heard and heeded.
    pub(crate) received: u64,
    /// Packets that were not heeded.
    pub(crate) refused: u64,
    /// How often it became Active here.
    pub(crate) became_active: u64,
}

/// How far a node has been taken out of service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DrainReport {
    /// The node.
    pub(crate) node: String,
    /// Whether it is being taken out of service, or is.
    pub(crate) draining: bool,
    /// Shards that it still has.
    pub(crate) owned: u64,
    /// Shards among them that no other node can take.
    pub(crate) unwanted: u64,
    /// Virtual routers that are still Active on it; unknown of another node.
    pub(crate) active: Option<u64>,
    /// Its BGP speaker; unknown of another node, and absent without a `BgpConf`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bgp: Option<BgpReport>,
}
