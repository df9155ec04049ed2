//! Tests of extended communities.

use super::ExtendedCommunity;

#[test]
fn route_targets_and_sites_of_origin_are_read_and_written_by_name() {
    for (text, octets) in [
        ("rt:64512:1", [0, 2, 0xfc, 0, 0, 0, 0, 1]),
        (
            "soo:64512:4294967295",
            [0, 3, 0xfc, 0, 0xff, 0xff, 0xff, 0xff],
        ),
        ("rt:192.0.2.1:7", [1, 2, 192, 0, 2, 1, 0, 7]),
        ("rt:65536L:7", [2, 2, 0, 1, 0, 0, 0, 7]),
        ("rt:1L:7", [2, 2, 0, 0, 0, 1, 0, 7]),
        ("0x4300000000000001", [0x43, 0, 0, 0, 0, 0, 0, 1]),
        ("0x030b000000000001", [3, 0x0b, 0, 0, 0, 0, 0, 1]),
    ] {
        assert_eq!(text.parse(), Ok(ExtendedCommunity(octets)), "{text}");
        assert_eq!(ExtendedCommunity(octets).to_string(), text);
    }
    assert_eq!(
        "rt:65536:7".parse(),
        Ok(ExtendedCommunity([2, 2, 0, 1, 0, 0, 0, 7]))
    );
}

#[test]
fn what_is_no_extended_community_is_refused() {
    for text in [
        "",
        "rt:1",
        "rt:1:2:3",
        "rt:65536:65536",
        "xx:1:1",
        "0x1",
        "0x+300000000000001",
        "1:1",
    ] {
        assert!(text.parse::<ExtendedCommunity>().is_err(), "{text}");
    }
}

#[test]
fn the_second_bit_tells_that_a_community_stays_in_its_as() {
    assert!(ExtendedCommunity([0, 2, 0, 0, 0, 0, 0, 0]).is_transitive());
    assert!(!ExtendedCommunity([0x43, 0, 0, 0, 0, 0, 0, 0]).is_transitive());
}
