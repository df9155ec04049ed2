//! Sets of prefixes, each with the lengths of the more specific ones that count too.

use crate::bgp::prefix::Prefix;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Prefixes under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrefixSet {
    /// What the set is called.
    pub name: Arc<str>,
    /// Its members.
    pub ranges: Vec<PrefixRange>,
}

impl PrefixSet {
    /// Whether one of its members matches.
    pub fn contains(&self, prefix: &Prefix) -> bool {
        self.ranges.iter().any(|range| range.contains(prefix))
    }
}

/// A prefix and those inside it whose lengths are within bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrefixRange {
    prefix: Prefix,
    lengths: RangeInclusive<u8>,
}

impl PrefixRange {
    /// The prefix itself.
    pub const fn exactly(prefix: Prefix) -> Self {
        let lengths = prefix.length()..=prefix.length();
        Self { prefix, lengths }
    }

    /// Those inside `prefix` with a length of `lengths`.
    pub fn new(prefix: Prefix, lengths: RangeInclusive<u8>) -> Result<Self, PrefixRangeError> {
        let longest = prefix.family().host_length();
        if lengths.is_empty() || *lengths.start() < prefix.length() || *lengths.end() > longest {
            return Err(PrefixRangeError {
                prefix,
                shortest: *lengths.start(),
                longest: *lengths.end(),
            });
        }
        Ok(Self { prefix, lengths })
    }

    /// All inside `prefix`, itself and single addresses included.
    pub const fn within(prefix: Prefix) -> Self {
        let lengths = prefix.length()..=prefix.family().host_length();
        Self { prefix, lengths }
    }

    /// Whether `prefix` is one of them.
    pub fn contains(&self, prefix: &Prefix) -> bool {
        self.lengths.contains(&prefix.length()) && self.prefix.covers(prefix)
    }
}

/// Lengths that no prefix inside the given one has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "mask length range {shortest}..{longest} does not fit {prefix}; write {}..{} or less",
    prefix.length(),
    prefix.family().host_length()
)]
pub struct PrefixRangeError {
    prefix: Prefix,
    shortest: u8,
    longest: u8,
}
