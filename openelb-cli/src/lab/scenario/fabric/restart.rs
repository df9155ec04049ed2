//! The step about a restart: the daemon of a node ends and starts again, and nothing is lost.

use nix::sys::signal::Signal;
use serde_json::json;

use super::super::trouble::Trouble;
use super::super::{Outcome, Scenario};
use super::failure::{Questions, describe};
use super::sessions;
use crate::lab::clock::{Stopwatch, micros, millis};
use crate::lab::fabric::{self, TOR};
use crate::lab::fib::Watch;
use crate::lab::plan::NODE_A;

/// Node A's daemon is stopped as for an upgrade and started again, while the client asks. Under
/// graceful restart the router goes on forwarding to the node, which goes on serving.
pub(super) fn restart(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    let tor = play.network.station(TOR).expect("the plan has a router");
    let watch = tor.host.run(|| Watch::start(fabric::pair().to_vec()))?;
    let questions = Questions::start(play)?;
    let away = Stopwatch::start();
    let restarted = stop_and_start(play);
    let away_us = micros(away.elapsed());
    let reports = questions.finish()?;
    let deleted = watch.finish()?;
    restarted?;
    let lost: usize = reports.iter().map(|report| report.lost).sum();
    if lost > 0 || deleted > 0 {
        return Err(Trouble::Unexpected {
            expected: format!("no route deleted at {TOR}, no question lost"),
            seen: format!("{deleted} deleted, {lost} lost"),
        });
    }
    let back = millis(away_us);
    let mut details = vec![format!("all sessions up again after {back:.0} ms")];
    details.extend(describe(&reports));
    Ok(Outcome {
        summary: format!(
            "the daemon on {NODE_A} restarted: {deleted} routes deleted at {TOR}, {lost} questions lost"
        ),
        details,
        facts: json!({
            "node": NODE_A,
            "deleted": deleted,
            "lost": lost,
            "back_us": away_us,
            "streams": reports,
        }),
    })
}

fn stop_and_start(play: &mut Scenario<'_>) -> Result<(), Trouble> {
    let position = play.nodes.iter().position(|node| node.name() == NODE_A);
    if let Some(position) = position {
        play.nodes.remove(position).end(Signal::SIGTERM)?;
    }
    let config = fabric::with_service(NODE_A, play.has_bfd());
    play.start(NODE_A, &config)?;
    sessions::wait_for_sessions(play)?;
    // Until the router has compared the routes that it kept with those that it got.
    play.wait_for_next_hops(play.scene.nodes().len())?;
    std::thread::sleep(AFTERMATH);
    Ok(())
}

/// Time for a router to delete what it should have kept.
const AFTERMATH: std::time::Duration = std::time::Duration::from_millis(500);
