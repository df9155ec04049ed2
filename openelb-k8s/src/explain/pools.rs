//! Every pool, and every question that decides whether it serves a Service.

use openelb_ipam::{
    AddressCount, Explanation as Decision, Family, Owner, Pool, Refusal, Request, Rule,
};
use serde::Serialize;

use super::World;
use crate::api::Eip;
use crate::pool;

/// What a pool answers to a Service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolAnswer {
    /// The pool.
    pub eip: String,
    /// The first question that it answers with no; absent when it could serve the Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused_by: Option<&'static str>,
    /// The questions in the order in which they count.
    pub checks: Vec<Check>,
}

/// One question to a pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// One word for the question.
    pub name: &'static str,
    /// Whether the answer is yes.
    pub is_met: bool,
    /// The fact that makes the answer.
    pub fact: String,
}

/// The answers of all pools, in the order of their names.
pub(super) fn answers(
    owner: &Owner,
    request: &Request,
    decision: &Decision,
    world: &World<'_>,
) -> Vec<PoolAnswer> {
    let mut answers: Vec<_> = world
        .eips
        .iter()
        .map(|eip| answer(eip, owner, request, decision, world))
        .collect();
    answers.sort_by(|a, b| a.eip.cmp(&b.eip));
    answers
}

fn answer(
    eip: &Eip,
    owner: &Owner,
    request: &Request,
    decision: &Decision,
    world: &World<'_>,
) -> PoolAnswer {
    let name = &eip.metadata.name;
    let spec = pool::spec(eip);
    let mut checks = vec![valid(&spec)];
    let checked = spec.ok().and_then(|spec| Pool::try_from(&spec).ok());
    if let Some(pool) = checked {
        checks.push(open(eip));
        checks.push(alone(name, world));
        let ask = Ask {
            owner,
            request,
            pool: &pool,
            world,
        };
        checks.extend(ask.named());
        checks.extend(ask.pinned());
        checks.extend(ask.admitted());
        checks.extend(ask.families());
    }
    let refusals = decision.refusals.iter();
    let refusals = refusals.filter(|refusal| refusal.pool.as_deref() == Some(name));
    checks.extend(refusals.filter_map(refused));
    let first = checks.iter().find(|check| !check.is_met);
    PoolAnswer {
        eip: name.clone(),
        refused_by: first.map(|check| check.name),
        checks,
    }
}

fn check(name: &'static str, is_met: bool, fact: impl Into<String>) -> Check {
    let fact = fact.into();
    Check { name, is_met, fact }
}

fn valid(spec: &Result<openelb_ipam::PoolSpec, Vec<pool::EipError>>) -> Check {
    match spec {
        Ok(spec) => check("valid", true, spec.ranges.join(",")),
        Err(errors) => {
            let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
            check("valid", false, texts.join(", "))
        }
    }
}

fn open(eip: &Eip) -> Check {
    let is_deleting = eip.metadata.deletion_timestamp.is_some();
    let fact = match (is_deleting, eip.spec.disable) {
        (true, _) => "it is being deleted",
        (_, true) => "spec.disable is true",
        _ => "gives addresses",
    };
    check("open", !is_deleting && !eip.spec.disable, fact)
}

fn alone(name: &str, world: &World<'_>) -> Check {
    match world.ipam.conflict_of(name) {
        Some(elder) => check(
            "alone",
            false,
            format!("overlaps Eip {elder}, which is older"),
        ),
        None => check("alone", true, "overlaps no older Eip"),
    }
}

/// A request before one pool.
struct Ask<'a> {
    owner: &'a Owner,
    request: &'a Request,
    pool: &'a Pool,
    world: &'a World<'a>,
}

impl Ask<'_> {
    /// Whether the Service means this pool, or leaves the choice.
    fn named(&self) -> Option<Check> {
        let named = self.request.pool.as_ref()?;
        let fact = format!("the Service names Eip {named}");
        Some(check("named", named == self.pool.name(), fact))
    }

    /// Whether the pool holds the addresses that the Service asks for.
    fn pinned(&self) -> Option<Check> {
        let asked = &self.request.addresses;
        if asked.is_empty() {
            return None;
        }
        let held = asked.iter().filter(|it| self.pool.ranges().contains(**it));
        let held: Vec<_> = held.map(ToString::to_string).collect();
        let fact = if held.is_empty() {
            "it holds no address that the Service asks for".to_owned()
        } else {
            format!("it holds {}", held.join(" and "))
        };
        Some(check("holds", !held.is_empty(), fact))
    }

    /// Whether the pool is for this Service. Who names it, or an address of it, is served anyway.
    fn admitted(&self) -> Vec<Check> {
        let spec = self.pool.spec();
        let is_explicit = self.request.pool.is_some() || !self.request.addresses.is_empty();
        if is_explicit && spec.serve_explicit {
            return vec![check(
                "bound",
                true,
                "serves every Service that asks for it",
            )];
        }
        let namespace = self.owner.key.namespace();
        let admits = self
            .pool
            .admits_namespace(namespace, &self.request.namespace_labels);
        let labels = &self.request.service_labels;
        let automatic = match (spec.auto_assign, spec.is_default) {
            (true, true) => "the default Eip",
            (true, false) if self.pool.is_bound() => "is bound to some",
            (true, false) => "spec.autoAssign is true",
            (false, _) => "serves only Services that name it: it is neither bound nor the default",
        };
        vec![
            check("automatic", spec.auto_assign, automatic),
            check("namespace", admits, bound(admits, "namespace", namespace)),
            check(
                "service",
                self.pool.admits_service(labels),
                bound(
                    self.pool.admits_service(labels),
                    "Service",
                    self.owner.key.name(),
                ),
            ),
        ]
    }

    /// Whether it has addresses of a family that is wanted, and free ones.
    fn families(&self) -> Vec<Check> {
        let wanted = self.request.wanted();
        let families = wanted.into_iter().flat_map(|wanted| wanted.order());
        families.flat_map(|family| self.room(family)).collect()
    }

    fn room(&self, family: Family) -> Vec<Check> {
        let (has, is_free) = match family {
            Family::V4 => ("ipv4", "ipv4-free"),
            Family::V6 => ("ipv6", "ipv6-free"),
        };
        if !self.pool.serves(family) {
            return vec![check(has, false, format!("has no {family} range"))];
        }
        let usage = self.world.ipam.usage(self.pool.name(), family);
        let free = usage.map_or(AddressCount::ZERO, |usage| usage.free);
        let fact = usage.map_or_else(
            || "unknown to the ledger".to_owned(),
            |usage| format!("{} free of {}", usage.free, usage.capacity),
        );
        vec![
            check(has, true, format!("has {family} addresses")),
            check(is_free, !free.is_zero(), fact),
        ]
    }
}

fn bound(admits: bool, what: &str, name: &str) -> String {
    let open = if admits { "open" } else { "not bound" };
    format!("{open} to {what} {name}")
}

/// What the ledger refused for reasons that only it knows: who else has an address, quotas, rests.
fn refused(refusal: &Refusal) -> Option<Check> {
    let name = match &refusal.rule {
        Rule::Quota { .. } => "quota",
        Rule::Reserved(_) => "reserved",
        Rule::InUse { .. } | Rule::HeldForReservation { .. } => "in-use",
        Rule::NotShareable { .. } => "sharing",
        Rule::Cooling { .. } => "cooling",
        Rule::Quarantined { .. } => "conflict",
        _ => return None,
    };
    Some(check(name, false, refusal.rule.to_string()))
}
