//! How a session comes up, and what it agrees on.

use super::super::*;
use super::bench::*;
use crate::bgp::asn::Asn;
use crate::bgp::config::{GracefulRestart as Restart, RemoteAs};
use crate::bgp::family::{Family, FamilySet};
use crate::bgp::message::{
    AddPathMode, Capability, EXTENDED_LIMIT, ErrorCode, LIMIT, LongLived, Open,
};
use std::time::Duration;

const V4: Family = Family::Ipv4Unicast;
const V6: Family = Family::Ipv6Unicast;

fn agreed(bench: &Bench) -> Negotiated {
    bench.peer.negotiated().unwrap().as_ref().clone()
}

/// The OPEN that a peer with these settings sends.
fn our_open(bench: &mut Bench) -> Open {
    let id = bench.dial_through();
    match bench.said(id).remove(0) {
        Said::Open(open) => open,
        other => panic!("{other:?} is no OPEN"),
    }
}

fn our_restart(open: &Open) -> crate::bgp::message::GracefulRestart {
    open.graceful_restart().unwrap().clone()
}

#[test]
fn a_peer_that_is_not_started_does_nothing() {
    let mut bench = Bench::stopped(neighbor(|_| {}));
    bench.wait(secs(1_000));
    assert_eq!(bench.take(), []);
    assert_eq!(bench.peer.poll_timeout(), None);
    assert_eq!(bench.peer.waiting(), Some(Waiting::Start));
}

#[test]
fn a_session_is_up_after_open_and_keepalive_both_ways() {
    let mut bench = Bench::new(|_| {});
    assert_eq!(bench.state(), State::Connect);
    let id = bench.dial_through();
    assert_eq!(bench.state(), State::OpenSent);
    assert!(matches!(bench.said(id)[..], [Said::Open(_)]));
    bench.receive_open(id, &their_open());
    assert_eq!(bench.state(), State::OpenConfirm);
    assert_eq!(bench.said(id), [Said::Keepalive]);
    assert!(!bench.has(|it| matches!(it, Output::Established(_))));
    bench.receive(id, &keepalive());
    assert_eq!(bench.state(), State::Established);
    assert!(bench.has(|it| matches!(it, Output::Established(_))));
    assert_eq!(bench.peer.times_established(), 1);
    assert_eq!(bench.peer.connection(), Some(id));
}

#[test]
fn every_change_of_the_state_is_reported_in_order() {
    let mut bench = Bench::new(|_| {});
    let id = bench.dial_through();
    bench.receive_open(id, &their_open());
    bench.receive(id, &keepalive());
    bench.closed(id);
    let states: Vec<State> = bench
        .take()
        .into_iter()
        .filter_map(|output| match output {
            Output::Event(Event::StateChanged { to, .. }) => Some(to),
            _ => None,
        })
        .collect();
    let (connect, sent) = (State::Connect, State::OpenSent);
    let up = [connect, sent, State::OpenConfirm, State::Established];
    assert_eq!(states, [&up[..], &[State::Active]].concat());
}

#[test]
fn a_passive_peer_never_dials_and_takes_the_connection_of_the_other_side() {
    let mut bench = Bench::new(|it| it.passive = true);
    bench.wait(secs(1_000));
    assert_eq!(bench.state(), State::Active);
    assert_eq!(bench.peer.waiting(), Some(Waiting::Peer));
    assert!(!bench.has(|it| matches!(it, Output::Connect(_))));
    let id = bench.connect();
    bench.establish_on(id, &their_open());
}

#[test]
fn messages_may_be_cut_anywhere() {
    let mut bench = Bench::new(|_| {});
    let id = bench.dial_through();
    let stream = [octets(|out| their_open().write(out)), keepalive()].concat();
    for octet in stream {
        bench.receive(id, &[octet]);
    }
    assert_eq!(bench.state(), State::Established);
}

#[test]
fn the_open_says_what_the_settings_offer() {
    let mut bench = Bench::new(|it| {
        it.extended_messages = true;
        it.extended_next_hop = true;
        it.families[V6].add_path_send_max = Some(4);
        it.families[V4].long_lived = Some(secs(3_600));
        it.timers.hold = Some(secs(30));
    });
    let open = our_open(&mut bench);
    assert_eq!(
        (open.asn, open.hold_time, open.router_id),
        (OURS, 30, id("10.0.0.5"))
    );
    for wanted in [
        Capability::multi_protocol(V4),
        Capability::multi_protocol(V6),
        Capability::FourOctetAs(OURS),
        Capability::RouteRefresh,
        Capability::EnhancedRouteRefresh,
        Capability::ExtendedMessage,
        Capability::v6_next_hops_for_v4(),
        Capability::AddPath(vec![(V6, AddPathMode::Send)]),
    ] {
        assert!(open.has(&wanted), "{wanted:?} is missing");
    }
    let (family, forwarding, time) = (V4, true, 3_600);
    let kept = LongLived {
        family,
        forwarding,
        time,
    };
    assert!(open.has(&Capability::LongLived(vec![kept])));
}

