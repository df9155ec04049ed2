//! One suite for every layout, beside three sets that know nothing of each other.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use proptest::prelude::*;
use range_set_blaze::RangeSetBlaze;
use roaring::RoaringTreemap;

use super::*;
use crate::range::AddressRange;

/// Counts the steps of searches on this thread.
pub(super) mod steps {
    use core::cell::Cell;

    std::thread_local!(static STEPS: Cell<usize> = const { Cell::new(0) });

    pub(in crate::occupancy) fn count() {
        STEPS.set(STEPS.get() + 1);
    }

    /// The result of `search` and how many steps it took.
    pub(super) fn of<T>(search: impl FnOnce() -> T) -> (T, usize) {
        STEPS.set(0);
        let found = search();
        (found, STEPS.get())
    }
}

#[test]
fn next_free_takes_a_bounded_number_of_steps_at_any_size_and_fill() {
    for (family, universe) in UNIVERSES {
        let mut index = index(family, universe);
        for fill in [
            "empty",
            "first half",
            "every other of a stretch",
            "all but the last",
        ] {
            let ranges: Vec<_> = set(universe).ranges(family).to_vec();
            let (first, last) = (ranges[0].first_bits(), ranges[ranges.len() - 1].last_bits());
            match fill {
                "first half" => {
                    index.take_range(range(family, first, first.midpoint(last)));
                }
                "every other of a stretch" => {
                    for bits in (first.midpoint(last)..last).step_by(2).take(70_000) {
                        index.take(bits);
                    }
                }
                "all but the last" if first < last => {
                    index.take_range(range(family, first, last - 1));
                }
                _ => {}
            }
            let (found, steps) = steps::of(|| index.first_free());
            assert_eq!(
                found.is_none(),
                index.free().is_zero(),
                "{universe}, {fill}"
            );
            assert!(steps <= MOST_STEPS, "{universe}, {fill}: {steps} steps");
            let (_, steps) = steps::of(|| index.next_free(first.midpoint(last)));
            assert!(
                steps <= MOST_STEPS,
                "{universe}, {fill}: {steps} steps from the middle"
            );
        }
    }
}

#[test]
fn exhaustion_is_answered_without_a_search_at_any_size() {
    for (family, universe) in UNIVERSES {
        let mut index = index(family, universe);
        index.take_range(AddressRange::all(family));
        assert_eq!(steps::of(|| index.first_free()), (None, 0), "{universe}");
        assert_eq!(
            steps::of(|| index.random_free(|| 0)),
            (None, 0),
            "{universe}"
        );
        assert_eq!(
            (index.free(), index.free_runs()),
            (AddressCount::ZERO, 0),
            "{universe}"
        );
    }
}

#[test]
fn counts_are_exact_over_all_of_ipv6() {
    let mut all = index(Family::V6, "::/0");
    assert_eq!(
        (all.capacity(), all.free()),
        (AddressCount::MAX, AddressCount::MAX)
    );
    assert_eq!(all.largest_free_run(), Some(AddressRange::all(Family::V6)));
    for bits in [0, 1, u128::MAX, 1 << 100] {
        assert!(all.take(bits));
    }
    assert_eq!(all.taken(), AddressCount::new(4));
    assert_eq!(all.free().to_u128(), Some(u128::MAX - 3));
    assert_eq!(all.free_runs(), 2);
    assert_eq!(all.first_free(), Some(2));
    assert_eq!(all.next_free(u128::MAX), None);
    assert_eq!(all.nth_free(u128::MAX - 4), Some(u128::MAX - 1));
    assert_eq!(
        all.take_range(AddressRange::all(Family::V6)).to_u128(),
        Some(u128::MAX - 3)
    );
    assert_eq!(all.taken(), AddressCount::MAX);
    assert_eq!(
        all.release_range(AddressRange::all(Family::V6)),
        AddressCount::MAX
    );
    assert_eq!(all, index(Family::V6, "::/0"));
}

#[test]
fn exclusions_are_never_found_taken_or_freed() {
    let pool = set("10.0.0.0/8").difference(&set("10.0.0.0/16,10.255.255.255"));
    let mut index = Occupancy::new(Family::V4, &pool);
    assert_eq!(index.first_free(), Some(10 << 24 | 1 << 16));
    assert!(!index.take(10 << 24) && !index.release(10 << 24));
    assert!(index.is_taken(10 << 24) && !index.in_universe(10 << 24));
    assert_eq!(
        index.release_range(AddressRange::all(Family::V4)),
        AddressCount::ZERO
    );
    assert_eq!(index.free(), index.capacity());
    assert_eq!(
        index.capacity(),
        AddressCount::new((1 << 24) - (1 << 16) - 1)
    );
}

