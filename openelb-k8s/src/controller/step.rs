//! One Service: what it is to have, what has to be recorded for it, and what is written to it.

use std::net::IpAddr;
use std::sync::Arc;

use openelb_ipam::ipam::Assigned;
use openelb_ipam::{Owner, Request, Time};

use super::holder::{Errand, Flight, Stance};
use super::key::{Key, LedgerId, Subject};
use super::{Change, Kind, Machine, ServiceApply, apply};
use crate::api::{AddressBlock, Ledger};
use crate::wish::{Refusal, Wish, is_marked, wish};

impl Machine {
    /// Takes a Service as far as it can go now. Does nothing where there is nothing to do.
    pub(super) fn step(&mut self, key: &Key, now: Time) {
        let Some(holder) = self.holders.get(key) else {
            return;
        };
        if holder.flight.is_some() || holder.is_frozen || holder.retry.is_stale {
            return;
        }
        self.place_strangers(now);
        self.decide(key, now);
        if !self.is_sure(key, now) {
            return;
        }
        self.want_records(key, now);
        self.tell_trouble(key);
        if self
            .holders
            .get(key)
            .is_some_and(|holder| holder.retry.is_resting(now))
        {
            return;
        }
        self.write_service(key, now);
        self.finish(key, now);
    }

    /// Settles what the Service is to have.
    fn decide(&mut self, key: &Key, now: Time) {
        let Some(holder) = self.holders.get(key) else {
            return;
        };
        let namespace = self.namespaces.get(key.namespace()).map(|it| &**it);
        let wish = match &holder.service {
            Some(service) => wish(service, namespace, &self.settings.serving),
            None => Wish::NotOurs,
        };
        // A condition of ours on a Service that is no longer ours has to go, too.
        let is_recorded = !holder.records.is_empty();
        let is_ours = is_recorded
            || holder
                .service
                .as_deref()
                .and_then(apply::condition_of)
                .is_some();
        let (stance, grants, trouble) = match wish {
            Wish::NotOurs if !is_ours => (Stance::Stranger, Vec::new(), None),
            Wish::NotOurs | Wish::Nothing => (Stance::Leaving, Vec::new(), None),
            Wish::Refused(refusal) => (Stance::Customer, self.keep(key), Some(refusal)),
            Wish::Ask(owner, request) => match self.read_request(request) {
                Ok(request) => self.ask(key, &owner, &request, now),
                Err(refusal) => (Stance::Customer, self.keep(key), Some(refusal)),
            },
        };
        let grants: Vec<Assigned> = grants
            .into_iter()
            .map(|grant| Assigned {
                pool: self.pool_of(grant.address).unwrap_or(grant.pool),
                ..grant
            })
            .collect();
        let trouble = trouble.map(|refusal| self.in_words(&refusal));
        let trouble = trouble
            .or_else(|| self.unknown_prefix(&grants))
            .or_else(|| self.contested(key, &grants));
        let Some(holder) = self.holders.get_mut(key) else {
            return;
        };
        holder.stance = stance;
        holder.trouble = trouble;
        // A mere plan puts nobody in order: it is planned again whenever who is tolerated takes it away.
        let had = grants.iter().map(|grant| grant.address);
        let had: Vec<IpAddr> = had.filter(|it| holder.is_recorded(*it)).collect();
        holder.grants = grants;
        if holder.tolerated.is_none() {
            for address in had {
                self.look_at_sharers(address);
            }
        }
    }

    fn ask(
        &mut self,
        key: &Key,
        owner: &Owner,
        request: &Request,
        now: Time,
    ) -> (Stance, Vec<Assigned>, Option<Refusal>) {
        if let Some(refusal) = self.foreign(key) {
            return (Stance::Stranger, Vec::new(), Some(refusal));
        }
        let holder = self.holders.get(key);
        if holder.is_some_and(|holder| holder.tolerated.as_deref() == Some(request)) {
            return (Stance::Customer, self.recorded_of(key), None);
        }
        if let Some(refusal) = self.unrecordable(key) {
            return (Stance::Customer, self.keep(key), Some(refusal));
        }
        let before = self.held(key);
        let leave = self.to_leave(owner);
        match self.ipam.allocate_elsewhere(owner, request, &leave, now) {
            Ok(allocation) => {
                let grants = allocation.addresses.to_vec();
                let is_lost = |it: &IpAddr| grants.iter().all(|grant| grant.address != *it);
                let lost = before.iter().map(|it| it.address).filter(is_lost);
                let lost: Vec<IpAddr> = lost.collect();
                for address in &lost {
                    self.haunt(key, *address);
                }
                self.tell_left(key, &lost);
                let trouble = allocation
                    .missing
                    .and_then(|_| Refusal::missing(&self.ipam.explain(owner, request, now)));
                let trouble = trouble
                    .or_else(|| self.in_conflict(owner, request, &grants))
                    .or_else(|| self.orphaned(&grants));
                (Stance::Customer, grants, trouble)
            }
            Err(error) => {
                let grants = self.keep(key);
                let refusal = self.refusal(&error);
                (Stance::Customer, grants, Some(refusal))
            }
        }
    }

