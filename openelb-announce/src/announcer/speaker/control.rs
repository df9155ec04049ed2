//! What the speaker wants of one connection, left for the task that serves it.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;

use tokio::sync::Notify;

use crate::bgp::route::LocalAddresses;

/// The wishes about one connection. They add up: nothing is queued.
#[derive(Debug, Default)]
pub(super) struct Control {
    has_output: Cell<bool>,
    ending: Cell<Option<Ending>>,
    changed: Notify,
    /// Both ends and our addresses, once it is connected.
    pub(super) ends: RefCell<Option<Ends>>,
}

/// How a connection is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Without another octet.
    AtOnce,
    /// After what there is to send was sent, or could not be for a while.
    AfterFlush,
}

/// The two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    /// Our addresses towards the other end, as last told to the speaker.
    pub(super) addresses: LocalAddresses,
}

impl Control {
    /// No wishes yet about a connection with these ends, if it is connected already.
    pub(super) fn new(ends: Option<Ends>) -> Self {
        Self {
            ends: RefCell::new(ends),
            ..Self::default()
        }
    }

    /// There is something to send.
    pub(super) fn wake(&self) {
        self.has_output.set(true);
        self.changed.notify_one();
    }

    /// The connection shall end. The first word counts, unless the second is more urgent.
    pub(super) fn end(&self, ending: Ending) {
        if self.ending.get() != Some(Ending::AtOnce) {
            self.ending.set(Some(ending));
        }
        self.changed.notify_one();
    }

    /// How the connection shall end, if it shall.
    pub(super) fn ending(&self) -> Option<Ending> {
        self.ending.get()
    }

    /// May there be something to send?
    pub(super) fn has_output(&self) -> bool {
        self.has_output.get()
    }

    /// There is nothing to send, until the next [`wake`](Self::wake).
    pub(super) fn is_drained(&self) {
        self.has_output.set(false);
    }

    /// Waits for the next wish. One that came while nobody waited ends the wait at once.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Waits until the connection shall end.
    pub(super) async fn ended(&self) {
        while self.ending().is_none() {
            self.changed().await;
        }
    }
}
