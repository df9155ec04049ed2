//! The status of an Eip: OpenELB's fields, and conditions that say what is wrong with the pool.

use std::net::IpAddr;

use openelb_ipam::ipam::Status;
use openelb_ipam::pool::OnShrink;
use openelb_ipam::{AddressCount, Family, Ipam, Pool, PoolSpec, Time, Usage};

use super::condition::transition;
use crate::api::{Eip, EipStatus};
use crate::cluster::Condition;
use crate::pool;

/// What is observed of a pool. `used`, `ready` and where the ledger is stay as they are: the record
/// of who has what is another's to write, and 0.6 writes no `ready`.
///
/// - `poolSize`, `firstIP` and `lastIP` count what `spec.address` says without the exclusions, as
///   OpenELB does; a pool of both families starts with its first IPv4 address and ends with its last
///   IPv6 one. Sizes beyond `i64` are `i64::MAX`.
/// - `occupied` is a pool that has nothing to give; OpenELB compared counts, so that one with an
///   address that nobody gets was never occupied.
/// - The condition `Ready` says whether the pool gives addresses; `Invalid`, `Overlap`, `Exhausted`
///   and `Orphaned` are there only while they are true.
///
/// A pool that is healthy and whose numbers are right is left exactly as OpenELB wrote it: conditions
/// and the observed generation come with the first write that is due anyway.
pub fn eip_status(eip: &Eip, ipam: &Ipam, now: Time) -> EipStatus {
    let mut status = eip.status.clone();
    let spec = pool::spec(eip);
    let checked = spec.as_ref().ok();
    let checked = checked.and_then(|spec| Some((spec, Pool::try_from(spec).ok()?)));
    if let Some((_, pool)) = &checked {
        count(&mut status, pool, ipam);
        // What follows a prefix is written by its name, so that a renumbering writes no pool.
        status.first_ip = pool::as_written(&status.first_ip, eip);
        status.last_ip = pool::as_written(&status.last_ip, eip);
    }
    let said = match (&checked, &spec) {
        (Some((spec, pool)), _) => remarks(eip, spec, pool, ipam),
        (None, Err(errors)) => {
            let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
            vec![Remark::blocking("Invalid", "InvalidSpec", texts.join(", "))]
        }
        (None, Ok(_)) => Vec::new(),
    };
    let is_as_found = said.is_empty() && status == eip.status && eip.status.conditions.is_empty();
    if !is_as_found {
        status.conditions = conditions(eip, &said, now);
        status.observed_generation = eip.metadata.generation;
    }
    status
}

/// OpenELB's numbers.
fn count(status: &mut EipStatus, pool: &Pool, ipam: &Ipam) {
    let ranges = pool.ranges();
    let total = |count: &dyn Fn(Family) -> AddressCount| {
        let sum = Family::ALL.into_iter().map(count);
        sum.fold(AddressCount::ZERO, AddressCount::saturating_add)
            .to_i64_clamped()
    };
    let first = ranges.iter().next().map(|range| range.first().to_string());
    let last = ranges.iter().last().map(|range| range.last().to_string());
    let usage = |family| ipam.usage(pool.name(), family).unwrap_or_default();
    status.pool_size = total(&|family| ranges.count(family));
    status.usage = total(&|family| in_use(&usage(family)));
    status.occupied = pool_families(pool).all(|family| usage(family).free.is_zero());
    status.first_ip = first.unwrap_or_default();
    status.last_ip = last.unwrap_or_default();
    status.v4 = !ranges.ranges(Family::V4).is_empty();
}

/// Addresses that Services have, whether the pool still holds them or not.
fn in_use(usage: &Usage) -> AddressCount {
    usage.used.saturating_add(usage.orphaned)
}

fn pool_families(pool: &Pool) -> impl Iterator<Item = Family> {
    let families = Family::ALL.into_iter();
    families.filter(|family| pool.serves(*family))
}

/// Something that is wrong with a pool.
struct Remark {
    /// Type of its condition; `None` when only `Ready` tells of it.
    kind: Option<&'static str>,
    reason: &'static str,
    message: String,
    /// Whether the pool gives nothing because of it.
    is_blocking: bool,
}

impl Remark {
    fn new(kind: &'static str, reason: &'static str, message: String) -> Self {
        Self {
            kind: Some(kind),
            reason,
            message,
            is_blocking: false,
        }
    }

    fn blocking(kind: &'static str, reason: &'static str, message: String) -> Self {
        Self {
            is_blocking: true,
            ..Self::new(kind, reason, message)
        }
    }

