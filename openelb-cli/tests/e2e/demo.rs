//! What a newcomer sees first: `openelb lab`.

use std::process::Stdio;

use nix::sys::signal::Signal;
use serde_json::{Deserializer, Value};

use crate::stage::{Stage, eventually, openelb, signal};

#[test]
fn the_lab_reaches_both_families_moves_them_without_loss_and_releases_them() {
    // Says loudly when there are no namespaces here.
    let Some(stage) = Stage::open() else { return };
    drop(stage);
    let output = openelb().args(["lab", "-o", "json"]).output().unwrap();
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert!(output.status.success(), "{:#}", report["failure"]);
    assert_eq!(report["ok"], true);
    for step in report["steps"].as_array().unwrap() {
        let row = format!("| `{}` |", step["name"].as_str().unwrap());
        assert!(GUIDE.contains(&row), "docs/lab.md lacks the row {row}");
    }
    assert_eq!(report["failure"], Value::Null);

    let pair = &step(&report, "allocated")["addresses"];
    assert_eq!(
        pair.as_array().unwrap().len(),
        2,
        "one address of each family: {pair}"
    );
    for (step_name, host) in [("reached", "node-a"), ("moved", "node-b")] {
        let reached = step(&report, step_name)["reached"].as_array().unwrap();
        let addresses: Vec<_> = reached.iter().map(|reached| &reached["address"]).collect();
        assert_eq!(
            addresses,
            pair.as_array().unwrap().iter().collect::<Vec<_>>()
        );
        for reached in reached {
            assert_eq!(reached["resolved_to"], host, "{reached}");
            assert_eq!(reached["answered_by"], host, "{reached}");
        }
    }
    for stream in step(&report, "moved")["streams"].as_array().unwrap() {
        assert_eq!(stream["lost"], 0, "{stream}");
        assert!(stream["sent"].as_u64().unwrap() > 100, "{stream}");
        let hosts: Vec<_> = stream["answers"].as_array().unwrap().iter().collect();
        assert_eq!(
            [&hosts[0]["host"], &hosts[1]["host"]],
            ["node-a", "node-b"],
            "{stream}"
        );
    }
    assert_eq!(&step(&report, "withdrawn")["unresolved"], pair);
    assert_eq!(&step(&report, "cooling")["addresses"], pair);
}

#[test]
fn a_kept_lab_has_the_service_back_until_it_is_interrupted_and_then_leaves_nothing() {
    let Some(stage) = Stage::open() else {
        return;
    };
    let mut lab = openelb()
        .args(["lab", "--keep", "-o", "json"])
        .env("TMPDIR", stage.files())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut documents = Deserializer::from_reader(lab.stdout.take().unwrap()).into_iter::<Value>();
    let report = documents.next().unwrap().unwrap();
    assert_eq!(report["ok"], true, "{:#}", report["failure"]);
    assert_eq!(
        step(&report, "returned")["reached"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    // It marks its success after it has told it.
    let mark = || {
        std::fs::read_dir(stage.files())
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path()
    };
    eventually("the lab stays", || {
        mark().join("succeeded").exists().then_some(())
    });
    signal(&lab, Signal::SIGINT);
    assert_eq!(lab.wait().unwrap().code(), Some(0));
    assert_eq!(std::fs::read_dir(stage.files()).unwrap().count(), 0);
}

#[test]
fn a_lab_that_fails_says_at_which_step_what_was_expected_and_what_the_daemon_said() {
    let Some(stage) = Stage::open() else {
        return;
    };
    // A path that is too long for a socket keeps the daemon from starting.
    let far = stage.files().join("a".repeat(100));
    std::fs::create_dir(&far).unwrap();
    let output = openelb()
        .args(["lab", "-o", "json"])
        .env("TMPDIR", far)
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(report["ok"], false);
    let failure = &report["failure"];
    assert_eq!(failure["step"], "pool-defined");
    assert_eq!(failure["expected"], "the daemon runs and answers");
    assert!(
        failure["seen"].to_string().contains("exit status"),
        "{failure}"
    );
    assert!(
        failure["log"].to_string().contains("107 bytes"),
        "{failure}"
    );
}

fn step<'r>(report: &'r Value, name: &str) -> &'r Value {
    let mut steps = report["steps"].as_array().unwrap().iter();
    &steps
        .find(|step| step["name"] == name)
        .unwrap_or_else(|| panic!("no step {name}"))["facts"]
}

const GUIDE: &str = include_str!("../../../docs/lab.md");