#[test]
fn an_empty_universe_has_nothing_to_give() {
    let mut none = index(Family::V6, "10.0.0.0/8");
    assert_eq!(
        (none.capacity(), none.first_free(), none.free_runs()),
        (AddressCount::ZERO, None, 0)
    );
    assert!(!none.take(0) && !none.release(0) && none.is_taken(0));
    assert_eq!(none.random_free(|| 0), None);
    assert_eq!(none.free_prefix(128), None);
    assert_eq!(none.largest_free_run(), None);
}

#[test]
fn another_family_is_not_touched() {
    let mut v4 = index(Family::V4, "0.0.0.0/24");
    assert_eq!(v4.take_range("::/0".parse().unwrap()), AddressCount::ZERO);
    assert_eq!(v4.free(), AddressCount::new(256));
}

#[test]
fn random_is_uniform_over_free_addresses_of_any_layout_and_fill() {
    for (family, universe, taken) in [
        (Family::V4, "10.0.0.0/26", "10.0.0.3-10.0.0.50"),
        (Family::V4, "10.0.0.0/8", "10.0.0.0-10.255.255.239"),
        (Family::V4, "10.0.0.0/8", "10.0.0.20-10.255.255.251"),
        (
            Family::V6,
            "2001:db8::/64",
            "2001:db8::8-2001:db8::ffff:ffff:ffff:fff7",
        ),
        (
            Family::V6,
            "::/0",
            "::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff0",
        ),
    ] {
        let mut index = index(family, universe);
        for range in set(taken).iter() {
            index.take_range(*range);
        }
        let free: Vec<u128> = index
            .free_ranges()
            .flat_map(|r| r.first_bits()..=r.last_bits())
            .collect();
        let mut counts = alloc::vec![0_u32; free.len()];
        let mut generator = SplitMix(universe.len() as u64);
        let draws = 2_000 * u32::try_from(free.len()).unwrap();
        for _ in 0..draws {
            let found = index.random_free(|| generator.next()).unwrap();
            counts[free.binary_search(&found).expect("a free address")] += 1;
        }
        let chi_square: f64 = counts
            .iter()
            .map(|count| (f64::from(*count) - 2_000.0).powi(2) / 2_000.0)
            .sum();
        // Mean k, deviation sqrt(2k): six deviations away is once in a thousand million runs, and
        // the generator is seeded, so this either always passes or never does.
        let freedom = f64::from(draws / 2_000 - 1);
        assert!(
            chi_square < freedom + 6.0 * (2.0 * freedom).sqrt(),
            "{universe}: {chi_square}"
        );
    }
}

#[test]
fn rank_and_address_are_inverse_through_every_container() {
    let mut index = index(Family::V4, "10.0.0.0/8");
    mixed_containers(&mut index);
    let free = index.free().to_u128().unwrap();
    let mut expected = index
        .free_ranges()
        .flat_map(|r| r.first_bits()..=r.last_bits());
    let mut rank = 0;
    while rank < free {
        assert_eq!(index.nth_free(rank), expected.next(), "rank {rank}");
        expected.nth(9_996);
        rank += 9_998;
    }
    assert_eq!(index.nth_free(free), None);
}

#[test]
fn the_longest_free_run_is_the_longest_of_all_free_runs() {
    for (family, universe) in UNIVERSES {
        let mut index = index(family, universe);
        if universe == "10.0.0.0/8" {
            mixed_containers(&mut index);
        }
        let expected = index.free_ranges().max_by(|a, b| {
            a.count()
                .cmp(&b.count())
                .then(b.first_bits().cmp(&a.first_bits()))
        });
        assert_eq!(index.largest_free_run(), expected, "{universe}");
    }
}

#[test]
fn a_full_slash_eight_is_two_entries_and_an_empty_one_three() {
    let mut index = index(Family::V4, "10.0.0.0/8");
    let empty = index.clone();
    index.take_range("10.0.0.0/8".parse().unwrap());
    let Store::Chunked(directory) = &index.store else {
        panic!("2^24 addresses are chunked")
    };
    assert_eq!(directory.entries(), 1, "one run over all of IPv4");
    index.release_range("10.0.0.0/8".parse().unwrap());
    assert_eq!(index, empty);
    let Store::Chunked(directory) = &index.store else {
        panic!("2^24 addresses are chunked")
    };
    assert_eq!(
        directory.entries(),
        2,
        "what lies before and behind the pool"
    );
}

