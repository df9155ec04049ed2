//! What happened to the peers: in the log at once, and kept for a while for whoever asks.

use std::collections::VecDeque;

use openelb_announce::announcer::speaker::Event;
use openelb_announce::bgp::peer::{self, State};
use openelb_announce::bgp::speaker;
use tracing::{debug, info, warn};

use crate::engine::{EventReport, EventsReport};

/// The last events, numbered from 1.
#[derive(Debug, Default)]
pub(super) struct Journal {
    events: VecDeque<EventReport>,
    count: u64,
}

impl Journal {
    pub(super) fn note(&mut self, event: &Event) {
        self.count += 1;
        if self.events.len() == MOST_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(EventReport {
            number: self.count,
            at: jiff::Timestamp::now().to_string(),
            peer: peer_of(event),
            text: event.to_string(),
        });
    }

    pub(super) fn since(&self, from: Option<u64>) -> EventsReport {
        let next = self.count + 1;
        let from = from.unwrap_or(next);
        let events = self.events.iter().filter(|event| event.number >= from);
        EventsReport {
            events: events.cloned().collect(),
            next,
        }
    }
}

/// One line for each event, at the level at which an operator wants to hear of it.
pub(super) fn log(event: &Event) {
    match event {
        Event::Speaker(speaker::Event::Peer { name, event: told }) => match told {
            peer::Event::StateChanged {
                to: State::Established,
                ..
            } => info!(peer = %name, "BGP session established"),
            peer::Event::StateChanged { from, to } => {
                debug!(peer = %name, %from, %to, "BGP session");
            }
            peer::Event::EndOfRib(_) | peer::Event::StaleRoutesForgotten => info!("BGP {event}"),
            _ => warn!("BGP {event}"),
        },
        Event::Listening(_) => info!("BGP {event}"),
        _ => warn!("BGP {event}"),
    }
}

fn peer_of(event: &Event) -> Option<String> {
    match event {
        Event::Speaker(
            speaker::Event::Peer { name, .. } | speaker::Event::DuplicateRouterId { name, .. },
        ) => Some(name.to_string()),
        _ => None,
    }
}

/// Hours of ordinary life, and no burden: about 200 octets each.
const MOST_EVENTS: usize = 1_024;
