//! What a peer waits for: operators, BFD, the end of a pause (RFC 4271 section 8, RFC 5882).

use super::super::*;
use super::bench::*;
use crate::bgp::config::{Liveness as Watch, Settings};
use crate::bgp::family::Family;
use crate::bgp::message::ErrorCode;
use crate::bgp::session::Direction;

fn strict(settings: &mut Settings) {
    settings.liveness = Some(Watch { strict: true });
}

fn lenient(settings: &mut Settings) {
    settings.liveness = Some(Watch { strict: false });
}

fn configure(bench: &mut Bench, change: impl FnOnce(&mut Settings)) {
    bench.input(Input::Configure(Arc::new(neighbor(change))));
}

#[test]
fn in_idle_connections_of_the_peer_are_refused_with_a_reason() {
    let mut bench = Bench::stopped(neighbor(|_| {}));
    let id = bench.connect();
    assert_eq!(
        bench.last_word(id).unwrap().error,
        ErrorCode::CONNECTION_REJECTED
    );
    let words = "the peer is not started";
    assert!(bench.has(|it| *it == Output::Event(Event::Refused(words))));
    let told = |bench: &mut Bench| {
        bench.take();
        bench.connect();
        let told = |it: &Output| matches!(it, Output::Event(Event::Refused(_)));
        bench.take().iter().any(told)
    };
    assert!(!told(&mut bench), "once in ten seconds");
    bench.wait(secs(10));
    assert!(told(&mut bench));
}

#[test]
fn a_pause_refuses_connections_and_dials_when_it_is_over() {
    let mut bench = Bench::new(|_| {});
    let id = bench.dial_through();
    bench.receive(id, &notification(ErrorCode::BAD_PEER_AS));
    assert_eq!(bench.state(), State::Idle);
    let second = bench.connect();
    assert_eq!(
        bench.last_word(second).unwrap().error,
        ErrorCode::CONNECTION_REJECTED
    );
    bench.wait(secs(1));
    assert_eq!(bench.state(), State::Connect);
}

#[test]
fn a_peer_that_rejects_us_for_now_is_listened_for() {
    let mut bench = Bench::new(|_| {});
    let id = bench.dial_through();
    bench.receive(id, &notification(ErrorCode::CONNECTION_REJECTED));
    assert_eq!(bench.state(), State::Active);
    let id = bench.connect();
    bench.establish_on(id, &their_open());
}

#[test]
fn after_a_stop_nothing_is_done_until_the_next_start() {
    let (mut bench, id) = up();
    bench.input(Input::Stop(Stop::Shutdown(String::new())));
    assert_eq!(bench.state(), State::Idle);
    bench.said(id);
    bench.take();
    bench.closed(id);
    bench.receive(id, &keepalive());
    bench.input(Input::Routes);
    bench.input(Input::AskForRoutes(Family::Ipv4Unicast));
    bench.input(Input::Stop(Stop::Removal));
    bench.input(Input::Liveness(Liveness::Down));
    bench.wait(secs(100_000));
    assert_eq!((bench.take(), bench.peer.poll_timeout()), (vec![], None));
    bench.input(Input::Start);
    assert_eq!(bench.state(), State::Connect);
}

#[test]
fn a_stop_gives_up_a_dial_and_tells_open_connections() {
    let mut bench = Bench::new(|_| {});
    let dial = bench.dialled();
    bench.input(Input::Stop(Stop::Removal));
    let close = Output::Close {
        connection: dial,
        after_flush: false,
    };
    assert!(bench.has(|it| *it == close));

    let mut bench = Bench::new(|_| {});
    let id = bench.dial_through();
    bench.said(id);
    bench.input(Input::Stop(Stop::Removal));
    assert_eq!(
        bench.last_word(id).unwrap().error,
        ErrorCode::PEER_DECONFIGURED
    );
}

