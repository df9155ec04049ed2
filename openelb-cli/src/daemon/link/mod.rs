//! The link side in words: what the election and the virtual routers do, for the log, the journal and
//! whoever asks.

mod batch;
mod election;
mod narrate;
mod vrrp;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use openelb_announce::announcer::Event;
use openelb_announce::ownership::{self, GroupId, GroupName, How};

use self::batch::Batch;
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
    /// Names of the groups, which events only number.
    names: HashMap<GroupId, GroupName>,
    batch: Batch,
}

impl Notes {
    /// Learns what the groups of the election are called.
    pub(super) fn learn<'a>(&self, names: impl Iterator<Item = &'a GroupName>) {
        let mut noted = self.open();
        noted
            .names
            .extend(names.map(|name| (name.id(), name.clone())));
    }

    /// Writes an event down, and into the log at the level at which an operator wants to hear of it.
    /// Shards wait for those that go the same way: call [`settle`](Self::settle) soon.
    pub(super) fn hear(&self, event: &Event) {
        let mut noted = self.open();
        noted.count(event);
        if noted.batch.take(event) {
            return;
        }
        // What led to this comes first.
        noted.settle();
        narrate::log(event);
        if let Some(text) = narrate::text(event) {
            noted.note(interface_of(event), text);
        }
    }

    /// Tells of the shards that waited.
    pub(super) fn settle(&self) {
        self.open().settle();
    }

    /// Whether shards wait to be told of.
    pub(super) fn is_settled(&self) -> bool {
        self.open().batch.is_empty()
    }

    /// What was noted.
    pub(super) fn open(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Noted {
    fn settle(&mut self) {
        for moved in self.batch.take_all() {
            let text = narrate::moved(&moved, self.names.get(&moved.group));
            narrate::log_move(&moved, &text);
            self.note(Some(&moved.interface), text);
        }
    }

    fn note(&mut self, interface: Option<&str>, text: String) {
        let about = About {
            interface: interface.map(str::to_owned),
            ..About::default()
        };
        self.journal.note(about, text);
    }

    fn count(&mut self, event: &Event) {
        if let Event::Ownership { interface, event } = event
            && let ownership::Event::Acquired { how, .. } = event
            && *how == How::Takeover
        {
            *self.takeovers.entry(interface.to_string()).or_insert(0) += 1;
        }
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
