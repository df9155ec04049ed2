//! One prefix by way of several nodes (RFC 7911): a path to each where the peer takes them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use openelb_announce::bgp::route::{NextHopMode, Route};

use crate::lab::with_lab;
use crate::router::{Family, Feature, Heard, Kind, Router};
use crate::routes::route;
use crate::row::{PLAIN, Row};
use crate::world::Host;

#[test]
fn one_prefix_has_a_path_to_every_node() {
    with_lab(&Kind::ALL, |_, hosts: [Host; 6]| {
        let row = Row {
            theirs: &[Feature::AddPath],
            ours: &[Feature::AddPath],
            installs: true,
            ..PLAIN
        };
        let nodes: Vec<IpAddr> = NODES.iter().map(|node| node.parse().unwrap()).collect();
        let running = row.start(&hosts, &over_nodes(&nodes));
        for router in &running.routers {
            expect_paths_to(router, &nodes);
        }
        let fewer: Vec<IpAddr> = [1, 2, 4, 5].map(|place| nodes[place]).to_vec();
        running.ours.announce(over_nodes(&fewer));
        for router in &running.routers {
            expect_paths_to(router, &fewer);
        }
    });
}

#[test]
fn a_peer_that_takes_one_path_is_led_to_the_speaker() {
    with_lab(&Kind::ALL, |_, hosts: [Host; 6]| {
        let row = Row {
            ours: &[Feature::AddPath],
            ..PLAIN
        };
        let nodes: Vec<IpAddr> = NODES.iter().map(|node| node.parse().unwrap()).collect();
        row.prove(&hosts, &over_nodes(&nodes));
    });
}

/// A route of each family that leads to these nodes.
fn over_nodes(nodes: &[IpAddr]) -> Vec<Route> {
    let over = |prefix| Route {
        next_hop: NextHopMode::Nodes(nodes.into()),
        ..route(prefix)
    };
    ["203.0.113.1/32", "2001:db8:ffff::1/128"]
        .map(over)
        .to_vec()
}

/// The router has one path to each of these, and the kernel a route over all of a family.
fn expect_paths_to(router: &Router, nodes: &[IpAddr]) {
    let first = |heard: &Heard| heard.next_hops[0];
    router.wait(&format!("its paths lead to {nodes:?}"), |it| {
        let table = it.table();
        let next_hops: BTreeSet<IpAddr> = table.iter().map(first).collect();
        table.len() == nodes.len() && next_hops == nodes.iter().copied().collect()
    });
    if router.kind.lacks(Feature::Installs).is_some() {
        return;
    }
    for family in Family::ALL {
        let of_family: Vec<&IpAddr> = nodes
            .iter()
            .filter(|it| Family::of(**it) == family)
            .collect();
        router.wait("the kernel has a route over all nodes", |it| {
            let table = it.installed(family).join(" ");
            of_family
                .iter()
                .all(|node| table.contains(&format!("via {node} ")))
                && table.matches("via ").count() == of_family.len()
        });
    }
}

const NODES: [&str; 6] = [
    "192.0.2.101",
    "192.0.2.102",
    "192.0.2.103",
    "2001:db8::101",
    "2001:db8::102",
    "2001:db8::103",
];
