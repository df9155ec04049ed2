//! What the machine is told: the objects of the cluster, and the answers to its writes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use openelb_ipam::relative::Projection;

use crate::api::{AddressBlock, Eip};
use crate::cluster::{Namespace, Service};

use super::WriteId;

/// The kinds that are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Pools with their records.
    Eip,
    /// Records of large pools.
    Block,
    /// Who wants addresses.
    Service,
    /// By whose labels pools choose.
    Namespace,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Eip, Self::Block, Self::Service, Self::Namespace];
}

/// One thing that the machine learns.
///
/// A watch begins with [`Restart`](Self::Restart), every object that exists, and
/// [`Synced`](Self::Synced); what changes later follows in the order of the server. The same again
/// after a gap: what is not named between the two is gone. Events of different kinds may come in any
/// order. An object older than what is known of it changes nothing.
#[derive(Debug, Clone)]
pub enum Input {
    /// The list of a kind begins.
    Restart(Kind),
    /// The list of a kind is complete.
    Synced(Kind),
    /// An Eip, new or changed.
    Eip(Box<Eip>),
    /// An Eip is gone.
    EipGone(String),
    /// A block, new or changed.
    Block(Box<AddressBlock>),
    /// A block is gone.
    BlockGone(String),
    /// A Service, new or changed.
    Service(Box<Service>),
    /// A Service is gone.
    ServiceGone {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// A Namespace, new or changed.
    Namespace(Box<Namespace>),
    /// A Namespace is gone.
    NamespaceGone(String),
    /// All prefixes that addresses follow, as the status of their objects has them. Without it there
    /// is none: whoever has some tells of them before it lets the machine lead.
    Prefixes(Box<Projection>),
    /// All addresses that no node announces because another station on the link has them, as Services
    /// show them, each with who was seen where: [`Conflicts`](crate::conflict::Conflicts) tells.
    Conflicts(BTreeMap<IpAddr, String>),
    /// An object that is no valid one of its kind: what is known and held of it stays as it is, and
    /// nothing is written to it.
    Unreadable {
        /// Its kind.
        kind: Kind,
        /// Its namespace; empty for kinds without.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// Whether this controller leads. Only a leader writes; nothing unsafe happens when several
    /// believe to be it.
    Leading(bool),
    /// What became of a write, or the answer to a reading. Every [`Write`](super::Write) is answered
    /// exactly once.
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
    /// It did not happen: the object to be created exists.
    Exists,
    /// It did not happen: a server-side apply met a field that another manager owns.
    Owned {
        /// The other field manager.
        manager: String,
        /// The field, as the server names it.
        field: String,
    },
    /// It did not happen, and will not happen the next time either unless something changes.
    Rejected {
        /// The HTTP status.
        status: u16,
        /// What the server says.
        reason: String,
    },
    /// Nobody knows: time-out, lost connection, a status of 500 and above. It may happen later still.
    Unknown,
    /// The answer to [`Change::Read`](super::Change::Read): the object as it is now. `NotFound` is the
    /// other answer.
    Found(Object),
}

/// An object that was read.
#[derive(Debug, Clone)]
pub enum Object {
    /// An Eip.
    Eip(Box<Eip>),
    /// A block.
    Block(Box<AddressBlock>),
    /// A Service.
    Service(Box<Service>),
}
