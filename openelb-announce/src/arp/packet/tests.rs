//! Tests of ARP packets.

use super::{DecodeArpError, Operation, Packet, Repr};
use crate::wire::capture::{ARP_PROBE, ARP_REPLY, ARP_REQUEST, octets};
use crate::wire::{Mac, Truncated, Writer};
use pnet_packet::arp::ArpPacket;
use proptest::prelude::*;
use std::net::Ipv4Addr;

const REPLY: Repr = Repr {
    operation: Operation::Reply,
    sender_mac: Mac::new([0x02, 0, 0x5e, 0x10, 0, 0x0b]),
    sender: Ipv4Addr::new(192, 0, 2, 2),
    target_mac: Mac::new([0x02, 0, 0x5e, 0x10, 0, 0x0a]),
    target: Ipv4Addr::new(192, 0, 2, 1),
};

fn payload(capture: &str) -> Vec<u8> {
    octets(capture)[14..].to_vec()
}

fn emit(repr: &Repr) -> Vec<u8> {
    let mut buffer = vec![0xa5; Repr::LENGTH];
    repr.emit(&mut Writer::new(&mut buffer)).unwrap();
    buffer
}

#[test]
fn a_captured_request_is_taken_apart() {
    let payload = payload(ARP_REQUEST);
    let packet = Packet::decode(&payload).unwrap();
    assert_eq!((packet.hardware_type, packet.protocol_type), (1, 0x0800));
    assert_eq!(packet.operation, Operation::Request);
    assert_eq!(packet.sender_hardware, [0x02, 0, 0x5e, 0x10, 0, 0x0a]);
    assert_eq!(packet.sender_protocol, [192, 0, 2, 1]);
    assert_eq!(packet.target_hardware, [0; 6]);
    assert_eq!(packet.target_protocol, [192, 0, 2, 2]);
}

#[test]
fn a_captured_reply_is_parsed() {
    assert_eq!(Repr::decode(&payload(ARP_REPLY)), Ok(REPLY));
}

#[test]
fn a_built_reply_is_the_captured_one() {
    assert_eq!(emit(&REPLY), payload(ARP_REPLY));
}

#[test]
fn a_packet_touches_exactly_its_own_octets() {
    let mut buffer = [0xa5; Repr::LENGTH + 1];
    REPLY.emit(&mut Writer::new(&mut buffer)).unwrap();
    assert_eq!(buffer[Repr::LENGTH], 0xa5);
    let mut small = [0xa5; Repr::LENGTH - 1];
    assert!(REPLY.emit(&mut Writer::new(&mut small)).is_err());
}

#[test]
fn a_probe_of_arping_parses_although_it_fills_the_target_hardware_address() {
    let probe = Repr::decode(&payload(ARP_PROBE)).unwrap();
    assert_eq!(probe.sender, Ipv4Addr::UNSPECIFIED);
    assert_eq!(probe.target_mac, Mac::BROADCAST);
    assert_eq!(probe.target, Ipv4Addr::new(192, 0, 2, 9));
}

#[test]
fn an_unknown_operation_survives_a_round_trip() {
    let odd = Repr {
        operation: Operation::Unknown(25),
        ..REPLY
    };
    assert_eq!(Repr::decode(&emit(&odd)), Ok(odd));
}

#[test]
fn only_ipv4_over_ethernet_of_full_length_is_accepted_and_padding_is_tolerated() {
    let good = payload(ARP_REPLY);
    for length in 0..good.len() {
        let error = Repr::decode(&good[..length]).unwrap_err();
        assert!(
            matches!(error, DecodeArpError::Truncated(Truncated { .. })),
            "{length} octets"
        );
    }
    // Hardware type, protocol type, hardware length, protocol length: each one off by one.
    for at in [1, 3, 4, 5] {
        let mut bad = good.clone();
        bad.extend([0; 18]);
        bad[at] += 1;
        assert_eq!(
            Repr::decode(&bad),
            Err(DecodeArpError::NotIpv4OverEthernet),
            "octet {at}"
        );
    }
    let padded = [&good[..], &[0; 18]].concat();
    assert_eq!(Repr::decode(&padded), Ok(REPLY));
}

proptest! {
    #[test]
    fn decoding_any_octets_never_panics(octets in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(repr) = Repr::decode(&octets) {
            prop_assert_eq!(emit(&repr), &octets[..Repr::LENGTH]);
        }
    }

    #[test]
    fn every_packet_reads_back_and_pnet_and_etherparse_agree(
        operation: u16,
        macs: [[u8; 6]; 2],
        addresses: [[u8; 4]; 2],
    ) {
        let repr = Repr {
            operation: operation.into(),
            sender_mac: macs[0].into(),
            sender: addresses[0].into(),
            target_mac: macs[1].into(),
            target: addresses[1].into(),
        };
        let octets = emit(&repr);
        prop_assert_eq!(Repr::decode(&octets), Ok(repr));

        let theirs = ArpPacket::new(&octets).unwrap();
        prop_assert_eq!(theirs.get_operation().0, operation);
        prop_assert_eq!(theirs.get_sender_hw_addr().octets(), macs[0]);
        prop_assert_eq!(theirs.get_sender_proto_addr(), repr.sender);
        prop_assert_eq!(theirs.get_target_hw_addr().octets(), macs[1]);
        prop_assert_eq!(theirs.get_target_proto_addr(), repr.target);

        let theirs = etherparse::ArpPacketSlice::from_slice(&octets).unwrap();
        prop_assert_eq!(theirs.operation().0, operation);
        prop_assert_eq!(theirs.sender_hw_addr(), macs[0]);
        prop_assert_eq!(theirs.target_protocol_addr(), addresses[1]);
    }
}
