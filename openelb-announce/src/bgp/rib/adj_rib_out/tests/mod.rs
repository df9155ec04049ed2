//! Tests of the Adj-RIB-Out.

mod histories;
mod peer;

use super::{AdjRibOut, SentState};
use crate::bgp::asn::Asn;
use crate::bgp::attribute::Attributes;
use crate::bgp::community::Community;
use crate::bgp::family::{Family, FamilySet, PerFamily};
use crate::bgp::message::LIMIT;
use crate::bgp::next_hop::{ExtendedNextHop, NextHop};
use crate::bgp::policy::{
    Condition, Disposition, MatchAny, Policy, PrefixRange, PrefixSet, Statement,
};
use crate::bgp::prefix::Prefix;
use crate::bgp::rib::{Refusal, Rib, Terms};
use crate::bgp::route::{NextHopMode, NoNextHop, PeerName, Route};
use peer::Peer;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

/// A dual-stack external session.
fn terms(peer: &str) -> Terms {
    Terms {
        peer: PeerName::from(peer),
        group: None,
        remote: "192.0.2.2".parse().ok(),
        families: FamilySet::ALL,
        ibgp: false,
        local_as: Asn(64_512),
        four_octet_as: true,
        message_limit: LIMIT,
        add_path: PerFamily::default(),
        extended_next_hop: None,
        own_next_hop: PerFamily {
            ipv4: NextHop::v4([192, 0, 2, 1].into()).map_err(Into::into),
            ipv6: NextHop::v6("2001:db8::1".parse().unwrap()).map_err(Into::into),
        },
        policy: Arc::default(),
        peer_policy: Arc::default(),
        graceful_shutdown: false,
        enhanced_refresh: true,
    }
}

fn to(prefix: &str) -> Route {
    Route::to(prefix.parse().unwrap())
}

fn hosts_v6(count: u32) -> Vec<Route> {
    let host = |number: u32| {
        let [high, low] = [number >> 16, number & 0xffff].map(|half| u16::try_from(half).unwrap());
        let address = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, high, low);
        Route::to(Prefix::host(address.into()))
    };
    (0..count).map(host).collect()
}

fn hosts_v4(count: u32) -> Vec<Route> {
    let host = |number: u32| Route::to(Prefix::host(IpAddr::V4((0x0a00_0000 + number).into())));
    (0..count).map(host).collect()
}

/// A table with these routes.
fn table(routes: &[Route]) -> Rib {
    let mut rib = Rib::new();
    let _ = rib.replace(routes.to_vec());
    rib
}

/// What a new peer hears of these routes.
fn told(routes: &[Route], terms: Terms) -> (Peer, Rib) {
    let rib = table(routes);
    let mut peer = Peer::new(terms, &rib);
    peer.drain(&rib, routes);
    peer.check(&rib, routes);
    (peer, rib)
}

fn said(routes: &[Route], terms: Terms) -> Attributes {
    let (peer, _) = told(routes, terms);
    let (attributes, _) = peer.table.values().next().unwrap();
    attributes.clone()
}

#[test]
fn a_dual_stack_node_announces_both_families_over_a_session_of_either() {
    let routes = [to("192.0.2.10/32"), to("2001:db8::10/128")];
    for remote in ["192.0.2.2", "2001:db8::2"] {
        let terms = Terms {
            remote: remote.parse().ok(),
            ..terms("leaf")
        };
        let (peer, _) = told(&routes, terms);
        let kinds: Vec<_> = peer.table.values().map(|(_, next_hop)| *next_hop).collect();
        assert!(matches!(kinds[..], [NextHop::V4(_), NextHop::V6 { .. }]));
    }
}

#[test]
fn a_node_with_ipv6_only_announces_nothing_of_ipv4_and_no_error() {
    let terms = Terms {
        families: FamilySet::new(false, true),
        ..terms("leaf")
    };
    let (peer, rib) = told(&[to("2001:db8::10/128")], terms);
    assert!(peer.known(Family::Ipv4Unicast).is_empty());
    assert_eq!(peer.known(Family::Ipv6Unicast).len(), 1);
    assert_eq!(peer.session.refusals(&rib).count(), 0);
}

