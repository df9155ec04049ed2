//! What a node announces, case by case.

mod endpoints;
mod following;
mod links;
mod nodes;
mod pods;
mod properties;
mod recording;
mod routing;

use std::collections::BTreeMap;
use std::net::IpAddr;

use openelb_announce::bgp::prefix::Prefix;
use openelb_announce::bgp::route::NextHopMode;
use openelb_announce::ownership::Standing;
use serde_json::{Value, json};

use super::{Cluster, Desired, Me, WhyNot, desired};
use crate::api::{BgpConf, BgpPeer, Eip, Layer2Conf};
use crate::bgp::{Material, PasswordSource};
use crate::cluster::{EndpointSlice, Node, Service};
use crate::layer2::Keys;
use crate::names;

/// The Secrets and `ConfigMap`s of a test.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    pub(super) is_empty: bool,
}

impl Material for Shelf {
    fn password(&self, _: PasswordSource<'_>) -> Result<Vec<u8>, String> {
        Ok(b"hunter2hunter2".to_vec())
    }

    fn policy(&self, config_map: &str) -> Result<String, String> {
        Err(format!("there is no ConfigMap {config_map}"))
    }
}

impl Keys for Shelf {
    fn key(&self, source: PasswordSource<'_>) -> Result<Vec<u8>, String> {
        match source {
            _ if self.is_empty => Err("there is no Secret".to_owned()),
            PasswordSource::Secret { .. } => Ok(b"correct horse battery".to_vec()),
            PasswordSource::File(_) => Err("no files here".to_owned()),
        }
    }
}

/// A cluster of the nodes n1, n2 and n3 with one BGP pool `edge` (192.0.2.0/24, `2001:db8::/64`), one
/// layer 2 pool `lan` (198.51.100.0/24, `2001:db8:1::/64`), a speaker and a peer.
pub(super) fn cluster() -> Cluster {
    let mut cluster = Cluster::default();
    for number in 1..=3 {
        cluster.put_node(&format!("n{number}"), json!({}));
    }
    cluster.put_eip("edge", json!({"address": "192.0.2.0/24, 2001:db8::/64"}));
    cluster.put_eip(
        "lan",
        json!({"address": "198.51.100.0/24, 2001:db8:1::/64", "protocol": "layer2", "interface": "eth0"}),
    );
    let conf = BgpConf::new(65000);
    cluster
        .bgp_confs
        .insert(names::DEFAULT_BGP_CONF.into(), conf);
    let peer = BgpPeer::new("tor", "10.0.0.254", 65001);
    cluster.bgp_peers.insert("tor".into(), peer);
    cluster
}

impl Cluster {
    /// A node that is ready, with the labels, taints, conditions and so on of `more` merged in.
    pub(super) fn put_node(&mut self, name: &str, more: Value) {
        let number = name.trim_start_matches('n');
        let mut node = json!({
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
            "status": {
                "addresses": [
                    {"type": "InternalIP", "address": format!("10.0.0.{number}")},
                    {"type": "InternalIP", "address": format!("fd00::{number}")}],
                "conditions": [{"type": "Ready", "status": "True"}]}});
        merge(&mut node, more);
        let node: Node = serde_json::from_value(node).unwrap();
        self.nodes.insert(name.into(), node);
    }

    /// The only peer has a session with this node alone, which then speaks for the others too.
    pub(super) fn speak_from(&mut self, node: &str) {
        let selector = json!({"matchLabels": {"kubernetes.io/hostname": node}});
        let tor = self.bgp_peers.get_mut("tor").unwrap();
        tor.spec.node_selector = serde_json::from_value(selector).unwrap();
    }

    pub(super) fn put_eip(&mut self, name: &str, spec: Value) {
        let mut eip = json!({"apiVersion": names::EIP_API_VERSION, "kind": names::EIP_KIND,
            "metadata": {"name": name}});
        eip["spec"] = spec;
        let eip: Eip = serde_json::from_value(eip).unwrap();
        self.eips.insert(name.into(), eip);
    }

    /// A service of the pool with these addresses, and whatever `more` says.
    pub(super) fn put_service(&mut self, name: &str, pool: &str, addresses: &[&str], more: Value) {
        let ingress: Vec<_> = addresses.iter().map(|ip| json!({"ip": ip})).collect();
        let mut service = json!({
            "metadata": {"name": name, "namespace": "shop", "labels": {names::POOL_LABEL: pool},
                "finalizers": [names::SERVICE_FINALIZER]},
            "spec": {"type": "LoadBalancer"},
            "status": {"loadBalancer": {"ingress": ingress}}});
        merge(&mut service, more);
        let service: Service = serde_json::from_value(service).unwrap();
        self.services.insert(("shop".into(), name.into()), service);
    }

