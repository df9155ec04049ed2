//! Bad inputs: each message names the act, the fact and the next step.

use crate::testenv::{Env, POOL};

/// What is typed, what it exits with, a fact and a next step that must be told.
const CASES: [(&[&str], i32, &str, &str); 22] = [
    (&["ip", "alloc"], 2, "required", "--help"),
    (&["ip", "alloc", "a b"], 3, "blank", "NAMESPACE/NAME"),
    (&["ip", "alloc", "x/"], 3, "no name", "NAMESPACE/NAME"),
    (
        &["ip", "alloc", "x", "--address", "10.0.0.300"],
        2,
        "10.0.0.300",
        "--help",
    ),
    (
        &["ip", "alloc", "x", "--address", "010.0.0.1"],
        2,
        "010.0.0.1",
        "--help",
    ),
    (
        &["ip", "alloc", "x", "--pool", "nowhere"],
        4,
        "nowhere",
        "next:",
    ),
    (
        &["ip", "alloc", "x", "--pool", "a b"],
        3,
        "' '",
        "use letters",
    ),
    (
        &["ip", "alloc", "x", "--families", "v5"],
        2,
        "v5",
        "v4, v6, dual, prefer",
    ),
    (
        &[
            "ip",
            "alloc",
            "x",
            "--families",
            "v6",
            "--address",
            "192.0.2.1",
        ],
        3,
        "192.0.2.1",
        "add the family",
    ),
    (
        &[
            "ip",
            "alloc",
            "x",
            "--address",
            "192.0.2.1",
            "--address",
            "192.0.2.2",
        ],
        3,
        "one family",
        "at most one",
    ),
    (
        &["ip", "alloc", "x", "--address", "192.0.2.0"],
        4,
        "192.0.2.0",
        "pin another",
    ),
    (
        &["ip", "alloc", "x", "--sharing-key", "k"],
        2,
        "--port",
        "--help",
    ),
    (
        &["ip", "alloc", "x", "--sharing-key", "k", "--port", "80"],
        3,
        "`80`",
        "PROTOCOL/NUMBER",
    ),
    (
        &["ip", "alloc", "x", "--count", "2000000"],
        3,
        "1000000",
        "several times",
    ),
    (
        &["ip", "alloc", "--from-file", "gone"],
        3,
        "gone",
        "one owner a line",
    ),
    (
        &["ip", "release", "nobody"],
        5,
        "manual/default/nobody",
        "openelb ip ls",
    ),
    (&["ip", "whois", "example.org"], 2, "example.org", "--help"),
    (&["pool", "show", "nowhere"], 5, "nowhere", "edge"),
    (
        &["pool", "plan", "gone.yaml"],
        3,
        "gone.yaml",
        "name a YAML file",
    ),
    (&["status"], 9, "control.sock", "openelb run"),
    (&["announce", "192.0.2.1", "--dev", ""], 3, "--dev", "eth0"),
    (
        &["announce", "192.0.2.1", "--dev", "eth0", "--for", "soon"],
        2,
        "soon",
        "10s",
    ),
];

#[test]
fn every_bad_input_is_told_with_the_fact_and_the_next_step() {
    let env = Env::with_pools(POOL);
    for (args, code, fact, next) in CASES {
        let ran = env.run(args);
        assert_eq!(ran.code, code, "{args:?}: {ran:?}");
        assert!(ran.out.is_empty(), "{args:?}: {ran:?}");
        for part in [fact, next] {
            assert!(
                ran.err.contains(part),
                "{args:?}: {part:?} is missing in:\n{}",
                ran.err
            );
        }
    }
}

#[test]
fn a_failure_is_one_json_object_when_data_was_asked_for() {
    let env = Env::with_pools(POOL);
    for args in [
        ["pool", "show", "nowhere", "-o", "json"],
        ["pool", "show", "nowhere", "-o", "yaml"],
    ] {
        let ran = env.run(&args);
        let error: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
        assert_eq!(error["error"]["code"], "NotFound");
        assert_eq!(error["error"]["exit"], ran.code);
        assert!(error["error"]["next"].is_string());
    }
}

#[test]
fn a_state_directory_that_is_not_there_is_not_made_by_looking() {
    let env = Env::new();
    for args in [["ip", "ls"], ["pool", "ls"], ["ip", "alloc"]] {
        let args = if args[1] == "alloc" {
            ["ip", "alloc", "x"].as_slice()
        } else {
            args.as_slice()
        };
        let ran = env.run(args);
        assert_eq!(ran.code, 5, "{ran:?}");
        assert!(
            ran.err.contains("there is no state directory DIR/state"),
            "{ran:?}"
        );
        assert!(
            ran.err.contains("openelb pool plan FILE --apply"),
            "{ran:?}"
        );
        assert!(!env.state().exists());
    }
}
