//! Allocation in two steps, for callers that must write elsewhere in between.
//!
//! A reservation holds its addresses in a record of its own, like an owner that nobody can name.
//! Committing hands them over, aborting puts back exactly what was there.

use smallvec::SmallVec;
use thiserror::Error;

use super::allocate::{Allocation, Assigned};
use super::choose::{Ask, Decision, How};
use super::holders::{Holder, NoteState};
use super::owners::{PoolIndex, Slot};
use super::refusal::{AllocateError, Refusal, Rule};
use super::{Due, Ipam};
use crate::family::{DualStack, Family, from_bits};
use crate::owner::{Owner, OwnerKey};
use crate::pool::Strategy;
use crate::request::Request;
use crate::row::{MarkState, ReservationId, RowKey};
use crate::time::Time;

/// Addresses held for an owner until a deadline.
///
/// ```
/// # use openelb_ipam::*;
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// # let web: Owner = "service/default/web".parse()?;
/// let reservation = ipam.reserve(&web, &Request::dual_stack(), Time(5_000), Time(0))?;
/// assert_eq!(reservation.addresses.len(), 2);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct Reservation {
    /// The number to commit or abort.
    pub id: ReservationId,
    /// What the owner will hold after the commit, in its order.
    pub addresses: SmallVec<[Assigned; 2]>,
    /// The family that will still be missing.
    pub missing: Option<Family>,
    /// When it lapses by itself.
    pub deadline: Time,
}

/// A commit did not happen; the reservation is gone and its addresses are as before it.
///
/// ```
/// # use openelb_ipam::*;
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// # let web: Owner = "service/default/web".parse()?;
/// let reservation = ipam.reserve(&web, &Request::default(), Time(5_000), Time(0))?;
/// let error = ipam.commit(reservation.id, Time(5_000)).unwrap_err();
/// assert_eq!(error, openelb_ipam::ipam::CommitError::NotOpen(reservation.id));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CommitError {
    /// It was committed, aborted, or lapsed.
    #[error("reservation {0} is not open; it was committed, aborted or has lapsed; reserve again")]
    NotOpen(ReservationId),
    /// The owner changed after it was made.
    #[error("the owner of reservation {0} changed after it was made; reserve again")]
    Superseded(ReservationId),
}

/// An open reservation beside the record that holds its addresses.
#[derive(Clone, Debug)]
pub(super) struct Booking {
    pub(super) owner: Owner,
    pub(super) owner_generation: u64,
    pub(super) deadline: Time,
    pub(super) slot: Slot,
    pub(super) keeps: DualStack<bool>,
    /// The mark that an address had, by family.
    pub(super) marks: DualStack<Option<MarkState>>,
}

