//! `Node` v1: who may announce, and from which addresses.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{ObjectMeta, or_default};

/// A node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Node {
    /// Its name and labels.
    pub metadata: ObjectMeta,
    /// Whether it takes new pods, and what it repels.
    pub spec: NodeSpec,
    /// Addresses and conditions.
    pub status: NodeStatus,
}

/// Whether a node takes new pods.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeSpec {
    /// Cordoned.
    pub unschedulable: bool,
    /// What it repels.
    #[serde(deserialize_with = "or_default")]
    pub taints: Vec<Taint>,
}

/// What a node repels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Taint {
    /// Key, such as `ToBeDeletedByClusterAutoscaler`.
    pub key: String,
    /// Value, often empty.
    pub value: String,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    pub effect: String,
}

/// Addresses and conditions of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeStatus {
    /// Addresses, the first of a type and family counting most.
    #[serde(deserialize_with = "or_default")]
    pub addresses: Vec<NodeAddress>,
    /// Conditions, such as `Ready`.
    #[serde(deserialize_with = "or_default")]
    pub conditions: Vec<NodeCondition>,
}

/// An address of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeAddress {
    /// `InternalIP`, `ExternalIP`, `Hostname`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The address or name.
    pub address: String,
}

/// A condition of a node. The heartbeat times in it are left out: they change all the time and
/// decide nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeCondition {
    /// `Ready`, `NetworkUnavailable` and others.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
}

impl Node {
    /// Label that takes a node out of load balancing; its value does not matter.
    pub const EXCLUDE_LABEL: &'static str =
        "node.kubernetes.io/exclude-from-external-load-balancers";

    /// The internal addresses, in the order of the object; what is no address is left out.
    pub fn internal_addresses(&self) -> impl Iterator<Item = IpAddr> {
        let addresses = self.status.addresses.iter();
        let internal = addresses.filter(|address| address.kind == "InternalIP");
        internal.filter_map(|address| address.address.parse().ok())
    }

    /// Whether a condition says `True`; `None` when nothing is said about it.
    pub fn condition(&self, kind: &str) -> Option<bool> {
        let mut conditions = self.status.conditions.iter();
        let found = conditions.find(|condition| condition.kind == kind)?;
        Some(found.status == "True")
    }
}
