//! The switch falls in two with a client on either side, and is whole again.

use std::thread;

use super::super::trouble::Trouble;
use super::super::{Act, Outcome, Scenario};
use super::promise;
use super::story::{self, Event};
use super::watch::Watch;
use super::{Loss, Struck};
use crate::lab::clock::{micros, millis};
use crate::lab::cluster;
use crate::lab::plan::{CLIENT, CLIENT_2};

pub(super) const ACTS: [Act; 2] = [("split", split), ("healed", heal)];

/// The node that the client is served by is alone with it; the others are with the second client.
/// Either side serves its client everything.
fn split(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    let watch = Watch::start(play, &[CLIENT])?;
    let Struck { node, .. } = play.strike(&watch)?;
    watch.finish()?;
    play.network.group(&[node, CLIENT])?;
    let watch = Watch::start(play, &[CLIENT, CLIENT_2])?;
    thread::sleep(super::BEFORE);
    let event = Event {
        what: format!("{node} and {CLIENT} are split from the others and {CLIENT_2}"),
        at: play.clock.elapsed(),
    };
    play.network.split()?;
    let (alone, all) = (play.mac(node), cluster::addresses());
    let near_side = format!("{node} answers for everything on its side");
    watch.until_answered(&near_side, CLIENT, &all, |host| host == alone)?;
    let far_side = format!("others than {node} answer for everything on theirs");
    watch.until_answered(&far_side, CLIENT_2, &all, |host| host != alone)?;
    let views = watch.finish()?;
    let bound = promise::bound(play.profile());
    for view in &views {
        promise::one_answers(view, &(event.at..event.at))?;
        promise::answered_within(view, bound)?;
    }
    let [near, far] = views.as_slice() else {
        return Err(Trouble::Unexpected {
            expected: "two clients".to_owned(),
            seen: format!("{} clients", views.len()),
        });
    };
    promise::served_by(near, node)?;
    promise::served_by_another(far, node)?;
    let loss = Loss::of(std::slice::from_ref(far));
    let after = millis(micros(story::served_after(&event, &views)));
    let summary = format!(
        "{}: both are served after {after:.1} ms, {CLIENT_2} {loss}",
        event.what
    );
    play.election.losses.push(loss);
    Ok(story::tell(play, &event, &views, bound, summary))
}

/// The sides hear each other again: one owner is left for each address, and both clients find it.
fn heal(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    let watch = Watch::start(play, &[CLIENT, CLIENT_2])?;
    thread::sleep(super::BEFORE);
    let event = Event {
        what: "the switch is whole again".to_owned(),
        at: play.clock.elapsed(),
    };
    play.network.heal()?;
    let bound = promise::bound(play.profile());
    // Only what is asked after the bound shows that one owner is left.
    thread::sleep(bound);
    watch.until_agreed(CLIENT, CLIENT_2)?;
    thread::sleep(bound);
    let [address, _] = cluster::watched();
    let owner = watch.last(CLIENT, address);
    let node = owner.and_then(|mac| play.network.owner(mac));
    let node = node.unwrap_or("a stranger");
    let views = watch.finish()?;
    for view in &views {
        promise::one_answers(view, &(event.at..event.at + bound))?;
        promise::answered_within(view, bound)?;
        promise::nothing_lost(view)?;
        promise::served_by(view, node)?;
    }
    let after = millis(micros(story::served_after(&event, &views)));
    let summary = format!(
        "{}: {node} serves both clients after {after:.1} ms",
        event.what
    );
    Ok(story::tell(play, &event, &views, bound, summary))
}
