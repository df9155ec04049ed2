//! Why something was refused: by which pool, by which rule, and what would help.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use thiserror::Error;

use crate::count::AddressCount;
use crate::family::Family;
use crate::name::PoolName;
use crate::owner::OwnerKey;
use crate::request::{InvalidRequest, Port};
use crate::row::ReservationId;
use crate::time::Time;

/// The kind of a refusal: a fixed set of words that conditions and metrics can rely on.
///
/// ```
/// use openelb_ipam::Reason;
///
/// assert_eq!(Reason::PoolExhausted.to_string(), "PoolExhausted");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Reason {
    /// The address was seen in use by a stranger on the wire.
    AddressConflictOnWire,
    /// Another owner holds the address, or held it a moment ago.
    AddressInUse,
    /// No pool holds the pinned address.
    AddressOutsidePools,
    /// The pinned address is excluded or reserved in its pool.
    AddressReserved,
    /// Pools were found, but none of the family.
    FamilyUnavailable,
    /// The request contradicts itself.
    InvalidAddress,
    /// No pool serves this owner.
    NoMatchingPool,
    /// Every pool that serves this owner is full.
    PoolExhausted,
    /// The namespace holds as many addresses as it may.
    QuotaExceeded,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Why one pool did not serve a request.
///
/// ```
/// # use openelb_ipam::*;
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// # let web: Owner = "service/default/web".parse()?;
/// let error = ipam.allocate(&web, &Request::default().pin("192.0.2.0".parse()?), Time(0)).unwrap_err();
/// assert_eq!(
///     error.refusals()[0].to_string(),
///     "pool public never gives 192.0.2.0: it is reserved there",
/// );
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Refusal {
    /// The pool; `None` when no pool was concerned.
    pub pool: Option<PoolName>,
    /// The rule that refused.
    pub rule: Rule,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.pool {
            Some(pool) => write!(f, "pool {pool} {}", self.rule),
            None => write!(f, "{}", self.rule),
        }
    }
}

/// A rule that can refuse. Its text completes the sentence "pool NAME …".
///
/// ```
/// # use openelb_ipam::*;
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// # let web: Owner = "service/default/web".parse()?;
/// let address = "203.0.113.1".parse()?;
/// let error = ipam.allocate(&web, &Request::default().pin(address), Time(0)).unwrap_err();
/// assert_eq!(error.refusals()[0].rule, Rule::OutsidePools(address));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub enum Rule {
    /// The pool is switched off.
    #[error("is disabled")]
    Disabled,
    /// It overlaps a pool listed earlier.
    #[error("overlaps pool {0}, which is older, and gives nothing new")]
    Conflicting(PoolName),
    /// It is bound to namespaces, and this is none of them.
    #[error("is bound to other namespaces")]
    OtherNamespaces,
    /// It is bound to services, and this is none of them.
    #[error("is bound to other services")]
    OtherServices,
    /// It serves only requests that name it.
    #[error("is not assigned automatically")]
    NotAutomatic,
    /// The request names another pool.
    #[error("is not pool {0}, which the request names")]
    NotNamed(PoolName),
    /// The request names a pool that does not exist.
    #[error("pool {0} does not exist")]
    Unknown(PoolName),
    /// It has no address of the family.
    #[error("has no {0} range")]
    NoFamily(Family),
    /// It has no free address of the family.
    #[error("has no free {family} address ({taken} of {capacity} taken)")]
    Exhausted {
        /// The family.
        family: Family,
        /// Addresses in use or out of use.
        taken: AddressCount,
        /// Addresses that it can give at all.
        capacity: AddressCount,
    },
    /// The namespace holds as many of its addresses as it may.
    #[error("lets namespace {namespace:?} hold {limit} {family} addresses, which it does")]
    Quota {
        /// The namespace.
        namespace: String,
        /// The family.
        family: Family,
        /// The quota.
        limit: u32,
    },
    /// No pool has the address.
    #[error("no pool holds {0}")]
    OutsidePools(IpAddr),
    /// No pool has the address, nor has this one, which the request names.
    #[error("does not hold {address}, only {ranges}")]
    NotHeld {
        /// The address.
        address: IpAddr,
        /// What it has, the first four ranges at most.
        ranges: String,
    },
    /// The address is in the pool and never given.
    #[error("never gives {0}: it is reserved there")]
    Reserved(IpAddr),
    /// Another owner holds the address.
    #[error("has given {address} to {holder}")]
    InUse {
        /// The address.
        address: IpAddr,
        /// Who holds it.
        holder: OwnerKey,
    },
    /// An open reservation holds the address.
    #[error("holds {address} for reservation {id}")]
    HeldForReservation {
        /// The address.
        address: IpAddr,
        /// The reservation.
        id: ReservationId,
    },
    /// Others hold the address and sharing with them is not possible.
    #[error("has given {address} to {holder}, and {why}")]
    NotShareable {
        /// The address.
        address: IpAddr,
        /// One of those who hold it.
        holder: OwnerKey,
        /// What stands in the way.
        why: ShareRefusal,
    },
    /// The address was released a moment ago and waits for its last owner.
    #[error("keeps {address} for its last owner until {until}")]
    Cooling {
        /// The address.
        address: IpAddr,
        /// Until when.
        until: Time,
    },
    /// The address was seen in use by a stranger.
    #[error("avoids {address} until {until}: it was seen in use on the wire")]
    Quarantined {
        /// The address.
        address: IpAddr,
        /// Until when.
        until: Time,
    },
    /// The request contradicts itself.
    #[error("{0}")]
    Invalid(InvalidRequest),
}

