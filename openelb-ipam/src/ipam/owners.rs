//! Who is known: compact owner records in a slab, found by key.
//!
//! A record is 48 bytes whatever it holds; keys live one after the other in one text. Measured by
//! `benches/`: a dual-stack owner with a 29-byte key costs under 140 bytes, tables included.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::hash::BuildHasher;

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};
use ipnet::IpNet;

use crate::family::{DualStack, Family};
use crate::owner::Uid;
use crate::request::{PortSet, Sharing};
use crate::row::ReservationId;

/// Where a record is in the slab.
pub(super) type Slot = u32;

/// Which pool of the ledger, by position.
pub(super) type PoolIndex = u16;

/// What an owner, or a reservation on behalf of one, holds.
// Invariant: an address is meaningful only if the pool of its family is not `NO_POOL`.
#[derive(Clone, Debug)]
pub(super) struct Record {
    v6: [u64; 2],
    /// The generation at which the record changed last.
    pub(super) generation: u64,
    /// What few owners have; absent when it would be empty.
    pub(super) extra: Option<Box<Extra>>,
    v4: u32,
    key_at: u32,
    key_len: u16,
    pools: DualStack<PoolIndex>,
    is_v6_first: bool,
    is_vacant: bool,
}

/// The rarely used part of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Extra {
    pub(super) uid: Option<Uid>,
    /// Present only on owners that may share; then `ports` says what they serve.
    pub(super) sharing: Option<Sharing>,
    pub(super) ports: PortSet,
    pub(super) prefixes: Vec<(PoolIndex, IpNet)>,
    /// Set when the record is what a reservation holds, not what an owner holds.
    pub(super) reservation: Option<ReservationId>,
}

impl Record {
    /// The address held in a family, with its pool.
    pub(super) fn claim(&self, family: Family) -> Option<(PoolIndex, u128)> {
        let pool = self.pools[family];
        (pool != NO_POOL).then(|| (pool, self.bits(family)))
    }

    pub(super) fn set_claim(&mut self, family: Family, claim: Option<(PoolIndex, u128)>) {
        let (pool, bits) = claim.unwrap_or((NO_POOL, 0));
        self.pools[family] = pool;
        match family {
            Family::V4 => self.v4 = truncate_to_u32(bits),
            Family::V6 => self.v6 = [truncate_to_u64(bits >> 64), truncate_to_u64(bits)],
        }
    }

    /// Both families in the order of the owner's request.
    pub(super) fn order(&self) -> [Family; 2] {
        if self.is_v6_first {
            [Family::V6, Family::V4]
        } else {
            Family::ALL
        }
    }

    pub(super) fn set_first(&mut self, family: Family) {
        self.is_v6_first = family == Family::V6;
    }

    pub(super) fn is_reservation(&self) -> bool {
        self.extra
            .as_ref()
            .is_some_and(|extra| extra.reservation.is_some())
    }

    /// Whether nothing is held, so that the record need not exist.
    pub(super) fn holds_nothing(&self) -> bool {
        self.pools == NO_POOLS && self.prefixes().is_empty()
    }

    pub(super) fn uid(&self) -> Option<&Uid> {
        self.extra.as_ref()?.uid.as_ref()
    }

    pub(super) fn sharing(&self) -> Option<&Sharing> {
        self.extra.as_ref()?.sharing.as_ref()
    }

    pub(super) fn ports(&self) -> &PortSet {
        self.extra.as_ref().map_or(&ALL_PORTS, |extra| &extra.ports)
    }

    pub(super) fn prefixes(&self) -> &[(PoolIndex, IpNet)] {
        self.extra
            .as_ref()
            .map_or(&[], |extra| extra.prefixes.as_slice())
    }

    /// Changes the rare part and drops it when nothing is left in it.
    pub(super) fn edit_extra(&mut self, edit: impl FnOnce(&mut Extra)) {
        let mut extra = self.extra.take().unwrap_or_default();
        edit(&mut extra);
        self.extra = Some(extra).filter(|extra| **extra != Extra::default());
    }

    fn bits(&self, family: Family) -> u128 {
        let [high, low] = self.v6;
        match family {
            Family::V4 => u128::from(self.v4),
            Family::V6 => (u128::from(high) << 64) | u128::from(low),
        }
    }
}

/// All records.
// Invariants: `by_key` holds every owner's slot once and no reservation's; vacant slots form a list
// through `key_at`; `garbage` counts the bytes of `names` that no record uses.
#[derive(Clone, Debug, Default)]
pub(super) struct Owners {
    records: Vec<Record>,
    vacant: Option<Slot>,
    by_key: HashTable<Slot>,
    hasher: DefaultHashBuilder,
    names: String,
    garbage: usize,
}

impl Owners {
    /// Makes room for a number of owners, so that a restore never rehashes.
    pub(super) fn reserve(&mut self, owners: usize, key_bytes: usize) {
        self.records.reserve_exact(owners);
        self.names.reserve_exact(key_bytes);
        let Self {
            records,
            by_key,
            hasher,
            names,
            ..
        } = self;
        by_key.reserve(owners, |&slot| {
            hasher.hash_one(key_in(names, records, slot))
        });
    }

    /// How many owners there is room for.
    pub(super) fn capacity(&self) -> usize {
        self.by_key.capacity()
    }

    /// How many owners hold something; reservations do not count.
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    pub(super) fn find(&self, key: &str) -> Option<Slot> {
        let hash = self.hasher.hash_one(key);
        self.by_key
            .find(hash, |&slot| {
                key_in(&self.names, &self.records, slot) == key
            })
            .copied()
    }

