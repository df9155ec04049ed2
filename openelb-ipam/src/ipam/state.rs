//! A pool at work: its index, its counters, and which address it would give next.

use alloc::collections::BTreeSet;
use alloc::string::String;

use hashbrown::HashMap;

use crate::count::AddressCount;
use crate::family::{DualStack, Family};
use crate::name::PoolName;
use crate::occupancy::Occupancy;
use crate::pool::{Pool, Strategy};
use crate::row::MarkState;
use crate::time::Time;

/// A pool with everything that changes as addresses come and go.
// Invariant (I3): free + resting + used + prefixed + reserved + cooling + quarantined = capacity.
#[derive(Clone, Debug)]
pub(super) struct PoolState {
    pub(super) pool: Pool,
    /// The elder pool that it overlaps; it then gives nothing new.
    pub(super) conflict: Option<PoolName>,
    /// Families for which this is the default pool.
    pub(super) is_default: DualStack<bool>,
    /// Taken bits: every address that is not simply free.
    pub(super) index: DualStack<Occupancy>,
    pub(super) counts: DualStack<Counts>,
    /// The address given last, kept by next-fit pools.
    pub(super) cursor: DualStack<Option<u128>>,
    /// Released addresses by age, kept by least-recently-released pools.
    pub(super) resting: DualStack<BTreeSet<(Time, u128)>>,
    /// Claims by namespace, kept by pools with a quota.
    pub(super) claims_of: HashMap<String, DualStack<u32>>,
    /// No address of the solicited-node order is free before this one.
    packed: (u128, u128),
}

/// How many addresses of one family are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) used: u64,
    pub(super) prefixed: AddressCount,
    pub(super) reserved: u64,
    pub(super) cooling: u64,
    pub(super) quarantined: u64,
    pub(super) orphaned: u64,
    pub(super) claims: u64,
}

/// The state of an address that a counter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Used,
    Reserved,
    Cooling,
    Quarantined,
}

/// Who asks, as far as strategies care.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker<'a> {
    pub(super) key: &'a str,
    pub(super) now: Time,
    /// Differs from one decision to the next.
    pub(super) seed: u64,
}

impl PoolState {
    pub(super) fn new(pool: Pool) -> Self {
        let index = DualStack::from_fn(|family| Occupancy::new(family, pool.universe()));
        Self {
            pool,
            conflict: None,
            is_default: DualStack::default(),
            index,
            counts: DualStack::default(),
            cursor: DualStack::default(),
            resting: DualStack::default(),
            claims_of: HashMap::new(),
            packed: (0, 0),
        }
    }

    pub(super) fn name(&self) -> &PoolName {
        self.pool.name()
    }

    pub(super) fn strategy(&self) -> Strategy {
        self.pool.spec().strategy
    }

    /// Whether a mark has a meaning here: age has one only where the strategy goes by it.
    pub(super) fn can_carry(&self, mark: &MarkState) -> bool {
        !matches!(mark, MarkState::Resting { .. })
            || self.strategy() == Strategy::LeastRecentlyReleased
    }

    /// The counter of a class.
    pub(super) fn counter(&mut self, family: Family, class: Class) -> &mut u64 {
        let counts = &mut self.counts[family];
        match class {
            Class::Used => &mut counts.used,
            Class::Reserved => &mut counts.reserved,
            Class::Cooling => &mut counts.cooling,
            Class::Quarantined => &mut counts.quarantined,
        }
    }

    /// Addresses of a family that can be given, resting ones included.
    pub(super) fn free(&self, family: Family) -> AddressCount {
        let resting = AddressCount::from(self.resting[family].len() as u64);
        self.index[family].free().saturating_add(resting)
    }

    /// Addresses of a family that cannot be given now.
    pub(super) fn taken(&self, family: Family) -> AddressCount {
        self.index[family]
            .capacity()
            .saturating_sub(self.free(family))
    }

    /// Notes that the strategy's choice was given: cursors move.
    pub(super) fn gave(&mut self, family: Family, bits: u128) {
        match self.strategy() {
            Strategy::NextFit => self.cursor[family] = Some(bits),
            Strategy::SolicitedNode if family == Family::V6 => {
                let order = packed_order(bits);
                // Outside the groups tried, the address came from the lowest-first fallback.
                if order.0 < self.packed.0 + GROUPS_TRIED {
                    self.packed = order;
                }
            }
            _ => {}
        }
    }

