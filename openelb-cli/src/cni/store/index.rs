//! The index by attachment: a file of pages, of which a look-up reads one.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use thiserror::Error;

use super::page::{Entry, Page};

/// Keys to addresses. An entry stands on the page that its key names, or after it when that one is full.
// Invariant: pages >= 1.
#[derive(Debug)]
pub(super) struct Index {
    path: PathBuf,
    /// Absent until it was written for the first time.
    file: Option<File>,
    pages: u32,
    /// Pages that were read or changed; changed ones reach the file in `write`.
    known: BTreeMap<u32, (Page, bool)>,
}

/// The file does not hold what was written to it: the address files have to be read again.
#[derive(Debug, Error)]
#[error("the index is damaged")]
pub(super) struct Damaged;

impl Index {
    /// Opens the file without reading any of it.
    pub(super) fn open(path: PathBuf, pages: u32) -> Option<Self> {
        let flags = OFlag::O_NOFOLLOW.bits();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(flags)
            .open(&path);
        // A directory that cannot be written can still be looked up in.
        let file = file.or_else(|_| {
            OpenOptions::new()
                .read(true)
                .custom_flags(flags)
                .open(&path)
        });
        (pages > 0).then_some(Self {
            path,
            file: Some(file.ok()?),
            pages,
            known: BTreeMap::new(),
        })
    }

    /// An index of these entries, with room for twice as many; it reaches the file in `write`.
    pub(super) fn of(path: PathBuf, entries: &[Entry]) -> Self {
        let needed = entries.len().saturating_mul(2).div_ceil(Page::CAPACITY);
        let pages = u32::try_from(needed.next_power_of_two()).unwrap_or(MOST_PAGES);
        let pages = pages.clamp(FEWEST_PAGES, MOST_PAGES);
        let mut index = Self {
            path,
            file: None,
            pages,
            known: (0..pages)
                .map(|number| (number, (Page::default(), true)))
                .collect(),
        };
        for entry in entries {
            // Every page is known, hence none is damaged.
            let _ = index.insert(*entry);
        }
        index
    }

    pub(super) const fn pages(&self) -> u32 {
        self.pages
    }

    /// Whether it should be made anew with more pages.
    pub(super) fn is_crowded(&self, entries: u64) -> bool {
        let room = u64::from(self.pages) * Page::CAPACITY as u64;
        self.pages < MOST_PAGES && entries > room / 4 * 3
    }

    /// The addresses of a key.
    pub(super) fn find(&mut self, key: u64) -> Result<Vec<IpAddr>, Damaged> {
        let mut found = Vec::new();
        for number in self.chain(key) {
            let (page, _) = self.page(number)?;
            found.extend(page.of_key(key));
            if !page.is_overflowed() {
                return Ok(found);
            }
        }
        Ok(found)
    }

    pub(super) fn insert(&mut self, entry: Entry) -> Result<(), Damaged> {
        for number in self.chain(entry.key) {
            let (page, is_changed) = self.page(number)?;
            *is_changed = true;
            if page.insert(entry) {
                return Ok(());
            }
        }
        Err(Damaged)
    }

    /// Removes an entry; says whether it was there.
    pub(super) fn remove(&mut self, entry: Entry) -> Result<bool, Damaged> {
        for number in self.chain(entry.key) {
            let (page, is_changed) = self.page(number)?;
            if page.remove(entry) {
                *is_changed = true;
                return Ok(true);
            }
            if !page.is_overflowed() {
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// Brings the file up to date: in place, since an interrupted write is found by its checksum.
    pub(super) fn write(&mut self) -> io::Result<()> {
        let changed = self
            .known
            .iter_mut()
            .filter(|(_, (_, is_changed))| *is_changed);
        if let Some(file) = &self.file {
            for (number, (page, is_changed)) in changed {
                file.write_all_at(&page.encode(*number), offset(*number))?;
                *is_changed = false;
            }
            return Ok(());
        }
        let mut whole = Vec::new();
        for (number, (page, is_changed)) in changed {
            whole.extend_from_slice(&page.encode(*number));
            *is_changed = false;
        }
        self.file = Some(write_anew(&self.path, &whole)?);
        Ok(())
    }

    /// All pages, from the one that the key names.
    fn chain(&self, key: u64) -> impl Iterator<Item = u32> + use<> {
        let pages = self.pages;
        let first = u32::try_from(key % u64::from(pages)).unwrap_or_default();
        (first..pages).chain(0..first)
    }

    fn page(&mut self, number: u32) -> Result<&mut (Page, bool), Damaged> {
        use std::collections::btree_map::Entry as Place;
        match self.known.entry(number) {
            Place::Occupied(known) => Ok(known.into_mut()),
            Place::Vacant(place) => {
                let mut bytes = [0; Page::SIZE];
                let file = self.file.as_ref().ok_or(Damaged)?;
                file.read_exact_at(&mut bytes, offset(number))
                    .map_err(|_| Damaged)?;
                let page = Page::decode(&bytes, number).ok_or(Damaged)?;
                Ok(place.insert((page, false)))
            }
        }
    }
}

/// Replaces a file as a whole, whatever stood there.
fn write_anew(path: &Path, content: &[u8]) -> io::Result<File> {
    let _ = std::fs::remove_file(path);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    Ok(file)
}

const fn offset(number: u32) -> u64 {
    number as u64 * Page::SIZE as u64
}

/// Room for 1,500 addresses, more than a node has pods, before the file is first made anew: 64 KiB.
const FEWEST_PAGES: u32 = 16;
/// Eight million addresses: 256 MiB.
const MOST_PAGES: u32 = 1 << 16;
