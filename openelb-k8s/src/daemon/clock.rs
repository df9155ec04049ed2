//! The only place where the processes read the wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

use openelb_ipam::Time;
use tokio::time::Instant;

/// Now, as the machines count: milliseconds since the Unix epoch.
#[expect(
    clippy::disallowed_methods,
    reason = "a process has to read a clock somewhere"
)]
pub(super) fn now() -> Time {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Time(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The wall clock at its start, and from there on the steady clock: it never jumps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    start: Time,
    since: Instant,
}

impl Clock {
    /// Starts now.
    pub(super) fn start() -> Self {
        Self {
            start: now(),
            since: Instant::now(),
        }
    }

    /// Now.
    pub(super) fn now(self) -> Time {
        self.start + self.since.elapsed()
    }
}
