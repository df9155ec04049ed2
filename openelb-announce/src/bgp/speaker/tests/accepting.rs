//! Connections that others make to us.

use super::{Bench, NotAccepted, config, group, open, plain, set, unnumbered};
use crate::bgp::peer::State;
use crate::bgp::speaker::Output;

#[test]
fn a_connection_belongs_to_the_peer_with_its_address_before_any_range() {
    let mut with_both = config([plain("leaf1", "192.0.2.9")]);
    with_both.dynamic = vec![group("192.0.2.0/24", 4)];
    let mut bench = Bench::with(with_both);
    let named = bench.accept("192.0.2.9", None).unwrap();
    assert_eq!(named.neighbor.name.as_str(), "leaf1");
    let member = bench.accept("192.0.2.10", None).unwrap();
    assert_eq!(member.neighbor.name.as_str(), "servers/192.0.2.10");
    assert!(member.neighbor.settings.passive);
    // The kernel shows IPv4 that came to an IPv6 socket so.
    let mapped = bench.accept("::ffff:192.0.2.9", None).unwrap();
    assert_eq!(mapped.neighbor.name.as_str(), "leaf1");
}

#[test]
fn a_link_local_address_means_something_on_its_interface_only() {
    let mut bench = Bench::with(config([
        unnumbered("leaf1", "swp1"),
        unnumbered("leaf2", "swp2"),
    ]));
    let accepted = bench.accept("fe80::9", Some("swp2")).unwrap();
    assert_eq!(accepted.neighbor.name.as_str(), "leaf2");
    assert_eq!(
        bench.accept("fe80::9", Some("swp3")),
        Err(NotAccepted::UnknownPeer)
    );
    assert_eq!(
        bench.accept("2001:db8::9", Some("swp1")),
        Err(NotAccepted::UnknownPeer)
    );
}

#[test]
fn a_stranger_is_refused_and_named_once_in_ten_seconds_with_what_to_do() {
    let mut bench = Bench::with(config([plain("leaf1", "192.0.2.9")]));
    bench.take();
    for _ in 0..100 {
        assert_eq!(
            bench.accept("198.51.100.1", None),
            Err(NotAccepted::UnknownPeer)
        );
    }
    assert_eq!(
        bench.events(),
        [
            "connection from 198.51.100.1:40000 refused: no peer has this address; add a peer or a \
          dynamic range if it is one of yours"
        ]
    );
    bench.run(11);
    bench.take();
    bench.accept("198.51.100.1", None).unwrap_err();
    let events = bench.events();
    assert!(
        events[0].ends_with("(99 more refused since the last such line)"),
        "{events:?}"
    );
}

#[test]
fn a_group_takes_as_many_as_its_limit_says_and_another_one_when_one_is_gone() {
    let mut limited = config([]);
    limited.dynamic = vec![group("2001:db8::/64", 2)];
    let mut bench = Bench::with(limited);
    let first = bench.accept("2001:db8::1", None).unwrap();
    bench.accept("2001:db8::2", None).unwrap();
    let full = bench.accept("2001:db8::3", None).unwrap_err();
    assert_eq!(
        full.to_string(),
        "dynamic neighbors servers are at their limit of 2; raise it if that is too low"
    );
    bench.establish(first.connection, &open(9));
    assert_eq!(bench.states(), [State::Established, State::OpenSent]);
    bench.close(first.connection);
    assert_eq!(bench.status().len(), 1);
    bench.accept("2001:db8::3", None).unwrap();
}

#[test]
fn a_group_that_is_down_takes_nobody() {
    let mut down = config([]);
    let mut servers = group("192.0.2.0/24", 2);
    servers.settings = set(|settings| settings.admin_down = Some("maintenance".into()));
    down.dynamic = vec![servers];
    let mut bench = Bench::with(down);
    let refused = bench.accept("192.0.2.1", None).unwrap_err();
    assert_eq!(refused, NotAccepted::GroupDown("servers".into()));
}

#[test]
fn nobody_is_accepted_before_a_configuration_and_after_the_end() {
    let mut bench = Bench::new();
    assert_eq!(
        bench.accept("192.0.2.9", None),
        Err(NotAccepted::UnknownPeer)
    );
    bench.configure(config([plain("leaf1", "192.0.2.9")]));
    bench
        .speaker
        .stop(&crate::bgp::peer::Stop::Removal, bench.now);
    assert_eq!(bench.accept("192.0.2.9", None), Err(NotAccepted::Stopped));
}

#[test]
fn a_connection_that_the_peer_may_not_make_now_is_closed_again() {
    let down = set(|settings| settings.admin_down = Some("maintenance".into()));
    let mut bench = Bench::with(config([super::peer("leaf1", super::ip("192.0.2.9"), down)]));
    let accepted = bench.accept("192.0.2.9", None).unwrap();
    let closes = |output: &Output| matches!(output, Output::Close { connection, .. } if *connection == accepted.connection);
    assert!(bench.take().iter().any(closes));
    bench.close(accepted.connection);
    assert_eq!(bench.speaker.connections(), 0);
}
