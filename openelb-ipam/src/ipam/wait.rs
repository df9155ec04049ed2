//! Owners that wait, and waking them when their time has come.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::mem;

use hashbrown::{HashMap, HashSet};

use super::Ipam;
use super::choose::{Ask, How, Pick};
use super::owners::PoolIndex;
use crate::family::Family;
use crate::owner::{Owner, OwnerKey};
use crate::request::Request;
use crate::row::{RowKey, WaitingRow};
use crate::time::Time;

/// The waiting list, first come first served.
// Invariants: `turns` and `by_owner` name the same owners; so do `woken` and `is_named`.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting {
    turns: BTreeMap<u64, Waiter>,
    by_owner: HashMap<OwnerKey, u64>,
    woken: Vec<OwnerKey>,
    is_named: HashSet<OwnerKey>,
    is_stirred: bool,
}

/// Somebody who waits. Whether they have been woken is not part of the state: a front end asks
/// again for everybody when it starts.
#[derive(Clone, Debug)]
struct Waiter {
    row: WaitingRow,
    is_woken: bool,
}

impl Waiting {
    /// Something became available; the next [`Ipam::wake`] looks who can use it.
    pub(super) fn stir(&mut self) {
        self.is_stirred = true;
    }

    pub(super) fn row(&self, owner: &str) -> Option<&WaitingRow> {
        let turn = self.by_owner.get(owner)?;
        self.turns.get(turn).map(|waiter| &waiter.row)
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &WaitingRow> {
        self.turns.values().map(|waiter| &waiter.row)
    }

    /// Enters a row as it is; false when its turn or its owner is there already.
    pub(super) fn insert(&mut self, row: WaitingRow) -> bool {
        if self.turns.contains_key(&row.turn) || self.by_owner.contains_key(&row.owner.key) {
            return false;
        }
        self.by_owner.insert(row.owner.key.clone(), row.turn);
        self.turns.insert(
            row.turn,
            Waiter {
                row,
                is_woken: false,
            },
        );
        true
    }

    pub(super) fn remove(&mut self, owner: &str) -> Option<WaitingRow> {
        let turn = self.by_owner.remove(owner)?;
        self.turns.remove(&turn).map(|waiter| waiter.row)
    }

    fn next_turn(&self) -> u64 {
        self.turns
            .last_key_value()
            .map_or(0, |(turn, _)| turn.saturating_add(1))
    }
}

impl Ipam {
    /// The owners that wait, in the order in which they will be served.
    ///
    /// ```
    /// # use openelb_ipam::*;
    /// let mut ipam = Ipam::new();
    /// let web: Owner = "service/default/web".parse()?;
    /// ipam.allocate(&web, &Request::default(), Time(0)).unwrap_err();
    /// assert_eq!(ipam.waiting().next().unwrap().owner, web);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn waiting(&self) -> impl Iterator<Item = &WaitingRow> {
        self.waiting.rows()
    }

