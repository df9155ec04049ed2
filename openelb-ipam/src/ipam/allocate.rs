//! Giving addresses: one owner, or many at a time.

use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use smallvec::SmallVec;

use super::Ipam;
use super::choose::{Ask, Decision, How};
use super::owners::Slot;
use super::refusal::{AllocateError, Refusal, Rule};
use crate::family::{DualStack, Family, from_bits};
use crate::name::PoolName;
use crate::owner::Owner;
use crate::request::{PortSet, Request};
use crate::time::Time;

/// What an owner holds after a successful request.
///
/// ```
/// # use openelb_ipam::{Ipam, Owner, PoolSpec, Request, Time};
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// let web: Owner = "service/default/web".parse()?;
/// let allocation = ipam.allocate(&web, &Request::prefer_dual_stack(), Time(0))?;
/// assert_eq!(allocation.addresses.len(), 1);
/// assert_eq!(allocation.missing, Some(openelb_ipam::Family::V6));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct Allocation {
    /// The addresses, in the order of the families asked for.
    pub addresses: SmallVec<[Assigned; 2]>,
    /// The family that a request preferring dual stack does not have yet. The owner waits for it.
    pub missing: Option<Family>,
    /// When the owner's holdings changed last: the fence for
    /// [`Fence::Generation`](crate::Fence::Generation).
    pub generation: u64,
    /// Whether this very request changed what the owner holds.
    pub is_changed: bool,
}

impl Allocation {
    /// The address of a family.
    ///
    /// ```
    /// # use openelb_ipam::*;
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// # let web: Owner = "service/default/web".parse()?;
    /// let allocation = ipam.allocate(&web, &Request::dual_stack(), Time(0))?;
    /// assert_eq!(allocation.address(Family::V6), Some("2001:db8::1".parse()?));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn address(&self, family: Family) -> Option<IpAddr> {
        self.addresses
            .iter()
            .map(|assigned| assigned.address)
            .find(|a| Family::of(*a) == family)
    }
}

impl fmt::Display for Allocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, assigned) in self.addresses.iter().enumerate() {
            write!(f, "{}{}", if at == 0 { "" } else { ", " }, assigned.address)?;
        }
        Ok(())
    }
}

/// An address with its pool.
///
/// ```
/// # use openelb_ipam::*;
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// # let web: Owner = "service/default/web".parse()?;
/// let allocation = ipam.allocate(&web, &Request::default(), Time(0))?;
/// assert_eq!(allocation.addresses[0].pool, "public".parse()?);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Assigned {
    /// The address.
    pub address: IpAddr,
    /// The pool that gave it.
    pub pool: PoolName,
}

