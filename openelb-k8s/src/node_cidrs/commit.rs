//! Writing the records: one write of the `PodNetwork` for all that is to change.

use std::sync::Arc;

use jiff::Timestamp;
use openelb_ipam::Time;

use super::ledger::{Decided, Flight, Ledger};
use super::output::list;
use super::{About, Change, Machine, Object, Occurrence, Outcome, Output, Subject, WriteId};
use crate::api::{Condition, PodNetworkStatus};

impl Machine {
    /// Writes the status if it is to be another one; reads the object if what is known of it is old.
    pub(super) fn commit(&mut self, now: Time) {
        if !self.may(&Subject::Ledger, now) {
            return;
        }
        let Some(ledger) = &self.ledger else { return };
        if ledger.retry.is_stale {
            let id = self.issue(Subject::Ledger, Change::ReadNetwork);
            return self.note_flight(id, None);
        }
        let decided = ledger.decide(&self.members);
        let status = status(ledger, &decided, now);
        let is_same = status == ledger.network.status;
        let version = ledger.network.metadata.resource_version.clone();
        self.tell(&decided);
        let (false, Some(resource_version)) = (is_same, version) else {
            return;
        };
        let status = Box::new(status);
        let what = Change::Status {
            resource_version,
            status: status.clone(),
        };
        let id = self.issue(Subject::Ledger, what);
        self.note_flight(id, Some(status));
    }

    fn note_flight(&mut self, id: WriteId, status: Option<Box<PodNetworkStatus>>) {
        if let Some(ledger) = &mut self.ledger {
            ledger.flight = Some(Flight { id, status });
        }
    }

    pub(super) fn ledger_answered(&mut self, id: WriteId, outcome: Outcome, now: Time) {
        let Some(ledger) = &mut self.ledger else {
            return;
        };
        let Some(flight) = ledger.flight.take_if(|flight| flight.id == id) else {
            return;
        };
        let until = match (flight.status, outcome) {
            (Some(status), Outcome::Done { resource_version }) => {
                ledger.retry.succeed();
                let mut network = ledger.network.clone();
                network.metadata.resource_version = Some(resource_version);
                network.status = *status;
                // The watch may have shown this version, or a later one, before the answer came.
                Ledger::see(&mut self.ledger, network);
                return;
            }
            (None, Outcome::Found(Object::Network(network))) => {
                ledger.retry.succeed();
                Ledger::see(&mut self.ledger, *network);
                return;
            }
            (None, Outcome::NotFound) => {
                self.ledger = None;
                return;
            }
            (Some(_), _) => ledger.retry.go_stale(self.seed, now),
            (None, _) => ledger.retry.fail(self.seed, now),
        };
        self.timers.insert((until, Subject::Ledger));
    }

    /// Says what people should hear of.
    fn tell(&mut self, decided: &Decided) {
        for clash in &decided.clashes {
            let note = format!(
                "{} overlaps {} of node {}; give one of them another, which needs the node anew",
                clash.cidr, clash.others, clash.other
            );
            self.warn(&Arc::from(clash.node.as_str()), "PodCIDRConflict", &note);
        }
        for (name, cidr) in &decided.outside {
            let note = format!("{cidr} is outside `spec.ranges` of the PodNetwork; add its range");
            self.warn(name, "PodCIDROutside", &note);
        }
        for (name, why) in &decided.unreadable {
            self.warn(name, "PodCIDRInvalid", why);
        }
        let network = Arc::from(NETWORK);
        let Some(exhausted) = decided.exhausted else {
            self.told.remove(&network);
            return;
        };
        let text = format!("{exhausted}: node {} waits", names(&decided.waiting));
        if self.told.get(&network) == Some(&text) {
            return;
        }
        self.told.insert(network, text.clone());
        let uid = self.ledger.as_ref();
        let uid = uid.and_then(|ledger| ledger.network.metadata.uid.clone());
        self.outputs.push_back(Output::Happened(Occurrence {
            about: About::Network,
            uid: uid.unwrap_or_default(),
            is_warning: true,
            reason: "PodCIDRsExhausted",
            note: text,
        }));
    }
}

