//! What is announced on links: who decides about each address, and the units of those that nodes
//! share out among each other.
//!
//! A front end makes a [`Bid`] of every address that a service has of a pool on a link; [`wanted`]
//! makes of all of them what the [`Announcer`](openelb_announce::Announcer) is told. The same bids
//! give the same units, groups and virtual routers on every node.

mod contest;
mod router;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use openelb_announce::announcer::{self, Announcement, Owner, RouterName, VirtualRouter};
use openelb_announce::claim;
use openelb_announce::link::{InterfaceSelector, ParseSelectorError};
use openelb_announce::ownership::{Group, units};
use openelb_announce::vrrp::{Family, Vrid};
use openelb_ipam::OwnerKey;

use crate::api;
use crate::layer2::Election;
use crate::vrrp::PoolRouters;

/// An address of a service, in a pool that is announced on links.
#[derive(Debug, Clone)]
pub struct Bid<'a> {
    /// The service.
    pub service: &'a OwnerKey,
    /// The pool of the address.
    pub pool: Pool<'a>,
    /// The address.
    pub address: IpAddr,
    /// Whether the service answers at this address on this node.
    pub here: Here,
    /// Which other addresses of the service go where this one goes.
    pub together: Together,
}

/// What a pool says about its links.
#[derive(Debug, Clone, Copy)]
pub struct Pool<'a> {
    /// Its name.
    pub name: &'a str,
    /// Where its addresses are announced; `None`: nowhere, and the bid is passed over.
    pub interfaces: Option<&'a InterfaceSelector>,
    /// What is done first to make sure that nobody else uses an address.
    pub probe: api::Probe,
    /// The virtual routers that have its addresses; `None` unless the protocol is VRRP.
    pub routers: Option<&'a PoolRouters>,
}

/// Whether a service answers on this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Here {
    /// Nobody looks: it does as far as anybody knows.
    Unchecked,
    /// It does.
    Answers,
    /// It does not; a virtual router falls behind others for it.
    Silent,
    /// It must not be announced from here; nor does a virtual router run for it alone.
    Barred,
}

impl Here {
    /// The verdict, if anybody looks.
    fn verdict(self) -> Option<bool> {
        match self {
            Self::Unchecked => None,
            Self::Answers => Some(true),
            Self::Silent | Self::Barred => Some(false),
        }
    }
}

/// Which addresses of one service move together. Those that several services share always do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Together {
    /// All of them.
    Service,
    /// Those of one pool: pools may be announced by different nodes.
    Pool,
    /// Those of one pool and family: what answers in one family on a node need not in the other.
    Family,
}

/// All bids, by what decides about them.
#[derive(Debug, Clone, Default)]
pub struct Bids<'a> {
    /// This node alone.
    pub sole: Vec<Bid<'a>>,
    /// The election.
    pub elected: Vec<Bid<'a>>,
    /// Virtual routers.
    pub routed: Vec<Bid<'a>>,
}

/// What the network should hear on the links.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Every address on a link, with what decides whether this host answers for it.
    pub announcements: BTreeMap<IpAddr, Announcement>,
    /// The election; `None` when nodes do not elect.
    pub contest: Option<Contest>,
    /// The virtual routers, by name.
    pub routers: Vec<Router>,
}

/// What is elected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contest {
    /// How.
    pub election: Election,
    /// The groups, and how this node stands in them.
    pub groups: Vec<Group>,
    /// What moves together, by name.
    pub units: Vec<Unit>,
}

/// Addresses that move together, and whose they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Its name, the same on every node.
    pub name: Arc<str>,
    /// Its addresses.
    pub addresses: BTreeSet<IpAddr>,
    /// The services that have them.
    pub services: BTreeSet<OwnerKey>,
    /// Where it stands in the election.
    pub group: Group,
}

/// A virtual router that this host should run, or does not run for a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Router {
    /// What is shown as its name.
    pub name: RouterName,
    /// The pool.
    pub pool: String,
    /// Its VRID.
    pub vrid: Vrid,
    /// The family of its addresses.
    pub family: Family,
    /// Its addresses.
    pub addresses: BTreeSet<IpAddr>,
    /// What is run, or why nothing is.
    pub run: Result<VirtualRouter, String>,
}

/// Where a pool is announced: everything that its object names; `None` when it names nothing.
pub fn interfaces(eip: &api::Eip) -> Result<Option<InterfaceSelector>, ParseSelectorError> {
    let more = eip.spec.interfaces.iter().map(String::as_str);
    let named = [eip.spec.interface.as_str()].into_iter().chain(more);
    let named: Vec<_> = named.map(str::trim).filter(|it| !it.is_empty()).collect();
    if named.is_empty() {
        return Ok(None);
    }
    named.join(",").parse().map(Some)
}

/// Everything that the links should hear. `node` is the name of this node; without an `election`
/// nothing of what is elected is announced. O(n log n).
pub fn wanted(bids: &Bids<'_>, election: Option<&Election>, node: &str) -> Wanted {
    let mut wanted = Wanted::default();
    for bid in &bids.sole {
        wanted.announcements.extend(bid.announcement(Owner::Sole));
    }
    if let Some(election) = election {
        let contest = contest::contest(election, &bids.elected, &mut wanted.announcements);
        wanted.contest = Some(contest);
    }
    wanted.routers = router::routers(&bids.routed, node, &mut wanted.announcements);
    wanted
}

impl Wanted {
    /// What the announcer is told. `boot` rises with every start of the process.
    ///
    /// Nothing is left of virtual routers while this node drains, since priority 0 is their way of
    /// saying so.
    pub fn desired(&self, boot: u64, is_draining: bool) -> announcer::Desired {
        let announcements = self.announcements.values();
        let announcements = announcements
            .filter(|it| !is_draining || !matches!(it.owner, Owner::Router(_)))
            .cloned();
        let election = self.contest.as_ref().map(|contest| announcer::Election {
            port: contest.election.port,
            peers: contest.election.peers.clone(),
            draining: is_draining,
            ..announcer::Election::new(contest.election.settings(boot), contest.groups.clone())
        });
        let routers = self.routers.iter().filter(|_| !is_draining);
        announcer::Desired {
            announcements: announcements.collect(),
            election,
            routers: routers
                .filter_map(|router| router.run.clone().ok())
                .collect(),
        }
    }
}

impl<'a> Bid<'a> {
    fn announcement(&self, owner: Owner) -> Option<(IpAddr, Announcement)> {
        let announcement = Announcement {
            address: self.address,
            interfaces: self.pool.interfaces.cloned()?,
            probe: match self.pool.probe {
                api::Probe::Fast => claim::Probe::Fast,
                api::Probe::Standard => claim::Probe::Standard,
                api::Probe::Skip => claim::Probe::Skip,
            },
            owner,
        };
        Some((self.address, announcement))
    }

    /// What has the same value moves together.
    fn portion(&self) -> (&'a OwnerKey, Option<&'a str>, Option<bool>) {
        let (pool, is_ipv4) = (self.pool.name, self.address.is_ipv4());
        match self.together {
            Together::Service => (self.service, None, None),
            Together::Pool => (self.service, Some(pool), None),
            Together::Family => (self.service, Some(pool), Some(is_ipv4)),
        }
    }
}

/// The unit of each address.
fn units_of(bids: &[Bid<'_>]) -> BTreeMap<IpAddr, Arc<str>> {
    units(bids.iter().map(|bid| (bid.portion(), bid.address)))
}