fn without_v4() -> Terms {
    let mut terms = terms("leaf");
    terms.own_next_hop.ipv4 = Err(NoNextHop::NoAddress {
        family: Family::Ipv4Unicast,
        session: "2001:db8::1".parse().unwrap(),
    });
    terms
}

#[test]
fn a_route_without_a_fitting_next_hop_is_refused_with_the_reason_and_others_are_not() {
    let routes = [to("192.0.2.10/32"), to("2001:db8::10/128")];
    let (peer, rib) = told(&routes, without_v4());
    assert_eq!(peer.table.len(), 1);
    let refusals: Vec<_> = peer.session.refusals(&rib).collect();
    let [(nlri, refusal)] = &refusals[..] else {
        panic!("{refusals:?}");
    };
    assert_eq!(nlri.prefix, routes[0].prefix);
    assert!(
        refusal
            .to_string()
            .contains("no address that can be the next hop of an ipv4-unicast")
    );
}

#[test]
fn a_next_hop_of_the_wrong_kind_never_reaches_the_wire() {
    let mut terms = terms("leaf");
    terms.own_next_hop.ipv4 = terms.own_next_hop.ipv6;
    let (peer, rib) = told(&[], terms.clone());
    assert_eq!((peer.table.len(), rib.is_empty()), (0, true));
    let rib = table(&[to("192.0.2.10/32")]);
    let session = AdjRibOut::new(terms, &rib);
    let (_, refusal) = session.refusals(&rib).next().unwrap();
    assert!(matches!(
        refusal,
        Refusal::NextHop(NoNextHop::OtherFamily { .. })
    ));
    assert!(!session.is_pending());
}

#[test]
fn ipv4_routes_have_an_ipv6_next_hop_where_that_was_negotiated() {
    let node = NextHopMode::Exactly("2001:db8::7".parse().unwrap());
    let route = Route {
        next_hop: node,
        ..to("192.0.2.10/32")
    };
    let terms = Terms {
        extended_next_hop: Some(ExtendedNextHop::negotiated()),
        ..terms("leaf")
    };
    let (peer, _) = told(&[route], terms);
    let (_, next_hop) = peer.table.values().next().unwrap();
    assert!(matches!(next_hop, NextHop::V6ForV4(_)));
}

#[test]
fn an_external_peer_sees_our_as_and_no_local_preference() {
    let route = Route {
        attributes: Arc::new(Attributes {
            local_pref: Some(200),
            med: Some(7),
            ..Attributes::default()
        }),
        prepend: 2,
        ..to("192.0.2.10/32")
    };
    let attributes = said(&[route], terms("leaf"));
    assert_eq!(attributes.as_path.to_string(), "64512 64512 64512");
    assert_eq!((attributes.local_pref, attributes.med), (None, Some(7)));
}

#[test]
fn an_internal_peer_sees_an_empty_path_and_a_local_preference_of_100_unless_another_is_set() {
    let internal = || Terms {
        ibgp: true,
        ..terms("leaf")
    };
    let attributes = said(&[to("192.0.2.10/32")], internal());
    assert!(attributes.as_path.is_empty());
    assert_eq!(attributes.local_pref, Some(100));
    let preferred = Route {
        attributes: Arc::new(Attributes {
            local_pref: Some(200),
            ..Attributes::default()
        }),
        prepend: 2,
        ..to("192.0.2.10/32")
    };
    let attributes = said(&[preferred], internal());
    assert!(attributes.as_path.is_empty());
    assert_eq!(attributes.local_pref, Some(200));
}

