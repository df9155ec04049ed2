//! The plays of `openelb lab cluster`: a real control plane, real kube-proxies, our processes.

use std::io::{self, Write as _};

use serde_json::Value;

use crate::stage::openelb;

#[test]
fn our_processes_serve_a_cluster_with_real_traffic() {
    play("cluster", &PLAYS, &PLAYS);
}

#[test]
fn pods_reach_each_other_over_routes_that_the_nodes_tell_each_other() {
    play("pod-routes", &[], &["pod-routes"]);
}

/// Plays a scene, with these plays if any are named, and expects these.
fn play(scene: &str, named: &[&str], expected: &[&str]) {
    let output = openelb()
        .args(["lab", scene])
        .args(named)
        .args(["-o", "json"])
        .output()
        .unwrap();
    if [NOT_FOUND, NOT_PERMITTED].contains(&output.status.code()) {
        let said = String::from_utf8_lossy(&output.stderr);
        let is_ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
        assert!(!is_ci, "nothing is skipped: {said}");
        // Past the test runner, which swallows what passing tests print.
        let skipped = format!("\nSKIPPED: no cluster here: {said}\n");
        return io::stderr().write_all(skipped.as_bytes()).unwrap();
    }
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let plays = report["plays"].as_array().unwrap();
    for play in plays {
        assert_eq!(play["failure"], Value::Null, "{:#}", play["failure"]);
    }
    let played: Vec<_> = plays
        .iter()
        .map(|play| play["play"].as_str().unwrap())
        .collect();
    assert_eq!(played, expected);
    assert!(output.status.success());
}

const PLAYS: [&str; 11] = [
    "layer2",
    "bgp-ecmp",
    "vip",
    "dual-stack",
    "etp-local",
    "failover",
    "drain",
    "pool-exhausted",
    "upgrade-from-openelb",
    "controller-split-brain",
    "api-server-outage",
];

/// `ExitCode::NotFound` and `ExitCode::NotPermitted` of the command.
const NOT_FOUND: Option<i32> = Some(5);
const NOT_PERMITTED: Option<i32> = Some(7);
