//! `openelb status`.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use nix::sys::signal::Signal;

use crate::testenv::{Env, POOL};

const SERVICE: &str = "---\napiVersion: openelb.io/v1\nkind: Service\nmetadata: {name: web}\nspec: {announce: Standby}\n";

#[test]
fn everything_is_on_one_screen() {
    let env = Env::new();
    env.write("openelb.yaml", &format!("{POOL}{SERVICE}"));
    let daemon = env.daemon(&[]);
    let shown = env
        .run(&["status"])
        .out
        .replace(&format!("pid {}", daemon.pid()), "pid PID");
    insta::assert_snapshot!(shown.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn watching_shows_each_change_once() {
    let env = Env::new();
    env.write("openelb.yaml", &format!("{POOL}{SERVICE}"));
    let daemon = env.daemon(&[]);
    let mut watcher = env
        .command(&["status", "--watch"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watcher.stdout.take().unwrap()).lines();
    let mut next_state = || {
        lines.find_map(|line| {
            let line = line.unwrap();
            line.starts_with("service/default/web").then_some(line)
        })
    };
    assert!(next_state().unwrap().contains("standby"));
    env.write(
        "openelb.yaml",
        &format!("{POOL}{}", SERVICE.replace("Standby", "Never")),
    );
    daemon.signal(Signal::SIGHUP);
    assert!(next_state().unwrap().contains("allocated"));
    watcher.kill().unwrap();
    watcher.wait().unwrap();
}
