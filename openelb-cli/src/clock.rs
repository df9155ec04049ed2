//! The only place where the command reads the wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

use openelb_ipam::Time;

/// Now, as the allocator counts: milliseconds since the Unix epoch.
#[expect(
    clippy::disallowed_methods,
    reason = "a binary has to read a clock somewhere"
)]
pub(crate) fn now() -> Time {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Time(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
