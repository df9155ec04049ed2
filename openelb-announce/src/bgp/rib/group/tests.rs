use super::{Audience, Group, Groups};
use crate::bgp::family::Family;
use crate::bgp::route::{NextHopMode, Route};
use std::net::IpAddr;

fn route(next_hop: NextHopMode) -> Route {
    Route {
        next_hop,
        ..Route::to("192.0.2.10/32".parse().unwrap())
    }
}

fn nodes(nodes: &[&str]) -> NextHopMode {
    let nodes: Vec<IpAddr> = nodes.iter().map(|node| node.parse().unwrap()).collect();
    NextHopMode::Nodes(nodes.into())
}

fn single(routes: &[Route]) -> Group {
    Group::single(Family::Ipv4Unicast, routes)
}

#[test]
fn equal_contents_have_one_number() {
    let mut groups = Groups::default();
    let one = groups.intern(single(&[route(NextHopMode::Own)]));
    let other = groups.intern(single(&[route(nodes(&["10.0.0.1"]))]));
    assert_eq!(groups.intern(single(&[route(NextHopMode::Own)])), one);
    assert_ne!(one, other);
    assert_eq!(groups.len(), 2);
}

#[test]
fn a_group_is_found_until_it_is_swept_and_its_number_is_told_apart_afterwards() {
    let mut groups = Groups::default();
    let id = groups.intern(single(&[route(NextHopMode::Own)]));
    groups.hold(id);
    groups.sweep();
    assert!(groups.find(id).is_some());
    let stamp = groups.stamp(id);
    groups.release(id);
    assert!(groups.find(id).is_some());
    groups.sweep();
    assert!(groups.find(id).is_none());
    let next = groups.intern(single(&[route(nodes(&["10.0.0.1"]))]));
    assert_eq!(next, id);
    assert_ne!(groups.stamp(next), stamp);
}

#[test]
fn a_group_that_gets_a_slot_again_is_not_swept() {
    let mut groups = Groups::default();
    let id = groups.intern(single(&[route(NextHopMode::Own)]));
    groups.hold(id);
    groups.release(id);
    groups.hold(id);
    groups.sweep();
    assert!(groups.find(id).is_some());
}

#[test]
fn many_groups_come_and_go_without_a_trace() {
    let mut groups = Groups::default();
    for round in 0..3_u8 {
        let ids: Vec<_> = (0..200_u8)
            .map(|last| {
                let node = format!("10.0.{round}.{last}");
                groups.intern(single(&[route(nodes(&[&node]))]))
            })
            .collect();
        assert!(ids.iter().all(|id| (*id as usize) < 200));
        groups.sweep();
        assert_eq!(groups.len(), 0);
    }
}

#[test]
fn of_nodes_of_both_families_those_of_the_route_count() {
    let both = route(nodes(&["2001:db8::1", "10.0.0.1"]));
    assert_eq!(
        *single(std::slice::from_ref(&both)).nodes,
        ["10.0.0.1".parse::<IpAddr>().unwrap()]
    );
    let foreign = route(nodes(&["2001:db8::1"]));
    assert_eq!(single(&[foreign]).nodes.len(), 1);
}

#[test]
fn a_path_through_a_node_is_for_nobody_whose_route_does_not_name_it() {
    let routes = [
        route(nodes(&["10.0.0.1", "10.0.0.2"])),
        Route {
            peers: ["leaf"].into_iter().collect(),
            ..route(NextHopMode::Own)
        },
    ];
    let group = Group::through("10.0.0.2".parse().unwrap(), Family::Ipv4Unicast, &routes);
    let audiences: Vec<_> = group
        .variants
        .iter()
        .map(|variant| variant.audience)
        .collect();
    assert_eq!(audiences, [Audience::AddPath { rank: 1 }, Audience::Nobody]);
}
