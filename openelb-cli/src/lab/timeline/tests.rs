//! How the story reads.

use super::{write_end, write_network, write_step};
use crate::lab::namespace::Isolation;
use crate::lab::report::{HostReport, LabReport, Step, StepFailure};
use crate::output::Paint;
use serde_json::Value;

fn plain() -> Paint {
    Paint::new(false, true)
}

fn text(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn host(name: &str, number: u8) -> HostReport {
    HostReport {
        name: name.to_owned(),
        mac: format!("02:00:00:00:00:{number:02x}"),
        addresses: vec![
            format!("192.0.2.{number}/24").parse().unwrap(),
            format!("2001:db8::{number:x}/64").parse().unwrap(),
        ],
        role: "openelb run",
    }
}

#[test]
fn the_picture_has_a_column_for_each_host_and_no_trailing_space() {
    let hosts = [host("node-a", 10), host("node-b", 11)];
    let picture = text(|out| write_network(&hosts, out, plain()));
    insta::assert_snapshot!(picture, @r"
    Hosts on one switch, each a network namespace of this machine

        node-a             node-b
        openelb run        openelb run
        02:00:00:00:00:0a  02:00:00:00:00:0b
        192.0.2.10/24      192.0.2.11/24
        2001:db8::a/64     2001:db8::b/64
          |                  |
      ====+==================+================ switch

          at       took
    ");
    assert!(picture.lines().all(|line| line == line.trim_end()));
}

#[test]
fn a_step_says_when_it_ended_how_long_it_took_and_what_happened() {
    let step = Step {
        name: "allocated",
        at_us: 1_234_500,
        took_us: 3_250,
        summary: "shop/web has a dual-stack pair".to_owned(),
        details: vec!["192.0.2.241 and 2001:db8::f1".to_owned()],
        facts: Value::Null,
    };
    insta::assert_snapshot!(text(|out| write_step(&step, out, plain())), @r"
    1.234 s     3.2 ms  ok shop/web has a dual-stack pair
                           192.0.2.241 and 2001:db8::f1
    ");
}

#[test]
fn a_failure_names_the_step_the_expectation_what_was_seen_and_the_last_log_lines() {
    let report = LabReport {
        ok: false,
        isolation: Isolation::UserNamespace,
        elapsed_us: 5_000,
        hosts: Vec::new(),
        steps: Vec::new(),
        failure: Some(StepFailure {
            step: "reached",
            expected: "node-a answers for 192.0.2.241".to_owned(),
            seen: "nobody".to_owned(),
            log: vec!["node-a: no interface eth0".to_owned()],
        }),
    };
    insta::assert_snapshot!(text(|out| write_end(&report, out, plain())), @r"
    failed: step reached
      expected: node-a answers for 192.0.2.241
      seen:     nobody
      the daemons said last:
        node-a: no interface eth0
    ");
}
