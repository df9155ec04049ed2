//! How a virtual router stands.

use std::net::IpAddr;
use std::time::Duration;

use crate::announcer::announcement::{RouterName, VirtualRouter};
use crate::vrrp::machine::Advertiser;
use crate::vrrp::machine::Counters;
use crate::vrrp::{Family, Interval, State, Vrid};
use crate::wire::Mac;

/// One virtual router on one interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouterStatus {
    /// What the desired set calls it.
    pub name: RouterName,
    /// The interface's present name.
    pub interface: String,
    /// Its identifier on the link.
    pub vrid: Vrid,
    /// The family of its addresses.
    pub family: Family,
    /// Initialize, Backup or Active.
    pub state: State,
    /// For how long it has been in that state.
    pub since: Duration,
    /// The priority in use.
    pub priority: u8,
    /// Who is Active as far as this host knows; itself when it is.
    pub active: Option<Advertiser>,
    /// How often the Active router advertises.
    pub interval: Interval,
    /// How long it may be silent before this host takes over.
    pub active_down_interval: Duration,
    /// The address that this host sends from; `None` when the interface has none that is fit.
    pub primary: Option<IpAddr>,
    /// What is answered for while Active, in the order of the wire.
    pub addresses: Vec<IpAddr>,
    /// The hardware address that answers carry, if it is not the interface's own.
    pub virtual_mac: Option<Mac>,
    /// What was sent, heard and refused.
    pub counters: Counters,
    /// What went wrong last, if anything.
    pub last_error: Option<String>,
}

impl RouterStatus {
    /// A router that takes no part on an interface because `other` has its VRID there.
    pub(super) fn displaced(router: &VirtualRouter, interface: &str, other: &RouterName) -> Self {
        let settings = &router.settings;
        let vrid = settings.vrid;
        let problem = format!(
            "the virtual router {other} has VRID {vrid} on {interface} as well, and comes first; give \
             one of them another VRID, or interfaces of its own"
        );
        Self {
            name: router.name.clone(),
            interface: interface.to_owned(),
            vrid,
            family: settings.family,
            state: State::Initialize,
            since: Duration::ZERO,
            priority: settings.priority,
            active: None,
            interval: settings.interval,
            active_down_interval: Duration::ZERO,
            primary: None,
            addresses: settings.addresses.clone(),
            virtual_mac: None,
            counters: Counters::default(),
            last_error: Some(problem),
        }
    }
}
