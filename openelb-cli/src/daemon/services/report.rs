//! What is made of the services: announcements, status, explanations.

use std::collections::HashMap;

use openelb_announce::bgp::route::{Route, aggregate};
use openelb_ipam::Time;
use openelb_k8s::api::Protocol;

use super::super::speaker::{self, Speaker};
use super::together::{as_elected, as_virtual, link_problems};
use super::{CONFLICT_SHOWN, Services};
use crate::config::{Announce, PoolConfig, ServiceConfig};
use crate::engine::{
    AnnouncementStatus, BgpReport, Engine, Held, Holder, PeerReport, PrefixReport, ServiceState,
    ServiceStatus, StatusReport,
};

pub(super) type PoolsByName<'a> = HashMap<&'a str, &'a PoolConfig>;

impl Services {
    /// Every route that should be announced to BGP peers.
    pub(in super::super) fn routes(&self, engine: &Engine) -> Vec<Route> {
        let Some(bgp) = &self.config.bgp else {
            return Vec::new();
        };
        let pools = self.pools();
        let mut addresses = Vec::new();
        for service in &self.config.services {
            let holder = engine.holder(&service.owner.key);
            if self.state(service, holder.as_ref(), &pools).0 != ServiceState::Announced {
                continue;
            }
            for held in holder.into_iter().flat_map(|holder| holder.addresses) {
                if let Some(pool) = pools.get(&*held.pool) {
                    let served = held.shown.addresses();
                    addresses.extend(served.map(|address| (address, &pool.advertisements[..])));
                }
            }
        }
        aggregate(addresses, &bgp.node)
    }

    /// Everything on one screen.
    pub(in super::super) fn status(
        &self,
        engine: &Engine,
        speaker: &Speaker,
        now: Time,
    ) -> StatusReport {
        let pools = self.pools();
        let announcements = speaker.status();
        let (election, vrrp) = (speaker.election(), speaker.vrrp());
        let bgp = speaker.bgp();
        let bgp = bgp.is_configured().then(|| bgp.report());
        let status = |service| {
            let wished = self.service_status(service, engine, &pools);
            let seen = as_seen(wished, speaker, &announcements);
            let seen = as_virtual(as_elected(seen, election.as_ref()), vrrp.as_ref());
            as_routed(seen, &pools, bgp.as_ref())
        };
        let services: Vec<_> = self.config.services.iter().map(status).collect();
        StatusReport {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            generation: engine.generation(),
            read_only: engine.read_only().map(str::to_owned),
            config: self.status.clone(),
            pools: engine.pools(),
            announcer: speaker.summary(),
            conflicts: self.conflicts,
            problems: {
                let link = speaker.trouble().map(str::to_owned);
                let rest = self.problems(engine, &services, &announcements, bgp.as_ref(), now);
                let together = link_problems(election.as_ref(), vrrp.as_ref());
                link.into_iter().chain(rest).chain(together).collect()
            },
            bgp,
            election,
            vrrp,
            prefixes: engine.prefix_reports(now),
            services,
            announcements,
        }
    }

