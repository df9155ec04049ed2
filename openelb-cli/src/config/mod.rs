//! The configuration: YAML files into pools and services, or into remarks that point at the lines.

mod bgp;
mod diagnostic;
mod file;
mod host;
mod layer2;
mod node;
mod pin;
mod prefix;
mod read;
mod resolve;
mod secret;
mod service;
#[cfg(test)]
mod tests;
mod vrrp;

use std::fmt;
use std::path::PathBuf;

use openelb_announce::bgp::route::Advertisement;
use openelb_announce::link::InterfaceSelector;
use openelb_ipam::{Owner, PoolSpec, Request};
use openelb_k8s::api::{Probe, Protocol};
use openelb_k8s::bgp::Node;
use openelb_k8s::layer2::Election;
use openelb_k8s::vrrp::PoolRouters;

pub(crate) use self::bgp::{BgpConfig, first_line};
pub(crate) use self::diagnostic::Diagnostic;
pub(crate) use self::host::this_node;
pub(crate) use self::prefix::PrefixConfig;
pub(crate) use self::service::{Announce, CheckProtocol, HealthCheck};

/// What was meant by the files.
#[derive(Debug, Clone, Default)]
pub(crate) struct Config {
    /// The name of this node.
    pub(crate) node: String,
    /// The pools, in the order of the files.
    pub(crate) pools: Vec<PoolConfig>,
    /// The services, in the order of the files.
    pub(crate) services: Vec<ServiceConfig>,
    /// The BGP speaker; `None` without a `BgpConf`.
    pub(crate) bgp: Option<BgpConfig>,
    /// How the nodes of a link agree on who answers for layer 2 addresses; `None`: every daemon
    /// answers for what it has.
    pub(crate) election: Option<Election>,
    /// The prefixes that addresses of the pools follow.
    pub(crate) prefixes: Vec<PrefixConfig>,
    /// What is usable but probably not meant.
    pub(crate) warnings: Vec<Diagnostic>,
}

/// A pool and how its addresses are announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PoolConfig {
    /// What the allocator knows of it.
    pub(crate) spec: PoolSpec,
    /// How its addresses are announced.
    pub(crate) protocol: Protocol,
    /// Where; `None` unless the protocol needs it.
    pub(crate) interfaces: Option<InterfaceSelector>,
    /// What is done first to make sure that nobody else uses an address.
    pub(crate) probe: Probe,
    /// How its addresses become routes; none unless the protocol is BGP.
    pub(crate) advertisements: Vec<Advertisement>,
    /// The virtual routers that have its addresses; `None` unless the protocol is VRRP.
    pub(crate) routers: Option<PoolRouters>,
}

/// A service: who asks for what, and when it is announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceConfig {
    /// The owner, of kind [`SERVICE`].
    pub(crate) owner: Owner,
    /// What it asks for.
    pub(crate) request: Request,
    /// When its addresses are announced.
    pub(crate) announce: Announce,
    /// What its announcement depends on.
    pub(crate) health_check: Option<HealthCheck>,
}

/// Kind of the owners that come from a configuration.
pub(crate) const SERVICE: &str = "service";

/// Everything that was found wrong, errors and warnings in the order of the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InvalidConfig {
    /// The remarks; at least one is an error.
    pub(crate) remarks: Vec<Diagnostic>,
}

impl fmt::Display for InvalidConfig {
    /// Every remark with its line, then a count.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for remark in &self.remarks {
            writeln!(f, "{remark}\n")?;
        }
        let errors = self
            .remarks
            .iter()
            .filter(|remark| remark.is_error())
            .count();
        write!(
            f,
            "{errors} error{} in the configuration",
            if errors == 1 { "" } else { "s" }
        )
    }
}

/// Reads and checks the files as one configuration for a node.
pub(crate) fn load(paths: &[PathBuf], node: &Node) -> Result<Config, InvalidConfig> {
    let (config, remarks) = resolve::resolve(file::read_files(paths), node);
    if remarks.iter().any(Diagnostic::is_error) {
        Err(InvalidConfig { remarks })
    } else {
        Ok(Config {
            warnings: remarks,
            ..config
        })
    }
}
