//! Who is at an address: the owner itself, or a note about the rare cases.
//!
//! A table entry is four bytes. It names a record, whose address tells whether it is the one looked
//! for, so that addresses are stored once; or, with the top bit set, a note.

use alloc::vec::Vec;
use core::hash::BuildHasher;

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};
use smallvec::SmallVec;

use super::owners::{Owners, PoolIndex, Slot, truncate_to_u32};
use crate::family::{DualStack, Family};
use crate::request::Sharing;
use crate::row::MarkState;

/// What an address is used for when it is not used by one owner alone.
#[derive(Clone, Debug)]
pub(super) struct Note {
    pub(super) family: Family,
    pub(super) bits: u128,
    pub(super) pool: PoolIndex,
    pub(super) state: NoteState,
}

/// The rare states of an address.
#[derive(Clone, Debug)]
pub(super) enum NoteState {
    /// Held under a sharing key by these records, at least one, sorted.
    Shared {
        sharing: Sharing,
        claims: SmallVec<[Slot; 2]>,
    },
    /// Held by nobody, and not simply free.
    Marked(MarkState),
}

/// What a look-up finds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Holder<'a> {
    /// One record, which shares with nobody.
    Record(Slot),
    /// A note.
    Note(&'a Note),
}

/// Address to holder, for both families.
// Invariant: an address has at most one entry; a record's address has an entry naming the record or
// a note whose claims name it.
#[derive(Clone, Debug, Default)]
pub(super) struct Holders {
    entries: DualStack<HashTable<u32>>,
    notes: Vec<Option<Note>>,
    vacant: Vec<u32>,
    hasher: DefaultHashBuilder,
}

impl Holders {
    /// Makes room, so that a restore never rehashes.
    pub(super) fn reserve(&mut self, additional: DualStack<usize>, owners: &Owners) {
        for family in Family::ALL {
            let Self {
                entries,
                notes,
                hasher,
                ..
            } = self;
            let hash = |&entry: &u32| hash_of(hasher, bits_of(entry, family, notes, owners));
            entries[family].reserve(additional[family], hash);
        }
    }

    /// How many addresses of a family there is room for.
    pub(super) fn capacity(&self, family: Family) -> usize {
        self.entries[family].capacity()
    }

    /// The hash of an address, for [`link_record`](Self::link_record).
    pub(super) fn hash_of(&self, bits: u128) -> u64 {
        hash_of(&self.hasher, bits)
    }

    /// Enters a record unless somebody is at its address already; then false.
    pub(super) fn link_record(
        &mut self,
        family: Family,
        bits: u128,
        (hash, slot): (u64, Slot),
        owners: &Owners,
    ) -> bool {
        let Self {
            entries,
            notes,
            hasher,
            ..
        } = self;
        let is_it = |&entry: &u32| bits_of(entry, family, notes, owners) == bits;
        let rehash = |&entry: &u32| hash_of(hasher, bits_of(entry, family, notes, owners));
        match entries[family].entry(hash, is_it, rehash) {
            Entry::Occupied(_) => false,
            Entry::Vacant(entry) => {
                entry.insert(slot);
                true
            }
        }
    }

