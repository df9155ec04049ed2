//! The nodes of a link agree on who answers for which address, and on who follows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::cluster::{Cluster, backend};
use crate::stage::{Stage, eventually};

#[test]
fn every_address_has_one_owner_and_openelb_51_ten_of_them_are_spread_over_three_nodes() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    let cluster = Cluster::start(&mut stage, &["node-a", "node-b", "node-c"], 10, "");
    let owners = cluster.agree();
    assert_eq!(owners.len(), 10);
    let nodes: BTreeSet<_> = owners.values().collect();
    assert_eq!(nodes.len(), 3, "each node has some: {owners:?}");
    for (address, owner) in &owners {
        assert_eq!(stage.resolve(address).as_ref(), Some(owner), "{address}");
    }
}

#[test]
fn what_a_killed_node_had_is_taken_over_by_another_and_both_families_move_together() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    let cluster = Cluster::start(&mut stage, &["node-a", "node-b"], 6, "");
    let before = cluster.agree();
    let dead = before["192.0.2.241"].clone();
    cluster.node(&dead).signal(&mut stage, "SIGKILL");
    let survivor = cluster.other_than(&dead);
    let after = eventually("the survivor has everything", || {
        let owners = survivor.owners();
        owners
            .values()
            .all(|owner| *owner == survivor.name())
            .then_some(owners)
    });
    assert_eq!(after.len(), before.len());
    for last in ["192.0.2.241", "2001:db8::f1"] {
        assert_eq!(stage.resolve(last).as_deref(), Some(survivor.name()));
    }
    let log = survivor.log();
    assert!(
        log.contains(&format!("node {dead} is heard no more")),
        "{log}"
    );
    let status = survivor.ask(&["status"]);
    let takeovers = &status["election"]["segments"][0]["counters"]["takeovers"];
    assert!(takeovers.as_u64().unwrap() > 0, "{status}");
}

#[test]
fn a_drain_hands_everything_over_without_losing_an_answer_and_can_be_taken_back() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    let cluster = Cluster::start(&mut stage, &["node-a", "node-b"], 6, "");
    let before = cluster.agree();
    let leaver = before["192.0.2.241"].clone();
    let (leaver, taker) = (cluster.node(&leaver), cluster.other_than(&leaver));
    stage.request(&json!({
        "do": "stream", "host": "client", "addresses": ["192.0.2.241", "2001:db8::f1"],
        "port": 8080, "interval_us": 2000,
    }));
    let report = leaver.ask(&["drain"]);
    assert_eq!(
        (&report["draining"], &report["owned"]),
        (&json!(true), &json!(0)),
        "{report}"
    );
    assert!(taker.owners().values().all(|owner| *owner == taker.name()));
    for stream in stage
        .request(&json!({ "do": "finish" }))
        .as_array()
        .unwrap()
    {
        assert!(stream["sent"].as_u64().unwrap() > 0, "{stream}");
        assert_eq!(stream["lost"], 0, "{stream}");
    }
    let report = leaver.ask(&["drain", "--undo"]);
    assert_eq!(report["draining"], false, "{report}");
    eventually("it is given addresses again", || {
        let mut owners = taker.owners().into_values();
        owners.any(|owner| owner == leaver.name()).then_some(())
    });
}

#[test]
fn a_node_is_drained_by_its_name_from_another_one() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    let cluster = Cluster::start(&mut stage, &["node-a", "node-b"], 6, "");
    cluster.agree();
    let (here, there) = (cluster.node("node-a"), cluster.node("node-b"));
    let report = here.ask(&["drain", "node-b"]);
    assert_eq!(
        (&report["node"], &report["draining"]),
        (&json!("node-b"), &json!(true))
    );
    assert!(here.owners().values().all(|owner| owner == "node-a"));
    eventually("it knows", || {
        let status = there.ask(&["status"]);
        (status["election"]["draining"] == true).then_some(())
    });
    assert_eq!(here.ask(&["drain", "node-b", "--undo"])["draining"], false);
    let refused = here.refused(&["drain", "node-z"]);
    assert_eq!(refused["error"]["exit"], 5, "{refused}");
    assert!(
        refused["error"]["next"]
            .as_str()
            .unwrap()
            .contains("node-b"),
        "{refused}"
    );
}

#[test]
fn a_node_that_another_one_drained_is_taken_back_by_its_own_daemon() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    let cluster = Cluster::start(&mut stage, &["node-a", "node-b"], 6, "");
    cluster.agree();
    let (here, there) = (cluster.node("node-a"), cluster.node("node-b"));
    here.ask(&["drain", "node-b"]);
    eventually("everything is handed over", || {
        let mut owners = here.owners().into_values();
        owners.all(|owner| owner == "node-a").then_some(())
    });
    let report = there.ask(&["drain", "--undo"]);
    assert_eq!(report["draining"], false, "{report}");
    eventually("it is given addresses again", || {
        let mut owners = here.owners().into_values();
        owners.any(|owner| owner == "node-b").then_some(())
    });
    let status = there.ask(&["status"]);
    assert_eq!(status["election"]["draining"], false, "{status}");
}