#[test]
fn a_speaker_about_to_go_says_so_on_every_route_and_takes_it_back() {
    let routes = [to("192.0.2.10/32"), to("2001:db8::10/128")];
    let internal = Terms {
        ibgp: true,
        ..terms("leaf")
    };
    let (mut peer, rib) = told(&routes, internal.clone());
    let going = Terms {
        graceful_shutdown: true,
        ..internal.clone()
    };
    peer.session.set_terms(going, &rib);
    assert_eq!(peer.drain(&rib, &routes).announced, 2);
    for (attributes, _) in peer.table.values() {
        assert!(
            attributes
                .communities
                .contains(&Community::GRACEFUL_SHUTDOWN)
        );
        assert_eq!(attributes.local_pref, Some(0));
    }
    peer.session.set_terms(internal, &rib);
    peer.drain(&rib, &routes);
    peer.check(&rib, &routes);
}

#[test]
fn well_known_communities_pass() {
    let route = Route {
        attributes: Arc::new(Attributes {
            communities: [Community::NO_EXPORT, Community::NO_PEER]
                .into_iter()
                .collect(),
            ..Attributes::default()
        }),
        ..to("192.0.2.10/32")
    };
    let attributes = said(std::slice::from_ref(&route), terms("leaf"));
    assert_eq!(attributes.communities, route.attributes.communities);
}

#[test]
fn ipv6_host_routes_are_packed_237_to_a_message() {
    let routes = hosts_v6(23_700);
    let (peer, _) = told(&routes, terms("leaf"));
    assert_eq!(peer.updates.len(), 100);
    assert!(peer.updates.iter().all(|(_, routes)| *routes == 237));
}

#[test]
fn ipv4_host_routes_are_packed_at_least_806_to_a_message() {
    let routes = hosts_v4(8_060);
    let (peer, _) = told(&routes, terms("leaf"));
    assert_eq!(peer.updates.len(), 10);
}

#[test]
fn extended_messages_hold_thousands_of_routes() {
    let terms = Terms {
        message_limit: 65_535,
        ..terms("leaf")
    };
    let routes = hosts_v6(3_850);
    let (peer, _) = told(&routes, terms);
    assert_eq!(peer.updates.len(), 1);
}

#[test]
fn routes_of_two_groups_that_alternate_share_messages_with_their_own() {
    let mut routes = hosts_v6(9_480);
    let tagged = Arc::new(Attributes {
        med: Some(1),
        ..Attributes::default()
    });
    for route in routes.iter_mut().step_by(2) {
        route.attributes = Arc::clone(&tagged);
    }
    let (peer, _) = told(&routes, terms("leaf"));
    // 20 messages of 237 without a MED, 21 of fewer with one, and the ends of the pages.
    assert!(peer.updates.len() <= 43, "{} messages", peer.updates.len());
}

#[test]
fn withdrawals_come_before_announcements() {
    let (before, after) = (hosts_v6(300), hosts_v6(600).split_off(300));
    let (mut peer, mut rib) = told(&before, terms("leaf"));
    let changes = rib.replace(after.clone());
    peer.session.note(&rib, &changes);
    let first = peer.fill(&rib, &after, LIMIT);
    assert_eq!((first.announced, first.withdrawn > 200), (0, true));
    let rest = peer.drain(&rib, &after);
    assert_eq!(
        (rest.announced, first.withdrawn + rest.withdrawn),
        (300, 300)
    );
    peer.check(&rib, &after);
}

#[test]
fn a_withdrawal_of_what_was_never_sent_is_dropped() {
    let mut rib = Rib::new();
    let mut peer = Peer::new(terms("leaf"), &rib);
    let changes = rib.upsert(to("192.0.2.10/32"));
    peer.session.note(&rib, &changes);
    let changes = rib.remove("192.0.2.10/32".parse().unwrap());
    peer.session.note(&rib, &changes);
    assert!(!peer.session.is_pending());
    assert_eq!(peer.drain(&rib, &[]).messages, 0);
}

