//! What became of the writes.

use std::mem;
use std::net::IpAddr;
use std::sync::Arc;

use openelb_ipam::Time;
use openelb_ipam::ipam::Assigned;

use super::holder;
use super::key::{Key, LedgerId, Subject, Tick};
use super::ledger::{Edit, Errand};
use super::{Kind, Machine, Object, Outcome, ServiceApply, WriteId};
use crate::api::EipStatus;
use crate::cluster::Service;
use crate::names;
use crate::wish::{Decision, Refusal};

impl Machine {
    /// Enters what became of a write. Answers to what was not asked change nothing.
    pub(super) fn handle_answer(&mut self, write: WriteId, outcome: Outcome, now: Time) {
        match self.flights.remove(&write) {
            Some(Subject::Ledger(id)) => self.ledger_answered(&id, write, outcome, now),
            Some(Subject::Service(key)) => self.service_answered(&key, write, outcome, now),
            Some(Subject::Waiting) | None => {}
        }
    }

    fn ledger_answered(&mut self, id: &LedgerId, write: WriteId, outcome: Outcome, now: Time) {
        let Some(ledger) = self.ledger_mut(id) else {
            return;
        };
        let Some(flight) = ledger.flight.take_if(|flight| flight.id == write) else {
            return;
        };
        let stash = ledger.stash.take();
        match (flight.what, outcome) {
            (
                Errand::Records {
                    edits,
                    touching,
                    status,
                },
                Outcome::Done { resource_version },
            ) => {
                self.dirty.extend(touching);
                let Some(ledger) = self.ledger_mut(id) else {
                    return;
                };
                let looking = mem::take(&mut ledger.looking);
                ledger.version = Some(resource_version);
                ledger.own_at = flight.issued;
                ledger.retry.succeed();
                self.dirty.extend(looking);
                self.records_written(id, &edits, status, now);
            }
            (Errand::Finalizers(finalizers), Outcome::Done { resource_version }) => {
                ledger.version = Some(resource_version);
                ledger.retry.succeed();
                if let Some(pool) = self.pools.get_mut(&id.name) {
                    pool.eip.metadata.finalizers = finalizers;
                }
            }
            (Errand::Delete, Outcome::Done { .. } | Outcome::NotFound)
            | (Errand::Read, Outcome::NotFound) => {
                let looking = mem::take(&mut ledger.looking);
                self.looked(id, looking, flight.issued);
                match id.kind {
                    Kind::Eip => self.lose_eip(&id.name),
                    _ => self.lose_block(&id.name),
                }
            }
            (Errand::Read, Outcome::Found(object)) => {
                let looking = mem::take(&mut ledger.looking);
                self.looked(id, looking, flight.issued);
                self.see_object(object, false, now);
                self.read_again_if_stale(id, now);
            }
            (errand, outcome) => self.ledger_failed(id, errand, &outcome, now),
        }
        if let Some((object, is_watched)) = stash {
            self.see_object(object, is_watched, now);
        }
        self.stirred.insert(id.clone());
    }

    fn ledger_failed(&mut self, id: &LedgerId, errand: Errand, outcome: &Outcome, now: Time) {
        self.counters.count_failure(outcome);
        let seed = (self.settings.seed, id.name.clone());
        let Some(ledger) = self.ledger_mut(id) else {
            return;
        };
        if let Errand::Records { touching, .. } = errand {
            ledger.touching.extend(touching);
        }
        if matches!(outcome, Outcome::Unknown) {
            // It may still happen: what is built on these records needs a write that is sure to
            // come after it.
            ledger.own_at = Tick::default();
        }
        let until = match outcome {
            Outcome::Rejected { .. } | Outcome::Owned { .. } => ledger.retry.fail(seed, now),
            _ => ledger.retry.go_stale(seed, now),
        };
        self.timers.insert((until, Subject::Ledger(id.clone())));
    }

    /// The answer to a reading was older than what is known: a cache stands in between.
    fn read_again_if_stale(&mut self, id: &LedgerId, now: Time) {
        let seed = (self.settings.seed, id.name.clone());
        if let Some(ledger) = self.ledger_mut(id)
            && ledger.retry.is_stale
        {
            let until = ledger.retry.go_stale(seed, now);
            self.timers.insert((until, Subject::Ledger(id.clone())));
        }
    }

