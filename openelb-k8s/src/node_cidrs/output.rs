//! What the machine wants done: writes, each with what makes it safe, and words for users.

use ipnet::IpNet;

use crate::api::PodNetworkStatus;

/// One thing to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// A request to the API server, to be answered by [`Input::Written`](super::Input::Written). There
    /// is at most one under way for an object; those for different ones may run at the same time.
    Write(Write),
    /// Something that people should hear of: an Event. It is told once and may be lost.
    Happened(Occurrence),
}

/// The number of a write, unique over the life of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteId(pub u64);

/// A request to the API server.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    /// Its number.
    pub id: WriteId,
    /// What it does.
    pub what: Change,
}

/// What a request does.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Replaces the status of the `PodNetwork`, only if it is still of this version.
    Status {
        /// The version that the status was made for.
        resource_version: String,
        /// All of the status.
        status: Box<PodNetworkStatus>,
    },
    /// Writes the pod CIDRs of a node, only if it is still the node of this `uid`.
    Node {
        /// Its name.
        name: String,
        /// Its `uid`.
        uid: String,
        /// At most one a family, the first also for `spec.podCIDR`.
        cidrs: Vec<IpNet>,
    },
    /// Reads the `PodNetwork` past every cache.
    ReadNetwork,
    /// Reads a Node past every cache.
    ReadNode(String),
}

/// Something that people should hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// What it is about.
    pub about: About,
    /// `uid` of the object; empty when it is not known.
    pub uid: String,
    /// Whether somebody has to act.
    pub is_warning: bool,
    /// One word of a fixed set.
    pub reason: &'static str,
    /// A sentence.
    pub note: String,
}

/// What an occurrence is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// The `PodNetwork`.
    Network,
    /// The Node of this name.
    Node(String),
}

/// Prefixes for people.
pub(super) fn list(cidrs: &[IpNet]) -> String {
    let texts: Vec<_> = cidrs.iter().map(ToString::to_string).collect();
    texts.join(", ")
}
