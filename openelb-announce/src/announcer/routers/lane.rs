//! The socket through which all virtual routers of a family speak on a link.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::driver::opener::{Opener, Request};
use crate::link::vrrp_socket::VrrpSocket;
use crate::time::Time;
use crate::vrrp::Family;

/// A family on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LaneKey {
    pub(crate) index: u32,
    pub(crate) family: Family,
}

/// How far the socket has come.
#[derive(Debug)]
pub(crate) enum Lane {
    /// The opener was asked.
    Opening,
    /// It is open, and watched under this token.
    Open(VrrpSocket, u64),
    /// That went wrong; it is tried again.
    Failed {
        /// Why, for the status.
        reason: String,
        /// When to try again.
        retry_at: Time,
    },
}

impl Lane {
    /// A lane whose socket `opener` is asked for.
    pub(crate) fn new(key: LaneKey, name: &Arc<str>, opener: &Opener) -> Self {
        opener.ask(Request::OpenVrrp(key.index, Arc::clone(name), key.family));
        Self::Opening
    }

    /// Notes that there is no socket.
    pub(crate) fn fail(&mut self, error: &io::Error, now: Time) {
        *self = Self::Failed {
            reason: format!("opening the VRRP socket: {error}"),
            retry_at: now + RETRY,
        };
    }

    /// The socket, once it is open.
    pub(crate) const fn socket(&self) -> Option<&VrrpSocket> {
        match self {
            Self::Open(socket, _) => Some(socket),
            Self::Opening | Self::Failed { .. } => None,
        }
    }

    /// Why there is no socket.
    pub(crate) fn problem(&self) -> Option<&str> {
        match self {
            Self::Failed { reason, .. } => Some(reason),
            Self::Opening | Self::Open(..) => None,
        }
    }

    /// When the socket is to be asked for again.
    pub(crate) const fn poll_timeout(&self) -> Option<Time> {
        match self {
            Self::Failed { retry_at, .. } => Some(*retry_at),
            Self::Opening | Self::Open(..) => None,
        }
    }
}

const RETRY: Duration = Duration::from_secs(5);
