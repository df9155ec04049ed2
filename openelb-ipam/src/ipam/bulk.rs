//! Restoring a great many owners at once.
//!
//! Entering them one by one costs several misses of the cache each, in tables that grow to tens of
//! megabytes. Here the rows are read once, front to back; then every table is filled in its own
//! order. Measured by `benches/`: a million dual-stack owners take about half the time.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::mem;

use super::Ipam;
use super::insert::{RowError, RowProblem};
use super::owners::{PoolIndex, Slot};
use super::state::Class;
use crate::family::{DualStack, Family, from_bits, to_bits};
use crate::name::PoolName;
use crate::owner::OwnerKey;
use crate::request::PortSet;
use crate::row::{Claim, OwnerRow, Row, RowKey};

/// What a plain row claims, by family.
type Taken = DualStack<Option<(PoolIndex, u128)>>;

/// An entry to be made in a table: its hash, and the record it leads to.
pub(super) type Entry = (u64, Slot);

impl Ipam {
    /// Enters the plain ones among the owner rows into a ledger that has pools and nothing else;
    /// gives back the positions of the other owner rows. After an error the ledger is useless.
    ///
    /// A row is plain when it alone holds addresses that its pools can give: no orphans, no
    /// sharing, no prefixes. A row at odds with one before it is not plain either, so that every
    /// error but a repeated key or address is found, and worded, where rows are entered singly.
    pub(crate) fn insert_plain_owners(&mut self, rows: &mut [Row]) -> Result<Vec<usize>, RowError> {
        let mut others = Vec::new();
        let mut named = Vec::with_capacity(rows.len());
        let mut last_pool = None;
        for (at, row) in rows.iter_mut().enumerate() {
            let Row::Owner(row) = row else { continue };
            match self.take_plain(row, &mut last_pool) {
                Some(taken) => named.push(self.push_plain(row, taken)),
                None => others.push(at),
            }
        }
        let named = in_table_order(named, self.owners.capacity());
        for (hash, slot) in named {
            if !self.owners.link(hash, slot) {
                return Err(self.contradiction(slot, RowProblem::Duplicate));
            }
        }
        for family in Family::ALL {
            self.insert_holders(family)?;
        }
        Ok(others)
    }

    /// Takes all that a plain row claims; `None`, and nothing taken, when it is not plain.
    fn take_plain(
        &mut self,
        row: &OwnerRow,
        last_pool: &mut Option<(PoolName, PoolIndex)>,
    ) -> Option<Taken> {
        let is_plain = row.prefixes.is_empty()
            && row.sharing.is_none()
            && row.ports == PortSet::All
            && row.generation <= self.next_generation()
            && !row.claims.is_empty();
        if !is_plain {
            return None;
        }
        let mut taken = Taken::default();
        for claim in &row.claims {
            let (family, bits) = (Family::of(claim.address), to_bits(claim.address));
            let at = self.take_claim(claim, family, bits, last_pool);
            let Some(at) = at.filter(|_| taken[family].is_none()) else {
                let claimed = at.map(|at| (family, at, bits));
                let before = Family::ALL
                    .into_iter()
                    .filter_map(|family| taken[family].map(|(at, bits)| (family, at, bits)));
                for (family, at, bits) in before.chain(claimed) {
                    self.free_bit(at, family, bits);
                }
                return None;
            };
            taken[family] = Some((at, bits));
        }
        Some(taken)
    }

    fn take_claim(
        &mut self,
        claim: &Claim,
        family: Family,
        bits: u128,
        last_pool: &mut Option<(PoolName, PoolIndex)>,
    ) -> Option<PoolIndex> {
        let at = match last_pool {
            Some((name, at)) if *name == claim.pool => *at,
            _ => {
                let at = *self.by_name.get(&claim.pool)?;
                *last_pool = Some((claim.pool.clone(), at));
                at
            }
        };
        let state = self.pools.get_mut(usize::from(at))?;
        state.index[family].take(bits).then_some(at)
    }

    /// Appends the record of a plain row and counts its claims. No table leads to it yet.
    fn push_plain(&mut self, row: &mut OwnerRow, taken: Taken) -> Entry {
        let (hash, slot) = self.owners.push_unlinked(row.owner.key.as_str());
        if let Some(record) = self.owners.get_mut(slot) {
            record.generation = row.generation;
            record.set_first(if row.ipv6_first {
                Family::V6
            } else {
                Family::V4
            });
            for family in Family::ALL {
                record.set_claim(family, taken[family]);
            }
            if let Some(uid) = mem::take(&mut row.owner.uid) {
                record.edit_extra(|extra| extra.uid = Some(uid));
            }
        }
        for family in Family::ALL {
            let Some((at, _)) = taken[family] else {
                continue;
            };
            if let Some(state) = self.pools.get_mut(usize::from(at)) {
                *state.counter(family, Class::Used) += 1;
            }
            self.count_claim(slot, at, family, true);
        }
        (hash, slot)
    }

    /// Enters every record into the table of addresses of a family.
    fn insert_holders(&mut self, family: Family) -> Result<(), RowError> {
        let mut entries = Vec::with_capacity(self.owners.len());
        entries.extend(self.owners.iter().filter_map(|(slot, record)| {
            let (_, bits) = record.claim(family)?;
            Some((self.holders.hash_of(bits), slot))
        }));
        let entries = in_table_order(entries, self.holders.capacity(family));
        for (hash, slot) in entries {
            let claim = self
                .owners
                .get(slot)
                .and_then(|record| record.claim(family));
            let Some((_, bits)) = claim else { continue };
            // The index has just given the bit once, but the look costs nothing.
            if !self
                .holders
                .link_record(family, bits, (hash, slot), &self.owners)
            {
                return Err(self.contradiction(slot, RowProblem::InUse(from_bits(family, bits))));
            }
        }
        Ok(())
    }

    fn contradiction(&self, slot: Slot, problem: RowProblem) -> RowError {
        RowError {
            key: RowKey::Owner(OwnerKey::from_checked(self.owners.key(slot))),
            problem: Box::new(problem),
        }
    }
}

/// Sorts entries roughly into the order of the table that they go into: a part of the table small
/// enough for the nearest caches is filled before the next one. The order is stable within a part.
fn in_table_order(entries: Vec<Entry>, capacity: usize) -> Vec<Entry> {
    // A table is a power of two of buckets, at most 7 in 8 of them full, found by the low bits.
    let bits = capacity.next_power_of_two().ilog2();
    let shift = bits.saturating_sub(PARTS.ilog2());
    let part_of = |hash: u64| usize::try_from(hash >> shift).map_or(0, |part| part % PARTS);
    if shift < 4 {
        return entries;
    }
    let mut ends = vec![0_usize; PARTS + 1];
    for (hash, _) in &entries {
        if let Some(count) = ends.get_mut(part_of(*hash) + 1) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for start in &mut ends {
        sum += *start;
        *start = sum;
    }
    let mut sorted = vec![(0, 0); entries.len()];
    for entry in entries {
        if let Some(next) = ends.get_mut(part_of(entry.0))
            && let Some(place) = sorted.get_mut(*next)
        {
            *place = entry;
            *next += 1;
        }
    }
    sorted
}

/// Parts of a table of a million entries: 2,048 buckets or 10 KiB each.
const PARTS: usize = 1024;