#[test]
fn a_million_sequential_addresses_of_a_slash_64_are_a_few_entries() {
    let mut index = index(Family::V6, "2001:db8::/64");
    let first = index.first_free().unwrap();
    for bits in first..first + SEQUENTIAL {
        assert!(index.take(bits));
    }
    assert_eq!(index.first_free(), Some(first + SEQUENTIAL));
    let Store::Chunked(directory) = &index.store else {
        panic!("2^64 addresses are chunked")
    };
    assert!(directory.entries() <= 4, "{} entries", directory.entries());
}

#[test]
fn the_last_address_of_a_chunk_comes_and_goes_without_a_bitmap() {
    let mut index = index(Family::V4, "10.0.0.0/8");
    let last = 10 << 24 | 0xffff;
    index.take_range("10.0.0.0/16".parse().unwrap());
    for _ in 0..3 {
        assert!(index.release(last));
        assert_eq!(index.first_free(), Some(last));
        assert!(index.take(last));
        assert_eq!(index.first_free(), Some(last + 1));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 96 }))]

    #[test]
    fn every_layout_is_the_set_of_its_taken_addresses(
        which in 0..UNIVERSES.len(),
        ops in proptest::collection::vec(any_op(), 1..if cfg!(miri) { 25 } else { 120 }),
    ) {
        let (family, universe) = UNIVERSES[which];
        let mut tested = Tested::new(family, universe);
        for op in ops {
            tested.apply(op)?;
        }
        tested.check()?;
    }
}

/// Pools of both layouts, at both ends of both families, with and without holes.
const UNIVERSES: [(Family, &str); 9] = [
    (Family::V4, "192.0.2.7"),
    (Family::V4, "192.0.2.16-192.0.2.200"),
    (Family::V4, "10.0.0.0/16"),
    (Family::V4, "10.7.255.200-10.23.1.99,10.24.0.0/20"),
    (Family::V4, "10.0.0.0/8"),
    (Family::V4, "0.0.0.0/0"),
    (Family::V6, "2001:db8::1-2001:db8::4:7fff"),
    (
        Family::V6,
        "2001:db8::/64,2001:db8:0:2::5-2001:db8:0:2::1:0005",
    ),
    (Family::V6, "::/0"),
];

/// A search looks at up to three directory entries, three groups and two bitmaps of three levels.
const MOST_STEPS: usize = 16;

/// Miri runs a thousandth of a million addresses in the time that we have.
const SEQUENTIAL: u128 = if cfg!(miri) { 1_000 } else { 1_000_000 };

#[derive(Clone, Copy, Debug)]
enum Op {
    Take(Place),
    Release(Place),
    TakeRange(Place, u128),
    ReleaseRange(Place, u128),
    /// Every `step`th of some addresses: makes arrays and bitmaps.
    Comb {
        take: bool,
        place: Place,
        step: u128,
        count: usize,
    },
}

/// An address: near one of the places where something happens.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Which end of which range.
    range: usize,
    from_end: bool,
    offset: u128,
}

fn any_op() -> impl Strategy<Value = Op> {
    let length = prop_oneof![
        0..5_u128,
        60..200_u128,
        65_530..65_540_u128,
        4_194_300..4_194_310_u128,
        9_000_000..9_000_002_u128
    ];
    let comb = (any::<bool>(), place(), 1..9_u128, 1..2_500_usize).prop_map(
        |(take, place, step, count)| Op::Comb {
            take,
            place,
            step,
            count,
        },
    );
    prop_oneof![
        4 => place().prop_map(Op::Take),
        4 => place().prop_map(Op::Release),
        2 => (place(), length.clone()).prop_map(|(place, length)| Op::TakeRange(place, length)),
        2 => (place(), length).prop_map(|(place, length)| Op::ReleaseRange(place, length)),
        1 => comb,
    ]
}

fn place() -> impl Strategy<Value = Place> {
    let offset = prop_oneof![
        0..70_u128,
        250..260_u128,
        65_530..65_540_u128,
        131_070..131_074_u128,
        4_194_300..4_194_306_u128,
        any::<u32>().prop_map(u128::from),
    ];
    (any::<usize>(), any::<bool>(), offset).prop_map(|(range, from_end, offset)| Place {
        range,
        from_end,
        offset,
    })
}

/// The index and its three models. The models see addresses relative to the universe's edges.
struct Tested {
    index: Occupancy,
    universe: RangeSet,
    /// Interesting addresses, one by one.
    ordered: BTreeSet<u128>,
    /// The same as ranges: knows next-free, runs and counts.
    blaze: RangeSetBlaze<u128>,
    /// The same as 64-bit roaring, one set for each upper half.
    roaring: alloc::collections::BTreeMap<u64, RoaringTreemap>,
    touched: BTreeSet<u128>,
}

