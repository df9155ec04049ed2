//! Tests of sessions that authenticate.

use super::driven::{Driven, millis, says};
use crate::bfd::auth::{Auth, AuthError, AuthKind, Authenticator, Key};
use crate::bfd::machine::{Discard, Input, Output, Session};
use crate::bfd::packet::{Packet, State};
use crate::bfd::settings::Settings;
use crate::machine::Machine;
use crate::time::Time;
use std::num::NonZeroU32;
use std::time::Duration;

fn auth() -> Auth {
    Auth {
        kind: AuthKind::MeticulousKeyedSha1,
        key_id: 1,
        key: Key::new(b"secret").unwrap(),
    }
}

fn authenticated() -> Settings {
    Settings {
        auth: Some(auth()),
        ..Settings::default()
    }
}

#[test]
fn a_packet_with_authentication_is_refused_where_none_is_configured() {
    let mut driven = Driven::new(Settings::default());
    driven.hear_signed(says(State::Down), &mut Authenticator::new(auth(), 1));
    assert_eq!(driven.session.state(), State::Down);
    assert_eq!(driven.discarded(), [Discard::Auth(AuthError::Unexpected)]);
}

#[test]
fn a_packet_without_authentication_is_refused_where_it_is_configured() {
    let mut driven = Driven::new(authenticated());
    driven.hear(says(State::Down));
    assert_eq!(driven.session.state(), State::Down);
    assert_eq!(driven.discarded(), [Discard::Auth(AuthError::Missing)]);
}

#[test]
fn sent_packets_are_signed_with_rising_sequence_numbers() {
    let discriminator = NonZeroU32::new(5).unwrap();
    let mut session = Session::new(authenticated(), discriminator, 3);
    let mut neighbor = Authenticator::new(auth(), 0);
    session.handle_input(Input::Enable, Time::ZERO);
    for second in 1..20 {
        while let Some(output) = session.poll_output() {
            if let Output::Transmit(octets) = output {
                let received = Packet::decode(&octets).unwrap();
                assert_eq!(neighbor.verify(&received), Ok(()));
            }
        }
        session.handle_timeout(Time::ZERO + Duration::from_secs(second));
    }
}

#[test]
fn a_packet_that_is_not_accepted_does_not_keep_the_session_up() {
    let mut signer = Authenticator::new(auth(), 1);
    let mut driven = Driven::new(authenticated());
    driven.hear_signed(says(State::Down), &mut signer);
    driven.hear_signed(says(State::Init), &mut signer);
    assert_eq!(driven.session.state(), State::Up);
    driven.run_hearing(Duration::from_secs(2), millis(100), says(State::Up));
    assert_eq!(driven.session.state(), State::Down);
}

#[test]
fn a_replayed_packet_does_not_keep_the_session_up() {
    let signer = Authenticator::new(auth(), 1);
    let mut driven = Driven::new(authenticated());
    driven.hear_signed(says(State::Down), &mut signer.clone());
    for _ in 0..30 {
        driven.run(millis(100));
        driven.hear_signed(says(State::Down), &mut signer.clone());
    }
    assert_eq!(driven.session.state(), State::Down, "it timed out");
}

#[test]
fn after_two_detection_times_of_silence_any_sequence_number_may_come() {
    let mut driven = Driven::new(authenticated());
    driven.hear_signed(says(State::Down), &mut Authenticator::new(auth(), 1000));
    // The detection time is 3 x 300 ms. A neighbour that restarts has another number.
    driven.run(millis(1799));
    driven.hear_signed(says(State::Down), &mut Authenticator::new(auth(), 5));
    assert_eq!(driven.session.state(), State::Down);
    driven.run(millis(1));
    driven.hear_signed(says(State::Down), &mut Authenticator::new(auth(), 5));
    assert_eq!(driven.session.state(), State::Init);
}

#[test]
fn a_new_key_takes_effect_without_ending_the_session() {
    let mut signer = Authenticator::new(auth(), 1);
    let mut driven = Driven::new(authenticated());
    driven.hear_signed(says(State::Down), &mut signer);
    driven.hear_signed(says(State::Init), &mut signer);
    let new = Auth {
        key_id: 2,
        key: Key::new(b"other").unwrap(),
        ..auth()
    };
    driven.changes();
    driven.input(Input::Configure(Settings {
        auth: Some(new.clone()),
        ..authenticated()
    }));
    driven.hear_signed(says(State::Up), &mut signer);
    assert_eq!(driven.discarded(), [Discard::Auth(AuthError::KeyId(1))]);
    driven.hear_signed(says(State::Up), &mut Authenticator::new(new, 9));
    driven.run(millis(899));
    assert_eq!(driven.changes(), []);
    assert_eq!(driven.session.state(), State::Up);
}
