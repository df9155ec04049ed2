//! The claims of one machine: found by address in constant time, and small.

use super::schedule::Stage;
use super::{Probe, Validity};
use crate::random::mix;
use crate::time::Time;
use hashbrown::HashTable;

/// Where a claimed address stands.
///
/// ```text
///            link is up           random wait          nobody objects
///  Dormant --------------> Waiting ---------> Probing ----------------> Clear
///                             ^                  |                        |
///                       retry |   another host   | uses it                | first announcement
///                             |                  v                        v
///                             +------------- Conflicted <------------ Announced
///                                                     (if it yields)    |   ^
///                                                             link down v   | back soon (by Clear)
///                                                                     Parked
/// ```
///
/// [`Probe::Skip`] goes from `Dormant` to `Clear` at once. Only `Announced` addresses are answered
/// for. A fence sends all but the waiting ones back to the start, a release ends the claim from
/// anywhere, and the end of its validity makes it `Expired`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Begins when the link is up.
    Dormant,
    /// Was announced before the link went down, and is again when it is back soon.
    Parked,
    /// Needs a group more than the interface may have.
    WithoutGroup,
    /// Waits a random time before its first probe.
    Waiting,
    /// Probes and listens.
    Probing,
    /// Free to use; its first announcement is next.
    Clear,
    /// Answered for and refreshed.
    Announced,
    /// Another station uses it; silent until the next attempt.
    Conflicted,
    /// No longer valid; silent until it is claimed or renewed again.
    Expired,
}

impl State {
    /// Does it depend on the link being up?
    pub(super) const fn is_active(self) -> bool {
        matches!(
            self,
            Self::Waiting | Self::Probing | Self::Clear | Self::Announced | Self::Conflicted
        )
    }
}

/// One claim. 48 octets for IPv6, which is why times, counts and terms are packed as they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot<A> {
    pub(super) address: A,
    /// Frames received earlier are not answered.
    pub(super) since: Time,
    pub(super) deadline: Deadline,
    /// When to act next; `Time::MAX` for never.
    pub(super) due: Time,
    /// When it was last asked for, in units of [`Slot::heat`].
    pub(super) asked: u32,
    pub(super) state: State,
    pub(super) probe: Probe,
    /// Probes or announcements still to send.
    pub(super) left: u8,
    /// What it waits to send.
    pub(super) stage: Stage,
}

impl<A> Slot<A> {
    pub(super) const fn new(address: A, probe: Probe, deadline: Deadline, now: Time) -> Self {
        Self {
            address,
            since: now,
            deadline,
            due: Time::MAX,
            asked: 0,
            state: State::Dormant,
            probe,
            left: 0,
            stage: Stage::Idle,
        }
    }

    /// `now` in units of 2^24 ns, about 17 ms: fine enough to tell hot addresses from cold ones, and
    /// 32 bits of it last for two years before they start over.
    pub(super) fn heat(now: Time) -> u32 {
        u32::try_from((now.as_nanos() >> 24) & u64::from(u32::MAX)).unwrap_or(u32::MAX)
    }
}

/// [`Validity`] in eight octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Deadline(Time);

impl Deadline {
    /// Follows the common deadline. No caller's clock reaches this instant in 584 years.
    pub(super) const RENEWED: Self = Self(Time::from_nanos(u64::MAX - 1));

    /// Has it passed at `now`, if the common deadline is `common`?
    pub(super) fn has_passed(self, now: Time, common: Time) -> bool {
        now >= if self == Self::RENEWED {
            common
        } else {
            self.0
        }
    }

    /// When it passes by itself.
    pub(super) fn instant(self) -> Option<Time> {
        (self.0 < Self::RENEWED.0).then_some(self.0)
    }
}

impl From<Validity> for Deadline {
    fn from(validity: Validity) -> Self {
        match validity {
            Validity::Unlimited => Self(Time::MAX),
            Validity::Renewed => Self::RENEWED,
            Validity::Until(instant) => Self(instant),
        }
    }
}

/// The slots and an index over their addresses. All operations are O(1), amortised.
#[derive(Clone, Debug)]
pub(super) struct Registry<A> {
    // Invariant: `index` holds exactly the positions of the slots in use, `free` all others.
    slots: Vec<Option<Slot<A>>>,
    free: Vec<u32>,
    index: HashTable<u32>,
    bits: fn(A) -> u128,
    seed: u64,
}

impl<A: Copy + Eq> Registry<A> {
    pub(super) const fn new(bits: fn(A) -> u128, seed: u64) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            index: HashTable::new(),
            bits,
            seed,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// Where the claim on `address` is.
    pub(super) fn find(&self, address: A) -> Option<u32> {
        let is_it = |slot: &u32| self.slot(*slot).is_some_and(|slot| slot.address == address);
        self.index.find(self.hash(address), is_it).copied()
    }

    pub(super) fn slot(&self, slot: u32) -> Option<&Slot<A>> {
        self.slots.get(position(slot))?.as_ref()
    }

    pub(super) fn slot_mut(&mut self, slot: u32) -> Option<&mut Slot<A>> {
        self.slots.get_mut(position(slot))?.as_mut()
    }

    /// Adds a claim on an address that has none; `None` when there are 2^32 claims already.
    pub(super) fn insert(&mut self, claim: Slot<A>) -> Option<u32> {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => self.grow()?,
        };
        *self.slots.get_mut(position(slot))? = Some(claim);
        let (slots, bits, seed) = (&self.slots, self.bits, self.seed);
        let rehash = |slot: &u32| {
            let claim = slots.get(position(*slot)).and_then(Option::as_ref);
            claim.map_or(0, |claim| hash(bits(claim.address), seed))
        };
        self.index
            .insert_unique(hash(bits(claim.address), seed), slot, rehash);
        Some(slot)
    }

    /// Takes out the claim in `slot`.
    pub(super) fn remove(&mut self, slot: u32) -> Option<Slot<A>> {
        let claim = self.slots.get_mut(position(slot))?.take()?;
        let entry = self
            .index
            .find_entry(self.hash(claim.address), |found| *found == slot);
        if let Ok(entry) = entry {
            entry.remove();
        }
        self.free.push(slot);
        Some(claim)
    }

    /// Where the claims are, in no particular but always the same order.
    pub(super) fn positions(&self) -> impl Iterator<Item = u32> + use<A> {
        0..u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }

    /// Octets of heap memory in use.
    pub(super) fn footprint(&self) -> usize {
        self.slots.capacity() * size_of::<Option<Slot<A>>>()
            + self.free.capacity() * size_of::<u32>()
            + self.index.allocation_size()
    }

    fn grow(&mut self) -> Option<u32> {
        let slot = u32::try_from(self.slots.len()).ok()?;
        if self.slots.len() == self.slots.capacity() {
            // An eighth at a time: doubling would waste megabytes at a hundred thousand claims.
            self.slots.reserve_exact(self.slots.len() / 8 + 16);
        }
        self.slots.push(None);
        Some(slot)
    }

    fn hash(&self, address: A) -> u64 {
        hash((self.bits)(address), self.seed)
    }
}

/// Addresses come from the owner of the machine, not from the wire, so nobody can choose them to
/// collide; a seeded mix of their bits is enough.
fn hash(bits: u128, seed: u64) -> u64 {
    let [low, high] = [bits, bits >> 64].map(|half| half & u128::from(u64::MAX));
    let [low, high] = [low, high].map(|half| u64::try_from(half).unwrap_or(0));
    mix(low ^ mix(high ^ seed))
}

const fn position(slot: u32) -> usize {
    slot as usize
}

#[cfg(test)]
mod tests;
