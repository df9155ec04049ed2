//! The leases of a network: host-local's directory, and beside it what spares reading all of it.
//!
//! ```text
//! DATA/NETWORK/10.1.0.7             who has the address: the truth, in host-local's form
//! DATA/NETWORK/last_reserved_ip.0   where the search in range set 0 goes on
//! DATA/NETWORK/lock                 held by whoever reads or writes here, host-local included
//! DATA/.openelb-cni/NETWORK/summary      taken addresses, and the mark of the directory
//! DATA/.openelb-cni/NETWORK/attachments  who has which addresses
//! DATA/.openelb-cni/NETWORK/draft        becomes an address file by a link: content first, name after
//! DATA/.openelb-cni/NETWORK/reboot       leases older than this file are of an earlier boot
//! ```
//!
//! Only the address files count. Everything under `.openelb-cni` is believed while the directory carries
//! the mark that the last invocation set after all its writes, and made anew from the address files
//! otherwise: after a kill, after a reboot, after host-local or a person changed something.
//!
//! Order of writes: address files, then index, then summary, then the mark. A kill at any point leaves
//! the directory without its mark, or with everything done.

mod files;
mod host;
mod index;
mod lease;
mod open;
mod page;
mod scan;
mod summary;

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use openelb_ipam::family::to_bits;
use openelb_ipam::{Family, Occupancy};
use thiserror::Error;

pub use self::host::Host;
pub use self::page::{Entry, Page};
pub use self::summary::Summary;

pub(crate) use self::scan::Swept;

use self::files::{Folders, Lock};
use self::host::Mark;
use self::index::{Damaged, Index};
use self::lease::Holder;
use super::error::{Code, Error as Fault};
use super::invocation::Attachment;

/// A network's leases, locked: nobody else changes them until this is dropped.
#[derive(Debug)]
pub(crate) struct Store {
    folders: Folders,
    lock: Lock,
    host: Host,
    summary: Summary,
    index: Index,
    /// Something differs from what the mark stands for.
    is_changed: bool,
    /// The next invocation has to read every address file.
    is_doubtful: bool,
    /// Every lease is of an earlier boot.
    is_after_reboot: bool,
    /// Whose content the draft has, when it is there.
    draft_of: Option<Attachment>,
}

/// A file of the store could not be used.
#[derive(Debug, Error)]
#[error("cannot {act} {}: {source}", .path.display())]
pub(crate) struct StoreError {
    pub(crate) act: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) source: io::Error,
}

impl Store {
    /// The addresses that an attachment has, lowest first. Reads one page, and each of its address files.
    pub(crate) fn addresses_of(
        &mut self,
        attachment: &Attachment,
    ) -> Result<Vec<IpAddr>, StoreError> {
        if let Some(addresses) = self.look_up(attachment)? {
            return Ok(addresses);
        }
        // The index says otherwise than the files: somebody edited one in place, or damaged the index.
        self.rebuild()?;
        Ok(self.look_up(attachment)?.unwrap_or_default())
    }

    /// The taken addresses of a family, whoever has them.
    pub(crate) fn taken(&mut self, family: Family) -> &Occupancy {
        self.summary.taken[family].open()
    }

    /// Gives an address to an attachment; `false` when somebody has it.
    pub(crate) fn hold(
        &mut self,
        attachment: &Attachment,
        address: IpAddr,
    ) -> Result<bool, StoreError> {
        let path = self.folders.lease(address);
        self.is_changed = true;
        let text = Holder::text(attachment);
        if self.draft_of.as_ref() != Some(attachment) {
            let drafted = self.folders.make_cache();
            let drafted = drafted.and_then(|()| files::write_draft(&self.folders.draft(), &text));
            self.draft_of = drafted.is_ok().then(|| attachment.clone());
        }
        let draft = self.draft_of.is_some().then(|| self.folders.draft());
        let is_new = files::publish(draft.as_deref(), &path, &text);
        let is_new = is_new.map_err(StoreError::of("write", &path))?;
        self.summary.taken[Family::of(address)]
            .open()
            .take(to_bits(address));
        if is_new {
            self.note(attachment, address);
        } else {
            // Nobody here knows whose it is.
            self.is_doubtful = true;
        }
        Ok(is_new)
    }

