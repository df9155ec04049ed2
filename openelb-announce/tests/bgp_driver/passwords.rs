//! TCP-MD5 (RFC 2385): right, wrong, missing and changed passwords, of hosts and of ranges.

use openelb_announce::bgp::config::{Dynamic, Password, Peer};

use crate::lab::with_lab;
use crate::node::{Node, config, peer, settings};
use crate::router::{Kind, Neighbor, Router};
use crate::sessions::{described, other};
use crate::world::{Host, with_hosts};

#[test]
fn a_session_with_frr_is_signed_whoever_dials() {
    with_lab(&[Kind::Frr], |_, [ours, theirs]: [Host; 2]| {
        for (near, far) in [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")] {
            for is_passive in [true, false] {
                let neighbor = Neighbor::new(64512, near).password("secret");
                let frr = Router::start(Kind::Frr, &theirs, described(&theirs).neighbor(neighbor));
                let mut peer = with_password(peer("frr", far), "secret");
                peer.settings.passive = is_passive;
                let node = Node::start(&ours, config(&ours, [peer]));
                node.wait_established("frr");
                frr.wait_established(near);
            }
        }
    });
}

#[test]
fn a_wrong_password_is_named_in_the_status_and_a_change_heals_without_touching_others() {
    with_hosts(|_, [one, two, three]: [Host; 3]| {
        let near = |password| {
            let peers = [
                with_password(peer("two", "192.0.2.2"), password),
                peer("three", "192.0.2.3"),
            ];
            config(&one, peers)
        };
        let node = Node::start(&one, near("wrong"));
        let _two = Node::start(
            &two,
            other(&two, [with_password(peer("one", "192.0.2.1"), "right")]),
        );
        let _three = Node::start(&three, other(&three, [peer("one", "192.0.2.1")]));
        node.wait_established("three");
        node.wait("the status hints at the password", |node| {
            node.peer("two")
                .hint
                .is_some_and(|hint| hint.contains("MD5"))
        });
        assert!(!node.is_established("two"));
        node.configure(near("right"));
        node.wait_established("two");
        assert_eq!(node.peer("three").flaps, 0);
    });
}

#[test]
fn a_peer_without_our_password_does_not_come_up_and_shows_why() {
    with_hosts(|_, [one, two]: [Host; 2]| {
        let node = Node::start(
            &one,
            config(&one, [with_password(peer("two", "2001:db8::2"), "secret")]),
        );
        let far = Node::start(&two, other(&two, [peer("one", "2001:db8::1")]));
        for (node, name) in [(&node, "two"), (&far, "one")] {
            node.wait("the status hints at the password", |node| {
                node.peer(name)
                    .hint
                    .is_some_and(|hint| hint.contains("MD5"))
            });
            assert!(!node.is_established(name));
        }
    });
}

#[test]
fn a_range_has_one_password_and_a_peer_in_it_may_have_its_own() {
    with_hosts(|_, [center, one, two, three]: [Host; 4]| {
        let mut own = with_password(peer("one", "192.0.2.2"), "own");
        own.settings.passive = true;
        let mut open = config(&center, [own]);
        let mut group = settings();
        group.password = Some(Password::new("shared").unwrap());
        open.dynamic = vec![Dynamic {
            name: "racks".into(),
            ranges: vec!["192.0.2.0/24".parse().unwrap()],
            limit: 10,
            settings: group,
        }];
        let center = Node::start(&center, open);
        let dialling = |host: &Host, password: &str| {
            let peer = with_password(peer("center", "192.0.2.1"), password);
            Node::start(host, other(host, [peer]))
        };
        let _one = dialling(&one, "own");
        let two = dialling(&two, "shared");
        let three = dialling(&three, "own");
        center.wait_established("one");
        two.wait_established("center");
        three.wait("the status hints at the password", |node| {
            node.peer("center")
                .hint
                .is_some_and(|hint| hint.contains("password is another"))
        });
        center.wait("the refused segments show", |node| {
            node.status().refused_segments > 0
        });
        assert!(!three.is_established("center"));
    });
}

fn with_password(mut peer: Peer, password: &str) -> Peer {
    peer.settings.password = Some(Password::new(password).unwrap());
    peer
}
