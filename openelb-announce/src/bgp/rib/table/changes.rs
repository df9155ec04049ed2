//! What one operation changed, for the sessions to note.

/// What an operation changed in the table: each session must note it before the next operation.
///
/// A session that missed one finds out by the next, and sends everything again.
#[derive(Clone, Debug)]
#[must_use = "every session must note the changes"]
pub struct Changes {
    serial: u64,
    list: Vec<Change>,
}

/// A slot moved from one group to another, or from or to none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bgp::rib) struct Change {
    pub(in crate::bgp::rib) slot: u32,
    pub(in crate::bgp::rib) old: u32,
    pub(in crate::bgp::rib) new: u32,
}

impl Changes {
    pub(super) const fn new(serial: u64) -> Self {
        Self {
            serial,
            list: Vec::new(),
        }
    }

    /// How many paths changed.
    pub const fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether nothing changed.
    pub const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn push(&mut self, change: Change) {
        self.list.push(change);
    }

    pub(in crate::bgp::rib) const fn serial(&self) -> u64 {
        self.serial
    }

    pub(in crate::bgp::rib) fn iter(&self) -> impl Iterator<Item = Change> + '_ {
        self.list.iter().copied()
    }
}
