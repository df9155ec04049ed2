//! Sessions end in a way that the other side understands, also when it does not listen.

use openelb_announce::bgp::peer::Stop;

use crate::lab::with_lab;
use crate::node::{Node, config, peer};
use crate::router::{Kind, Neighbor, Router};
use crate::sessions::described;
use crate::world::Host;

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
