//! Tests of AS numbers and router identifiers.

use super::{Asn, RouterId};
use std::net::Ipv4Addr;

#[test]
fn both_notations_of_an_as_number_are_read_and_asplain_is_written() {
    for (text, number) in [
        ("0", 0),
        ("64512", 64_512),
        ("4294967295", u32::MAX),
        ("0.64512", 64_512),
        ("1.0", 65_536),
        ("65535.65535", u32::MAX),
    ] {
        assert_eq!(text.parse(), Ok(Asn(number)), "{text}");
    }
    assert_eq!(Asn(65_536).to_string(), "65536");
}

#[test]
fn what_is_no_as_number_is_refused_by_name() {
    for text in [
        "",
        "AS1",
        "-1",
        "4294967296",
        "1.65536",
        "1.2.3",
        ".1",
        "1.",
    ] {
        let refused = text.parse::<Asn>().unwrap_err().to_string();
        assert!(refused.starts_with(&format!("`{text}` is no AS number")));
    }
}

#[test]
fn a_number_of_four_octets_is_as_trans_in_two() {
    assert_eq!(Asn(65_535).wire16(), 65_535);
    assert_eq!(Asn(65_536).wire16(), 23_456);
}

#[test]
fn reserved_numbers_are_known() {
    for number in [0, 23_456, 65_535, u32::MAX] {
        assert!(Asn(number).is_reserved());
    }
    assert!(!Asn(64_512).is_reserved());
}

#[test]
fn a_router_id_is_any_four_octets_but_zero() {
    assert_eq!(RouterId::new(0), None);
    assert!("0.0.0.0".parse::<RouterId>().is_err());
    assert!("1".parse::<RouterId>().is_err());
    assert!(RouterId::try_from(Ipv4Addr::UNSPECIFIED).is_err());
    let id: RouterId = "10.255.0.1".parse().unwrap();
    assert_eq!(id.number(), 0x0aff_0001);
    assert_eq!(id.to_string(), "10.255.0.1");
}