    pub(super) fn pools(&self) -> PoolsByName<'_> {
        self.config
            .pools
            .iter()
            .map(|pool| (&*pool.spec.name, pool))
            .collect()
    }

    fn service_status(
        &self,
        service: &ServiceConfig,
        engine: &Engine,
        pools: &PoolsByName<'_>,
    ) -> ServiceStatus {
        let holder = engine.holder(&service.owner.key);
        let (state, detail) = self.state(service, holder.as_ref(), pools);
        let addresses = holder.map(|holder| holder.addresses).unwrap_or_default();
        ServiceStatus {
            owner: service.owner.key.clone(),
            addresses,
            state,
            detail,
        }
    }

    /// What is done with the addresses of a service, and why.
    pub(super) fn state(
        &self,
        service: &ServiceConfig,
        holder: Option<&Holder>,
        pools: &PoolsByName<'_>,
    ) -> (ServiceState, String) {
        let owner = &service.owner.key;
        let refusal = self.refusals.get(owner).cloned().unwrap_or_default();
        let Some(holder) = holder else {
            return (ServiceState::Waiting, refusal);
        };
        let is_spoken = |held: &Held| {
            let pool = pools.get(&*held.pool);
            let is_routed = pool.is_some_and(|pool| !pool.advertisements.is_empty());
            is_routed && self.config.bgp.is_some() || pool.is_some_and(|pool| is_on_link(pool))
        };
        match (service.announce, self.health.get(owner)) {
            (Announce::Never, _) => (ServiceState::Allocated, "announce: Never".to_owned()),
            (Announce::Standby, _) => (ServiceState::Standby, refusal),
            (Announce::Always, _) if !holder.addresses.iter().any(is_spoken) => (
                ServiceState::Allocated,
                "its pool is not announced by this daemon".to_owned(),
            ),
            (Announce::Always, Some((false, detail))) => (ServiceState::Unhealthy, detail.clone()),
            (Announce::Always, None) if service.health_check.is_some() => (
                ServiceState::Unhealthy,
                "the first health check is under way".to_owned(),
            ),
            (Announce::Always, _) if holder.addresses.iter().all(is_prefixless) => {
                (ServiceState::Waiting, prefixless(holder).collect())
            }
            (Announce::Always, _) => {
                let refusal = Some(refusal).filter(|refusal| !refusal.is_empty());
                let details: Vec<_> = refusal.into_iter().chain(prefixless(holder)).collect();
                (ServiceState::Announced, details.join("; "))
            }
        }
    }

    /// What an operator should look at, the gravest first.
    fn problems(
        &self,
        engine: &Engine,
        services: &[ServiceStatus],
        announcements: &[AnnouncementStatus],
        bgp: Option<&BgpReport>,
        now: Time,
    ) -> Vec<String> {
        let store = engine
            .read_only()
            .map(|reason| format!("the store is read-only: {reason}"));
        let config = self
            .status
            .errors
            .iter()
            .map(|e| format!("the configuration was refused: {e}"));
        let conflicts = self
            .last_conflict
            .iter()
            .filter(|(_, (at, _))| now - *at < CONFLICT_SHOWN)
            .map(|(address, (_, cause))| format!("conflict about {address}: {cause}"));
        let prefixes = engine.prefix_reports(now);
        let services = services
            .iter()
            .filter(|s| matches!(s.state, ServiceState::Waiting | ServiceState::Unhealthy))
            .map(|s| format!("{}: {}", s.owner, s.detail));
        let warnings = announcements
            .iter()
            .flat_map(|a| a.warnings.iter().cloned());
        store
            .into_iter()
            .chain(config)
            .chain(conflicts)
            .chain(prefixes.iter().filter_map(prefix_problem))
            .chain(services)
            .chain(warnings)
            .chain(bgp.into_iter().flat_map(bgp_problems))
            .collect()
    }
}

/// What an operator should look at about a prefix.
fn prefix_problem(report: &PrefixReport) -> Option<String> {
    let name = &report.name;
    let explanation = &report.explanation;
    if explanation.generations.preferred.is_none() {
        let failing = explanation.failing.iter();
        let failing: Vec<_> = failing
            .map(|(at, why)| format!("source {at}: {why}"))
            .collect();
        let why = match failing.as_slice() {
            [] => "no source has told one".to_owned(),
            failing => failing.join("; "),
        };
        return Some(format!("prefix {name} is not known yet: {why}"));
    }
    if let Some(overlap) = &report.overlap {
        return Some(format!("prefix {overlap}"));
    }
    let degraded = explanation.degraded.as_ref()?;
    Some(format!("prefix {name}: {degraded}"))
}

