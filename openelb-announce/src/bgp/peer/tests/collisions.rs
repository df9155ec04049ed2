//! Two connections at once (RFC 4271 section 6.8, RFC 6286 section 2.3).

use super::super::*;
use super::bench::*;
use crate::bgp::asn::Asn;
use crate::bgp::message::{Capability, ErrorCode, Open};
use crate::bgp::session::{ConnectionId, Direction};

/// A peer whose dial got through while the other side connected: (bench, our dial, theirs).
fn both() -> (Bench, ConnectionId, ConnectionId) {
    let mut bench = Bench::new(|_| {});
    let incoming = bench.connect();
    let outgoing = bench.dial_through();
    bench.said(outgoing);
    bench.said(incoming);
    (bench, outgoing, incoming)
}

/// The peer has the lower BGP identifier: the connection that we opened stays.
fn lower() -> Open {
    Open {
        router_id: id("10.0.0.1"),
        ..their_open()
    }
}

/// The peer has the higher one: its connection stays.
fn higher() -> Open {
    Open {
        router_id: id("10.0.0.9"),
        ..their_open()
    }
}

fn is_dropped(bench: &mut Bench, connection: ConnectionId) -> bool {
    let close = Output::Close {
        connection,
        after_flush: true,
    };
    let is_closed = bench.has(|it| *it == close);
    let said = bench.last_word(connection);
    is_closed && said.is_some_and(|it| it.error == ErrorCode::CONNECTION_COLLISION)
}

#[test]
fn the_connection_of_the_higher_identifier_stays_whichever_open_comes_first() {
    for (open, outgoing_stays) in [(lower(), true), (higher(), false)] {
        for outgoing_first in [true, false] {
            let (mut bench, outgoing, incoming) = both();
            let order = if outgoing_first {
                [outgoing, incoming]
            } else {
                [incoming, outgoing]
            };
            for connection in order {
                bench.receive_open(connection, &open);
            }
            let (stays, goes) = if outgoing_stays {
                (outgoing, incoming)
            } else {
                (incoming, outgoing)
            };
            assert!(is_dropped(&mut bench, goes));
            assert_eq!(bench.said(stays), [Said::Keepalive]);
            bench.receive(stays, &keepalive());
            assert_eq!(bench.peer.connection(), Some(stays));
        }
    }
}

#[test]
fn with_equal_identifiers_the_higher_as_decides() {
    for (asn, outgoing_stays) in [(64_000, true), (65_000, false)] {
        let asn = Asn(asn);
        let mut bench = Bench::new(|it| it.remote_as = crate::bgp::config::RemoteAs::External);
        let incoming = bench.connect();
        let outgoing = bench.dial_through();
        let mut open = their_open();
        open.capabilities
            .retain(|it| !matches!(it, Capability::FourOctetAs(_)));
        (open.router_id, open.asn, open.wire_asn) = (id("10.0.0.5"), asn, asn.wire16());
        for connection in [incoming, outgoing] {
            bench.receive_open(connection, &open);
        }
        let goes = if outgoing_stays { incoming } else { outgoing };
        assert!(is_dropped(&mut bench, goes));
    }
}

#[test]
fn a_connection_that_should_lose_waits_a_moment_for_the_other_one() {
    let (mut bench, outgoing, incoming) = both();
    bench.receive_open(incoming, &lower());
    assert_eq!(bench.said(incoming), [], "not confirmed yet");
    assert_eq!(bench.state(), State::OpenSent);
    bench.receive(incoming, &keepalive());
    bench.wait(secs(2));
    assert_eq!(
        bench.state(),
        State::Established,
        "the other one said nothing in time"
    );
    assert_eq!(bench.peer.connection(), Some(incoming));
    assert!(is_dropped(&mut bench, outgoing));
}

#[test]
fn a_connection_that_should_lose_goes_on_as_soon_as_the_other_one_is_gone() {
    let (mut bench, outgoing, incoming) = both();
    bench.receive_open(incoming, &lower());
    bench.closed(outgoing);
    assert_eq!(bench.said(incoming), [Said::Keepalive]);
    assert_eq!(bench.state(), State::OpenConfirm);
}

#[test]
fn a_dial_under_way_is_given_up_when_the_peers_connection_is_confirmed() {
    let mut bench = Bench::new(|_| {});
    let dial = bench.dialled();
    let incoming = bench.connect();
    bench.receive_open(incoming, &their_open());
    let close = Output::Close {
        connection: dial,
        after_flush: false,
    };
    assert!(bench.has(|it| *it == close));
}

#[test]
fn a_failed_dial_beside_a_connection_of_the_peer_is_no_failure() {
    let mut bench = Bench::new(|_| {});
    let connection = bench.dialled();
    let incoming = bench.connect();
    let why = "refused".to_owned();
    bench.input(Input::OpenFailed { connection, why });
    assert_eq!(
        (bench.state(), bench.peer.failures_in_a_row()),
        (State::OpenSent, 0)
    );
    bench.establish_on(incoming, &their_open());
}

#[test]
fn a_connection_beside_a_new_session_is_refused() {
    let (mut bench, id) = up();
    let second = bench.connect();
    assert!(is_dropped(&mut bench, second));
    assert_eq!(bench.peer.connection(), Some(id));
    assert!(bench.has(|it| matches!(it, Output::Event(Event::Refused(_)))));
}

#[test]
fn a_connection_beside_an_old_session_is_refused_without_graceful_restart() {
    let (mut bench, id) = up_with(|it| it.timers.hold = Some(secs(0)), &plain_open());
    bench.wait(secs(3_600));
    let second = bench.connect();
    assert!(is_dropped(&mut bench, second));
    assert_eq!(bench.peer.connection(), Some(id));
}

#[test]
fn a_second_connection_of_the_peer_replaces_one_that_never_sent_an_open() {
    let mut bench = Bench::new(|it| it.passive = true);
    let first = bench.connect();
    let second = bench.connect();
    assert!(is_dropped(&mut bench, first));
    assert_eq!(bench.peer.failures_in_a_row(), 0);
    bench.establish_on(second, &their_open());
}

#[test]
fn a_second_connection_of_the_peer_is_refused_when_the_first_is_further() {
    let mut bench = Bench::new(|it| it.passive = true);
    let first = bench.connect();
    bench.receive_open(first, &their_open());
    let second = bench.connect();
    assert!(is_dropped(&mut bench, second));
    bench.receive(first, &keepalive());
    assert_eq!(bench.peer.connection(), Some(first));
}

#[test]
fn however_often_a_peer_connects_only_a_few_last_words_are_kept() {
    let (mut bench, _) = up();
    let refused: Vec<ConnectionId> = (0..1_000).map(|_| bench.connect()).collect();
    let words = refused
        .into_iter()
        .filter(|id| bench.last_word(*id).is_some());
    assert_eq!(words.count(), 4);
}

#[test]
fn a_number_that_is_in_use_is_not_taken_twice() {
    let (mut bench, id) = up();
    bench.opened(id, Direction::Incoming);
    assert_eq!((bench.take(), bench.state()), (vec![], State::Established));
}