#[test]
fn a_route_that_flaps_while_the_peer_does_not_read_is_sent_once() {
    let (mut peer, mut rib) = told(&[to("192.0.2.10/32")], terms("leaf"));
    let octets = peer.session.octets();
    for med in 0..1000 {
        let changes = rib.remove("192.0.2.10/32".parse().unwrap());
        peer.session.note(&rib, &changes);
        let changes = rib.upsert(with_med(med));
        peer.session.note(&rib, &changes);
    }
    assert_eq!(peer.session.octets(), octets);
    let written = peer.drain(&rib, &[with_med(999)]);
    assert_eq!((written.messages, written.withdrawn), (1, 0));
    peer.check(&rib, &[with_med(999)]);
}

fn with_med(med: u32) -> Route {
    Route {
        attributes: Arc::new(Attributes {
            med: Some(med),
            ..Attributes::default()
        }),
        ..to("192.0.2.10/32")
    }
}

#[test]
fn a_change_that_the_peer_cannot_see_is_not_sent() {
    let (mut peer, mut rib) = told(&[to("192.0.2.10/32")], terms("leaf"));
    let named = Route {
        peers: ["leaf", "spine"].into_iter().collect(),
        ..to("192.0.2.10/32")
    };
    let changes = rib.upsert(named);
    assert_eq!(changes.len(), 1);
    peer.session.note(&rib, &changes);
    assert!(!peer.session.is_pending());
}

#[test]
fn a_peer_that_no_longer_is_named_hears_the_withdrawal() {
    let (mut peer, mut rib) = told(&[to("192.0.2.10/32")], terms("leaf"));
    let others = Route {
        peers: ["spine"].into_iter().collect(),
        ..to("192.0.2.10/32")
    };
    let changes = rib.upsert(others.clone());
    peer.session.note(&rib, &changes);
    let [sent] = &peer.session.routes(&rib).collect::<Vec<_>>()[..] else {
        panic!("one route");
    };
    assert_eq!(sent.state, SentState::Withdrawing);
    assert_eq!(peer.drain(&rib, &[others]).withdrawn, 1);
}

#[test]
fn end_of_rib_waits_for_the_front_end_and_for_the_last_route() {
    let routes = hosts_v6(1_000);
    let rib = table(&routes);
    let mut peer = Peer::new(terms("leaf"), &rib);
    peer.drain(&rib, &routes);
    assert_eq!(peer.ended, PerFamily::both(0));
    let mut late = Peer::new(terms("leaf"), &rib);
    late.allow_end_of_rib();
    late.fill(&rib, &routes, LIMIT);
    assert_eq!(late.ended, PerFamily::both(0));
    for peer in [&mut peer, &mut late] {
        peer.allow_end_of_rib();
        peer.drain(&rib, &routes);
        assert_eq!(peer.ended, PerFamily::both(1));
        assert!(peer.session.has_ended());
    }
}

#[test]
fn end_of_rib_is_never_sent_for_a_family_that_was_not_negotiated() {
    let v4_only = Terms {
        families: FamilySet::new(true, false),
        ..terms("leaf")
    };
    let rib = table(&hosts_v6(3));
    let mut peer = Peer::new(v4_only, &rib);
    peer.allow_end_of_rib();
    peer.drain(&rib, &[]);
    assert_eq!(peer.ended, PerFamily { ipv4: 1, ipv6: 0 });
}

#[test]
fn a_refresh_sends_all_routes_of_its_family_again_between_marks() {
    let mut routes = hosts_v6(500);
    routes.extend(hosts_v4(500));
    let (mut peer, rib) = told(&routes, terms("leaf"));
    peer.allow_end_of_rib();
    peer.drain(&rib, &routes);
    peer.session.refresh(&rib, Family::Ipv6Unicast);
    assert_eq!(peer.drain(&rib, &routes).announced, 500);
    assert_eq!(peer.refreshes, PerFamily { ipv4: 0, ipv6: 1 });
    assert_eq!(peer.ended, PerFamily::both(1));
    peer.check(&rib, &routes);
}

