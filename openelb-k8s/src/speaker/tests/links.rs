//! Addresses of layer 2 and VRRP pools: who could have them, and together with what.

use openelb_announce::announcer::Owner;
use openelb_announce::ownership::Standing;
use serde_json::json;

use super::super::{WhyNot, desired};
use super::{Cluster, Shelf, cluster, me, why};
use crate::link::Unit;
use crate::problem::Reason;

fn units(cluster: &Cluster, node: &str) -> Vec<Unit> {
    cluster.on(node).link.contest.expect("an election").units
}

/// A service of the pool `lan` behind which all nodes are.
fn linked(addresses: &[&str]) -> Cluster {
    let mut cluster = cluster();
    cluster.put_service("web", "lan", addresses, json!({}));
    cluster.put_ready("web", &["n1", "n2", "n3"]);
    cluster
}

#[test]
fn without_a_layer2conf_a_cluster_elects_with_the_key_of_the_installation() {
    let cluster = linked(&["198.51.100.1"]);
    let desired = cluster.on("n1");
    let announcement = desired.link.announcements.values().next().unwrap();
    assert!(matches!(announcement.owner, Owner::Elected { .. }));
    assert_eq!(desired.problems, []);
}

#[test]
fn without_a_key_nothing_is_announced_on_links_and_the_rest_goes_on() {
    let mut cluster = linked(&["198.51.100.1"]);
    cluster.put_service("routed", "edge", &["192.0.2.1"], json!({}));
    cluster.put_ready("routed", &["n1"]);
    let desired = desired(&cluster, &me("n1"), &Shelf { is_empty: true });
    assert!(desired.link.announcements.is_empty());
    assert_eq!(
        why(&desired, "web", "198.51.100.1"),
        Err(WhyNot::NoElection)
    );
    assert_eq!(desired.routes.len(), 1);
    assert!(
        desired
            .problems
            .iter()
            .any(|it| it.reason == Reason::Unresolved)
    );
}

#[test]
fn a_layer2conf_that_elects_nothing_makes_every_node_answer() {
    let mut cluster = linked(&["198.51.100.1"]);
    cluster.put_layer2(json!({"ownership": "Sole", "keySecret": {"name": "l2", "key": "key"}}));
    let desired = cluster.on("n2");
    let announcement = desired.link.announcements.values().next().unwrap();
    assert_eq!(announcement.owner, Owner::Sole);
    assert!(desired.link.contest.is_none());
}

#[test]
fn all_nodes_see_the_same_units_and_groups_whatever_is_said_of_them() {
    let mut cluster = linked(&["198.51.100.1", "2001:db8:1::1"]);
    let local = json!({"spec": {"externalTrafficPolicy": "Local"}});
    cluster.put_service("near", "lan", &["198.51.100.2"], local);
    cluster.put_ready("near", &["n2"]);
    cluster.put_node(
        "n3",
        json!({"metadata": {"labels": {"node.kubernetes.io/exclude-from-external-load-balancers": ""}}}),
    );
    let shape = |node| {
        let units = units(&cluster, node).into_iter();
        let shape = units.map(|unit| {
            (
                unit.name,
                unit.addresses,
                unit.group.name,
                unit.group.shards,
            )
        });
        shape.collect::<Vec<_>>()
    };
    assert_eq!(shape("n1"), shape("n2"));
    assert_eq!(shape("n1"), shape("n3"));
}

#[test]
fn both_addresses_of_a_service_in_one_pool_are_one_unit() {
    let units = units(&linked(&["198.51.100.1", "2001:db8:1::1"]), "n1");
    assert_eq!(units.len(), 1);
    assert_eq!(units[0].addresses.len(), 2);
}

#[test]
fn metallb_49_a_node_that_joins_changes_no_other_nodes_standing() {
    let mut cluster = linked(&["198.51.100.1"]);
    let before = units(&cluster, "n1");
    cluster.put_node("n9", json!({}));
    assert_eq!(units(&cluster, "n1"), before);
}

#[test]
fn metallb_50_sharers_of_an_address_are_one_unit_that_stays_while_one_has_it() {
    let mut cluster = linked(&["198.51.100.1"]);
    cluster.put_service("dns", "lan", &["198.51.100.1"], json!({}));
    cluster.put_ready("dns", &["n2"]);
    let shared = units(&cluster, "n1");
    assert_eq!((shared.len(), shared[0].services.len()), (1, 2));
    cluster
        .services
        .remove(&("shop".to_owned(), "web".to_owned()));
    let left = units(&cluster, "n1");
    assert_eq!(left[0].name, shared[0].name);
    assert_eq!(left[0].group, shared[0].group);
}

#[test]
fn metallb_51_weights_and_preferences_are_those_of_the_objects() {
    let mut cluster = linked(&["198.51.100.1"]);
    cluster.put_layer2(json!({"keySecret": {"name": "l2", "key": "key"},
        "nodes": [{"name": "n1", "weight": 160, "preference": 3}]}));
    let standing = |node| units(&cluster, node)[0].group.standing;
    let (
        Standing::Eligible { weight, preference },
        Standing::Eligible {
            weight: other,
            preference: behind,
        },
    ) = (standing("n1"), standing("n2"))
    else {
        panic!("both are candidates");
    };
    assert!(weight > other && preference > behind);
}

