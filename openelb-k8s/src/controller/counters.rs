//! What a machine did, in numbers.

use super::Outcome;

/// What a machine did since it was made, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests of all kinds, readings included.
    pub requests: u64,
    /// Writes of Eips and blocks that succeeded: each a group of records.
    pub ledger_writes: u64,
    /// Writes of Services that succeeded.
    pub service_writes: u64,
    /// Writes that met another version of the object than they were made for.
    pub conflicts: u64,
    /// Writes of which nobody knows whether they happened.
    pub unknown: u64,
    /// Writes that the server refused.
    pub rejected: u64,
}

impl Counters {
    pub(super) fn count_failure(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Conflict | Outcome::Exists | Outcome::NotFound => self.conflicts += 1,
            Outcome::Unknown => self.unknown += 1,
            Outcome::Rejected { .. } | Outcome::Owned { .. } => self.rejected += 1,
            Outcome::Done { .. } | Outcome::Found(_) => {}
        }
    }
}
