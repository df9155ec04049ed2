//! `openelb ip`: with a daemon and without one.

use crate::testenv::{Env, POOL, addresses};

/// Every `ip` verb once, and what each said and exited with.
fn conversation(env: &Env) -> String {
    let steps: [&[&str]; 15] = [
        &["ip", "ls"],
        &["ip", "alloc", "web"],
        &["ip", "alloc", "web"],
        &["ip", "alloc", "shop/api", "--families", "dual"],
        &["ip", "alloc", "pinned", "--address", "192.0.2.77"],
        &["ip", "alloc", "late", "--address", "192.0.2.77"],
        &["ip", "alloc", "outside", "--address", "203.0.113.1"],
        &["ip", "reserve", "192.0.2.50", "--name", "router"],
        &["ip", "whois", "192.0.2.50"],
        &["ip", "whois", "192.0.2.0"],
        &["ip", "whois", "203.0.113.1"],
        &["ip", "ls", "-n", "shop", "-o", "json"],
        &["ip", "release", "shop/api"],
        &["ip", "release", "shop/api"],
        &["ip", "ls"],
    ];
    let mut told = String::new();
    for step in steps {
        let ran = env.run(step);
        told.push_str(&format!(
            "$ openelb {}\n{}{}exit {}\n",
            step.join(" "),
            ran.out,
            ran.err,
            ran.code
        ));
    }
    told
}

#[test]
fn a_daemon_and_a_directory_give_the_same_answers() {
    let directory = Env::with_pools(POOL);
    let without = conversation(&directory);

    let env = Env::with_pools(POOL);
    let daemon = env.daemon(&[]);
    let with = conversation(&env);
    assert_eq!(without, with);
    assert_eq!(daemon.stop(), Some(0));
    insta::assert_snapshot!(without);
}

#[test]
fn what_the_daemon_gave_is_there_without_it_and_the_other_way_round() {
    let env = Env::with_pools(POOL);
    let before = addresses(&env.json(&["ip", "alloc", "early"]));
    let daemon = env.daemon(&[]);
    let during = addresses(&env.json(&["ip", "alloc", "middle"]));
    daemon.stop();
    let after = env.json(&["ip", "ls"]);
    assert_eq!(addresses(&after), [before, during].concat());
}

#[test]
fn owners_share_an_address_by_key_and_different_ports_only() {
    let env = Env::with_pools(POOL);
    let alloc = |owner: &str, port: &str| {
        let more = [
            "--address",
            "192.0.2.9",
            "--sharing-key",
            "blue",
            "--port",
            port,
        ];
        env.run(&[&["ip", "alloc", owner], more.as_slice()].concat())
    };
    assert_eq!(alloc("http", "tcp/80").code, 0);
    assert_eq!(alloc("https", "tcp/443").code, 0);
    let clash = alloc("other", "tcp/80");
    assert_eq!(clash.code, 4);
    insta::assert_snapshot!(clash.err);
    assert_eq!(
        env.run(&["ip", "whois", "192.0.2.9"]).out,
        "192.0.2.9 is held by manual/default/http and manual/default/https (pool edge)\n"
    );
}

#[test]
fn a_full_pool_refuses_and_says_what_would_help() {
    let env = Env::with_pools(&POOL.replace("192.0.2.0/24, 2001:db8::/64", "192.0.2.1"));
    assert_eq!(env.run(&["ip", "alloc", "a"]).code, 0);
    let ran = env.run(&["ip", "alloc", "b"]);
    assert_eq!(ran.code, 4);
    insta::assert_snapshot!(ran.err);
    let ran = env.run(&["ip", "alloc", "b", "-o", "json"]);
    assert_eq!(ran.code, 4);
    let answer: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(answer["refused"][0]["reason"], "PoolExhausted");
    assert!(
        env.run(&["ip", "ls"]).out.lines().count() == 2,
        "a refused owner does not wait"
    );
}

#[test]
fn every_format_names_the_same_addresses() {
    let env = Env::with_pools(POOL);
    env.run(&["ip", "alloc", "web", "--families", "dual"]);
    let json = env.json(&["ip", "ls"]);
    let yaml = env.run(&["ip", "ls", "-o", "yaml"]).out;
    let yaml: serde_json::Value = serde_saphyr::from_str(&yaml).unwrap();
    assert_eq!(json, yaml);
    let table = env.run(&["ip", "ls"]).out;
    for address in addresses(&json) {
        assert!(table.contains(&address), "{table}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let env = Env::with_pools(POOL);
    env.run(&["ip", "alloc", "many", "--count", "5000", "--families", "v6"]);
    let mut child = env
        .command(&["ip", "ls"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
