//! A daemon is frozen, replaced, and goes on without a stale word.

use nix::sys::signal::Signal;

use super::super::trouble::Trouble;
use super::super::{Act, Outcome, Scenario};
use super::back::{self, Return};
use super::departure::{self, Departure};
use crate::lab::cluster;

pub(super) const ACTS: [Act; 2] = [("frozen", freeze), ("thawed", thaw)];

/// SIGSTOP: to the others it is dead. Its host goes on serving what reaches it.
fn freeze(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    departure::happen(
        play,
        &Departure {
            what: "is frozen",
            act: |play, node| Ok(play.node(node)?.signal(Signal::SIGSTOP)?),
            is_planned: false,
        },
    )
}

/// SIGCONT: the questions that waited in its sockets get no answer, and it claims nothing before it
/// has listened and waited like a node that comes back.
fn thaw(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    let waits = cluster::hold(play.profile());
    back::happen(
        play,
        &Return {
            what: "goes on",
            act: |play, node| Ok(play.node(node)?.signal(Signal::SIGCONT)?),
            waits,
        },
    )
}
