//! What a newcomer sees of BGP: `openelb lab bgp` and `openelb lab bgp-ecmp`, with FRR as router.

use std::io::{self, Write};
use std::path::Path;

use serde_json::Value;

use crate::stage::{Stage, openelb};

#[test]
fn the_client_reaches_a_service_through_the_router_until_it_is_withdrawn() {
    let Some(report) = play("bgp") else { return };
    for route in facts(&report, "announced")["routes"].as_array().unwrap() {
        assert_eq!(route["nextHops"].as_array().unwrap().len(), 1, "{route}");
        assert_eq!(route["paths"], 1, "{route}");
    }
    let reached = facts(&report, "reached")["reached"].as_array().unwrap();
    assert_eq!(reached.len(), 2, "one address of each family");
    assert!(reached.iter().all(|one| one["answered_by"] == "node-a"));
    let peers = facts(&report, "shown")["peers"].as_array().unwrap();
    assert!(peers.iter().all(|peer| peer["state"] == "Established"));
    let gone = facts(&report, "withdrawn")["unreachable"].as_array();
    assert_eq!(gone.unwrap().len(), 2);
}

#[test]
fn a_router_spreads_over_two_nodes_keeps_routes_over_a_restart_and_leaves_a_dead_node() {
    let Some(report) = play("bgp-ecmp") else {
        return;
    };
    for route in facts(&report, "announced")["routes"].as_array().unwrap() {
        assert_eq!(route["nextHops"].as_array().unwrap().len(), 2, "{route}");
        assert_eq!(route["paths"], 2, "{route}");
    }
    for one in facts(&report, "spread")["spread"].as_array().unwrap() {
        assert!(one["answers"]["node-a"].as_u64().unwrap() > 0, "{one}");
        assert!(one["answers"]["node-b"].as_u64().unwrap() > 0, "{one}");
    }
    let restarted = facts(&report, "restarted");
    assert_eq!(restarted["deleted"], 0, "{restarted}");
    assert_eq!(restarted["lost"], 0, "{restarted}");
    let died = facts(&report, "died");
    let served_by_the_dead = |stream: &&Value| stream["lost"].as_u64().unwrap() > 0;
    let streams = died["streams"].as_array().unwrap().iter();
    for stream in streams.filter(served_by_the_dead) {
        let last = stream["answers"].as_array().unwrap().last().unwrap();
        assert_eq!(last["host"], "node-a", "{stream}");
    }
}

/// The report of a lab, or `None` after saying loudly what this machine lacks.
fn play(scene: &str) -> Option<Value> {
    // Says so when there are no namespaces here.
    drop(Stage::open()?);
    let lacks = match (nix::unistd::geteuid().is_root(), Path::new(BGPD).exists()) {
        (true, true) => None,
        (false, _) => Some("root"),
        (true, false) => Some("FRR"),
    };
    if let Some(lacks) = lacks {
        assert!(
            std::env::var_os("CI").is_none_or(|ci| ci != "true"),
            "nothing is skipped: `lab {scene}` needs {lacks}"
        );
        let skipped = format!("\nSKIPPED: `openelb lab {scene}` needs {lacks}\n");
        io::stderr().write_all(skipped.as_bytes()).unwrap();
        return None;
    }
    let output = openelb()
        .args(["lab", scene, "-o", "json"])
        .output()
        .unwrap();
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert!(output.status.success(), "{:#}", report["failure"]);
    for step in report["steps"].as_array().unwrap() {
        let row = format!("| `{}` |", step["name"].as_str().unwrap());
        assert!(GUIDE.contains(&row), "docs/lab.md lacks the row {row}");
    }
    Some(report)
}

fn facts<'r>(report: &'r Value, step: &str) -> &'r Value {
    let mut steps = report["steps"].as_array().unwrap().iter();
    let found = steps.find(|found| found["name"] == step);
    &found.unwrap_or_else(|| panic!("no step {step}"))["facts"]
}

const BGPD: &str = "/usr/lib/frr/bgpd";
const GUIDE: &str = include_str!("../../../docs/lab.md");