/// What stands in the way of sharing an address.
///
/// ```
/// # use openelb_ipam::*;
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// # let web: Owner = "service/default/web".parse()?;
/// let at = |key: &str| {
///     Request::default().pin("192.0.2.7".parse().unwrap()).share(Sharing::new(key), PortSet::All)
/// };
/// ipam.allocate(&web, &at("blue"), Time(0))?;
/// let error = ipam.allocate(&"service/default/db".parse()?, &at("red"), Time(0)).unwrap_err();
/// assert!(error.to_string().contains("the sharing keys differ"));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub enum ShareRefusal {
    /// One of the two has no sharing key.
    #[error("sharing needs a sharing key on both sides")]
    NoKey,
    /// The keys differ.
    #[error("the sharing keys differ")]
    OtherKey,
    /// The backends differ, which traffic policy Local does not allow.
    #[error("the backends differ")]
    OtherBackend,
    /// Both serve a port.
    #[error("both serve {}", in_words(*.0))]
    Port(Port),
}

/// A clash of two owners that list no ports is reported as port 0, which is no port.
fn in_words(port: Port) -> String {
    match port.number {
        0 => String::from("every port"),
        _ => alloc::format!("{port}"),
    }
}

/// The nearest change that would let a request succeed.
///
/// ```
/// # use openelb_ipam::*;
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// # let web: Owner = "service/default/web".parse()?;
/// let error = ipam.allocate(&web, &Request::default().pin("203.0.113.1".parse()?), Time(0)).unwrap_err();
/// assert_eq!(*error.hint(), Hint::PinAnother);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub enum Hint {
    /// The request itself.
    #[error("correct the request")]
    CorrectRequest,
    /// No pool at all.
    #[error("add a pool")]
    AddPool,
    /// A family that no pool has.
    #[error("add an {family} range to pool {pool}")]
    AddFamily {
        /// The pool that would otherwise serve.
        pool: PoolName,
        /// The family.
        family: Family,
    },
    /// A full pool.
    #[error("enlarge pool {pool} or release an {family} address of it")]
    Enlarge {
        /// The pool.
        pool: PoolName,
        /// The family.
        family: Family,
    },
    /// A quota.
    #[error("raise the namespace quota of pool {0} or release an address")]
    RaiseQuota(PoolName),
    /// A pool switched off.
    #[error("enable pool {0}")]
    Enable(PoolName),
    /// A pool in conflict.
    #[error("remove the overlap of pool {0} with the older one")]
    RemoveOverlap(PoolName),
    /// A pool that serves only by name.
    #[error("name pool {0} in the request or let it assign automatically")]
    NamePool(PoolName),
    /// A pool bound to others.
    #[error("bind pool {0} to this owner, or choose a default pool")]
    Bind(PoolName),
    /// A pinned address that cannot be had.
    #[error("pin another address or none")]
    PinAnother,
    /// A pinned address that can be had later.
    #[error("wait until {0} or pin another address")]
    Wait(Time),
    /// An address that could be shared.
    #[error("give both owners the same sharing key and different ports, or pin another address")]
    Share,
}

/// An allocation was refused; nothing was changed but the owner's place in the waiting list.
///
/// Owners whose request can succeed later, by somebody's release or a pool edit, wait: they are
/// named by [`Ipam::take_woken`](super::Ipam::take_woken) when the time has come.
///
/// ```
/// use openelb_ipam::{Ipam, Owner, Reason, Request, Time};
///
/// let web: Owner = "service/default/web".parse()?;
/// let error = Ipam::new().allocate(&web, &Request::default(), Time(0)).unwrap_err();
/// assert_eq!(error.reason(), Reason::NoMatchingPool);
/// assert_eq!(error.to_string(), "no address for service/default/web: NoMatchingPool; add a pool");
/// # Ok::<(), openelb_ipam::ParseOwnerKeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[error("no address for {owner}: {reason}{}; {hint}", list(.refusals))]
pub struct AllocateError {
    pub(super) owner: OwnerKey,
    pub(super) reason: Reason,
    pub(super) refusals: Vec<Refusal>,
    pub(super) hint: Hint,
}

