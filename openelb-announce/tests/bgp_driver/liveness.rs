//! BFD ends BGP sessions whose path is gone, long before the hold time would.

use openelb_announce::bfd::State;
use openelb_announce::bgp::config::{Liveness, Peer};

use crate::lab::with_lab;
use crate::node::{Node, config, peer};
use crate::router::{Feature, Kind, Neighbor, Router};
use crate::sessions::{described, other};
use crate::world::{Host, with_hosts};

#[test]
fn a_frozen_frr_is_given_up_by_bfd_and_comes_back() {
    with_lab(&[Kind::Frr], |_, [ours, theirs]: [Host; 2]| {
        let neighbor = Neighbor::new(64512, "192.0.2.1").with(Feature::Bfd);
        let frr = Router::start(Kind::Frr, &theirs, described(&theirs).neighbor(neighbor));
        let node = Node::start(&ours, config(&ours, [watched("frr", "192.0.2.2", false)]));
        node.wait_established("frr");
        node.wait("BFD is up", |node| {
            node.status()
                .bfd
                .iter()
                .any(|session| session.state == State::Up)
        });
        frr.freeze();
        // The hold time is 90 s, more than the patience of this test.
        node.wait("the session is given up", |node| {
            !node.is_established("frr")
        });
        node.wait_event("BFD");
        frr.thaw();
        node.wait_established("frr");
    });
}

#[test]
fn a_strict_peer_comes_up_only_after_bfd() {
    with_hosts(|_, [one, two]: [Host; 2]| {
        let near = Node::start(&one, config(&one, [watched("two", "2001:db8::2", true)]));
        let far = Node::start(&two, other(&two, [peer("one", "2001:db8::1")]));
        near.wait("it is looked for by BFD", |node| {
            node.status().bfd.len() == 1
        });
        far.wait_event("peer one");
        assert!(!near.is_established("two"));
        far.configure(other(&two, [watched("one", "2001:db8::1", true)]));
        near.wait_established("two");
        far.wait_established("one");
    });
}

#[test]
fn a_speaker_that_stops_is_not_taken_for_a_failure_of_the_path() {
    with_hosts(|_, [one, two]: [Host; 2]| {
        let near = Node::start(&one, config(&one, [watched("two", "192.0.2.2", false)]));
        let far = Node::start(&two, other(&two, [watched("one", "192.0.2.1", false)]));
        near.wait("BFD is up", |node| {
            node.status()
                .bfd
                .iter()
                .any(|session| session.state == State::Up)
        });
        near.wait_established("two");
        far.wait_established("one");
        near.speaker
            .stop(openelb_announce::bgp::peer::Stop::Upgrade);
        far.wait("the session is down", |node| !node.is_established("one"));
        let words = far.peer("one").last_error.unwrap().words;
        assert!(!words.contains("BFD"), "{words}");
    });
}

fn watched(name: &str, address: &str, strict: bool) -> Peer {
    let mut peer = peer(name, address);
    peer.settings.liveness = Some(Liveness { strict });
    peer
}
