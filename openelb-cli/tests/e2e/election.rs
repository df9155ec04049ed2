//! Who answers, shown to a person: `openelb lab failover`, `drain`, `split` and `freeze`.
//!
//! The lab itself fails on two answerers, on an address without one beyond the bound, and on a client
//! that does not follow. Here it is checked that it saw what it is meant to show.

use serde_json::Value;

use crate::stage::{Stage, openelb};

#[test]
fn a_node_without_power_is_replaced_and_gets_back_what_it_had_only_after_its_hold() {
    let Some(report) = play(&["failover"]) else {
        return;
    };
    let died = facts(&report, "died");
    let (dead, heir) = moved(&died["clients"][0]);
    assert_ne!(dead, heir);
    let told: Vec<_> = died["moments"].as_array().unwrap().iter().collect();
    let name = heir.as_str().unwrap();
    let moment = |what: String| told.iter().position(|moment| moment["what"] == what);
    let announced = moment(format!("{name} announces 192.0.2.241"));
    let served = moment(format!("{name} serves client at 192.0.2.241"));
    // Two threads heard them, so their order says nothing.
    assert!(announced.is_some() && served.is_some(), "{told:?}");
    for stream in streams(died) {
        assert!(
            stream["lost"].as_u64().unwrap() > 0,
            "its service died too: {stream}"
        );
    }
    let returned = facts(&report, "returned");
    assert_eq!(moved(&returned["clients"][0]), (heir, dead));
    assert_nothing_lost(returned);
}

#[test]
fn a_drained_node_hands_over_without_a_lost_packet_and_is_taken_back_the_same_way() {
    let Some(report) = play(&["drain"]) else {
        return;
    };
    let drained = facts(&report, "drained");
    let (old, new) = moved(&drained["clients"][0]);
    assert_nothing_lost(drained);
    let undone = facts(&report, "undone");
    assert_eq!(moved(&undone["clients"][0]), (new, old));
    assert_nothing_lost(undone);
}

#[test]
fn both_sides_of_a_split_are_served_and_one_owner_is_left_after_it_is_healed() {
    let Some(report) = play(&["split"]) else {
        return;
    };
    let split = facts(&report, "split");
    let far = &split["clients"][1];
    assert_eq!(far["client"], "client-2");
    let (alone, other) = moved(far);
    for owner in split["clients"][0]["owners"].as_array().unwrap() {
        let last = owner["answered_by"].as_array().unwrap().last().unwrap();
        assert_eq!(last, alone, "it is alone with the client: {owner}");
    }
    let healed = facts(&report, "healed");
    assert_eq!(moved(&healed["clients"][1]), (other, alone));
    assert_nothing_lost(healed);
}

#[test]
fn a_daemon_that_was_frozen_says_no_stale_word_when_it_goes_on() {
    let Some(report) = play(&["freeze"]) else {
        return;
    };
    let frozen = facts(&report, "frozen");
    let (old, new) = moved(&frozen["clients"][0]);
    let thawed = facts(&report, "thawed");
    assert_eq!(moved(&thawed["clients"][0]), (new, old));
    assert_eq!(thawed["clients"][0]["overlaps"], 0, "{thawed}");
}

#[test]
fn a_scene_that_is_repeated_tells_how_its_losses_spread() {
    let Some(report) = play(&["drain", "--repeat", "2"]) else {
        return;
    };
    let measured = facts(&report, "measured");
    assert_eq!(measured["times"], 2);
    for family in measured["loss"].as_array().unwrap() {
        assert_eq!(family["packets"]["max"], 0, "{family}");
        assert!(family["gap_us"]["p50"].as_u64().unwrap() > 0, "{family}");
    }
}

#[test]
fn options_of_elections_are_refused_where_there_is_none() {
    for option in [["--profile", "calm"], ["--repeat", "2"]] {
        let output = openelb().arg("lab").args(option).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(option[0]), "{said}");
        assert!(said.contains("`openelb lab --help` says which"), "{said}");
    }
}

/// The report of a lab, or `None` after saying loudly what this machine lacks.
fn play(scene: &[&str]) -> Option<Value> {
    // Says so when there are no namespaces here.
    drop(Stage::open()?);
    let mut lab = openelb();
    let output = lab.arg("lab").args(scene).args(["-o", "json"]).output();
    let output = output.unwrap();
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

/// Who answered a client for the first address before and after; both families agree.
fn moved(client: &Value) -> (&Value, &Value) {
    let of = |address: &str| {
        let mut owners = client["owners"].as_array().unwrap().iter();
        let owner = owners.find(|owner| owner["address"] == address).unwrap();
        let hosts = owner["answered_by"].as_array().unwrap();
        // While both sides of a healed split answer, the census hears now one, now the other.
        let is_contested = client["overlaps"].as_u64().unwrap() > 0;
        assert!(hosts.len() == 2 || is_contested, "it moves once: {owner}");
        (hosts.first().unwrap(), hosts.last().unwrap())
    };
    let v4 = of("192.0.2.241");
    assert_eq!(v4, of("2001:db8::f1"), "the families move together");
    v4
}

fn streams(facts: &Value) -> impl Iterator<Item = &Value> {
    let clients = facts["clients"].as_array().unwrap().iter();
    clients.flat_map(|client| client["streams"].as_array().unwrap())
}

fn assert_nothing_lost(facts: &Value) {
    for stream in streams(facts) {
        assert!(stream["sent"].as_u64().unwrap() > 100, "{stream}");
        assert_eq!(stream["lost"], 0, "{stream}");
    }
}

const GUIDE: &str = include_str!("../../../docs/lab.md");
