//! Tests of states, diagnostics and what they mean for the path.

use super::driven::{Driven, OURS, THEIRS, flagged, millis, says};
use crate::bfd::machine::receive::transition;
use crate::bfd::machine::{Change, Discard, Input, PathState};
use crate::bfd::packet::{Diagnostic, Flags, Packet, State};
use crate::bfd::settings::Settings;
use std::time::Duration;

const SIGNALED: Diagnostic = Diagnostic::NeighborSignaledSessionDown;

fn states(changes: &[Change]) -> Vec<(State, State, PathState)> {
    changes
        .iter()
        .map(|change| (change.from, change.to, change.path))
        .collect()
}

#[test]
fn the_state_machine_is_that_of_the_rfc_row_by_row() {
    use State::{AdminDown, Down, Init, Up};
    let none = Diagnostic::None;
    for (ours, theirs, expected) in [
        (AdminDown, AdminDown, None),
        (AdminDown, Down, None),
        (AdminDown, Init, None),
        (AdminDown, Up, None),
        (Down, AdminDown, None),
        (Down, Down, Some((Init, none))),
        (Down, Init, Some((Up, none))),
        (Down, Up, None),
        (Init, AdminDown, Some((Down, SIGNALED))),
        (Init, Down, None),
        (Init, Init, Some((Up, none))),
        (Init, Up, Some((Up, none))),
        (Up, AdminDown, Some((Down, SIGNALED))),
        (Up, Down, Some((Down, SIGNALED))),
        (Up, Init, None),
        (Up, Up, None),
    ] {
        assert_eq!(transition(ours, theirs), expected, "{ours} hears {theirs}");
    }
}

#[test]
fn a_new_session_is_silent_until_it_is_enabled() {
    let mut driven = Driven::disabled(Settings::default());
    driven.run(Duration::from_mins(1));
    driven.input(Input::AdminDown(Diagnostic::AdministrativelyDown));
    driven.run(Duration::from_mins(1));
    assert_eq!(driven.sent(), []);
}

#[test]
fn the_first_packet_leaves_at_once_and_says_down_slow_and_no_echo() {
    let mut driven = Driven::new(Settings::default());
    let expected = Packet {
        diagnostic: Diagnostic::None,
        state: State::Down,
        flags: Flags::NONE,
        my_discriminator: OURS,
        your_discriminator: None,
        desired_min_tx: Duration::from_secs(1),
        required_min_rx: millis(300),
        required_min_echo_rx: Duration::ZERO,
        ..says(State::Down)
    };
    assert_eq!(driven.sent(), [expected]);
}

#[test]
fn a_session_comes_up_by_three_way_handshake_and_each_step_is_told_at_once() {
    let mut driven = Driven::new(Settings::default());
    driven.sent();
    let unaddressed = Packet {
        your_discriminator: None,
        ..says(State::Down)
    };
    driven.hear(unaddressed);
    let init = driven.sent();
    assert_eq!((init.len(), init[0].state), (1, State::Init));
    assert_eq!(init[0].your_discriminator, Some(THEIRS));
    driven.hear(says(State::Init));
    let up = driven.sent();
    assert_eq!((up.len(), up[0].state), (1, State::Up));
    assert_eq!(up[0].desired_min_tx, millis(300));
    assert_eq!(
        states(&driven.changes()),
        [
            (State::AdminDown, State::Down, PathState::Unknown),
            (State::Down, State::Init, PathState::Unknown),
            (State::Init, State::Up, PathState::Up),
        ]
    );
}

#[test]
fn a_neighbor_that_says_up_to_a_session_that_is_down_changes_nothing() {
    let mut driven = Driven::new(Settings::default());
    driven.run_hearing(Duration::from_secs(5), millis(300), says(State::Up));
    assert_eq!(driven.session.state(), State::Down);
}

