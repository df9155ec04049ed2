//! A daemon that was kept from running must not speak for what another host took over meanwhile.

use std::thread;
use std::time::Duration;

use crate::node::{FIRST, Node, config};
use crate::stage::{Stage, eventually};

#[test]
fn a_daemon_that_was_frozen_while_another_took_over_stays_silent_when_it_wakes() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    let pinned = format!("addresses: {FIRST:?}");
    let standby = format!("addresses: {FIRST:?}, announce: Standby");
    let frozen = Node::start(&mut stage, "node-a", &config(&[("web", &pinned)]));
    frozen.announces(&FIRST);
    let other = Node::start(&mut stage, "node-b", &config(&[("web", &standby)]));

    frozen.signal(&mut stage, "SIGSTOP");
    // These questions wait in the frozen daemon's sockets.
    for address in FIRST {
        assert_eq!(stage.resolve(address), None);
    }
    other.reload(&mut stage, &config(&[("web", &pinned)]));
    other.announces(&FIRST);
    // The pause itself is what is tested: longer than the two seconds that the announcer forgives.
    thread::sleep(Duration::from_millis(2_500));
    stage.capture();
    frozen.signal(&mut stage, "SIGCONT");

    let detail = eventually("the woken daemon finds its addresses taken", || {
        let status = frozen.ask(&["status"]);
        let service = &status["services"][0];
        (service["state"] == "Waiting").then(|| service["detail"].to_string())
    });
    assert!(detail.contains("AddressConflictOnWire"), "{detail}");
    for address in FIRST {
        assert_eq!(stage.resolve(address).as_deref(), Some("node-b"));
    }
    let heard = stage.sightings();
    let claims: Vec<_> = heard
        .iter()
        .filter(|sighting| sighting.from == "node-a" && sighting.message != "probe")
        .filter(|sighting| FIRST.contains(&sighting.address.to_string().as_str()))
        .collect();
    assert!(claims.is_empty(), "the woken daemon only asks: {claims:?}");
    let log = frozen.log();
    let told = "starting again: addresses that only this host announces";
    assert!(log.contains(told), "{log}");
}
