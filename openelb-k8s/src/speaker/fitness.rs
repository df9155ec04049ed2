//! Which nodes may announce, by what the cluster says about them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use openelb_ipam::pool::Selector;

use super::{Cluster, Me, WhyNot};
use crate::api::{BgpConf, BgpPeer, Eip, NodeReadiness};
use crate::bgp;
use crate::cluster::{Node, TrafficPolicy};
use crate::layer2::Fitness;
use crate::names;

/// The nodes of the cluster, and which of them we are.
pub(super) struct Nodes<'a> {
    all: &'a BTreeMap<String, Node>,
    me: &'a Me,
    /// The AS depends on the rack.
    has_racks: bool,
    /// Which nodes have sessions with the peers of this one, a selector a peer; `None`: all.
    sessions: Vec<Option<&'a Selector>>,
    /// What BGP knows of this node.
    pub(super) mine: bgp::Node,
}

impl<'a> Nodes<'a> {
    pub(super) fn of(cluster: &'a Cluster, me: &'a Me, conf: Option<&BgpConf>) -> Self {
        let (all, peers) = (&cluster.nodes, &cluster.bgp_peers);
        let node = all.get(&me.node);
        let selectors = peers.values().filter(|peer| !peer.spec.is_template);
        let selectors = selectors.map(|peer| selector(peer, peers));
        let mine = selectors.filter(|selector| node.is_some_and(|it| is_of(*selector, it)));
        let addresses = node.into_iter().flat_map(Node::internal_addresses);
        Self {
            all,
            me,
            has_racks: conf.is_some_and(|conf| !conf.spec.as_per_rack.is_empty()),
            sessions: mine.collect(),
            mine: bgp::Node {
                name: me.node.clone(),
                addresses: addresses.collect(),
                labels: node
                    .map(|node| node.metadata.labels.clone())
                    .unwrap_or_default(),
            },
        }
    }

    /// Whether this node may announce addresses of a pool for services of this traffic policy.
    pub(super) fn check(&self, eip: &Eip, policy: TrafficPolicy) -> Result<(), WhyNot> {
        let node = self.all.get(&self.me.node).ok_or(WhyNot::NodeUnknown)?;
        self.check_node(node, policy)?;
        check_pool(node, eip)
    }

    /// How this node stands where no pool has a word.
    pub(super) fn standing_in_general(&self) -> Fitness {
        let Some(node) = self.all.get(&self.me.node) else {
            return Fitness::Unfit;
        };
        match self.check_node(node, TrafficPolicy::Cluster) {
            Err(_) => Fitness::Unfit,
            Ok(()) if is_ready(node) => Fitness::Fit,
            Ok(()) => Fitness::Behind,
        }
    }

    /// How this node stands for services of `Cluster` in a pool.
    pub(super) fn standing(&self, eip: &Eip) -> Fitness {
        if self.check(eip, TrafficPolicy::Cluster).is_err() {
            return Fitness::Unfit;
        }
        match (self.standing_in_general(), eip.spec.node_readiness) {
            (Fitness::Behind, NodeReadiness::Ignore) => Fitness::Fit,
            (standing, _) => standing,
        }
    }

    /// The addresses of the nodes that can deliver what is sent to a pool's addresses, one a family
    /// and node; `only` names those that have an endpoint where that matters.
    ///
    /// A node that speaks with our peers itself is left out: it alone knows when it goes, and a path of
    /// ours would outlive it there. So is one that is not ready while others are, unless it is this
    /// one: its own speaker lives, and of the others we know only that they are not ready.
    pub(super) fn next_hops(
        &self,
        eip: &Eip,
        policy: TrafficPolicy,
        only: impl Fn(&str) -> bool,
    ) -> Vec<IpAddr> {
        let may = |node: &&Node| {
            let name = &*node.metadata.name;
            self.check_node(node, policy).is_ok()
                && check_pool(node, eip).is_ok()
                && self.is_of_my_rack(node)
                && (name == self.me.node || !self.speaks_for_itself(node))
                && only(name)
        };
        let nodes: Vec<_> = self.all.values().filter(may).collect();
        let prefers = eip.spec.node_readiness == NodeReadiness::Prefer;
        let is_one_ready = nodes.iter().any(|node| is_ready(node));
        let stays = |node: &&Node| {
            !prefers || !is_one_ready || is_ready(node) || node.metadata.name == self.me.node
        };
        let nodes = nodes.into_iter().filter(stays);
        nodes.flat_map(first_of_each_family).collect()
    }

