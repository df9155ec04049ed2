//! Addresses of BGP pools: which routes, to whom, from which speaker.

use serde_json::json;

use super::super::WhyNot;
use super::{Cluster, cluster, next_hops, prefixes, why};
use crate::api::{BgpPeer, NextHop};
use crate::names;

/// A service of the pool `edge` behind which all nodes are.
fn routed(addresses: &[&str]) -> Cluster {
    let mut cluster = cluster();
    cluster.put_service("web", "edge", addresses, json!({}));
    cluster.put_ready("web", &["n1", "n2", "n3"]);
    cluster
}

fn advertised(cluster: &mut Cluster, advertisements: serde_json::Value) {
    let mut spec = json!({"address": "192.0.2.0/24, 2001:db8::/64", "bgp": {}});
    spec["bgp"]["advertisements"] = advertisements;
    cluster.put_eip("edge", spec);
}

fn peers(cluster: &Cluster, node: &str) -> Vec<String> {
    let config = cluster.on(node).bgp.config.expect("a configuration");
    config
        .peers
        .iter()
        .map(|peer| peer.name.to_string())
        .collect()
}

fn rack(cluster: &mut Cluster, node: &str, rack: &str) {
    cluster.put_node(
        node,
        json!({"metadata": {"labels": {names::RACK_LABEL: rack}}}),
    );
}

#[test]
fn openelb_44_each_speaker_announces_itself_and_nodes_without_sessions_where_several_paths_are_taken()
 {
    let mut cluster = routed(&["192.0.2.1", "2001:db8::1"]);
    cluster.speak_from("n1");
    let desired = cluster.on("n1");
    assert_eq!(prefixes(&desired), ["192.0.2.1/32", "2001:db8::1/128"]);
    let hops = next_hops(&desired, "2001:db8::1");
    assert_eq!(hops.len(), 6, "both families of three nodes: {hops:?}");
    let eip = cluster.eips.get_mut("edge").unwrap();
    eip.spec.bgp.get_or_insert_default().next_hop = NextHop::Own;
    assert!(
        next_hops(&cluster.on("n1"), "192.0.2.1").is_empty(),
        "itself"
    );
}

/// A path that others announced would outlive the node: it goes when they learn of it, not when it says
/// so.
#[test]
fn contract_30_nobody_else_announces_a_node_that_speaks_with_the_peer_itself() {
    let mut cluster = routed(&["192.0.2.1"]);
    for (node, own) in [("n1", "10.0.0.1"), ("n2", "10.0.0.2"), ("n3", "10.0.0.3")] {
        assert!(next_hops(&cluster.on(node), "192.0.2.1").starts_with(&[own.to_owned()]));
        assert_eq!(next_hops(&cluster.on(node), "192.0.2.1").len(), 2);
    }
    let some = json!({"matchExpressions":
        [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["n1", "n2"]}]});
    let tor = cluster.bgp_peers.get_mut("tor").unwrap();
    tor.spec.node_selector = serde_json::from_value(some).unwrap();
    assert_eq!(
        next_hops(&cluster.on("n1"), "192.0.2.1"),
        ["10.0.0.1", "fd00::1", "10.0.0.3", "fd00::3"]
    );
}

#[test]
fn openelb_45_peers_wait_for_the_speaker_and_are_not_lost() {
    let mut cluster = routed(&["192.0.2.1"]);
    let conf = cluster.bgp_confs.remove(names::DEFAULT_BGP_CONF).unwrap();
    let desired = cluster.on("n1");
    assert!(desired.bgp.config.is_none());
    assert_eq!(desired.problems.len(), 1, "{:?}", desired.problems);
    assert_eq!(why(&desired, "web", "192.0.2.1"), Err(WhyNot::NoBgp));
    cluster
        .bgp_confs
        .insert(names::DEFAULT_BGP_CONF.into(), conf);
    assert_eq!(peers(&cluster, "n1"), ["tor"]);
    cluster.bgp_peers.clear();
    assert!(peers(&cluster, "n1").is_empty());
}

