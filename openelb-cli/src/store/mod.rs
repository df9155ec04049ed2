//! Where the state survives: rows by key and one generation, changed together or not at all.
//!
//! The whole state is in memory while a process owns it, so a store only has to load everything
//! once and to commit batches. What the rows mean is none of its business.

mod lock;
mod memory;
mod redb;
#[cfg(test)]
mod tests;

use thiserror::Error;

pub(crate) use self::lock::{DirectoryLock, LockError};
pub(crate) use self::memory::MemoryStore;
pub(crate) use self::redb::RedbStore;

/// A durable set of rows with a generation.
pub(crate) trait Store: Send {
    /// Reads everything: before the first commit, and after a failed one to see what is left.
    fn load(&mut self) -> Result<Stored, StoreError>;

    /// Makes a batch durable. When this returns an error nothing of the batch may be acknowledged,
    /// and the store accepts no further batch: what is on the disk is unknown until it is reopened.
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError>;
}

/// Everything a store holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stored {
    /// Generation of the last batch; 0 in a new store.
    pub(crate) generation: u64,
    /// Rows in the order of their keys.
    pub(crate) rows: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What moves the rows from one generation to a later one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Batch {
    /// The generation the batch starts from.
    pub(crate) from: u64,
    /// The generation it leads to.
    pub(crate) to: u64,
    /// Rows that appear or change.
    pub(crate) puts: Vec<(Vec<u8>, Vec<u8>)>,
    /// Keys of rows that vanish.
    pub(crate) deletes: Vec<Vec<u8>>,
}

/// Why a store could not do its work.
#[derive(Debug, Error)]
pub(crate) enum StoreError {
    /// The file cannot be opened.
    #[error("cannot open the store: {0}")]
    Open(String),
    /// The file can be opened, and holds something that was never written.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// The file was written by a program that knows more.
    #[error("the store has format {found}, this program reads format {known}")]
    Format { found: u64, known: u64 },
    /// The batch was not written.
    #[error("cannot write to the store: {0}")]
    Commit(String),
    /// Somebody else wrote in between, or an earlier write failed.
    #[error("the store is at generation {stored}, the batch starts from {from}")]
    Stale { stored: u64, from: u64 },
    /// An earlier commit failed.
    #[error("the store is read-only since an earlier write failed")]
    ReadOnly,
}

impl StoreError {
    /// What the operator can do about it.
    pub(crate) fn next_step(&self) -> &'static str {
        match self {
            Self::Open(_) => "check the path, its owner and its permissions",
            Self::Damaged(_) => {
                "restore the state directory from a backup (docs/standalone.md, Backup)"
            }
            Self::Format { .. } => "use the version of openelb that wrote it",
            Self::Commit(_) | Self::ReadOnly => "free the disk or mend it, then restart the daemon",
            Self::Stale { .. } => "stop whatever else writes to the state directory, then restart",
        }
    }
}