/// MetalLB's rule: a preference is for those that may announce, and creates no right to.
#[test]
fn metallb_51_a_preferred_node_without_local_endpoint_is_skipped() {
    let mut cluster = cluster();
    cluster.put_eip(
        "lan",
        json!({"address": "198.51.100.0/24", "protocol": "layer2", "interface": "eth0",
            "layer2": {"preferredNodes": ["n1"]}}),
    );
    let local = json!({"spec": {"externalTrafficPolicy": "Local"}});
    cluster.put_service("web", "lan", &["198.51.100.1"], local);
    let standing = |cluster: &Cluster, node| units(cluster, node)[0].group.standing;
    cluster.put_ready("web", &["n2"]);
    assert_eq!(standing(&cluster, "n1"), Standing::Excluded);
    assert_ne!(standing(&cluster, "n2"), Standing::Excluded);
    cluster.put_ready("web", &["n1", "n2"]);
    let [first, second] = ["n1", "n2"].map(|node| match standing(&cluster, node) {
        Standing::Eligible { preference, .. } => preference,
        Standing::Excluded => panic!("both serve"),
    });
    assert!(first > second);
}

#[test]
fn a_node_that_is_not_ready_comes_behind_those_that_are_unless_the_pool_does_not_mind() {
    let preference = |readiness: &str| {
        let mut cluster = linked(&["198.51.100.1"]);
        cluster.put_eip(
            "lan",
            json!({"address": "198.51.100.0/24", "protocol": "layer2", "interface": "eth0",
                "nodeReadiness": readiness}),
        );
        cluster.put_node(
            "n1",
            json!({"status": {"conditions": [{"type": "Ready", "status": "False"}]}}),
        );
        ["n1", "n2"].map(|node| match units(&cluster, node)[0].group.standing {
            Standing::Eligible { preference, .. } => Some(preference),
            Standing::Excluded => None,
        })
    };
    let [behind, ready] = preference("Prefer");
    assert!(behind.is_some() && behind < ready);
    let [same, ready] = preference("Ignore");
    assert_eq!(same, ready);
    assert_eq!(preference("Require")[0], None);
}

#[test]
fn metallb_52_all_interfaces_of_a_pool_are_meant() {
    let mut cluster = linked(&["198.51.100.1"]);
    cluster.put_eip(
        "lan",
        json!({"address": "198.51.100.0/24", "protocol": "layer2", "interface": "eth0",
            "interfaces": ["bond*", "192.0.2.0/24"]}),
    );
    let desired = cluster.on("n1");
    let announcement = desired.link.announcements.values().next().unwrap();
    assert_eq!(
        announcement.interfaces.to_string(),
        "eth0,bond*,192.0.2.0/24"
    );
}

/// Pools have no service selector for announcing here: a service that the pool does not serve has no
/// address of it, and what has none is not announced.
#[test]
fn metallb_53_what_a_pool_does_not_serve_is_not_announced() {
    let mut cluster = linked(&[]);
    cluster.put_service("web", "lan", &["203.0.113.7"], json!({}));
    let desired = cluster.on("n1");
    assert!(desired.link.announcements.is_empty());
}

#[test]
fn a_virtual_router_runs_where_an_endpoint_is_and_yields_where_the_node_is_not_ready() {
    let mut cluster = cluster();
    cluster.put_eip(
        "vip",
        json!({"address": "203.0.113.0/24", "protocol": "vip", "interface": "eth0",
            "vrrp": {"vrid": 5, "priority": 150}}),
    );
    let local = json!({"spec": {"externalTrafficPolicy": "Local"}});
    cluster.put_service("web", "vip", &["203.0.113.1"], local);
    cluster.put_ready("web", &["n1", "n2"]);
    cluster.put_node(
        "n2",
        json!({"status": {"conditions": [{"type": "Ready", "status": "False"}]}}),
    );
    let priority = |node| {
        let run = cluster.on(node).link.routers[0].run.clone();
        run.map(|router| router.settings.priority)
    };
    assert_eq!(priority("n1"), Ok(150));
    assert_eq!(priority("n2"), Ok(50));
    assert!(priority("n3").is_err());
    let verdict = why(&cluster.on("n3"), "web", "203.0.113.1");
    assert_eq!(verdict, Err(WhyNot::NoLocalEndpoint));
}

#[test]
fn nothing_is_asked_of_an_election_where_no_pool_is_of_layer_2() {
    let mut cluster = linked(&[]);
    cluster.eips.remove("lan");
    let desired = desired(&cluster, &me("n1"), &Shelf { is_empty: true });
    assert_eq!(desired.problems, []);
    assert!(desired.link.contest.is_none());
}
