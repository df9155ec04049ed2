//! The files of a store: their names, and the few ways in which they are read and written.

use std::fs::{self, DirBuilder, File, FileTimes, OpenOptions};
use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use nix::fcntl::OFlag;

use crate::cni::config::Place;

/// Where everything of a network is.
#[derive(Clone, Debug)]
pub(super) struct Folders {
    /// host-local's directory of the network.
    pub(super) leases: PathBuf,
    /// Ours. No network can have a name that starts with a dot, so it is in nobody's way.
    pub(super) cache: PathBuf,
}

impl Folders {
    pub(super) fn of(place: &Place) -> Self {
        Self {
            leases: place.data_dir.join(&place.network),
            cache: place.data_dir.join(OWN_FOLDER).join(&place.network),
        }
    }

    pub(super) fn lease(&self, address: IpAddr) -> PathBuf {
        self.leases.join(address.to_string())
    }

    pub(super) fn last_reserved(&self, set: usize) -> PathBuf {
        self.leases.join(format!("last_reserved_ip.{set}"))
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.leases.join("lock")
    }

    pub(super) fn summary(&self) -> PathBuf {
        self.cache.join("summary")
    }

    pub(super) fn attachments(&self) -> PathBuf {
        self.cache.join("attachments")
    }

    pub(super) fn draft(&self) -> PathBuf {
        self.cache.join("draft")
    }

    pub(super) fn reboot(&self) -> PathBuf {
        self.cache.join("reboot")
    }

    pub(super) fn make_leases(&self) -> io::Result<()> {
        make(&self.leases, 0o755)
    }

    pub(super) fn make_cache(&self) -> io::Result<()> {
        make(&self.cache, 0o700)
    }
}

/// The directory and host-local's lock on it. Freed by the kernel when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    directory: File,
    _held: File,
}

impl Lock {
    /// Waits until nobody else holds it.
    pub(super) fn take(folders: &Folders) -> io::Result<Self> {
        let flags = OFlag::O_NOFOLLOW.bits();
        let path = folders.lock();
        let mut options = OpenOptions::new();
        options
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o644)
            .custom_flags(flags);
        let held = match options.open(&path) {
            // On a file system that is read-only one can still wait for those who read.
            Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => OpenOptions::new()
                .read(true)
                .custom_flags(flags)
                .open(&path),
            opened => opened,
        }?;
        held.lock()?;
        Ok(Self {
            directory: File::open(&folders.leases)?,
            _held: held,
        })
    }

    /// When a file was last created in or removed from the directory, or its mark.
    pub(super) fn modified(&self) -> io::Result<SystemTime> {
        self.directory.metadata()?.modified()
    }

    pub(super) fn set_modified(&self, time: SystemTime) -> io::Result<()> {
        self.directory
            .set_times(FileTimes::new().set_modified(time))
    }
}

/// A new file that will be linked to an address. It must never be one that already is.
pub(super) fn write_draft(path: &Path, text: &str) -> io::Result<()> {
    match create_new(path, text) {
        // Left behind by a kill, perhaps with an address as its second name: writing into it would change that lease.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            create_new(path, text)
        }
        written => written,
    }
}

/// Makes an address file with its content at once; `false` when there is one.
pub(super) fn publish(draft: Option<&Path>, path: &Path, text: &str) -> io::Result<bool> {
    if let Some(draft) = draft {
        match fs::hard_link(draft, path) {
            Ok(()) => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            // No links here, or not between these folders: as host-local does it, then.
            Err(_) => {}
        }
    }
    match create_new(path, text) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// The content of a file that is never larger than an address.
pub(super) fn read_small(path: &Path) -> io::Result<Vec<u8>> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits())
        .open(path)?;
    let mut content = Vec::new();
    file.take(SMALL).read_to_end(&mut content)?;
    Ok(content)
}

/// Replaces it in place: whoever reads half of it goes on somewhere else, which is no fault.
pub(super) fn write_small(path: &Path, text: &str) -> io::Result<()> {
    write_in_place(path, text.as_bytes(), 0o644).map(|_| ())
}

/// Replaces the summary in place: an interrupted write is found by its checksum.
///
/// `durably` waits for the disk, once a boot: after a power failure the directory must not carry the mark of a
/// boot that the summary has never heard of.
pub(super) fn write_summary(path: &Path, content: &[u8], durably: bool) -> io::Result<()> {
    let file = write_in_place(path, content, 0o600)?;
    if durably {
        file.sync_data()?;
    }
    Ok(())
}

/// Not emptied first: a file that was empty in between is flushed to the disk by ext4 when it is closed, which
/// takes longer than everything else here together.
fn write_in_place(path: &Path, content: &[u8], mode: u32) -> io::Result<File> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let mut options = OpenOptions::new();
    options
        .write(true)
        .create(true)
        .truncate(false)
        .mode(mode)
        .custom_flags(flags.bits());
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.set_len(content.len() as u64)?;
    Ok(file)
}

fn create_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .open(path)?;
    let written = file.write_all(text.as_bytes());
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

fn make(path: &Path, mode: u32) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(mode).create(path)
}

const OWN_FOLDER: &str = ".openelb-cni";
/// Twice the longest address.
const SMALL: u64 = 96;
