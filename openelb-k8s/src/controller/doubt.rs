//! What a Service shows and no record that is known tells of: made sure of before it is taken away.
//!
//! The watches of Eips and of Services do not wait for each other, so a Service can be seen with an
//! address whose record is still on its way. Whoever then believed its own records would take away
//! what another controller has just given. So every object that may have the record is read first. A
//! reading that was asked for after a version of a Service was seen tells of every record that this
//! version was written for: the record was confirmed before.

use std::collections::BTreeSet;
use std::net::IpAddr;

use openelb_ipam::{PoolName, Time};

use super::holder::{Errand, Holder, Stance};
use super::key::{Key, LedgerId, Subject, Tick};
use super::ledger::Edit;
use super::{Change, Machine, apply};
use crate::api::{AddressBlock, Ledger};

impl Machine {
    /// Whether the records are known well enough to write to a Service; asks for those that are not.
    pub(super) fn is_sure(&mut self, key: &Key, now: Time) -> bool {
        let unsure = self.unsure(key);
        for id in &unsure {
            self.look(key, id, now);
        }
        unsure.is_empty()
    }

    /// What has to be read before a Service may lose what it shows; nothing when it loses nothing
    /// without a record, or when its user wants it to.
    fn unsure(&self, key: &Key) -> Vec<LedgerId> {
        let Some(holder) = self.holders.get(key) else {
            return Vec::new();
        };
        if holder.stance != Stance::Customer || holder.is_barred {
            return Vec::new();
        }
        let mut lost = holder.shown();
        lost.retain(|it| !holder.is_granted(*it) && !holder.is_recorded(*it));
        if lost.is_empty() {
            return Vec::new();
        }
        let mut ids = self.homes_of(holder, &lost);
        ids.retain(|id| {
            let ledger = self.ledger(id);
            let is_written = ledger.is_some_and(|ledger| ledger.own_at >= holder.seen);
            !is_written && !holder.looked.contains(id)
        });
        ids
    }

    /// Every object that may have a record of the addresses: any pool, because what it lists may be
    /// on its way as well. One that is being deleted takes no record any more.
    fn homes_of(&self, holder: &Holder, addresses: &[IpAddr]) -> Vec<LedgerId> {
        let label = holder.service.as_deref().and_then(apply::label_of);
        let label = label.filter(|it| !self.pools.contains_key(*it));
        let label = label.filter(|it| it.parse::<PoolName>().is_ok());
        let mut ids: Vec<LedgerId> = label.map(LedgerId::eip).into_iter().collect();
        for (name, pool) in self.pools.iter().filter(|(_, pool)| !pool.is_deleting()) {
            ids.push(LedgerId::eip(name.clone()));
            if pool.eip.status.ledger == Ledger::Blocks {
                let blocks = addresses.iter().map(|it| AddressBlock::name_of(name, *it));
                ids.extend(blocks.map(LedgerId::block));
            }
        }
        ids
    }

    /// Has an object read on behalf of a Service.
    fn look(&mut self, key: &Key, id: &LedgerId, now: Time) {
        if self.ledger(id).is_none() {
            self.open_block(id);
        }
        if let Some(ledger) = self.ledger_mut(id) {
            ledger.looking.insert(key.clone());
            self.stirred.insert(id.clone());
            return;
        }
        // A pool that only the label of the Service tells of.
        let holder = self.holders.get(key);
        if holder.is_some_and(|it| it.flight.is_none() && !it.retry.is_resting(now)) {
            let what = Change::Read {
                kind: id.kind,
                namespace: String::new(),
                name: id.name.to_string(),
            };
            self.issue_to_service(key, what, Errand::Look(id.clone()));
        }
    }

    /// Has a Service read before a record is written anew that another controller removed: that one
    /// saw the Service without the address, or gone, and this one's watch may be behind. Without a
    /// look the record would come and go at the speed of two requests until the watch tells.
    pub(super) fn doubt_removal(&mut self, removal: &Edit, now: Time) {
        let Edit { key, address, .. } = removal;
        let seed = (self.settings.seed, key.clone());
        let is_started = self.is_started;
        let Some(holder) = self.holders.get_mut(key).filter(|_| is_started) else {
            return;
        };
        let is_missed = holder.is_granted(*address) && !holder.is_recorded(*address);
        if is_missed && holder.service.is_some() {
            let until = holder.retry.go_stale(seed, now);
            self.timers.insert((until, Subject::Service(key.clone())));
        }
    }

    /// Enters that an object was read, as asked for at that moment.
    pub(super) fn looked(&mut self, id: &LedgerId, keys: BTreeSet<Key>, issued: Tick) {
        for key in keys {
            if let Some(holder) = self.holders.get_mut(&key)
                && holder.seen <= issued
            {
                holder.looked.push(id.clone());
            }
            self.dirty.insert(key);
        }
    }
}
