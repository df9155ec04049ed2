//! Pod CIDRs and sessions between nodes.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use openelb_announce::bgp::config::{Peer, RemoteAs};
use openelb_announce::bgp::family::{Family, FamilySet};
use openelb_announce::bgp::route::{LocalAddresses, NextHopMode, PeerSelection, next_hop_for};
use serde_json::{Value, json};

use super::{cluster, prefixes};
use crate::api::PodNetwork;
use crate::bgp::{Node, router_id_among};
use crate::names;
use crate::speaker::{Cluster, Desired, WhyNotPods};

const RANGES: [&str; 2] = ["10.244.0.0/16", "fd00:10:244::/56"];

/// The usual cluster with a pod network of these fields, and pod CIDRs of both families on each node.
fn pods(fields: Value) -> Cluster {
    let mut cluster = cluster();
    for number in 1..=3 {
        cluster.put_node(&format!("n{number}"), cidrs(number));
    }
    let mut network = PodNetwork::new(RANGES);
    let mut spec = serde_json::to_value(&network.spec).unwrap();
    super::merge(&mut spec, fields);
    network.spec = serde_json::from_value(spec).unwrap();
    let name = names::DEFAULT_POD_NETWORK.to_owned();
    cluster.pod_networks.insert(name, network);
    cluster
}

fn cidrs(number: u8) -> Value {
    let v4 = format!("10.244.{number}.0/24");
    json!({"spec": {"podCIDRs": [v4, format!("fd00:10:244:{number}::/64")]}})
}

/// A node with these internal addresses alone.
fn with_addresses(cluster: &mut Cluster, name: &str, number: u8, addresses: &[&str]) {
    let internal = |it: &&str| json!({"type": "InternalIP", "address": it});
    let addresses: Vec<_> = addresses.iter().map(internal).collect();
    let mut more = cidrs(number);
    more["status"] = json!({ "addresses": addresses });
    cluster.put_node(name, more);
}

fn mesh_of(desired: &Desired) -> Vec<&Peer> {
    let config = desired.bgp.config.as_ref().unwrap();
    let peers = config.peers.iter();
    peers
        .filter(|peer| peer.name.as_str().starts_with("mesh/"))
        .collect()
}

/// Where the sessions of a node's mesh lead: name and address.
fn sessions(cluster: &Cluster, node: &str) -> Vec<(String, String)> {
    let desired = cluster.on(node);
    let mesh = mesh_of(&desired).into_iter();
    mesh.map(|peer| (peer.name.to_string(), peer.remote.to_string()))
        .collect()
}

fn why(desired: &Desired, cidr: &str) -> Result<(), WhyNotPods> {
    let cidr = cidr.parse().unwrap();
    let mut rows = desired.pods.rows.iter();
    rows.find(|row| row.cidr == cidr)
        .expect("a row")
        .here
        .clone()
}

#[test]
fn a_node_announces_its_own_prefixes_of_both_families_with_itself_as_next_hop() {
    let desired = pods(json!({})).on("n2");
    assert_eq!(prefixes(&desired), ["10.244.2.0/24", "fd00:10:244:2::/64"]);
    for route in &desired.routes {
        assert_eq!(route.next_hop, NextHopMode::Own);
        assert_eq!(route.peers, PeerSelection::All);
    }
    assert!(mesh_of(&desired).is_empty() && desired.pods.kernel.is_none());
}

#[test]
fn kube_router_1_a_node_of_ipv6_alone_has_its_prefix_in_the_ipv6_table_and_no_error() {
    let mut cluster = pods(json!({"mesh": {"enabled": true}}));
    cluster.put_node(
        "n2",
        json!({
            "spec": {"podCIDRs": ["fd00:10:244:2::/64"]},
            "status": {"addresses": [{"type": "InternalIP", "address": "fd00::2"}]}}),
    );
    let desired = cluster.on("n2");
    let families: Vec<_> = desired.routes.iter().map(|it| it.prefix.family()).collect();
    assert_eq!(families, [Family::Ipv6Unicast], "the IPv4 table is empty");
    assert_eq!(desired.problems, []);
    assert_eq!(desired.pods.troubles().count(), 0);
}

