//! Rows back into state, one by one, each checked against what is there already.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::IpAddr;

use ipnet::IpNet;
use thiserror::Error;

use super::holders::{Holder, NoteState};
use super::log::Changed;
use super::owners::{PoolIndex, Record, Slot};
use super::plan::PoolPlanError;
use super::reserve::Booking;
use super::{Due, Ipam};
use crate::family::{DualStack, Family, from_bits, to_bits};
use crate::name::PoolName;
use crate::pool::Strategy;
use crate::range::AddressRange;
use crate::request::{PortSet, Sharing};
use crate::row::{
    Claims, CursorRow, MarkRow, OwnerRow, PoolRow, PrefixClaim, ReservationRow, Row, RowKey,
};

/// A row contradicts itself or the rows before it.
///
/// ```
/// # use openelb_ipam::*;
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// # let web: Owner = "service/default/web".parse()?;
/// ipam.allocate(&web, &Request::default(), Time(0))?;
/// let mut snapshot = ipam.snapshot();
/// snapshot.rows.retain(|row| !matches!(row, Row::Pool(_)));
/// assert_eq!(
///     Ipam::restore(snapshot).unwrap_err().to_string(),
///     "row owner/service/default/web: pool public is in no row; restore its row too",
/// );
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("row {key}: {problem}")]
pub struct RowError {
    /// The row.
    pub key: RowKey,
    /// What is wrong with it.
    pub problem: Box<RowProblem>,
}

/// What is wrong with a row.
///
/// ```
/// # use openelb_ipam::*;
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// # let web: Owner = "service/default/web".parse()?;
/// ipam.allocate(&web, &Request::default(), Time(0))?;
/// let mut snapshot = ipam.snapshot();
/// snapshot.rows.extend(snapshot.rows.last().cloned());
/// let Err(RestoreError::Row(error)) = Ipam::restore(snapshot) else { panic!("accepted") };
/// assert_eq!(*error.problem, openelb_ipam::ipam::RowProblem::Duplicate);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RowProblem {
    /// It names a pool that no row describes.
    #[error("pool {0} is in no row; restore its row too")]
    UnknownPool(PoolName),
    /// It claims an address that another row claims.
    #[error("{0} is claimed by another row; one of the two must go")]
    InUse(IpAddr),
    /// It claims a prefix that overlaps what another row claims.
    #[error("{0} overlaps what another row claims; one of the two must go")]
    PrefixInUse(IpNet),
    /// It gives an address to a pool although another pool holds it.
    #[error("{0} belongs to another pool; correct the pool's name")]
    WrongPool(IpAddr),
    /// It shares an address with rows that do not allow it.
    #[error("{0} is shared by rows that cannot share; one of them must go")]
    NotShareable(IpAddr),
    /// It claims two addresses of one family, or none at all.
    #[error("it claims no address or two of one family")]
    Claims,
    /// There is a row of the same key already.
    #[error("there is another row of this key; one of the two must go")]
    Duplicate,
    /// It is newer than the state that it is part of.
    #[error("it is of generation {0}, later than the state")]
    FromTheFuture(u64),
    /// It marks an address that its pool cannot give, or in a way that the pool does not use.
    #[error("its pool cannot hold this mark; remove the row")]
    Pointless,
    /// The pools cannot be.
    #[error("{0}")]
    Pools(Box<PoolPlanError>),
}

impl Ipam {
    /// Replaces the pools of an empty ledger by those of rows.
    pub(crate) fn insert_pools(&mut self, mut rows: Vec<&PoolRow>) -> Result<(), RowError> {
        rows.sort_by_key(|row| row.position);
        let specs: Vec<_> = rows.iter().map(|row| row.spec.clone()).collect();
        let plan = self.plan_pools(&specs).map_err(|error| {
            let name = match &error {
                PoolPlanError::Invalid(error) => Some(error.pool.clone()),
                PoolPlanError::DuplicateName(name) => Some(name.clone()),
                _ => specs.last().map(|spec| spec.name.clone()),
            };
            let key = RowKey::Pool(name.expect("an error needs at least one pool"));
            RowError {
                key,
                problem: Box::new(RowProblem::Pools(error.into())),
            }
        })?;
        self.install(plan);
        Ok(())
    }

