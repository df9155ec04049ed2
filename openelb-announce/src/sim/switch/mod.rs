//! A switch that learns where stations are, and where the members of multicast groups are.

use super::datagram;
use crate::time::Time;
use crate::wire::Mac;
use crate::wire::ethernet::Header;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;
use std::time::Duration;

/// How the switch behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwitchOptions {
    /// Does it listen to multicast membership and spare all others the solicited-node groups
    /// (MLD snooping, RFC 4541)? Default true, because that is what finds a missing join.
    pub snooping: bool,
    /// How long it remembers where a silent station was. Default 5 min, as IEEE 802.1D has it.
    pub aging: Duration,
}

impl Default for SwitchOptions {
    fn default() -> Self {
        Self {
            snooping: true,
            aging: Duration::from_mins(5),
        }
    }
}

/// The state of a switch. Ports are numbered by the caller.
#[derive(Clone, Debug)]
pub(super) struct Switch {
    options: SwitchOptions,
    ports: usize,
    stations: BTreeMap<Mac, (usize, Time)>,
    members: BTreeMap<Mac, BTreeSet<usize>>,
}

impl Switch {
    pub(super) const fn new(options: SwitchOptions) -> Self {
        Self {
            options,
            ports: 0,
            stations: BTreeMap::new(),
            members: BTreeMap::new(),
        }
    }

    /// Plugs in one more cable and says at which port.
    pub(super) fn plug(&mut self) -> usize {
        self.ports += 1;
        self.ports - 1
    }

    pub(super) fn join(&mut self, port: usize, group: Ipv6Addr) {
        self.members
            .entry(Mac::of_group(group))
            .or_default()
            .insert(port);
    }

    pub(super) fn leave(&mut self, port: usize, group: Ipv6Addr) {
        if let Some(members) = self.members.get_mut(&Mac::of_group(group)) {
            members.remove(&port);
        }
    }

    /// Forgets where everybody is; memberships stay.
    pub(super) fn forget(&mut self) {
        self.stations.clear();
    }

    /// Learns from a frame that came in at `ingress`, and says at which ports it goes out.
    pub(super) fn forward(&mut self, ingress: usize, frame: &[u8], now: Time) -> Vec<usize> {
        let Ok((header, _)) = Header::split(frame) else {
            return Vec::new();
        };
        if header.source.is_station() {
            self.stations.insert(header.source, (ingress, now));
        }
        let mut egress = self.egress(header.destination, now);
        egress.retain(|port| *port != ingress);
        egress
    }

    fn egress(&self, destination: Mac, now: Time) -> Vec<usize> {
        let aging = self.options.aging;
        match self.stations.get(&destination) {
            Some((port, seen)) if now - *seen <= aging => return vec![*port],
            _ => {}
        }
        if self.options.snooping && is_snooped(destination) {
            let members = self.members.get(&destination);
            return members.into_iter().flatten().copied().collect();
        }
        (0..self.ports).collect()
    }
}

/// The groups that snooping is about here: solicited-node groups and that of beats. Those of all nodes
/// and all routers are flooded by every switch (RFC 4541 section 3).
fn is_snooped(mac: Mac) -> bool {
    matches!(mac.octets(), [0x33, 0x33, 0xff, ..]) || mac == Mac::of_group(datagram::BEATS)
}

#[cfg(test)]
mod tests;
