//! The store on disk: one redb file.
//!
//! Every commit is two-phase with the allocator state saved ("quick repair"), so that opening after
//! a crash needs no walk over the file. redb verifies page checksums only during a full repair;
//! therefore each commit also keeps a digest over all rows, which is checked when they are loaded.
//! A file that was damaged while nobody looked is an error then, never a missing allocation.

use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use super::{Batch, Store, StoreError, Stored};

/// Rows in a redb file.
#[derive(Debug)]
pub(crate) struct RedbStore {
    /// `None` only while it is being dropped.
    database: Option<Database>,
    /// Set by the first failed commit.
    failed: bool,
}

impl RedbStore {
    /// The store in a state directory; created when there is none.
    ///
    /// The caller owns the directory: see [`DirectoryLock`](super::DirectoryLock).
    pub(crate) fn open(directory: &Path) -> Result<Self, StoreError> {
        if !Self::exists(directory) {
            create(directory)?;
        }
        open_file(&directory.join(FILE))
    }

    /// Whether a state directory holds a store.
    pub(crate) fn exists(directory: &Path) -> bool {
        directory.join(FILE).is_file()
    }

    /// The store in another kind of storage.
    #[cfg(test)]
    pub(super) fn with_backend(backend: impl redb::StorageBackend) -> Result<Self, StoreError> {
        guarded(StoreError::Open, || {
            Database::builder()
                .set_cache_size(CACHE_BYTES)
                .create_with_backend(backend)
        })
        .and_then(Self::prepare)
    }

    /// Gives a new file its tables, and refuses a format this program does not know.
    fn prepare(database: Database) -> Result<Self, StoreError> {
        let mut store = Self {
            database: Some(database),
            failed: false,
        };
        match store.meta(META_FORMAT)? {
            Some(FORMAT) => Ok(store),
            Some(found) => Err(StoreError::Format {
                found,
                known: FORMAT,
            }),
            None => {
                store.write(&Batch::default())?;
                Ok(store)
            }
        }
    }

    fn database(&self) -> &Database {
        self.database.as_ref().expect("taken by drop only")
    }

    fn meta(&self, key: &str) -> Result<Option<u64>, StoreError> {
        guarded(StoreError::Damaged, || {
            let transaction = self.database().begin_read()?;
            match transaction.open_table(META) {
                Ok(meta) => Ok(meta.get(key)?.map(|value| value.value())),
                Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
                Err(error) => Err(redb::Error::from(error)),
            }
        })
    }

    fn write(&mut self, batch: &Batch) -> Result<(), StoreError> {
        guarded(StoreError::Commit, || {
            let mut transaction = self.database().begin_write()?;
            transaction.set_quick_repair(true);
            {
                let mut rows = transaction.open_table(ROWS)?;
                let mut meta = transaction.open_table(META)?;
                // Without the old generation's part; 0 in a new file, which has neither.
                let mut digest = match meta.get(META_DIGEST)? {
                    Some(value) => value.value().wrapping_sub(generation_digest(batch.from)),
                    None => 0,
                };
                for key in &batch.deletes {
                    if let Some(old) = rows.remove(key.as_slice())? {
                        digest = digest.wrapping_sub(row_digest(key, old.value()));
                    }
                }
                for (key, row) in &batch.puts {
                    digest = digest.wrapping_add(row_digest(key, row));
                    if let Some(old) = rows.insert(key.as_slice(), row.as_slice())? {
                        digest = digest.wrapping_sub(row_digest(key, old.value()));
                    }
                }
                meta.insert(
                    META_DIGEST,
                    digest.wrapping_add(generation_digest(batch.to)),
                )?;
                meta.insert(META_GENERATION, batch.to)?;
                meta.insert(META_FORMAT, FORMAT)?;
            }
            transaction.commit().map_err(redb::Error::from)
        })
    }
}

