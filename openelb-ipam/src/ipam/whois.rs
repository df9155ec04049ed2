//! What an address is used for, and who holds what.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use super::holders::{Holder, NoteState};
use super::owners::{PoolIndex, Slot};
use super::state::PoolState;
use super::{Ipam, share};
use crate::family::{Family, to_bits};
use crate::name::PoolName;
use crate::owner::OwnerKey;
use crate::row::{MarkState, OwnerRow, ReservationId};
use crate::time::Time;

/// What is known about an address.
///
/// ```
/// # use openelb_ipam::{Ipam, Owner, PoolSpec, Request, Time};
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// let web: Owner = "service/default/web".parse()?;
/// ipam.allocate(&web, &Request::default(), Time(0))?;
/// let holding = ipam.whois("192.0.2.1".parse()?);
/// assert_eq!(holding.to_string(), "192.0.2.1 in pool public: held by service/default/web");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct Holding {
    /// The address.
    pub address: IpAddr,
    /// Its pool.
    pub pool: Option<PoolName>,
    /// Whether it is in use although its pool no longer holds it.
    pub is_orphaned: bool,
    /// What it is used for.
    pub status: Status,
}

/// What an address is used for.
///
/// ```
/// # use openelb_ipam::*;
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// # let web: Owner = "service/default/web".parse()?;
/// let status = |ipam: &Ipam, address: &str| ipam.whois(address.parse().unwrap()).status;
/// assert_eq!(status(&ipam, "192.0.2.1"), openelb_ipam::ipam::Status::Free);
/// assert_eq!(status(&ipam, "192.0.2.0"), openelb_ipam::ipam::Status::Reserved);
/// assert_eq!(status(&ipam, "203.0.113.1"), openelb_ipam::ipam::Status::OutsidePools);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub enum Status {
    /// No pool holds it.
    OutsidePools,
    /// Its pool never gives it.
    Reserved,
    /// It can be given.
    Free,
    /// Owners hold it; several if they share it.
    Held {
        /// Who.
        owners: Vec<OwnerKey>,
        /// The sharing key, if they share under one. Owners of a namespace that share because
        /// [their pool does](crate::PoolSpec::share_pinned) have none.
        sharing: Option<String>,
    },
    /// It is part of a prefix delegated to an owner.
    Delegated(OwnerKey),
    /// Open reservations hold it.
    Booked(Vec<ReservationId>),
    /// It was released a short time ago.
    Cooling {
        /// Whose it was.
        owner: OwnerKey,
        /// When anyone may have it.
        until: Time,
    },
    /// A stranger uses it.
    Quarantined {
        /// When it may be tried again.
        until: Time,
        /// What was seen.
        cause: String,
    },
}

impl fmt::Display for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)?;
        if let Some(pool) = &self.pool {
            write!(
                f,
                " {} pool {pool}",
                if self.is_orphaned {
                    "orphaned by"
                } else {
                    "in"
                }
            )?;
        }
        match &self.status {
            Status::OutsidePools => write!(f, ": in no pool"),
            Status::Reserved => write!(f, ": reserved, never given"),
            Status::Free => write!(f, ": free"),
            Status::Held { owners, .. } => {
                for (at, owner) in owners.iter().enumerate() {
                    write!(f, "{}{owner}", if at == 0 { ": held by " } else { " and " })?;
                }
                Ok(())
            }
            Status::Delegated(owner) => write!(f, ": in a prefix delegated to {owner}"),
            Status::Booked(ids) => {
                for (at, id) in ids.iter().enumerate() {
                    write!(
                        f,
                        "{}{id}",
                        if at == 0 {
                            ": held for reservation "
                        } else {
                            " and "
                        }
                    )?;
                }
                Ok(())
            }
            Status::Cooling { owner, until } => {
                write!(f, ": cooling down after {owner} until {until}")
            }
            Status::Quarantined { until, cause } => {
                write!(f, ": quarantined until {until}, {cause}")
            }
        }
    }
}

