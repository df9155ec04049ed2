//! What users see.

use super::{Bench, Event, Input, Output, config, ip, open, peer, plain, route, set};
use crate::bgp::config::Password;
use crate::bgp::family::Family;
use crate::bgp::peer::State;
use crate::bgp::rib::SentState;
use crate::bgp::route::PeerSelection;
use crate::bgp::session::ConnectionId;
use crate::bgp::status::EndedBy;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The dials that are under way.
fn dials(bench: &mut Bench) -> BTreeMap<IpAddr, ConnectionId> {
    let dial = |output| match output {
        Output::Connect { connection, target } => Some((target.address, connection)),
        _ => None,
    };
    bench.take().into_iter().filter_map(dial).collect()
}

#[test]
fn a_session_that_is_up_shows_what_was_agreed_on_and_what_was_sent() {
    let mut bench = Bench::with(config([plain("leaf1", "192.0.2.9")]));
    let routes = vec![route("198.51.100.1/32"), route("2001:db8:1::1/128")];
    bench.speaker.announce(routes, bench.now);
    bench.speaker.synced(bench.now);
    let (connection, _) = bench.dial().unwrap();
    bench.open(connection, "192.0.2.9", &open(9));
    bench.run(5);
    let status = &bench.status()[0];
    let session = status.session.as_ref().unwrap();
    assert_eq!(session.uptime.as_secs(), 5);
    assert_eq!((session.peer_as.0, session.peer_id.number()), (64_513, 9));
    assert!(session.is_complete && !session.incoming);
    assert!(
        session
            .negotiated
            .starts_with("ipv4-unicast, ipv6-unicast; hold 90 s; 4-octet AS")
    );
    for (_, family) in status.families.iter() {
        assert_eq!(
            (family.advertised, family.pending, family.refused),
            (1, 0, 0)
        );
    }
    assert_eq!(
        (status.counters.sent.open, status.counters.received.open),
        (1, 1)
    );
    // Two with routes and two End-of-RIB.
    assert_eq!(status.counters.sent.update, 4);
    assert_eq!(status.flaps, 0);
}

#[test]
fn the_routes_of_a_peer_say_where_each_of_them_stands() {
    let mut bench = Bench::with(config([plain("leaf1", "192.0.2.9")]));
    let mut other = route("198.51.100.2/32");
    other.peers = PeerSelection::from_iter(["leaf2"]);
    bench
        .speaker
        .announce(vec![route("198.51.100.1/32"), other], bench.now);
    let (connection, _) = bench.dial().unwrap();
    let name = "leaf1".into();
    assert_eq!(bench.speaker.routes(&name).unwrap().count(), 0);
    bench.open(connection, "192.0.2.9", &open(9));
    bench
        .speaker
        .change(vec![route("2001:db8:1::1/128")], &[], bench.now);
    let routes: Vec<_> = bench.speaker.routes(&name).unwrap().collect();
    let states: Vec<_> = routes
        .iter()
        .map(|sent| (sent.nlri.prefix.family(), sent.state.clone()))
        .collect();
    let wanted = [
        (Family::Ipv4Unicast, SentState::Advertised),
        (Family::Ipv6Unicast, SentState::Pending),
    ];
    assert_eq!(states, wanted);
    assert!(bench.speaker.routes(&"nobody".into()).is_none());
}

#[test]
fn a_peer_in_the_wrong_as_is_named_with_what_to_check() {
    let mut bench = Bench::with(config([peer(
        "leaf1",
        ip("192.0.2.9"),
        set(|settings| settings.remote_as = crate::bgp::config::RemoteAs::Exactly(65_001.into())),
    )]));
    let (connection, _) = bench.dial().unwrap();
    bench.open(connection, "192.0.2.9", &open(9));
    let status = &bench.status()[0];
    let error = status.last_error.as_ref().unwrap();
    assert_eq!((error.code, error.by), (Some((2, 2)), EndedBy::Us));
    assert!(
        error.words.contains("64513") && error.words.contains("65001"),
        "{}",
        error.words
    );
    assert!(status.retry_in.is_some());
    let events = bench.events();
    assert!(
        events
            .iter()
            .any(|event| event.starts_with("peer leaf1: ") && event.contains("64513"))
    );
}