impl Tested {
    fn new(family: Family, universe: &str) -> Self {
        Self {
            index: index(family, universe),
            universe: set(universe),
            ordered: BTreeSet::new(),
            blaze: RangeSetBlaze::new(),
            roaring: alloc::collections::BTreeMap::new(),
            touched: BTreeSet::new(),
        }
    }

    fn apply(&mut self, op: Op) -> Result<(), TestCaseError> {
        match op {
            Op::Take(place) => self.change(self.address(place), true)?,
            Op::Release(place) => self.change(self.address(place), false)?,
            Op::TakeRange(place, length) => self.change_range(place, length, true)?,
            Op::ReleaseRange(place, length) => self.change_range(place, length, false)?,
            Op::Comb {
                take,
                place,
                step,
                count,
            } => {
                let first = self.address(place);
                for n in 0..count as u128 {
                    let Some(bits) = first.checked_add(n * step) else {
                        break;
                    };
                    self.change(bits, take)?;
                }
            }
        }
        prop_assert_eq!(self.index.taken(), taken_count(&self.blaze));
        Ok(())
    }

    fn change(&mut self, bits: u128, take: bool) -> Result<(), TestCaseError> {
        let inside = self.universe.contains_bits(self.index.family(), bits);
        let (high, low) = halves(bits);
        let segment = self.roaring.entry(high).or_default();
        let (changed, expected) = if take {
            let expected = inside && self.blaze.insert(bits);
            prop_assert!(!expected || segment.insert(low), "roaring knew {bits:#x}");
            (self.index.take(bits), expected)
        } else {
            let expected = inside && self.blaze.remove(bits);
            prop_assert!(
                !expected || segment.remove(low),
                "roaring did not know {bits:#x}"
            );
            (self.index.release(bits), expected)
        };
        prop_assert_eq!(changed, expected, "{:#x}", bits);
        if expected && take {
            self.ordered.insert(bits);
        } else if expected {
            self.ordered.remove(&bits);
        }
        self.touched.insert(bits);
        Ok(())
    }

    fn change_range(
        &mut self,
        place: Place,
        length: u128,
        take: bool,
    ) -> Result<(), TestCaseError> {
        let family = self.index.family();
        let first = self.address(place);
        let last = first.saturating_add(length).min(family.max_bits());
        let whole = range(family, first, last);
        let before = taken_count(&self.blaze);
        for part in self.universe.intersection(&whole.into()).ranges(family) {
            let (first, last) = (part.first_bits(), part.last_bits());
            let members = RangeSetBlaze::from_iter([first..=last]);
            self.blaze = if take {
                &self.blaze | &members
            } else {
                &self.blaze - &members
            };
            self.change_small_models(first, last, take);
        }
        let after = taken_count(&self.blaze);
        let (changed, expected) = if take {
            (self.index.take_range(whole), after.saturating_sub(before))
        } else {
            (
                self.index.release_range(whole),
                before.saturating_sub(after),
            )
        };
        prop_assert_eq!(changed, expected, "{}", whole);
        self.touched.extend([first, last]);
        Ok(())
    }

    fn change_small_models(&mut self, first: u128, last: u128, take: bool) {
        let ((high, low), (last_high, last_low)) = (halves(first), halves(last));
        // The lengths drawn cross at most one border of upper halves.
        for (high, span) in [(
            high,
            low..=if high == last_high {
                last_low
            } else {
                u64::MAX
            },
        )]
        .into_iter()
        .chain((high != last_high).then_some((last_high, 0..=last_low)))
        {
            let segment = self.roaring.entry(high).or_default();
            if take {
                segment.insert_range(span)
            } else {
                segment.remove_range(span)
            };
        }
        if take {
            // Too many to hold one by one: the set of single addresses keeps the edges.
            self.ordered.extend((first..=last).take(100));
            self.ordered.extend((first..=last).rev().take(100));
        } else {
            self.ordered.retain(|bits| !(first..=last).contains(bits));
        }
    }

