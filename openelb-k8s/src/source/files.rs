//! Files with prefixes and leases, read again whenever they change.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};

use super::told::Told;
use super::{Outbox, StartError, clock};
use crate::api::LeaseFormat;
use crate::prefix::lease::{self, Clocks};
use crate::prefix::{Lease, statement};

/// The thread that watches them. Dropping it ends the thread.
#[derive(Debug)]
pub(super) struct Files {
    stop: Arc<EventFd>,
    thread: Option<JoinHandle<()>>,
}

/// A file that is watched.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
    form: Form,
    told: Told,
}

#[derive(Debug)]
enum Form {
    Text,
    Lease(LeaseFormat, Option<String>),
}

impl File {
    /// A file of leases.
    pub(super) fn lease(
        index: usize,
        format: LeaseFormat,
        path: PathBuf,
        client: Option<String>,
    ) -> Self {
        Self {
            told: Told::new(index, path.display().to_string()),
            path,
            form: Form::Lease(format, client),
        }
    }

    /// A file with prefixes as text.
    pub(super) fn text(index: usize, path: PathBuf) -> Self {
        Self {
            told: Told::new(index, path.display().to_string()),
            path,
            form: Form::Text,
        }
    }

    fn look(&mut self, outbox: &Outbox) {
        outbox.send(match self.read() {
            Ok(leases) => self.told.replace(leases),
            Err(why) => self.told.fail(format!("{}: {why}", self.path.display())),
        });
    }

    fn read(&self) -> Result<Vec<Lease>, String> {
        let (octets, clocks) = read_bounded(&self.path).map_err(|error| error.to_string())?;
        match &self.form {
            Form::Lease(format, client) => lease::read(*format, &octets, client.as_deref(), clocks)
                .map_err(|error| error.to_string()),
            Form::Text => {
                let text = String::from_utf8_lossy(&octets);
                statement::read(&text, clocks.written).map_err(|error| error.to_string())
            }
        }
    }
}

impl Files {
    /// Starts to watch; `None` when there is no file.
    pub(super) fn start(files: Vec<File>, outbox: Outbox) -> Result<Option<Self>, StartError> {
        if files.is_empty() {
            return Ok(None);
        }
        let failed = |why| StartError::Thread { what: "files", why };
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let stop = EventFd::from_flags(flags).map_err(|error| failed(error.into()))?;
        let stop = Arc::new(stop);
        let flags = InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK;
        let inotify = Inotify::init(flags).map_err(|error| failed(error.into()))?;
        let mut watcher = Watcher {
            files,
            outbox,
            stop: Arc::clone(&stop),
            inotify,
            folders: BTreeMap::new(),
        };
        let thread = std::thread::Builder::new()
            .name("openelb-files".to_owned())
            .spawn(move || watcher.run())
            .map_err(failed)?;
        Ok(Some(Self {
            stop,
            thread: Some(thread),
        }))
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = self.stop.write(1);
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so on standard error.
            drop(thread.join());
        }
    }
}

/// Watches folders rather than files, because programs replace files by renaming others.
struct Watcher {
    files: Vec<File>,
    outbox: Outbox,
    stop: Arc<EventFd>,
    inotify: Inotify,
    /// The folders that are watched.
    folders: BTreeMap<PathBuf, WatchDescriptor>,
}

impl Watcher {
    fn run(&mut self) {
        loop {
            let is_complete = self.watch_folders();
            for file in &mut self.files {
                file.look(&self.outbox);
            }
            let pause = if is_complete { SWEEP } else { RETRY };
            if self.wait(pause) {
                return;
            }
        }
    }

    /// True when every folder is watched.
    fn watch_folders(&mut self) -> bool {
        let mut is_complete = true;
        for file in &self.files {
            let folder = file.path.parent().unwrap_or_else(|| Path::new("/"));
            if self.folders.contains_key(folder) {
                continue;
            }
            match self.inotify.add_watch(folder, changes()) {
                Ok(watch) => drop(self.folders.insert(folder.to_owned(), watch)),
                // It may come later; the file itself says what is wrong.
                Err(_) => is_complete = false,
            }
        }
        is_complete
    }