    /// Enters a row other than a pool's. A refused row leaves no trace.
    pub(crate) fn insert_row(&mut self, row: Row) -> Result<(), RowError> {
        // Almost all rows are owners: they do without a copy of their key.
        if let Row::Owner(row) = row {
            return self.insert_owner(row);
        }
        let key = row.key();
        let outcome = match row {
            Row::Pool(_) | Row::Owner(_) => Err(RowProblem::Pointless),
            Row::Cursor(row) => self.insert_cursor(&row),
            Row::Mark(row) => self.insert_mark(&row),
            Row::Reservation(row) => self.insert_reservation(row),
            Row::Waiting(row) => {
                let is_new = self.waiting.insert(row);
                is_new.then_some(()).ok_or(RowProblem::Duplicate)
            }
        };
        match outcome {
            Ok(()) => {
                self.changed(key);
                Ok(())
            }
            Err(problem) => Err(RowError {
                key,
                problem: problem.into(),
            }),
        }
    }

    /// Removes a row other than a pool's, whatever it is.
    pub(crate) fn remove_row(&mut self, key: &RowKey) {
        match key {
            RowKey::Pool(_) => return,
            RowKey::Cursor(name, family) => {
                if let Some(state) = self
                    .by_name
                    .get(name)
                    .and_then(|at| self.pools.get_mut(usize::from(*at)))
                {
                    state.cursor[*family] = None;
                }
            }
            RowKey::Owner(owner) => {
                if let Some(slot) = self.owners.find(owner.as_str()) {
                    self.erase(slot);
                }
            }
            RowKey::Mark(address) => {
                let (family, bits) = (Family::of(*address), to_bits(*address));
                if let Some((pool, _)) = self.unmark(family, bits) {
                    self.free_bit(pool, family, bits);
                }
            }
            RowKey::Reservation(id) => {
                if let Some(booking) = self.bookings.get(id) {
                    let (slot, due) = (booking.slot, (booking.deadline, Due::Reservation(*id)));
                    self.erase(slot);
                    self.bookings.remove(id);
                    self.deadlines.remove(&due);
                }
            }
            RowKey::Waiting(owner) => {
                self.waiting.remove(owner.as_str());
            }
        }
        self.changed(key.clone());
    }

    /// Makes room for owner rows to come.
    pub(crate) fn make_room(
        &mut self,
        owners: usize,
        key_bytes: usize,
        addresses: DualStack<usize>,
    ) {
        self.owners.reserve(owners, key_bytes);
        self.holders.reserve(addresses, &self.owners);
    }

    fn insert_owner(&mut self, row: OwnerRow) -> Result<(), RowError> {
        let OwnerRow {
            owner,
            generation,
            claims,
            ipv6_first,
            prefixes,
            sharing,
            ports,
        } = row;
        let outcome =
            self.insert_owner_record(&owner, generation, &claims, &prefixes, sharing, ports);
        let slot = outcome.map_err(|problem| RowError {
            key: RowKey::Owner(owner.key),
            problem: problem.into(),
        })?;
        if let Some(record) = self.owners.get_mut(slot) {
            record.set_first(if ipv6_first { Family::V6 } else { Family::V4 });
            record.generation = generation;
        }
        let at = self.next_generation();
        self.log.note(at, Changed::Owner(slot));
        Ok(())
    }

