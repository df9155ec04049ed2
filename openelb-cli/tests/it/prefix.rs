//! Addresses that follow a prefix: explained offline, kept over kill -9, shown and counted.

use std::fs;
use std::time::Duration;

use crate::testenv::{Daemon, Env, addresses, free_port, page};

/// A prefix by a mask, as metallb-dyn6 has it.
const OVERRIDE: &str = "{length: 64, keep: 56, override: '0:0:0:00cd::'}";

/// What would follow from the delegation of the worked example.
const EXPLAIN: [&str; 5] = [
    "prefix",
    "explain",
    "openelb.yaml",
    "--delegated",
    "2001:db8:aaaa:bb11::/64",
];

/// A directory with a prefix, a pool that follows it, and a service.
fn prepared(source: &str, subnet: &str, range: &str) -> Env {
    let config = format!(
        "apiVersion: network.kubesphere.io/v1alpha2
kind: DynamicPrefix
metadata: {{name: home}}
spec:
  sources:
  - {source}
  subnet: {subnet}
  holdDown: 0s
---
apiVersion: network.kubesphere.io/v1alpha2
kind: Eip
metadata: {{name: edge}}
spec: {{address: '192.0.2.0/24, {range}', protocol: none, autoAssign: true}}
---
apiVersion: openelb.io/v1
kind: Service
metadata: {{name: web}}
spec: {{ipFamilies: [IPv6]}}
"
    );
    let env = Env::new();
    env.write("openelb.yaml", &config);
    env
}

/// Waits until a service has this address.
fn until_held(env: &Env, address: &str) {
    env.until(address, || {
        let held = env.json(&["ip", "ls"]);
        let first = held["holders"][0]["addresses"][0]["address"]
            .as_str()
            .unwrap_or_default();
        if first == address {
            Ok(())
        } else {
            Err(held.to_string())
        }
    });
}

fn generation(daemon: &Daemon<'_>) -> u64 {
    daemon.status()["generation"].as_u64().unwrap()
}

#[test]
fn metallb_71_the_worked_example_is_explained_without_a_daemon() {
    let source = "routerAdvertisement: {interface: wan0}";
    let env = prepared(source, OVERRIDE, "home/::1000-::1999");
    assert_eq!(
        env.run(&EXPLAIN).out,
        "prefix home\n  \
           2001:db8:aaaa:bb11::/64  was delegated\n  \
           2001:db8:aaaa:bb00::/56  its first 56 bits are kept\n  \
           0:0:0:cd::               replaces bits 56 to 63\n  \
           2001:db8:aaaa:bbcd::/64  is used\n  \
           pool edge gives 2001:db8:aaaa:bbcd::1000 to 2001:db8:aaaa:bbcd::1999\n"
    );
    assert_eq!(
        env.json(&EXPLAIN)["prefixes"][0]["prefix"],
        "2001:db8:aaaa:bbcd::/64"
    );
}

