//! What must end a session, what must not, and in which words (RFC 4271 section 6, RFC 7606).

use super::super::*;
use super::bench::*;
use crate::bgp::asn::Asn;
use crate::bgp::config::RemoteAs;
use crate::bgp::family::Family;
use crate::bgp::message::{Capability, ErrorCode, Notification, Open};
use crate::bgp::session::ConnectionId;

fn failure(bench: &Bench) -> &Failure {
    bench.peer.last_failure().expect("a failure")
}

/// An OPEN that does not fit: what is said about it.
fn refused(change: impl FnOnce(&mut Open)) -> (Notification, String) {
    refused_with(|_| {}, change)
}

fn refused_with(
    settings: impl FnOnce(&mut crate::bgp::config::Settings),
    change: impl FnOnce(&mut Open),
) -> (Notification, String) {
    let mut bench = Bench::new(settings);
    let id = bench.dial_through();
    bench.said(id);
    let mut open = their_open();
    change(&mut open);
    bench.receive_open(id, &open);
    assert_eq!(bench.state(), State::Idle);
    let words = failure(&bench).words.clone();
    (bench.last_word(id).unwrap(), words)
}

fn set_as(open: &mut Open, asn: Asn) {
    open.capabilities
        .retain(|it| !matches!(it, Capability::FourOctetAs(_)));
    open.capabilities.push(Capability::FourOctetAs(asn));
    (open.asn, open.wire_asn) = (asn, asn.wire16());
}

/// An UPDATE of one IPv4 route with these attributes.
fn update(attributes: &[u8]) -> Vec<u8> {
    let mut body = vec![0, 0];
    body.extend(u16::try_from(attributes.len()).unwrap().to_be_bytes());
    body.extend_from_slice(attributes);
    body.extend([24, 198, 51, 100]);
    message(2, &body)
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut octets = vec![0xff; 16];
    octets.extend(u16::try_from(19 + body.len()).unwrap().to_be_bytes());
    octets.push(kind);
    octets.extend_from_slice(body);
    octets
}

/// ORIGIN, an `AS_PATH` that begins with `first`, and `NEXT_HOP` 192.0.2.1.
fn attributes(first: Asn) -> Vec<u8> {
    let mut attributes = vec![0x40, 1, 1, 0, 0x40, 2, 6, 2, 1];
    attributes.extend(first.0.to_be_bytes());
    attributes.extend([0x40, 3, 4, 192, 0, 2, 1]);
    attributes
}

#[test]
fn a_peer_in_another_as_is_told_so_and_users_read_what_to_check() {
    let (said, words) = refused(|open| set_as(open, Asn(65_000)));
    assert_eq!(said.error, ErrorCode::BAD_PEER_AS);
    assert!(
        words.contains("AS 65000") && words.contains("AS 64513"),
        "{words}"
    );
}

#[test]
fn our_own_as_is_no_external_peer_and_another_no_internal_one() {
    let external = |it: &mut crate::bgp::config::Settings| it.remote_as = RemoteAs::External;
    let (said, words) = refused_with(external, |open| set_as(open, OURS));
    assert_eq!(said.error, ErrorCode::BAD_PEER_AS);
    assert!(words.contains("any AS but ours (64512)"), "{words}");
    let internal = |it: &mut crate::bgp::config::Settings| it.remote_as = RemoteAs::Internal;
    assert_eq!(
        refused_with(internal, |_| {}).0.error,
        ErrorCode::BAD_PEER_AS
    );
}

#[test]
fn as_numbers_that_nobody_may_have_are_refused() {
    let external = |it: &mut crate::bgp::config::Settings| it.remote_as = RemoteAs::External;
    for reserved in [23_456, 65_535, u32::MAX] {
        let (said, words) = refused_with(external, |open| set_as(open, Asn(reserved)));
        assert_eq!(said.error, ErrorCode::BAD_PEER_AS);
        assert!(words.contains("reserved"), "{words}");
    }
}