    /// What the status shows of no pool, on a Service that was never ours.
    pub(super) fn foreign(&self, key: &Key) -> Option<Refusal> {
        let holder = self.holders.get(key)?;
        let service = holder.service.as_deref()?;
        if is_marked(service) || !holder.records.is_empty() {
            return None;
        }
        let shown = holder.shown().into_iter();
        let foreign: Vec<IpAddr> = shown.filter(|address| !self.is_listed(*address)).collect();
        (!foreign.is_empty()).then(|| Refusal::foreign(&foreign))
    }

    fn orphaned(&self, grants: &[Assigned]) -> Option<Refusal> {
        let addresses = grants.iter().map(|grant| grant.address);
        let outside: Vec<IpAddr> = addresses.filter(|it| !self.is_listed(*it)).collect();
        (!outside.is_empty()).then(|| Refusal::orphaned(&outside))
    }

    /// What it is to share with somebody who is tolerated, and gets only once that one is in order.
    fn contested(&self, key: &Key, grants: &[Assigned]) -> Option<Refusal> {
        let holder = self.holders.get(key)?;
        let planned = grants.iter().map(|grant| grant.address);
        let mut planned = planned.filter(|address| !holder.is_recorded(*address));
        planned.find_map(|address| {
            let other = self.tolerated_at(address).next()?;
            Some(Refusal::contested(address, other))
        })
    }

    fn is_listed(&self, address: IpAddr) -> bool {
        let mut pools = self.ipam.pools();
        pools.any(|pool| pool.ranges().contains(address))
    }

    /// What the ledger of addresses says that it holds.
    fn held(&self, key: &Key) -> Vec<Assigned> {
        let row = key
            .owner()
            .and_then(|owner| self.ipam.holdings(owner.as_str()));
        let claims = row.map(|row| row.claims).unwrap_or_default();
        let assigned = claims.into_iter().map(|claim| Assigned {
            address: claim.address,
            pool: claim.pool,
        });
        assigned.collect()
    }

    /// What a Service keeps whose wish cannot be granted: what it shows. A record alone may be of a
    /// Service that had its name before, and wanted something else.
    fn keep(&mut self, key: &Key) -> Vec<Assigned> {
        let holder = self.holders.get(key);
        if holder.is_some_and(|it| it.tolerated.is_some()) {
            // The ledger of addresses has not all of it.
            return self.recorded_of(key);
        }
        let held = self.held(key);
        let is_shown = |it: &Assigned| holder.is_some_and(|holder| holder.shows(it.address));
        let (kept, lost): (Vec<Assigned>, Vec<Assigned>) = held.into_iter().partition(is_shown);
        if !lost.is_empty()
            && let Some(owner) = key.owner()
        {
            self.narrow(&owner, &kept);
            for lost in lost {
                self.haunt(key, lost.address);
            }
        }
        kept
    }

    /// What the records say that it holds, and its users have: a mere record may be another controller's
    /// plan.
    fn recorded_of(&self, key: &Key) -> Vec<Assigned> {
        let Some(holder) = self.holders.get(key) else {
            return Vec::new();
        };
        let shown = holder.records.iter();
        let shown = shown.filter(|(address, _)| holder.shows(*address));
        let assigned = shown.filter_map(|(address, id)| {
            let pool = self.ledger(id)?.pool.parse().ok()?;
            let address = *address;
            Some(Assigned { address, pool })
        });
        assigned.collect()
    }

    /// Asks the objects that hold records for what the Service needs there.
    fn want_records(&mut self, key: &Key, now: Time) {
        let Some(holder) = self.holders.get(key) else {
            return;
        };
        let mut wanted: Vec<LedgerId> = Vec::new();
        let mut touches: Vec<LedgerId> = Vec::new();
        for grant in &holder.grants {
            let Some(home) = self.home(grant) else {
                continue;
            };
            let ledger = self.ledger(&home);
            if ledger.is_none_or(|ledger| !ledger.has(grant.address, key)) {
                wanted.push(home);
            } else if self.is_double(key, grant.address, &home) {
                touches.push(home);
            } else if !holder.shows(grant.address)
                && ledger.is_some_and(|ledger| !ledger.is_held(grant.address, key))
            {
                // It waits for nothing but news of the ledger, which may be that nothing changed.
                wanted.push(home);
            }
        }
        for (address, id) in &holder.records {
            if self.may_remove(key, *address, id) {
                wanted.push(id.clone());
            }
        }
        for id in wanted {
            self.want(key, &id);
        }
        if !touches.is_empty() {
            self.touch(key, touches, now);
        }
    }