#[test]
fn a_refresh_without_the_capability_or_before_end_of_rib_has_no_marks() {
    let routes = hosts_v4(500);
    let plain = Terms {
        enhanced_refresh: false,
        ..terms("leaf")
    };
    for terms in [plain, terms("leaf")] {
        let (mut peer, rib) = told(&routes, terms);
        peer.session.refresh(&rib, Family::Ipv4Unicast);
        assert_eq!(peer.drain(&rib, &routes).announced, 500);
        assert_eq!(peer.refreshes, PerFamily::both(0));
    }
}

#[test]
fn a_refresh_of_a_family_that_was_not_negotiated_is_ignored() {
    let v4_only = Terms {
        families: FamilySet::new(true, false),
        ..terms("leaf")
    };
    let (mut peer, rib) = told(&hosts_v4(5), v4_only);
    peer.session.refresh(&rib, Family::Ipv6Unicast);
    assert!(!peer.session.is_pending());
}

#[test]
fn other_terms_send_only_what_differs() {
    let routes = [to("192.0.2.10/32"), to("2001:db8::10/128")];
    let (mut peer, rib) = told(&routes, terms("leaf"));
    let mut renumbered = terms("leaf");
    renumbered.own_next_hop.ipv4 = NextHop::v4([192, 0, 2, 9].into()).map_err(Into::into);
    peer.session.set_terms(renumbered, &rib);
    let written = peer.drain(&rib, &routes);
    assert_eq!((written.announced, written.withdrawn), (1, 0));
    peer.session.set_terms(without_v4(), &rib);
    let written = peer.drain(&rib, &routes);
    assert_eq!((written.announced, written.withdrawn), (0, 1));
    peer.check(&rib, &routes);
}

fn rejecting(prefix: &str) -> Arc<Policy> {
    let range = PrefixRange::exactly(prefix.parse().unwrap());
    let statement = Statement {
        name: "not-this".into(),
        conditions: vec![Condition::Prefixes {
            set: Arc::new(PrefixSet {
                name: "this".into(),
                ranges: vec![range],
            }),
            how: MatchAny::Any,
        }],
        actions: Vec::new(),
        disposition: Some(Disposition::Reject),
    };
    Arc::new(Policy::new(vec![statement], Disposition::Accept).unwrap())
}

#[test]
fn a_policy_of_either_kind_keeps_a_prefix_back_and_says_which_statement() {
    let routes = [to("192.0.2.10/32"), to("192.0.2.11/32")];
    let speaker = Terms {
        policy: rejecting("192.0.2.10/32"),
        ..terms("leaf")
    };
    let own = Terms {
        peer_policy: rejecting("192.0.2.10/32"),
        ..terms("leaf")
    };
    for terms in [speaker, own] {
        let rib = table(&routes);
        let mut peer = Peer::new(terms, &rib);
        peer.drain(&rib, &routes);
        assert_eq!(peer.table.len(), 1);
        let (nlri, refusal) = peer.session.refusals(&rib).next().unwrap();
        assert_eq!(nlri.prefix, routes[0].prefix);
        assert_eq!(
            refusal.to_string(),
            "the policy statement `not-this` rejects it"
        );
    }
}

#[test]
fn attributes_that_leave_no_room_for_a_route_are_refused() {
    let route = Route {
        attributes: Arc::new(Attributes {
            communities: (0..1_100).map(|low| Community::of(1, low)).collect(),
            ..Attributes::default()
        }),
        ..to("192.0.2.10/32")
    };
    let rib = table(&[route]);
    let session = AdjRibOut::new(terms("leaf"), &rib);
    assert!(!session.is_pending());
    let (_, refusal) = session.refusals(&rib).next().unwrap();
    assert!(
        refusal
            .to_string()
            .contains("leave no room for a route in a message of 4096")
    );
}

