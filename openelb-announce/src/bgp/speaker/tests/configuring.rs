//! From one configuration to the next.

use super::{Bench, Machine, Output, config, group, ip, open, peer, plain, set};
use crate::bgp::message::{ErrorCode, Framer, MessageKind, Notification};
use crate::bgp::peer::{State, Stop};
use crate::bgp::session::ConnectionId;
use crate::bgp::speaker::{Change, Input};

/// A speaker with one peer whose session is up.
fn up() -> (Bench, ConnectionId) {
    let mut bench = Bench::with(config([plain("leaf1", "192.0.2.9")]));
    let (connection, _) = bench.dial().unwrap();
    bench.open(connection, "192.0.2.9", &open(9));
    assert_eq!(bench.states(), [State::Established]);
    bench.take();
    (bench, connection)
}

fn changes(applied: &[super::Applied]) -> Vec<(&str, Change)> {
    applied
        .iter()
        .map(|applied| (applied.peer.as_str(), applied.change))
        .collect()
}

/// The NOTIFICATION among the messages.
fn last_word(octets: &[u8]) -> Option<Notification> {
    let mut framer = Framer::new();
    framer.feed(octets);
    let mut found = None;
    while let Some(Ok(message)) = framer.next_message() {
        if message.kind == MessageKind::Notification {
            found = Notification::decode(message.body);
        }
    }
    found
}

#[test]
fn a_new_peer_is_dialled_at_once_and_the_same_configuration_again_does_nothing() {
    let mut bench = Bench::new();
    let applied = bench.configure(config([plain("leaf1", "192.0.2.9")]));
    assert_eq!(changes(&applied), [("leaf1", Change::Added)]);
    let (_, target) = bench.dial().unwrap();
    assert_eq!((target.address, target.interface), (ip("192.0.2.9"), None));
    assert_eq!(bench.configure(config([plain("leaf1", "192.0.2.9")])), []);
    assert_eq!(bench.take(), []);
}

#[test]
fn a_change_that_is_not_part_of_the_session_applies_to_it() {
    let (mut bench, _) = up();
    let leaving = set(|settings| settings.graceful_shutdown = true);
    let applied = bench.configure(config([peer("leaf1", ip("192.0.2.9"), leaving)]));
    assert_eq!(changes(&applied), [("leaf1", Change::Live)]);
    assert_eq!(bench.states(), [State::Established]);
    assert!(bench.status()[0].graceful_shutdown);
}

#[test]
fn a_change_of_the_session_ends_it_with_the_reason_and_dials_again() {
    let (mut bench, connection) = up();
    let shorter = set(|settings| settings.timers.hold = Some(std::time::Duration::from_secs(9)));
    let applied = bench.configure(config([peer("leaf1", ip("192.0.2.9"), shorter)]));
    assert_eq!(changes(&applied), [("leaf1", Change::Reset("hold"))]);
    let word = last_word(&bench.transmit(connection)).unwrap();
    assert_eq!(word.error, ErrorCode::OTHER_CONFIGURATION_CHANGE);
    assert!(bench.dial().is_some());
}

#[test]
fn a_peer_that_moves_is_told_at_its_old_place_that_it_is_not_configured() {
    let (mut bench, connection) = up();
    let applied = bench.configure(config([plain("leaf1", "192.0.2.10")]));
    assert_eq!(changes(&applied), [("leaf1", Change::Reset("remote"))]);
    let word = last_word(&bench.transmit(connection)).unwrap();
    assert_eq!(word.error, ErrorCode::PEER_DECONFIGURED);
    let (_, target) = bench.dial().unwrap();
    assert_eq!(target.address, ip("192.0.2.10"));
    // What is left of the old one goes with its connection.
    assert_eq!(bench.status().len(), 1);
    bench.close(connection);
    assert_eq!(bench.speaker.connections(), 1);
}

#[test]
fn a_removed_peer_has_a_last_word_and_is_gone_from_the_status_before() {
    let (mut bench, connection) = up();
    let applied = bench.configure(config([]));
    assert_eq!(changes(&applied), [("leaf1", Change::Removed)]);
    assert_eq!(bench.status(), []);
    let word = last_word(&bench.transmit(connection)).unwrap();
    assert_eq!(word.error, ErrorCode::PEER_DECONFIGURED);
    bench.close(connection);
    assert_eq!(bench.speaker.connections(), 0);
}

