//! Carrying decisions out: the only code that moves addresses between states.
//!
//! Nothing here can fail: whatever could stand in the way was looked at by the decision.

use super::choose::{Ask, Decision, How, Pick};
use super::holders::{Holder, Note, NoteState};
use super::owners::{PoolIndex, Record, Slot};
use super::quarantine::mark_key;
use super::state::Class;
use super::{Due, Ipam};
use crate::family::Family;
use crate::owner::{self, OwnerKey};
use crate::pool::Strategy;
use crate::request::{PortSet, Sharing};
use crate::row::{MarkState, RowKey};
use crate::time::Time;

impl Ipam {
    /// Gives the owner what was decided and takes from it what it no longer asks for.
    pub(super) fn carry_out(&mut self, ask: &Ask<'_>, decision: &Decision) -> Slot {
        let key = &ask.owner.key;
        let slot = ask.slot.unwrap_or_else(|| self.owners.insert(key.as_str()));
        // A new record has nothing to give up.
        for family in Family::ALL.into_iter().filter(|_| ask.slot.is_some()) {
            if !matches!(decision.picks[family], Some(Pick { how: How::Keep, .. })) {
                self.give_up(slot, family, Some(key), ask.now);
            }
        }
        let (sharing, ports) = self.agreed_sharing(ask, decision);
        self.set_sharing(slot, sharing, ports);
        if let Some(record) = self.owners.get_mut(slot) {
            record.set_first(ask.wanted.first);
            if ask.owner.uid.is_some() && record.uid() != ask.owner.uid.as_ref() {
                record.edit_extra(|extra| extra.uid.clone_from(&ask.owner.uid));
            }
        }
        self.obtain_all(slot, decision);
        self.changed_owner(slot);
        slot
    }

    /// Takes every address of a decision that the record does not hold yet.
    pub(super) fn obtain_all(&mut self, slot: Slot, decision: &Decision) {
        for family in Family::ALL {
            if let Some(pick) = decision.picks[family] {
                self.obtain(slot, family, pick);
            }
        }
    }

    /// The sharing that an owner ends up with, and its ports if they matter.
    pub(super) fn agreed_sharing(
        &self,
        ask: &Ask<'_>,
        decision: &Decision,
    ) -> (Option<Sharing>, PortSet) {
        let pools = decision
            .picks
            .iter()
            .filter_map(|(_, pick)| pick.map(|pick| pick.pool));
        let sharing = pools
            .into_iter()
            .find_map(|pool| self.sharing_in(ask, pool));
        match sharing {
            Some(sharing) => (Some(sharing.into_owned()), ask.request.ports.clone()),
            None => (None, PortSet::All),
        }
    }

    /// Changes under which key, and with which ports, a record holds its addresses.
    pub(super) fn set_sharing(&mut self, slot: Slot, sharing: Option<Sharing>, ports: PortSet) {
        let Some(record) = self.owners.get(slot) else {
            return;
        };
        if record.sharing() == sharing.as_ref() && *record.ports() == ports {
            return;
        }
        let held = Family::ALL.map(|family| (family, record.claim(family)));
        for (family, _) in held {
            self.displace(slot, family);
        }
        if let Some(record) = self.owners.get_mut(slot) {
            record.edit_extra(|extra| (extra.sharing, extra.ports) = (sharing, ports));
        }
        for (family, claim) in held {
            if let Some((pool, bits)) = claim {
                self.place(slot, family, pool, bits);
            }
        }
    }

    fn obtain(&mut self, slot: Slot, family: Family, pick: Pick) {
        let Pick { pool, bits, how } = pick;
        match how {
            How::Keep => return,
            How::Join => {}
            How::Unmark => {
                self.unmark(family, bits);
            }
            How::Take { is_automatic } => self.take(pool, family, bits, is_automatic),
        }
        self.place(slot, family, pool, bits);
    }

    fn take(&mut self, pool: PoolIndex, family: Family, bits: u128, is_automatic: bool) {
        let Some(state) = self.pools.get_mut(usize::from(pool)) else {
            return;
        };
        let was_free = state.index[family].take(bits);
        debug_assert!(was_free, "the decision saw a free address");
        if !is_automatic {
            return;
        }
        state.gave(family, bits);
        if state.strategy() == Strategy::NextFit {
            let key = RowKey::Cursor(state.name().clone(), family);
            self.changed(key);
        }
    }

