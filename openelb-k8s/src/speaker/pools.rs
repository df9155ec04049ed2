//! The pools: which one an address is of, and what it says about announcing.

use std::collections::BTreeMap;
use std::net::IpAddr;

use openelb_announce::bgp::route::Advertisement;
use openelb_announce::link::InterfaceSelector;
use openelb_ipam as ipam;
use openelb_ipam::relative::{Projection, Shown};

use super::fitness::Nodes;
use super::{Lights, WhyNot};
use crate::api::{BgpConf, Eip, NodeReadiness, Protocol, owners_of};
use crate::cluster::{Service, TrafficPolicy};
use crate::layer2::Fitness;
use crate::problem::{Problem, Remarks};
use crate::vrrp::PoolRouters;
use crate::{bgp, link, names, vrrp};

/// A pool, with all that announcing takes.
pub(super) struct Pool<'a> {
    pub(super) name: &'a str,
    pub(super) eip: &'a Eip,
    /// Its ranges, or why it cannot be used.
    ranges: Result<ipam::Pool, String>,
    interfaces: Option<InterfaceSelector>,
    routers: Option<PoolRouters>,
    /// How its addresses become routes, with all nodes that may deliver as next hops where it leads
    /// to nodes.
    pub(super) advertisements: Vec<Advertisement>,
    /// Other nodes come before this one.
    pub(super) is_behind: bool,
}

/// All pools.
pub(super) struct Pools<'a> {
    pub(super) by_name: BTreeMap<&'a str, Pool<'a>>,
    /// How addresses that follow a prefix are shown.
    view: Projection,
    /// What is to be said about their objects.
    pub(super) problems: Vec<Problem>,
}

impl<'a> Pools<'a> {
    pub(super) fn of(
        eips: &'a BTreeMap<String, Eip>,
        view: Projection,
        nodes: &Nodes<'_>,
        conf: Option<&BgpConf>,
    ) -> Self {
        let mut problems = Vec::new();
        let pools = eips
            .iter()
            .map(|(name, eip)| (&**name, Pool::of(eip, nodes, conf, &mut problems)));
        Self {
            by_name: pools.collect(),
            view,
            problems,
        }
    }

    /// The pool that an address of a service is of: the one that the service says it is served from,
    /// if that has it or has it on record, or else any that has it.
    ///
    /// An address that follows a prefix is of the pool that lists its host part, under the prefix in
    /// use and under those that are leaving; under one that left it is of none.
    pub(super) fn of_address(&self, service: &Service, address: IpAddr) -> Option<&Pool<'a>> {
        let address = self.view.read_address(address);
        let record = match self.view.show(address) {
            Shown::Following(following) => following.relative.to_string(),
            Shown::Static(_) | Shown::Nameless(_) => address.to_string(),
        };
        let label = service.metadata.labels.get(names::POOL_LABEL);
        let labelled = label.and_then(|name| self.by_name.get(name));
        let is_of = |pool: &&Pool<'_>| pool.has(address) || pool.records(service, &record);
        let labelled = labelled.filter(is_of);
        labelled.or_else(|| self.by_name.values().find(|pool| pool.has(address)))
    }
}

impl<'a> Pool<'a> {
    fn of(
        eip: &'a Eip,
        nodes: &Nodes<'_>,
        conf: Option<&BgpConf>,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut remarks = Remarks::about(names::EIP_KIND, &eip.metadata.name);
        let ranges = ranges(eip, &mut remarks);
        let interfaces = link::interfaces(eip).unwrap_or_else(|error| {
            remarks.invalid_text("spec.interface", error);
            None
        });
        problems.append(&mut remarks.found);
        let meant = vrrp::routers(eip);
        problems.extend(meant.problems);
        let mut advertisements = Vec::new();
        if eip.spec.protocol == Protocol::Bgp && conf.is_some() {
            let communities = conf.map(|conf| conf.spec.communities.clone());
            let communities = communities.unwrap_or_default();
            let hops = nodes.next_hops(eip, TrafficPolicy::Cluster, |_| true);
            let routes = bgp::pool_routes(eip, &communities, &nodes.mine, &hops);
            problems.extend(routes.problems);
            advertisements = routes.advertisements;
        }
        let is_behind = nodes.standing(eip) == Fitness::Behind;
        Self {
            name: &eip.metadata.name,
            eip,
            ranges,
            interfaces,
            routers: meant.routers,
            advertisements,
            is_behind,
        }
    }

    /// Whether it can be announced at all.
    pub(super) fn check(&self, lights: Lights) -> Result<(), WhyNot> {
        if let Err(why) = &self.ranges {
            return Err(WhyNot::PoolInvalid(why.clone()));
        }
        let invalid = |what: &str| Err(WhyNot::PoolInvalid(what.to_owned()));
        match self.eip.spec.protocol {
            Protocol::None => Err(WhyNot::PoolSilent),
            Protocol::Bgp if !lights.bgp => Err(WhyNot::NoBgp),
            Protocol::Bgp if self.advertisements.is_empty() => invalid("spec.bgp is wrong"),
            Protocol::Layer2 | Protocol::Vip if self.interfaces.is_none() => {
                invalid("spec.interface is wrong")
            }
            Protocol::Layer2 if !lights.election && !lights.is_sole => Err(WhyNot::NoElection),
            Protocol::Vip if self.routers.is_none() => invalid("spec.vrrp is wrong"),
            Protocol::Bgp | Protocol::Layer2 | Protocol::Vip => Ok(()),
        }
    }

    /// Whether it judges nodes in another way than all pools do, by its object alone.
    pub(super) fn judges_nodes(&self) -> bool {
        let spec = &self.eip.spec;
        let is_plain = spec.node_selector.is_none() && spec.node_readiness == NodeReadiness::Prefer;
        spec.protocol == Protocol::Layer2 && !is_plain
    }

    pub(super) fn on_links(&self) -> link::Pool<'_> {
        link::Pool {
            name: self.name,
            interfaces: self.interfaces.as_ref(),
            probe: self.eip.spec.probe,
            routers: self.routers.as_ref(),
        }
    }

    fn has(&self, address: IpAddr) -> bool {
        let ranges = self.ranges.as_ref();
        ranges.is_ok_and(|pool| pool.ranges().contains(address))
    }

    /// An address that left the pool by an edit stays with its service until it is released.
    fn records(&self, service: &Service, record: &str) -> bool {
        let (namespace, name) = (&service.metadata.namespace, &service.metadata.name);
        let used = &self.eip.status.used;
        let record = used.get(record).map(String::as_str);
        let mut owners = record.into_iter().flat_map(owners_of);
        owners.any(|owner| owner.split_once('/') == Some((namespace, name)))
    }
}

fn ranges(eip: &Eip, remarks: &mut Remarks) -> Result<ipam::Pool, String> {
    let spec = crate::pool::spec(eip).map_err(|errors| {
        for error in &errors {
            remarks.invalid(&*error.key, &error.message, &*error.next);
        }
        let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
        texts.join(", ")
    })?;
    ipam::Pool::try_from(&spec).map_err(|error| error.to_string())
}
