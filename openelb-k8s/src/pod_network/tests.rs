//! Pod networks, nodes and configurations, case by case.

use std::collections::BTreeMap;

use ipnet::IpNet;
use openelb_ipam::Family;
use serde_json::{Value, json};

use super::cni::{CniError, edited};
use super::{Clash, Free, NodeCidrs, Plan, clashes, read};
use crate::api::PodNetwork;
use crate::cluster::Node;
use crate::names;

fn network(spec: &str) -> PodNetwork {
    let yaml = format!(
        "apiVersion: network.kubesphere.io/v1alpha2\nkind: PodNetwork\nmetadata: {{name: default}}\n\
         spec: {spec}\n"
    );
    serde_saphyr::from_str(&yaml).unwrap()
}

fn plan(spec: &str) -> Plan {
    let (plan, problems) = read(&network(spec));
    plan.unwrap_or_else(|| panic!("{spec}: {problems:?}"))
}

/// What is said about a specification that cannot be used.
fn refused(spec: &str) -> String {
    let (plan, problems) = read(&network(spec));
    assert_eq!(plan, None, "{spec}");
    problems[0].to_string()
}

fn node(annotations: &[(&str, &str)], spec: Value) -> Node {
    let annotations: BTreeMap<_, _> = annotations.iter().copied().collect();
    let mut node = json!({"metadata": {"name": "n1", "annotations": annotations}});
    node["spec"] = spec;
    serde_json::from_value(node).unwrap()
}

fn nets(texts: &[&str]) -> Vec<IpNet> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn the_object_has_the_defaults_of_kube_controller_manager() {
    let plan = plan("{ranges: [10.244.0.0/16, 'fd00:10:244::/56']}");
    assert_eq!((plan.lengths.v4, plan.lengths.v6), (24, 64));
    assert!(plan.allocates && plan.announce.is_some());
    assert!(plan.mesh.is_none() && plan.kernel.is_none() && plan.cni.is_none());
    assert_eq!(plan.families().collect::<Vec<_>>(), Family::ALL);
}

#[test]
fn the_first_range_says_which_family_comes_first() {
    let plan = plan("{ranges: ['fd00:10:244::/56', 10.244.0.0/16]}");
    let families: Vec<_> = plan.families().collect();
    assert_eq!(families, [Family::V6, Family::V4]);
    assert_eq!(
        Free::of(&plan, []).take(plan.families()).unwrap(),
        nets(&["fd00:10:244::/64", "10.244.0.0/24"])
    );
}

