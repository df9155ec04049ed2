//! The only place where the processes read the wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

use openelb_ipam::Time;

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
