//! Who reads each descriptor that the I/O thread waits for.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;

use crate::driver::poller::Watcher;
use crate::driver::port::PortKey;

/// The descriptors that are watched, by the token under which the poller reports them.
pub(crate) struct Readers {
    watcher: Watcher,
    next: u64,
    by_token: BTreeMap<u64, Reader>,
}

/// Who reads a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// The worker, for its letters.
    Letters,
    /// The worker, for news of links and addresses.
    Netlink,
    /// The station with this key.
    Station(PortKey),
    /// The component in this place.
    Component(usize),
}

impl Readers {
    /// Nothing is watched yet.
    pub(crate) fn new(watcher: Watcher) -> Self {
        Self {
            watcher,
            next: 0,
            by_token: BTreeMap::new(),
        }
    }

    /// Watches `descriptor` for `reader` and returns its token, which is never given out again:
    /// what the poller found ready before a descriptor was closed concerns no other.
    pub(crate) fn watch(&mut self, descriptor: &impl AsFd, reader: Reader) -> io::Result<u64> {
        let token = self.next;
        self.watcher.watch(descriptor, token)?;
        self.next += 1;
        self.by_token.insert(token, reader);
        Ok(token)
    }

    /// Watches `descriptor`, which had that token, no longer.
    pub(crate) fn forget(&mut self, descriptor: &impl AsFd, token: u64) -> io::Result<()> {
        self.by_token.remove(&token);
        self.watcher.forget(descriptor)
    }

    /// Whom a token belongs to; `None` when its descriptor was forgotten.
    pub(crate) fn reader(&self, token: u64) -> Option<Reader> {
        self.by_token.get(&token).copied()
    }
}
