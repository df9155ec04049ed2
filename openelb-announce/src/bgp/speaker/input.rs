//! What can happen to a speaker.

use crate::bgp::peer::Liveness;
use crate::bgp::route::{LocalAddresses, PeerName};
use crate::bgp::session::ConnectionId;
use std::net::{Ipv6Addr, SocketAddr};

/// What can happen to a [`Speaker`](super::Speaker) from the outside, beside what it is told to do.
///
/// Connections are known by the numbers that [`Output::Connect`](super::Output::Connect) and
/// [`Speaker::accept`](super::Speaker::accept) gave. What names one that is gone is ignored.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// A dial is connected.
    Opened {
        /// Which one.
        connection: ConnectionId,
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
    /// TCP took octets that [`transmit`](super::Speaker::transmit) gave.
    Sent {
        /// Where.
        connection: ConnectionId,
        /// How many.
        octets: usize,
    },
    /// A connection is gone: by itself, or because [`Output::Close`](super::Output::Close) asked for
    /// it. Every connection ends with exactly one of these.
    Closed {
        /// Which one.
        connection: ConnectionId,
        /// The operating system's words.
        why: String,
    },
    /// Our addresses on the interface of a connection changed, and so may next hops.
    Addresses {
        /// Which connection.
        connection: ConnectionId,
        /// What they are now.
        addresses: LocalAddresses,
    },
    /// A router was found at the other end of an interface (RFC 4861 section 6.3.4).
    Discovered {
        /// The interface.
        interface: &'a str,
        /// The router's link-local address.
        address: Ipv6Addr,
    },
    /// The router at the other end of an interface is not heard any more. Its session stays.
    Lost {
        /// The interface.
        interface: &'a str,
    },
    /// What BFD sees of a peer.
    Liveness {
        /// Which peer.
        peer: &'a PeerName,
        /// What it sees.
        liveness: Liveness,
    },
    /// The kernel dropped segments because of their TCP-MD5 option. Its counter does not say whose
    /// they were, so all peers that cannot connect hear of it.
    AuthenticationFailed {
        /// How many since the last such report.
        segments: u64,
    },
}

/// A connection that somebody made to a listening socket.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The other end.
    pub remote: SocketAddr,
    /// The interface that it came in through, if the address is link-local or it is known.
    pub interface: Option<&'a str>,
    /// Our addresses on it.
    pub addresses: LocalAddresses,
}
