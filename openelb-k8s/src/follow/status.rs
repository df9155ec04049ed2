//! The status of a `DynamicPrefix`: what its machine decided, and what is said about it.

use openelb_ipam::Time;
use openelb_ipam::dynamic_prefix::{Explanation, Generation, Tentative};
use openelb_ipam::relative::Overlap;

use crate::api::{
    Condition, DynamicPrefix, DynamicPrefixStatus, PrefixGeneration, PrefixObservation,
    TentativePrefix,
};
use crate::problem::Problem;

/// The status that an object is to have. `observations` is who sees what; `overlap` says that another
/// object has a prefix of this one.
pub fn status(
    object: &DynamicPrefix,
    explained: &Explanation,
    observations: Vec<PrefixObservation>,
    overlap: Option<&Overlap>,
    now: Time,
) -> DynamicPrefixStatus {
    let generations = &explained.generations;
    let is_taken = |held: &Generation| overlap.is_some_and(|it| it.prefix == held.prefix);
    let conflict = overlap.map(|overlap| ("True", CONFLICT, overlap.to_string()));
    let ready = match (&generations.preferred, overlap) {
        (None, _) => ("False", "NoPrefix", waiting(explained)),
        (Some(held), Some(overlap)) if is_taken(held) => ("False", CONFLICT, overlap.to_string()),
        (Some(held), _) => ("True", "PrefixKnown", format!("{} is in use", held.prefix)),
    };
    let degraded = conflict.unwrap_or_else(|| match &explained.degraded {
        Some(why) => ("True", "SourceLost", why.clone()),
        None => ("False", "SourceSpeaks", String::new()),
    });
    let condition = |kind, said| condition(object, kind, said, now);
    DynamicPrefixStatus {
        observed_generation: object.metadata.generation,
        preferred: generations.preferred.as_ref().map(shown),
        deprecated: generations.deprecated.iter().map(shown).collect(),
        tentative: explained.tentative.as_ref().map(tentative),
        observations,
        renumbered: explained.renumbered,
        conditions: vec![condition("Ready", ready), condition("Degraded", degraded)],
    }
}

/// Whether a status says the same as another, but for lifetimes that sources renew all the time: they
/// are written with the next change.
pub fn is_same(one: &DynamicPrefixStatus, other: &DynamicPrefixStatus) -> bool {
    let plain = |status: &DynamicPrefixStatus| {
        let mut plain = status.clone();
        for seen in &mut plain.observations {
            (seen.preferred_until, seen.valid_until) = (None, None);
        }
        plain
    };
    plain(one) == plain(other)
}

/// Whether a status says of an overlap what there is to say.
pub(super) fn tells_of(status: &DynamicPrefixStatus, overlap: &Overlap) -> bool {
    let text = overlap.to_string();
    let mut told = status.conditions.iter();
    told.any(|it| it.reason == CONFLICT && it.message == text)
}

/// Says of an object that it cannot be meant.
pub(super) fn refuse(status: &mut DynamicPrefixStatus, problem: &Problem) {
    if let Some(ready) = status.conditions.iter_mut().find(|it| it.kind == "Ready") {
        "InvalidSpec".clone_into(&mut ready.reason);
        ready.message = problem.to_string();
    }
}

/// Adds a remark about an object that is used all the same.
pub(super) fn warn(status: &mut DynamicPrefixStatus, problem: &Problem) {
    if let Some(ready) = status.conditions.iter_mut().find(|it| it.kind == "Ready") {
        ready.message = format!("{}; {problem}", ready.message);
    }
}

fn waiting(explained: &Explanation) -> String {
    if let Some(next) = &explained.tentative {
        return format!("{} will be in use at {}", next.prefix, next.due);
    }
    let refused = explained.sightings.first().map(ToString::to_string);
    let failing = explained.failing.first();
    let failing = failing.map(|(source, why)| format!("source {source} fails: {why}"));
    let known = refused.or(failing);
    known.unwrap_or_else(|| "no source tells of a prefix; look at spec.sources".to_owned())
}

fn shown(held: &Generation) -> PrefixGeneration {
    PrefixGeneration {
        prefix: held.prefix.to_string(),
        delegated: held.delegated.to_string(),
        since: precise(held.since),
        valid_until: held.valid_until.map(precise),
        until: held.until.map(precise),
        source: u32::try_from(held.source).unwrap_or(u32::MAX),
        origin: held.origin.clone(),
    }
}

fn tentative(next: &Tentative) -> TentativePrefix {
    TentativePrefix {
        prefix: next.prefix.to_string(),
        delegated: next.delegated.to_string(),
        since: precise(next.since),
        source: u32::try_from(next.source).unwrap_or(u32::MAX),
        origin: next.origin.clone(),
    }
}

/// With the milliseconds: who reads it back must not end a grace early.
fn precise(time: Time) -> String {
    let millis = i64::try_from(time.0).unwrap_or(i64::MAX);
    let moment = jiff::Timestamp::from_millisecond(millis);
    moment.map_or_else(|_| time.to_string(), |moment| moment.to_string())
}

/// A condition that has changed only when its status did.
fn condition(
    object: &DynamicPrefix,
    kind: &str,
    (status, reason, message): (&str, &str, String),
    now: Time,
) -> Condition {
    let present = object.status.conditions.iter();
    let present = present.filter(|it| it.kind == kind && it.status == status);
    let since = present.map(|it| it.last_transition_time.clone()).next();
    Condition {
        kind: kind.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message,
        observed_generation: object.metadata.generation,
        last_transition_time: since.unwrap_or_else(|| now.to_string()),
    }
}

/// Another object has the prefix: reason of conditions and of the Event.
pub(super) const CONFLICT: &str = "PrefixConflict";
