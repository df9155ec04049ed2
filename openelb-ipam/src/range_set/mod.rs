//! Sets of addresses as sorted, disjoint ranges.

mod algebra;
mod parse;

use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use thiserror::Error;

pub use self::parse::ParseRangeSetError;

use crate::count::AddressCount;
use crate::family::{DualStack, Family, to_bits};
use crate::range::AddressRange;
use crate::text::text_serde;

/// A set of addresses of both families, held as the fewest ranges.
///
/// Equal sets compare equal however they were built. Text is a list separated by commas or line
/// ends; reading refuses an address listed twice (two pools or two lines that overlap are nearly
/// always a slip), [`insert`](Self::insert) merges.
///
/// ```
/// use openelb_ipam::{AddressCount, Family, RangeSet};
///
/// let pool: RangeSet = "192.0.2.0/25, 192.0.2.128-192.0.2.200, 2001:db8::/64".parse()?;
/// assert_eq!(pool.to_string(), "192.0.2.0-192.0.2.200,2001:db8::/64");
/// assert_eq!(pool.count(Family::V4), AddressCount::new(201));
///
/// let error = "192.0.2.0/24,192.0.2.7".parse::<RangeSet>().unwrap_err();
/// assert_eq!(error.to_string(), "entry 2 (192.0.2.7) overlaps an earlier entry at 192.0.2.7");
/// # Ok::<(), openelb_ipam::range_set::ParseRangeSetError>(())
/// ```
///
/// | operation | cost, r ranges in the family |
/// |---|---|
/// | `contains`, `range_of`, `overlap` with a range | O(log r) |
/// | `insert`, `remove` | O(log r) to find, O(r) to move |
/// | `union`, `difference`, `intersection`, `overlap` with a set | O(r) of both |
/// | `count` | O(r) |
// Invariant: within a family, ranges ascend and neither overlap nor touch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct RangeSet {
    ranges: DualStack<Vec<AddressRange>>,
}

impl RangeSet {
    /// The empty set.
    ///
    /// ```
    /// # use openelb_ipam::RangeSet;
    /// assert_eq!(RangeSet::new().to_string(), "");
    /// ```
    pub const fn new() -> Self {
        Self {
            ranges: DualStack {
                v4: Vec::new(),
                v6: Vec::new(),
            },
        }
    }

    /// Whether no address is in the set.
    ///
    /// ```
    /// # use openelb_ipam::RangeSet;
    /// assert!(RangeSet::new().is_empty());
    /// ```
    pub const fn is_empty(&self) -> bool {
        self.ranges.v4.is_empty() && self.ranges.v6.is_empty()
    }

    /// Adds every address of the range, merging with what is there.
    ///
    /// ```
    /// # use openelb_ipam::RangeSet;
    /// let mut set: RangeSet = "10.0.0.0/25".parse()?;
    /// set.insert("10.0.0.64-10.0.0.255".parse()?);
    /// assert_eq!(set.to_string(), "10.0.0.0/24");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn insert(&mut self, range: AddressRange) {
        let ranges = &mut self.ranges[range.family()];
        // Everything that overlaps or touches the new range becomes one with it.
        let start = ranges.partition_point(|r| ends_before_touching(r, range.first_bits()));
        let end = ranges.partition_point(|r| !starts_after_touching(r, range.last_bits()));
        let merged = ranges
            .get(start..end)
            .into_iter()
            .flatten()
            .fold(range, |all, r| {
                bounded(
                    all.family(),
                    all.first_bits().min(r.first_bits()),
                    all.last_bits().max(r.last_bits()),
                )
            });
        ranges.splice(start..end, [merged]);
    }

    /// Adds every address of the range, or nothing when one of them is already there.
    ///
    /// ```
    /// # use openelb_ipam::RangeSet;
    /// let mut set: RangeSet = "198.51.100.0/24".parse()?;
    /// let error = set.insert_disjoint("198.51.100.128/25".parse()?).unwrap_err();
    /// assert_eq!(error.common.to_string(), "198.51.100.128/25");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn insert_disjoint(&mut self, range: AddressRange) -> Result<(), OverlapError> {
        if let Some(common) = self.overlap_with(&range) {
            return Err(OverlapError { range, common });
        }
        self.insert(range);
        Ok(())
    }

    /// Takes every address of the range out.
    ///
    /// ```
    /// # use openelb_ipam::RangeSet;
    /// let mut set: RangeSet = "10.0.0.0/30".parse()?;
    /// set.remove("10.0.0.1".parse()?);
    /// assert_eq!(set.to_string(), "10.0.0.0,10.0.0.2/31");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn remove(&mut self, range: AddressRange) {
        let ranges = &mut self.ranges[range.family()];
        let start = ranges.partition_point(|r| r.last_bits() < range.first_bits());
        let end = ranges.partition_point(|r| r.first_bits() <= range.last_bits());
        if start >= end {
            return;
        }
        let before = ranges.get(start).and_then(|r| before(r, &range));
        let after = ranges.get(end - 1).and_then(|r| after(r, &range));
        ranges.splice(start..end, before.into_iter().chain(after));
    }

    /// Whether the address is in the set.
    ///
    /// ```
    /// # use openelb_ipam::RangeSet;
    /// let set: RangeSet = "10.0.0.0/30,::5".parse()?;
    /// assert!(set.contains("::5".parse()?) && !set.contains("10.0.0.4".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn contains(&self, address: IpAddr) -> bool {
        self.contains_bits(Family::of(address), to_bits(address))
    }

    /// Whether the address, given as a number, is in the set.
    ///
    /// ```
    /// # use openelb_ipam::{AddressCount, Family, RangeSet};
    /// let set: RangeSet = "0.0.0.0/30,0.0.0.9,::1".parse()?;
    /// assert!(set.contains_bits(Family::V4, 9) && !set.contains_bits(Family::V6, 9));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn contains_bits(&self, family: Family, bits: u128) -> bool {
        self.range_of(family, bits).is_some()
    }

    /// The range an address lies in.
    ///
    /// ```
    /// # use openelb_ipam::{Family, RangeSet};
    /// let set: RangeSet = "0.0.0.1-0.0.0.9".parse()?;
    /// assert_eq!(set.range_of(Family::V4, 5).map(|r| r.to_string()).as_deref(), Some("0.0.0.1-0.0.0.9"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn range_of(&self, family: Family, bits: u128) -> Option<&AddressRange> {
        let ranges = &self.ranges[family];
        let at = ranges.partition_point(|r| r.last_bits() < bits);
        ranges.get(at).filter(|r| r.contains_bits(bits))
    }

    /// Whether every address of the range is in the set.
    ///
    /// ```
    /// # use openelb_ipam::RangeSet;
    /// let set: RangeSet = "10.0.0.0/24".parse()?;
    /// assert!(set.contains_range(&"10.0.0.7-10.0.0.9".parse()?));
    /// assert!(!set.contains_range(&"10.0.0.0/23".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn contains_range(&self, range: &AddressRange) -> bool {
        self.range_of(range.family(), range.first_bits())
            .is_some_and(|found| range.last_bits() <= found.last_bits())
    }

    /// How many addresses of a family.
    ///
    /// ```
    /// # use openelb_ipam::{AddressCount, Family, RangeSet};
    /// let set: RangeSet = "0.0.0.0/30,0.0.0.9,::1".parse()?;
    /// assert_eq!(set.count(Family::V4), AddressCount::new(5));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn count(&self, family: Family) -> AddressCount {
        self.ranges(family).iter().map(AddressRange::count).sum()
    }

    /// The ranges of a family, ascending, with a gap between each two.
    ///
    /// ```
    /// # use openelb_ipam::{AddressCount, Family, RangeSet};
    /// let set: RangeSet = "0.0.0.0/30,0.0.0.9,::1".parse()?;
    /// assert_eq!(set.ranges(Family::V4).len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ranges(&self, family: Family) -> &[AddressRange] {
        &self.ranges[family]
    }

    /// All ranges, IPv4 first, ascending within each family.
    ///
    /// ```
    /// # use openelb_ipam::{AddressCount, Family, RangeSet};
    /// let set: RangeSet = "0.0.0.0/30,0.0.0.9,::1".parse()?;
    /// assert_eq!(set.iter().map(|range| range.to_string()).collect::<Vec<_>>().len(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = &AddressRange> {
        self.ranges.v4.iter().chain(&self.ranges.v6)
    }
}