    fn insert_owner_record(
        &mut self,
        owner: &crate::owner::Owner,
        generation: u64,
        claims: &Claims,
        prefixes: &[PrefixClaim],
        sharing: Option<Sharing>,
        ports: PortSet,
    ) -> Result<Slot, RowProblem> {
        if generation > self.next_generation() {
            return Err(RowProblem::FromTheFuture(generation));
        }
        if self.owners.find(owner.key.as_str()).is_some() {
            return Err(RowProblem::Duplicate);
        }
        if claims.is_empty() && prefixes.is_empty() {
            return Err(RowProblem::Claims);
        }
        let slot = self.owners.insert(owner.key.as_str());
        if let Some(record) = self.owners.get_mut(slot)
            && (owner.uid.is_some() || sharing.is_some())
        {
            record.edit_extra(|extra| {
                extra.uid.clone_from(&owner.uid);
                (extra.sharing, extra.ports) = (sharing, ports);
            });
        }
        let outcome = self.insert_claims(slot, claims);
        let outcome = outcome.and_then(|()| self.insert_prefixes(slot, prefixes));
        if outcome.is_err() {
            self.erase(slot);
        }
        outcome.map(|()| slot)
    }

    fn insert_claims(&mut self, slot: Slot, claims: &Claims) -> Result<(), RowProblem> {
        for claim in claims {
            let (family, bits) = (Family::of(claim.address), to_bits(claim.address));
            let record = self.owners.get(slot);
            if record.is_none_or(|record| record.claim(family).is_some()) {
                return Err(RowProblem::Claims);
            }
            let pool = self.pool_for(&claim.pool, claim.address)?;
            let sharing = record.and_then(|record| record.sharing());
            let is_joining = match sharing {
                Some(sharing) => self.can_join(slot, sharing, family, bits)?,
                None => false,
            };
            if !is_joining {
                self.claim_bit(pool, family, bits)?;
            }
            self.place(slot, family, pool, bits);
        }
        Ok(())
    }

    /// Takes an address that nobody may have yet: its index bit, or an orphan without one.
    fn claim_bit(&mut self, pool: PoolIndex, family: Family, bits: u128) -> Result<(), RowProblem> {
        let state = self.pools.get_mut(usize::from(pool));
        if state.is_some_and(|state| state.index[family].take(bits)) {
            return Ok(());
        }
        let is_orphan = self
            .pools
            .get(usize::from(pool))
            .is_some_and(|state| !state.index[family].in_universe(bits));
        let is_held = self.holders.find(family, bits, &self.owners).is_some()
            || self.prefix_holder(family, bits).is_some();
        if is_orphan && !is_held {
            Ok(())
        } else {
            Err(RowProblem::InUse(from_bits(family, bits)))
        }
    }

    /// Whether others are at the address already, and would share it.
    fn can_join(
        &self,
        slot: Slot,
        sharing: &Sharing,
        family: Family,
        bits: u128,
    ) -> Result<bool, RowProblem> {
        let address = from_bits(family, bits);
        if sharing.key.is_empty() {
            return Err(RowProblem::NotShareable(address));
        }
        let Some(holder) = self.holders.find(family, bits, &self.owners) else {
            return Ok(false);
        };
        let Holder::Note(note) = holder else {
            return Err(RowProblem::InUse(address));
        };
        let NoteState::Shared {
            sharing: theirs,
            claims,
        } = &note.state
        else {
            return Err(RowProblem::InUse(address));
        };
        let ports = self.owners.get(slot).map(Record::ports);
        let clashes = |other: &Slot| {
            let other = self.owners.get(*other).map(Record::ports);
            other.zip(ports).is_none_or(|(a, b)| a.clash(b).is_some())
        };
        if theirs != sharing || claims.iter().any(clashes) {
            return Err(RowProblem::NotShareable(address));
        }
        Ok(true)
    }

    fn insert_prefixes(&mut self, slot: Slot, prefixes: &[PrefixClaim]) -> Result<(), RowProblem> {
        for PrefixClaim { prefix, pool } in prefixes {
            let prefix = prefix.trunc();
            let range = AddressRange::from(prefix);
            let family = range.family();
            let at = self.pool_for(pool, prefix.network())?;
            let last = (family, range.last_bits());
            let is_apart = self
                .prefixes
                .range((family, range.first_bits())..=last)
                .next()
                .is_none()
                && self.prefix_holder(family, range.first_bits()).is_none();
            let Some(state) = self.pools.get_mut(usize::from(at)).filter(|_| is_apart) else {
                return Err(RowProblem::PrefixInUse(prefix));
            };
            let is_free = !state.index[family]
                .taken_ranges()
                .any(|run| run.overlaps(&range));
            if !is_free {
                return Err(RowProblem::PrefixInUse(prefix));
            }
            self.place_prefix(slot, at, prefix);
        }
        Ok(())
    }

