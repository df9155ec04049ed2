//! What an edit of the pools would do, before it is done.

use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use thiserror::Error;

use super::Ipam;
use super::effect::{ClaimEffect, Fate, PoolConflict, PoolEdit};
use super::owners::{PoolIndex, Slot};
use super::state::PoolState;
use crate::family::{DualStack, Family, from_bits};
use crate::name::PoolName;
use crate::pool::{OnShrink, Pool, PoolSpec, PoolSpecError};
use crate::range_set::RangeSet;

/// The whole set of pools wanted, checked, with what it means for everything in use.
///
/// Look at it, print it, then hand it to [`Ipam::apply_pools`] or drop it.
///
/// ```
/// # use openelb_ipam::{Ipam, Owner, PoolSpec, Request, Time};
/// # let mut ipam = Ipam::new();
/// let pool = |range| PoolSpec::new("public".parse().unwrap(), [range]);
/// let plan = ipam.plan_pools(&[pool("192.0.2.0/24")])?;
/// ipam.apply_pools(plan, Time(0))?;
/// ipam.allocate(&"vip//a".parse()?, &Request::default(), Time(0))?;
///
/// let plan = ipam.plan_pools(&[pool("192.0.2.128/25")])?;
/// assert_eq!(
///     plan.to_string(),
///     "~ pool public\n  192.0.2.1 of vip//a: orphaned, kept until released",
/// );
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolPlan {
    pub(super) base: u64,
    pub(super) pools: Vec<Planned>,
    edits: Vec<PoolEdit>,
    conflicts: Vec<PoolConflict>,
    effects: Vec<ClaimEffect>,
    kept: u64,
}

/// A checked pool with the switches that depend on the pools before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) pool: Pool,
    pub(super) conflict: Option<PoolName>,
    pub(super) is_default: DualStack<bool>,
}

/// The pools wanted cannot be.
///
/// ```
/// # use openelb_ipam::{Ipam, PoolSpec};
/// let pool = |range| PoolSpec::new("public".parse().unwrap(), [range]);
/// let error = Ipam::new().plan_pools(&[pool("192.0.2.1"), pool("192.0.2.2")]).unwrap_err();
/// assert_eq!(error.to_string(), "two pools are named public; rename one");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PoolPlanError {
    /// A specification is wrong.
    #[error(transparent)]
    Invalid(#[from] PoolSpecError),
    /// Two pools have one name.
    #[error("two pools are named {0}; rename one")]
    DuplicateName(PoolName),
    /// Two pools are in conflict and the caller [refuses](PoolPlan::deny_conflicts) that.
    #[error(transparent)]
    Conflict(#[from] PoolConflict),
    /// More pools than the ledger can number.
    #[error("{0} pools are wanted; at most 65,534 are possible, merge some")]
    TooMany(usize),
}

impl PoolPlan {
    /// Whether nothing changes.
    ///
    /// ```
    /// # use openelb_ipam::*;
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// # let web: Owner = "service/default/web".parse()?;
    /// let same: Vec<_> = ipam.pools().map(|pool| pool.spec().clone()).collect();
    /// assert!(ipam.plan_pools(&same)?.is_empty());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// Pools added, changed and removed.
    ///
    /// ```
    /// # use openelb_ipam::*;
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// # let web: Owner = "service/default/web".parse()?;
    /// assert_eq!(ipam.plan_pools(&[])?.edits().len(), 1);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn edits(&self) -> &[PoolEdit] {
        &self.edits
    }

    /// Pools that yield to older ones.
    ///
    /// ```
    /// # use openelb_ipam::*;
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// # let web: Owner = "service/default/web".parse()?;
    /// let mut specs: Vec<_> = ipam.pools().map(|pool| pool.spec().clone()).collect();
    /// specs.push(PoolSpec::new("more".parse()?, ["192.0.2.128/25"]));
    /// assert_eq!(ipam.plan_pools(&specs)?.conflicts().len(), 1);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn conflicts(&self) -> &[PoolConflict] {
        &self.conflicts
    }

    /// Addresses in use that do not simply stay.
    ///
    /// ```
    /// # use openelb_ipam::*;
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// # let web: Owner = "service/default/web".parse()?;
    /// ipam.allocate(&web, &Request::dual_stack(), Time(0))?;
    /// assert_eq!(ipam.plan_pools(&[])?.effects().len(), 2);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn effects(&self) -> &[ClaimEffect] {
        &self.effects
    }

    /// How many addresses in use stay where they are.
    ///
    /// ```
    /// # use openelb_ipam::*;
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// # let web: Owner = "service/default/web".parse()?;
    /// ipam.allocate(&web, &Request::dual_stack(), Time(0))?;
    /// let wider = PoolSpec::new("public".parse()?, ["192.0.2.0/23", "2001:db8::/48"]);
    /// assert_eq!(ipam.plan_pools(&[wider])?.kept(), 2);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn kept(&self) -> u64 {
        self.kept
    }

    /// Turns the first conflict into an error, for callers that refuse a configuration as a whole.
    ///
    /// ```
    /// # use openelb_ipam::{Ipam, PoolSpec};
    /// let a = PoolSpec::new("a".parse()?, ["198.51.100.0/24"]);
    /// let b = PoolSpec::new("b".parse()?, ["198.51.100.128/25"]);
    /// let error = Ipam::new().plan_pools(&[a, b])?.deny_conflicts().unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "pool b overlaps pool a at 198.51.100.128/25; change one of the two",
    /// );
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn deny_conflicts(self) -> Result<Self, PoolPlanError> {
        match self.conflicts.first() {
            Some(conflict) => Err(conflict.clone().into()),
            None => Ok(self),
        }
    }
}