#[test]
fn a_pool_without_its_prefix_or_without_room_is_told_with_the_line() {
    let source = "static: {prefix: '2001:db8::/56'}";
    let env = prepared(source, "{length: 120, number: 1}", "home/::1000, hom/::1");
    let ran = env.run(&["validate", "openelb.yaml"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    for expected in [
        "`home/::1000` needs 13 bits, and the /120 of DynamicPrefix home leaves 8",
        "`hom/::1`: there is no DynamicPrefix `hom`",
        "did you mean `home`?",
        "DIR/openelb.yaml:",
    ] {
        let said = format!("{}{}", ran.out, ran.err);
        let said = said.replace("openelb.yaml:", "DIR/openelb.yaml:");
        assert!(said.contains(expected), "{expected}: {ran:?}");
    }
}

#[test]
fn metallb_78_a_delegated_56_and_a_number_give_what_the_mask_gives() {
    let source = "static: {prefix: '2001:db8:aaaa:bb00::/56'}";
    let env = prepared(source, "{number: 0xcd}", "home/::1000-::1999");
    let _daemon = env.daemon(&[]);
    until_held(&env, "2001:db8:aaaa:bbcd::1000");
    let pool = env.json(&["pool", "show", "edge"]);
    assert_eq!(pool["follows"][0]["prefix"], "2001:db8:aaaa:bbcd::/64");
    assert_eq!(pool["ranges"], "192.0.2.0/24,home/::1000-::1999");
    let whois = env.run(&["ip", "whois", "home/::1000"]).out;
    assert!(
        whois.starts_with("2001:db8:aaaa:bbcd::1000 (home/::1000) is held by"),
        "{whois}"
    );
    assert_eq!(
        env.run(&["ip", "whois", "2001:db8:aaaa:bbcd::1000"]).out,
        whois
    );
}

#[test]
fn neither_a_change_of_prefix_writes_the_ledger_nor_does_kill_9_change_an_address() {
    let env = prepared("file: {path: prefix}", "{length: 64}", "home/::1000-::1fff");
    env.write("prefix", "2001:db8:a::/64\n");
    let daemon = env.daemon(&[]);
    until_held(&env, "2001:db8:a::1000");
    let before = generation(&daemon);
    env.write("prefix", "2001:db8:b::/64\n");
    until_held(&env, "2001:db8:b::1000");
    assert_eq!(generation(&daemon), before);
    // The grace period begins once the new address is announced, which nobody waits for here.
    let held = env.until("a moment at which the old address leaves", || {
        let held = env.json(&["ip", "ls"]);
        let former = &held["holders"][0]["addresses"][0]["former"][0];
        if former["until"].is_string() {
            Ok(held)
        } else {
            Err(held.to_string())
        }
    });
    assert_eq!(addresses(&held), ["2001:db8:a::1000", "2001:db8:b::1000"]);
    daemon.kill();
    assert_eq!(env.json(&["ip", "ls"]), held, "without a daemon");
    let daemon = env.daemon(&[]);
    assert_eq!(env.json(&["ip", "ls"]), held);
    assert_eq!(generation(&daemon), before);
    // Nothing more is written, however long it runs.
    let store = || fs::read(env.state().join("state.redb")).unwrap();
    let written = store();
    std::thread::sleep(Duration::from_millis(500));
    assert!(store() == written, "metallb_75: no change, no write");
}

#[test]
fn the_prefix_is_explained_watched_and_measured() {
    let source = "static: {prefix: '2001:db8:aaaa:bb11::/64'}";
    let env = prepared(source, OVERRIDE, "home/::1000-::1999");
    let at = format!("127.0.0.1:{}", free_port());
    let _daemon = env.daemon(&["--metrics", &at]);
    until_held(&env, "2001:db8:aaaa:bbcd::1000");
    let explained = env.run(&["prefix", "explain", "home"]).out;
    for expected in [
        "2001:db8:aaaa:bbcd::/64 is preferred since",
        "source 0 is always 2001:db8:aaaa:bb11::/64",
        "0:0:0:cd::               replaces bits 56 to 63",
    ] {
        assert!(explained.contains(expected), "{expected}: {explained}");
    }
    let watched = env.run(&["prefix", "watch", "--once"]).out;
    assert!(
        watched.contains("prefix home: 2001:db8:aaaa:bbcd::/64 is in use"),
        "{watched}"
    );
    let lines = env.run(&["prefix", "watch", "--once", "-o", "json"]).out;
    for line in lines.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["prefix"], "home");
    }
    let metrics = page(&at, "/metrics").1;
    for expected in [
        "openelb_prefix_generation{prefix=\"home\"} 1.0",
        "openelb_prefix_valid_seconds{prefix=\"home\"} inf",
        "openelb_prefix_renumber_total{prefix=\"home\"} 0",
    ] {
        assert!(metrics.contains(expected), "{expected}: {metrics}");
    }
    let missing = env.run(&["prefix", "explain", "office"]);
    assert_eq!(missing.code, 5, "{missing:?}");
    assert!(missing.err.contains("prefixes: home"), "{missing:?}");
}

#[test]
fn the_values_of_metallb_dyn6_become_a_configuration_that_is_valid() {
    let env = Env::new();
    let values = "dyn6:\n  source: my-ip\n  subnetOverride: {enabled: true, override: '0:0:0:00cd::', \
                  prefixLength: 56}\n  updateInterval: 60\nmetallb: {hostRange: '::1000-::1999', pool: edge}\n";
    env.write("values.yaml", values);
    let imported = env.run(&["import", "metallb-dyn6", "values.yaml"]);
    assert_eq!(imported.code, 0, "{imported:?}");
    env.write("openelb.yaml", &imported.out);
    assert_eq!(
        env.run(&["validate", "openelb.yaml"]).code,
        0,
        "{}",
        imported.out
    );
    assert_eq!(
        env.json(&EXPLAIN)["prefixes"][0]["prefix"],
        "2001:db8:aaaa:bbcd::/64"
    );
}
