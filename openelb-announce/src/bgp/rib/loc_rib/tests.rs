//! What is the best route, and which routes are none.

use super::{LocRib, NotLearned, Path, Viewpoint};
use crate::bgp::asn::{Asn, RouterId};
use crate::bgp::attribute::{AsPath, Attributes, Origin};
use crate::bgp::next_hop::{ExtendedNextHop, NextHop, V6ForV4};
use crate::bgp::prefix::Prefix;
use crate::bgp::rib::Received;
use crate::bgp::route::PeerName;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};

fn prefix() -> Prefix {
    "10.244.1.0/24".parse().unwrap()
}

fn router_id() -> RouterId {
    RouterId::new(1).unwrap()
}

/// A route through 192.0.2.`last`, as a peer of that name announces it.
struct Offer {
    peer: PeerName,
    attributes: Attributes,
    last: u8,
}

fn offer(last: u8, asns: &[u32], change: impl FnOnce(&mut Attributes)) -> Offer {
    let mut attributes = Attributes {
        as_path: AsPath::sequence(asns.iter().copied().map(Asn)),
        ..Attributes::default()
    };
    change(&mut attributes);
    Offer {
        peer: PeerName::from(format!("peer{last}")),
        attributes,
        last,
    }
}

fn received(attributes: &Attributes, next_hop: NextHop) -> Received<'_> {
    Received {
        nlri: prefix().into(),
        attributes,
        next_hop,
        originator: None,
        is_imported: true,
        is_stale: false,
    }
}

fn view<'a>(own: &'a BTreeSet<IpAddr>, interface: Option<&'a str>) -> Viewpoint<'a> {
    Viewpoint {
        own_as: [Asn(64_512), Asn(64_599)],
        router_id: router_id(),
        own_addresses: own,
        own_link_local: "fe80::1".parse().ok(),
        interface,
    }
}

