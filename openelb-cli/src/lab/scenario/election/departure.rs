//! A node stops answering, whatever the reason: others take over what it had.

use std::thread;

use super::super::trouble::Trouble;
use super::super::{Outcome, Scenario};
use super::Loss;
use super::promise;
use super::story::{self, Event};
use super::watch::Watch;
use crate::lab::clock::{micros, millis};
use crate::lab::plan::CLIENT;

/// What happens to the node that the client is served by.
pub(super) struct Departure {
    /// In words, after the node's name.
    pub(super) what: &'static str,
    /// Makes it happen.
    pub(super) act: fn(&mut Scenario<'_>, &str) -> Result<(), Trouble>,
    /// Whether it is planned, so that nothing may be lost.
    pub(super) is_planned: bool,
}

/// Lets it happen, waits until others answer for everything, and checks what the client saw.
pub(super) fn happen(play: &mut Scenario<'_>, departure: &Departure) -> Result<Outcome, Trouble> {
    let watch = Watch::start(play, &[CLIENT])?;
    thread::sleep(super::BEFORE);
    let struck = play.strike(&watch)?;
    let event = Event {
        what: format!("{} {}", struck.node, departure.what),
        at: play.clock.elapsed(),
    };
    (departure.act)(play, struck.node)?;
    let gone = play.mac(struck.node);
    let expected = format!("somebody takes over from {}", struck.node);
    watch.until_answered(&expected, CLIENT, &struck.addresses, |host| host != gone)?;
    let views = watch.finish()?;
    let bound = promise::bound(play.profile());
    for view in &views {
        promise::one_answers(view, &(event.at..event.at))?;
        promise::answered_within(view, bound)?;
        promise::served_by_another(view, struck.node)?;
        if departure.is_planned {
            promise::nothing_lost(view)?;
        }
    }
    let loss = Loss::of(&views);
    let after = millis(micros(story::served_after(&event, &views)));
    let summary = format!(
        "{}: the client is served by another after {after:.1} ms, {loss}",
        event.what
    );
    play.election.losses.push(loss);
    Ok(story::tell(play, &event, &views, bound, summary))
}
