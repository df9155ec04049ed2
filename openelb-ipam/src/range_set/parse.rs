//! Reading lists of ranges.

use core::str::FromStr;

use thiserror::Error;

use super::{OverlapError, RangeSet};
use crate::range::{AddressRange, HostBits, RangeError};

impl RangeSet {
    /// Reads a list separated by commas or line ends, with a choice about host bits.
    ///
    /// Blank lines and a comma at a line's end are fine; an empty entry between commas is not.
    ///
    /// ```
    /// # use openelb_ipam::{RangeSet, range::HostBits};
    /// let set = RangeSet::parse("10.0.0.1,\n10.0.0.9/30", HostBits::Drop)?;
    /// assert_eq!(set.to_string(), "10.0.0.1,10.0.0.8/30");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn parse(text: &str, host_bits: HostBits) -> Result<Self, ParseRangeSetError> {
        let mut set = Self::new();
        for (at, entry) in entries(text).enumerate() {
            let position = at + 1;
            let range = AddressRange::parse(entry, host_bits)
                .map_err(|source| ParseRangeSetError::Entry { position, source })?;
            set.insert_disjoint(range)
                .map_err(|overlap| ParseRangeSetError::Overlap { position, overlap })?;
        }
        Ok(set)
    }
}

impl FromStr for RangeSet {
    type Err = ParseRangeSetError;

    fn from_str(text: &str) -> Result<Self, ParseRangeSetError> {
        Self::parse(text, HostBits::Refuse)
    }
}

/// Which entry of a list is at fault, and why. Positions count from 1.
///
/// ```
/// # use openelb_ipam::RangeSet;
/// let error = "192.0.2.0/24, 198.51.100.0/33".parse::<RangeSet>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "entry 2, `198.51.100.0/33`: prefix length `33` is not a number from 0 to 32",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseRangeSetError {
    /// The entry is not a range.
    #[error("entry {position}, {source}")]
    Entry {
        /// Where in the list.
        position: usize,
        /// What is wrong with it.
        source: RangeError,
    },
    /// The entry repeats addresses of an earlier one.
    #[error(
        "entry {position} ({range}) overlaps an earlier entry at {common}",
        range = .overlap.range,
        common = .overlap.common
    )]
    Overlap {
        /// Where in the list the second mention is.
        position: usize,
        /// The range and what it shares with earlier ones.
        overlap: OverlapError,
    },
}

fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .flat_map(|line| {
            line.strip_suffix(',')
                .filter(|rest| !rest.trim().is_empty())
                .unwrap_or(line)
                .split(',')
        })
}
