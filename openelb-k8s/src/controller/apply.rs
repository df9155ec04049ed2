//! What a Service is to look like: finalizer, label, ingress, condition.

use openelb_ipam::Time;

use super::holder::{Holder, Stance, has_finalizer, version};
use super::key::Key;
use super::{Kind, Machine, ObjectRef, Occurrence, Output, ServiceApply};
use crate::cluster::{Condition, Ingress, Service};
use crate::names;
use crate::wish::{self, Decision, Severity, is_marked};

impl Machine {
    /// What the Service is to look like, given that all it is to have is recorded.
    pub(super) fn desired(&self, key: &Key, service: &Service, now: Time) -> ServiceApply {
        let mut apply = ServiceApply {
            uid: service.metadata.uid.clone().unwrap_or_default(),
            resource_version: version(service).to_owned(),
            ..ServiceApply::default()
        };
        let Some(holder) = self.holders.get(key) else {
            return apply;
        };
        if holder.grants.is_empty() {
            // The marks stay until the records are gone: a Service without them can be replaced
            // by another one of its name.
            let is_recorded = !holder.records.is_empty();
            apply.finalizer = is_recorded && has_finalizer(service);
            let label = label_of(service).filter(|_| is_recorded);
            apply.label = label.map(str::to_owned);
            apply.ingress = (is_cleared(holder, service)).then(Vec::new);
        } else {
            let addresses = holder
                .grants
                .iter()
                .map(|grant| self.projected(grant.address));
            let addresses: Vec<_> = addresses.flatten().collect();
            let ingress = wish::ingress(service, &addresses, self.settings.is_mode_known);
            // The label names one pool: that of the address which is listed first.
            let first = ingress.first().map(|entry| &entry.ip);
            let mut grants = holder.grants.iter();
            let first = grants.find(|grant| {
                let shown = self.projected(grant.address).into_iter();
                first.is_none_or(|first| shown.map(|it| it.to_string()).any(|it| it == *first))
            });
            apply.finalizer = true;
            apply.label = first.map(|grant| grant.pool.to_string());
            apply.ingress = Some(ingress);
        }
        apply.condition = if holder.stance == Stance::Leaving {
            None
        } else {
            let has_address = !holder.grants.is_empty();
            wish::condition(service, holder.trouble.as_ref(), has_address, now)
        };
        let is_releasing = condition_of(service).filter(|it| it.reason == RELEASING);
        if let Some(releasing) = is_releasing.filter(|_| is_owing(holder)) {
            apply.condition = Some(releasing.clone());
        }
        apply
    }

    /// A change of the Service that changes nothing else: whoever read it before can no longer
    /// write to it.
    pub(super) fn bump(&mut self, key: &Key, mut apply: ServiceApply, now: Time) -> ServiceApply {
        let Some(holder) = self.holders.get_mut(key) else {
            return apply;
        };
        holder.bumps += 1;
        let owed = holder
            .records
            .iter()
            .filter(|(address, _)| !holder.is_granted(*address));
        let owed: Vec<_> = owed
            .map(|(address, _)| self.prefixes.key_of(*address))
            .collect();
        let status = if holder.grants.is_empty() {
            "False"
        } else {
            "True"
        };
        apply.condition = Some(Condition {
            kind: names::ADDRESS_ASSIGNED_CONDITION.to_owned(),
            status: status.to_owned(),
            reason: RELEASING.to_owned(),
            message: format!(
                "gives back {} ({} at {now})",
                owed.join(" and "),
                holder.bumps
            ),
            observed_generation: None,
            last_transition_time: now.to_string(),
        });
        apply
    }

    /// Tells the user what stands in the way, once.
    pub(super) fn tell_trouble(&mut self, key: &Key) {
        let Some(holder) = self.holders.get_mut(key) else {
            return;
        };
        if holder.told == holder.trouble {
            return;
        }
        holder.told.clone_from(&holder.trouble);
        let (Some(refusal), Some(service)) = (&holder.told, holder.service.as_deref()) else {
            return;
        };
        let is_written = condition_of(service).is_some_and(|condition| {
            condition.reason == refusal.reason.as_str() && condition.message == refusal.message
        });
        if !is_written {
            let refusal = refusal.clone();
            self.tell(key, Decision::Refused(&refusal));
        }
    }

    /// Makes an Event of a decision about a Service.
    pub(super) fn tell(&mut self, key: &Key, decision: Decision<'_>) {
        let event = wish::event(decision);
        let service = self
            .holders
            .get(key)
            .and_then(|holder| holder.service.as_ref());
        let uid = service.and_then(|service| service.metadata.uid.clone());
        self.outputs.push_back(Output::Happened(Occurrence {
            about: ObjectRef {
                kind: Kind::Service,
                namespace: key.namespace().to_owned(),
                name: key.name().to_owned(),
                uid: uid.unwrap_or_default(),
            },
            is_warning: event.severity == Severity::Warning,
            reason: event.reason,
            action: event.action,
            note: event.note,
        }));
    }
}

/// Whether a Service without an address is to show none: what others wrote is not ours to clear.
fn is_cleared(holder: &Holder, service: &Service) -> bool {
    let is_empty = service.status.load_balancer.ingress.is_empty();
    let shown = holder.shown();
    let is_ours = is_marked(service) || shown.iter().any(|address| holder.is_recorded(*address));
    !is_empty && is_ours
}

/// Whether a record is still to go.
fn is_owing(holder: &Holder) -> bool {
    let mut records = holder.records.iter();
    records.any(|(address, _)| !holder.is_granted(*address))
}

pub(super) fn label_of(service: &Service) -> Option<&str> {
    service.metadata.labels.get(names::POOL_LABEL)
}

pub(super) fn condition_of(service: &Service) -> Option<&Condition> {
    let mut conditions = service.status.conditions.iter();
    conditions.find(|it| it.kind == names::ADDRESS_ASSIGNED_CONDITION)
}

/// Leaves a condition as it is when it has the reason that it is to have.
pub(super) fn accept(present: Option<&Condition>, wanted: &mut Option<Condition>) {
    if let (Some(present), Some(wanted)) = (present, wanted)
        && present.status == wanted.status
        && present.reason == wanted.reason
    {
        wanted.clone_from(present);
    }
}

/// Whether two conditions say the same; the generation that they were made from does not matter.
pub(super) fn says_the_same(one: Option<&Condition>, other: Option<&Condition>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => {
            one.status == other.status && one.reason == other.reason && one.message == other.message
        }
        _ => false,
    }
}

/// Whether a Service is not yet what it is to be.
pub(super) fn is_due(service: &Service, wanted: &ServiceApply) -> bool {
    let present: Vec<String> = service.shown().map(|it| it.to_string()).collect();
    let entries = service.status.load_balancer.ingress.len();
    let is_other = |ingress: &Vec<Ingress>| {
        entries != ingress.len() || !present.iter().eq(ingress.iter().map(|entry| &entry.ip))
    };
    has_finalizer(service) != wanted.finalizer
        || label_of(service) != wanted.label.as_deref()
        || wanted.ingress.as_ref().is_some_and(is_other)
        || !says_the_same(condition_of(service), wanted.condition.as_ref())
}

/// Reason of the condition while a record is removed that the status never showed.
const RELEASING: &str = "Releasing";
