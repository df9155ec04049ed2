//! What the watches and readings show, entered into what is known.

use std::mem;
use std::net::IpAddr;
use std::sync::Arc;

use openelb_ipam::Time;

use super::apply::{condition_of, says_the_same};
use super::holder::{self, Holder};
use super::key::{Key, LedgerId, is_older};
use super::ledger::{self, Edit, Ledger, Records};
use super::pools::PoolState;
use super::{Kind, Machine, Object};
use crate::api::{AddressBlock, Eip, ObjectMeta};
use crate::cluster::{Namespace, Service};
use crate::pool;

/// A block and its records.
#[derive(Debug)]
pub(super) struct BlockState {
    pub(super) metadata: ObjectMeta,
    /// Lowest address that it can hold, as it is written.
    pub(super) first: String,
    pub(super) ledger: Ledger,
}

impl Machine {
    /// An Eip as the server has or had it.
    pub(super) fn see_eip(&mut self, eip: Box<Eip>, is_watched: bool, now: Time) {
        let name: Arc<str> = eip.metadata.name.as_str().into();
        self.note_listed(Kind::Eip, &name);
        let version = eip.metadata.resource_version.clone().unwrap_or_default();
        let is_other = |pool: &PoolState| pool.eip.metadata.uid != eip.metadata.uid;
        if self.pools.get(&name).is_some_and(is_other) {
            self.lose_eip(&name);
        }
        if let Some(pool) = self.pools.get_mut(&name) {
            let known = pool.ledger.version.clone().unwrap_or_default();
            if is_older(&version, &known) {
                return;
            }
            if pool.ledger.flight.is_some() {
                pool.ledger.stash = Some((Object::Eip(eip), is_watched));
                return;
            }
            if version == known && !version.is_empty() {
                pool.is_watched |= is_watched;
                pool.ledger.retry.refresh();
                self.stirred.insert(LedgerId::eip(name));
                return;
            }
        }
        self.take_eip(&name, eip, is_watched, now);
    }

    fn take_eip(&mut self, name: &Arc<str>, mut eip: Box<Eip>, is_watched: bool, now: Time) {
        let (records, strange) =
            ledger::parse(mem::take(&mut eip.status.used), &mut self.prefixes.names);
        let revision = eip.status.ledger_revision;
        let version = eip.metadata.resource_version.clone();
        let new = || PoolState::new(eip.clone());
        let pool = self.pools.entry(Arc::clone(name)).or_insert_with(new);
        if pool.eip.status.ledger != eip.status.ledger {
            // Records that are not there yet are wanted elsewhere from now on.
            self.dirty.extend(pool.ledger.wanting.iter().cloned());
        }
        pool.eip = eip;
        pool.is_watched = is_watched;
        pool.ledger.strange = strange;
        let id = LedgerId::eip(Arc::clone(name));
        self.take_records(&id, version, revision, &records, now);
        if let Some(pool) = self.pools.get_mut(name) {
            for entry in pool::relative(&pool.eip) {
                // What another name has the block of is refused where it is written.
                let _ = self.prefixes.names.insert(entry.range.prefix());
            }
            self.are_pools_due |= pool.reread();
        }
    }

    /// A block as the server has or had it.
    pub(super) fn see_block(&mut self, block: Box<AddressBlock>, now: Time) {
        let name: Arc<str> = block.metadata.name.as_str().into();
        self.note_listed(Kind::Block, &name);
        let version = block.metadata.resource_version.clone().unwrap_or_default();
        let is_other = |known: &BlockState| {
            known.ledger.version.is_some() && known.metadata.uid != block.metadata.uid
        };
        if self.blocks.get(&name).is_some_and(is_other) {
            self.lose_block(&name);
        }
        if let Some(known) = self.blocks.get_mut(&name) {
            let present = known.ledger.version.clone().unwrap_or_default();
            if is_older(&version, &present) {
                return;
            }
            if known.ledger.flight.is_some() {
                known.ledger.stash = Some((Object::Block(block), true));
                return;
            }
            if version == present && !version.is_empty() {
                known.ledger.retry.refresh();
                self.stirred.insert(LedgerId::block(name));
                return;
            }
        }
        self.take_block(name, *block, now);
    }

    fn take_block(&mut self, name: Arc<str>, block: AddressBlock, now: Time) {
        let (records, strange) = ledger::parse(block.spec.used, &mut self.prefixes.names);
        let new = || BlockState {
            metadata: ObjectMeta::default(),
            first: String::new(),
            ledger: Ledger::of_pool(block.spec.eip.as_str()),
        };
        let known = self.blocks.entry(Arc::clone(&name)).or_insert_with(new);
        let version = block.metadata.resource_version.clone();
        known.metadata = block.metadata;
        known.first = block.spec.first;
        known.ledger.strange = strange;
        let id = LedgerId::block(name);
        self.take_records(&id, version, block.spec.revision, &records, now);
    }

