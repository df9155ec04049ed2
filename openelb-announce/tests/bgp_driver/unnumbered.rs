//! Peers that are known by their interface alone, found by router advertisements.

use openelb_announce::bgp::config::{Peer, Remote, RemoteAs};

use crate::lab::with_lab;
use crate::node::{Node, config, settings};
use crate::router::{Family, Feature, Kind, Neighbor, Router};
use crate::sessions::{described, other};
use crate::world::{Host, with_hosts};

#[test]
fn frr_hears_ipv4_routes_with_ipv6_next_hops_and_installs_them() {
    with_lab(&[Kind::Frr], |_, [ours, theirs]: [Host; 2]| {
        for host in [&ours, &theirs] {
            host.sh("ip addr flush dev eth0 scope global");
        }
        let neighbor = Neighbor::on(64512, "eth0").with(Feature::ExtendedNextHop);
        let frr = described(&theirs).neighbor(neighbor).installing();
        let frr = Router::start(Kind::Frr, &theirs, frr);
        let node = Node::start(&ours, config(&ours, [unnumbered()]));
        node.announce(&["203.0.113.7/32", "2001:db8:7::7/128"]);
        node.wait_established("leaf");
        frr.wait_established("eth0");
        frr.wait("both routes are in the kernel's table", |frr| {
            Family::ALL
                .iter()
                .all(|family| frr.installed(*family).len() == 1)
        });
        let route = frr.installed(Family::Ipv4).remove(0);
        assert!(
            route.starts_with("203.0.113.7 ") && route.contains("via inet6 fe80::"),
            "{route}"
        );
    });
}

#[test]
fn two_speakers_find_each_other_whoever_comes_first_and_again_after_the_link_was_down() {
    with_hosts(|_, [one, two]: [Host; 2]| {
        let near = Node::start(&one, config(&one, [unnumbered()]));
        near.wait("it looks for somebody", |node| {
            node.status().interfaces.len() == 1
        });
        let far = Node::start(&two, other(&two, [unnumbered()]));
        near.wait_established("leaf");
        far.wait_established("leaf");
        one.sh("ip link set eth0 down");
        near.wait("the neighbour is lost", |node| {
            node.status().interfaces[0].neighbor.is_none()
        });
        one.sh("ip link set eth0 up");
        near.wait("the neighbour is back", |node| {
            node.status().interfaces[0].neighbor.is_some()
        });
    });
}

#[test]
fn an_interface_that_comes_later_is_searched_then() {
    with_hosts(|world, [one, two]: [Host; 2]| {
        let mut late = unnumbered();
        late.remote = Remote::Interface("late0".to_owned());
        let near = Node::start(&one, config(&one, [late]));
        let far = Node::start(&two, other(&two, [unnumbered()]));
        one.sh("ip link set eth0 down");
        world.plug(&one, "late0");
        near.wait_established("leaf");
        far.wait_established("leaf");
    });
}

fn unnumbered() -> Peer {
    let mut settings = settings();
    settings.remote_as = RemoteAs::External;
    settings.extended_next_hop = true;
    Peer {
        name: "leaf".into(),
        remote: Remote::Interface("eth0".to_owned()),
        settings,
    }
}
