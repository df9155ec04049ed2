//! What the handle leaves for the I/O thread: the latest desired set, questions, and the word to stop.

use std::io;
use std::mem;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::sys::eventfd::{EfdFlags, EventFd};

use super::announcement::Desired;
use super::report::Snapshot;

/// The letter box between the handle and the I/O thread.
///
/// Bounded by what it is: a newer desired set replaces an older one that nobody has read yet, and
/// each asker waits for its answer before it asks again.
pub(crate) struct Mailbox {
    letters: Mutex<Letters>,
    wake: Arc<EventFd>,
}

/// Everything that was left since the box was last emptied.
#[derive(Default)]
pub(crate) struct Letters {
    pub(crate) desired: Option<Desired>,
    pub(crate) questions: Vec<SyncSender<Snapshot>>,
    pub(crate) stop: bool,
    /// Why the I/O thread ended, once it has.
    pub(crate) ended: Option<String>,
}

impl Mailbox {
    /// An empty box.
    pub(crate) fn new() -> io::Result<Self> {
        let wake = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        Ok(Self {
            letters: Mutex::default(),
            wake: Arc::new(wake),
        })
    }

    /// The descriptor that becomes readable when something was left.
    pub(crate) fn wake(&self) -> &Arc<EventFd> {
        &self.wake
    }

    /// Leaves something; the reason of its end when the thread has ended.
    pub(crate) fn leave(&self, write: impl FnOnce(&mut Letters)) -> Result<(), String> {
        let mut letters = self.lock();
        if let Some(reason) = &letters.ended {
            return Err(reason.clone());
        }
        write(&mut letters);
        drop(letters);
        // It fails only when the counter is full, and then the descriptor is readable anyway.
        let _ = self.wake.write(1);
        Ok(())
    }

    /// Empties the box.
    pub(crate) fn collect(&self) -> Letters {
        let _ = self.wake.read();
        mem::take(&mut *self.lock())
    }

    /// Says that nobody reads the box any more, and gives up on the questions in it. The first
    /// reason is the one that counts.
    pub(crate) fn close(&self, reason: &str) {
        let mut letters = self.lock();
        let reason = letters.ended.take().unwrap_or_else(|| reason.to_owned());
        *letters = Letters {
            ended: Some(reason),
            ..Letters::default()
        };
    }

    /// Nothing that runs under the lock can panic halfway through a change.
    fn lock(&self) -> MutexGuard<'_, Letters> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
