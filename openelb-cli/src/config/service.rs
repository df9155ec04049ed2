//! `Service` of the standalone daemon: who wants which address, and when it is announced.

use std::net::IpAddr;

use openelb_ipam::Labels;
use serde::{Deserialize, Serialize};

use crate::address::Address;

/// A service entry (`apiVersion: openelb.io/v1`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Service {
    /// `openelb.io/v1`.
    pub(crate) api_version: String,
    /// `Service`.
    pub(crate) kind: String,
    /// Namespace, name and labels.
    pub(crate) metadata: Metadata,
    /// What the service wants; everything has a default.
    #[serde(default)]
    pub(crate) spec: ServiceSpec,
}

/// Who the service is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Metadata {
    /// Namespace; `default` when absent.
    #[serde(default = "default_namespace")]
    pub(crate) namespace: String,
    /// Name, unique within the namespace.
    pub(crate) name: String,
    /// Labels, matched by `serviceSelectors` of the pools.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub(crate) labels: Labels,
}

/// What the service wants.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ServiceSpec {
    /// How many families; `SingleStack` unless two are listed.
    pub(crate) ip_family_policy: Option<IpFamilyPolicy>,
    /// Which families, the preferred one first; any when empty.
    pub(crate) ip_families: Vec<IpFamily>,
    /// Exactly these addresses, at most one per family; `::10` and `home/::10` follow a prefix.
    pub(crate) addresses: Vec<Address>,
    /// Only from this pool.
    pub(crate) pool: Option<String>,
    /// Ports it listens on; needed to share an address.
    pub(crate) ports: Vec<Port>,
    /// Services of equal keys and disjoint ports may share an address.
    pub(crate) sharing_key: Option<String>,
    /// When the address is announced.
    pub(crate) announce: Announce,
    /// Announce only while this check passes.
    pub(crate) health_check: Option<HealthCheck>,
}

/// How many families a service wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::enum_variant_names,
    reason = "the names are those of Kubernetes"
)]
pub(crate) enum IpFamilyPolicy {
    /// One.
    SingleStack,
    /// Both where both exist, else one.
    PreferDualStack,
    /// Both or nothing.
    RequireDualStack,
}

/// An address family by Kubernetes' names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum IpFamily {
    /// IPv4.
    IPv4,
    /// IPv6.
    IPv6,
}

/// A port of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_field_names,
    reason = "the names are those of Kubernetes"
)]
pub(crate) struct Port {
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// Transport protocol; TCP when absent.
    #[serde(default)]
    pub(crate) protocol: Transport,
    /// Port number, from 1.
    pub(crate) port: u16,
}

/// A transport protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Transport {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

/// When the address of a service is announced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Announce {
    /// While the service is healthy.
    #[default]
    Always,
    /// Never here: another host announces it, this one is ready to take over by an edit.
    Standby,
    /// Never: the address is only allocated.
    Never,
}

/// A check whose failure withdraws the announcement; the allocation stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HealthCheck {
    /// How it is checked.
    pub(crate) protocol: CheckProtocol,
    /// Where; this host when absent.
    #[serde(default = "default_host")]
    pub(crate) host: IpAddr,
    /// Port that is connected to.
    pub(crate) port: u16,
    /// Path that is asked for, `HTTP` only.
    #[serde(default = "default_path")]
    pub(crate) path: String,
    /// Pause between two checks.
    #[serde(default = "default_interval")]
    pub(crate) interval_seconds: u32,
    /// After this long without an answer the check has failed.
    #[serde(default = "default_timeout")]
    pub(crate) timeout_seconds: u32,
    /// So many failures in a row withdraw the announcement.
    #[serde(default = "default_failures")]
    pub(crate) failure_threshold: u32,
    /// So many successes in a row announce it.
    #[serde(default = "default_successes")]
    pub(crate) success_threshold: u32,
}

/// How a health check looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum CheckProtocol {
    /// A connection is accepted.
    Tcp,
    /// `GET` answers with a status from 200 to 399.
    Http,
}

fn default_namespace() -> String {
    "default".to_owned()
}

fn default_host() -> IpAddr {
    IpAddr::V4(std::net::Ipv4Addr::LOCALHOST)
}

fn default_path() -> String {
    "/".to_owned()
}

// Kubernetes' defaults for probes are 10 s, 1 s, 3 and 1; a load balancer wants to leave a dead
// service sooner, hence 2 s.
fn default_interval() -> u32 {
    2
}

fn default_timeout() -> u32 {
    1
}

fn default_failures() -> u32 {
    3
}

fn default_successes() -> u32 {
    1
}
