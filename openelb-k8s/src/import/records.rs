//! Allocations that Services show, written into the records of the pools.

use std::collections::BTreeMap;
use std::net::IpAddr;

use openelb_ipam::Pool;
use serde_json::{Value, json};

use super::Origin;
use super::remark::Report;
use crate::api::{Eip, owners_of};
use crate::cluster::Service;
use crate::names;
use crate::pool;
use crate::wish::Serving;

/// Records the addresses of the Services in their pools, and says which are in none.
pub(super) fn take_over(
    origin: Origin,
    eips: &mut [Eip],
    services: &[Service],
    report: &mut Report,
) {
    let pools: Vec<Option<Pool>> = eips.iter().map(pool_of).collect();
    let mut unserved = Vec::new();
    for service in services {
        let metadata = &service.metadata;
        let owner = format!("{}/{}", metadata.namespace, metadata.name);
        let shown: Vec<IpAddr> = service.shown().collect();
        if shown.is_empty() {
            continue;
        }
        report.about(names::SERVICE_KIND, &owner);
        for address in shown {
            let holds = |pool: &Option<Pool>| pool.as_ref().is_some_and(|it| has(it, address));
            let found = pools.iter().position(holds);
            if let Some(eip) = found.and_then(|index| eips.get_mut(index)) {
                record(&mut eip.status.used, address, &owner);
            } else if origin == Origin::OpenElb || is_of_metallb(service) {
                let value = json!(address.to_string());
                let next =
                    "add it to a pool before the controller starts, or the Service gets another";
                report.lost(INGRESS, &value, "the address is in no pool", next);
            }
        }
        if origin != Origin::OpenElb && !Serving::default().serves(service) {
            unserved.push(owner);
        }
    }
    for eip in eips {
        eip.status.usage = i64::try_from(eip.status.used.len()).unwrap_or(i64::MAX);
    }
    note_unserved(&unserved, report);
}

/// The controller takes Services over only when they are meant for it.
fn note_unserved(unserved: &[String], report: &mut Report) {
    let Some(first) = unserved.first() else {
        return;
    };
    let others = unserved.len().saturating_sub(1);
    let name = match others {
        0 => first.clone(),
        _ => format!("{first} and {others} more"),
    };
    report.about(names::SERVICE_KIND, &name);
    let next = "start the controller with --serve-unclassed always, or with --load-balancer-class \
                and the class they have, or annotate them with lb.kubesphere.io/v1alpha1: openelb";
    let meaning = "it does not opt in, so the controller would leave it alone";
    report.note("spec.loadBalancerClass", &Value::Null, meaning, next);
}

fn is_of_metallb(service: &Service) -> bool {
    let mut keys = service.metadata.annotations.keys();
    keys.any(|key| key.starts_with("metallb.io/") || key.starts_with("metallb.universe.tf/"))
}

fn pool_of(eip: &Eip) -> Option<Pool> {
    let spec = pool::spec(eip).ok()?;
    Pool::try_from(&spec).ok()
}

fn has(pool: &Pool, address: IpAddr) -> bool {
    let mut ranges = pool.ranges().iter();
    ranges.any(|range| range.first() <= address && address <= range.last())
}

/// Adds an owner to the record of an address, in OpenELB's form.
fn record(used: &mut BTreeMap<String, String>, address: IpAddr, owner: &str) {
    let record = used.entry(address.to_string()).or_default();
    if !owners_of(record).any(|known| known == owner) {
        if !record.is_empty() {
            record.push(';');
        }
        record.push_str(owner);
    }
}

const INGRESS: &str = "status.loadBalancer.ingress";
