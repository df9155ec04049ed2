//! Tests of the Internet checksum.

use super::Checksum;
use crate::wire::ip::NextHeader;

fn sum(octets: &[u8]) -> u16 {
    let mut checksum = Checksum::default();
    checksum.add(octets);
    checksum.value()
}

#[test]
fn the_example_of_rfc_1071_section_3_sums_up() {
    assert_eq!(
        !sum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]),
        0xddf2
    );
}

#[test]
fn an_odd_last_octet_counts_as_if_a_zero_followed() {
    assert_eq!(sum(&[1, 2, 3]), sum(&[1, 2, 3, 0]));
}

#[test]
fn carries_are_folded_until_none_is_left() {
    assert_eq!(sum(&vec![0xff; 65_534]), 0);
    assert_eq!(sum(&[]), 0xffff);
}

#[test]
fn the_pseudo_header_counts_both_addresses_the_length_and_the_protocol() {
    let (a, b) = ("2001:db8::1".parse().unwrap(), "ff02::1".parse().unwrap());
    let checksum = Checksum::of_ipv6(a, b, NextHeader::Icmpv6, 32);
    let spelled_out = 0x2001 + 0x0db8 + 1 + 0xff02 + 1 + 32 + 58_u64;
    let folded = (spelled_out & 0xffff) + (spelled_out >> 16);
    assert_eq!(u64::from(!checksum.value()), folded);
}