    /// Takes an address away from the attachment that has it.
    pub(crate) fn free(
        &mut self,
        attachment: &Attachment,
        address: IpAddr,
    ) -> Result<(), StoreError> {
        let path = self.folders.lease(address);
        self.is_changed = true;
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::of("remove", &path)(error)),
        }
        self.summary.taken[Family::of(address)]
            .open()
            .release(to_bits(address));
        for key in lease::keys(attachment) {
            match self.index.remove(Entry { key, address }) {
                Ok(was_there) => {
                    self.summary.entries -= u64::from(was_there).min(self.summary.entries);
                }
                Err(Damaged) => self.is_doubtful = true,
            }
        }
        Ok(())
    }

    /// The address after which the search in a range set goes on.
    pub(crate) fn last_reserved(&self, set: usize) -> Option<IpAddr> {
        let content = files::read_small(&self.folders.last_reserved(set)).ok()?;
        std::str::from_utf8(&content).ok()?.trim().parse().ok()
    }

    /// Remembers it. Without it the search starts over, which is no fault.
    pub(crate) fn note_last_reserved(&mut self, set: usize, address: IpAddr) {
        self.is_changed = true;
        let _ = files::write_small(&self.folders.last_reserved(set), &address.to_string());
    }

    /// Whether a lease could be written now.
    pub(crate) fn probe(&mut self) -> Result<(), StoreError> {
        let draft = self.folders.draft();
        self.folders
            .make_cache()
            .map_err(StoreError::of("make", &self.folders.cache))?;
        let written = files::write_draft(&draft, "probe");
        let _ = fs::remove_file(&draft);
        written.map_err(StoreError::of("write", &draft))
    }

    /// Writes down what was done, so that the next invocation need not read everything.
    ///
    /// What fails here costs that invocation time, and nothing else.
    pub(crate) fn seal(mut self) {
        if self.draft_of.is_some() {
            let _ = fs::remove_file(self.folders.draft());
        }
        if self.is_changed && !self.is_doubtful {
            let _ = self.write_cache();
        }
    }

    fn write_cache(&mut self) -> io::Result<()> {
        self.folders.make_cache()?;
        if self.index.is_crowded(self.summary.entries) {
            return Ok(());
        }
        self.index.write()?;
        let is_first_of_boot = self.summary.host != self.host;
        self.summary.host = self.host;
        self.summary.mark = Mark::of(self.lock.modified()?).of_boot(self.host.boot);
        files::write_summary(
            &self.folders.summary(),
            &self.summary.encode(),
            is_first_of_boot,
        )?;
        self.lock.set_modified(self.summary.mark.time())
    }

    fn note(&mut self, attachment: &Attachment, address: IpAddr) {
        let [key, _] = lease::keys(attachment);
        self.summary.entries += 1;
        if self.index.insert(Entry { key, address }).is_err() {
            self.is_doubtful = true;
        }
    }

    /// `None` when the index and the files disagree.
    fn look_up(&mut self, attachment: &Attachment) -> Result<Option<Vec<IpAddr>>, StoreError> {
        let mut found = Vec::new();
        for key in lease::keys(attachment) {
            let Ok(addresses) = self.index.find(key) else {
                return Ok(None);
            };
            for address in addresses {
                let path = self.folders.lease(address);
                let holder = lease::read_file(&path).map_err(StoreError::of("read", &path))?;
                match holder {
                    Some((holder, _)) if holder.is(attachment) => found.push(address),
                    // Another attachment with the same key: both are in the index.
                    Some((holder, _)) if holder.key() == Some(key) => {}
                    _ => return Ok(None),
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(Some(found))
    }
}

impl StoreError {
    /// Names the act and the file of an error.
    pub(crate) fn of(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self { act, path, source }
    }

    /// What the operator can do about it.
    fn next_step(&self) -> &'static str {
        match self.source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "free space or inodes on this file system"
            }
            io::ErrorKind::ReadOnlyFilesystem => {
                "mount this file system for writing, or set ipam.dataDir to another place"
            }
            io::ErrorKind::PermissionDenied => {
                "run the container runtime as root, or mend the owner of the directory"
            }
            io::ErrorKind::NotADirectory => "remove the file that stands where a directory belongs",
            _ => "look at the file system that holds ipam.dataDir",
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::new(Code::Io, &error).next(error.next_step())
    }
}

#[cfg(test)]
mod tests;
