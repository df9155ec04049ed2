//! What the cluster says about nodes decides who announces.

use serde_json::{Value, json};

use super::super::{Me, WhyNot, desired};
use super::{Cluster, Shelf, cluster, me, next_hops, why};
use crate::api::NodeReadiness;

const LAYER2: &str = "198.51.100.1";
const ROUTED: &str = "192.0.2.1";

/// A service of each kind of pool that every node could announce, and n1 as `more` has it.
fn with_n1(more: Value) -> Cluster {
    let mut cluster = cluster();
    cluster.put_service("routed", "edge", &[ROUTED], json!({}));
    cluster.put_service("linked", "lan", &[LAYER2], json!({}));
    cluster.put_ready("routed", &["n1", "n2", "n3"]);
    cluster.put_ready("linked", &["n1", "n2", "n3"]);
    cluster.put_node("n1", more);
    cluster
}

fn announcing(cluster: &Cluster) -> Vec<String> {
    let nodes = cluster.announcing(ROUTED);
    assert_eq!(nodes, cluster.announcing(LAYER2));
    nodes
}

fn not_ready() -> Value {
    json!({"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}})
}

fn excluded() -> Value {
    json!({"metadata": {"labels": {"node.kubernetes.io/exclude-from-external-load-balancers": "false"}}})
}

/// Superseded: being not ready alone withdraws nothing, it only makes a node come after others.
#[test]
fn openelb_37_excluded_nodes_go_and_new_ones_come_without_an_edit_of_the_service() {
    assert_eq!(announcing(&with_n1(excluded())), ["n2", "n3"]);
    assert_eq!(announcing(&with_n1(not_ready())), ["n1", "n2", "n3"]);
    let mut cluster = with_n1(json!({}));
    cluster.put_node("n4", json!({}));
    cluster.speak_from("n1");
    assert_eq!(announcing(&cluster).len(), 4);
    assert!(next_hops(&cluster.on("n1"), ROUTED).contains(&"10.0.0.4".to_owned()));
    let mut excluded_n4 = with_n1(json!({}));
    excluded_n4.put_node("n4", excluded());
    excluded_n4.speak_from("n1");
    assert!(!next_hops(&excluded_n4.on("n1"), ROUTED).contains(&"10.0.0.4".to_owned()));
}

#[test]
fn what_withdraws_a_node_is_named() {
    let cases = [
        (excluded(), WhyNot::NodeExcluded),
        (
            json!({"status": {"conditions": [{"type": "NetworkUnavailable", "status": "True"}]}}),
            WhyNot::NetworkUnavailable,
        ),
        (
            json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}),
            WhyNot::NodeDeleted,
        ),
        (
            json!({"spec": {"taints": [{"key": "ToBeDeletedByClusterAutoscaler", "effect": "NoSchedule"}]}}),
            WhyNot::NodeRemoved,
        ),
    ];
    for (more, reason) in cases {
        let cluster = with_n1(more);
        assert_eq!(announcing(&cluster), ["n2", "n3"], "{reason}");
        let desired = cluster.on("n1");
        assert_eq!(why(&desired, "routed", ROUTED), Err(reason.clone()));
        assert_eq!(why(&desired, "linked", LAYER2), Err(reason));
    }
}

#[test]
fn a_cordoned_node_goes_on() {
    let cordoned = json!({"spec": {"unschedulable": true,
        "taints": [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}]}});
    assert_eq!(announcing(&with_n1(cordoned)), ["n1", "n2", "n3"]);
}

#[test]
fn a_node_that_the_cluster_does_not_have_announces_nothing() {
    let mut cluster = with_n1(json!({}));
    cluster.nodes.remove("n1");
    let desired = cluster.on("n1");
    assert_eq!(why(&desired, "routed", ROUTED), Err(WhyNot::NodeUnknown));
    assert!(desired.routes.is_empty());
}

