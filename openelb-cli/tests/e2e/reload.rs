//! The configuration changes under a running daemon.

use crate::node::{FIRST, Node, SECOND, config};
use crate::stage::{Sighting, Stage, eventually};
use std::time::Duration;

#[test]
fn a_reload_adds_and_removes_addresses_and_leaves_the_others_alone() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    stage.capture();
    let node = Node::start(&mut stage, "node-a", &config(&[("web", "")]));
    for address in FIRST {
        settle(&mut stage, address);
    }

    stage.sightings();
    stage.capture();
    node.reload(&mut stage, &config(&[("web", ""), ("api", "")]));
    node.announces(&SECOND);
    node.reload(&mut stage, &config(&[("web", "")]));
    for address in SECOND {
        eventually("it is withdrawn", || {
            node.state(address).is_empty().then_some(())
        });
        assert_eq!(stage.resolve(address), None);
    }
    let heard = stage.sightings();

    for address in SECOND {
        assert!(about(&heard, address).any(|sighting| sighting.message == "announcement"));
    }
    for address in FIRST {
        let extra: Vec<_> = about(&heard, address).collect();
        assert!(
            extra.is_empty(),
            "nothing is said about the untouched {address}: {extra:?}"
        );
        assert_eq!(stage.resolve(address).as_deref(), Some("node-a"));
    }
}

#[test]
fn an_edited_file_is_followed_without_a_signal() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    let node = Node::start(&mut stage, "node-a", &config(&[]));
    node.edit(&config(&[("web", "")]));
    node.announces(&FIRST);
    for address in FIRST {
        assert_eq!(stage.resolve(address).as_deref(), Some("node-a"));
    }
}

#[test]
fn an_invalid_file_keeps_what_is_announced_and_says_why() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    let node = Node::start(&mut stage, "node-a", &config(&[("web", "")]));
    node.announces(&FIRST);
    node.reload(&mut stage, &config(&[("web", "announce: Sometimes")]));
    let errors = eventually("the refusal is reported", || {
        let errors = node.ask(&["status"])["config"]["errors"].to_string();
        (errors != "[]").then_some(errors)
    });
    assert!(
        errors.contains("config.yaml:") && errors.contains("Sometimes"),
        "{errors}"
    );
    for address in FIRST {
        node.announces(&[address]);
        assert_eq!(stage.resolve(address).as_deref(), Some("node-a"));
    }
}

/// Waits until `address` was announced as often as a claim asks for.
fn settle(stage: &mut Stage, address: &str) {
    eventually("the address is announced three times", || {
        let heard = stage.heard();
        let announced = about(&heard, address).filter(|heard| heard.message == "announcement");
        let moments: Vec<Duration> = announced.map(|sighting| sighting.at).collect();
        // ARP says it in two forms at the same moment (RFC 5227 section 3).
        let pauses = moments
            .windows(2)
            .filter(|pair| pair[1].saturating_sub(pair[0]) > HALF_A_PAUSE)
            .count();
        (pauses + 1 == ANNOUNCEMENTS).then_some(())
    });
}

fn about<'h>(heard: &'h [Sighting], address: &str) -> impl Iterator<Item = &'h Sighting> {
    heard.iter().filter(move |sighting| {
        sighting.address.to_string() == address && sighting.from == "node-a"
    })
}

const ANNOUNCEMENTS: usize = 3;

/// The first pause between two announcements is a second, the next longer.
const HALF_A_PAUSE: Duration = Duration::from_millis(500);
