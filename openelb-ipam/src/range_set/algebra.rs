//! Union, difference, intersection, overlap: linear walks over sorted ranges.

use super::{RangeSet, after, before};
use crate::family::Family;
use crate::range::AddressRange;

impl RangeSet {
    /// The addresses in either set.
    ///
    /// ```
    /// # use openelb_ipam::RangeSet;
    /// let (a, b): (RangeSet, RangeSet) = ("10.0.0.0/25".parse()?, "10.0.0.128/25,::1".parse()?);
    /// assert_eq!(a.union(&b).to_string(), "10.0.0.0/24,::1");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut union = Self::new();
        for family in Family::ALL {
            let (mut left, mut right) = (self.ranges(family), other.ranges(family));
            // Ascending insertion appends or merges with the last range: O(1) each.
            while let Some(lowest) = take_lower(&mut left, &mut right) {
                union.insert(lowest);
            }
        }
        union
    }

    /// The addresses of this set that are not in the other.
    ///
    /// ```
    /// # use openelb_ipam::RangeSet;
    /// let (a, b): (RangeSet, RangeSet) = ("10.0.0.0/24".parse()?, "10.0.0.1-10.0.0.254".parse()?);
    /// assert_eq!(a.difference(&b).to_string(), "10.0.0.0,10.0.0.255");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let mut difference = Self::new();
        for family in Family::ALL {
            let kept = &mut difference.ranges[family];
            let mut cuts = other.ranges(family).iter().peekable();
            for range in self.ranges(family) {
                while cuts
                    .next_if(|cut| cut.last_bits() < range.first_bits())
                    .is_some()
                {}
                let mut rest = Some(*range);
                while let (Some(part), Some(cut)) = (rest, cuts.peek()) {
                    if !part.overlaps(cut) {
                        break;
                    }
                    kept.extend(before(&part, cut));
                    rest = after(&part, cut);
                    // A cut that reaches beyond this range may also cut the next one.
                    if rest.is_some() {
                        cuts.next();
                    }
                }
                kept.extend(rest);
            }
        }
        difference
    }

    /// The addresses in both sets.
    ///
    /// ```
    /// # use openelb_ipam::RangeSet;
    /// let (a, b): (RangeSet, RangeSet) = ("10.0.0.0/24,::/64".parse()?, "10.0.0.200-10.0.1.9".parse()?);
    /// assert_eq!(a.intersection(&b).to_string(), "10.0.0.200-10.0.0.255");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let mut intersection = Self::new();
        for family in Family::ALL {
            intersection.ranges[family].extend(self.common(other, family));
        }
        intersection
    }

    /// The first addresses that are in both sets, if any.
    ///
    /// ```
    /// # use openelb_ipam::RangeSet;
    /// let a: RangeSet = "198.51.100.0/24".parse()?;
    /// let b: RangeSet = "198.51.100.128/25".parse()?;
    /// assert_eq!(a.overlap(&b).map(|r| r.to_string()).as_deref(), Some("198.51.100.128/25"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn overlap(&self, other: &Self) -> Option<AddressRange> {
        Family::ALL
            .into_iter()
            .find_map(|family| self.common(other, family).next())
    }

    /// The first addresses of the range that are in the set, if any.
    ///
    /// ```
    /// # use openelb_ipam::RangeSet;
    /// let set: RangeSet = "10.0.0.4/30".parse()?;
    /// let common = set.overlap_with(&"10.0.0.0-10.0.0.5".parse()?);
    /// assert_eq!(common.map(|r| r.to_string()).as_deref(), Some("10.0.0.4/31"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn overlap_with(&self, range: &AddressRange) -> Option<AddressRange> {
        let ranges = self.ranges(range.family());
        let at = ranges.partition_point(|r| r.last_bits() < range.first_bits());
        ranges.get(at)?.intersection(range)
    }

    /// The common parts of both sets in one family, ascending, made on demand.
    fn common<'a>(
        &'a self,
        other: &'a Self,
        family: Family,
    ) -> impl Iterator<Item = AddressRange> + 'a {
        let (mut left, mut right) = (self.ranges(family), other.ranges(family));
        core::iter::from_fn(move || {
            loop {
                let (a, b) = (left.first()?, right.first()?);
                // Whoever ends first cannot meet anything further on.
                let ended = if a.last_bits() <= b.last_bits() {
                    &mut left
                } else {
                    &mut right
                };
                *ended = ended.get(1..).unwrap_or_default();
                if let Some(common) = a.intersection(b) {
                    return Some(common);
                }
            }
        })
    }
}

/// Takes the lower of the two heads.
fn take_lower<'a>(
    left: &mut &'a [AddressRange],
    right: &mut &'a [AddressRange],
) -> Option<AddressRange> {
    let from_left = match (left.first(), right.first()) {
        (Some(a), Some(b)) => a <= b,
        (a, _) => a.is_some(),
    };
    let source = if from_left { left } else { right };
    let (head, tail) = source.split_first()?;
    *source = tail;
    Some(*head)
}
