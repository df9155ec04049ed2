//! What a peer wants done, and what it reports.

use crate::bgp::family::Family;
use crate::bgp::message::Notification;
use crate::bgp::session::{ConnectionId, Negotiated};
use crate::time::Time;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What a [`Peer`](super::Peer) wants done, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Dial the peer. Answered with [`Opened`](super::Input::Opened) or
    /// [`OpenFailed`](super::Input::OpenFailed).
    Connect(ConnectionId),
    /// Close this connection, or give up this dial. Nothing that it reports later is heeded.
    Close {
        /// Which one.
        connection: ConnectionId,
        /// First send what was taken from [`transmit`](super::Peer::transmit) and what it still
        /// gives, as far as TCP takes it within a second or so: the last message says why.
        after_flush: bool,
    },
    /// There is something to send: call [`transmit`](super::Peer::transmit) until it gives nothing.
    Wake(ConnectionId),
    /// The session is up: routes may be sent.
    Established(Arc<Negotiated>),
    /// The session that was up is down: nothing that was sent counts any more.
    Down(DownReason),
    /// The peer wants the routes of a family again.
    Refresh(Family),
    /// Something that users should see.
    Event(Event),
}

/// Why a session that was up ended.
#[derive(Clone, Debug, PartialEq)]
pub enum DownReason {
    /// We said so.
    NotificationSent(Notification),
    /// The peer said so.
    NotificationReceived(Notification),
    /// TCP ended without a word.
    Closed(String),
    /// The peer took nothing from TCP for the send hold time (RFC 9687).
    SendHoldTimerExpired,
    /// The peer came back on a new connection, which shows that it had restarted (RFC 4724 section 5).
    PeerRestarted,
    /// It was closed without a word for the next speaker on this host to take over.
    Upgrade,
}

/// Something that users should see. At most a few come out of one input.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The state changed.
    StateChanged {
        /// What it was.
        from: State,
        /// What it is.
        to: State,
    },
    /// The peer cannot be reached by TCP.
    ConnectFailed {
        /// The operating system's words.
        why: String,
        /// When it is tried again; `None`: when the peer connects.
        retry_in: Option<Duration>,
    },
    /// The session, or the attempt at one, ended.
    Failed(Failure),
    /// A connection of the peer was not taken; told once in ten seconds.
    Refused(&'static str),
    /// UPDATEs had faults that cost routes but not the session (RFC 7606): the last fault in words,
    /// and how many there were since the last such event. Told once in ten seconds.
    UpdateFaults {
        /// How many of these UPDATEs counted as withdrawals of their routes.
        treated_as_withdraw: u64,
        /// How many had attributes that were passed over.
        attribute_discarded: u64,
        /// The last fault.
        words: String,
    },
    /// The peer has sent all of its routes of a family (RFC 4724 section 2).
    EndOfRib(Family),
    /// The routes of a peer that went are kept, as it asked for (RFC 4724 section 4.2).
    RoutesKept {
        /// For so long at most.
        time: Duration,
    },
    /// Those that the peer did not confirm in time are forgotten.
    StaleRoutesForgotten,
    /// Segments are refused by the kernel because of their TCP-MD5 option.
    AuthenticationFailed {
        /// How many since the last report.
        segments: u64,
    },
}

/// Why a session, or an attempt at one, ended; the last one is kept for status.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Who ended it.
    pub by: FailedBy,
    /// What the NOTIFICATION says, if there was one.
    pub notification: Option<Notification>,
    /// What happened and what to check, in words.
    pub words: String,
    /// When.
    pub at: Time,
}

/// Who ended a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailedBy {
    /// This speaker.
    Us,
    /// The peer.
    Peer,
    /// TCP.
    Transport,
}

/// Where a peer stands (RFC 4271 section 8.2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Nothing is tried, and connections of the peer are refused; [`Waiting`] says why.
    #[default]
    Idle,
    /// The peer is being dialled.
    Connect,
    /// The peer is waited for, and dialled again later.
    Active,
    /// Our OPEN is sent.
    OpenSent,
    /// OPENs fit, and the peer's first KEEPALIVE is waited for.
    OpenConfirm,
    /// The session is up.
    Established,
}

impl State {
    /// All states in the order in which a session comes up.
    pub const ALL: [Self; 6] = [
        Self::Idle,
        Self::Connect,
        Self::Active,
        Self::OpenSent,
        Self::OpenConfirm,
        Self::Established,
    ];
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Idle => "Idle",
            Self::Connect => "Connect",
            Self::Active => "Active",
            Self::OpenSent => "OpenSent",
            Self::OpenConfirm => "OpenConfirm",
            Self::Established => "Established",
        })
    }
}

/// What a peer that is not up waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// [`Start`](super::Input::Start).
    Start,
    /// An operator: the settings say that it is down.
    Operator,
    /// BFD to come up: strict mode.
    Liveness,
    /// The end of a pause after failures, at this instant.
    Pause(Time),
    /// The next dial, at this instant; the peer may connect before.
    Retry(Time),
    /// The peer to connect: passive.
    Peer,
    /// The peer's answer.
    Answer,
}