#[test]
fn the_open_leaves_out_what_is_switched_off() {
    let mut bench = Bench::new(|it| {
        it.route_refresh = false;
        it.graceful_restart = None;
        it.families[V4].enabled = false;
        it.families[V6].long_lived = Some(secs(60));
    });
    let open = our_open(&mut bench);
    let offered = [
        Capability::multi_protocol(V6),
        Capability::FourOctetAs(OURS),
    ];
    assert_eq!(open.capabilities, offered);
}

#[test]
fn an_as_of_four_octets_is_as_trans_in_the_open_and_whole_in_the_capability() {
    let mut settings = neighbor(|_| {});
    settings.local_as = Asn(4_200_000_000);
    let mut bench = Bench::stopped(settings);
    bench.input(Input::Start);
    let open = our_open(&mut bench);
    assert_eq!((open.wire_asn, open.asn), (23_456, Asn(4_200_000_000)));
}

#[test]
fn a_peer_without_four_octet_as_numbers_gets_a_session_with_two() {
    let mut open = their_open();
    open.capabilities
        .retain(|it| !matches!(it, Capability::FourOctetAs(_)));
    let (bench, _) = up_with(|_| {}, &open);
    assert!(!agreed(&bench).four_octet_as);
    assert_eq!(agreed(&bench).peer_as, THEIRS);
}

#[test]
fn the_peers_as_is_that_of_its_capability_when_two_octets_do_not_hold_it() {
    let asn = Asn(4_200_000_001);
    let mut open = their_open();
    open.capabilities
        .retain(|it| !matches!(it, Capability::FourOctetAs(_)));
    open.capabilities.push(Capability::FourOctetAs(asn));
    (open.asn, open.wire_asn) = (asn, asn.wire16());
    let (bench, _) = up_with(|it| it.remote_as = RemoteAs::Exactly(asn), &open);
    assert_eq!(agreed(&bench).peer_as, asn);
}

#[test]
fn only_families_of_both_sides_are_agreed_on() {
    let mut open = their_open();
    open.capabilities
        .retain(|it| *it != Capability::multi_protocol(V6));
    let (bench, _) = up_with(|_| {}, &open);
    assert_eq!(agreed(&bench).families, FamilySet::new(true, false));
}

#[test]
fn a_peer_that_names_no_family_means_ipv4_unicast() {
    let open = Open::new(THEIRS, 90, id("10.0.0.9"), Vec::new());
    let (bench, _) = up_with(|_| {}, &open);
    assert_eq!(agreed(&bench).families, FamilySet::new(true, false));
    assert!(!agreed(&bench).route_refresh);
}

#[test]
fn without_a_common_family_the_peer_is_told_which_ones_are_missed() {
    let mut bench = Bench::new(|it| it.families[V4].enabled = false);
    let id = bench.dial_through();
    bench.said(id);
    bench.receive_open(
        id,
        &Open::new(THEIRS, 90, super::bench::id("10.0.0.9"), Vec::new()),
    );
    let said = bench.last_word(id).unwrap();
    assert_eq!(said.error, ErrorCode::UNSUPPORTED_CAPABILITY);
    assert_eq!(said.data, [1, 4, 0, 2, 0, 1]);
    let words = &bench.peer.last_failure().unwrap().words;
    assert!(words.contains("enable one family on both sides"), "{words}");
}

#[test]
fn the_smaller_hold_time_of_both_sides_holds() {
    for (ours, theirs, agreed_on) in [(90, 30, 30), (9, 180, 9), (3, 3, 3), (0, 90, 0), (90, 0, 0)]
    {
        let mut open = their_open();
        open.hold_time = theirs;
        let (bench, _) = up_with(|it| it.timers.hold = Some(secs(ours)), &open);
        assert_eq!(agreed(&bench).hold_time, secs(agreed_on));
    }
}

#[test]
fn extended_messages_need_both_sides() {
    let mut open = their_open();
    let (bench, _) = up_with(|it| it.extended_messages = true, &open);
    assert_eq!(agreed(&bench).message_limit, LIMIT);
    open.capabilities.push(Capability::ExtendedMessage);
    let (bench, _) = up_with(|_| {}, &open);
    assert_eq!(agreed(&bench).message_limit, LIMIT);
    let (bench, _) = up_with(|it| it.extended_messages = true, &open);
    assert_eq!(agreed(&bench).message_limit, EXTENDED_LIMIT);
}

