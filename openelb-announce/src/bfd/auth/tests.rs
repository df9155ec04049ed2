//! Tests of authentication: the digest, and the sequence numbers of both kinds.

use super::{Auth, AuthError, AuthKind, Authenticator, Key};
use crate::bfd::packet::{Diagnostic, Flags, Packet, State};
use crate::wire::Writer;
use proptest::prelude::*;
use sha1::{Digest, Sha1};
use std::num::{NonZeroU8, NonZeroU32};
use std::time::Duration;

const MULTIPLIER: u8 = 3;

fn auth(kind: AuthKind) -> Auth {
    Auth {
        kind,
        key_id: 7,
        key: Key::new(b"secret").unwrap(),
    }
}

fn mandatory() -> Packet {
    Packet {
        diagnostic: Diagnostic::None,
        state: State::Down,
        flags: Flags::NONE,
        multiplier: NonZeroU8::new(MULTIPLIER).unwrap(),
        my_discriminator: NonZeroU32::new(1).unwrap(),
        your_discriminator: None,
        desired_min_tx: Duration::from_secs(1),
        required_min_rx: Duration::from_secs(1),
        required_min_echo_rx: Duration::ZERO,
    }
}

/// A packet signed by a sender that is at `sequence`.
fn signed(auth: &Auth, sequence: u32) -> Vec<u8> {
    let mut octets = vec![0xa5; 52];
    let (first, second) = octets.split_at_mut(24);
    let packet = mandatory();
    packet.emit(28, &mut Writer::new(first)).unwrap();
    let mut sender = Authenticator::new(auth.clone(), sequence);
    sender.sign(first, &mut Writer::new(second)).unwrap();
    octets
}

fn verify(receiver: &mut Authenticator, octets: &[u8]) -> Result<(), AuthError> {
    receiver.verify(&Packet::decode(octets).unwrap())
}

#[test]
fn the_section_is_laid_out_as_in_the_rfc_and_the_digest_covers_the_padded_secret() {
    let octets = signed(&auth(AuthKind::MeticulousKeyedSha1), 0x0102_0304);
    assert_eq!(octets[24..32], [5, 28, 7, 0, 1, 2, 3, 4]);
    let mut covered = octets[..32].to_vec();
    covered.extend(b"secret");
    covered.extend([0; 14]);
    assert_eq!(octets[32..], Sha1::digest(&covered)[..]);
}

#[test]
fn sequence_numbers_rise_with_every_packet_and_wrap() {
    let mut sender = Authenticator::new(auth(AuthKind::MeticulousKeyedSha1), u32::MAX);
    let numbers: Vec<_> = (0..3)
        .map(|_| {
            let mut section = [0; 28];
            sender.sign(&[], &mut Writer::new(&mut section)).unwrap();
            u32::from_be_bytes(section[4..8].try_into().unwrap())
        })
        .collect();
    assert_eq!(numbers, [u32::MAX, 0, 1]);
}

#[test]
fn the_first_sequence_number_may_be_any_and_then_a_window_of_three_multipliers_is_open() {
    for (kind, nearest) in [(AuthKind::KeyedSha1, 0), (AuthKind::MeticulousKeyedSha1, 1)] {
        let auth = auth(kind);
        // Across the wrap of the number, too.
        for start in [5, u32::MAX - 4] {
            for ahead in 0..12_u32 {
                let mut receiver = Authenticator::new(auth.clone(), 0);
                assert_eq!(verify(&mut receiver, &signed(&auth, start)), Ok(()));
                let next = signed(&auth, start.wrapping_add(ahead));
                let is_inside = (nearest..=3 * u32::from(MULTIPLIER)).contains(&ahead);
                assert_eq!(verify(&mut receiver, &next).is_ok(), is_inside, "{ahead}");
            }
            let mut receiver = Authenticator::new(auth.clone(), 0);
            assert_eq!(verify(&mut receiver, &signed(&auth, start)), Ok(()));
            let before = signed(&auth, start.wrapping_sub(1));
            let (sequence, last) = (start.wrapping_sub(1), start);
            assert_eq!(
                verify(&mut receiver, &before),
                Err(AuthError::Sequence { sequence, last })
            );
        }
    }
}