    /// Enters a claim whose address is taken in the index already, or orphaned.
    pub(super) fn place(&mut self, slot: Slot, family: Family, pool: PoolIndex, bits: u128) {
        let Some(record) = self.owners.get_mut(slot) else {
            return;
        };
        record.set_claim(family, Some((pool, bits)));
        let alone = if record.is_reservation() {
            Class::Reserved
        } else {
            Class::Used
        };
        let Some(sharing) = record.sharing().cloned() else {
            self.holders.insert_record(family, bits, slot, &self.owners);
            self.recount(pool, family, bits, None, Some(alone));
            self.count_claim(slot, pool, family, true);
            return;
        };
        let before = self.class_at(family, bits);
        if let Some(Note {
            state: NoteState::Shared { claims, .. },
            ..
        }) = self.holders.note_mut(family, bits)
        {
            let at = claims.partition_point(|other| *other < slot);
            claims.insert(at, slot);
        } else {
            self.shared
                .entry_ref(&sharing)
                .or_default()
                .insert((family, bits));
            let state = NoteState::Shared {
                sharing,
                claims: [slot].into_iter().collect(),
            };
            self.holders.insert_note(
                Note {
                    family,
                    bits,
                    pool,
                    state,
                },
                &self.owners,
            );
        }
        let after = self.class_at(family, bits);
        self.recount(pool, family, bits, before, after);
        self.count_claim(slot, pool, family, true);
    }

    /// Removes a claim and leaves the index bit. True when nobody else is at the address.
    pub(super) fn displace(
        &mut self,
        slot: Slot,
        family: Family,
    ) -> Option<(PoolIndex, u128, bool)> {
        let record = self.owners.get(slot)?;
        let (pool, bits) = record.claim(family)?;
        let alone = if record.is_reservation() {
            Class::Reserved
        } else {
            Class::Used
        };
        if record.sharing().is_none() {
            self.holders.remove_record(family, bits, slot);
            self.owners.get_mut(slot)?.set_claim(family, None);
            self.recount(pool, family, bits, Some(alone), None);
            self.count_claim(slot, pool, family, false);
            return Some((pool, bits, true));
        }
        let before = self.class_at(family, bits);
        let is_last = self.leave_note(slot, family, bits);
        self.owners.get_mut(slot)?.set_claim(family, None);
        let after = self.class_at(family, bits);
        self.recount(pool, family, bits, before, after);
        self.count_claim(slot, pool, family, false);
        Some((pool, bits, is_last))
    }

    /// Takes a record off a shared address; the note and the key go with the last one.
    fn leave_note(&mut self, slot: Slot, family: Family, bits: u128) -> bool {
        let note = self.holders.note_mut(family, bits);
        let Some(Note {
            state: NoteState::Shared { claims, .. },
            ..
        }) = note
        else {
            return true;
        };
        claims.retain(|other| *other != slot);
        if !claims.is_empty() {
            return false;
        }
        if let Some(Note {
            state: NoteState::Shared { sharing, .. },
            ..
        }) = self.holders.remove_note(family, bits)
            && let Some(addresses) = self.shared.get_mut(&sharing)
        {
            addresses.remove(&(family, bits));
            if addresses.is_empty() {
                self.shared.remove(&sharing);
            }
        }
        true
    }

    /// Ends a claim. The address cools down for its last owner where the pool asks for that.
    pub(super) fn give_up(
        &mut self,
        slot: Slot,
        family: Family,
        last: Option<&OwnerKey>,
        now: Time,
    ) {
        if let Some((pool, bits, true)) = self.displace(slot, family) {
            self.vacate(pool, family, bits, last, now);
        }
    }

    /// Decides what an address becomes that nobody holds any more.
    pub(super) fn vacate(
        &mut self,
        pool: PoolIndex,
        family: Family,
        bits: u128,
        last: Option<&OwnerKey>,
        now: Time,
    ) {
        self.waiting.stir();
        let Some(state) = self.pools.get_mut(usize::from(pool)) else {
            return;
        };
        if !state.index[family].in_universe(bits) {
            return;
        }
        let cool_down = state.pool.spec().cool_down;
        let mark = match last {
            Some(owner) if !cool_down.is_zero() => MarkState::Cooling {
                owner: owner.clone(),
                since: now,
                until: now + cool_down,
            },
            _ if state.strategy() == Strategy::LeastRecentlyReleased => {
                MarkState::Resting { since: now }
            }
            _ => {
                state.index[family].release(bits);
                state.regained(family, bits);
                return;
            }
        };
        self.mark(pool, family, bits, mark);
    }

    /// Marks an address that nobody holds; its index bit is set already.
    pub(super) fn mark(&mut self, pool: PoolIndex, family: Family, bits: u128, mark: MarkState) {
        self.changed(mark_key(family, bits));
        self.enter_mark(pool, family, bits, mark);
    }