impl fmt::Display for PoolPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("no change");
        }
        for (at, edit) in self.edits.iter().enumerate() {
            let line = if at == 0 { "" } else { "\n" };
            match edit {
                PoolEdit::Added(name) => write!(f, "{line}+ pool {name}")?,
                PoolEdit::Changed(name) => write!(f, "{line}~ pool {name}")?,
                PoolEdit::Removed(name) => write!(f, "{line}- pool {name}")?,
            }
        }
        for conflict in &self.conflicts {
            write!(f, "\n! {conflict}")?;
        }
        self.effects.iter().try_for_each(
            |ClaimEffect {
                 owner,
                 address,
                 fate,
             }| { write!(f, "\n  {address} of {owner}: {fate}") },
        )
    }
}

impl Ipam {
    /// Says what it means to have exactly these pools. The order is that of age: of two pools that
    /// overlap, the one listed first keeps the addresses and the other gives nothing new.
    ///
    /// O(pools × ranges + addresses in use).
    ///
    /// ```
    /// # use openelb_ipam::*;
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// # let web: Owner = "service/default/web".parse()?;
    /// let wider = PoolSpec::new("public".parse()?, ["192.0.2.0/23", "2001:db8::/64"]);
    /// assert_eq!(ipam.plan_pools(&[wider])?.to_string(), "~ pool public");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn plan_pools(&self, specs: &[PoolSpec]) -> Result<PoolPlan, PoolPlanError> {
        if specs.len() >= usize::from(PoolIndex::MAX) {
            return Err(PoolPlanError::TooMany(specs.len()));
        }
        let mut conflicts = Vec::new();
        let pools = arrange(specs, &mut conflicts)?;
        let edits = self.edits(&pools);
        let mut plan = PoolPlan {
            base: self.generation(),
            pools,
            edits,
            conflicts,
            effects: Vec::new(),
            kept: 0,
        };
        let mut kept = 0;
        for (slot, record) in self.owners.iter() {
            for family in Family::ALL {
                let Some((at, bits)) = record.claim(family) else {
                    continue;
                };
                let address = from_bits(family, bits);
                match self.fate(&plan, at, address) {
                    Some(fate) => plan.effects.extend(self.effect(slot, address, fate)),
                    None => kept += 1,
                }
            }
            for (at, prefix) in record.prefixes() {
                match self.fate(&plan, *at, prefix.network()) {
                    Some(fate) => plan
                        .effects
                        .extend(self.effect(slot, prefix.network(), fate)),
                    None => kept += 1,
                }
            }
        }
        plan.kept = kept;
        Ok(plan)
    }

    /// What becomes of an address of a pool; `None` when it just stays.
    pub(super) fn fate(&self, plan: &PoolPlan, at: PoolIndex, address: IpAddr) -> Option<Fate> {
        let old = self.pools.get(usize::from(at))?;
        let same = plan
            .pools
            .iter()
            .find(|planned| planned.pool.name() == old.name());
        let family = Family::of(address);
        let is_orphan = !old.index[family].in_universe(crate::family::to_bits(address));
        if let Some(home) = plan.home(address) {
            if home.pool.name() != old.name() {
                return Some(Fate::Adopted(home.pool.name().clone()));
            }
            if home.pool.universe().contains(address) || is_orphan {
                return None;
            }
        }
        let Some(same) = same else {
            return Some(Fate::Released);
        };
        match same.pool.spec().on_shrink {
            OnShrink::Retain | OnShrink::Drain
                if is_orphan && old.pool.spec().on_shrink == same.pool.spec().on_shrink =>
            {
                None
            }
            OnShrink::Retain => Some(Fate::Orphaned),
            OnShrink::Drain => Some(Fate::Draining),
            OnShrink::Reassign => Some(Fate::Reassigned),
        }
    }

    fn effect(&self, slot: Slot, address: IpAddr, fate: Fate) -> Option<ClaimEffect> {
        let owner = match self.holder_name(slot) {
            Ok(owner) => owner,
            Err(id) => self.bookings.get(&id)?.owner.key.clone(),
        };
        Some(ClaimEffect {
            owner,
            address,
            fate,
        })
    }

    fn edits(&self, planned: &[Planned]) -> Vec<PoolEdit> {
        let mut edits = Vec::new();
        for (at, new) in planned.iter().enumerate() {
            let name = new.pool.name();
            match self.pool_state(name) {
                None => edits.push(PoolEdit::Added(name.clone())),
                Some((was_at, old)) if usize::from(was_at) != at || !new.is_same(old) => {
                    edits.push(PoolEdit::Changed(name.clone()));
                }
                Some(_) => {}
            }
        }
        let gone = |old: &&PoolState| planned.iter().all(|new| new.pool.name() != old.name());
        let gone = self.pools.iter().filter(gone);
        edits.extend(gone.map(|old| PoolEdit::Removed(old.name().clone())));
        edits
    }
}

