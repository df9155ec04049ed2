//! Reading every address file: to make the index and the summary anew, and to free what nobody uses.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::time::SystemTime;

use openelb_ipam::family::to_bits;
use openelb_ipam::{DualStack, Family};

use super::index::Index;
use super::lease::{self, Holder};
use super::page::Entry;
use super::summary::Taken;
use super::{Store, StoreError, files};

/// What a sweep did.
#[derive(Debug, Default)]
pub(crate) struct Swept {
    /// Freed addresses.
    pub(crate) freed: Vec<IpAddr>,
    /// Addresses that could not be freed.
    pub(crate) failed: Vec<StoreError>,
}

/// Which leases are known to be of an earlier boot.
#[derive(Clone, Copy)]
enum Doomed {
    None,
    /// In the run that found the reboot: whatever clock the machine came up with.
    All,
    /// A run that found it was killed: what is older than the note that it left.
    OlderThan(SystemTime),
}

impl Store {
    /// Frees every lease that is not wanted; addresses that people keep free are left alone.
    pub(crate) fn sweep(
        &mut self,
        is_wanted: impl Fn(&str, &str) -> bool,
    ) -> Result<Swept, StoreError> {
        self.scan(|holder, _| match holder {
            Holder::Attachment {
                container,
                interface,
            } => !is_wanted(container, interface),
            // An old file names no interface, and a person's word no container: only DEL knows.
            Holder::Container(_) | Holder::Nobody => false,
        })
    }

    /// Makes index and summary anew, and ends what a reboot left to do.
    pub(super) fn rebuild(&mut self) -> Result<(), StoreError> {
        let doomed = if std::mem::take(&mut self.is_after_reboot) {
            Doomed::All
        } else {
            self.found_reboot().map_or(Doomed::None, Doomed::OlderThan)
        };
        self.scan(|holder, changed| {
            let is_lease = matches!(holder, Holder::Attachment { .. });
            is_lease
                && match doomed {
                    Doomed::All => true,
                    Doomed::OlderThan(reboot) => changed.is_some_and(|changed| changed < reboot),
                    Doomed::None => false,
                }
        })?;
        // Before any address is given: a note that outlived a step of the clock would be about that one, too.
        let _ = fs::remove_file(self.folders.reboot());
        Ok(())
    }

    /// Notes that every lease is of an earlier boot, so that a kill on the way loses none.
    pub(super) fn remember_reboot(&mut self) {
        self.is_after_reboot = true;
        let (reboot, boot) = (self.folders.reboot(), format!("{:016x}", self.host.boot));
        let _ = fs::remove_file(&reboot);
        // Without it, only a kill within this run leaves something to GC.
        let _ = files::write_draft(&reboot, &boot);
    }

    /// When a run that was killed since found that the machine had rebooted.
    fn found_reboot(&self) -> Option<SystemTime> {
        let path = self.folders.reboot();
        let boot = files::read_small(&path).ok()?;
        let is_note = boot.len() == 16 && boot.iter().all(u8::is_ascii_hexdigit);
        let metadata = fs::symlink_metadata(&path).ok().filter(|_| is_note)?;
        lease::changed(&metadata)
    }

    fn scan(
        &mut self,
        is_doomed: impl Fn(&Holder, Option<SystemTime>) -> bool,
    ) -> Result<Swept, StoreError> {
        let folder = self.folders.leases.clone();
        let names = fs::read_dir(&folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let names = names.map_err(StoreError::of("read", &folder))?;
        let mut swept = Swept::default();
        let (mut entries, mut taken) = (Vec::new(), DualStack::from_fn(Taken::nothing));
        for name in names {
            let name = name.file_name();
            let Some((name, address)) = name
                .to_str()
                .and_then(|name| Some((name, lease::address_of(name)?)))
            else {
                continue;
            };
            let path = folder.join(name);
            let read = lease::read_file(&path);
            // What cannot be read may be anybody's.
            let Some((holder, changed)) = read.unwrap_or(Some((Holder::Nobody, None))) else {
                continue;
            };
            // A name in another spelling is nothing that ADD wrote: the address is taken, and nobody's.
            let holder = if name == address.to_string() {
                holder
            } else {
                Holder::Nobody
            };
            if is_doomed(&holder, changed) {
                match fs::remove_file(&path) {
                    Ok(()) => {
                        swept.freed.push(address);
                        continue;
                    }
                    Err(error) => swept.failed.push(StoreError::of("remove", &path)(error)),
                }
            }
            taken[Family::of(address)].open().take(to_bits(address));
            entries.extend(holder.key().map(|key| Entry { key, address }));
        }
        self.index = Index::of(self.folders.attachments(), &entries);
        self.summary.entries = entries.len() as u64;
        self.summary.pages = self.index.pages();
        self.summary.taken = taken;
        (self.is_changed, self.is_doubtful) = (true, false);
        swept.freed.sort_unstable();
        Ok(swept)
    }
}