    /// Whether it has a session with every peer of this node.
    fn speaks_for_itself(&self, node: &Node) -> bool {
        let mut sessions = self.sessions.iter();
        !self.sessions.is_empty() && sessions.all(|selector| is_of(*selector, node))
    }

    /// With one AS for each rack, only nodes of the same one are on the link of its router.
    fn is_of_my_rack(&self, node: &Node) -> bool {
        let mine = self.mine.labels.get(names::RACK_LABEL);
        !self.has_racks || mine.is_none() || mine == node.metadata.labels.get(names::RACK_LABEL)
    }

    /// What withdraws a node whatever the pool says (KEP-1143, KEP-3458). Being cordoned does not.
    fn check_node(&self, node: &Node, policy: TrafficPolicy) -> Result<(), WhyNot> {
        let meta = &node.metadata;
        let is_excluded =
            meta.labels.contains_key(Node::EXCLUDE_LABEL) && !self.me.ignores_exclude_label;
        let mut taints = node.spec.taints.iter();
        // The pods of a node that is about to go still end in peace: under `Local` it is their
        // endpoints that say when it is over (KEP-3836).
        let is_removed =
            policy == TrafficPolicy::Cluster && taints.any(|taint| taint.key == AUTOSCALER_TAINT);
        if meta.deletion_timestamp.is_some() {
            Err(WhyNot::NodeDeleted)
        } else if is_excluded {
            Err(WhyNot::NodeExcluded)
        } else if node.condition("NetworkUnavailable") == Some(true) {
            Err(WhyNot::NetworkUnavailable)
        } else if is_removed {
            Err(WhyNot::NodeRemoved)
        } else {
            Ok(())
        }
    }
}

/// The nodes that have a session with a peer, by its own word or its template's.
fn selector<'a>(peer: &'a BgpPeer, peers: &'a BTreeMap<String, BgpPeer>) -> Option<&'a Selector> {
    let template = peers.get(&peer.spec.template);
    let template = template.and_then(|template| template.spec.node_selector.as_ref());
    peer.spec.node_selector.as_ref().or(template)
}

fn is_of(selector: Option<&Selector>, node: &Node) -> bool {
    selector.is_none_or(|selector| selector.matches(&node.metadata.labels))
}

fn check_pool(node: &Node, eip: &Eip) -> Result<(), WhyNot> {
    let selector = eip.spec.node_selector.as_ref();
    if selector.is_some_and(|selector| !selector.matches(&node.metadata.labels)) {
        return Err(WhyNot::NodeNotSelected);
    }
    if eip.spec.node_readiness == NodeReadiness::Require && !is_ready(node) {
        return Err(WhyNot::NodeNotReady);
    }
    Ok(())
}

/// A node of which nothing is said is new, or no kubelet's: nothing speaks against it.
fn is_ready(node: &Node) -> bool {
    node.condition("Ready") != Some(false)
}

fn first_of_each_family(node: &Node) -> impl Iterator<Item = IpAddr> {
    let ipv4 = node.internal_addresses().find(IpAddr::is_ipv4);
    let ipv6 = node.internal_addresses().find(IpAddr::is_ipv6);
    ipv4.into_iter().chain(ipv6)
}

const AUTOSCALER_TAINT: &str = "ToBeDeletedByClusterAutoscaler";
