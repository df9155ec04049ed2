//! `PodNetwork` v1alpha2: the addresses of the pods, node by node, and how the network learns of
//! them. An addition to OpenELB.

use std::collections::BTreeMap;

use openelb_ipam::pool::Selector;
use serde::{Deserialize, Serialize};

use super::default::is_default;
use super::{Condition, ObjectMeta, SecretKey};
use crate::names;

/// The pod CIDRs of the nodes: where they are taken from, and what becomes of their routes. Only the
/// object named [`names::DEFAULT_POD_NETWORK`] counts: two ledgers of one range could give a prefix
/// twice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodNetwork {
    /// `network.kubesphere.io/v1alpha2`.
    pub api_version: String,
    /// `PodNetwork`.
    pub kind: String,
    /// Name, labels and annotations.
    pub metadata: ObjectMeta,
    /// What the user wants.
    #[serde(default)]
    pub spec: PodNetworkSpec,
    /// Who has what; absent in files.
    #[serde(default, skip_serializing_if = "is_default")]
    pub status: PodNetworkStatus,
}

impl PodNetwork {
    /// Of these ranges, every other field at its default.
    ///
    /// ```
    /// use openelb_k8s::api::PodNetwork;
    ///
    /// let network = PodNetwork::new(["10.244.0.0/16", "fd00:10:244::/56"]);
    /// assert_eq!(network.metadata.name, "default");
    /// ```
    pub fn new<R: Into<String>>(ranges: impl IntoIterator<Item = R>) -> Self {
        Self {
            api_version: names::EIP_API_VERSION.to_owned(),
            kind: names::POD_NETWORK_KIND.to_owned(),
            metadata: ObjectMeta {
                name: names::DEFAULT_POD_NETWORK.to_owned(),
                ..ObjectMeta::default()
            },
            spec: PodNetworkSpec {
                ranges: ranges.into_iter().map(Into::into).collect(),
                ..PodNetworkSpec::default()
            },
            status: PodNetworkStatus::default(),
        }
    }
}

/// What the user wants of the pods' addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PodNetworkSpec {
    /// Prefixes of one family or both, out of which each node gets one of every family.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<String>,
    /// How long the prefix of a node is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub node_prefix_length: NodePrefixLength,
    /// Whether nodes without `spec.podCIDRs` are given theirs; absent: when there are ranges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocate: Option<bool>,
    /// Labels of the nodes that it is for; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::selector"))]
    pub node_selector: Option<Selector>,
    /// How the pod CIDRs of a node are announced.
    #[serde(default, skip_serializing_if = "is_default")]
    pub announce: PodAnnounce,
    /// Sessions between all nodes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mesh: PodMesh,
    /// Whether learned routes to pods go into the kernel of a node.
    #[serde(default, skip_serializing_if = "is_default")]
    pub kernel_routes: PodKernelRoutes,
    /// The CNI configuration that a node's speaker writes the node's prefixes into; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cni: Option<PodCni>,
}

/// How long the prefix of a node is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct NodePrefixLength {
    /// Of IPv4; absent: 24, for 254 pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv4: Option<u8>,
    /// Of IPv6; absent: 64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<u8>,
}

/// How the pod CIDRs of a node are announced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct PodAnnounce {
    /// Whether the node tells its BGP peers; absent: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Names of the peers that it tells, besides the mesh; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<String>,
}

/// Sessions between the speakers of all nodes, made out of the Node objects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct PodMesh {
    /// Whether there are any.
    #[serde(skip_serializing_if = "is_default")]
    pub enabled: bool,
    /// The port that is dialled; absent: where the `BgpConf` listens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The TCP-MD5 key of all sessions (RFC 2385) in a Secret; absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_secret: Option<SecretKey>,
}

/// Whether learned routes to pods go into the kernel of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct PodKernelRoutes {
    /// Whether they do: only routes inside `ranges`, from the mesh and from peers.
    #[serde(skip_serializing_if = "is_default")]
    pub enabled: bool,
    /// Number of the routing table; absent: 254, the main one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<u32>,
    /// Metric of the routes; absent: 2048, behind what the host has by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<u32>,
}

/// The CNI configuration of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct PodCni {
    /// The file; absent: `/etc/cni/net.d/10-openelb.conflist`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
}

/// Who has what, written by the controller.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct PodNetworkStatus {
    /// Prefix to node: the record that an allocation has before the node shows it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    // As `Eip.status.used`: one value to field managers.
    #[cfg_attr(feature = "schema", schemars(extend("x-kubernetes-map-type" = "atomic")))]
    pub used: BTreeMap<String, String>,
    /// `uid` of each node in `used`: a node that is made anew under an old name is another one.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "schema", schemars(extend("x-kubernetes-map-type" = "atomic")))]
    pub uids: BTreeMap<String, String>,
    /// Generation of the specification that the status was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What is said about the object: one entry a subject.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}