#[test]
fn openelb_46_router_id_rack_and_node_selector_follow_the_node_as_it_is_now() {
    let mut cluster = routed(&["192.0.2.1"]);
    let spec = &mut cluster
        .bgp_confs
        .get_mut(names::DEFAULT_BGP_CONF)
        .unwrap()
        .spec;
    spec.as_per_rack = [("leaf1".to_owned(), 65011)].into();
    let id = |cluster: &Cluster| {
        let config = cluster.on("n1").bgp.config.unwrap();
        (config.router_id.to_string(), config.asn.0)
    };
    assert_eq!(id(&cluster), ("10.0.0.1".to_owned(), 65000));
    let mut leaf = BgpPeer::new("leaf1", "10.0.0.253", 65100);
    let selector = json!({"matchLabels": {names::RACK_LABEL: "leaf1"}});
    leaf.spec.node_selector = serde_json::from_value(selector).unwrap();
    cluster.bgp_peers.insert("leaf1".into(), leaf);
    assert_eq!(peers(&cluster, "n1"), ["tor"]);
    rack(&mut cluster, "n1", "leaf1");
    assert_eq!(id(&cluster), ("10.0.0.1".to_owned(), 65011));
    assert_eq!(peers(&cluster, "n1"), ["leaf1", "tor"]);
    rack(&mut cluster, "n1", "leaf2");
    assert_eq!(peers(&cluster, "n1"), ["tor"]);
}

#[test]
fn with_racks_only_nodes_of_the_same_one_are_next_hops() {
    let mut cluster = routed(&["192.0.2.1"]);
    cluster.speak_from("n1");
    for (node, name) in [("n1", "leaf1"), ("n2", "leaf1"), ("n3", "leaf2")] {
        rack(&mut cluster, node, name);
    }
    let all = next_hops(&cluster.on("n3"), "192.0.2.1").len();
    assert_eq!(all, 6, "a label alone is no rack");
    let spec = &mut cluster
        .bgp_confs
        .get_mut(names::DEFAULT_BGP_CONF)
        .unwrap()
        .spec;
    spec.as_per_rack = [("leaf1".to_owned(), 65011), ("leaf2".to_owned(), 65012)].into();
    assert_eq!(
        next_hops(&cluster.on("n1"), "192.0.2.1"),
        ["10.0.0.1", "fd00::1", "10.0.0.2", "fd00::2"]
    );
    assert_eq!(
        next_hops(&cluster.on("n3"), "192.0.2.1"),
        ["10.0.0.3", "fd00::3"]
    );
}

#[test]
fn openelb_47_a_peer_without_conf_is_refused_by_name_and_no_password_is_told() {
    let mut cluster = routed(&["192.0.2.1"]);
    let mut bare = BgpPeer::new("bare", "10.0.0.9", 65009);
    bare.spec.conf = None;
    cluster.bgp_peers.insert("bare".into(), bare);
    let tor = &mut cluster.bgp_peers.get_mut("tor").unwrap().spec;
    tor.conf.as_mut().unwrap().auth_password = crate::api::Secret::new("hunter2");
    let desired = cluster.on("n1");
    assert_eq!(desired.problems[0].key, "spec.conf");
    assert_eq!(desired.bgp.config.as_ref().unwrap().peers.len(), 1);
    let told = format!("{:?} {:?}", desired.problems, desired.rows);
    assert!(!told.contains("hunter2"));
}

#[test]
fn objects_of_the_network_plugin_are_left_to_it() {
    let mut cluster = routed(&["192.0.2.1"]);
    let conf = cluster.bgp_confs.get_mut(names::DEFAULT_BGP_CONF).unwrap();
    let labels = &mut conf.metadata.labels;
    labels.insert(names::CNI_LABEL, "calico");
    assert!(cluster.on("n1").bgp.config.is_none());
}

#[test]
fn metallb_57_an_address_is_a_host_route_by_default() {
    let cluster = routed(&["192.0.2.10", "2001:db8::10"]);
    assert_eq!(
        prefixes(&cluster.on("n1")),
        ["192.0.2.10/32", "2001:db8::10/128"]
    );
}

#[test]
fn metallb_58_each_advertisement_is_a_route_with_its_own_attributes() {
    let mut cluster = routed(&["192.0.2.10"]);
    advertised(
        &mut cluster,
        json!([{"localPref": 100, "communities": ["65000:2", "65000:1"]},
            {"aggregationLength": 24, "aggregationLengthV6": 64, "localPref": 1000}]),
    );
    let desired = cluster.on("n1");
    assert_eq!(prefixes(&desired), ["192.0.2.0/24", "192.0.2.10/32"]);
    let preferences = desired
        .routes
        .iter()
        .map(|route| route.attributes.local_pref);
    assert_eq!(preferences.collect::<Vec<_>>(), [Some(1000), Some(100)]);
    let communities = desired.routes[1].attributes.communities.iter();
    let communities: Vec<_> = communities.map(|it| it.to_string()).collect();
    assert_eq!(communities, ["65000:1", "65000:2"]);
}

