//! The state as rows, made when somebody asks for them.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use thiserror::Error;

use super::Ipam;
use super::holders::{Holder, Note, NoteState};
use super::log::Changed;
use super::owners::{Record, Slot};
use super::reserve::Booking;
use crate::family::{Family, from_bits, to_bits};
use crate::owner::{Owner, OwnerKey};
use crate::row::{
    Changes, Claim, Claims, CursorRow, MarkRow, OwnerRow, PoolRow, PrefixClaim, ReservationId,
    ReservationRow, Row, RowKey,
};

/// The changes since a generation are no longer known: take a [snapshot](crate::Snapshot).
///
/// ```
/// # use openelb_ipam::*;
/// # let mut ipam = Ipam::new().with_log_capacity(1);
/// # for name in ["a", "b"] {
/// #     let plan = ipam.plan_pools(&[PoolSpec::new(name.parse()?, ["192.0.2.1"])])?;
/// #     ipam.apply_pools(plan, Time(0))?;
/// # }
/// let compacted = ipam.changes_since(0).unwrap_err();
/// assert_eq!(compacted.generation, 2);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("changes since generation {since} are not known at {generation}; take a snapshot")]
pub struct Compacted {
    /// The generation asked about.
    pub since: u64,
    /// The generation now.
    pub generation: u64,
}

impl Ipam {
    /// What to write to bring a store from a generation to this one: the present rows of everything
    /// that changed. O(changed rows).
    ///
    /// ```
    /// # use openelb_ipam::{Ipam, Owner, PoolSpec, Request, Time};
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// let before = ipam.generation();
    /// let web: Owner = "service/default/web".parse()?;
    /// ipam.allocate(&web, &Request::default(), Time(0))?;
    /// let changes = ipam.changes_since(before)?;
    /// assert_eq!((changes.to, changes.puts.len()), (ipam.generation(), 1));
    /// assert!(ipam.changes_since(ipam.generation())?.is_empty());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn changes_since(&self, generation: u64) -> Result<Changes, Compacted> {
        let compacted = Compacted {
            since: generation,
            generation: self.generation,
        };
        let log = self.log.after(generation).ok_or(compacted)?;
        if generation > self.generation {
            return Err(compacted);
        }
        let (mut slots, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for changed in log {
            match changed {
                Changed::Owner(slot) => {
                    slots.insert(*slot);
                }
                Changed::Key(key) => {
                    keys.insert(&**key);
                }
            }
        }
        let mut changes = Changes {
            from: generation,
            to: self.generation,
            ..Changes::default()
        };
        for key in keys {
            match (key, self.row(key)) {
                // A key that came back is among the slots.
                (RowKey::Owner(_), Some(_)) => {}
                (_, Some(row)) => changes.puts.push(row),
                (_, None) => changes.deletes.push(key.clone()),
            }
        }
        changes.puts.extend(
            slots
                .into_iter()
                .filter_map(|slot| self.owner_row(slot))
                .map(Row::Owner),
        );
        Ok(changes)
    }

    /// The present row of a key.
    ///
    /// ```
    /// # use openelb_ipam::Ipam;
    /// assert!(Ipam::new().row(&"pool/public".parse().unwrap()).is_none());
    /// ```
    pub fn row(&self, key: &RowKey) -> Option<Row> {
        match key {
            RowKey::Pool(name) => {
                let (at, state) = self.pool_state(name)?;
                let spec = state.pool.spec().clone();
                Some(Row::Pool(PoolRow {
                    position: u32::from(at),
                    spec,
                }))
            }
            RowKey::Cursor(name, family) => {
                let (_, state) = self.pool_state(name)?;
                let last = from_bits(*family, state.cursor[*family]?);
                Some(Row::Cursor(CursorRow {
                    pool: name.clone(),
                    last,
                }))
            }
            RowKey::Owner(key) => self.holdings(key.as_str()).map(Row::Owner),
            RowKey::Mark(address) => {
                let found =
                    self.holders
                        .find(Family::of(*address), to_bits(*address), &self.owners)?;
                let Holder::Note(note) = found else {
                    return None;
                };
                self.mark_row(note).map(Row::Mark)
            }
            RowKey::Reservation(id) => {
                let booking = self.bookings.get(id)?;
                Some(Row::Reservation(self.reservation_row(*id, booking)?))
            }
            RowKey::Waiting(key) => self.waiting.row(key.as_str()).cloned().map(Row::Waiting),
        }
    }

