//! Tests of the IPv6 header and of the groups of neighbor discovery.

use super::{DecodeIpv6Error, Ipv6Header, NextHeader, is_solicited_node, solicited_node};
use crate::wire::capture::{SOLICITATION, octets};
use crate::wire::{Truncated, Writer};
use std::net::Ipv6Addr;

fn captured() -> Vec<u8> {
    octets(SOLICITATION)[14..].to_vec()
}

fn header() -> Ipv6Header {
    Ipv6Header {
        traffic_class: 0,
        flow_label: 0,
        payload_length: 32,
        next_header: NextHeader::Icmpv6,
        hop_limit: 255,
        source: "2001:db8::1".parse().unwrap(),
        destination: "ff02::1:ff00:2".parse().unwrap(),
    }
}

#[test]
fn a_captured_packet_splits_into_header_and_payload() {
    let packet = captured();
    assert_eq!(Ipv6Header::split(&packet), Ok((header(), &packet[40..])));
}

#[test]
fn a_written_header_is_the_captured_one_and_touches_nothing_else() {
    let mut buffer = [0xa5; 41];
    header().emit(&mut Writer::new(&mut buffer)).unwrap();
    assert_eq!(buffer[..40], captured()[..40]);
    assert_eq!(buffer[40], 0xa5);
}

#[test]
fn every_field_survives_a_round_trip() {
    let odd = Ipv6Header {
        traffic_class: 0xb8,
        flow_label: 0xf_1234,
        payload_length: 0,
        next_header: NextHeader::Unknown(0),
        hop_limit: 1,
        ..header()
    };
    let mut buffer = [0xa5; Ipv6Header::LENGTH];
    odd.emit(&mut Writer::new(&mut buffer)).unwrap();
    assert_eq!(Ipv6Header::split(&buffer), Ok((odd, &[][..])));
}

#[test]
fn link_padding_is_not_payload() {
    let mut packet = captured();
    packet.extend([0; 6]);
    assert_eq!(Ipv6Header::split(&packet).unwrap().1.len(), 32);
}

#[test]
fn short_packets_and_other_versions_are_refused() {
    let packet = captured();
    for length in 0..packet.len() {
        let error = Ipv6Header::split(&packet[..length]).unwrap_err();
        assert!(
            matches!(error, DecodeIpv6Error::Truncated(Truncated { .. })),
            "{length} octets"
        );
    }
    let mut other = captured();
    other[0] = 0x45;
    assert_eq!(Ipv6Header::split(&other), Err(DecodeIpv6Error::Version));
}

#[test]
fn etherparse_reads_the_same_header() {
    let packet = captured();
    let theirs = etherparse::Ipv6HeaderSlice::from_slice(&packet).unwrap();
    assert_eq!(theirs.source_addr(), header().source);
    assert_eq!(theirs.destination_addr(), header().destination);
    assert_eq!(theirs.hop_limit(), 255);
    assert_eq!(theirs.payload_length(), 32);
}

#[test]
fn addresses_with_equal_low_24_bits_share_a_solicited_node_group() {
    let group: Ipv6Addr = "ff02::1:ff34:5678".parse().unwrap();
    assert_eq!(
        solicited_node("2001:db8::1234:5678".parse().unwrap()),
        group
    );
    assert_eq!(solicited_node("fe80::ff34:5678".parse().unwrap()), group);
    assert!(is_solicited_node(group));
    assert!(!is_solicited_node("ff02::1".parse().unwrap()));
    assert!(!is_solicited_node("ff02::2:ff34:5678".parse().unwrap()));
}
