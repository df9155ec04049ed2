//! When each of many sessions wants to be woken.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::time::Time;

/// Deadlines by slot, earliest first.
///
/// A deadline that moves later, as detection does with every packet, costs nothing: the early entry
/// stays, is found to be early when it comes, and is replaced then. O(log n) otherwise.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    heap: BinaryHeap<Reverse<(Time, u32)>>,
    // Invariant: an entry of `heap` counts if it equals `noted` of its slot, and each slot has one.
    noted: Vec<Option<Time>>,
}

impl Agenda {
    /// `slot` wants to be woken at `deadline`, or not at all.
    pub(super) fn note(&mut self, slot: u32, deadline: Option<Time>) {
        let place = slot as usize;
        if self.noted.len() <= place {
            self.noted.resize(place + 1, None);
        }
        let (Some(noted), Some(deadline)) = (self.noted.get_mut(place), deadline) else {
            return;
        };
        if noted.is_none_or(|noted| deadline < noted) {
            *noted = Some(deadline);
            self.heap.push(Reverse((deadline, slot)));
        }
    }

    /// `slot` is empty.
    pub(super) fn forget(&mut self, slot: u32) {
        if let Some(noted) = self.noted.get_mut(slot as usize) {
            *noted = None;
        }
    }

    /// When the next slot may want to be woken; it may turn out to be later.
    pub(super) fn next(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes a slot whose time may have come; [`note`](Self::note) its next deadline afterwards.
    pub(super) fn pop_due(&mut self, now: Time) -> Option<u32> {
        while let Some(Reverse((at, slot))) = self.heap.peek().copied() {
            if at > now {
                return None;
            }
            self.heap.pop();
            if let Some(noted) = self.noted.get_mut(slot as usize)
                && *noted == Some(at)
            {
                *noted = None;
                return Some(slot);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(nanos: u64) -> Time {
        Time::from_nanos(nanos)
    }

    #[test]
    fn slots_come_in_the_order_of_their_deadlines_and_not_before() {
        let mut agenda = Agenda::default();
        agenda.note(1, Some(at(20)));
        agenda.note(0, Some(at(10)));
        assert_eq!(agenda.next(), Some(at(10)));
        assert_eq!(agenda.pop_due(at(9)), None);
        assert_eq!(agenda.pop_due(at(25)), Some(0));
        assert_eq!(agenda.pop_due(at(25)), Some(1));
        assert_eq!(agenda.pop_due(at(25)), None);
    }

    #[test]
    fn a_forgotten_slot_does_not_come() {
        let mut agenda = Agenda::default();
        agenda.note(0, Some(at(10)));
        agenda.forget(0);
        assert_eq!(agenda.pop_due(at(20)), None);
    }

    proptest! {
        /// Nobody is woken later than wanted, however deadlines move.
        #[test]
        fn nobody_is_woken_late(
            steps in prop::collection::vec((0..5_u32, prop::option::of(1..50_u64)), 1..200),
        ) {
            let mut agenda = Agenda::default();
            let mut wanted = [None; 5];
            for (now, (slot, after)) in (0..).zip(steps) {
                wanted[slot as usize] = after.map(|after| at(now + after));
                agenda.note(slot, wanted[slot as usize]);
                while let Some(slot) = agenda.pop_due(at(now)) {
                    let due = &mut wanted[slot as usize];
                    if due.is_some_and(|due| due <= at(now)) {
                        *due = None;
                    }
                    agenda.note(slot, *due);
                }
                prop_assert!(wanted.iter().flatten().all(|due| *due > at(now)));
                let next = wanted.iter().flatten().min().copied();
                prop_assert!(next.is_none_or(|next| agenda.next().unwrap() <= next));
            }
        }
    }
}
