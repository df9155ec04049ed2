//! From gateways to the links that they are on, as the host looks now.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use super::status::Refusal;
use crate::forwarding::{GatewayV4, GatewayV6, Route};
use crate::link::routes::Hop;
use crate::link::topology::{Link, Media, Topology};

/// The neighbours of a route, and the first reason why one of its gateways is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Resolved {
    pub(super) hops: BTreeSet<Hop>,
    pub(super) refusal: Option<Refusal>,
}

/// The subnets of a host. Made anew for each comparison: O(n) in its addresses, and then O(subnets)
/// for each gateway that was not asked for before.
pub(super) struct Neighborhood<'a> {
    topology: &'a Topology,
    own: BTreeSet<IpAddr>,
    subnets: Vec<(IpNet, &'a Link)>,
    known: BTreeMap<(IpAddr, Option<String>), Result<Hop, Refusal>>,
}

impl<'a> Neighborhood<'a> {
    pub(super) fn new(topology: &'a Topology) -> Self {
        let links = topology
            .links()
            .filter(|link| link.media != Media::Loopback);
        let subnets = links.flat_map(|link| {
            let addresses = topology.addresses(link.index);
            let shared = addresses.filter(|net| net.prefix_len() < net.max_prefix_len());
            shared.map(move |net| (net.trunc(), link))
        });
        Self {
            topology,
            own: topology.own_addresses().map(|(own, _)| own).collect(),
            subnets: subnets.collect(),
            known: BTreeMap::new(),
        }
    }

    /// Where the packets of `route` go from here. A gateway that cannot be used does not keep the
    /// others from being used.
    pub(super) fn resolve(&mut self, route: &Route) -> Resolved {
        let mut resolved = Resolved::default();
        let mut take = |found: Result<Hop, Refusal>| match found {
            Ok(hop) => drop(resolved.hops.insert(hop)),
            Err(why) => drop(resolved.refusal.get_or_insert(why)),
        };
        match route {
            Route::V4 { gateways, .. } => {
                for gateway in gateways {
                    take(self.v4(gateway));
                }
            }
            Route::V6 { gateways, .. } => {
                for gateway in gateways {
                    take(self.v6(gateway));
                }
            }
        }
        if resolved.hops.is_empty() {
            resolved.refusal.get_or_insert(Refusal::NoGateway);
        }
        resolved
    }

    fn v4(&mut self, gateway: &GatewayV4) -> Result<Hop, Refusal> {
        match gateway {
            GatewayV4::V4(address) => self.find((*address).into(), None),
            GatewayV4::V6(gateway) => self.v6(gateway),
        }
    }

    fn v6(&mut self, gateway: &GatewayV6) -> Result<Hop, Refusal> {
        self.find(gateway.address().into(), gateway.interface())
    }

    /// Thousands of routes share a few gateways.
    fn find(&mut self, gateway: IpAddr, interface: Option<&str>) -> Result<Hop, Refusal> {
        let key = (gateway, interface.map(str::to_owned));
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let link = match interface {
            Some(name) => self.named(gateway, name),
            None => self.connected(gateway),
        };
        let found = link.and_then(|link| up(gateway, link));
        self.known.insert(key, found.clone());
        found
    }

    /// Every link has the same link-local prefix, so only this link's own addresses count.
    fn named(&self, gateway: IpAddr, name: &str) -> Result<&'a Link, Refusal> {
        let link = self.topology.link_named(name);
        let link = link.ok_or_else(|| Refusal::NoInterface {
            gateway,
            interface: name.to_owned(),
        })?;
        let mut own = self.topology.addresses(link.index);
        if own.any(|net| net.addr() == gateway) {
            return Err(Refusal::Own(gateway));
        }
        Ok(link)
    }

    /// The longest subnet counts, and of equal ones that of a link that is up.
    fn connected(&self, gateway: IpAddr) -> Result<&'a Link, Refusal> {
        if self.own.contains(&gateway) {
            return Err(Refusal::Own(gateway));
        }
        let subnets = self.subnets.iter();
        let around = subnets.filter(|(net, _)| net.contains(&gateway));
        let best = around.max_by_key(|(net, link)| (net.prefix_len(), link.is_up));
        best.map(|(_, link)| *link)
            .ok_or(Refusal::NotConnected(gateway))
    }
}

fn up(gateway: IpAddr, link: &Link) -> Result<Hop, Refusal> {
    if !link.is_up {
        return Err(Refusal::LinkDown {
            gateway,
            interface: link.name.clone(),
        });
    }
    Ok(Hop {
        gateway,
        link: link.index,
    })
}

#[cfg(test)]
mod tests;
