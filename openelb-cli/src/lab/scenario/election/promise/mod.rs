//! What an election promises, checked against what the clients saw.

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::ops::Range;
use std::time::Duration;

use openelb_announce::wire::Mac;

use super::super::trouble::Trouble;
use super::watch::View;
use crate::lab::args::Profile;
use crate::lab::capture::Message;
use crate::lab::census::Overlap;
use crate::lab::clock::{micros, millis};
use crate::lab::cluster;

/// How long an address may be without an owner after its node is gone, and may have two after a
/// split is healed: what finds a node dead, and a beat to say so.
pub(super) fn bound(profile: Profile) -> Duration {
    profile.dead_after() + profile.interval()
}

/// Two hosts never answered at the same time, but for `tolerated`.
pub(super) fn one_answers(view: &View, tolerated: &Range<Duration>) -> Result<(), Trouble> {
    let before = view
        .tally
        .overlaps(|_, answered| answered < tolerated.start);
    let after = view.tally.overlaps(|asked, _| asked >= tolerated.end);
    let overlaps = [before, after].concat();
    let Some(Overlap { address, asked }) = overlaps.first() else {
        return Ok(());
    };
    Err(Trouble::Unexpected {
        expected: format!("{} never hears two hosts answer at a time", view.client),
        seen: format!(
            "two answer for {address} at {:.3} s, {} times in all",
            asked.as_secs_f64(),
            overlaps.len()
        ),
    })
}

/// Every address was answered for again within the bound.
pub(super) fn answered_within(view: &View, bound: Duration) -> Result<(), Trouble> {
    let silent = |address: &IpAddr| view.tally.longest_silence(*address);
    for address in cluster::addresses() {
        let silence = silent(&address);
        if silence > bound + STALL {
            return Err(Trouble::Unexpected {
                expected: format!("somebody answers for {address} within {bound:?}"),
                seen: format!("nobody for {silence:?}"),
            });
        }
    }
    let reports = view.streams.iter();
    let worst = reports.max_by_key(|report| report.longest_gap_us);
    match worst {
        Some(worst) if worst.longest_gap_us > micros(bound + STALL) => Err(Trouble::Unexpected {
            expected: format!(
                "{} is served at {} again within {bound:?}",
                view.client, worst.address
            ),
            seen: format!("it is after {:.1} ms", millis(worst.longest_gap_us)),
        }),
        _ => Ok(()),
    }
}

/// Every question to the watched service was served.
pub(super) fn nothing_lost(view: &View) -> Result<(), Trouble> {
    let lost = view.streams.iter().find(|report| report.lost > 0);
    lost.map_or(Ok(()), |report| {
        Err(Trouble::Unexpected {
            expected: format!("{} loses nothing", view.client),
            seen: format!(
                "{} of {} questions to {} were lost",
                report.lost, report.sent, report.address
            ),
        })
    })
}

/// The client's questions to the watched service are served by `host` at the end.
pub(super) fn served_by(view: &View, host: &str) -> Result<(), Trouble> {
    let expected = format!("{host} serves {}", view.client);
    served(view, &expected, |last| last == host)
}

/// The client's questions to the watched service are served by another than `host` at the end.
pub(super) fn served_by_another(view: &View, host: &str) -> Result<(), Trouble> {
    let expected = format!("another than {host} serves {}", view.client);
    served(view, &expected, |last| last != host)
}

/// A host neither answered for an address of a service nor announced one in `during`.
pub(super) fn silent(
    view: &View,
    host: Mac,
    name: &str,
    during: &Range<Duration>,
) -> Result<(), Trouble> {
    let answers = view.tally.answers().iter();
    let answers = answers.filter(|answer| answer.from == host && during.contains(&answer.at));
    let answers = answers.map(|answer| (answer.at, answer.address, Message::Answer));
    let services = cluster::addresses();
    let heard = view.heard.iter().filter(|sighting| {
        let says_so = matches!(sighting.message, Message::Answer | Message::Announcement);
        says_so && sighting.from == host && services.contains(&sighting.address)
    });
    let heard = heard.filter(|sighting| during.contains(&sighting.at));
    let heard = heard.map(|sighting| (sighting.at, sighting.address, sighting.message));
    let Some((at, address, message)) = answers.chain(heard).min_by_key(|(at, ..)| *at) else {
        return Ok(());
    };
    let since = at.saturating_sub(during.start);
    Err(Trouble::Unexpected {
        expected: format!(
            "{name} claims nothing for {:?}",
            during.end.saturating_sub(during.start)
        ),
        seen: format!("{message:?} for {address} after {since:?}"),
    })
}

fn served(view: &View, expected: &str, is_right: impl Fn(&str) -> bool) -> Result<(), Trouble> {
    for report in &view.streams {
        let last = report.answers.iter().max_by_key(|share| share.last_us);
        if !last.is_some_and(|last| is_right(&last.host)) {
            return Err(Trouble::Unexpected {
                expected: format!("{expected} at {}", report.address),
                seen: format!("{last:?}"),
            });
        }
    }
    Ok(())
}

/// What a machine that compiles meanwhile may add: ordinary processes were seen to stall for
/// three quarters of a second on two busy processors.
const STALL: Duration = Duration::from_secs(1);