    /// Every row: pools first, so that reading them back in this order always works.
    ///
    /// ```
    /// # use openelb_ipam::Ipam;
    /// assert_eq!(Ipam::new().rows().count(), 0);
    /// ```
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        let pools = self
            .pools
            .iter()
            .map(|state| RowKey::Pool(state.name().clone()));
        let cursors = self.pools.iter().flat_map(|state| {
            Family::ALL.map(|family| RowKey::Cursor(state.name().clone(), family))
        });
        let keyed = pools.chain(cursors).filter_map(|key| self.row(&key));
        let owners = self.allocations().map(Row::Owner);
        let marks = self
            .holders
            .notes()
            .filter_map(|note| self.mark_row(note))
            .map(Row::Mark);
        let reservations = self.bookings.iter();
        let reservations =
            reservations.filter_map(|(id, booking)| self.reservation_row(*id, booking));
        let waiting = self.waiting.rows().cloned().map(Row::Waiting);
        keyed
            .chain(owners)
            .chain(marks)
            .chain(reservations.map(Row::Reservation))
            .chain(waiting)
    }

    /// The row of a record that belongs to an owner.
    pub(super) fn owner_row(&self, slot: Slot) -> Option<OwnerRow> {
        let record = self
            .owners
            .get(slot)
            .filter(|record| !record.is_reservation())?;
        let key = OwnerKey::from_checked(self.owners.key(slot));
        let prefixes = record.prefixes().iter().filter_map(|(at, prefix)| {
            let pool = self.pools.get(usize::from(*at))?.name().clone();
            Some(PrefixClaim {
                prefix: *prefix,
                pool,
            })
        });
        Some(OwnerRow {
            owner: Owner {
                key,
                uid: record.uid().cloned(),
            },
            generation: record.generation,
            claims: self.claims_of(record),
            ipv6_first: record.order().first() == Some(&Family::V6),
            prefixes: prefixes.collect(),
            sharing: record.sharing().cloned(),
            ports: record.ports().clone(),
        })
    }

    fn claims_of(&self, record: &Record) -> Claims {
        let claims = record.order().into_iter().filter_map(|family| {
            let (at, bits) = record.claim(family)?;
            let pool = self.pools.get(usize::from(at))?.name().clone();
            Some(Claim {
                address: from_bits(family, bits),
                pool,
            })
        });
        claims.collect()
    }

    fn mark_row(&self, note: &Note) -> Option<MarkRow> {
        let NoteState::Marked(state) = &note.state else {
            return None;
        };
        let pool = self.pools.get(usize::from(note.pool))?.name().clone();
        Some(MarkRow {
            address: from_bits(note.family, note.bits),
            pool,
            state: state.clone(),
        })
    }

    fn reservation_row(&self, id: ReservationId, booking: &Booking) -> Option<ReservationRow> {
        let record = self.owners.get(booking.slot)?;
        let claims = self.claims_of(record);
        let marks = claims.iter().filter_map(|Claim { address, pool }| {
            let state = booking.marks[Family::of(*address)].clone()?;
            Some(MarkRow {
                address: *address,
                pool: pool.clone(),
                state,
            })
        });
        let marks = marks.collect();
        let keeps: Vec<_> = booking
            .keeps
            .iter()
            .filter(|(_, keep)| **keep)
            .map(|(family, _)| family)
            .collect();
        Some(ReservationRow {
            id,
            owner: booking.owner.clone(),
            owner_generation: booking.owner_generation,
            deadline: booking.deadline,
            claims,
            keeps,
            ipv6_first: record.order().first() == Some(&Family::V6),
            sharing: record.sharing().cloned(),
            ports: record.ports().clone(),
            marks,
        })
    }
}
