//! Tests of which addresses a session has.

use std::net::SocketAddrV6;

use super::*;
use crate::link::topology::tests::ethernet;

#[test]
fn the_addresses_of_the_session_s_own_interface_are_taken() {
    let topology = topology(&[
        (2, "192.0.2.1/24"),
        (2, "2001:db8::1/64"),
        (2, "fe80::2/64"),
        (3, "198.51.100.1/24"),
        (3, "2001:db8:1::1/64"),
        (3, "fe80::3/64"),
    ]);
    for (local, remote) in [
        ("198.51.100.1:179", "198.51.100.9:1"),
        ("[2001:db8:1::1]:179", "[2001:db8:1::9]:1"),
    ] {
        let found = local_addresses(&topology, socket(local), socket(remote));
        let expected = LocalAddresses {
            session: socket(local).ip(),
            v4: Some("198.51.100.1".parse().unwrap()),
            v6_global: Some("2001:db8:1::1".parse().unwrap()),
            v6_link_local: Some("fe80::3".parse().unwrap()),
            on_link: true,
        };
        assert_eq!(found, expected);
    }
}

#[test]
fn a_link_local_session_is_on_the_link_that_its_scope_names() {
    let topology = topology(&[(2, "fe80::1/64"), (3, "fe80::1/64"), (3, "192.0.2.1/24")]);
    let local = SocketAddrV6::new("fe80::1".parse().unwrap(), 179, 0, 3);
    let remote = SocketAddrV6::new("fe80::9".parse().unwrap(), 1, 0, 3);
    let found = local_addresses(&topology, local.into(), remote.into());
    assert!(found.on_link);
    assert_eq!(found.v4, Some("192.0.2.1".parse().unwrap()));
    assert_eq!(found.v6_global, None);
}

#[test]
fn a_peer_behind_routers_is_not_on_the_link() {
    let topology = topology(&[(2, "192.0.2.1/24"), (2, "fe80::2/64")]);
    let found = local_addresses(&topology, socket("192.0.2.1:1"), socket("203.0.113.1:179"));
    assert!(!found.on_link);
}

#[test]
fn node_addresses_come_before_host_addresses_which_are_often_services() {
    let all = [
        (2, "10.0.0.1/32"),
        (2, "192.0.2.1/24"),
        (2, "2001:db8::1/128"),
        (2, "2001:db8::2/64"),
    ];
    let found = |nets| {
        local_addresses(
            &topology(nets),
            socket("192.0.2.1:1"),
            socket("192.0.2.9:1"),
        )
    };
    assert_eq!(found(&all).v4, Some("192.0.2.1".parse().unwrap()));
    assert_eq!(found(&all).v6_global, Some("2001:db8::2".parse().unwrap()));
    assert_eq!(
        found(&all[1..3]).v6_global,
        Some("2001:db8::1".parse().unwrap())
    );
}

#[test]
fn loopback_addresses_are_no_way_to_this_host() {
    let topology = topology(&[(1, "127.0.0.1/8"), (1, "::1/128")]);
    let found = local_addresses(&topology, socket("127.0.0.1:1"), socket("127.0.0.1:2"));
    assert_eq!(
        (found.v4, found.v6_global, found.on_link),
        (None, None, false)
    );
}

#[test]
fn an_address_that_no_link_has_leaves_only_itself() {
    let found = local_addresses(
        &Topology::default(),
        socket("192.0.2.1:1"),
        socket("192.0.2.2:1"),
    );
    assert_eq!(found.session, socket("192.0.2.1:1").ip());
    assert_eq!(
        (found.v4, found.v6_link_local, found.on_link),
        (None, None, false)
    );
}

fn topology(addresses: &[(u32, &str)]) -> Topology {
    let mut topology = Topology::default();
    for (index, net) in addresses {
        topology.put_link(ethernet(*index, &format!("eth{index}")));
        topology.put_address(*index, net.parse().unwrap());
    }
    topology
}

fn socket(text: &str) -> SocketAddr {
    text.parse().unwrap()
}
