//! The same words to host-local and to this plugin: the same answers, but for what is listed here.

use serde_json::{Value, json};

use crate::plugin::{Answer, Network};
use crate::skip;

/// Both plugins, each with a directory of its own.
struct Pair {
    ours: Network,
    theirs: Network,
}

impl Pair {
    fn new(ipam: &Value) -> Option<Self> {
        let program = skip::debian("host-local")?;
        let make = || {
            let mut network = Network::new(ipam.clone());
            // The newest version that Debian's knows.
            network.version = "1.0.0";
            network
        };
        let (ours, mut theirs) = (make(), make());
        theirs.program = program;
        Some(Self { ours, theirs })
    }

    /// Both answers to the same words.
    fn run(&self, command: &str, container: &str, more: &Value, arguments: &str) -> [Answer; 2] {
        [&self.ours, &self.theirs].map(|network| network.run(command, container, more, arguments))
    }

    /// Asserts that they answer alike, and leave alike files.
    fn agree(&self, command: &str, container: &str, more: &Value, arguments: &str) {
        let [ours, theirs] = self.run(command, container, more, arguments);
        let what =
            format!("{command} {container} {more} {arguments}\nours {ours:?}\ntheirs {theirs:?}");
        assert_eq!(ours.is_success, theirs.is_success, "{what}");
        if ours.is_success {
            assert_eq!(ours.json, theirs.json, "{what}");
        }
        assert_eq!(self.ours.leases(), self.theirs.leases(), "{what}");
    }
}

/// A deterministic sequence of small numbers.
fn numbers(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |below| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    }
}

#[test]
fn random_histories_get_the_same_addresses_from_both() {
    let configurations = [
        json!({"subnet": "10.1.0.0/28"}),
        json!({"ranges": [[{"subnet": "10.1.0.0/28"}], [{"subnet": "fd00:1::/125"}]]}),
        json!({"ranges": [[
            {"subnet": "10.9.0.0/29", "gateway": "10.9.0.3"},
            {"subnet": "10.1.0.0/24", "rangeStart": "10.1.0.250", "gateway": "10.1.0.252"},
            {"subnet": "10.5.0.0/16", "rangeStart": "10.5.1.0", "rangeEnd": "10.5.1.3", "gateway": "10.5.200.1"},
        ]], "routes": [{"dst": "0.0.0.0/0"}, {"dst": "10.7.1.1/8", "gw": "10.9.0.3"}]}),
    ];
    for (seed, ipam) in configurations.iter().enumerate() {
        let Some(pair) = Pair::new(ipam) else {
            return;
        };
        let mut number = numbers(seed as u64);
        for _ in 0..150 {
            let container = format!("c{}", number(20));
            match number(5) {
                0 | 1 => pair.agree("DEL", &container, &json!({}), ""),
                2 => pair.agree("CHECK", &container, &json!({}), ""),
                _ => pair.agree("ADD", &container, &json!({}), ""),
            }
        }
    }
}

