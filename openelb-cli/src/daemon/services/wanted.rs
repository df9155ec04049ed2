//! What the network should hear of the services: the whole desired set.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use openelb_announce::announcer::{Announcement, Owner, RouterName, VirtualRouter};
use openelb_announce::claim::Probe;
use openelb_announce::ownership::{Group, GroupName, units};
use openelb_announce::vrrp::{Family, Vrid};
use openelb_ipam::OwnerKey;
use openelb_k8s::api::Protocol;
use openelb_k8s::layer2::{Election, Member};

use super::super::speaker;
use super::{Services, report::PoolsByName};
use crate::config::{Announce, PoolConfig, ServiceConfig};
use crate::engine::{Engine, ServiceState};

/// What the network should hear of the services.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct Wanted {
    /// Every address on a link, with what decides whether this host answers for it.
    pub(in super::super) announcements: BTreeMap<IpAddr, Announcement>,
    /// The election; `None` without a `Layer2Conf`.
    pub(in super::super) contest: Option<Contest>,
    /// The virtual routers, by name.
    pub(in super::super) routers: Vec<Router>,
}

/// What is elected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Contest {
    /// How.
    pub(in super::super) election: Election,
    /// The groups, and how this node stands in them.
    pub(in super::super) groups: Vec<Group>,
    /// What moves together, by name.
    pub(in super::super) units: Vec<Unit>,
}

/// Addresses that move together, and whose they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Unit {
    /// Its name, the same on every node.
    pub(in super::super) name: Arc<str>,
    /// Its addresses.
    pub(in super::super) addresses: BTreeSet<IpAddr>,
    /// The services that have them.
    pub(in super::super) services: BTreeSet<OwnerKey>,
    /// Where it stands in the election.
    pub(in super::super) group: Group,
}

/// A virtual router that this host should run, or does not run for a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Router {
    /// What is shown as its name.
    pub(in super::super) name: RouterName,
    /// The pool.
    pub(in super::super) pool: String,
    /// Its VRID.
    pub(in super::super) vrid: Vrid,
    /// The family of its addresses.
    pub(in super::super) family: Family,
    /// Its addresses.
    pub(in super::super) addresses: BTreeSet<IpAddr>,
    /// What is run, or why nothing is.
    pub(in super::super) run: Result<VirtualRouter, String>,
}

/// A service that wants an address announced together with other nodes.
struct Bid<'a> {
    service: &'a ServiceConfig,
    pool: &'a PoolConfig,
    address: IpAddr,
}

impl Services {
    /// Everything that the network should hear.
    pub(in super::super) fn wanted(&self, engine: &Engine) -> Wanted {
        let pools = self.pools();
        let mut wanted = Wanted::default();
        let (mut elected, mut routed) = (Vec::new(), Vec::new());
        for service in &self.config.services {
            let holder = engine.holder(&service.owner.key);
            let (state, _) = self.state(service, holder.as_ref(), &pools);
            for held in holder.into_iter().flat_map(|holder| holder.addresses) {
                let Some(pool) = pools.get(&*held.pool).copied() else {
                    continue;
                };
                let address = held.address;
                let bid = Bid {
                    service,
                    pool,
                    address,
                };
                let may_bid = service.announce == Announce::Always;
                match (pool.protocol, &self.config.election) {
                    (Protocol::Layer2, Some(_)) if may_bid => elected.push(bid),
                    (Protocol::Vip, _) if may_bid => routed.push(bid),
                    (Protocol::Layer2, None) if state == ServiceState::Announced => {
                        let announcement = announcement(&bid, Owner::Sole);
                        wanted.announcements.extend(announcement);
                    }
                    _ => {}
                }
            }
        }
        if let Some(election) = &self.config.election {
            wanted.contest = Some(self.contest(election, &elected, &mut wanted.announcements));
        }
        wanted.routers = self.routers(&routed, &pools, &mut wanted.announcements);
        wanted
    }

