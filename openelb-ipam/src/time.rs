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
///
/// // People read it as RFC 3339 in UTC, to the second.
/// assert_eq!(Time(0).to_string(), "1970-01-01T00:00:00Z");
/// assert_eq!(Time(951_782_399_999).to_string(), "2000-02-28T23:59:59Z");
/// assert_eq!(Time(951_782_400_000).to_string(), "2000-02-29T00:00:00Z");
/// assert_eq!(Time(4_107_542_399_000).to_string(), "2100-02-28T23:59:59Z");
/// assert_eq!(Time(4_107_542_400_000).to_string(), "2100-03-01T00:00:00Z");
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
        let seconds = self.0 / 1_000;
        let (year, month, day) = date(seconds / SECONDS_A_DAY);
        let of_day = seconds % SECONDS_A_DAY;
        let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        )
    }
}

/// The Gregorian year, month and day of a number of days since 1 January 1970.
///
/// Counted from 1 March of year 0, so that the leap day is the last of its year; 400 years are one
/// era of 146,097 days, after which the calendar repeats.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // From March on the lengths of months repeat every five months, 153 days.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

const SECONDS_A_DAY: u64 = 86_400;
