//! `openelb doctor`.

use crate::explain::{api_server, cluster, kubeconfig};
use crate::testenv::Env;

#[test]
fn what_nobody_stands_behind_in_a_cluster_is_listed_with_the_next_step() {
    let env = Env::new();
    kubeconfig(&env, api_server(cluster()));
    let ran = env.run(&LEAKS);
    let said = (ran.code, ran.out.as_str());
    assert_eq!(said, (0, "nothing leaks (Eips: 1, Services: 1)\n"));

    let without_services = cluster()
        .into_iter()
        .filter(|(path, _)| *path != "/api/v1/services");
    kubeconfig(&env, api_server(without_services.collect()));
    let ran = env.run(&LEAKS);
    assert_eq!(ran.code, 11, "{ran:?}");
    insta::assert_snapshot!(ran.out);
    let ran = env.run(&[&LEAKS[..], &["-o", "json"]].concat());
    let data: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(data["leaks"][0]["object"], "eip/edge");
}

#[test]
fn a_cluster_out_of_reach_is_no_cluster_without_leaks() {
    let env = Env::new();
    // Nobody listens at the discard port.
    kubeconfig(&env, 9);
    let ran = env.run(&LEAKS);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
    assert!(ran.err.contains("next: check the address"), "{ran:?}");
}

const LEAKS: [&str; 6] = [
    "doctor",
    "leaks",
    "--kubeconfig",
    "kubeconfig",
    "--context",
    "test",
];
