//! Settings change on either end while the session is up.

use openelb_announce::bfd::{PathState, Settings, State};
use std::time::Duration;

use crate::node::{Node, every, near};
use crate::peer::{Bird, Frr, with_routers};
use crate::world::{Host, eventually};

const PEER: &str = "192.0.2.2";
const US: &str = "192.0.2.1";

#[test]
fn other_intervals_of_ours_reach_frr_without_a_flap() {
    with_routers(|_, [ours, theirs]: [Host; 2]| {
        let frr = Frr::start(
            &theirs,
            " peer 192.0.2.1 interface eth0\n  receive-interval 50\n",
        );
        let node = Node::start(&ours);
        node.watch(&[near(PEER, every(300))]);
        node.until_state(PEER, State::Up);
        frr.until_status(US, "up");
        let changes = node.changes(PEER).len();
        for (tx, rx, multiplier) in [(100, 300, 3), (1000, 700, 5), (50, 50, 4), (300, 300, 3)] {
            node.watch(&[near(
                PEER,
                Settings {
                    min_tx: Duration::from_millis(tx),
                    min_rx: Duration::from_millis(rx),
                    multiplier,
                    ..Settings::default()
                },
            )]);
            eventually("FRR has the new intervals", || {
                let peer = frr.peer(US);
                peer["remote-transmit-interval"] == tx
                    && peer["remote-receive-interval"] == rx
                    && peer["remote-detect-multiplier"] == multiplier
            });
            eventually("and they are in use", || {
                node.status(PEER).transmit_interval == Some(Duration::from_millis(tx))
            });
        }
        assert_eq!(node.changes(PEER).len(), changes, "no flap");
        assert_eq!(frr.peer(US)["status"], "up");
    });
}

#[test]
fn other_intervals_of_frr_are_followed_without_a_flap() {
    with_routers(|_, [ours, theirs]: [Host; 2]| {
        let frr = Frr::start(&theirs, " peer 192.0.2.1 interface eth0\n");
        let node = Node::start(&ours);
        node.watch(&[near(PEER, every(50))]);
        node.until_state(PEER, State::Up);
        let changes = node.changes(PEER).len();
        for millis in [100, 1000, 60] {
            frr.configure(&[
                "peer 192.0.2.1 interface eth0",
                &format!("transmit-interval {millis}"),
                &format!("receive-interval {millis}"),
            ]);
            eventually("they are followed", || {
                let status = node.status(PEER);
                status.detection_time == Duration::from_millis(3 * millis)
                    && status.transmit_interval == Some(Duration::from_millis(millis))
            });
        }
        assert_eq!(node.changes(PEER).len(), changes, "no flap");
    });
}

#[test]
fn other_intervals_of_both_ends_are_followed_with_bird_without_a_flap() {
    with_routers(|_, [ours, theirs]: [Host; 2]| {
        let lines = |millis: u64| {
            format!(
                "interface \"eth0\" {{ interval {millis} ms; multiplier 3; }};\n\
                 neighbor 192.0.2.1 dev \"eth0\";"
            )
        };
        let bird = Bird::start(&theirs, &lines(300));
        let node = Node::start(&ours);
        node.watch(&[near(PEER, every(300))]);
        node.until_state(PEER, State::Up);
        bird.until_state(US, "Up");
        let changes = node.changes(PEER).len();
        for (here, there) in [(50, 300), (50, 50), (1000, 50), (300, 700)] {
            bird.configure(&lines(there));
            node.watch(&[near(PEER, every(here))]);
            let slower = Duration::from_millis(here.max(there));
            eventually("both are followed", || {
                let status = node.status(PEER);
                status.detection_time == slower * 3 && status.transmit_interval == Some(slower)
            });
        }
        assert_eq!(node.changes(PEER).len(), changes, "no flap");
    });
}

#[test]
fn an_administrator_of_ours_is_no_alarm_to_frr_and_the_session_comes_back() {
    with_routers(|_, [ours, theirs]: [Host; 2]| {
        let frr = Frr::start(&theirs, " peer 192.0.2.1 interface eth0\n");
        let node = Node::start(&ours);
        let mut target = near(PEER, every(300));
        node.watch(&[target.clone()]);
        node.until_state(PEER, State::Up);
        frr.until_status(US, "up");
        target.is_admin_down = true;
        node.watch(&[target.clone()]);
        frr.until_status(US, "down");
        assert_eq!(frr.peer(US)["diagnostic"], "neighbor signaled session down");
        assert_eq!(frr.peer(US)["remote-diagnostic"], "administratively down");
        assert_eq!(node.status(PEER).path, PathState::AdminDown);
        target.is_admin_down = false;
        node.watch(&[target]);
        node.until_state(PEER, State::Up);
        let path = [PathState::Up, PathState::AdminDown, PathState::Unknown];
        assert_eq!(
            node.path_states(PEER),
            [&[PathState::Unknown][..], &path, &[PathState::Up]].concat()
        );
    });
}

#[test]
fn an_administrator_of_frr_is_no_failure_of_the_path() {
    with_routers(|_, [ours, theirs]: [Host; 2]| {
        let frr = Frr::start(&theirs, " peer 192.0.2.1 interface eth0\n");
        let node = Node::start(&ours);
        node.watch(&[near(PEER, every(300))]);
        node.until_state(PEER, State::Up);
        frr.configure(&["peer 192.0.2.1 interface eth0", "shutdown"]);
        node.until_state(PEER, State::Down);
        assert_eq!(node.status(PEER).path, PathState::AdminDown);
        assert_eq!(node.status(PEER).remote_state, State::AdminDown);
        frr.configure(&["peer 192.0.2.1 interface eth0", "no shutdown"]);
        node.until_state(PEER, State::Up);
        assert!(!node.path_states(PEER).contains(&PathState::Down));
    });
}

#[test]
fn who_is_no_longer_watched_hears_admin_down_and_so_does_everybody_at_the_end() {
    with_routers(|_, [ours, first, second]: [Host; 3]| {
        let lines = " peer 192.0.2.1 interface eth0\n";
        let [one, two] = [Frr::start(&first, lines), Frr::start(&second, lines)];
        let node = Node::start(&ours);
        let targets = [near("192.0.2.2", every(300)), near("192.0.2.3", every(300))];
        node.watch(&targets);
        one.until_status(US, "up");
        two.until_status(US, "up");
        node.watch(&targets[1..]);
        one.until_status(US, "down");
        assert_eq!(one.peer(US)["remote-diagnostic"], "administratively down");
        assert_eq!(two.peer(US)["status"], "up");
        assert_eq!(node.liveness.status().len(), 1);
        node.liveness.stop();
        two.until_status(US, "down");
        assert_eq!(two.peer(US)["remote-diagnostic"], "administratively down");
    });
}
