//! Tests of the IPv4 header.

use super::{DecodeIpv4Error, Ipv4Header};
use crate::wire::Writer;

fn header() -> Ipv4Header {
    Ipv4Header {
        type_of_service: 0xc0,
        payload_length: 12,
        ttl: 255,
        protocol: 112,
        source: "192.0.2.1".parse().unwrap(),
        destination: "224.0.0.18".parse().unwrap(),
    }
}

fn emitted(header: &Ipv4Header, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0xa5; Ipv4Header::LENGTH];
    header.emit(&mut Writer::new(&mut packet)).unwrap();
    packet.extend(payload);
    packet
}

#[test]
fn what_is_written_reads_the_same() {
    let packet = emitted(&header(), &[7; 12]);
    assert_eq!(Ipv4Header::split(&packet), Ok((header(), &[7; 12][..])));
}

#[test]
fn the_checksum_is_the_one_that_an_independent_encoder_computes() {
    let packet = emitted(&header(), &[0; 12]);
    let read = etherparse::Ipv4Header::from_slice(&packet).unwrap().0;
    assert_eq!(read.header_checksum, read.calc_header_checksum());
    assert_eq!(read.time_to_live, 255);
    assert!(read.dont_fragment);
}

#[test]
fn padding_and_options_are_no_payload() {
    let mut packet = emitted(&header(), &[7; 12]);
    packet.extend([0; 14]);
    assert_eq!(Ipv4Header::split(&packet).unwrap().1, [7; 12]);
    let mut with_options = emitted(&header(), &[7; 12]);
    with_options[0] = 0x46;
    with_options[3] += 4;
    with_options.splice(20..20, [1; 4]);
    assert_eq!(Ipv4Header::split(&with_options).unwrap().1, [7; 12]);
}

#[test]
fn other_versions_and_short_packets_are_refused() {
    let packet = emitted(&header(), &[7; 12]);
    for length in 0..packet.len() {
        assert!(Ipv4Header::split(&packet[..length]).is_err(), "{length}");
    }
    for first in [0x65, 0x44, 0x05] {
        let mut other = packet.clone();
        other[0] = first;
        assert_eq!(Ipv4Header::split(&other), Err(DecodeIpv4Error::Version));
    }
}
