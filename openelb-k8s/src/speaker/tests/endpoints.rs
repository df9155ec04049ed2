//! What is behind a service decides who announces it.

use serde_json::{Value, json};

use super::super::WhyNot;
use super::{Cluster, cluster, prefixes, why};

const LAYER2: &str = "198.51.100.1";
const ROUTED: &str = "192.0.2.1";

fn local() -> Value {
    json!({"spec": {"externalTrafficPolicy": "Local"}})
}

/// A service of each kind of pool, behind which are these endpoints.
fn served(more: &Value, endpoints: &Value) -> Cluster {
    let mut cluster = cluster();
    cluster.put_service("routed", "edge", &[ROUTED], more.clone());
    cluster.put_service("linked", "lan", &[LAYER2], more.clone());
    for service in ["routed", "linked"] {
        cluster.put_slice(service, service, "IPv4", endpoints);
    }
    cluster
}

/// The nodes that announce; both kinds of pool must agree.
fn announcing(cluster: &Cluster) -> Vec<String> {
    let nodes = cluster.announcing(ROUTED);
    assert_eq!(nodes, cluster.announcing(LAYER2));
    nodes
}

fn on(node: &str, ready: bool, serving: bool, terminating: bool) -> Value {
    json!({"nodeName": node,
        "conditions": {"ready": ready, "serving": serving, "terminating": terminating}})
}

/// As every node announces itself, the endpoints' places do not matter. That nothing ready keeps the
/// announcement is superseded: without a serving endpoint it is withdrawn.
#[test]
fn openelb_34_under_cluster_every_node_announces_as_long_as_one_endpoint_serves() {
    let one = served(&json!({}), &json!([on("n1", true, true, false)]));
    assert_eq!(announcing(&one), ["n1", "n2", "n3"]);
    let none = served(&json!({}), &json!([on("n1", false, false, false)]));
    assert!(announcing(&none).is_empty());
    assert_eq!(
        why(&none.on("n1"), "linked", LAYER2),
        Err(WhyNot::NoEndpoint)
    );
}

#[test]
fn openelb_35_under_local_the_announcement_follows_the_endpoints() {
    let mut cluster = served(&local(), &json!([on("n1", true, true, false)]));
    assert_eq!(announcing(&cluster), ["n1"]);
    assert_eq!(
        why(&cluster.on("n2"), "routed", ROUTED),
        Err(WhyNot::NoLocalEndpoint)
    );
    for service in ["routed", "linked"] {
        cluster.put_slice(
            service,
            service,
            "IPv4",
            &json!([on("n2", true, true, false)]),
        );
    }
    assert_eq!(announcing(&cluster), ["n2"]);
    for service in ["routed", "linked"] {
        cluster.put_slice(
            service,
            service,
            "IPv4",
            &json!([on("n2", false, false, false)]),
        );
    }
    assert!(announcing(&cluster).is_empty());
}

#[test]
fn openelb_36_an_endpoint_without_node_is_passed_over_and_a_missing_slice_harms_one_service() {
    let nowhere = json!([{"conditions": {"ready": true}}]);
    assert!(announcing(&served(&local(), &nowhere)).is_empty());
    assert_eq!(announcing(&served(&json!({}), &nowhere)).len(), 3);
    let mut cluster = served(&json!({}), &json!([on("n1", true, true, false)]));
    cluster.put_service("bare", "edge", &["192.0.2.2"], json!({}));
    assert_eq!(prefixes(&cluster.on("n1")), ["192.0.2.1/32"]);
    assert_eq!(
        why(&cluster.on("n1"), "bare", "192.0.2.2"),
        Err(WhyNot::NoEndpoint)
    );
}

/// Superseded in one point: with no endpoint at all the address is withdrawn, unless its pool says
/// otherwise.
#[test]
fn contract_23_under_cluster_endpoints_elsewhere_are_enough_and_a_pool_may_want_none() {
    let elsewhere = served(&json!({}), &json!([on("n3", true, true, false)]));
    assert_eq!(announcing(&elsewhere), ["n1", "n2", "n3"]);
    let mut none = served(&json!({}), &json!([]));
    assert!(announcing(&none).is_empty());
    for eip in none.eips.values_mut() {
        eip.spec.announce_without_endpoints = true;
    }
    assert_eq!(announcing(&none), ["n1", "n2", "n3"]);
}

#[test]
fn contract_24_under_local_what_is_ending_and_still_serves_keeps_its_node() {
    let ending = json!([on("n1", false, true, true), on("n2", true, true, false)]);
    assert_eq!(announcing(&served(&local(), &ending)), ["n1", "n2"]);
    let last = json!([on("n1", false, true, true)]);
    assert_eq!(announcing(&served(&local(), &last)), ["n1"]);
    let gone = json!([on("n1", false, false, true)]);
    assert!(announcing(&served(&local(), &gone)).is_empty());
}

