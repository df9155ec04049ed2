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

/// Whether a node takes new pods, and where they get their addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeSpec {
    /// Cordoned.
    pub unschedulable: bool,
    /// What it repels.
    #[serde(deserialize_with = "or_default")]
    pub taints: Vec<Taint>,
    /// Its pod CIDRs, one a family. They are set once and stay.
    #[serde(rename = "podCIDRs", deserialize_with = "or_default")]
    pub pod_cidrs: Vec<String>,
    /// The first of them, all that old clients wrote.
    #[serde(rename = "podCIDR", deserialize_with = "or_default")]
    pub pod_cidr: String,
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

    /// The first address of each family, IPv4 first: an internal one, else an external one.
    pub fn first_of_each_family(&self) -> [Option<IpAddr>; 2] {
        let of = |kind: &'static str, is_wanted: fn(&IpAddr) -> bool| {
            let addresses = self.status.addresses.iter();
            let mut addresses = addresses
                .filter(move |address| address.kind == kind)
                .filter_map(|address| address.address.parse().ok());
            addresses.find(is_wanted)
        };
        [IpAddr::is_ipv4 as fn(&IpAddr) -> bool, IpAddr::is_ipv6]
            .map(|family| of("InternalIP", family).or_else(|| of("ExternalIP", family)))
    }

    /// Whether a condition says `True`; `None` when nothing is said about it.
    pub fn condition(&self, kind: &str) -> Option<bool> {
        let mut conditions = self.status.conditions.iter();
        let found = conditions.find(|condition| condition.kind == kind)?;
        Some(found.status == "True")
    }
}