#[test]
fn an_internal_peer_with_our_router_id_is_refused_by_name() {
    let internal = |it: &mut crate::bgp::config::Settings| it.remote_as = RemoteAs::Internal;
    let (said, words) = refused_with(internal, |open| {
        set_as(open, OURS);
        open.router_id = id("10.0.0.5");
    });
    assert_eq!(said.error, ErrorCode::BAD_BGP_IDENTIFIER);
    assert!(words.contains("our own router id 10.0.0.5"), "{words}");
}

#[test]
fn an_external_peer_may_have_our_router_id() {
    let mut open = their_open();
    open.router_id = id("10.0.0.5");
    up_with(|_| {}, &open);
}

#[test]
fn malformed_opens_get_the_subcode_that_names_the_fault() {
    let good = octets(|out| their_open().write(out));
    let cases: [(usize, &[u8], ErrorCode); 4] = [
        (19, &[3], ErrorCode::UNSUPPORTED_VERSION),
        (22, &[0, 2], ErrorCode::UNACCEPTABLE_HOLD_TIME),
        (24, &[0, 0, 0, 0], ErrorCode::BAD_BGP_IDENTIFIER),
        (28, &[200], ErrorCode::OPEN),
    ];
    for (at, octets, error) in cases {
        let mut bench = Bench::new(|_| {});
        let id = bench.dial_through();
        bench.said(id);
        let mut bad = good.clone();
        bad[at..at + octets.len()].copy_from_slice(octets);
        bench.receive(id, &bad);
        assert_eq!(bench.last_word(id).unwrap().error, error);
        assert_eq!(bench.state(), State::Idle);
    }
}

#[test]
fn a_damaged_header_ends_the_connection_in_every_state() {
    let lengths = message(4, &[0]);
    let kinds = message(9, &[]);
    let cases = [
        (vec![0; 19], ErrorCode::NOT_SYNCHRONIZED, vec![]),
        (lengths, ErrorCode::BAD_MESSAGE_LENGTH, vec![0, 20]),
        (kinds, ErrorCode::BAD_MESSAGE_TYPE, vec![9]),
    ];
    for (octets, error, data) in cases {
        for steps in 0..3 {
            let mut bench = Bench::new(|_| {});
            let id = bench.dial_through();
            if steps > 0 {
                bench.receive_open(id, &their_open());
            }
            if steps > 1 {
                bench.receive(id, &keepalive());
            }
            bench.said(id);
            bench.receive(id, &octets);
            let said = bench.last_word(id).unwrap();
            assert_eq!((said.error, said.data), (error, data.clone()));
        }
    }
}

#[test]
fn messages_out_of_turn_get_the_subcode_of_the_state() {
    let unexpected = |steps: usize, octets: &[u8]| {
        let mut bench = Bench::new(|_| {});
        let id = bench.dial_through();
        if steps > 0 {
            bench.receive_open(id, &their_open());
        }
        if steps > 1 {
            bench.receive(id, &keepalive());
        }
        bench.said(id);
        bench.receive(id, octets);
        assert!(failure(&bench).words.contains("when it must not"));
        let said = bench.last_word(id).unwrap();
        (said.error, said.data)
    };
    let open = octets(|out| their_open().write(out));
    let update = end_of_rib(Family::Ipv4Unicast);
    let refresh = refresh(Family::Ipv4Unicast);
    let in_sent = ErrorCode::UNEXPECTED_IN_OPEN_SENT;
    assert_eq!(unexpected(0, &keepalive()), (in_sent, vec![4]));
    assert_eq!(unexpected(0, &update), (in_sent, vec![2]));
    assert_eq!(unexpected(0, &refresh), (in_sent, vec![5]));
    let in_confirm = ErrorCode::UNEXPECTED_IN_OPEN_CONFIRM;
    assert_eq!(unexpected(1, &open), (in_confirm, vec![1]));
    assert_eq!(unexpected(1, &update), (in_confirm, vec![2]));
    assert_eq!(unexpected(1, &refresh), (in_confirm, vec![5]));
    let in_established = ErrorCode::UNEXPECTED_IN_ESTABLISHED;
    assert_eq!(unexpected(2, &open), (in_established, vec![1]));
}

