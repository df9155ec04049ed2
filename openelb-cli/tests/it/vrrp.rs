//! The objects and verbs of virtual routers, as far as they need no network.

use crate::testenv::{Env, free_port, page};

fn pool(name: &str, address: &str, interface: &str, vrrp: &str) -> String {
    format!(
        "---
apiVersion: network.kubesphere.io/v1alpha2
kind: Eip
metadata: {{name: {name}}}
spec:
  address: {address}
  protocol: vip
  interface: {interface}
  autoAssign: true
  vrrp: {vrrp}
"
    )
}

const SERVICE: &str = "---
apiVersion: openelb.io/v1
kind: Service
metadata: {namespace: shop, name: web}
spec: {addresses: [192.0.2.1]}
";

fn validated(config: &str) -> (i32, String) {
    let env = Env::new();
    env.write("openelb.yaml", config);
    let ran = env.run(&["validate", "openelb.yaml"]);
    (ran.code, ran.out)
}

#[test]
fn every_fault_of_a_virtual_router_is_told_with_its_line_key_and_next_step() {
    let vrrp = "
    vrid: 256
    vridRange: 9-1
    priority: 255
    advertisementInterval: 5ms
    version: 4
    unicastPeers: [router]
    acceptMod: true
    authentication: {type: PASS, pass: swordfish}";
    let (code, said) = validated(&pool("edge", "192.0.2.0/24", "eth0", vrrp));
    assert_eq!(code, 3);
    assert!(!said.contains("swordfish"), "{said}");
    insta::assert_snapshot!("misread_virtual_router", said);
    let vrrp = vrrp.replace("    acceptMod: true\n", "");
    let (code, said) = validated(&pool("edge", "192.0.2.0/24", "eth0", &vrrp));
    assert_eq!(code, 3);
    assert!(!said.contains("swordfish"), "{said}");
    insta::assert_snapshot!("wrong_virtual_router", said);
}

#[test]
fn two_pools_must_not_share_a_vrid_on_one_link() {
    let first = pool("one", "192.0.2.0/25", "eth0", "{vridRange: 10-20}");
    let second = |address: &str, interface: &str, vrrp: &str| {
        validated(&format!("{first}{}", pool("two", address, interface, vrrp)))
    };
    let (code, said) = second("192.0.2.128/25", "eth0", "{vrid: 20}");
    assert_eq!(code, 3);
    for words in [
        "VRIDs 20 overlap with 10-20 of pool one",
        "spec.vrrp.vrid",
        "vridRange:",
    ] {
        assert!(said.contains(words), "{words} is missing in:\n{said}");
    }
    assert_eq!(
        second("192.0.2.128/25", "eth*", "{vrid: 20}").0,
        3,
        "a pattern may mean eth0"
    );
    for (address, interface, vrrp) in [
        ("192.0.2.128/25", "eth0", "{vrid: 21}"),
        ("192.0.2.128/25", "eth1", "{vrid: 20}"),
        ("2001:db8::/64", "eth0", "{vrid: 20}"),
    ] {
        let (code, said) = second(address, interface, vrrp);
        assert_eq!(code, 0, "{address} {interface} {vrrp}: {said}");
    }
}

#[test]
fn a_daemon_that_announces_nothing_says_so_to_every_verb_of_the_link() {
    let env = Env::new();
    let config = pool("edge", "192.0.2.0/24", "eth0", "{vrid: 51, priority: 150}");
    env.write("openelb.yaml", &format!("{config}{SERVICE}"));
    let at = format!("127.0.0.1:{}", free_port());
    let daemon = env.daemon(&["--metrics", &at]);
    let shown = env.run(&["vrrp", "show"]);
    assert_eq!(shown.code, 0);
    insta::assert_snapshot!(shown.out);
    assert_eq!(
        env.json(&["vrrp", "show", "51"])["routers"][0]["pool"],
        "edge"
    );
    assert_eq!(env.run(&["vrrp", "show", "52"]).code, 5);
    let owners = env.run(&["l2", "owners"]);
    assert_eq!(owners.code, 0);
    assert!(owners.out.contains("no Layer2Conf"), "{}", owners.out);
    assert_eq!(env.run(&["l2", "owners", "192.0.2.1"]).code, 5);
    assert_eq!(env.run(&["l2", "monitor", "--once"]).out, "");
    assert_eq!(env.run(&["drain", "node-z"]).code, 5);
    let (_, metrics) = page(&at, "/metrics");
    let sample =
        "openelb_vrrp_state{router=\"edge-51-ipv4\",interface=\"\",state=\"Initialize\"} 1.0";
    assert!(metrics.contains(sample), "{metrics}");
    assert!(daemon.status()["vrrp"]["routers"].is_array());
}

#[test]
fn verbs_of_the_link_need_a_daemon_and_say_so() {
    let env = Env::new();
    for words in [
        &["l2", "owners"][..],
        &["l2", "monitor", "--once"],
        &["vrrp", "show"],
    ] {
        let ran = env.run(words);
        assert_eq!(ran.code, 9, "{words:?}: {ran:?}");
        assert!(ran.err.contains("openelb run"), "{}", ran.err);
    }
}