    /// Returns when one of the files changed or the time is over; true when told to stop.
    fn wait(&mut self, pause: Duration) -> bool {
        let names: BTreeSet<OsString> = self
            .files
            .iter()
            .filter_map(|file| file.path.file_name().map(OsString::from))
            .collect();
        // Changes of other files in the folders do not start the time anew: a busy folder delays
        // nothing.
        for _ in 0..MOST_WAKES {
            if self.is_stopped(pause, true) {
                return true;
            }
            let Ok(events) = self.inotify.read_events() else {
                return false;
            };
            let mut is_ours = false;
            for event in events {
                if event.mask.contains(AddWatchFlags::IN_IGNORED) {
                    // The folder is gone; one of the same name may come.
                    self.folders.retain(|_, watch| *watch != event.wd);
                    is_ours = true;
                }
                is_ours |= event.name.is_none_or(|name| names.contains(&name));
            }
            if is_ours {
                // Whoever writes a file in several steps is given the time to end.
                return self.is_stopped(SETTLE, false);
            }
        }
        false
    }

    /// Waits for the word to stop and, if wanted, for changes.
    fn is_stopped(&self, pause: Duration, for_changes: bool) -> bool {
        let mut watched = vec![PollFd::new(self.stop.as_fd(), PollFlags::POLLIN)];
        if for_changes {
            watched.push(PollFd::new(self.inotify.as_fd(), PollFlags::POLLIN));
        }
        let timeout = PollTimeout::try_from(pause).unwrap_or(PollTimeout::MAX);
        // An interrupted wait is a short one.
        let _ = poll(&mut watched, timeout);
        let stop = watched.first().and_then(PollFd::any);
        stop.unwrap_or(false)
    }
}

/// What the file holds, and what its times count from.
fn read_bounded(path: &Path) -> io::Result<(Vec<u8>, Clocks)> {
    // A pipe in its place must not block.
    let flags = OFlag::O_NONBLOCK.bits();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other(
            "it is no regular file; name another `path`",
        ));
    }
    let mut octets = Vec::new();
    file.take(MOST_OCTETS + 1).read_to_end(&mut octets)?;
    if octets.len() as u64 > MOST_OCTETS {
        let why = format!("it holds more than {MOST_OCTETS} octets; name another `path`");
        return Err(io::Error::other(why));
    }
    // A clock that was set back must not make lifetimes longer.
    let written = metadata.modified().map_or_else(|_| clock::now(), clock::at);
    let clocks = Clocks {
        written: written.min(clock::now()),
        boot: clock::boot(),
    };
    Ok((octets, clocks))
}

/// Kea and dnsmasq keep their file open and write into it, others replace it.
fn changes() -> AddWatchFlags {
    AddWatchFlags::IN_MODIFY
        | AddWatchFlags::IN_CLOSE_WRITE
        | AddWatchFlags::IN_CREATE
        | AddWatchFlags::IN_DELETE
        | AddWatchFlags::IN_MOVED_FROM
        | AddWatchFlags::IN_MOVED_TO
        | AddWatchFlags::IN_DELETE_SELF
        | AddWatchFlags::IN_MOVE_SELF
        | AddWatchFlags::IN_ONLYDIR
}

/// Some file systems tell nothing of changes that others make: of network shares, say.
const SWEEP: Duration = Duration::from_mins(1);
/// How often a missing folder is looked for.
const RETRY: Duration = Duration::from_secs(5);
const SETTLE: Duration = Duration::from_millis(100);
const MOST_WAKES: usize = 1000;
/// A journal of Kea is the longest; it is cleaned up every hour.
const MOST_OCTETS: u64 = 16 * 1024 * 1024;