    /// Who is at an address.
    pub(super) fn find(&self, family: Family, bits: u128, owners: &Owners) -> Option<Holder<'_>> {
        let hash = hash_of(&self.hasher, bits);
        let is_it = |&entry: &u32| bits_of(entry, family, &self.notes, owners) == bits;
        let entry = *self.entries[family].find(hash, is_it)?;
        match entry & NOTE {
            0 => Some(Holder::Record(entry)),
            _ => self.note_at(entry ^ NOTE).map(Holder::Note),
        }
    }

    /// Enters a record that alone holds an address. The record must hold it already.
    pub(super) fn insert_record(
        &mut self,
        family: Family,
        bits: u128,
        slot: Slot,
        owners: &Owners,
    ) {
        debug_assert!(slot & NOTE == 0, "slots stay below 2^31");
        self.insert(family, bits, slot, owners);
    }

    /// Removes the entry of a record that still holds the address.
    pub(super) fn remove_record(&mut self, family: Family, bits: u128, slot: Slot) {
        let hash = hash_of(&self.hasher, bits);
        if let Ok(entry) = self.entries[family].find_entry(hash, |&entry| entry == slot) {
            entry.remove();
        }
    }

    /// Enters a note.
    pub(super) fn insert_note(&mut self, note: Note, owners: &Owners) -> u32 {
        let (family, bits) = (note.family, note.bits);
        let at = if let Some(at) = self.vacant.pop() {
            if let Some(place) = self.notes.get_mut(at as usize) {
                *place = Some(note);
            }
            at
        } else {
            self.notes.push(Some(note));
            u32::try_from(self.notes.len() - 1).expect("fewer than 2^31 notes fit in memory")
        };
        self.insert(family, bits, at | NOTE, owners);
        at
    }

    /// Removes and returns the note at an address, if one is there.
    pub(super) fn remove_note(&mut self, family: Family, bits: u128) -> Option<Note> {
        let hash = hash_of(&self.hasher, bits);
        let Self { entries, notes, .. } = self;
        let entry =
            entries[family].find_entry(hash, |&entry| is_note_at(entry, notes, family, bits));
        let (entry, _) = entry.ok()?.remove();
        self.vacant.push(entry ^ NOTE);
        self.notes.get_mut((entry ^ NOTE) as usize)?.take()
    }

    /// The note at an address, to be changed.
    pub(super) fn note_mut(&mut self, family: Family, bits: u128) -> Option<&mut Note> {
        let hash = hash_of(&self.hasher, bits);
        let notes = &self.notes;
        let entry =
            self.entries[family].find(hash, |&entry| is_note_at(entry, notes, family, bits));
        let at = (*entry? ^ NOTE) as usize;
        self.notes.get_mut(at)?.as_mut()
    }

    /// Every note.
    pub(super) fn notes(&self) -> impl Iterator<Item = &Note> {
        self.notes.iter().flatten()
    }

    /// How many addresses of a family have a holder or a note.
    pub(super) fn len(&self, family: Family) -> usize {
        self.entries[family].len()
    }

    fn note_at(&self, at: u32) -> Option<&Note> {
        self.notes.get(at as usize)?.as_ref()
    }

    fn insert(&mut self, family: Family, bits: u128, entry: u32, owners: &Owners) {
        let Self {
            entries,
            notes,
            hasher,
            ..
        } = self;
        entries[family].insert_unique(hash_of(hasher, bits), entry, |&entry| {
            hash_of(hasher, bits_of(entry, family, notes, owners))
        });
    }
}

/// Hashes blocks of 16 addresses, and puts the addresses of a block side by side: addresses given
/// in sequence then share cache lines, which halves the cost of an allocation among a million.
///
/// The table takes the bucket from the low bits and its 7-bit tag from the top ones; the place in
/// the block goes into both, so that the 16 neighbours are told apart without being looked at.
fn hash_of(hasher: &DefaultHashBuilder, bits: u128) -> u64 {
    let place = u64::from(truncate_to_u32(bits) & 0xf);
    let block = hasher.hash_one(bits >> 4);
    (block & !(0xf << 57)) ^ place ^ (place << 57)
}

fn is_note_at(entry: u32, notes: &[Option<Note>], family: Family, bits: u128) -> bool {
    let note = notes.get((entry ^ NOTE) as usize);
    entry & NOTE != 0
        && matches!(note, Some(Some(note)) if note.family == family && note.bits == bits)
}

fn bits_of(entry: u32, family: Family, notes: &[Option<Note>], owners: &Owners) -> u128 {
    let bits = if entry & NOTE == 0 {
        owners
            .get(entry)
            .and_then(|record| record.claim(family))
            .map(|(_, bits)| bits)
    } else {
        let note = notes.get((entry ^ NOTE) as usize);
        note.and_then(Option::as_ref).map(|note| note.bits)
    };
    // An entry without an address would be a broken invariant; it then matches nothing in use.
    bits.unwrap_or(u128::MAX)
}

/// Set on entries that name a note.
const NOTE: u32 = 1 << 31;