impl Store for RedbStore {
    fn load(&mut self) -> Result<Stored, StoreError> {
        // Also verifies the record of free pages, through which a later commit could overwrite rows.
        // After a failed write there is nothing to commit any more, and no verdict to be had.
        if let Some(database) = self.database.as_mut().filter(|_| !self.failed) {
            guarded(StoreError::Damaged, || database.check_integrity())?;
        }
        let (stored, found, written) = guarded(StoreError::Damaged, || {
            let transaction = self.database().begin_read()?;
            let meta = transaction.open_table(META)?;
            let number = |key| {
                meta.get(key)
                    .map(|value| value.map_or(0, |value| value.value()))
            };
            let mut stored = Stored {
                generation: number(META_GENERATION)?,
                rows: Vec::new(),
            };
            let mut found = generation_digest(stored.generation);
            for entry in transaction.open_table(ROWS)?.iter()? {
                let (key, row) = entry?;
                found = found.wrapping_add(row_digest(key.value(), row.value()));
                stored
                    .rows
                    .push((key.value().to_vec(), row.value().to_vec()));
            }
            Ok::<_, redb::Error>((stored, found, number(META_DIGEST)?))
        })?;
        if found != written {
            let rows = stored.rows.len();
            return Err(StoreError::Damaged(format!(
                "its {rows} rows are not the ones written last"
            )));
        }
        Ok(stored)
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        if self.failed {
            return Err(StoreError::ReadOnly);
        }
        let stored = self.meta(META_GENERATION)?.unwrap_or(0);
        if stored != batch.from {
            return Err(StoreError::Stale {
                stored,
                from: batch.from,
            });
        }
        self.write(batch).inspect_err(|_| self.failed = true)
    }
}

impl Drop for RedbStore {
    /// Closes the file. redb writes a last record then, which a damaged file can make panic.
    fn drop(&mut self) {
        let database = self.database.take();
        let _ = catch_unwind(AssertUnwindSafe(move || drop(database)));
    }
}

/// Makes an empty store under another name and moves it into place whole: a process that dies
/// meanwhile leaves nothing behind that the next one could stumble over.
fn create(directory: &Path) -> Result<(), StoreError> {
    let failed = |error: std::io::Error| StoreError::Open(error.to_string());
    let draft = directory.join(DRAFT);
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    drop(open_file(&draft)?);
    fs::rename(&draft, directory.join(FILE)).map_err(failed)?;
    // The name itself is durable only once the directory is.
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(failed)
}

fn open_file(path: &Path) -> Result<RedbStore, StoreError> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|error| StoreError::Open(error.to_string()))?;
    guarded(StoreError::Open, || {
        Database::builder()
            .set_cache_size(CACHE_BYTES)
            .create_file(file)
    })
    .and_then(RedbStore::prepare)
}

/// Runs a redb operation; a panic inside it, which damaged files can provoke, is an error like any
/// other.
fn guarded<T, E: Display>(
    kind: impl FnOnce(String) -> StoreError,
    operation: impl FnOnce() -> Result<T, E>,
) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(operation)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(kind(error.to_string())),
        Err(_) => Err(kind("the file's structure is broken".to_owned())),
    }
}

/// FNV-1a over key length, key and row. The sum over all rows does not depend on their order, so a
/// commit updates it from the rows it touches.
fn row_digest(key: &[u8], row: &[u8]) -> u64 {
    let length = u64::try_from(key.len()).unwrap_or(u64::MAX).to_le_bytes();
    length
        .iter()
        .chain(key)
        .chain(row)
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
}

fn generation_digest(generation: u64) -> u64 {
    row_digest(b"generation", &generation.to_le_bytes())
}

const FILE: &str = "state.redb";
const DRAFT: &str = "state.redb.new";
const FORMAT: u64 = 1;
/// The file is read once, at start; the default of 1 GiB would only grow the process.
const CACHE_BYTES: usize = 16 << 20;

const ROWS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("rows");
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const META_FORMAT: &str = "format";
const META_GENERATION: &str = "generation";
const META_DIGEST: &str = "digest";
