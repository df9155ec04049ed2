use super::{Advertisement, AdvertisementError, NodeSelection, aggregate, check_advertisements};
use crate::bgp::attribute::Attributes;
use crate::bgp::community::Community;
use crate::bgp::family::{Family, PerFamily};
use crate::bgp::route::{PeerName, PeerSelection, Route};
use std::net::IpAddr;
use std::sync::Arc;

fn at(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn lengths(ipv4: u8, ipv6: u8) -> PerFamily<u8> {
    PerFamily { ipv4, ipv6 }
}

fn to_v4(ipv4: u8) -> Advertisement {
    Advertisement {
        aggregation: lengths(ipv4, 128),
        ..Advertisement::default()
    }
}

fn with(local_pref: Option<u32>, communities: &[&str]) -> Arc<Attributes> {
    let communities = communities.iter().map(|text| text.parse().unwrap());
    Arc::new(Attributes {
        local_pref,
        communities: communities.collect(),
        ..Attributes::default()
    })
}

fn routes(addresses: &[&str], ways: &[Advertisement]) -> Vec<Route> {
    let addresses = addresses.iter().map(|address| (at(address), ways));
    aggregate(addresses, "node-a")
}

fn prefixes(routes: &[Route]) -> Vec<String> {
    let prefixes = routes.iter().map(|route| route.prefix.to_string());
    prefixes.collect()
}

fn check(ways: &[Advertisement], pool: &[(&str, &str)]) -> Result<(), AdvertisementError> {
    let pool: Vec<_> = pool
        .iter()
        .map(|(first, last)| (at(first), at(last)))
        .collect();
    check_advertisements(ways, &pool)
}

const POOL: &[(&str, &str)] = &[("192.0.2.0", "192.0.2.255")];
const DUAL: &[(&str, &str)] = &[
    ("192.0.2.0", "192.0.2.255"),
    ("2001:db8::", "2001:db8::ffff"),
];

#[test]
fn metallb_57_by_default_every_address_is_a_host_route_of_its_family() {
    let routes = routes(&["192.0.2.10", "2001:db8::10"], &[Advertisement::default()]);
    assert_eq!(prefixes(&routes), ["192.0.2.10/32", "2001:db8::10/128"]);
}

#[test]
fn metallb_58_two_advertisements_make_two_routes_with_their_attributes_and_sorted_communities() {
    let host = Advertisement {
        attributes: with(Some(100), &["65000:200", "65000:100"]),
        ..Advertisement::default()
    };
    let wide = Advertisement {
        attributes: with(Some(1000), &[]),
        ..to_v4(24)
    };
    let routes = routes(&["192.0.2.10"], &[host, wide]);
    assert_eq!(prefixes(&routes), ["192.0.2.0/24", "192.0.2.10/32"]);
    assert_eq!(routes[0].attributes.local_pref, Some(1000));
    assert_eq!(routes[1].attributes.local_pref, Some(100));
    assert_eq!(
        routes[1].attributes.communities.as_slice(),
        [Community::of(65_000, 100), Community::of(65_000, 200)]
    );
}

#[test]
fn metallb_59_an_aggregate_stays_until_its_last_address_goes() {
    let ways = [to_v4(24)];
    assert_eq!(
        prefixes(&routes(&["192.0.2.1", "192.0.2.2"], &ways)),
        ["192.0.2.0/24"]
    );
    assert_eq!(prefixes(&routes(&["192.0.2.2"], &ways)), ["192.0.2.0/24"]);
    assert!(routes(&[], &ways).is_empty());
}

#[test]
fn metallb_65_an_address_that_services_share_is_one_route_until_the_last_goes() {
    let ways = [Advertisement::default()];
    let shared = routes(&["192.0.2.1", "192.0.2.1"], &ways);
    assert_eq!(shared, routes(&["192.0.2.1"], &ways));
}

#[test]
fn metallb_60_an_aggregate_may_not_reach_beyond_its_pool() {
    let range = [("198.51.100.2", "198.51.100.254")];
    assert_eq!(check(&[to_v4(26)], &range), Ok(()));
    assert_eq!(
        check(&[to_v4(24)], &range).unwrap_err().to_string(),
        "advertisement 1: a /24 reaches beyond the pool's 198.51.100.2-198.51.100.254, whose \
         largest block is a /26; write 26 or more"
    );
    let small = [("203.0.113.0", "203.0.113.15")];
    assert!(matches!(
        check(&[to_v4(26)], &small),
        Err(AdvertisementError::BeyondPool { block: 28, .. })
    ));
}

#[test]
fn metallb_60_an_aggregation_length_beyond_the_family_is_refused() {
    assert!(matches!(
        check(&[to_v4(33)], POOL),
        Err(AdvertisementError::Length {
            length: 33,
            family: Family::Ipv4Unicast,
            ..
        })
    ));
    let v6 = Advertisement {
        aggregation: lengths(32, 129),
        ..Advertisement::default()
    };
    assert!(matches!(
        check(&[v6], POOL),
        Err(AdvertisementError::Length {
            length: 129,
            family: Family::Ipv6Unicast,
            ..
        })
    ));
}

fn preferring(local_pref: u32) -> Advertisement {
    Advertisement {
        attributes: with(Some(local_pref), &[]),
        ..Advertisement::default()
    }
}

#[test]
fn metallb_61_one_route_with_two_local_preferences_is_refused() {
    let refused = check(&[preferring(100), preferring(200)], POOL).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "advertisements 1 and 2 give the same ipv4-unicast routes to the same peers with a \
         different local preference; make it equal, or their nodes, peers or aggregation lengths \
         different"
    );
    let named = |local_pref| Advertisement {
        peers: ["leaf"].into_iter().collect(),
        ..preferring(local_pref)
    };
    assert!(check(&[named(100), named(200)], POOL).is_err());
}

