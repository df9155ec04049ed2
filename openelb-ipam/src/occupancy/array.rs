//! A sorted array of 16-bit values, read as a set and as its complement.

use smallvec::SmallVec;

/// The offsets of a chunk that differ from the rest of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Array {
    /// Ascending, no value twice. Eight values need no allocation.
    values: SmallVec<[u16; 8]>,
}

impl Array {
    pub(super) fn from_sorted(values: impl Iterator<Item = u16>) -> Self {
        Self {
            values: values.collect(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn values(&self) -> &[u16] {
        &self.values
    }

    #[inline]
    pub(super) fn contains(&self, value: u16) -> bool {
        self.values.binary_search(&value).is_ok()
    }

    /// Adds a value; returns whether the values next to it are members, `None` if it was one.
    pub(super) fn insert(&mut self, value: u16) -> Option<(bool, bool)> {
        // Most pools fill upwards: try the end before searching.
        let at = match self.values.last() {
            Some(last) if *last < value => self.values.len(),
            _ => self.values.binary_search(&value).err()?,
        };
        let found = self.members_around(at, at, value);
        self.values.insert(at, value);
        Some(found)
    }

    /// Takes a value out; returns whether the values next to it are members.
    pub(super) fn remove(&mut self, value: u16) -> Option<(bool, bool)> {
        let at = self.values.binary_search(&value).ok()?;
        let found = self.members_around(at, at + 1, value);
        self.values.remove(at);
        Some(found)
    }

    /// The lowest member at or above `from`.
    pub(super) fn next_member(&self, from: u16) -> Option<u16> {
        super::step();
        self.values.get(self.rank(from)).copied()
    }

    /// The lowest value at or above `from` that is no member.
    pub(super) fn next_gap(&self, from: u16) -> Option<u16> {
        super::step();
        let start = self.rank(from);
        let tail = self.values.get(start..).unwrap_or_default();
        // Members run on from `from` exactly as long as each is its position further.
        let run = partition(tail.len(), |at| {
            tail.get(at)
                .is_some_and(|value| usize::from(*value) == usize::from(from) + at)
        });
        u16::try_from(usize::from(from) + run).ok()
    }

    pub(super) fn nth_member(&self, n: usize) -> Option<u16> {
        self.values.get(n).copied()
    }

    /// The non-member that has `n` non-members below it.
    pub(super) fn nth_gap(&self, n: usize) -> Option<u16> {
        // Below the member at position i lie value - i gaps.
        let members = partition(self.values.len(), |at| {
            self.values
                .get(at)
                .is_some_and(|value| usize::from(*value) - at <= n)
        });
        u16::try_from(n + members).ok()
    }

    fn rank(&self, value: u16) -> usize {
        self.values.partition_point(|member| *member < value)
    }

    /// Whether `value - 1` stands before position `at`, and `value + 1` at position `after`.
    fn members_around(&self, at: usize, after: usize, value: u16) -> (bool, bool) {
        let below = at.checked_sub(1).and_then(|before| self.values.get(before));
        let above = self.values.get(after);
        (
            below.is_some_and(|below| below.checked_add(1) == Some(value)),
            above.is_some_and(|above| above.checked_sub(1) == Some(value)),
        )
    }
}

/// How many of the first `len` positions satisfy a predicate that, once false, stays false.
fn partition(len: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, len);
    while low < high {
        let middle = low.midpoint(high);
        if holds(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