    /// A slice of the service with these endpoints, which are objects of the API.
    pub(super) fn put_slice(&mut self, name: &str, service: &str, family: &str, endpoints: &Value) {
        let slice = json!({
            "metadata": {"name": name, "namespace": "shop",
                "labels": {EndpointSlice::SERVICE_LABEL: service}},
            "addressType": family, "endpoints": endpoints});
        let slice: EndpointSlice = serde_json::from_value(slice).unwrap();
        self.slices.insert(("shop".into(), name.into()), slice);
    }

    /// Ready endpoints of both families on these nodes.
    pub(super) fn put_ready(&mut self, service: &str, nodes: &[&str]) {
        let endpoint = |node: &&str| json!({"nodeName": node, "conditions": {"ready": true}});
        let endpoints: Vec<_> = nodes.iter().map(endpoint).collect();
        for family in ["IPv4", "IPv6"] {
            let name = format!("{service}-{family}");
            self.put_slice(&name, service, family, &json!(endpoints));
        }
    }

    pub(super) fn put_layer2(&mut self, spec: Value) {
        let mut conf = json!({"apiVersion": names::LAYER2_API_VERSION,
            "kind": names::LAYER2_CONF_KIND, "metadata": {"name": names::DEFAULT_LAYER2_CONF}});
        conf["spec"] = spec;
        let conf: Layer2Conf = serde_json::from_value(conf).unwrap();
        self.layer2_confs
            .insert(names::DEFAULT_LAYER2_CONF.into(), conf);
    }

    /// What this node announces.
    pub(super) fn on(&self, node: &str) -> Desired {
        desired(self, &me(node), &Shelf::default())
    }

    /// The nodes that announce the address over BGP, or could win it on layer 2.
    pub(super) fn announcing(&self, address: &str) -> Vec<String> {
        let nodes = self.nodes.keys();
        let announces = nodes.filter(|node| is_announced(&self.on(node), address));
        announces.cloned().collect()
    }
}

pub(super) fn me(node: &str) -> Me {
    Me {
        node: node.into(),
        class: "openelb.io/openelb".into(),
        ignores_exclude_label: false,
    }
}

/// Over BGP, or as a candidate of an election.
fn is_announced(desired: &Desired, address: &str) -> bool {
    let address: IpAddr = address.parse().unwrap();
    let is_routed = desired
        .routes
        .iter()
        .any(|route| route.prefix.contains(address));
    is_routed || is_candidate(desired, address)
}

fn is_candidate(desired: &Desired, address: IpAddr) -> bool {
    let contest = desired.link.contest.iter();
    let mut units = contest.flat_map(|contest| &contest.units);
    units.any(|unit| unit.addresses.contains(&address) && unit.group.standing != Standing::Excluded)
}

/// The verdict on an address of the service `shop/NAME`.
pub(super) fn why(desired: &Desired, name: &str, address: &str) -> Result<(), WhyNot> {
    let address: IpAddr = address.parse().unwrap();
    let mut rows = desired.rows.iter();
    let row = rows.find(|row| row.service.name() == name && row.address == address);
    row.expect("a row").here.clone()
}

/// The next hops of the route to an address; none when the route leads to the speaker itself.
pub(super) fn next_hops(desired: &Desired, address: &str) -> Vec<String> {
    let prefix = Prefix::host(address.parse().unwrap());
    let route = desired.routes.iter().find(|route| route.prefix == prefix);
    match &route.expect("a route").next_hop {
        NextHopMode::Nodes(nodes) => nodes.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}

pub(super) fn prefixes(desired: &Desired) -> Vec<String> {
    let prefixes = desired.routes.iter().map(|route| route.prefix.to_string());
    prefixes.collect()
}

/// Merges objects key by key, where `null` takes away; anything else replaces.
pub(super) fn merge(below: &mut Value, above: Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                if value.is_null() {
                    below.remove(&key);
                } else {
                    merge(below.entry(key).or_insert(Value::Null), value);
                }
            }
        }
        (below, above) => *below = above,
    }
}

