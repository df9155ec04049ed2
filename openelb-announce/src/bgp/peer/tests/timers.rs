//! Hold, keepalive, send hold and connect retry timers (RFC 4271 sections 8 and 10, RFC 9687).

use super::super::*;
use super::bench::*;
use crate::bgp::family::Family;
use crate::bgp::message::{ErrorCode, write_end_of_rib};
use crate::bgp::session::ConnectionId;
use std::time::Duration;

const MOMENT: Duration = Duration::from_nanos(1);

fn hold(seconds: u64) -> (Bench, ConnectionId) {
    up_with(|it| it.timers.hold = Some(secs(seconds)), &their_open())
}

fn sent(bench: &mut Bench, connection: ConnectionId, octets: usize) {
    bench.input(Input::Sent { connection, octets });
}

#[test]
fn a_peer_that_sends_no_open_is_waited_for_four_minutes() {
    let mut bench = Bench::new(|it| it.timers.hold = Some(secs(3)));
    let id = bench.dial_through();
    bench.said(id);
    bench.wait(secs(240).saturating_sub(MOMENT));
    assert_eq!(bench.state(), State::OpenSent);
    bench.wait(MOMENT);
    let said = bench.last_word(id).unwrap();
    assert_eq!(said.error, ErrorCode::HOLD_TIMER_EXPIRED);
}

#[test]
fn a_silent_peer_loses_the_session_exactly_at_the_hold_time() {
    let (mut bench, id) = hold(9);
    bench.wait(secs(9).saturating_sub(MOMENT));
    assert_eq!(bench.state(), State::Established);
    bench.wait(MOMENT);
    assert_ne!(bench.state(), State::Established);
    assert_eq!(
        bench.last_word(id).unwrap().error,
        ErrorCode::HOLD_TIMER_EXPIRED
    );
    let down = |it: &Output| matches!(it, Output::Down(DownReason::NotificationSent(_)));
    assert!(bench.has(down));
}

#[test]
fn the_hold_time_runs_before_the_first_keepalive_too() {
    let mut bench = Bench::new(|it| it.timers.hold = Some(secs(9)));
    let id = bench.dial_through();
    bench.receive_open(id, &their_open());
    bench.said(id);
    bench.wait(secs(9));
    assert_eq!(
        bench.last_word(id).unwrap().error,
        ErrorCode::HOLD_TIMER_EXPIRED
    );
}

#[test]
fn keepalives_and_updates_of_the_peer_start_its_hold_time_anew() {
    let (mut bench, id) = hold(9);
    for _ in 0..5 {
        bench.wait(secs(8));
        bench.receive(id, &keepalive());
        bench.wait(secs(8));
        bench.receive(id, &end_of_rib(Family::Ipv4Unicast));
    }
    assert_eq!(bench.state(), State::Established);
}

#[test]
fn keepalives_leave_at_a_third_of_the_hold_time_less_up_to_a_quarter() {
    let (mut bench, id) = hold(90);
    let mut gaps = Vec::new();
    for _ in 0..20 {
        let before = bench.now;
        bench.take();
        while !bench.has(|it| matches!(it, Output::Wake(_))) {
            let next = bench.peer.poll_timeout().unwrap();
            bench.wait(next - bench.now);
        }
        assert_eq!(bench.said(id), [Said::Keepalive]);
        bench.receive(id, &keepalive());
        gaps.push(bench.now - before);
    }
    let within = |gap: &Duration| *gap >= Duration::from_millis(22_500) && *gap <= secs(30);
    assert!(gaps.iter().all(within), "{gaps:?}");
    gaps.dedup();
    assert!(gaps.len() > 10, "no jitter: {gaps:?}");
}

#[test]
fn a_hold_time_of_zero_means_no_keepalives_and_no_end() {
    let (mut bench, id) = hold(0);
    bench.wait(secs(100_000));
    assert_eq!(bench.state(), State::Established);
    assert_eq!(bench.said(id), []);
    assert_eq!(bench.peer.poll_timeout(), None);
}

#[test]
fn an_update_is_a_sign_of_life_too() {
    let (mut bench, id) = hold(90);
    let mut out = Vec::new();
    for _ in 0..10 {
        bench.wait(secs(20));
        bench.receive(id, &keepalive());
        bench.input(Input::Routes);
        let mut update = |out: &mut Vec<u8>, _: usize| {
            write_end_of_rib(out, Family::Ipv4Unicast);
            false
        };
        let now = bench.now;
        let octets = bench.peer.transmit(id, &mut out, 4_096, now, &mut update);
        sent(&mut bench, id, octets);
    }
    let said = parse(&out);
    assert_eq!(said.len(), 10);
    assert!(said.iter().all(|it| *it == Said::Update));
}

#[test]
fn a_late_wake_up_finds_an_expired_hold_timer_all_the_same() {
    let (mut bench, _) = hold(9);
    bench.now += secs(86_400);
    let now = bench.now;
    bench.peer.handle_timeout(now);
    assert_ne!(bench.state(), State::Established);
}

