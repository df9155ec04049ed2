//! The words of a pool plan: what happens to pools, and to the addresses in use.

use core::fmt;
use core::net::IpAddr;

use thiserror::Error;

use crate::family::Family;
use crate::name::PoolName;
use crate::owner::OwnerKey;
use crate::range::AddressRange;

/// What happens to a pool.
///
/// ```
/// # use openelb_ipam::*;
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// # let web: Owner = "service/default/web".parse()?;
/// let plan = ipam.plan_pools(&[])?;
/// assert_eq!(plan.edits(), [openelb_ipam::ipam::PoolEdit::Removed("public".parse()?)]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub enum PoolEdit {
    /// It is new.
    Added(PoolName),
    /// Its specification, its place in the list or a conflict changed.
    Changed(PoolName),
    /// It goes.
    Removed(PoolName),
}

/// Two pools stand in each other's way; the younger one yields.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub enum PoolConflict {
    /// The younger pool gives nothing new.
    #[error("pool {pool} overlaps pool {elder} at {common}; change one of the two")]
    Overlap {
        /// The younger.
        pool: PoolName,
        /// The elder.
        elder: PoolName,
        /// Addresses that both list.
        common: AddressRange,
    },
    /// The younger pool is not the default for the family.
    #[error("pools {elder} and {pool} are both the {family} default; mark only one")]
    SecondDefault {
        /// The younger.
        pool: PoolName,
        /// The elder.
        elder: PoolName,
        /// The family that both have.
        family: Family,
    },
}

/// What happens to an address in use. Owners that keep their address in the same pool are only
/// counted, see [`PoolPlan::kept`](super::PoolPlan::kept).
///
/// ```
/// # use openelb_ipam::*;
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// # let web: Owner = "service/default/web".parse()?;
/// ipam.allocate(&web, &Request::default(), Time(0))?;
/// let plan = ipam.plan_pools(&[])?;
/// assert_eq!(plan.effects()[0].owner, web.key);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ClaimEffect {
    /// Who holds it.
    pub owner: OwnerKey,
    /// The address; of a delegated prefix, its first.
    pub address: IpAddr,
    /// What happens.
    pub fate: Fate,
}

/// What an edit of the pools does to an address in use.
///
/// ```
/// # use openelb_ipam::*;
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// # let web: Owner = "service/default/web".parse()?;
/// ipam.allocate(&web, &Request::default(), Time(0))?;
/// let renamed = PoolSpec::new("renamed".parse()?, ["192.0.2.0/24"]);
/// let plan = ipam.plan_pools(&[renamed])?;
/// assert_eq!(plan.effects()[0].fate.to_string(), "kept, now in pool renamed");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub enum Fate {
    /// Kept; from now on it belongs to another pool.
    Adopted(PoolName),
    /// Kept outside every pool until it is released.
    Orphaned,
    /// Kept outside every pool until its owner has a replacement.
    Draining,
    /// Released; the owner is woken for another address.
    Reassigned,
    /// Released because its pool goes; the owner is woken for another address.
    Released,
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Adopted(pool) => write!(f, "kept, now in pool {pool}"),
            Self::Orphaned => f.write_str("orphaned, kept until released"),
            Self::Draining => f.write_str("orphaned, kept until replaced"),
            Self::Reassigned => f.write_str("released, to be replaced"),
            Self::Released => f.write_str("released with its pool, to be replaced"),
        }
    }
}
