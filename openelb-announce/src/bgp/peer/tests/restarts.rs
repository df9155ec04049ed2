//! Graceful restart, of us and of the peer (RFC 4724, RFC 8538), and how a session is left.

use super::super::*;
use super::bench::*;
use crate::bgp::family::Family;
use crate::bgp::message::{Capability, ErrorCode, Notification, Open, RefreshKind, RouteRefresh};
use crate::bgp::session::ConnectionId;

const V4: Family = Family::Ipv4Unicast;
const V6: Family = Family::Ipv6Unicast;

/// An UPDATE of 198.51.100.0/24.
fn route() -> Vec<u8> {
    let mut octets = vec![0xff; 16];
    octets.extend([0, 47, 2, 0, 0, 0, 20]);
    octets.extend([
        0x40, 1, 1, 0, 0x40, 2, 6, 2, 1, 0, 0, 0xfc, 1, 0x40, 3, 4, 192, 0, 2, 1,
    ]);
    octets.extend([24, 198, 51, 100]);
    octets
}

/// A session that keeps routes, with one of them.
fn with_route(open: &Open) -> (Bench, ConnectionId) {
    let (mut bench, id) = up_with(|it| it.keep_received = true, open);
    bench.receive(id, &route());
    assert_eq!(routes(&bench), (1, 0));
    (bench, id)
}

/// How many IPv4 routes are there, and how many of them are stale.
fn routes(bench: &Bench) -> (usize, usize) {
    let counts = bench.peer.received().counts();
    (counts.ipv4.prefixes, counts.ipv4.stale)
}

fn come_back(bench: &mut Bench, open: &Open) -> ConnectionId {
    let id = bench.connect();
    bench.establish_on(id, open);
    id
}

/// The peer keeps routes through TCP's end, not through NOTIFICATIONs.
fn without_n() -> Open {
    let mut open = plain_open();
    open.capabilities
        .push(restarting(120, false, &[(V4, true), (V6, true)]));
    open
}

#[test]
fn routes_stay_for_the_restart_time_when_tcp_ends_without_a_word() {
    let (mut bench, id) = with_route(&their_open());
    bench.closed(id);
    assert_eq!(routes(&bench), (1, 1));
    assert!(bench.has(|it| *it == Output::Event(Event::RoutesKept { time: secs(120) })));
    bench.wait(secs(119));
    assert_eq!(routes(&bench), (1, 1));
    bench.wait(secs(1));
    assert_eq!(routes(&bench), (0, 0));
    assert!(bench.has(|it| *it == Output::Event(Event::StaleRoutesForgotten)));
}

#[test]
fn nothing_is_said_about_kept_routes_where_there_are_none() {
    let is_about_kept = |it: &Output| {
        matches!(
            it,
            Output::Event(Event::RoutesKept { .. } | Event::StaleRoutesForgotten)
        )
    };
    let (mut bench, id) = up();
    bench.closed(id);
    bench.wait(secs(120));
    assert!(!bench.has(is_about_kept));

    // All of them were confirmed, long before the time for it is over.
    let (mut bench, id) = with_route(&their_open());
    bench.closed(id);
    let id = come_back(&mut bench, &their_open());
    bench.take();
    bench.receive(id, &route());
    bench.receive(id, &end_of_rib(V4));
    for _ in 0..18 {
        bench.wait(secs(20));
        bench.receive(id, &keepalive());
    }
    assert!(!bench.has(is_about_kept));
    assert_eq!(routes(&bench), (1, 0));
}

#[test]
fn routes_go_at_once_without_graceful_restart() {
    let (mut bench, id) = with_route(&plain_open());
    bench.closed(id);
    assert_eq!(routes(&bench), (0, 0));
}

#[test]
fn a_notification_ends_routes_unless_both_sides_keep_them_through_it() {
    for (open, kept) in [(without_n(), (0, 0)), (their_open(), (1, 1))] {
        let (mut bench, id) = with_route(&open);
        bench.receive(id, &notification(ErrorCode::ADMINISTRATIVE_RESET));
        assert_eq!(routes(&bench), kept);
    }
}