/// A service that is none of ours, or has nothing, makes no row at all.
#[test]
fn only_services_with_our_marks_and_class_count() {
    let foreign = [
        (
            "unmarked",
            json!({"metadata": {"labels": null, "finalizers": null}}),
        ),
        (
            "class",
            json!({"spec": {"loadBalancerClass": "metallb.io/metallb"}}),
        ),
        ("internal", json!({"spec": {"type": "ClusterIP"}})),
        ("pending", json!({"status": {"loadBalancer": null}})),
    ];
    for (name, more) in foreign {
        let mut cluster = cluster();
        cluster.put_service(name, "edge", &["192.0.2.1"], more);
        cluster.put_ready(name, &["n1"]);
        assert_eq!(cluster.on("n1").rows, [], "{name}");
    }
    let ours = [
        json!({"metadata": {"labels": null}}),
        json!({"metadata": {"finalizers": null}}),
        json!({"spec": {"loadBalancerClass": "openelb.io/openelb"}}),
    ];
    for more in ours {
        let mut cluster = cluster();
        cluster.put_service("web", "edge", &["192.0.2.1"], more);
        cluster.put_ready("web", &["n1"]);
        assert_eq!(prefixes(&cluster.on("n1")), ["192.0.2.1/32"]);
    }
}

#[test]
fn an_address_of_no_pool_is_left_alone_and_reported() {
    let mut cluster = cluster();
    cluster.put_service("web", "edge", &["203.0.113.1", "192.0.2.1"], json!({}));
    cluster.put_ready("web", &["n1"]);
    let desired = cluster.on("n1");
    assert_eq!(why(&desired, "web", "203.0.113.1"), Err(WhyNot::NoPool));
    assert_eq!(prefixes(&desired), ["192.0.2.1/32"]);
}

#[test]
fn an_address_that_left_its_pool_by_an_edit_stays_announced_while_it_is_on_record() {
    let mut cluster = cluster();
    cluster.put_service("web", "edge", &["203.0.113.1"], json!({}));
    cluster.put_ready("web", &["n1"]);
    let used = &mut cluster.eips.get_mut("edge").unwrap().status.used;
    used.insert("203.0.113.1".into(), "shop/other;shop/web".into());
    assert_eq!(prefixes(&cluster.on("n1")), ["203.0.113.1/32"]);
}

#[test]
fn a_pool_with_protocol_none_is_announced_by_nobody() {
    let mut cluster = cluster();
    cluster.put_eip(
        "edge",
        json!({"address": "192.0.2.0/24", "protocol": "none"}),
    );
    cluster.put_service("web", "edge", &["192.0.2.1"], json!({}));
    cluster.put_ready("web", &["n1"]);
    let desired = cluster.on("n1");
    assert_eq!(why(&desired, "web", "192.0.2.1"), Err(WhyNot::PoolSilent));
    assert!(desired.routes.is_empty() && desired.link.announcements.is_empty());
}

#[test]
fn a_pool_that_is_wrong_stops_only_its_own_addresses() {
    let mut cluster = cluster();
    cluster.put_eip(
        "lan",
        json!({"address": "198.51.100.0/33", "protocol": "layer2"}),
    );
    cluster.put_service("web", "edge", &["192.0.2.1"], json!({}));
    cluster.put_ready("web", &["n1"]);
    let desired = cluster.on("n1");
    assert_eq!(prefixes(&desired), ["192.0.2.1/32"]);
    assert!(desired.problems.iter().any(|problem| problem.name == "lan"));
}

#[test]
fn every_reason_has_a_word_and_a_sentence_of_its_own() {
    let reasons = [
        WhyNot::NoPool,
        WhyNot::PoolSilent,
        WhyNot::PoolInvalid("x".into()),
        WhyNot::NoBgp,
        WhyNot::NoElection,
        WhyNot::NoEndpoint,
        WhyNot::NoLocalEndpoint,
        WhyNot::NodeUnknown,
        WhyNot::NodeDeleted,
        WhyNot::NodeExcluded,
        WhyNot::NetworkUnavailable,
        WhyNot::NodeRemoved,
        WhyNot::NodeNotSelected,
        WhyNot::NodeNotReady,
        WhyNot::RouterOff("y".into()),
    ];
    let words: BTreeMap<_, _> = reasons
        .iter()
        .map(|it| (it.word(), it.to_string()))
        .collect();
    assert_eq!(words.len(), reasons.len());
    let texts: std::collections::BTreeSet<_> = words.values().collect();
    assert_eq!(texts.len(), reasons.len());
}