    fn insert_mark(&mut self, row: &MarkRow) -> Result<(), RowProblem> {
        let (family, bits) = (Family::of(row.address), to_bits(row.address));
        let at = self.pool_for(&row.pool, row.address)?;
        let Some(state) = self.pools.get_mut(usize::from(at)) else {
            return Err(RowProblem::Pointless);
        };
        let is_possible = state.index[family].in_universe(bits) && state.can_carry(&row.state);
        if !is_possible {
            return Err(RowProblem::Pointless);
        }
        if !state.index[family].take(bits) {
            return Err(RowProblem::InUse(row.address));
        }
        self.enter_mark(at, family, bits, row.state.clone());
        Ok(())
    }

    fn insert_reservation(&mut self, row: ReservationRow) -> Result<(), RowProblem> {
        if row.id.0 > self.next_generation() {
            return Err(RowProblem::FromTheFuture(row.id.0));
        }
        if self.bookings.contains_key(&row.id) {
            return Err(RowProblem::Duplicate);
        }
        let mut marks = DualStack::default();
        for mark in row.marks {
            if row.claims.iter().all(|claim| claim.address != mark.address) {
                return Err(RowProblem::Pointless);
            }
            marks[Family::of(mark.address)] = Some(mark.state);
        }
        let slot = self.owners.insert_unnamed();
        let booking = Booking {
            owner: row.owner,
            owner_generation: row.owner_generation,
            deadline: row.deadline,
            slot,
            keeps: DualStack::from_fn(|family| row.keeps.contains(&family)),
            marks,
        };
        if let Some(record) = self.owners.get_mut(slot) {
            record.set_first(if row.ipv6_first {
                Family::V6
            } else {
                Family::V4
            });
            record.edit_extra(|extra| {
                extra.reservation = Some(row.id);
                (extra.sharing, extra.ports) = (row.sharing, row.ports);
            });
        }
        self.bookings.insert(row.id, booking);
        if let Err(problem) = self.insert_claims(slot, &row.claims) {
            self.erase(slot);
            self.bookings.remove(&row.id);
            return Err(problem);
        }
        self.deadlines
            .insert((row.deadline, Due::Reservation(row.id)));
        Ok(())
    }

    fn insert_cursor(&mut self, row: &CursorRow) -> Result<(), RowProblem> {
        let at = self.by_name.get(&row.pool).copied();
        let state = at.and_then(|at| self.pools.get_mut(usize::from(at)));
        let state = state.ok_or_else(|| RowProblem::UnknownPool(row.pool.clone()))?;
        if state.strategy() != Strategy::NextFit {
            return Err(RowProblem::Pointless);
        }
        state.cursor[Family::of(row.last)] = Some(to_bits(row.last));
        Ok(())
    }

    /// The pool of a row, which must hold the address unless no pool does.
    fn pool_for(&self, name: &PoolName, address: IpAddr) -> Result<PoolIndex, RowProblem> {
        let unknown = || RowProblem::UnknownPool(name.clone());
        let (at, state) = self.pool_state(name).ok_or_else(unknown)?;
        if state.pool.ranges().contains(address) || self.pool_of(address).is_none() {
            Ok(at)
        } else {
            Err(RowProblem::WrongPool(address))
        }
    }

    /// Removes a record and frees what it alone holds, without marks, log or wake-ups.
    fn erase(&mut self, slot: Slot) {
        for family in Family::ALL {
            if let Some((pool, bits, true)) = self.displace(slot, family) {
                self.free_bit(pool, family, bits);
            }
        }
        self.release_prefixes(slot);
        self.owners.remove(slot);
    }

    pub(super) fn free_bit(&mut self, pool: PoolIndex, family: Family, bits: u128) {
        if let Some(state) = self.pools.get_mut(usize::from(pool)) {
            state.index[family].release(bits);
            state.regained(family, bits);
        }
    }
}