#[test]
fn kube_router_4_a_prefix_without_an_address_of_its_family_is_refused_and_the_other_is_not() {
    let mut cluster = pods(json!({}));
    with_addresses(&mut cluster, "n2", 2, &["fd00::2"]);
    let desired = cluster.on("n2");
    assert_eq!(prefixes(&desired), ["fd00:10:244:2::/64"]);
    let refused = Err(WhyNotPods::NoAddress(Family::Ipv4Unicast));
    assert_eq!(why(&desired, "10.244.2.0/24"), refused);
    let said: Vec<_> = desired.pods.troubles().collect();
    let expected = "pod CIDR 10.244.2.0/24 is not announced: the node has no ipv4-unicast address";
    assert!(said[0].starts_with(expected), "{said:?}");
    with_addresses(&mut cluster, "n2", 2, &["10.0.0.2"]);
    let desired = cluster.on("n2");
    assert_eq!(prefixes(&desired), ["10.244.2.0/24"]);
    assert!(why(&desired, "fd00:10:244:2::/64").is_err());
}

#[test]
fn ipv4_prefixes_lead_through_ipv6_only_to_peers_that_take_it() {
    let mut cluster = pods(json!({}));
    with_addresses(&mut cluster, "n2", 2, &["fd00::2"]);
    let mut spine = crate::api::BgpPeer::new("spine", "fd00::fe", 65001);
    spine.spec.extended_next_hop = Some(true);
    cluster.bgp_peers.insert("spine".into(), spine);
    let desired = cluster.on("n2");
    let route = &desired.routes[0];
    assert_eq!(route.prefix.to_string(), "10.244.2.0/24");
    assert_eq!(route.peers, ["spine"].into_iter().collect());
    assert_eq!(desired.routes[1].peers, PeerSelection::All);
}

/// What the speaker makes of such a route on a session of the other family.
#[test]
fn kube_router_5_the_next_hop_is_of_the_routes_family_whatever_the_session_is() {
    let desired = pods(json!({})).on("n1");
    let (v4, v6): (IpAddr, IpAddr) = ("10.0.0.1".parse().unwrap(), "fd00::1".parse().unwrap());
    for session in [v4, v6] {
        let local = LocalAddresses {
            session,
            v4: Some("10.0.0.1".parse().unwrap()),
            v6_global: Some("fd00::1".parse().unwrap()),
            v6_link_local: None,
            on_link: false,
        };
        let hops = desired.routes.iter().map(|route| {
            let hop = next_hop_for(route.prefix.family(), &local, None, None);
            hop.unwrap().to_string()
        });
        let hops: Vec<_> = hops.collect();
        assert_eq!(hops, ["10.0.0.1", "fd00::1"], "over {session}");
    }
}

