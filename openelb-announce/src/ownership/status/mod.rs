//! What a machine knows, for people and for metrics.

use std::collections::BTreeMap;
use std::time::Duration;

use super::name::{GroupName, NodeId};
use super::settings::Standing;
use super::terms::Refusal;
use crate::time::Time;

/// What a machine knows at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// This node's name; `None` before the first configuration.
    pub node: Option<NodeId>,
    /// What the node does.
    pub phase: Phase,
    /// Does it hand over what it has?
    pub is_draining: bool,
    /// Until when it may speak for what it owns, if no further beat leaves.
    pub valid_until: Option<Time>,
    /// The other nodes that are heard, by name.
    pub nodes: Vec<NodeStatus>,
    /// The groups, by name.
    pub groups: Vec<GroupStatus>,
    /// How often what happened.
    pub counters: Counters,
}

/// What a machine does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Nothing: it is not configured, or the link is down.
    #[default]
    Idle,
    /// It owns nothing and listens until this instant.
    Listening {
        /// The instant.
        until: Time,
    },
    /// It takes part.
    Running,
    /// Another node has its name and started later: it owns nothing until that one is gone.
    Shadowed,
    /// It has left.
    Left,
}

/// What is known of another node.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts for people, none of which rules out another"
)]
pub struct NodeStatus {
    /// Its name.
    pub node: NodeId,
    /// How long ago its last beat came in.
    pub age: Duration,
    /// For how long it has been heard without a break.
    pub heard_for: Duration,
    /// Does it hear this node?
    pub is_mutual: bool,
    /// Is it known to live only because another node hears it?
    pub is_indirect: bool,
    /// Does it listen before it takes part?
    pub is_listening: bool,
    /// Does it hand over what it has?
    pub is_draining: bool,
    /// Has it said that it goes?
    pub is_leaving: bool,
    /// Does it hear nothing at all?
    pub is_deaf: bool,
    /// How many shards it claims, over all groups that are known here.
    pub claims: usize,
}

/// Who has what of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupStatus {
    /// The group.
    pub group: GroupName,
    /// Into how many shards it is cut.
    pub shards: u16,
    /// What this node offers.
    pub standing: Standing,
    /// How many shards each node owns, this one included; nodes without any are left out.
    pub owners: BTreeMap<NodeId, usize>,
}

/// How often what happened since the machine was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Beats that left.
    pub sent: u64,
    /// Beats that could not be sent.
    pub unsent: u64,
    /// Beats that were accepted.
    pub heard: u64,
    /// Datagrams that were refused, by reason.
    pub refused: BTreeMap<Refusal, u64>,
    /// Shards that came.
    pub acquired: u64,
    /// Shards that went.
    pub lost: u64,
    /// Shards that another live node claimed too.
    pub contended: u64,
    /// How often everything was given up because nothing could be sent in time, or on command.
    pub fenced: u64,
    /// Groups that were configured here but are more than a beat can carry.
    pub groups_left_out: u64,
}
