//! How many addresses: exact from none to every IPv6 address.
//!
//! `::/0` holds 2^128 addresses, one more than a `u128` can say. Rounding that away is how pools
//! came to report a capacity of zero or below; this type has the one extra value and no arithmetic
//! that wraps.

use core::fmt;
use core::iter::Sum;
use core::str::FromStr;

use thiserror::Error;

use crate::text::text_serde;

/// A number of addresses, 0 ..= 2^128.
///
/// Text and `serde` form is the decimal number (as a string: JSON numbers are doubles to many
/// readers).
///
/// ```
/// use openelb_ipam::{AddressCount, AddressRange};
///
/// let everything: AddressRange = "::/0".parse()?;
/// assert_eq!(everything.count(), AddressCount::MAX);
/// assert_eq!(everything.count().to_string(), "340282366920938463463374607431768211456");
/// assert_eq!(everything.count().to_i64_clamped(), i64::MAX);
/// # Ok::<(), openelb_ipam::RangeError>(())
/// ```
// Invariant: `full` implies `low == 0`. The derived order compares `full` first, which is numeric
// order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressCount {
    full: bool,
    low: u128,
}

impl AddressCount {
    /// No address.
    pub const ZERO: Self = Self::new(0);
    /// One address.
    pub const ONE: Self = Self::new(1);
    /// Every IPv6 address: 2^128.
    pub const MAX: Self = Self { full: true, low: 0 };

    /// A count below 2^128.
    ///
    /// ```
    /// # use openelb_ipam::AddressCount;
    /// assert_eq!(AddressCount::new(256).to_string(), "256");
    /// ```
    pub const fn new(count: u128) -> Self {
        Self {
            full: false,
            low: count,
        }
    }

    /// How many numbers `first ..= last` holds; none when `last` is below `first`.
    ///
    /// ```
    /// # use openelb_ipam::AddressCount;
    /// assert_eq!(AddressCount::between(3, 5), AddressCount::new(3));
    /// assert_eq!(AddressCount::between(0, u128::MAX), AddressCount::MAX);
    /// ```
    pub const fn between(first: u128, last: u128) -> Self {
        if last < first {
            return Self::ZERO;
        }
        match (last - first).checked_add(1) {
            Some(count) => Self::new(count),
            None => Self::MAX,
        }
    }

    /// Whether this is no address at all.
    ///
    /// ```
    /// # use openelb_ipam::AddressCount;
    /// assert!(AddressCount::ZERO.is_zero() && !AddressCount::MAX.is_zero());
    /// ```
    pub const fn is_zero(self) -> bool {
        self.low == 0 && !self.full
    }

