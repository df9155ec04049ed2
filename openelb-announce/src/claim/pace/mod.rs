//! The token bucket behind which every frame waits that nobody asked for.

use super::RateLimit;
use crate::time::Time;
use std::time::Duration;

/// A token bucket in the form of its theoretical arrival time (ITU-T I.371, "generic cell rate
/// algorithm"): exact, and two numbers instead of a fill level that must be topped up.
///
/// In any span `t` at most `burst + t * per_second` frames pass, and at one instant no more than 512,
/// however large the burst: a caller that stops the clock for a turn gets to its other work.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    cost: Duration,
    tolerance: Duration,
    /// When the bucket would be full again.
    full_at: Time,
    /// How many frames passed at the last instant at which any did.
    at_once: (Time, u32),
}

impl Pace {
    pub(super) fn new(limit: RateLimit) -> Self {
        // Rounded up, so that the rate is never exceeded.
        let cost = Duration::from_nanos(NANOS_PER_SECOND.div_ceil(limit.per_second.max(1).into()));
        Self {
            cost,
            tolerance: cost * (limit.burst.max(1) - 1),
            full_at: Time::ZERO,
            at_once: (Time::ZERO, 0),
        }
    }

    /// Takes a token if there is one at `now`.
    pub(super) fn take(&mut self, now: Time) -> bool {
        let has_token = now >= self.ready_at();
        if has_token {
            self.full_at = self.full_at.max(now) + self.cost;
            let (last, count) = self.at_once;
            self.at_once = (now, if last == now { count + 1 } else { 1 });
        }
        has_token
    }

    /// From when on there is a token.
    pub(super) fn ready_at(&self) -> Time {
        let ready_at = self.full_at - self.tolerance;
        match self.at_once {
            (last, MOST_AT_ONCE..) => ready_at.max(last + Duration::from_nanos(1)),
            _ => ready_at,
        }
    }
}

// Whoever sends them takes some 2 ms for it, during which nothing else can be done.
const MOST_AT_ONCE: u32 = 512;
const NANOS_PER_SECOND: u64 = 1_000_000_000;

#[cfg(test)]
mod tests;