/// What an operator should look at about BGP.
fn bgp_problems(bgp: &BgpReport) -> Vec<String> {
    let trouble = bgp.trouble.iter().map(|trouble| format!("BGP: {trouble}"));
    let listeners = bgp.listeners.iter().filter_map(|listener| {
        let problem = listener.problem.as_ref()?;
        Some(format!("BGP listener {}: {problem}", listener.address))
    });
    let interfaces = bgp.interfaces.iter().filter_map(|interface| {
        let problem = interface.problem.as_ref()?;
        Some(format!("BGP on {}: {problem}", interface.interface))
    });
    let peers = bgp.peers.iter().filter(|peer| !peer.is_established());
    let peers = peers.map(|peer| {
        let why = peer.last_error.as_ref().map(|error| &error.words);
        let why = peer.hint.as_ref().or(why).or(peer.waiting.as_ref());
        let why = why.map_or(String::new(), |why| format!(": {why}"));
        format!("BGP peer {} is {}{why}", peer.name, peer.state)
    });
    let refused = bgp.peers.iter().flat_map(|peer| {
        let families = peer.families.iter().filter(|family| family.refused > 0);
        families.map(|family| {
            let why = family
                .refused_why
                .as_deref()
                .unwrap_or("no reason was given");
            let (name, count) = (&peer.name, family.refused);
            format!(
                "BGP peer {name} does not get {count} {} routes: {why}",
                family.family
            )
        })
    });
    let found = trouble.chain(listeners).chain(interfaces);
    found.chain(peers).chain(refused).collect()
}

/// Tells of a service that should be announced what the network has seen of it.
fn as_seen(
    mut service: ServiceStatus,
    speaker: &Speaker,
    announcements: &[AnnouncementStatus],
) -> ServiceStatus {
    if service.state != ServiceState::Announced {
        return service;
    }
    if speaker.is_silent() {
        service.state = ServiceState::Silent;
        return service;
    }
    let is_held = |seen: &&AnnouncementStatus| {
        let mut held = service.addresses.iter();
        held.any(|held| held.shown.has(seen.address))
    };
    let unfinished = announcements.iter().filter(is_held);
    let unfinished = unfinished.filter(|seen| seen.state != speaker::ANNOUNCED);
    let mut details: Vec<_> = unfinished
        .map(|seen| format!("{} is {}", seen.address, seen.state))
        .collect();
    details.extend(Some(service.detail).filter(|detail| !detail.is_empty()));
    service.detail = details.join("; ");
    service
}

/// Tells of a service that should be announced to routers that none of them hears.
fn as_routed(
    mut service: ServiceStatus,
    pools: &PoolsByName<'_>,
    bgp: Option<&BgpReport>,
) -> ServiceStatus {
    let is_routed = |held: &Held| {
        let pool = pools.get(&*held.pool);
        pool.is_some_and(|pool| !pool.advertisements.is_empty())
    };
    let is_heard = bgp.is_none_or(|bgp| bgp.peers.iter().any(PeerReport::is_established));
    let is_announced = service.state == ServiceState::Announced;
    if is_announced && !is_heard && service.addresses.iter().any(is_routed) {
        let detail = Some(service.detail).filter(|detail| !detail.is_empty());
        let details = detail.into_iter().chain([NOBODY_HEARS.to_owned()]);
        service.detail = details.collect::<Vec<_>>().join("; ");
    }
    service
}

/// Whether there is no prefix yet that makes it an address.
fn is_prefixless(held: &Held) -> bool {
    held.shown.addresses().next().is_none()
}

/// What is missing to the addresses of a holder.
fn prefixless(holder: &Holder) -> impl Iterator<Item = String> {
    let held = holder.addresses.iter().filter(|held| is_prefixless(held));
    held.map(|held| held.shown.to_string())
}

/// Whether this daemon announces the pool on a link.
fn is_on_link(pool: &PoolConfig) -> bool {
    pool.interfaces.is_some() && matches!(pool.protocol, Protocol::Layer2 | Protocol::Vip)
}

const NOBODY_HEARS: &str = "no BGP peer is up";
