//! Many allocations at once, and many processes at once.

use std::collections::BTreeSet;

use crate::testenv::{Env, POOL, addresses};

#[test]
fn a_hundred_thousand_addresses_in_one_request_are_all_different_and_all_there_later() {
    let env = Env::with_pools(POOL);
    let args = [
        "ip",
        "alloc",
        "bulk/host",
        "--count",
        "100000",
        "--families",
        "v6",
    ];
    let given = addresses(&env.json(&args));
    let distinct: BTreeSet<_> = given.iter().collect();
    assert_eq!(distinct.len(), 100_000);
    assert_eq!(
        addresses(&env.json(&args)),
        given,
        "the same request again gives the same"
    );
    assert_eq!(addresses(&env.json(&["ip", "ls"])), given);
}

#[test]
fn a_hundred_thousand_addresses_of_a_daemon_survive_its_death() {
    let env = Env::with_pools(POOL);
    let daemon = env.daemon(&[]);
    let args = [
        "ip",
        "alloc",
        "bulk/host",
        "--count",
        "100000",
        "--families",
        "v6",
    ];
    let given = addresses(&env.json(&args));
    daemon.kill();
    assert_eq!(addresses(&env.json(&["ip", "ls"])), given);
}

#[test]
fn owners_come_from_a_file_or_from_standard_input() {
    let env = Env::with_pools(POOL);
    env.write("owners", "# three\nshop/a\n\nshop/b\n  shop/c  \n");
    let given = env.json(&["ip", "alloc", "--from-file", "owners"]);
    assert_eq!(addresses(&given), ["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
    let ran = env.run_with_input(&["ip", "release", "--from-file", "-"], "shop/a\nshop/c\n");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(addresses(&env.json(&["ip", "ls"])), ["192.0.2.2"]);
}

#[test]
fn a_request_that_is_too_large_for_its_pool_says_who_got_nothing() {
    let env = Env::with_pools(&POOL.replace("192.0.2.0/24, 2001:db8::/64", "192.0.2.1-192.0.2.2"));
    let ran = env.run(&["ip", "alloc", "x", "--count", "3"]);
    assert_eq!(ran.code, 4);
    insta::assert_snapshot!(ran.out);
}

#[test]
fn processes_that_allocate_at_the_same_time_never_get_the_same_address() {
    let env = Env::with_pools(POOL);
    let children: Vec<_> = (0..24)
        .map(|number| {
            env.command(&["ip", "alloc", &format!("p{number}"), "-o", "json"])
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut given = Vec::new();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        given.extend(addresses(&serde_json::from_slice(&output.stdout).unwrap()));
    }
    given.sort();
    assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), 24);
    assert_eq!(addresses(&env.json(&["ip", "ls"])), given);
}
