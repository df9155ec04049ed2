//! What the objects mean, and what is said about those that cannot be used.

use std::time::Duration;

use openelb_announce::ownership::{self, Group, Key, KeyRing, Standing};

use super::{Election, Keys, Meaning, Member, election};
use crate::api::{Eip, Layer2Conf, Profile};
use crate::bgp::PasswordSource;
use crate::problem::{Problem, Reason};

/// The keys of a test.
struct Shelf;

impl Keys for Shelf {
    fn key(&self, source: PasswordSource<'_>) -> Result<Vec<u8>, String> {
        match source {
            PasswordSource::File("l2.key") => Ok(b"correct horse battery".to_vec()),
            PasswordSource::File("old.key") => Ok(b"staple in the haystack".to_vec()),
            PasswordSource::File("short.key") => Ok(b"swordfish".to_vec()),
            PasswordSource::File(name) => Err(format!("there is no file {name}")),
            PasswordSource::Secret { name, .. } => Err(format!("there is no Secret {name}")),
        }
    }
}

fn conf(spec: &str) -> Layer2Conf {
    let text = format!(
        "{{apiVersion: network.kubesphere.io/v1alpha2, kind: Layer2Conf, \
         metadata: {{name: default}}, spec: {spec}}}"
    );
    serde_saphyr::from_str(&text).expect("a Layer2Conf")
}

fn pool(name: &str, spec: &str) -> Eip {
    let text = format!(
        "{{apiVersion: network.kubesphere.io/v1alpha2, kind: Eip, metadata: {{name: {name}}}, \
         spec: {{address: 192.0.2.0/24, protocol: layer2, interface: eth0, {spec}}}}}"
    );
    serde_saphyr::from_str(&text).expect("an Eip")
}

fn meant(spec: &str, pools: &[Eip]) -> Meaning {
    election(Some(&conf(spec)), pools, "node-a", &Shelf)
}

fn elected(spec: &str, pools: &[Eip]) -> Election {
    let meant = meant(spec, pools);
    assert_eq!(meant.problems, [], "{spec}");
    meant.election.expect("an election")
}

/// The only remark about the objects.
fn problem(spec: &str, pools: &[Eip]) -> Problem {
    let mut problems = meant(spec, pools).problems;
    assert_eq!(problems.len(), 1, "{spec}: {problems:?}");
    problems.remove(0)
}

const KEYED: &str = "{keyFile: l2.key}";

#[test]
fn an_object_with_a_key_alone_means_the_defaults() {
    let election = elected(KEYED, &[]);
    assert_eq!(election.profile, Profile::Normal);
    assert_eq!((election.port, election.shards), (7947, 256));
    assert_eq!(election.hold, Duration::from_secs(30));
    assert_eq!(election.dwell, Duration::from_secs(10));
    assert!(election.preempt && election.peers.is_empty());
    assert_eq!((election.weight, election.preference), (100, 0));
}

#[test]
fn every_field_arrives() {
    let election = elected(
        "{profile: Fast, port: 7000, keyFile: l2.key, previousKeyFiles: [old.key], \
         peers: [192.0.2.2, '2001:db8::2'], hold: 1m, dwell: 0s, preempt: false, shards: 16, \
         nodes: [{name: node-b, weight: 1}, {name: node-a, weight: 50, preference: 7}]}",
        &[],
    );
    assert_eq!(election.profile, Profile::Fast);
    assert_eq!((election.port, election.shards), (7000, 16));
    let key = |secret: &[u8]| Key::new(secret).unwrap();
    let (first, old) = (
        key(b"correct horse battery"),
        key(b"staple in the haystack"),
    );
    assert_eq!(election.keys, KeyRing::new(first, [old]));
    let settings = election.settings(7);
    assert_eq!(settings.timing, ownership::Profile::Fast.timing());
    assert_eq!((settings.boot, settings.preempt), (7, false));
    assert_eq!(election.peers.len(), 2);
    assert_eq!(election.hold, Duration::from_mins(1));
    assert_eq!(election.dwell, Duration::ZERO);
    assert!(!election.preempt);
    assert_eq!((election.weight, election.preference), (50, 7));
}

