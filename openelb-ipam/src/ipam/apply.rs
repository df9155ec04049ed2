//! Carrying a pool plan out: pools are rebuilt, everything in use is put back in its place.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use ipnet::IpNet;
use thiserror::Error;

use super::effect::{Fate, PoolEdit};
use super::holders::NoteState;
use super::owners::{PoolIndex, Slot};
use super::plan::PoolPlan;
use super::quarantine::mark_key;
use super::state::{Counts, PoolState};
use super::{Due, Ipam};
use crate::count::AddressCount;
use crate::family::{DualStack, Family, from_bits};
use crate::name::PoolName;
use crate::owner::OwnerKey;
use crate::pool::{OnShrink, Strategy};
use crate::range::AddressRange;
use crate::row::{MarkState, RowKey};
use crate::time::Time;

/// The state moved on after the plan was made; nothing was changed. Plan again.
///
/// ```
/// # use openelb_ipam::*;
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// # let web: Owner = "service/default/web".parse()?;
/// let plan = ipam.plan_pools(&[])?;
/// ipam.allocate(&web, &Request::default(), Time(0))?;
/// let stale = ipam.apply_pools(plan, Time(0)).unwrap_err();
/// assert_eq!((stale.planned, stale.current), (1, 2));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the plan was made at generation {planned}, the ledger is at {current}; plan again")]
pub struct StalePlan {
    /// When the plan was made.
    pub planned: u64,
    /// Now.
    pub current: u64,
}

