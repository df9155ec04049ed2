//! Every invariant of the ledger, checked from scratch.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use hashbrown::HashMap;

use super::Ipam;
use super::holders::{Holder, NoteState};
use super::owners::{PoolIndex, Slot};
use super::state::{Class, Counts};
use crate::count::AddressCount;
use crate::family::{DualStack, Family, from_bits};
use crate::owner;
use crate::range::AddressRange;
use crate::request::PortSet;
use crate::row::MarkState;

/// What the audit finds out on its own, to be compared with what the ledger keeps.
#[derive(Default)]
struct Findings {
    faults: Vec<String>,
    counts: HashMap<(PoolIndex, Family), Counts>,
    resting: HashMap<(PoolIndex, Family), u64>,
    namespaces: BTreeMap<(PoolIndex, String), DualStack<u32>>,
    addresses: BTreeSet<(Family, u128)>,
}

impl Ipam {
    /// Checks every invariant from scratch and says which are broken; empty is right. O(state).
    ///
    /// For tests, fuzzers and support: a fault is a bug of this crate.
    ///
    /// ```
    /// # use openelb_ipam::Ipam;
    /// assert!(Ipam::new().audit().is_empty());
    /// ```
    pub fn audit(&self) -> Vec<String> {
        let mut found = Findings::default();
        self.audit_records(&mut found);
        self.audit_notes(&mut found);
        self.audit_counters(&mut found);
        self.audit_tables(&mut found);
        found.faults
    }

    fn audit_records(&self, found: &mut Findings) {
        for (slot, record) in self.owners.iter() {
            let id = record.extra.as_ref().and_then(|extra| extra.reservation);
            let key = self.owners.key(slot);
            let is_found = match id {
                Some(id) => self
                    .bookings
                    .get(&id)
                    .is_some_and(|booking| booking.slot == slot),
                None => self.owners.find(key) == Some(slot) && !record.holds_nothing(),
            };
            if !is_found {
                found.faults.push(format!(
                    "record {slot} {key:?} is not reachable or holds nothing"
                ));
            }
            let owner = id.and_then(|id| self.bookings.get(&id));
            let namespace = match owner {
                Some(booking) => booking.owner.key.namespace(),
                None => owner::namespace_of(key),
            };
            for family in Family::ALL {
                let Some((pool, bits)) = record.claim(family) else {
                    continue;
                };
                self.audit_claim(found, slot, pool, family, bits);
                found.counts.entry((pool, family)).or_default().claims += 1;
                let claims = found
                    .namespaces
                    .entry((pool, namespace.into()))
                    .or_default();
                claims[family] += 1;
            }
            for (pool, prefix) in record.prefixes() {
                let range = AddressRange::from(*prefix);
                let Some(state) = self.pools.get(usize::from(*pool)) else {
                    continue;
                };
                let universe = state.pool.universe().intersection(&range.into());
                let counts = found.counts.entry((*pool, range.family())).or_default();
                counts.prefixed = counts
                    .prefixed
                    .saturating_add(universe.count(range.family()));
            }
        }
    }

    fn audit_claim(
        &self,
        found: &mut Findings,
        slot: Slot,
        pool: PoolIndex,
        family: Family,
        bits: u128,
    ) {
        let address = from_bits(family, bits);
        let Some(state) = self.pools.get(usize::from(pool)) else {
            found
                .faults
                .push(format!("{address} is claimed from no pool"));
            return;
        };
        let home = self.pool_of(address).map(|(at, _)| at);
        if home.is_some_and(|home| home != pool) {
            found.faults.push(format!(
                "{address} is claimed from another pool than its own"
            ));
        }
        if !state.index[family].is_taken(bits) {
            found
                .faults
                .push(format!("{address} is claimed and free in the index"));
        }
        let is_first = found.addresses.insert((family, bits));
        let is_holder = match self.holders.find(family, bits, &self.owners) {
            Some(Holder::Record(holder)) => holder == slot && is_first,
            Some(Holder::Note(note)) => match &note.state {
                NoteState::Shared { claims, .. } => claims.contains(&slot),
                NoteState::Marked(_) => false,
            },
            None => false,
        };
        if !is_holder {
            found.faults.push(format!(
                "{address} is claimed but held by another, or twice"
            ));
        }
        if is_first {
            let is_inside = state.index[family].in_universe(bits);
            let counts = found.counts.entry((pool, family)).or_default();
            match self.class_at(family, bits) {
                _ if !is_inside => counts.orphaned += 1,
                Some(Class::Reserved) => counts.reserved += 1,
                _ => counts.used += 1,
            }
        }
    }