#[test]
fn metallb_59_addresses_of_one_aggregate_are_one_route_until_the_last_is_gone() {
    let mut cluster = routed(&["192.0.2.10"]);
    advertised(&mut cluster, json!([{"aggregationLength": 24}]));
    cluster.put_service("api", "edge", &["192.0.2.20"], json!({}));
    cluster.put_ready("api", &["n1"]);
    for _ in 0..2 {
        assert_eq!(prefixes(&cluster.on("n1")), ["192.0.2.0/24"]);
        cluster.services.pop_first();
    }
    assert!(prefixes(&cluster.on("n1")).is_empty());
}

#[test]
fn metallb_60_an_aggregate_beyond_the_pool_is_refused_and_said() {
    let mut cluster = routed(&["192.0.2.10"]);
    cluster.put_eip(
        "edge",
        json!({"address": "192.0.2.0/28", "bgp": {"advertisements": [{"aggregationLength": 26}]}}),
    );
    let desired = cluster.on("n1");
    assert!(desired.routes.is_empty());
    assert_eq!(desired.problems[0].name, "edge");
    assert!(matches!(
        why(&desired, "web", "192.0.2.10"),
        Err(WhyNot::PoolInvalid(_))
    ));
}

#[test]
fn metallb_61_advertisements_that_contradict_each_other_are_refused_and_said() {
    let mut cluster = routed(&["192.0.2.10"]);
    advertised(
        &mut cluster,
        json!([{"localPref": 100}, {"localPref": 200}]),
    );
    let desired = cluster.on("n1");
    assert!(desired.routes.is_empty());
    assert_eq!(desired.problems[0].key, "spec.bgp.advertisements");
}

#[test]
fn metallb_63_an_advertisement_reaches_its_peers_and_its_nodes_alone() {
    let mut cluster = routed(&["192.0.2.10"]);
    advertised(
        &mut cluster,
        json!([{"peers": ["tor"], "nodeSelectors": [{"matchLabels": {"kubernetes.io/hostname": "n2"}}]}]),
    );
    assert!(cluster.on("n1").routes.is_empty());
    let desired = cluster.on("n2");
    assert!(desired.routes[0].peers.selects(&"tor".into()));
    assert!(!desired.routes[0].peers.selects(&"spine".into()));
}

#[test]
fn metallb_64_a_label_change_opens_and_closes_one_session_and_leaves_the_others() {
    let mut cluster = routed(&["192.0.2.1"]);
    let mut edge = BgpPeer::new("edge", "10.0.0.253", 65100);
    let selector = json!({"matchLabels": {"edge": "yes"}});
    edge.spec.node_selector = serde_json::from_value(selector).unwrap();
    cluster.bgp_peers.insert("edge".into(), edge);
    let tor = |cluster: &Cluster| {
        let config = cluster.on("n1").bgp.config.unwrap();
        config
            .peers
            .into_iter()
            .find(|peer| peer.name.as_str() == "tor")
    };
    let before = tor(&cluster);
    assert_eq!(peers(&cluster, "n1"), ["tor"]);
    cluster.put_node("n1", json!({"metadata": {"labels": {"edge": "yes"}}}));
    assert_eq!(peers(&cluster, "n1"), ["edge", "tor"]);
    assert_eq!(tor(&cluster), before);
    cluster.put_node("n1", json!({}));
    assert_eq!(peers(&cluster, "n1"), ["tor"]);
}

#[test]
fn metallb_65_a_shared_address_stays_while_one_service_has_it() {
    let mut cluster = routed(&["192.0.2.1"]);
    cluster.put_service("api", "edge", &["192.0.2.1"], json!({}));
    cluster.put_ready("api", &["n1"]);
    cluster
        .services
        .remove(&("shop".to_owned(), "web".to_owned()));
    assert_eq!(prefixes(&cluster.on("n1")), ["192.0.2.1/32"]);
}

#[test]
fn metallb_66_each_fault_of_a_peer_is_named_and_stops_that_peer_alone() {
    let cases = [
        (
            json!({"conf": {"neighborAddress": "nowhere", "peerAs": 1}}),
            "spec.conf.neighborAddress",
        ),
        (
            json!({"conf": {"neighborAddress": "10.0.0.9"}}),
            "spec.conf.peerAs",
        ),
        (
            json!({"conf": {"neighborAddress": "10.0.0.9", "peerAs": 1},
                "timers": {"config": {"holdTime": "2"}}}),
            "spec.timers.config.holdTime",
        ),
        (
            json!({"conf": {"neighborAddress": "10.0.0.9", "peerAs": 1},
                "transport": {"localAddress": "x"}}),
            "spec.transport.localAddress",
        ),
    ];
    for (spec, key) in cases {
        let mut cluster = routed(&["192.0.2.1"]);
        let mut peer = BgpPeer::new("bad", "10.0.0.9", 1);
        peer.spec = serde_json::from_value(spec).unwrap();
        cluster.bgp_peers.insert("bad".into(), peer);
        let desired = cluster.on("n1");
        let keys: Vec<_> = desired.problems.iter().map(|it| &*it.key).collect();
        assert_eq!(keys, [key]);
        assert_eq!(peers(&cluster, "n1"), ["tor"]);
    }
}

