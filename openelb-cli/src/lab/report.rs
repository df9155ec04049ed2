//! What the lab saw, as data with stable field names.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;
use serde_json::Value;

use super::namespace::Isolation;
use super::network::Network;
use super::station::Station;

/// Everything that `openelb lab -o json` prints.
#[derive(Debug, Serialize)]
pub(crate) struct LabReport {
    /// Whether every step went as expected.
    pub(crate) ok: bool,
    /// How the namespaces were made.
    pub(crate) isolation: Isolation,
    /// From the first step to the last, in microseconds.
    pub(crate) elapsed_us: u64,
    /// The hosts on the switch.
    pub(crate) hosts: Vec<HostReport>,
    /// The steps that went as expected, in order.
    pub(crate) steps: Vec<Step>,
    /// The step that did not, which is then the last.
    pub(crate) failure: Option<StepFailure>,
}

/// A host on the switch.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct HostReport {
    /// Its name.
    pub(crate) name: String,
    /// The hardware address of its interface.
    pub(crate) mac: String,
    /// Its own addresses.
    pub(crate) addresses: Vec<IpNet>,
    /// What it is there for.
    pub(crate) role: &'static str,
}

impl HostReport {
    /// All hosts of a network; `role` says in a word or two what the host of a name is there for.
    pub(crate) fn all(network: &Network, role: impl Fn(&str) -> &'static str) -> Vec<Self> {
        let stations = network.stations().iter();
        let hosts = stations.map(|Station { plan, .. }| Self {
            name: plan.name.to_owned(),
            mac: plan.mac.to_string(),
            addresses: plan.addresses.clone(),
            role: role(plan.name),
        });
        hosts.collect()
    }
}

/// A step that went as expected.
#[derive(Debug, Serialize)]
pub(crate) struct Step {
    /// The step's stable name.
    pub(crate) name: &'static str,
    /// When it ended, in microseconds since the network stood.
    pub(crate) at_us: u64,
    /// How long it took, in microseconds.
    pub(crate) took_us: u64,
    /// What happened, in words.
    pub(crate) summary: String,
    /// More of it, for people.
    #[serde(skip)]
    pub(crate) details: Vec<String>,
    /// What happened, as data; the fields depend on the step.
    pub(crate) facts: Value,
}

/// A step that did not go as expected.
#[derive(Debug, Serialize)]
pub(crate) struct StepFailure {
    /// The step's stable name.
    pub(crate) step: &'static str,
    /// What should have been seen.
    pub(crate) expected: String,
    /// What was seen.
    pub(crate) seen: String,
    /// The last lines that each daemon logged, the host's name in front.
    pub(crate) log: Vec<String>,
}

/// One address as a client reaches it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Reached {
    /// The address.
    pub(crate) address: IpAddr,
    /// The hardware address in the client's neighbour table.
    pub(crate) mac: String,
    /// Whose it is.
    pub(crate) resolved_to: String,
    /// How long the client took to resolve, in microseconds.
    pub(crate) resolve_us: u64,
    /// Who answered the connection.
    pub(crate) answered_by: String,
    /// How long the connection and its answer took, in microseconds.
    pub(crate) connect_us: u64,
}
