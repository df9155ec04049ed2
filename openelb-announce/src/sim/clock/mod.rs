//! A host's clock, which starts elsewhere and runs at another speed than the simulator's.

use crate::time::Time;
use std::time::Duration;

/// How a host's clock relates to the simulator's. The default is equal to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// What it shows at the simulator's start.
    pub offset: Duration,
    /// How much faster it runs, in parts per million; taken as at least -900,000.
    pub skew_ppm: i32,
}

impl Clock {
    /// What the clock shows when the simulator's shows `at`.
    pub fn local(self, at: Time) -> Time {
        let elapsed = u128::from(at.as_nanos()) * self.rate() / MILLION;
        Time::from_nanos(u64::try_from(elapsed).unwrap_or(u64::MAX)) + self.offset
    }

    /// The first instant of the simulator at which the clock shows `local` or more.
    pub fn global(self, local: Time) -> Time {
        let elapsed = (local - (Time::ZERO + self.offset)).as_nanos();
        let at = (elapsed * MILLION).div_ceil(self.rate());
        Time::from_nanos(u64::try_from(at).unwrap_or(u64::MAX))
    }

    fn rate(self) -> u128 {
        let rate = 1_000_000 + i64::from(self.skew_ppm).max(-900_000);
        u128::try_from(rate).unwrap_or(MILLION)
    }
}

const MILLION: u128 = 1_000_000;

#[cfg(test)]
mod tests;