#[test]
fn without_a_key_nothing_is_elected_unless_it_is_said_aloud() {
    let refused = problem("{}", &[]);
    assert_eq!(
        (refused.reason, refused.key.as_str()),
        (Reason::Invalid, "spec.keyFile")
    );
    assert!(refused.next.contains("openssl rand -hex 32"), "{refused}");
    assert!(meant("{}", &[]).election.is_none());

    let aloud = meant("{insecureWithoutKey: true}", &[]);
    assert!(!aloud.problems[0].is_error() && aloud.problems[0].reason == Reason::Insecure);
    assert_eq!(
        aloud.election.expect("an election").keys,
        KeyRing::unsigned()
    );
}

#[test]
fn each_fault_names_its_key_and_what_to_write() {
    for &(spec, key, fact) in FAULTS {
        let problem = problem(spec, &[]);
        assert_eq!(problem.key, key, "{spec}");
        assert!(problem.message.contains(fact), "{spec}: {problem}");
        assert!(!problem.next.is_empty() && problem.is_error(), "{spec}");
        assert!(meant(spec, &[]).election.is_none(), "{spec}");
    }
}

#[test]
fn a_host_whose_name_is_none_of_a_node_is_told_how_to_name_it() {
    let meant = election(Some(&conf(KEYED)), &[], "node a", &Shelf);
    assert!(meant.problems[0].next.contains("--node-name"));
    assert!(meant.election.is_none());
}

#[test]
fn no_remark_and_no_debug_output_shows_a_key() {
    let shown = format!("{:?}", elected(KEYED, &[]));
    assert!(!shown.contains("horse"), "{shown}");
    let told = problem("{keyFile: short.key}", &[]).to_string();
    assert!(!told.contains("swordfish"), "{told}");
}

#[test]
fn sole_ownership_elects_nobody_and_wishes_about_nodes_are_then_without_effect() {
    let wished = pool("edge", "layer2: {preferredNodes: [node-a]}");
    let pools = std::slice::from_ref(&wished);
    let ignored = problem("{ownership: Sole, keyFile: l2.key}", pools);
    assert_eq!(
        (ignored.reason, ignored.key.as_str()),
        (Reason::Ignored, "spec.layer2")
    );
    let alone = election(None, pools, "node-a", &Shelf);
    assert!(alone.election.is_none() && !alone.problems[0].is_error());
    let routed = pool("edge", "layer2: {nodes: [a]}");
    let mut routed = routed;
    routed.spec.protocol = crate::api::Protocol::Bgp;
    assert_eq!(problem(KEYED, &[routed]).reason, Reason::Ignored);
}

#[test]
fn a_preferred_node_that_may_not_answer_is_a_fault() {
    let problem = problem(
        KEYED,
        &[pool("edge", "layer2: {preferredNodes: [b], nodes: [a]}")],
    );
    assert_eq!(problem.key, "spec.layer2.preferredNodes[0]");
    assert!(problem.is_error());
}

fn member<'a>(service: &'a str, pool: &'a str, health: Option<bool>) -> Member<'a> {
    Member {
        service,
        pool,
        health,
    }
}

fn tier(group: &Group) -> Option<u8> {
    match group.standing {
        Standing::Excluded => None,
        Standing::Eligible { preference, .. } => Some(preference),
    }
}

#[test]
fn services_without_a_check_share_a_group_and_a_checked_one_has_its_own() {
    let election = elected(KEYED, &[]);
    let plain = election.group(&[member("service/shop/web", "edge", None)]);
    assert_eq!((plain.name.as_str(), plain.shards), ("default", 256));
    assert_eq!(plain, election.default_group());
    let checked = election.group(&[
        member("service/shop/web", "edge", Some(true)),
        member("service/shop/api", "edge", None),
    ]);
    assert_eq!(
        (checked.name.as_str(), checked.shards),
        ("service/shop/web", 1)
    );
}

#[test]
fn metallb_44_a_service_that_answers_nowhere_is_announced_by_nobody() {
    let election = elected(KEYED, &[]);
    let dead = election.group(&[member("service/shop/web", "edge", Some(false))]);
    assert_eq!(dead.standing, Standing::Excluded);
}

