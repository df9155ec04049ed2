//! What the machine is told: the objects of the cluster, and the answers to its writes.

use super::WriteId;
use crate::api::PodNetwork;
use crate::cluster::Node;

/// The kinds that are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The ranges with their records.
    Network,
    /// Who wants prefixes.
    Node,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Network, Self::Node];
}

/// One thing that the machine learns.
///
/// A watch begins with [`Restart`](Self::Restart), every object that exists, and
/// [`Synced`](Self::Synced); what changes later follows in the order of the server. The same again
/// after a gap: what is not named between the two is gone. An object older than what is known of it
/// changes nothing.
#[derive(Debug, Clone)]
pub enum Input {
    /// The list of a kind begins.
    Restart(Kind),
    /// The list of a kind is complete.
    Synced(Kind),
    /// A `PodNetwork`, new or changed.
    Network(Box<PodNetwork>),
    /// A `PodNetwork` is gone.
    NetworkGone(String),
    /// A Node, new or changed.
    Node(Box<Node>),
    /// A Node is gone.
    NodeGone(String),
    /// An object that is no valid one of its kind: what is known of it holds.
    Unreadable {
        /// Its kind.
        kind: Kind,
        /// Its name.
        name: String,
    },
    /// Whether this controller leads. Only a leader writes; nothing unsafe happens when several
    /// believe to be it.
    Leading(bool),
    /// What became of a write, or the answer to a reading. Every [`Write`](super::Write) is answered
    /// at most once.
    Written {
        /// Which one.
        id: WriteId,
        /// What became of it.
        outcome: Outcome,
    },
}

/// What became of a write.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It happened.
    Done {
        /// `metadata.resourceVersion` of the object after the write, also when nothing changed.
        resource_version: String,
    },
    /// It did not happen: the object is no longer of the version that the write was made for.
    Conflict,
    /// It did not happen: the object does not exist, or another one has its name now.
    NotFound,
    /// It did not happen, and will not happen the next time either unless something changes.
    Rejected {
        /// The HTTP status.
        status: u16,
        /// What the server says.
        reason: String,
    },
    /// Nobody knows: time-out, lost connection, a status of 500 and above. It may happen later still.
    Unknown,
    /// The answer to a reading: the object as it is now. `NotFound` is the other answer.
    Found(Object),
}

/// An object that was read.
#[derive(Debug, Clone)]
pub enum Object {
    /// The `PodNetwork`.
    Network(Box<PodNetwork>),
    /// A Node.
    Node(Box<Node>),
}
