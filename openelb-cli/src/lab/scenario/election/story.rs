//! What happened as people read it: one line a moment, counted from what was done to a node.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::{Outcome, Scenario};
use super::watch::View;
use crate::lab::capture::Message;
use crate::lab::clock::{micros, millis};
use crate::lab::cluster;
use crate::lab::probe::StreamReport;

/// What was done to a node, and when.
#[derive(Debug)]
pub(super) struct Event {
    /// In words.
    pub(super) what: String,
    /// On the play's clock.
    pub(super) at: Duration,
}

/// A moment after an event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
struct Moment {
    /// Microseconds since the event.
    after_us: u64,
    /// What was seen, in words.
    what: String,
}

/// The outcome of a step: the summary, then the moments, then what each client lost.
pub(super) fn tell(
    play: &Scenario<'_>,
    event: &Event,
    views: &[View],
    bound: Duration,
    summary: String,
) -> Outcome {
    let moments = moments(play, event, views);
    let lines = moments.iter().map(|moment| {
        let after = millis(moment.after_us);
        format!("{after:>9.1} ms  {}", moment.what)
    });
    let mut details: Vec<_> = lines.collect();
    for view in views {
        details.extend(view.streams.iter().map(|report| describe(view, report)));
        details.push(census(view, bound));
    }
    let clients: Vec<_> = views.iter().map(|view| facts(play, view)).collect();
    Outcome {
        summary,
        details,
        facts: json!({
            "event": event.what,
            "bound_us": micros(bound),
            "moments": moments,
            "clients": clients,
        }),
    }
}

/// How long after the event the last client was first served by another node; zero when none was.
pub(super) fn served_after(event: &Event, views: &[View]) -> Duration {
    let reports = views.iter().flat_map(|view| &view.streams);
    let firsts = reports.flat_map(|report| &report.answers);
    let firsts = firsts.map(|share| Duration::from_micros(share.first_us));
    firsts.max().unwrap_or_default().saturating_sub(event.at)
}

/// The event and what followed from it, in order.
fn moments(play: &Scenario<'_>, event: &Event, views: &[View]) -> Vec<Moment> {
    let mut moments = vec![Moment {
        after_us: 0,
        what: event.what.clone(),
    }];
    let mut said = BTreeSet::new();
    for view in views {
        for (host, address, at) in announcements(play, view) {
            // The first is the news; a second client hears the same.
            if at >= event.at && said.insert((host, address)) {
                let what = format!("{host} announces {address}");
                moments.push(event.then(at, what));
            }
        }
        for (host, address, at) in first_answers(view) {
            if at >= event.at {
                let what = format!("{host} serves {} at {address}", view.client);
                moments.push(event.then(at, what));
            }
        }
    }
    moments.sort();
    moments
}

impl Event {
    fn then(&self, at: Duration, what: String) -> Moment {
        Moment {
            after_us: micros(at.saturating_sub(self.at)),
            what,
        }
    }
}

/// The announcements of watched addresses by hosts that did not have them at first.
fn announcements<'p>(play: &'p Scenario<'_>, view: &View) -> Vec<(&'p str, IpAddr, Duration)> {
    let mut found = Vec::new();
    for address in cluster::watched() {
        let first = view.tally.tenures(address).into_iter().next();
        let news = view.heard.iter().filter(|sighting| {
            let is_new = first.is_none_or(|tenure| tenure.host != sighting.from);
            is_new && (sighting.message, sighting.address) == (Message::Announcement, address)
        });
        let host = |mac| play.network.owner(mac).unwrap_or("a stranger");
        found.extend(news.map(|sighting| (host(sighting.from), address, sighting.at)));
    }
    found
}

/// When each host served a client for the first time.
fn first_answers(view: &View) -> impl Iterator<Item = (&str, IpAddr, Duration)> {
    view.streams.iter().flat_map(|report| {
        let shares = report.answers.iter();
        shares.map(|share| {
            let first = Duration::from_micros(share.first_us);
            (share.host.as_str(), report.address, first)
        })
    })
}

fn describe(view: &View, report: &StreamReport) -> String {
    let StreamReport {
        address,
        sent,
        lost,
        longest_gap_us,
        answers,
        ..
    } = report;
    let gap = millis(*longest_gap_us);
    let hosts: Vec<_> = answers.iter().map(|share| share.host.as_str()).collect();
    let hosts = hosts.join(", then ");
    let client = view.client;
    format!(
        "{client} asked {address:<13} {sent} times, {lost} lost, at most {gap:.1} ms without an answer: {hosts}"
    )
}

fn census(view: &View, bound: Duration) -> String {
    let (rounds, silence) = (view.tally.rounds(), longest_silence(view));
    let overlaps = match view.tally.overlaps(|_, _| true).len() {
        0 => "never two answered at a time".to_owned(),
        times => format!("two answered at a time {times} times"),
    };
    let (silence, bound) = (millis(micros(silence)), millis(micros(bound)));
    format!(
        "{} asked everybody {rounds} times who has each of {} addresses: {overlaps}, nobody for {silence:.0} ms at most (bound {bound:.0} ms)",
        view.client,
        cluster::addresses().len()
    )
}

fn facts(play: &Scenario<'_>, view: &View) -> Value {
    let owners = cluster::addresses().into_iter().map(|address| {
        let tenures = view.tally.tenures(address).into_iter();
        let hosts: Vec<_> = tenures
            .map(|tenure| play.network.owner(tenure.host))
            .collect();
        json!({ "address": address, "answered_by": hosts })
    });
    json!({
        "client": view.client,
        "streams": view.streams,
        "rounds": view.tally.rounds(),
        "overlaps": view.tally.overlaps(|_, _| true).len(),
        "longest_silence_us": micros(longest_silence(view)),
        "owners": owners.collect::<Vec<_>>(),
    })
}

fn longest_silence(view: &View) -> Duration {
    let silent = |address: IpAddr| view.tally.longest_silence(address);
    let all = cluster::addresses().into_iter().map(silent);
    all.max().unwrap_or_default()
}
