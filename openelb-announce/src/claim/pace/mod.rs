//! The token bucket behind which every frame waits that nobody asked for.

use super::RateLimit;
use crate::time::Time;
use std::time::Duration;

/// A token bucket in the form of its theoretical arrival time (ITU-T I.371, "generic cell rate
/// algorithm"): exact, and two numbers instead of a fill level that must be topped up.
///
/// In any span `t` at most `burst + t * per_second` frames pass.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    cost: Duration,
    tolerance: Duration,
    /// When the bucket would be full again.
    full_at: Time,
}

impl Pace {
    pub(super) fn new(limit: RateLimit) -> Self {
        // Rounded up, so that the rate is never exceeded.
        let cost = Duration::from_nanos(NANOS_PER_SECOND.div_ceil(limit.per_second.max(1).into()));
        Self {
            cost,
            tolerance: cost * (limit.burst.max(1) - 1),
            full_at: Time::ZERO,
        }
    }

    /// Takes a token if there is one at `now`.
    pub(super) fn take(&mut self, now: Time) -> bool {
        let has_token = now >= self.ready_at();
        if has_token {
            self.full_at = self.full_at.max(now) + self.cost;
        }
        has_token
    }

    /// From when on there is a token.
    pub(super) fn ready_at(&self) -> Time {
        self.full_at - self.tolerance
    }
}

const NANOS_PER_SECOND: u64 = 1_000_000_000;

#[cfg(test)]
mod tests;
