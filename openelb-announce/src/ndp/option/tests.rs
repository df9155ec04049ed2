//! Tests of neighbor discovery options.

use super::{DecodeOptionError, Kind, Options, RawOption, emit};
use crate::wire::capture::{DAD_SOLICITATION, octets};
use crate::wire::{Mac, Truncated, Writer};
use proptest::prelude::*;

const NONCE: [u8; 6] = [0x3b, 0xbf, 0x18, 0x0e, 0xef, 0x93];

fn captured() -> Vec<u8> {
    octets(DAD_SOLICITATION)[78..].to_vec()
}

#[test]
fn a_captured_nonce_is_taken_apart() {
    let octets = captured();
    let options: Vec<_> = Options::new(&octets).collect();
    assert_eq!(
        options,
        [Ok(RawOption {
            kind: Kind::Nonce,
            value: &NONCE
        })]
    );
    assert_eq!(options[0].unwrap().six(), Some(NONCE));
    assert_eq!(options[0].unwrap().mac(), Some(Mac::new(NONCE)));
}

#[test]
fn a_written_option_is_the_captured_one_and_touches_nothing_else() {
    let mut buffer = [0xa5; RawOption::LENGTH + 1];
    emit(&mut Writer::new(&mut buffer), Kind::Nonce, NONCE).unwrap();
    assert_eq!(buffer[..8], captured());
    assert_eq!(buffer[8], 0xa5);
}

#[test]
fn unknown_options_of_any_length_are_passed_over() {
    let octets = [&[200, 2][..], &[9; 14], &captured()].concat();
    let kinds: Vec<_> = Options::new(&octets)
        .map(|option| option.unwrap().kind)
        .collect();
    assert_eq!(kinds, [Kind::Unknown(200), Kind::Nonce]);
    assert_eq!(u8::from(kinds[0]), 200);
}

#[test]
fn a_length_of_zero_and_a_cut_off_value_end_the_list_with_an_error() {
    let zero = [1, 0, 0, 0, 0, 0, 0, 0];
    let options: Vec<_> = Options::new(&zero).collect();
    assert_eq!(options, [Err(DecodeOptionError::ZeroLength)]);
    let short = Truncated { missing: 8 };
    let options: Vec<_> = Options::new(&[1, 2, 0, 0, 0, 0, 0, 0]).collect();
    assert_eq!(options, [Err(DecodeOptionError::Truncated(short))]);
    assert_eq!(Options::new(&[1]).count(), 1);
}

#[test]
fn a_longer_value_is_neither_hardware_address_nor_nonce() {
    let option = RawOption {
        kind: Kind::Nonce,
        value: &[0; 14],
    };
    assert_eq!((option.six(), option.mac()), (None, None));
}

proptest! {
    #[test]
    fn reading_any_octets_ends_and_never_panics(octets in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assert!(Options::new(&octets).count() <= octets.len() / 8 + 1);
    }
}
