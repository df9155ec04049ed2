//! The records that one object holds: who has which address, as confirmed by the server.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use openelb_ipam::relative::Names;
use smallvec::SmallVec;

use super::follow::{key_text, parse_key};
use super::key::{Key, Tick};
use super::retry::Retry;
use super::{Object, WriteId};
use crate::api::{EipStatus, owners_of};

/// Who has which address.
pub(super) type Records = BTreeMap<IpAddr, Owners>;

/// Who has an address: nearly always one, sharers in the order of the record.
pub(super) type Owners = SmallVec<[Key; 1]>;

/// The records of one object, and the write that is under way for it.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// The Eip whose addresses they are.
    pub(super) pool: Arc<str>,
    /// The newest version known; `None`: the object does not exist.
    pub(super) version: Option<String>,
    /// How many times the records were written, by whomever.
    pub(super) revision: i64,
    /// As the newest version has them.
    pub(super) records: Records,
    /// Entries that are no record. Nobody can release them, so they are kept as they are.
    pub(super) strange: BTreeMap<String, String>,
    /// When records written by another controller were seen last.
    pub(super) foreign_at: Tick,
    /// When the last write that succeeded was issued.
    pub(super) own_at: Tick,
    /// Services with something to be added or removed here.
    pub(super) wanting: BTreeSet<Key>,
    /// Services that need a write from here, be it without a change.
    pub(super) touching: BTreeSet<Key>,
    /// Services that need to know what the server has here: see `doubt`.
    pub(super) looking: BTreeSet<Key>,
    pub(super) flight: Option<Flight>,
    /// What was seen while a write was under way: whether it is that write's own doing is known once
    /// it is answered. With whether the watch brought it.
    pub(super) stash: Option<(Object, bool)>,
    pub(super) retry: Retry,
    /// The object cannot be read: nothing is written to it.
    pub(super) is_frozen: bool,
}

/// A write that is under way.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) id: WriteId,
    pub(super) issued: Tick,
    pub(super) what: Errand,
}

/// What a write does.
#[derive(Debug)]
pub(super) enum Errand {
    /// The records, and for an Eip the rest of its status.
    Records {
        edits: Vec<Edit>,
        /// Who needed the write as such.
        touching: BTreeSet<Key>,
        status: Option<Box<EipStatus>>,
    },
    /// The finalizers of an Eip.
    Finalizers(Vec<String>),
    /// Deletes an empty block.
    Delete,
    Read,
}

/// One record to be added or removed.
#[derive(Debug, Clone)]
pub(super) struct Edit {
    pub(super) key: Key,
    pub(super) address: IpAddr,
    pub(super) is_add: bool,
}

impl Ledger {
    pub(super) fn of_pool(pool: impl Into<Arc<str>>) -> Self {
        Self {
            pool: pool.into(),
            ..Self::default()
        }
    }

    pub(super) fn has(&self, address: IpAddr, key: &Key) -> bool {
        let owners = self.records.get(&address);
        owners.is_some_and(|owners| owners.contains(key))
    }

    /// Whether a record is there and will still be there after the write under way.
    pub(super) fn is_held(&self, address: IpAddr, key: &Key) -> bool {
        let is_leaving = match &self.flight {
            Some(Flight {
                what: Errand::Records { edits, .. },
                ..
            }) => edits
                .iter()
                .any(|edit| !edit.is_add && edit.address == address && edit.key == *key),
            _ => false,
        };
        self.has(address, key) && !is_leaving && !self.retry.is_stale
    }

    /// The records in the form of `Eip.status.used`, with edits applied.
    pub(super) fn render(&self, edits: &[Edit], names: &Names) -> BTreeMap<String, String> {
        let mut changed = Records::new();
        for edit in edits {
            let owners = changed
                .entry(edit.address)
                .or_insert_with(|| self.records.get(&edit.address).cloned().unwrap_or_default());
            owners.retain(|owner| *owner != edit.key);
            if edit.is_add {
                owners.push(edit.key.clone());
            }
        }
        let unchanged = self.records.iter();
        let unchanged = unchanged.filter(|(address, _)| !changed.contains_key(address));
        let mut used = self.strange.clone();
        for (address, owners) in unchanged.chain(&changed) {
            if !owners.is_empty() {
                let texts: Vec<_> = owners.iter().map(ToString::to_string).collect();
                used.insert(key_text(names, *address), texts.join(";"));
            }
        }
        used
    }
}

/// Reads `Eip.status.used`: the records, and the entries that are none.
pub(super) fn parse(
    used: BTreeMap<String, String>,
    names: &mut Names,
) -> (Records, BTreeMap<String, String>) {
    let (mut records, mut strange) = (Records::new(), BTreeMap::new());
    for (address, record) in used {
        let keys: Option<Owners> = owners_of(&record).map(Key::parse).collect();
        let read = parse_key(&address).filter(|(_, name)| {
            // What another name has the block of is no record that can be told apart.
            name.as_ref().is_none_or(|name| names.insert(name).is_ok())
        });
        match (read, keys) {
            (Some((address, _)), Some(mut keys)) => {
                let known: &mut Owners = records.entry(address).or_default();
                keys.retain(|key| !known.contains(key));
                for key in keys {
                    if !known.contains(&key) {
                        known.push(key);
                    }
                }
            }
            _ => {
                strange.insert(address, record);
            }
        }
    }
    (records, strange)
}
