//! Steps about traffic: the client reaches the service through the router, on one node or on both.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::json;

use super::super::trouble::Trouble;
use super::super::{Outcome, PATIENCE, Scenario};
use crate::lab::clock::{Stopwatch, micros, millis};
use crate::lab::fabric::{self, TOR};
use crate::lab::plan::{NODE_A, PORT};
use crate::lab::probe;

/// The client connects to both addresses, which are in no network of its own.
pub(super) fn reach(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    let (mut details, mut facts) = (Vec::new(), Vec::new());
    for address in fabric::pair() {
        let took = Stopwatch::start();
        let host = ask(play, address)?;
        let connect_us = micros(took.elapsed());
        if host != NODE_A {
            return Err(Trouble::Unexpected {
                expected: format!("{NODE_A} answers for {address}"),
                seen: host,
            });
        }
        let milliseconds = millis(connect_us);
        details.push(format!(
            "{address:<16} {host} answers ({milliseconds:.1} ms)"
        ));
        facts.push(json!({ "address": address, "answered_by": host, "connect_us": connect_us }));
    }
    Ok(Outcome {
        summary: format!("the client reaches the service through {TOR} over both families"),
        details,
        facts: json!({ "reached": facts }),
    })
}

/// Many connections: the router spreads them over both nodes.
pub(super) fn spread(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    let (mut details, mut facts) = (Vec::new(), Vec::new());
    for address in fabric::pair() {
        let mut answers: BTreeMap<String, usize> = BTreeMap::new();
        for _ in 0..CONNECTIONS {
            *answers.entry(ask(play, address)?).or_default() += 1;
        }
        if !play
            .scene
            .nodes()
            .iter()
            .all(|node| answers.contains_key(*node))
        {
            return Err(Trouble::Unexpected {
                expected: format!("{:?} answer for {address}", play.scene.nodes()),
                seen: format!("{answers:?}"),
            });
        }
        let shares = answers
            .iter()
            .map(|(node, count)| format!("{node} answered {count}"));
        let shares: Vec<_> = shares.collect();
        details.push(format!("{address:<16} {}", shares.join(", ")));
        facts.push(json!({ "address": address, "answers": answers }));
    }
    Ok(Outcome {
        summary: format!("{TOR} spreads {CONNECTIONS} connections to each address over both nodes"),
        details,
        facts: json!({ "spread": facts }),
    })
}

fn ask(play: &Scenario<'_>, address: IpAddr) -> Result<String, Trouble> {
    let answer = play.on_client(move || probe::ask(address, PORT, PATIENCE));
    answer.map_err(|error| Trouble::Unexpected {
        expected: format!("somebody answers for {address}"),
        seen: format!("connect: {error}"),
    })
}

/// That one of two nodes gets none of so many has a chance of one in 2^31.
const CONNECTIONS: usize = 32;