#[test]
fn a_daemon_that_is_told_to_end_hands_over_before_it_does() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    let cluster = Cluster::start(&mut stage, &["node-a", "node-b"], 6, "");
    let owners = cluster.agree();
    let leaver = owners["192.0.2.241"].clone();
    let taker = cluster.other_than(&leaver);
    stage.request(&json!({
        "do": "stream", "host": "client", "addresses": ["192.0.2.241", "2001:db8::f1"],
        "port": 8080, "interval_us": 2000,
    }));
    cluster.node(&leaver).signal(&mut stage, "SIGTERM");
    let ended = cluster.node(&leaver).wait(&mut stage);
    assert_eq!(ended["code"], 0, "{ended}");
    // Nothing waits for a dead node here: whoever leaves says so.
    eventually("the other has everything", || {
        let mut owners = taker.owners().into_values();
        owners.all(|owner| owner == taker.name()).then_some(())
    });
    let status = taker.ask(&["status"]);
    let counters = &status["election"]["segments"][0]["counters"];
    assert_eq!(counters["takeovers"], 0, "handed over, not taken: {status}");
    for stream in stage
        .request(&json!({ "do": "finish" }))
        .as_array()
        .unwrap()
    {
        assert_eq!(stream["lost"], 0, "{stream}");
    }
}

#[test]
fn nodes_with_different_keys_refuse_each_other_s_beats_and_say_so() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    let mut cluster = Cluster::start(&mut stage, &["node-a"], 2, "");
    cluster.join(
        &mut stage,
        "node-b",
        "another key, of a node that was forgotten",
    );
    for (name, other) in [("node-a", "node-b"), ("node-b", "node-a")] {
        let node = cluster.node(name);
        let problem = eventually("the refusal is shown", || {
            let status = node.ask(&["status"]);
            let problems = status["problems"].as_array().unwrap().clone();
            problems
                .into_iter()
                .find(|problem| problem.as_str().unwrap().contains("refused"))
        });
        assert!(problem.as_str().unwrap().contains("key"), "{problem}");
        let segment = node.ask(&["l2", "owners"])["segments"][0].clone();
        assert!(segment["refused"]["key"].as_u64().unwrap() > 0, "{segment}");
        assert_eq!(
            segment["nodes"],
            json!([]),
            "{other} is no node of this election: {segment}"
        );
        assert!(
            node.log().contains("compare the key files"),
            "{}",
            node.log()
        );
    }
}

#[test]
fn a_service_that_fails_its_check_is_announced_by_a_node_on_which_it_answers() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    for node in ["node-a", "node-b"] {
        backend(&mut stage, node);
    }
    let check = "healthCheck: {protocol: TCP, port: 9999, intervalSeconds: 1, failureThreshold: 1}";
    let cluster = Cluster::start(&mut stage, &["node-a", "node-b"], 1, check);
    let owner = cluster.agree()["192.0.2.241"].clone();
    let other = cluster.other_than(&owner);
    stage.request(&json!({
        "do": "signal", "process": format!("backend-{owner}"), "signal": "SIGKILL",
    }));
    eventually("the other node has it", || {
        (other.owners()["192.0.2.241"] == other.name()).then_some(())
    });
    assert_eq!(stage.resolve("2001:db8::f1").as_deref(), Some(other.name()));
    let service = cluster.node(&owner).ask(&["status"])["services"][0].clone();
    assert_eq!(service["state"], "Unhealthy");
    assert!(
        service["detail"].as_str().unwrap().contains(other.name()),
        "{service}"
    );

    // And metallb_44: with nobody left on whom it answers, nobody announces it.
    stage.request(&json!({
        "do": "signal", "process": format!("backend-{}", other.name()), "signal": "SIGKILL",
    }));
    eventually("nobody has it", || {
        (!other.owners().contains_key("192.0.2.241")).then_some(())
    });
    assert_eq!(stage.resolve("192.0.2.241"), None);
    let problems = other.ask(&["status"])["problems"].to_string();
    assert!(problems.contains("no node announces it"), "{problems}");
}

#[test]
fn metallb_43_only_the_nodes_that_a_pool_names_announce_it() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    let cluster = Cluster::of_pool(
        &mut stage,
        &["node-a", "node-b"],
        3,
        "layer2: {nodes: [node-b]}",
    );
    let owners: BTreeMap<String, String> = cluster.agree();
    assert!(owners.values().all(|owner| owner == "node-b"), "{owners:?}");
    let services = cluster.node("node-a").ask(&["status"])["services"].clone();
    for service in services.as_array().unwrap() {
        assert_eq!(service["state"], "Elsewhere", "{service}");
        assert!(
            service["detail"].as_str().unwrap().contains("node-b"),
            "{service}"
        );
    }
    let explained: Value = cluster.node("node-a").ask(&["explain", "shop/web-1"]);
    assert!(
        explained["lines"]
            .to_string()
            .contains("node-b announces it; this node may not"),
        "{explained}"
    );
}
