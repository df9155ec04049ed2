//! The kinds that are watched: where the API server has them, and what is kept of them.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Formatter};

use k8s_openapi::ByteString;
use kube::core::ApiResource;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::api::{
    AddressBlock, BgpConf, BgpPeer, DynamicPrefix, Eip, Layer2Conf, NodeAnnouncement, ObjectMeta,
    PodNetwork,
};
use crate::cluster::{EndpointSlice, Namespace, Node, Service};

/// A kind that can be watched.
pub trait Watched: DeserializeOwned + Clone + Debug + Send + 'static {
    /// Where the API server has it.
    const RESOURCE: Resource;
}

/// Where the API server has a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resource {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// Version that is read and written.
    pub version: &'static str,
    /// Kind, as in objects.
    pub kind: &'static str,
    /// Plural, as in paths.
    pub plural: &'static str,
}

impl Resource {
    /// `apiVersion` of the objects.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            return self.version.to_owned();
        }
        format!("{}/{}", self.group, self.version)
    }

    /// Path of the objects: of the cluster, or of one namespace.
    pub fn path(&self, namespace: Option<&str>) -> String {
        let root = if self.group.is_empty() { "api" } else { "apis" };
        let version = self.api_version();
        let plural = self.plural;
        match namespace {
            Some(namespace) => format!("/{root}/{version}/namespaces/{namespace}/{plural}"),
            None => format!("/{root}/{version}/{plural}"),
        }
    }

    pub(super) fn to_kube(self) -> ApiResource {
        ApiResource {
            group: self.group.to_owned(),
            version: self.version.to_owned(),
            api_version: self.api_version(),
            kind: self.kind.to_owned(),
            plural: self.plural.to_owned(),
        }
    }
}

/// A `ConfigMap` v1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct ConfigMap {
    /// Which one.
    pub metadata: ObjectMeta,
    /// Its texts by key.
    #[serde(default)]
    pub data: BTreeMap<String, String>,
}

/// A `Secret` v1. Its contents are in no log: `Debug` shows the keys.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Secret {
    /// Which one.
    pub metadata: ObjectMeta,
    #[serde(default)]
    data: BTreeMap<String, ByteString>,
}

impl Secret {
    /// The bytes of a key.
    pub fn value(&self, key: &str) -> Option<&[u8]> {
        self.data.get(key).map(|bytes| bytes.0.as_slice())
    }
}

impl Debug for Secret {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.data.keys().collect();
        f.debug_struct("Secret")
            .field("metadata", &self.metadata)
            .field("keys", &keys)
            .finish()
    }
}

impl Watched for Eip {
    const RESOURCE: Resource = ours("Eip", "eips");
}

impl Watched for AddressBlock {
    const RESOURCE: Resource = ours("AddressBlock", "addressblocks");
}

impl Watched for BgpConf {
    const RESOURCE: Resource = ours("BgpConf", "bgpconfs");
}

impl Watched for BgpPeer {
    const RESOURCE: Resource = ours("BgpPeer", "bgppeers");
}

impl Watched for Layer2Conf {
    const RESOURCE: Resource = ours("Layer2Conf", "layer2confs");
}

impl Watched for DynamicPrefix {
    const RESOURCE: Resource = ours("DynamicPrefix", "dynamicprefixes");
}

impl Watched for PodNetwork {
    const RESOURCE: Resource = ours("PodNetwork", "podnetworks");
}

impl Watched for NodeAnnouncement {
    const RESOURCE: Resource = ours("NodeAnnouncement", "nodeannouncements");
}

impl Watched for Service {
    const RESOURCE: Resource = core("Service", "services");
}

impl Watched for Node {
    const RESOURCE: Resource = core("Node", "nodes");
}

impl Watched for Namespace {
    const RESOURCE: Resource = core("Namespace", "namespaces");
}

impl Watched for ConfigMap {
    const RESOURCE: Resource = core("ConfigMap", "configmaps");
}

impl Watched for Secret {
    const RESOURCE: Resource = core("Secret", "secrets");
}

impl Watched for EndpointSlice {
    const RESOURCE: Resource = Resource {
        group: "discovery.k8s.io",
        version: "v1",
        kind: "EndpointSlice",
        plural: "endpointslices",
    };
}

const fn core(kind: &'static str, plural: &'static str) -> Resource {
    Resource {
        group: "",
        version: "v1",
        kind,
        plural,
    }
}

const fn ours(kind: &'static str, plural: &'static str) -> Resource {
    Resource {
        group: crate::names::GROUP,
        version: "v1alpha2",
        kind,
        plural,
    }
}