#[test]
fn what_cannot_be_right_is_refused_with_key_fact_and_next_step() {
    for (spec, words) in [
        (
            "{ranges: [ten]}",
            "spec.ranges[0]: `ten` is no prefix; write one such as",
        ),
        (
            "{ranges: [10.0.0.0/8, 10.244.0.0/16]}",
            "spec.ranges[1]: 10.244.0.0/16 overlaps another range; remove one",
        ),
        (
            "{ranges: [10.244.0.0/26]}",
            "spec.nodePrefixLength.ipv4: 10.244.0.0/26 has no room for a /24 of a node; write a",
        ),
        (
            "{ranges: [10.244.0.0/16], nodePrefixLength: {ipv4: 31}}",
            "a /31 has no room for pods; write at most 30",
        ),
        (
            "{allocate: true}",
            "spec.allocate: there is nothing to allocate from; write ranges",
        ),
        (
            "{kernelRoutes: {enabled: true}}",
            "spec.kernelRoutes.enabled: only routes inside `ranges` go into the kernel",
        ),
        (
            "{cni: {path: conf}}",
            "spec.cni.path: `conf` begins nowhere; write the whole path",
        ),
    ] {
        let said = refused(spec);
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_second_pod_network_is_not_used_and_says_so() {
    let mut other = network("{ranges: [10.244.0.0/16]}");
    other.metadata.name = "rack".to_owned();
    let (plan, problems) = read(&other);
    assert_eq!(plan, None);
    assert!(
        problems[0]
            .to_string()
            .contains("a cluster has one pod network")
    );
}

#[test]
fn kube_router_9_annotations_come_before_the_spec_and_the_single_one_first() {
    let spec = json!({"podCIDRs": ["10.244.3.0/24", "fd00:3::/64"], "podCIDR": "10.244.3.0/24"});
    let one = (names::POD_CIDR_ANNOTATION, "10.244.1.0/24");
    let many = (names::POD_CIDRS_ANNOTATION, "10.244.2.0/24, fd00:2::/64");
    for (annotations, expected) in [
        (&[one, many][..], &["10.244.1.0/24"][..]),
        (&[many], &["10.244.2.0/24", "fd00:2::/64"]),
        (&[], &["10.244.3.0/24", "fd00:3::/64"]),
        (
            &[(names::POD_CIDR_ANNOTATION, " ")],
            &["10.244.3.0/24", "fd00:3::/64"],
        ),
    ] {
        let read = NodeCidrs::of(&node(annotations, spec.clone()));
        assert_eq!(read.cidrs, nets(expected), "{annotations:?}");
        assert!(read.problems.is_empty());
    }
    let singular = node(&[], json!({"podCIDR": "10.244.4.0/24"}));
    assert_eq!(NodeCidrs::of(&singular).cidrs, nets(&["10.244.4.0/24"]));
    assert!(NodeCidrs::of(&node(&[], json!({}))).is_unset());
}

#[test]
fn an_annotation_that_cannot_be_read_is_no_reason_to_take_the_next() {
    let wrong = [(names::POD_CIDR_ANNOTATION, "10.244.1.0/33")];
    let read = NodeCidrs::of(&node(&wrong, json!({"podCIDRs": ["10.244.3.0/24"]})));
    assert!(read.cidrs.is_empty() && !read.is_unset());
    assert!(read.problems[0].0.contains("10.244.1.0/33"), "{read:?}");
    let twice = [(
        names::POD_CIDRS_ANNOTATION,
        "10.244.1.9/24,10.244.2.0/24,fd00::/64",
    )];
    let read = NodeCidrs::of(&node(&twice, json!({})));
    assert_eq!(read.cidrs, nets(&["10.244.1.0/24", "fd00::/64"]));
    assert!(
        read.problems[0].0.contains("the second IPv4 prefix"),
        "{read:?}"
    );
}

#[test]
fn overlaps_of_two_nodes_are_found_whatever_their_lengths() {
    let claims = [
        ("n1", "10.244.0.0/22"),
        ("n2", "10.244.1.0/24"),
        ("n1", "fd00::/64"),
        ("n3", "10.244.4.0/24"),
        ("n4", "10.244.4.0/24"),
        ("n5", "0:0:af4::/64"),
    ];
    let claims = claims.map(|(node, cidr)| (node, cidr.parse().unwrap()));
    let found = clashes(claims);
    let clash = |node: &str, cidr: &str, other: &str, others: &str| Clash {
        node: node.to_owned(),
        cidr: cidr.parse().unwrap(),
        other: other.to_owned(),
        others: others.parse().unwrap(),
    };
    assert_eq!(
        found,
        [
            clash("n2", "10.244.1.0/24", "n1", "10.244.0.0/22"),
            clash("n4", "10.244.4.0/24", "n3", "10.244.4.0/24"),
        ]
    );
}

#[test]
fn a_node_gets_every_family_or_none() {
    let plan = plan("{ranges: [10.244.0.0/23, 'fd00::/64']}");
    let mut free = Free::of(&plan, nets(&["10.244.0.0/24"]));
    let first = free.take(plan.families()).unwrap();
    assert_eq!(first, nets(&["10.244.1.0/24", "fd00::/64"]));
    let mut free = Free::of(&plan, nets(&["fd00::/80"]));
    let error = free.take(plan.families()).unwrap_err();
    let said = "no /64 of IPv6 is free in `spec.ranges`; add a range";
    assert_eq!(error.to_string(), said);
    // What was looked at first is free still.
    assert_eq!(free.take([Family::V4]).unwrap(), nets(&["10.244.0.0/24"]));
}

#[test]
fn a_configuration_is_written_anew_and_then_left_alone() {
    let both = nets(&["10.244.1.0/24", "fd00:1::/64"]);
    let text = edited(None, &both).unwrap().unwrap();
    let written: Value = serde_json::from_str(&text).unwrap();
    let ipam = &written["plugins"][0]["ipam"];
    assert_eq!(
        ipam["ranges"],
        json!([[{"subnet": "10.244.1.0/24"}], [{"subnet": "fd00:1::/64"}]])
    );
    assert_eq!(
        ipam["routes"],
        json!([{"dst": "0.0.0.0/0"}, {"dst": "::/0"}])
    );
    assert_eq!(edited(Some(&text), &both), Ok(None));
}

#[test]
fn what_the_user_wrote_into_a_configuration_stays() {
    let mine = json!({
        "cniVersion": "1.1.0", "name": "mine", "keep": [1, 2],
        "plugins": [
            {"type": "bridge", "bridge": "br7", "mtu": 1400, "ipam": {
                "type": "host-local", "dataDir": "/run/x", "routes": [{"dst": "10.0.0.0/8"}],
                "ranges": [[{"subnet": "10.244.1.0/24", "rangeStart": "10.244.1.50"}],
                           [{"subnet": "fd00:9::/64", "gateway": "fd00:9::1"}]]}},
            {"type": "tuning", "sysctl": {"net.core.somaxconn": "500"}}]});
    let both = nets(&["10.244.1.0/24", "fd00:1::/64"]);
    let text = edited(Some(&mine.to_string()), &both).unwrap().unwrap();
    let mut expected = mine;
    expected["plugins"][0]["ipam"]["ranges"][1] = json!([{"subnet": "fd00:1::/64"}]);
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
}

#[test]
fn the_form_of_one_subnet_is_kept_while_there_is_one() {
    let old = json!({"type": "bridge", "ipam": {
        "type": "host-local", "subnet": "10.244.1.0/24", "rangeEnd": "10.244.1.9"}});
    let old = old.to_string();
    assert_eq!(edited(Some(&old), &nets(&["10.244.1.0/24"])), Ok(None));
    let moved = edited(Some(&old), &nets(&["10.244.2.0/24"]))
        .unwrap()
        .unwrap();
    let moved: Value = serde_json::from_str(&moved).unwrap();
    assert_eq!(
        moved["ipam"],
        json!({"type": "host-local", "subnet": "10.244.2.0/24"})
    );
    let both = nets(&["10.244.1.0/24", "fd00:1::/64"]);
    let both = edited(Some(&old), &both).unwrap().unwrap();
    let both: Value = serde_json::from_str(&both).unwrap();
    let ranges = json!([[{"subnet": "10.244.1.0/24", "rangeEnd": "10.244.1.9"}], [{"subnet": "fd00:1::/64"}]]);
    assert_eq!(
        both["ipam"],
        json!({"type": "host-local", "ranges": ranges})
    );
}

#[test]
fn a_configuration_that_is_none_of_ours_is_left_alone() {
    let cidrs = nets(&["10.244.1.0/24"]);
    assert!(matches!(edited(Some("{"), &cidrs), Err(CniError::Json(_))));
    let foreign =
        r#"{"plugins": [{"type": "cilium-cni"}, {"type": "x", "ipam": {"type": "dhcp"}}]}"#;
    assert_eq!(edited(Some(foreign), &cidrs), Err(CniError::NoIpam));
    for odd in [
        "[]",
        "3",
        r#"{"plugins": {}}"#,
        r#"{"plugins": [], "ipam": 3}"#,
    ] {
        assert_eq!(edited(Some(odd), &cidrs), Err(CniError::NoIpam), "{odd}");
    }
}

#[test]
fn every_object_in_the_document_is_valid_and_has_no_field_that_is_not_read() {
    let document = include_str!("../../../docs/pod-network.md");
    let blocks = document.split("```yaml\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("```").next());
    let mut networks = 0;
    for text in blocks.flat_map(|block| block.split("---\n")) {
        let written: Value = serde_saphyr::from_str(text).unwrap();
        let read_back = match written["kind"].as_str().unwrap() {
            "PodNetwork" => {
                let network: PodNetwork = serde_saphyr::from_str(text).unwrap();
                let (plan, problems) = read(&network);
                assert!(
                    plan.is_some() && problems.is_empty(),
                    "{text}\n{problems:?}"
                );
                networks += 1;
                serde_json::to_value(network).unwrap()
            }
            "BgpConf" => {
                let conf: crate::api::BgpConf = serde_saphyr::from_str(text).unwrap();
                serde_json::to_value(conf).unwrap()
            }
            "BgpPeer" => {
                let peer: crate::api::BgpPeer = serde_saphyr::from_str(text).unwrap();
                serde_json::to_value(peer).unwrap()
            }
            other => panic!("nobody reads a {other} here"),
        };
        assert_fields(&written, &read_back, text);
    }
    assert!(networks >= 4, "{networks}");
}

/// Whether every field of the first is in the second.
fn assert_fields(written: &Value, read_back: &Value, text: &str) {
    for (key, value) in written.as_object().into_iter().flatten() {
        let found = read_back.get(key);
        // What is written as its default is left out.
        if let Some(found) = found {
            assert_fields(value, found, text);
        } else {
            assert!(
                value == &json!(true) || value == &json!({}),
                "{key} in {text}"
            );
        }
    }
}