#[test]
fn a_notification_of_the_peer_ends_the_session_and_is_shown_with_code_and_rfc() {
    let (mut bench, id) = up();
    let words = Notification::new(ErrorCode::ADMINISTRATIVE_SHUTDOWN).with_communication("moving");
    bench.receive(id, &octets(|out| words.write(out)));
    assert_eq!(bench.last_word(id), None, "a NOTIFICATION is not answered");
    let close = Output::Close {
        connection: id,
        after_flush: false,
    };
    assert!(bench.has(|it| *it == close));
    let failure = failure(&bench);
    assert_eq!(failure.by, FailedBy::Peer);
    assert_eq!(
        failure.notification.as_ref().unwrap().to_string(),
        "cease: administrative shutdown (6/2, RFC 4486): \"moving\""
    );
}

#[test]
fn the_words_of_a_peers_operator_are_shown_also_inside_a_hard_reset() {
    let shutdown =
        Notification::new(ErrorCode::ADMINISTRATIVE_SHUTDOWN).with_communication("new cables");
    let inside = [&[6, 2][..], &shutdown.data[..]].concat();
    let wrapped = Notification::with_data(ErrorCode::HARD_RESET, &inside);
    for heard in [shutdown, wrapped] {
        let (mut bench, id) = up();
        bench.receive(id, &octets(|out| heard.write(out)));
        assert_eq!(
            failure(&bench).words,
            "the peer's operator took the session down: \"new cables\""
        );
    }
}

#[test]
fn why_the_peer_ended_the_session_is_still_shown_while_it_hangs_up_on_every_attempt() {
    let (mut bench, id) = up();
    bench.receive(id, &notification(ErrorCode::ADMINISTRATIVE_SHUTDOWN));
    let said = failure(&bench).clone();
    bench.wait(secs(60));
    let attempt = bench.connect();
    bench.closed(attempt);
    assert_eq!(*failure(&bench), said);
}

#[test]
fn a_shutdown_communication_of_odd_octets_is_borne() {
    for data in [&[][..], &[255, 65], &[3, 0xff, 0xfe, 65], &[1, 10]] {
        let (mut bench, id) = up();
        let odd = Notification::with_data(ErrorCode::ADMINISTRATIVE_SHUTDOWN, data);
        bench.receive(id, &octets(|out| odd.write(out)));
        assert!(failure(&bench).notification.is_some());
    }
}

#[test]
fn an_administrative_shutdown_carries_the_operators_words_cut_to_255_octets() {
    let mut bench = Bench::new(|_| {});
    let id = bench.establish(&plain_open());
    bench.input(Input::Stop(Stop::Shutdown("ü".repeat(200))));
    let said = bench.last_word(id).unwrap();
    assert_eq!(said.error, ErrorCode::ADMINISTRATIVE_SHUTDOWN);
    assert_eq!(said.communication().unwrap(), "ü".repeat(127));
}

#[test]
fn more_prefixes_than_allowed_end_the_session_with_family_and_limit() {
    let (mut bench, id) = up_with(|it| it.prefix_limit = Some(1), &their_open());
    bench.receive(id, &update(&attributes(THEIRS)));
    assert_eq!(bench.state(), State::Established);
    let mut second = update(&attributes(THEIRS));
    *second.last_mut().unwrap() = 101;
    bench.receive(id, &second);
    let said = bench.last_word(id).unwrap();
    assert_eq!(said.error, ErrorCode::MAXIMUM_PREFIXES);
    assert_eq!(said.data, [0, 1, 1, 0, 0, 0, 1]);
    let Some(Waiting::Pause(at)) = bench.peer.waiting() else {
        panic!("{:?}", bench.peer.waiting());
    };
    assert!(at - bench.now >= secs(90), "it is not tried again soon");
}