/// The status of an object after what was decided.
fn status(ledger: &Ledger, decided: &Decided, now: Time) -> PodNetworkStatus {
    let before = &ledger.network.status;
    let generation = ledger.network.metadata.generation;
    let uids = decided.uids.iter();
    let found = [accepted(ledger), ready(ledger, decided)];
    PodNetworkStatus {
        used: ledger.written(decided),
        uids: uids
            .map(|(name, uid)| (name.to_string(), uid.clone()))
            .collect(),
        observed_generation: generation,
        conditions: found
            .map(|it| continued(it, before, generation, now))
            .into(),
    }
}

fn accepted(ledger: &Ledger) -> Condition {
    let problem = ledger.problems.first();
    let texts = ledger.problems.iter().take(MOST_WORDS);
    let texts: Vec<_> = texts
        .map(|it| format!("{}: {}; {}", it.key, it.message, it.next))
        .collect();
    let reason = problem.map_or("Accepted", |problem| problem.reason.as_str());
    condition("Accepted", ledger.plan.is_some(), reason, texts.join(". "))
}

fn ready(ledger: &Ledger, decided: &Decided) -> Condition {
    let say = |is_ready, reason: &str, text: String| condition("Ready", is_ready, reason, text);
    if ledger.plan.is_none() {
        return say(
            false,
            "NotAccepted",
            "the specification cannot be used".to_owned(),
        );
    }
    if let Some(clash) = decided.clashes.first() {
        let text = format!(
            "{} of node {} overlaps {} of node {}, the first of {} such pairs",
            clash.cidr,
            clash.node,
            clash.others,
            clash.other,
            decided.clashes.len()
        );
        return say(false, "Conflict", text);
    }
    if let Some(exhausted) = decided.exhausted {
        let text = format!("{exhausted}: node {} waits", names(&decided.waiting));
        return say(false, "Exhausted", text);
    }
    if let Some((name, why)) = decided.unreadable.first() {
        return say(false, "Invalid", format!("node {name}, {why}"));
    }
    if let Some((name, cidr)) = decided.outside.first() {
        let cidr = list(&[*cidr]);
        let text = format!("{cidr} of node {name} is outside `spec.ranges`; add its range");
        return say(false, "OutsideRanges", text);
    }
    say(true, "Complete", String::new())
}

fn condition(kind: &str, holds: bool, reason: &str, message: String) -> Condition {
    Condition {
        kind: kind.to_owned(),
        status: if holds { "True" } else { "False" }.to_owned(),
        reason: reason.to_owned(),
        message,
        ..Condition::default()
    }
}

/// With the time at which its status changed last.
fn continued(
    mut found: Condition,
    before: &PodNetworkStatus,
    generation: Option<i64>,
    now: Time,
) -> Condition {
    let same = |it: &&Condition| it.kind == found.kind && it.status == found.status;
    let since = before.conditions.iter().find(same);
    let since = since.map(|it| it.last_transition_time.clone());
    found.last_transition_time = since.unwrap_or_else(|| seconds(now));
    found.observed_generation = generation;
    found
}

/// RFC 3339 in whole seconds, as Kubernetes writes times.
fn seconds(now: Time) -> String {
    let seconds = i64::try_from(now.0 / 1_000).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds)
        .unwrap_or_default()
        .to_string()
}

/// Names for people: some, and how many more.
fn names(all: &[Arc<str>]) -> String {
    let some: Vec<&str> = all.iter().take(MOST_WORDS).map(|name| &**name).collect();
    match all.len().saturating_sub(MOST_WORDS) {
        0 => some.join(", "),
        more => format!("{} and {more} more", some.join(", ")),
    }
}

/// Longer lists say no more.
const MOST_WORDS: usize = 3;

/// No node has a name with a slash.
const NETWORK: &str = "PodNetwork/default";