#[test]
fn after_a_long_silence_any_sequence_number_is_accepted_again() {
    let auth = auth(AuthKind::MeticulousKeyedSha1);
    let mut receiver = Authenticator::new(auth.clone(), 0);
    verify(&mut receiver, &signed(&auth, 1000)).unwrap();
    assert!(verify(&mut receiver, &signed(&auth, 5)).is_err());
    receiver.forget();
    assert_eq!(verify(&mut receiver, &signed(&auth, 5)), Ok(()));
}

#[test]
fn a_packet_with_a_wrong_digest_does_not_move_the_window() {
    let auth = auth(AuthKind::KeyedSha1);
    let mut receiver = Authenticator::new(auth.clone(), 0);
    let mut forged = signed(&auth, 900);
    forged[51] ^= 1;
    assert_eq!(verify(&mut receiver, &forged), Err(AuthError::Digest));
    assert_eq!(verify(&mut receiver, &signed(&auth, 5)), Ok(()));
}

#[test]
fn another_type_key_number_length_or_secret_is_refused_by_name() {
    let ours = auth(AuthKind::KeyedSha1);
    let mut receiver = Authenticator::new(ours.clone(), 0);
    let good = signed(&ours, 5);
    for (at, value, error) in [
        (24, 5, AuthError::Kind(5)),
        (26, 8, AuthError::KeyId(8)),
        (25, 27, AuthError::Length(27)),
    ] {
        let mut bad = good.clone();
        bad[at] = value;
        assert_eq!(verify(&mut receiver, &bad), Err(error));
    }
    let other = Auth {
        key: Key::new(b"Secret").unwrap(),
        ..ours
    };
    assert_eq!(
        verify(&mut receiver, &signed(&other, 5)),
        Err(AuthError::Digest)
    );
    let mut plain = vec![0; 24];
    mandatory().emit(0, &mut Writer::new(&mut plain)).unwrap();
    assert_eq!(verify(&mut receiver, &plain), Err(AuthError::Missing));
}

#[test]
fn a_section_that_ends_early_is_refused() {
    let ours = auth(AuthKind::KeyedSha1);
    let mut cut = signed(&ours, 5);
    cut[3] = 51;
    let mut receiver = Authenticator::new(ours, 0);
    assert!(matches!(
        verify(&mut receiver, &cut),
        Err(AuthError::Truncated(_))
    ));
}

#[test]
fn keys_have_one_to_twenty_octets() {
    for length in 0..30 {
        let key = Key::new(&vec![b'x'; length]);
        assert_eq!(key.is_ok(), (1..=20).contains(&length), "{length}");
    }
}

#[test]
fn weak_kinds_of_authentication_are_refused_by_name() {
    for kind in ["simple-password", "keyed-md5", "meticulous-keyed-md5"] {
        let error = kind.parse::<AuthKind>().unwrap_err().to_string();
        assert!(error.contains(kind) && error.contains("use keyed-sha1"));
    }
    assert!("sha1".parse::<AuthKind>().is_err());
    for kind in [AuthKind::KeyedSha1, AuthKind::MeticulousKeyedSha1] {
        assert_eq!(kind.to_string().parse(), Ok(kind));
    }
}

proptest! {
    #[test]
    fn a_change_of_any_bit_is_noticed(sequence: u32, at in 0..52_usize, bit in 0..8_u8) {
        let auth = auth(AuthKind::MeticulousKeyedSha1);
        let mut octets = signed(&auth, sequence);
        octets[at] ^= 1 << bit;
        if let Ok(received) = Packet::decode(&octets) {
            prop_assert!(Authenticator::new(auth, 0).verify(&received).is_err());
        }
    }
}
