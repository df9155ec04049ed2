//! Group commit: one write at a time for each object that holds records, with all that became due
//! since the one before.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use openelb_ipam::Time;
use smallvec::SmallVec;

use super::key::{Key, LedgerId, Subject};
use super::ledger::{Edit, Errand, Flight, Ledger};
use super::observe::BlockState;
use super::pools::OVERLAP;
use super::{Change, Kind, Machine};
use crate::api::{self, AddressBlock, EipStatus, ObjectMeta};
use crate::names;
use crate::wish;

impl Machine {
    /// Writes what is due to an object, unless a write is under way.
    pub(super) fn commit(&mut self, id: &LedgerId, now: Time) {
        let Some(ledger) = self.ledger(id) else {
            return;
        };
        if ledger.flight.is_some() || ledger.is_frozen || ledger.retry.is_stale {
            return;
        }
        if ledger.retry.is_resting(now) {
            return;
        }
        if !ledger.looking.is_empty() {
            self.read_ledger(id);
            return;
        }
        let edits = self.edits(id);
        match id.kind {
            Kind::Eip => self.commit_eip(id, edits, now),
            _ => self.commit_block(id, edits),
        }
    }

    /// The records to be added and removed. Who wants nothing here any more is forgotten; who still
    /// has a record here that is to go, or to be shown, is looked at again: its fence was overtaken
    /// while it waited for its turn, or the ledger is known again, and nothing else would tell.
    fn edits(&mut self, id: &LedgerId) -> Vec<Edit> {
        let Some(ledger) = self.ledger(id) else {
            return Vec::new();
        };
        let wanting: Vec<Key> = ledger.wanting.iter().cloned().collect();
        let (mut removals, mut additions) = (Vec::new(), Vec::new());
        let mut idle = BTreeSet::new();
        for key in wanting {
            let before = removals.len() + additions.len();
            self.edits_of(&key, id, &mut removals, &mut additions);
            if removals.len() + additions.len() == before {
                idle.insert(key);
            }
        }
        let mut edits: Vec<Edit> = removals;
        for edit in additions {
            if self.is_admissible(&edit, id, &edits) {
                edits.push(edit);
            }
        }
        if let Some(ledger) = self.ledger_mut(id) {
            ledger.wanting.retain(|key| !idle.contains(key));
        }
        idle.retain(|key| self.is_waiting_at(key, id));
        self.dirty.extend(idle);
        edits
    }

    /// Whether an object has a record of a Service that is to go, or to be shown.
    fn is_waiting_at(&self, key: &Key, id: &LedgerId) -> bool {
        let Some(holder) = self.holders.get(key) else {
            return false;
        };
        let mut here = holder.records.iter().filter(|(_, at)| at == id);
        here.any(|(address, _)| {
            let grant = holder.grants.iter().find(|grant| grant.address == *address);
            let home = grant.and_then(|grant| self.home(grant));
            home.as_ref() != Some(id) || !holder.shows(*address)
        })
    }

    fn edits_of(
        &self,
        key: &Key,
        id: &LedgerId,
        removals: &mut Vec<Edit>,
        additions: &mut Vec<Edit>,
    ) {
        let (Some(holder), Some(ledger)) = (self.holders.get(key), self.ledger(id)) else {
            return;
        };
        let edit = |address: IpAddr, is_add: bool| Edit {
            key: key.clone(),
            address,
            is_add,
        };
        for (address, at) in &holder.records {
            if at == id && self.may_remove(key, *address, id) {
                removals.push(edit(*address, false));
            }
        }
        for grant in &holder.grants {
            let is_home = !holder.retry.is_stale && self.home(grant).as_ref() == Some(id);
            if is_home && !ledger.has(grant.address, key) {
                additions.push(edit(grant.address, true));
            }
        }
    }

    /// Whether a record may be added: every other owner of the address goes with the same write, or
    /// shares it with leave of the ledger of addresses.
    fn is_admissible(&self, edit: &Edit, id: &LedgerId, removals: &[Edit]) -> bool {
        let others = self.recorded.get(&edit.address);
        let is_alone = others.into_iter().flatten().all(|(owner, at)| {
            let is_removed = at == id
                && removals.iter().any(|removal| {
                    !removal.is_add && removal.key == *owner && removal.address == edit.address
                });
            *owner == edit.key || is_removed || self.is_held_by(owner, edit.address)
        });
        let is_granted = self.is_held_by(&edit.key, edit.address)
            || self
                .holders
                .get(&edit.key)
                .is_some_and(|it| it.tolerated.is_some());
        let Some(pool) = self.ledger(id).map(|ledger| &ledger.pool) else {
            return false;
        };
        // A record that moves from another pool gives nothing to anybody.
        let holder = self.holders.get(&edit.key);
        let is_move = holder.is_some_and(|holder| holder.is_recorded(edit.address));
        let is_open = self.pools.get(pool).is_some_and(|pool| !pool.is_deleting());
        is_alone && is_granted && is_open && (is_move || self.is_clear(pool, edit.address))
    }