#[test]
fn faults_that_cost_routes_keep_the_session_and_are_reported_in_words() {
    let (mut bench, id) = up();
    let bad_origin = [&[0x40, 1, 1, 9][..], &attributes(THEIRS)[4..]].concat();
    bench.receive(id, &update(&bad_origin));
    assert_eq!(bench.state(), State::Established);
    assert_eq!(bench.peer.counters().treated_as_withdraw, 1);
    let words = |it: &Output| match it {
        Output::Event(Event::UpdateFaults {
            treated_as_withdraw: 1,
            words,
            ..
        }) => words.contains("ORIGIN") && words.contains("treated as withdrawn"),
        _ => false,
    };
    assert!(bench.has(words), "{:?}", bench.outputs);
}

#[test]
fn a_peer_that_repeats_a_fault_cannot_fill_a_log() {
    let (mut bench, id) = up();
    let bad_origin = [&[0x40, 1, 1, 9][..], &attributes(THEIRS)[4..]].concat();
    let told = |bench: &mut Bench| -> Vec<u64> {
        let count = |it| match it {
            Output::Event(Event::UpdateFaults {
                treated_as_withdraw,
                ..
            }) => Some(treated_as_withdraw),
            _ => None,
        };
        bench.take().into_iter().filter_map(count).collect()
    };
    for _ in 0..100 {
        bench.receive(id, &update(&bad_origin));
    }
    assert_eq!(told(&mut bench), [1]);
    assert_eq!(bench.peer.counters().treated_as_withdraw, 100);
    bench.wait(secs(10));
    bench.receive(id, &update(&bad_origin));
    assert_eq!(told(&mut bench), [100]);
}

#[test]
fn attributes_that_are_passed_over_keep_routes_and_session() {
    let (mut bench, id) = up();
    let aggregate = [&attributes(THEIRS)[..], &[0x40, 6, 1, 7]].concat();
    bench.receive(id, &update(&aggregate));
    assert_eq!(bench.state(), State::Established);
    assert_eq!(bench.peer.counters().attribute_discarded, 1);
    assert_eq!(bench.peer.received().counts().ipv4.announced, 1);
}

#[test]
fn a_path_that_does_not_begin_with_the_peers_as_is_withdrawn_if_that_is_enforced() {
    let foreign = update(&attributes(Asn(65_001)));
    let (mut bench, id) = up();
    bench.receive(id, &foreign);
    assert_eq!(bench.peer.counters().treated_as_withdraw, 1);
    let (mut bench, id) = up_with(|it| it.enforce_first_as = false, &their_open());
    bench.receive(id, &foreign);
    assert_eq!(bench.peer.counters().treated_as_withdraw, 0);
    assert_eq!(bench.state(), State::Established);
}

#[test]
fn thousands_of_faults_in_one_read_make_one_report() {
    let (mut bench, id) = up();
    let bad = update(&[0x40, 1, 1, 9]);
    bench.receive(id, &bad.repeat(1_000));
    let reports = bench.take().len();
    assert_eq!(
        (reports, bench.peer.counters().treated_as_withdraw),
        (1, 1_000)
    );
}

#[test]
fn an_update_that_cannot_be_taken_apart_ends_the_session() {
    let (mut bench, id) = up();
    bench.receive(id, &message(2, &[0xff, 0xff, 0, 0]));
    let said = bench.last_word(id).unwrap();
    assert_eq!(said.error, ErrorCode::MALFORMED_ATTRIBUTE_LIST);
}

#[test]
fn nothing_after_the_fault_is_heeded() {
    let (mut bench, id) = up();
    let both = [message(9, &[]), notification(ErrorCode::CEASE)].concat();
    bench.receive(id, &both);
    bench.receive(id, &keepalive());
    assert_eq!(failure(&bench).by, FailedBy::Us);
    assert!(matches!(bench.said(id)[..], [Said::Notification(_)]));
}

