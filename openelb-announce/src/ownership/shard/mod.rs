//! Shards: the pieces of a group that have one owner each, and sets of them.

use std::fmt;

use super::name::{GroupId, GroupName, hash};

/// A piece of a group: everything in it has the same owner.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard {
    /// The group.
    pub group: GroupId,
    /// The number of the piece, below the group's number of shards.
    pub index: u16,
}

impl Shard {
    /// The shard that `unit` belongs to in a group of `shards` shards (at least one).
    ///
    /// It depends on the names alone, so every node computes the same, and another unit changes nothing.
    ///
    /// ```
    /// use openelb_announce::ownership::{GroupName, Shard};
    ///
    /// let group = GroupName::default();
    /// let shard = Shard::of(&group, 256, "192.0.2.10");
    /// assert_eq!(shard, Shard::of(&group, 256, "192.0.2.10"));
    /// assert!(shard.index < 256);
    /// ```
    pub fn of(group: &GroupName, shards: u16, unit: &str) -> Self {
        // The hash as a fraction of the whole: with other numbers of shards the pieces still overlap
        // in order, so nodes that disagree about the number can tell what each of them means.
        let product = u128::from(hash(unit.as_bytes())) * u128::from(shards);
        Self {
            group: group.id(),
            index: u16::try_from(product >> 64).unwrap_or(0),
        }
    }
}

impl fmt::Debug for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.group, self.index)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A set of shards of one group, one bit each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ShardSet {
    // Invariant: no bit at or beyond `shards` is set; as many words as they need.
    words: Vec<u64>,
    shards: u16,
}

impl ShardSet {
    /// The empty set of a group of `shards` shards.
    pub(super) fn new(shards: u16) -> Self {
        Self {
            words: vec![0; usize::from(shards).div_ceil(64)],
            shards,
        }
    }

    /// How many shards the group has.
    pub(super) const fn shards(&self) -> u16 {
        self.shards
    }

    /// How many of them are in the set.
    pub(super) fn len(&self) -> usize {
        let ones = |word: &u64| usize::try_from(word.count_ones()).unwrap_or(0);
        self.words.iter().map(ones).sum()
    }

    /// Is none of them in the set?
    pub(super) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Is this one in the set?
    pub(super) fn contains(&self, index: u16) -> bool {
        let word = self.words.get(usize::from(index / 64));
        word.is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    /// Puts one in or takes it out; beyond the last nothing happens.
    pub(super) fn set(&mut self, index: u16, is_in: bool) {
        if index >= self.shards {
            return;
        }
        if let Some(word) = self.words.get_mut(usize::from(index / 64)) {
            let bit = 1 << (index % 64);
            *word = if is_in { *word | bit } else { *word & !bit };
        }
    }

    /// Adds all of another set of the same group.
    pub(super) fn unite(&mut self, other: &Self) {
        for (word, more) in self.words.iter_mut().zip(&other.words) {
            *word |= more;
        }
    }

    /// What is in both.
    pub(super) fn common(&self, other: &Self) -> Self {
        self.combined(other, |a, b| a & b)
    }

    /// What is here and not in the other.
    pub(super) fn without(&self, other: &Self) -> Self {
        self.combined(other, |a, b| a & !b)
    }

    /// How many shards have to be given up and claimed to get from this set to the other one, which
    /// may be of another number of shards: then none of them is the same.
    pub(super) fn differing(&self, other: &Self) -> usize {
        if self.shards != other.shards {
            return self.len() + other.len();
        }
        let words = self.words.iter().zip(&other.words);
        let ones = |(a, b): (&u64, &u64)| usize::try_from((a ^ b).count_ones()).unwrap_or(0);
        words.map(ones).sum()
    }

    /// The numbers in the set, rising.
    pub(super) fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        (0_u16..).zip(&self.words).flat_map(|(place, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let lowest = u16::try_from(rest.trailing_zeros()).unwrap_or(64);
                (rest != 0).then(|| {
                    rest &= rest - 1;
                    place * 64 + lowest
                })
            })
        })
    }

    /// The same set as seen by a group of another number of shards: every shard that overlaps.
    pub(super) fn rescaled(&self, shards: u16) -> Self {
        if shards == self.shards {
            return self.clone();
        }
        let mut seen = Self::new(shards);
        let (theirs, ours) = (u32::from(self.shards.max(1)), u32::from(shards));
        for index in self.iter().map(u32::from) {
            for index in index * ours / theirs..((index + 1) * ours).div_ceil(theirs) {
                seen.set(u16::try_from(index).unwrap_or(u16::MAX), true);
            }
        }
        seen
    }

    /// The bits as octets, the first shard in the lowest bit of the first octet.
    pub(super) fn octets(&self) -> impl Iterator<Item = u8> + '_ {
        let octets = self.words.iter().flat_map(|word| word.to_le_bytes());
        octets.take(usize::from(self.shards).div_ceil(8))
    }

    /// Reads what [`octets`](Self::octets) wrote; bits beyond the last shard are ignored.
    pub(super) fn read(shards: u16, octets: &[u8]) -> Self {
        let mut set = Self::new(shards);
        for (word, chunk) in set.words.iter_mut().zip(octets.chunks(8)) {
            let mut padded = [0; 8];
            for (place, octet) in padded.iter_mut().zip(chunk) {
                *place = *octet;
            }
            *word = u64::from_le_bytes(padded);
        }
        if let (Some(last), 1..) = (set.words.last_mut(), shards % 64) {
            *last &= (1 << (shards % 64)) - 1;
        }
        set
    }

    fn combined(&self, other: &Self, combine: impl Fn(u64, u64) -> u64) -> Self {
        let others = other.words.iter().copied().chain(std::iter::repeat(0));
        Self {
            words: self
                .words
                .iter()
                .zip(others)
                .map(|(a, b)| combine(*a, b))
                .collect(),
            shards: self.shards,
        }
    }
}

#[cfg(test)]
mod tests;