impl Ipam {
    /// Carries a plan out. Owners that lose an address or can gain one are
    /// [woken](Self::take_woken). An empty plan changes nothing.
    ///
    /// O(addresses in use).
    ///
    /// ```
    /// # use openelb_ipam::*;
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// # let web: Owner = "service/default/web".parse()?;
    /// let plan = ipam.plan_pools(&[])?;
    /// ipam.apply_pools(plan, Time(0))?;
    /// assert_eq!(ipam.pools().count(), 0);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn apply_pools(&mut self, plan: PoolPlan, now: Time) -> Result<(), StalePlan> {
        if plan.base != self.generation() {
            return Err(StalePlan {
                planned: plan.base,
                current: self.generation(),
            });
        }
        if !plan.is_empty() {
            self.let_go(&plan, now);
            let old: Vec<PoolName> = self
                .pools
                .iter()
                .map(|state| state.name().clone())
                .collect();
            for edit in plan.edits() {
                let (PoolEdit::Added(name) | PoolEdit::Changed(name) | PoolEdit::Removed(name)) =
                    edit;
                self.changed(RowKey::Pool(name.clone()));
            }
            self.install(plan);
            self.resettle(&old);
            self.waiting.stir();
        }
        self.expire_due(now);
        self.wake(now);
        self.end_step();
        Ok(())
    }

    /// Releases what the plan does not keep, while the old pools are still there.
    fn let_go(&mut self, plan: &PoolPlan, now: Time) {
        let slots: Vec<Slot> = self.owners.iter().map(|(slot, _)| slot).collect();
        for slot in slots {
            let Some(record) = self.owners.get(slot) else {
                continue;
            };
            let fates = DualStack::from_fn(|family| {
                let (at, bits) = record.claim(family)?;
                self.fate(plan, at, from_bits(family, bits))
            });
            let prefixes = record.prefixes().to_vec();
            let is_lost = |fate: &Fate| matches!(fate, Fate::Released | Fate::Reassigned);
            let mut is_changed = false;
            let mut is_woken = false;
            for family in Family::ALL {
                let Some(fate) = &fates[family] else { continue };
                is_woken |= is_lost(fate) || *fate == Fate::Draining;
                if !is_lost(fate) {
                    continue;
                }
                is_changed = true;
                if let Err(id) = self.holder_name(slot) {
                    self.lapse(id);
                    break;
                }
                self.give_up(slot, family, None, now);
            }
            let lost_prefix = |(at, prefix): &(PoolIndex, IpNet)| {
                self.fate(plan, *at, prefix.network())
                    .is_some_and(|fate| is_lost(&fate))
            };
            if prefixes.iter().any(lost_prefix) {
                is_changed = true;
                is_woken = true;
                self.release_prefixes(slot);
            }
            let Ok(owner) = self.holder_name(slot) else {
                continue;
            };
            if self.owners.get(slot).is_none() || !(is_changed || is_woken) {
                continue;
            }
            if is_changed {
                self.forget_if_empty(slot, &owner);
            }
            self.wake_owner(owner);
        }
    }

    /// Replaces the pools; cursors go along with their pool.
    pub(super) fn install(&mut self, plan: PoolPlan) {
        let mut old: BTreeMap<PoolName, PoolState> = self
            .pools
            .drain(..)
            .map(|state| (state.name().clone(), state))
            .collect();
        for planned in plan.pools {
            let mut state = PoolState::new(planned.pool);
            (state.conflict, state.is_default) = (planned.conflict, planned.is_default);
            if state.strategy() == Strategy::NextFit
                && let Some(old) = old.get_mut(state.name())
            {
                state.cursor = core::mem::take(&mut old.cursor);
            }
            self.pools.push(state);
        }
        for state in old.values() {
            for (family, _) in state.cursor.iter().filter(|(_, cursor)| cursor.is_some()) {
                self.changed(RowKey::Cursor(state.name().clone(), family));
            }
        }
        self.by_name = (0..)
            .zip(&self.pools)
            .map(|(at, state)| (state.name().clone(), at))
            .collect();
        let mut order: Vec<PoolIndex> = self.by_name.values().copied().collect();
        order.sort_by_key(|&at| {
            let state = self.pools.get(usize::from(at));
            let is_default = state.is_some_and(|s| s.is_default.v4 || s.is_default.v6);
            let priority = state.and_then(|state| state.pool.spec().priority);
            (!is_default, priority.is_none(), priority, at)
        });
        self.order = order;
        let drains = |state: &PoolState| state.pool.spec().on_shrink == OnShrink::Drain;
        self.has_draining_pool = self.pools.iter().any(drains);
    }

    /// Puts everything in use into the index and the counters of the new pools.
    fn resettle(&mut self, old: &[PoolName]) {
        let slots: Vec<Slot> = self.owners.iter().map(|(slot, _)| slot).collect();
        for state in &mut self.pools {
            state.counts = DualStack::from_fn(|_| Counts::default());
        }
        self.resettle_marks(old);
        for slot in slots {
            self.resettle_record(slot, old);
        }
    }

    fn resettle_record(&mut self, slot: Slot, old: &[PoolName]) {
        let Some(record) = self.owners.get(slot) else {
            return;
        };
        let claims = DualStack::from_fn(|family| record.claim(family));
        let prefixes = record.prefixes().to_vec();
        let mut is_adopted = false;
        for family in Family::ALL {
            let Some((was, bits)) = claims[family] else {
                continue;
            };
            let at = self.new_home(old, was, family, bits);
            is_adopted |=
                self.pools.get(usize::from(at)).map(PoolState::name) != old.get(usize::from(was));
            self.move_claim(slot, family, at, bits);
        }
        for (was, prefix) in prefixes.iter().copied() {
            let family = Family::of(prefix.addr());
            let at = self.new_home(old, was, family, crate::family::to_bits(prefix.network()));
            is_adopted |=
                self.pools.get(usize::from(at)).map(PoolState::name) != old.get(usize::from(was));
            self.move_prefix(slot, prefix, at);
        }
        if !is_adopted {
            return;
        }
        let record = self.owners.get(slot);
        match record.and_then(|record| record.extra.as_ref()?.reservation) {
            Some(id) => self.changed(RowKey::Reservation(id)),
            None => self.changed_owner(slot),
        }
    }

    /// Enters a claim that the holder table has already under a pool of the new list.
    fn move_claim(&mut self, slot: Slot, family: Family, at: PoolIndex, bits: u128) {
        let is_first = match self.holders.note_mut(family, bits) {
            Some(note) => match &note.state {
                NoteState::Shared { claims, .. } => {
                    note.pool = at;
                    claims.first() == Some(&slot)
                }
                NoteState::Marked(_) => true,
            },
            None => true,
        };
        if let Some(record) = self.owners.get_mut(slot) {
            record.set_claim(family, Some((at, bits)));
        }
        if let Some(state) = self.pools.get_mut(usize::from(at)) {
            state.index[family].take(bits);
        }
        if is_first {
            let class = self.class_at(family, bits);
            self.recount(at, family, bits, None, class);
        }
        self.count_claim(slot, at, family, true);
    }

    fn move_prefix(&mut self, slot: Slot, prefix: IpNet, at: PoolIndex) {
        if let Some(record) = self.owners.get_mut(slot) {
            record.edit_extra(|extra| {
                for (pool, held) in &mut extra.prefixes {
                    if *held == prefix {
                        *pool = at;
                    }
                }
            });
        }
        if let Some(state) = self.pools.get_mut(usize::from(at)) {
            let family = Family::of(prefix.addr());
            let taken: AddressCount = state.index[family].take_range(AddressRange::from(prefix));
            let prefixed = &mut state.counts[family].prefixed;
            *prefixed = prefixed.saturating_add(taken);
        }
    }

    /// Keeps the marks whose address can still be given; the others have no meaning any more.
    fn resettle_marks(&mut self, old: &[PoolName]) {
        let marks: Vec<(Family, u128, PoolIndex, MarkState)> = self
            .holders
            .notes()
            .filter_map(|note| match &note.state {
                NoteState::Marked(mark) => Some((note.family, note.bits, note.pool, mark.clone())),
                NoteState::Shared { .. } => None,
            })
            .collect();
        for (family, bits, was, mark) in marks {
            self.drop_mark(family, bits, &mark);
            let at = self.new_home(old, was, family, bits);
            let state = self
                .pools
                .get_mut(usize::from(at))
                .filter(|state| state.can_carry(&mark) && state.index[family].in_universe(bits));
            let Some(state) = state else {
                self.changed(mark_key(family, bits));
                continue;
            };
            state.index[family].take(bits);
            let is_moved = Some(state.name()) != old.get(usize::from(was));
            if is_moved {
                self.changed(mark_key(family, bits));
            }
            self.enter_mark(at, family, bits, mark);
        }
    }

    /// Removes a mark from the tables; the counters were reset before.
    fn drop_mark(&mut self, family: Family, bits: u128, mark: &MarkState) {
        self.holders.remove_note(family, bits);
        match mark {
            MarkState::Cooling { owner, until, .. } => {
                self.deadlines.remove(&(*until, Due::Mark(family, bits)));
                self.forget_cooling(owner, family, bits);
            }
            MarkState::Quarantined { until, .. } => {
                self.deadlines.remove(&(*until, Due::Mark(family, bits)));
            }
            MarkState::Resting { .. } => {}
        }
    }

    /// The pool that an address in use belongs to from now on: the one whose ranges it is in, else
    /// the one that gave it.
    fn new_home(&self, old: &[PoolName], was: PoolIndex, family: Family, bits: u128) -> PoolIndex {
        let by_range = self.pool_of(from_bits(family, bits)).map(|(at, _)| at);
        let by_name = || {
            old.get(usize::from(was))
                .and_then(|name| self.by_name.get(name))
                .copied()
        };
        by_range.or_else(by_name).unwrap_or(PoolIndex::MAX)
    }

    pub(super) fn forget_cooling(&mut self, owner: &OwnerKey, family: Family, bits: u128) {
        if let Some(addresses) = self.cooling.get_mut(owner) {
            addresses.retain(|address| *address != (family, bits));
            if addresses.is_empty() {
                self.cooling.remove(owner);
            }
        }
    }
}