#[test]
fn every_form_and_source_of_a_request_gets_the_same_answer() {
    let ipam = json!({"ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "fd00:1::/64"}]]});
    let Some(pair) = Pair::new(&ipam) else {
        return;
    };
    pair.agree("ADD", "a", &json!({}), "IP=10.1.0.77");
    pair.agree(
        "ADD",
        "b",
        &json!({}),
        "IP=10.1.0.78/24;IgnoreUnknown=1;K8S_POD_NAME=x",
    );
    pair.agree("ADD", "c", &json!({}), "ip=10.1.0.79;IgnoreUnknown=1");
    pair.agree(
        "ADD",
        "d",
        &json!({"runtimeConfig": {"ips": ["fd00:1::9/64", "10.1.0.9"]}}),
        "",
    );
    pair.agree(
        "ADD",
        "e",
        &json!({"args": {"cni": {"ips": ["fd00:1::0a"]}}}),
        "",
    );
    pair.agree("ADD", "f", &json!({}), "FOO=bar");
    pair.agree("ADD", "f", &json!({}), "IP=10.1.0.77");
    pair.agree("ADD", "f", &json!({}), "IP=10.1.0.1");
    pair.agree(
        "ADD",
        "g",
        &json!({"runtimeConfig": {"ipRanges": [[{"subnet": "10.8.0.0/24"}]]}}),
        "",
    );
    for version in ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0"] {
        pair.agree(
            "ADD",
            &format!("v{version}"),
            &json!({"cniVersion": version}),
            "",
        );
    }
    pair.agree("ADD", "none", &json!({"cniVersion": Value::Null}), "");
    pair.agree(
        "ADD",
        "h",
        &json!({"ipam": {"subnet": "10.2.0.0/24", "dataDir": Value::Null}, "name": "../x"}),
        "",
    );
}

#[test]
fn both_refuse_the_same_configurations() {
    for ipam in [
        json!({}),
        json!({"ranges": []}),
        json!({"ranges": [[]]}),
        json!({"subnet": "10.1.0.5/24"}),
        json!({"subnet": "10.1.0.0"}),
        json!({"subnet": "10.1.0.0/24", "rangeStart": "10.2.0.1"}),
        json!({"subnet": "10.1.0.0/24", "rangeStart": "10.1.0.9", "rangeEnd": "10.1.0.8"}),
        json!({"ranges": [[{"subnet": "10.1.0.0/24"}, {"subnet": "fd00::/64"}]]}),
        json!({"ranges": [[{"subnet": "10.1.0.0/24"}, {"subnet": "10.1.0.0/25"}]]}),
        json!({"ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "10.1.0.0/25"}]]}),
        json!({"subnet": "10.1.0.0/24", "resolvConf": "/nowhere/at/all"}),
    ] {
        let Some(pair) = Pair::new(&ipam) else {
            return;
        };
        pair.agree("ADD", "a", &json!({}), "");
    }
}

/// What differs, and why. Each difference is asserted on both sides, so that the list stays true.
#[test]
fn the_differences_are_these_and_no_others() {
    let Some(pair) = Pair::new(&json!({"subnet": "10.1.0.0/31"})) else {
        return;
    };
    // One and two addresses are a subnet (RFC 3021, RFC 6164).
    let [ours, theirs] = pair.run("ADD", "a", &json!({}), "");
    assert!(ours.is_success && !theirs.is_success);

    let pair = Pair::new(&json!({"subnet": "10.1.0.0/24"})).unwrap();
    pair.agree("ADD", "a", &json!({}), "");
    // Errors have the codes and the version that the specification asks for.
    let [ours, theirs] = pair.run("ADD", "a", &json!({}), "");
    assert_eq!((ours.code(), theirs.code()), (102, 999));
    assert_eq!(
        (
            ours.json["cniVersion"].as_str(),
            theirs.json.get("cniVersion")
        ),
        (Some("1.0.0"), None)
    );
    // A second address out of the same set is refused also when it is asked for.
    let [ours, theirs] = pair.run("ADD", "a", &json!({}), "IP=10.1.0.9");
    assert!(!ours.is_success && theirs.is_success);
    // CHECK looks at the address.
    let previous =
        json!({"prevResult": {"cniVersion": "1.0.0", "ips": [{"address": "10.1.0.200/24"}]}});
    let [ours, theirs] = pair.run("CHECK", "a", &previous, "");
    assert!(!ours.is_success && theirs.is_success);
    // GC and STATUS are there, and VERSION says so.
    let [ours, theirs] = pair.run(
        "GC",
        "a",
        &json!({"cniVersion": "1.1.0", "cni.dev/valid-attachments": []}),
        "",
    );
    assert!(ours.is_success && !theirs.is_success);
    let [ours, theirs] = pair.run("VERSION", "a", &json!({}), "");
    assert_eq!(
        ours.json["supportedVersions"].as_array().unwrap().len(),
        1 + theirs.json["supportedVersions"].as_array().unwrap().len()
    );

    // DEL does not need ranges that are right, and makes no directory.
    let pair = Pair::new(&json!({"subnet": "10.1.0.5/24"})).unwrap();
    let [ours, theirs] = pair.run("DEL", "a", &json!({}), "");
    assert!(ours.is_success && !theirs.is_success);

    // A gateway of the other family is a slip.
    let pair = Pair::new(&json!({"subnet": "10.1.0.0/24", "gateway": "fd00::1"})).unwrap();
    let [ours, theirs] = pair.run("ADD", "a", &json!({}), "");
    assert!(!ours.is_success && theirs.is_success);

    // A request that cannot be met takes nothing on its way, hence does not move the search on.
    let pair = Pair::new(&json!({"subnet": "10.1.0.0/24"})).unwrap();
    pair.agree("ADD", "a", &json!({}), "IP=192.0.2.1");
    let [ours, theirs] = pair.run("ADD", "a", &json!({}), "");
    assert_eq!(
        (ours.addresses(), theirs.addresses()),
        (vec!["10.1.0.2".to_owned()], vec!["10.1.0.3".to_owned()])
    );
}

#[test]
fn each_carries_on_where_the_other_stopped() {
    let Some(host_local) = skip::debian("host-local") else {
        return;
    };
    let mut network = Network::dual();
    network.version = "1.0.0";
    for (turn, program) in [&host_local, &network.program.clone(), &host_local]
        .into_iter()
        .enumerate()
    {
        network.program.clone_from(program);
        assert!(network.add(&format!("a{turn}")).is_success);
        assert!(network.add(&format!("b{turn}")).is_success);
    }
    assert_eq!(network.leases().len(), 12);
    network.program = crate::plugin::OURS.into();
    assert!(network.del("a0").is_success && network.del("a2").is_success);
    network.program = host_local;
    assert!(network.del("a1").is_success && network.del("b0").is_success);
    let holders: std::collections::BTreeSet<_> = network.leases().into_values().collect();
    assert_eq!(holders.into_iter().collect::<Vec<_>>(), ["b1", "b2"]);
}
