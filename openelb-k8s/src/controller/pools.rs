//! The Eips as pools of the ledger of addresses.

use std::net::IpAddr;

use openelb_ipam::ipam::{Fate, PoolPlanError};
use openelb_ipam::{Pool, PoolSpec, RangeSet, Time};

use super::Machine;
use super::key::{Key, LedgerId};
use super::ledger::Ledger;
use crate::api::Eip;
use crate::pool;
use crate::wish::Refusal;

/// An Eip and its records.
#[derive(Debug)]
pub(super) struct PoolState {
    /// The newest version known, without `status.used`: the ledger has that.
    pub(super) eip: Box<Eip>,
    pub(super) ledger: Ledger,
    /// What it means; `None` while it is being deleted.
    pub(super) spec: Option<PoolSpec>,
    /// All that it lists, whether an elder pool has it or not.
    pub(super) ranges: RangeSet,
    /// The watch brought this version, so that all Eips are at least as new as it.
    pub(super) is_watched: bool,
    /// Before, nothing but records is worth a write.
    pub(super) status_after: Time,
}

impl PoolState {
    pub(super) fn new(eip: Box<Eip>) -> Self {
        let ledger = Ledger::of_pool(eip.metadata.name.as_str());
        Self {
            eip,
            ledger,
            spec: None,
            ranges: RangeSet::new(),
            is_watched: false,
            status_after: Time(0),
        }
    }

    pub(super) fn is_deleting(&self) -> bool {
        self.eip.metadata.deletion_timestamp.is_some()
    }

    /// Whether its status says that it overlaps an elder pool. Who reads that gives nothing from it,
    /// and the elder gives what both list only once it says so: an address that two pools list is
    /// thus given through one object at any time, and one of two controllers loses its write.
    pub(super) fn is_marked(&self) -> bool {
        let mut conditions = self.eip.status.conditions.iter();
        conditions.any(|condition| condition.kind == OVERLAP && condition.status == "True")
    }

    /// Reads what the Eip means. True when that changed.
    pub(super) fn reread(&mut self) -> bool {
        let spec = if self.is_deleting() {
            None
        } else {
            pool::spec(&self.eip).ok().or_else(|| self.fallback())
        };
        if spec == self.spec {
            return false;
        }
        let pool = spec.as_ref().and_then(|spec| Pool::try_from(spec).ok());
        self.ranges = pool.map(|pool| pool.ranges().clone()).unwrap_or_default();
        self.spec = spec;
        true
    }

    /// An Eip that cannot be understood keeps what it gave, and gives nothing new.
    fn fallback(&self) -> Option<PoolSpec> {
        let mut spec = if let Some(spec) = &self.spec {
            spec.clone()
        } else {
            let name = self.eip.metadata.name.parse().ok()?;
            let addresses = self.ledger.records.keys();
            let mut spec = PoolSpec::new(name, []);
            spec.ranges = addresses.map(ToString::to_string).collect();
            spec
        };
        spec.is_disabled = true;
        Some(spec)
    }
}

impl Machine {
    /// Brings the pools of the ledger of addresses to what the Eips say.
    pub(super) fn refresh_pools(&mut self, now: Time) {
        self.are_pools_due = false;
        self.drop_plans();
        let mut pools: Vec<&PoolState> = self.pools.values().collect();
        // Of two pools that overlap the elder has the addresses; names settle what was created in
        // the same second.
        pools.sort_by(|a, b| {
            let age = |pool: &PoolState| pool.eip.metadata.creation_timestamp.clone();
            (age(a), &a.eip.metadata.name).cmp(&(age(b), &b.eip.metadata.name))
        });
        let mut specs: Vec<PoolSpec> = pools.iter().filter_map(|pool| pool.spec.clone()).collect();
        let plan = loop {
            match self.ipam.plan_pools(&specs) {
                Ok(plan) => break plan,
                Err(PoolPlanError::Invalid(error)) if !specs.is_empty() => {
                    specs.retain(|spec| spec.name != error.pool);
                }
                Err(_) => return,
            }
        };
        if plan.is_empty() {
            return;
        }
        let effects = plan.effects().to_vec();
        if self.ipam.apply_pools(plan, now).is_err() {
            return;
        }
        for effect in effects {
            let Some(key) = Key::of(&effect.owner) else {
                continue;
            };
            if matches!(effect.fate, Fate::Released | Fate::Reassigned) {
                self.haunt(&key, effect.address);
            } else {
                self.readopt.insert(key);
            }
        }
        // Whoever waits may now wait for another reason, and whoever has may have what no pool lists.
        self.dirty.extend(self.holders.keys().cloned());
        // What a Service shows may be in a pool from now on: it is recorded before it is given.
        let gaps = self.holders.iter().filter(|(_, holder)| holder.has_gap());
        let gaps: Vec<Key> = gaps.map(|(key, _)| key.clone()).collect();
        self.readopt.extend(gaps);
        let ids: Vec<LedgerId> = self.pools.keys().cloned().map(LedgerId::eip).collect();
        self.stirred.extend(ids);
    }

    /// What a Service shows without a record, of a pool that may record nothing new. It gets nothing else
    /// meanwhile: that would be recorded, and could not be shown before all of it is.
    pub(super) fn unrecordable(&self, key: &Key) -> Option<Refusal> {
        let holder = self.holders.get(key)?;
        let mut gaps = holder.shown.iter().filter(|it| !holder.is_recorded(**it));
        gaps.find_map(|gap| {
            let pool = self.pool_of(*gap)?;
            let is_stuck = self.is_held_by(key, *gap) && !self.is_clear(&pool, *gap);
            is_stuck.then(|| Refusal::unrecordable(&self.prefixes.key_of(*gap), &pool))
        })
    }

    /// Whether a pool may record an address now, as far as other pools that list it are concerned.
    pub(super) fn is_clear(&self, pool: &str, address: IpAddr) -> bool {
        let others = self.pools.iter();
        let mut others = others.filter(|(name, _)| ***name != *pool);
        let own = self.pools.get(pool);
        own.is_some_and(|own| !own.is_marked() && !own.is_deleting())
            && others.all(|(_, other)| !other.ranges.contains(address) || other.is_marked())
    }
}

/// The condition of a pool that an elder one stands in the way of.
pub(super) const OVERLAP: &str = "Overlap";
