//! Who attracts the traffic, and what the client sees of it.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::json;

use crate::lab::clock::millis;
use crate::lab::fabric::TOR;
use crate::lab::fib;
use crate::lab::kubernetes::plan::NODES;
use crate::lab::kubernetes::stage::Stage;
use crate::lab::neighbor;
use crate::lab::plan::{CLIENT, PORT};
use crate::lab::probe::{self, Stream, StreamReport};
use crate::lab::scenario::trouble::Trouble;
use crate::lab::scenario::{Outcome, until};

/// Every address belongs to one node, by the router's neighbour table, and the client is answered.
pub(super) fn own(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    let mut owners = Vec::new();
    for &address in &stage.addresses {
        let owner = until(&format!("a node answers for {address}"), || {
            let tor = &stage.station(TOR).host;
            let resolved = tor.run(move || neighbor::resolve(address, PATIENCE))?;
            let owner = match resolved {
                neighbor::Resolution::Resolved(mac) => stage.network.owner(mac),
                neighbor::Resolution::Unanswered => None,
            };
            Ok(node(owner).ok_or_else(|| format!("{resolved:?}")))
        })?;
        owners.push((address, owner));
    }
    stage.node = owners.first().map_or(NODES[0], |(_, owner)| owner);
    let answered = reach(stage)?;
    Ok(Outcome {
        summary: "each address belongs to one node, and the client is answered".to_owned(),
        details: owners
            .iter()
            .map(|(address, owner)| format!("{address:<16} {owner}"))
            .collect(),
        facts: json!({ "owners": owners, "answered": answered.facts }),
    })
}

/// The client is answered at every address, through kube-proxy.
pub(super) fn reach(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    let mut answered = Vec::new();
    for &address in &stage.addresses {
        let by = until(&format!("somebody answers at {address}"), || {
            let client = &stage.station(CLIENT).host;
            let answer = client.run(move || probe::ask(address, PORT, PATIENCE));
            Ok(answer.map_err(|error| error.to_string()))
        })?;
        answered.push((address, by));
    }
    Ok(Outcome {
        summary: "the client is answered".to_owned(),
        details: answered
            .iter()
            .map(|(address, by)| format!("{address:<16} by the pod of {by}"))
            .collect(),
        facts: json!(answered),
    })
}

/// The client asks for a while in which nothing happens.
pub(super) fn ask(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    start_streams(stage)?;
    std::thread::sleep(WHILE);
    let reports = finish_streams(stage)?;
    Ok(Outcome {
        summary: "the client asks a thousand times a second".to_owned(),
        details: reports.iter().map(describe).collect(),
        facts: json!(reports),
    })
}

/// The router spreads over every node.
pub(super) fn spread(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    let hops = wait_for_hops(stage, NODES.len())?;
    let answered = reach(stage)?;
    Ok(Outcome {
        summary: format!(
            "the router forwards over {} nodes, and the client is answered",
            NODES.len()
        ),
        details: answered.details,
        facts: json!({ "next_hops": hops, "answered": answered.facts }),
    })
}

/// Waits until the router's kernel forwards to every address over so many next hops.
pub(super) fn wait_for_hops(
    stage: &Stage<'_>,
    count: usize,
) -> Result<Vec<(IpAddr, Vec<IpAddr>)>, Trouble> {
    let expected = format!("{count} next hops in the kernel of the router");
    let wait = |&address: &IpAddr| {
        let hops = until(&expected, || {
            let tor = &stage.station(TOR).host;
            let hops = tor
                .run(move || fib::next_hops(address))?
                .unwrap_or_default();
            let is_so = hops.len() == count;
            Ok(is_so
                .then_some(hops.clone())
                .ok_or_else(|| format!("{address} via {hops:?}")))
        })?;
        Ok((address, hops))
    };
    stage.addresses.iter().map(wait).collect()
}

/// The node that the router's neighbour table has for an address, without asking the network.
pub(super) fn believed(
    stage: &Stage<'_>,
    address: IpAddr,
) -> Result<Option<&'static str>, Trouble> {
    let tor = &stage.station(TOR).host;
    let mac = tor.run(move || neighbor::known(address))?;
    Ok(node(mac.and_then(|mac| stage.network.owner(mac))))
}

/// Waits until the router sends every address to another node than the one the play is about.
pub(super) fn wait_until_moved(stage: &Stage<'_>) -> Result<Vec<(IpAddr, &'static str)>, Trouble> {
    let away = |&address: &IpAddr| {
        let owner = until(&format!("{address} moves away from {}", stage.node), || {
            let owner = believed(stage, address)?;
            let moved = owner.filter(|owner| *owner != stage.node);
            Ok(moved.ok_or_else(|| format!("it is at {owner:?}")))
        })?;
        Ok((address, owner))
    };
    stage.addresses.iter().map(away).collect()
}

/// The client begins to ask a thousand times a second at every address.
pub(super) fn start_streams(stage: &mut Stage<'_>) -> Result<(), Trouble> {
    let clock = stage.clock;
    for &address in &stage.addresses {
        let client = &stage.station(CLIENT).host;
        let stream = client.run(move || Stream::start(address, PORT, INTERVAL, clock));
        let act = || format!("ask {address}");
        stage
            .streams
            .push(stream.map_err(|source| Trouble::Client { act: act(), source })?);
    }
    Ok(())
}

/// The client stops asking. Each stream must have been answered at its end; what was lost is noted.
pub(super) fn finish_streams(stage: &mut Stage<'_>) -> Result<Vec<StreamReport>, Trouble> {
    // A few more answers, so that the end shows whether there are any.
    std::thread::sleep(AFTERMATH);
    let act = || "end a stream".to_owned();
    let finish = |stream: Stream| {
        stream
            .finish()
            .map_err(|source| Trouble::Client { act: act(), source })
    };
    let reports: Vec<_> = stage
        .streams
        .drain(..)
        .map(finish)
        .collect::<Result<_, _>>()?;
    for report in &reports {
        if report.answered == 0 {
            return Err(Trouble::Unexpected {
                expected: format!("questions to {} are answered", report.address),
                seen: format!("none of {} was", report.sent),
            });
        }
    }
    let lost = reports
        .iter()
        .map(|report| report.lost as u64 * report.interval_us)
        .max();
    let lost = lost.unwrap_or_default() / 1_000;
    stage.loss = Some(stage.loss.unwrap_or_default().max(lost));
    Ok(reports)
}

/// A stream in a line.
pub(super) fn describe(report: &StreamReport) -> String {
    let StreamReport {
        address,
        sent,
        lost,
        longest_gap_us,
        answers,
        ..
    } = report;
    let shares: Vec<_> = answers
        .iter()
        .map(|share| format!("{} {}", share.host, share.answers))
        .collect();
    let gap = millis(*longest_gap_us);
    format!(
        "{address:<16} {sent} asked, {lost} lost, longest gap {gap:.1} ms: {}",
        shares.join(", ")
    )
}

fn node(name: Option<&str>) -> Option<&'static str> {
    NODES.into_iter().find(|node| name == Some(*node))
}

/// A thousand questions a second.
const INTERVAL: Duration = Duration::from_millis(1);
const WHILE: Duration = Duration::from_millis(500);
const AFTERMATH: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(1);
