//! BFD decides over BGP sessions: it ends them long before the hold time, and only for failures.

use std::collections::BTreeMap;
use std::time::Duration;

use openelb_announce::announcer::speaker::SpeakerConfig;
use openelb_announce::bfd::{self, Diagnostic, PathState};
use openelb_announce::bgp::config::{Config, Liveness, Peer};
use openelb_announce::bgp::peer::Stop;
use openelb_announce::bgp::status::EndedBy;

use crate::lab::with_lab;
use crate::node::{Node, config, peer};
use crate::router::{Feature, Kind, Neighbor, Router};
use crate::sessions::described;
use crate::world::{Host, pause};

const PEERS: [(&str, &str, &str); 2] = [
    ("v4", "192.0.2.1", "192.0.2.2"),
    ("v6", "2001:db8::1", "2001:db8::2"),
];

/// A router with both of our addresses as neighbours.
fn router(kind: Kind, host: &Host, features: &[Feature]) -> Router {
    let mut description = described(host);
    for (_, us, them) in PEERS {
        let mut neighbor = Neighbor::new(64512, us).from(them);
        for feature in features {
            neighbor = neighbor.with(*feature);
        }
        description = description.neighbor(neighbor);
    }
    Router::start(kind, host, description)
}

fn peers(liveness: Option<Liveness>) -> Vec<Peer> {
    let peers = PEERS.map(|(name, _, address)| {
        let mut peer = peer(name, address);
        peer.settings.liveness = liveness;
        peer
    });
    peers.into()
}

/// Watched three times every 100 ms.
fn configure(node: &Node, bgp: Config) {
    let settings = bfd::Settings {
        min_tx: Duration::from_millis(100),
        min_rx: Duration::from_millis(100),
        ..bfd::Settings::default()
    };
    let mut config = SpeakerConfig::from(bgp);
    let names = PEERS.map(|(name, ..)| name.into());
    config.bfd = BTreeMap::from(names.map(|name| (name, settings.clone())));
    node.speaker.configure(config).unwrap();
}

fn wait_path(node: &Node, state: PathState) {
    node.wait(&format!("both paths are {state:?}"), |node| {
        let sessions = node.status().bfd;
        sessions.len() == 2 && sessions.iter().all(|it| it.path == state)
    });
}

#[test]
fn a_frozen_router_is_left_with_cease_bfd_down_and_taken_back_when_it_goes_on() {
    with_lab(&[Kind::Frr], |_, [ours, theirs]: [Host; 2]| {
        let frr = router(Kind::Frr, &theirs, &[Feature::Bfd]);
        let config = config(&ours, peers(Some(Liveness::default())));
        let node = Node::start(&ours, config.clone());
        configure(&node, config);
        for (name, us, _) in PEERS {
            node.wait_established(name);
            frr.wait_established(us);
        }
        wait_path(&node, PathState::Up);
        frr.freeze();
        for (name, ..) in PEERS {
            // The hold time is 90 s and the kernel of the other side acknowledges everything.
            node.wait("the session is left", |node| !node.is_established(name));
            let error = node.peer(name).last_error.unwrap();
            assert_eq!(error.code, Some((6, 10)), "{error:?}");
            assert_eq!(error.by, EndedBy::Us);
            assert!(error.words.contains("BFD"), "{}", error.words);
        }
        for session in node.status().bfd {
            let expired = Diagnostic::ControlDetectionTimeExpired;
            assert_eq!(session.diagnostic, expired);
        }
        frr.thaw();
        for (name, ..) in PEERS {
            node.wait_established(name);
        }
    });
}

#[test]
fn strict_mode_waits_for_bfd_and_says_so() {
    with_lab(&[Kind::Frr], |_, [ours, theirs]: [Host; 2]| {
        let mut unwatched = router(Kind::Frr, &theirs, &[]);
        let strict = Liveness { strict: true };
        let config = config(&ours, peers(Some(strict)));
        let node = Node::start(&ours, config.clone());
        configure(&node, config);
        for (name, ..) in PEERS {
            node.wait("it waits for BFD", |node| {
                let waiting = node.peer(name).waiting.unwrap_or_default();
                waiting.contains("BFD")
            });
        }
        // FRR dials, and is not let in.
        for _ in 0..50 {
            pause();
            for (name, ..) in PEERS {
                assert!(!node.is_established(name));
            }
        }
        unwatched.stop();
        drop(unwatched);
        let _watched = router(Kind::Frr, &theirs, &[Feature::Bfd]);
        for (name, ..) in PEERS {
            node.wait_established(name);
        }
        wait_path(&node, PathState::Up);
    });
}

#[test]
fn bfd_is_turned_on_without_touching_the_session() {
    with_lab(&[Kind::Frr], |_, [ours, theirs]: [Host; 2]| {
        let frr = router(Kind::Frr, &theirs, &[Feature::Bfd]);
        let node = Node::start(&ours, config(&ours, peers(None)));
        for (name, ..) in PEERS {
            node.wait_established(name);
        }
        assert_eq!(node.status().bfd, []);
        configure(&node, config(&ours, peers(Some(Liveness::default()))));
        wait_path(&node, PathState::Up);
        for (name, us, _) in PEERS {
            assert_eq!(node.peer(name).flaps, 0);
            assert!(frr.is_established(us));
        }
    });
}

#[test]
fn frr_keeps_the_routes_of_a_speaker_that_is_upgraded_although_bfd_ends_too() {
    keeps_the_routes(Kind::Frr, &[Feature::GracefulNotification]);
}

#[test]
fn bird_keeps_the_routes_of_a_speaker_that_is_upgraded_although_bfd_ends_too() {
    keeps_the_routes(Kind::Bird, &[]);
}

fn keeps_the_routes(kind: Kind, more: &'static [Feature]) {
    with_lab(&[kind], move |_, [ours, theirs]: [Host; 2]| {
        let features = [&[Feature::Bfd, Feature::GracefulRestart], more].concat();
        let router = router(kind, &theirs, &features);
        let config = config(&ours, peers(Some(Liveness::default())));
        let node = Node::start(&ours, config.clone());
        configure(&node, config);
        node.announce(&["203.0.113.1/32", "2001:db8:ffff::1/128"]);
        router.wait("both routes are heard", |it| it.table().len() == 2);
        wait_path(&node, PathState::Up);
        node.speaker.stop(Stop::Upgrade);
        router.wait("the sessions are down", |it| {
            PEERS.iter().all(|(_, us, _)| !it.is_established(us))
        });
        // Longer than BFD takes to notice.
        for _ in 0..100 {
            let table = router.table();
            assert_eq!(table.len(), 2, "{table:?}");
            if kind == Kind::Frr {
                assert!(table.iter().all(|heard| heard.is_stale), "{table:?}");
            }
            pause();
        }
    });
}
