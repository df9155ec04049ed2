//! `openelb run`: starting, stopping, and refusing to.

use crate::testenv::{Env, POOL, files};

#[test]
fn told_to_stop_it_tidies_up_and_exits_with_success() {
    let env = Env::new();
    env.write("openelb.yaml", POOL);
    let daemon = env.daemon(&[]);
    let socket = daemon.socket();
    assert_eq!(daemon.stop(), Some(0));
    assert!(!socket.exists());
    assert_eq!(files(&env.state()), ["lock", "state.redb"]);
}

#[test]
fn a_second_daemon_is_refused_and_told_who_is_there() {
    let env = Env::new();
    env.write("openelb.yaml", POOL);
    let daemon = env.daemon(&[]);
    let ran = env.run(&["run", "openelb.yaml", "--no-announce", "--metrics", "off"]);
    assert_eq!(ran.code, 6);
    let holder = format!("DIR/state is in use by pid {} (openelb run)", daemon.pid());
    assert!(ran.err.contains(&holder), "{ran:?}");
    assert!(ran.err.contains("--state-dir"), "{ran:?}");
}

#[test]
fn a_daemon_starts_where_a_killed_one_left_its_socket_and_lock() {
    let env = Env::new();
    env.write("openelb.yaml", POOL);
    env.daemon(&[]).kill();
    assert!(env.state().join("control.sock").exists());
    assert_eq!(env.run(&["pool", "ls"]).code, 0, "the directory is free");
    let daemon = env.daemon(&[]);
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn an_invalid_configuration_stops_the_start_and_touches_nothing() {
    let env = Env::new();
    env.write("openelb.yaml", &POOL.replace("  protocol", "  protocl"));
    let ran = env.run(&["run", "openelb.yaml", "--no-announce"]);
    assert_eq!(ran.code, 3);
    insta::assert_snapshot!(ran.err);
    assert!(!env.state().exists());
}

#[test]
fn a_rehearsal_shows_everything_and_writes_nothing() {
    let env = Env::new();
    let service = "---\napiVersion: openelb.io/v1\nkind: Service\nmetadata: {name: web}\n";
    env.write("openelb.yaml", &format!("{POOL}{service}"));
    let ran = env.run(&["run", "openelb.yaml", "--dry-run"]);
    assert_eq!(ran.code, 0);
    insta::assert_snapshot!(ran.out);
    assert!(!env.state().exists());
}

#[test]
fn without_the_capability_the_message_has_the_exact_lines_to_write() {
    let env = Env::new();
    env.write("openelb.yaml", POOL);
    let binary = env!("CARGO_BIN_EXE_openelb");
    // Also root has no more than its bounding set after an exec; others have nothing to give up.
    let words: &[&str] = if nix::unistd::geteuid().is_root() {
        &[
            "setpriv",
            "--bounding-set",
            "-net_raw",
            "--inh-caps",
            "-net_raw",
            binary,
        ]
    } else {
        &[binary]
    };
    let output = env
        .prepare(std::process::Command::new(words[0]))
        .args(&words[1..])
        .args(["run", "openelb.yaml", "--metrics", "off"])
        .output()
        .unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(7), "{err}");
    assert!(err.contains("setcap cap_net_raw+ep"), "{err}");
    assert!(err.contains("AmbientCapabilities=CAP_NET_RAW"), "{err}");
    assert!(err.contains("--no-announce"), "{err}");
}

#[test]
fn log_lines_are_json_objects_when_asked_for() {
    let env = Env::new();
    env.write("openelb.yaml", POOL);
    let daemon = env.daemon(&["--log-format", "json"]);
    let log = daemon.log();
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["fields"]["message"].is_string(), "{line}");
    }
    assert!(log.lines().count() >= 2, "{log}");
}
