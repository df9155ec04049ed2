//! The plays about who answers: three nodes share services, and one of them dies, is drained, is
//! split off or freezes.

mod back;
mod departure;
mod drain;
mod failover;
mod formed;
mod freeze;
mod loss;
mod promise;
mod split;
mod story;
mod watch;

use std::net::IpAddr;
use std::time::Duration;

use openelb_announce::wire::Mac;

use super::trouble::Trouble;
use super::{Act, Scenario};
use crate::lab::args::{Profile, Scene};
use crate::lab::cluster;
use crate::lab::node::Node;
use crate::lab::plan::CLIENT;
use loss::Loss;
use watch::Watch;

/// What the scenes remember from one step to the next.
#[derive(Debug)]
pub(super) struct Election {
    profile: Profile,
    /// The node that something happened to.
    struck: Option<Struck>,
    /// What the client lost each time.
    losses: Vec<Loss>,
}

/// A node that something happens to.
#[derive(Debug, Clone)]
struct Struck {
    node: &'static str,
    /// What it answered for before.
    addresses: Vec<IpAddr>,
}

impl Election {
    /// Before anything happened.
    pub(super) fn new(profile: Profile) -> Self {
        Self {
            profile,
            struck: None,
            losses: Vec::new(),
        }
    }

    /// Whether its nodes need real-time threads.
    pub(super) fn is_fast(&self) -> bool {
        self.profile == Profile::Fast
    }
}

/// The steps of a scene that is played `repeat` times. At the end of each time all is as it was.
pub(super) fn acts(scene: Scene, repeat: u32) -> Vec<Act> {
    let scene: &[Act] = match scene {
        Scene::Drain => &drain::ACTS,
        Scene::Split => &split::ACTS,
        Scene::Freeze => &freeze::ACTS,
        _ => &failover::ACTS,
    };
    let times = usize::try_from(repeat).unwrap_or(usize::MAX);
    let mut acts = vec![FORMED];
    acts.extend(scene.iter().copied().cycle().take(scene.len() * times));
    acts.extend((times > 1).then_some(MEASURED));
    acts
}

impl Scenario<'_> {
    fn profile(&self) -> Profile {
        self.election.profile
    }

    /// What happened to which node in the step before.
    fn struck(&self) -> Result<Struck, Trouble> {
        self.election
            .struck
            .clone()
            .ok_or_else(|| Trouble::Unexpected {
                expected: "a node that something happened to".to_owned(),
                seen: "nothing happened".to_owned(),
            })
    }

    /// Chooses the node that the client is served by: the next thing happens to it.
    fn strike(&mut self, watch: &Watch) -> Result<Struck, Trouble> {
        let [address, _] = cluster::watched();
        let mut nodes = self.scene.nodes().iter();
        let serves = |name: &&&str| watch.is_answered_by(CLIENT, address, self.mac(name));
        let node = nodes
            .find(serves)
            .copied()
            .ok_or_else(|| Trouble::Unexpected {
                expected: format!("a node answers for {address}"),
                seen: "nobody".to_owned(),
            })?;
        let mac = self.mac(node);
        let mut addresses = cluster::addresses();
        addresses.retain(|address| watch.is_answered_by(CLIENT, *address, mac));
        self.election.struck = Some(Struck { node, addresses });
        self.struck()
    }

    fn mac(&self, name: &str) -> Mac {
        self.station(name).plan.mac
    }

    /// The daemon on a node, to be ended.
    fn take(&mut self, name: &str) -> Result<Node, Trouble> {
        self.node(name)?;
        let position = self.nodes.iter().position(|node| node.name() == name);
        Ok(self.nodes.remove(position.unwrap_or_default()))
    }

    /// Where the configuration of every node comes from.
    fn configuration(&self) -> String {
        cluster::configuration(self.profile(), &self.files.join(cluster::KEY))
    }
}

/// How long the client asks before anything happens.
const BEFORE: Duration = Duration::from_millis(300);

const FORMED: Act = ("formed", formed::form);
const MEASURED: Act = ("measured", loss::measure);