#[test]
fn metallb_61_disjoint_nodes_peers_or_lengths_may_have_different_local_preferences() {
    let on = |node: &str, local_pref| Advertisement {
        nodes: NodeSelection::Named(Arc::new([node.to_owned()].into())),
        ..preferring(local_pref)
    };
    let towards = |peer: &'static str, local_pref| Advertisement {
        peers: [peer].into_iter().collect(),
        ..preferring(local_pref)
    };
    let wide = Advertisement {
        aggregation: lengths(24, 128),
        ..preferring(200)
    };
    assert_eq!(check(&[on("a", 100), on("b", 200)], POOL), Ok(()));
    assert_eq!(check(&[towards("x", 100), towards("y", 200)], POOL), Ok(()));
    assert_eq!(check(&[preferring(100), wide.clone()], POOL), Ok(()));
    assert!(matches!(
        check(&[preferring(100), wide], DUAL),
        Err(AdvertisementError::Conflict {
            family: Family::Ipv6Unicast,
            ..
        })
    ));
}

#[test]
fn metallb_63_an_advertisement_for_named_peers_is_for_them_only() {
    let way = Advertisement {
        peers: ["p1"].into_iter().collect(),
        ..Advertisement::default()
    };
    let routes = routes(&["192.0.2.10"], &[way]);
    assert!(routes[0].peers.selects(&"p1".into()));
    assert!(!routes[0].peers.selects(&"p2".into()));
}

#[test]
fn metallb_63_a_node_that_no_advertisement_names_announces_nothing() {
    let way = Advertisement {
        nodes: NodeSelection::Named(Arc::new(["node-b".to_owned()].into())),
        ..Advertisement::default()
    };
    assert!(routes(&["192.0.2.10"], std::slice::from_ref(&way)).is_empty());
    let ways = std::slice::from_ref(&way);
    assert_eq!(aggregate([(at("192.0.2.10"), ways)], "node-b").len(), 1);
}

#[test]
fn metallb_68_communities_of_two_advertisements_for_one_prefix_are_put_together() {
    let saying = |community| Advertisement {
        attributes: with(None, &[community]),
        ..Advertisement::default()
    };
    let routes = routes(&["192.0.2.10"], &[saying("65000:1"), saying("65000:2")]);
    assert_eq!(routes.len(), 1);
    assert_eq!(routes[0].attributes.communities.len(), 2);
}

#[test]
fn each_peer_hears_the_communities_of_the_advertisements_that_name_it() {
    let saying = |community, peers: PeerSelection| Advertisement {
        attributes: with(None, &[community]),
        peers,
        ..Advertisement::default()
    };
    let routes = routes(
        &["192.0.2.10"],
        &[
            saying("65000:1", PeerSelection::All),
            saying("65000:2", ["p2", "p3"].into_iter().collect()),
            saying("65000:3", ["p3"].into_iter().collect()),
        ],
    );
    let heard = |peer: &str| {
        let peer = PeerName::from(peer);
        let named =
            |route: &&Route| route.peers != PeerSelection::All && route.peers.selects(&peer);
        let route = routes.iter().find(named);
        let route = route.or_else(|| routes.iter().find(|route| route.peers.selects(&peer)));
        let communities = route.unwrap().attributes.communities.iter();
        communities
            .map(|community| community.0 & 0xffff)
            .collect::<Vec<_>>()
    };
    assert_eq!(heard("p1"), [1]);
    assert_eq!(heard("p2"), [1, 2]);
    assert_eq!(heard("p3"), [1, 2, 3]);
}

#[test]
fn metallb_70_services_that_are_selected_cannot_be_announced_in_an_aggregate() {
    let selecting = |way| Advertisement {
        selects_services: true,
        ..way
    };
    assert!(matches!(
        check(&[selecting(to_v4(24))], POOL),
        Err(AdvertisementError::PartialAggregate { length: 24, .. })
    ));
    assert_eq!(check(&[selecting(to_v4(32))], POOL), Ok(()));
}

#[test]
fn metallb_67_sixty_four_communities_are_too_many() {
    let carrying = |count: u16| Advertisement {
        attributes: Arc::new(Attributes {
            communities: (0..count).map(|low| Community::of(65_000, low)).collect(),
            ..Attributes::default()
        }),
        ..Advertisement::default()
    };
    assert_eq!(check(&[carrying(63)], POOL), Ok(()));
    assert!(matches!(
        check(&[carrying(64)], POOL),
        Err(AdvertisementError::TooManyCommunities { count: 64, .. })
    ));
}
