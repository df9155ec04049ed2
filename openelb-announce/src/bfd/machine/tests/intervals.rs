//! Tests of intervals, detection times and polls.

use super::driven::{Driven, every, flagged, millis, says};
use crate::bfd::machine::Input;
use crate::bfd::packet::{Diagnostic, Flags, Packet, State};
use crate::bfd::settings::Settings;
use std::num::NonZeroU8;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const QUICK: Duration = Duration::from_millis(50);

/// Are all gaps within the bounds, and do they differ?
fn assert_jittered(gaps: &[f64], shortest: f64, longest: f64) {
    assert!(gaps.len() > 20, "{gaps:?}");
    for gap in gaps {
        assert!((shortest..=longest).contains(gap), "{gap} of {gaps:?}");
    }
    let quarter = shortest + (longest - shortest) / 4.0;
    assert!(gaps.iter().any(|gap| *gap < quarter), "{gaps:?}");
    assert!(gaps.iter().any(|gap| *gap > longest - (quarter - shortest)));
}

#[test]
fn a_session_that_is_not_up_sends_once_a_second_less_a_quarter() {
    let mut driven = Driven::new(every(QUICK));
    driven.run(SECOND * 60);
    assert_jittered(&driven.gaps(), 750.0, 1000.0);
}

#[test]
fn a_session_that_is_up_sends_at_its_interval_less_a_quarter() {
    let mut driven = Driven::up(Settings::default());
    driven.run_hearing(SECOND * 30, millis(300), says(State::Up));
    assert_jittered(&driven.gaps(), 225.0, 300.0);
}

#[test]
fn with_a_multiplier_of_one_the_gap_is_at_most_nine_tenths() {
    let mut driven = Driven::up(Settings {
        multiplier: 1,
        ..Settings::default()
    });
    driven.run_hearing(SECOND * 30, millis(300), says(State::Up));
    assert_jittered(&driven.gaps(), 225.0, 270.0);
}

#[test]
fn the_slower_of_our_transmission_and_their_reception_sets_the_interval() {
    let mut driven = Driven::up(every(QUICK));
    let slow = Packet {
        required_min_rx: millis(800),
        ..says(State::Up)
    };
    driven.hear(slow);
    driven.run(millis(1));
    driven.gaps();
    driven.run_hearing(SECOND * 60, millis(200), slow);
    assert_jittered(&driven.gaps(), 600.0, 800.0);
}

#[test]
fn a_neighbor_that_receives_faster_after_coming_up_is_sent_to_faster_at_once() {
    // Neighbours announce a second until they are up. Whoever waits for the timer that was set
    // then sends too late: the neighbour counts with 3 x 50 ms from its own announcement on.
    let mut driven = Driven::new(every(QUICK));
    let slow = Packet {
        required_min_rx: SECOND,
        ..says(State::Down)
    };
    driven.hear(slow);
    driven.hear(Packet {
        state: State::Up,
        ..slow
    });
    driven.run(millis(100));
    driven.sent();
    driven.hear(Packet {
        required_min_rx: QUICK,
        ..says(State::Up)
    });
    driven.run(QUICK);
    assert!(!driven.sent().is_empty(), "within one new interval");
}

#[test]
fn a_neighbor_that_asks_for_slower_packets_gets_no_more_at_the_old_interval() {
    let mut driven = Driven::up(Settings::default());
    driven.hear(Packet {
        required_min_rx: SECOND * 10,
        ..says(State::Up)
    });
    driven.run(millis(890));
    assert_eq!(driven.sent(), []);
}

#[test]
fn a_neighbor_that_wants_no_packets_gets_none_but_answers() {
    let mut driven = Driven::up(Settings::default());
    let deaf = Packet {
        required_min_rx: Duration::ZERO,
        ..says(State::Up)
    };
    driven.hear(deaf);
    driven.run_hearing(SECOND * 5, millis(300), deaf);
    assert_eq!(driven.sent(), []);
    driven.hear(flagged(deaf, Flags::POLL));
    assert_eq!(driven.sent().len(), 1);
}

#[test]
fn a_neighbor_in_demand_mode_gets_no_periodic_packets_while_both_are_up() {
    let mut driven = Driven::up(Settings::default());
    let demanding = flagged(says(State::Up), Flags::DEMAND);
    driven.hear(demanding);
    driven.run_hearing(SECOND * 5, millis(300), demanding);
    assert_eq!(driven.sent(), []);
    // A poll of our own goes out all the same, until it is answered.
    driven.input(Input::Configure(every(millis(400))));
    driven.run_hearing(SECOND * 2, millis(300), demanding);
    let polls = driven.sent();
    assert!(polls.len() >= 4);
    assert!(polls.iter().all(|said| said.flags.contains(Flags::POLL)));
    driven.hear(flagged(demanding, Flags::DEMAND.with(Flags::FINAL)));
    driven.run_hearing(SECOND * 2, millis(300), demanding);
    assert_eq!(driven.sent(), []);
    // And it is still watched.
    driven.run(SECOND * 2);
    assert_eq!(driven.session.state(), State::Down);
}

