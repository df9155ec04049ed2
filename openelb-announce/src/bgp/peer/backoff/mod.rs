//! How long to wait after a failure: twice as long each time, never in step with the peer.

use crate::bgp::config::Timers;
use crate::random::Random;
use std::time::Duration;

/// Counts failures in a row (the `ConnectRetryCounter` of RFC 4271 section 8.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Counts a failure and says how long to wait: `idle_hold`, doubled with each failure before, up to
    /// `connect_retry`, with the jitter of RFC 4271 section 10.
    pub(super) fn fail(&mut self, timers: &Timers, random: &mut Random) -> Duration {
        let doubled = timers
            .idle_hold
            .saturating_mul(1 << self.failures.min(MAX_DOUBLINGS));
        self.failures = self.failures.saturating_add(1);
        jitter(doubled.min(timers.connect_retry), random)
    }

    /// Counts a failure that will come again until somebody changes a configuration: waits
    /// `connect_retry` at once.
    pub(super) fn fail_lastingly(&mut self, timers: &Timers, random: &mut Random) -> Duration {
        self.failures = self.failures.saturating_add(1);
        jitter(timers.connect_retry, random)
    }

    /// Forgets all failures.
    pub(super) const fn reset(&mut self) {
        self.failures = 0;
    }

    /// How many failures came in a row.
    pub(super) const fn failures(self) -> u32 {
        self.failures
    }
}

/// Three quarters of `span` to all of it (RFC 4271 section 10).
pub(super) fn jitter(span: Duration, random: &mut Random) -> Duration {
    random.between(span * 3 / 4, span)
}

/// 2^16 times a second is more than any `connect_retry`.
const MAX_DOUBLINGS: u32 = 16;

#[cfg(test)]
mod tests;
