//! Why an owner would get what it would get.

use alloc::vec::Vec;
use core::fmt;

use smallvec::SmallVec;

use super::Ipam;
use super::allocate::Assigned;
use super::choose::{Ask, How};
use super::refusal::{AllocateError, Refusal, Rule};
use crate::family::{Family, from_bits};
use crate::owner::{Owner, OwnerKey};
use crate::request::Request;
use crate::time::Time;

/// What a request would get now, and what every pool that was asked said. Nothing is changed.
///
/// ```
/// # use openelb_ipam::{Ipam, Owner, PoolSpec, Request, Time};
/// # let mut ipam = Ipam::new();
/// # let mut private = PoolSpec::new("private".parse()?, ["198.51.100.0/24"]);
/// # private.namespaces = vec!["blue".into()];
/// # let public = PoolSpec::new("public".parse()?, ["192.0.2.0/24"]);
/// # let plan = ipam.plan_pools(&[private, public])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// let web: Owner = "service/default/web".parse()?;
/// let explanation = ipam.explain(&web, &Request::default(), Time(0));
/// assert_eq!(
///     explanation.to_string(),
///     "service/default/web would get 192.0.2.1 from pool public\n\
///      - pool private is bound to other namespaces",
/// );
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Explanation {
    /// Who.
    pub owner: OwnerKey,
    /// What it would get or keep.
    pub outcome: Result<SmallVec<[Granted; 2]>, AllocateError>,
    /// The family that would be missing.
    pub missing: Option<Family>,
    /// What pools refused on the way.
    pub refusals: Vec<Refusal>,
}

/// An address that a request would be granted.
///
/// ```
/// # use openelb_ipam::*;
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// # let web: Owner = "service/default/web".parse()?;
/// let explanation = ipam.explain(&web, &Request::default(), Time(0));
/// let granted = explanation.outcome?;
/// assert_eq!(granted[0].assigned.address, "192.0.2.1".parse::<core::net::IpAddr>()?);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct Granted {
    /// The address and its pool.
    pub assigned: Assigned,
    /// How the owner would come to it.
    pub how: Grant,
}

/// How an owner would come to an address.
///
/// ```
/// # use openelb_ipam::*;
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// # let web: Owner = "service/default/web".parse()?;
/// ipam.allocate(&web, &Request::default(), Time(0))?;
/// let granted = ipam.explain(&web, &Request::default(), Time(0)).outcome?;
/// assert_eq!(granted[0].how, openelb_ipam::ipam::Grant::Keeps);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub enum Grant {
    /// It has it already.
    Keeps,
    /// It is free.
    Gets,
    /// It had it before and returns in time.
    Returns,
    /// It shares it with those who have it.
    Shares,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let granted = match &self.outcome {
            Ok(granted) => granted,
            Err(error) => return write!(f, "{error}"),
        };
        write!(f, "{} would ", self.owner)?;
        for (at, Granted { assigned, how }) in granted.iter().enumerate() {
            let verb = match how {
                Grant::Keeps => "keep",
                Grant::Gets => "get",
                Grant::Returns => "get back",
                Grant::Shares => "share",
            };
            let and = if at == 0 { "" } else { " and " };
            write!(
                f,
                "{and}{verb} {} from pool {}",
                assigned.address, assigned.pool
            )?;
        }
        if let Some(family) = self.missing {
            write!(f, "; no {family} address can be had now")?;
        }
        self.refusals
            .iter()
            .try_for_each(|refusal| write!(f, "\n- {refusal}"))
    }
}

impl Ipam {
    /// Says what a request would get now and why, without changing anything. O(pools).
    ///
    /// ```
    /// # use openelb_ipam::*;
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// # let web: Owner = "service/default/web".parse()?;
    /// let explanation = ipam.explain(&web, &Request::default(), Time(0));
    /// assert_eq!(explanation.to_string(), "service/default/web would get 192.0.2.1 from pool public");
    /// assert_eq!(ipam.owner_count(), 0);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn explain(&self, owner: &Owner, request: &Request, now: Time) -> Explanation {
        let key = owner.key.clone();
        let mut refusals = Vec::new();
        let wanted = match request.wanted() {
            Ok(wanted) => wanted,
            Err(problem) => {
                refusals.push(Refusal {
                    pool: None,
                    rule: Rule::Invalid(problem),
                });
                let outcome = Err(AllocateError::from_refusals(key.clone(), refusals.clone()));
                return Explanation {
                    owner: key,
                    outcome,
                    missing: None,
                    refusals,
                };
            }
        };
        let slot = self.owners.find(key.as_str());
        let ask = Ask {
            owner,
            slot,
            request,
            wanted,
            leave: &[],
            now,
        };
        let Some(decision) = self.decide(&ask, &mut refusals) else {
            let outcome = Err(AllocateError::from_refusals(key.clone(), refusals.clone()));
            return Explanation {
                owner: key,
                outcome,
                missing: None,
                refusals,
            };
        };
        let granted = wanted.order().filter_map(|family| {
            let pick = decision.picks[family]?;
            let pool = self.pools.get(usize::from(pick.pool))?.name().clone();
            let how = match pick.how {
                How::Keep => Grant::Keeps,
                How::Take { .. } => Grant::Gets,
                How::Unmark => Grant::Returns,
                How::Join => Grant::Shares,
            };
            let assigned = Assigned {
                address: from_bits(family, pick.bits),
                pool,
            };
            Some(Granted { assigned, how })
        });
        let outcome = Ok(granted.collect());
        Explanation {
            owner: key,
            outcome,
            missing: decision.missing,
            refusals,
        }
    }
}
