//! Sessions between all nodes, made out of the Node objects: they come and go with the nodes.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use openelb_announce::bgp::asn::Asn;
use openelb_announce::bgp::config::{
    Config, Password, Peer, Remote, RemoteAs, Settings, Timers, Transport,
};
use openelb_announce::bgp::policy::{
    Condition, Disposition, MatchAny, Policy, PrefixRange, PrefixSet, Statement,
};
use openelb_announce::bgp::prefix::Prefix;
use openelb_announce::bgp::route::PeerName;

use crate::api::BgpConf;
use crate::bgp::{self, Material, PasswordSource};
use crate::cluster::Node;
use crate::names;
use crate::pod_network::{Mesh, NodeCidrs, Plan};
use crate::problem::{Problem, Reason, Remarks};
use crate::speaker::Cluster;

/// Adds a session with every other node to the speaker's configuration.
///
/// A session runs over a family that both nodes have, over IPv4 where both have both, so that the two
/// ends agree whatever each lists first; both families' routes are exchanged on it.
pub(super) fn join<S: Material>(
    cluster: &Cluster,
    node: &Node,
    plan: &Plan,
    shelf: &S,
    bgp: &mut bgp::Speaker,
) {
    let (Some(mesh), Some(conf)) = (&plan.mesh, conf(cluster)) else {
        return;
    };
    if is_one_for_all(conf) {
        return;
    }
    let password = password(mesh, shelf);
    let (Some(config), Ok(password), Some(port)) = (&mut bgp.config, password, port(mesh, conf))
    else {
        return;
    };
    listen(config, port);
    let others = members(cluster, plan);
    let others = others.filter(|other| other.metadata.name != node.metadata.name);
    let policy = own_prefixes(node);
    for other in others {
        let Some((own, address)) = common(node, other) else {
            continue;
        };
        let has_peer = config.peers.iter();
        if has_peer
            .map(|it| it.remote.address())
            .any(|it| it == Some(address))
        {
            continue;
        }
        let asn = bgp::asn_of(conf, &other.metadata.labels);
        config.peers.push(Peer {
            name: PeerName::from(format!("{PREFIX}{}", other.metadata.name)),
            remote: Remote::from(address),
            settings: Settings {
                password: password.clone(),
                policy: Some(Arc::clone(&policy)),
                graceful_restart: bgp::restart_of(conf),
                description: Some(format!("node {}", other.metadata.name)),
                // The other end knows this node by this address; an external one is on no interface.
                ..settings(
                    (asn, asn == config.asn),
                    port,
                    Some(own).filter(|own| node.internal_addresses().any(|it| it == *own)),
                )
            },
        });
    }
    let all = members(cluster, plan).map(|node| bgp::Node {
        name: node.metadata.name.clone(),
        addresses: node.internal_addresses().collect(),
        ..bgp::Node::default()
    });
    let unique = bgp::router_id_among(&node.metadata.name, all);
    config.router_id = unique.unwrap_or(config.router_id);
}

/// How to speak with a node of this AS, which may be our own.
fn settings((asn, is_internal): (Asn, bool), port: u16, source: Option<IpAddr>) -> Settings {
    Settings {
        remote_as: if is_internal {
            RemoteAs::Internal
        } else {
            RemoteAs::Exactly(asn)
        },
        transport: Transport {
            port,
            source,
            multihop: (!is_internal).then_some(HOPS),
            ..Transport::default()
        },
        timers: Timers {
            hold: Some(HOLD),
            connect_retry: RETRY,
            ..Timers::default()
        },
        ..Settings::default()
    }
}

/// Remarks about the mesh as this node sees it.
pub(super) fn problems<S: Material>(
    cluster: &Cluster,
    node: &Node,
    plan: &Plan,
    shelf: &S,
) -> Vec<Problem> {
    let mut remarks = Remarks::about(names::POD_NETWORK_KIND, names::DEFAULT_POD_NETWORK);
    let Some(mesh) = &plan.mesh else {
        return remarks.found;
    };
    if let Err(why) = password(mesh, shelf) {
        let next = "write the key there, or name another Secret";
        remarks.add(Reason::Unresolved, "spec.mesh.passwordSecret", why, next);
    }
    let key = "spec.mesh.enabled";
    match conf(cluster) {
        None => {
            let message = "the mesh waits for the speaker's configuration";
            let next = "add a BgpConf named `default` with `spec.as`";
            remarks.add(Reason::Waiting, key, message, next);
        }
        Some(conf) if is_one_for_all(conf) => {
            let id = conf.spec.router_id.trim();
            let message = format!("`routerId: {id}` of the BgpConf is that of every node");
            let next = "remove it: nodes with one identifier cannot speak with each other";
            remarks.add(Reason::Unresolved, key, message, next);
        }
        Some(conf) if port(mesh, conf).is_none() => {
            let message = "`listenPort: -1` of the BgpConf: no node can dial another";
            let next = "write a port here, at which nodes listen for each other";
            remarks.add(Reason::Unresolved, "spec.mesh.port", message, next);
        }
        Some(_) => {}
    }
    let others = members(cluster, plan);
    let others = others.filter(|other| other.metadata.name != node.metadata.name);
    for other in others.filter(|other| common(node, other).is_none()) {
        let (mine, other) = (&node.metadata.name, &other.metadata.name);
        let message = format!("nodes {mine} and {other} have no address of one family");
        let next = "give one of them an address of the other's family";
        remarks.add(Reason::Waiting, key, message, next);
    }
    remarks.found
}

