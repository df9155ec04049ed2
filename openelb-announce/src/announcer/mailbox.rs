//! What a handle leaves for its thread: the latest desired set, questions, and the word to stop.

use std::io;
use std::mem;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::sys::eventfd::{EfdFlags, EventFd};

use super::component::Command;
use super::desired::DesiredSet;
use super::report::Snapshot;

/// The letter box between a handle and its thread.
///
/// Bounded by what it is: a newer desired set replaces an older one that nobody has read yet, and
/// each asker waits for its answer before it asks again.
pub(crate) struct Mailbox<L = Letters> {
    slot: Mutex<Slot<L>>,
    wake: Arc<EventFd>,
}

/// Everything that was left for the announcer's I/O thread since the box was last emptied.
#[derive(Default)]
pub(crate) struct Letters {
    pub(crate) desired: Option<DesiredSet>,
    /// In the order in which they were given.
    pub(crate) commands: Vec<Command>,
    pub(crate) questions: Vec<SyncSender<Snapshot>>,
    pub(crate) stop: bool,
}

#[derive(Default)]
struct Slot<L> {
    letters: L,
    /// Why the thread ended, once it has.
    ended: Option<String>,
}

impl<L: Default> Mailbox<L> {
    /// An empty box.
    pub(crate) fn new() -> io::Result<Self> {
        let wake = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        Ok(Self {
            slot: Mutex::default(),
            wake: Arc::new(wake),
        })
    }

    /// The descriptor that becomes readable when something was left.
    pub(crate) fn wake(&self) -> &Arc<EventFd> {
        &self.wake
    }

    /// Leaves something; the reason of its end when the thread has ended.
    pub(crate) fn leave(&self, write: impl FnOnce(&mut L)) -> Result<(), String> {
        let mut slot = self.lock();
        if let Some(reason) = &slot.ended {
            return Err(reason.clone());
        }
        write(&mut slot.letters);
        drop(slot);
        // It fails only when the counter is full, and then the descriptor is readable anyway.
        let _ = self.wake.write(1);
        Ok(())
    }

    /// Empties the box.
    pub(crate) fn collect(&self) -> L {
        let _ = self.wake.read();
        mem::take(&mut self.lock().letters)
    }

    /// Says that nobody reads the box any more, and gives up on the questions in it. The first
    /// reason is the one that counts.
    pub(crate) fn close(&self, reason: &str) {
        let mut slot = self.lock();
        let reason = slot.ended.take().unwrap_or_else(|| reason.to_owned());
        *slot = Slot {
            letters: L::default(),
            ended: Some(reason),
        };
    }

    /// Nothing that runs under the lock can panic halfway through a change.
    fn lock(&self) -> MutexGuard<'_, Slot<L>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
