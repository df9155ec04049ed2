//! Lets tasks of a tokio runtime wait for descriptors that tokio has no type of its own for.
#![allow(
    unsafe_code,
    reason = "tokio leaves it to its user that a watched descriptor stays open"
)]

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Knows when a descriptor can be read.
#[derive(Debug)]
pub(crate) struct Readiness(AsyncFd<OwnedFd>);

impl Readiness {
    /// Watches what `source` is a descriptor of. Must be called on a runtime's thread.
    pub(crate) fn of(source: &impl AsFd) -> io::Result<Self> {
        let own = source.as_fd().try_clone_to_owned()?;
        // SAFETY: an owned descriptor stays open, and stays the same one, until it is dropped; the
        // watch owns it and ends first.
        let watch = unsafe { AsyncFd::register_with_interest(own, Interest::READABLE) };
        Ok(Self(watch?))
    }

    /// Waits until `read` gives something. It is called when there may be something to read, and must
    /// fail with [`io::ErrorKind::WouldBlock`] when there is not. Cancel-safe if `read` is called
    /// and its result used: nothing is read while waiting.
    pub(crate) async fn read<T>(&self, mut read: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        loop {
            let mut ready = self.0.readable().await?;
            if let Ok(result) = ready.try_io(|_| read()) {
                return result;
            }
        }
    }
}