#[test]
fn a_hard_reset_ends_routes_in_any_case() {
    let (mut bench, id) = with_route(&their_open());
    let hard = Notification::with_data(ErrorCode::HARD_RESET, &[6, 3]);
    bench.receive(id, &octets(|out| hard.write(out)));
    assert_eq!(routes(&bench), (0, 0));
    let shown = bench
        .peer
        .last_failure()
        .unwrap()
        .notification
        .as_ref()
        .unwrap()
        .to_string();
    assert!(
        shown.contains("hard reset (6/9, RFC 8538): cease: peer de-configured"),
        "{shown}"
    );
}

#[test]
fn routes_stay_through_an_expired_hold_timer_if_notifications_leave_them() {
    for (open, kept) in [(without_n(), (0, 0)), (their_open(), (1, 1))] {
        let (mut bench, _) = with_route(&open);
        bench.wait(secs(90));
        assert_ne!(bench.state(), State::Established);
        assert_eq!(routes(&bench), kept);
    }
}

#[test]
fn routes_are_confirmed_by_sending_them_again_and_end_of_rib_ends_the_others() {
    let (mut bench, id) = with_route(&their_open());
    bench.closed(id);
    let id = come_back(&mut bench, &their_open());
    assert_eq!(routes(&bench), (1, 1));
    bench.receive(id, &route());
    assert_eq!(routes(&bench), (1, 0));
    bench.receive(id, &end_of_rib(V4));
    assert_eq!(routes(&bench), (1, 0));
    assert!(bench.has(|it| *it == Output::Event(Event::EndOfRib(V4))));

    let (mut bench, id) = with_route(&their_open());
    bench.closed(id);
    let id = come_back(&mut bench, &their_open());
    bench.receive(id, &end_of_rib(V6));
    assert_eq!(routes(&bench), (1, 1), "the other family is not complete");
    bench.receive(id, &end_of_rib(V4));
    assert_eq!(routes(&bench), (0, 0));
}

#[test]
fn routes_go_when_the_peer_comes_back_without_having_kept_forwarding() {
    let unset: [&[(Family, bool)]; 2] = [&[(V4, false), (V6, true)], &[]];
    for families in unset {
        let (mut bench, id) = with_route(&their_open());
        bench.closed(id);
        let mut back = plain_open();
        back.capabilities.push(restarting(120, true, families));
        come_back(&mut bench, &back);
        assert_eq!(routes(&bench), (0, 0));
    }
}

#[test]
fn routes_go_when_the_peer_comes_back_without_graceful_restart() {
    let (mut bench, id) = with_route(&their_open());
    bench.closed(id);
    come_back(&mut bench, &plain_open());
    assert_eq!(routes(&bench), (0, 0));
}

#[test]
fn routes_that_no_end_of_rib_confirms_go_after_six_minutes() {
    let (mut bench, id) = with_route(&their_open());
    bench.closed(id);
    let id = come_back(&mut bench, &their_open());
    for _ in 0..18 {
        bench.wait(secs(20));
        bench.receive(id, &keepalive());
    }
    assert_eq!(routes(&bench), (0, 0));
    assert_eq!(bench.state(), State::Established);
}

#[test]
fn a_peer_that_restarts_takes_its_session_over_on_a_new_connection() {
    let (mut bench, id) = with_route(&their_open());
    bench.wait(secs(60));
    let second = bench.connect();
    assert_eq!(
        bench.peer.connection(),
        Some(id),
        "nothing is given up before the OPEN"
    );
    bench.receive_open(second, &their_open());
    let close = Output::Close {
        connection: id,
        after_flush: false,
    };
    assert!(bench.has(|it| *it == close), "without a NOTIFICATION");
    assert!(bench.has(|it| *it == Output::Down(DownReason::PeerRestarted)));
    assert_eq!(routes(&bench), (1, 1));
    bench.receive(second, &keepalive());
    assert_eq!(bench.peer.connection(), Some(second));
}

#[test]
fn a_stranger_that_only_connects_does_not_end_the_session() {
    let (mut bench, id) = with_route(&their_open());
    bench.wait(secs(60));
    let second = bench.connect();
    bench.receive(second, b"GET / HTTP/1.1\r\n\r\n");
    assert_eq!(bench.peer.connection(), Some(id));
    assert_eq!(routes(&bench), (1, 0));
}