#[test]
fn two_peers_that_are_one_router_are_both_named() {
    let mut bench = Bench::with(config([
        plain("leaf1", "192.0.2.9"),
        plain("leaf2", "192.0.2.10"),
    ]));
    let dials = dials(&mut bench);
    bench.open(dials[&ip("192.0.2.9")], "192.0.2.9", &open(9));
    bench.open(dials[&ip("192.0.2.10")], "192.0.2.10", &open(9));
    let twin = |output: &Output| match output {
        Output::Event(event @ Event::DuplicateRouterId { .. }) => Some(event.to_string()),
        _ => None,
    };
    let found: Vec<_> = bench.take().iter().filter_map(twin).collect();
    assert_eq!(
        found,
        [
            "peers leaf2 and leaf1 both call themselves 0.0.0.9; give each router an identifier of its \
          own, or remove one of the peers"
        ]
    );
}

#[test]
fn one_router_with_a_session_over_each_family_or_for_the_routes_of_each_is_no_fault() {
    let only = |family: Family| {
        set(move |settings| {
            let families = &mut settings.families;
            families.ipv4.enabled = family == Family::Ipv4Unicast;
            families.ipv6.enabled = family == Family::Ipv6Unicast;
        })
    };
    let pairs = [
        [plain("tor-v4", "192.0.2.9"), plain("tor-v6", "2001:db8::9")],
        [
            peer("tor-v4", ip("192.0.2.9"), only(Family::Ipv4Unicast)),
            peer("tor-v6", ip("192.0.2.10"), only(Family::Ipv6Unicast)),
        ],
    ];
    for pair in pairs {
        let mut bench = Bench::with(config(pair));
        for (address, connection) in dials(&mut bench) {
            bench.open(connection, &address.to_string(), &open(9));
        }
        let mut events = bench.take().into_iter();
        let is_twin =
            |output: Output| matches!(output, Output::Event(Event::DuplicateRouterId { .. }));
        assert!(!events.any(is_twin));
        let are_up = bench
            .status()
            .iter()
            .all(|it| it.state == State::Established);
        assert!(are_up);
    }
}

#[test]
fn dropped_segments_make_a_probable_wrong_password_visible_where_there_is_one() {
    let keyed = set(|settings| settings.password = Password::new("geheim").ok());
    let all = [
        peer("leaf1", ip("192.0.2.9"), keyed),
        plain("leaf2", "192.0.2.10"),
    ];
    let mut bench = Bench::with(config(all));
    bench.input(Input::AuthenticationFailed { segments: 3 });
    bench.input(Input::AuthenticationFailed { segments: 2 });
    let status = bench.status();
    assert_eq!(
        status[0].hint.as_deref(),
        Some(
            "the kernel dropped 5 segments for their TCP-MD5 option: compare the passwords of both sides"
        )
    );
    assert_eq!(status[1].hint, None);
    // Once the session is up, the hint would only mislead.
    let connection = dials(&mut bench)[&ip("192.0.2.9")];
    bench.open(connection, "192.0.2.9", &open(9));
    assert_eq!(bench.status()[0].hint, None);
}

#[test]
fn a_peer_that_uses_a_key_which_nobody_has_here_is_suspected_too() {
    let mut bench = Bench::with(config([plain("leaf1", "192.0.2.9")]));
    bench.input(Input::AuthenticationFailed { segments: 1 });
    let hint = bench.status()[0].hint.clone().unwrap();
    assert!(
        hint.ends_with("the peer may use a password, and none is set here"),
        "{hint}"
    );
}

#[test]
fn a_session_that_ended_counts_as_a_flap_and_says_who_ended_it() {
    let mut bench = Bench::with(config([plain("leaf1", "192.0.2.9")]));
    let (connection, _) = bench.dial().unwrap();
    bench.open(connection, "192.0.2.9", &open(9));
    bench.close(connection);
    let status = &bench.status()[0];
    assert_ne!(status.state, State::Established);
    assert_eq!(status.flaps, 1);
    assert_eq!(
        status.last_error.as_ref().map(|error| error.by),
        Some(EndedBy::Transport)
    );
    assert!(status.session.is_none());
}

#[test]
fn a_status_holds_no_password() {
    let keyed = set(|settings| settings.password = Password::new("geheim").ok());
    let bench = Bench::with(config([peer("leaf1", ip("192.0.2.9"), keyed)]));
    assert!(!format!("{:?}{:?}", bench.status(), bench.outputs).contains("geheim"));
}