    /// Whether the ledger of addresses has it that a Service holds an address.
    pub(super) fn is_held_by(&self, key: &Key, address: IpAddr) -> bool {
        let row = key
            .owner()
            .and_then(|owner| self.ipam.holdings(owner.as_str()));
        row.is_some_and(|row| row.claims.iter().any(|claim| claim.address == address))
    }

    fn commit_eip(&mut self, id: &LedgerId, edits: Vec<Edit>, now: Time) {
        let Some(pool) = self.pools.get(&id.name) else {
            return;
        };
        let finalizers = &pool.eip.metadata.finalizers;
        let has_finalizer = finalizers.iter().any(|it| it == names::EIP_FINALIZER);
        let mut wanted = finalizers.clone();
        if pool.is_deleting() {
            if edits.is_empty() && pool.ledger.records.is_empty() {
                if self.close_blocks(&id.name) && has_finalizer {
                    wanted.retain(|it| it != names::EIP_FINALIZER);
                    self.issue_finalizers(id, wanted);
                }
                return;
            }
        } else if !has_finalizer && edits.iter().any(|edit| edit.is_add) {
            // It is there before the first record is, so that no record goes with a deletion.
            wanted.push(names::EIP_FINALIZER.to_owned());
            self.issue_finalizers(id, wanted);
            return;
        }
        self.write_eip(id, edits, now);
    }

    /// Writes the status of an Eip, if there is anything to say.
    fn write_eip(&mut self, id: &LedgerId, mut edits: Vec<Edit>, now: Time) {
        let Some(pool) = self.pools.get(&id.name) else {
            return;
        };
        let mut form = pool.eip.status.ledger;
        if form == api::Ledger::Status && fit(&pool.ledger, &mut edits, self.settings.cap) {
            form = api::Ledger::Blocks;
        }
        let is_touch = !pool.ledger.touching.is_empty();
        let mut status = self.status_of(id, &edits, now);
        status.ledger = form;
        let Some(pool) = self.pools.get_mut(&id.name) else {
            return;
        };
        if edits.is_empty() && !is_touch && form == pool.eip.status.ledger {
            if status == pool.eip.status {
                return;
            }
            let is_urgent = pool.is_marked()
                != status
                    .conditions
                    .iter()
                    .any(|it| it.kind == OVERLAP && it.status == "True");
            if now < pool.status_after && !is_urgent {
                let until = pool.status_after;
                self.timers.insert((until, Subject::Ledger(id.clone())));
                return;
            }
        } else {
            status.ledger_revision += 1;
        }
        pool.status_after = now + STATUS_PAUSE;
        let touching = mem::take(&mut pool.ledger.touching);
        status.used = pool.ledger.render(&edits, &self.prefixes.names);
        let what = Change::EipStatus {
            name: id.name.to_string(),
            resource_version: pool.ledger.version.clone().unwrap_or_default(),
            status: Box::new(status.clone()),
        };
        status.used = BTreeMap::new();
        let status = Some(Box::new(status));
        self.issue_to_ledger(
            id,
            what,
            Errand::Records {
                edits,
                touching,
                status,
            },
        );
    }

    /// The status of an Eip but for the records, as it is after the edits.
    fn status_of(&self, id: &LedgerId, edits: &[Edit], now: Time) -> EipStatus {
        let Some(pool) = self.pools.get(&id.name) else {
            return EipStatus::default();
        };
        let mut status = wish::eip_status(&pool.eip, &self.ipam, now);
        let blocks = self.blocks.values();
        let blocks = blocks.filter(|block| block.ledger.pool == id.name);
        let count: usize = blocks.map(|block| block.ledger.records.len()).sum();
        let count = count + count_after(&pool.ledger, edits);
        status.usage = i64::try_from(count).unwrap_or(i64::MAX);
        // Who took the mark off must have seen the edit that it was put on for.
        let kept = pool.eip.status.conditions.iter();
        let kept = kept.filter(|it| it.kind == OVERLAP && !pool.is_watched);
        for condition in kept {
            if status.conditions.iter().all(|it| it.kind != OVERLAP) {
                status.conditions.push(condition.clone());
            }
        }
        status
    }

    /// Whether a pool has no block any more; has them deleted otherwise.
    fn close_blocks(&mut self, pool: &str) -> bool {
        let blocks = self.blocks.iter();
        let blocks = blocks.filter(|(_, block)| *block.ledger.pool == *pool);
        let blocks: Vec<_> = blocks
            .map(|(name, _)| LedgerId::block(Arc::clone(name)))
            .collect();
        for block in &blocks {
            let edits = self.edits(block);
            let is_free = self.ledger(block).is_some_and(|ledger| {
                ledger.flight.is_none() && !ledger.is_frozen && !ledger.retry.is_stale
            });
            if edits.is_empty() && is_free {
                self.commit_block(block, edits);
            }
        }
        blocks.is_empty()
    }

