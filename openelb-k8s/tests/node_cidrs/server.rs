//! A model of an API server: versions, compare-and-swap, and a specification that is set once.

use std::collections::BTreeMap;

use openelb_k8s::api::{ObjectMeta, PodNetwork};
use openelb_k8s::cluster::Node;
use openelb_k8s::names;
use openelb_k8s::node_cidrs::{Change, Input, Kind, Object, Outcome};

/// What a server checks; a real one checks both.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Honesty {
    pub(crate) compares_versions: bool,
    pub(crate) compares_uids: bool,
}

impl Default for Honesty {
    fn default() -> Self {
        Self {
            compares_versions: true,
            compares_uids: true,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Server {
    pub(crate) version: u64,
    pub(crate) network: Option<PodNetwork>,
    pub(crate) nodes: BTreeMap<String, Node>,
    /// What watchers are to be told, in order.
    pub(crate) events: Vec<(Kind, Input)>,
    /// How many writes changed something.
    pub(crate) writes: usize,
    pub(crate) honesty: Honesty,
}

impl Server {
    fn stamp(&mut self, meta: &mut ObjectMeta) {
        self.version += 1;
        meta.resource_version = Some(self.version.to_string());
        if meta.uid.is_none() {
            meta.uid = Some(format!("uid-{}", self.version));
        }
    }

    pub(crate) fn put_network(&mut self, mut network: PodNetwork) {
        self.stamp(&mut network.metadata);
        let event = Input::Network(Box::new(network.clone()));
        self.events.push((Kind::Network, event));
        self.network = Some(network);
    }

    pub(crate) fn delete_network(&mut self) {
        if let Some(network) = self.network.take() {
            self.version += 1;
            let event = Input::NetworkGone(network.metadata.name);
            self.events.push((Kind::Network, event));
        }
    }

    pub(crate) fn put_node(&mut self, mut node: Node) {
        self.stamp(&mut node.metadata);
        let event = Input::Node(Box::new(node.clone()));
        self.events.push((Kind::Node, event));
        self.nodes.insert(node.metadata.name.clone(), node);
    }

    pub(crate) fn delete_node(&mut self, name: &str) {
        if self.nodes.remove(name).is_some() {
            self.version += 1;
            let event = Input::NodeGone(name.to_owned());
            self.events.push((Kind::Node, event));
        }
    }

    pub(crate) fn list(&self, kind: Kind) -> Vec<Input> {
        match kind {
            Kind::Network => {
                let network = self.network.iter().cloned();
                network.map(|it| Input::Network(Box::new(it))).collect()
            }
            Kind::Node => {
                let nodes = self.nodes.values().cloned();
                nodes.map(|it| Input::Node(Box::new(it))).collect()
            }
        }
    }

    pub(crate) fn execute(&mut self, change: &Change) -> Outcome {
        match change {
            Change::ReadNetwork => match &self.network {
                Some(network) => Outcome::Found(Object::Network(Box::new(network.clone()))),
                None => Outcome::NotFound,
            },
            Change::ReadNode(name) => match self.nodes.get(name) {
                Some(node) => Outcome::Found(Object::Node(Box::new(node.clone()))),
                None => Outcome::NotFound,
            },
            Change::Status {
                resource_version,
                status,
            } => {
                let Some(mut network) = self.network.clone() else {
                    return Outcome::NotFound;
                };
                let is_current =
                    network.metadata.resource_version.as_ref() == Some(resource_version);
                if self.honesty.compares_versions && !is_current {
                    return Outcome::Conflict;
                }
                if network.status != **status {
                    network.status = (**status).clone();
                    self.writes += 1;
                    self.put_network(network);
                }
                done(&self.network.as_ref().unwrap().metadata)
            }
            Change::Node { name, uid, cidrs } => {
                let Some(mut node) = self.nodes.get(name).cloned() else {
                    return Outcome::NotFound;
                };
                if self.honesty.compares_uids && node.metadata.uid.as_ref() != Some(uid) {
                    return Outcome::NotFound;
                }
                let texts: Vec<_> = cidrs.iter().map(ToString::to_string).collect();
                if node.spec.pod_cidrs == texts {
                    return done(&node.metadata);
                }
                if !node.spec.pod_cidrs.is_empty() {
                    return Outcome::Rejected {
                        status: 422,
                        reason: "podCIDRs may not change except from \"\" to valid".to_owned(),
                    };
                }
                node.spec.pod_cidr.clone_from(&texts[0]);
                node.spec.pod_cidrs = texts;
                self.writes += 1;
                self.put_node(node);
                done(&self.nodes[name].metadata)
            }
        }
    }
}

fn done(meta: &ObjectMeta) -> Outcome {
    Outcome::Done {
        resource_version: meta.resource_version.clone().unwrap(),
    }
}

pub(crate) fn network(ranges: &[&str]) -> PodNetwork {
    PodNetwork::new(ranges.iter().copied())
}

/// A node; `cidrs` are what somebody else gave it.
pub(crate) fn node(name: &str, cidrs: &[&str]) -> Node {
    let mut node = Node::default();
    name.clone_into(&mut node.metadata.name);
    node.spec.pod_cidrs = cidrs.iter().map(|it| (*it).to_owned()).collect();
    let first = cidrs.first().copied().unwrap_or_default();
    first.clone_into(&mut node.spec.pod_cidr);
    node
}

/// A node whose annotation has its prefixes.
pub(crate) fn annotated(name: &str, cidrs: &str) -> Node {
    let mut node = node(name, &[]);
    let annotations = &mut node.metadata.annotations;
    annotations.insert(names::POD_CIDRS_ANNOTATION.to_owned(), cidrs.to_owned());
    node
}
