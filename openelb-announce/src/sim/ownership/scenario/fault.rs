//! What can happen to a cluster, and how to say so.

use std::fmt;

/// What can happen to a cluster. Nodes are numbered from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A process starts for the first time.
    Start(usize),
    /// A process is frozen.
    Pause(usize),
    /// A frozen process runs on.
    Resume(usize),
    /// A process dies without a word.
    Stop(usize),
    /// A process starts anew; its wall clock may have been set back meanwhile.
    Restart {
        /// Whose.
        node: usize,
        /// Is its boot number lower than that of the former process?
        is_older: bool,
    },
    /// A node loses carrier, or has it again.
    Link {
        /// Which node.
        node: usize,
        /// Does it have carrier from now on?
        up: bool,
    },
    /// Nothing reaches a node any more, or all does again.
    Deaf(usize, bool),
    /// A node's socket refuses to send beats, and says so, or works again.
    Mute(usize, bool),
    /// Nothing that one node sends reaches another.
    Cut {
        /// The one that is not heard.
        from: usize,
        /// The one that does not hear.
        to: usize,
    },
    /// Nodes and clients on different sides do not hear each other. A client's bit comes after those
    /// of all nodes.
    Split(u16),
    /// All cuts and splits are over.
    Heal,
    /// How many of a thousand frames every cable loses from now on.
    Loss(u16),
    /// The switch forgets where everybody is.
    Forget,
    /// A node is to hand over what it owns, or not any more.
    Drain(usize, bool),
    /// One node tells another to drain, or to stop that.
    Order {
        /// Who tells.
        by: usize,
        /// Who is told.
        node: usize,
        /// What.
        drain: bool,
    },
    /// A node says goodbye.
    Leave(usize),
    /// A node can serve a group no longer, or again.
    Exclude {
        /// Which node.
        node: usize,
        /// Which group.
        group: usize,
        /// Is it excluded from now on?
        is_excluded: bool,
    },
    /// A node gets another share.
    Weigh(usize, u16),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (node, deed) = match *self {
            Self::Start(node) => (node, "starts"),
            Self::Pause(node) => (node, "is frozen"),
            Self::Resume(node) => (node, "runs on"),
            Self::Stop(node) => (node, "is killed"),
            Self::Restart {
                node,
                is_older: false,
            } => (node, "starts anew"),
            Self::Restart {
                node,
                is_older: true,
            } => (node, "starts anew, its wall clock set back"),
            Self::Link { node, up: true } => (node, "has carrier"),
            Self::Link { node, up: false } => (node, "loses carrier"),
            Self::Deaf(node, true) => (node, "receives nothing"),
            Self::Deaf(node, false) => (node, "receives again"),
            Self::Mute(node, true) => (node, "cannot send beats"),
            Self::Mute(node, false) => (node, "can send beats"),
            Self::Drain(node, true) => (node, "drains"),
            Self::Drain(node, false) => (node, "drains no longer"),
            Self::Leave(node) => (node, "leaves"),
            Self::Weigh(node, weight) => return write!(f, "{} weighs {weight}", letter(node)),
            Self::Exclude {
                node,
                group,
                is_excluded,
            } => {
                let can = if is_excluded { "cannot" } else { "can" };
                return write!(f, "{} {can} serve group {group}", letter(node));
            }
            Self::Order { by, node, drain } => {
                let (by, node) = (letter(by), letter(node));
                return write!(f, "{by} orders {node}: drain {drain}");
            }
            Self::Cut { from, to } => {
                return write!(f, "nothing of {} reaches {}", letter(from), letter(to));
            }
            Self::Split(side) => return write!(f, "the network splits: {side:#b} on one side"),
            Self::Heal => return f.write_str("all cuts and splits are over"),
            Self::Loss(per_mille) => return write!(f, "cables lose {per_mille} of 1000 frames"),
            Self::Forget => return f.write_str("the switch forgets"),
        };
        write!(f, "{} {deed}", letter(node))
    }
}

/// The name of a node: `a` is the first.
pub(in crate::sim::ownership) fn letter(node: usize) -> char {
    u8::try_from(node)
        .ok()
        .and_then(|node| b'a'.checked_add(node))
        .map_or('?', char::from)
}
