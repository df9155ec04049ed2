//! What the elections of a host know, for people.

use std::net::IpAddr;
use std::time::Duration;

use crate::ownership::{NodeId, Shard, Status};

/// The election on one link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentStatus {
    /// The interface's present name.
    pub interface: String,
    /// The kernel's number for it.
    pub index: u32,
    /// What keeps beats from being sent or heard, by family, if anything does.
    pub failures: Vec<String>,
    /// What the machine knows: nodes, groups, counters.
    pub status: Status,
    /// The shards that have addresses on this link, in order.
    pub shards: Vec<ShardStatus>,
}

/// A shard that has addresses on a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardStatus {
    /// Which one.
    pub shard: Shard,
    /// Whose it is, as far as this node knows.
    pub owner: Option<NodeId>,
    /// For how long it has been this node's; `None` when it is not.
    pub owned_for: Option<Duration>,
    /// Its addresses, sorted.
    pub addresses: Vec<IpAddr>,
}