#[test]
fn ipv6_next_hops_of_ipv4_routes_need_both_sides() {
    let mut open = their_open();
    let (bench, _) = up_with(|it| it.extended_next_hop = true, &open);
    assert_eq!(agreed(&bench).extended_next_hop, None);
    open.capabilities.push(Capability::v6_next_hops_for_v4());
    let (bench, _) = up_with(|it| it.extended_next_hop = true, &open);
    assert!(agreed(&bench).extended_next_hop.is_some());
}

#[test]
fn several_paths_are_sent_only_to_a_peer_that_takes_them() {
    let sent = |mode| {
        let mut open = their_open();
        open.capabilities
            .push(Capability::AddPath(vec![(V4, mode)]));
        let (bench, _) = up_with(|it| it.families[V4].add_path_send_max = Some(8), &open);
        agreed(&bench).add_path[V4]
    };
    assert_eq!(sent(AddPathMode::Receive), Some(8));
    assert_eq!(sent(AddPathMode::Both), Some(8));
    assert_eq!(sent(AddPathMode::Send), None);
}

#[test]
fn the_forwarding_bit_is_always_set_and_the_notification_bit_unless_switched_off() {
    let restart = our_restart(&our_open(&mut Bench::new(|_| {})));
    assert_eq!(restart.families, [(V4, true), (V6, true)]);
    assert!(restart.notification);
    assert_eq!(restart.time, 120);
    let mut bench = Bench::new(|it| {
        it.graceful_restart = Some(Restart {
            notification: false,
            ..Restart::default()
        });
    });
    assert!(!our_restart(&our_open(&mut bench)).notification);
}

#[test]
fn the_restart_bit_is_set_for_the_restart_time_after_the_process_started() {
    for (age, expected) in [(0, true), (119, true), (120, false), (100_000, false)] {
        let mut bench = Bench::stopped(neighbor(|_| {}));
        bench.now = Time::ZERO + secs(age);
        bench.input(Input::Start);
        let restart = our_restart(&our_open(&mut bench));
        assert_eq!(restart.restarting, expected, "{age} s after the start");
    }
}

#[test]
fn a_helper_asks_the_peer_to_keep_nothing() {
    let mut bench = Bench::stopped(neighbor(|it| {
        it.graceful_restart = Some(Restart {
            helper_only: true,
            ..Restart::default()
        });
    }));
    bench.now = Time::ZERO;
    bench.input(Input::Start);
    let restart = our_restart(&our_open(&mut bench));
    assert_eq!(
        (restart.families, restart.restarting, restart.time),
        (vec![], false, 0)
    );
}

#[test]
fn a_family_can_be_left_out_of_graceful_restart() {
    let mut bench = Bench::new(|it| it.families[V6].graceful_restart = false);
    assert_eq!(our_restart(&our_open(&mut bench)).families, [(V4, true)]);
}

#[test]
fn an_internal_peer_and_any_external_one_can_be_asked_for() {
    let mut open = their_open();
    let (bench, _) = up_with(|it| it.remote_as = RemoteAs::External, &open);
    assert!(agreed(&bench).is_external());
    open.capabilities
        .retain(|it| !matches!(it, Capability::FourOctetAs(_)));
    (open.asn, open.wire_asn) = (OURS, OURS.wire16());
    let (bench, _) = up_with(|it| it.remote_as = RemoteAs::Internal, &open);
    assert!(!agreed(&bench).is_external());
}

#[test]
fn with_delay_open_our_open_waits_for_the_peers() {
    let mut bench = Bench::new(|it| it.timers.delay_open = Some(secs(5)));
    let id = bench.dial_through();
    assert_eq!((bench.state(), bench.said(id)), (State::Connect, vec![]));
    bench.receive_open(id, &their_open());
    assert!(matches!(
        bench.said(id)[..],
        [Said::Open(_), Said::Keepalive]
    ));
    assert_eq!(bench.state(), State::OpenConfirm);
}

#[test]
fn delay_open_ends_by_itself() {
    let mut bench = Bench::new(|it| {
        it.timers.delay_open = Some(secs(5));
        it.passive = true;
    });
    let id = bench.connect();
    bench.wait(Duration::from_millis(4_999));
    assert_eq!((bench.state(), bench.said(id)), (State::Active, vec![]));
    bench.wait(Duration::from_millis(1));
    assert!(matches!(bench.said(id)[..], [Said::Open(_)]));
    assert_eq!(bench.state(), State::OpenSent);
}

#[test]
fn what_was_agreed_on_reads_as_words() {
    let (bench, _) = up();
    assert_eq!(
        agreed(&bench).to_string(),
        "ipv4-unicast, ipv6-unicast; hold 90 s; 4-octet AS; route refresh; enhanced route refresh; \
         graceful restart; routes kept through NOTIFICATIONs"
    );
}
