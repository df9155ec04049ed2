//! The table of slots: which group each path of each prefix belongs to.

mod changes;
mod desired;

use super::adj_rib_out::AdjRibOut;
use super::bits::Bits;
use super::group::{Group, Groups};
use crate::bgp::family::PerFamily;
use crate::bgp::prefix::Prefix;
use crate::bgp::route::Route;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::sync::Arc;

pub(super) use changes::Change;
pub use changes::Changes;
#[cfg(test)]
pub(super) use desired::path_ids;

/// The routes of this speaker, shared by all its sessions.
///
/// Every operation that changes it returns [`Changes`], which each session must note before the
/// next one. It costs about 50 octets a route, whatever the number of sessions.
///
/// ```
/// use openelb_announce::bgp::rib::Rib;
/// use openelb_announce::bgp::route::Route;
///
/// let mut rib = Rib::new();
/// let route = Route::to("192.0.2.10/32".parse()?);
/// assert_eq!(rib.replace(vec![route.clone()]).len(), 1);
/// assert!(rib.replace(vec![route]).is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Rib {
    slots: Vec<Slot>,
    // Invariant: holds every slot that is not free, by prefix and path.
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
    groups: Groups,
    // The group that was asked for last, if it still is one.
    last_group: u32,
    free: Vec<u32>,
    // Invariant: every vacant slot is in `vacated` and has its bit in `queued`; no slot is in it
    // twice.
    vacated: VecDeque<u32>,
    queued: Bits,
    prefixes: PerFamily<usize>,
    serial: u64,
    // One reference for every session, so that no slot is given away behind the back of one.
    sessions: Arc<()>,
}

/// One path of one prefix: 28 octets.
#[derive(Clone, Copy, Debug)]
struct Slot {
    prefix: Prefix,
    path: u32,
    group: u32,
}

impl Rib {
    /// Without routes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes `desired` the whole set; returns what that changed.
    ///
    /// Routes to one prefix must differ in their peers. Sorted by prefix they cost least.
    pub fn replace(&mut self, mut desired: Vec<Route>) -> Changes {
        self.begin();
        let mut changes = Changes::new(self.serial);
        let mut wanted = Bits::default();
        self.reserve(desired.len());
        wanted.reserve(self.slots.len().max(desired.len()));
        desired.sort_by_key(|route| route.prefix);
        for routes in desired.chunk_by(|one, other| one.prefix == other.prefix) {
            self.put(routes, &mut changes, |slot| {
                wanted.insert(slot);
            });
        }
        for slot in 0..self.slot_count() {
            if !wanted.contains(slot) && self.group_id(slot) < FREE {
                self.assign(slot, VACANT, &mut changes);
            }
        }
        changes
    }

    /// Takes `removed` out and puts `routes` in; returns what that changed.
    ///
    /// What is put in for a prefix replaces all that was there for it.
    pub fn change(&mut self, mut routes: Vec<Route>, removed: &[Prefix]) -> Changes {
        self.begin();
        let mut changes = Changes::new(self.serial);
        routes.sort_by_key(|route| route.prefix);
        for prefix in removed {
            let stays = routes.binary_search_by_key(prefix, |route| route.prefix);
            if stays.is_err() {
                self.clear(*prefix, &mut changes);
            }
        }
        for routes in routes.chunk_by(|one, other| one.prefix == other.prefix) {
            self.put(routes, &mut changes, |_| {});
        }
        changes
    }

    /// Puts one route in, in place of all that was there for its prefix.
    pub fn upsert(&mut self, route: Route) -> Changes {
        self.change(vec![route], &[])
    }

    /// Takes the routes to `prefix` out.
    pub fn remove(&mut self, prefix: Prefix) -> Changes {
        self.change(Vec::new(), &[prefix])
    }

    /// How many prefixes there are, per family.
    pub const fn prefixes(&self) -> PerFamily<usize> {
        self.prefixes
    }

