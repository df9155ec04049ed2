//! Why a Service does not have what it asks for, with the nearest change that would help.

use std::fmt::Display;
use std::net::IpAddr;

use openelb_ipam::ipam::{AllocateError, Explanation, Rule};
use openelb_ipam::{Family, Hint, PoolName};
use thiserror::Error;

use super::ReasonWord;
use crate::names;

/// What stands in the way of a Service: a word for programs and a sentence for people, which ends
/// with what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{reason}: {message}")]
pub struct Refusal {
    /// The word.
    pub reason: ReasonWord,
    /// What is the matter; after the last `; ` what would help.
    pub message: String,
}

impl Refusal {
    /// A refusal in these words.
    pub fn new(reason: ReasonWord, message: impl Display) -> Self {
        let message = message.to_string();
        Self { reason, message }
    }

    /// What would help.
    pub fn next_step(&self) -> &str {
        let parts = self.message.rsplit_once("; ");
        parts.map_or(self.message.as_str(), |(_, next)| next)
    }

    /// The Service has one of the two families that it prefers to have. `None` when it has all.
    pub fn missing(explanation: &Explanation) -> Option<Self> {
        let family = explanation.missing?;
        let nearest = explanation
            .refusals
            .iter()
            .filter_map(|refusal| Some((lack(&refusal.rule, family)?, refusal)))
            .min_by_key(|(reason, _)| *reason != ReasonWord::PoolExhausted);
        let reason = nearest.map_or(ReasonWord::FamilyUnavailable, |(reason, _)| reason);
        let fact = nearest.map_or_else(
            || format!("no Eip that serves the Service has {family} addresses"),
            |(_, refusal)| in_words(refusal),
        );
        let message = format!(
            "has no {family} address yet: {fact}; add {family} addresses to an Eip that serves \
             the Service, and it will get one"
        );
        Some(Self { reason, message })
    }

    /// The pool was edited, and the Service keeps addresses that are no longer in it.
    pub fn orphaned(addresses: &[IpAddr]) -> Self {
        let list = list(addresses);
        let message = format!(
            "keeps {list}, which its Eip no longer holds; put it back, or ask for another address"
        );
        Self::new(ReasonWord::AddressOrphaned, message)
    }

    /// The status of the Service holds addresses that are of no pool. They are left alone.
    pub fn foreign(addresses: &[IpAddr]) -> Self {
        let list = list(addresses);
        let message = format!(
            "the status holds {list}, which no Eip holds and this controller did not write; \
             remove it from the status, or give the Service to the controller that wrote it by \
             spec.loadBalancerClass"
        );
        Self::new(ReasonWord::ForeignAddress, message)
    }

    /// The same, with those addresses of full pools that Services show which are not served here:
    /// each with its pool and who shows it.
    #[must_use]
    pub(crate) fn beside_strangers(
        self,
        error: &AllocateError,
        strangers: impl Iterator<Item = (PoolName, IpAddr, String)>,
    ) -> Self {
        let full = error.refusals().iter();
        let full = full.filter(|it| matches!(it.rule, Rule::Exhausted { .. }));
        let full: Vec<&PoolName> = full.filter_map(|it| it.pool.as_ref()).collect();
        if full.is_empty() {
            return self;
        }
        let shown = strangers.filter(|(pool, ..)| full.contains(&pool));
        let mut texts: Vec<_> = shown.map(|(_, at, by)| format!("{at} in {by}")).collect();
        let Some((facts, next)) = self.message.rsplit_once("; ").filter(|_| !texts.is_empty())
        else {
            return self;
        };
        if let Some(more) = texts.len().checked_sub(MOST_FACTS).filter(|n| *n > 0) {
            texts.truncate(MOST_FACTS);
            texts.push(format!("{more} more"));
        }
        let texts = texts.join(", ");
        let message = format!(
            "{facts}, some by the status of Services that are not served here: {texts}; {next}"
        );
        Self { message, ..self }
    }

    /// It is to share an address with a Service that has it beside others who do not agree.
    pub(crate) fn contested(address: IpAddr, service: impl Display) -> Self {
        let message = format!(
            "waits for {address}, which {service} has against the rules of sharing; give \
             {service} an address of its own, or ask for another one"
        );
        Self::new(ReasonWord::SharingRefused, message)
    }

    /// The status holds an address that its pool cannot record, because another pool has some of what it
    /// lists.
    pub(crate) fn unrecordable(address: &str, pool: &PoolName) -> Self {
        let message = format!(
            "shows {address}, which Eip {pool} does not record while it overlaps another Eip; take out \
             of spec.address of the younger one what the older has"
        );
        Self::new(ReasonWord::NoMatchingPool, message)
    }

    /// Another station on the link has an address of the Service, which keeps it: because it `stays`
    /// whatever happens, or because there is no other one.
    pub(crate) fn on_wire(address: &str, cause: &str, stays: bool) -> Self {
        let next = if stays {
            "take it from that station, or ask for another address, or for none"
        } else {
            "take it from that station, or add addresses to the Eip, and the Service will get another"
        };
        let message = format!(
            "keeps {address}, which nobody announces because it is in use on the link: {cause}; {next}"
        );
        Self::new(ReasonWord::AddressConflictOnWire, message)
    }

