//! The daemon ends, is killed, and comes back.

use crate::node::{FIRST, Node, config};
use crate::stage::Stage;

#[test]
fn a_daemon_that_is_asked_to_end_withdraws_before_it_does() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    let node = Node::start(&mut stage, "node-a", &config(&[("web", "")]));
    for address in FIRST {
        node.announces(&[address]);
        assert_eq!(stage.resolve(address).as_deref(), Some("node-a"));
        assert_eq!(stage.ask(address).as_deref(), Some("node-a"));
    }
    node.signal(&mut stage, "SIGTERM");
    let ended = node.wait(&mut stage);
    assert_eq!(ended["code"], 0, "{ended}; {}", node.log());
    for address in FIRST {
        assert_eq!(stage.resolve(address), None);
    }
}

#[test]
fn a_daemon_that_was_killed_comes_back_with_the_same_addresses_and_announces_them() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    let node = Node::start(&mut stage, "node-a", &config(&[("web", "")]));
    node.announces(&FIRST);
    let before = node.holdings();
    node.signal(&mut stage, "SIGKILL");
    assert_eq!(node.wait(&mut stage)["signal"], 9);
    for address in FIRST {
        assert_eq!(
            stage.resolve(address),
            None,
            "nobody answers for a dead daemon"
        );
    }
    stage.capture();
    node.restart(&mut stage);
    node.announces(&FIRST);
    assert_eq!(node.holdings(), before);
    for address in FIRST {
        assert_eq!(stage.resolve(address).as_deref(), Some("node-a"));
    }
    let heard = stage.sightings();
    for address in FIRST {
        let announced = heard.iter().any(|sighting| {
            sighting.message == "announcement" && sighting.address.to_string() == address
        });
        assert!(announced, "{address} is announced again: {heard:?}");
    }
}