#[test]
fn a_peer_that_takes_nothing_from_tcp_loses_the_session_at_the_send_hold_time() {
    let (mut bench, id) = up_with(
        |it| {
            it.timers.hold = Some(secs(90));
            it.timers.send_hold = Some(secs(200));
        },
        &their_open(),
    );
    let now = bench.now;
    bench.peer.keep_alive(id, now);
    let mut out = Vec::new();
    let written = bench
        .peer
        .transmit(id, &mut out, 4_096, now, &mut |_, _| false);
    assert_eq!(written, 19);
    for _ in 0..4 {
        bench.wait(Duration::from_millis(49_999));
        bench.receive(id, &keepalive());
    }
    assert_eq!(bench.state(), State::Established);
    bench.wait(Duration::from_millis(4));
    assert!(bench.has(|it| *it == Output::Down(DownReason::SendHoldTimerExpired)));
    assert_eq!(
        bench.last_word(id).unwrap().error,
        ErrorCode::SEND_HOLD_TIMER_EXPIRED
    );
}

#[test]
fn the_send_hold_time_starts_anew_whenever_tcp_takes_something() {
    let (mut bench, id) = up_with(|it| it.timers.send_hold = Some(secs(200)), &their_open());
    let now = bench.now;
    bench.peer.keep_alive(id, now);
    bench
        .peer
        .transmit(id, &mut Vec::new(), 4_096, now, &mut |_, _| false);
    for _ in 0..18 {
        bench.wait(secs(60));
        bench.receive(id, &keepalive());
        sent(&mut bench, id, 1);
    }
    assert_eq!(bench.state(), State::Established);
}

#[test]
fn with_a_hold_time_of_zero_there_is_no_send_hold_time() {
    let (mut bench, id) = up_with(
        |it| {
            it.timers.hold = Some(secs(0));
            it.timers.send_hold = Some(secs(10));
        },
        &their_open(),
    );
    bench.input(Input::AskForRoutes(Family::Ipv4Unicast));
    let now = bench.now;
    let octets = bench
        .peer
        .transmit(id, &mut Vec::new(), 4_096, now, &mut |_, _| false);
    assert_eq!(octets, 23);
    bench.wait(secs(1_000));
    assert_eq!(bench.state(), State::Established);
}

#[test]
fn dials_that_fail_are_repeated_with_growing_pauses_up_to_the_connect_retry_time() {
    let mut bench = Bench::new(|it| it.timers.connect_retry = secs(10));
    let mut pauses = Vec::new();
    for _ in 0..8 {
        let connection = bench.dialled();
        bench.take();
        let why = "connection refused".to_owned();
        bench.input(Input::OpenFailed { connection, why });
        assert_eq!(bench.state(), State::Active);
        let Some(Waiting::Retry(at)) = bench.peer.waiting() else {
            panic!("{:?}", bench.peer.waiting());
        };
        pauses.push(at - bench.now);
        bench.wait(at - bench.now);
        assert_eq!(bench.state(), State::Connect);
    }
    for (pause, limit) in pauses.iter().zip([1, 2, 4, 8, 10, 10, 10, 10]) {
        assert!(
            *pause <= secs(limit) && *pause >= secs(limit) * 3 / 4,
            "{pauses:?}"
        );
    }
}

#[test]
fn a_dial_without_an_answer_is_given_up_at_the_connect_retry_time_and_repeated() {
    let mut bench = Bench::new(|it| it.timers.connect_retry = secs(30));
    let first = bench.dialled();
    bench.wait(secs(30));
    let close = Output::Close {
        connection: first,
        after_flush: false,
    };
    assert!(bench.has(|it| *it == close));
    assert_ne!(bench.dialled(), first);
    assert_eq!(bench.state(), State::Connect);
    bench.take();
    bench.opened(first, crate::bgp::session::Direction::Outgoing);
    assert!(bench.has(is_close), "a dial that was given up is not taken");
    assert_eq!(bench.state(), State::Connect);
}

#[test]
fn a_stable_session_makes_the_pauses_short_again() {
    let mut bench = Bench::new(|_| {});
    for _ in 0..6 {
        let connection = bench.dialled();
        let why = "no route to host".to_owned();
        bench.input(Input::OpenFailed { connection, why });
        bench.wait(secs(120));
    }
    assert_eq!(bench.peer.failures_in_a_row(), 6);
    let id = bench.establish(&their_open());
    for _ in 0..4 {
        bench.wait(secs(20));
        bench.receive(id, &keepalive());
    }
    bench.closed(id);
    assert_eq!(
        bench.state(),
        State::Active,
        "a peer that comes back is listened for"
    );
    bench.wait(secs(1));
    assert_eq!(bench.state(), State::Connect);
}

#[test]
fn a_session_that_ends_at_once_again_and_again_is_damped() {
    let mut bench = Bench::new(|_| {});
    let mut waits = Vec::new();
    for _ in 0..5 {
        let id = bench.establish(&their_open());
        bench.receive(id, &notification(ErrorCode::ADMINISTRATIVE_SHUTDOWN));
        assert_eq!(bench.state(), State::Idle);
        let Some(Waiting::Pause(at)) = bench.peer.waiting() else {
            panic!("{:?}", bench.peer.waiting());
        };
        waits.push(at - bench.now);
        bench.wait(at - bench.now);
    }
    assert!(waits.is_sorted() && waits[4] >= secs(12), "{waits:?}");
}