    /// Notes that an address became free.
    pub(super) fn regained(&mut self, family: Family, bits: u128) {
        if family == Family::V6 {
            self.packed = self.packed.min(packed_order(bits));
        }
    }

    /// The address that the strategy gives next. It is free in the index, or resting.
    pub(super) fn next_address(&self, family: Family, asker: Asker<'_>) -> Option<u128> {
        let index = &self.index[family];
        match self.strategy() {
            Strategy::Lowest => index.first_free(),
            Strategy::NextFit => {
                let after = self.cursor[family].and_then(|last| last.checked_add(1));
                after
                    .and_then(|from| index.next_free(from))
                    .or_else(|| index.first_free())
            }
            Strategy::LeastRecentlyReleased => index
                .first_free()
                .or_else(|| self.longest_resting(family, asker.now)),
            Strategy::Random => {
                let mut draws = Draws(asker.seed ^ fnv1a(asker.key));
                index.random_free(|| draws.next())
            }
            Strategy::HashStable => {
                let from = self.stable_start(family, asker.key);
                from.and_then(|from| index.next_free(from))
                    .or_else(|| index.first_free())
            }
            Strategy::SolicitedNode => match family {
                Family::V4 => index.first_free(),
                Family::V6 => self.next_packed().or_else(|| index.first_free()),
            },
        }
    }

    fn longest_resting(&self, family: Family, now: Time) -> Option<u128> {
        let &(since, bits) = self.resting[family].first()?;
        (since + self.pool.spec().cool_down <= now).then_some(bits)
    }

    /// Where an owner's search starts: its hash, spread over all addresses.
    fn stable_start(&self, family: Family, key: &str) -> Option<u128> {
        let mut draws = Draws(fnv1a(key));
        let wide = (u128::from(draws.next()) << 64) | u128::from(draws.next());
        let capacity = self.index[family].capacity().to_u128_saturating();
        let mut ordinal = wide.checked_rem(capacity)?;
        for range in self.pool.universe().ranges(family) {
            let count = range.count().to_u128_saturating();
            if ordinal < count {
                return range.first_bits().checked_add(ordinal);
            }
            ordinal -= count;
        }
        None
    }

    /// The first free address in the order of `packed_order`: one group after the other.
    fn next_packed(&self) -> Option<u128> {
        let index = &self.index[Family::V6];
        if index.free().is_zero() {
            return None;
        }
        let (first_group, from) = self.packed;
        (first_group..GROUP.min(first_group + GROUPS_TRIED)).find_map(|group| {
            let from = if group == first_group { from } else { 0 };
            self.next_in_group(group, from)
        })
    }

    fn next_in_group(&self, group: u128, from: u128) -> Option<u128> {
        let index = &self.index[Family::V6];
        self.pool
            .universe()
            .ranges(Family::V6)
            .iter()
            .find_map(|range| {
                let start = range.first_bits().max(from);
                let mut bits = (start & !(GROUP - 1)) | group;
                if bits < start {
                    bits = bits.checked_add(GROUP)?;
                }
                while range.contains_bits(bits) {
                    if !index.is_taken(bits) {
                        return Some(bits);
                    }
                    bits = bits.checked_add(GROUP)?;
                }
                None
            })
    }
}

/// Sorts addresses by the solicited-node group that serves them (RFC 4291 2.7.1), then by number.
fn packed_order(bits: u128) -> (u128, u128) {
    (bits & (GROUP - 1), bits)
}

/// Pseudo-random numbers from a seed (`SplitMix64`): decisions can be replayed.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// FNV-1a with 64 bits: the documented hash behind [`Strategy::HashStable`], which must never change.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Addresses that share their low 24 bits share a solicited-node group.
const GROUP: u128 = 1 << 24;

/// In a pool smaller than a group every address has a group of its own; trying a few is enough to
/// know that packing cannot help.
const GROUPS_TRIED: u128 = 64;
