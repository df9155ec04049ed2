//! What fails is found, by us and by the neighbour, and reported with its reason.

use std::net::UdpSocket;
use std::time::Duration;

use openelb_announce::announcer::liveness::{Event, Liveness, Options};
use openelb_announce::bfd::{Diagnostic, PathState, State};

use crate::node::{Node, every, near};
use crate::peer::{Bird, Frr, with_routers};
use crate::world::{Host, Running, eventually};

const PEER: &str = "192.0.2.2";
const US: &str = "192.0.2.1";
const FRR_PEER: &str = " peer 192.0.2.1 interface eth0\n";

#[test]
fn a_neighbor_that_dies_is_down_with_diagnostic_1_and_up_when_it_is_back() {
    with_routers(|_, [ours, theirs]: [Host; 2]| {
        let frr = Frr::start(&theirs, FRR_PEER);
        let node = Node::start(&ours);
        node.watch(&[near(PEER, every(300))]);
        node.until_state(PEER, State::Up);
        frr.bfdd.signal("KILL");
        node.until_state(PEER, State::Down);
        let status = node.status(PEER);
        assert_eq!(status.diagnostic, Diagnostic::ControlDetectionTimeExpired);
        assert_eq!(status.path, PathState::Down);
        assert_eq!(status.remote_discriminator, None);
        drop(frr);
        let _again = Frr::start(&theirs, FRR_PEER);
        node.until_state(PEER, State::Up);
        assert_eq!(node.status(PEER).flaps, 1);
    });
}

#[test]
fn a_neighbor_that_is_frozen_is_found_and_found_again_when_it_goes_on() {
    with_routers(|_, [ours, theirs]: [Host; 2]| {
        let lines = "interface \"eth0\" { interval 50 ms; multiplier 3; };\n\
                     neighbor 192.0.2.1 dev \"eth0\";";
        let bird = Bird::start(&theirs, lines);
        let node = Node::start(&ours);
        node.watch(&[near(PEER, every(50))]);
        node.until_state(PEER, State::Up);
        bird.process.signal("STOP");
        node.until_state(PEER, State::Down);
        let expired = Diagnostic::ControlDetectionTimeExpired;
        assert_eq!(node.status(PEER).diagnostic, expired);
        bird.process.signal("CONT");
        node.until_state(PEER, State::Up);
    });
}

#[test]
fn a_cut_in_one_direction_takes_both_ends_down() {
    with_routers(|_, [ours, theirs]: [Host; 2]| {
        let frr = Frr::start(&theirs, FRR_PEER);
        let node = Node::start(&ours);
        node.watch(&[near(PEER, every(300))]);
        node.until_state(PEER, State::Up);
        frr.until_status(US, "up");
        // Nothing of ours arrives there any more.
        theirs.sh("nft add table netdev cut");
        theirs.sh(
            "nft add chain netdev cut in { type filter hook ingress device eth0 priority 0 ; }",
        );
        theirs.sh("nft add rule netdev cut in udp dport 3784 drop");
        node.until_state(PEER, State::Down);
        let status = node.status(PEER);
        assert_eq!(status.diagnostic, Diagnostic::NeighborSignaledSessionDown);
        assert_eq!(
            status.remote_diagnostic,
            Diagnostic::ControlDetectionTimeExpired
        );
        assert_eq!(status.path, PathState::Down);
        theirs.sh("nft delete table netdev cut");
        node.until_state(PEER, State::Up);
    });
}

#[test]
fn a_process_of_ours_that_is_frozen_is_found_by_frr_and_comes_back() {
    with_routers(|_, [ours, theirs]: [Host; 2]| {
        let frr = Frr::start(&theirs, FRR_PEER);
        let process = watching_process(&ours);
        frr.until_status(US, "up");
        process.signal("STOP");
        frr.until_status(US, "down");
        let reason = "control detection time expired";
        assert_eq!(frr.peer(US)["diagnostic"], reason);
        process.signal("CONT");
        frr.until_status(US, "up");
        // A pause that is shorter than its patience goes unnoticed.
        let ups = frr.peer(US)["uptime"].as_u64();
        process.signal("STOP");
        process.signal("CONT");
        assert_eq!(frr.peer(US)["status"], "up");
        assert!(frr.peer(US)["uptime"].as_u64() >= ups);
    });
}

