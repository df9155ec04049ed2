//! What is written back: the record of this node, its sessions and its configuration, each under the
//! node's own name, so that any number of speakers write without meeting.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::api::{
    BgpConf, BgpPeer, Condition, NodeAnnouncement, NodeAnnouncementStatus, NodeConfStatus,
    NodePeerStatus, PeerState,
};
use crate::client::{Act, Key, Request, Resource, Watched};
use crate::cluster::Node;
use crate::names;
use crate::problem::Problem;
use crate::speaker::Cluster;

/// Everything that this node has to say.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Report {
    /// `uid` of the node, which the record goes with.
    pub(super) uid: String,
    pub(super) record: NodeAnnouncementStatus,
    /// What its speaker is; `None` when it is not configured.
    pub(super) conf: Option<NodeConfStatus>,
    /// Its sessions, by name of the peer.
    pub(super) peers: BTreeMap<String, NodePeerStatus>,
    /// What the objects do not show although it may have been written: an object was made anew.
    pub(super) unseen: BTreeSet<String>,
    /// What is to be removed from objects, by what it is called.
    pub(super) cleanup: BTreeMap<String, Request>,
    /// What is to be said about objects.
    pub(super) conditions: BTreeMap<String, Request>,
}

/// What was written last.
#[derive(Debug, Clone, Default)]
pub(super) struct Written {
    pub(super) record: Option<NodeAnnouncementStatus>,
    conf: Option<NodeConfStatus>,
    peers: BTreeMap<String, NodePeerStatus>,
    conditions: BTreeMap<String, Request>,
}

/// One request, and what is true once it succeeded.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one a second, and moved once")]
pub(super) enum Step {
    Record(Request, NodeAnnouncementStatus),
    Conf(Request, NodeConfStatus),
    Peer(Request, String, NodePeerStatus),
    Condition(Request, String),
    Cleanup(Request),
}

impl Step {
    pub(super) fn request(&self) -> &Request {
        match self {
            Self::Record(request, _)
            | Self::Conf(request, _)
            | Self::Peer(request, ..)
            | Self::Condition(request, _)
            | Self::Cleanup(request) => request,
        }
    }
}

impl Written {
    /// What is to be written, given what was. With `counts`, also what only counts up: message
    /// counters change with every KEEPALIVE, and each write wakes every speaker of the cluster.
    pub(super) fn steps(&self, report: &Report, node: &str, counts: bool) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.record.as_ref() != Some(&report.record) {
            let request = record(node, report);
            steps.push(Step::Record(request, report.record.clone()));
        }
        let seen = |name: &str| !report.unseen.contains(name);
        let conf = self.conf.as_ref().filter(|_| seen(CONF));
        if let Some(conf) = report.conf.as_ref().filter(|it| conf != Some(it)) {
            let status = json!({"nodesConfStatus": {node: conf}});
            let request = apply::<BgpConf>(names::DEFAULT_BGP_CONF, &status);
            steps.push(Step::Conf(request, conf.clone()));
        }
        for (name, peer) in &report.peers {
            let before = self.peers.get(name).filter(|_| seen(name));
            let is_same = match before {
                Some(before) if counts => before == peer,
                Some(before) => still(before) == still(peer),
                None => false,
            };
            if !is_same {
                let status = json!({"nodesPeerStatus": {node: peer}});
                let request = apply::<BgpPeer>(name, &status);
                steps.push(Step::Peer(request, name.clone(), peer.clone()));
            }
        }
        for (what, request) in &report.conditions {
            if self.conditions.get(what) != Some(request) {
                steps.push(Step::Condition(request.clone(), what.clone()));
            }
        }
        steps.extend(report.cleanup.values().cloned().map(Step::Cleanup));
        steps
    }

    /// A step succeeded.
    pub(super) fn note(&mut self, step: Step) {
        match step {
            Step::Record(_, status) => self.record = Some(status),
            Step::Conf(_, conf) => self.conf = Some(conf),
            Step::Peer(_, name, status) => {
                self.peers.insert(name, status);
            }
            Step::Condition(request, what) => {
                self.conditions.insert(what, request);
            }
            Step::Cleanup(_) => {}
        }
    }

    /// The object of a step does not exist (any more), and what was written went with it.
    pub(super) fn forget(&mut self, step: &Step) {
        match step {
            Step::Record(..) => self.record = None,
            Step::Conf(..) => self.conf = None,
            Step::Peer(_, name, _) => {
                self.peers.remove(name);
            }
            Step::Condition(..) | Step::Cleanup(_) => {}
        }
    }
}