    fn commit_block(&mut self, id: &LedgerId, edits: Vec<Edit>) {
        let pool = self.ledger(id).map(|ledger| Arc::clone(&ledger.pool));
        let pool = pool.and_then(|pool| self.pools.get(&pool));
        let is_closing = pool.is_none_or(super::pools::PoolState::is_deleting);
        let Some(block) = self.blocks.get_mut(&id.name) else {
            return;
        };
        let version = block.ledger.version.clone();
        if edits.is_empty() && block.ledger.touching.is_empty() {
            if !is_closing || !block.ledger.records.is_empty() {
                return;
            }
            let Some(resource_version) = version else {
                self.blocks.remove(&id.name);
                return;
            };
            let name = id.name.to_string();
            let what = Change::BlockDelete {
                name,
                resource_version,
            };
            self.issue_to_ledger(id, what, Errand::Delete);
            return;
        }
        let touching = mem::take(&mut block.ledger.touching);
        let mut object = AddressBlock {
            api_version: names::EIP_API_VERSION.to_owned(),
            kind: names::ADDRESS_BLOCK_KIND.to_owned(),
            metadata: block.metadata.clone(),
            spec: api::AddressBlockSpec {
                eip: block.ledger.pool.to_string(),
                first: block.first.clone(),
                used: block.ledger.render(&edits, &self.prefixes.names),
                revision: block.ledger.revision + 1,
            },
        };
        object.metadata.resource_version = None;
        let what = Change::Block {
            resource_version: version,
            block: Box::new(object),
        };
        self.issue_to_ledger(
            id,
            what,
            Errand::Records {
                edits,
                touching,
                status: None,
            },
        );
    }

    /// Makes room for a block that does not exist yet.
    pub(super) fn open_block(&mut self, id: &LedgerId) {
        if id.kind != Kind::Block {
            return;
        }
        let homes = self.pools.values().find_map(|pool| {
            let name = &pool.eip.metadata.name;
            let rest = id.name.strip_prefix(name.as_str())?.strip_prefix('-')?;
            let address = AddressBlock::first_of(rest)?;
            Some(AddressBlock::around(name, address))
        });
        let Some(block) = homes else { return };
        let state = BlockState {
            metadata: ObjectMeta {
                name: id.name.to_string(),
                ..ObjectMeta::default()
            },
            first: block.spec.first,
            ledger: Ledger::of_pool(block.spec.eip),
        };
        self.blocks.entry(Arc::clone(&id.name)).or_insert(state);
    }

    fn issue_finalizers(&mut self, id: &LedgerId, finalizers: Vec<String>) {
        let version = self.ledger(id).and_then(|ledger| ledger.version.clone());
        let what = Change::EipFinalizer {
            name: id.name.to_string(),
            resource_version: version.unwrap_or_default(),
            finalizers: finalizers.clone(),
        };
        self.issue_to_ledger(id, what, Errand::Finalizers(finalizers));
    }

    pub(super) fn read_ledger(&mut self, id: &LedgerId) {
        let what = Change::Read {
            kind: id.kind,
            namespace: String::new(),
            name: id.name.to_string(),
        };
        self.issue_to_ledger(id, what, Errand::Read);
    }

    fn issue_to_ledger(&mut self, id: &LedgerId, what: Change, errand: Errand) {
        let write = self.issue(Subject::Ledger(id.clone()), what);
        let issued = self.next_tick();
        if let Some(ledger) = self.ledger_mut(id) {
            ledger.flight = Some(Flight {
                id: write,
                issued,
                what: errand,
            });
        }
    }
}

/// Leaves out additions beyond the cap; true when there were any.
fn fit(ledger: &Ledger, edits: &mut Vec<Edit>, cap: usize) -> bool {
    if count_after(ledger, edits) <= cap {
        return false;
    }
    let mut room = cap.saturating_sub(ledger.records.len());
    edits.retain(|edit| {
        if !edit.is_add || ledger.records.contains_key(&edit.address) {
            return true;
        }
        let fits = room > 0;
        room = room.saturating_sub(1);
        fits
    });
    true
}

/// How many addresses have a record after the edits.
fn count_after(ledger: &Ledger, edits: &[Edit]) -> usize {
    let mut changed: BTreeMap<IpAddr, isize> = BTreeMap::new();
    for edit in edits {
        let owners = changed.entry(edit.address).or_insert_with(|| {
            let owners = ledger.records.get(&edit.address).map_or(0, SmallVec::len);
            isize::try_from(owners).unwrap_or(0)
        });
        *owners += if edit.is_add { 1 } else { -1 };
    }
    let known = |address: &&IpAddr| ledger.records.contains_key(*address);
    let unchanged = ledger.records.len() - changed.keys().filter(known).count();
    unchanged + changed.values().filter(|owners| **owners > 0).count()
}

/// Numbers and conditions of an Eip are worth a write of their own at most this often.
const STATUS_PAUSE: Duration = Duration::from_secs(1);
