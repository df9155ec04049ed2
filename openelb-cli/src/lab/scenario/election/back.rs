//! A node is back: it waits its time, then gets what it had, and nothing is lost.

use std::thread;
use std::time::Duration;

use super::super::trouble::Trouble;
use super::super::{Outcome, Scenario};
use super::promise;
use super::story::{self, Event};
use super::watch::Watch;
use crate::lab::clock::{micros, millis};
use crate::lab::plan::CLIENT;

/// How the node comes back that something happened to.
pub(super) struct Return {
    /// In words, after the node's name.
    pub(super) what: &'static str,
    /// Makes it happen.
    pub(super) act: fn(&mut Scenario<'_>, &str) -> Result<(), Trouble>,
    /// How long it must not answer for anything.
    pub(super) waits: Duration,
}

/// Brings the node back, waits until it answers for all that it had, and checks what the client saw.
pub(super) fn happen(play: &mut Scenario<'_>, back: &Return) -> Result<Outcome, Trouble> {
    let struck = play.struck()?;
    let watch = Watch::start(play, &[CLIENT])?;
    thread::sleep(super::BEFORE);
    let event = Event {
        what: format!("{} {}", struck.node, back.what),
        at: play.clock.elapsed(),
    };
    (back.act)(play, struck.node)?;
    let mac = play.mac(struck.node);
    let expected = format!("{} gets back what it had", struck.node);
    watch.until_answered(&expected, CLIENT, &struck.addresses, |host| host == mac)?;
    let views = watch.finish()?;
    let bound = promise::bound(play.profile());
    for view in &views {
        promise::silent(view, mac, struck.node, &(event.at..event.at + back.waits))?;
        promise::one_answers(view, &(event.at..event.at))?;
        promise::answered_within(view, bound)?;
        promise::nothing_lost(view)?;
        promise::served_by(view, struck.node)?;
    }
    let after = millis(micros(story::served_after(&event, &views)));
    let summary = format!(
        "{}: it serves again after {after:.0} ms, nothing lost",
        event.what
    );
    Ok(story::tell(play, &event, &views, bound, summary))
}
