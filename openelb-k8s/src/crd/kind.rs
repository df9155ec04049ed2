//! The kinds: their names, their columns, and the types their schemas are made of.

use serde_json::Value;

use super::{earlier, structural};
use crate::api::{
    AddressBlockSpec, BgpConfSpec, BgpConfStatus, BgpPeerSpec, BgpPeerStatus, DynamicPrefixSpec,
    DynamicPrefixStatus, EipSpec, EipStatus, Layer2ConfSpec, Layer2ConfStatus,
    NodeAnnouncementStatus, PodNetworkSpec, PodNetworkStatus,
};
use crate::names;

/// A kind of ours.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) plural: &'static str,
    pub(super) singular: &'static str,
    pub(super) description: &'static str,
    /// What `kubectl get CATEGORY` lists it with.
    pub(super) categories: &'static [&'static str],
    pub(super) columns: &'static [Column],
    pub(super) spec: Option<fn() -> Value>,
    pub(super) status: Option<fn() -> Value>,
    /// Adds the fields that only `v1alpha1` has; kinds that OpenELB does not have are without.
    pub(super) earlier: Option<fn(&mut Value)>,
}

/// A column of `kubectl get`.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) path: &'static str,
}

/// Every kind. The first three, and the first three columns of the first, are OpenELB's.
pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: names::EIP_KIND,
        plural: "eips",
        singular: "eip",
        description: "Eip is a pool of addresses for services of type LoadBalancer.",
        categories: &["networking", "openelb"],
        columns: &[
            column("cidr", "string", ".spec.address"),
            column("usage", "integer", ".status.usage"),
            column("total", "integer", ".status.poolSize"),
            column("protocol", "string", ".spec.protocol"),
            READY,
            AGE,
        ],
        spec: Some(structural::of::<EipSpec>),
        status: Some(structural::of::<EipStatus>),
        earlier: Some(earlier::nothing_more),
    },
    Kind {
        name: names::BGP_CONF_KIND,
        plural: "bgpconfs",
        singular: "bgpconf",
        description: "BgpConf is the BGP speaker of every node; only the one named default counts.",
        categories: &["openelb"],
        columns: &[
            column("as", "integer", ".spec.as"),
            column("port", "integer", ".spec.listenPort"),
            ACCEPTED,
            AGE,
        ],
        spec: Some(structural::of::<BgpConfSpec>),
        status: Some(structural::of::<BgpConfStatus>),
        earlier: Some(earlier::bgp_conf),
    },
    Kind {
        name: names::BGP_PEER_KIND,
        plural: "bgppeers",
        singular: "bgppeer",
        description: "BgpPeer is a BGP neighbour of the nodes that its selector matches.",
        categories: &["openelb"],
        columns: &[
            column("neighbor", "string", ".spec.conf.neighborAddress"),
            column("as", "integer", ".spec.conf.peerAs"),
            ACCEPTED,
            AGE,
        ],
        spec: Some(structural::of::<BgpPeerSpec>),
        status: Some(structural::of::<BgpPeerStatus>),
        earlier: Some(earlier::bgp_peer),
    },
    Kind {
        name: names::LAYER2_CONF_KIND,
        plural: "layer2confs",
        singular: "layer2conf",
        description: "Layer2Conf is how the nodes of a link agree on who answers for which \
                      address; only the one named default counts.",
        categories: &["openelb"],
        columns: &[
            column("ownership", "string", ".spec.ownership"),
            column("profile", "string", ".spec.profile"),
            ACCEPTED,
            AGE,
        ],
        spec: Some(structural::of::<Layer2ConfSpec>),
        status: Some(structural::of::<Layer2ConfStatus>),
        earlier: None,
    },
    Kind {
        name: names::DYNAMIC_PREFIX_KIND,
        plural: "dynamicprefixes",
        singular: "dynamicprefix",
        description: "DynamicPrefix is an IPv6 prefix that the network gives and may change; pools \
                      name it, and their addresses follow it.",
        categories: &["networking", "openelb"],
        columns: &[
            column("prefix", "string", ".status.preferred.prefix"),
            column("since", "date", ".status.preferred.since"),
            column("renumbered", "integer", ".status.renumbered"),
            READY,
            AGE,
        ],
        spec: Some(structural::of::<DynamicPrefixSpec>),
        status: Some(structural::of::<DynamicPrefixStatus>),
        earlier: None,
    },
    Kind {
        name: names::POD_NETWORK_KIND,
        plural: "podnetworks",
        singular: "podnetwork",
        description: "PodNetwork is where the pod CIDRs of the nodes come from and how the network \
                      learns of them; only the one named default counts.",
        categories: &["networking", "openelb"],
        columns: &[
            column("ranges", "string", ".spec.ranges"),
            column("mesh", "boolean", ".spec.mesh.enabled"),
            ACCEPTED,
            READY,
            AGE,
        ],
        spec: Some(structural::of::<PodNetworkSpec>),
        status: Some(structural::of::<PodNetworkStatus>),
        earlier: None,
    },
    Kind {
        name: names::ADDRESS_BLOCK_KIND,
        plural: "addressblocks",
        singular: "addressblock",
        description: "AddressBlock is a part of the allocation record of a large pool. \
                      Controllers write it: do not edit it.",
        categories: &[],
        columns: &[
            column("eip", "string", ".spec.eip"),
            column("first", "string", ".spec.first"),
            AGE,
        ],
        spec: Some(structural::of::<AddressBlockSpec>),
        status: None,
        earlier: None,
    },
    Kind {
        name: names::NODE_ANNOUNCEMENT_KIND,
        plural: "nodeannouncements",
        singular: "nodeannouncement",
        description: "NodeAnnouncement is what the speaker of the node of that name announces.",
        categories: &["openelb"],
        columns: &[AGE],
        spec: None,
        status: Some(structural::of::<NodeAnnouncementStatus>),
        earlier: None,
    },
];

const READY: Column = column(
    "ready",
    "string",
    ".status.conditions[?(@.type==\"Ready\")].status",
);

const ACCEPTED: Column = column(
    "accepted",
    "string",
    ".status.conditions[?(@.type==\"Accepted\")].status",
);

const AGE: Column = column("age", "date", ".metadata.creationTimestamp");

const fn column(name: &'static str, kind: &'static str, path: &'static str) -> Column {
    Column { name, kind, path }
}
