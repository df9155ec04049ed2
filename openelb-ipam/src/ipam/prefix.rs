//! Whole prefixes for owners that divide them further: delegated prefixes, node networks.

use alloc::vec::Vec;

use ipnet::IpNet;
use thiserror::Error;

use super::Ipam;
use super::owners::{PoolIndex, Slot};
use crate::family::{Family, from_bits, to_bits};
use crate::name::PoolName;
use crate::owner::Owner;
use crate::range::AddressRange;
use crate::row::PrefixClaim;
use crate::time::Time;

/// A prefix was not given; nothing was changed.
///
/// ```
/// # use openelb_ipam::*;
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// # let web: Owner = "service/default/web".parse()?;
/// let error = ipam.allocate_prefix(&web, &"public".parse()?, Family::V4, 24, Time(0)).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "pool public has no free /24 of IPv4; enlarge it or ask for a longer prefix",
/// );
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PrefixError {
    /// No pool has the name.
    #[error("pool {0} does not exist; name one that does")]
    UnknownPool(PoolName),
    /// The pool gives nothing new.
    #[error("pool {0} is disabled or overlaps an older one; enable it or name another")]
    PoolUnavailable(PoolName),
    /// A length that the family does not have.
    #[error("an {family} prefix has 1 to {bits} bits, not {length}", bits = family.bits())]
    Length {
        /// The family.
        family: Family,
        /// The length asked for.
        length: u8,
    },
    /// No aligned block of the length is free.
    #[error("pool {pool} has no free /{length} of {family}; enlarge it or ask for a longer prefix")]
    Exhausted {
        /// The pool.
        pool: PoolName,
        /// The family.
        family: Family,
        /// The length asked for.
        length: u8,
    },
}

impl Ipam {
    /// Gives an owner a whole free prefix of a pool, the lowest aligned one. An owner that holds one
    /// of this family and length from this pool keeps it: repeating changes nothing.
    ///
    /// [`release`](Self::release) gives it back with everything else of the owner.
    ///
    /// ```
    /// # use openelb_ipam::{Family, Ipam, Owner, PoolSpec, Request, Time};
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("nodes".parse()?, ["2001:db8::/48"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// let node: Owner = "node//worker-1".parse()?;
    /// let given = ipam.allocate_prefix(&node, &"nodes".parse()?, Family::V6, 64, Time(0))?;
    /// assert_eq!(given.prefix.to_string(), "2001:db8:0:1::/64");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn allocate_prefix(
        &mut self,
        owner: &Owner,
        pool: &PoolName,
        family: Family,
        length: u8,
        now: Time,
    ) -> Result<PrefixClaim, PrefixError> {
        let unknown = || PrefixError::UnknownPool(pool.clone());
        let (at, state) = self.pool_state(pool).ok_or_else(unknown)?;
        let slot = self.owners.find(owner.key.as_str());
        if let Some(prefix) = self.held_prefix(slot, at, family, length) {
            return Ok(PrefixClaim {
                prefix,
                pool: pool.clone(),
            });
        }
        if state.pool.spec().is_disabled || state.conflict.is_some() {
            return Err(PrefixError::PoolUnavailable(pool.clone()));
        }
        if length == 0 || length > family.bits() {
            return Err(PrefixError::Length { family, length });
        }
        self.expire_due(now);
        let state = self.pools.get(usize::from(at)).ok_or_else(unknown)?;
        let Some(first) = state.index[family].free_prefix(length) else {
            self.end_step();
            return Err(PrefixError::Exhausted {
                pool: pool.clone(),
                family,
                length,
            });
        };
        let prefix = IpNet::new_assert(from_bits(family, first), length);
        let slot = slot.unwrap_or_else(|| self.owners.insert(owner.key.as_str()));
        if let Some(record) = self.owners.get_mut(slot) {
            let uid = owner.uid.clone().or_else(|| record.uid().cloned());
            record.edit_extra(|extra| extra.uid = uid);
        }
        self.place_prefix(slot, at, prefix);
        self.changed_owner(slot);
        self.end_step();
        Ok(PrefixClaim {
            prefix,
            pool: pool.clone(),
        })
    }

    /// Enters a prefix: the part of it that the pool can give is taken in the index.
    pub(super) fn place_prefix(&mut self, slot: Slot, at: PoolIndex, prefix: IpNet) {
        let family = Family::of(prefix.addr());
        self.prefixes
            .insert((family, to_bits(prefix.network())), slot);
        if let Some(record) = self.owners.get_mut(slot) {
            record.edit_extra(|extra| extra.prefixes.push((at, prefix)));
        }
        if let Some(state) = self.pools.get_mut(usize::from(at)) {
            let taken = state.index[family].take_range(AddressRange::from(prefix));
            let prefixed = &mut state.counts[family].prefixed;
            *prefixed = prefixed.saturating_add(taken);
        }
    }

    pub(super) fn release_prefixes(&mut self, slot: Slot) -> Vec<IpNet> {
        let held = self
            .owners
            .get(slot)
            .map(|record| record.prefixes().to_vec());
        let held = held.unwrap_or_default();
        for &(at, prefix) in &held {
            let family = Family::of(prefix.addr());
            self.prefixes.remove(&(family, to_bits(prefix.network())));
            self.waiting.stir();
            if let Some(state) = self.pools.get_mut(usize::from(at)) {
                let freed = state.index[family].release_range(AddressRange::from(prefix));
                state.regained(family, to_bits(prefix.network()));
                let prefixed = &mut state.counts[family].prefixed;
                *prefixed = prefixed.saturating_sub(freed);
            }
        }
        if let Some(record) = self.owners.get_mut(slot) {
            record.edit_extra(|extra| extra.prefixes.clear());
        }
        held.into_iter().map(|(_, prefix)| prefix).collect()
    }

    /// Who holds the prefix that an address is in.
    pub(super) fn prefix_holder(&self, family: Family, bits: u128) -> Option<Slot> {
        let (_, &slot) = self.prefixes.range(..=(family, bits)).next_back()?;
        let record = self.owners.get(slot)?;
        let is_in = |prefix: &IpNet| {
            Family::of(prefix.addr()) == family && AddressRange::from(*prefix).contains_bits(bits)
        };
        record
            .prefixes()
            .iter()
            .any(|(_, prefix)| is_in(prefix))
            .then_some(slot)
    }

    fn held_prefix(
        &self,
        slot: Option<Slot>,
        pool: PoolIndex,
        family: Family,
        length: u8,
    ) -> Option<IpNet> {
        let record = self.owners.get(slot?)?;
        let is_same =
            |prefix: &IpNet| Family::of(prefix.addr()) == family && prefix.prefix_len() == length;
        let held = record
            .prefixes()
            .iter()
            .find(|(at, prefix)| *at == pool && is_same(prefix));
        held.map(|(_, prefix)| *prefix)
    }
}
