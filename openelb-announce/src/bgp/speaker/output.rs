//! What a speaker wants done, and what it reports.

use super::Event;
use crate::bgp::config::{Neighbor, Password};
use crate::bgp::route::PeerName;
use crate::bgp::session::ConnectionId;
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// What a [`Speaker`](super::Speaker) wants done, in this order.
///
/// [`Listen`](Self::Listen), [`Keys`](Self::Keys), [`Discover`](Self::Discover) and
/// [`Watch`](Self::Watch) each name the whole set that holds from now on; what is not in it any more
/// ends. [`Keys`](Self::Keys) come before the [`Listen`](Self::Listen) that they guard.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Dial a peer. Answered with [`Opened`](super::Input::Opened) or
    /// [`OpenFailed`](super::Input::OpenFailed).
    Connect {
        /// The number of the connection.
        connection: ConnectionId,
        /// Where to, and how.
        target: Target,
    },
    /// Close a connection, or give up a dial. Answered with [`Closed`](super::Input::Closed).
    Close {
        /// Which one.
        connection: ConnectionId,
        /// First send what [`transmit`](super::Speaker::transmit) still gives, as far as TCP takes
        /// it within a second: the last message says why.
        after_flush: bool,
    },
    /// There is something to send: call [`transmit`](super::Speaker::transmit) while TCP has room.
    Wake(ConnectionId),
    /// Listen on these addresses.
    Listen(BTreeSet<SocketAddr>),
    /// Connections to the listeners from here must carry these TCP-MD5 keys.
    Keys(Vec<Key>),
    /// Look for the router at the other end of these interfaces.
    Discover(BTreeSet<String>),
    /// Let BFD watch these peers.
    Watch(BTreeMap<PeerName, Watched>),
    /// Something that users should see.
    Event(Event),
}

/// Where a dial goes, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The peer's address; its port is in the settings.
    pub address: IpAddr,
    /// The interface of a link-local address.
    pub interface: Option<String>,
    /// How to speak with the peer: its transport settings and its key matter here.
    pub neighbor: Arc<Neighbor>,
}

/// A TCP-MD5 key of listeners (RFC 2385).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Whose connections need it.
    pub remote: IpNet,
    /// The interface of link-local addresses; `None`: any.
    pub interface: Option<String>,
    /// The key.
    pub password: Password,
}

/// A peer that BFD should watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The group of dynamic neighbours that it came out of.
    pub group: Option<PeerName>,
    /// The peer's address.
    pub remote: IpAddr,
    /// Ours, once a session or the settings say which one it is.
    pub local: Option<IpAddr>,
    /// The interface of a link-local address.
    pub interface: Option<String>,
    /// Is the peer several hops away (RFC 5883)?
    pub multihop: bool,
}
