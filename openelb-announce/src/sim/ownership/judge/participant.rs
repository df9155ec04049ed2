//! How the nodes fare, as far as the judge did it or saw it.

use std::collections::BTreeSet;

use crate::ownership::Shard;
use crate::sim::HostId;
use crate::sim::ownership::scenario::Node;
use crate::time::Time;
use crate::wire::Mac;

/// How a node of the cluster fares, as far as the judge did it or saw it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "troubles of their own, in any combination"
)]
#[derive(Clone, Debug)]
pub(super) struct Participant {
    pub(super) host: HostId,
    pub(super) mac: Mac,
    pub(super) process: Process,
    pub(super) has_left: bool,
    pub(super) is_up: bool,
    pub(super) is_deaf: bool,
    pub(super) is_mute: bool,
    pub(super) excluded: u8,
    /// When its last beat left, by its own clock.
    pub(super) last_beat: Option<Time>,
    /// What its process has acquired and not lost.
    pub(super) owned: BTreeSet<Shard>,
}

/// What its process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Process {
    Runs,
    IsFrozen,
    Stopped,
}

impl Participant {
    /// A node whose process has not been started.
    pub(super) const fn new(host: HostId, mac: Mac, node: &Node) -> Self {
        Self {
            host,
            mac,
            process: Process::Stopped,
            has_left: false,
            is_up: true,
            is_deaf: false,
            is_mute: false,
            excluded: node.excluded,
            last_beat: None,
            owned: BTreeSet::new(),
        }
    }

    /// The process is gone, or another one took its place.
    pub(super) fn end(&mut self, process: Process) {
        self.process = process;
        self.owned.clear();
    }

    /// Does nothing keep it from hearing and being heard?
    pub(super) fn is_sound(&self) -> bool {
        self.process == Process::Runs && self.is_up && !self.is_deaf && !self.is_mute
    }
}

impl Process {
    pub(super) const fn freeze(&mut self) {
        if matches!(self, Self::Runs) {
            *self = Self::IsFrozen;
        }
    }

    pub(super) const fn thaw(&mut self) {
        if matches!(self, Self::IsFrozen) {
            *self = Self::Runs;
        }
    }
}
