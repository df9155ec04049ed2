//! `Service` v1: who wants an address.

use std::net::IpAddr;

use openelb_ipam::Labels;
use serde::{Deserialize, Serialize};

use super::{Condition, ObjectMeta, or_default};

/// A service of the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Service {
    /// Which service, its labels, annotations and finalizers.
    pub metadata: ObjectMeta,
    /// What its user wants.
    pub spec: ServiceSpec,
    /// What it has.
    pub status: ServiceStatus,
}

impl Service {
    /// The addresses in its status, in the order of the ingress; entries without one are skipped.
    pub fn shown(&self) -> impl Iterator<Item = IpAddr> {
        let ingress = self.status.load_balancer.ingress.iter();
        ingress.filter_map(|entry| entry.ip.parse().ok())
    }
}

/// What the user of a service wants.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceSpec {
    /// Only `LoadBalancer` concerns this project.
    #[serde(rename = "type")]
    pub kind: ServiceType,
    /// Which load balancer implementation is meant; absent: the cluster's default.
    pub load_balancer_class: Option<String>,
    /// An address asked for; deprecated, still in use.
    #[serde(rename = "loadBalancerIP")]
    pub load_balancer_ip: String,
    /// The cluster addresses, the primary one first; `None` as text for a headless service.
    #[serde(rename = "clusterIPs", deserialize_with = "or_default")]
    pub cluster_ips: Vec<String>,
    /// The families, in the order of preference.
    #[serde(deserialize_with = "or_default")]
    pub ip_families: Vec<IpFamily>,
    /// How many families.
    pub ip_family_policy: Option<IpFamilyPolicy>,
    /// Which nodes may deliver traffic from outside.
    #[serde(deserialize_with = "or_default")]
    pub external_traffic_policy: TrafficPolicy,
    /// Endpoints count whether they are ready or not.
    pub publish_not_ready_addresses: bool,
    /// Which pods are behind it.
    #[serde(deserialize_with = "or_default")]
    pub selector: Labels,
    /// The ports.
    #[serde(deserialize_with = "or_default")]
    pub ports: Vec<ServicePort>,
}

/// What a service has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceStatus {
    /// The addresses given to it.
    pub load_balancer: LoadBalancer,
    /// What is said about it.
    #[serde(deserialize_with = "or_default")]
    pub conditions: Vec<Condition>,
}

/// The addresses given to a service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LoadBalancer {
    /// One entry an address. The API server treats the list as one value.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub ingress: Vec<Ingress>,
}

/// An address given to a service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Ingress {
    /// The address; empty when `hostname` is given instead.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ip: String,
    /// A name instead of an address; never written here.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hostname: String,
    /// `VIP`: the data plane may take the address itself. Servers before 1.29 do not know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_mode: Option<String>,
    /// What is wrong with single ports.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<IngressPort>,
}

/// What is wrong with one port of an address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IngressPort {
    /// The port.
    pub port: u16,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
    /// A CamelCase reason; absent when the port works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A port of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServicePort {
    /// Its name, unique within the service.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Transport protocol.
    pub protocol: Transport,
    /// Port number.
    pub port: u16,
    /// Port on every node; 0 when none is allocated.
    #[serde(skip_serializing_if = "is_zero")]
    pub node_port: u16,
}

/// How a service is reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServiceType {
    /// From outside, by an address of its own.
    LoadBalancer,
    /// From inside, or by ports of the nodes: nothing for a load balancer to do.
    #[default]
    #[serde(other)]
    Other,
}

/// An address family by Kubernetes' names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum IpFamily {
    /// IPv4.
    IPv4,
    /// IPv6.
    IPv6,
}

/// How many families a service has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum IpFamilyPolicy {
    /// One.
    SingleStack,
    /// Both where both exist, else one.
    PreferDualStack,
    /// Both or nothing.
    RequireDualStack,
}

/// Which nodes may deliver traffic from outside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TrafficPolicy {
    /// Only nodes that have an endpoint themselves.
    Local,
    /// Every node.
    #[default]
    #[serde(other)]
    Cluster,
}

/// A transport protocol.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum Transport {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
    /// One that this version does not know.
    #[serde(other)]
    Unknown,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes the field by reference"
)]
fn is_zero(value: &u16) -> bool {
    *value == 0
}
