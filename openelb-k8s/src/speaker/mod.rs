//! What the speaker of a node announces, as a function of the cluster's objects.
//!
//! [`desired`] takes everything that the API server has said and who we are, and gives what the
//! announcer and the BGP speaker are told, with a [`Row`] for each address of each service that says
//! why it is or is not announced here. It is recomputed as a whole whenever anything changed: there is
//! no state that could disagree with the objects. [`record`] then joins it with what the network shows.

mod endpoints;
mod fitness;
mod pods;
mod pools;
mod reason;
pub mod record;
mod routes;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::IpAddr;

use openelb_announce::bgp::route::Route;
use openelb_ipam::OwnerKey;

use self::endpoints::{Endpoints, of_services};
use self::fitness::Nodes;
use self::pools::{Pool, Pools};
use crate::api::{
    BgpConf, BgpPeer, DynamicPrefix, Eip, Layer2Conf, PodNetwork, Protocol, SecretKey,
};
use crate::bgp::{self, Material};
use crate::cluster::{EndpointSlice, Node, Service, ServiceType, TrafficPolicy};
use crate::follow;
use crate::layer2::{self, Keys, Standings};
use crate::link::{self, Bid, Bids, Here, Together, Wanted};
use crate::names;
use crate::problem::Problem;

pub use self::pods::{PodRow, Pods, WhyNotPods};
pub use self::reason::WhyNot;

/// The objects that decide, as the API server last showed them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cluster {
    /// By namespace and name.
    pub services: BTreeMap<Name, Service>,
    /// By namespace and name.
    pub slices: BTreeMap<Name, EndpointSlice>,
    /// By name.
    pub nodes: BTreeMap<String, Node>,
    /// By name.
    pub eips: BTreeMap<String, Eip>,
    /// By name; only [`names::DEFAULT_BGP_CONF`] counts.
    pub bgp_confs: BTreeMap<String, BgpConf>,
    /// By name.
    pub bgp_peers: BTreeMap<String, BgpPeer>,
    /// By name; only [`names::DEFAULT_LAYER2_CONF`] counts.
    pub layer2_confs: BTreeMap<String, Layer2Conf>,
    /// By name.
    pub prefixes: BTreeMap<String, DynamicPrefix>,
    /// By name; only [`names::DEFAULT_POD_NETWORK`] counts.
    pub pod_networks: BTreeMap<String, PodNetwork>,
}

/// Namespace and name.
pub type Name = (String, String);

/// Who announces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// Name of the node.
    pub node: String,
    /// The `loadBalancerClass` that is served, besides none.
    pub class: String,
    /// Announce also from nodes with the label
    /// [`Node::EXCLUDE_LABEL`](crate::cluster::Node::EXCLUDE_LABEL).
    pub ignores_exclude_label: bool,
}

/// What a node is to announce.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Desired {
    /// On its links.
    pub link: Wanted,
    /// To whom it speaks BGP.
    pub bgp: bgp::Speaker,
    /// What it tells them.
    pub routes: Vec<Route>,
    /// What it does for its pods.
    pub pods: Pods,
    /// Every address of every service of ours, in the order of service and address.
    pub rows: Vec<Row>,
    /// What is to be said about the objects.
    pub problems: Vec<Problem>,
}

/// One address of one service, and what this node does about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The service.
    pub service: OwnerKey,
    /// The address.
    pub address: IpAddr,
    /// The pool that it is of; empty when it is of none.
    pub eip: String,
    /// How the pool is announced.
    pub protocol: Protocol,
    /// Whether this node announces it, or would if the others did not.
    pub here: Result<(), WhyNot>,
}