#[test]
fn a_peer_may_take_the_address_of_one_that_goes_in_the_same_configuration() {
    let (mut bench, _) = up();
    let applied = bench.configure(config([plain("spine", "192.0.2.9")]));
    let wanted = [("leaf1", Change::Removed), ("spine", Change::Added)];
    assert_eq!(changes(&applied), wanted);
    assert_eq!(bench.status()[0].name.as_str(), "spine");
}

#[test]
fn members_of_a_group_follow_its_settings_and_go_with_it() {
    let mut first = config([]);
    first.dynamic = vec![group("192.0.2.0/24", 4)];
    let mut bench = Bench::with(first.clone());
    let member = bench.accept("192.0.2.7", None).unwrap();
    bench.establish(member.connection, &open(9));
    let mut leaving = first.clone();
    leaving.dynamic[0].settings.graceful_shutdown = true;
    let applied = bench.configure(leaving);
    assert_eq!(changes(&applied), [("servers/192.0.2.7", Change::Live)]);
    let mut elsewhere = first;
    elsewhere.dynamic = vec![group("198.51.100.0/24", 4)];
    let applied = bench.configure(elsewhere);
    assert_eq!(changes(&applied), [("servers/192.0.2.7", Change::Removed)]);
    assert_eq!(bench.status(), []);
}

#[test]
fn a_member_whose_address_gets_a_name_makes_room_for_the_peer() {
    let mut first = config([]);
    first.dynamic = vec![group("192.0.2.0/24", 4)];
    let mut bench = Bench::with(first.clone());
    bench.accept("192.0.2.7", None).unwrap();
    first.peers = vec![plain("leaf1", "192.0.2.7")];
    let applied = bench.configure(first);
    let wanted = [
        ("servers/192.0.2.7", Change::Removed),
        ("leaf1", Change::Added),
    ];
    assert_eq!(changes(&applied), wanted);
    let again = bench.accept("192.0.2.7", None).unwrap();
    assert_eq!(again.neighbor.name.as_str(), "leaf1");
}

#[test]
fn a_refused_configuration_touches_nothing() {
    let (mut bench, _) = up();
    let mut wrong = config([plain("leaf1", "192.0.2.9"), plain("leaf2", "192.0.2.9")]);
    wrong.listen.clear();
    let error = bench
        .speaker
        .configure(&wrong.into(), bench.now)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "peer leaf2: remote: 192.0.2.9 is the remote of peer leaf1 too; a neighbor has one session"
    );
    bench.drain();
    assert_eq!(bench.take(), []);
    assert_eq!(bench.states(), [State::Established]);
}

#[test]
fn a_stopped_speaker_says_a_last_word_to_everybody_and_dials_no_more() {
    let (mut bench, connection) = up();
    bench
        .speaker
        .stop(&Stop::Shutdown("back at noon".into()), bench.now);
    let word = last_word(&bench.transmit(connection)).unwrap();
    assert_eq!(word.communication().as_deref(), Some("back at noon"));
    bench.close(connection);
    assert_eq!(bench.speaker.connections(), 0);
    assert_eq!(bench.speaker.poll_timeout(), None);
    assert!(
        bench
            .take()
            .contains(&Output::Listen(std::collections::BTreeSet::new()))
    );
    bench.run(3_600);
    assert!(bench.dial().is_none());
    assert_eq!(bench.configure(config([plain("leaf2", "192.0.2.10")])), []);
}

#[test]
fn inputs_about_connections_that_are_gone_are_ignored() {
    let (mut bench, connection) = up();
    bench.close(connection);
    bench.take();
    let octets = &[0xff; 19];
    bench.input(Input::Received { connection, octets });
    bench.input(Input::Sent {
        connection,
        octets: 1,
    });
    bench.close(connection);
    assert!(bench.transmit(connection).is_empty());
    assert_eq!(bench.take(), []);
}
