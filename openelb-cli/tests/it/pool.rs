//! `openelb pool`.

use crate::testenv::{Env, POOL, addresses};

#[test]
fn a_list_shows_how_full_every_pool_is() {
    let env = Env::with_pools(POOL);
    env.run(&["ip", "alloc", "x", "--count", "10"]);
    insta::assert_snapshot!(env.run(&["pool", "ls"]).out);
    insta::assert_snapshot!(env.run(&["pool", "show", "edge"]).out);
    let pool = &env.json(&["pool", "show", "edge"]);
    assert_eq!(pool["families"][0]["used"], "10");
    assert_eq!(pool["families"][1]["capacity"], "18446744073709551615");
}

#[test]
fn a_map_draws_used_addresses_where_they_are() {
    let env = Env::with_pools(&POOL.replace(", 2001:db8::/64", ""));
    env.run(&["ip", "alloc", "x", "--count", "70"]);
    env.run(&["ip", "release", "x-5"]);
    insta::assert_snapshot!(env.run(&["pool", "map", "edge", "--width", "32"]).out);
    let map = env.json(&["pool", "map", "edge"]);
    let used: u64 = map["rows"][0]["used"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n.as_u64().unwrap())
        .sum();
    assert_eq!(used, 69);
}

#[test]
fn a_plan_says_what_an_edit_does_to_running_owners_before_it_is_done() {
    let env = Env::with_pools(POOL);
    let before = addresses(&env.json(&["ip", "alloc", "x", "--count", "3"]));
    env.write(
        "smaller.yaml",
        &POOL.replace("192.0.2.0/24", "192.0.2.2/31"),
    );
    let plan = env.run(&["pool", "plan", "smaller.yaml", "--exit-code"]);
    assert_eq!(plan.code, 10);
    insta::assert_snapshot!(plan.out);
    assert_eq!(
        env.json(&["pool", "show", "edge"])["families"][0]["capacity"],
        "254",
        "only a plan"
    );

    assert_eq!(
        env.run(&["pool", "plan", "smaller.yaml", "--apply"]).code,
        0
    );
    assert_eq!(
        addresses(&env.json(&["ip", "ls"])),
        before,
        "nobody is renumbered"
    );
    let again = env.run(&["pool", "plan", "smaller.yaml", "--exit-code"]);
    assert_eq!((again.code, again.out.as_str()), (0, "no change\n"));
}

#[test]
fn pools_of_a_running_daemon_come_from_its_configuration_only() {
    let env = Env::new();
    env.write("openelb.yaml", POOL);
    let _daemon = env.daemon(&[]);
    env.write(
        "other.yaml",
        &POOL.replace("192.0.2.0/24", "198.51.100.0/24"),
    );
    assert_eq!(env.run(&["pool", "plan", "other.yaml"]).code, 0);
    let ran = env.run(&["pool", "plan", "other.yaml", "--apply"]);
    assert_eq!(ran.code, 6);
    assert!(ran.err.contains("edit the configuration file"), "{ran:?}");
}
