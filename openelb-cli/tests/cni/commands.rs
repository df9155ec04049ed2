//! Every command of the specification, through the binary.

use serde_json::{Value, json};

use crate::plugin::Network;

#[test]
fn a_container_gets_one_address_of_each_set_and_gives_both_back() {
    let network = Network::dual();
    let answer = network.add("a");
    assert_eq!(
        answer.json,
        json!({
            "cniVersion": "1.1.0",
            "ips": [
                {"address": "10.1.0.2/24", "gateway": "10.1.0.1"},
                {"address": "fd00:1::2/64", "gateway": "fd00:1::1"},
            ],
            "dns": {},
        })
    );
    assert_eq!(network.leases().len(), 2);
    assert!(
        network.del("a").is_success && network.del("a").is_success,
        "DEL may be sent again"
    );
    assert!(network.leases().is_empty());
    assert_eq!(
        network.add("b").addresses(),
        ["10.1.0.3", "fd00:1::3"],
        "addresses are not used again at once"
    );
}

#[test]
fn a_second_add_for_the_same_interface_is_refused_and_takes_nothing() {
    let network = Network::dual();
    network.add("a");
    let before = network.leases();
    let again = network.add("a");
    assert_eq!((again.is_success, again.code()), (false, 102));
    assert_eq!(network.leases(), before);
}

#[test]
fn an_add_that_fails_in_its_second_set_frees_what_it_took_in_the_first() {
    let network = Network::new(
        json!({"ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "fd00:1::/126"}]]}),
    );
    assert!(network.add("a").is_success && network.add("b").is_success);
    let refused = network.add("c");
    assert_eq!((refused.is_success, refused.code()), (false, 100));
    assert_eq!(network.leases().len(), 4);
    network.del("a");
    assert!(network.add("c").is_success);
}

#[test]
fn addresses_that_are_asked_for_are_given_or_refused_before_anything_is_taken() {
    let network = Network::dual();
    let ask =
        |container: &str, arguments: &str| network.run("ADD", container, &json!({}), arguments);
    assert_eq!(
        ask("a", "IP=10.1.0.77").addresses(),
        ["10.1.0.77", "fd00:1::2"]
    );
    for refused in ["IP=10.1.0.77", "IP=10.1.0.1", "IP=10.2.0.1"] {
        assert_eq!(ask("b", refused).code(), 101, "{refused}");
    }
    assert_eq!(network.leases().len(), 2);
    let both = json!({"runtimeConfig": {"ips": ["10.1.0.9/24", "fd00:1::9/64"]}});
    assert_eq!(
        network.run("ADD", "b", &both, "").addresses(),
        ["10.1.0.9", "fd00:1::9"]
    );
    let twice = json!({"args": {"cni": {"ips": ["10.1.0.10", "10.1.0.11"]}}});
    assert_eq!(
        network.run("ADD", "c", &twice, "").code(),
        101,
        "one address of each set"
    );
}

#[test]
fn check_compares_the_leases_with_the_result_of_add() {
    let network = Network::dual();
    let given = network.add("a").json;
    let check = |previous: &Value| network.run("CHECK", "a", &json!({"prevResult": previous}), "");
    assert!(check(&given).is_success);
    let mut other = given.clone();
    other["ips"][0]["address"] = "10.1.0.9/24".into();
    assert_eq!(check(&other).code(), 103);
    other["ips"][0]["address"] = "192.0.2.9/24".into();
    assert!(check(&other).is_success, "an address of another plugin");
    network.del("a");
    assert_eq!(check(&given).code(), 103);
}

#[test]
fn gc_frees_everything_but_what_the_runtime_names() {
    let network = Network::dual();
    for container in ["a", "b", "c"] {
        network.add(container);
    }
    assert!(network.gc(&["b"]).is_success);
    assert!(network.leases().values().all(|holder| holder == "b"));
    assert_eq!(network.leases().len(), 2);
    let forgot = network.run("GC", "x", &json!({}), "");
    assert_eq!(
        (forgot.code(), network.leases().len()),
        (7, 2),
        "a forgotten list is not an empty one"
    );
    assert!(network.gc(&[]).is_success);
    assert!(network.leases().is_empty());
}

#[test]
fn status_says_whether_the_next_add_would_be_served() {
    let network =
        Network::new(json!({"ranges": [[{"subnet": "10.1.0.0/30"}], [{"subnet": "fd00:1::/64"}]]}));
    assert!(network.status().is_success);
    assert!(network.leases().is_empty(), "it takes nothing");
    network.add("a");
    let full = network.status();
    assert_eq!(full.code(), 50, "{full:?}");
    assert!(
        full.json["msg"]
            .as_str()
            .unwrap()
            .contains("range set 0 (10.1.0.1-10.1.0.2)"),
        "{full:?}"
    );
    network.del("a");
    assert!(network.status().is_success);
    std::fs::remove_dir_all(network.data()).unwrap();
    std::fs::create_dir_all(network.data()).unwrap();
    std::fs::write(network.path("").parent().unwrap().join("pods"), "no folder").unwrap();
    assert_eq!(
        network.status().code(),
        51,
        "nobody can tell what containers hold"
    );
}

#[test]
fn every_version_gets_its_own_form_and_errors_in_it() {
    for version in [
        "0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0",
    ] {
        let mut network = Network::dual();
        network.version = version;
        let answer = network.add("a");
        assert_eq!(answer.json["cniVersion"], version);
        let first = if version < "0.3.0" {
            &answer.json["ip4"]["ip"]
        } else {
            &answer.json["ips"][0]["address"]
        };
        assert_eq!(first, "10.1.0.2/24", "{version}");
        assert_eq!(network.add("a").json["cniVersion"], version);
        assert!(network.del("a").is_success);
    }
}

#[test]
fn subnets_of_one_address_work_and_say_when_they_are_full() {
    for subnet in ["10.1.0.5/32", "fd00:1::5/128"] {
        let network = Network::new(json!({"subnet": subnet}));
        let answer = network.add("a");
        assert_eq!(answer.json["ips"][0], json!({"address": subnet}));
        assert_eq!(network.add("b").code(), 100);
    }
    for subnet in ["10.1.0.4/31", "fd00:1::4/127"] {
        let network = Network::new(json!({"subnet": subnet}));
        assert!(network.add("a").is_success && network.add("b").is_success);
        assert_eq!(network.add("c").code(), 100);
    }
}

#[test]
fn del_needs_neither_valid_ranges_nor_a_directory() {
    let mut network = Network::dual();
    assert!(network.del("a").is_success);
    assert!(!network.data().exists(), "it makes none");
    network.add("a");
    network.ipam = json!({"subnet": "no more"});
    assert!(network.del("a").is_success);
    assert!(network.leases().is_empty());
}

#[test]
fn names_of_containers_and_networks_stay_in_their_folder() {
    let network = Network::dual();
    for container in ["../../etc/passwd", "a/b", "..", ""] {
        let answer = network.add(container);
        assert_eq!(
            (answer.is_success, answer.code()),
            (false, 4),
            "{container}"
        );
    }
    let traversal = network.run("ADD", "a", &json!({"name": "../pods"}), "");
    assert_eq!(traversal.code(), 7);
    assert!(!network.data().exists());
}
