//! Authenticated sessions with BIRD. FRR's `bfdd` has no authentication.

use openelb_announce::bfd::{Auth, AuthKind, Key, Settings, State};

use crate::node::{Node, every, near};
use crate::peer::{Bird, with_routers};
use crate::world::{Host, eventually};

const PEER: &str = "192.0.2.2";
const US: &str = "192.0.2.1";

fn authenticated(kind: AuthKind, key_id: u8, secret: &str) -> Settings {
    Settings {
        auth: Some(Auth {
            kind,
            key_id,
            key: Key::new(secret.as_bytes()).unwrap(),
        }),
        ..every(100)
    }
}

fn bird_lines(kind: &str, password: &str) -> String {
    format!(
        "interface \"eth0\" {{ interval 100 ms; multiplier 3; authentication {kind};\n\
         {password} }};\nneighbor 192.0.2.1 dev \"eth0\";"
    )
}

const PASSWORD: &str = "password \"correct horse\" { id 7; };";

fn comes_up_and_stays(kind: AuthKind, name: &'static str) {
    with_routers(move |_, [ours, theirs]: [Host; 2]| {
        let bird = Bird::start(&theirs, &bird_lines(name, PASSWORD));
        let node = Node::start(&ours);
        node.watch(&[near(PEER, authenticated(kind, 7, "correct horse"))]);
        node.until_state(PEER, State::Up);
        bird.until_state(US, "Up");
        let changes = node.changes(PEER).len();
        let received = node.status(PEER).received;
        eventually("a hundred packets", || {
            node.status(PEER).received >= received + 100
        });
        assert_eq!(node.changes(PEER).len(), changes);
        assert_eq!(node.status(PEER).discarded, 0);
        // A restart begins with another sequence number; the neighbour takes it after two detection
        // times of silence.
        drop(node);
        let node = Node::start(&ours);
        node.watch(&[near(PEER, authenticated(kind, 7, "correct horse"))]);
        node.until_state(PEER, State::Up);
    });
}

#[test]
fn bird_with_keyed_sha1() {
    comes_up_and_stays(AuthKind::KeyedSha1, "keyed sha1");
}

#[test]
fn bird_with_meticulous_keyed_sha1() {
    comes_up_and_stays(AuthKind::MeticulousKeyedSha1, "meticulous keyed sha1");
}

#[test]
fn every_mismatch_keeps_the_session_down_and_is_told_in_words() {
    let kind = AuthKind::MeticulousKeyedSha1;
    with_routers(move |_, [ours, theirs]: [Host; 2]| {
        let right = bird_lines("meticulous keyed sha1", PASSWORD);
        let bird = Bird::start(&theirs, &right);
        let node = Node::start(&ours);
        let plain = "interface \"eth0\" { interval 100 ms; };\nneighbor 192.0.2.1 dev \"eth0\";";
        let other_kind = bird_lines("keyed sha1", PASSWORD);
        let good = authenticated(kind, 7, "correct horse");
        for (lines, settings, words) in [
            (
                &*right,
                authenticated(kind, 7, "wrong"),
                "is the key the same",
            ),
            (
                &right,
                authenticated(kind, 8, "correct horse"),
                "key number 7",
            ),
            (&right, every(100), "no key is configured here"),
            (&other_kind, good.clone(), "type 4"),
            (plain, good.clone(), "not authenticated"),
        ] {
            bird.configure(lines);
            node.watch(&[]);
            node.watch(&[near(PEER, settings)]);
            eventually(words, || {
                let reason = node.status(PEER).last_discard.unwrap_or_default();
                reason.contains(words)
            });
            assert_ne!(node.status(PEER).state, State::Up);
        }
        bird.configure(&right);
        node.watch(&[near(PEER, good)]);
        node.until_state(PEER, State::Up);
    });
}
