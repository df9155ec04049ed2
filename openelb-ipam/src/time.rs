//! The caller's clock, as a number.

use core::fmt;
use core::time::Duration;

/// A moment: milliseconds since the Unix epoch, given by the caller.
///
/// The crate never reads a clock. A `Time` that runs backwards delays expiries; it never breaks an
/// invariant.
///
/// ```
/// use core::time::Duration;
/// use openelb_ipam::Time;
///
/// let now = Time(1_000);
/// assert_eq!(now + Duration::from_secs(2), Time(3_000));
/// assert_eq!(Time(3_000) - now, Duration::from_secs(2));
/// assert_eq!(now - Time(3_000), Duration::ZERO);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(transparent)
)]
pub struct Time(pub u64);

impl core::ops::Add<Duration> for Time {
    type Output = Self;

    /// Saturates at the far end of time.
    fn add(self, rhs: Duration) -> Self {
        let millis = u64::try_from(rhs.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(millis))
    }
}

impl core::ops::Sub for Time {
    type Output = Duration;

    /// Zero when `rhs` is the later one.
    fn sub(self, rhs: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(rhs.0))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}
