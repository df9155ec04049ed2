//! Refuses a configuration that cannot work, naming every fault at once.

mod reason;
mod settings;

pub use reason::Reason;

use super::{Config, Dynamic, Peer, Remote, is_link_local};
use crate::bgp::asn::Asn;
use crate::bgp::route::PeerName;
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

/// Why a configuration is refused; whatever was configured before stays in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Every fault, in the order of the configuration; at least one.
    pub faults: Vec<Fault>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, fault) in self.faults.iter().enumerate() {
            let separator = if number == 0 { "" } else { "; " };
            write!(f, "{separator}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {field}: {reason}")]
pub struct Fault {
    /// Whose setting it is.
    pub place: Place,
    /// The field as it is called in this module.
    pub field: &'static str,
    /// What is wrong with it, and what to do.
    pub reason: Reason,
}

/// Whose setting a [`Fault`] is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The speaker's own.
    Speaker,
    /// A peer's.
    Peer(PeerName),
    /// That of a group of dynamic neighbours.
    Dynamic(PeerName),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Speaker => f.write_str("speaker"),
            Self::Peer(name) => write!(f, "peer {name}"),
            Self::Dynamic(name) => write!(f, "dynamic neighbors {name}"),
        }
    }
}

impl Config {
    /// Checks everything that can be checked without a network. O(n log n) in the number of peers,
    /// quadratic in the number of dynamic ranges.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let mut faults = Faults::default();
        self.check_speaker(&mut faults);
        self.check_names(&mut faults);
        let mut remotes = BTreeMap::new();
        for peer in &self.peers {
            faults.place = Place::Peer(peer.name.clone());
            self.check_peer(peer, &mut faults);
            let first = remotes.entry(peer.remote.to_string()).or_insert(&peer.name);
            faults.check("remote", *first == &peer.name, || Reason::SameRemote {
                remote: peer.remote.to_string(),
                other: (*first).clone(),
            });
        }
        for group in &self.dynamic {
            faults.place = Place::Dynamic(group.name.clone());
            self.check_dynamic(group, &mut faults);
        }
        self.check_overlaps(&mut faults);
        faults.into_result()
    }

    fn check_speaker(&self, faults: &mut Faults) {
        faults.check_as("asn", self.asn);
        let mut seen = BTreeSet::new();
        for address in &self.listen {
            faults.check("listen", seen.insert(address), || {
                Reason::Twice(address.to_string())
            });
        }
    }

    fn check_names(&self, faults: &mut Faults) {
        let peers = self
            .peers
            .iter()
            .map(|peer| (&peer.name, Place::Peer as fn(_) -> _));
        let groups = self
            .dynamic
            .iter()
            .map(|group| (&group.name, Place::Dynamic as fn(_) -> _));
        let mut seen = BTreeSet::new();
        for (name, place) in peers.chain(groups) {
            faults.place = place(name.clone());
            faults.check("name", !name.as_str().is_empty(), || Reason::Empty);
            faults.check("name", seen.insert(name), || {
                Reason::Twice(name.to_string())
            });
        }
    }

    fn check_peer(&self, peer: &Peer, faults: &mut Faults) {
        match &peer.remote {
            Remote::Address { address, interface } => {
                check_remote_address(*address, interface.as_deref(), faults);
            }
            Remote::Interface(name) => faults.check_interface("remote", name),
        }
        let settings = &peer.settings;
        settings::check(settings, settings.local_as.unwrap_or(self.asn), faults);
        settings::check_source(settings, peer.remote.address(), faults);
        let can_meet = !settings.passive || !self.listen.is_empty();
        faults.check("passive", can_meet, || Reason::NobodyListens);
    }

    fn check_dynamic(&self, group: &Dynamic, faults: &mut Faults) {
        let settings = &group.settings;
        settings::check(settings, settings.local_as.unwrap_or(self.asn), faults);
        faults.check("listen", !self.listen.is_empty(), || Reason::NobodyListens);
        faults.check("limit", group.limit > 0, || Reason::Zero);
        let is_strict = settings.liveness.is_some_and(|it| it.strict);
        faults.check("liveness", !is_strict, || Reason::StrictDynamic);
        faults.check("ranges", !group.ranges.is_empty(), || Reason::Empty);
        for range in &group.ranges {
            faults.check("ranges", range.trunc() == *range, || {
                Reason::HostBits(*range)
            });
        }
    }

    fn check_overlaps(&self, faults: &mut Faults) {
        let mut seen: Vec<(&PeerName, &IpNet)> = Vec::new();
        for group in &self.dynamic {
            faults.place = Place::Dynamic(group.name.clone());
            for range in &group.ranges {
                let meets =
                    |(_, other): &&(_, &IpNet)| range.contains(*other) || other.contains(range);
                if let Some((other, with)) = seen.iter().find(meets) {
                    let (range, with, other) = (*range, **with, (*other).clone());
                    faults.report("ranges", Reason::Overlap { range, with, other });
                }
                seen.push((&group.name, range));
            }
        }
    }
}

fn check_remote_address(address: IpAddr, interface: Option<&str>, faults: &mut Faults) {
    faults.check_unicast("remote", address);
    match interface {
        Some(name) => {
            faults.check_interface("remote", name);
            faults.check("remote", is_link_local(address), || {
                Reason::ZoneNotNeeded(address)
            });
        }
        None => faults.check(
            "remote",
            address.is_ipv4() || !is_link_local(address),
            || Reason::NoZone(address),
        ),
    }
}

/// The faults found so far, and whose settings are being looked at.
#[derive(Debug)]
struct Faults {
    place: Place,
    found: Vec<Fault>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            place: Place::Speaker,
            found: Vec::new(),
        }
    }
}

impl Faults {
    fn check(&mut self, field: &'static str, holds: bool, reason: impl FnOnce() -> Reason) {
        if !holds {
            self.report(field, reason());
        }
    }

    fn report(&mut self, field: &'static str, reason: Reason) {
        self.found.push(Fault {
            place: self.place.clone(),
            field,
            reason,
        });
    }

    fn check_as(&mut self, field: &'static str, asn: Asn) {
        self.check(field, !asn.is_reserved(), || Reason::ReservedAs(asn));
    }

    fn check_interface(&mut self, field: &'static str, name: &str) {
        let fits = (1..INTERFACE_NAME_SIZE).contains(&name.len());
        let is_clean = !name.contains(|c: char| c == '/' || c.is_whitespace());
        self.check(field, fits && is_clean, || {
            Reason::Interface(name.to_owned())
        });
    }

    fn check_unicast(&mut self, field: &'static str, address: IpAddr) {
        let is_odd = match address {
            IpAddr::V4(v4) => v4.is_broadcast(),
            IpAddr::V6(v6) => v6.to_ipv4_mapped().is_some(),
        };
        let is_unicast = !is_odd && !address.is_unspecified() && !address.is_multicast();
        self.check(field, is_unicast, || Reason::NotUnicast(address));
    }

    fn into_result(self) -> Result<(), ConfigError> {
        if self.found.is_empty() {
            return Ok(());
        }
        Err(ConfigError { faults: self.found })
    }
}

/// `IFNAMSIZ` of Linux: the longest name and its end.
const INTERFACE_NAME_SIZE: usize = 16;
