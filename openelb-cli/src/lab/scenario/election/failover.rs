//! A node loses its power, and comes back.

use nix::sys::signal::Signal;

use super::super::trouble::Trouble;
use super::super::{Act, Outcome, Scenario};
use super::back::{self, Return};
use super::departure::{self, Departure};
use crate::lab::cluster;

pub(super) const ACTS: [Act; 2] = [("died", die), ("returned", come_back)];

/// Its daemon gets SIGKILL and its cable is cut, so that what it serves is gone too.
fn die(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    departure::happen(
        play,
        &Departure {
            what: "loses its power",
            act: |play, node| {
                play.take(node)?.end(Signal::SIGKILL)?;
                Ok(play.network.cut(node)?)
            },
            is_planned: false,
        },
    )
}

/// It is given back what it had only after it has been there for a while.
fn come_back(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    let waits = cluster::hold(play.profile());
    back::happen(
        play,
        &Return {
            what: "starts again",
            act: |play, node| {
                play.network.mend(node)?;
                let config = play.configuration();
                play.start(node, &config)
            },
            waits,
        },
    )
}
