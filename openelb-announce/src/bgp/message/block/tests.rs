//! Tests of serialised attributes.

use super::{AttributeBlock, EncodeError};
use crate::bgp::attribute::{AsPath, Attributes, Segment, SegmentKind};
use crate::bgp::message::tests::hex;
use crate::bgp::next_hop::{ExtendedNextHop, NextHop, V6ForV4};
use crate::bgp::{Asn, Community, Family};
use std::net::{Ipv4Addr, Ipv6Addr};

fn v4() -> NextHop {
    NextHop::v4(Ipv4Addr::new(192, 0, 2, 1)).unwrap()
}

fn path(asns: &[u32]) -> Attributes {
    Attributes {
        as_path: AsPath::sequence(asns.iter().copied().map(Asn)),
        ..Attributes::default()
    }
}

#[test]
fn attributes_of_ipv4_routes_stand_in_ascending_order() {
    let mut attributes = path(&[64_512]);
    attributes.med = Some(5);
    attributes.local_pref = Some(100);
    attributes.communities.insert(Community::of(64_512, 1));
    attributes
        .extended_communities
        .insert("rt:64512:1".parse().unwrap());
    attributes
        .large_communities
        .insert("64500:1:2".parse().unwrap());
    let block = AttributeBlock::new(&attributes, v4(), true).unwrap();
    let expected = "400101 00  400206 02010000fc00  400304 c0000201  800404 00000005
        400504 00000064  c00804 fc000001  c01008 0002fc0000000001
        c0200c 0000fbf40000000100000002";
    assert_eq!(block.others(), hex(expected));
    assert!(block.multi_protocol().is_empty());
    assert_eq!(block.overhead(), 23 + block.others().len());
    assert_eq!(block.family(), Family::Ipv4Unicast);
}

#[test]
fn the_next_hop_of_ipv6_routes_stands_in_mp_reach_with_16_or_32_octets() {
    let global: Ipv6Addr = "2001:db8::1".parse().unwrap();
    let link_local: Ipv6Addr = "fe80::1".parse().unwrap();
    let head = |next_hop| {
        let block = AttributeBlock::new(&path(&[]), next_hop, true).unwrap();
        assert_eq!(block.others(), hex("400101 00 400200"));
        block.multi_protocol().to_vec()
    };
    let (first, second) = (
        "20010db8000000000000000000000001",
        "fe800000000000000000000000000001",
    );
    let one = hex(&format!("900e0000 0002 01 10 {first} 00"));
    assert_eq!(head(NextHop::v6(global).unwrap()), one);
    let both = hex(&format!("900e0000 0002 01 20 {first} {second} 00"));
    let with_link_local = NextHop::v6_with_link_local(global, link_local).unwrap();
    assert_eq!(head(with_link_local), both);
    let twice = hex(&format!("900e0000 0002 01 20 {second} {second} 00"));
    assert_eq!(head(NextHop::v6(link_local).unwrap()), twice);
    let proof = ExtendedNextHop::negotiated();
    let extended = V6ForV4::new(proof, NextHop::v6(global).unwrap()).unwrap();
    let for_v4 = hex(&format!("900e0000 0001 01 10 {first} 00"));
    assert_eq!(head(NextHop::V6ForV4(extended)), for_v4);
}

#[test]
fn a_speaker_of_two_octets_gets_as_trans_and_the_whole_path_beside_it() {
    let block = AttributeBlock::new(&path(&[64_512, 65_546]), v4(), false).unwrap();
    let expected = "400101 00 400206 0202fc005ba0 400304 c0000201 c0110a 02020000fc000001000a";
    assert_eq!(block.others(), hex(expected));
    let small = AttributeBlock::new(&path(&[64_512]), v4(), false).unwrap();
    assert_eq!(
        small.others(),
        hex("400101 00 400204 0201fc00 400304 c0000201")
    );
}

#[test]
fn as4_path_leaves_confederations_out() {
    let member = Segment {
        kind: SegmentKind::ConfederationSequence,
        asns: vec![Asn(70_000)],
    };
    let outside = Segment {
        kind: SegmentKind::Sequence,
        asns: vec![Asn(65_546)],
    };
    let as_path = AsPath::from_segments([member.clone(), outside]);
    let attributes = Attributes {
        as_path,
        ..Attributes::default()
    };
    let block = AttributeBlock::new(&attributes, v4(), false).unwrap();
    let expected = "400101 00 400208 03015ba0 02015ba0 400304 c0000201 c01106 02010001000a";
    assert_eq!(block.others(), hex(expected));
    let inside = Attributes {
        as_path: AsPath::from_segments([member]),
        ..Attributes::default()
    };
    let block = AttributeBlock::new(&inside, v4(), false).unwrap();
    assert_eq!(block.others().len(), 4 + 7 + 7);
}

#[test]
fn a_sequence_of_more_than_255_numbers_goes_on_in_the_next_segment() {
    let block = AttributeBlock::new(&path(&[64_512; 300]), v4(), true).unwrap();
    let octets = &block.others()[4..];
    assert_eq!(octets[..6], hex("5002 04b4 02ff"));
    assert_eq!(octets[4 + 2 + 255 * 4..][..2], [2, 45]);
}

#[test]
fn an_attribute_longer_than_any_message_and_a_next_hop_that_leads_nowhere_are_refused() {
    let attributes = Attributes {
        communities: (0..20_000).map(Community).collect(),
        ..Attributes::default()
    };
    let refused = AttributeBlock::new(&attributes, v4(), true).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "attribute COMMUNITIES needs 80000 octets; write fewer of its values"
    );
    let nowhere = NextHop::V4(Ipv4Addr::UNSPECIFIED);
    let refused = AttributeBlock::new(&path(&[]), nowhere, true);
    assert!(matches!(refused, Err(EncodeError::NextHop(_))));
}

#[test]
fn kube_router_6_a_peer_that_has_only_link_local_addresses_gets_a_next_hop_of_32_octets() {
    let next_hop = NextHop::v6("fe80::1".parse().unwrap()).unwrap();
    let block = AttributeBlock::new(&path(&[]), next_hop, true).unwrap();
    let address = "fe800000000000000000000000000001";
    let expected = hex(&format!("900e0000 0002 01 20 {address} {address} 00"));
    assert_eq!(block.multi_protocol(), expected);
}