fn through(nodes: &[&str]) -> Route {
    let nodes: Vec<IpAddr> = nodes.iter().map(|node| node.parse().unwrap()).collect();
    Route {
        next_hop: NextHopMode::Nodes(nodes.into()),
        ..to("192.0.2.10/32")
    }
}

fn with_add_path(most: u8) -> Terms {
    Terms {
        add_path: PerFamily::both(Some(most)),
        ..terms("leaf")
    }
}

#[test]
fn a_route_through_nodes_is_one_path_for_each_under_add_path() {
    let route = through(&["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
    let (peer, _) = told(&[route], with_add_path(10));
    let hops: Vec<_> = peer
        .table
        .values()
        .map(|(_, next_hop)| next_hop.address())
        .collect();
    assert_eq!(hops.len(), 3);
    let ids: Vec<_> = peer
        .table
        .keys()
        .map(|nlri| nlri.path_id.unwrap())
        .collect();
    assert!(ids.iter().all(|id| *id > 1));
}

#[test]
fn without_add_path_a_route_through_nodes_leads_here() {
    let (peer, _) = told(&[through(&["10.0.0.1", "10.0.0.2"])], terms("leaf"));
    let (_, next_hop) = peer.table.values().next().unwrap();
    assert_eq!(
        (peer.table.len(), next_hop.address()),
        (1, "192.0.2.1".parse().unwrap())
    );
}

#[test]
fn a_peer_hears_no_more_paths_than_it_wants() {
    let route = through(&["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
    let (peer, _) = told(&[route], with_add_path(2));
    assert_eq!(peer.table.len(), 2);
}

#[test]
fn no_node_at_all_withdraws_the_route() {
    for terms in [terms("leaf"), with_add_path(10)] {
        let (mut peer, mut rib) = told(&[through(&["10.0.0.1"])], terms);
        let changes = rib.upsert(through(&[]));
        peer.session.note(&rib, &changes);
        assert_eq!(peer.drain(&rib, &[through(&[])]).withdrawn, 1);
        assert!(rib.is_empty());
    }
}

#[test]
fn openelb_43_a_further_node_is_one_announcement_and_two_fewer_are_two_withdrawals() {
    let three = through(&["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
    let four = through(&["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"]);
    let two = through(&["10.0.0.1", "10.0.0.2"]);
    let (mut peer, mut rib) = told(&[three], with_add_path(10));
    let mut move_to = |route: &Route| {
        let changes = rib.upsert(route.clone());
        peer.session.note(&rib, &changes);
        let written = peer.drain(&rib, std::slice::from_ref(route));
        (written.announced, written.withdrawn)
    };
    assert_eq!(move_to(&four), (1, 0));
    assert_eq!(move_to(&two), (0, 2));
    assert_eq!(move_to(&two), (0, 0));
    let changes = rib.remove(two.prefix);
    peer.session.note(&rib, &changes);
    assert_eq!(peer.drain(&rib, &[]).withdrawn, 2);
    assert!(peer.table.is_empty());
}

#[test]
fn a_session_that_missed_a_change_sends_everything_again() {
    let (mut peer, mut rib) = told(&[to("192.0.2.10/32")], terms("leaf"));
    let _ = rib.upsert(to("192.0.2.11/32"));
    let changes = rib.remove("192.0.2.10/32".parse().unwrap());
    peer.session.note(&rib, &changes);
    let written = peer.drain(&rib, &[to("192.0.2.11/32")]);
    assert_eq!((written.announced, written.withdrawn), (1, 1));
}

#[test]
fn room_for_less_than_a_message_writes_nothing_and_loses_nothing() {
    let routes = hosts_v6(10);
    let rib = table(&routes);
    let mut peer = Peer::new(terms("leaf"), &rib);
    for room in 0..60 {
        let filled = peer.fill(&rib, &routes, room);
        assert_eq!((filled.messages, filled.more), (0, true));
    }
    peer.drain(&rib, &routes);
    peer.check(&rib, &routes);
}