    /// Whether there is no route.
    pub const fn is_empty(&self) -> bool {
        self.prefixes.ipv4 + self.prefixes.ipv6 == 0
    }

    /// Whether there is a route to `prefix`.
    pub fn contains(&self, prefix: Prefix) -> bool {
        self.find(prefix, SINGLE_PATH)
            .is_some_and(|slot| self.group_of(slot).is_some())
    }

    /// The prefixes that `changes` of this table touched, each perhaps several times.
    pub(in crate::bgp) fn touched(&self, changes: &Changes) -> impl Iterator<Item = Prefix> {
        let slots = changes.iter().map(|change| change.slot);
        slots.filter_map(|slot| Some(self.destination(slot)?.0))
    }

    /// How many different sets of attributes, peers and next hops the routes have.
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Gives slots whose routes are gone free for others, once no session's peer has them any more;
    /// looks at `limit` of them at most.
    ///
    /// `sessions` must be all that were made for this table, or nothing happens. Not calling it
    /// costs memory only.
    pub fn reclaim<'a>(
        &mut self,
        sessions: &(impl Iterator<Item = &'a AdjRibOut> + Clone),
        limit: usize,
    ) {
        if sessions.clone().count() + 1 != Arc::strong_count(&self.sessions) {
            return;
        }
        for _ in 0..limit.min(self.vacated.len()) {
            let Some(slot) = self.vacated.pop_front() else {
                return;
            };
            self.queued.remove(slot);
            if self.group_id(slot) != VACANT {
                continue;
            }
            if sessions.clone().any(|session| session.holds(slot)) {
                self.enqueue(slot);
            } else {
                self.give_free(slot);
            }
        }
    }

    /// How many octets the table occupies, without what groups hold.
    pub fn octets(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>()
            + self.index.allocation_size()
            + (self.free.capacity() + self.vacated.capacity()) * size_of::<u32>()
            + self.queued.octets()
    }

    /// How many slots there are, free ones included: what a session's bitmaps are made for.
    pub(super) fn slot_count(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }

    /// How many slots belong to no prefix.
    #[cfg(test)]
    pub(super) fn free_slots(&self) -> u32 {
        u32::try_from(self.free.len()).unwrap_or(u32::MAX)
    }

    /// The prefix and path of a slot.
    pub(super) fn destination(&self, slot: u32) -> Option<(Prefix, u32)> {
        let slot = self.slots.get(slot as usize)?;
        Some((slot.prefix, slot.path))
    }

    /// The number of the slot's group; [`VACANT`] or [`FREE`] for one without.
    pub(super) fn group_id(&self, slot: u32) -> u32 {
        self.slots
            .get(slot as usize)
            .map_or(FREE, |slot| slot.group)
    }

    /// The group with this number, also just after its last slot left it.
    pub(super) fn group(&self, id: u32) -> Option<&Group> {
        self.groups.find(id)
    }

    /// Tells the tenants of one group number apart.
    pub(super) fn stamp(&self, id: u32) -> u32 {
        self.groups.stamp(id)
    }

    /// Counts the operations that changed the table.
    pub(super) const fn serial(&self) -> u64 {
        self.serial
    }

    /// What a session keeps to be counted.
    pub(super) fn register(&self) -> Arc<()> {
        Arc::clone(&self.sessions)
    }

    fn group_of(&self, slot: u32) -> Option<&Group> {
        self.groups.find(self.group_id(slot))
    }

    fn begin(&mut self) {
        // The sessions have noted all changes before, so nobody asks for the old groups any more.
        self.groups.sweep();
        self.serial += 1;
    }

    fn reserve(&mut self, prefixes: usize) {
        let more = prefixes.saturating_sub(self.index.len());
        self.slots
            .reserve_exact(more.saturating_sub(self.free.len()));
        let (slots, hasher) = (&self.slots, &self.hasher);
        self.index
            .reserve(more, |slot| hash_of(hasher, slots, *slot));
    }

