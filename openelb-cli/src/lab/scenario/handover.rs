//! Steps about the move: the second node stands by, then takes over without a loss.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::json;

use super::trouble::Trouble;
use super::{Outcome, Scenario, presence, until};
use crate::lab::capture::Message;
use crate::lab::clock::millis;
use crate::lab::plan::{self, NODE_A, NODE_B, PORT};
use crate::lab::probe::{Stream, StreamReport};

/// Node B's daemon starts with the same addresses and stays silent.
pub(super) fn stand_by(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    play.start(NODE_B, &plan::with_service("Standby", &play.pair))?;
    let reached = presence::reached(play, NODE_A)?;
    for message in [Message::Probe, Message::Announcement, Message::Answer] {
        for &address in &play.pair {
            let heard = play.heard(NODE_B, message, address);
            if heard > 0 {
                return Err(Trouble::Unexpected {
                    expected: format!("{NODE_B} says nothing about {address}"),
                    seen: format!("{heard} frames: {message:?}"),
                });
            }
        }
    }
    Ok(Outcome {
        summary: format!("{NODE_B} holds the same addresses in standby"),
        details: vec![format!("and is silent: the client still reaches {NODE_A}")],
        facts: json!({ "node": NODE_B, "reached": reached }),
    })
}

/// Node A goes silent, node B announces, and the client keeps asking all the while.
pub(super) fn hand_over(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    let streams = start_streams(play)?;
    let moved = move_service(play);
    // The streams end in any case; what they saw counts only when the move went as expected.
    let reports = finish(streams)?;
    moved?;
    for report in &reports {
        check(report)?;
    }
    let reached = presence::reached(play, NODE_B)?;
    let lost: usize = reports.iter().map(|report| report.lost).sum();
    Ok(Outcome {
        summary: format!("the service moved from {NODE_A} to {NODE_B}, {lost} questions lost"),
        details: reports.iter().map(describe).collect(),
        facts: json!({ "from": NODE_A, "to": NODE_B, "streams": reports, "reached": reached }),
    })
}

fn start_streams(play: &Scenario<'_>) -> Result<Vec<Stream>, Trouble> {
    let clock = play.clock;
    let start = |&address: &IpAddr| {
        play.on_client(move || Stream::start(address, PORT, INTERVAL, clock))
            .map_err(|source| Trouble::Client {
                act: format!("ask {address}"),
                source,
            })
    };
    play.pair.iter().map(start).collect()
}

fn move_service(play: &Scenario<'_>) -> Result<(), Trouble> {
    // Only one node may ever answer, so the old one is silent before the new one speaks. It still
    // delivers what reaches it, so nothing is lost in between.
    play.node(NODE_A)?
        .reload(&plan::with_service("Standby", &play.pair))?;
    until("node-a announces nothing any more", || {
        let announced = play.node(NODE_A)?.announced()?;
        let is_silent = announced.is_empty().then_some(());
        Ok(is_silent.ok_or_else(|| format!("it announces {announced:?}")))
    })?;
    let always = plan::with_service("Always", &play.pair);
    play.node(NODE_B)?.reload(&always)?;
    let mut pair = play.pair.iter();
    pair.try_for_each(|&address| presence::leads_to(play, address, NODE_B))
}

fn finish(streams: Vec<Stream>) -> Result<Vec<StreamReport>, Trouble> {
    // A few more answers from the new host, so that its first is not also the last.
    std::thread::sleep(AFTERMATH);
    streams.iter().for_each(Stream::stop);
    let finish = |stream: Stream| {
        stream.finish().map_err(|source| Trouble::Client {
            act: "end a stream".to_owned(),
            source,
        })
    };
    streams.into_iter().map(finish).collect()
}

fn check(report: &StreamReport) -> Result<(), Trouble> {
    let answers = report.answers.iter();
    let hosts: Vec<_> = answers.map(|share| share.host.as_str()).collect();
    if report.lost == 0 && hosts == [NODE_A, NODE_B] {
        return Ok(());
    }
    Err(Trouble::Unexpected {
        expected: format!(
            "every question to {} answered, {NODE_A} first, then {NODE_B}",
            report.address
        ),
        seen: format!(
            "{} of {} lost, answered by {hosts:?}",
            report.lost, report.sent
        ),
    })
}

fn describe(report: &StreamReport) -> String {
    let StreamReport {
        address,
        sent,
        lost,
        switch_gap_us,
        answers,
        ..
    } = report;
    let gap = millis(switch_gap_us.unwrap_or_default());
    let shares: Vec<_> = answers
        .iter()
        .map(|share| format!("{} answered {}", share.host, share.answers))
        .collect();
    let shares = shares.join(", then ");
    format!("{address:<13} {sent} asked, {lost} lost: {shares}; gap {gap:.1} ms")
}

/// A thousand questions a second to each address.
const INTERVAL: Duration = Duration::from_millis(1);

const AFTERMATH: Duration = Duration::from_millis(200);