#[test]
fn a_node_on_which_all_sharers_answer_comes_before_one_on_which_some_do() {
    let election = elected(KEYED, &[]);
    let sharers = |dns| {
        let members = [
            member("service/shop/dns", "edge", Some(dns)),
            member("service/shop/web", "edge", Some(true)),
        ];
        election.group(&members)
    };
    assert!(tier(&sharers(true)) > tier(&sharers(false)));
    assert!(tier(&sharers(false)).is_some());
    assert_eq!(sharers(true).name, sharers(false).name);
}

#[test]
fn metallb_43_a_pool_that_names_its_nodes_is_announced_by_them_only() {
    let only = |node: &str| pool("edge", &format!("layer2: {{nodes: [{node}]}}"));
    let web = [member("service/shop/web", "edge", None)];
    let here = elected(KEYED, &[only("node-a")]).group(&web);
    let elsewhere = elected(KEYED, &[only("node-b")]).group(&web);
    assert_eq!(here.name.as_str(), "pool/edge");
    assert!(tier(&here).is_some() && tier(&elsewhere).is_none());
}

#[test]
fn a_preferred_node_comes_before_all_preferences_of_nodes() {
    let pools = [pool("edge", "layer2: {preferredNodes: [node-a]}")];
    let web = [member("service/shop/web", "edge", None)];
    let preferred = elected(KEYED, &pools).group(&web);
    let highest = "{keyFile: l2.key, nodes: [{name: node-a, preference: 63}]}";
    assert!(tier(&preferred) > tier(&elected(highest, &[]).group(&web)));
}

/// A specification, the key at fault, and a word of the remark.
const FAULTS: &[(&str, &str, &str)] = &[
    ("{keyFile: lost.key}", "spec.keyFile", "no file lost.key"),
    ("{keyFile: short.key}", "spec.keyFile", "9 octets"),
    ("{keySecret: {name: l2}}", "spec.keySecret", "no Secret l2"),
    (
        "{keyFile: l2.key, keySecret: {name: l2}}",
        "spec.keySecret",
        "twice",
    ),
    (
        "{keyFile: l2.key, insecureWithoutKey: true}",
        "spec.insecureWithoutKey",
        "there is a key",
    ),
    (
        "{keyFile: l2.key, previousKeyFiles: [lost.key]}",
        "spec.previousKeyFiles[0]",
        "lost.key",
    ),
    ("{keyFile: l2.key, port: 0}", "spec.port", "`port` is 0"),
    ("{keyFile: l2.key, port: 65536}", "spec.port", "65536"),
    ("{keyFile: l2.key, shards: 1025}", "spec.shards", "1025"),
    (
        "{keyFile: l2.key, hold: soon}",
        "spec.hold",
        "`soon` is not a duration",
    ),
    ("{keyFile: l2.key, dwell: 2h}", "spec.dwell", "too long"),
    (
        "{keyFile: l2.key, dwell: -1s}",
        "spec.dwell",
        "not a duration",
    ),
    (
        "{keyFile: l2.key, peers: [node-b]}",
        "spec.peers[0]",
        "no address",
    ),
    (
        "{keyFile: l2.key, peers: [ff02::1]}",
        "spec.peers[0]",
        "no host's address",
    ),
    (
        "{keyFile: l2.key, peers: [192.0.2.2, 192.0.2.2]}",
        "spec.peers[1]",
        "twice",
    ),
    (
        "{keyFile: l2.key, nodes: [{name: a b}]}",
        "spec.nodes[0].name",
        "`a b`",
    ),
    (
        "{keyFile: l2.key, nodes: [{name: a}, {name: a}]}",
        "spec.nodes[1].name",
        "twice",
    ),
    (
        "{keyFile: l2.key, nodes: [{name: a, weight: 0}]}",
        "spec.nodes[0].weight",
        "is 0",
    ),
    (
        "{keyFile: l2.key, nodes: [{name: a, preference: 64}]}",
        "spec.nodes[0].preference",
        "64",
    ),
];
