//! What `BgpConf` and `BgpPeer` objects mean to a speaker.
//!
//! [`speaker`] turns all of them, together with what is known of a node, into the configuration of
//! the node's speaker, or into remarks by object: a value that is not supported is named with its
//! path and what to do about it, its peer is not started, and the others go on. Nothing is silently
//! ignored.

mod advertisement;
mod bfd;
mod families;
mod fault;
mod identity;
mod peer;
pub mod policy;
mod session;
mod template;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use openelb_announce::bfd as announce_bfd;
use openelb_announce::bgp::config::{Config, Dynamic, Peer};
use openelb_announce::bgp::policy::Policy;
use openelb_announce::bgp::route::PeerName;
use openelb_ipam::Labels;

use self::peer::{Place, Spoken};
use crate::api::{BgpConf, BgpPeer};
use crate::names;
use crate::problem::Remarks;

pub use crate::problem::{Problem, Reason};
pub use advertisement::{PoolRoutes, pool_routes};
pub(crate) use identity::asn_of;
pub use identity::router_id_among;
pub(crate) use session::restart_of;

/// What is known of the node that the speaker runs on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its addresses, the first of a family counting most.
    pub addresses: Vec<IpAddr>,
    /// Its labels.
    pub labels: Labels,
}

/// Where the texts are that objects only name.
pub trait Material {
    /// The octets of a password, or in words why there are none. The words must not hold it.
    fn password(&self, source: PasswordSource<'_>) -> Result<Vec<u8>, String>;

    /// The text under [`names::POLICY_KEY`] of a `ConfigMap`, or in words why there is none.
    fn policy(&self, config_map: &str) -> Result<String, String>;
}

/// Where a password is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordSource<'a> {
    /// The first line of a file.
    File(&'a str),
    /// A key of a Kubernetes Secret.
    Secret {
        /// Name of the Secret.
        name: &'a str,
        /// The key.
        key: &'a str,
    },
}

/// What the objects mean on one node.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Speaker {
    /// The speaker's configuration with every peer that can be started here; `None` when there is no
    /// `BgpConf`, or it cannot be used. [`Config::validate`] accepts it.
    pub config: Option<Config>,
    /// Failure detection by peer, for those that want it.
    pub bfd: BTreeMap<PeerName, announce_bfd::Settings>,
    /// What is to be said about the objects, in their order.
    pub problems: Vec<Problem>,
}

/// What the objects mean on a node. O(peers × their size).
///
/// ```
/// use openelb_k8s::api::{BgpConf, BgpPeer};
/// use openelb_k8s::bgp::{self, Material, Node, PasswordSource};
///
/// struct Nothing;
/// impl Material for Nothing {
///     fn password(&self, _: PasswordSource<'_>) -> Result<Vec<u8>, String> { Err("no files here".into()) }
///     fn policy(&self, _: &str) -> Result<String, String> { Err("no policies here".into()) }
/// }
///
/// let node = Node { name: "n1".into(), addresses: vec!["192.0.2.1".parse()?], ..Node::default() };
/// let mut wrong = BgpPeer::new("red", "192.0.2.253", 65002);
/// wrong.spec.conf.as_mut().unwrap().vrf = "red".into();
/// let peers = [BgpPeer::new("tor", "192.0.2.254", 65001), wrong];
/// let meant = bgp::speaker(Some(&BgpConf::new(65000)), &peers, &node, &Nothing);
/// assert_eq!(meant.config.unwrap().peers.len(), 1);
/// assert_eq!(meant.problems[0].key, "spec.conf.vrf");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn speaker(
    conf: Option<&BgpConf>,
    peers: &[BgpPeer],
    node: &Node,
    material: &dyn Material,
) -> Speaker {
    let mut meant = Speaker::default();
    let base = conf.map(|conf| {
        let mut remarks = Remarks::about(names::BGP_CONF_KIND, &conf.metadata.name);
        let base = Base::of(conf, node, material, &mut remarks);
        meant.problems.append(&mut remarks.found);
        base
    });
    if conf.is_none() && !peers.is_empty() {
        meant.problems.extend(peers.iter().map(waiting));
    }
    let mut base = base.flatten();
    let place = Place {
        peers,
        node,
        material,
        conf,
    };
    for peer in peers {
        let mut remarks = Remarks::about_peer(&peer.metadata.name);
        let spoken = place.read(peer, &mut remarks);
        meant.problems.append(&mut remarks.found);
        if let (Some(spoken), Some(base)) = (spoken, &mut base) {
            adopt(spoken, &mut base.config, &mut meant.bfd);
        }
    }
    meant.config = base.map(|base| base.config);
    fault::drop_faulty(&mut meant);
    meant
}

/// The part of the configuration that is not about a peer.
#[derive(Debug)]
struct Base {
    config: Config,
}

impl Base {
    fn of(
        conf: &BgpConf,
        node: &Node,
        material: &dyn Material,
        remarks: &mut Remarks,
    ) -> Option<Self> {
        let (asn, router_id) = identity::identity(conf, node, remarks);
        let listen = identity::listen(&conf.spec, remarks);
        families::of_speaker(&conf.spec, remarks);
        session::check_speaker(&conf.spec, remarks);
        let policy = export_policy("spec.policy", &conf.spec.policy, material, remarks);
        if remarks.has_error() {
            return None;
        }
        let mut config = Config::new(asn?, router_id?);
        config.listen = listen;
        config.policy = policy.unwrap_or_default();
        let restart = conf.spec.graceful_restart.as_ref();
        if let Some(seconds) = restart.map(|r| r.deferral_time).filter(|s| *s > 0) {
            config.deferral_time = std::time::Duration::from_secs(seconds.into());
        }
        Some(Self { config })
    }
}

fn adopt(
    spoken: Spoken,
    config: &mut Config,
    bfd: &mut BTreeMap<PeerName, announce_bfd::Settings>,
) {
    let name = spoken.name;
    if let Some(settings) = spoken.bfd {
        bfd.insert(name.clone(), settings);
    }
    let settings = spoken.settings;
    match spoken.neighbor {
        peer::Neighbor::One(remote) => config.peers.push(Peer {
            name,
            remote,
            settings,
        }),
        peer::Neighbor::Ranges { ranges, limit } => config.dynamic.push(Dynamic {
            name,
            ranges,
            limit,
            settings,
        }),
    }
}

fn waiting(peer: &BgpPeer) -> Problem {
    Problem {
        kind: names::BGP_PEER_KIND,
        name: peer.metadata.name.clone(),
        reason: Reason::Waiting,
        key: "metadata.name".to_owned(),
        message: "the peer waits for the speaker's configuration".to_owned(),
        next: "add a BgpConf named `default` with `spec.as`".to_owned(),
    }
}

/// The policy in the `ConfigMap` of this name; `None` when none is named or it cannot be used.
fn export_policy(
    key: &str,
    name: &str,
    material: &dyn Material,
    remarks: &mut Remarks,
) -> Option<Arc<Policy>> {
    if name.is_empty() {
        return None;
    }
    let text = match material.policy(name) {
        Ok(text) => text,
        Err(why) => {
            let next = format!(
                "add a ConfigMap `{name}` with the key `{}`",
                names::POLICY_KEY
            );
            remarks.add(Reason::Unresolved, key, why, next);
            return None;
        }
    };
    match policy::parse(&text) {
        Ok(policy) => Some(Arc::new(policy)),
        Err(errors) => {
            for error in errors {
                let message = format!("ConfigMap `{name}`: {}", error.fact());
                remarks.add(error.reason, key, message, error.next);
            }
            None
        }
    }
}