#[test]
fn the_detection_time_is_their_multiplier_times_the_slower_of_our_reception_and_their_transmission()
{
    for (min_rx, min_tx, multiplier, expected) in [
        (300, 300, 3, 900),
        (50, 300, 3, 900),
        (300, 50, 3, 900),
        (50, 50, 3, 150),
        (50, 50, 1, 50),
        (1000, 10, 255, 255_000),
    ] {
        let mut driven = Driven::up(Settings {
            min_rx: millis(min_rx),
            // Ours does not matter for what we detect.
            multiplier: 77,
            ..Settings::default()
        });
        driven.hear(Packet {
            desired_min_tx: millis(min_tx),
            multiplier: NonZeroU8::new(multiplier).unwrap(),
            ..says(State::Up)
        });
        assert_eq!(driven.session.detection_time(), millis(expected));
        driven.run(millis(expected - 1));
        assert_eq!(driven.session.state(), State::Up);
        driven.run(millis(1));
        assert_eq!(driven.session.state(), State::Down);
        let expired = Diagnostic::ControlDetectionTimeExpired;
        assert_eq!(driven.session.diagnostic(), expired);
    }
}

#[test]
fn a_session_in_init_times_out_too() {
    let mut driven = Driven::new(Settings::default());
    driven.hear(says(State::Down));
    assert_eq!(driven.session.state(), State::Init);
    driven.run(millis(900));
    assert_eq!(driven.session.state(), State::Down);
}

#[test]
fn the_neighbors_discriminator_is_forgotten_after_one_detection_time_in_any_state() {
    for is_up in [true, false] {
        let mut driven = if is_up {
            Driven::up(Settings::default())
        } else {
            let mut driven = Driven::new(Settings::default());
            driven.hear(says(State::Up));
            driven
        };
        driven.hear(says(State::Up));
        driven.run(millis(899));
        assert!(driven.session.remote_discriminator().is_some());
        driven.sent();
        driven.run(millis(1));
        assert_eq!(driven.session.remote_discriminator(), None);
        // That is news, and what makes the neighbour accept us when it starts again.
        assert_eq!(driven.sent()[0].your_discriminator, None);
    }
}

#[test]
fn a_poll_is_answered_at_once_in_every_state_and_does_not_delay_the_next_packet() {
    let polls = |state| flagged(says(state), Flags::POLL);
    let mut down = Driven::new(Settings::default());
    down.sent();
    down.hear(polls(State::Up));
    let mut init = Driven::new(Settings::default());
    init.sent();
    init.hear(polls(State::Down));
    let mut up = Driven::up(Settings::default());
    up.hear(polls(State::Up));
    for (mut driven, state) in [(down, State::Down), (init, State::Init), (up, State::Up)] {
        let answers = driven.sent();
        assert_eq!(answers.len(), 1);
        assert_eq!(answers[0].state, state);
        assert!(answers[0].flags.contains(Flags::FINAL));
        assert!(!answers[0].flags.contains(Flags::POLL));
    }
    // Polls every 20 ms do not keep the periodic packets from leaving.
    let mut driven = Driven::up(Settings::default());
    driven.run_hearing(SECOND * 3, millis(20), polls(State::Up));
    let sent = driven.sent();
    let periodic = sent
        .iter()
        .filter(|said| !said.flags.contains(Flags::FINAL));
    assert!(periodic.count() >= 9);
}

#[test]
fn poll_and_final_are_never_set_together() {
    let mut driven = Driven::up(Settings::default());
    driven.input(Input::Configure(every(millis(500))));
    driven.run_hearing(
        SECOND * 3,
        millis(100),
        flagged(says(State::Up), Flags::POLL),
    );
    let sent = driven.sent();
    let both = Flags::POLL.with(Flags::FINAL);
    assert!(sent.iter().any(|said| said.flags.contains(Flags::POLL)));
    assert!(sent.iter().any(|said| said.flags.contains(Flags::FINAL)));
    assert!(!sent.iter().any(|said| said.flags.contains(both)));
}

#[test]
fn a_change_of_intervals_is_polled_for_until_it_is_answered() {
    let mut driven = Driven::up(Settings::default());
    driven.input(Input::Configure(every(millis(200))));
    let first = driven.sent();
    assert_eq!(first.len(), 1, "told at once");
    assert!(first[0].flags.contains(Flags::POLL));
    assert_eq!(first[0].desired_min_tx, millis(200));
    assert_eq!(first[0].required_min_rx, millis(200));
    driven.run_hearing(SECOND, millis(300), says(State::Up));
    let repeated = driven.sent();
    assert!(repeated.len() >= 3);
    assert!(repeated.iter().all(|said| said.flags.contains(Flags::POLL)));
    driven.hear(flagged(says(State::Up), Flags::FINAL));
    driven.run_hearing(SECOND, millis(300), says(State::Up));
    let after = driven.sent();
    assert!(!after.iter().any(|said| said.flags.contains(Flags::POLL)));
}

