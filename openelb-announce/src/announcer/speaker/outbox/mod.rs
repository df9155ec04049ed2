//! What the speaker reports to the owner of its handle.

use std::fmt;
use std::net::SocketAddr;
use std::sync::mpsc::{SyncSender, TrySendError};

use crate::bgp;

/// Something that users should see; its `Display` is one line for a log.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The speaker says so.
    Speaker(bgp::speaker::Event),
    /// Connections are accepted at this address.
    Listening(SocketAddr),
    /// Connections cannot be accepted at this address; it is tried again.
    NotListening {
        /// The address.
        address: SocketAddr,
        /// Why, and what to do.
        problem: String,
    },
    /// A password could not be put into force: connections that need it are refused.
    PasswordRefused {
        /// The listening address.
        listener: SocketAddr,
        /// Whose password, why, and what to do.
        problem: String,
    },
    /// Passwords that count only for connections that this speaker makes.
    PasswordOverruled {
        /// Whose, why, and what to do.
        problem: String,
    },
    /// The router at the other end of an interface cannot be looked for; it is tried again.
    NotLooking {
        /// The interface.
        interface: String,
        /// Why, and what to do.
        problem: String,
    },
    /// Peers that ask for it are not watched by BFD.
    NotWatching {
        /// Why, and what to do.
        problem: String,
    },
    /// So many events were lost because nobody read them.
    Missed(u64),
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Speaker(event) => event.fmt(f),
            Self::Listening(address) => write!(f, "listening on {address}"),
            Self::NotListening { address, problem } => {
                write!(f, "not listening on {address}: {problem}")
            }
            Self::PasswordRefused { listener, problem } => {
                write!(f, "listener {listener}: {problem}")
            }
            Self::PasswordOverruled { problem } => f.write_str(problem),
            Self::NotLooking { interface, problem } => {
                write!(f, "not looking for a router on {interface}: {problem}")
            }
            Self::NotWatching { problem } => write!(f, "peers are not watched by BFD: {problem}"),
            Self::Missed(count) => write!(f, "{count} events were not read in time and are lost"),
        }
    }
}

/// The sending end of the queue of events: bounded, and it counts what it had no room for.
pub(super) struct Outbox {
    events: SyncSender<Event>,
    missed: u64,
}

impl Outbox {
    pub(super) const fn new(events: SyncSender<Event>) -> Self {
        Self { events, missed: 0 }
    }

    pub(super) fn put(&mut self, event: Event) {
        tracing::debug!(%event);
        if self.missed > 0 {
            match self.events.try_send(Event::Missed(self.missed)) {
                Ok(()) => self.missed = 0,
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                    self.missed += 1;
                    return;
                }
            }
        }
        if self.events.try_send(event).is_err() {
            self.missed += 1;
        }
    }
}

#[cfg(test)]
mod tests;
