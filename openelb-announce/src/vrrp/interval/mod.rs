//! The interval between advertisements, in the unit of version 3: hundredths of a second.

use std::fmt;
use std::num::NonZeroU16;
use std::time::Duration;

/// How often the Active router advertises; never zero.
///
/// Version 3 can say 10 ms to 40.95 s, version 2 whole seconds up to 255 s.
///
/// ```
/// use openelb_announce::vrrp::Interval;
/// use std::time::Duration;
///
/// let interval = Interval::from_duration(Duration::from_millis(250))?;
/// assert_eq!(interval.centiseconds(), 25);
/// assert!(Interval::from_duration(Duration::from_millis(5)).is_err());
/// # Ok::<(), openelb_announce::vrrp::interval::IntervalError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval(NonZeroU16);

impl Interval {
    /// One second: the default of both versions.
    pub const SECOND: Self = Self(NonZeroU16::new(100).expect("a hundred is not zero"));

    /// So many hundredths of a second; `None` when that is zero.
    pub const fn from_centiseconds(centiseconds: u16) -> Option<Self> {
        match NonZeroU16::new(centiseconds) {
            Some(centiseconds) => Some(Self(centiseconds)),
            None => None,
        }
    }

    /// So many seconds, as version 2 has them on the wire; `None` when that is zero.
    pub fn from_seconds(seconds: u8) -> Option<Self> {
        Self::from_centiseconds(u16::from(seconds) * 100)
    }

    /// This span, which must be a multiple of 10 ms from 10 ms to 255 s.
    pub fn from_duration(span: Duration) -> Result<Self, IntervalError> {
        let is_whole = span.as_nanos().is_multiple_of(CENTISECOND.as_nanos());
        let centiseconds = u16::try_from(span.as_millis() / 10)
            .ok()
            .filter(|it| is_whole && *it <= LONGEST);
        centiseconds
            .and_then(Self::from_centiseconds)
            .ok_or(IntervalError { span })
    }

    /// In hundredths of a second.
    pub const fn centiseconds(self) -> u16 {
        self.0.get()
    }

    /// In whole seconds, when version 2 can say it.
    pub fn seconds(self) -> Option<u8> {
        let centiseconds = self.centiseconds();
        let is_whole = centiseconds.is_multiple_of(100);
        u8::try_from(centiseconds / 100).ok().filter(|_| is_whole)
    }

    /// As a span of time.
    pub fn duration(self) -> Duration {
        CENTISECOND * u32::from(self.centiseconds())
    }
}

impl Default for Interval {
    fn default() -> Self {
        Self::SECOND
    }
}

impl fmt::Display for Interval {
    /// As in `1s` or `250ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.duration(), f)
    }
}

/// No advertisement can carry this interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("advertisement interval {span:?} is not a multiple of 10 ms from 10 ms to 255 s")]
pub struct IntervalError {
    /// What was asked for.
    pub span: Duration,
}

/// The unit of version 3.
pub const CENTISECOND: Duration = Duration::from_millis(10);

// 255 s, the longest of version 2.
const LONGEST: u16 = 25_500;

#[cfg(test)]
mod tests;
