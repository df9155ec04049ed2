//! Beats on the wire: what a node says about itself, whom it hears, what it offers and owns.
//!
//! A beat is one string of octets, cut into as many datagrams as it needs (one, unless there are
//! hundreds of groups or nodes). Every datagram is signed for itself. Numbers are in network order.
//!
//! ```text
//! datagram   "ob", version 1, part, parts, length of name, key number (4), boot (8), sequence (8),
//!            name, piece of the body, signature (16)
//! body       T in ms (2), D in ms (2), flags, since anything was received in ms (2), changes (2),
//!            count, count x heard   { node (8), boot (8), sequence (8), age in ms (2), changes (2) }
//!            count, count x order   { node (8), number (8), 1 = drain }
//!            count (2), count x offer { group (8), shards (2), weight or 0 (2), preference,
//!                                       1 = claims follow, bits of claims }
//! ```
//!
//! Flags that are not known, and octets behind the last offer, are ignored: a later release may use
//! them. Everything else that is not as above is refused.

mod body;
mod datagram;

pub use datagram::{Assembly, Datagram};

use std::time::Duration;

use super::name::{GroupId, NodeId, NodeKey};
use super::settings::Standing;
use super::shard::ShardSet;
use crate::wire::Truncated;

/// What a node says in one beat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beat {
    pub(super) node: NodeId,
    pub(super) boot: u64,
    /// Rises with every beat since the start.
    pub(super) sequence: u64,
    /// T: until the next beat, at most.
    pub(super) interval: Duration,
    /// D: the silence after which the node wants to count as dead.
    pub(super) dead_after: Duration,
    pub(super) is_listening: bool,
    pub(super) is_draining: bool,
    pub(super) is_leaving: bool,
    /// How long ago any frame at all came in; `None` when never or more than a minute ago.
    pub(super) reception: Option<Duration>,
    /// A number that changes whenever the claims do.
    pub(super) changes: u16,
    pub(super) heard: Vec<Heard>,
    pub(super) orders: Vec<Order>,
    pub(super) offers: Vec<Offer>,
}

/// A node that the sender of a beat hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) node: NodeKey,
    pub(super) boot: u64,
    /// The last sequence heard of it.
    pub(super) sequence: u64,
    /// How long ago that was.
    pub(super) age: Duration,
    /// What that beat said about [`Beat::changes`].
    pub(super) changes: u16,
}

/// What the sender of a beat wants another node to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) node: NodeKey,
    /// Rises with every order of the sender.
    pub(super) number: u64,
    pub(super) drain: bool,
}

/// What the sender of a beat offers for a group, and what it owns of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) group: GroupId,
    pub(super) standing: Standing,
    pub(super) claims: ShardSet,
}

/// Why octets are no beat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BeatError {
    /// They end before the field does.
    #[error("beat {0}")]
    Truncated(#[from] Truncated),
    /// They do not begin like a beat.
    #[error("datagram is no beat; does something else use the port?")]
    Foreign,
    /// Another version of the protocol.
    #[error("beat is of version {0}, not 1; run the same release on every node")]
    Version(u8),
    /// A field has a value that no beat has.
    #[error("beat holds an impossible {0}")]
    Field(&'static str),
}

/// The longest datagram: with IPv6 and UDP headers it fits an Ethernet frame with room for a tunnel.
pub(super) const MOST_OCTETS: usize = 1400;
/// As many datagrams as the longest beat needs: 128 nodes, 16 orders, 1,024 groups, 65,536 shards
/// make 27 kB.
const MOST_PARTS: u8 = 32;
/// Nodes of a segment, this one not counted.
pub(super) const MOST_NODES: usize = 128;
/// Groups of a beat.
pub(super) const MOST_GROUPS: usize = 1024;
/// Shards of all groups of a beat.
pub(super) const MOST_SHARDS_OF_ALL: usize = 65_536;
/// Orders of a beat.
pub(super) const MOST_ORDERS: usize = 16;

#[cfg(test)]
mod tests;