#[test]
fn going_up_is_a_change_of_the_interval_and_polled_for() {
    let mut driven = Driven::new(Settings::default());
    driven.hear(says(State::Down));
    driven.sent();
    driven.hear(says(State::Init));
    assert!(driven.sent()[0].flags.contains(Flags::POLL));
}

#[test]
fn slower_packets_wait_for_the_answer_to_the_poll() {
    let mut driven = Driven::up(Settings::default());
    let slower = Settings {
        min_tx: SECOND,
        ..Settings::default()
    };
    driven.input(Input::Configure(slower));
    driven.run_hearing(SECOND * 10, millis(300), says(State::Up));
    assert_jittered(&driven.gaps(), 225.0, 300.0);
    driven.hear(flagged(says(State::Up), Flags::FINAL));
    driven.run(millis(1));
    driven.gaps();
    driven.run_hearing(SECOND * 40, millis(300), says(State::Up));
    assert_jittered(&driven.gaps(), 750.0, 1000.0);
}

#[test]
fn faster_packets_do_not_wait() {
    let mut driven = Driven::up(Settings::default());
    let fast = Packet {
        required_min_rx: QUICK,
        ..says(State::Up)
    };
    driven.hear(fast);
    driven.input(Input::Configure(every(QUICK)));
    driven.run(millis(1));
    driven.gaps();
    driven.run_hearing(SECOND * 3, millis(300), fast);
    assert_jittered(&driven.gaps(), 37.5, 50.0);
}

#[test]
fn a_shorter_detection_time_waits_for_the_answer_to_the_poll() {
    let mut driven = Driven::up(Settings::default());
    driven.hear(Packet {
        desired_min_tx: millis(10),
        ..says(State::Up)
    });
    let nervous = Settings {
        min_rx: millis(100),
        ..Settings::default()
    };
    driven.input(Input::Configure(nervous));
    assert_eq!(driven.session.detection_time(), millis(900));
    driven.hear(Packet {
        desired_min_tx: millis(10),
        ..flagged(says(State::Up), Flags::FINAL)
    });
    assert_eq!(driven.session.detection_time(), millis(300));
}

#[test]
fn a_longer_detection_time_does_not_wait() {
    let mut driven = Driven::up(Settings::default());
    let calm = Settings {
        min_rx: SECOND,
        ..Settings::default()
    };
    driven.input(Input::Configure(calm));
    assert_eq!(driven.session.detection_time(), SECOND * 3);
    driven.run(millis(2999));
    assert_eq!(driven.session.state(), State::Up);
}

#[test]
fn an_answer_to_an_earlier_poll_does_not_stand_for_a_later_change() {
    let mut driven = Driven::up(Settings::default());
    let slower = |min_tx| Settings {
        min_tx,
        ..Settings::default()
    };
    driven.input(Input::Configure(slower(SECOND)));
    driven.input(Input::Configure(slower(SECOND * 2)));
    driven.hear(flagged(says(State::Up), Flags::FINAL));
    assert_eq!(driven.session.transmit_interval(), Some(millis(300)));
    driven.run(millis(300));
    driven.hear(flagged(says(State::Up), Flags::FINAL));
    assert_eq!(driven.session.transmit_interval(), Some(SECOND * 2));
}

#[test]
fn a_final_that_nobody_asked_for_changes_nothing() {
    let mut driven = Driven::up(Settings::default());
    driven.hear(flagged(says(State::Up), Flags::FINAL));
    assert_eq!(driven.session.transmit_interval(), Some(millis(300)));
    assert_eq!(driven.sent(), []);
}

#[test]
fn another_multiplier_is_told_without_a_poll() {
    let mut driven = Driven::up(Settings::default());
    driven.input(Input::Configure(Settings {
        multiplier: 9,
        ..Settings::default()
    }));
    let told = driven.sent();
    assert_eq!((told.len(), told[0].multiplier.get()), (1, 9));
    assert_eq!(told[0].flags, Flags::NONE);
}

#[test]
fn settings_change_while_up_without_a_change_of_state() {
    let mut driven = Driven::up(Settings::default());
    for settings in [every(QUICK), every(SECOND * 5), Settings::default()] {
        driven.input(Input::Configure(settings));
        driven.run(millis(300));
        driven.hear(flagged(says(State::Up), Flags::FINAL));
    }
    assert_eq!(driven.changes(), []);
}

#[test]
fn leaving_up_slows_down_at_once_without_an_answer() {
    let mut driven = Driven::up(every(QUICK));
    driven.hear(says(State::Down));
    assert_eq!(driven.session.transmit_interval(), Some(SECOND));
}

#[test]
fn a_session_that_was_not_woken_in_time_says_nothing_out_of_date() {
    let mut driven = Driven::up(Settings::default());
    driven.stall(SECOND * 5);
    let said = driven.sent();
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].state, State::Down);
}

#[test]
fn packets_that_waited_while_the_thread_did_not_run_keep_the_session_up() {
    let mut driven = Driven::up(Settings::default());
    // The owner hands over what waits before it looks at deadlines.
    driven.now += SECOND * 5;
    driven.hear(says(State::Up));
    driven.stall(Duration::ZERO);
    assert_eq!(driven.session.state(), State::Up);
}
