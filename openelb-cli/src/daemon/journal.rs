//! What happened, kept for a while for whoever asks.

use std::collections::VecDeque;

use crate::engine::{EventReport, EventsReport};

/// The last events, numbered from 1.
#[derive(Debug, Default)]
pub(super) struct Journal {
    events: VecDeque<EventReport>,
    count: u64,
}

/// What an event is about.
#[derive(Debug, Default)]
pub(super) struct About {
    /// A BGP peer.
    pub(super) peer: Option<String>,
    /// An interface.
    pub(super) interface: Option<String>,
    /// A prefix.
    pub(super) prefix: Option<String>,
}

impl Journal {
    /// Writes an event down, as of now.
    pub(super) fn note(&mut self, about: About, text: String) {
        self.count += 1;
        if self.events.len() == MOST_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(EventReport {
            number: self.count,
            at: jiff::Timestamp::now().to_string(),
            peer: about.peer,
            interface: about.interface,
            prefix: about.prefix,
            text,
        });
    }

    /// What happened from a number on; without one, only the number of the next event.
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

/// Hours of ordinary life, and no burden: about 200 octets each.
const MOST_EVENTS: usize = 1_024;
