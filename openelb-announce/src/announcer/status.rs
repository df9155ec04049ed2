//! What the announcer reports: how far each address has come, where, and what stands in the way.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::announcement::RouterName;
use crate::claim;
use crate::driver::port::Counters;
use crate::link::{InterfaceSelector, NoInterface};
use crate::ownership;
use crate::vrrp;
use crate::wire::Mac;

/// One desired address, as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressStatus {
    /// The address.
    pub address: IpAddr,
    /// Where it was asked to be announced; several when it was asked for more than once.
    pub selectors: Vec<InterfaceSelector>,
    /// How it stands on each interface that is meant; empty when there is none.
    pub places: Vec<Place>,
    /// Why there is no interface, for each selector that means none.
    pub missing: Vec<NoInterface>,
    /// What may keep clients from reaching the address although it is announced.
    pub warnings: Vec<Warning>,
}

impl AddressStatus {
    /// The state that matters most: the best of all interfaces, or that there is none.
    pub fn state(&self) -> State {
        self.places
            .iter()
            .map(|place| place.state.clone())
            .min()
            .unwrap_or(State::NoInterface)
    }
}

/// How an address stands on one interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The interface's present name.
    pub interface: String,
    /// How far the address has come there.
    pub state: State,
}

/// How far an address has come. The order is from best to worst.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum State {
    /// It is answered for. When another station was lately seen using it too, that is named.
    Announced {
        /// The other station, seen within the last minute.
        contested_by: Option<Mac>,
    },
    /// It is being made sure that nobody else uses it.
    Probing,
    /// It waits its turn: probes and announcements are paced.
    Waiting,
    /// Somebody else uses it, so it is not announced. It is tried again from time to time.
    Conflict {
        /// The other station.
        mac: Option<Mac>,
    },
    /// Its solicited-node group would be one too many on this interface. Give out IPv6 addresses
    /// that share their low 24 bits, or raise the limit.
    GroupsExhausted,
    /// Ready to be answered for, but another node does, or it is not known yet who does.
    Standby,
    /// The interface is down or has no carrier.
    LinkDown,
    /// The packet socket is not open (yet).
    NoSocket {
        /// Why, once opening it was tried.
        reason: Option<String>,
    },
    /// The address cannot be announced at all.
    Unsuitable,
    /// No interface is meant: see [`AddressStatus::missing`].
    NoInterface,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Announced { contested_by: None } => f.write_str("announced"),
            Self::Announced {
                contested_by: Some(mac),
            } => {
                write!(f, "announced, but {mac} uses it too")
            }
            Self::Probing => f.write_str("probing"),
            Self::Waiting => f.write_str("waiting"),
            Self::Conflict { mac: Some(mac) } => write!(f, "conflict: {mac} uses it"),
            Self::Conflict { mac: None } => f.write_str("conflict"),
            Self::GroupsExhausted => f.write_str("no solicited-node group left"),
            Self::Standby => f.write_str("standby"),
            Self::LinkDown => f.write_str("link down"),
            Self::NoSocket { reason: None } => f.write_str("opening a socket"),
            Self::NoSocket {
                reason: Some(reason),
            } => write!(f, "no socket: {reason}"),
            Self::Unsuitable => f.write_str("not an address that a host can own"),
            Self::NoInterface => f.write_str("no interface"),
        }
    }
}

/// Something about the host that may keep clients from reaching an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// The kernel answers ARP for the address too, on every interface of every host that has it.
    #[error(
        "{address} is also on interface {owner} of this host and net.ipv4.conf.{interface}.arp_ignore \
         is 0, so the kernel of every host that has it answers ARP for it; set arp_ignore=1 and \
         arp_announce=2 (kube-proxy: strictARP), or remove the address"
    )]
    KernelAnswersToo {
        /// The address.
        address: IpAddr,
        /// The interface that has it.
        owner: String,
        /// The interface on which it is announced.
        interface: String,
    },
    /// The announcing interface itself has the address, so the kernel defends it by its own rules.
    #[error(
        "{address} is an address of interface {interface} itself; the kernel answers for it too and \
         goes on when it is withdrawn; remove it from the interface"
    )]
    OnAnnouncingInterface {
        /// The address.
        address: IpAddr,
        /// The interface that has it and announces it.
        interface: String,
    },
    /// Requests from clients whose route is not this interface are dropped.
    #[error(
        "net.ipv4.conf.{interface}.rp_filter is 1 (strict) and this host has several networks: \
         requests from clients that it would reach over another interface are dropped; set it to 2"
    )]
    StrictReversePath {
        /// The announcing interface.
        interface: String,
    },
}

/// One interface on which something is announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceStatus {
    /// Its present name.
    pub name: String,
    /// The kernel's number for it.
    pub index: u32,
    /// The hardware address that answers carry.
    pub mac: Option<Mac>,
    /// Is it up, with a carrier?
    pub is_up: bool,
    /// What was done for IPv4 addresses.
    pub arp: Counters,
    /// What was done for IPv6 addresses.
    pub ndp: Counters,
    /// What went wrong last, if anything.
    pub last_error: Option<String>,
}

/// Something happened that a front end may want to know at once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A machine reported on an address.
    Address {
        /// The interface.
        interface: Arc<str>,
        /// What happened there.
        event: claim::Event,
    },
    /// A virtual router reported.
    Router {
        /// What the desired set calls it.
        router: RouterName,
        /// The interface.
        interface: Arc<str>,
        /// What happened there.
        event: vrrp::Event,
    },
    /// The election of a link reported.
    Ownership {
        /// The interface.
        interface: Arc<str>,
        /// What happened there.
        event: ownership::Event,
    },
    /// The I/O thread was kept from running for longer than some of what it does tolerates; that was
    /// silenced and starts again.
    Paused {
        /// For how long.
        pause: Duration,
        /// What starts again, in words, such as `elected addresses`.
        lapsed: String,
    },
    /// The queue of events was full and this many were not told. Ask for the status.
    Missed(u64),
}
