use super::Rib;
use super::desired::path_ids;
use crate::bgp::attribute::Attributes;
use crate::bgp::family::PerFamily;
use crate::bgp::prefix::Prefix;
use crate::bgp::rib::AdjRibOut;
use crate::bgp::route::{NextHopMode, Route};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

fn host(number: u32) -> Prefix {
    let [high, low] = [number >> 16, number & 0xffff].map(|half| u16::try_from(half).unwrap());
    Prefix::host(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, high, low).into())
}

fn hosts(count: u32) -> Vec<Route> {
    (0..count).map(|number| Route::to(host(number))).collect()
}

fn preferred(mut route: Route, local_pref: u32) -> Route {
    route.attributes = Arc::new(Attributes {
        local_pref: Some(local_pref),
        ..Attributes::default()
    });
    route
}

const NOBODY: [&AdjRibOut; 0] = [];

#[test]
fn the_same_set_again_changes_nothing() {
    let mut rib = Rib::new();
    assert_eq!(rib.replace(hosts(100)).len(), 100);
    let mut shuffled = hosts(100);
    shuffled.reverse();
    assert!(rib.replace(shuffled).is_empty());
}

#[test]
fn replacing_the_set_changes_what_differs() {
    let mut rib = Rib::new();
    let _ = rib.replace(hosts(100));
    let mut desired = hosts(101);
    desired.remove(0);
    desired[5] = preferred(desired[5].clone(), 7);
    // One gone, one new, one different.
    assert_eq!(rib.replace(desired).len(), 3);
    assert!(!rib.contains(host(0)) && rib.contains(host(100)));
    assert_eq!(rib.prefixes(), PerFamily { ipv4: 0, ipv6: 100 });
}

#[test]
fn a_change_costs_what_it_changes() {
    let mut rib = Rib::new();
    let _ = rib.replace(hosts(1_000));
    let changes = rib.change(
        vec![preferred(Route::to(host(3)), 7)],
        &[host(4), host(5_000)],
    );
    assert_eq!(changes.len(), 2);
    assert_eq!(rib.prefixes().ipv6, 999);
}

#[test]
fn what_is_put_in_and_taken_out_at_once_stays() {
    let mut rib = Rib::new();
    let _ = rib.upsert(Route::to(host(1)));
    assert!(rib.change(vec![Route::to(host(1))], &[host(1)]).is_empty());
    assert!(rib.contains(host(1)));
}

#[test]
fn routes_with_equal_attributes_share_one_group() {
    let mut rib = Rib::new();
    let mut routes = hosts(1_000);
    for route in routes.iter_mut().skip(500) {
        *route = preferred(route.clone(), 7);
    }
    let _ = rib.replace(routes);
    assert_eq!(rib.groups(), 2);
}

#[test]
fn slots_are_given_to_other_routes_once_nobody_holds_them() {
    let mut rib = Rib::new();
    let _ = rib.replace(hosts(1_000));
    let octets = rib.octets();
    for round in 1..5 {
        let next = (0..1_000).map(|number| Route::to(host(round * 1_000 + number)));
        let _ = rib.replace(Vec::new());
        rib.reclaim(&NOBODY.into_iter(), usize::MAX);
        let _ = rib.replace(next.collect());
        assert_eq!(rib.slot_count(), 1_000);
    }
    // The lists of vacated and free slots, four octets each.
    assert!(
        rib.octets() <= octets + 1_000 * 20,
        "{} after {octets}",
        rib.octets()
    );
}

#[test]
fn a_flapping_route_waits_for_its_slot_once() {
    let mut rib = Rib::new();
    for _ in 0..1_000 {
        let _ = rib.upsert(Route::to(host(1)));
        let _ = rib.remove(host(1));
    }
    assert_eq!((rib.slot_count(), rib.vacated.len()), (1, 1));
}

#[test]
fn a_session_that_is_not_shown_keeps_every_slot() {
    let mut rib = Rib::new();
    let _ = rib.upsert(Route::to(host(1)));
    let registered = rib.register();
    let _ = rib.remove(host(1));
    rib.reclaim(&NOBODY.into_iter(), usize::MAX);
    assert_eq!(rib.free_slots(), 0);
    drop(registered);
    rib.reclaim(&NOBODY.into_iter(), usize::MAX);
    assert_eq!(rib.free_slots(), 1);
}

#[test]
fn a_route_costs_at_most_eighty_octets() {
    for count in [10_000, 100_000] {
        let mut whole = Rib::new();
        let _ = whole.replace(hosts(count));
        assert!(whole.octets() <= 80 * count as usize, "{}", whole.octets());
        let mut grown = Rib::new();
        for route in hosts(count) {
            let _ = grown.upsert(route);
        }
        assert!(grown.octets() <= 80 * count as usize, "{}", grown.octets());
    }
}

#[test]
fn path_identifiers_do_not_depend_on_the_other_nodes_or_the_run() {
    let [one, two, three] =
        ["10.0.0.1", "10.0.0.2", "2001:db8::1"].map(|node| node.parse::<IpAddr>().unwrap());
    let all = path_ids(&[one, two, three]);
    assert_eq!(all[1], path_ids(&[two])[0]);
    assert_eq!(all[2], path_ids(&[three])[0]);
    // FNV-1a of the four octets of 10.0.0.1, by another program.
    assert_eq!(all[0].0, 0x6c50_6a2c);
}

#[test]
fn two_nodes_with_one_hash_have_two_identifiers() {
    let node: IpAddr = "10.0.0.1".parse().unwrap();
    let ids = path_ids(&[node, node]);
    assert_eq!(ids[1].0, ids[0].0 + 1);
}

#[test]
fn nodes_have_slots_of_their_own_which_go_with_them() {
    let through = |nodes: &[&str]| Route {
        next_hop: NextHopMode::Nodes(nodes.iter().map(|node| node.parse().unwrap()).collect()),
        ..Route::to("192.0.2.10/32".parse().unwrap())
    };
    let mut rib = Rib::new();
    assert_eq!(rib.upsert(through(&["10.0.0.1", "10.0.0.2"])).len(), 3);
    // The single path knows the nodes too, so it changes with them.
    assert_eq!(rib.upsert(through(&["10.0.0.1"])).len(), 2);
    assert_eq!(rib.prefixes().ipv4, 1);
    assert_eq!(rib.remove("192.0.2.10/32".parse().unwrap()).len(), 2);
    assert!(rib.is_empty());
}
