//! How full a pool is, from counters.

use core::fmt;

use super::Ipam;
use crate::count::AddressCount;
use crate::family::Family;

/// How many addresses of one family of a pool are in which state.
///
/// `capacity = free + used + reserved + cooling + quarantined`, always.
///
/// ```
/// # use openelb_ipam::{AddressCount, Family, Ipam, Owner, PoolSpec, Request, Time};
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// let web: Owner = "service/default/web".parse()?;
/// ipam.allocate(&web, &Request::default(), Time(0))?;
/// let usage = ipam.usage("public", Family::V4).unwrap();
/// assert_eq!(usage.to_string(), "1 of 254 used");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct Usage {
    /// Addresses that the pool can give at all.
    pub capacity: AddressCount,
    /// Addresses that it can give now.
    pub free: AddressCount,
    /// Addresses that owners hold, delegated prefixes included.
    pub used: AddressCount,
    /// Addresses held by open reservations.
    pub reserved: AddressCount,
    /// Addresses released a short time ago.
    pub cooling: AddressCount,
    /// Addresses that strangers use.
    pub quarantined: AddressCount,
    /// Addresses in use that an edit left outside; not part of the capacity.
    pub orphaned: AddressCount,
    /// Claims beyond the first at shared addresses: how many addresses sharing saves.
    pub shared_claims: u64,
    /// In how many pieces the free addresses are: fragmentation.
    pub free_runs: u64,
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} used", self.used, self.capacity)?;
        let rest = [
            (self.reserved, "reserved"),
            (self.cooling, "cooling"),
            (self.quarantined, "quarantined"),
            (self.orphaned, "orphaned"),
        ];
        for (count, state) in rest.into_iter().filter(|(count, _)| !count.is_zero()) {
            write!(f, ", {count} {state}")?;
        }
        Ok(())
    }
}

impl Ipam {
    /// The counters of a pool for one family; `None` when no pool has the name. O(1).
    ///
    /// ```
    /// # use openelb_ipam::*;
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// # let web: Owner = "service/default/web".parse()?;
    /// assert_eq!(ipam.usage("public", Family::V4).unwrap().capacity, AddressCount::new(254));
    /// assert!(ipam.usage("private", Family::V4).is_none());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn usage(&self, pool: &str, family: Family) -> Option<Usage> {
        let (_, state) = self.pool_state(pool)?;
        let counts = &state.counts[family];
        let index = &state.index[family];
        let held = counts.used + counts.reserved + counts.orphaned;
        Some(Usage {
            capacity: index.capacity(),
            free: state.free(family),
            used: AddressCount::from(counts.used).saturating_add(counts.prefixed),
            reserved: AddressCount::from(counts.reserved),
            cooling: AddressCount::from(counts.cooling),
            quarantined: AddressCount::from(counts.quarantined),
            orphaned: AddressCount::from(counts.orphaned),
            shared_claims: counts.claims.saturating_sub(held),
            free_runs: index.free_runs(),
        })
    }

    /// The largest piece of free addresses of a pool. Costs a walk over the index where it is
    /// neither full nor free: ask for reports, not per allocation.
    ///
    /// ```
    /// # use openelb_ipam::{Family, Ipam, PoolSpec, Time};
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// let run = ipam.largest_free_run("public", Family::V4).unwrap();
    /// assert_eq!(run.to_string(), "192.0.2.1-192.0.2.254");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn largest_free_run(
        &self,
        pool: &str,
        family: Family,
    ) -> Option<crate::range::AddressRange> {
        self.pool_state(pool)?.1.index[family].largest_free_run()
    }
}