#[test]
fn a_peer_that_knows_no_capabilities_gets_an_open_without() {
    let mut bench = Bench::new(|_| {});
    let id = bench.dial_through();
    bench.said(id);
    bench.receive(id, &notification(ErrorCode::UNSUPPORTED_OPTIONAL_PARAMETER));
    bench.wait(secs(1));
    let id = bench.dial_through();
    let Said::Open(open) = bench.said(id).remove(0) else {
        panic!("no OPEN");
    };
    assert_eq!(open.capabilities, []);
    let old = Open::new(THEIRS, 90, super::bench::id("10.0.0.9"), Vec::new());
    bench.receive_open(id, &old);
    bench.receive(id, &keepalive());
    let agreed = bench.peer.negotiated().unwrap();
    assert!(!agreed.four_octet_as && !agreed.families.contains(Family::Ipv6Unicast));
}

#[test]
fn a_plain_open_that_fails_too_is_followed_by_one_with_capabilities() {
    let mut bench = Bench::new(|_| {});
    for is_plain in [false, true, false, true] {
        let id = bench.dial_through();
        let Said::Open(open) = bench.said(id).remove(0) else {
            panic!("no OPEN");
        };
        assert_eq!(open.capabilities.is_empty(), is_plain);
        bench.receive(id, &notification(ErrorCode::UNSUPPORTED_OPTIONAL_PARAMETER));
        bench.wait(secs(8));
    }
}

#[test]
fn a_peer_that_misses_a_capability_is_not_bothered_again_soon() {
    let mut bench = Bench::new(|_| {});
    let id = bench.dial_through();
    bench.receive(id, &notification(ErrorCode::UNSUPPORTED_CAPABILITY));
    let Some(Waiting::Pause(at)) = bench.peer.waiting() else {
        panic!("{:?}", bench.peer.waiting());
    };
    assert!(at - bench.now >= secs(90));
    assert!(
        failure(&bench)
            .words
            .contains("same families on both sides")
    );
}

#[test]
fn a_connection_that_closes_before_any_word_says_what_to_check() {
    let mut bench = Bench::new(|_| {});
    let id = bench.dial_through();
    bench.closed(id);
    assert_eq!(failure(&bench).by, FailedBy::Transport);
    assert!(
        failure(&bench)
            .words
            .contains("this speaker's address and AS configured")
    );
    assert_eq!(bench.state(), State::Active);
}

#[test]
fn refused_segments_of_a_wrong_password_are_reported() {
    let mut bench = Bench::new(|_| {});
    bench.input(Input::AuthenticationFailed { segments: 16 });
    let report = Output::Event(Event::AuthenticationFailed { segments: 16 });
    assert!(bench.has(|it| *it == report));
}

#[test]
fn messages_are_counted_by_type_and_direction() {
    let (mut bench, id) = up();
    bench.receive(id, &[keepalive(), end_of_rib(Family::Ipv4Unicast)].concat());
    bench.receive(id, &refresh(Family::Ipv4Unicast));
    bench.receive(id, &notification(ErrorCode::CEASE));
    let counters = bench.peer.counters();
    let (received, sent) = (counters.received, counters.sent);
    assert_eq!(
        (received.open, received.update, received.keepalive),
        (1, 1, 2)
    );
    assert_eq!((received.route_refresh, received.notification), (1, 1));
    assert_eq!((sent.open, sent.keepalive, sent.total()), (1, 1, 2));
}

#[test]
fn words_about_connections_that_are_gone_are_ignored() {
    let (mut bench, id) = up();
    bench.closed(id);
    bench.take();
    let before = bench.peer.counters().received;
    for connection in [id, ConnectionId(99)] {
        bench.receive(connection, &keepalive());
        bench.closed(connection);
        bench.input(Input::Sent {
            connection,
            octets: 5,
        });
        let why = String::new();
        bench.input(Input::OpenFailed { connection, why });
        assert_eq!(bench.said(connection), []);
    }
    assert_eq!(bench.take(), []);
    assert_eq!(bench.peer.counters().received, before);
}
