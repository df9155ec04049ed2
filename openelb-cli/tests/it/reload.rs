//! Reloading: by plan, and never into an invalid configuration.

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::testenv::{Daemon, Env, POOL, addresses};

fn service(name: &str, more: &str) -> String {
    format!("---\napiVersion: openelb.io/v1\nkind: Service\nmetadata: {{name: {name}}}\n{more}")
}

/// Waits until so many configurations were put in force, or more: a file that changes is noticed with
/// and without a signal.
fn until_loads(env: &Env, daemon: &Daemon<'_>, loads: u64) -> Value {
    until_count(env, daemon, "loads", loads)
}

fn until_count(env: &Env, daemon: &Daemon<'_>, name: &str, count: u64) -> Value {
    env.until(&format!("{name} {count}"), || {
        let status = daemon.status();
        match status["config"][name].as_u64() {
            Some(seen) if seen >= count => Ok(status),
            _ => Err(status["config"].to_string()),
        }
    })
}

#[test]
fn a_changed_file_is_noticed_without_a_signal() {
    let env = Env::new();
    env.write("openelb.yaml", &format!("{POOL}{}", service("one", "")));
    let daemon = env.daemon(&[]);
    assert_eq!(addresses(&env.json(&["ip", "ls"])), ["192.0.2.1"]);
    env.write(
        "openelb.yaml",
        &format!("{POOL}{}{}", service("two", ""), service("one", "")),
    );
    until_loads(&env, &daemon, 2);
    assert_eq!(
        env.run(&["ip", "ls"])
            .out
            .lines()
            .skip(1)
            .collect::<Vec<_>>(),
        [
            "service/default/one  192.0.2.1  edge",
            "service/default/two  192.0.2.2  edge",
        ]
    );
}

#[test]
fn an_invalid_file_keeps_the_old_state_and_says_why() {
    let env = Env::new();
    let good = format!("{POOL}{}", service("one", ""));
    env.write("openelb.yaml", &good);
    let daemon = env.daemon(&[]);
    let before = env.json(&["ip", "ls"]);

    env.write(
        "openelb.yaml",
        &good.replace("192.0.2.0/24", "192.0.2.0/33"),
    );
    daemon.signal(Signal::SIGHUP);
    let status = until_count(&env, &daemon, "refusals", 1);
    assert_eq!(env.json(&["ip", "ls"]), before);
    assert_eq!(status["config"]["loads"], 1);
    let error = status["config"]["errors"][0].as_str().unwrap();
    assert!(error.starts_with("openelb.yaml:5:12: "), "{error}");
    assert!(
        daemon
            .log()
            .contains("configuration refused, the old one stays in force"),
        "{}",
        daemon.log()
    );
    assert!(
        env.run(&["status"])
            .out
            .contains("the configuration was refused"),
        "{status}"
    );

    let refusals = daemon.status()["config"]["refusals"].as_u64().unwrap();
    std::fs::remove_file(env.path("openelb.yaml")).unwrap();
    daemon.signal(Signal::SIGHUP);
    until_count(&env, &daemon, "refusals", refusals + 1);
    assert_eq!(env.json(&["ip", "ls"]), before);

    env.write("openelb.yaml", &good);
    daemon.signal(Signal::SIGHUP);
    env.until("no error any more", || {
        let config = daemon.status()["config"].clone();
        if config["errors"].as_array().unwrap().is_empty() {
            Ok(())
        } else {
            Err(config.to_string())
        }
    });
    assert_eq!(env.json(&["ip", "ls"]), before);
}

#[test]
fn a_service_that_is_removed_is_released_and_one_that_waits_is_served_at_once() {
    let env = Env::new();
    let pool = POOL.replace("192.0.2.0/24, 2001:db8::/64", "192.0.2.1");
    env.write(
        "openelb.yaml",
        &format!("{pool}{}{}", service("first", ""), service("second", "")),
    );
    let daemon = env.daemon(&[]);
    let status = daemon.status();
    assert_eq!(status["services"][1]["state"], "Waiting");
    assert!(
        status["services"][1]["detail"]
            .as_str()
            .unwrap()
            .contains("PoolExhausted"),
        "{status}"
    );
    env.write("openelb.yaml", &format!("{pool}{}", service("second", "")));
    daemon.signal(Signal::SIGHUP);
    until_loads(&env, &daemon, 2);
    assert_eq!(
        env.run(&["ip", "whois", "192.0.2.1"]).out,
        "192.0.2.1 is held by service/default/second (pool edge)\n"
    );
}

#[test]
fn a_waiting_service_is_served_when_an_address_is_released_by_hand() {
    let env = Env::with_pools(&POOL.replace("192.0.2.0/24, 2001:db8::/64", "192.0.2.1"));
    env.run(&["ip", "alloc", "guest"]);
    let pool = POOL.replace("192.0.2.0/24, 2001:db8::/64", "192.0.2.1");
    env.write("openelb.yaml", &format!("{pool}{}", service("host", "")));
    let daemon = env.daemon(&[]);
    assert_eq!(daemon.status()["services"][0]["state"], "Waiting");
    assert_eq!(env.run(&["ip", "release", "guest"]).code, 0);
    assert_eq!(daemon.status()["services"][0]["state"], "Silent");
}

#[test]
fn a_pool_that_shrinks_under_a_service_does_not_renumber_it() {
    let env = Env::new();
    let pinned = service("web", "spec: {addresses: [192.0.2.200]}\n");
    let free = service("web", "");
    env.write("openelb.yaml", &format!("{POOL}{pinned}"));
    let daemon = env.daemon(&[]);
    assert_eq!(addresses(&env.json(&["ip", "ls"])), ["192.0.2.200"]);
    env.write(
        "openelb.yaml",
        &format!("{}{free}", POOL.replace("192.0.2.0/24", "192.0.2.0/25")),
    );
    daemon.signal(Signal::SIGHUP);
    until_loads(&env, &daemon, 2);
    assert_eq!(addresses(&env.json(&["ip", "ls"])), ["192.0.2.200"]);
    assert_eq!(
        env.json(&["pool", "show", "edge"])["families"][0]["orphaned"],
        "1"
    );
}

#[test]
fn standby_and_never_hold_the_address_and_say_so() {
    let env = Env::new();
    let config = |mode: &str| {
        format!(
            "{POOL}{}",
            service("web", &format!("spec: {{announce: {mode}}}\n"))
        )
    };
    env.write("openelb.yaml", &config("Standby"));
    let daemon = env.daemon(&[]);
    assert_eq!(daemon.status()["services"][0]["state"], "Standby");
    for (mode, state) in [("Always", "Silent"), ("Never", "Allocated")] {
        env.write("openelb.yaml", &config(mode));
        daemon.signal(Signal::SIGHUP);
        let status = env.until(state, || {
            let status = daemon.status();
            if status["services"][0]["state"] == state {
                Ok(status)
            } else {
                Err(status.to_string())
            }
        });
        assert_eq!(addresses(&status["services"]), ["192.0.2.1"]);
    }
}