    fn audit_notes(&self, found: &mut Findings) {
        for note in self.holders.notes() {
            let (family, bits) = (note.family, note.bits);
            let address = from_bits(family, bits);
            match &note.state {
                NoteState::Shared { sharing, claims } => {
                    let is_known = self
                        .shared
                        .get(sharing)
                        .is_some_and(|at| at.contains(&(family, bits)));
                    let agree = claims.iter().all(|slot| {
                        self.owners.get(*slot).is_some_and(|record| {
                            record.sharing() == Some(sharing)
                                && record.claim(family) == Some((note.pool, bits))
                        })
                    });
                    let ports: Vec<&PortSet> = claims
                        .iter()
                        .filter_map(|slot| Some(self.owners.get(*slot)?.ports()))
                        .collect();
                    let clash = (1..ports.len()).any(|at| {
                        let (before, rest) = ports.split_at(at);
                        let this = rest.first();
                        this.is_some_and(|this| {
                            before.iter().any(|other| this.clash(other).is_some())
                        })
                    });
                    if claims.is_empty() || !is_known || !agree || clash || sharing.key.is_empty() {
                        found
                            .faults
                            .push(format!("{address} is shared by owners that do not agree"));
                    }
                }
                NoteState::Marked(mark) => {
                    self.audit_mark(found, note.pool, family, bits, mark);
                }
            }
        }
    }

    fn audit_mark(
        &self,
        found: &mut Findings,
        pool: PoolIndex,
        family: Family,
        bits: u128,
        mark: &MarkState,
    ) {
        let address = from_bits(family, bits);
        let state = self.pools.get(usize::from(pool));
        let is_taken = state
            .is_some_and(|s| s.index[family].in_universe(bits) && s.index[family].is_taken(bits));
        if !found.addresses.insert((family, bits)) || !is_taken {
            found
                .faults
                .push(format!("{address} is marked and claimed, or free"));
        }
        let counts = found.counts.entry((pool, family)).or_default();
        let (until, is_listed) = match mark {
            MarkState::Cooling { owner, until, .. } => {
                counts.cooling += 1;
                let list = self.cooling.get(owner);
                (
                    Some(until),
                    list.is_some_and(|list| list.contains(&(family, bits))),
                )
            }
            MarkState::Resting { since } => {
                *found.resting.entry((pool, family)).or_default() += 1;
                let listed = state.is_some_and(|s| s.resting[family].contains(&(*since, bits)));
                (None, listed)
            }
            MarkState::Quarantined { until, .. } => {
                counts.quarantined += 1;
                (Some(until), true)
            }
        };
        let is_due = until.is_none_or(|until| {
            self.deadlines
                .contains(&(*until, super::Due::Mark(family, bits)))
        });
        if !is_listed || !is_due {
            found
                .faults
                .push(format!("the mark of {address} is not in the lists"));
        }
    }

    fn audit_counters(&self, found: &mut Findings) {
        for (at, state) in (0..).zip(&self.pools) {
            for family in Family::ALL {
                let counts = found.counts.get(&(at, family)).copied().unwrap_or_default();
                let resting = found
                    .resting
                    .get(&(at, family))
                    .copied()
                    .unwrap_or_default();
                if state.counts[family] != counts || state.resting[family].len() as u64 != resting {
                    let (kept, name) = (state.counts[family], state.name());
                    found
                        .faults
                        .push(format!("pool {name} counts {kept:?}, not {counts:?}"));
                }
                let inside =
                    counts.used + counts.reserved + counts.cooling + counts.quarantined + resting;
                let taken = AddressCount::from(inside).saturating_add(counts.prefixed);
                if state.index[family].taken() != taken {
                    let (name, index) = (state.name(), state.index[family].taken());
                    found.faults.push(format!(
                        "pool {name} has {taken} {family} taken, index {index}"
                    ));
                }
            }
            if state.pool.spec().namespace_quota.is_some() {
                let of_pool = found.namespaces.iter().filter(|((pool, _), _)| *pool == at);
                let counted: BTreeMap<&str, _> = of_pool
                    .map(|((_, namespace), claims)| (namespace.as_str(), *claims))
                    .collect();
                let kept: BTreeMap<&str, _> = state
                    .claims_of
                    .iter()
                    .map(|(namespace, claims)| (namespace.as_str(), *claims))
                    .collect();
                if counted != kept {
                    found
                        .faults
                        .push(format!("pool {} counts namespaces wrongly", state.name()));
                }
            }
        }
    }

    fn audit_tables(&self, found: &mut Findings) {
        for family in Family::ALL {
            let known = found
                .addresses
                .iter()
                .filter(|(of, _)| *of == family)
                .count();
            if self.holders.len(family) != known {
                found.faults.push(format!(
                    "{} {family} holders for {known}",
                    self.holders.len(family)
                ));
            }
        }
        let shared: usize = self.shared.values().map(BTreeSet::len).sum();
        let notes = self
            .holders
            .notes()
            .filter(|note| matches!(note.state, NoteState::Shared { .. }));
        if shared != notes.count() {
            found
                .faults
                .push(format!("{shared} shared addresses are listed wrongly"));
        }
        let timed = self.holders.notes().filter(|note| {
            matches!(&note.state, NoteState::Marked(mark) if !matches!(mark, MarkState::Resting { .. }))
        });
        if self.deadlines.len() != timed.count() + self.bookings.len() {
            found.faults.push(format!(
                "{} deadlines are too many or too few",
                self.deadlines.len()
            ));
        }
        for (at, record) in self
            .prefixes
            .values()
            .map(|slot| (slot, self.owners.get(*slot)))
        {
            if record.is_none_or(|record| record.prefixes().is_empty()) {
                found.faults.push(format!("record {at} holds no prefix"));
            }
        }
    }
}