    /// Enters a mark into the tables and counters.
    pub(super) fn enter_mark(
        &mut self,
        pool: PoolIndex,
        family: Family,
        bits: u128,
        mark: MarkState,
    ) {
        let Some(state) = self.pools.get_mut(usize::from(pool)) else {
            return;
        };
        match &mark {
            MarkState::Cooling { owner, until, .. } => {
                *state.counter(family, Class::Cooling) += 1;
                self.deadlines.insert((*until, Due::Mark(family, bits)));
                self.cooling
                    .entry(owner.clone())
                    .or_default()
                    .push((family, bits));
            }
            MarkState::Resting { since } => {
                state.resting[family].insert((*since, bits));
            }
            MarkState::Quarantined { until, .. } => {
                *state.counter(family, Class::Quarantined) += 1;
                self.deadlines.insert((*until, Due::Mark(family, bits)));
            }
        }
        let note = Note {
            family,
            bits,
            pool,
            state: NoteState::Marked(mark),
        };
        self.holders.insert_note(note, &self.owners);
    }

    /// Removes a mark; the index bit stays set.
    pub(super) fn unmark(&mut self, family: Family, bits: u128) -> Option<(PoolIndex, MarkState)> {
        if !matches!(
            self.holders.note_mut(family, bits)?.state,
            NoteState::Marked(_)
        ) {
            return None;
        }
        let note = self.holders.remove_note(family, bits)?;
        let NoteState::Marked(mark) = note.state else {
            return None;
        };
        self.changed(mark_key(family, bits));
        let state = self.pools.get_mut(usize::from(note.pool))?;
        match &mark {
            MarkState::Cooling { owner, until, .. } => {
                *state.counter(family, Class::Cooling) -= 1;
                self.deadlines.remove(&(*until, Due::Mark(family, bits)));
                self.forget_cooling(owner, family, bits);
            }
            MarkState::Resting { since } => {
                state.resting[family].remove(&(*since, bits));
            }
            MarkState::Quarantined { until, .. } => {
                *state.counter(family, Class::Quarantined) -= 1;
                self.deadlines.remove(&(*until, Due::Mark(family, bits)));
            }
        }
        Some((note.pool, mark))
    }

    /// The counter that an address is in; `None` for free, resting and delegated ones.
    pub(super) fn class_at(&self, family: Family, bits: u128) -> Option<Class> {
        let is_booked = |slot| self.owners.get(slot).is_none_or(Record::is_reservation);
        match self.holders.find(family, bits, &self.owners)? {
            Holder::Record(slot) if is_booked(slot) => Some(Class::Reserved),
            Holder::Record(_) => Some(Class::Used),
            Holder::Note(note) => match &note.state {
                NoteState::Shared { claims, .. } if claims.iter().all(|slot| is_booked(*slot)) => {
                    Some(Class::Reserved)
                }
                NoteState::Shared { .. } => Some(Class::Used),
                NoteState::Marked(MarkState::Cooling { .. }) => Some(Class::Cooling),
                NoteState::Marked(MarkState::Quarantined { .. }) => Some(Class::Quarantined),
                NoteState::Marked(MarkState::Resting { .. }) => None,
            },
        }
    }

    pub(super) fn recount(
        &mut self,
        pool: PoolIndex,
        family: Family,
        bits: u128,
        before: Option<Class>,
        after: Option<Class>,
    ) {
        let Some(state) = self
            .pools
            .get_mut(usize::from(pool))
            .filter(|_| before != after)
        else {
            return;
        };
        if !state.index[family].in_universe(bits) {
            let orphaned = &mut state.counts[family].orphaned;
            *orphaned += u64::from(before.is_none());
            *orphaned -= u64::from(after.is_none());
            return;
        }
        if let Some(before) = before {
            *state.counter(family, before) -= 1;
        }
        if let Some(after) = after {
            *state.counter(family, after) += 1;
        }
    }

    /// Counts a claim in or out: of the pool, and of the namespace where the pool has a quota.
    pub(super) fn count_claim(&mut self, slot: Slot, pool: PoolIndex, family: Family, is_in: bool) {
        let Some(state) = self.pools.get_mut(usize::from(pool)) else {
            return;
        };
        let claims = &mut state.counts[family].claims;
        *claims = if is_in { *claims + 1 } else { *claims - 1 };
        if state.pool.spec().namespace_quota.is_none() {
            return;
        }
        let record = self.owners.get(slot);
        let booking = record.and_then(|record| record.extra.as_ref()?.reservation);
        let owner = booking
            .and_then(|id| self.bookings.get(&id))
            .map(|booking| &booking.owner);
        let namespace = match owner {
            Some(owner) => owner.key.namespace(),
            None => owner::namespace_of(self.owners.key(slot)),
        };
        let Some(state) = self.pools.get_mut(usize::from(pool)) else {
            return;
        };
        let claims = state.claims_of.entry_ref(namespace).or_default();
        claims[family] = if is_in {
            claims[family] + 1
        } else {
            claims[family] - 1
        };
        if claims.v4 == 0 && claims.v6 == 0 {
            state.claims_of.remove(namespace);
        }
    }
}