    /// The sum, or `None` above 2^128.
    ///
    /// ```
    /// # use openelb_ipam::AddressCount;
    /// assert_eq!(AddressCount::new(u128::MAX).checked_add(AddressCount::ONE), Some(AddressCount::MAX));
    /// assert_eq!(AddressCount::MAX.checked_add(AddressCount::ONE), None);
    /// ```
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        let (low, carry) = self.low.overflowing_add(other.low);
        match (self.full as u8) + (other.full as u8) + (carry as u8) {
            0 => Some(Self::new(low)),
            1 if low == 0 => Some(Self::MAX),
            _ => None,
        }
    }

    /// The difference, or `None` below zero.
    ///
    /// ```
    /// # use openelb_ipam::AddressCount;
    /// assert_eq!(AddressCount::MAX.checked_sub(AddressCount::ONE), Some(AddressCount::new(u128::MAX)));
    /// assert_eq!(AddressCount::ZERO.checked_sub(AddressCount::ONE), None);
    /// ```
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        let (low, borrow) = self.low.overflowing_sub(other.low);
        match (self.full, other.full, borrow) {
            (false, false, false) => Some(Self::new(low)),
            // 2^128 minus 1 ..= 2^128 - 1: the wrapped difference is the true one.
            (true, false, true) => Some(Self::new(low)),
            (true, false, false) => Some(Self::MAX),
            (true, true, false) => Some(Self::ZERO),
            _ => None,
        }
    }

    /// The sum, at most 2^128.
    ///
    /// ```
    /// # use openelb_ipam::AddressCount;
    /// assert_eq!(AddressCount::MAX.saturating_add(AddressCount::ONE), AddressCount::MAX);
    /// ```
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        match self.checked_add(other) {
            Some(sum) => sum,
            None => Self::MAX,
        }
    }

    /// The difference, at least zero.
    ///
    /// ```
    /// # use openelb_ipam::AddressCount;
    /// assert_eq!(AddressCount::ONE.saturating_sub(AddressCount::MAX), AddressCount::ZERO);
    /// ```
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        match self.checked_sub(other) {
            Some(difference) => difference,
            None => Self::ZERO,
        }
    }

    /// The exact number, or `None` for 2^128.
    ///
    /// ```
    /// # use openelb_ipam::AddressCount;
    /// assert_eq!(AddressCount::new(7).to_u128(), Some(7));
    /// assert_eq!(AddressCount::MAX.to_u128(), None);
    /// ```
    pub const fn to_u128(self) -> Option<u128> {
        if self.full { None } else { Some(self.low) }
    }

    /// The number, with 2^128 shown as 2^128 - 1.
    ///
    /// ```
    /// # use openelb_ipam::AddressCount;
    /// assert_eq!(AddressCount::MAX.to_u128_saturating(), u128::MAX);
    /// ```
    pub const fn to_u128_saturating(self) -> u128 {
        if self.full { u128::MAX } else { self.low }
    }

    /// The number, at most `i64::MAX`: what a Kubernetes integer field can hold.
    ///
    /// ```
    /// # use openelb_ipam::AddressCount;
    /// assert_eq!(AddressCount::new(1 << 64).to_i64_clamped(), i64::MAX);
    /// ```
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the bound is checked first"
    )]
    pub const fn to_i64_clamped(self) -> i64 {
        let count = self.to_u128_saturating();
        if count < i64::MAX as u128 {
            count as i64
        } else {
            i64::MAX
        }
    }

    /// The nearest double, for metrics and percentages.
    ///
    /// ```
    /// # use openelb_ipam::AddressCount;
    /// assert_eq!(AddressCount::new(256).to_f64(), 256.0);
    /// assert_eq!(AddressCount::MAX.to_f64(), 2f64.powi(128));
    /// ```
    #[expect(
        clippy::cast_precision_loss,
        reason = "a metric sample is a double; documented as the nearest one"
    )]
    pub const fn to_f64(self) -> f64 {
        // u128::MAX rounds to 2^128, so the saturated value is exact here.
        self.to_u128_saturating() as f64
    }
}

impl From<u128> for AddressCount {
    fn from(count: u128) -> Self {
        Self::new(count)
    }
}

impl From<u64> for AddressCount {
    fn from(count: u64) -> Self {
        Self::new(u128::from(count))
    }
}

impl From<u32> for AddressCount {
    fn from(count: u32) -> Self {
        Self::new(u128::from(count))
    }
}

/// Adds up, at most 2^128: disjoint ranges of one family never exceed it.
impl Sum for AddressCount {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::ZERO, Self::saturating_add)
    }
}

impl fmt::Display for AddressCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_u128() {
            Some(count) => fmt::Display::fmt(&count, f),
            None => f.pad_integral(true, "", TWO_TO_THE_128),
        }
    }
}

impl FromStr for AddressCount {
    type Err = ParseCountError;

    /// Reads decimal digits only: no sign, no separators.
    fn from_str(text: &str) -> Result<Self, ParseCountError> {
        if text == TWO_TO_THE_128 {
            return Ok(Self::MAX);
        }
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ParseCountError);
        }
        text.parse().map(Self::new).map_err(|_| ParseCountError)
    }
}

text_serde!(AddressCount, "a decimal number of addresses, 0 to 2^128");

/// The text is not a decimal number of 0 ..= 2^128.
///
/// ```
/// # use openelb_ipam::AddressCount;
/// assert!("-1".parse::<AddressCount>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a count of addresses; write a decimal number from 0 to 2^128")]
pub struct ParseCountError;

const TWO_TO_THE_128: &str = "340282366920938463463374607431768211456";

#[cfg(test)]
mod tests;
