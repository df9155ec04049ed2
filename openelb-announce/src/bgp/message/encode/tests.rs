//! Tests of written UPDATEs.

use super::{write_announcements, write_end_of_rib, write_keepalive, write_withdrawals};
use crate::bgp::attribute::{AsPath, Attributes};
use crate::bgp::message::tests::{bodies, hex};
use crate::bgp::message::{AttributeBlock, EXTENDED_LIMIT, EncodeError, LIMIT};
use crate::bgp::next_hop::NextHop;
use crate::bgp::{Asn, Community, Family, Nlri, Prefix};
use std::net::{Ipv4Addr, Ipv6Addr};

fn block(next_hop: &str) -> AttributeBlock {
    let next_hop = match next_hop.parse() {
        Ok(address) => NextHop::v4(address),
        Err(_) => NextHop::v6(next_hop.parse().unwrap()),
    };
    let attributes = Attributes {
        as_path: AsPath::sequence([Asn(64_512)]),
        ..Attributes::default()
    };
    AttributeBlock::new(&attributes, next_hop.unwrap(), true).unwrap()
}

fn v4_hosts(count: u32) -> impl Iterator<Item = Nlri> {
    let host = |bits: u32| Prefix::host(Ipv4Addr::from_bits(bits).into());
    (0..count).map(move |last| host(0x0a00_0000 | last).into())
}

fn v6_hosts(count: u32) -> impl Iterator<Item = Nlri> {
    let host = |bits: u128| Prefix::host(Ipv6Addr::from_bits(bits).into());
    (0..count).map(move |last| host(0x2001_0db8 << 96 | u128::from(last)).into())
}

fn announced(
    limit: usize,
    block: &AttributeBlock,
    mut nlri: impl Iterator<Item = Nlri>,
) -> (Vec<u8>, Vec<usize>) {
    let (mut out, mut counts) = (Vec::new(), Vec::new());
    loop {
        match write_announcements(&mut out, limit, block, &mut nlri).unwrap() {
            0 => return (out, counts),
            count => counts.push(count),
        }
    }
}

#[test]
fn an_ipv4_route_stands_in_the_field_of_the_update() {
    let (out, _) = announced(LIMIT, &block("192.0.2.1"), v4_hosts(1));
    let expected = "ffffffffffffffffffffffffffffffff 0030 02 0000 0014
        40010100 40020602010000fc00 400304c0000201 20 0a000000";
    assert_eq!(out, hex(expected));
}

#[test]
fn an_ipv6_route_stands_in_mp_reach_which_is_the_first_attribute() {
    let (out, _) = announced(LIMIT, &block("2001:db8::1"), v6_hosts(1));
    let expected = "ffffffffffffffffffffffffffffffff 004e 02 0000 0037
        900e0026 0002 01 10 20010db8000000000000000000000001 00
        80 20010db8000000000000000000000000 40010100 40020602010000fc00";
    assert_eq!(out, hex(expected));
}

#[test]
fn messages_are_packed_to_their_limit() {
    let (out, counts) = announced(LIMIT, &block("192.0.2.1"), v4_hosts(2_000));
    assert_eq!(counts, [810, 810, 380]);
    assert_eq!(bodies(&out)[0].len() + 19, 43 + 810 * 5);
    let (_, counts) = announced(LIMIT, &block("2001:db8::1"), v6_hosts(500));
    assert_eq!(counts, [237, 237, 26]);
    let (_, counts) = announced(EXTENDED_LIMIT, &block("192.0.2.1"), v4_hosts(20_000));
    assert_eq!(counts, [13_098, 6_902]);
    let (out, counts) = announced(EXTENDED_LIMIT, &block("2001:db8::1"), v6_hosts(5_000));
    assert_eq!(counts, [3_851, 1_149]);
    assert!(bodies(&out)[0].len() + 19 <= EXTENDED_LIMIT);
}

