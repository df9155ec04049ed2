//! The pods' side of a node: routes to its pod CIDRs, sessions with all other nodes, and what its kernel
//! and its CNI are to know.

mod mesh;

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use openelb_announce::bgp::config::Settings;
use openelb_announce::bgp::family::Family;
use openelb_announce::bgp::policy::PrefixRange;
use openelb_announce::bgp::prefix::Prefix;
use openelb_announce::bgp::route::{PeerName, PeerSelection, Route};

use super::{Cluster, Me};
use crate::bgp::{self, Material};
use crate::cluster::Node;
use crate::names;
use crate::pod_network::{Kernel, NodeCidrs, Plan, clashes, read};
use crate::problem::Problem;

/// What a node does for its pods.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pods {
    /// Its pod CIDRs, and why one is not announced.
    pub rows: Vec<PodRow>,
    /// Where learned routes go in its kernel; `None`: nowhere.
    pub kernel: Option<Kernel>,
    /// The file of its CNI configuration; `None`: not ours.
    pub cni: Option<PathBuf>,
}

/// A pod CIDR of this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodRow {
    /// The prefix.
    pub cidr: IpNet,
    /// Whether this node announces it.
    pub here: Result<(), WhyNotPods>,
}

/// Why a node does not announce a pod CIDR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhyNotPods {
    /// The `PodNetwork` says so.
    Silent,
    /// BGP is not configured.
    NoBgp,
    /// Nothing leads there: the node has no address of the family.
    NoAddress(Family),
    /// Another node has an address of it, too.
    Taken(String),
}

impl fmt::Display for WhyNotPods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent => f.write_str("the PodNetwork says `announce: {enabled: false}`"),
            Self::NoBgp => {
                f.write_str("BGP is not configured; add a BgpConf named `default` with `spec.as`")
            }
            Self::NoAddress(family) => write!(
                f,
                "the node has no {family} address to be the next hop; give it one, or peers that take \
                 IPv6 next hops (`extendedNextHop`)"
            ),
            Self::Taken(node) => write!(f, "node {node} has it too; give one of them another"),
        }
    }
}

impl Pods {
    /// What keeps this node from announcing its pod CIDRs, for people.
    pub fn troubles(&self) -> impl Iterator<Item = String> {
        self.rows.iter().filter_map(|row| {
            let why = row.here.as_ref().err()?;
            // Whoever switched it off knows.
            (*why != WhyNotPods::Silent)
                .then(|| format!("pod CIDR {} is not announced: {why}", row.cidr))
        })
    }

    /// The pod CIDRs of the node.
    pub fn cidrs(&self) -> Vec<IpNet> {
        self.rows.iter().map(|row| row.cidr).collect()
    }
}

/// What this node does for its pods. Sessions of the mesh and what is learned of peers go into the
/// speaker's configuration, the routes to `routes`.
pub(super) fn of<S: Material>(
    cluster: &Cluster,
    me: &Me,
    shelf: &S,
    bgp: &mut bgp::Speaker,
    routes: &mut Vec<Route>,
) -> Pods {
    let Some(network) = cluster.pod_networks.get(names::DEFAULT_POD_NETWORK) else {
        return Pods::default();
    };
    // The controller shows what is wrong with the object itself.
    let (Some(plan), _) = read(network) else {
        return Pods::default();
    };
    let Some(node) = cluster
        .nodes
        .get(&me.node)
        .filter(|node| plan.selects(node))
    else {
        return Pods::default();
    };
    let mine = NodeCidrs::of(node);
    mesh::join(cluster, node, &plan, shelf, bgp);
    import(&plan, bgp);
    let rows = mine.cidrs.iter().map(|cidr| PodRow {
        cidr: *cidr,
        here: check(cluster, node, &plan, bgp, *cidr),
    });
    let rows: Vec<_> = rows.collect();
    for row in rows.iter().filter(|row| row.here.is_ok()) {
        routes.push(Route {
            peers: hearers(&plan, node, bgp, row.cidr),
            ..Route::to(Prefix::from(row.cidr))
        });
    }
    Pods {
        rows,
        kernel: plan.kernel,
        cni: plan.cni.clone(),
    }
}

/// Remarks about the `PodNetwork` that only a node can make.
pub(super) fn problems<S: Material>(cluster: &Cluster, me: &Me, shelf: &S) -> Vec<Problem> {
    let network = cluster.pod_networks.get(names::DEFAULT_POD_NETWORK);
    let plan = network.and_then(|network| read(network).0);
    let node = cluster.nodes.get(&me.node);
    let Some((plan, node)) = plan.zip(node) else {
        return Vec::new();
    };
    mesh::problems(cluster, node, &plan, shelf)
}

