//! What can happen to a peer.

use crate::bgp::config::Neighbor;
use crate::bgp::family::Family;
use crate::bgp::route::LocalAddresses;
use crate::bgp::session::{ConnectionId, Direction};
use std::net::SocketAddr;
use std::sync::Arc;

/// What can happen to a [`Peer`](super::Peer).
///
/// Every one of them may come in every state. What names a connection that is gone is ignored.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// Get going (RFC 4271 section 8.1.2, event 1); ignored when it already does.
    Start,
    /// End everything and stay down until [`Start`](Self::Start).
    Stop(Stop),
    /// These settings hold from now on. The session ends only if they ask for another one.
    Configure(Arc<Neighbor>),
    /// TCP is connected: the dial of that number, or one that the peer made.
    Opened {
        /// The number that [`Connect`](super::Output::Connect) gave, or for a connection that was
        /// accepted one that no other connection of this speaker ever had.
        connection: ConnectionId,
        /// Who dialled.
        direction: Direction,
        /// Our addresses on it.
        addresses: LocalAddresses,
        /// The peer's end.
        remote: SocketAddr,
    },
    /// A dial came to nothing.
    OpenFailed {
        /// Which one.
        connection: ConnectionId,
        /// The operating system's words.
        why: String,
    },
    /// Octets arrived.
    Received {
        /// Where.
        connection: ConnectionId,
        /// As they came, cut anywhere.
        octets: &'a [u8],
    },
    /// TCP took octets from us: the peer reads (RFC 9687).
    Sent {
        /// Where.
        connection: ConnectionId,
        /// How many.
        octets: usize,
    },
    /// TCP is gone, without or against our will.
    Closed {
        /// Which one.
        connection: ConnectionId,
        /// The operating system's words; `the peer closed the connection` or the like.
        why: String,
    },
    /// There are routes to be sent: asked for with the next [`transmit`](super::Peer::transmit).
    Routes,
    /// Ask the peer to send its routes of this family again (RFC 2918); ignored when it does not
    /// take such requests.
    AskForRoutes(Family),
    /// What BFD sees of the peer.
    Liveness(Liveness),
    /// The kernel refused segments of the peer because of their TCP-MD5 option (RFC 2385).
    AuthenticationFailed {
        /// How many since the last such report.
        segments: u64,
    },
}

/// Why a peer is stopped, which decides what it is told, and so what it does with our routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// An operator took the session down, with words for the other operator (RFC 9003): routes go.
    Shutdown(String),
    /// The peer is not configured any more: routes go.
    Deconfigured,
    /// This speaker comes back at once: routes stay, as far as the peer keeps any.
    ///
    /// Cease/Administrative Reset where both sides keep routes through NOTIFICATIONs (RFC 8538), else
    /// no word: without that agreement any NOTIFICATION makes the peer delete all routes.
    Upgrade,
    /// This speaker goes for good: routes go, also where graceful restart was agreed on.
    Removal,
}

/// What BFD sees of the peer (RFC 5882).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Liveness {
    /// Nothing yet.
    #[default]
    Unknown,
    /// It is there.
    Up,
    /// It is not. Only the change from [`Up`](Self::Up) ends a session.
    Down,
    /// Somebody switched BFD off, which says nothing about the peer (RFC 5882 section 4.2).
    AdminDown,
}
