//! `openelb explain`.

use crate::testenv::{Env, POOL};

const TWO_POOLS: &str = "apiVersion: network.kubesphere.io/v1alpha2
kind: Eip
metadata: {name: blue-only}
spec: {address: 198.51.100.0/30, protocol: none, namespaces: [blue]}
---
apiVersion: network.kubesphere.io/v1alpha2
kind: Eip
metadata: {name: named-only}
spec: {address: 203.0.113.0/24, protocol: none, autoAssign: false}
---
apiVersion: openelb.io/v1
kind: Service
metadata: {namespace: red, name: web}
";

#[test]
fn a_service_without_an_address_learns_which_pool_refused_and_why() {
    let env = Env::new();
    env.write("openelb.yaml", TWO_POOLS);
    let _daemon = env.daemon(&[]);
    let ran = env.run(&["explain", "red/web"]);
    assert_eq!(ran.code, 4);
    insta::assert_snapshot!(ran.out);
}

#[test]
fn a_wish_is_explained_without_being_granted() {
    let env = Env::with_pools(TWO_POOLS);
    let ran = env.run(&["explain", "blue/web"]);
    assert_eq!(ran.code, 0);
    insta::assert_snapshot!(ran.out);
    assert_eq!(
        env.run(&["explain", "red/web", "--pool", "named-only"])
            .code,
        0
    );
    assert_eq!(env.run(&["ip", "ls"]).out, "nobody holds an address\n");
}

#[test]
fn an_address_is_explained_by_its_owner() {
    let env = Env::with_pools(POOL);
    env.run(&["ip", "alloc", "web"]);
    let ran = env.run(&["explain", "192.0.2.1"]);
    insta::assert_snapshot!(ran.out);
    assert_eq!(env.json(&["explain", "192.0.2.1"])["state"], "Used");
}
