//! What `Layer2Conf` and `Eip.spec.layer2` mean to the election of a node.
//!
//! [`election`] turns the objects, together with the node's name, into the settings of the election,
//! or into remarks by object. [`Election::group`] then says of any set of services that must move
//! together in which group of the election they stand, and how this node stands there. All of it is
//! the same on every node that reads the same objects, except for what is said of the node itself.

mod group;
mod read;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use openelb_announce::ownership::{self, KeyRing, NodeId, Settings};

use crate::api::{Eip, Layer2Conf, Ownership, Profile, Protocol};
use crate::bgp::PasswordSource;
use crate::names;
use crate::problem::{Problem, Remarks};

pub use group::Member;

/// Where the keys are that objects only name.
pub trait Keys {
    /// The octets of a key, or in words why there are none. The words must not hold it.
    fn key(&self, source: PasswordSource<'_>) -> Result<Vec<u8>, String>;
}

/// The election of a node, as its objects have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Election {
    /// The name that this node has in the election.
    pub node: NodeId,
    /// How soon a dead node is replaced.
    pub profile: Profile,
    /// UDP port of the beats.
    pub port: u16,
    /// The other nodes, for unicast beats; empty: multicast.
    pub peers: Vec<IpAddr>,
    /// The keys that beats are accepted with; the first one signs.
    pub keys: KeyRing,
    /// How long a node must have been back before it is given anything.
    pub hold: Duration,
    /// How long a shard stays at least where it came to.
    pub dwell: Duration,
    /// Whether a shard moves although its owner can serve it.
    pub preempt: bool,
    /// How many portions the default group is dealt out in.
    pub shards: u16,
    /// This node's share beside the others'.
    pub weight: u16,
    /// This node's tier; higher comes first.
    pub preference: u8,
    /// Pools with wishes about nodes.
    pools: BTreeMap<String, PoolNodes>,
    /// What else is known of this node.
    standing: Standings,
}

impl Election {
    /// The same election with what is known of this node from elsewhere.
    #[must_use]
    pub fn with_standings(self, standing: Standings) -> Self {
        Self { standing, ..self }
    }

    /// The settings of the machine; `boot` rises with every start of the process, such as the
    /// nanoseconds of the wall clock at its start.
    pub fn settings(&self, boot: u64) -> Settings {
        let profile = match self.profile {
            Profile::Calm => ownership::Profile::Calm,
            Profile::Normal => ownership::Profile::Normal,
            Profile::Fast => ownership::Profile::Fast,
        };
        Settings {
            timing: profile.timing(),
            hold: self.hold,
            dwell: self.dwell,
            preempt: self.preempt,
            ..Settings::new(self.node.clone(), boot, self.keys.clone())
        }
    }
}

/// How this node stands for reasons that are not written in the election's own objects: what a
/// cluster says about its nodes, say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standings {
    /// In general.
    pub everywhere: Fitness,
    /// For pools that judge nodes in a way of their own: their services stand in a group of the pool.
    /// The same pools must be in it on every node.
    pub pools: BTreeMap<String, Fitness>,
}

/// Whether a node may have addresses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fitness {
    /// It may not.
    Unfit,
    /// It may when no other node is fit.
    Behind,
    /// It may.
    #[default]
    Fit,
}

/// What a pool wishes about nodes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct PoolNodes {
    preferred: BTreeSet<String>,
    /// Empty: all.
    only: BTreeSet<String>,
}

/// What the objects mean on one node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meaning {
    /// The election; `None` when there is no `Layer2Conf`, it says `Sole`, or it cannot be used.
    pub election: Option<Election>,
    /// What is to be said about the objects, in their order.
    pub problems: Vec<Problem>,
}

/// What the objects mean on the node of this name. O(objects).
///
/// ```
/// use openelb_k8s::api::Layer2Conf;
/// use openelb_k8s::bgp::PasswordSource;
/// use openelb_k8s::layer2::{self, Keys};
///
/// struct Files;
/// impl Keys for Files {
///     fn key(&self, _: PasswordSource<'_>) -> Result<Vec<u8>, String> { Ok(b"correct horse battery".to_vec()) }
/// }
///
/// let meant = layer2::election(Some(&Layer2Conf::new("l2.key")), &[], "node-a", &Files);
/// let settings = meant.election.unwrap().settings(1);
/// assert_eq!(settings.node.as_str(), "node-a");
///
/// let unsigned = layer2::election(Some(&Layer2Conf::new("")), &[], "node-a", &Files);
/// assert_eq!(unsigned.problems[0].key, "spec.keyFile");
/// ```
pub fn election(conf: Option<&Layer2Conf>, pools: &[Eip], node: &str, keys: &dyn Keys) -> Meaning {
    let mut meant = Meaning::default();
    if let Some(conf) = conf {
        let mut remarks = Remarks::about(names::LAYER2_CONF_KIND, &conf.metadata.name);
        meant.election = read::election(conf, node, keys, &mut remarks);
        meant.problems.append(&mut remarks.found);
    }
    let why_not = match conf.map(|conf| conf.spec.ownership) {
        None => Some("without a Layer2Conf every daemon answers for what it has"),
        Some(Ownership::Sole) => Some("the Layer2Conf says that nothing is elected"),
        Some(Ownership::Elected) => None,
    };
    for pool in pools {
        let mut remarks = Remarks::about(names::EIP_KIND, &pool.metadata.name);
        let wishes = pool_nodes(pool, why_not, &mut remarks);
        let is_usable = !remarks.has_error();
        meant.problems.append(&mut remarks.found);
        if let (Some(election), Some(wishes), true) = (&mut meant.election, wishes, is_usable) {
            election.pools.insert(pool.metadata.name.clone(), wishes);
        }
    }
    meant
}

/// What a pool wishes about nodes; `None` when it wishes nothing, or nothing comes of it.
fn pool_nodes(pool: &Eip, why_not: Option<&str>, remarks: &mut Remarks) -> Option<PoolNodes> {
    let written = pool.spec.layer2.as_ref()?;
    let why_not = match pool.spec.protocol {
        Protocol::Layer2 => why_not,
        Protocol::Bgp | Protocol::Vip | Protocol::None => Some("the pool is not of layer 2"),
    };
    if let Some(why) = why_not {
        remarks.ignored(false, "spec.layer2", why);
        return None;
    }
    let wishes = PoolNodes {
        preferred: read::names(
            "spec.layer2.preferredNodes",
            &written.preferred_nodes,
            remarks,
        ),
        only: read::names("spec.layer2.nodes", &written.nodes, remarks),
    };
    for (index, name) in written.preferred_nodes.iter().enumerate() {
        if !wishes.only.is_empty() && !wishes.only.contains(name) {
            let key = format!("spec.layer2.preferredNodes[{index}]");
            let message = format!("`{name}` is preferred and not among `nodes`");
            remarks.invalid(key, message, "add it to `nodes`, or remove it here");
        }
    }
    (wishes != PoolNodes::default()).then_some(wishes)
}
