//! Opening a store: believe the summary, or read every address file.

use std::fs;
use std::io;

use super::files::{Folders, Lock};
use super::host::{Host, Mark};
use super::index::Index;
use super::summary::{Summary, Taken};
use super::{Store, StoreError};
use crate::cni::config::Place;

impl Store {
    /// Opens a network's store, made if it is not there, and waits for its lock.
    pub(crate) fn open(place: &Place, host: Host) -> Result<Self, StoreError> {
        let folders = Folders::of(place);
        folders
            .make_leases()
            .map_err(StoreError::of("make", &folders.leases))?;
        Self::lock(folders, host)
    }

    /// As [`open`](Self::open); `None` when nothing was ever held there.
    pub(crate) fn open_if_there(place: &Place, host: Host) -> Result<Option<Self>, StoreError> {
        let folders = Folders::of(place);
        match fs::metadata(&folders.leases) {
            Ok(_) => Self::lock(folders, host).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::of("look at", &folders.leases)(error)),
        }
    }

    fn lock(folders: Folders, host: Host) -> Result<Self, StoreError> {
        let lock = Lock::take(&folders).map_err(StoreError::of("lock", &folders.lock()))?;
        let modified = lock
            .modified()
            .map_err(StoreError::of("look at", &folders.leases))?;
        let mark = Mark::of(modified);
        let summary = fs::read(folders.summary())
            .ok()
            .and_then(|bytes| Summary::decode(&bytes));
        let is_true = |summary: &Summary| {
            summary.host == host && summary.mark == mark && mark.is_of_boot(host.boot)
        };
        let (summary, is_true) = match summary {
            Some(summary) => {
                let is_true = is_true(&summary);
                (summary, is_true)
            }
            None => (nothing(), false),
        };
        let index = Index::open(folders.attachments(), summary.pages).filter(|_| is_true);
        let is_known = index.is_some();
        let index = index.unwrap_or_else(|| Index::of(folders.attachments(), &[]));
        let mut store = Self {
            folders,
            lock,
            host,
            summary,
            index,
            is_changed: false,
            is_doubtful: false,
            is_after_reboot: false,
            draft_of: None,
        };
        if !is_known {
            if store.is_first_of_boot(mark) {
                store.remember_reboot();
            }
            store.rebuild()?;
        }
        Ok(store)
    }

    /// Whether nothing happened in the directory since this machine's last boot.
    ///
    /// Then no container that is running now can have any of the addresses: network namespaces do not
    /// outlive the kernel. Of a directory that others changed meanwhile nothing of the kind is known.
    fn is_first_of_boot(&self, mark: Mark) -> bool {
        let Host { boot, machine } = self.summary.host;
        self.summary.pages > 0
            && boot != self.host.boot
            && machine == self.host.machine
            && mark.is_of_boot(boot)
    }
}

/// What is known of a directory without a summary.
fn nothing() -> Summary {
    Summary {
        host: Host {
            boot: 0,
            machine: 0,
        },
        mark: Mark {
            seconds: 0,
            nanoseconds: 0,
        },
        entries: 0,
        pages: 0,
        taken: openelb_ipam::DualStack::from_fn(Taken::nothing),
    }
}