    /// Enters a version of an object that holds records. When another controller wrote them, all that
    /// was built on the older ones is looked at again.
    fn take_records(
        &mut self,
        id: &LedgerId,
        version: Option<String>,
        revision: i64,
        records: &Records,
        now: Time,
    ) {
        let tick = self.next_tick();
        let Some(ledger) = self.ledger_mut(id) else {
            return;
        };
        let is_new = ledger.version.is_none();
        let is_foreign = is_new || ledger.revision != revision || ledger.records != *records;
        ledger.version = version;
        ledger.revision = revision;
        ledger.is_frozen = false;
        ledger.retry.refresh();
        if is_foreign {
            ledger.foreign_at = tick;
            if self.is_started && !is_new {
                self.rival_seen = Some(now);
            }
            for edit in self.replace_records(id, records) {
                if !edit.is_add {
                    self.doubt_removal(&edit, now);
                }
                self.look_again(edit.key);
            }
        }
        self.stirred.insert(id.clone());
    }

    /// Replaces all records of an object; gives back what changed.
    fn replace_records(&mut self, id: &LedgerId, records: &Records) -> Vec<Edit> {
        let Some(ledger) = self.ledger_mut(id) else {
            return Vec::new();
        };
        let old = mem::replace(&mut ledger.records, records.clone());
        let mut edits = Vec::new();
        let edit = |key: &Key, address: &IpAddr, is_add: bool| Edit {
            key: key.clone(),
            address: *address,
            is_add,
        };
        for (address, owners) in &old {
            let now = records.get(address);
            for key in owners {
                if now.is_none_or(|now| !now.contains(key)) {
                    self.unrecord(key, *address, id);
                    self.look_at_sharers(*address);
                    edits.push(edit(key, address, false));
                }
            }
        }
        for (address, owners) in records {
            let before = old.get(address);
            for key in owners {
                if before.is_none_or(|before| !before.contains(key)) {
                    self.record(key, *address, id);
                    edits.push(edit(key, address, true));
                }
            }
        }
        edits
    }

    pub(super) fn lose_eip(&mut self, name: &str) {
        self.replace_records(&LedgerId::eip(name), &Records::new())
            .into_iter()
            .for_each(|edit| self.look_again(edit.key));
        if let Some(pool) = self.pools.remove(name) {
            self.are_pools_due = true;
            self.dirty.extend(pool.ledger.looking);
        }
        let blocks = self.blocks.iter();
        let blocks = blocks.filter(|(_, block)| *block.ledger.pool == *name);
        let blocks: Vec<_> = blocks
            .map(|(name, _)| LedgerId::block(Arc::clone(name)))
            .collect();
        self.stirred.extend(blocks);
    }

    pub(super) fn lose_block(&mut self, name: &str) {
        let id = LedgerId::block(name);
        self.replace_records(&id, &Records::new())
            .into_iter()
            .for_each(|edit| self.look_again(edit.key));
        if let Some(block) = self.blocks.remove(name) {
            self.dirty.extend(block.ledger.wanting);
            self.dirty.extend(block.ledger.looking);
            self.stirred.insert(LedgerId::eip(block.ledger.pool));
        }
    }

    fn look_again(&mut self, key: Key) {
        self.readopt.insert(key.clone());
        self.dirty.insert(key);
    }

    /// A Service as the server has or had it.
    pub(super) fn see_service(&mut self, service: Box<Service>, now: Time) {
        let metadata = &service.metadata;
        let key = Key::new(&metadata.namespace, &metadata.name);
        self.note_listed(Kind::Service, &key.to_string());
        let tick = self.next_tick();
        let holder = self.holders.entry(key.clone()).or_default();
        if let Some(known) = &holder.service
            && known.metadata.uid == service.metadata.uid
        {
            let (version, known) = (holder::version(&service), holder::version(known));
            if is_older(version, known) {
                return;
            }
            if version == known && !version.is_empty() && holder.flight.is_none() {
                holder.is_frozen = false;
                if mem::take(&mut holder.retry.is_stale) {
                    holder.retry.refresh();
                    self.dirty.insert(key);
                }
                return;
            }
        }
        if holder.flight.is_some() {
            holder.stash = Some(service);
            return;
        }
        let is_same = holder.service.as_ref().is_some_and(|known| {
            known.metadata.uid == service.metadata.uid && known.shown().eq(service.shown())
        });
        if !is_same {
            holder.fence = None;
        }
        if let Some(known) = &holder.service
            && !says_the_same(condition_of(known), condition_of(&service))
        {
            // Only a controller of this kind writes that condition.
            self.rival_seen = Some(now);
        }
        holder.seen = tick;
        holder.looked.clear();
        holder.service = Some(service);
        holder.retry.refresh();
        holder.is_frozen = false;
        holder.is_barred = false;
        holder.force = false;
        self.note_shown(&key);
        // Of two records that two controllers made, the one that is shown stays.
        let has_gap = self.holders.get(&key).is_some_and(|it| it.has_gap());
        if has_gap || !is_same {
            self.readopt.insert(key.clone());
        }
        self.dirty.insert(key);
    }

