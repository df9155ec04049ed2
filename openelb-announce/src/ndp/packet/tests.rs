//! Tests of neighbor discovery messages.

use super::{Datagram, DecodeNdpError, Packet, Repr};
use crate::wire::capture::{ADVERTISEMENT, DAD_SOLICITATION, SOLICITATION, octets};
use crate::wire::checksum::Checksum;
use crate::wire::ip::NextHeader;
use crate::wire::{Mac, Writer};
use pnet_packet::icmpv6::ndp::{NeighborAdvertPacket, NeighborSolicitPacket};
use proptest::prelude::*;
use std::net::Ipv6Addr;

const ASKER: Mac = Mac::new([0x02, 0, 0x5e, 0x10, 0, 0x0a]);
const OWNER: Mac = Mac::new([0x02, 0, 0x5e, 0x10, 0, 0x0b]);

fn address(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

fn solicitation() -> Datagram {
    let message = Repr::Solicitation {
        target: address("2001:db8::2"),
        source_mac: Some(ASKER),
        nonce: None,
    };
    let (source, destination) = (address("2001:db8::1"), address("ff02::1:ff00:2"));
    Datagram {
        source,
        destination,
        message,
    }
}

fn advertisement() -> Datagram {
    let message = Repr::Advertisement {
        target: address("2001:db8::2"),
        target_mac: Some(OWNER),
        router: false,
        solicited: true,
        overriding: true,
    };
    let (source, destination) = (address("2001:db8::2"), address("2001:db8::1"));
    Datagram {
        source,
        destination,
        message,
    }
}

fn probe() -> Datagram {
    let message = Repr::Solicitation {
        target: address("2001:db8::2"),
        source_mac: None,
        nonce: Some([0x3b, 0xbf, 0x18, 0x0e, 0xef, 0x93]),
    };
    let (source, destination) = (Ipv6Addr::UNSPECIFIED, address("ff02::1:ff00:2"));
    Datagram {
        source,
        destination,
        message,
    }
}

fn packet(capture: &str) -> Vec<u8> {
    octets(capture)[14..].to_vec()
}

fn emit(datagram: &Datagram) -> Vec<u8> {
    let mut buffer = vec![0xa5; datagram.length()];
    datagram.emit(&mut Writer::new(&mut buffer)).unwrap();
    buffer
}

/// Changes one octet of the captured packet and mends the checksum, so that only the change counts.
fn tampered(capture: &str, at: usize, value: u8) -> Result<Datagram, DecodeNdpError> {
    let mut packet = packet(capture);
    packet[at] = value;
    Datagram::decode(&with_checksum(packet))
}

fn with_checksum(mut packet: Vec<u8>) -> Vec<u8> {
    packet[42..44].fill(0);
    let at = |range: std::ops::Range<usize>| <[u8; 16]>::try_from(&packet[range]).unwrap().into();
    let (source, destination) = (at(8..24), at(24..40));
    let payload = &packet[40..];
    let mut sum = Checksum::of_ipv6(source, destination, NextHeader::Icmpv6, payload.len());
    sum.add(payload);
    packet[42..44].copy_from_slice(&sum.value().to_be_bytes());
    packet
}

#[test]
fn a_captured_advertisement_is_taken_apart() {
    let packet = packet(ADVERTISEMENT);
    let body = Packet::decode(&packet[44..]).unwrap();
    assert_eq!(body.flags, 0x6000_0000);
    assert_eq!(body.target, address("2001:db8::2"));
    assert_eq!(body.options.count(), 1);
}

#[test]
fn captured_packets_are_parsed() {
    assert_eq!(Datagram::decode(&packet(SOLICITATION)), Ok(solicitation()));
    assert_eq!(
        Datagram::decode(&packet(ADVERTISEMENT)),
        Ok(advertisement())
    );
    assert_eq!(Datagram::decode(&packet(DAD_SOLICITATION)), Ok(probe()));
}

#[test]
fn built_packets_are_the_captured_ones() {
    assert_eq!(emit(&solicitation()), packet(SOLICITATION));
    assert_eq!(emit(&advertisement()), packet(ADVERTISEMENT));
    assert_eq!(emit(&probe()), packet(DAD_SOLICITATION));
}

#[test]
fn a_packet_touches_exactly_its_own_octets() {
    let length = probe().length();
    let mut buffer = vec![0xa5; length + 1];
    probe().emit(&mut Writer::new(&mut buffer)).unwrap();
    assert_eq!(buffer[length], 0xa5);
    assert!(
        probe()
            .emit(&mut Writer::new(&mut buffer[..length - 1]))
            .is_err()
    );
}

#[test]
fn unknown_options_and_reserved_bits_are_ignored() {
    let mut longer = packet(SOLICITATION);
    longer.extend([200, 1, 9, 9, 9, 9, 9, 9]);
    longer[5] += 8;
    longer[45] = 0xff;
    assert_eq!(Datagram::decode(&with_checksum(longer)), Ok(solicitation()));
}

#[test]
fn messages_that_a_router_forwarded_are_refused() {
    assert_eq!(
        tampered(SOLICITATION, 7, 254),
        Err(DecodeNdpError::HopLimit(254))
    );
    assert_eq!(
        tampered(ADVERTISEMENT, 7, 64),
        Err(DecodeNdpError::HopLimit(64))
    );
}

#[test]
fn messages_with_a_bad_checksum_code_length_or_option_are_refused() {
    let mut flipped = packet(SOLICITATION);
    flipped[70] ^= 1;
    assert!(matches!(
        Datagram::decode(&flipped),
        Err(DecodeNdpError::Icmpv6(_))
    ));
    assert_eq!(tampered(SOLICITATION, 41, 1), Err(DecodeNdpError::Code(1)));
    assert!(matches!(
        tampered(SOLICITATION, 65, 0),
        Err(DecodeNdpError::Option(_))
    ));
    assert!(matches!(
        tampered(SOLICITATION, 65, 2),
        Err(DecodeNdpError::Option(_))
    ));
    for payload in 0..24_u8 {
        let mut short = packet(SOLICITATION);
        short[5] = payload;
        short.truncate(40 + usize::from(payload));
        let short = if payload < 4 {
            short
        } else {
            with_checksum(short)
        };
        assert!(Datagram::decode(&short).is_err(), "{payload} octets");
    }
}

#[test]
fn messages_about_groups_are_refused() {
    for capture in [SOLICITATION, ADVERTISEMENT] {
        let mut packet = packet(capture);
        packet[48..50].copy_from_slice(&[0xff, 0x01]);
        let error = Datagram::decode(&with_checksum(packet)).unwrap_err();
        assert_eq!(
            error,
            DecodeNdpError::MulticastTarget(address("ff01:db8::2"))
        );
    }
}

#[test]
fn a_solicitation_from_nobody_must_go_to_a_solicited_node_group() {
    let mut packet = packet(DAD_SOLICITATION);
    packet[24..40].copy_from_slice(&address("2001:db8::2").octets());
    let error = Datagram::decode(&with_checksum(packet)).unwrap_err();
    assert_eq!(
        error,
        DecodeNdpError::ProbeDestination(address("2001:db8::2"))
    );
}

#[test]
fn a_solicitation_from_nobody_must_not_name_a_hardware_address() {
    let error = tampered(DAD_SOLICITATION, 64, 1).unwrap_err();
    assert_eq!(error, DecodeNdpError::ProbeWithSourceMac);
}

#[test]
fn an_advertisement_to_a_group_must_not_be_solicited() {
    let mut packet = packet(ADVERTISEMENT);
    packet[24..40].copy_from_slice(&address("ff02::1").octets());
    let error = Datagram::decode(&with_checksum(packet)).unwrap_err();
    assert_eq!(error, DecodeNdpError::SolicitedMulticast);
}

#[test]
fn other_messages_and_other_protocols_are_refused() {
    assert_eq!(
        tampered(SOLICITATION, 40, 133),
        Err(DecodeNdpError::OtherMessage(133))
    );
    assert_eq!(
        tampered(SOLICITATION, 6, 0),
        Err(DecodeNdpError::NotIcmpv6(0))
    );
}

prop_compose! {
    fn any_address()(octets: [u8; 16]) -> Ipv6Addr {
        octets.into()
    }
}

fn any_message() -> impl Strategy<Value = Repr> {
    let mac = || prop::option::of(any::<[u8; 6]>().prop_map(Mac::new));
    prop_oneof![
        (any_address(), mac(), any::<Option<[u8; 6]>>()).prop_map(|(target, source_mac, nonce)| {
            Repr::Solicitation {
                target,
                source_mac,
                nonce,
            }
        }),
        (any_address(), mac(), any::<[bool; 3]>()).prop_map(
            |(target, target_mac, [router, solicited, overriding])| {
                Repr::Advertisement {
                    target,
                    target_mac,
                    router,
                    solicited,
                    overriding,
                }
            }
        ),
    ]
}

proptest! {
    #[test]
    fn decoding_any_octets_never_panics(octets in prop::collection::vec(any::<u8>(), 0..120)) {
        let _ = Datagram::decode(&octets);
    }

    #[test]
    fn decoding_a_tampered_message_never_panics(
        changes in prop::collection::vec((44..86_usize - 14, any::<u8>()), 0..12),
        length in 44..86_usize - 14,
    ) {
        let mut packet = packet(DAD_SOLICITATION);
        for (at, value) in changes {
            packet[at] = value;
        }
        packet[5] = u8::try_from(length - 40).unwrap();
        packet.truncate(length);
        if let Ok(datagram) = Datagram::decode(&with_checksum(packet)) {
            prop_assert_eq!(Datagram::decode(&emit(&datagram)), Ok(datagram));
        }
    }

    #[test]
    fn every_valid_message_reads_back_and_other_decoders_agree(
        source in any_address(),
        destination in any_address(),
        message in any_message(),
    ) {
        prop_assume!(!message.target().is_multicast());
        let datagram = Datagram { source, destination, message };
        prop_assume!(datagram.check().is_ok());
        let octets = emit(&datagram);
        prop_assert_eq!(Datagram::decode(&octets), Ok(datagram));

        let theirs = etherparse::Icmpv6Slice::from_slice(&octets[40..]).unwrap();
        prop_assert!(theirs.is_checksum_valid(source.octets(), destination.octets()));
        match message {
            Repr::Solicitation { target, .. } => {
                let theirs = NeighborSolicitPacket::new(&octets[40..]).unwrap();
                prop_assert_eq!(theirs.get_target_addr(), target);
            }
            Repr::Advertisement { target, router, solicited, overriding, .. } => {
                let theirs = NeighborAdvertPacket::new(&octets[40..]).unwrap();
                prop_assert_eq!(theirs.get_target_addr(), target);
                let flags = [router, solicited, overriding].map(u8::from);
                prop_assert_eq!(theirs.get_flags() >> 5, flags[0] << 2 | flags[1] << 1 | flags[2]);
            }
        }
    }
}