/// Whether it is a session with another node. No object has a name with a slash.
pub(super) fn is_of_mesh(name: &PeerName) -> bool {
    name.as_str().starts_with(PREFIX)
}

fn conf(cluster: &Cluster) -> Option<&BgpConf> {
    cluster.bgp_confs.get(names::DEFAULT_BGP_CONF)
}

/// The port at which nodes find each other; `None`: the speaker listens nowhere.
fn port(mesh: &Mesh, conf: &BgpConf) -> Option<u16> {
    mesh.port.or_else(|| match conf.spec.listen_port {
        0 => Some(Transport::default().port),
        port => u16::try_from(port).ok(),
    })
}

/// Lets the speaker accept what other nodes dial: where it listens in any case, at this port too.
fn listen(config: &mut Config, port: u16) {
    let mut addresses: BTreeSet<IpAddr> = config.listen.iter().map(SocketAddr::ip).collect();
    if addresses.is_empty() {
        addresses.extend(EVERYWHERE);
    }
    for address in addresses {
        let address = SocketAddr::new(address, port);
        if !config.listen.contains(&address) {
            config.listen.push(address);
        }
    }
}

/// The object has one identifier, and it is used on every node.
fn is_one_for_all(conf: &BgpConf) -> bool {
    !conf.spec.router_id.trim().is_empty()
}

/// The nodes of the mesh.
fn members<'a>(cluster: &'a Cluster, plan: &'a Plan) -> impl Iterator<Item = &'a Node> {
    cluster.nodes.values().filter(|node| plan.selects(node))
}

/// Addresses of one family, ours and theirs: the same family whichever of the two asks.
fn common(node: &Node, other: &Node) -> Option<(IpAddr, IpAddr)> {
    let pairs = node.first_of_each_family().into_iter();
    let mut pairs = pairs.zip(other.first_of_each_family());
    pairs.find_map(|(own, theirs)| own.zip(theirs))
}

/// Other nodes hear of this node's pods and nothing else: addresses of services are for routers.
fn own_prefixes(node: &Node) -> Arc<Policy> {
    let cidrs = NodeCidrs::of(node).cidrs;
    let ranges: Vec<_> = cidrs
        .into_iter()
        .map(|cidr| PrefixRange::exactly(Prefix::from(cidr)))
        .collect();
    if ranges.is_empty() {
        return Arc::new(Policy::reject_all());
    }
    let set = PrefixSet {
        name: "pods".into(),
        ranges,
    };
    let statement = Statement {
        name: "pods".into(),
        conditions: vec![Condition::Prefixes {
            set: Arc::new(set),
            how: MatchAny::Any,
        }],
        actions: Vec::new(),
        disposition: Some(Disposition::Accept),
    };
    let policy = Policy::new(vec![statement], Disposition::Reject);
    Arc::new(policy.expect("it has one statement with one set that is not empty"))
}

fn password<S: Material>(mesh: &Mesh, shelf: &S) -> Result<Option<Password>, String> {
    let Some(secret) = &mesh.password else {
        return Ok(None);
    };
    let source = PasswordSource::Secret {
        name: &secret.name,
        key: &secret.key,
    };
    let octets = shelf.password(source)?;
    Password::new(octets)
        .map(Some)
        .map_err(|error| error.to_string())
}

/// Where a speaker listens that nobody told where.
const EVERYWHERE: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    IpAddr::V6(Ipv6Addr::UNSPECIFIED),
];

/// What the names of the sessions begin with.
const PREFIX: &str = "mesh/";

/// A node that is gone takes no pod with it that others could still reach.
const HOLD: Duration = Duration::from_secs(30);

/// Nodes come up one by one.
const RETRY: Duration = Duration::from_secs(5);

/// Racks with an AS each are a few routers apart.
const HOPS: u8 = 64;