    pub(super) fn get(&self, slot: Slot) -> Option<&Record> {
        self.records
            .get(slot as usize)
            .filter(|record| !record.is_vacant)
    }

    pub(super) fn get_mut(&mut self, slot: Slot) -> Option<&mut Record> {
        self.records
            .get_mut(slot as usize)
            .filter(|record| !record.is_vacant)
    }

    /// The key of a record; empty for a reservation's.
    pub(super) fn key(&self, slot: Slot) -> &str {
        key_in(&self.names, &self.records, slot)
    }

    /// Adds an owner that must not be known yet.
    pub(super) fn insert(&mut self, key: &str) -> Slot {
        let (hash, slot) = self.push_unlinked(key);
        let Self {
            records,
            by_key,
            hasher,
            names,
            ..
        } = self;
        by_key.insert_unique(hash, slot, |&slot| {
            hasher.hash_one(key_in(names, records, slot))
        });
        slot
    }

    /// Adds an owner's record that its key does not lead to until it is [linked](Self::link); gives
    /// the key's hash and the slot.
    pub(super) fn push_unlinked(&mut self, key: &str) -> (u64, Slot) {
        let slot = self.insert_unnamed();
        let key_at = u32::try_from(self.names.len()).expect("4 GiB of keys exceed any memory plan");
        let key_len = u16::try_from(key.len()).expect("an owner key is at most 1,024 bytes");
        self.names.push_str(key);
        if let Some(record) = self.records.get_mut(slot as usize) {
            (record.key_at, record.key_len) = (key_at, key_len);
        }
        (self.hasher.hash_one(key), slot)
    }

    /// Lets its key lead to a record; false when the key leads to another one.
    pub(super) fn link(&mut self, hash: u64, slot: Slot) -> bool {
        let Self {
            records,
            by_key,
            hasher,
            names,
            ..
        } = self;
        let key = |slot| key_in(names, records, slot);
        let is_same = |&other: &Slot| key(other) == key(slot);
        match by_key.entry(hash, is_same, |&slot| hasher.hash_one(key(slot))) {
            Entry::Occupied(_) => false,
            Entry::Vacant(entry) => {
                entry.insert(slot);
                true
            }
        }
    }

    /// Adds a record that no key leads to.
    pub(super) fn insert_unnamed(&mut self) -> Slot {
        if let Some(slot) = self.vacant
            && let Some(record) = self.records.get_mut(slot as usize)
        {
            self.vacant = Some(record.key_at).filter(|&next| next != slot);
            *record = EMPTY;
            return slot;
        }
        let slot =
            Slot::try_from(self.records.len()).expect("fewer than 2^31 owners fit in memory");
        self.records.push(EMPTY);
        slot
    }

    /// Forgets a record.
    pub(super) fn remove(&mut self, slot: Slot) {
        let key = key_in(&self.names, &self.records, slot);
        let hash = self.hasher.hash_one(key);
        if let Ok(entry) = self.by_key.find_entry(hash, |&other| other == slot) {
            entry.remove();
        }
        let Some(record) = self.records.get_mut(slot as usize) else {
            return;
        };
        self.garbage += usize::from(record.key_len);
        // The last of the list names itself.
        *record = Record {
            key_at: self.vacant.unwrap_or(slot),
            is_vacant: true,
            ..EMPTY
        };
        self.vacant = Some(slot);
        if self.garbage > 4096 && self.garbage > self.names.len() / 2 {
            self.compact_names();
        }
    }

    /// Every record in use with its slot, owners and reservations alike.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Slot, &Record)> {
        (0..)
            .zip(&self.records)
            .filter(|(_, record)| !record.is_vacant)
    }

    /// Rewrites the keys without the gaps: amortised O(1) per removal.
    fn compact_names(&mut self) {
        let mut names = String::with_capacity(self.names.len() - self.garbage);
        for record in self.records.iter_mut().filter(|record| !record.is_vacant) {
            let at = record.key_at as usize;
            let key = self
                .names
                .get(at..at + usize::from(record.key_len))
                .unwrap_or_default();
            record.key_at = u32::try_from(names.len()).expect("shorter than the text it replaces");
            names.push_str(key);
        }
        self.names = names;
        self.garbage = 0;
    }
}

fn key_in<'a>(names: &'a str, records: &[Record], slot: Slot) -> &'a str {
    let Some(record) = records
        .get(slot as usize)
        .filter(|record| !record.is_vacant)
    else {
        return "";
    };
    let at = record.key_at as usize;
    names
        .get(at..at + usize::from(record.key_len))
        .unwrap_or_default()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "an IPv4 address has 32 bits"
)]
pub(super) fn truncate_to_u32(bits: u128) -> u32 {
    bits as u32
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the upper half is kept apart"
)]
fn truncate_to_u64(bits: u128) -> u64 {
    bits as u64
}

const NO_POOL: PoolIndex = PoolIndex::MAX;
const NO_POOLS: DualStack<PoolIndex> = DualStack {
    v4: NO_POOL,
    v6: NO_POOL,
};
static ALL_PORTS: PortSet = PortSet::All;

const EMPTY: Record = Record {
    v6: [0; 2],
    generation: 0,
    extra: None,
    v4: 0,
    key_at: 0,
    key_len: 0,
    pools: NO_POOLS,
    is_v6_first: false,
    is_vacant: false,
};

const _: () = assert!(size_of::<Record>() == 48, "the memory goal rests on this");