/// What a node is to announce. The same objects give the same answer, in time linear in their size
/// but for sorting.
///
/// A service counts when it has marks of ours (the label or the finalizer that the controller sets
/// before an address shows) and its class is none or ours; its addresses are those of its status that
/// a pool has. Whether one is announced here follows from the pool, the node and the endpoints.
///
/// ```
/// use openelb_k8s::bgp::{Material, PasswordSource};
/// use openelb_k8s::layer2::Keys;
/// use openelb_k8s::speaker::{Cluster, Me, desired};
///
/// struct Nothing;
/// impl Material for Nothing {
///     fn password(&self, _: PasswordSource<'_>) -> Result<Vec<u8>, String> { Err("no Secret".into()) }
///     fn policy(&self, _: &str) -> Result<String, String> { Err("no ConfigMap".into()) }
/// }
/// impl Keys for Nothing {
///     fn key(&self, _: PasswordSource<'_>) -> Result<Vec<u8>, String> { Err("no Secret".into()) }
/// }
///
/// let me = Me { node: "n1".into(), class: "openelb.io/openelb".into(), ignores_exclude_label: false };
/// let nothing = desired(&Cluster::default(), &me, &Nothing);
/// assert!(nothing.rows.is_empty() && nothing.routes.is_empty());
/// ```
pub fn desired<S: Material + Keys>(cluster: &Cluster, me: &Me, shelf: &S) -> Desired {
    let conf = cluster.bgp_confs.get(names::DEFAULT_BGP_CONF);
    let conf = conf.filter(|conf| !conf.metadata.labels.contains_key(names::CNI_LABEL));
    let nodes = Nodes::of(cluster, me, conf);
    let peers: Vec<_> = cluster.bgp_peers.values().cloned().collect();
    let mut bgp = bgp::speaker(conf, &peers, &nodes.mine, shelf);
    let view = follow::projection(cluster.prefixes.values());
    let mut pools = Pools::of(&cluster.eips, view, &nodes, conf);
    let meant = election(cluster, me, shelf);
    let election = meant
        .election
        .map(|it| it.with_standings(standings(&pools, &nodes)));

    let mut problems = bgp.problems.clone();
    problems.extend(meant.problems);
    problems.append(&mut pools.problems);
    let lights = Lights {
        bgp: bgp.config.is_some(),
        election: election.is_some(),
        is_sole: is_sole(cluster),
    };
    let endpoints = of_services(cluster.slices.values(), &me.node);
    let claims = claims(cluster, me, &pools, &endpoints);
    let rows: Vec<Row> = claims
        .iter()
        .map(|claim| claim.row(&nodes, lights))
        .collect();
    let bids = bids(&claims, &rows, lights);
    let link = link::wanted(&bids, election.as_ref(), &me.node);
    let mut routes = routes::routes(claims.iter().zip(&rows), &nodes);
    let pods = pods::of(cluster, me, shelf, &mut bgp, &mut routes);
    problems.extend(pods::problems(cluster, me, shelf));
    Desired {
        pods,
        rows: with_given_up(rows, &link),
        routes,
        bgp,
        link,
        problems,
    }
}

/// What can announce at all.
#[derive(Debug, Clone, Copy)]
struct Lights {
    bgp: bool,
    election: bool,
    /// Nothing is elected, by the user's own word.
    is_sole: bool,
}

/// An address of a service, with all that decides about it.
struct Claim<'a> {
    service: OwnerKey,
    address: IpAddr,
    policy: TrafficPolicy,
    pool: Option<&'a Pool<'a>>,
    endpoints: Option<&'a Endpoints<'a>>,
}

/// What elects on layer 2. A cluster has several nodes, so it always elects, with the key that its
/// installation made unless a `Layer2Conf` names another.
fn election(cluster: &Cluster, me: &Me, keys: &dyn Keys) -> layer2::Meaning {
    let default = || {
        let mut conf = Layer2Conf::new("");
        conf.spec.key_secret = Some(SecretKey {
            name: names::LAYER2_SECRET.to_owned(),
            key: names::LAYER2_SECRET_KEY.to_owned(),
        });
        conf
    };
    let pools: Vec<_> = cluster.eips.values().cloned().collect();
    let is_used = pools
        .iter()
        .any(|eip| eip.spec.protocol == Protocol::Layer2);
    let written = cluster.layer2_confs.get(names::DEFAULT_LAYER2_CONF);
    match written {
        Some(conf) => layer2::election(Some(conf), &pools, &me.node, keys),
        // A missing key is no problem of a cluster that elects nothing.
        None if is_used => layer2::election(Some(&default()), &pools, &me.node, keys),
        None => layer2::Meaning::default(),
    }
}

fn is_sole(cluster: &Cluster) -> bool {
    let conf = cluster.layer2_confs.get(names::DEFAULT_LAYER2_CONF);
    conf.is_some_and(|conf| conf.spec.ownership == crate::api::Ownership::Sole)
}

/// How this node stands in the election: in general, and for the pools that judge nodes by themselves.
fn standings(pools: &Pools<'_>, nodes: &Nodes<'_>) -> Standings {
    let judging = pools.by_name.values().filter(|pool| pool.judges_nodes());
    let judging = judging.map(|pool| (pool.name.to_owned(), nodes.standing(pool.eip)));
    Standings {
        everywhere: nodes.standing_in_general(),
        pools: judging.collect(),
    }
}

/// Every address of every service of ours.
fn claims<'a>(
    cluster: &'a Cluster,
    me: &Me,
    pools: &'a Pools<'a>,
    endpoints: &'a endpoints::ByService<'a>,
) -> Vec<Claim<'a>> {
    let mut claims = Vec::new();
    for service in cluster.services.values().filter(|it| is_ours(it, me)) {
        let (namespace, name) = (&*service.metadata.namespace, &*service.metadata.name);
        let Ok(key) = OwnerKey::new("service", namespace, name) else {
            continue;
        };
        let behind = endpoints.get(&(namespace, name));
        let mut addresses: Vec<IpAddr> = service.shown().collect();
        addresses.sort_unstable();
        addresses.dedup();
        claims.extend(addresses.into_iter().map(|address| Claim {
            service: key.clone(),
            address,
            policy: service.spec.external_traffic_policy,
            pool: pools.of_address(service, address),
            endpoints: behind,
        }));
    }
    claims
}

