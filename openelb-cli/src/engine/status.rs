//! Everything about a running daemon on one screen.

use std::net::IpAddr;

use openelb_ipam::OwnerKey;
use serde::{Deserialize, Serialize};

use super::answer::{Held, PoolReport};
use super::bgp::BgpReport;
use super::link::{ElectionReport, VrrpReport};
use super::prefix::PrefixReport;

/// The state of a daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatusReport {
    /// Version of the program.
    pub(crate) version: String,
    /// Process number.
    pub(crate) pid: u32,
    /// Generation of the allocations.
    pub(crate) generation: u64,
    /// Why nothing can be changed, when the store cannot be written.
    pub(crate) read_only: Option<String>,
    /// The configuration in force.
    pub(crate) config: ConfigStatus,
    /// Pools with their use.
    pub(crate) pools: Vec<PoolReport>,
    /// Services of the configuration.
    pub(crate) services: Vec<ServiceStatus>,
    /// How the network side stands: `on`, or why nothing is announced.
    pub(crate) announcer: String,
    /// Addresses on the network.
    pub(crate) announcements: Vec<AnnouncementStatus>,
    /// The BGP speaker; absent without a `BgpConf`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bgp: Option<BgpReport>,
    /// The election of layer 2; absent without a `Layer2Conf`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) election: Option<ElectionReport>,
    /// The virtual routers; absent without a `vip` pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) vrrp: Option<VrrpReport>,
    /// The prefixes that addresses follow; absent without a `DynamicPrefix`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) prefixes: Vec<PrefixReport>,
    /// Conflicts seen since the start.
    pub(crate) conflicts: u64,
    /// What an operator should look at, one sentence each.
    pub(crate) problems: Vec<String>,
}

/// Which configuration is in force, and what came of the last try to load one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConfigStatus {
    /// The files.
    pub(crate) files: Vec<String>,
    /// How many times a configuration was put in force.
    pub(crate) loads: u64,
    /// How many times one was refused.
    pub(crate) refusals: u64,
    /// Why the last one was refused; empty when it is in force.
    pub(crate) errors: Vec<String>,
}

/// A service of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServiceStatus {
    /// `service/namespace/name`.
    pub(crate) owner: OwnerKey,
    /// What it holds.
    pub(crate) addresses: Vec<Held>,
    /// What is done with them.
    pub(crate) state: ServiceState,
    /// Why, in a sentence; empty when there is nothing to say.
    pub(crate) detail: String,
}

/// What is done with the addresses of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ServiceState {
    /// They are announced, or about to be: then the detail says what is still to come.
    Announced,
    /// Another node of the link announces them, as the nodes agreed.
    Elsewhere,
    /// They would be announced, but the daemon was started with `--no-announce`.
    Silent,
    /// They are allocated and kept ready for a move.
    Standby,
    /// They are allocated only.
    Allocated,
    /// They are allocated; the health check says that the service does not answer.
    Unhealthy,
    /// There is none yet.
    Waiting,
}

/// An address on the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AnnouncementStatus {
    /// The address.
    pub(crate) address: IpAddr,
    /// Interfaces it is announced on.
    pub(crate) interfaces: Vec<String>,
    /// One or few words, such as `announced` or `probing`.
    pub(crate) state: String,
    /// What keeps it from being reached, one sentence each.
    pub(crate) warnings: Vec<String>,
}
