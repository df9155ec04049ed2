//! From the addresses of services to routes: a pool says how coarsely and with which attributes.

mod check;

use super::{NextHopMode, PeerName, PeerSelection, Route};
use crate::bgp::attribute::Attributes;
use crate::bgp::family::{Family, PerFamily};
use crate::bgp::prefix::Prefix;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

pub use check::{AdvertisementError, check_advertisements};

/// One way in which the addresses of a pool are announced. A pool may have several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertisement {
    /// The length of the prefixes that addresses are announced in; default 32 and 128.
    pub aggregation: PerFamily<u8>,
    /// What is said about these prefixes.
    pub attributes: Arc<Attributes>,
    /// How many more times than once the AS path shows our AS to external peers.
    pub prepend: u8,
    /// Where traffic shall go.
    pub next_hop: NextHopMode,
    /// Who hears of them.
    pub peers: PeerSelection,
    /// Which nodes announce them.
    pub nodes: NodeSelection,
    /// Whether only some services of the pool are announced in this way: then every prefix must be
    /// one address, or it would attract the traffic of services that are left out.
    pub selects_services: bool,
}

impl Default for Advertisement {
    /// Every address as its own route, from every node to every peer.
    fn default() -> Self {
        Self {
            aggregation: PerFamily::from_fn(Family::host_length),
            attributes: Arc::default(),
            prepend: 0,
            next_hop: NextHopMode::default(),
            peers: PeerSelection::default(),
            nodes: NodeSelection::default(),
            selects_services: false,
        }
    }
}

/// Which nodes announce.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NodeSelection {
    /// Every node.
    #[default]
    All,
    /// These.
    Named(Arc<BTreeSet<String>>),
}

impl NodeSelection {
    /// Whether `node` announces.
    pub fn selects(&self, node: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.contains(node),
        }
    }
}

/// The routes that `node` announces for addresses, each with the advertisements of its pool.
///
/// Addresses in one aggregate make one route: it goes when the last of them goes. Where several
/// advertisements give one prefix to one peer, the route has the communities of all of them, and
/// the rest from the first; [`check_advertisements`] refuses those whose rest differs. An address
/// may come several times, as services share it. The routes come in the order of their prefixes.
///
/// ```
/// use openelb_announce::bgp::route::{Advertisement, aggregate};
///
/// let ways = [Advertisement::default()];
/// let routes = aggregate([("192.0.2.10".parse()?, &ways[..])], "node-a");
/// assert_eq!(routes[0].prefix.to_string(), "192.0.2.10/32");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn aggregate<'a>(
    addresses: impl IntoIterator<Item = (IpAddr, &'a [Advertisement])>,
    node: &str,
) -> Vec<Route> {
    let mut prefixes: BTreeMap<Prefix, Vec<&Advertisement>> = BTreeMap::new();
    for (address, ways) in addresses {
        for way in ways.iter().filter(|way| way.nodes.selects(node)) {
            let length = way.aggregation[Family::of(address)];
            let prefix =
                Prefix::truncate(address, length).unwrap_or_else(|_| Prefix::host(address));
            let of_prefix = prefixes.entry(prefix).or_default();
            if !of_prefix.contains(&way) {
                of_prefix.push(way);
            }
        }
    }
    let routes = prefixes.into_iter();
    routes
        .flat_map(|(prefix, ways)| routes_to(prefix, &ways))
        .collect()
}

/// One route for each set of peers that hear of the same advertisements.
fn routes_to(prefix: Prefix, ways: &[&Advertisement]) -> Vec<Route> {
    if let [way] = ways {
        return vec![union(prefix, &[*way], way.peers.clone())];
    }
    let for_all = ways_for(ways, |peers| *peers == PeerSelection::All);
    let mut audiences: Vec<(Vec<&Advertisement>, Vec<PeerName>)> = Vec::new();
    for peer in named_peers(ways) {
        let heard = ways_for(ways, |peers| peers.selects(peer));
        match audiences.iter_mut().find(|(ways, _)| *ways == heard) {
            Some((_, peers)) => peers.push(peer.clone()),
            None => audiences.push((heard, vec![peer.clone()])),
        }
    }
    let named = audiences.into_iter().filter(|(ways, _)| *ways != for_all);
    let mut routes: Vec<_> = named
        .map(|(ways, peers)| union(prefix, &ways, peers.into_iter().collect()))
        .collect();
    if !for_all.is_empty() {
        routes.push(union(prefix, &for_all, PeerSelection::All));
    }
    routes
}

fn ways_for<'a>(
    ways: &[&'a Advertisement],
    hears: impl Fn(&PeerSelection) -> bool,
) -> Vec<&'a Advertisement> {
    let found = ways.iter().filter(|way| hears(&way.peers));
    found.copied().collect()
}

fn named_peers<'a>(ways: &[&'a Advertisement]) -> BTreeSet<&'a PeerName> {
    let names = ways.iter().filter_map(|way| match &way.peers {
        PeerSelection::All => None,
        PeerSelection::Named(names) => Some(names.iter()),
    });
    names.flatten().collect()
}

fn union(prefix: Prefix, ways: &[&Advertisement], peers: PeerSelection) -> Route {
    let Some((first, others)) = ways.split_first() else {
        return Route {
            peers,
            ..Route::to(prefix)
        };
    };
    let mut attributes = Arc::clone(&first.attributes);
    for way in others {
        let (all, more) = (Arc::make_mut(&mut attributes), &way.attributes);
        all.communities.extend(more.communities.iter());
        all.large_communities.extend(more.large_communities.iter());
        let extended = more.extended_communities.iter();
        all.extended_communities.extend(extended);
    }
    Route {
        prefix,
        attributes,
        next_hop: first.next_hop.clone(),
        peers,
        prepend: first.prepend,
    }
}

#[cfg(test)]
mod tests;
