//! What goes into the machine and what comes out of it.

use std::sync::Arc;
use std::time::Duration;

use super::name::{GroupId, NodeId};
use super::settings::{Group, Settings, Timing};
use super::shard::Shard;
use crate::time::Time;

/// What can happen to a machine.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// Whether frames can pass on the link. Needed once before anything is sent; then on every
    /// change. Repeating it is harmless.
    Link {
        /// Is there carrier, and is the interface up?
        up: bool,
    },
    /// The whole of what is desired: the settings, and every group with this node's standing in it.
    /// Handing over the same again is harmless and free.
    Configure(&'a Settings, &'a [Group]),
    /// A datagram came in on the port of the beats.
    Datagram {
        /// Its payload.
        octets: &'a [u8],
        /// The TTL or hop limit with which it arrived.
        hop_limit: u8,
        /// When the interface received it, which may be long before it is handed over.
        received: Time,
    },
    /// The last instant at which any frame at all is known to have come in on the link. Tell it about
    /// once an interval: it is how a node that hears nobody tells deafness from solitude.
    Reception(Time),
    /// The datagrams of the last [`Output::Transmit`] could not be sent, on either family. Say so before
    /// the next output is taken: what that beat was to claim is then not acquired.
    Unsent,
    /// The caller noticed that it did not run for a while: own nothing any more, and listen first.
    Fence,
    /// Hand everything over to others while there are any, and take nothing (`true`); or take part again.
    Drain(bool),
    /// Give everything up for good: the node goes. It cannot be undone.
    Leave,
    /// Tell another node of the segment to drain, or to take part again; it travels in beats.
    Order {
        /// Which one. This machine's own name does what [`Input::Drain`] does.
        node: &'a NodeId,
        /// As in [`Input::Drain`].
        drain: bool,
    },
    /// The answer of the outer fence: shards of this fence group may be owned until this instant, or
    /// no longer at all.
    Permit {
        /// The fence group.
        fence: u16,
        /// Until when; itself excluded.
        until: Option<Time>,
    },
}

/// What a machine wants done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this datagram to every other node of the segment, over both families, with hop limit 255.
    Transmit(Arc<[u8]>),
    /// Tell the owner of the machine.
    Event(Event),
    /// Ask the outer fence for this fence group, and go on holding it.
    WantPermit(u16),
    /// Let go of this fence group.
    ReleasePermit(u16),
}

/// What a machine reports.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The machine owns nothing and listens, because the link came up or a fence came down.
    Listening,
    /// The shard is this node's: announce what is in it.
    Acquired {
        /// Which one.
        shard: Shard,
        /// What is known about who had it before.
        how: How,
        /// The node has heard nothing at all for a while, though it was not alone before: it may
        /// well be deaf. Announce, but at most once in 10 s (`DEFEND_INTERVAL`, RFC 5227 section 1.1).
        is_doubtful: bool,
    },
    /// The shard is no longer this node's: stop answering for what is in it at once.
    Lost {
        /// Which one.
        shard: Shard,
        /// Why.
        why: Why,
    },
    /// Another node may have announced what is in this shard of ours: announce it again.
    Reannounce {
        /// Which one.
        shard: Shard,
    },
    /// Another node is heard.
    NodeUp(NodeId),
    /// Another node is no longer heard, neither by this one nor by one that this one hears.
    NodeDown(NodeId),
    /// Another node has this node's name, or two others share one. The one that started later keeps
    /// the name; the other owns nothing as long as both are there.
    DuplicateNode(NodeId),
    /// Another node is set up differently in something that should be the same.
    Mismatch {
        /// Which node.
        node: NodeId,
        /// In what.
        what: Mismatch,
    },
    /// A datagram was refused; reported once for each node and reason, then only counted.
    Refused {
        /// Who claims to have sent it. Do not trust it unless the reason says that it is proved.
        node: Option<NodeId>,
        /// Why.
        reason: Refusal,
    },
    /// An order of another node was carried out.
    Ordered {
        /// Whose.
        by: NodeId,
        /// To drain, or to take part again.
        drain: bool,
    },
    /// Another node did what it was ordered to.
    Obeyed {
        /// Which one.
        node: NodeId,
        /// To drain, or to take part again.
        drain: bool,
    },
    /// Another node was not heard doing what it was ordered to within half a minute; the order is no
    /// longer sent.
    Unheeded {
        /// Which one.
        node: NodeId,
    },
    /// The node drains or leaves, and owns nothing any more.
    Drained,
}

/// How a shard came to this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum How {
    /// Nobody is known to have had it: make sure that nobody uses its addresses.
    Cold,
    /// Its owner fell silent, or was this node itself before it was fenced off.
    Takeover,
    /// Its owner gave it up.
    Handover,
}

/// Why a shard is no longer this node's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Given up in favour of a node that takes it on hearing so.
    HandedTo(NodeId),
    /// A node that ranks higher, or that cannot hear this one, claims it too.
    Yielded(NodeId),
    /// Nothing was sent for so long that others may have taken it, the caller called for a fence, or
    /// a permit ended.
    Fenced,
    /// The node may not serve the group any more, and nobody else can take it.
    Excluded,
    /// The link is down.
    LinkDown,
    /// The node leaves.
    Left,
    /// The group is gone or is cut up differently.
    Unconfigured,
    /// Another node that started later has the same name.
    Duplicate,
}

/// What two nodes of a segment disagree about, though it should be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// How often they beat and when they count as dead. Each is judged by its own.
    Timing {
        /// What is set here.
        ours: Timing,
        /// What the other says, from beat to beat and until it counts as dead.
        theirs: (Duration, Duration),
    },
    /// Into how many shards a group is cut. Nobody is handed anything across the difference.
    Shards {
        /// The group.
        group: GroupId,
        /// What is set here.
        ours: u16,
        /// What the other says.
        theirs: u16,
    },
}

/// Why a datagram was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// It came through a router, or pretends to come from here: the hop limit is not 255.
    HopLimit,
    /// It is no beat, or one cut short.
    Malformed,
    /// Another version of the protocol.
    Version,
    /// Signed with a key that is not known here, or not signed at all.
    Key,
    /// Signed with the wrong secret, or changed on its way.
    Signature,
    /// Older than what was heard before, or from an incarnation that is gone.
    Stale,
    /// From one node more than a segment may have: 128 others are heard already.
    TooManyNodes,
}
