//! A node is drained, and taken back into service.

use std::time::Duration;

use super::super::trouble::Trouble;
use super::super::{Act, Outcome, Scenario};
use super::back::{self, Return};
use super::departure::{self, Departure};

pub(super) const ACTS: [Act; 2] = [("drained", drain), ("undone", undo)];

/// `openelb drain`: it hands over what it has while it goes on serving, so nothing is lost.
fn drain(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    departure::happen(
        play,
        &Departure {
            what: "is drained",
            act: |play, node| {
                play.node(node)?.ask(&["drain"])?;
                Ok(())
            },
            is_planned: true,
        },
    )
}

/// `openelb drain --undo`.
fn undo(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    back::happen(
        play,
        &Return {
            what: "is in service again",
            act: |play, node| {
                play.node(node)?.ask(&["drain", "--undo"])?;
                Ok(())
            },
            waits: Duration::ZERO,
        },
    )
}
