//! Steps about presence: announced on the wire, resolved and reached by the client.

use std::net::IpAddr;

use serde_json::json;

use super::trouble::Trouble;
use super::{Outcome, PATIENCE, Scenario, until};
use crate::lab::capture::Message;
use crate::lab::clock::{Stopwatch, micros, millis};
use crate::lab::neighbor::{self, Resolution};
use crate::lab::plan::{self, NODE_A};
use crate::lab::probe;
use crate::lab::report::Reached;

/// Node A makes sure that nobody has the addresses, then says that it does.
pub(super) fn announce(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    let mut details = Vec::new();
    let mut facts = Vec::new();
    for &address in &play.pair {
        let announcements = until(&format!("{NODE_A} announces {address}"), || {
            let heard = play.heard(NODE_A, Message::Announcement, address);
            Ok((heard > 0)
                .then_some(heard)
                .ok_or_else(|| "no announcement".to_owned()))
        })?;
        let probes = play.heard(NODE_A, Message::Probe, address);
        if probes == 0 {
            let expected = format!("{address} probed before it is announced");
            return Err(Trouble::Unexpected {
                expected,
                seen: "no probe".to_owned(),
            });
        }
        details.push(format!(
            "{address:<13} asked for {probes} times, no answer, then announced"
        ));
        facts.push(json!({ "address": address, "probes": probes, "announcements": announcements }));
    }
    Ok(Outcome {
        summary: format!("{NODE_A} probed the addresses and announces them"),
        details,
        facts: json!({ "node": NODE_A, "addresses": facts }),
    })
}

/// The client resolves both addresses to node A and connects.
pub(super) fn reach(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    let reached = reached(play, NODE_A)?;
    Ok(Outcome {
        summary: format!("the client reaches {NODE_A} over both families"),
        details: reached.iter().map(describe).collect(),
        facts: json!({ "reached": reached }),
    })
}

/// The service is in node A's configuration again, gets its old addresses and is announced.
pub(super) fn come_back(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    let node = play.node(NODE_A)?;
    node.reload(&plan::with_service("Always", &[]))?;
    for &address in &play.pair {
        until(&format!("{NODE_A} announces {address} again"), || {
            let state = node.announcement_of(address)?;
            Ok((state == "announced").then_some(()).ok_or(state))
        })?;
    }
    let reached = reached(play, NODE_A)?;
    Ok(Outcome {
        summary: format!("the service is back on {NODE_A}, with its old addresses"),
        details: reached.iter().map(describe).collect(),
        facts: json!({ "node": NODE_A, "reached": reached }),
    })
}

/// Waits until the client's neighbour table, which it keeps from what it hears, leads to a host.
pub(super) fn leads_to(play: &Scenario<'_>, address: IpAddr, host: &str) -> Result<(), Trouble> {
    until(
        &format!("the client's table leads {address} to {host}"),
        || {
            let mac = play.on_client(move || neighbor::known(address))?;
            let owner = mac.and_then(|mac| play.network.owner(mac));
            let is_there = (owner == Some(host)).then_some(());
            Ok(is_there.ok_or_else(|| format!("it leads to {owner:?}")))
        },
    )
}

/// Resolves and connects to every address of the pair, and insists on `expected`.
pub(super) fn reached(play: &Scenario<'_>, expected: &str) -> Result<Vec<Reached>, Trouble> {
    play.pair
        .iter()
        .map(|&address| reach_one(play, address, expected))
        .collect()
}

/// The line that people read about it.
pub(super) fn describe(reached: &Reached) -> String {
    let Reached {
        address,
        mac,
        resolve_us,
        answered_by,
        connect_us,
        ..
    } = reached;
    let (resolve, connect) = (millis(*resolve_us), millis(*connect_us));
    format!("{address:<13} is at {mac} ({resolve:.1} ms), {answered_by} answers ({connect:.1} ms)")
}

fn reach_one(play: &Scenario<'_>, address: IpAddr, expected: &str) -> Result<Reached, Trouble> {
    let unexpected = |seen: String| Trouble::Unexpected {
        expected: format!("{expected} answers for {address}"),
        seen,
    };
    let resolving = Stopwatch::start();
    let resolution = play.on_client(move || neighbor::resolve(address, PATIENCE))?;
    let resolve_us = micros(resolving.elapsed());
    let Resolution::Resolved(mac) = resolution else {
        return Err(unexpected("nobody".to_owned()));
    };
    let resolved_to = play.network.owner(mac).unwrap_or("a stranger").to_owned();
    let connecting = Stopwatch::start();
    let answer = play.on_client(move || probe::ask(address, plan::PORT, PATIENCE));
    let connect_us = micros(connecting.elapsed());
    let answered_by = answer.map_err(|error| unexpected(format!("connect: {error}")))?;
    if resolved_to != expected || answered_by != expected {
        return Err(unexpected(format!(
            "resolved to {resolved_to}, answered by {answered_by}"
        )));
    }
    let mac = mac.to_string();
    Ok(Reached {
        address,
        mac,
        resolved_to,
        resolve_us,
        answered_by,
        connect_us,
    })
}