fn mark(kind: RefreshKind) -> Vec<u8> {
    octets(|out| RouteRefresh::new(V4, kind).write(out))
}

#[test]
fn a_marked_refresh_of_the_peer_ends_routes_that_it_does_not_name_again() {
    let (mut bench, id) = with_route(&their_open());
    bench.receive(id, &mark(RefreshKind::Begin));
    assert_eq!(routes(&bench), (1, 1));
    bench.receive(id, &route());
    bench.receive(id, &mark(RefreshKind::End));
    assert_eq!(routes(&bench), (1, 0));
    bench.receive(id, &mark(RefreshKind::Begin));
    bench.receive(id, &mark(RefreshKind::End));
    assert_eq!(routes(&bench), (0, 0));
    assert!(!bench.has(|it| matches!(it, Output::Refresh(_))));
}

#[test]
fn a_refresh_that_never_ends_is_over_after_six_minutes() {
    let (mut bench, id) = with_route(&their_open());
    bench.receive(id, &mark(RefreshKind::Begin));
    for _ in 0..18 {
        bench.wait(secs(20));
        bench.receive(id, &keepalive());
    }
    assert_eq!(routes(&bench), (0, 0));
}

#[test]
fn marks_mean_nothing_to_a_session_without_enhanced_refresh() {
    let mut open = their_open();
    open.capabilities
        .retain(|it| *it != Capability::EnhancedRouteRefresh);
    let (mut bench, id) = with_route(&open);
    bench.receive(id, &mark(RefreshKind::Begin));
    assert_eq!(routes(&bench), (1, 0));
}

#[test]
fn an_upgrade_resets_where_notifications_leave_routes_and_else_is_silent() {
    let (mut bench, id) = up();
    bench.input(Input::Stop(Stop::Upgrade));
    assert_eq!(
        bench.last_word(id).unwrap().error,
        ErrorCode::ADMINISTRATIVE_RESET
    );

    let (mut bench, id) = up_with(|_| {}, &without_n());
    bench.input(Input::Stop(Stop::Upgrade));
    let close = Output::Close {
        connection: id,
        after_flush: false,
    };
    assert!(bench.has(|it| *it == close));
    assert!(bench.has(|it| *it == Output::Down(DownReason::Upgrade)));
    assert_eq!(bench.said(id), []);
}

#[test]
fn leaving_for_good_is_a_hard_reset_where_notifications_leave_routes() {
    for (stop, inner) in [
        (Stop::Removal, vec![6, 3]),
        (Stop::Deconfigured, vec![6, 3]),
        (
            Stop::Shutdown("bye".to_owned()),
            vec![6, 2, 3, b'b', b'y', b'e'],
        ),
    ] {
        let (mut bench, id) = up();
        bench.input(Input::Stop(stop));
        let said = bench.last_word(id).unwrap();
        assert_eq!((said.error, said.data), (ErrorCode::HARD_RESET, inner));
    }
}

#[test]
fn leaving_for_good_is_a_plain_cease_for_all_other_peers() {
    for (stop, error) in [
        (Stop::Removal, ErrorCode::PEER_DECONFIGURED),
        (Stop::Deconfigured, ErrorCode::PEER_DECONFIGURED),
        (
            Stop::Shutdown(String::new()),
            ErrorCode::ADMINISTRATIVE_SHUTDOWN,
        ),
    ] {
        let (mut bench, id) = up_with(|_| {}, &without_n());
        bench.input(Input::Stop(stop));
        assert_eq!(bench.last_word(id).unwrap().error, error);
    }
}

#[test]
fn a_peer_that_asks_for_long_lived_restart_is_met_by_ours() {
    let mut open = their_open();
    let (family, forwarding, time) = (V4, true, 3_600);
    let kept = crate::bgp::message::LongLived {
        family,
        forwarding,
        time,
    };
    open.capabilities.push(Capability::LongLived(vec![kept]));
    let (bench, _) = up_with(|it| it.families[V4].long_lived = Some(secs(60)), &open);
    let agreed = bench.peer.negotiated().unwrap();
    assert!(agreed.long_lived.contains(V4) && !agreed.long_lived.contains(V6));
}