impl Ipam {
    /// Gives an owner what it asks for, or confirms that it has it.
    ///
    /// Repeating a request changes nothing, not even the generation. Addresses change only when the
    /// request contradicts them: another pinned address, another pool, a family no longer asked
    /// for, a sharing key that its sharers do not accept. A changed request is carried out
    /// entirely or not at all: an owner whose new wish cannot be granted keeps what it has.
    ///
    /// A refused owner, and one with a family [missing](Allocation::missing), waits: see
    /// [`take_woken`](Self::take_woken). Costs a few table look-ups plus O(pools).
    ///
    /// ```
    /// # use openelb_ipam::*;
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// # let web: Owner = "service/default/web".parse()?;
    /// let first = ipam.allocate(&web, &Request::default(), Time(0))?;
    /// let again = ipam.allocate(&web, &Request::default(), Time(1))?;
    /// assert!(first.is_changed && !again.is_changed);
    /// assert_eq!(first.addresses, again.addresses);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn allocate(
        &mut self,
        owner: &Owner,
        request: &Request,
        now: Time,
    ) -> Result<Allocation, AllocateError> {
        self.allocate_elsewhere(owner, request, &[], now)
    }

    /// The same, but an owner that holds one of the addresses of `leave` is given another in its place:
    /// a stranger uses it, say. It keeps what it pins, and moves only if there is another one for each
    /// that it would leave. Nothing keeps what it left from others: that is
    /// [`quarantine`](Self::quarantine)'s.
    ///
    /// ```
    /// # use openelb_ipam::*;
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.1-192.0.2.2"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// # let web: Owner = "service/default/web".parse()?;
    /// let first = ipam.allocate(&web, &Request::default(), Time(0))?.addresses[0].address;
    /// let moved = ipam.allocate_elsewhere(&web, &Request::default(), &[first], Time(1))?;
    /// assert_eq!(moved.to_string(), "192.0.2.2");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn allocate_elsewhere(
        &mut self,
        owner: &Owner,
        request: &Request,
        leave: &[IpAddr],
        now: Time,
    ) -> Result<Allocation, AllocateError> {
        self.expire_due(now);
        let outcome = self.allocate_step(owner, request, leave, now);
        self.wake(now);
        self.end_step();
        outcome.map(|(slot, missing, is_changed)| self.allocation_at(slot, missing, is_changed))
    }

    /// Gives many owners what they ask for, each on its own, in one step of the generation: one
    /// commit for a store. Answers come in the order of the requests.
    ///
    /// ```
    /// # use openelb_ipam::{Ipam, Owner, PoolSpec, Request, Time};
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/30"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// let owners: Vec<Owner> = ["vip//a", "vip//b", "vip//c"].map(|key| key.parse().unwrap()).into();
    /// let request = Request::default();
    /// let answers = ipam.allocate_many(owners.iter().map(|owner| (owner, &request)), Time(0));
    /// assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 2);
    /// assert_eq!(ipam.generation(), 2);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn allocate_many<'a>(
        &mut self,
        requests: impl IntoIterator<Item = (&'a Owner, &'a Request)>,
        now: Time,
    ) -> Vec<Result<Allocation, AllocateError>> {
        self.expire_due(now);
        let mut answers = Vec::new();
        for (owner, request) in requests {
            let outcome = self.allocate_step(owner, request, &[], now);
            answers.push(
                outcome.map(|(slot, missing, is_changed)| {
                    self.allocation_at(slot, missing, is_changed)
                }),
            );
        }
        self.wake(now);
        self.end_step();
        answers
    }

    /// What an owner holds; `None` when that is nothing. The missing family is not known here.
    ///
    /// ```
    /// # use openelb_ipam::*;
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// # let web: Owner = "service/default/web".parse()?;
    /// assert!(ipam.allocation("service/default/web").is_none());
    /// ipam.allocate(&web, &Request::default(), Time(0))?;
    /// assert_eq!(ipam.allocation("service/default/web").unwrap().to_string(), "192.0.2.1");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn allocation(&self, key: &str) -> Option<Allocation> {
        let slot = self.owners.find(key)?;
        Some(self.allocation_at(slot, None, false))
    }

    fn allocate_step(
        &mut self,
        owner: &Owner,
        request: &Request,
        leave: &[IpAddr],
        now: Time,
    ) -> Result<(Slot, Option<Family>, bool), AllocateError> {
        let wanted = match request.wanted() {
            Ok(wanted) => wanted,
            Err(problem) => {
                self.stop_waiting(owner.key.as_str());
                let refusal = Refusal {
                    pool: None,
                    rule: Rule::Invalid(problem),
                };
                return Err(AllocateError::from_refusals(
                    owner.key.clone(),
                    [refusal].into(),
                ));
            }
        };
        let slot = self.owners.find(owner.key.as_str());
        let ask = Ask {
            owner,
            slot,
            request,
            wanted,
            leave,
            now,
        };
        if let Some(slot) = slot.filter(|slot| self.is_plain_repeat(&ask, *slot)) {
            self.stop_waiting(owner.key.as_str());
            return Ok((slot, None, false));
        }
        let Some(decision) = self.decide(&ask, &mut ()) else {
            let error = self.refusal(&ask);
            self.start_waiting(owner, request, now);
            return Err(error);
        };
        let settled = slot.filter(|slot| self.is_settled(&ask, &decision, *slot));
        let (slot, is_changed) = match settled {
            Some(slot) => (slot, false),
            None => (self.carry_out(&ask, &decision), true),
        };
        if decision.missing.is_some() {
            self.start_waiting(owner, request, now);
        } else {
            self.stop_waiting(owner.key.as_str());
        }
        Ok((slot, decision.missing, is_changed))
    }

    /// Whether an owner asks again, without any particular wish, for what it has already: what a
    /// front end does all day, told from the record alone. Whatever is not plain is for
    /// [`decide`](Self::decide), which says the same and takes nearly twice as long.
    fn is_plain_repeat(&self, ask: &Ask<'_>, slot: Slot) -> bool {
        let Ask {
            owner,
            request,
            wanted,
            leave,
            ..
        } = ask;
        let has_wish = !request.addresses.is_empty()
            || request.pool.is_some()
            || request.sharing.is_some()
            || !leave.is_empty();
        let Some(record) = self
            .owners
            .get(slot)
            .filter(|_| !has_wish && !self.has_draining_pool)
        else {
            return false;
        };
        let claims = DualStack::from_fn(|family| record.claim(family));
        let is_whole = if wanted.either {
            claims.v4.is_some() != claims.v6.is_some()
        } else {
            let is_right = |family: Family| claims[family].is_some() == wanted.contains(family);
            is_right(Family::V4) && is_right(Family::V6)
        };
        let has_uid = owner.uid.is_none() || record.uid() == owner.uid.as_ref();
        let has_order = record.order().first() == Some(&wanted.first);
        let is_plain = is_whole
            && has_uid
            && has_order
            && record.sharing().is_none()
            && *record.ports() == PortSet::All
            && claims.iter().all(|(_, claim)| {
                claim.is_none_or(|(pool, _)| {
                    let state = self.pools.get(usize::from(pool));
                    state.is_some_and(|state| !state.pool.spec().share_pinned)
                })
            });
        debug_assert!(
            !is_plain
                || self.decide(ask, &mut ()).is_some_and(|decision| {
                    decision.missing.is_none() && self.is_settled(ask, &decision, slot)
                }),
            "the short way and the long one agree"
        );
        is_plain
    }

    /// Decides once more, and this time listens.
    pub(super) fn refusal(&self, ask: &Ask<'_>) -> AllocateError {
        let mut refusals = Vec::new();
        let decision = self.decide(ask, &mut refusals);
        debug_assert!(decision.is_none(), "the same state refuses twice");
        AllocateError::from_refusals(ask.owner.key.clone(), refusals)
    }

    /// Whether the record already is what was decided, so that nothing need be written.
    fn is_settled(&self, ask: &Ask<'_>, decision: &Decision, slot: Slot) -> bool {
        let Some(record) = self.owners.get(slot) else {
            return false;
        };
        let is_kept = |family: Family| match decision.picks[family] {
            Some(pick) => pick.how == How::Keep,
            None => record.claim(family).is_none(),
        };
        let has_uid = ask.owner.uid.is_none() || record.uid() == ask.owner.uid.as_ref();
        let has_order = record.order().first() == Some(&ask.wanted.first);
        if !(is_kept(Family::V4) && is_kept(Family::V6) && has_uid && has_order) {
            return false;
        }
        let (sharing, ports) = self.agreed_sharing(ask, decision);
        record.sharing() == sharing.as_ref() && *record.ports() == ports
    }

    pub(super) fn allocation_at(
        &self,
        slot: Slot,
        missing: Option<Family>,
        is_changed: bool,
    ) -> Allocation {
        let mut allocation = Allocation {
            addresses: SmallVec::new(),
            missing,
            generation: 0,
            is_changed,
        };
        let Some(record) = self.owners.get(slot) else {
            return allocation;
        };
        allocation.generation = record.generation;
        for family in record.order() {
            let Some((pool, bits)) = record.claim(family) else {
                continue;
            };
            let Some(state) = self.pools.get(usize::from(pool)) else {
                continue;
            };
            let address = from_bits(family, bits);
            allocation.addresses.push(Assigned {
                address,
                pool: state.name().clone(),
            });
        }
        allocation
    }
}
