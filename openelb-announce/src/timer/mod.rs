//! A timer is a row in a table: one deadline per key, no tasks and no allocation.

use crate::time::Time;

/// The set of timers that a machine knows: an enum with one variant a timer.
pub trait TimerKey: Copy + PartialEq + 'static {
    /// Every timer once, in the order in which timers due at the same instant fire.
    const ALL: &'static [Self];
}

/// One optional deadline per key. Every operation looks at each of the at most `N` keys once.
///
/// ```
/// use openelb_announce::time::Time;
/// use openelb_announce::timer::{TimerKey, TimerTable};
///
/// #[derive(Clone, Copy, Debug, PartialEq)]
/// enum Timer { Hold, Keepalive }
/// impl TimerKey for Timer {
///     const ALL: &'static [Self] = &[Self::Hold, Self::Keepalive];
/// }
///
/// let mut timers = TimerTable::<Timer, 2>::default();
/// timers.set(Timer::Hold, Time::from_nanos(90));
/// timers.set(Timer::Keepalive, Time::from_nanos(30));
/// assert_eq!(timers.next_deadline(), Some(Time::from_nanos(30)));
/// assert_eq!(timers.pop_due(Time::from_nanos(30)), Some(Timer::Keepalive));
/// assert_eq!(timers.pop_due(Time::from_nanos(30)), None);
/// ```
#[derive(Clone, Debug)]
pub struct TimerTable<K, const N: usize> {
    // Invariant: `deadlines[i]` belongs to `K::ALL[i]`.
    deadlines: [Option<Time>; N],
    keys: std::marker::PhantomData<K>,
}

impl<K: TimerKey, const N: usize> TimerTable<K, N> {
    /// Starts `key`, or moves its deadline.
    pub fn set(&mut self, key: K, deadline: Time) {
        self.put(key, Some(deadline));
    }

    /// Stops `key`; harmless when it does not run.
    pub fn clear(&mut self, key: K) {
        self.put(key, None);
    }

    /// Sets or stops `key`.
    pub fn put(&mut self, key: K, deadline: Option<Time>) {
        for (row, known) in self.deadlines.iter_mut().zip(K::ALL) {
            if *known == key {
                *row = deadline;
            }
        }
    }

    /// The deadline of `key`, if it runs.
    pub fn deadline(&self, key: K) -> Option<Time> {
        self.rows()
            .find(|(known, _)| *known == key)
            .and_then(|(_, deadline)| deadline)
    }

    /// The earliest deadline of all.
    pub fn next_deadline(&self) -> Option<Time> {
        self.deadlines.iter().flatten().min().copied()
    }

    /// Stops and returns the first key that is due at `now`, the earliest deadline first.
    pub fn pop_due(&mut self, now: Time) -> Option<K> {
        let due =
            |(key, deadline): (K, Option<Time>)| Some((key, deadline.filter(|at| *at <= now)?));
        let (key, _) = self.rows().filter_map(due).min_by_key(|(_, at)| *at)?;
        self.clear(key);
        Some(key)
    }

    fn rows(&self) -> impl Iterator<Item = (K, Option<Time>)> + '_ {
        K::ALL.iter().copied().zip(self.deadlines.iter().copied())
    }
}

impl<K: TimerKey, const N: usize> Default for TimerTable<K, N> {
    fn default() -> Self {
        const { assert!(K::ALL.len() == N, "one row for each key") };
        Self {
            deadlines: [None; N],
            keys: std::marker::PhantomData,
        }
    }
}

#[cfg(test)]
mod tests;