    /// Whether an address has a second record which only waits for a write of the first.
    fn is_double(&self, key: &Key, address: IpAddr, home: &LedgerId) -> bool {
        let Some(holder) = self.holders.get(key) else {
            return false;
        };
        holder
            .records
            .iter()
            .any(|(at, id)| *at == address && id != home && !self.may_remove(key, address, id))
    }

    pub(super) fn want(&mut self, key: &Key, id: &LedgerId) {
        if self.ledger(id).is_none() {
            self.open_block(id);
        }
        if let Some(ledger) = self.ledger_mut(id) {
            ledger.wanting.insert(key.clone());
            self.stirred.insert(id.clone());
        }
    }

    /// The object that is to hold the record of an address; `None` when its pool is gone.
    ///
    /// What `Eip.status.used` has stays there: an address has its record in one object at any time.
    pub(super) fn home(&self, grant: &Assigned) -> Option<LedgerId> {
        let (name, pool) = self.pools.get_key_value(&*grant.pool)?;
        let is_there = pool.ledger.records.contains_key(&grant.address);
        if is_there || pool.eip.status.ledger == Ledger::Status {
            return Some(LedgerId::eip(name.clone()));
        }
        let block = AddressBlock::name_of(name, grant.address);
        Some(LedgerId::block(block))
    }

    /// Whether the record of an address may go now.
    ///
    /// Another controller may still be about to write the address to the Service. It made that write
    /// for a version of the Service that the fence has replaced, or it has written to the same ledger
    /// since: then the fence is older than what was seen of that, and a new one is needed.
    pub(super) fn may_remove(&self, key: &Key, address: IpAddr, id: &LedgerId) -> bool {
        let (Some(holder), Some(ledger)) = (self.holders.get(key), self.ledger(id)) else {
            return false;
        };
        if let Some(grant) = holder.grants.iter().find(|grant| grant.address == address) {
            // Another pool lists it now: the record has moved. Who sees it the other way round must
            // not remove the other one: each writes the one that it keeps, and looks whether
            // somebody else wrote the one that goes.
            let home = self.home(grant).filter(|home| home != id);
            let home = home.and_then(|home| self.ledger(&home));
            return home.is_some_and(|home| {
                home.is_held(address, key) && home.own_at >= ledger.foreign_at
            });
        }
        let is_quiet = holder.flight.is_none() && !holder.is_frozen && !holder.retry.is_stale;
        let is_fenced = holder.fence.is_some_and(|fence| fence >= ledger.foreign_at);
        is_quiet && is_fenced && !holder.shows(address)
    }

    /// Whether an address may be shown: it is recorded, by a write that is younger than the version
    /// of the Service that will be replaced.
    fn readiness(&self, key: &Key, grant: &Assigned) -> Readiness {
        let home = self.home(grant);
        let ledger = home.as_ref().and_then(|id| self.ledger(id));
        let (Some(id), Some(ledger), Some(holder)) = (home.clone(), ledger, self.holders.get(key))
        else {
            return Readiness::Not;
        };
        if !ledger.is_held(grant.address, key) {
            Readiness::Not
        } else if holder.shows(grant.address)
            || ledger.own_at >= holder.seen
            || self.is_hidden(grant.address)
        {
            Readiness::Ready
        } else {
            Readiness::AfterTouch(id)
        }
    }

