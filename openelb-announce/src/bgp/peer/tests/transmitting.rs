//! What is sent when, and that nothing grows for a peer that does not read.

use super::super::*;
use super::bench::*;
use crate::bgp::family::Family;
use crate::bgp::message::write_end_of_rib;
use crate::bgp::session::ConnectionId;
use std::time::Duration;

const V4: Family = Family::Ipv4Unicast;

/// Gives End-of-RIB markers, `left` of them, one at a time.
struct Source {
    left: usize,
    asked: usize,
}

impl Source {
    fn of(left: usize) -> Self {
        Self { left, asked: 0 }
    }

    fn transmit(&mut self, bench: &mut Bench, id: ConnectionId) -> Vec<Said> {
        let mut out = Vec::new();
        let mut fill = |out: &mut Vec<u8>, _: usize| {
            self.asked += 1;
            if self.left > 0 {
                self.left -= 1;
                write_end_of_rib(out, V4);
            }
            self.left > 0
        };
        let now = bench.now;
        bench.peer.transmit(id, &mut out, 4_096, now, &mut fill);
        parse(&out)
    }
}

fn wakes(bench: &mut Bench) -> usize {
    let outputs = bench.take();
    let wakes = outputs.iter().filter(|it| matches!(it, Output::Wake(_)));
    wakes.count()
}

fn is_blocked(bench: &mut Bench, id: ConnectionId) -> bool {
    Source::of(9).transmit(bench, id).is_empty()
}

#[test]
fn control_messages_come_before_updates() {
    let mut bench = Bench::new(|_| {});
    let id = bench.dial_through();
    bench.said(id);
    bench.receive_open(id, &their_open());
    bench.receive(id, &keepalive());
    bench.input(Input::AskForRoutes(V4));
    let said = Source::of(1).transmit(&mut bench, id);
    assert_eq!(said, [Said::Keepalive, Said::Refresh(V4), Said::Update]);
}

#[test]
fn no_update_is_asked_for_before_the_session_is_up_or_after_its_end() {
    let mut bench = Bench::new(|_| {});
    let id = bench.dial_through();
    let mut source = Source::of(5);
    bench.input(Input::Routes);
    source.transmit(&mut bench, id);
    bench.receive_open(id, &their_open());
    source.transmit(&mut bench, id);
    bench.receive(id, &keepalive());
    bench.input(Input::Stop(Stop::Removal));
    bench.input(Input::Routes);
    let said = source.transmit(&mut bench, id);
    assert!(matches!(said[..], [Said::Notification(_)]));
    assert_eq!(source.asked, 0);
}

#[test]
fn a_wake_is_given_once_until_everything_was_fetched() {
    let (mut bench, id) = up();
    for _ in 0..100 {
        bench.input(Input::Routes);
        bench.input(Input::AskForRoutes(V4));
    }
    assert_eq!(wakes(&mut bench), 1);
    let mut source = Source::of(2);
    while !source.transmit(&mut bench, id).is_empty() {}
    assert_eq!(wakes(&mut bench), 0);
    bench.input(Input::Routes);
    assert_eq!(wakes(&mut bench), 1);
}

#[test]
fn a_session_that_comes_up_asks_for_its_routes_by_itself() {
    let mut bench = Bench::new(|_| {});
    let id = bench.dial_through();
    bench.said(id);
    bench.receive_open(id, &their_open());
    bench.receive(id, &keepalive());
    assert!(bench.has(|it| matches!(it, Output::Wake(_))));
    assert!(
        Source::of(1)
            .transmit(&mut bench, id)
            .contains(&Said::Update)
    );
}

#[test]
fn a_peer_that_never_reads_keeps_one_keepalive_waiting_and_no_more() {
    let (mut bench, id) = up_with(|it| it.timers.hold = Some(secs(3)), &their_open());
    for _ in 0..1_000 {
        bench.wait(secs(2));
        bench.receive(id, &keepalive());
        bench.input(Input::AskForRoutes(V4));
    }
    assert_eq!(bench.said(id), [Said::Keepalive, Said::Refresh(V4)]);
}

#[test]
fn a_flood_of_route_refresh_makes_one_request_a_read() {
    let (mut bench, id) = up();
    bench.receive(id, &refresh(V4).repeat(3_000));
    assert_eq!(bench.take(), [Output::Refresh(V4)]);
    assert_eq!(bench.peer.counters().received.route_refresh, 3_000);
}

#[test]
fn a_route_refresh_of_a_family_that_was_not_agreed_on_is_ignored() {
    let mut open = their_open();
    open.capabilities
        .retain(|it| *it != crate::bgp::message::Capability::multi_protocol(Family::Ipv6Unicast));
    let (mut bench, id) = up_with(|_| {}, &open);
    bench.receive(id, &refresh(Family::Ipv6Unicast));
    assert_eq!((bench.take(), bench.state()), (vec![], State::Established));
}

#[test]
fn route_refresh_is_only_asked_of_a_peer_that_takes_it() {
    let mut open = their_open();
    open.capabilities
        .retain(|it| !matches!(it, crate::bgp::message::Capability::RouteRefresh));
    let (mut bench, id) = up_with(|_| {}, &open);
    bench.input(Input::AskForRoutes(V4));
    assert_eq!(bench.said(id), []);
}

#[test]
fn updates_rest_for_the_minimum_advertisement_interval() {
    let (mut bench, id) = up_with(|it| it.timers.min_advertisement = secs(5), &their_open());
    bench.input(Input::Routes);
    let mut source = Source::of(3);
    while !source.transmit(&mut bench, id).is_empty() {}
    assert_eq!(source.left, 0, "one burst is sent whole");
    bench.take();
    bench.input(Input::Routes);
    assert_eq!(wakes(&mut bench), 0);
    assert!(is_blocked(&mut bench, id));
    bench.wait(Duration::from_millis(4_999));
    assert!(is_blocked(&mut bench, id));
    bench.wait(Duration::from_millis(1));
    assert_eq!(wakes(&mut bench), 1);
    assert_eq!(Source::of(1).transmit(&mut bench, id), [Said::Update]);
}

#[test]
fn keepalives_do_not_wait_for_the_advertisement_interval() {
    let settings = |it: &mut crate::bgp::config::Settings| {
        it.timers.min_advertisement = secs(600);
        it.timers.hold = Some(secs(9));
    };
    let (mut bench, id) = up_with(settings, &their_open());
    bench.input(Input::Routes);
    Source::of(1).transmit(&mut bench, id);
    bench.wait(secs(4));
    assert_eq!(Source::of(1).transmit(&mut bench, id), [Said::Keepalive]);
}

#[test]
fn a_session_that_ended_leaves_no_routes_to_ask_for() {
    let (mut bench, id) = up();
    bench.input(Input::Routes);
    bench.closed(id);
    assert!(is_blocked(&mut bench, id));
}