/// What the objects do not show of this node: names of peers, and [`CONF`].
pub(super) fn unseen(cluster: &Cluster, node: &str) -> BTreeSet<String> {
    let peers = cluster.bgp_peers.iter();
    let peers = peers.filter(|(_, peer)| !peer.status.nodes_peer_status.contains_key(node));
    let confs = cluster.bgp_confs.get(names::DEFAULT_BGP_CONF);
    let confs = confs.filter(|conf| !conf.status.nodes_conf_status.contains_key(node));
    let conf = confs.map(|_| CONF.to_owned());
    peers.map(|(name, _)| name.clone()).chain(conf).collect()
}

/// The record itself, without status, to be made where it is missing.
pub(super) fn creation(node: &str, uid: &str) -> Request {
    let mut body = serde_json::to_value(NodeAnnouncement::new(node)).unwrap_or_default();
    if let Some(meta) = body.get_mut("metadata").and_then(Value::as_object_mut) {
        // It goes with the node.
        let owner = json!([{"apiVersion": "v1", "kind": "Node", "name": node, "uid": uid}]);
        meta.insert("ownerReferences".to_owned(), owner);
    }
    Request {
        resource: NodeAnnouncement::RESOURCE,
        key: Key::default(),
        subresource: None,
        act: Act::Create,
        body,
    }
}

fn record(node: &str, report: &Report) -> Request {
    let status = serde_json::to_value(&report.record).unwrap_or_default();
    apply::<NodeAnnouncement>(node, &status)
}

/// What is to be removed from the objects: entries of this node that have no session any more,
/// passwords that OpenELB copied there, and, where `cleans` says that it is this node's turn, entries of
/// nodes that are gone.
pub(super) fn cleanup(
    cluster: &Cluster,
    node: &str,
    report: &Report,
    cleans: bool,
) -> BTreeMap<String, Request> {
    let mut requests = BTreeMap::new();
    let is_gone = |name: &String| cleans && !cluster.nodes.contains_key(name);
    for (name, peer) in &cluster.bgp_peers {
        for (entry, status) in &peer.status.nodes_peer_status {
            let is_mine = entry == node;
            let stays = report.peers.contains_key(name) || !is_mine;
            let nothing = if !stays || is_gone(entry) {
                Value::Null
            } else if is_mine && !status.peer_state.auth_password.is_empty() {
                json!({"peerState": {"authPassword": null}})
            } else {
                continue;
            };
            let status = json!({"nodesPeerStatus": {entry: nothing}});
            let request = merge::<BgpPeer>(name, &status);
            requests.insert(format!("BgpPeer {name} {entry}"), request);
        }
    }
    for (name, conf) in &cluster.bgp_confs {
        for entry in conf.status.nodes_conf_status.keys() {
            if is_gone(entry) || (entry == node && report.conf.is_none()) {
                let status = json!({"nodesConfStatus": {entry: null}});
                let request = merge::<BgpConf>(name, &status);
                requests.insert(format!("BgpConf {name} {entry}"), request);
            }
        }
    }
    requests
}

/// Whether this node is the one that speaks for all: the first by name of those that have a speaker
/// and are ready. Two that both think so write the same.
pub(super) fn speaks_for_all(cluster: &Cluster, node: &str) -> bool {
    let conf = cluster.bgp_confs.get(names::DEFAULT_BGP_CONF);
    let speakers = conf
        .into_iter()
        .flat_map(|conf| conf.status.nodes_conf_status.keys());
    let is_ready = |name: &&String| {
        let found = cluster.nodes.get(*name);
        found.is_some_and(|node: &Node| node.condition("Ready") == Some(true))
    };
    speakers.filter(is_ready).all(|name| node <= name.as_str())
}