/// Pods of a node that the autoscaler takes away still end in peace (KEP-3836).
#[test]
fn contract_29_not_ready_stays_and_the_autoscaler_takes_only_what_others_can_have() {
    assert_eq!(announcing(&with_n1(not_ready())), ["n1", "n2", "n3"]);
    let taint = json!({"spec": {"taints": [{"key": "ToBeDeletedByClusterAutoscaler"}]}});
    let mut cluster = with_n1(taint);
    assert_eq!(announcing(&cluster), ["n2", "n3"]);
    let local = json!({"spec": {"externalTrafficPolicy": "Local"}});
    cluster.put_service("routed", "edge", &[ROUTED], local.clone());
    cluster.put_service("linked", "lan", &[LAYER2], local);
    assert_eq!(announcing(&cluster), ["n1", "n2", "n3"]);
}

#[test]
fn readiness_counts_as_the_pool_says() {
    let readiness = |readiness| {
        let mut cluster = with_n1(not_ready());
        for eip in cluster.eips.values_mut() {
            eip.spec.node_readiness = readiness;
        }
        cluster
    };
    assert_eq!(announcing(&readiness(NodeReadiness::Ignore)).len(), 3);
    assert_eq!(announcing(&readiness(NodeReadiness::Prefer)).len(), 3);
    let required = readiness(NodeReadiness::Require);
    assert_eq!(announcing(&required), ["n2", "n3"]);
    assert_eq!(
        why(&required.on("n1"), "routed", ROUTED),
        Err(WhyNot::NodeNotReady)
    );
}

/// What other nodes say of a node that is not ready may be stale; what its own speaker says is not.
#[test]
fn a_node_that_is_not_ready_is_a_next_hop_only_in_its_own_words() {
    let mut cluster = with_n1(not_ready());
    cluster.speak_from("n2");
    let of = |node: &str| next_hops(&cluster.on(node), ROUTED);
    assert_eq!(of("n2"), ["10.0.0.2", "fd00::2", "10.0.0.3", "fd00::3"]);
    assert!(of("n1").contains(&"10.0.0.1".to_owned()));
    let mut all = with_n1(not_ready());
    all.speak_from("n2");
    all.put_node("n2", not_ready());
    all.put_node("n3", not_ready());
    assert_eq!(next_hops(&all.on("n2"), ROUTED).len(), 6, "none is better");
}

#[test]
fn metallb_43_only_the_nodes_that_a_pool_selects_announce() {
    let mut cluster = with_n1(json!({"metadata": {"labels": {"edge": "yes"}}}));
    let selector = json!({"matchExpressions": [{"key": "edge", "operator": "Exists"}]});
    for eip in cluster.eips.values_mut() {
        eip.spec.node_selector = serde_json::from_value(selector.clone()).unwrap();
    }
    assert_eq!(announcing(&cluster), ["n1"]);
    assert_eq!(
        why(&cluster.on("n2"), "linked", LAYER2),
        Err(WhyNot::NodeNotSelected)
    );
    assert_eq!(
        next_hops(&cluster.on("n1"), ROUTED),
        ["10.0.0.1", "fd00::1"]
    );
}

#[test]
fn metallb_47_the_exclude_label_counts_by_its_key_and_can_be_overridden() {
    let mut cluster = with_n1(excluded());
    cluster.put_node("n2", excluded());
    cluster.put_node("n3", excluded());
    assert!(announcing(&cluster).is_empty());
    let stubborn = Me {
        ignores_exclude_label: true,
        ..me("n1")
    };
    let desired = desired(&cluster, &stubborn, &Shelf::default());
    assert_eq!(why(&desired, "routed", ROUTED), Ok(()));
}

#[test]
fn metallb_48_a_node_without_network_is_no_candidate() {
    let more =
        json!({"status": {"conditions": [{"type": "NetworkUnavailable", "status": "True"}]}});
    assert_eq!(announcing(&with_n1(more)), ["n2", "n3"]);
}