#[test]
fn a_neighbor_that_goes_down_takes_the_session_down_and_the_path_fails() {
    let mut driven = Driven::up(Settings::default());
    driven.hear(says(State::Down));
    let told = driven.sent();
    assert_eq!((told.len(), told[0].state), (1, State::Down));
    assert_eq!(told[0].diagnostic, SIGNALED);
    assert_eq!(told[0].desired_min_tx, Duration::from_secs(1));
    assert_eq!(
        states(&driven.changes()),
        [(State::Up, State::Down, PathState::Down)]
    );
}

#[test]
fn a_path_that_failed_stays_failed_until_the_session_is_up_again() {
    let mut driven = Driven::up(Settings::default());
    driven.hear(says(State::Down));
    driven.hear(says(State::Down));
    assert_eq!(driven.session.state(), State::Init);
    assert_eq!(driven.session.path_state(), PathState::Down);
    driven.hear(says(State::Up));
    assert_eq!(driven.session.path_state(), PathState::Up);
}

#[test]
fn a_neighbor_in_admin_down_is_no_failure_of_the_path() {
    let mut driven = Driven::up(Settings::default());
    driven.hear(Packet {
        diagnostic: Diagnostic::AdministrativelyDown,
        ..says(State::AdminDown)
    });
    let changes = driven.changes();
    assert_eq!(
        states(&changes),
        [(State::Up, State::Down, PathState::AdminDown)]
    );
    assert_eq!(changes[0].diagnostic, SIGNALED);
    let theirs = (changes[0].remote_state, changes[0].remote_diagnostic);
    assert_eq!(theirs, (State::AdminDown, Diagnostic::AdministrativelyDown));
    // Not when it falls silent either, nor when it comes back.
    driven.run(Duration::from_mins(1));
    assert_eq!(driven.session.path_state(), PathState::AdminDown);
    driven.hear(says(State::Down));
    assert_eq!(driven.session.path_state(), PathState::Unknown);
}

#[test]
fn a_neighbor_that_enters_admin_down_while_we_are_down_is_reported_although_our_state_stays() {
    let mut driven = Driven::new(Settings::default());
    driven.changes();
    driven.hear(says(State::AdminDown));
    assert_eq!(
        states(&driven.changes()),
        [(State::Down, State::Down, PathState::AdminDown)]
    );
}

#[test]
fn admin_down_is_told_at_once_with_its_diagnostic_and_repeated_slowly() {
    let mut driven = Driven::up(Settings::default());
    driven.input(Input::AdminDown(Diagnostic::AdministrativelyDown));
    let told = driven.sent();
    assert_eq!((told.len(), told[0].state), (1, State::AdminDown));
    assert_eq!(told[0].diagnostic, Diagnostic::AdministrativelyDown);
    driven.run(Duration::from_secs(10));
    let repeated = driven.sent();
    assert!((10..=14).contains(&repeated.len()), "{}", repeated.len());
    assert!(repeated.iter().all(|said| said.state == State::AdminDown));
}

#[test]
fn in_admin_down_nothing_that_is_heard_changes_the_state() {
    let mut driven = Driven::up(Settings::default());
    driven.input(Input::AdminDown(Diagnostic::AdministrativelyDown));
    for state in [State::AdminDown, State::Down, State::Init, State::Up] {
        driven.hear(says(state));
        assert_eq!(driven.session.state(), State::AdminDown);
    }
    driven.input(Input::Enable);
    assert_eq!(driven.session.state(), State::Down);
    driven.hear(says(State::Down));
    driven.hear(says(State::Init));
    assert_eq!(driven.session.state(), State::Up);
}

#[test]
fn a_session_is_dismissed_once_its_neighbor_is_down_or_gone() {
    let mut driven = Driven::up(Settings::default());
    assert!(!driven.session.is_dismissed());
    driven.input(Input::AdminDown(Diagnostic::AdministrativelyDown));
    assert!(!driven.session.is_dismissed(), "it has not heard of it");
    driven.hear(says(State::Down));
    assert!(driven.session.is_dismissed());

    let mut silent = Driven::up(Settings::default());
    silent.input(Input::AdminDown(Diagnostic::AdministrativelyDown));
    silent.run(Duration::from_secs(1));
    assert!(silent.session.is_dismissed(), "nobody is there");
}