    fn records_written(
        &mut self,
        id: &LedgerId,
        edits: &[Edit],
        status: Option<Box<EipStatus>>,
        now: Time,
    ) {
        self.counters.ledger_writes += 1;
        match (id.kind, status) {
            (Kind::Eip, Some(status)) => {
                if let Some(pool) = self.pools.get_mut(&id.name) {
                    pool.ledger.revision = status.ledger_revision;
                    if pool.eip.status.ledger != status.ledger {
                        // What did not fit is wanted elsewhere from now on.
                        self.dirty.extend(pool.ledger.wanting.iter().cloned());
                    }
                    pool.eip.status = *status;
                }
                // An elder pool may have waited for the mark of this one.
                let ids = self.pools.keys().cloned().map(LedgerId::eip);
                let ids: Vec<_> = ids.filter(|other| other != id).collect();
                let waiting =
                    |id: &LedgerId| self.ledger(id).is_some_and(|it| !it.wanting.is_empty());
                let ids: Vec<_> = ids.into_iter().filter(waiting).collect();
                self.stirred.extend(ids);
            }
            _ => {
                if let Some(ledger) = self.ledger_mut(id) {
                    ledger.revision += 1;
                    let pool = Arc::clone(&ledger.pool);
                    self.stirred.insert(LedgerId::eip(pool));
                }
            }
        }
        for edit in edits {
            let Edit {
                key,
                address,
                is_add,
            } = edit;
            if *is_add {
                if let Some(ledger) = self.ledger_mut(id) {
                    ledger
                        .records
                        .entry(*address)
                        .or_default()
                        .push(key.clone());
                }
                self.record(key, *address, id);
            } else {
                self.forget_record(id, key, *address);
                self.unrecord(key, *address, id);
                self.lay(key, *address, now);
                self.look_at_sharers(*address);
            }
            // What is recorded beats what was planned while the write was under way.
            let holder = self.holders.get(key);
            let is_planned = holder.is_some_and(|holder| holder.is_granted(*address));
            if (*is_add && !is_planned) || self.is_misplaced(key) {
                self.readopt.insert(key.clone());
            }
            self.dirty.insert(key.clone());
        }
    }

    /// Whether the ledger of addresses has an address in another pool than the records say.
    fn is_misplaced(&self, key: &Key) -> bool {
        let Some(holder) = self.holders.get(key) else {
            return false;
        };
        let mut grants = holder.grants.iter();
        grants.any(|grant| self.pool_of(grant.address).as_ref() != Some(&grant.pool))
    }

    fn forget_record(&mut self, id: &LedgerId, key: &Key, address: IpAddr) {
        let Some(ledger) = self.ledger_mut(id) else {
            return;
        };
        if let Some(owners) = ledger.records.get_mut(&address) {
            owners.retain(|owner| owner != key);
            if owners.is_empty() {
                ledger.records.remove(&address);
            }
        }
    }

    /// Whoever was tolerated at an address may be in order now.
    pub(super) fn look_at_sharers(&mut self, address: IpAddr) {
        let tolerated: Vec<Key> = self.tolerated_at(address).cloned().collect();
        self.readopt.extend(tolerated);
    }

    /// Who has an address by a record that contradicts the rules of sharing.
    pub(super) fn tolerated_at(&self, address: IpAddr) -> impl Iterator<Item = &Key> {
        let owners = self.recorded.get(&address).into_iter().flatten();
        owners.map(|(key, _)| key).filter(|key| {
            let holder = self.holders.get(*key);
            holder.is_some_and(|holder| holder.tolerated.is_some())
        })
    }

    fn see_object(&mut self, object: Object, is_watched: bool, now: Time) {
        match object {
            Object::Eip(eip) => self.see_eip(eip, is_watched, now),
            Object::Block(block) => self.see_block(block, now),
            Object::Service(service) => self.see_service(service, now),
        }
    }