#[test]
fn settings_that_do_not_concern_the_session_apply_to_it_as_it_is() {
    let (mut bench, id) = up();
    configure(&mut bench, |it| {
        it.description = Some("rack 7".to_owned());
        it.timers.min_advertisement = secs(1);
        it.timers.connect_retry = secs(5);
    });
    assert_eq!((bench.take(), bench.peer.connection()), (vec![], Some(id)));
    assert_eq!(bench.peer.neighbor().settings.timers.connect_retry, secs(5));
}

#[test]
fn settings_of_the_session_end_it_and_it_comes_back_at_once() {
    let (mut bench, id) = up();
    configure(&mut bench, |it| it.timers.hold = Some(secs(30)));
    let said = bench.last_word(id).unwrap();
    assert_eq!(said.error, ErrorCode::OTHER_CONFIGURATION_CHANGE);
    assert_eq!(bench.state(), State::Connect);
    let words = &bench.peer.last_failure().unwrap().words;
    assert_eq!(words, "the peer's hold changed");
    bench.establish_after_reset(30);
}

#[test]
fn other_wishes_about_received_routes_make_the_peer_send_them_again() {
    let (mut bench, id) = up();
    configure(&mut bench, |it| it.keep_received = true);
    let families = [Family::Ipv4Unicast, Family::Ipv6Unicast];
    assert_eq!(bench.said(id), families.map(Said::Refresh));
    assert_eq!(bench.state(), State::Established);
}

#[test]
fn a_peer_that_becomes_passive_or_active_dials_accordingly() {
    let mut bench = Bench::new(|_| {});
    configure(&mut bench, |it| it.passive = true);
    assert_eq!(bench.state(), State::Active);
    bench.wait(secs(1_000));
    assert_eq!(bench.state(), State::Active);
    configure(&mut bench, |_| {});
    assert_eq!(bench.state(), State::Connect);
}

#[test]
fn an_administrative_shutdown_in_the_settings_ends_the_session_with_its_words() {
    let mut bench = Bench::new(|_| {});
    let id = bench.establish(&plain_open());
    configure(&mut bench, |it| {
        it.admin_down = Some("new line card".to_owned());
    });
    let said = bench.last_word(id).unwrap();
    assert_eq!(said.communication().unwrap(), "new line card");
    assert_eq!(bench.peer.waiting(), Some(Waiting::Operator));
    bench.wait(secs(1_000));
    assert_eq!(bench.state(), State::Idle);
    configure(&mut bench, |_| {});
    assert_eq!(bench.state(), State::Connect);
}

#[test]
fn a_peer_that_is_down_by_its_settings_does_not_start() {
    let mut bench = Bench::new(|it| it.admin_down = Some(String::new()));
    assert_eq!((bench.state(), bench.take()), (State::Idle, vec![]));
    let id = bench.connect();
    assert_eq!(
        bench.last_word(id).unwrap().error,
        ErrorCode::CONNECTION_REJECTED
    );
}

#[test]
fn a_session_ends_with_bfd_down_when_bfd_loses_the_peer() {
    let mut bench = Bench::new(lenient);
    let id = bench.establish(&their_open());
    bench.input(Input::Liveness(Liveness::Up));
    assert_eq!(bench.take(), []);
    bench.input(Input::Liveness(Liveness::Down));
    assert_eq!(bench.last_word(id).unwrap().error, ErrorCode::BFD_DOWN);
    assert_eq!(bench.state(), State::Active);
}

#[test]
fn a_stable_session_that_bfd_ends_is_tried_again_without_a_long_pause() {
    let mut bench = Bench::new(lenient);
    for _ in 0..6 {
        let connection = bench.dialled();
        let why = String::new();
        bench.input(Input::OpenFailed { connection, why });
        bench.wait(secs(120));
    }
    let id = bench.establish(&their_open());
    bench.input(Input::Liveness(Liveness::Up));
    bench.wait(secs(80));
    bench.receive(id, &keepalive());
    bench.input(Input::Liveness(Liveness::Down));
    bench.wait(secs(1));
    assert_eq!(bench.state(), State::Connect);
}

