//! Which link a gateway is on, and the words when it is on none.

use super::{Neighborhood, Resolved};
use crate::announcer::kernel_routes::Refusal;
use crate::forwarding::{GatewayV4, GatewayV6, Route};
use crate::link::routes::Hop;
use crate::link::topology::tests::ethernet;
use crate::link::topology::{Media, Topology};
use std::net::IpAddr;

fn host() -> Topology {
    let mut topology = Topology::default();
    let mut loopback = ethernet(1, "lo");
    loopback.media = Media::Loopback;
    topology.put_link(loopback);
    for (index, name) in [(2, "eth0"), (3, "eth1")] {
        topology.put_link(ethernet(index, name));
    }
    let mut down = ethernet(4, "eth2");
    down.is_up = false;
    topology.put_link(down);
    for (index, net) in [
        (1, "203.0.113.1/24"),
        (2, "192.0.2.1/24"),
        (2, "2001:db8::1/64"),
        (2, "fe80::1/64"),
        (3, "198.51.100.1/24"),
        (3, "198.51.100.200/32"),
        (4, "198.51.100.129/25"),
    ] {
        topology.put_address(index, net.parse().unwrap());
    }
    topology
}

fn v4(gateway: &str) -> Resolved {
    let gateway = GatewayV4::V4(gateway.parse().unwrap());
    resolve(&Route::v4("10.244.1.0/24".parse().unwrap(), [gateway]))
}

fn v6(gateway: GatewayV6) -> Resolved {
    resolve(&Route::v6("2001:db8:1::/64".parse().unwrap(), [gateway]))
}

fn resolve(route: &Route) -> Resolved {
    Neighborhood::new(&host()).resolve(route)
}

fn on(gateway: &str, link: u32) -> Resolved {
    let gateway = gateway.parse().unwrap();
    Resolved {
        hops: [Hop { gateway, link }].into(),
        refusal: None,
    }
}

fn refused(why: Refusal) -> Resolved {
    Resolved {
        hops: [].into(),
        refusal: Some(why),
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_gateway_is_on_the_link_whose_subnet_it_is_in() {
    assert_eq!(v4("192.0.2.9"), on("192.0.2.9", 2));
    assert_eq!(v4("198.51.100.9"), on("198.51.100.9", 3));
    let global = GatewayV6::global("2001:db8::9".parse().unwrap()).unwrap();
    assert_eq!(v6(global), on("2001:db8::9", 2));
}

#[test]
fn a_link_local_gateway_is_on_the_link_that_is_named() {
    let gateway = GatewayV6::link_local("fe80::9".parse().unwrap(), "eth1").unwrap();
    assert_eq!(v6(gateway), on("fe80::9", 3));
    // Our own address of another link may be somebody else's here.
    let gateway = GatewayV6::link_local("fe80::1".parse().unwrap(), "eth1").unwrap();
    assert_eq!(v6(gateway), on("fe80::1", 3));
    let gateway = GatewayV6::link_local("fe80::1".parse().unwrap(), "eth0").unwrap();
    assert_eq!(v6(gateway), refused(Refusal::Own(ip("fe80::1"))));
    let gateway = GatewayV6::link_local("fe80::9".parse().unwrap(), "eth9").unwrap();
    let why = Refusal::NoInterface {
        gateway: ip("fe80::9"),
        interface: "eth9".to_owned(),
    };
    assert_eq!(v6(gateway), refused(why));
}

#[test]
fn a_gateway_on_no_subnet_is_refused_by_name() {
    for far in ["203.0.114.9", "203.0.113.9"] {
        // The loopback interface has no neighbours, whatever its prefix is.
        assert_eq!(v4(far), refused(Refusal::NotConnected(ip(far))));
    }
    assert_eq!(v4("192.0.2.1"), refused(Refusal::Own(ip("192.0.2.1"))));
}

#[test]
fn the_longest_subnet_counts_also_when_its_link_is_down() {
    let why = Refusal::LinkDown {
        gateway: ip("198.51.100.130"),
        interface: "eth2".to_owned(),
    };
    assert_eq!(v4("198.51.100.130"), refused(why));
}

#[test]
fn one_gateway_that_cannot_be_used_does_not_keep_the_others_from_being_used() {
    let gateways = ["192.0.2.9", "203.0.114.9"].map(|it| GatewayV4::V4(it.parse().unwrap()));
    let resolved = resolve(&Route::v4("10.244.1.0/24".parse().unwrap(), gateways));
    assert_eq!(resolved.hops, on("192.0.2.9", 2).hops);
    let far = Refusal::NotConnected(ip("203.0.114.9"));
    assert_eq!(resolved.refusal, Some(far));
    let empty = resolve(&Route::v4("10.244.1.0/24".parse().unwrap(), []));
    assert_eq!(empty, refused(Refusal::NoGateway));
}

#[test]
fn an_ipv4_route_may_have_an_ipv6_gateway() {
    let gateway = GatewayV6::link_local("fe80::9".parse().unwrap(), "eth0").unwrap();
    let route = Route::v4("10.244.1.0/24".parse().unwrap(), [GatewayV4::V6(gateway)]);
    assert_eq!(resolve(&route), on("fe80::9", 2));
}