    fn off(reason: &'static str, message: &str) -> Self {
        Self {
            kind: None,
            reason,
            message: message.to_owned(),
            is_blocking: true,
        }
    }
}

fn remarks(eip: &Eip, spec: &PoolSpec, pool: &Pool, ipam: &Ipam) -> Vec<Remark> {
    let mut found = Vec::new();
    if eip.metadata.deletion_timestamp.is_some() {
        found.push(Remark::off(
            "Deleting",
            "the Eip is being deleted; its Services move to others",
        ));
    } else if eip.spec.disable {
        found.push(Remark::off(
            "Disabled",
            "gives nothing new; set spec.disable to false",
        ));
    }
    if let Some(elder) = ipam.conflict_of(pool.name()) {
        let message = format!(
            "overlaps Eip {elder}, which is older, and gives nothing new; change one of the two"
        );
        found.push(Remark::blocking("Overlap", "OverlapsOlder", message));
    }
    found.extend(exhausted(pool, ipam));
    found.extend(orphaned(spec, pool, ipam));
    found
}

fn exhausted(pool: &Pool, ipam: &Ipam) -> Option<Remark> {
    let full = pool_families(pool).filter_map(|family| {
        let usage = ipam.usage(pool.name(), family)?;
        let is_full = usage.free.is_zero();
        is_full.then(|| format!("no free {family} address, {} in all", usage.capacity))
    });
    let full: Vec<_> = full.collect();
    let message = format!("{}; add addresses to spec.address", full.join(", "));
    (!full.is_empty()).then(|| Remark::new("Exhausted", "NoFreeAddress", message))
}

fn orphaned(spec: &PoolSpec, pool: &Pool, ipam: &Ipam) -> Option<Remark> {
    let counts = Family::ALL
        .into_iter()
        .filter_map(|family| ipam.usage(&spec.name, family))
        .map(|usage| usage.orphaned);
    let count = counts.fold(AddressCount::ZERO, AddressCount::saturating_add);
    if count.is_zero() || count <= reserved_in_use(pool, ipam) {
        return None;
    }
    let (reason, fate) = match spec.on_shrink {
        OnShrink::Drain => ("Draining", "they move when a replacement can be had"),
        OnShrink::Retain | OnShrink::Reassign => ("Retained", "they stay until released"),
    };
    let message = format!("addresses in use that the pool no longer gives: {count}; {fate}");
    Some(Remark::new("Orphaned", reason, message))
}

/// Addresses in use that `spec.address` lists and that are not given: OpenELB gave the first and the
/// last of a prefix, too, and nobody took them from the pool. A few for each prefix are looked at.
fn reserved_in_use(pool: &Pool, ipam: &Ipam) -> AddressCount {
    let reserved = pool.ranges().difference(pool.universe());
    let addresses = reserved
        .iter()
        .flat_map(|range| (0..).map_while(|ordinal| range.nth(ordinal)));
    let is_held = |address: &IpAddr| matches!(ipam.whois(*address).status, Status::Held { .. });
    let count = addresses.filter(is_held).count();
    AddressCount::from(u64::try_from(count).unwrap_or(u64::MAX))
}

/// All conditions of the Eip: `Ready`, what is wrong, and those that others wrote.
fn conditions(eip: &Eip, said: &[Remark], now: Time) -> Vec<Condition> {
    let present = |kind: &str| {
        let mut conditions = eip.status.conditions.iter();
        conditions.find(|condition| condition.kind == kind)
    };
    let make = |kind: &str, status: &str, reason: &str, message: String| {
        let condition = Condition {
            kind: kind.to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            message,
            observed_generation: eip.metadata.generation,
            last_transition_time: String::new(),
        };
        transition(present(kind), condition, now)
    };
    let ready = match said.iter().find(|remark| remark.is_blocking) {
        Some(remark) => make(READY, "False", remark.reason, remark.message.clone()),
        None => make(READY, "True", "Serving", "gives addresses".to_owned()),
    };
    let wrong = said.iter().filter_map(|remark| {
        let message = remark.message.clone();
        Some(make(remark.kind?, "True", remark.reason, message))
    });
    let foreign = eip.status.conditions.iter();
    let foreign = foreign.filter(|condition| !OURS.contains(&condition.kind.as_str()));
    std::iter::once(ready)
        .chain(wrong)
        .chain(foreign.cloned())
        .collect()
}

const READY: &str = "Ready";

/// The types of conditions that are written here.
const OURS: [&str; 5] = [READY, "Invalid", "Overlap", "Exhausted", "Orphaned"];
