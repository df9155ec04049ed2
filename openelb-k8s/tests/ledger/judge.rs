//! The rules, judged on what the server holds.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use openelb_ipam::RangeSet;
use openelb_k8s::api::{Eip, OnShrink, owners_of};
use openelb_k8s::cluster::{IpFamily, Service};
use openelb_k8s::controller::Change;
use openelb_k8s::names;

use crate::server::Server;

#[derive(Debug, Default)]
pub(crate) struct Judge {
    /// Shown without a record from the beginning, as a gap in the records leaves it.
    pub(crate) exempt: BTreeSet<(String, IpAddr)>,
    /// Services whose user, or whose pool's user, asked for something else since the last rest.
    pub(crate) restless: BTreeSet<String>,
    /// Addresses that other stations had since the last rest: whoever has one may be moved.
    pub(crate) contested: BTreeSet<IpAddr>,
}

impl Judge {
    /// Judges one request of a controller, carried out.
    pub(crate) fn judge(
        &mut self,
        change: &Change,
        before: &BTreeMap<String, Vec<IpAddr>>,
        server: &Server,
    ) -> Result<(), String> {
        let records = records(server);
        if let Change::Service {
            namespace, name, ..
        } = change
        {
            let key = format!("{namespace}/{name}");
            if let Some(stored) = server.services.get(&key) {
                let (was, is) = (&before[&key], shown(&stored.service));
                for address in is.iter().filter(|it| !was.contains(it)) {
                    sharers_agree(&key, *address, server)?;
                    self.exempt.remove(&(key.clone(), *address));
                }
                let is_leaving = stored.service.metadata.deletion_timestamp.is_some();
                let mut gone = was.iter().filter(|it| !is.contains(it));
                if let Some(lost) = gone.find(|it| !self.contested.contains(it))
                    && !is_leaving
                    && !self.restless.contains(&key)
                {
                    return Err(format!("L4: {key} lost {lost} and nobody asked for it"));
                }
            }
        }
        for (key, stored) in &server.services {
            for address in shown(&stored.service) {
                let is_recorded = records.contains(&(address, key.clone()));
                let entry = (key.clone(), address);
                if is_recorded {
                    self.exempt.remove(&entry);
                } else if !self.exempt.contains(&entry) {
                    return Err(format!("L2: {key} shows {address} without a record"));
                }
            }
        }
        Ok(())
    }

    /// Judges a world at rest.
    pub(crate) fn judge_rest(&mut self, server: &Server) -> Result<(), String> {
        let records = records(server);
        for (address, key) in &records {
            let stored = server.services.get(key);
            let is_shown = stored.is_some_and(|it| shown(&it.service).contains(address));
            if !is_shown {
                return Err(format!(
                    "L3: {address} is recorded for {key}, which does not show it"
                ));
            }
        }
        for (key, stored) in &server.services {
            if stored.service.metadata.deletion_timestamp.is_some() {
                return Err(format!("L3: {key} cannot be deleted"));
            }
            let is_ours = stored
                .service
                .metadata
                .finalizers
                .iter()
                .any(|it| it == names::SERVICE_FINALIZER);
            let shown = shown(&stored.service);
            if is_ours && shown.is_empty() {
                return Err(format!("L3: {key} has our finalizer and no address"));
            }
            for address in shown {
                if stored.manager.as_deref() == Some(names::FIELD_MANAGER)
                    && !records.contains(&(address, key.clone()))
                {
                    return Err(format!(
                        "L2: at rest {key} shows {address} without a record"
                    ));
                }
            }
        }
        if let Some(name) = server
            .eips
            .iter()
            .find_map(|(name, eip)| eip.metadata.deletion_timestamp.is_some().then_some(name))
        {
            return Err(format!("L3: Eip {name} cannot be deleted"));
        }
        self.contested.clear();
        // Who waits for something in the place of what it shows may be served at any time.
        self.restless.retain(|key| {
            let stored = server.services.get(key);
            stored.is_some_and(|it| {
                shows_another_family(&it.service) || shows_what_drains(&it.service, server)
            })
        });
        Ok(())
    }
}

/// Does it show an address of a family that it does not ask for any more?
fn shows_another_family(service: &Service) -> bool {
    let family = |address: &IpAddr| match address {
        IpAddr::V4(_) => IpFamily::IPv4,
        IpAddr::V6(_) => IpFamily::IPv6,
    };
    let asked = &service.spec.ip_families;
    shown(service).iter().any(|it| !asked.contains(&family(it)))
}

/// Does it show an address that no pool lists, and that is to be replaced as soon as it can be?
fn shows_what_drains(service: &Service, server: &Server) -> bool {
    let ranges = |eip: &Eip| -> RangeSet { eip.spec.address.parse().unwrap() };
    let is_listed = |address| {
        server
            .eips
            .values()
            .any(|eip| ranges(eip).contains(address))
    };
    let mut pools = server.eips.values();
    pools.any(|eip| eip.spec.on_shrink == OnShrink::Drain)
        && shown(service).into_iter().any(|it| !is_listed(it))
}

/// Every record of the server.
pub(crate) fn records(server: &Server) -> BTreeSet<(IpAddr, String)> {
    let eips = server.eips.values().flat_map(|eip| &eip.status.used);
    let blocks = server.blocks.values().flat_map(|block| &block.spec.used);
    let entries = eips.chain(blocks).flat_map(|(address, record)| {
        let address: IpAddr = address.parse().unwrap();
        owners_of(record).map(move |owner| (address, owner.to_owned()))
    });
    entries.collect()
}

pub(crate) fn shown(service: &Service) -> Vec<IpAddr> {
    let ingress = service.status.load_balancer.ingress.iter();
    ingress.map(|entry| entry.ip.parse().unwrap()).collect()
}

fn sharers_agree(key: &str, address: IpAddr, server: &Server) -> Result<(), String> {
    let one = &server.services[key].service;
    for (other, stored) in &server.services {
        let two = &stored.service;
        if other == key || !shown(two).contains(&address) {
            continue;
        }
        let ports = |service: &Service| {
            let ports = service
                .spec
                .ports
                .iter()
                .map(|port| (port.protocol, port.port));
            ports.collect::<BTreeSet<_>>()
        };
        let sharing = |service: &Service| {
            let annotations = &service.metadata.annotations;
            annotations
                .get(names::SHARING_ANNOTATION)
                .map(str::to_owned)
        };
        let is_apart = ports(one).is_disjoint(&ports(two));
        let is_allowed = match (sharing(one), sharing(two)) {
            (Some(one), Some(two)) => one == two,
            (None, None) => one.metadata.namespace == two.metadata.namespace,
            _ => false,
        };
        if !is_apart || !is_allowed {
            return Err(format!("L1: {address} is shown by {key} and by {other}"));
        }
    }
    Ok(())
}