#[test]
fn a_failure_from_outside_takes_the_session_down_with_its_diagnostic() {
    let mut driven = Driven::up(Settings::default());
    driven.input(Input::Fail(Diagnostic::ForwardingPlaneReset));
    let told = driven.sent();
    assert_eq!((told.len(), told[0].state), (1, State::Down));
    assert_eq!(told[0].diagnostic, Diagnostic::ForwardingPlaneReset);
    assert_eq!(driven.session.path_state(), PathState::Down);
}

#[test]
fn the_diagnostic_is_cleared_when_the_session_is_up_again() {
    let mut driven = Driven::up(Settings::default());
    driven.run(Duration::from_secs(2));
    let expired = Diagnostic::ControlDetectionTimeExpired;
    assert_eq!(driven.session.diagnostic(), expired);
    driven.hear(says(State::Down));
    driven.hear(says(State::Init));
    assert_eq!(driven.session.diagnostic(), Diagnostic::None);
}

#[test]
fn a_passive_session_says_nothing_until_its_neighbor_was_heard() {
    let passive = Settings {
        passive: true,
        ..Settings::default()
    };
    let mut driven = Driven::new(passive);
    driven.run(Duration::from_mins(1));
    assert_eq!(driven.sent(), []);
    driven.hear(says(State::Down));
    assert_eq!(driven.sent()[0].state, State::Init);
    // And again after the neighbour is gone; its detection time is 3 x 300 ms.
    driven.run(Duration::from_secs(1));
    driven.sent();
    driven.run(Duration::from_mins(1));
    assert_eq!(driven.sent(), []);
}

#[test]
fn on_one_link_only_ttl_255_is_accepted() {
    let mut driven = Driven::new(Settings::default());
    driven.with_ttl(254).hear(says(State::Down));
    assert_eq!(driven.session.state(), State::Down);
    let (ttl, least) = (254, 255);
    assert_eq!(driven.discarded(), [Discard::Ttl { ttl, least }]);
    driven.with_ttl(255).hear(says(State::Down));
    assert_eq!(driven.session.state(), State::Init);
}

#[test]
fn over_routers_the_configured_ttl_is_the_least_that_is_accepted() {
    let mut driven = Driven::new(Settings {
        multihop: Some(250),
        ..Settings::default()
    });
    driven.with_ttl(249).hear(says(State::Down));
    assert_eq!(driven.session.state(), State::Down);
    driven.with_ttl(250).hear(says(State::Down));
    assert_eq!(driven.session.state(), State::Init);
}

#[test]
fn the_c_bit_is_as_configured_and_clear_by_default() {
    for is_independent in [false, true] {
        let mut driven = Driven::new(Settings {
            control_plane_independent: is_independent,
            ..Settings::default()
        });
        let flags = driven.sent()[0].flags;
        assert_eq!(
            flags.contains(Flags::CONTROL_PLANE_INDEPENDENT),
            is_independent
        );
    }
}

#[test]
fn the_demand_bit_is_never_set() {
    let mut driven = Driven::up(Settings::default());
    driven.hear(flagged(says(State::Up), Flags::DEMAND.with(Flags::POLL)));
    driven.run(Duration::from_secs(1));
    let sent = driven.sent();
    assert!(!sent.is_empty());
    assert!(sent.iter().all(|said| !said.flags.contains(Flags::DEMAND)));
}

#[test]
fn a_neighbor_that_starts_again_gets_its_new_discriminator_back() {
    let mut driven = Driven::up(Settings::default());
    let reborn = Packet {
        my_discriminator: OURS,
        your_discriminator: None,
        ..says(State::Down)
    };
    driven.hear(reborn);
    assert_eq!(driven.sent()[0].your_discriminator, Some(OURS));
}
