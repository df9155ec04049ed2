//! What a router should have been told, worked out from the routes alone.

use super::super::Table;
use super::{RouterId, Site};
use crate::bgp::asn::Asn;
use crate::bgp::attribute::Attributes;
use crate::bgp::community::Community;
use crate::bgp::config::{RemoteAs, Settings};
use crate::bgp::family::{Family, FamilySet};
use crate::bgp::prefix::Prefix;
use crate::bgp::route::{NextHopMode, Route};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What a path should look like, in the words of a person: where it leads, the AS path, the local
/// preference, and the communities.
pub(super) type Look = (IpAddr, Vec<Asn>, Option<u32>, Vec<Community>);

/// What the router with this number should know, if its session carries `families`.
pub(super) fn expected(
    site: &Site,
    number: usize,
    routes: &[Route],
    settings: &Settings,
    families: FamilySet,
) -> BTreeMap<Prefix, Look> {
    let name = super::name(number).as_str().into();
    let wanted = |route: &&Route| {
        let family = route.prefix.family();
        families.contains(family) && route.peers.selects(&name)
    };
    let addresses = site.fabric.addresses(site.speaker);
    let look = |route: &Route| {
        let own: IpAddr = match route.prefix.family() {
            Family::Ipv4Unicast => addresses.v4.map(IpAddr::from)?,
            Family::Ipv6Unicast => addresses.v6_global.map(IpAddr::from)?,
        };
        let next_hop = match &route.next_hop {
            NextHopMode::Exactly(address) => *address,
            NextHopMode::Own | NextHopMode::Nodes(_) => own,
        };
        let is_internal = settings.remote_as == RemoteAs::Internal;
        let copies = usize::from(route.prepend) + 1;
        let as_path = if is_internal {
            Vec::new()
        } else {
            vec![Asn(64_512); copies]
        };
        let mut communities: Vec<Community> = route.attributes.communities.iter().collect();
        if settings.graceful_shutdown {
            communities.push(Community::GRACEFUL_SHUTDOWN);
            communities.sort();
        }
        let preference = route.attributes.local_pref.unwrap_or(100);
        let is_leaving = settings.graceful_shutdown;
        let local_pref = is_internal.then_some(if is_leaving { 0 } else { preference });
        Some((route.prefix, (next_hop, as_path, local_pref, communities)))
    };
    routes.iter().filter(wanted).filter_map(look).collect()
}

/// What the router knows.
pub(super) fn known(site: &Site, router: RouterId) -> BTreeMap<Prefix, Look> {
    let table = site.fabric.table(router, site.speaker);
    let paths = table.into_iter().flat_map(Table::paths);
    paths
        .map(|((prefix, _), path)| (*prefix, look(path.next_hop.address(), &path.attributes)))
        .collect()
}

fn look(next_hop: IpAddr, attributes: &Attributes) -> Look {
    let communities = attributes.communities.iter().collect();
    let segments = attributes.as_path.segments().iter();
    let as_path = segments
        .flat_map(|segment| segment.asns.iter().copied())
        .collect();
    (next_hop, as_path, attributes.local_pref, communities)
}
