//! What only FRR among the five is asked for: unnumbered sessions and paths to several nodes.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use openelb_announce::bgp::route::{NextHopMode, Route};

use crate::lab::with_lab;
use crate::ours::Ours;
use crate::router::{Description, Family, Feature, Heard, Kind, Neighbor, Router};
use crate::routes::{assortment, route};
use crate::row::{OUR_AS, PLAIN, Row};
use crate::world::Host;

#[test]
fn an_unnumbered_session_carries_both_families_to_link_local_next_hops() {
    with_lab(&[Kind::Frr], |_, hosts: [Host; 2]| {
        for host in &hosts {
            host.sh("ip addr flush dev eth0 scope global");
        }
        let describe = |host: &Host, own: u32, other: u32| {
            let id = Ipv4Addr::new(192, 0, 2, host.number);
            let neighbor = Neighbor::on(other, "eth0").with(Feature::ExtendedNextHop);
            Description::new(own, id).installing().neighbor(neighbor)
        };
        let ours = describe(&hosts[0], OUR_AS, 64502);
        let ours = Ours::start(&hosts[0], &ours, assortment());
        let router = Router::start(Kind::Frr, &hosts[1], describe(&hosts[1], 64502, OUR_AS));
        ours.wait("eth0", "the session is established", |status| {
            status.session.is_some()
        });
        router.wait("all routes are there", |it| {
            it.table().len() == assortment().len()
        });
        for heard in router.table() {
            let is_link_local =
                |it: &IpAddr| matches!(it, IpAddr::V6(it) if it.is_unicast_link_local());
            router.insist(
                heard.next_hops.iter().all(is_link_local),
                &format!("{heard:?}"),
            );
        }
        for family in Family::ALL {
            router.wait("the kernel has all routes", |it| {
                it.installed(family).len() == assortment().len() / 2
            });
        }
        let ipv4 = router.installed(Family::Ipv4);
        router.insist(
            ipv4.iter().all(|it| it.contains("via inet6 fe80:")),
            &format!("{ipv4:?}"),
        );
    });
}

#[test]
fn one_prefix_has_a_path_to_every_node() {
    with_lab(&[Kind::Frr], |_, hosts: [Host; 2]| {
        let row = Row {
            theirs: &[Feature::AddPath],
            ours: &[Feature::AddPath],
            installs: true,
            ..PLAIN
        };
        let nodes: Vec<IpAddr> = NODES.iter().map(|node| node.parse().unwrap()).collect();
        let routes = ["203.0.113.1/32", "2001:db8:ffff::1/128"].map(|prefix| Route {
            next_hop: NextHopMode::Nodes(nodes.clone().into()),
            ..route(prefix)
        });
        let ours = Ours::start(&hosts[0], &row.speaker(&hosts[1..]), routes.to_vec());
        let router = Router::start(Kind::Frr, &hosts[1], row.router(Kind::Frr, &hosts[1]));
        expect_paths_to(&router, &nodes);
        let fewer: Arc<[IpAddr]> = nodes
            .iter()
            .copied()
            .filter(|it| *it != nodes[0] && *it != nodes[3])
            .collect();
        ours.announce(
            routes
                .map(|route| Route {
                    next_hop: NextHopMode::Nodes(Arc::clone(&fewer)),
                    ..route
                })
                .to_vec(),
        );
        expect_paths_to(&router, &fewer);
    });
}

/// The router has one path to each of these, and the kernel a route over all of a family.
fn expect_paths_to(router: &Router, nodes: &[IpAddr]) {
    let first = |heard: &Heard| heard.next_hops[0];
    router.wait(&format!("its paths lead to {nodes:?}"), |it| {
        let table = it.table();
        let next_hops: BTreeSet<IpAddr> = table.iter().map(first).collect();
        table.len() == nodes.len() && next_hops == nodes.iter().copied().collect()
    });
    for family in Family::ALL {
        let of_family: Vec<&IpAddr> = nodes
            .iter()
            .filter(|it| Family::of(**it) == family)
            .collect();
        router.wait("the kernel has a route over all nodes", |it| {
            let flag = if family == Family::Ipv4 { "-4" } else { "-6" };
            let table = it.place.host.sh(&format!("ip {flag} route show proto bgp"));
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
