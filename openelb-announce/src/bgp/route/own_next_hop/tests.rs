use super::{LocalAddresses, NoNextHop, next_hop_for, third_party_next_hop};
use crate::bgp::family::Family;
use crate::bgp::next_hop::{ExtendedNextHop, NextHop, NextHopError};
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const GLOBAL: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
const LINK_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);

fn dual(session: impl Into<IpAddr>) -> LocalAddresses {
    LocalAddresses {
        session: session.into(),
        v4: Some(V4),
        v6_global: Some(GLOBAL),
        v6_link_local: Some(LINK_LOCAL),
        on_link: true,
    }
}

fn unnumbered() -> LocalAddresses {
    LocalAddresses {
        v4: None,
        v6_global: None,
        ..dual(LINK_LOCAL)
    }
}

fn own(family: Family, local: LocalAddresses) -> Result<NextHop, NoNextHop> {
    next_hop_for(family, &local, None, None)
}

fn with_both() -> NextHop {
    NextHop::v6_with_link_local(GLOBAL, LINK_LOCAL).unwrap()
}

#[test]
fn next_hop_self_depends_on_the_family_of_the_route_and_not_of_the_session() {
    for session in [IpAddr::from(V4), IpAddr::from(GLOBAL)] {
        let local = dual(session);
        assert_eq!(own(Family::Ipv4Unicast, local), Ok(NextHop::V4(V4)));
        assert_eq!(own(Family::Ipv6Unicast, local), Ok(with_both()));
    }
}

#[test]
fn a_node_without_ipv4_refuses_ipv4_routes_with_a_reason_and_announces_ipv6() {
    let local = LocalAddresses {
        v4: None,
        ..dual(GLOBAL)
    };
    let refused = own(Family::Ipv4Unicast, local).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "this node has no address that can be the next hop of an ipv4-unicast route at \
         2001:db8::1; give the interface one, or set the peer's next hop for the family"
    );
    assert_eq!(own(Family::Ipv6Unicast, local), Ok(with_both()));
}

#[test]
fn a_peer_that_is_not_on_the_link_gets_no_link_local_next_hop() {
    let local = LocalAddresses {
        on_link: false,
        ..dual(GLOBAL)
    };
    assert_eq!(
        own(Family::Ipv6Unicast, local),
        NextHop::v6(GLOBAL).map_err(Into::into)
    );
}

#[test]
fn a_link_with_link_local_addresses_only_has_a_link_local_next_hop() {
    let next_hop = own(Family::Ipv6Unicast, unnumbered());
    assert_eq!(next_hop, Ok(NextHop::LinkLocal(LINK_LOCAL)));
}

#[test]
fn ipv4_routes_go_through_ipv6_only_when_that_was_negotiated() {
    let local = unnumbered();
    assert!(own(Family::Ipv4Unicast, local).is_err());
    let proof = Some(ExtendedNextHop::negotiated());
    let next_hop = next_hop_for(Family::Ipv4Unicast, &local, None, proof).unwrap();
    let NextHop::V6ForV4(through) = next_hop else {
        panic!("{next_hop:?}");
    };
    assert_eq!(through.as_v6(), NextHop::LinkLocal(LINK_LOCAL));
}

#[test]
fn a_session_with_an_ipv4_address_uses_it_even_if_extended_next_hops_were_negotiated() {
    let proof = Some(ExtendedNextHop::negotiated());
    let next_hop = next_hop_for(Family::Ipv4Unicast, &dual(GLOBAL), None, proof);
    assert_eq!(next_hop, Ok(NextHop::V4(V4)));
}

#[test]
fn a_configured_next_hop_comes_first() {
    let other = "198.51.100.7".parse().unwrap();
    let next_hop = next_hop_for(Family::Ipv4Unicast, &dual(V4), Some(other), None);
    assert_eq!(next_hop.unwrap().address(), other);
}

#[test]
fn the_address_of_another_family_or_link_is_refused_by_name() {
    let refusal = |family, address: &str| {
        let address = address.parse().unwrap();
        third_party_next_hop(family, address, None)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refusal(Family::Ipv6Unicast, "192.0.2.1"),
        "next hop 192.0.2.1 does not fit an ipv6-unicast route; name an address of that family"
    );
    assert_eq!(
        refusal(Family::Ipv4Unicast, "2001:db8::1"),
        "next hop 2001:db8::1 of an ipv4-unicast route needs extended next hops (RFC 8950), which \
         were not negotiated; enable them on both sides, or name an IPv4 address"
    );
    assert_eq!(
        refusal(Family::Ipv6Unicast, "fe80::1"),
        "next hop fe80::1 is link-local; name a global address of the node"
    );
}

#[test]
fn a_mapped_next_hop_is_refused() {
    let mapped = V4.to_ipv6_mapped();
    assert_eq!(
        third_party_next_hop(Family::Ipv6Unicast, mapped.into(), None),
        Err(NoNextHop::Unusable(NextHopError::Mapped(mapped)))
    );
}

fn any_address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<Ipv4Addr>().prop_map(IpAddr::from),
        any::<Ipv6Addr>().prop_map(IpAddr::from),
        any::<Ipv4Addr>().prop_map(|address| address.to_ipv6_mapped().into()),
        Just(LINK_LOCAL.into()),
    ]
}

proptest! {
    #[test]
    fn no_address_whatever_gives_a_next_hop_of_another_family(
        session in any_address(),
        v4: Option<Ipv4Addr>,
        v6_global: Option<Ipv6Addr>,
        v6_link_local: Option<Ipv6Addr>,
        on_link: bool,
        configured in prop::option::of(any_address()),
        extended: bool,
    ) {
        let local = LocalAddresses { session, v4, v6_global, v6_link_local, on_link };
        let proof = extended.then(ExtendedNextHop::negotiated);
        for family in Family::ALL {
            let next_hop = next_hop_for(family, &local, configured, proof);
            let Ok(next_hop) = next_hop else { continue };
            prop_assert_eq!(next_hop.family(), family);
            prop_assert_eq!(next_hop.checked(), Ok(next_hop));
            let is_extended = matches!(next_hop, NextHop::V6ForV4(_));
            prop_assert!(extended || !is_extended);
        }
    }
}