    /// Moves a slot to another group, or to [`VACANT`].
    fn assign(&mut self, slot: u32, group: u32, changes: &mut Changes) {
        let Some(place) = self.slots.get_mut(slot as usize) else {
            return;
        };
        let old = std::mem::replace(&mut place.group, group);
        if old == group {
            return;
        }
        let (family, is_prefix) = (place.prefix.family(), place.path == SINGLE_PATH);
        changes.push(Change {
            slot,
            old,
            new: group,
        });
        if group == VACANT {
            self.prefixes[family] -= usize::from(is_prefix);
            self.enqueue(slot);
        } else {
            self.groups.hold(group);
        }
        if old < FREE {
            self.groups.release(old);
        } else {
            self.prefixes[family] += usize::from(is_prefix);
        }
    }

    fn enqueue(&mut self, slot: u32) {
        if self.queued.insert(slot) {
            self.vacated.push_back(slot);
        }
    }

    fn find(&self, prefix: Prefix, path: u32) -> Option<u32> {
        let hash = place(&self.hasher, prefix, path);
        let equal = |slot: &u32| self.destination(*slot) == Some((prefix, path));
        self.index.find(hash, equal).copied()
    }

    fn find_or_take(&mut self, prefix: Prefix, path: u32) -> u32 {
        self.find(prefix, path)
            .unwrap_or_else(|| self.take(prefix, path))
    }

    fn take(&mut self, prefix: Prefix, path: u32) -> u32 {
        let slot = Slot {
            prefix,
            path,
            group: VACANT,
        };
        let number = self.free.pop().unwrap_or_else(|| self.slot_count());
        match self.slots.get_mut(number as usize) {
            Some(place) => *place = slot,
            None => self.slots.push(slot),
        }
        let hash = place(&self.hasher, prefix, path);
        let (slots, hasher) = (&self.slots, &self.hasher);
        self.index
            .insert_unique(hash, number, |slot| hash_of(hasher, slots, *slot));
        number
    }

    fn give_free(&mut self, slot: u32) {
        let Some(vacated) = self.slots.get_mut(slot as usize) else {
            return;
        };
        vacated.group = FREE;
        let hash = place(&self.hasher, vacated.prefix, vacated.path);
        if let Ok(found) = self.index.find_entry(hash, |other| *other == slot) {
            found.remove();
        }
        self.free.push(slot);
    }
}

fn hash_of(hasher: &DefaultHashBuilder, slots: &[Slot], slot: u32) -> u64 {
    let slot = slots.get(slot as usize);
    slot.map_or(0, |slot| place(hasher, slot.prefix, slot.path))
}

/// Where a path stands in the index: sixteen prefixes that follow each other stand side by side.
///
/// A pool's routes are taken in order, so most look-ups find their part of a table that outgrew the
/// caches already there.
fn place(hasher: &DefaultHashBuilder, prefix: Prefix, path: u32) -> u64 {
    let length = prefix.length();
    let bits = u128::from_be_bytes(*prefix.octets());
    let number = bits.checked_shr(128 - u32::from(length)).unwrap_or(0);
    let [.., low] = number.to_be_bytes();
    let near = u64::from(low % 16);
    let far = hasher.hash_one((prefix.family(), length, path, number >> 4));
    // The table takes the position from the low bits, and from the topmost ones a tag that should
    // differ between neighbours.
    (far & !15 | near) ^ near << 60
}

/// The path that every prefix has; those through other nodes have their own numbers.
pub(super) const SINGLE_PATH: u32 = 1;
/// The group of a slot whose route is gone, while peers may still have it.
pub(super) const VACANT: u32 = u32::MAX;
/// The group of a slot that belongs to no prefix. Real groups are below it.
pub(super) const FREE: u32 = u32::MAX - 1;

#[cfg(test)]
mod tests;