#[test]
fn only_the_change_from_up_to_down_ends_a_session() {
    for liveness in [Liveness::Down, Liveness::AdminDown, Liveness::Unknown] {
        let mut bench = Bench::new(lenient);
        bench.establish(&their_open());
        bench.input(Input::Liveness(liveness));
        bench.input(Input::Liveness(Liveness::Down));
        assert_eq!(bench.state(), State::Established);
    }
    let mut bench = Bench::new(lenient);
    bench.establish(&their_open());
    bench.input(Input::Liveness(Liveness::Up));
    bench.input(Input::Liveness(Liveness::AdminDown));
    assert_eq!(bench.state(), State::Established);
}

#[test]
fn bfd_says_nothing_to_a_peer_that_does_not_ask_for_it() {
    let (mut bench, _) = up();
    bench.input(Input::Liveness(Liveness::Up));
    bench.input(Input::Liveness(Liveness::Down));
    assert_eq!(bench.state(), State::Established);
}

#[test]
fn in_strict_mode_nothing_is_tried_before_bfd_is_up() {
    let mut bench = Bench::new(strict);
    bench.wait(secs(1_000));
    assert_eq!((bench.state(), bench.take()), (State::Idle, vec![]));
    assert_eq!(bench.peer.waiting(), Some(Waiting::Liveness));
    let id = bench.connect();
    assert_eq!(
        bench.last_word(id).unwrap().error,
        ErrorCode::CONNECTION_REJECTED
    );
    bench.input(Input::Liveness(Liveness::Up));
    bench.establish(&their_open());
    bench.input(Input::Liveness(Liveness::Down));
    assert_eq!(bench.peer.waiting(), Some(Waiting::Liveness));
    bench.input(Input::Liveness(Liveness::Up));
    assert_eq!(bench.state(), State::Connect);
}

#[test]
fn what_bfd_saw_before_it_was_turned_off_opens_no_session() {
    let down = |it: &mut Settings| {
        strict(it);
        it.admin_down = Some("maintenance".into());
    };
    for off in [down, |_: &mut Settings| {}] {
        let mut bench = Bench::new(strict);
        bench.input(Input::Liveness(Liveness::Up));
        assert_eq!(bench.state(), State::Connect);
        configure(&mut bench, off);
        configure(&mut bench, strict);
        bench.input(Input::Stop(Stop::Shutdown(String::new())));
        bench.input(Input::Start);
        assert_eq!(bench.peer.waiting(), Some(Waiting::Liveness));
        bench.input(Input::Liveness(Liveness::Up));
        assert_eq!(bench.state(), State::Connect);
    }
}

#[test]
fn strict_mode_ends_attempts_too_when_bfd_goes_down() {
    let mut bench = Bench::new(strict);
    bench.input(Input::Liveness(Liveness::Up));
    let dial = bench.dialled();
    bench.input(Input::Liveness(Liveness::Down));
    let close = Output::Close {
        connection: dial,
        after_flush: false,
    };
    assert!(bench.has(|it| *it == close));
    assert_eq!(bench.peer.waiting(), Some(Waiting::Liveness));
}

#[test]
fn a_peer_that_waits_for_bfd_starts_when_that_wish_is_taken_back() {
    let mut bench = Bench::new(strict);
    configure(&mut bench, |_| {});
    assert_eq!(bench.state(), State::Connect);
}

#[test]
fn a_dial_beside_a_connection_that_fails_keeps_its_timer() {
    let mut bench = Bench::new(|it| it.timers.connect_retry = secs(30));
    let dial = bench.dialled();
    let incoming = bench.connect();
    bench.closed(incoming);
    assert_eq!(bench.state(), State::Connect);
    bench.wait(secs(30));
    assert_ne!(bench.dialled(), dial);
    bench.opened(dial, Direction::Outgoing);
    assert_eq!(bench.state(), State::Connect);
}

impl Bench {
    /// The session comes up again and offers this hold time.
    fn establish_after_reset(&mut self, hold: u16) {
        let id = self.dial_through();
        let Said::Open(open) = self.said(id).remove(0) else {
            panic!("no OPEN");
        };
        assert_eq!(open.hold_time, hold);
        self.establish_on(id, &their_open());
    }
}