/// `Accepted` of every `BgpConf` and `BgpPeer` about which there is something to say, or was. What
/// cannot be honoured is named; what is fine has no condition, so that taking over writes nothing.
pub(super) fn conditions(
    cluster: &Cluster,
    problems: &[Problem],
    now: &str,
) -> BTreeMap<String, Request> {
    let mut requests = BTreeMap::new();
    for (name, peer) in &cluster.bgp_peers {
        let status = &peer.status;
        let generation = peer.metadata.generation;
        let found = accepted(names::BGP_PEER_KIND, name, problems, generation);
        if let Some(body) = change(found, &status.conditions, now) {
            let request = apply::<BgpPeer>(name, &body);
            requests.insert(format!("BgpPeer {name}"), request);
        }
    }
    for (name, conf) in &cluster.bgp_confs {
        let generation = conf.metadata.generation;
        let found = accepted(names::BGP_CONF_KIND, name, problems, generation);
        if let Some(body) = change(found, &conf.status.conditions, now) {
            let request = apply::<BgpConf>(name, &body);
            requests.insert(format!("BgpConf {name}"), request);
        }
    }
    requests
}

/// The condition of an object, if there is something to say.
fn accepted(
    kind: &str,
    name: &str,
    problems: &[Problem],
    generation: Option<i64>,
) -> Option<Condition> {
    let about = problems
        .iter()
        .filter(|it| it.kind == kind && it.name == name);
    let mut about: Vec<_> = about.collect();
    about.sort_by_key(|problem| !problem.is_error());
    let gravest = about.first()?;
    let texts = about
        .iter()
        .map(|it| format!("{}: {}; {}", it.key, it.message, it.next));
    Some(Condition {
        kind: ACCEPTED.to_owned(),
        status: if gravest.is_error() { "False" } else { "True" }.to_owned(),
        reason: gravest.reason.as_str().to_owned(),
        message: texts.collect::<Vec<_>>().join(". "),
        observed_generation: generation,
        last_transition_time: String::new(),
    })
}

/// The status to apply so that the object says `found`; `None` when it does already.
fn change(found: Option<Condition>, shown: &[Condition], now: &str) -> Option<Value> {
    let shown = shown.iter().find(|it| it.kind == ACCEPTED);
    let Some(mut found) = found else {
        return shown.map(|_| json!({}));
    };
    let since = shown.filter(|it| it.status == found.status);
    let since = since.map_or(now, |it| &it.last_transition_time);
    since.clone_into(&mut found.last_transition_time);
    let is_same = shown == Some(&found);
    (!is_same).then(|| json!({"conditions": [found]}))
}

/// What changes with more than a count.
fn still(status: &NodePeerStatus) -> NodePeerStatus {
    NodePeerStatus {
        peer_state: PeerState {
            messages: None,
            queues: None,
            out_q: 0,
            ..status.peer_state.clone()
        },
        ..status.clone()
    }
}

/// Part of a status, which becomes the writer's own: what others wrote stays theirs.
fn apply<T: Watched>(name: &str, status: &Value) -> Request {
    let body = json!({"apiVersion": T::RESOURCE.api_version(), "kind": T::RESOURCE.kind,
        "metadata": {"name": name}, "status": status});
    status_request(T::RESOURCE, name, Act::Apply { force: true }, body)
}

fn merge<T: Watched>(name: &str, status: &Value) -> Request {
    status_request(T::RESOURCE, name, Act::Merge, json!({"status": status}))
}

fn status_request(resource: Resource, name: &str, act: Act, body: Value) -> Request {
    Request {
        resource,
        key: Key {
            namespace: String::new(),
            name: name.to_owned(),
        },
        subresource: Some("status"),
        act,
        body,
    }
}

/// Under which name a node writes. A manager's name has at most 128 characters, a node's up to 253: the end of a long one tells nodes
/// apart.
pub(super) fn manager(node: &str) -> String {
    let skipped = node
        .len()
        .saturating_sub(LONGEST_MANAGER - FOR_ALL.len() - 1);
    let end: String = node.chars().skip(skipped).collect();
    format!("{FOR_ALL}/{end}")
}

/// No object of a cluster has a name with a slash.
const CONF: &str = "BgpConf/default";

const LONGEST_MANAGER: usize = 128;

/// Under which name the one node that speaks for all writes. It must differ from every node's own:
/// what a manager applied and does not apply again is removed.
pub(super) const FOR_ALL: &str = "openelb-speaker";

const ACCEPTED: &str = "Accepted";

#[cfg(test)]
mod tests;
