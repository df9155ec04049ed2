//! Two daemons that know nothing of each other, on one wire, with the same pool.

use crate::node::{FIRST, Node, SECOND, config};
use crate::stage::{Stage, eventually};

#[test]
fn metallb_80_the_second_to_come_reports_the_conflict_and_takes_another_address() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    let first = Node::start(&mut stage, "node-a", &config(&[("web", "")]));
    first.announces(&FIRST);
    let second = Node::start(&mut stage, "node-b", &config(&[("api", "")]));
    eventually("the second moves on to other addresses", || {
        let held = second.holdings().remove("api")?;
        held.iter()
            .all(|address| !FIRST.contains(&address.to_string().as_str()))
            .then_some(())
    });
    second.announces(&SECOND);
    for address in FIRST {
        let whois = second.ask(&["ip", "whois", address]);
        assert_eq!(whois["state"], "Quarantined", "{whois}");
        assert_eq!(stage.resolve(address).as_deref(), Some("node-a"));
    }
    for address in SECOND {
        assert_eq!(stage.resolve(address).as_deref(), Some("node-b"));
    }
    assert!(second.ask(&["status"])["conflicts"].as_u64().unwrap() >= 2);
}

#[test]
fn a_pinned_address_is_not_exchanged_and_not_announced_while_another_host_has_it() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    let first = Node::start(&mut stage, "node-a", &config(&[("web", "")]));
    first.announces(&FIRST);
    let pinned = format!("addresses: {FIRST:?}");
    let second = Node::start(&mut stage, "node-b", &config(&[("api", &pinned)]));
    let detail = eventually("the conflict is reported", || {
        let status = second.ask(&["status"]);
        let service = &status["services"][0];
        (service["state"] == "Waiting").then(|| service["detail"].to_string())
    });
    assert!(detail.contains("AddressConflictOnWire"), "{detail}");
    assert_eq!(
        second.holdings().get("api"),
        None,
        "no other address is taken for a pinned one"
    );
    for address in FIRST {
        eventually("it is withdrawn", || {
            second.state(address).is_empty().then_some(())
        });
        assert_eq!(stage.resolve(address).as_deref(), Some("node-a"));
    }
}
