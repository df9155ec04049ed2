//! Taking addresses back.

use alloc::vec::Vec;
use core::net::IpAddr;

use ipnet::IpNet;
use smallvec::SmallVec;
use thiserror::Error;

use super::Ipam;
use super::owners::{Record, Slot};
use crate::family::{Family, from_bits};
use crate::owner::{OwnerKey, Uid};
use crate::row::RowKey;
use crate::time::Time;

/// What a release must match to count: a late message about an earlier incarnation frees nothing.
///
/// ```
/// # use openelb_ipam::*;
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// # let web: Owner = "service/default/web".parse()?;
/// let allocation = ipam.allocate(&web, &Request::default(), Time(0))?;
/// ipam.allocate(&web, &Request::dual_stack(), Time(1))?;
/// assert!(ipam.release(&web.key, Fence::Generation(allocation.generation), Time(2)).is_err());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fence<'a> {
    /// Whatever the owner holds.
    Any,
    /// Only what this incarnation holds.
    Uid(&'a Uid),
    /// Only if the owner has not changed since this generation.
    Generation(u64),
}

/// What a release gave back; empty when the owner held nothing.
///
/// ```
/// # use openelb_ipam::*;
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// # let web: Owner = "service/default/web".parse()?;
/// ipam.allocate(&web, &Request::dual_stack(), Time(0))?;
/// assert_eq!(ipam.release(&web.key, Fence::Any, Time(1))?.addresses.len(), 2);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Released {
    /// Single addresses.
    pub addresses: SmallVec<[IpAddr; 2]>,
    /// Delegated prefixes.
    pub prefixes: Vec<IpNet>,
}

impl Released {
    /// Whether the owner held nothing.
    ///
    /// ```
    /// # use openelb_ipam::*;
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// # let web: Owner = "service/default/web".parse()?;
    /// assert!(ipam.release(&web.key, Fence::Any, Time(0))?.is_empty());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.prefixes.is_empty()
    }
}

/// A release did not count; nothing was changed.
///
/// ```
/// # use openelb_ipam::*;
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// # let web: Owner = "service/default/web".parse()?;
/// ipam.allocate(&web.clone().with_uid("new"), &Request::default(), Time(0))?;
/// let error = ipam.release(&web.key, Fence::Uid(&Uid::from("old")), Time(1)).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "service/default/web is now uid new, not old; release it only if that one is gone",
/// );
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReleaseError {
    /// Another incarnation of the owner holds the addresses now.
    #[error("{owner} is now uid {current}, not {fence}; release it only if that one is gone")]
    OtherIncarnation {
        /// Who.
        owner: OwnerKey,
        /// The uid that the release named.
        fence: Uid,
        /// The uid that holds the addresses.
        current: Uid,
    },
    /// The owner changed after the generation that the release names.
    #[error("{owner} changed at generation {current}, after {fence}; look again before releasing")]
    Stale {
        /// Who.
        owner: OwnerKey,
        /// The generation that the release named.
        fence: u64,
        /// When the owner changed last.
        current: u64,
    },
}

impl Ipam {
    /// Takes back all that an owner holds, and its place in the waiting list. Repeating it changes
    /// nothing; an unknown owner is no error.
    ///
    /// ```
    /// # use openelb_ipam::{Fence, Ipam, Owner, PoolSpec, Request, Time, Uid};
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.7"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// let web: Owner = "service/default/web".parse()?;
    /// ipam.allocate(&web.clone().with_uid("new"), &Request::default(), Time(0))?;
    /// assert!(ipam.release(&web.key, Fence::Uid(&Uid::from("old")), Time(1)).is_err());
    /// let released = ipam.release(&web.key, Fence::Uid(&Uid::from("new")), Time(1))?;
    /// assert_eq!(released.addresses.as_slice(), ["192.0.2.7".parse::<core::net::IpAddr>()?]);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn release(
        &mut self,
        owner: &OwnerKey,
        fence: Fence<'_>,
        now: Time,
    ) -> Result<Released, ReleaseError> {
        let slot = self.owners.find(owner.as_str());
        if let Some(record) = slot.and_then(|slot| self.owners.get(slot)) {
            check(owner, record, fence)?;
        }
        self.expire_due(now);
        self.stop_waiting(owner.as_str());
        let released = slot
            .map(|slot| self.release_all(slot, owner, now))
            .unwrap_or_default();
        self.wake(now);
        self.end_step();
        Ok(released)
    }

    /// Takes back everything of a record and forgets it.
    pub(super) fn release_all(&mut self, slot: Slot, owner: &OwnerKey, now: Time) -> Released {
        let mut released = Released::default();
        let Some(record) = self.owners.get(slot) else {
            return released;
        };
        for family in record.order() {
            if let Some((_, bits)) = record.claim(family) {
                released.addresses.push(from_bits(family, bits));
            }
        }
        for family in Family::ALL {
            self.give_up(slot, family, Some(owner), now);
        }
        released.prefixes = self.release_prefixes(slot);
        self.owners.remove(slot);
        self.changed(RowKey::Owner(owner.clone()));
        released
    }
}

fn check(owner: &OwnerKey, record: &Record, fence: Fence<'_>) -> Result<(), ReleaseError> {
    match (fence, record.uid()) {
        (Fence::Uid(fence), Some(current)) if fence != current => {
            Err(ReleaseError::OtherIncarnation {
                owner: owner.clone(),
                fence: fence.clone(),
                current: current.clone(),
            })
        }
        (Fence::Generation(fence), _) if fence < record.generation => Err(ReleaseError::Stale {
            owner: owner.clone(),
            fence,
            current: record.generation,
        }),
        _ => Ok(()),
    }
}
