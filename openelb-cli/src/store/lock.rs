//! One process at a time owns a state directory.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The right to use a state directory; given back when dropped, also by a crash.
#[derive(Debug)]
pub(crate) struct DirectoryLock {
    // The lock belongs to the open file, so the kernel releases it whatever happens to the process.
    _file: File,
}

/// Why a state directory cannot be owned.
#[derive(Debug, Error)]
pub(crate) enum LockError {
    /// Another process owns it.
    #[error("{} is in use by {holder}", .directory.display())]
    Held { directory: PathBuf, holder: String },
    /// It does not exist.
    #[error("there is no state directory {}", .0.display())]
    Missing(PathBuf),
    /// It cannot be created or written.
    #[error("cannot use the state directory {}: {source}", .directory.display())]
    Io {
        directory: PathBuf,
        source: io::Error,
    },
}

impl DirectoryLock {
    /// Takes the lock at once, or says who holds it. `role` is what others are told, such as
    /// `openelb run`.
    pub(crate) fn take(directory: &Path, role: &str) -> Result<Self, LockError> {
        if !directory.is_dir() {
            return Err(LockError::Missing(directory.to_owned()));
        }
        let failed = |source| LockError::Io {
            directory: directory.to_owned(),
            source,
        };
        let path = directory.join(LOCK_FILE);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = fs::read_to_string(&path).unwrap_or_default();
                return Err(LockError::Held {
                    directory: directory.to_owned(),
                    holder: match holder.trim() {
                        "" => "another process".to_owned(),
                        holder => holder.to_owned(),
                    },
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        file.set_len(0).map_err(failed)?;
        write!(file, "pid {} ({role})", std::process::id()).map_err(failed)?;
        Ok(Self { _file: file })
    }

    /// Creates the directory, for its owner only, then takes the lock.
    pub(crate) fn create(directory: &Path, role: &str) -> Result<Self, LockError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|source| LockError::Io {
                directory: directory.to_owned(),
                source,
            })?;
        Self::take(directory, role)
    }
}

const LOCK_FILE: &str = "lock";