impl AllocateError {
    /// Who asked.
    ///
    /// ```
    /// # use openelb_ipam::*;
    /// let web: Owner = "service/default/web".parse()?;
    /// let error = Ipam::new().allocate(&web, &Request::default(), Time(0)).unwrap_err();
    /// assert_eq!(*error.owner(), web.key);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn owner(&self) -> &OwnerKey {
        &self.owner
    }

    /// The kind of refusal.
    ///
    /// ```
    /// # use openelb_ipam::*;
    /// let error = Ipam::new().allocate(&"vip//a".parse()?, &Request::default(), Time(0)).unwrap_err();
    /// assert_eq!(error.reason(), Reason::NoMatchingPool);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// What each pool answered, in the order in which they were asked.
    ///
    /// ```
    /// # use openelb_ipam::*;
    /// let error = Ipam::new().allocate(&"vip//a".parse()?, &Request::default(), Time(0)).unwrap_err();
    /// assert!(error.refusals().is_empty(), "no pool was there to refuse");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }

    /// The nearest change that would help.
    ///
    /// ```
    /// # use openelb_ipam::*;
    /// let error = Ipam::new().allocate(&"vip//a".parse()?, &Request::default(), Time(0)).unwrap_err();
    /// assert_eq!(error.hint().to_string(), "add a pool");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn hint(&self) -> &Hint {
        &self.hint
    }

    /// Weighs the refusals: the one nearest to success gives the reason and the hint.
    pub(super) fn from_refusals(owner: OwnerKey, refusals: Vec<Refusal>) -> Self {
        let nearest = refusals
            .iter()
            .min_by_key(|refusal| distance(&refusal.rule));
        let (reason, hint) = nearest.map_or((Reason::NoMatchingPool, Hint::AddPool), verdict);
        Self {
            owner,
            reason,
            refusals,
            hint,
        }
    }
}

/// How far a refusal is from success. A rule about a pinned address decides alone; among pools, the
/// one that would have served but for its fill is nearer than one that serves others.
fn distance(rule: &Rule) -> u8 {
    match rule {
        Rule::Invalid(_) | Rule::OutsidePools(_) | Rule::NotHeld { .. } => 0,
        Rule::Reserved(_) | Rule::Unknown(_) => 0,
        Rule::InUse { .. } | Rule::HeldForReservation { .. } | Rule::NotShareable { .. } => 1,
        Rule::Cooling { .. } | Rule::Quarantined { .. } => 1,
        Rule::Quota { .. } => 2,
        Rule::Exhausted { .. } => 3,
        Rule::NoFamily(_) => 4,
        Rule::NotNamed(_) => 10,
        Rule::Conflicting(_) | Rule::Disabled => 6,
        Rule::NotAutomatic => 7,
        Rule::OtherServices => 8,
        Rule::OtherNamespaces => 9,
    }
}

fn verdict(refusal: &Refusal) -> (Reason, Hint) {
    let (reason, with_pool): (Reason, fn(PoolName) -> Hint) = match &refusal.rule {
        Rule::Invalid(_) => return (Reason::InvalidAddress, Hint::CorrectRequest),
        Rule::OutsidePools(_) | Rule::NotHeld { .. } => {
            return (Reason::AddressOutsidePools, Hint::PinAnother);
        }
        Rule::Reserved(_) => return (Reason::AddressReserved, Hint::PinAnother),
        Rule::InUse { .. } => return (Reason::AddressInUse, Hint::PinAnother),
        Rule::NotShareable { .. } => return (Reason::AddressInUse, Hint::Share),
        Rule::HeldForReservation { .. } => return (Reason::AddressInUse, Hint::PinAnother),
        Rule::Cooling { until, .. } => return (Reason::AddressInUse, Hint::Wait(*until)),
        Rule::Quarantined { until, .. } => {
            return (Reason::AddressConflictOnWire, Hint::Wait(*until));
        }
        Rule::Exhausted { family, .. } => {
            let hint = with_family(refusal, *family, |pool, family| Hint::Enlarge {
                pool,
                family,
            });
            return (Reason::PoolExhausted, hint);
        }
        Rule::NoFamily(family) => {
            let hint = with_family(refusal, *family, |pool, family| Hint::AddFamily {
                pool,
                family,
            });
            return (Reason::FamilyUnavailable, hint);
        }
        Rule::Quota { .. } => (Reason::QuotaExceeded, Hint::RaiseQuota),
        Rule::Disabled => (Reason::NoMatchingPool, Hint::Enable),
        Rule::Conflicting(_) => (Reason::NoMatchingPool, Hint::RemoveOverlap),
        Rule::NotAutomatic => (Reason::NoMatchingPool, Hint::NamePool),
        Rule::OtherServices | Rule::OtherNamespaces => (Reason::NoMatchingPool, Hint::Bind),
        Rule::NotNamed(_) => (Reason::AddressOutsidePools, |_| Hint::PinAnother),
        Rule::Unknown(_) => (Reason::NoMatchingPool, |_| Hint::AddPool),
    };
    (
        reason,
        refusal.pool.clone().map_or(Hint::AddPool, with_pool),
    )
}

fn with_family(refusal: &Refusal, family: Family, hint: fn(PoolName, Family) -> Hint) -> Hint {
    refusal
        .pool
        .clone()
        .map_or(Hint::AddPool, |pool| hint(pool, family))
}

fn list(refusals: &[Refusal]) -> String {
    let texts: Vec<String> = refusals.iter().map(ToString::to_string).collect();
    if texts.is_empty() {
        String::new()
    } else {
        format!(" ({})", texts.join("; "))
    }
}
