//! The election's object and verbs, as far as they need no network.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::testenv::Env;

const CONFIG: &str = "apiVersion: network.kubesphere.io/v1alpha2
kind: Eip
metadata: {name: edge}
spec: {address: 192.0.2.0/24, protocol: layer2, interface: eth0, autoAssign: true}
---
apiVersion: network.kubesphere.io/v1alpha2
kind: Layer2Conf
metadata: {name: default}
spec:
  keyFile: l2.key
---
apiVersion: openelb.io/v1
kind: Service
metadata: {name: web}
spec:
  addresses: [192.0.2.10]
";

/// An environment with a key that only its owner may read.
fn env() -> Env {
    let env = Env::new();
    env.write("l2.key", "correct horse battery staple\n");
    let private = fs::Permissions::from_mode(0o600);
    fs::set_permissions(env.path("l2.key"), private).unwrap();
    env
}

fn validated(env: &Env, config: &str) -> (i32, String) {
    env.write("openelb.yaml", config);
    let ran = env.run(&["validate", "openelb.yaml", "--node-name", "node-a"]);
    (ran.code, ran.out)
}

#[test]
fn an_election_with_a_private_key_is_valid() {
    let (code, said) = validated(&env(), CONFIG);
    assert_eq!(
        (code, said.as_str()),
        (0, "valid: 1 pool, 1 service, elected as node-a\n")
    );
}

#[test]
fn every_fault_of_the_election_is_told_with_its_line_key_and_next_step() {
    let wrong = "spec:
  keyFile: lost.key
  profil: Fast
  profile: Faster
  port: 70000
  peers: [node-b]
  hold: soon
  shards: 0
  nodes:
  - {name: node a, weight: 0}
";
    let config = CONFIG.replace("spec:\n  keyFile: l2.key\n", wrong);
    let config = config.replace(
        "autoAssign: true}",
        "autoAssign: true, layer2: {nodes: [a b]}}",
    );
    let (code, said) = validated(&env(), &config);
    assert_eq!(code, 3);
    insta::assert_snapshot!("misread_election", said);
    let config = config.replace("  profil: Fast\n  profile: Faster\n", "");
    let (code, said) = validated(&env(), &config);
    assert_eq!(code, 3);
    insta::assert_snapshot!("wrong_election", said);
}

#[test]
fn an_election_without_a_key_is_refused_with_the_command_that_makes_one() {
    let config = CONFIG.replace("spec:\n  keyFile: l2.key\n", "spec: {}\n");
    let (code, said) = validated(&env(), &config);
    assert_eq!(code, 3);
    assert!(said.contains("openssl rand -hex 32"), "{said}");
    let config = config.replace("spec: {}\n", "spec: {insecureWithoutKey: true}\n");
    let (code, said) = validated(&env(), &config);
    assert_eq!(code, 0);
    assert!(
        said.contains("not signed") && said.contains("1 to look at"),
        "{said}"
    );
}

#[test]
fn a_key_that_others_may_read_is_a_warning_with_the_command_that_mends_it() {
    let env = env();
    let open = fs::Permissions::from_mode(0o644);
    fs::set_permissions(env.path("l2.key"), open).unwrap();
    let (code, said) = validated(&env, CONFIG);
    assert_eq!(code, 0);
    assert!(
        said.contains("mode 644") && said.contains("chmod 600"),
        "{said}"
    );
    assert!(!said.contains("horse"), "{said}");
}

#[test]
fn a_profile_that_needs_real_time_says_how_to_get_it() {
    let config = CONFIG.replace("l2.key\n", "l2.key\n  profile: Fast\n");
    let env = env();
    env.write("openelb.yaml", &config);
    // As somebody who may not: without capabilities and with a limit of zero.
    let mut command = env.prepare(std::process::Command::new("setpriv"));
    let binary = env!("CARGO_BIN_EXE_openelb");
    command.args(["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]);
    command.args([
        "prlimit",
        "--rtprio=0:0",
        binary,
        "validate",
        "openelb.yaml",
    ]);
    command.args(["--node-name", "node-a"]);
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("CAP_SYS_NICE") && said.contains("LimitRTPRIO"),
        "{said}"
    );
    assert!(
        said.contains("profile: Fast\n"),
        "it shows the line: {said}"
    );
}

#[test]
fn services_that_nodes_may_give_different_addresses_are_pointed_at_once() {
    let config = CONFIG.replace("spec:\n  addresses: [192.0.2.10]\n", "");
    let more = "---\napiVersion: openelb.io/v1\nkind: Service\nmetadata: {name: api}\n";
    let (code, said) = validated(&env(), &format!("{config}{more}"));
    assert_eq!(code, 0);
    assert_eq!(said.matches("different addresses").count(), 1, "{said}");
    assert!(
        said.contains("1 more like it") && said.contains("addresses:"),
        "{said}"
    );
}

#[test]
fn a_service_on_standby_in_an_election_is_pointed_at() {
    let config = CONFIG.replace("[192.0.2.10]", "[192.0.2.10]\n  announce: Standby");
    let (code, said) = validated(&env(), &config);
    assert_eq!(code, 0);
    assert!(
        said.contains("spec.announce") && said.contains("spec.layer2.nodes"),
        "{said}"
    );
}

#[test]
fn a_second_object_is_not_used_and_a_name_that_no_node_can_have_is_refused() {
    let env = env();
    let other = CONFIG.replace("name: default", "name: other");
    let (code, said) = validated(&env, &other);
    assert_eq!(code, 0);
    assert!(said.contains("Layer2Conf `other` is not used"), "{said}");
    env.write("openelb.yaml", CONFIG);
    let ran = env.run(&["validate", "openelb.yaml", "--node-name", "node a"]);
    assert_eq!(ran.code, 3);
    assert!(ran.out.contains("--node-name"), "{}", ran.out);
}
