//! Tests of BFD Control packets.

use super::{DecodeError, Diagnostic, Flags, Packet, State};
use crate::wire::{Truncated, Writer};
use proptest::prelude::*;
use std::num::{NonZeroU8, NonZeroU32};
use std::time::Duration;

fn number(value: u32) -> NonZeroU32 {
    NonZeroU32::new(value).unwrap()
}

fn packet() -> Packet {
    Packet {
        diagnostic: Diagnostic::NeighborSignaledSessionDown,
        state: State::Up,
        flags: Flags::POLL.with(Flags::CONTROL_PLANE_INDEPENDENT),
        multiplier: NonZeroU8::new(3).unwrap(),
        my_discriminator: number(0x0102_0304),
        your_discriminator: Some(number(0xa1a2_a3a4)),
        desired_min_tx: Duration::from_millis(300),
        required_min_rx: Duration::from_millis(50),
        required_min_echo_rx: Duration::ZERO,
    }
}

fn emit(packet: &Packet) -> Vec<u8> {
    let mut buffer = vec![0xa5; Packet::LENGTH];
    packet.emit(0, &mut Writer::new(&mut buffer)).unwrap();
    buffer
}

/// The same packet with one octet changed.
fn with(at: usize, value: u8) -> Vec<u8> {
    let mut octets = emit(&packet());
    octets[at] = value;
    octets
}

#[test]
fn every_field_stands_where_the_rfc_draws_it() {
    let expected = [
        [0x23, 0xe8, 3, 24],
        [1, 2, 3, 4],
        [0xa1, 0xa2, 0xa3, 0xa4],
        300_000_u32.to_be_bytes(),
        50_000_u32.to_be_bytes(),
        [0; 4],
    ];
    assert_eq!(emit(&packet()), expected.concat());
}

#[test]
fn a_packet_touches_exactly_its_own_octets() {
    let mut buffer = [0xa5; Packet::LENGTH + 1];
    packet().emit(0, &mut Writer::new(&mut buffer)).unwrap();
    assert_eq!(buffer[Packet::LENGTH], 0xa5);
    let mut small = [0xa5; Packet::LENGTH - 1];
    assert!(packet().emit(0, &mut Writer::new(&mut small)).is_err());
}

#[test]
fn another_version_is_refused() {
    for version in [0, 2, 7] {
        let octets = with(0, version << 5);
        assert_eq!(Packet::decode(&octets), Err(DecodeError::Version(version)));
    }
}

#[test]
fn a_length_field_below_what_the_sections_take_is_refused() {
    let error = Packet::decode(&with(3, 23)).unwrap_err();
    let (length, shortest) = (23, 24);
    assert_eq!(error, DecodeError::Length { length, shortest });
    let mut authenticated = with(3, 25);
    authenticated[1] |= 0x04;
    authenticated.extend([1, 3]);
    let error = Packet::decode(&authenticated).unwrap_err();
    let (length, shortest) = (25, 26);
    assert_eq!(error, DecodeError::Length { length, shortest });
}

#[test]
fn a_length_field_beyond_the_payload_is_refused() {
    let error = Packet::decode(&with(3, 25)).unwrap_err();
    assert_eq!(error, DecodeError::Truncated(Truncated { missing: 1 }));
    for length in 0..Packet::LENGTH {
        let error = Packet::decode(&emit(&packet())[..length]).unwrap_err();
        assert!(matches!(error, DecodeError::Truncated(_)), "{length}");
    }
}

#[test]
fn a_detection_multiplier_of_zero_is_refused() {
    assert_eq!(Packet::decode(&with(2, 0)), Err(DecodeError::NoMultiplier));
}

#[test]
fn the_multipoint_bit_is_refused() {
    assert_eq!(Packet::decode(&with(1, 0xe1)), Err(DecodeError::Multipoint));
}

#[test]
fn a_sender_without_a_discriminator_is_refused() {
    let mut octets = emit(&packet());
    octets[4..8].fill(0);
    assert_eq!(Packet::decode(&octets), Err(DecodeError::NoDiscriminator));
}

