//! Nodes, pods and speakers come and go while the client asks.

use serde_json::json;

use super::traffic::{self, describe, finish_streams, start_streams, wait_until_moved};
use crate::lab::kubernetes::plan::NODES;
use crate::lab::kubernetes::stage::Stage;
use crate::lab::scenario::Outcome;
use crate::lab::scenario::trouble::Trouble;

/// The node that answers loses its power; another takes over. It comes back in the end.
pub(super) fn die(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    // What is measured is the address: no question goes to the pod of the node that dies.
    stage.set_ready(stage.node, false)?;
    traffic::reach(stage)?;
    start_streams(stage)?;
    stage.network.cut(stage.node)?;
    let moved = wait_until_moved(stage);
    let reports = finish_streams(stage)?;
    stage.network.mend(stage.node)?;
    let moved = moved?;
    Ok(Outcome {
        summary: format!("{} lost its power, and its addresses moved", stage.node),
        details: reports.iter().map(describe).collect(),
        facts: json!({ "node": stage.node, "moved": moved, "streams": reports }),
    })
}

/// The same while the API server is away, which comes back in the end.
pub(super) fn die_without_api_server(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    stage.set_ready(stage.node, false)?;
    traffic::reach(stage)?;
    start_streams(stage)?;
    stage.plane.stop_api_server();
    std::thread::sleep(UNNOTICED);
    stage.network.cut(stage.node)?;
    let moved = wait_until_moved(stage);
    let reports = finish_streams(stage)?;
    stage.network.mend(stage.node)?;
    stage.plane.start_api_server()?;
    let moved = moved?;
    Ok(Outcome {
        summary: format!(
            "{} lost its power without an API server, and its addresses moved",
            stage.node
        ),
        details: reports.iter().map(describe).collect(),
        facts: json!({ "node": stage.node, "moved": moved, "streams": reports }),
    })
}

/// The speaker of the node that answers is told to stop: another takes over. It is started again.
pub(super) fn drain(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    start_streams(stage)?;
    stage.stop_speaker(stage.node)?;
    let moved = wait_until_moved(stage);
    let reports = finish_streams(stage)?;
    stage.start_speaker(stage.node)?;
    let moved = moved?;
    Ok(Outcome {
        summary: format!(
            "the speaker of {} was stopped, and its addresses moved",
            stage.node
        ),
        details: reports.iter().map(describe).collect(),
        facts: json!({ "node": stage.node, "moved": moved, "streams": reports }),
    })
}

/// The speaker of one of three nodes is told to stop, and is started again.
pub(super) fn drain_path(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    stage.node = NODES[0];
    start_streams(stage)?;
    stage.stop_speaker(stage.node)?;
    let left = traffic::wait_for_hops(stage, NODES.len() - 1);
    stage.start_speaker(stage.node)?;
    let back = traffic::wait_for_hops(stage, NODES.len());
    let reports = finish_streams(stage)?;
    let (left, _) = (left?, back?);
    Ok(Outcome {
        summary: format!(
            "without {} the router forwarded over the others, then over it again",
            stage.node
        ),
        details: reports.iter().map(describe).collect(),
        facts: json!({ "node": stage.node, "left": left, "streams": reports }),
    })
}

/// Another node's pod becomes ready, then the first is no longer: the route follows.
pub(super) fn move_pod(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    let [_, from, to] = NODES;
    start_streams(stage)?;
    stage.set_ready(to, true)?;
    let both = traffic::wait_for_hops(stage, 2);
    stage.set_ready(from, false)?;
    let one = traffic::wait_for_hops(stage, 1);
    traffic::reach(stage)?;
    let reports = finish_streams(stage)?;
    let (_, hops) = (both?, one?);
    Ok(Outcome {
        summary: format!("the pod moved from {from} to {to}, and the routes with it"),
        details: reports.iter().map(describe).collect(),
        facts: json!({ "from": from, "to": to, "next_hops": hops, "streams": reports }),
    })
}

/// Long enough that every watch of the speakers has ended.
const UNNOTICED: std::time::Duration = std::time::Duration::from_secs(1);