    /// Another station on the link has an address of the Service, which gets another one.
    pub(crate) fn left(address: &str, cause: &str) -> Self {
        let message = format!(
            "leaves {address}, which is in use on the link: {cause}; find that station, and exclude \
             the address from the Eip if it may have it"
        );
        Self::new(ReasonWord::AddressConflictOnWire, message)
    }

    /// Somebody else owns the field of the status that has to be written.
    pub fn conflict(manager: &str) -> Self {
        let message = format!(
            "{manager:?} writes the status of the Service, too; make it anew with a \
             spec.loadBalancerClass, so that one load balancer serves it"
        );
        Self::new(ReasonWord::StatusConflict, message)
    }
}

impl From<&AllocateError> for Refusal {
    /// What the ledger said, in the words of the objects that its user can edit.
    fn from(error: &AllocateError) -> Self {
        // The word tells sharers apart from strangers: the change that helps differs.
        let refusals = error.refusals();
        let stranger = refusals.iter().find_map(|it| shown_by(&it.rule));
        let reason = match error.hint() {
            Hint::Share if stranger.is_none() => ReasonWord::SharingRefused,
            _ => error.reason().into(),
        };
        let mut facts: Vec<_> = refusals.iter().take(MOST_FACTS).map(in_words).collect();
        if let Some(more) = refusals.len().checked_sub(MOST_FACTS).filter(|n| *n > 0) {
            facts.push(format!("{more} more Eips do not serve it either"));
        }
        if facts.is_empty() {
            facts.push("there is no Eip".to_owned());
        }
        let next = stranger.map_or_else(
            || next(error.hint()),
            |(address, service)| {
                format!("take {address} out of the status of {service}, or ask for another address")
            },
        );
        let message = format!("{}; {next}", facts.join(", "));
        Self { reason, message }
    }
}

/// What one pool answered.
pub(crate) fn in_words(refusal: &openelb_ipam::Refusal) -> String {
    let rule = match shown_by(&refusal.rule) {
        Some((address, service)) => format!(
            "does not give {address}, which the status of {service} shows, a Service that is not \
             served here"
        ),
        None => refusal.rule.to_string(),
    };
    match &refusal.pool {
        Some(pool) => format!("Eip {pool} {rule}"),
        None => rule,
    }
}

/// The address that is refused because a Service shows it that wants none from here, and the Service.
fn shown_by(rule: &Rule) -> Option<(IpAddr, &str)> {
    match rule {
        Rule::InUse { address, holder }
        | Rule::NotShareable {
            address, holder, ..
        } => {
            let is_stranger = holder.kind() == names::STRANGER_OWNER_KIND;
            is_stranger.then(|| (*address, holder.name()))
        }
        _ => None,
    }
}

/// The nearest change, in the words of the objects.
pub(crate) fn next(hint: &Hint) -> String {
    match hint {
        Hint::CorrectRequest => "correct the annotations of the Service".to_owned(),
        Hint::AddPool => {
            let mark = names::DEFAULT_EIP_ANNOTATION;
            format!("create an Eip, and annotate it with {mark}: \"true\"")
        }
        Hint::AddFamily { pool, family } => {
            format!("add {family} addresses to spec.address of Eip {pool}")
        }
        Hint::Enlarge { pool, .. } => {
            format!("add addresses to spec.address of Eip {pool}, or delete a Service that has one")
        }
        Hint::RaiseQuota(pool) => {
            format!("raise spec.quota.perNamespace of Eip {pool}, or delete a Service")
        }
        Hint::Enable(pool) => format!("set spec.disable of Eip {pool} to false"),
        Hint::RemoveOverlap(pool) => {
            format!("take out of spec.address of Eip {pool} what the older Eip has")
        }
        Hint::NamePool(pool) => {
            let key = names::POOL_ANNOTATION;
            format!("annotate the Service with {key}: {pool}, or set spec.autoAssign of Eip {pool}")
        }
        Hint::Bind(pool) => {
            format!(
                "add the namespace to spec.namespaces of Eip {pool}, or make an Eip the default"
            )
        }
        Hint::PinAnother => "ask for another address, or for none".to_owned(),
        Hint::Wait(until) => format!("wait until {until}, or ask for another address"),
        Hint::Share => {
            let key = names::SHARING_ANNOTATION;
            format!(
                "annotate both Services with the same {key} and give them different ports, or ask \
                 for another address"
            )
        }
        other => other.to_string(),
    }
}

/// What a rule says about a family that is missing; `None` when it speaks of something else.
fn lack(rule: &Rule, missing: Family) -> Option<ReasonWord> {
    match rule {
        Rule::Exhausted { family, .. } if *family == missing => Some(ReasonWord::PoolExhausted),
        Rule::Quota { family, .. } if *family == missing => Some(ReasonWord::QuotaExceeded),
        Rule::NoFamily(family) if *family == missing => Some(ReasonWord::FamilyUnavailable),
        _ => None,
    }
}

fn list(addresses: &[IpAddr]) -> String {
    let texts: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    texts.join(" and ")
}

/// A condition is read in a terminal: with more pools than these, `openelb explain` tells them all.
const MOST_FACTS: usize = 4;
