//! What a speaker is told to be: plain data with defaults, checks, and what a change of it costs.
//!
//! A [`Config`] is the whole of it; a front end builds a new one for every edit and hands it over.
//! [`Config::validate`] refuses it whole, naming every fault, before anything is touched.
//! [`Neighbor::session_differs`] says which changes need a new session; all others apply live.

mod difference;
mod password;
mod settings;
mod validate;

use super::asn::{Asn, RouterId};
use super::policy::Policy;
use super::route::PeerName;
use ipnet::IpNet;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

pub use password::{Password, PasswordError};
pub use settings::{
    FamilySettings, GracefulRestart, Liveness, PORT, RemoteAs, Settings, Timers, Transport,
};
pub use validate::{ConfigError, Fault, Place, Reason};

/// Everything that a speaker is configured with.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The AS that this speaker belongs to, unless a peer's settings say otherwise.
    pub asn: Asn,
    /// Who this speaker is, to all its peers (RFC 6286: unique within the AS).
    pub router_id: RouterId,
    /// Where connections are accepted; empty: nowhere, this speaker only dials.
    pub listen: Vec<SocketAddr>,
    /// The neighbours, by names that differ.
    pub peers: Vec<Peer>,
    /// The ranges out of which anybody may connect.
    pub dynamic: Vec<Dynamic>,
    /// What is done to routes before they are sent to any peer; what it lets pass, the peer's own
    /// policy is asked about.
    pub policy: Arc<Policy>,
    /// The longest wait for the front end to say that its routes are complete, counted from the
    /// start; after it End-of-RIB is sent all the same (RFC 4724 section 4.1). Default 360 s.
    pub deferral_time: Duration,
}

impl Config {
    /// A speaker without peers that listens nowhere.
    pub fn new(asn: Asn, router_id: RouterId) -> Self {
        Self {
            asn,
            router_id,
            listen: Vec::new(),
            peers: Vec::new(),
            dynamic: Vec::new(),
            policy: Arc::new(Policy::default()),
            deferral_time: Duration::from_mins(6),
        }
    }

    /// What the session with `peer` is made from.
    pub fn neighbor(&self, peer: &Peer) -> Neighbor {
        self.adopt(peer.name.clone(), peer.remote.clone(), &peer.settings)
    }

    /// What the session with `address`, which connected out of the ranges of `group`, is made from.
    ///
    /// Its name is the group's with the address behind it. It never dials.
    pub fn dynamic_neighbor(
        &self,
        group: &Dynamic,
        address: IpAddr,
        interface: Option<&str>,
    ) -> Neighbor {
        let name = PeerName::from(format!("{}/{address}", group.name));
        let interface = interface.filter(|_| is_link_local(address));
        let remote = Remote::Address {
            address,
            interface: interface.map(str::to_owned),
        };
        let mut neighbor = self.adopt(name, remote, &group.settings);
        neighbor.settings.passive = true;
        neighbor
    }

    fn adopt(&self, name: PeerName, remote: Remote, settings: &Settings) -> Neighbor {
        Neighbor {
            name,
            remote,
            local_as: settings.local_as.unwrap_or(self.asn),
            router_id: self.router_id,
            settings: settings.clone(),
        }
    }
}

/// A neighbour as configured. A template is a [`Settings`] value that several of them clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Peer {
    /// What users call it. A peer keeps its session through a change of anything else that does not
    /// concern the session.
    pub name: PeerName,
    /// Where it is.
    pub remote: Remote,
    /// How to speak with it.
    pub settings: Settings,
}

/// Where a neighbour is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Remote {
    /// At this address.
    Address {
        /// The address that is dialled and that accepted connections must come from.
        address: IpAddr,
        /// The interface of a link-local address; `None` for all others.
        interface: Option<String>,
    },
    /// Whoever is found on this point-to-point interface by its router advertisements: unnumbered.
    Interface(String),
}

impl Remote {
    /// The address, if it is known from the configuration alone.
    pub const fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Address { address, .. } => Some(*address),
            Self::Interface(_) => None,
        }
    }

    /// The interface, if the configuration names one.
    pub fn interface(&self) -> Option<&str> {
        match self {
            Self::Address { interface, .. } => interface.as_deref(),
            Self::Interface(name) => Some(name),
        }
    }
}

impl From<IpAddr> for Remote {
    fn from(address: IpAddr) -> Self {
        Self::Address {
            address,
            interface: None,
        }
    }
}

impl fmt::Display for Remote {
    /// `192.0.2.1`, `fe80::1%eth0` or `eth0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { address, interface } => {
                write!(f, "{address}")?;
                interface
                    .as_deref()
                    .map_or(Ok(()), |name| write!(f, "%{name}"))
            }
            Self::Interface(name) => f.write_str(name),
        }
    }
}

/// Neighbours that need not be named one by one: whoever connects out of these ranges.
#[derive(Clone, Debug, PartialEq)]
pub struct Dynamic {
    /// What the names of its members begin with.
    pub name: PeerName,
    /// Where they may connect from; host bits are zero, and no two ranges of a speaker overlap.
    pub ranges: Vec<IpNet>,
    /// How many of them may be connected at once.
    pub limit: u32,
    /// How to speak with each of them.
    pub settings: Settings,
}

/// All that the session with one neighbour is made from: its settings with the speaker's own put in.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbor {
    /// The peer's name.
    pub name: PeerName,
    /// Where it is.
    pub remote: Remote,
    /// The AS that this speaker shows to it.
    pub local_as: Asn,
    /// Who this speaker is.
    pub router_id: RouterId,
    /// How to speak with it.
    pub settings: Settings,
}

impl Neighbor {
    /// Would `asn` make this an internal session; `None` if that AS is not expected at all?
    ///
    /// That is the check of the peer's OPEN (RFC 4271 section 6.2, Bad Peer AS).
    pub fn accepts(&self, asn: Asn) -> Option<SessionKind> {
        let kind = if asn == self.local_as {
            SessionKind::Internal
        } else {
            SessionKind::External
        };
        let expected = match self.settings.remote_as {
            RemoteAs::Exactly(wanted) => wanted == asn,
            RemoteAs::External => kind == SessionKind::External,
            RemoteAs::Internal => kind == SessionKind::Internal,
        };
        expected.then_some(kind)
    }

    /// The TTL or hop limit of what is sent to the peer; `None`: the kernel's default.
    ///
    /// Packets to an external peer on our own link live for one hop, so that a wrong route cannot
    /// carry the session elsewhere; GTSM needs 255 (RFC 5082 section 3).
    pub fn hop_limit(&self) -> Option<u8> {
        let transport = &self.settings.transport;
        let is_external = match self.settings.remote_as {
            RemoteAs::Exactly(asn) => asn != self.local_as,
            RemoteAs::External => true,
            RemoteAs::Internal => false,
        };
        let default = is_external.then_some(1);
        let secured = transport.gtsm.map(|_| u8::MAX);
        secured.or(transport.multihop).or(default)
    }

    /// Should BFD treat the peer as one that is several hops away (RFC 5883)?
    pub fn is_multihop(&self) -> bool {
        self.settings.transport.multihop.is_some()
    }
}

/// Is the peer in our own AS?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionKind {
    /// iBGP.
    Internal,
    /// eBGP.
    External,
}

/// Does `address` mean something only on one link?
pub(super) const fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => Ipv6Addr::is_unicast_link_local(&address),
    }
}

#[cfg(test)]
mod tests;