/// The last octets of the best gateways.
fn best(offers: &[Offer]) -> Vec<u8> {
    let own = BTreeSet::new();
    let paths = offers.iter().map(|offer| {
        let next_hop = NextHop::v4([192, 0, 2, offer.last].into()).unwrap();
        let received = received(&offer.attributes, next_hop);
        Path::judge(&offer.peer, &received, &view(&own, None)).unwrap()
    });
    let mut rib = LocRib::default();
    rib.select(prefix(), paths.collect());
    let Some((_, learned)) = rib.routes().next() else {
        return Vec::new();
    };
    let shown = learned.route.to_string();
    let gateways = shown.split("via ").nth(1).unwrap().split(", ");
    let lasts: Vec<u8> = gateways
        .map(|it| it.rsplit('.').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(lasts.len(), learned.peers.len());
    lasts
}

#[test]
fn each_step_of_the_comparison_counts_before_the_next() {
    let local_pref = |value| move |it: &mut Attributes| it.local_pref = Some(value);
    let origin = |value| move |it: &mut Attributes| it.origin = value;
    let med = |value| move |it: &mut Attributes| it.med = Some(value);
    // A higher LOCAL_PREF wins over a longer path.
    let offers = [
        offer(1, &[], |_| {}),
        offer(2, &[65_001, 65_002], local_pref(101)),
    ];
    assert_eq!(best(&offers), [2]);
    // Without one it is 100.
    let offers = [
        offer(1, &[65_001], |_| {}),
        offer(2, &[65_002], local_pref(100)),
    ];
    assert_eq!(best(&offers), [1, 2]);
    // The shorter path wins over a lower origin.
    let offers = [
        offer(1, &[65_001, 65_009], |_| {}),
        offer(2, &[65_002], origin(Origin::Incomplete)),
    ];
    assert_eq!(best(&offers), [2]);
    // The lower origin wins over a lower MED.
    let offers = [
        offer(1, &[65_001], origin(Origin::Egp)),
        offer(2, &[65_001], med(9)),
    ];
    assert_eq!(best(&offers), [2]);
    // The MED counts within one neighbouring AS only.
    let offers = [
        offer(1, &[65_001], med(9)),
        offer(2, &[65_001], |_| {}),
        offer(3, &[65_002], med(7)),
    ];
    assert_eq!(best(&offers), [2, 3]);
}

#[test]
fn a_destination_without_routes_is_forgotten() {
    let mut rib = LocRib::default();
    let own = BTreeSet::new();
    let offer = offer(1, &[65_001], |_| {});
    let next_hop = NextHop::v4([192, 0, 2, 1].into()).unwrap();
    let received = received(&offer.attributes, next_hop);
    let path = || Path::judge(&offer.peer, &received, &view(&own, None)).unwrap();
    assert!(rib.select(prefix(), vec![path()]));
    assert!(!rib.select(prefix(), vec![path()]));
    assert!(rib.select(prefix(), Vec::new()));
    assert!(!rib.select(prefix(), Vec::new()));
    assert_eq!(rib.routes().count(), 0);
}

fn judged(
    next_hop: NextHop,
    interface: Option<&str>,
    change: impl FnOnce(&mut Attributes),
) -> Result<(), NotLearned> {
    let own = BTreeSet::from(["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()]);
    let offer = offer(2, &[65_001], change);
    let received = received(&offer.attributes, next_hop);
    Path::judge(&offer.peer, &received, &view(&own, interface)).map(drop)
}

#[test]
fn what_leads_back_to_this_speaker_is_not_learned() {
    let v4 = |last| NextHop::v4([192, 0, 2, last].into()).unwrap();
    let v6 = |text: &str| NextHop::v6(text.parse().unwrap()).unwrap();
    for own in [64_512, 64_599] {
        let through = judged(v4(2), None, |it| {
            it.as_path = AsPath::sequence([Asn(65_001), Asn(own)]);
        });
        assert_eq!(through, Err(NotLearned::OwnAs(Asn(own))));
    }
    let own = |text: &str| Err(NotLearned::OwnNextHop(text.parse().unwrap()));
    assert_eq!(judged(v4(1), None, |_| {}), own("192.0.2.1"));
    assert_eq!(judged(v6("2001:db8::1"), None, |_| {}), own("2001:db8::1"));
    assert_eq!(judged(v6("fe80::1"), Some("eth0"), |_| {}), own("fe80::1"));
    assert_eq!(judged(v4(2), None, |_| {}), Ok(()));
}

#[test]
fn what_a_route_reflector_returns_is_not_learned() {
    let (own, offer) = (BTreeSet::new(), offer(2, &[], |_| {}));
    let next_hop = NextHop::v4([192, 0, 2, 2].into()).unwrap();
    let reflected = |originator| {
        let received = Received {
            originator: RouterId::new(originator),
            ..received(&offer.attributes, next_hop)
        };
        Path::judge(&offer.peer, &received, &view(&own, None)).map(drop)
    };
    assert_eq!(reflected(1), Err(NotLearned::OwnOriginator(router_id())));
    assert_eq!(reflected(2), Ok(()));
}

#[test]
fn a_link_local_next_hop_needs_a_session_that_names_the_interface() {
    let address: Ipv6Addr = "fe80::2".parse().unwrap();
    let next_hop = NextHop::v6(address).unwrap();
    let nowhere = Err(NotLearned::NoInterface(address));
    assert_eq!(judged(next_hop, None, |_| {}), nowhere);
    assert_eq!(judged(next_hop, Some("eth0"), |_| {}), Ok(()));
    // Beside a global address it is not needed.
    let both = NextHop::v6_with_link_local("2001:db8::2".parse().unwrap(), address);
    assert_eq!(judged(both.unwrap(), None, |_| {}), Ok(()));
}

/// The route that a single offer becomes.
fn shown(prefix: &str, next_hop: NextHop, interface: Option<&str>) -> Option<String> {
    let own = BTreeSet::new();
    let offer = offer(2, &[65_001], |_| {});
    let received = received(&offer.attributes, next_hop);
    let path = Path::judge(&offer.peer, &received, &view(&own, interface)).ok()?;
    let mut rib = LocRib::default();
    rib.select(prefix.parse().unwrap(), vec![path]);
    let first = rib.routes().next();
    first.map(|(_, learned)| learned.route.to_string())
}

#[test]
fn kube_router_7_an_ipv4_route_has_an_ipv6_gateway_only_with_the_proof_of_rfc_8950() {
    let v6 = NextHop::v6("fe80::2".parse().unwrap()).unwrap();
    let v4 = NextHop::v4([192, 0, 2, 2].into()).unwrap();
    let proven = V6ForV4::new(ExtendedNextHop::negotiated(), v6).unwrap();
    let proven = NextHop::V6ForV4(proven);
    assert_eq!(
        shown("10.244.1.0/24", proven, Some("eth0")).as_deref(),
        Some("10.244.1.0/24 via fe80::2%eth0")
    );
    // Neither family takes the other's next hop, whoever should hand one over.
    assert_eq!(shown("10.244.1.0/24", v6, Some("eth0")), None);
    assert_eq!(shown("2001:db8:1::/64", v4, Some("eth0")), None);
    assert_eq!(shown("2001:db8:1::/64", proven, Some("eth0")), None);
}

proptest! {
    #[test]
    fn the_best_routes_do_not_depend_on_the_order_in_which_peers_came(
        parts in prop::collection::vec((0_u32..3, 1_usize..3, 0_u8..3, 0_u32..3, 0_u32..2), 1..8),
        turn in 0_usize..8,
    ) {
        let one = |(number, (pref, length, origin, med, neighbor)): (u8, (u32, usize, u8, u32, u32))| {
            offer(number, &vec![65_000 + neighbor; length], |it| {
                it.local_pref = Some(pref);
                it.origin = Origin::from_wire(origin).unwrap();
                it.med = Some(med);
            })
        };
        let mut offers: Vec<Offer> = (2..).zip(parts).map(one).collect();
        let before = best(&offers);
        let turn = turn % offers.len();
        offers.rotate_left(turn);
        prop_assert!(!before.is_empty());
        prop_assert_eq!(best(&offers), before);
    }
}