    /// Writes to the Service what is due; at most one thing.
    fn write_service(&mut self, key: &Key, now: Time) {
        let Some(holder) = self.holders.get(key) else {
            return;
        };
        let Some(service) = holder.service.as_deref() else {
            self.make_sure_it_is_gone(key);
            return;
        };
        if holder.is_barred || holder.stance == Stance::Stranger {
            return;
        }
        let mut is_ready = true;
        let mut touches = Vec::new();
        for grant in &holder.grants {
            match self.readiness(key, grant) {
                Readiness::Ready => {}
                Readiness::Not => is_ready = false,
                Readiness::AfterTouch(id) => touches.push(id),
            }
        }
        if !touches.is_empty() {
            self.touch(key, touches, now);
            return;
        }
        if !is_ready {
            return;
        }
        let mut apply = self.desired(key, service, now);
        let said = apply.condition.as_ref().map(|it| it.message.clone());
        if said == holder.said || holder.said.is_none() {
            apply::accept(apply::condition_of(service), &mut apply.condition);
        }
        let is_needed = apply::is_due(service, &apply);
        let is_argument = apply::condition_of(service).is_some_and(|present| {
            let without = ServiceApply {
                condition: Some(present.clone()),
                ..apply.clone()
            };
            !apply::is_due(service, &without)
        });
        if let Some(holder) = self.holders.get_mut(key) {
            holder.said = said;
        }
        if is_needed {
            // Another controller that sees it otherwise is not to be argued with all day long.
            if !is_argument || !self.is_patient(key, now) {
                self.issue_service(key, apply);
            }
        } else if self.lacks_fence(key) && !self.is_patient(key, now) {
            let apply = self.bump(key, apply, now);
            self.issue_service(key, apply);
        }
    }

    /// Has the records written once more, so that nobody removes them before they are shown.
    fn touch(&mut self, key: &Key, ids: Vec<LedgerId>, now: Time) {
        if self.is_patient(key, now) {
            return;
        }
        for id in ids {
            if let Some(ledger) = self.ledger_mut(&id) {
                ledger.touching.insert(key.clone());
                self.stirred.insert(id);
            }
        }
    }

    /// A Service of which records are left may exist again, unknown to the watch.
    fn make_sure_it_is_gone(&mut self, key: &Key) {
        if self.lacks_fence(key) {
            self.read_service(key);
        }
    }

    pub(super) fn read_service(&mut self, key: &Key) {
        let what = Change::Read {
            kind: Kind::Service,
            namespace: key.namespace().to_owned(),
            name: key.name().to_owned(),
        };
        self.issue_to_service(key, what, Errand::Read);
    }

    /// Whether a record is to go and may not, because of the fence alone.
    fn lacks_fence(&self, key: &Key) -> bool {
        let Some(holder) = self.holders.get(key) else {
            return false;
        };
        holder.records.iter().any(|(address, id)| {
            let is_older = |at| self.ledger(id).is_some_and(|ledger| at < ledger.foreign_at);
            !holder.is_granted(*address)
                && !holder.shows(*address)
                && holder.fence.is_none_or(is_older)
        })
    }

    fn issue_service(&mut self, key: &Key, mut apply: ServiceApply) {
        let Some(holder) = self.holders.get_mut(key) else {
            return;
        };
        // A Service that is deleted must not wait for whoever else wrote its status, be it a restored
        // backup: the addresses are free, and the finalizer is ours.
        let service = holder.service.as_deref();
        let is_deleted = service.is_some_and(|it| it.metadata.deletion_timestamp.is_some());
        apply.force = holder.force || is_deleted;
        holder.fence = None;
        let apply = Arc::new(apply);
        let what = Change::Service {
            namespace: key.namespace().to_owned(),
            name: key.name().to_owned(),
            apply: Arc::clone(&apply),
        };
        self.issue_to_service(key, what, Errand::Apply(apply));
    }

    pub(super) fn issue_to_service(&mut self, key: &Key, change: Change, what: Errand) {
        let id = self.issue(Subject::Service(key.clone()), change);
        let issued = self.next_tick();
        if let Some(holder) = self.holders.get_mut(key) {
            holder.patience = None;
            holder.flight = Some(Flight { id, issued, what });
        }
    }

    /// Forgets what is no more: the place in the ledger of addresses, then the Service itself.
    fn finish(&mut self, key: &Key, now: Time) {
        self.lay_the_gone(key, now);
        let Some(holder) = self.holders.get(key) else {
            return;
        };
        let is_done = holder.records.is_empty()
            && holder.flight.is_none()
            && holder.grants.is_empty()
            && holder.stance != Stance::Customer;
        if !is_done {
            return;
        }
        let (is_idle, ghosts) = (holder.is_idle(), holder.ghosts.clone());
        for ghost in ghosts {
            self.lay(key, ghost, now);
        }
        if let Some(owner) = key.owner() {
            let released = self.ipam.release(&owner, openelb_ipam::Fence::Any, now);
            debug_assert!(released.is_ok(), "any incarnation is released");
            self.shun_free(now);
        }
        if is_idle {
            self.holders.remove(key);
        }
    }
}

/// Whether an address may be shown in the status of a Service.
enum Readiness {
    Ready,
    Not,
    /// Once its ledger was written again.
    AfterTouch(LedgerId),
}