#[test]
fn withdrawals_stand_in_their_own_field_or_in_mp_unreach() {
    let mut out = Vec::new();
    let count = write_withdrawals(&mut out, LIMIT, Family::Ipv4Unicast, &mut v4_hosts(2));
    assert_eq!(count, Ok(2));
    let expected = "ffffffffffffffffffffffffffffffff 0021 02 000a 200a000000 200a000001 0000";
    assert_eq!(out, hex(expected));
    let mut out = Vec::new();
    let count = write_withdrawals(&mut out, LIMIT, Family::Ipv6Unicast, &mut v6_hosts(1));
    assert_eq!(count, Ok(1));
    let expected = "ffffffffffffffffffffffffffffffff 002f 02 0000 0018
        900f0014 0002 01 80 20010db8000000000000000000000000";
    assert_eq!(out, hex(expected));
}

#[test]
fn withdrawals_are_packed_to_the_limit() {
    let (mut out, mut routes) = (Vec::new(), v4_hosts(1_000));
    let first = write_withdrawals(&mut out, LIMIT, Family::Ipv4Unicast, &mut routes);
    assert_eq!((first, out.len()), (Ok(814), 23 + 814 * 5));
    let (mut out, mut routes) = (Vec::new(), v6_hosts(1_000));
    let first = write_withdrawals(&mut out, LIMIT, Family::Ipv6Unicast, &mut routes);
    assert_eq!((first, out.len()), (Ok(239), 30 + 239 * 17));
}

#[test]
fn the_end_of_rib_is_an_empty_update_or_an_empty_mp_unreach() {
    let mut out = Vec::new();
    write_end_of_rib(&mut out, Family::Ipv4Unicast);
    assert_eq!(
        out,
        hex("ffffffffffffffffffffffffffffffff 0017 02 0000 0000")
    );
    let mut out = Vec::new();
    write_end_of_rib(&mut out, Family::Ipv6Unicast);
    let expected = "ffffffffffffffffffffffffffffffff 001d 02 0000 0006 800f03 0002 01";
    assert_eq!(out, hex(expected));
}

#[test]
fn a_keepalive_is_a_bare_header() {
    let mut out = Vec::new();
    write_keepalive(&mut out);
    assert_eq!(out, hex("ffffffffffffffffffffffffffffffff 0013 04"));
}

#[test]
fn without_routes_nothing_is_written() {
    let mut out = vec![1];
    let none = write_announcements(&mut out, LIMIT, &block("192.0.2.1"), &mut v4_hosts(0));
    assert_eq!(none, Ok(0));
    for family in Family::ALL {
        assert_eq!(
            write_withdrawals(&mut out, LIMIT, family, &mut v4_hosts(0)),
            Ok(0)
        );
    }
    assert_eq!(out, [1]);
}

#[test]
fn a_route_of_another_family_is_an_error_and_leaves_no_message() {
    let mut out = vec![1];
    let mixed = &mut v4_hosts(2).chain(v6_hosts(1));
    let refused = write_announcements(&mut out, LIMIT, &block("192.0.2.1"), mixed);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "route 2001:db8::/128 does not go with ipv4-unicast routes of one kind in a message"
    );
    let refused = write_withdrawals(&mut out, LIMIT, Family::Ipv6Unicast, &mut v4_hosts(1));
    assert!(matches!(refused, Err(EncodeError::Misfit { .. })));
    assert_eq!(out, [1]);
}

#[test]
fn attributes_that_leave_no_room_for_a_route_are_an_error_until_messages_may_be_longer() {
    let attributes = Attributes {
        communities: (0..1_100).map(Community).collect(),
        ..Attributes::default()
    };
    let next_hop = NextHop::v4(Ipv4Addr::new(192, 0, 2, 1)).unwrap();
    let block = AttributeBlock::new(&attributes, next_hop, true).unwrap();
    let mut out = Vec::new();
    let refused = write_announcements(&mut out, LIMIT, &block, &mut v4_hosts(1));
    assert!(matches!(
        refused,
        Err(EncodeError::BlockTooLong { limit: LIMIT, .. })
    ));
    assert!(out.is_empty());
    assert_eq!(
        write_announcements(&mut out, EXTENDED_LIMIT, &block, &mut v4_hosts(1)),
        Ok(1)
    );
}