/// Whether the controller of this installation serves it. A service that loses the opt-in keeps its
/// marks until the controller has taken the address back.
fn is_ours(service: &Service, me: &Me) -> bool {
    let meta = &service.metadata;
    let class = service.spec.load_balancer_class.as_ref();
    let is_marked = meta.labels.contains_key(names::POOL_LABEL)
        || meta
            .finalizers
            .iter()
            .any(|it| it == names::SERVICE_FINALIZER);
    let is_class_ours = class.is_none_or(|class| *class == me.class);
    service.spec.kind == ServiceType::LoadBalancer && is_class_ours && is_marked
}

impl Claim<'_> {
    fn row(&self, nodes: &Nodes<'_>, lights: Lights) -> Row {
        let pool = self.pool;
        Row {
            service: self.service.clone(),
            address: self.address,
            eip: pool.map(|pool| pool.name.to_owned()).unwrap_or_default(),
            protocol: pool.map(|pool| pool.eip.spec.protocol).unwrap_or_default(),
            here: self.verdict(nodes, lights),
        }
    }

    /// Whether this node announces it, or would if the others did not. Reasons that hold on every
    /// node come first.
    fn verdict(&self, nodes: &Nodes<'_>, lights: Lights) -> Result<(), WhyNot> {
        let pool = self.pool.ok_or(WhyNot::NoPool)?;
        pool.check(lights)?;
        self.check_endpoints(pool)?;
        nodes.check(pool.eip, self.policy)
    }

    fn check_endpoints(&self, pool: &Pool<'_>) -> Result<(), WhyNot> {
        let behind = self.endpoints.map(|it| it.of(self.address));
        let is_served = behind.is_some_and(|it| it.is_any);
        match self.policy {
            _ if pool.eip.spec.announce_without_endpoints && !is_served => Ok(()),
            _ if !is_served => Err(WhyNot::NoEndpoint),
            TrafficPolicy::Cluster => Ok(()),
            TrafficPolicy::Local if behind.is_some_and(|it| it.is_here) => Ok(()),
            TrafficPolicy::Local => Err(WhyNot::NoLocalEndpoint),
        }
    }
}

/// What the links are to decide on. An address that no node may have makes no bid; one that only this
/// node may not have does, so that all nodes see the same units.
fn bids<'a>(claims: &'a [Claim<'a>], rows: &[Row], lights: Lights) -> Bids<'a> {
    let mut bids = Bids::default();
    for (claim, row) in claims.iter().zip(rows) {
        let Some(pool) = claim.pool else {
            continue;
        };
        if row.here.as_ref().is_err_and(WhyNot::is_of_all_nodes) {
            continue;
        }
        let bid = Bid {
            service: &claim.service,
            pool: pool.on_links(),
            address: claim.address,
            here: Here::Unchecked,
            together: match claim.policy {
                TrafficPolicy::Cluster => Together::Pool,
                TrafficPolicy::Local => Together::Family,
            },
        };
        let may = row.here.is_ok();
        match pool.eip.spec.protocol {
            Protocol::Layer2 if lights.is_sole && may => bids.sole.push(bid),
            Protocol::Layer2 if lights.election => bids.elected.push(Bid {
                here: elected_here(claim.policy, may),
                ..bid
            }),
            Protocol::Vip => bids.routed.push(Bid {
                here: routed_here(may, pool.is_behind),
                ..bid
            }),
            _ => {}
        }
    }
    bids
}

/// Under `Cluster` nodes differ only by what holds for the whole pool, which its group says; under
/// `Local` each service has candidates of its own.
fn elected_here(policy: TrafficPolicy, may: bool) -> Here {
    match (policy, may) {
        (TrafficPolicy::Cluster, _) => Here::Unchecked,
        (TrafficPolicy::Local, true) => Here::Answers,
        (TrafficPolicy::Local, false) => Here::Barred,
    }
}

fn routed_here(may: bool, is_behind: bool) -> Here {
    match (may, is_behind) {
        (false, _) => Here::Barred,
        (true, true) => Here::Silent,
        (true, false) => Here::Answers,
    }
}

/// Virtual routers have reasons of their own for not running.
fn with_given_up(mut rows: Vec<Row>, link: &Wanted) -> Vec<Row> {
    let stopped = link.routers.iter().filter_map(|router| {
        let why = router.run.as_ref().err()?;
        let addresses = router.addresses.iter();
        Some(addresses.map(move |address| (*address, why)))
    });
    let stopped: BTreeMap<IpAddr, &String> = stopped.flatten().collect();
    for row in rows.iter_mut().filter(|row| row.here.is_ok()) {
        if let Some(why) = stopped
            .get(&row.address)
            .filter(|_| row.protocol == Protocol::Vip)
        {
            row.here = Err(WhyNot::RouterOff((*why).clone()));
        }
    }
    rows
}