#[test]
fn an_owner_without_a_heartbeat_does_not_look_alive() {
    with_routers(|_, [ours, theirs]: [Host; 2]| {
        let frr = Frr::start(&theirs, FRR_PEER);
        let node = Node::start_with(
            &ours,
            Options {
                heartbeat: Some(Duration::from_secs(1)),
                ..Options::default()
            },
        );
        node.watch(&[near(PEER, every(300))]);
        eventually("up while the heart beats", || {
            node.liveness.heartbeat();
            frr.peer(US)["status"] == "up"
        });
        // It stops.
        frr.until_status(US, "down");
        assert_eq!(frr.peer(US)["remote-diagnostic"], "forwarding plane reset");
        let status = node.status(PEER);
        assert_eq!(status.path, PathState::Down);
        let lost = |event: &Event| matches!(event, Event::HeartbeatLost { .. });
        assert!(node.events().iter().any(lost));
        // And nothing is said any more.
        let sent = status.sent;
        eventually("FRR has tried again", || {
            assert_eq!(node.status(PEER).sent, sent);
            frr.peer(US)["remote-id"] == 0
        });
        eventually("up again when it beats again", || {
            node.liveness.heartbeat();
            frr.peer(US)["status"] == "up"
        });
        assert!(node.events().contains(&Event::HeartbeatBack));
    });
}

#[test]
fn a_packet_that_came_over_a_router_is_dropped_on_one_link() {
    with_routers(|_, [ours, theirs]: [Host; 2]| {
        let node = Node::start(&ours);
        node.watch(&[near(PEER, every(300))]);
        node.until_state(PEER, State::Down);
        let socket = theirs.run(|| UdpSocket::bind("192.0.2.2:49152").unwrap());
        let send = |ttl| {
            socket.set_ttl(ttl).unwrap();
            socket.send_to(&DOWN, "192.0.2.1:3784").unwrap();
        };
        for ttl in [1, 64, 254] {
            send(ttl);
        }
        eventually("they are counted", || node.status(PEER).discarded == 3);
        let status = node.status(PEER);
        assert_eq!(status.state, State::Down);
        assert_eq!(status.remote_discriminator, None);
        let reason = status.last_discard.unwrap();
        assert!(reason.contains("TTL 254, less than 255"), "{reason}");
        send(255);
        node.until_state(PEER, State::Init);
    });
}

/// A process that watches [`PEER`]: this program, started again.
fn watching_process(host: &Host) -> Running {
    let program = std::env::current_exe().unwrap();
    let program = program.to_str().unwrap();
    host.spawn(&format!(
        "env {WATCH}={PEER} {program} --exact failing::watches_if_asked_to --nocapture"
    ))
}

/// No test of its own: what [`watching_process`] starts. It ends with the test that started it.
#[test]
fn watches_if_asked_to() {
    let Ok(peer) = std::env::var(WATCH) else {
        return;
    };
    let liveness = Liveness::start(Options::default(), |_| {}).unwrap();
    liveness.set(vec![near(&peer, every(300))]).unwrap();
    loop {
        std::thread::park();
    }
}

const WATCH: &str = "OPENELB_TEST_WATCH";

/// Version 1, Down, multiplier 3, a discriminator, one second both ways.
const DOWN: [u8; 24] = [
    0x20, 0x40, 3, 24, 0, 0, 0, 9, 0, 0, 0, 0, 0, 15, 66, 64, 0, 15, 66, 64, 0, 0, 0, 0,
];