impl Ipam {
    /// Holds what [`allocate`](Self::allocate) would give, until it is committed, aborted, or the
    /// deadline passes. What the owner has already stays untouched until the commit.
    ///
    /// ```
    /// # use openelb_ipam::{Ipam, Owner, PoolSpec, Request, Time};
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// let web: Owner = "service/default/web".parse()?;
    /// let reservation = ipam.reserve(&web, &Request::default(), Time(5_000), Time(0))?;
    /// assert!(ipam.allocation("service/default/web").is_none());
    /// // … write it down elsewhere, then:
    /// let allocation = ipam.commit(reservation.id, Time(1))?;
    /// assert_eq!(allocation.addresses, reservation.addresses);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn reserve(
        &mut self,
        owner: &Owner,
        request: &Request,
        deadline: Time,
        now: Time,
    ) -> Result<Reservation, AllocateError> {
        let wanted = request.wanted().map_err(|problem| {
            let refusal = Refusal {
                pool: None,
                rule: Rule::Invalid(problem),
            };
            AllocateError::from_refusals(owner.key.clone(), [refusal].into())
        })?;
        self.expire_due(now);
        let slot = self.owners.find(owner.key.as_str());
        let ask = Ask {
            owner,
            slot,
            request,
            wanted,
            leave: &[],
            now,
        };
        let Some(decision) = self.decide(&ask, &mut ()) else {
            let error = self.refusal(&ask);
            self.end_step();
            return Err(error);
        };
        let id = self.book(&ask, decision, deadline);
        self.end_step();
        let addresses = wanted.order().filter_map(|family| {
            let pick = decision.picks[family]?;
            let pool = self.pools.get(usize::from(pick.pool))?.name().clone();
            Some(Assigned {
                address: from_bits(family, pick.bits),
                pool,
            })
        });
        Ok(Reservation {
            id,
            addresses: addresses.collect(),
            missing: decision.missing,
            deadline,
        })
    }

    /// Gives the owner what was reserved, in exchange for what it has.
    ///
    /// ```
    /// # use openelb_ipam::*;
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// # let web: Owner = "service/default/web".parse()?;
    /// let reservation = ipam.reserve(&web, &Request::default(), Time(5_000), Time(0))?;
    /// assert_eq!(ipam.commit(reservation.id, Time(1))?.addresses, reservation.addresses);
    /// assert!(ipam.commit(reservation.id, Time(2)).is_err());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn commit(&mut self, id: ReservationId, now: Time) -> Result<Allocation, CommitError> {
        self.expire_due(now);
        let outcome = self.commit_step(id, now);
        self.wake(now);
        self.end_step();
        outcome.map(|slot| self.allocation_at(slot, None, true))
    }

    /// Gives up a reservation; everything is as it was before. False when it was not open.
    ///
    /// ```
    /// # use openelb_ipam::{Ipam, Time, row::ReservationId};
    /// assert!(!Ipam::new().abort(ReservationId(1), Time(0)));
    /// ```
    pub fn abort(&mut self, id: ReservationId, now: Time) -> bool {
        let is_open = self.bookings.contains_key(&id);
        self.lapse(id);
        self.expire_due(now);
        self.wake(now);
        self.end_step();
        is_open
    }

    fn book(&mut self, ask: &Ask<'_>, mut decision: Decision, deadline: Time) -> ReservationId {
        let id = ReservationId(self.next_generation());
        let slot = self.owners.insert_unnamed();
        let (sharing, ports) = self.agreed_sharing(ask, &decision);
        if let Some(record) = self.owners.get_mut(slot) {
            record.set_first(ask.wanted.first);
            record.edit_extra(|extra| {
                extra.reservation = Some(id);
                (extra.sharing, extra.ports) = (sharing, ports);
            });
        }
        let mut booking = Booking {
            owner: ask.owner.clone(),
            owner_generation: self.generation_of(ask.owner.key.as_str()),
            deadline,
            slot,
            keeps: DualStack::default(),
            marks: DualStack::default(),
        };
        for family in Family::ALL {
            let Some(pick) = &mut decision.picks[family] else {
                continue;
            };
            booking.keeps[family] = pick.how == How::Keep;
            if pick.how == How::Unmark
                && let Some((_, mark)) = self.unmark(family, pick.bits)
            {
                booking.marks[family] = Some(mark);
                pick.how = How::Join;
            }
            // The cursor of a next-fit pool moves with the commit, so that aborting leaves no trace.
            if let How::Take { is_automatic } = &mut pick.how {
                *is_automatic = false;
            }
        }
        self.deadlines.insert((deadline, Due::Reservation(id)));
        self.bookings.insert(id, booking);
        self.obtain_all(slot, &decision);
        self.changed(RowKey::Reservation(id));
        id
    }

    fn commit_step(&mut self, id: ReservationId, now: Time) -> Result<Slot, CommitError> {
        let booking = self.bookings.get(&id).ok_or(CommitError::NotOpen(id))?;
        let is_unchanged =
            self.generation_of(booking.owner.key.as_str()) == booking.owner_generation;
        if !is_unchanged || !self.sharers_agree(booking) {
            self.lapse(id);
            return Err(CommitError::Superseded(id));
        }
        let booked = self.owners.get(booking.slot).cloned();
        let claims = DualStack::from_fn(|family| booked.as_ref()?.claim(family));
        for family in Family::ALL {
            self.displace_booked(id, family);
        }
        let (Some(booking), Some(booked)) = (self.bookings.remove(&id), booked) else {
            return Err(CommitError::NotOpen(id));
        };
        self.owners.remove(booking.slot);
        self.deadlines
            .remove(&(booking.deadline, Due::Reservation(id)));
        self.changed(RowKey::Reservation(id));
        let key = &booking.owner.key;
        let slot = self.owners.find(key.as_str());
        let slot = slot.unwrap_or_else(|| self.owners.insert(key.as_str()));
        for family in Family::ALL {
            if !booking.keeps[family] {
                self.give_up(slot, family, Some(key), now);
            }
        }
        self.set_sharing(slot, booked.sharing().cloned(), booked.ports().clone());
        for family in Family::ALL {
            if let Some((pool, bits)) = claims[family] {
                self.place(slot, family, pool, bits);
                self.move_cursor(pool, family, bits);
            }
        }
        if let Some(record) = self.owners.get_mut(slot) {
            let [first, _] = booked.order();
            record.set_first(first);
            if booking.owner.uid.is_some() {
                record.edit_extra(|extra| extra.uid.clone_from(&booking.owner.uid));
            }
        }
        self.stop_waiting(key.as_str());
        self.changed_owner(slot);
        Ok(slot)
    }

    /// Whether those who joined the owner's kept addresses meanwhile accept its new sharing.
    fn sharers_agree(&self, booking: &Booking) -> bool {
        let owner = self.owners.find(booking.owner.key.as_str());
        let Some(slot) = owner else { return true };
        let (Some(held), Some(booked)) = (self.owners.get(slot), self.owners.get(booking.slot))
        else {
            return false;
        };
        Family::ALL
            .into_iter()
            .filter(|family| booking.keeps[*family])
            .all(|family| {
                let Some((_, bits)) = held.claim(family) else {
                    return false;
                };
                let Some(Holder::Note(note)) = self.holders.find(family, bits, &self.owners) else {
                    return true;
                };
                let NoteState::Shared { sharing, claims } = &note.state else {
                    return false;
                };
                let mut others = claims.iter().filter(|other| **other != slot);
                claims.len() == 1
                    || booked.sharing() == Some(sharing)
                        && others.all(|other| {
                            let other = self.owners.get(*other);
                            other.is_some_and(|other| other.ports().clash(booked.ports()).is_none())
                        })
            })
    }

    /// Ends a reservation and puts back what was there.
    pub(super) fn lapse(&mut self, id: ReservationId) {
        if !self.bookings.contains_key(&id) {
            return;
        }
        for family in Family::ALL {
            if let Some((pool, bits, true)) = self.displace_booked(id, family) {
                self.put_back(id, pool, family, bits);
            }
        }
        if let Some(booking) = self.bookings.remove(&id) {
            self.owners.remove(booking.slot);
            self.deadlines
                .remove(&(booking.deadline, Due::Reservation(id)));
        }
        self.waiting.stir();
        self.changed(RowKey::Reservation(id));
    }

    fn put_back(&mut self, id: ReservationId, pool: PoolIndex, family: Family, bits: u128) {
        let mark = self
            .bookings
            .get_mut(&id)
            .and_then(|booking| booking.marks[family].take());
        let Some(state) = self.pools.get_mut(usize::from(pool)) else {
            return;
        };
        if !state.index[family].in_universe(bits) {
            return;
        }
        // The pool may have another strategy by now, to which age means nothing.
        let mark = mark.filter(|mark| state.can_carry(mark));
        if let Some(mark) = mark {
            self.mark(pool, family, bits, mark);
        } else {
            state.index[family].release(bits);
            state.regained(family, bits);
        }
    }

    fn displace_booked(
        &mut self,
        id: ReservationId,
        family: Family,
    ) -> Option<(PoolIndex, u128, bool)> {
        let slot = self.bookings.get(&id)?.slot;
        self.displace(slot, family)
    }

    fn move_cursor(&mut self, pool: PoolIndex, family: Family, bits: u128) {
        let Some(state) = self.pools.get_mut(usize::from(pool)) else {
            return;
        };
        if state.strategy() == Strategy::NextFit {
            state.gave(family, bits);
            let key = RowKey::Cursor(state.name().clone(), family);
            self.changed(key);
        }
    }

    /// When an owner changed last; 0 when it holds nothing.
    fn generation_of(&self, key: &str) -> u64 {
        let record = self.owners.find(key).and_then(|slot| self.owners.get(slot));
        record.map_or(0, |record| record.generation)
    }
}

/// The owners of open reservations, for whoever must know before deleting one.
impl Ipam {
    /// The open reservations with their owners and deadlines.
    ///
    /// ```
    /// # use openelb_ipam::Ipam;
    /// assert_eq!(Ipam::new().reservations().count(), 0);
    /// ```
    pub fn reservations(&self) -> impl Iterator<Item = (ReservationId, &OwnerKey, Time)> {
        self.bookings
            .iter()
            .map(|(id, booking)| (*id, &booking.owner.key, booking.deadline))
    }
}