    /// Everything that can be asked, at every place that was touched.
    fn check(&self) -> Result<(), TestCaseError> {
        let family = self.index.family();
        for bits in &self.ordered {
            prop_assert!(self.index.is_taken(*bits), "{:#x}", bits);
        }
        let free = self.model_free();
        let runs: Vec<_> = free
            .ranges()
            .map(|r| range(family, *r.start(), *r.end()))
            .collect();
        for touched in &self.touched {
            self.check_around(*touched, &runs)?;
        }
        prop_assert_eq!(self.index.free_runs(), runs.len() as u64);
        prop_assert!(self.index.free_ranges().eq(runs.iter().copied()));
        let taken: RangeSet = self.index.taken_ranges().collect();
        let expected: RangeSet = self
            .blaze
            .ranges()
            .map(|r| range(family, *r.start(), *r.end()))
            .collect();
        prop_assert_eq!(taken, expected);
        let longest = runs.iter().map(AddressRange::count).max();
        prop_assert_eq!(
            self.index.largest_free_run().map(|run| run.count()),
            longest
        );
        self.check_ranks(&runs)?;
        self.check_prefixes(&runs)
    }

    fn check_around(&self, bits: u128, runs: &[AddressRange]) -> Result<(), TestCaseError> {
        for bits in [bits.saturating_sub(1), bits, bits.saturating_add(1)] {
            let (high, low) = halves(bits);
            let in_roaring = self
                .roaring
                .get(&high)
                .is_some_and(|segment| segment.contains(low));
            let inside = self.universe.contains_bits(self.index.family(), bits);
            prop_assert_eq!(
                self.index.is_taken(bits),
                in_roaring || !inside,
                "{:#x}",
                bits
            );
            let at = runs.partition_point(|run| run.last_bits() < bits);
            let next = runs.get(at).map(|run| run.first_bits().max(bits));
            prop_assert_eq!(self.index.next_free(bits), next, "{:#x}", bits);
        }
        Ok(())
    }

    fn check_ranks(&self, runs: &[AddressRange]) -> Result<(), TestCaseError> {
        let mut rank = 0_u128;
        for run in runs {
            prop_assert_eq!(self.index.nth_free(rank), Some(run.first_bits()));
            let length = run.last_bits() - run.first_bits();
            prop_assert_eq!(self.index.nth_free(rank + length), Some(run.last_bits()));
            // Over all of IPv6 the rank ends at 2^128, and so does the loop.
            rank = rank.wrapping_add(length).wrapping_add(1);
        }
        Ok(())
    }

    fn check_prefixes(&self, runs: &[AddressRange]) -> Result<(), TestCaseError> {
        let bits = self.index.family().bits();
        for length in 0..=bits {
            let beyond = u128::MAX
                .checked_shr(128 - u32::from(bits - length))
                .unwrap_or(0);
            let expected = runs.iter().find_map(|run| {
                let start = run.first_bits().checked_add(beyond)? & !beyond;
                run.last_bits()
                    .checked_sub(start)
                    .filter(|rest| *rest >= beyond)
                    .map(|_| start)
            });
            prop_assert_eq!(self.index.free_prefix(length), expected, "/{}", length);
        }
        Ok(())
    }

    fn model_free(&self) -> RangeSetBlaze<u128> {
        let family = self.index.family();
        let universe = self
            .universe
            .ranges(family)
            .iter()
            .map(|r| r.first_bits()..=r.last_bits());
        &universe.collect::<RangeSetBlaze<u128>>() - &self.blaze
    }

    fn address(&self, place: Place) -> u128 {
        let ranges = self.universe.ranges(self.index.family());
        let range = ranges[place.range % ranges.len()];
        if place.from_end {
            range.last_bits().saturating_sub(place.offset)
        } else {
            range.first_bits().saturating_add(place.offset)
        }
        .min(self.index.family().max_bits())
    }
}

/// Chunks of every kind side by side: full, absent, few taken, few free, bitmap, and full groups.
fn mixed_containers(index: &mut Occupancy) {
    let base = 10 << 24;
    index.take_range(range(Family::V4, base, base + (5 << 20)));
    index.take_range(range(
        Family::V4,
        base + (6 << 20) + 7,
        base + (7 << 20) + 100_000,
    ));
    for n in 0..20_000 {
        index.take(base + (12 << 20) + 3 * n);
    }
    for n in 0..300 {
        index.release(base + 1_000 + 7 * n);
    }
}

fn taken_count(set: &RangeSetBlaze<u128>) -> AddressCount {
    set.ranges()
        .map(|run| AddressCount::between(*run.start(), *run.end()))
        .sum()
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is wanted")]
fn halves(bits: u128) -> (u64, u64) {
    ((bits >> 64) as u64, bits as u64)
}

fn index(family: Family, universe: &str) -> Occupancy {
    Occupancy::new(family, &set(universe))
}

fn set(text: &str) -> RangeSet {
    text.parse().unwrap()
}

fn range(family: Family, first: u128, last: u128) -> AddressRange {
    AddressRange::from_bits(family, first, last).unwrap()
}

/// A small generator of well-mixed words (Steele, Lea, Flood 2014).
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