#[test]
fn only_down_and_admin_down_may_leave_our_discriminator_open() {
    for (state, is_accepted) in [
        (State::AdminDown, true),
        (State::Down, true),
        (State::Init, false),
        (State::Up, false),
    ] {
        let octets = emit(&Packet {
            state,
            your_discriminator: None,
            ..packet()
        });
        let expected = if is_accepted {
            Ok(state)
        } else {
            Err(DecodeError::NotAddressed(state))
        };
        let decoded = Packet::decode(&octets).map(|received| received.packet.state);
        assert_eq!(decoded, expected);
    }
}

#[test]
fn rules_are_applied_in_the_order_of_the_rfc() {
    // Everything is wrong at once; each repair brings up the next rule.
    let mut octets = vec![0; 24];
    octets[1] = 0xc1;
    octets[3] = 20;
    let mut seen = Vec::new();
    for repair in [(0, 0x20), (3, 30), (3, 24), (2, 3), (1, 0xc0), (7, 1)] {
        seen.push(Packet::decode(&octets).unwrap_err());
        octets[repair.0] = repair.1;
    }
    seen.push(Packet::decode(&octets).unwrap_err());
    let (length, shortest) = (20, 24);
    assert_eq!(
        seen,
        [
            DecodeError::Version(0),
            DecodeError::Length { length, shortest },
            DecodeError::Truncated(Truncated { missing: 6 }),
            DecodeError::NoMultiplier,
            DecodeError::Multipoint,
            DecodeError::NoDiscriminator,
            DecodeError::NotAddressed(State::Up),
        ]
    );
}

#[test]
fn octets_after_the_length_are_no_part_of_the_packet() {
    let padded = [&emit(&packet())[..], &[0xff; 18]].concat();
    let received = Packet::decode(&padded).unwrap();
    assert_eq!(received.octets, emit(&packet()));
    assert_eq!(received.auth, None);
}

#[test]
fn the_authentication_section_is_what_follows_within_the_length() {
    let mut octets = vec![0; 52];
    packet().emit(28, &mut Writer::new(&mut octets)).unwrap();
    octets[24..].fill(7);
    octets.extend([9; 4]);
    let received = Packet::decode(&octets).unwrap();
    assert_eq!(received.auth, Some(&[7; 28][..]));
    assert_eq!(received.packet, packet());
}

#[test]
fn an_unknown_diagnostic_survives_a_round_trip() {
    let odd = Packet {
        diagnostic: Diagnostic::Unknown(31),
        ..packet()
    };
    assert_eq!(Packet::decode(&emit(&odd)).unwrap().packet, odd);
}

#[cfg(feature = "serde")]
#[test]
fn every_diagnostic_reads_back_from_its_words() {
    for code in 0..32 {
        let diagnostic = Diagnostic::from(code);
        let words = serde_json::to_string(&diagnostic).unwrap();
        assert_eq!(
            serde_json::from_str::<Diagnostic>(&words).unwrap(),
            diagnostic
        );
    }
}

#[test]
fn intervals_that_do_not_fit_are_written_as_the_longest() {
    let slow = Packet {
        desired_min_tx: Duration::from_secs(100_000),
        ..packet()
    };
    let written = emit(&slow);
    assert_eq!(written[12..16], [0xff; 4]);
}

proptest! {
    #[test]
    fn decoding_any_octets_never_panics_and_what_is_accepted_is_written_back(
        octets in prop::collection::vec(any::<u8>(), 0..80),
        first: bool,
    ) {
        let mut octets = octets;
        // Half of the cases get past the version and the length.
        if let (true, [version, _, _, length, ..]) = (first, &mut octets[..]) {
            *version = 0x20 | (*version & 0x1f);
            *length = 24;
        }
        if let Ok(received) = Packet::decode(&octets)
            && received.auth.is_none()
        {
            let mut expected = octets[..24].to_vec();
            expected[3] = 24;
            prop_assert_eq!(emit(&received.packet), expected);
        }
    }
}