impl From<AddressRange> for RangeSet {
    fn from(range: AddressRange) -> Self {
        Self::from_iter([range])
    }
}

impl Extend<AddressRange> for RangeSet {
    fn extend<I: IntoIterator<Item = AddressRange>>(&mut self, ranges: I) {
        for range in ranges {
            self.insert(range);
        }
    }
}

/// Merges overlapping and adjacent ranges.
impl FromIterator<AddressRange> for RangeSet {
    fn from_iter<I: IntoIterator<Item = AddressRange>>(ranges: I) -> Self {
        let mut set = Self::new();
        set.extend(ranges);
        set
    }
}

/// The ranges joined by commas, without spaces; empty text for the empty set.
impl fmt::Display for RangeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, range) in self.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            write!(f, "{range}")?;
        }
        Ok(())
    }
}

text_serde!(
    RangeSet,
    "a list of addresses, prefixes and ranges, separated by commas"
);

/// A range that should have been new shares addresses with the set.
///
/// ```
/// # use openelb_ipam::RangeSet;
/// let mut set: RangeSet = "203.0.113.10-203.0.113.20".parse()?;
/// let error = set.insert_disjoint("203.0.113.16/28".parse()?).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "203.0.113.16/28 overlaps what is already listed at 203.0.113.16-203.0.113.20",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{range} overlaps what is already listed at {common}")]
pub struct OverlapError {
    /// The range that was to be added.
    pub range: AddressRange,
    /// The first addresses that are in both.
    pub common: AddressRange,
}

/// Whether `range` ends so far below `bits` that not even their ends touch.
fn ends_before_touching(range: &AddressRange, bits: u128) -> bool {
    range
        .last_bits()
        .checked_add(1)
        .is_some_and(|next| next < bits)
}

/// Whether `range` starts so far above `bits` that not even their ends touch.
fn starts_after_touching(range: &AddressRange, bits: u128) -> bool {
    bits.checked_add(1)
        .is_some_and(|next| next < range.first_bits())
}

/// What `range` has below `cut`.
fn before(range: &AddressRange, cut: &AddressRange) -> Option<AddressRange> {
    let last = cut.first_bits().checked_sub(1)?;
    AddressRange::from_bits(range.family(), range.first_bits(), last)
}

/// What `range` has above `cut`.
fn after(range: &AddressRange, cut: &AddressRange) -> Option<AddressRange> {
    let first = cut.last_bits().checked_add(1)?;
    AddressRange::from_bits(range.family(), first, range.last_bits())
}

/// A range whose ends are known to be in order.
fn bounded(family: Family, first: u128, last: u128) -> AddressRange {
    AddressRange::from_bits(family, first, last)
        .expect("both ends come from valid ranges, lower first")
}

#[cfg(test)]
mod tests;
