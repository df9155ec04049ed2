//! Who comes first for a shard: weighted rendezvous hashing in whole numbers.
//!
//! Every node draws a number between 0 and 1 for every shard, out of the two names alone. The one whose
//! `-log2(number) / weight` is least comes first; so a node wins in proportion to its weight, and
//! a node that comes or goes moves only what it wins or had. Whole numbers, because floating-point
//! logarithms differ in their last bit from host to host, and the nodes must agree.

use std::cmp::Ordering;

use super::name::NodeKey;
use super::settings::Standing;
use super::shard::Shard;
use crate::random::mix;

/// A node that would serve a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bid {
    pub(super) node: NodeKey,
    /// It wants to be rid of what it has.
    pub(super) is_draining: bool,
    weight: u16,
    preference: u8,
}

impl Bid {
    /// The bid of a node of this standing; `None` when it is excluded.
    pub(super) fn new(node: NodeKey, standing: Standing, is_draining: bool) -> Option<Self> {
        let Standing::Eligible { weight, preference } = standing else {
            return None;
        };
        Some(Self {
            node,
            is_draining,
            weight: weight.max(1),
            preference,
        })
    }

    /// Where it ranks for the shard with this [`seed`].
    pub(super) fn rank(self, seed: u64) -> Rank {
        // `mix` is one to one, so two nodes never draw the same number for one shard.
        let drawn = mix(seed ^ self.node.0);
        Rank {
            bid: self,
            distance: (64 << FRACTION) - log2(drawn | 1),
        }
    }
}

/// Where a node ranks for a shard; greater comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rank {
    pub(super) bid: Bid,
    /// `-log2` of the number drawn, below 65 and with [`FRACTION`] bits behind the point.
    distance: u64,
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> Ordering {
        let (ours, theirs) = (&self.bid, &other.bid);
        // distance / weight, the smaller the better, compared without dividing; 39 and 16 bits.
        let our_share = self.distance * u64::from(theirs.weight);
        let their_share = other.distance * u64::from(ours.weight);
        (theirs.is_draining.cmp(&ours.is_draining))
            .then(ours.preference.cmp(&theirs.preference))
            .then(their_share.cmp(&our_share))
            .then(ours.node.cmp(&theirs.node))
    }
}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The number of a shard that its ranks come from. Part of the wire format, as all of this file.
pub(super) const fn seed(shard: Shard) -> u64 {
    mix(shard.group.0 ^ mix(shard.index as u64))
}

/// The fence group of a shard, out of `fences`, by its number alone: the same on every node.
pub(super) fn fence(shard: Shard, fences: u16) -> u16 {
    let product = u128::from(seed(shard)) * u128::from(fences.max(1));
    u16::try_from(product >> 64).unwrap_or_default()
}

/// The number of a shard that its ranks come from where shards are fenced off in groups: that of its
/// group, because just one node can have the permit, so the same must come first for all of them.
pub(super) fn fenced_seed(shard: Shard, fences: Option<u16>) -> u64 {
    fences.map_or_else(|| seed(shard), |fences| mix(fence(shard, fences).into()))
}

/// The logarithm of a number that is not zero, with [`FRACTION`] bits behind the point.
///
/// Straight lines between 257 exact points: off by less than 3 in a million, never falling.
fn log2(number: u64) -> u64 {
    let zeros = number.leading_zeros();
    let fraction = (number << zeros) << 1;
    let point = usize::try_from(fraction >> 56).unwrap_or(0);
    let beyond = fraction << 8 >> 32;
    let [low, high] = [point, point + 1].map(|it| LOG2.get(it).copied().unwrap_or(0));
    (u64::from(63 - zeros) << FRACTION) + low + (((high - low) * beyond) >> 32)
}

/// Bits behind the point of a logarithm.
const FRACTION: u32 = 32;

/// The logarithms of 1, 1 + 1/256, up to 2.
const LOG2: [u64; 257] = {
    let mut table = [1 << FRACTION; 257];
    let mut point = 0;
    let mut rest: &mut [u64] = &mut table;
    while let [place, following @ ..] = rest {
        if point < 256 {
            *place = log2_bit_by_bit(256 + point);
        }
        point += 1;
        rest = following;
    }
    table
};

/// log2(x / 256) for 256 <= x < 512, by squaring: whenever the square reaches 2, the bit is one.
const fn log2_bit_by_bit(x: u64) -> u64 {
    let mut square = x << 23;
    let mut bits = 0;
    let mut left = FRACTION;
    while left > 0 {
        left -= 1;
        square = (square * square) >> 31;
        if square >> 32 > 0 {
            bits |= 1 << left;
            square >>= 1;
        }
    }
    bits
}

#[cfg(test)]
mod tests;
