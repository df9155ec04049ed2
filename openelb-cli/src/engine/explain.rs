//! Reasons in words.

use std::net::IpAddr;

use openelb_ipam::ipam::Status;
use openelb_ipam::relative::Projection;
use openelb_ipam::{AllocateError, Ipam, Owner, OwnerKey, Request, Time};

use super::answer::{Explained, Refused, Whois};
use super::prefix::{in_words, moment, shown};
use super::rows;

/// A refusal as answers show it.
pub(super) fn refused(error: &AllocateError, projection: &Projection) -> Refused {
    let words = |text: &dyn ToString| in_words(&text.to_string(), projection);
    Refused {
        owner: error.owner().clone(),
        reason: words(&error.reason()),
        refusals: error.refusals().iter().map(|it| words(it)).collect(),
        hint: words(&error.hint()),
    }
}

/// What is known of an address of the ledger.
pub(super) fn whois(ipam: &Ipam, address: IpAddr, projection: &Projection) -> Whois {
    let holding = ipam.whois(address);
    let (state, fact) = in_a_word(&holding.status);
    let owners = match holding.status {
        Status::Held { owners, .. } => owners,
        Status::Delegated(owner) => vec![owner],
        _ => Vec::new(),
    };
    let place = match (&holding.pool, holding.is_orphaned) {
        (None, _) => String::new(),
        (Some(pool), false) => format!(" (pool {pool})"),
        (Some(pool), true) => format!(" (no longer in pool {pool})"),
    };
    let shown = shown(address, projection);
    Whois {
        text: format!("{shown} {fact}{place}"),
        shown,
        state: state.to_owned(),
        pool: holding.pool,
        owners,
    }
}

/// Why an owner has what it has, or nothing.
pub(super) fn owner(
    ipam: &Ipam,
    key: OwnerKey,
    request: Option<&Request>,
    projection: &Projection,
    now: Time,
) -> Explained {
    let waiting = ipam
        .waiting()
        .find(|row| row.owner.key == key)
        .map(|row| row.request.clone());
    let request = request.cloned().or(waiting).unwrap_or_default();
    let explanation = ipam.explain(&Owner::from(key.clone()), &request, now);
    let held = ipam
        .holdings(key.as_str())
        .map(|row| rows::holder(&row, projection).addresses);
    let lines = match &explanation.outcome {
        Ok(_) => {
            let text = in_words(&explanation.to_string(), projection);
            text.lines().map(str::to_owned).collect()
        }
        Err(error) => refusal_lines(&refused(error, projection)),
    };
    Explained {
        addresses: held.unwrap_or_default(),
        is_served: explanation.outcome.is_ok(),
        lines,
        owner: key,
    }
}

/// A refusal, what each pool answered, and what would help.
fn refusal_lines(refused: &Refused) -> Vec<String> {
    let first = format!("{} would get no address: {}", refused.owner, refused.reason);
    let pools = refused
        .refusals
        .iter()
        .map(|refusal| format!("- {refusal}"));
    let hint = format!("next: {}", refused.hint);
    std::iter::once(first)
        .chain(pools)
        .chain(std::iter::once(hint))
        .collect()
}

/// One word for programs, and the rest of a sentence for people.
fn in_a_word(status: &Status) -> (&'static str, String) {
    match status {
        Status::OutsidePools => ("OutsidePools", "is in no pool".to_owned()),
        Status::Reserved => ("Reserved", "is reserved and never given".to_owned()),
        Status::Free => ("Free", "is free".to_owned()),
        Status::Held { owners, .. } => ("Used", format!("is held by {}", list(owners))),
        Status::Delegated(owner) => ("Delegated", format!("is in a prefix delegated to {owner}")),
        Status::Booked(_) => ("Booked", "is held for an open reservation".to_owned()),
        Status::Cooling { owner, until } => {
            let until = moment(*until);
            (
                "Cooling",
                format!("is cooling down until {until}; only {owner} may have it back"),
            )
        }
        Status::Quarantined { until, cause } => (
            "Quarantined",
            format!("is avoided until {}: {cause}", moment(*until)),
        ),
    }
}

fn list(owners: &[OwnerKey]) -> String {
    owners
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" and ")
}
