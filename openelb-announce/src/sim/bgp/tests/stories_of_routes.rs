//! How routes look to routers of different abilities, and what routers may send us.

use super::{Site, prefix, services, set};
use crate::bgp::asn::Asn;
use crate::bgp::attribute::{AsPath, Attributes};
use crate::bgp::config::Settings;
use crate::bgp::family::{Family, FamilySet};
use crate::bgp::message::{
    AttributeBlock, ErrorCode, RefreshKind, RouteRefresh, write_announcements,
};
use crate::bgp::next_hop::NextHop;
use crate::bgp::peer::State;
use crate::bgp::policy::{Action, Disposition, Med, Policy, Statement};
use crate::bgp::prefix::Nlri;
use crate::bgp::route::{NextHopMode, Route};
use crate::sim::bgp::{FabricSetup, Path, RouterOptions};
use std::sync::Arc;

fn nodes() -> NextHopMode {
    let nodes = ["10.9.0.1", "10.9.0.2", "2001:db8:9::1", "2001:db8:9::2"];
    NextHopMode::Nodes(nodes.iter().map(|node| node.parse().unwrap()).collect())
}

/// Two routes, one of each family, by way of the nodes.
fn through_nodes() -> Vec<Route> {
    let by_nodes = |route| Route {
        next_hop: nodes(),
        ..route
    };
    services(1).into_iter().map(by_nodes).collect()
}

fn next_hops(site: &Site) -> Vec<String> {
    let table = site.fabric.table(site.routers[0], site.speaker).unwrap();
    let paths = table.paths().values();
    paths
        .map(|path| path.next_hop.address().to_string())
        .collect()
}

/// The octets that announce `count` prefixes, as a router with the AS 64513 would.
fn announcement(count: u8) -> Vec<u8> {
    let attributes = Attributes {
        as_path: AsPath::sequence([Asn(64_513)]),
        ..Attributes::default()
    };
    let next_hop = NextHop::v4("10.1.0.1".parse().unwrap()).unwrap();
    let block = AttributeBlock::new(&attributes, next_hop, true).unwrap();
    let nlri = |number| Nlri {
        path_id: None,
        prefix: prefix(&format!("172.16.{number}.0/24")),
    };
    let mut octets = Vec::new();
    let mut all = (0..count).map(nlri).peekable();
    write_announcements(&mut octets, 4_096, &block, &mut all).unwrap();
    octets
}

#[test]
fn a_router_with_add_path_hears_of_every_node_and_one_without_of_this_speaker() {
    let several = set(|settings| {
        settings.families.ipv4.add_path_send_max = Some(8);
        settings.families.ipv6.add_path_send_max = Some(8);
    });
    let options = RouterOptions {
        add_path: true,
        ..RouterOptions::default()
    };
    let mut site = Site::up_with(options, several.clone());
    site.announce(through_nodes());
    site.run(1);
    let mut known = next_hops(&site);
    known.sort();
    assert_eq!(
        known,
        ["10.9.0.1", "10.9.0.2", "2001:db8:9::1", "2001:db8:9::2"]
    );
    let mut site = Site::up_with(RouterOptions::default(), several);
    site.announce(through_nodes());
    site.run(1);
    assert_eq!(next_hops(&site), ["10.0.0.1", "2001:db8::1"]);
}

#[test]
fn a_node_that_leaves_takes_its_path_along_and_no_other() {
    let options = RouterOptions {
        add_path: true,
        ..RouterOptions::default()
    };
    let mut site = Site::up_with(
        options,
        set(|settings| {
            settings.families.ipv4.add_path_send_max = Some(8);
        }),
    );
    let mut routes = services(1);
    routes[0].next_hop = nodes();
    site.announce(routes.clone());
    site.run(1);
    assert_eq!(site.paths(0), 3);
    routes[0].next_hop = NextHopMode::Nodes(["10.9.0.2".parse().unwrap()].into());
    site.announce(routes);
    site.run(1);
    assert_eq!((site.paths(0), site.deletes(0)), (2, 1));
}

#[test]
fn a_node_without_ipv4_announces_ipv4_through_ipv6_to_a_router_that_can_and_to_no_other() {
    for can in [true, false] {
        let options = RouterOptions {
            extended_next_hop: can,
            ..RouterOptions::default()
        };
        let mut site = Site::new(FabricSetup::default(), &[options]);
        let mut addresses = site.fabric.addresses(site.speaker);
        addresses.session = addresses.v6_global.unwrap().into();
        addresses.v4 = None;
        site.fabric.set_addresses(site.speaker, addresses);
        site.configure(&[set(|settings| settings.extended_next_hop = true)]);
        site.announce(services(2));
        site.run(5);
        assert_eq!(site.paths(0), if can { 4 } else { 2 });
        assert!(
            next_hops(&site)
                .iter()
                .all(|address| address == "2001:db8::1")
        );
        let families = site.fabric.status(site.speaker)[0].families.clone();
        assert_eq!(families.ipv4.refused, if can { 0 } else { 2 });
        assert!(site.record(0).complaints.is_empty());
    }
}

