//! Waits for sockets and deadlines (epoll).

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use super::clock;
use crate::time::Time;

/// Tells which of many descriptors have something to read.
#[derive(Debug)]
pub(crate) struct Poller {
    watcher: Watcher,
    events: Vec<EpollEvent>,
    ready: usize,
}

/// Adds to what a [`Poller`] watches, and takes from it.
#[derive(Clone, Debug)]
pub(crate) struct Watcher {
    epoll: Arc<Epoll>,
}

impl Watcher {
    /// Watches `descriptor` from now on under the name `token`. It is forgotten when it is closed.
    pub(crate) fn watch(&self, descriptor: &impl AsFd, token: u64) -> io::Result<()> {
        Ok(self
            .epoll
            .add(descriptor, EpollEvent::new(EpollFlags::EPOLLIN, token))?)
    }

    /// Watches `descriptor` no longer.
    pub(crate) fn forget(&self, descriptor: &impl AsFd) -> io::Result<()> {
        Ok(self.epoll.delete(descriptor)?)
    }
}

impl Poller {
    /// Watches nothing yet.
    pub(crate) fn new() -> io::Result<Self> {
        let epoll = Arc::new(Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?);
        Ok(Self {
            watcher: Watcher { epoll },
            events: vec![EpollEvent::empty(); MOST_AT_ONCE],
            ready: 0,
        })
    }

    /// Watches `descriptor` from now on, as [`Watcher::watch`] does.
    pub(crate) fn watch(&self, descriptor: &impl AsFd, token: u64) -> io::Result<()> {
        self.watcher.watch(descriptor, token)
    }

    /// What changes the set of watched descriptors, for those who open and close them.
    pub(crate) fn watcher(&self) -> Watcher {
        self.watcher.clone()
    }

    /// Returns when something can be read or `deadline` has come; a signal may end it earlier.
    pub(crate) fn wait(&mut self, deadline: Time) -> io::Result<()> {
        let timeout = milliseconds(deadline - clock::now());
        self.ready = match self.watcher.epoll.wait(&mut self.events, timeout) {
            Ok(ready) => ready,
            Err(Errno::EINTR) => 0,
            Err(error) => return Err(error.into()),
        };
        Ok(())
    }

    /// The token of the `place`-th descriptor that the last [`wait`](Self::wait) found ready.
    pub(crate) fn ready(&self, place: usize) -> Option<u64> {
        self.events
            .get(..self.ready)?
            .get(place)
            .map(EpollEvent::data)
    }
}

/// Rounded up, so that the deadline has come when the wait ends.
fn milliseconds(span: Duration) -> EpollTimeout {
    let millis = span.as_nanos().div_ceil(1_000_000);
    EpollTimeout::try_from(i32::try_from(millis).unwrap_or(i32::MAX)).unwrap_or(EpollTimeout::ZERO)
}

// More than this many ready sockets are served in the next round.
const MOST_AT_ONCE: usize = 64;
