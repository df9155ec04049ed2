//! The condition of a Service: there only while something is wrong with its address.

use openelb_ipam::Time;

use super::Refusal;
use crate::cluster::{Condition, Service};
use crate::names;

/// The condition `openelb.io/AddressAssigned`, or `None` when all is as asked for.
///
/// `True` is a Service that has an address of this project although not the one, or not all, that it
/// asks for; `False` is one that has none. A Service that is served as it asks has no condition, so
/// that taking over an installation writes nothing. While the status stays the same, so does the time
/// of its last transition: the same trouble makes the same condition, byte for byte.
pub fn condition(
    service: &Service,
    trouble: Option<&Refusal>,
    has_address: bool,
    now: Time,
) -> Option<Condition> {
    let trouble = trouble?;
    let mut present = service.status.conditions.iter();
    let present = present.find(|condition| condition.kind == names::ADDRESS_ASSIGNED_CONDITION);
    Some(transition(
        present,
        Condition {
            kind: names::ADDRESS_ASSIGNED_CONDITION.to_owned(),
            status: if has_address { "True" } else { "False" }.to_owned(),
            reason: trouble.reason.to_string(),
            message: trouble.message.clone(),
            observed_generation: service.metadata.generation,
            last_transition_time: String::new(),
        },
        now,
    ))
}

/// Gives a condition the time since when its status is what it is.
pub(super) fn transition(
    present: Option<&Condition>,
    mut condition: Condition,
    now: Time,
) -> Condition {
    let since = present
        .filter(|present| present.status == condition.status)
        .filter(|present| !present.last_transition_time.is_empty());
    condition.last_transition_time = match since {
        Some(present) => present.last_transition_time.clone(),
        None => now.to_string(),
    };
    condition
}
