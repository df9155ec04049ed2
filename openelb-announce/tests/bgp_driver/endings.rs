//! Sessions end in a way that the other side understands, also when it does not listen.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use openelb_announce::bgp::Prefix;
use openelb_announce::bgp::peer::Stop;
use openelb_announce::bgp::route::Route;

use crate::lab::with_lab;
use crate::node::{Node, config, peer};
use crate::router::{Kind, Neighbor, Router};
use crate::sessions::described;
use crate::world::{Host, with_hosts};

#[test]
fn the_last_message_arrives_before_the_connection_ends() {
    with_lab(&[Kind::Frr], |_, [ours, theirs]: [Host; 2]| {
        let neighbor = Neighbor::new(64512, "192.0.2.1");
        let frr = Router::start(Kind::Frr, &theirs, described(&theirs).neighbor(neighbor));
        let node = Node::start(&ours, config(&ours, [peer("frr", "192.0.2.2")]));
        node.wait_established("frr");
        frr.wait_established("192.0.2.1");
        node.speaker.stop(Stop::Shutdown("back at noon".to_owned()));
        frr.wait("the notification was read", |frr| {
            frr.session("192.0.2.1")
                .is_some_and(|session| session.words.contains("back at noon"))
        });
    });
}

#[test]
fn a_removed_peer_is_told_so() {
    with_lab(&[Kind::Frr], |_, [ours, theirs]: [Host; 2]| {
        let neighbor = Neighbor::new(64512, "2001:db8::1");
        let frr = Router::start(Kind::Frr, &theirs, described(&theirs).neighbor(neighbor));
        let node = Node::start(&ours, config(&ours, [peer("frr", "2001:db8::2")]));
        frr.wait_established("2001:db8::1");
        node.configure(config(&ours, []));
        frr.wait("the notification was read", |frr| {
            let session = frr.session("2001:db8::1");
            session.is_some_and(|session| session.words.contains("Cease/Peer De-configured"))
        });
    });
}

#[test]
fn an_upgrade_ends_without_a_word_unless_that_was_agreed_on() {
    with_lab(&[Kind::Frr], |_, [ours, theirs]: [Host; 2]| {
        let neighbor = Neighbor::new(64512, "192.0.2.1");
        let frr = Router::start(Kind::Frr, &theirs, described(&theirs).neighbor(neighbor));
        let mut of_frr = peer("frr", "192.0.2.2");
        of_frr.settings.graceful_restart = None;
        let node = Node::start(&ours, config(&ours, [of_frr]));
        frr.wait_established("192.0.2.1");
        node.speaker.stop(Stop::Upgrade);
        frr.wait("the session is down", |frr| {
            !frr.is_established("192.0.2.1")
        });
        let words = frr.session("192.0.2.1").unwrap().words;
        assert!(words.contains("Peer closed the session"), "{words}");
    });
}

#[test]
fn a_frozen_peer_is_given_up_and_hears_only_the_latest_state_when_it_is_back() {
    with_lab(&[Kind::Frr], |_, [ours, theirs]: [Host; 2]| {
        let neighbor = Neighbor::new(64512, "192.0.2.1").hold_time(9);
        let frr = Router::start(Kind::Frr, &theirs, described(&theirs).neighbor(neighbor));
        let node = Node::start(&ours, config(&ours, [peer("frr", "192.0.2.2")]));
        node.announce(&[]);
        node.wait_established("frr");
        frr.freeze();
        // Far more than the buffers between the two hold while nobody reads.
        node.speaker.announce(many_routes()).unwrap();
        node.wait("the session is given up", |node| {
            !node.is_established("frr")
        });
        node.announce(&["203.0.113.7/32"]);
        frr.thaw();
        node.wait_established("frr");
        frr.wait("only the latest state is heard", |frr| {
            frr.table().len() == 1
        });
    });
}

#[test]
fn a_peer_that_talks_but_does_not_read_is_given_up() {
    with_hosts(|_, [ours, theirs]: [Host; 2]| {
        let listener = theirs.run(|| TcpListener::bind("192.0.2.2:179").unwrap());
        let mut of_them = peer("deaf", "192.0.2.2");
        of_them.settings.timers.hold = Some(Duration::from_secs(3));
        of_them.settings.timers.send_hold = Some(Duration::from_secs(6));
        let node = Node::start(&ours, config(&ours, [of_them]));
        node.speaker.announce(many_routes()).unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        drop(listener);
        // AS 64513, a hold time of 3 s, identifier 10.0.0.2, no capabilities: IPv4 alone.
        stream
            .write_all(&message(1, &[4, 0xfc, 0x01, 0, 3, 10, 0, 0, 2, 0]))
            .unwrap();
        stream.write_all(&message(4, &[])).unwrap();
        node.wait_established("deaf");
        node.wait("the session is given up", |node| {
            let _ = stream.write_all(&message(4, &[]));
            node.peer("deaf").flaps == 1
        });
    });
}

fn many_routes() -> Vec<Route> {
    let route = |number| Route::to(Prefix::host(Ipv4Addr::from(0x0a00_0000 + number).into()));
    (0..300_000_u32).map(route).collect()
}

/// A BGP message (RFC 4271 section 4.1).
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(19 + body.len()).unwrap();
    [&[0xff; 16][..], &length.to_be_bytes(), &[kind], body].concat()
}
