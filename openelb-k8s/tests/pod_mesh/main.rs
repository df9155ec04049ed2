//! The mesh of a `PodNetwork` on real sockets: what `desired` makes of a cluster for each of its nodes,
//! carried out by a speaker on a host of its own.
//!
//! It takes root and network namespaces. Where they are missing a test says loudly that it was skipped,
//! and fails when the environment says `CI=true`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "everything here is a test, also outside of functions marked so"
)]

mod node;
#[expect(dead_code, reason = "the layer 2 tests use the rest of it")]
#[path = "../../../openelb-announce/tests/netns/world.rs"]
mod world;

use openelb_announce::bgp::Asn;
use openelb_k8s::api::{BgpConf, PodNetwork};
use openelb_k8s::cluster::Node as NodeObject;
use openelb_k8s::names;
use openelb_k8s::speaker::Cluster;
use serde_json::{Value, json};

use node::Node;
use world::{Host, with_hosts};

const V4: fn(u8) -> String = |number| format!("192.0.2.{number}");
const V6: fn(u8) -> String = |number| format!("2001:db8::{number}");

/// What a node lists of its addresses, in this order.
type Addresses = &'static [fn(u8) -> String];

/// A cluster with a mesh: a node on each host, in the order of the hosts.
fn cluster(nodes: &[Addresses], mesh: &Value) -> Cluster {
    let mut cluster = Cluster::default();
    for (number, addresses) in (1..).zip(nodes) {
        let name = format!("n{number}");
        let internal = addresses.iter();
        let internal = internal.map(|it| json!({"type": "InternalIP", "address": it(number)}));
        let [v4, v6] = cidrs(number);
        let object: NodeObject = serde_json::from_value(json!({
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
            "spec": {"podCIDRs": [v4, v6]},
            "status": {"addresses": internal.collect::<Vec<_>>()}}))
        .unwrap();
        cluster.nodes.insert(name, object);
    }
    let mut network = PodNetwork::new(["10.244.0.0/16", "fd00:10:244::/56"]);
    network.spec.mesh = serde_json::from_value(mesh.clone()).unwrap();
    network.spec.kernel_routes.enabled = true;
    let name = names::DEFAULT_POD_NETWORK.to_owned();
    cluster.pod_networks.insert(name, network);
    let name = names::DEFAULT_BGP_CONF.to_owned();
    cluster.bgp_confs.insert(name, BgpConf::new(64_512));
    cluster
}

fn cidrs(number: u8) -> [String; 2] {
    [
        format!("10.244.{number}.0/24"),
        format!("fd00:10:244:{number}::/64"),
    ]
}

/// What a node learns of the others in the end: of each family that the other has an address of.
fn expected(nodes: &[Addresses], own: u8) -> Vec<String> {
    let mut routes = Vec::new();
    for (family, cidr) in [(V4, 0), (V6, 1)] {
        for (number, addresses) in (1..).zip(nodes).filter(|(number, _)| *number != own) {
            let gateway = family(number);
            if addresses.iter().any(|it| it(number) == gateway) {
                routes.push(format!("{} via {gateway}", cidrs(number)[cidr]));
            }
        }
    }
    routes
}

/// Starts a speaker on each host, and waits until each has learned what it should.
fn mesh(hosts: &[Host; 3], nodes: &[Addresses; 3]) {
    for (host, addresses) in hosts.iter().zip(nodes) {
        if !addresses.iter().any(|it| it(1) == V4(1)) {
            host.sh("ip -4 addr flush dev eth0");
        }
        if !addresses.iter().any(|it| it(1) == V6(1)) {
            host.sh("ip -6 addr flush dev eth0 scope global");
        }
    }
    let cluster = cluster(nodes, &json!({"enabled": true}));
    let speakers = hosts.each_ref().map(|host| Node::start(host, &cluster, ""));
    for (number, node) in (1..).zip(&speakers) {
        node.wait_learned(&expected(nodes, number));
    }
}

#[test]
fn nodes_of_ipv4_alone_learn_from_each_other() {
    with_hosts(|_, hosts| mesh(&hosts, &[&[V4]; 3]));
}

#[test]
fn kube_router_1_nodes_of_ipv6_alone_learn_from_each_other_and_need_no_identifier() {
    with_hosts(|_, hosts| mesh(&hosts, &[&[V6]; 3]));
}

#[test]
fn nodes_of_both_families_learn_both_over_one_session() {
    with_hosts(|_, hosts| mesh(&hosts, &[&[V4, V6]; 3]));
}

#[test]
fn kube_router_10_nodes_whose_primary_families_differ_learn_from_each_other() {
    with_hosts(|_, hosts| mesh(&hosts, &[&[V4, V6], &[V6, V4], &[V6]]));
}

const BOTH: [Addresses; 3] = [&[V4, V6]; 3];

fn with_password(more: &Value) -> Cluster {
    let mut mesh = json!({"enabled": true, "passwordSecret": {"name": "mesh", "key": "password"}});
    mesh.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    cluster(&BOTH, &mesh)
}

#[test]
fn racks_with_an_as_each_speak_at_a_port_of_the_mesh_with_a_password() {
    with_hosts(|_, hosts: [Host; 3]| {
        let mut cluster = with_password(&json!({"port": 1790}));
        let conf = cluster.bgp_confs.get_mut(names::DEFAULT_BGP_CONF).unwrap();
        conf.spec.as_per_rack = [("left".into(), 64_601), ("right".into(), 64_602)].into();
        for (name, rack) in [("n1", "left"), ("n2", "left"), ("n3", "right")] {
            let labels = &mut cluster.nodes.get_mut(name).unwrap().metadata.labels;
            labels.insert(names::RACK_LABEL, rack);
        }
        let nodes = hosts
            .each_ref()
            .map(|host| Node::start(host, &cluster, "right"));
        for (number, node) in (1..).zip(&nodes) {
            node.wait_learned(&expected(&BOTH, number));
        }
        let mut dialled = Vec::new();
        for node in &nodes {
            for peer in node.peers() {
                let session = peer.session.unwrap();
                let rack = if peer.name.as_str() == "mesh/n3" {
                    64_602
                } else {
                    64_601
                };
                assert_eq!(session.peer_as, Asn(rack), "{}", peer.name);
                dialled.extend((!session.incoming).then(|| session.remote.port()));
            }
        }
        assert_eq!(dialled, [1790; 3]);
    });
}

#[test]
fn a_node_with_another_password_speaks_with_nobody_until_it_has_the_right_one() {
    with_hosts(|_, hosts: [Host; 3]| {
        let cluster = with_password(&json!({}));
        let [one, two, three] = hosts.each_ref();
        let one = Node::start(one, &cluster, "right");
        let two = Node::start(two, &cluster, "right");
        let mut three = Node::start(three, &cluster, "wrong");
        one.wait_learned(&expected(&BOTH[..2], 1));
        for (node, peer) in [(&one, "mesh/n3"), (&two, "mesh/n3"), (&three, "mesh/n1")] {
            node.wait(
                &format!("the password is named as the reason for {peer}"),
                |node| {
                    let hint = node.peer(peer).hint.unwrap_or_default();
                    hint.contains("TCP-MD5") && hint.contains("password")
                },
            );
            assert!(node.peer(peer).session.is_none());
        }
        three.follow(&cluster, "right");
        for (number, node) in (1..).zip([&one, &two, &three]) {
            node.wait_learned(&expected(&BOTH, number));
        }
        assert_eq!(one.peer("mesh/n2").flaps, 0);
    });
}
