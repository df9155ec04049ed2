//! The step about a death: a node is gone from one moment to the next, and the gap is measured.

use std::net::IpAddr;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::json;

use super::super::trouble::Trouble;
use super::super::{Outcome, Scenario};
use super::join;
use crate::lab::clock::{Stopwatch, micros, millis};
use crate::lab::fabric::{self, TOR};
use crate::lab::plan::{NODE_B, PORT};
use crate::lab::probe::{Stream, StreamReport};

/// Node B loses its network and its daemon at once, as a node without power does. BFD finds out, and
/// the router sends everything to node A.
pub(super) fn die(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    let questions = Questions::start(play)?;
    let died = Stopwatch::start();
    let noticed = kill_node(play);
    let noticed_us = micros(died.elapsed());
    let reports = questions.finish()?;
    let routes = noticed?;
    let gap = reports.iter().map(|report| report.longest_gap_us).max();
    let gap_us = gap.unwrap_or_default();
    let (noticed, gap) = (millis(noticed_us), millis(gap_us));
    let mut details: Vec<_> = routes
        .iter()
        .map(|(address, hops)| format!("{address:<16} via {} alone", join(hops)))
        .collect();
    details.extend(describe(&reports));
    Ok(Outcome {
        summary: format!(
            "{NODE_B} died: {TOR} sends all to the other after {noticed:.0} ms, longest gap {gap:.0} ms"
        ),
        details,
        facts: json!({
            "node": NODE_B,
            "noticed_us": noticed_us,
            "longest_gap_us": gap_us,
            "streams": reports,
        }),
    })
}

/// Unplugs and kills the node; returns the routes that are left once it is noticed.
fn kill_node(play: &mut Scenario<'_>) -> Result<Vec<(IpAddr, Vec<IpAddr>)>, Trouble> {
    let station = play
        .network
        .station(NODE_B)
        .expect("the plan has two nodes");
    station.unplug()?;
    let position = play.nodes.iter().position(|node| node.name() == NODE_B);
    if let Some(position) = position {
        play.nodes.remove(position).end(Signal::SIGKILL)?;
    }
    play.wait_for_next_hops(play.scene.nodes().len() - 1)
}

/// What the client asks all the while: several streams to each address, as one may be served by the
/// node that nothing happens to.
pub(super) struct Questions {
    streams: Vec<Stream>,
}

impl Questions {
    pub(super) fn start(play: &Scenario<'_>) -> Result<Self, Trouble> {
        let (mut streams, clock) = (Vec::new(), play.clock);
        for address in fabric::pair() {
            for _ in 0..STREAMS {
                let stream = play.on_client(move || Stream::start(address, PORT, INTERVAL, clock));
                streams.push(stream.map_err(|source| Trouble::Client {
                    act: format!("ask {address}"),
                    source,
                })?);
            }
        }
        std::thread::sleep(AFTERMATH);
        Ok(Self { streams })
    }

    pub(super) fn finish(self) -> Result<Vec<StreamReport>, Trouble> {
        // A few more answers, so that the last is not also the first of a node.
        std::thread::sleep(AFTERMATH);
        self.streams.iter().for_each(Stream::stop);
        let finish = |stream: Stream| {
            stream.finish().map_err(|source| Trouble::Client {
                act: "end a stream".to_owned(),
                source,
            })
        };
        self.streams.into_iter().map(finish).collect()
    }
}

/// What people read about the streams: a line an address.
pub(super) fn describe(reports: &[StreamReport]) -> Vec<String> {
    let line = |address: IpAddr| {
        let of_address = || reports.iter().filter(|report| report.address == address);
        let sent: usize = of_address().map(|report| report.sent).sum();
        let lost: usize = of_address().map(|report| report.lost).sum();
        let gap = of_address().map(|report| report.longest_gap_us).max();
        let gap = millis(gap.unwrap_or_default());
        format!(
            "{address:<16} {sent} asked in {STREAMS} streams, {lost} lost, longest gap {gap:.1} ms"
        )
    };
    fabric::pair().map(line).into()
}

/// To each address: that all of them are served by one of two nodes has a chance of one in 32.
const STREAMS: usize = 6;

/// Five hundred questions a second in each stream.
const INTERVAL: Duration = Duration::from_millis(2);

const AFTERMATH: Duration = Duration::from_millis(200);
