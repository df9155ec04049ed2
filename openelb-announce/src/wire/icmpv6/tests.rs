//! Tests of the ICMPv6 header.

use super::{DecodeIcmpv6Error, Message, Type};
use crate::wire::capture::{ADVERTISEMENT, octets};
use crate::wire::{Truncated, Writer};
use std::net::Ipv6Addr;

fn captured() -> Vec<u8> {
    octets(ADVERTISEMENT)[54..].to_vec()
}

fn between() -> (Ipv6Addr, Ipv6Addr) {
    (
        "2001:db8::2".parse().unwrap(),
        "2001:db8::1".parse().unwrap(),
    )
}

#[test]
fn a_captured_message_is_taken_apart() {
    let (payload, (source, destination)) = (captured(), between());
    let message = Message::decode(&payload, source, destination).unwrap();
    assert_eq!(message.kind, Type::NeighborAdvertisement);
    assert_eq!(message.code, 0);
    assert_eq!(message.body, &payload[4..]);
}

#[test]
fn a_written_message_is_the_captured_one_and_touches_nothing_else() {
    let (payload, (source, destination)) = (captured(), between());
    let message = Message {
        kind: Type::NeighborAdvertisement,
        code: 0,
        body: &payload[4..],
    };
    let mut buffer = [0xa5; 33];
    message
        .emit(&mut Writer::new(&mut buffer), source, destination)
        .unwrap();
    assert_eq!(buffer[..32], payload);
    assert_eq!(buffer[32], 0xa5);
}

#[test]
fn an_unknown_kind_survives_a_round_trip() {
    let (source, destination) = between();
    let message = Message {
        kind: Type::Unknown(200),
        code: 7,
        body: &[1, 2, 3],
    };
    let mut buffer = [0xa5; 7];
    message
        .emit(&mut Writer::new(&mut buffer), source, destination)
        .unwrap();
    assert_eq!(Message::decode(&buffer, source, destination), Ok(message));
}

#[test]
fn every_flipped_bit_and_a_wrong_address_fail_the_checksum() {
    let (source, destination) = between();
    for bit in 0..captured().len() * 8 {
        let mut payload = captured();
        payload[bit / 8] ^= 1 << (bit % 8);
        let error = Message::decode(&payload, source, destination).unwrap_err();
        assert_eq!(error, DecodeIcmpv6Error::Checksum, "bit {bit}");
    }
    let elsewhere = "2001:db8::3".parse().unwrap();
    assert!(Message::decode(&captured(), source, elsewhere).is_err());
}

#[test]
fn a_message_shorter_than_its_header_is_refused() {
    let (source, destination) = between();
    let error = Message::decode(&[136, 0, 0], source, destination).unwrap_err();
    assert_eq!(
        error,
        DecodeIcmpv6Error::Truncated(Truncated { missing: 1 })
    );
}

#[test]
fn etherparse_accepts_and_computes_the_same_checksum() {
    let (payload, (source, destination)) = (captured(), between());
    let theirs = etherparse::Icmpv6Slice::from_slice(&payload).unwrap();
    assert!(theirs.is_checksum_valid(source.octets(), destination.octets()));
    assert_eq!(theirs.type_u8(), 136);
}