/// Learned are only routes to pods, and only where they are to be used.
fn import(plan: &Plan, bgp: &mut bgp::Speaker) {
    let Some(config) = bgp.config.as_mut().filter(|_| plan.kernel.is_some()) else {
        return;
    };
    let ranges = plan.ranges.iter();
    let ranges = ranges.map(|range| PrefixRange::within(Prefix::from(*range)));
    let ranges: Vec<_> = ranges.collect();
    let peers = config.peers.iter_mut().map(|peer| &mut peer.settings);
    let groups = config.dynamic.iter_mut().map(|group| &mut group.settings);
    for settings in peers.chain(groups) {
        settings.import.clone_from(&ranges);
    }
}

fn check(
    cluster: &Cluster,
    node: &Node,
    plan: &Plan,
    bgp: &bgp::Speaker,
    cidr: IpNet,
) -> Result<(), WhyNotPods> {
    if plan.announce.is_none() && plan.mesh.is_none() {
        return Err(WhyNotPods::Silent);
    }
    let Some(config) = &bgp.config else {
        return Err(WhyNotPods::NoBgp);
    };
    let peers = config.peers.iter().map(|peer| &peer.settings);
    let mut settings = peers.chain(config.dynamic.iter().map(|group| &group.settings));
    let family = Prefix::from(cidr).family();
    if !has_address(node, family) && !settings.any(|it| takes_other_family(it, family)) {
        return Err(WhyNotPods::NoAddress(family));
    }
    let name = &node.metadata.name;
    let others = cluster
        .nodes
        .values()
        .filter(|it| it.metadata.name != *name);
    let others = others.flat_map(|other| {
        let cidrs = NodeCidrs::of(other).cidrs.into_iter();
        cidrs.map(|cidr| (&*other.metadata.name, cidr))
    });
    let own = others.filter(|(_, it)| it.contains(&cidr) || cidr.contains(it));
    match own.min_by_key(|(name, _)| *name) {
        // The record says whose it is; who has none has it by its own word alone.
        Some((other, others)) if !is_recorded(cluster, name, cidr) => {
            debug_assert!(!clashes([(&**name, cidr), (other, others)]).is_empty());
            Err(WhyNotPods::Taken(other.to_owned()))
        }
        _ => Ok(()),
    }
}

/// Whether the controller's record says that the prefix is the node's.
fn is_recorded(cluster: &Cluster, node: &str, cidr: IpNet) -> bool {
    let network = cluster.pod_networks.get(names::DEFAULT_POD_NETWORK);
    let used = network.and_then(|it| it.status.used.get(&cidr.to_string()));
    used.is_some_and(|owner| owner == node)
}

fn has_address(node: &Node, family: Family) -> bool {
    let [ipv4, ipv6]: [Option<IpAddr>; 2] = node.first_of_each_family();
    match family {
        Family::Ipv4Unicast => ipv4.is_some(),
        Family::Ipv6Unicast => ipv6.is_some(),
    }
}

/// IPv4 routes may lead through IPv6 where that is negotiated (RFC 8950); never the other way round.
fn takes_other_family(settings: &Settings, family: Family) -> bool {
    family == Family::Ipv4Unicast && settings.extended_next_hop
}

/// The peers that hear of a prefix: those of the object and the mesh, as far as they can use it.
fn hearers(plan: &Plan, node: &Node, bgp: &bgp::Speaker, cidr: IpNet) -> PeerSelection {
    let family = Prefix::from(cidr).family();
    let has_address = has_address(node, family);
    if has_address && plan.announce == Some(PeerSelection::All) {
        return PeerSelection::All;
    }
    let config = bgp.config.iter();
    let peers = config.clone().flat_map(|config| &config.peers);
    let peers = peers.map(|peer| (&peer.name, &peer.settings));
    let groups = config.flat_map(|config| &config.dynamic);
    let groups = groups.map(|group| (&group.name, &group.settings));
    let is_told = |name: &PeerName| {
        let by_object = plan.announce.as_ref().is_some_and(|it| it.selects(name));
        by_object || mesh::is_of_mesh(name)
    };
    let all = peers.chain(groups);
    let told = all.filter(|(name, settings)| {
        is_told(name) && (has_address || takes_other_family(settings, family))
    });
    told.map(|(name, _)| name.clone()).collect()
}
