//! When to beat, and what was sent when.

use std::collections::VecDeque;
use std::time::Duration;

use crate::random::Random;
use crate::time::Time;

/// The rhythm of beats, and the memory of those that left.
#[derive(Clone, Debug, Default)]
pub(super) struct Voice {
    /// The number of the last beat.
    pub(super) sequence: u64,
    /// When which beat left, the latest last.
    sent: VecDeque<(u64, Time)>,
    /// When the last beat left that is not known to have failed.
    proved: Option<Time>,
    /// The same before the last beat.
    proved_before: Option<Time>,
    /// The last beat is known to have failed.
    has_failed: bool,
    /// Since when beats have left without a gap.
    steady_since: Time,
    /// When the next beat is due, come what may.
    regular: Option<Time>,
    /// When the next beat is due because there is news.
    news: Option<Time>,
    /// How often the news will be told.
    tellings: u8,
    /// How many more beats may be sent for news, until the next regular one or an interval after
    /// `refilled`.
    budget: u8,
    refilled: Time,
}

impl Voice {
    /// Begin to beat, the first time at once.
    pub(super) fn start(&mut self, now: Time) {
        self.regular = Some(now);
    }

    /// Say nothing any more.
    pub(super) fn stop(&mut self) {
        self.regular = None;
        self.news = None;
        self.tellings = 0;
        self.proved = None;
        self.proved_before = None;
        self.has_failed = false;
    }

    /// There is news: tell it at once, and `tellings` times in all.
    pub(super) fn tell(&mut self, tellings: u8, now: Time) {
        if self.regular.is_none() || self.budget == 0 {
            return;
        }
        self.tellings = self.tellings.max(tellings);
        let soonest = self.sent.back().map_or(now, |(_, at)| now.max(*at + GAP));
        self.news = Some(self.news.map_or(soonest, |at| at.min(soonest)));
    }

    /// Would a beat with news leave now?
    pub(super) fn may_tell(&self, now: Time) -> bool {
        let is_free = |(_, at): &(u64, Time)| *at + GAP <= now;
        let has_room = self.regular.is_some() && self.budget > 0;
        self.is_regular_due(now) || has_room && self.sent.back().is_none_or(is_free)
    }

    /// Is a regular beat due?
    pub(super) fn is_regular_due(&self, now: Time) -> bool {
        self.regular.is_some_and(|at| at <= now)
    }

    /// Is any beat due?
    pub(super) fn is_due(&self, now: Time) -> bool {
        self.deadline().is_some_and(|at| at <= now)
    }

    /// When the next beat is due.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.regular.into_iter().chain(self.news).min()
    }

    /// A beat leaves now; returns its number. The next regular one follows up to a tenth of the
    /// interval early, so that nodes that started together do not go on beating together.
    pub(super) fn beat(&mut self, interval: Duration, random: &mut Random, now: Time) -> u64 {
        // News put the regular beat off, so whoever has some in every interval would never get to it.
        if self.is_regular_due(now) || self.refilled + interval <= now {
            self.budget = BUDGET;
            self.refilled = now;
        } else {
            self.budget = self.budget.saturating_sub(1);
        }
        self.sequence += 1;
        self.proved_before = self.proved;
        if self.proved.is_none_or(|at| at + interval * 2 < now) {
            self.steady_since = now;
        }
        self.proved = Some(now);
        self.has_failed = false;
        self.sent.push_back((self.sequence, now));
        if self.sent.len() > REMEMBERED {
            self.sent.pop_front();
        }
        self.regular = Some(now + interval - random.between(Duration::ZERO, interval / 10));
        self.tellings = self.tellings.saturating_sub(1);
        let is_told = self.tellings == 0 || self.budget == 0;
        self.news = if is_told { None } else { Some(now + GAP) };
        self.sequence
    }

    /// The last beat did not leave.
    pub(super) fn unsent(&mut self) {
        self.proved = self.proved_before;
        self.has_failed = true;
    }

    /// Is the last beat known to have failed, so that the next one may fail too?
    pub(super) const fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// For how long beats have left without a gap.
    pub(super) fn steady_for(&self, now: Time) -> Duration {
        if self.proved.is_some() {
            now - self.steady_since
        } else {
            Duration::ZERO
        }
    }

    /// When the last beat left that is not known to have failed.
    pub(super) const fn proved(&self) -> Option<Time> {
        self.proved
    }

    /// How old this beat was at `at`; `None` when it was not sent, or longer ago than is remembered.
    pub(super) fn age(&self, sequence: u64, at: Time) -> Option<Duration> {
        let place = self.sent.partition_point(|(number, _)| *number < sequence);
        let (number, sent) = self.sent.get(place)?;
        (*number == sequence).then(|| at - *sent)
    }

    /// Was this beat sent so long ago that it is not remembered?
    pub(super) fn is_forgotten(&self, sequence: u64) -> bool {
        self.sent
            .front()
            .is_some_and(|(first, _)| sequence < *first)
    }
}

/// Between two beats at least: short beside the 5 ms that a planned move may take, long enough that a
/// burst of lost frames does not swallow all tellings.
const GAP: Duration = Duration::from_millis(2);
/// Beats that one interval may carry for news; after that the regular ones tell it.
const BUDGET: u8 = 32;
/// Sent beats that are remembered: more than D holds, whatever happens.
const REMEMBERED: usize = 256;