impl PoolPlan {
    /// The planned pool whose ranges an address is in.
    pub(super) fn home(&self, address: IpAddr) -> Option<&Planned> {
        self.pools
            .iter()
            .find(|planned| planned.pool.ranges().contains(address))
    }
}

impl Planned {
    fn is_same(&self, old: &PoolState) -> bool {
        self.pool == old.pool && self.conflict == old.conflict && self.is_default == old.is_default
    }
}

/// Checks every pool and settles who yields to whom.
fn arrange(
    specs: &[PoolSpec],
    conflicts: &mut Vec<PoolConflict>,
) -> Result<Vec<Planned>, PoolPlanError> {
    let mut planned: Vec<Planned> = Vec::with_capacity(specs.len());
    let mut elders = RangeSet::new();
    let mut defaults: DualStack<Option<PoolName>> = DualStack::default();
    for spec in specs {
        let mut pool = Pool::try_from(spec)?;
        if planned.iter().any(|elder| elder.pool.name() == pool.name()) {
            return Err(PoolPlanError::DuplicateName(spec.name.clone()));
        }
        let mut conflict = None;
        if elders.overlap(pool.ranges()).is_some() {
            let overlaps = |elder: &Planned| elder.pool.ranges().overlap(pool.ranges());
            let first = planned
                .iter()
                .find_map(|elder| Some((elder.pool.name(), overlaps(elder)?)));
            if let Some((elder, common)) = first {
                conflict = Some(elder.clone());
                let (pool, elder) = (spec.name.clone(), elder.clone());
                conflicts.push(PoolConflict::Overlap {
                    pool,
                    elder,
                    common,
                });
            }
            pool.cede(&elders);
        }
        elders = elders.union(pool.ranges());
        let is_default = DualStack::from_fn(|family| {
            if !spec.is_default || !pool.serves(family) {
                return false;
            }
            let Some(elder) = defaults[family].clone() else {
                defaults[family] = Some(spec.name.clone());
                return true;
            };
            let pool = spec.name.clone();
            conflicts.push(PoolConflict::SecondDefault {
                pool,
                elder,
                family,
            });
            false
        });
        planned.push(Planned {
            pool,
            conflict,
            is_default,
        });
    }
    Ok(planned)
}