#[test]
fn long_messages_are_sent_only_where_both_sides_can() {
    for (ours, theirs) in [(true, true), (true, false), (false, true)] {
        let options = RouterOptions {
            extended_messages: theirs,
            ..RouterOptions::default()
        };
        let setup = FabricSetup {
            window: 200_000,
            ..FabricSetup::default()
        };
        let mut site = Site::new(setup, &[options]);
        site.configure(&[set(|settings| settings.extended_messages = ours)]);
        site.announce(services(5_000));
        site.run(5);
        assert_eq!(site.paths(0), 10_000);
        let longest = site.record(0).longest_message;
        assert_eq!(longest > 4_096, ours && theirs, "{longest}");
        assert!(longest <= 65_535);
    }
}

#[test]
fn a_router_that_asks_again_is_told_everything_of_that_family_again() {
    let mut site = Site::up();
    site.announce(services(100));
    site.run(1);
    let before = site.record(0).updates;
    let mut request = Vec::new();
    RouteRefresh::new(Family::Ipv6Unicast, RefreshKind::Request).write(&mut request);
    site.fabric.inject(site.routers[0], site.speaker, &request);
    site.run(1);
    assert_eq!(site.record(0).updates - before, 1);
    assert_eq!((site.paths(0), site.deletes(0)), (200, 0));
}

#[test]
fn what_a_router_announces_is_counted_and_only_kept_on_request() {
    for keep in [false, true] {
        let settings = set(|settings| settings.keep_received = keep);
        let mut site = Site::up_with(RouterOptions::default(), settings);
        site.fabric
            .inject(site.routers[0], site.speaker, &announcement(7));
        site.run(1);
        let status = &site.fabric.status(site.speaker)[0];
        assert_eq!(status.families.ipv4.announcements, 7);
        assert_eq!(status.families.ipv4.received, if keep { 7 } else { 0 });
        assert_eq!(status.counters.received.update, 1);
        assert_eq!(status.state, State::Established);
    }
}

#[test]
fn more_prefixes_than_the_limit_end_the_session_with_the_reason() {
    let settings = set(|settings| {
        settings.keep_received = true;
        settings.prefix_limit = Some(5);
    });
    let mut site = Site::up_with(RouterOptions::default(), settings);
    site.fabric
        .inject(site.routers[0], site.speaker, &announcement(6));
    site.run(1);
    let said = site.record(0).notifications;
    let is_limit = |it: &crate::bgp::message::Notification| {
        let reason = it.hard_reset_reason();
        it.error == ErrorCode::MAXIMUM_PREFIXES
            || reason.is_some_and(|inner| inner.error == ErrorCode::MAXIMUM_PREFIXES)
    };
    assert!(said.iter().any(is_limit), "{said:?}");
}

#[test]
fn nonsense_ends_the_session_with_the_right_word_and_the_routes_come_back() {
    let mut site = Site::up();
    site.announce(services(3));
    site.run(1);
    site.fabric.inject(site.routers[0], site.speaker, &[0; 19]);
    site.run(1);
    let said = site.record(0).notifications;
    assert!(
        said.iter()
            .any(|it| it.error == ErrorCode::NOT_SYNCHRONIZED),
        "{said:?}"
    );
    site.run(60);
    assert_eq!((site.paths(0), site.deletes(0)), (6, 0));
}

#[test]
fn another_policy_applies_to_the_session_as_it_is_and_sends_only_what_differs() {
    let mut site = Site::up();
    site.announce(services(50));
    site.run(1);
    let before = site.record(0).updates;
    let statement = Statement {
        name: "med".into(),
        conditions: vec![crate::bgp::policy::Condition::Families(FamilySet::new(
            true, false,
        ))],
        actions: vec![Action::Med(Med::Set(20))],
        disposition: Some(Disposition::Accept),
    };
    let policy = Policy::new(vec![statement], Disposition::Reject).unwrap();
    let mut config = site.config(&[Settings::default()]);
    config.policy = Arc::new(policy);
    site.fabric.configure(site.speaker, config).unwrap();
    site.run(1);
    assert_eq!(site.established(0), 1);
    // One message withdraws the IPv6 routes, and one announces the IPv4 routes anew.
    assert_eq!(site.record(0).updates - before, 2);
    assert_eq!((site.paths(0), site.deletes(0)), (50, 50));
    let table = site.fabric.table(site.routers[0], site.speaker).unwrap();
    let med = |path: &Path| path.attributes.med;
    assert!(table.paths().values().all(|path| med(path) == Some(20)));
    let refused = site.fabric.status(site.speaker)[0].families.ipv6.refused;
    assert_eq!(refused, 50);
    site.configure(&[Settings::default()]);
    site.run(1);
    assert_eq!((site.paths(0), site.established(0)), (100, 1));
}

#[test]
fn two_speakers_announce_one_address_to_a_router_each_with_itself_as_next_hop() {
    let mut site = Site::up();
    let second = site.fabric.add_speaker();
    let mut config = site.config(&[Settings::default()]);
    config.router_id = crate::bgp::RouterId::new(2).unwrap();
    site.fabric.configure(second, config).unwrap();
    let routes = services(1);
    site.announce(routes.clone());
    site.fabric.announce(second, routes);
    site.run(5);
    let next_hop = |speaker| {
        let table = site.fabric.table(site.routers[0], speaker).unwrap();
        table.path(prefix("198.18.0.0/32")).unwrap().clone()
    };
    let (one, other) = (next_hop(site.speaker), next_hop(second));
    assert_ne!(one.next_hop, other.next_hop);
    // Equal in all else, so that the router can use both at once.
    assert_eq!(one.attributes, other.attributes);
    assert_eq!(
        site.record(0).end_of_rib,
        FamilySet::ALL.iter().collect::<Vec<_>>()
    );
}
