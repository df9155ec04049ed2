//! The routes of a node: the addresses that it announces, as their pools would have it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use openelb_announce::bgp::family::Family;
use openelb_announce::bgp::route::{Advertisement, NextHopMode, Route, aggregate};

use super::fitness::Nodes;
use super::pools::Pool;
use super::{Claim, Row};
use crate::api::Protocol;
use crate::cluster::TrafficPolicy;

/// The routes of everything that is announced here over BGP.
pub(super) fn routes<'a>(
    claims: impl Iterator<Item = (&'a Claim<'a>, &'a Row)>,
    nodes: &Nodes<'_>,
) -> Vec<Route> {
    let announced: Vec<_> = claims
        .filter(|(_, row)| row.here.is_ok() && row.protocol == Protocol::Bgp)
        .filter_map(|(claim, _)| Some((claim, claim.pool?)))
        .collect();
    // Many services have endpoints on the same nodes: their advertisements are made once.
    let mut by_nodes: BTreeMap<_, Vec<Advertisement>> = BTreeMap::new();
    for (claim, pool) in &announced {
        if let Some(served) = served_by(claim, pool) {
            by_nodes
                .entry((pool.name, served))
                .or_insert_with_key(|(_, served)| of_local(pool, nodes, served));
        }
    }
    let addresses = announced.iter().map(|(claim, pool)| {
        let local = served_by(claim, pool).and_then(|it| by_nodes.get(&(pool.name, it)));
        let ways = local.map_or(&pool.advertisements[..], Vec::as_slice);
        (claim.address, ways)
    });
    aggregate(addresses, &nodes.mine.name)
}

/// The nodes that have endpoints, where it matters to the routes: under `Local`, in a pool that leads
/// to nodes.
fn served_by<'a>(claim: &Claim<'a>, pool: &Pool<'_>) -> Option<&'a BTreeSet<&'a str>> {
    let leads_to_nodes = |way: &Advertisement| matches!(way.next_hop, NextHopMode::Nodes(_));
    let is_local = claim.policy == TrafficPolicy::Local;
    let matters = is_local && pool.advertisements.iter().any(leads_to_nodes);
    let served = claim.endpoints.filter(|_| matters)?;
    Some(&served.of(claim.address).nodes)
}

/// The pool's advertisements with only those nodes as next hops. In an aggregate there may be other
/// addresses with endpoints elsewhere, so there each node speaks for itself.
fn of_local(pool: &Pool<'_>, nodes: &Nodes<'_>, served: &BTreeSet<&str>) -> Vec<Advertisement> {
    let hops = nodes.next_hops(pool.eip, TrafficPolicy::Local, |node| served.contains(node));
    let hops: std::sync::Arc<[IpAddr]> = hops.into();
    let of_way = |way: &Advertisement| {
        let is_host = |family: Family| way.aggregation[family] == family.host_length();
        let is_exact = is_host(Family::Ipv4Unicast) && is_host(Family::Ipv6Unicast);
        let next_hop = match &way.next_hop {
            NextHopMode::Nodes(_) if is_exact => NextHopMode::Nodes(hops.clone()),
            NextHopMode::Nodes(_) => NextHopMode::Own,
            other => other.clone(),
        };
        Advertisement {
            next_hop,
            ..way.clone()
        }
    };
    pool.advertisements.iter().map(of_way).collect()
}