impl Ipam {
    /// What an address is used for. O(pools) to find its pool, then one look-up.
    ///
    /// ```
    /// # use openelb_ipam::*;
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// # let web: Owner = "service/default/web".parse()?;
    /// assert_eq!(ipam.whois("192.0.2.9".parse()?).to_string(), "192.0.2.9 in pool public: free");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn whois(&self, address: IpAddr) -> Holding {
        let (family, bits) = (Family::of(address), to_bits(address));
        let mut pool = self.pool_of(address).map(|(_, state)| state);
        let mut is_orphaned = false;
        let status = match self.holders.find(family, bits, &self.owners) {
            Some(Holder::Record(slot)) => {
                let claim = self
                    .owners
                    .get(slot)
                    .and_then(|record| record.claim(family));
                (pool, is_orphaned) = self.origin(claim.map(|(at, _)| at), family, bits);
                self.held_by(&[slot], None)
            }
            Some(Holder::Note(note)) => {
                (pool, is_orphaned) = self.origin(Some(note.pool), family, bits);
                match &note.state {
                    NoteState::Shared { sharing, claims } => {
                        let key = (!share::is_of_namespace(sharing)).then(|| sharing.key.clone());
                        self.held_by(claims, key)
                    }
                    NoteState::Marked(mark) => status_of(mark),
                }
            }
            None => match (self.prefix_holder(family, bits), pool) {
                (Some(slot), _) => Status::Delegated(OwnerKey::from_checked(self.owners.key(slot))),
                (None, None) => Status::OutsidePools,
                (None, Some(pool)) if pool.pool.is_reserved(address) => Status::Reserved,
                (None, Some(_)) => Status::Free,
            },
        };
        Holding {
            address,
            pool: pool.map(|pool| pool.name().clone()),
            is_orphaned,
            status,
        }
    }

    /// Everything that owners hold, one row each, in no particular order.
    ///
    /// ```
    /// # use openelb_ipam::Ipam;
    /// assert_eq!(Ipam::new().allocations().count(), 0);
    /// ```
    pub fn allocations(&self) -> impl Iterator<Item = OwnerRow> {
        self.owners
            .iter()
            .filter_map(|(slot, _)| self.owner_row(slot))
    }

    /// Everything that one owner holds.
    ///
    /// ```
    /// # use openelb_ipam::Ipam;
    /// assert!(Ipam::new().holdings("service/default/web").is_none());
    /// ```
    pub fn holdings(&self, owner: &str) -> Option<OwnerRow> {
        self.owners
            .find(owner)
            .and_then(|slot| self.owner_row(slot))
    }

    /// The pool whose ranges an address is in.
    pub(super) fn pool_of(&self, address: IpAddr) -> Option<(PoolIndex, &PoolState)> {
        let mut pools = (0..).zip(&self.pools);
        pools.find(|(_, state)| state.pool.ranges().contains(address))
    }

    /// The owner of a record, or the reservation that it belongs to.
    pub(super) fn holder_name(&self, slot: Slot) -> Result<OwnerKey, ReservationId> {
        let record = self.owners.get(slot);
        match record.and_then(|record| record.extra.as_ref()?.reservation) {
            Some(id) => Err(id),
            None => Ok(OwnerKey::from_checked(self.owners.key(slot))),
        }
    }

    fn origin(
        &self,
        at: Option<PoolIndex>,
        family: Family,
        bits: u128,
    ) -> (Option<&PoolState>, bool) {
        let pool = at.and_then(|at| self.pools.get(usize::from(at)));
        (
            pool,
            pool.is_some_and(|pool| !pool.index[family].in_universe(bits)),
        )
    }

    fn held_by(&self, slots: &[Slot], sharing: Option<String>) -> Status {
        let mut owners = Vec::new();
        let mut booked = Vec::new();
        for &slot in slots {
            match self.holder_name(slot) {
                Ok(owner) => owners.push(owner),
                Err(id) => booked.push(id),
            }
        }
        owners.sort_unstable();
        if owners.is_empty() {
            Status::Booked(booked)
        } else {
            Status::Held { owners, sharing }
        }
    }
}

fn status_of(mark: &MarkState) -> Status {
    match mark {
        MarkState::Cooling { owner, until, .. } => Status::Cooling {
            owner: owner.clone(),
            until: *until,
        },
        MarkState::Resting { .. } => Status::Free,
        MarkState::Quarantined { until, cause } => Status::Quarantined {
            until: *until,
            cause: cause.clone(),
        },
    }
}
