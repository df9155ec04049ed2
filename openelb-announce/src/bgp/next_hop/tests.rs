//! Tests of next hops.

use super::{ExtendedNextHop, NextHop, NextHopError, V6ForV4};
use crate::bgp::Family;
use std::net::{Ipv4Addr, Ipv6Addr};

fn v6(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

#[test]
fn addresses_that_no_traffic_can_be_sent_to_are_refused() {
    for text in [
        "0.0.0.0",
        "0.1.2.3",
        "127.0.0.1",
        "224.0.0.5",
        "255.255.255.255",
    ] {
        let address: Ipv4Addr = text.parse().unwrap();
        assert!(NextHop::v4(address).is_err(), "{text}");
    }
    for text in ["::", "::1", "ff02::1", "::ffff:192.0.2.1"] {
        assert!(NextHop::v6(v6(text)).is_err(), "{text}");
    }
    assert_eq!(
        NextHop::v6(v6("::ffff:192.0.2.1")),
        Err(NextHopError::Mapped(v6("::ffff:192.0.2.1")))
    );
}

#[test]
fn a_link_local_address_alone_is_its_own_kind() {
    assert_eq!(
        NextHop::v6(v6("fe80::1")),
        Ok(NextHop::LinkLocal(v6("fe80::1")))
    );
    assert!(NextHop::v6_with_link_local(v6("fe80::1"), v6("fe80::1")).is_err());
    assert!(NextHop::v6_with_link_local(v6("fd00::1"), v6("fd00::2")).is_err());
    let both = NextHop::v6_with_link_local(v6("fd00::1"), v6("fe80::1")).unwrap();
    assert_eq!(both.to_string(), "fd00::1 (fe80::1)");
}

#[test]
fn every_kind_knows_the_family_of_its_routes() {
    let proof = ExtendedNextHop::negotiated();
    let plain = NextHop::v6(v6("fd00::1")).unwrap();
    let extended = NextHop::V6ForV4(V6ForV4::new(proof, plain).unwrap());
    assert_eq!(plain.family(), Family::Ipv6Unicast);
    assert_eq!(extended.family(), Family::Ipv4Unicast);
    assert_eq!(extended.address(), plain.address());
    let unnumbered = V6ForV4::new(proof, NextHop::v6(v6("fe80::1")).unwrap()).unwrap();
    assert_eq!(unnumbered.as_v6(), NextHop::LinkLocal(v6("fe80::1")));
    let v4 = NextHop::v4(Ipv4Addr::new(192, 0, 2, 1)).unwrap();
    assert_eq!(v4.family(), Family::Ipv4Unicast);
    assert!(V6ForV4::new(proof, v4).is_err());
}
