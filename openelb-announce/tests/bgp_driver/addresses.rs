//! Which address, port and interface a connection uses, and next hops that follow the interface.

use crate::lab::with_lab;
use crate::node::{Node, config, peer};
use crate::router::{Family, Kind, Neighbor, Router};
use crate::sessions::{described, other};
use crate::world::{Host, with_hosts};

#[test]
fn the_source_address_and_port_are_those_configured() {
    with_hosts(|_, [one, two]: [Host; 2]| {
        one.sh("ip addr add 192.0.2.101/24 dev eth0");
        let mut near = peer("two", "192.0.2.2");
        near.settings.transport.source = Some("192.0.2.101".parse().unwrap());
        near.settings.transport.local_port = Some(17900);
        let mut far = peer("one", "192.0.2.101");
        far.settings.passive = true;
        let node = Node::start(&one, config(&one, [near]));
        let _far = Node::start(&two, other(&two, [far]));
        node.wait_established("two");
        let connections = one.sh("ss -Htn state established dport = 179");
        assert!(connections.contains("192.0.2.101:17900"), "{connections}");
    });
}

#[test]
fn a_source_address_that_appears_later_is_used_then() {
    with_hosts(|_, [one, two]: [Host; 2]| {
        let mut near = peer("two", "192.0.2.2");
        near.settings.transport.source = Some("192.0.2.101".parse().unwrap());
        let node = Node::start(&one, config(&one, [near]));
        let mut far = peer("one", "192.0.2.101");
        far.settings.passive = true;
        let _far = Node::start(&two, other(&two, [far]));
        node.wait_event("no interface has this address yet");
        one.sh("ip addr add 192.0.2.101/24 dev eth0");
        node.wait_established("two");
    });
}

#[test]
fn a_bound_interface_is_used_whatever_the_routes_say() {
    with_hosts(|world, [one, two]: [Host; 2]| {
        world.plug(&one, "eth1");
        one.sh("ip addr add 198.51.100.1/24 dev eth1");
        two.sh("ip addr add 198.51.100.2/24 dev eth0");
        // Without the binding the connection would go out on eth0, from its address.
        one.sh("ip route add 198.51.100.2/32 dev eth0 src 192.0.2.1");
        one.sh("ip route add 198.51.100.2/32 dev eth1 metric 500");
        let mut near = peer("two", "198.51.100.2");
        near.settings.transport.bind_interface = Some("eth1".to_owned());
        let mut far = peer("one", "198.51.100.1");
        far.settings.passive = true;
        let node = Node::start(&one, config(&one, [near]));
        let _far = Node::start(&two, other(&two, [far]));
        node.wait_established("two");
        let session = node.peer("two").session.unwrap();
        assert_eq!(session.local.to_string(), "198.51.100.1");
    });
}

#[test]
fn a_link_local_peer_is_reached_over_its_interface() {
    with_hosts(|_, [one, two]: [Host; 2]| {
        let near = link_local("two", &two);
        let far = link_local("one", &one);
        let node = Node::start(&one, config(&one, [near]));
        let far = Node::start(&two, other(&two, [far]));
        node.wait_established("two");
        far.wait_established("one");
    });
}

#[test]
fn the_other_family_gets_its_next_hop_as_soon_as_the_interface_has_an_address() {
    with_lab(&[Kind::Frr], |_, [ours, theirs]: [Host; 2]| {
        ours.sh("ip addr del 2001:db8::1/64 dev eth0");
        ours.sh("ip addr flush dev eth0 scope link");
        let neighbor = Neighbor::new(64512, "192.0.2.1").families(&Family::ALL);
        let frr = Router::start(Kind::Frr, &theirs, described(&theirs).neighbor(neighbor));
        let node = Node::start(&ours, config(&ours, [peer("frr", "192.0.2.2")]));
        node.announce(&["203.0.113.7/32", "2001:db8:7::7/128"]);
        node.wait_established("frr");
        frr.wait("the route that has a next hop is heard", |frr| {
            frr.table().len() == 1
        });
        node.wait("the other one is refused with words", |node| {
            let families = node.peer("frr").families;
            families
                .ipv6
                .refused_why
                .is_some_and(|why| why.contains("no address"))
        });
        ours.sh("ip addr add 2001:db8::1/64 dev eth0 nodad");
        frr.wait("both routes are heard", |frr| frr.table().len() == 2);
        assert_eq!(node.peer("frr").flaps, 0);
    });
}

fn link_local(name: &str, host: &Host) -> openelb_announce::bgp::config::Peer {
    let words = host.sh("ip -6 -o addr show dev eth0 scope link");
    let address = words
        .split_whitespace()
        .find(|word| word.starts_with("fe80"))
        .unwrap();
    let address = address.split('/').next().unwrap();
    let mut peer = peer(name, address);
    peer.remote = openelb_announce::bgp::config::Remote::Address {
        address: address.parse().unwrap(),
        interface: Some("eth0".to_owned()),
    };
    peer
}
