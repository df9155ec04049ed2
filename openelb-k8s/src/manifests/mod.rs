//! Everything that an installation consists of, as objects to apply.
//!
//! [`objects`] makes them from [`Options`], each with the least that it needs: one role for what the
//! controller does, one for what a speaker does, no rights on anything else. `openelb-k8s/deploy/`
//! holds the same as files, which [`folder`] makes; a test keeps both equal.

mod access;
mod chart;
mod controller;
mod folder;
mod guard;
mod monitoring;
mod network;
mod part;
mod pod;
mod speaker;
#[cfg(test)]
mod tests;
mod uninstall;
mod webhook;
mod yaml;

use serde_json::{Value, json};

pub use self::folder::folder;
pub use self::part::Part;
pub use self::uninstall::uninstall_steps;
pub use self::yaml::yaml;
use crate::crd;

/// What is to be installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Namespace of the controller and the speakers.
    pub namespace: String,
    /// Image of both.
    pub image: String,
    /// Which protocols the speakers may speak: decides over their capabilities.
    pub protocols: Protocols,
    /// Metrics for Prometheus' operator, with alerts.
    pub monitoring: bool,
    /// A webhook that refuses what a rule in a definition cannot see: overlaps with other pools.
    pub webhook: bool,
}

impl Default for Options {
    /// OpenELB's namespace, so that its objects are found; layer 2 and BGP.
    fn default() -> Self {
        Self {
            namespace: "openelb-system".to_owned(),
            image: concat!("ghcr.io/openelb/openelb:v", env!("CARGO_PKG_VERSION")).to_owned(),
            protocols: Protocols::default(),
            monitoring: false,
            webhook: false,
        }
    }
}

/// Which protocols the speakers may speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a right of its own that an installation gives or not"
)]
pub struct Protocols {
    /// ARP and NDP: raw sockets.
    pub layer2: bool,
    /// BGP: the port 179.
    pub bgp: bool,
    /// VRRP with interfaces of its own (`virtualMac`, `acceptMode`): changes to the node's links.
    pub vip: bool,
    /// Routes to pods in the node's kernel, and the node's CNI configuration (`kernelRoutes` and `cni`
    /// of a `PodNetwork`): changes to the node's routes and to `/etc/cni/net.d`.
    pub pods: bool,
}

impl Default for Protocols {
    fn default() -> Self {
        Self {
            layer2: true,
            bgp: true,
            vip: false,
            pods: false,
        }
    }
}

/// Every object of an installation, in the order in which they are to be applied.
///
/// ```
/// use openelb_k8s::manifests::{Options, objects, yaml};
///
/// let text = yaml(&objects(&Options::default()));
/// assert!(text.contains("kind: DaemonSet"));
/// ```
pub fn objects(options: &Options) -> Vec<Value> {
    let is_wanted = |part: &&Part| match part {
        Part::Monitoring => options.monitoring,
        Part::Webhook => options.webhook,
        _ => true,
    };
    let parts = Part::ALL.iter().filter(is_wanted);
    parts.flat_map(|part| part_of(*part, options)).collect()
}

/// The objects of one part, wanted or not.
pub fn part_of(part: Part, options: &Options) -> Vec<Value> {
    match part {
        Part::Definitions => crd::definitions(),
        Part::Namespace => vec![namespace(options)],
        Part::Access => access::objects(options),
        Part::Controller => controller::objects(options),
        Part::Speaker => speaker::objects(options),
        Part::Network => network::objects(options),
        Part::Guard => guard::objects(options),
        Part::Monitoring => monitoring::objects(options),
        Part::Webhook => webhook::objects(options),
    }
}

/// The speakers use the node's network and raw sockets, which only `privileged` lets through; what
/// the controller does passes `restricted`, and a warning would tell if that changed.
fn namespace(options: &Options) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": options.namespace,
            "labels": {
                "app.kubernetes.io/name": "openelb",
                "pod-security.kubernetes.io/enforce": "privileged",
                "pod-security.kubernetes.io/audit": "privileged",
                "pod-security.kubernetes.io/warn": "privileged",
            },
        },
    })
}

/// Metadata of an object in the namespace.
fn metadata(options: &Options, name: &str, component: &str) -> Value {
    json!({
        "name": name,
        "namespace": options.namespace,
        "labels": labels(component),
    })
}

/// Metadata of an object of the cluster.
fn cluster_metadata(name: &str, component: &str) -> Value {
    json!({ "name": name, "labels": labels(component) })
}

/// Labels of the objects of a component, and what selects its pods.
fn labels(component: &str) -> Value {
    json!({
        "app.kubernetes.io/name": "openelb",
        "app.kubernetes.io/component": component,
    })
}
