//! Hop limits: GTSM (RFC 5082), neighbours behind routers, and neither by accident.

use crate::lab::with_lab;
use crate::node::{Node, config, peer};
use crate::router::{Feature, Kind, Neighbor, Router};
use crate::sessions::{described, other};
use crate::world::{Host, with_hosts};

#[test]
fn frr_with_ttl_security_takes_us_only_with_gtsm() {
    with_lab(&[Kind::Frr], |_, [ours, theirs]: [Host; 2]| {
        for (near, far) in [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")] {
            let neighbor = Neighbor::new(64512, near).with(Feature::TtlSecurity);
            let frr = Router::start(Kind::Frr, &theirs, described(&theirs).neighbor(neighbor));
            let mut peer = peer("frr", far);
            let node = Node::start(&ours, config(&ours, [peer.clone()]));
            node.wait("a dial comes to nothing", |node| {
                node.events().iter().any(|event| event.contains("peer frr"))
            });
            assert!(!node.is_established("frr"));
            peer.settings.transport.gtsm = Some(1);
            node.configure(config(&ours, [peer]));
            node.wait_established("frr");
            frr.wait_established(near);
        }
    });
}

#[test]
fn a_neighbour_behind_a_router_takes_multihop_on_both_sides() {
    with_hosts(|_, [one, router, two]: [Host; 3]| {
        behind_router(&one, &router, &two);
        let near = |multihop| {
            let mut peer = peer("two", "198.51.100.2");
            peer.settings.transport.multihop = multihop;
            peer
        };
        let far = |multihop| {
            let mut peer = peer("one", "192.0.2.1");
            peer.settings.transport.multihop = multihop;
            peer
        };
        let node = Node::start(&one, config(&one, [near(None)]));
        let other_node = Node::start(&two, other(&two, [far(Some(2))]));
        node.wait_event("peer two");
        assert!(!node.is_established("two"));
        node.configure(config(&one, [near(Some(2))]));
        node.wait_established("two");
        other_node.wait_established("one");
    });
}

#[test]
fn gtsm_counts_the_hops_that_were_agreed_on() {
    with_hosts(|_, [one, router, two]: [Host; 3]| {
        behind_router(&one, &router, &two);
        let near = |hops| {
            let mut peer = peer("two", "198.51.100.2");
            peer.settings.transport.gtsm = Some(hops);
            peer
        };
        let mut far = peer("one", "192.0.2.1");
        far.settings.transport.gtsm = Some(2);
        let node = Node::start(&one, config(&one, [near(1)]));
        let _far = Node::start(&two, other(&two, [far]));
        node.wait_event("peer two");
        assert!(!node.is_established("two"));
        node.configure(config(&one, [near(2)]));
        node.wait_established("two");
    });
}

/// Takes the third host off the bridge's subnet and puts it behind the second.
fn behind_router(one: &Host, router: &Host, two: &Host) {
    router.sh("sysctl -qw net.ipv4.ip_forward=1");
    router.sh("ip addr add 198.51.100.1/24 dev eth0");
    two.sh("ip addr flush dev eth0 scope global");
    two.sh("ip addr add 198.51.100.2/24 dev eth0");
    two.sh("ip route add default via 198.51.100.1");
    one.sh("ip route add 198.51.100.0/24 via 192.0.2.2");
    // The router must not tell the hosts of the shorter way that they share.
    router.sh("sysctl -qw net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.eth0.send_redirects=0");
}
