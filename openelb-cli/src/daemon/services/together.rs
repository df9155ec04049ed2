//! What is announced together with other nodes: who has it now, and why.

use std::net::IpAddr;

use super::super::speaker::Speaker;
use super::Services;
use crate::engine::{
    Answer, ElectionReport, Explained, Holder, RouterReport, ServiceState, ServiceStatus,
    UnitReport, VrrpReport,
};

impl Services {
    /// Adds what the configuration and the network say about announcing to an explanation.
    pub(in super::super) fn explain_announcement(
        &self,
        answer: Answer,
        speaker: &Speaker,
    ) -> Answer {
        let Answer::Explained(mut explained) = answer else {
            return answer;
        };
        let owner = explained.owner.clone();
        let Some(service) = self.service(&owner) else {
            explained.lines.push(format!(
                "{owner} is no service of the configuration: never announced"
            ));
            return Answer::Explained(explained);
        };
        let holder = Holder {
            owner: owner.clone(),
            addresses: explained.addresses.clone(),
        };
        let holder = Some(holder).filter(|holder| !holder.addresses.is_empty());
        let (state, detail) = self.state(service, holder.as_ref(), &self.pools());
        let election = speaker.election();
        let status = ServiceStatus {
            owner,
            addresses: explained.addresses.clone(),
            state,
            detail,
        };
        let status = as_elected(status, election.as_ref());
        let ServiceStatus { state, detail, .. } = as_virtual(status, speaker.vrrp().as_ref());
        let because = if detail.is_empty() {
            detail
        } else {
            format!(": {detail}")
        };
        let told = format!("announcement: {state:?}{because}");
        explained.lines.push(told);
        let elected = election.iter().flat_map(|it| elected_lines(it, &explained));
        let routed = speaker.vrrp();
        let routed = routed.iter().flat_map(|it| routed_lines(it, &explained));
        let lines: Vec<_> = elected.chain(routed).collect();
        explained.lines.extend(lines);
        for status in speaker.status() {
            if holds(&explained, status.address) {
                let (address, places) = (status.address, status.interfaces.join(", "));
                let state = status.state;
                explained
                    .lines
                    .push(format!("{address} on {places}: {state}"));
                explained.lines.extend(status.warnings);
            }
        }
        Answer::Explained(explained)
    }
}

fn holds(explained: &Explained, address: IpAddr) -> bool {
    let mut held = explained.addresses.iter();
    held.any(|held| held.shown.has(address))
}

/// Who has the addresses by the election, and where they stand in it.
fn elected_lines(election: &ElectionReport, explained: &Explained) -> Vec<String> {
    let is_meant = |unit: &&UnitReport| unit.services.contains(&explained.owner);
    let units = election.units.iter().filter(is_meant);
    let here = election.node.as_deref();
    let line = |unit: &UnitReport| {
        let place = unit.interface.as_deref().unwrap_or("no link yet");
        let owner = match unit.owner.as_deref() {
            Some(owner) if Some(owner) == here => {
                let seconds = unit.seconds.unwrap_or_default();
                format!("this node announces it, for {seconds} s")
            }
            Some(owner) => format!("{owner} announces it"),
            None => "no node announces it".to_owned(),
        };
        let eligible = if unit.eligible {
            "this node may"
        } else {
            "this node may not"
        };
        format!(
            "election on {place}: {owner}; {eligible} (group {}, shard {})",
            unit.group, unit.shard
        )
    };
    units.map(line).collect()
}

/// Who has the addresses by VRRP.
fn routed_lines(vrrp: &VrrpReport, explained: &Explained) -> Vec<String> {
    let routers = vrrp.routers.iter().filter(|router| {
        let mut addresses = router.addresses.iter();
        addresses.any(|address| holds(explained, *address))
    });
    let line = |router: &RouterReport| {
        let place = router.interface.as_deref().unwrap_or("no link yet");
        let active = match (router.state.as_str(), router.active, router.active_priority) {
            ("Active", ..) => String::new(),
            (_, Some(address), Some(priority)) => format!("; {address} is Active with {priority}"),
            _ => "; nobody is known to be Active".to_owned(),
        };
        let why = router.problems.first();
        let why = why.map_or_else(String::new, |why| format!(" ({why})"));
        format!(
            "virtual router {} on {place}: {} here with priority {}{active}{why}",
            router.name, router.state, router.priority
        )
    };
    routers.map(line).collect()
}

/// Tells of a service that should be announced which other node does it.
pub(super) fn as_elected(
    mut service: ServiceStatus,
    election: Option<&ElectionReport>,
) -> ServiceStatus {
    let Some(election) = election else {
        return service;
    };
    let here = election.node.as_deref();
    let units = election.units.iter();
    let units = units.filter(|unit| unit.services.contains(&service.owner));
    let mut owners: Vec<_> = units.filter_map(|unit| unit.owner.as_deref()).collect();
    owners.sort_unstable();
    owners.dedup();
    let is_elsewhere = !owners.is_empty() && owners.iter().all(|owner| Some(*owner) != here);
    if is_elsewhere {
        let told = format!("{} announces it", owners.join(", "));
        if service.state == ServiceState::Announced {
            service.state = ServiceState::Elsewhere;
            service.detail = told;
        } else {
            let detail = Some(service.detail).filter(|detail| !detail.is_empty());
            let details: Vec<_> = detail.into_iter().chain([told]).collect();
            service.detail = details.join("; ");
        }
    }
    service
}

/// Tells of a service that should be announced which other virtual router does it.
pub(super) fn as_virtual(mut service: ServiceStatus, vrrp: Option<&VrrpReport>) -> ServiceStatus {
    let mut active: Vec<String> = Vec::new();
    for held in &service.addresses {
        let routers = vrrp.into_iter().flat_map(|vrrp| &vrrp.routers);
        let is_its = |router: &&RouterReport| {
            let address = held.shown.address;
            address.is_some_and(|address| router.addresses.contains(&address))
        };
        let mut routers = routers.filter(is_its);
        match routers
            .next()
            .map(|router| (router.state.as_str(), router.active))
        {
            Some(("Backup", Some(other))) => active.push(other.to_string()),
            _ => return service,
        }
    }
    if service.state == ServiceState::Announced && !active.is_empty() {
        service.state = ServiceState::Elsewhere;
        service.detail = format!("Active is {}", active.join(", "));
    }
    service
}

/// What an operator should look at about elections and virtual routers.
pub(super) fn link_problems(
    election: Option<&ElectionReport>,
    vrrp: Option<&VrrpReport>,
) -> Vec<String> {
    let segments = election.into_iter().flat_map(|election| &election.segments);
    let segments = segments.flat_map(|segment| segment.problems.iter().cloned());
    let nobodys = election.into_iter().flat_map(|election| &election.units);
    let nobodys = nobodys.filter(|unit| unit.interface.is_some() && unit.owner.is_none());
    let nobodys = nobodys.map(|unit| {
        let addresses: Vec<_> = unit.addresses.iter().map(ToString::to_string).collect();
        format!("{}: no node announces it", addresses.join(", "))
    });
    let routers = vrrp.into_iter().flat_map(|vrrp| &vrrp.routers);
    let routers = routers.flat_map(|router| {
        let problems = router.problems.iter();
        problems.map(|problem| format!("virtual router {}: {problem}", router.name))
    });
    segments.chain(nobodys).chain(routers).collect()
}