    pub(super) fn lose_service(&mut self, key: &Key) {
        let tick = self.next_tick();
        if let Some(holder) = self.holders.get_mut(key) {
            holder.service = None;
            holder.shown.clear();
            holder.stash = None;
            holder.fence = None;
            holder.seen = tick;
            holder.looked.clear();
            holder.is_frozen = false;
            holder.retry.refresh();
            self.dirty.insert(key.clone());
        }
        if self.strangers.has(key) {
            self.readopt.insert(key.clone());
        }
    }

    pub(super) fn see_namespace(&mut self, namespace: Box<Namespace>) {
        let name: Arc<str> = namespace.metadata.name.as_str().into();
        self.note_listed(Kind::Namespace, &name);
        let before = self.namespaces.insert(Arc::clone(&name), namespace);
        let labels = |namespace: &Namespace| namespace.metadata.labels.clone();
        let now = self
            .namespaces
            .get(&name)
            .map(|namespace| labels(namespace));
        if before.map(|before| labels(&before)) != now {
            self.look_at_namespace(&name);
        }
    }

    pub(super) fn lose_namespace(&mut self, name: &str) {
        if self.namespaces.remove(name).is_some() {
            self.look_at_namespace(name);
        }
    }

    /// Only who has not all that it asks for can gain by other labels; who has keeps it.
    fn look_at_namespace(&mut self, name: &str) {
        let first = Key::new(name, "");
        let of_namespace = self.holders.range(first..);
        let of_namespace = of_namespace.take_while(|(key, _)| key.namespace() == name);
        let keys: Vec<Key> = of_namespace.map(|(key, _)| key.clone()).collect();
        self.dirty.extend(keys);
    }

    /// An object that is no valid one of its kind.
    pub(super) fn see_unreadable(&mut self, kind: Kind, namespace: &str, name: &str) {
        match kind {
            Kind::Eip => {
                self.note_listed(kind, name);
                if let Some(pool) = self.pools.get_mut(name) {
                    pool.ledger.is_frozen = true;
                }
            }
            Kind::Block => {
                self.note_listed(kind, name);
                if let Some(block) = self.blocks.get_mut(name) {
                    block.ledger.is_frozen = true;
                }
            }
            Kind::Service => {
                let key = Key::new(namespace, name);
                self.note_listed(kind, &key.to_string());
                let holder: &mut Holder = self.holders.entry(key).or_default();
                holder.is_frozen = true;
            }
            Kind::Namespace => self.note_listed(kind, name),
        }
    }

    pub(super) fn begin_list(&mut self, kind: Kind) {
        self.listing.insert(kind, Vec::new());
    }

    fn note_listed(&mut self, kind: Kind, name: &str) {
        if let Some(listed) = self.listing.get_mut(&kind) {
            listed.push(name.to_owned());
        }
    }

    /// What a list did not name is gone.
    pub(super) fn end_list(&mut self, kind: Kind) {
        self.synced.insert(kind);
        let Some(mut listed) = self.listing.remove(&kind) else {
            return;
        };
        listed.sort_unstable();
        let is_missing = |name: &str| listed.binary_search_by(|it| (**it).cmp(name)).is_err();
        match kind {
            Kind::Eip => {
                let gone: Vec<_> = self
                    .pools
                    .keys()
                    .filter(|name| is_missing(name))
                    .cloned()
                    .collect();
                for name in &gone {
                    self.lose_eip(name);
                }
            }
            Kind::Block => {
                let blocks = self.blocks.iter();
                let gone = blocks.filter(|(name, block)| {
                    // One that is being created is not there yet.
                    is_missing(name) && block.ledger.version.is_some()
                });
                let gone: Vec<_> = gone.map(|(name, _)| Arc::clone(name)).collect();
                for name in &gone {
                    self.lose_block(name);
                }
            }
            Kind::Service => {
                let known = self.holders.iter();
                let gone = known.filter(|(key, holder)| {
                    holder.service.is_some() && is_missing(&key.to_string())
                });
                let gone: Vec<_> = gone.map(|(key, _)| key.clone()).collect();
                for key in &gone {
                    self.lose_service(key);
                }
            }
            Kind::Namespace => {
                let names = self.namespaces.keys();
                let gone: Vec<_> = names.filter(|name| is_missing(name)).cloned().collect();
                for name in &gone {
                    self.lose_namespace(name);
                }
            }
        }
    }
}