#[test]
fn metallb_67_communities_are_numbers_or_names_of_the_speaker() {
    let mut cluster = routed(&["192.0.2.1"]);
    let spec = &mut cluster
        .bgp_confs
        .get_mut(names::DEFAULT_BGP_CONF)
        .unwrap()
        .spec;
    spec.communities = [("blue".to_owned(), "65000:100".to_owned())].into();
    advertised(
        &mut cluster,
        json!([{"communities": ["blue", "large:64500:1:2"]}]),
    );
    let desired = cluster.on("n1");
    assert_eq!(desired.routes[0].attributes.communities.iter().count(), 1);
    assert_eq!(
        desired.routes[0]
            .attributes
            .large_communities
            .iter()
            .count(),
        1
    );
    for wrong in ["65536:1", "1:2:3", "12345", "larg:1:2:3", "green"] {
        advertised(&mut cluster, json!([{"communities": [wrong]}]));
        let desired = cluster.on("n1");
        assert!(
            desired.routes.is_empty() && !desired.problems.is_empty(),
            "{wrong}"
        );
    }
}

#[test]
fn metallb_68_communities_of_several_advertisements_of_one_prefix_add_up() {
    let mut cluster = routed(&["192.0.2.1"]);
    advertised(
        &mut cluster,
        json!([{"communities": ["65000:1"]}, {"communities": ["65000:2"]}]),
    );
    let desired = cluster.on("n1");
    assert_eq!(desired.routes.len(), 1);
    assert_eq!(desired.routes[0].attributes.communities.iter().count(), 2);
}

#[test]
fn metallb_69_faults_of_failure_detection_are_named() {
    for (bfd, key) in [
        (json!({"multiplier": 256}), "spec.bfd.multiplier"),
        (json!({"minimumTtl": 0}), "spec.bfd.minimumTtl"),
    ] {
        let mut cluster = routed(&["192.0.2.1"]);
        let tor = cluster.bgp_peers.get_mut("tor").unwrap();
        tor.spec.bfd = serde_json::from_value(bfd).unwrap();
        let desired = cluster.on("n1");
        assert_eq!(desired.problems[0].key, key);
    }
    let mut cluster = routed(&["192.0.2.1"]);
    let tor = cluster.bgp_peers.get_mut("tor").unwrap();
    tor.spec.bfd = serde_json::from_value(json!({})).unwrap();
    assert_eq!(cluster.on("n1").bgp.bfd.len(), 1);
}

/// Advertisements select no services here, so an aggregate never attracts what it leaves out; with
/// several, whole addresses may be aggregated and single ones named beside them.
#[test]
fn metallb_70_a_host_route_may_stand_beside_an_aggregate() {
    let mut cluster = routed(&["192.0.2.1"]);
    advertised(
        &mut cluster,
        json!([{"aggregationLength": 24}, {"aggregationLength": 32}]),
    );
    assert_eq!(
        prefixes(&cluster.on("n1")),
        ["192.0.2.0/24", "192.0.2.1/32"]
    );
}

#[test]
fn under_local_only_nodes_with_an_endpoint_are_next_hops_and_an_aggregate_leads_to_its_speaker() {
    let mut cluster = routed(&[]);
    let local = json!({"spec": {"externalTrafficPolicy": "Local"}});
    cluster.put_service("web", "edge", &["192.0.2.1"], local);
    cluster.put_ready("web", &["n1", "n3"]);
    cluster.speak_from("n1");
    assert_eq!(
        next_hops(&cluster.on("n1"), "192.0.2.1"),
        ["10.0.0.1", "fd00::1", "10.0.0.3", "fd00::3"]
    );
    advertised(&mut cluster, json!([{"aggregationLength": 24}]));
    let desired = cluster.on("n1");
    assert_eq!(
        desired.routes[0].next_hop,
        openelb_announce::bgp::route::NextHopMode::Own
    );
}
