//! The clocks that sources need: lifetimes come as spans, and inputs carry times.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};
use openelb_ipam::Time;

/// Now, as the machines count: milliseconds since the Unix epoch.
#[expect(
    clippy::disallowed_methods,
    reason = "what a source says counts from when it was heard"
)]
pub(super) fn now() -> Time {
    at(SystemTime::now())
}

/// A time of the file system.
pub(super) fn at(time: SystemTime) -> Time {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// When the host was started.
pub(super) fn boot() -> Time {
    let up = clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from);
    let up = u64::try_from(up.unwrap_or_default().as_millis()).unwrap_or(u64::MAX);
    Time(now().0.saturating_sub(up))
}
