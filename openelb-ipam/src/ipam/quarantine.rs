//! Addresses that strangers use, and everything that ends with time.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::net::IpAddr;

use thiserror::Error;

use super::holders::{Holder, NoteState};
use super::owners::{Record, Slot};
use super::{Due, Ipam};
use crate::family::{Family, from_bits, to_bits};
use crate::owner::OwnerKey;
use crate::pool::Strategy;
use crate::row::{MarkState, RowKey};
use crate::time::Time;

/// An address was not quarantined; nothing was changed.
///
/// ```
/// # use openelb_ipam::*;
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// # let web: Owner = "service/default/web".parse()?;
/// let error = ipam.quarantine("203.0.113.1".parse()?, Time(9), "seen", Time(0)).unwrap_err();
/// assert!(error.to_string().starts_with("203.0.113.1 is in no pool"));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum QuarantineError {
    /// The ledger does not give the address to anybody.
    #[error("{0} is in no pool and nobody holds it; nothing to keep away from")]
    OutsidePools(IpAddr),
    /// The address is part of a delegated prefix, whose owner must decide.
    #[error("{address} is part of a prefix delegated to {owner}; release the prefix first")]
    Delegated {
        /// The address.
        address: IpAddr,
        /// Who holds the prefix.
        owner: OwnerKey,
    },
}

impl Ipam {
    /// Keeps everybody away from an address until a moment, because a stranger was seen using it.
    ///
    /// Those who hold it lose it, are returned, and are woken to ask for another. Pushed by whoever
    /// watches the wire. Quarantining an address again moves the end.
    ///
    /// ```
    /// # use openelb_ipam::{Ipam, Owner, PoolSpec, Request, Time};
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// let web: Owner = "service/default/web".parse()?;
    /// let address = ipam.allocate(&web, &Request::default(), Time(0))?.addresses[0].address;
    /// let lost = ipam.quarantine(address, Time(60_000), "ARP from 02:00:5e:10:00:01", Time(1))?;
    /// assert_eq!(lost, [web.key.clone()]);
    /// assert_ne!(ipam.allocate(&web, &Request::default(), Time(2))?.addresses[0].address, address);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn quarantine(
        &mut self,
        address: IpAddr,
        until: Time,
        cause: &str,
        now: Time,
    ) -> Result<Vec<OwnerKey>, QuarantineError> {
        let (family, bits) = (Family::of(address), to_bits(address));
        let holders = self.holders_of(family, bits);
        let pool = self.pool_of(address).map(|(at, _)| at);
        let pool = pool.filter(|at| self.is_in_universe(*at, family, bits));
        if pool.is_none() && holders.is_empty() {
            return Err(QuarantineError::OutsidePools(address));
        }
        if let Some(slot) = self.prefix_holder(family, bits) {
            let owner = OwnerKey::from_checked(self.owners.key(slot));
            return Err(QuarantineError::Delegated { address, owner });
        }
        self.expire_due(now);
        let lost = self.evict(&holders, family, now);
        if let Some(pool) = pool {
            self.unmark(family, bits);
            if let Some(state) = self.pools.get_mut(usize::from(pool)) {
                state.index[family].take(bits);
            }
            let mark = MarkState::Quarantined {
                until,
                cause: cause.to_string(),
            };
            self.mark(pool, family, bits, mark);
        }
        for owner in &lost {
            self.wake_owner(owner.clone());
        }
        self.wake(now);
        self.end_step();
        Ok(lost)
    }

    /// Ends what has ended: cool-downs, quarantines, reservations. Call it at
    /// [`next_deadline`](Self::next_deadline); calling it at other times is harmless, and every
    /// operation does the same for its own moment.
    ///
    /// ```
    /// # use openelb_ipam::*;
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// # let web: Owner = "service/default/web".parse()?;
    /// ipam.reserve(&web, &Request::default(), Time(5_000), Time(0))?;
    /// ipam.expire(Time(5_000));
    /// assert_eq!(ipam.reservations().count(), 0);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn expire(&mut self, now: Time) {
        self.expire_due(now);
        self.wake(now);
        self.end_step();
    }

    pub(super) fn expire_due(&mut self, now: Time) {
        while let Some(&(at, due)) = self.deadlines.first() {
            if at > now {
                return;
            }
            self.deadlines.pop_first();
            match due {
                Due::Mark(family, bits) => self.end_mark(family, bits),
                Due::Reservation(id) => self.lapse(id),
            }
        }
    }

    /// Frees a marked address; one that cooled down in a least-recently-released pool goes on resting.
    fn end_mark(&mut self, family: Family, bits: u128) {
        let Some((pool, mark)) = self.unmark(family, bits) else {
            return;
        };
        self.waiting.stir();
        let Some(state) = self.pools.get_mut(usize::from(pool)) else {
            return;
        };
        match mark {
            MarkState::Cooling { since, .. }
                if state.strategy() == Strategy::LeastRecentlyReleased =>
            {
                self.mark(pool, family, bits, MarkState::Resting { since });
            }
            _ => {
                state.index[family].release(bits);
                state.regained(family, bits);
            }
        }
    }

    /// The records at an address.
    fn holders_of(&self, family: Family, bits: u128) -> Vec<Slot> {
        match self.holders.find(family, bits, &self.owners) {
            Some(Holder::Record(slot)) => [slot].into(),
            Some(Holder::Note(note)) => match &note.state {
                NoteState::Shared { claims, .. } => claims.to_vec(),
                NoteState::Marked(_) => Vec::new(),
            },
            None => Vec::new(),
        }
    }

    /// Takes an address from records without cool-down; reservations are aborted whole.
    fn evict(&mut self, holders: &[Slot], family: Family, now: Time) -> Vec<OwnerKey> {
        let mut lost = Vec::new();
        for &slot in holders {
            let Some(record) = self.owners.get(slot) else {
                continue;
            };
            if let Some(id) = record.extra.as_ref().and_then(|extra| extra.reservation) {
                self.lapse(id);
                continue;
            }
            let owner = OwnerKey::from_checked(self.owners.key(slot));
            self.give_up(slot, family, None, now);
            self.forget_if_empty(slot, &owner);
            lost.push(owner);
        }
        lost
    }

    /// Removes the record of an owner that holds nothing any more, or notes that it changed.
    pub(super) fn forget_if_empty(&mut self, slot: Slot, owner: &OwnerKey) {
        if self.owners.get(slot).is_some_and(Record::holds_nothing) {
            self.owners.remove(slot);
            self.changed(RowKey::Owner(owner.clone()));
        } else {
            self.changed_owner(slot);
        }
    }

    fn is_in_universe(&self, pool: super::PoolIndex, family: Family, bits: u128) -> bool {
        self.pools
            .get(usize::from(pool))
            .is_some_and(|state| state.index[family].in_universe(bits))
    }
}

/// The address of a mark row.
pub(super) fn mark_key(family: Family, bits: u128) -> RowKey {
    RowKey::Mark(from_bits(family, bits))
}