    /// Owners whose request could be granted by what just happened: an address came free, a pool was
    /// added or changed, a quarantine ended. Call it after every step and
    /// [allocate](Self::allocate) again for each, in this order.
    ///
    /// An owner is named once per chance: as many owners as can be served, not all that wait.
    ///
    /// ```
    /// # use openelb_ipam::{Fence, Ipam, Owner, PoolSpec, Request, Time};
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.7"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// let (a, b): (Owner, Owner) = ("vip//a".parse()?, "vip//b".parse()?);
    /// ipam.allocate(&a, &Request::default(), Time(0))?;
    /// assert!(ipam.allocate(&b, &Request::default(), Time(0)).is_err());
    /// ipam.release(&a.key, Fence::Any, Time(1))?;
    /// assert_eq!(ipam.take_woken(), [b.key]);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn take_woken(&mut self) -> Vec<OwnerKey> {
        self.waiting.is_named.clear();
        mem::take(&mut self.waiting.woken)
    }

    pub(super) fn start_waiting(&mut self, owner: &Owner, request: &Request, now: Time) {
        let key = owner.key.as_str();
        if let Some(turn) = self.waiting.by_owner.get(key)
            && let Some(waiter) = self.waiting.turns.get_mut(turn)
        {
            waiter.is_woken = false;
            if waiter.row.owner == *owner && waiter.row.request == *request {
                return;
            }
            waiter.row.owner = owner.clone();
            waiter.row.request = request.clone();
        } else {
            let turn = self.waiting.next_turn();
            let (owner, request) = (owner.clone(), request.clone());
            self.waiting.insert(WaitingRow {
                owner,
                turn,
                since: now,
                request,
            });
        }
        self.changed(RowKey::Waiting(owner.key.clone()));
    }

    pub(super) fn stop_waiting(&mut self, owner: &str) {
        if self.waiting.turns.is_empty() {
            return;
        }
        if let Some(row) = self.waiting.remove(owner) {
            self.changed(RowKey::Waiting(row.owner.key));
        }
    }

    /// Names an owner to be asked about again, waiting or not.
    pub(super) fn wake_owner(&mut self, owner: OwnerKey) {
        if self.waiting.is_named.insert(owner.clone()) {
            self.waiting.woken.push(owner);
        }
    }

    /// Looks who can be served by what became available in this step.
    pub(super) fn wake(&mut self, now: Time) {
        if !mem::take(&mut self.waiting.is_stirred) || self.waiting.turns.is_empty() {
            return;
        }
        let mut served = Vec::new();
        let mut chances = Chances::default();
        for waiter in self
            .waiting
            .turns
            .values()
            .filter(|waiter| !waiter.is_woken)
        {
            let row = &waiter.row;
            let slot = self.owners.find(row.owner.key.as_str());
            let Ok(wanted) = row.request.wanted() else {
                continue;
            };
            let ask = Ask {
                owner: &row.owner,
                slot,
                request: &row.request,
                wanted,
                leave: &[],
                now,
            };
            let Some(decision) = self.decide(&ask, &mut ()) else {
                continue;
            };
            let gains = Family::ALL.into_iter().filter(|&family| {
                decision.picks[family].is_some_and(|pick| chances.draw(self, family, &pick))
            });
            if gains.count() > 0 {
                served.push((row.turn, row.owner.key.clone()));
            }
            if served.len() >= WAKE_AT_ONCE {
                self.waiting.is_stirred = true;
                break;
            }
        }
        for (turn, owner) in served {
            if let Some(waiter) = self.waiting.turns.get_mut(&turn) {
                waiter.is_woken = true;
            }
            self.wake_owner(owner);
        }
    }
}

/// What is left for the owners that are still to be looked at in one round of waking.
///
/// Every one of them is offered the same next free address, so the free addresses of a pool are
/// counted, and an address that only one owner may have is remembered.
#[derive(Default)]
struct Chances {
    free: BTreeMap<(PoolIndex, Family), u128>,
    single: BTreeSet<(Family, u128)>,
}

impl Chances {
    /// Takes the chance to get `pick`; false when owners before have taken the last one, or when
    /// it would change nothing.
    fn draw(&mut self, ipam: &Ipam, family: Family, pick: &Pick) -> bool {
        match pick.how {
            How::Keep => false,
            How::Join => true,
            How::Unmark
            | How::Take {
                is_automatic: false,
            } => self.single.insert((family, pick.bits)),
            How::Take { is_automatic: true } => {
                let state = ipam.pools.get(usize::from(pick.pool));
                let free = state.map_or(0, |state| state.index[family].free().to_u128_saturating());
                let left = self.free.entry((pick.pool, family)).or_insert(free);
                let is_left = *left > 0;
                *left = left.saturating_sub(1);
                is_left
            }
        }
    }
}

/// Bounds the work of one step; the rest is woken as these are served.
const WAKE_AT_ONCE: usize = 64;
