//! The provider gives another prefix for good: both are served for a while, then only the new one.

use std::net::IpAddr;

use serde_json::json;

use super::super::trouble::Trouble;
use super::super::{Outcome, Scenario, until, within};
use super::{A, Addresses, B, GRACE, HOLD_DOWN, offered, served, taken_back, unexpected};
use crate::lab::clock::{Stopwatch, micros, millis};
use crate::lab::neighbor::{self, Resolution};
use crate::lab::plan::NODE_A;

/// The service gets its address in B, beside that in A.
pub(super) fn change(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    let generation = play.node(NODE_A)?.generation()?;
    play.offer(&[offered(B), taken_back(A)])?;
    let waited = Stopwatch::start();
    let (new, old) = (served(B), served(A));
    until("the address of the new prefix beside the old one", || {
        let now = play.addresses()?;
        let is_renumbered = now.current == Some(new.into());
        let keeps = matches!(now.former.as_slice(), [(former, _)] if *former == IpAddr::V6(old));
        if is_renumbered && !keeps {
            return Err(unexpected(
                "the old address is still served",
                format!("{now:?}"),
            ));
        }
        Ok(is_renumbered
            .then_some(())
            .ok_or_else(|| format!("{now:?}")))
    })?;
    let took = micros(waited.elapsed());
    // Not before the new address is announced does the old one begin to leave.
    until("the new address is announced", || {
        let leaves = play
            .addresses()?
            .former
            .iter()
            .any(|(_, until)| until.is_some());
        let state = play.node(NODE_A)?.announcement_of(new.into())?;
        let is_announced = state == "announced";
        if leaves && !is_announced {
            let seen = format!("the old one leaves while the new one is {state}");
            return Err(unexpected("make before break", seen));
        }
        Ok(is_announced.then_some(()).ok_or(state))
    })?;
    if play.node(NODE_A)?.generation()? != generation {
        return Err(unexpected(
            "the ledger is not written",
            "its generation changed",
        ));
    }
    let name = play.greeted(new)?;
    let octets = play.goes_on()?;
    let hold_down = HOLD_DOWN.as_secs();
    Ok(Outcome {
        summary: format!("the provider changed the prefix to {B}: the service is {new} too"),
        details: vec![
            format!(
                "{:.1} s after the router said so, {hold_down} s of it hold-down",
                millis(took) / 1_000.0
            ),
            format!("new connections to {new} meet {name}"),
            format!("the download from {old} goes on; the allocation was not written"),
        ],
        facts: json!({
            "prefix": B, "address": new, "former": old, "took_us": took, "octets": octets,
            "generation": generation,
        }),
    })
}

/// Until the grace period ends the old address is served.
pub(super) fn grace(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    let waited = Stopwatch::start();
    let mut last = play.download()?.octets();
    let mut reads = 0_u32;
    // It ends by the daemon's own clock; the time that it took is told, not judged.
    within(3 * GRACE, "the old address leaves", || {
        let Addresses { former, .. } = play.addresses()?;
        if former.is_empty() {
            return Ok(Ok(()));
        }
        last = play.goes_on()?;
        reads += 1;
        Ok(Err(format!("{former:?}")))
    })?;
    if reads == 0 {
        return Err(unexpected(
            "a time in which both addresses are served",
            "there was none",
        ));
    }
    let took = micros(waited.elapsed());
    let grace = GRACE.as_secs();
    Ok(Outcome {
        summary: format!("for the grace period of {grace} s both addresses were served"),
        details: vec![format!(
            "the download went on all the while: {last} octets by now, looked at {reads} times in \
             {:.1} s",
            millis(took) / 1_000.0
        )],
        facts: json!({ "octets": last, "looks": reads, "took_us": took }),
    })
}

/// Afterwards nobody answers for the old address.
pub(super) fn leave(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    let (new, old) = (served(B), served(A));
    until("nobody answers for the old address", || {
        let old = IpAddr::V6(old);
        let end = play.on_client(move || neighbor::resolve(old, super::super::PATIENCE))?;
        Ok(match end {
            Resolution::Unanswered => Ok(()),
            Resolution::Resolved(mac) => Err(format!("{mac} answers")),
        })
    })?;
    let name = play.greeted(new)?;
    let from = play.renumbering.download.take();
    let from = from.map(|download| download.address());
    Ok(Outcome {
        summary: format!("{old} is gone from the wire; {new} is served by {name}"),
        details: vec!["no process was restarted".to_owned()],
        facts: json!({ "gone": old, "reached": name, "download": from }),
    })
}
