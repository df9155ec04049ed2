//! When something is tried again: later each time, and not at the same moment as by another
//! controller.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use openelb_ipam::Time;

/// What failed, how often, and until when it rests.
#[derive(Debug, Default)]
pub(crate) struct Retry {
    failures: u32,
    not_before: Option<Time>,
    /// What is known of the object is not what the server has: nothing is written until a newer
    /// version was seen, or this one was read again.
    pub(crate) is_stale: bool,
}

impl Retry {
    /// Until when it rests; `None` when it does not.
    pub(crate) fn rests_until(&self, now: Time) -> Option<Time> {
        self.not_before.filter(|until| now < *until)
    }

    /// Whether nothing may be tried yet.
    pub(crate) fn is_resting(&self, now: Time) -> bool {
        self.rests_until(now).is_some()
    }

    /// Notes a failure; says when to go on. `seed` tells those apart that fail at the same time.
    pub(crate) fn fail(&mut self, seed: impl Hash, now: Time) -> Time {
        let longest = FIRST.saturating_mul(1 << self.failures.min(MOST_DOUBLINGS));
        self.failures = self.failures.saturating_add(1);
        let until = now + spread(longest.min(LONGEST), (seed, self.failures));
        self.not_before = Some(until);
        until
    }

    /// Notes that the object is not what it was thought to be.
    pub(crate) fn go_stale(&mut self, seed: impl Hash, now: Time) -> Time {
        self.is_stale = true;
        self.fail(seed, now)
    }

    /// The present version was seen: writing goes on at once.
    pub(crate) fn refresh(&mut self) {
        self.is_stale = false;
        self.not_before = None;
    }

    /// It worked.
    pub(crate) fn succeed(&mut self) {
        *self = Self::default();
    }
}

/// Between half of a duration and all of it.
pub(super) fn spread(longest: Duration, seed: impl Hash) -> Duration {
    let mut hasher = DefaultHasher::new();
    seed.hash(&mut hasher);
    let share = u32::try_from(hasher.finish() % 1_024).unwrap_or(0);
    longest / 2 + longest / 2 * share / 1_024
}

/// Long enough for the watch to bring what was lost to another writer: it usually comes first.
const FIRST: Duration = Duration::from_millis(200);
const MOST_DOUBLINGS: u32 = 8;
const LONGEST: Duration = Duration::from_secs(30);
