//! The link side in words: what the election and the virtual routers do, for the log, the journal and
//! whoever asks.

mod election;
mod narrate;
mod vrrp;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use openelb_announce::announcer::Event;
use openelb_announce::ownership::{self, How};

use super::journal::{About, Journal};

pub(super) use self::election::{drained, drained_elsewhere, report as election_report};
pub(super) use self::vrrp::report as vrrp_report;

/// What happened on the links: the last events, and counts that no status has.
#[derive(Debug, Default)]
pub(super) struct Notes(Mutex<Noted>);

/// The inside of [`Notes`].
#[derive(Debug, Default)]
pub(super) struct Noted {
    /// The last events.
    pub(super) journal: Journal,
    /// Shards that came because their owner fell silent, by interface.
    pub(super) takeovers: BTreeMap<String, u64>,
}

impl Notes {
    /// Writes an event down, and into the log at the level at which an operator wants to hear of it.
    pub(super) fn hear(&self, event: &Event) {
        narrate::log(event);
        let interface = interface_of(event);
        let mut noted = self.open();
        if let (Some(text), true) = (narrate::text(event), is_noted(event)) {
            let about = About {
                interface: interface.map(str::to_owned),
                ..About::default()
            };
            noted.journal.note(about, text);
        }
        if let Event::Ownership {
            interface,
            event: ownership::Event::Acquired {
                how: How::Takeover, ..
            },
        } = event
        {
            *noted.takeovers.entry(interface.to_string()).or_insert(0) += 1;
        }
    }

    /// What was noted.
    pub(super) fn open(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn interface_of(event: &Event) -> Option<&str> {
    match event {
        Event::Address { interface, .. }
        | Event::Ownership { interface, .. }
        | Event::Router { interface, .. } => Some(interface),
        _ => None,
    }
}

/// Whether an event is one of those that `l2 monitor` is asked for.
fn is_noted(event: &Event) -> bool {
    !matches!(event, Event::Missed(_))
}