#[test]
fn contract_25_several_slices_count_together_and_each_family_by_itself() {
    let mut cluster = cluster();
    let both = ["192.0.2.1", "2001:db8::1"];
    cluster.put_service("web", "edge", &both, local());
    cluster.put_slice("a", "web", "IPv4", &json!([on("n1", false, false, false)]));
    cluster.put_slice("b", "web", "IPv4", &json!([on("n1", true, true, false)]));
    assert_eq!(prefixes(&cluster.on("n1")), ["192.0.2.1/32"]);
    let verdict = why(&cluster.on("n1"), "web", "2001:db8::1");
    assert_eq!(verdict, Err(WhyNot::NoEndpoint));
    cluster.put_slice("c", "web", "IPv6", &json!([on("n2", true, true, false)]));
    assert_eq!(cluster.announcing("192.0.2.1"), ["n1"]);
    assert_eq!(cluster.announcing("2001:db8::1"), ["n2"]);
}

#[test]
fn the_families_of_a_local_service_move_apart_on_layer_2() {
    let mut cluster = cluster();
    let both = ["198.51.100.1", "2001:db8:1::1"];
    cluster.put_service("web", "lan", &both, local());
    cluster.put_slice("a", "web", "IPv4", &json!([on("n1", true, true, false)]));
    cluster.put_slice("b", "web", "IPv6", &json!([on("n2", true, true, false)]));
    assert_eq!(cluster.announcing("198.51.100.1"), ["n1"]);
    assert_eq!(cluster.announcing("2001:db8:1::1"), ["n2"]);
}

/// The slice says `ready: true` for such services, whatever the pods are: only the slice is asked.
#[test]
fn contract_26_not_ready_addresses_that_are_published_count_by_their_slice() {
    let more =
        json!({"spec": {"externalTrafficPolicy": "Local", "publishNotReadyAddresses": true}});
    let published = json!([on("n1", true, false, true)]);
    assert_eq!(announcing(&served(&more, &published)), ["n1"]);
    let refused = json!([on("n1", false, false, false)]);
    assert!(announcing(&served(&more, &refused)).is_empty());
}

#[test]
fn contract_28_other_fields_of_a_service_change_nothing_outside() {
    let plain = served(&local(), &json!([on("n1", true, true, false)]));
    let more = json!({"spec": {"externalTrafficPolicy": "Local", "internalTrafficPolicy": "Local",
        "loadBalancerSourceRanges": null}});
    let other = served(&more, &json!([on("n1", true, true, false)]));
    assert_eq!(plain.on("n1"), other.on("n1"));
}

#[test]
fn metallb_44_without_a_serving_endpoint_nobody_announces() {
    let none = served(&json!({}), &json!([]));
    assert!(announcing(&none).is_empty());
}

#[test]
fn metallb_45_under_local_the_endpoint_and_the_pool_must_both_choose_a_node() {
    let mut cluster = served(&local(), &json!([on("n1", true, true, false)]));
    assert_eq!(announcing(&cluster), ["n1"]);
    let n2 = json!({"matchLabels": {"kubernetes.io/hostname": "n2"}});
    for eip in cluster.eips.values_mut() {
        eip.spec.node_selector = serde_json::from_value(n2.clone()).unwrap();
    }
    assert!(announcing(&cluster).is_empty());
    assert_eq!(
        why(&cluster.on("n1"), "routed", ROUTED),
        Err(WhyNot::NodeNotSelected)
    );
}

#[test]
fn metallb_46_ready_unset_counts_and_so_does_serving_without_ready() {
    let cases = [
        (json!({"ready": false, "serving": true}), true),
        (json!({"ready": false, "serving": false}), false),
        (json!({}), true),
        (Value::Null, true),
    ];
    for (conditions, counts) in cases {
        let endpoints = json!([{"nodeName": "n1", "conditions": conditions}]);
        let nodes = announcing(&served(&json!({}), &endpoints));
        assert_eq!(!nodes.is_empty(), counts, "{endpoints}");
    }
}

#[test]
fn metallb_62_a_node_without_local_endpoint_withdraws_and_without_any_all_do() {
    let cluster = served(&local(), &json!([on("n2", true, true, false)]));
    assert!(prefixes(&cluster.on("n1")).is_empty());
    assert_eq!(prefixes(&cluster.on("n2")), ["192.0.2.1/32"]);
    let none = served(&json!({}), &json!([]));
    assert!(
        none.nodes
            .keys()
            .all(|node| none.on(node).routes.is_empty())
    );
}