#[test]
fn kube_router_8_identifiers_are_derived_stay_and_differ_between_nodes() {
    let node = |name: &str, address: &str| Node {
        name: name.to_owned(),
        addresses: vec![address.parse().unwrap()],
        ..Node::default()
    };
    // Of so many names some give the same number of 28 bits.
    let name = |it: u64| format!("{:x}", it.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let all: Vec<_> = (0..100_000).map(|it| node(&name(it), "fd00::1")).collect();
    let alone = |name: &str| router_id_among(name, [node(name, "fd00::1")]).unwrap();
    let mut seen = std::collections::HashMap::new();
    let twins = all
        .iter()
        .find_map(|it| seen.insert(alone(&it.name), it.name.clone()).zip(Some(it)));
    let (one, other) = twins.expect("two names of one number");
    let pair = [node(&one, "fd00::1"), other.clone()];
    let of = |name: &str| router_id_among(name, pair.clone()).unwrap();
    assert_ne!(of(&one), of(&other.name));
    assert_eq!(
        of(&one),
        router_id_among(&one, pair.iter().rev().cloned()).unwrap()
    );
    let some = || all.iter().take(300).cloned();
    let ids: BTreeSet<_> = some().map(|it| router_id_among(&it.name, some())).collect();
    assert_eq!(ids.len(), 300);
    assert_eq!(alone("n1"), alone("n1"));
    let v4 = router_id_among("n1", [node("n1", "10.0.0.1")]).unwrap();
    assert_eq!(v4.to_string(), "10.0.0.1");
}

#[test]
fn kube_router_10_nodes_whose_first_families_differ_have_a_session_that_both_agree_on() {
    let mut cluster = pods(json!({"mesh": {"enabled": true}}));
    with_addresses(&mut cluster, "n1", 1, &["10.0.0.1", "fd00::1"]);
    with_addresses(&mut cluster, "n2", 2, &["fd00::2", "10.0.0.2"]);
    with_addresses(&mut cluster, "n3", 3, &["fd00::3"]);
    let session = |name: &str, to: &str| (format!("mesh/{name}"), to.to_owned());
    assert_eq!(
        sessions(&cluster, "n1"),
        [session("n2", "10.0.0.2"), session("n3", "fd00::3")]
    );
    assert_eq!(
        sessions(&cluster, "n2"),
        [session("n1", "10.0.0.1"), session("n3", "fd00::3")]
    );
    assert_eq!(
        sessions(&cluster, "n3"),
        [session("n1", "fd00::1"), session("n2", "fd00::2")]
    );
    for node in ["n1", "n2", "n3"] {
        for peer in mesh_of(&cluster.on(node)) {
            let families = peer.settings.enabled_families();
            let both: FamilySet = Family::ALL.into_iter().collect();
            assert_eq!(families, both, "both on one session");
            assert_eq!(peer.settings.remote_as, RemoteAs::Internal);
            assert!(peer.settings.transport.source.is_some());
        }
    }
}

#[test]
fn nodes_listen_at_the_port_at_which_they_dial_each_other() {
    let listens = |cluster: &Cluster| {
        let config = cluster.on("n1").bgp.config.unwrap();
        let mut ports: Vec<_> = config.listen.iter().map(SocketAddr::port).collect();
        ports.sort_unstable();
        let dialled = config.peers.iter();
        let dialled = dialled.filter(|peer| peer.name.as_str().starts_with("mesh/"));
        let dialled: BTreeSet<_> = dialled.map(|it| it.settings.transport.port).collect();
        (ports, dialled.into_iter().collect::<Vec<_>>())
    };
    let mut cluster = pods(json!({"mesh": {"enabled": true, "port": 1790}}));
    assert_eq!(listens(&cluster), (vec![179, 179, 1790, 1790], vec![1790]));
    let set_port = |cluster: &mut Cluster, port| {
        let conf = cluster.bgp_confs.get_mut("default").unwrap();
        conf.spec.listen_port = port;
    };
    // Routers are dialled and do not dial; nodes do both.
    set_port(&mut cluster, -1);
    assert_eq!(listens(&cluster), (vec![1790, 1790], vec![1790]));
    set_port(&mut cluster, 1790);
    assert_eq!(listens(&cluster), (vec![1790, 1790], vec![1790]));
    let mut cluster = pods(json!({"mesh": {"enabled": true}}));
    assert_eq!(listens(&cluster), (vec![179, 179], vec![179]));
    set_port(&mut cluster, -1);
    assert_eq!(listens(&cluster), (vec![], vec![]));
    let said = cluster.on("n1").problems[0].to_string();
    assert!(said.contains("no node can dial another"), "{said}");
}

#[test]
fn how_long_routes_to_a_dead_node_stay_is_what_the_speakers_configuration_says() {
    let mut cluster = pods(json!({"mesh": {"enabled": true}}));
    let stay = |cluster: &Cluster| {
        let desired = cluster.on("n1");
        let restart = mesh_of(&desired)[0].settings.graceful_restart;
        restart.map(|restart| restart.restart_time.as_secs())
    };
    assert_eq!(stay(&cluster), Some(120));
    let mut set = |restart: Value| {
        let conf = cluster.bgp_confs.get_mut("default").unwrap();
        conf.spec.graceful_restart = serde_json::from_value(restart).unwrap();
        stay(&cluster)
    };
    assert_eq!(set(json!({"restartTime": 20})), Some(20));
    assert_eq!(set(json!({"enabled": false})), None);
}

#[test]
fn nodes_without_a_common_family_are_named_and_the_others_speak() {
    let mut cluster = pods(json!({"mesh": {"enabled": true}}));
    with_addresses(&mut cluster, "n2", 2, &["10.0.0.2"]);
    with_addresses(&mut cluster, "n3", 3, &["fd00::3"]);
    assert_eq!(sessions(&cluster, "n2").len(), 1);
    let desired = cluster.on("n2");
    let said = desired.problems[0].to_string();
    assert!(
        said.contains("nodes n2 and n3 have no address of one family"),
        "{said}"
    );
}

#[test]
fn sessions_of_the_mesh_go_with_the_node() {
    let mut cluster = pods(json!({"mesh": {"enabled": true}}));
    assert_eq!(sessions(&cluster, "n1").len(), 2);
    cluster.nodes.remove("n3");
    assert_eq!(sessions(&cluster, "n1").len(), 1);
    cluster.put_node("n3", cidrs(3));
    assert_eq!(sessions(&cluster, "n1").len(), 2);
}

#[test]
fn other_nodes_hear_of_pods_and_not_of_services() {
    let mut cluster = pods(json!({"mesh": {"enabled": true}}));
    cluster.put_service("web", "edge", &["192.0.2.1"], json!({}));
    cluster.put_ready("web", &["n1"]);
    let desired = cluster.on("n1");
    assert_eq!(desired.routes.len(), 3);
    let mesh = mesh_of(&desired);
    let policy = mesh[0].settings.policy.as_ref().unwrap();
    let is_passed = |prefix: &str| {
        let matches = policy.prefix_matches(&prefix.parse().unwrap());
        matches != policy.prefix_matches(&"203.0.113.0/24".parse().unwrap())
    };
    assert!(is_passed("10.244.1.0/24") && is_passed("fd00:10:244:1::/64"));
    assert!(!is_passed("192.0.2.1/32"));
}

#[test]
fn only_routes_inside_the_ranges_are_learned_and_only_where_they_are_used() {
    let without = pods(json!({"mesh": {"enabled": true}})).on("n1");
    let config = without.bgp.config.unwrap();
    assert!(
        config
            .peers
            .iter()
            .all(|peer| peer.settings.import.is_empty())
    );
    let with = pods(json!({"mesh": {"enabled": true}, "kernelRoutes": {"enabled": true}}));
    let with = with.on("n1");
    assert_eq!(with.pods.kernel.unwrap().table, 254);
    for peer in &with.bgp.config.unwrap().peers {
        let learns = |prefix: &str| {
            let prefix = prefix.parse().unwrap();
            peer.settings
                .import
                .iter()
                .any(|range| range.contains(&prefix))
        };
        assert!(
            learns("10.244.7.0/24") && learns("fd00:10:244:7::/64"),
            "{}",
            peer.name
        );
        assert!(!learns("0.0.0.0/0") && !learns("10.0.0.0/8") && !learns("192.0.2.0/24"));
    }
}

#[test]
fn one_identifier_for_all_nodes_makes_no_mesh_and_says_so() {
    let mut cluster = pods(json!({"mesh": {"enabled": true}}));
    let conf = cluster.bgp_confs.get_mut("default").unwrap();
    conf.spec.router_id = "192.0.2.9".into();
    assert!(sessions(&cluster, "n1").is_empty());
    let said = cluster.on("n1").problems[0].to_string();
    assert!(
        said.contains("`routerId: 192.0.2.9` of the BgpConf is that of every node"),
        "{said}"
    );
}

#[test]
fn a_node_that_is_not_selected_announces_nothing_and_speaks_with_nobody() {
    let selector = json!({"matchLabels": {"kubernetes.io/hostname": "n1"}});
    let cluster = pods(json!({"mesh": {"enabled": true}, "nodeSelector": selector}));
    assert!(cluster.on("n2").routes.is_empty() && sessions(&cluster, "n2").is_empty());
    assert_eq!(cluster.on("n1").routes.len(), 2);
    assert!(sessions(&cluster, "n1").is_empty());
}

#[test]
fn named_peers_hear_of_pods_and_the_mesh_does() {
    let mut cluster = pods(json!({"mesh": {"enabled": true}, "announce": {"peers": ["tor"]}}));
    let other = crate::api::BgpPeer::new("other", "10.0.0.253", 65002);
    cluster.bgp_peers.insert("other".into(), other);
    let expected = ["mesh/n2", "mesh/n3", "tor"].into_iter().collect();
    for route in cluster.on("n1").routes {
        assert_eq!(route.peers, expected);
    }
}

#[test]
fn a_prefix_that_another_node_has_on_record_is_not_announced() {
    let mut cluster = pods(json!({}));
    cluster.put_node("n2", cidrs(1));
    let network = cluster.pod_networks.get_mut("default").unwrap();
    network
        .status
        .used
        .insert("10.244.1.0/24".into(), "n1".into());
    let desired = cluster.on("n2");
    let taken = Err(WhyNotPods::Taken("n1".into()));
    assert_eq!(why(&desired, "10.244.1.0/24"), taken);
    assert_eq!(why(&cluster.on("n1"), "10.244.1.0/24"), Ok(()));
}
