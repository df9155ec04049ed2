//! `EndpointSlice` discovery.k8s.io/v1: what is behind a service, and where.

use serde::{Deserialize, Serialize};

use super::{ObjectMeta, or_default};

/// Some of the endpoints of a service, all of one family.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EndpointSlice {
    /// The label [`EndpointSlice::SERVICE_LABEL`] names the service.
    pub metadata: ObjectMeta,
    /// Family of the addresses.
    pub address_type: SliceFamily,
    /// The endpoints.
    #[serde(deserialize_with = "or_default")]
    pub endpoints: Vec<Endpoint>,
}

impl EndpointSlice {
    /// Label that names the service of the slice, in the slice's namespace.
    pub const SERVICE_LABEL: &'static str = "kubernetes.io/service-name";

    /// The service that the slice belongs to, if it says so.
    pub fn service(&self) -> Option<&str> {
        self.metadata.labels.get(Self::SERVICE_LABEL)
    }
}

/// Family of a slice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SliceFamily {
    /// IPv4 addresses.
    IPv4,
    /// IPv6 addresses.
    IPv6,
    /// Names, which no load balancer can use.
    #[default]
    #[serde(other, rename = "FQDN")]
    Fqdn,
}

/// An endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Endpoint {
    /// Its addresses, in the family of the slice.
    #[serde(deserialize_with = "or_default")]
    pub addresses: Vec<String>,
    /// Whether it can serve.
    #[serde(deserialize_with = "or_default")]
    pub conditions: EndpointConditions,
    /// The node it is on, if it is known.
    pub node_name: Option<String>,
}

/// Whether an endpoint can serve. What is not said counts as the API contract has it: ready, and
/// serving as far as it is ready.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EndpointConditions {
    /// Takes new connections.
    pub ready: Option<bool>,
    /// Could take new connections, also while it is being ended.
    pub serving: Option<bool>,
    /// Is being ended.
    pub terminating: Option<bool>,
}

impl EndpointConditions {
    /// Whether it takes new connections.
    pub fn is_ready(&self) -> bool {
        self.ready.unwrap_or(true)
    }

    /// Whether it could take new connections.
    pub fn is_serving(&self) -> bool {
        self.serving.unwrap_or_else(|| self.is_ready())
    }

    /// Whether it is being ended.
    pub fn is_terminating(&self) -> bool {
        self.terminating.unwrap_or(false)
    }
}
