//! The clock of the I/O thread.

use nix::time::{ClockId, clock_gettime};

use crate::time::Time;

/// The present instant of `CLOCK_BOOTTIME`.
///
/// That clock goes on while the machine is suspended, so a suspension shows as a pause. Some 25 ns.
pub(crate) fn now() -> Time {
    let Ok(span) = clock_gettime(ClockId::CLOCK_BOOTTIME) else {
        return Time::ZERO;
    };
    let nanos = i128::from(span.tv_sec()) * NANOS_PER_SECOND + i128::from(span.tv_nsec());
    Time::from_nanos(u64::try_from(nanos).unwrap_or_default())
}

const NANOS_PER_SECOND: i128 = 1_000_000_000;
