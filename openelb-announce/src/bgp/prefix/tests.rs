//! Tests of prefixes.

use super::{Nlri, Prefix, PrefixError};
use crate::bgp::Family;

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

#[test]
fn a_prefix_is_read_and_written_in_canonical_form() {
    for text in [
        "0.0.0.0/0",
        "::/0",
        "192.0.2.0/24",
        "192.0.2.1/32",
        "2001:db8::/33",
    ] {
        assert_eq!(prefix(text).to_string(), text);
    }
    assert_eq!(prefix("192.0.2.1"), prefix("192.0.2.1/32"));
    assert_eq!(prefix("2001:db8::1").length(), 128);
}

#[test]
fn host_bits_are_refused_with_the_prefix_that_was_meant() {
    let refused = "192.0.2.1/24".parse::<Prefix>().unwrap_err().to_string();
    assert_eq!(refused, "192.0.2.1/24 has host bits; write 192.0.2.0/24");
    assert_eq!(
        Prefix::truncate("2001:db8::1".parse().unwrap(), 64),
        Ok(prefix("2001:db8::/64"))
    );
}

#[test]
fn a_length_beyond_the_family_is_refused() {
    assert!(matches!(
        Prefix::new("192.0.2.0".parse().unwrap(), 33),
        Err(PrefixError::Length { .. })
    ));
    for text in [
        "2001:db8::/129",
        "::/256",
        "192.0.2.0/",
        "/8",
        "x/8",
        "192.0.2.0/-1",
    ] {
        assert!(text.parse::<Prefix>().is_err(), "{text}");
    }
}

#[test]
fn a_prefix_contains_addresses_of_its_family_only() {
    assert!(prefix("0.0.0.0/0").contains("10.0.0.1".parse().unwrap()));
    assert!(!prefix("0.0.0.0/0").contains("::".parse().unwrap()));
    assert!(!prefix("::/0").contains("0.0.0.0".parse().unwrap()));
    assert!(prefix("10.0.0.0/8").covers(&prefix("10.1.0.0/16")));
    assert!(!prefix("10.1.0.0/16").covers(&prefix("10.0.0.0/8")));
}

#[test]
fn ipv4_comes_before_ipv6_and_short_before_long() {
    let mut sorted = [prefix("::/0"), prefix("10.0.0.0/16"), prefix("10.0.0.0/8")];
    sorted.sort();
    assert_eq!(
        sorted,
        [prefix("10.0.0.0/8"), prefix("10.0.0.0/16"), prefix("::/0")]
    );
}

#[test]
fn a_prefix_takes_18_octets_and_networks_become_prefixes_and_back() {
    assert_eq!(size_of::<Prefix>(), 18);
    let network: ipnet::IpNet = "192.0.2.7/24".parse().unwrap();
    assert_eq!(Prefix::from(network), prefix("192.0.2.0/24"));
    assert_eq!(ipnet::IpNet::from(prefix("192.0.2.0/24")), network.trunc());
}

#[test]
fn the_wire_form_keeps_no_bit_after_the_length() {
    let read = Prefix::from_wire(Family::Ipv4Unicast, [0xff; 16], 9);
    assert_eq!(read, prefix("255.128.0.0/9"));
    let nothing = Prefix::from_wire(Family::Ipv6Unicast, [0xff; 16], 0);
    assert_eq!(nothing, prefix("::/0"));
    let nlri = Nlri {
        path_id: Some(7),
        prefix: read,
    };
    assert_eq!(nlri.to_string(), "255.128.0.0/9 path 7");
}
