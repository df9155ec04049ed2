//! Tests of the choice.

use super::*;
use crate::link::topology::tests::ethernet;
use crate::vrrp::Vrid;

fn chosen(own: &[&str], virtual_addresses: &[&str], owner: bool) -> Option<String> {
    let mut topology = Topology::default();
    topology.put_link(ethernet(2, "eth0"));
    for net in own {
        topology.put_address(2, net.parse().unwrap());
    }
    let addresses: Vec<IpAddr> = virtual_addresses
        .iter()
        .map(|it| it.parse().unwrap())
        .collect();
    let settings = Settings {
        owner,
        ..Settings::new(Vrid::new(1).unwrap(), addresses.clone())
    };
    let address = primary(&topology, 2, &settings, |it| addresses.contains(&it));
    address.map(|it| it.to_string())
}

#[test]
fn of_ipv4_it_is_the_lowest_in_the_network_of_the_virtual_address() {
    let own = [
        "10.0.0.1/8",
        "192.0.2.9/24",
        "192.0.2.3/24",
        "2001:db8::1/64",
    ];
    assert_eq!(
        chosen(&own, &["192.0.2.1"], false).as_deref(),
        Some("192.0.2.3")
    );
    assert_eq!(
        chosen(&own, &["198.51.100.1"], false).as_deref(),
        Some("10.0.0.1")
    );
}

#[test]
fn of_ipv6_it_is_link_local() {
    let own = ["192.0.2.1/24", "2001:db8::1/64", "fe80::2/64"];
    let addresses = ["fe80::1", "2001:db8::7"];
    assert_eq!(chosen(&own, &addresses, false).as_deref(), Some("fe80::2"));
    assert_eq!(chosen(&["2001:db8::1/64"], &addresses, false), None);
}

#[test]
fn a_virtual_address_is_a_source_for_its_owner_alone() {
    let own = ["192.0.2.1/24", "192.0.2.9/24"];
    assert_eq!(
        chosen(&own, &["192.0.2.1"], false).as_deref(),
        Some("192.0.2.9")
    );
    assert_eq!(
        chosen(&own, &["192.0.2.1"], true).as_deref(),
        Some("192.0.2.1")
    );
    assert_eq!(chosen(&["192.0.2.1/32"], &["192.0.2.1"], false), None);
}