    /// The election, and the addresses that it decides on.
    fn contest(
        &self,
        election: &Election,
        bids: &[Bid<'_>],
        announcements: &mut BTreeMap<IpAddr, Announcement>,
    ) -> Contest {
        let pairs = bids.iter().map(|bid| (&bid.service.owner.key, bid.address));
        let units_by_address = units(pairs);
        let mut by_unit: BTreeMap<&Arc<str>, Vec<&Bid<'_>>> = BTreeMap::new();
        for bid in bids {
            if let Some(unit) = units_by_address.get(&bid.address) {
                by_unit.entry(unit).or_default().push(bid);
            }
        }
        let default = election.default_group();
        let mut groups = BTreeMap::from([(default.name.clone(), default)]);
        let mut units = Vec::with_capacity(by_unit.len());
        for (unit, bids) in by_unit {
            let members: Vec<_> = bids.iter().map(|bid| self.member(bid)).collect();
            let group = election.group(&members);
            for bid in &bids {
                let owner = Owner::Elected {
                    group: group.name.clone(),
                    unit: Arc::clone(unit),
                };
                announcements.extend(announcement(bid, owner));
            }
            groups.insert(group.name.clone(), group.clone());
            units.push(Unit {
                name: Arc::clone(unit),
                addresses: bids.iter().map(|bid| bid.address).collect(),
                services: bids
                    .iter()
                    .map(|bid| bid.service.owner.key.clone())
                    .collect(),
                group,
            });
        }
        let groups: BTreeMap<GroupName, Group> = groups;
        Contest {
            election: election.clone(),
            groups: groups.into_values().collect(),
            units,
        }
    }

    fn member<'a>(&self, bid: &Bid<'a>) -> Member<'a> {
        Member {
            service: bid.service.owner.key.as_str(),
            pool: &bid.pool.spec.name,
            health: self.health_of(bid.service),
        }
    }

    /// Whether a service answers here; `None` when nobody looks. Before the first verdict it does not.
    fn health_of(&self, service: &ServiceConfig) -> Option<bool> {
        service.health_check.as_ref()?;
        let verdict = self.health.get(&service.owner.key);
        Some(verdict.is_some_and(|(is_healthy, _)| *is_healthy))
    }

    /// The virtual routers, and the addresses that their state decides on.
    fn routers(
        &self,
        bids: &[Bid<'_>],
        pools: &PoolsByName<'_>,
        announcements: &mut BTreeMap<IpAddr, Announcement>,
    ) -> Vec<Router> {
        let units = units(bids.iter().map(|bid| (&bid.service.owner.key, bid.address)));
        let mut by_router: BTreeMap<(&str, Vrid, Family), Vec<&Bid<'_>>> = BTreeMap::new();
        for bid in bids {
            let unit = units.get(&bid.address);
            if let (Some(routers), Some(unit)) = (&bid.pool.routers, unit) {
                let key = (
                    &*bid.pool.spec.name,
                    routers.vrid(unit),
                    Family::of(bid.address),
                );
                by_router.entry(key).or_default().push(bid);
            }
        }
        let made = by_router
            .into_iter()
            .filter_map(|((name, vrid, family), bids)| {
                let pool = pools.get(name).copied()?;
                let router = self.router(pool, vrid, family, &bids);
                if router.run.is_ok() {
                    for bid in bids {
                        let owner = Owner::Router(router.name.clone());
                        // Virtual routers agree by their own protocol; a probe would only meet the other.
                        let announcement = announcement(bid, owner);
                        announcements.extend(announcement.map(|(address, announcement)| {
                            let probe = Probe::Skip;
                            (
                                address,
                                Announcement {
                                    probe,
                                    ..announcement
                                },
                            )
                        }));
                    }
                }
                Some(router)
            });
        made.collect()
    }

    fn router(&self, pool: &PoolConfig, vrid: Vrid, family: Family, bids: &[&Bid<'_>]) -> Router {
        let suffix = match family {
            Family::Ipv4 => "ipv4",
            Family::Ipv6 => "ipv6",
        };
        let name = RouterName::new(&format!("{}-{}-{suffix}", pool.spec.name, vrid.get()));
        let addresses: BTreeSet<IpAddr> = bids.iter().map(|bid| bid.address).collect();
        let silent = bids
            .iter()
            .filter(|bid| self.health_of(bid.service) == Some(false));
        let silent: BTreeSet<_> = silent
            .map(|bid| bid.service.owner.key.to_string())
            .collect();
        let node = &self.config.node;
        let settings = pool.routers.as_ref().and_then(|routers| {
            let answers = silent.is_empty();
            let settings = routers.settings(node, vrid, addresses.iter().copied(), answers)?;
            Some((settings, routers.virtual_mac))
        });
        let run = match (settings, &pool.interfaces) {
            (None, _) => {
                let silent: Vec<_> = silent.into_iter().collect();
                let why = silent.join(", ");
                Err(format!(
                    "given up here: nothing is left of the priority while {why} does not answer"
                ))
            }
            (_, None) => Err("the pool names no interface".to_owned()),
            (Some((settings, virtual_mac)), Some(interfaces)) => match settings.validate() {
                Err(error) => Err(error.to_string()),
                Ok(()) => Ok(VirtualRouter {
                    name: name.clone(),
                    interface: interfaces.clone(),
                    settings,
                    virtual_mac,
                }),
            },
        };
        Router {
            name,
            pool: pool.spec.name.to_string(),
            vrid,
            family,
            addresses,
            run,
        }
    }
}

fn announcement(bid: &Bid<'_>, owner: Owner) -> Option<(IpAddr, Announcement)> {
    let announcement = Announcement {
        address: bid.address,
        interfaces: bid.pool.interfaces.clone()?,
        probe: speaker::probe(bid.pool.probe),
        owner,
    };
    Some((bid.address, announcement))
}