    fn service_answered(&mut self, key: &Key, write: WriteId, outcome: Outcome, now: Time) {
        let seed = (self.settings.seed, key.clone());
        let Some(holder) = self.holders.get_mut(key) else {
            return;
        };
        let Some(flight) = holder.flight.take_if(|flight| flight.id == write) else {
            return;
        };
        let stash = holder.stash.take();
        self.dirty.insert(key.clone());
        match (flight.what, outcome) {
            (holder::Errand::Apply(apply), Outcome::Done { resource_version }) => {
                holder.retry.succeed();
                holder.fence = Some(flight.issued);
                self.service_written(key, &apply, resource_version);
            }
            (holder::Errand::Read, Outcome::Found(object)) => {
                holder.retry.is_stale = false;
                self.see_object(object, false, now);
            }
            (holder::Errand::Read, Outcome::NotFound) => {
                self.lose_service(key);
                if let Some(holder) = self.holders.get_mut(key) {
                    holder.fence = Some(flight.issued);
                }
            }
            (holder::Errand::Look(id), outcome @ (Outcome::Found(_) | Outcome::NotFound)) => {
                self.looked(&id, [key.clone()].into(), flight.issued);
                if let Outcome::Found(object) = outcome {
                    self.see_object(object, false, now);
                }
            }
            (holder::Errand::Apply(_), Outcome::Owned { manager, .. }) => self.bar(key, &manager),
            (_, outcome) => {
                let is_gone = holder.service.is_none() && flight_was_write(&outcome);
                if matches!(outcome, Outcome::Rejected { .. }) {
                    let until = holder.retry.fail(seed, now);
                    self.timers.insert((until, Subject::Service(key.clone())));
                } else if !is_gone {
                    let until = holder.retry.go_stale(seed, now);
                    self.timers.insert((until, Subject::Service(key.clone())));
                }
                self.counters.count_failure(&outcome);
            }
        }
        if let Some(service) = stash {
            self.see_service(service, now);
        }
    }

    /// The Service is now what was written.
    fn service_written(&mut self, key: &Key, apply: &ServiceApply, version: String) {
        self.counters.service_writes += 1;
        let Some(holder) = self.holders.get_mut(key) else {
            return;
        };
        let before = holder.shown();
        let Some(service) = holder.service.as_deref_mut() else {
            return;
        };
        enter(service, apply, version);
        self.note_shown(key);
        let Some(holder) = self.holders.get(key) else {
            return;
        };
        let after = holder.shown();
        if before != after {
            // Another record may have been seen while this was under way: what is shown stays.
            self.readopt.insert(key.clone());
        }
        let grants = holder.grants.clone();
        let missing = None;
        let gone: Vec<IpAddr> = before
            .iter()
            .filter(|it| !after.contains(it))
            .copied()
            .collect();
        if after.iter().any(|address| !before.contains(address)) {
            let addresses: Vec<Assigned> =
                grants.iter().flat_map(|it| self.in_public(it)).collect();
            let addresses = &addresses;
            self.tell(key, Decision::Allocated { addresses, missing });
        }
        if !gone.is_empty() {
            let gone: Vec<String> = gone.iter().map(|it| self.prefixes.key_of(*it)).collect();
            self.tell(key, Decision::Released(&gone));
        }
    }

    /// Another manager owns what was to be written.
    fn bar(&mut self, key: &Key, manager: &str) {
        let Some(holder) = self.holders.get_mut(key) else {
            return;
        };
        let is_former = names::FORMER_MANAGERS.contains(&manager);
        if is_former && !holder.force {
            holder.force = true;
            return;
        }
        holder.is_barred = true;
        self.tell(key, Decision::Refused(&Refusal::conflict(manager)));
    }
}

/// Whether an outcome tells that the object was not there to be written.
fn flight_was_write(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::NotFound | Outcome::Conflict)
}

/// Enters what was written. Whatever the Service has from now on stays for long, by the ten thousand: no
/// list has room for more than it holds.
fn enter(service: &mut Service, apply: &ServiceApply, version: String) {
    let metadata = &mut service.metadata;
    metadata.resource_version = Some(version);
    metadata
        .finalizers
        .retain(|it| it != names::SERVICE_FINALIZER);
    if apply.finalizer {
        metadata.finalizers.reserve_exact(1);
        metadata
            .finalizers
            .push(names::SERVICE_FINALIZER.to_owned());
    }
    match &apply.label {
        Some(label) => metadata.labels.insert(names::POOL_LABEL, label.as_str()),
        None => metadata.labels.remove(names::POOL_LABEL),
    };
    if let Some(ingress) = &apply.ingress {
        let present = &mut service.status.load_balancer.ingress;
        present.clone_from(ingress);
        present.shrink_to_fit();
    }
    let conditions = &mut service.status.conditions;
    conditions.retain(|it| it.kind != names::ADDRESS_ASSIGNED_CONDITION);
    conditions.reserve_exact(usize::from(apply.condition.is_some()));
    conditions.extend(apply.condition.clone());
    conditions.shrink_to_fit();
}
