use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;
use roaring::{RoaringBitmap, RoaringTreemap};

use super::*;
use crate::range_set::RangeSet;

#[test]
fn an_empty_set_is_an_empty_bitmap_in_a_frame() {
    let set = CompactSet::of(&index("10.0.0.0/8", ""));
    assert_eq!(set.count(), AddressCount::ZERO);
    assert_eq!(set.encode().len(), BITMAP_AT + 8);
    assert_eq!(CompactSet::decode(&set.encode()), Ok(set));
}

#[test]
fn a_full_slash_eight_takes_under_four_kilobytes() {
    let full = index("10.0.0.0/8", "10.0.0.0/8");
    let bytes = CompactSet::of(&full).encode();
    assert!(bytes.len() < 4_096, "{} bytes", bytes.len());
    assert_eq!(restored(&full, &bytes), full);
}

#[test]
fn delegated_prefixes_of_any_size_stay_small() {
    for taken in [
        "::/0",
        "::/1",
        "2001:db8::/32",
        "2001:db8::5-2001:db8:0:9::7",
    ] {
        let index = index("::/0", taken);
        let set = CompactSet::of(&index);
        assert_eq!(set.count(), index.taken(), "{taken}");
        let bytes = set.encode();
        // Two ends that are not whole blocks: a full 32-bit bitmap is 0.9 MB at most.
        assert!(bytes.len() < 2_000_000, "{taken}: {} bytes", bytes.len());
        assert_eq!(restored(&index, &bytes), index, "{taken}");
    }
}

#[test]
fn only_the_universe_is_written() {
    let holes = index("10.0.0.0/16,10.2.0.7-10.2.0.9", "10.0.0.5,10.2.0.8");
    assert_eq!(CompactSet::of(&holes).count(), AddressCount::new(2));
}

#[test]
fn another_family_or_universe_is_passed_over_and_the_count_tells() {
    let set = CompactSet::of(&index("10.0.0.0/24", "10.0.0.1-10.0.0.40"));
    assert_eq!(set.take_into(&mut index("::/0", "")), AddressCount::ZERO);
    let mut smaller = index("10.0.0.0/28", "");
    assert_eq!(set.take_into(&mut smaller), AddressCount::new(15));
    assert_eq!(smaller.taken(), AddressCount::new(15));
}

#[test]
fn every_changed_byte_is_noticed() {
    let bytes = CompactSet::of(&index("10.0.0.0/24", "10.0.0.3-10.0.0.9,10.0.0.77")).encode();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            assert!(
                CompactSet::decode(&changed).is_err(),
                "byte {at}, bit {bit}"
            );
        }
        assert!(CompactSet::decode(&bytes[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn each_break_of_the_format_is_named() {
    for (body, problem) in [
        (
            vec![1, 2, 3, 4],
            Malformed::UnknownCookie {
                cookie: 0x0403_0201,
            },
        ),
        (
            words(&[12_346, 65_537]),
            Malformed::TooManyContainers { containers: 65_537 },
        ),
        (words(&[12_346, 1]), Malformed::Truncated),
        (words(&[12_346, 0, 0]), Malformed::TrailingBytes),
        (words(&[12_346, 1, 0, 15, 0]), Malformed::WrongOffset),
        (
            words(&[12_346, 1, 1 << 16, 16, 0x0001_0001]),
            Malformed::ValuesOutOfOrder,
        ),
        (
            words(&[12_346, 2, 1, 0, 24, 26, 0]),
            Malformed::KeysOutOfOrder,
        ),
        // One run container: cookie, flag byte, key and length, run count, first and beyond.
        (run_bitmap(1, &[(0, 0), (1, 0)]), Malformed::RunsOutOfOrder),
        (run_bitmap(1, &[(65_535, 1)]), Malformed::RunsOutOfOrder),
        (run_bitmap(8, &[(0, 9)]), Malformed::WrongCardinality),
        (run_bitmap(0, &[]), Malformed::WrongCardinality),
    ] {
        let found = CompactSet::decode(&framed(4, 0, &body));
        assert_eq!(found, Err(DecodeError::Malformed(problem)), "{body:?}");
    }
}

#[test]
fn a_count_that_does_not_match_is_refused() {
    let body = run_bitmap(9, &[(0, 9)]);
    let found = AddressCount::new(10);
    assert_eq!(
        CompactSet::decode(&framed(4, 10, &body)).map(|set| set.count()),
        Ok(found)
    );
    let refused = CompactSet::decode(&framed(4, 11, &body));
    assert_eq!(refused, Err(DecodeError::Count { stored: 11, found }));
}

#[test]
fn a_container_inside_a_whole_block_is_refused() {
    let mut body = words(&[1, 7, 0, 0, 7, 0, 0, 1, 0, 0]);
    body.extend(1_u64.to_le_bytes());
    body.extend(words(&[7]));
    body.extend(words(&[12_346, 1, 0, 16]));
    body.extend([5, 0]);
    let refused = CompactSet::decode(&framed(6, (1 << 32) + 1, &body));
    assert_eq!(refused, Err(Malformed::CountedTwice.into()));
}

#[test]
fn a_whole_block_written_as_containers_is_refused() {
    let mut full = RoaringBitmap::new();
    full.insert_range(..);
    let mut body = words(&[0, 1, 0, 0]);
    body.extend(1_u64.to_le_bytes());
    body.extend(words(&[7]));
    body.extend(roaring_bytes(&full));
    let refused = CompactSet::decode(&framed(6, 1 << 32, &body));
    assert_eq!(refused, Err(Malformed::WholeBlock.into()));
}

#[test]
fn containers_of_other_writers_are_read_and_made_canonical() {
    // The roaring crate keeps what it is told until it is asked to optimise.
    let mut plain: RoaringBitmap = (0..5_000).collect();
    plain.insert(70_000);
    let mut unoptimised = Vec::new();
    plain.remove_run_compression();
    plain.serialize_into(&mut unoptimised).unwrap();
    let set = CompactSet::decode(&framed(4, 5_001, &unoptimised)).unwrap();
    assert_eq!(set.encode(), framed(4, 5_001, &roaring_bytes(&plain)));
}

#[test]
fn announced_sizes_do_not_make_the_reader_allocate() {
    // Headers for 65,536 containers that are not there: refused before anything is reserved.
    let body = words(&[12_346, 65_536]);
    assert_eq!(
        CompactSet::decode(&framed(4, 0, &body)),
        Err(Malformed::Truncated.into())
    );
    let mut body = words(&[u32::MAX, 0]);
    assert_eq!(
        CompactSet::decode(&framed(6, 0, &body)),
        Err(Malformed::Truncated.into())
    );
    body = words(&[0, 1, 0, 0, u32::MAX, u32::MAX]);
    assert_eq!(
        CompactSet::decode(&framed(6, 0, &body)),
        Err(Malformed::Truncated.into())
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 48 }))]

    #[test]
    fn ipv4_bytes_are_those_of_the_roaring_crate(parts in any_parts(32)) {
        let index = with_parts("0.0.0.0/0", &parts);
        let mut bitmap = RoaringBitmap::new();
        for range in index.taken_ranges() {
            let [first, last] = [range.first_bits(), range.last_bits()]
                .map(|bits| u32::try_from(bits).unwrap());
            bitmap.insert_range(first..=last);
        }
        let set = CompactSet::of(&index);
        let bytes = set.encode();
        let theirs = roaring_bytes(&bitmap);
        prop_assert_eq!(&bytes[BITMAP_AT..], &theirs[..]);
        prop_assert_eq!(CompactSet::decode(&framed(4, bitmap.len().into(), &theirs)), Ok(set));
        prop_assert_eq!(RoaringBitmap::deserialize_from(&bytes[BITMAP_AT..]).unwrap(), bitmap);
        prop_assert_eq!(restored(&index, &bytes), index);
    }

    #[test]
    fn ipv6_bytes_of_an_upper_half_are_those_of_the_roaring_treemap(parts in any_parts(64)) {
        let index = with_parts("::/0", &parts);
        let mut treemap = RoaringTreemap::new();
        for range in index.taken_ranges() {
            let [first, last] = [range.first_bits(), range.last_bits()]
                .map(|bits| u64::try_from(bits).unwrap());
            treemap.insert_range(first..=last);
        }
        let bytes = CompactSet::of(&index).encode();
        let mut theirs = Vec::new();
        let bitmaps = treemap.bitmaps().map(|(key, bitmap)| {
            let mut bitmap = bitmap.clone();
            bitmap.optimize();
            (key, bitmap)
        });
        RoaringTreemap::from_bitmaps(bitmaps).serialize_into(&mut theirs).unwrap();
        if !treemap.is_empty() {
            // No block runs, one upper half, which is zero.
            prop_assert_eq!(&bytes[BITMAP_AT..BITMAP_AT + 16], &words(&[0, 1, 0, 0])[..]);
            prop_assert_eq!(&bytes[BITMAP_AT + 16..], &theirs[..]);
        }
        prop_assert_eq!(restored(&index, &bytes), index);
    }

    #[test]
    fn equal_sets_give_equal_bytes_whatever_way_they_came_to_be(parts in any_parts(32)) {
        let forwards = with_parts("0.0.0.0/0", &parts);
        let mut backwards = with_parts("0.0.0.0/0", &[]);
        backwards.take_range(AddressRange::all(Family::V4));
        for range in forwards.free_ranges() {
            backwards.release_range(range);
        }
        prop_assert_eq!(CompactSet::of(&forwards).encode(), CompactSet::of(&backwards).encode());
    }

    #[test]
    fn taking_a_set_joins_it_with_what_is_there(left in any_parts(32), right in any_parts(32)) {
        let (a, b) = (with_parts("0.0.0.0/0", &left), with_parts("0.0.0.0/0", &right));
        let both = [left, right].concat();
        let expected = with_parts("0.0.0.0/0", &both);
        let mut joined = a.clone();
        let added = CompactSet::of(&b).take_into(&mut joined);
        prop_assert_eq!(added, expected.taken().saturating_sub(a.taken()));
        prop_assert_eq!(joined, expected);
    }

    #[test]
    fn flat_indexes_join_whole_chunks_too(
        left in proptest::collection::vec(0_u128..5_000, 0..400),
        right in proptest::collection::vec(0_u128..5_000, 0..400),
    ) {
        let mut a = index("10.0.250.3-10.1.9.9", "");
        let (mut b, mut expected) = (a.clone(), a.clone());
        let first = a.first_free().unwrap();
        for at in left {
            a.take(first + at);
            expected.take(first + at);
        }
        for at in right {
            b.take(first + at);
            expected.take(first + at);
        }
        CompactSet::of(&b).take_into(&mut a);
        prop_assert_eq!(a, expected);
    }

    #[test]
    fn hostile_bytes_are_an_error_or_a_set_that_reads_back(
        family in prop_oneof![Just(4), Just(6), any::<u8>()],
        count in any::<u16>(),
        body in any_body(),
    ) {
        if let Ok(set) = CompactSet::decode(&framed(family, count.into(), &body)) {
            prop_assert_eq!(CompactSet::decode(&set.encode()), Ok(set));
        }
        drop(CompactSet::decode(&body));
    }

    #[test]
    fn damaged_sets_never_panic(parts in any_parts(64), at: usize, byte: u8, cut: usize) {
        let mut body = CompactSet::of(&with_parts("::/0", &parts)).encode().split_off(BITMAP_AT);
        let len = body.len();
        body[at % len] = byte;
        body.truncate(cut % (len + 1));
        drop(CompactSet::decode(&framed(6, 0, &body)));
        drop(CompactSet::decode(&framed(4, 0, &body)));
    }
}

/// Where the frame ends.
const BITMAP_AT: usize = 28;

/// Start, step and count of addresses, or a range when the step is zero.
type Part = (u128, u128, u128);

/// Parts that make every kind of container, at places up to `bits` wide.
fn any_parts(bits: u32) -> impl Strategy<Value = Vec<Part>> {
    let most = if cfg!(miri) { 40 } else { 6_000_u128 };
    let start = prop_oneof![
        0..200_000_u128,
        any::<u64>().prop_map(move |start| u128::from(start) >> (64 - bits)),
    ];
    let part = (start, 0..4_u128, 1..most)
        .prop_map(move |(start, step, count)| (start.min((1 << bits) - 4 * 9_000), step, count));
    proptest::collection::vec(part, 0..6)
}

fn with_parts(universe: &str, parts: &[Part]) -> Occupancy {
    let mut index = index(universe, "");
    for (start, step, count) in parts {
        if *step == 0 {
            let range = AddressRange::from_bits(index.family(), *start, start + count).unwrap();
            index.take_range(range);
        }
        for n in 0..*count {
            index.take(start + n * step);
        }
    }
    index
}

/// Bytes that look like bitmaps: cookies, small counts, then anything.
fn any_body() -> impl Strategy<Value = Vec<u8>> {
    let cookie = prop_oneof![
        Just(12_346_u32),
        Just(12_347),
        (0..9_u32).prop_map(|n| (n << 16) + 12_347)
    ];
    let prefix = prop_oneof![Just(vec![]), Just(words(&[0, 1, 0, 0, 1, 0, 3]))];
    let tail = proptest::collection::vec(prop_oneof![3 => 0..9_u8, 1 => any::<u8>()], 0..80);
    (prefix, cookie, tail)
        .prop_map(|(prefix, cookie, tail)| [prefix, cookie.to_le_bytes().to_vec(), tail].concat())
}

fn restored(like: &Occupancy, bytes: &[u8]) -> Occupancy {
    let mut empty = like.clone();
    empty.release_range(AddressRange::all(like.family()));
    CompactSet::decode(bytes).unwrap().take_into(&mut empty);
    empty
}

fn roaring_bytes(bitmap: &RoaringBitmap) -> Vec<u8> {
    let mut bitmap = bitmap.clone();
    bitmap.optimize();
    let mut bytes = Vec::new();
    bitmap.serialize_into(&mut bytes).unwrap();
    bytes
}

/// A bitmap of one run container with these runs.
fn run_bitmap(beyond_first: u16, runs: &[(u16, u16)]) -> Vec<u8> {
    let mut bytes = words(&[12_347]);
    bytes.push(1);
    let count = u16::try_from(runs.len()).unwrap();
    for value in [0, beyond_first, count]
        .into_iter()
        .chain(runs.iter().flat_map(|r| [r.0, r.1]))
    {
        bytes.extend(value.to_le_bytes());
    }
    bytes
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// A valid frame around any body.
fn framed(family: u8, count: u128, body: &[u8]) -> Vec<u8> {
    let mut bytes = [MAGIC, [VERSION, family, 0, 0], [0; 4]].concat();
    bytes.extend(count.to_le_bytes());
    bytes.extend(body);
    let checksum = checksum(&bytes).to_le_bytes();
    bytes[CHECKSUM_AT..CHECKSUM_AT + 4].copy_from_slice(&checksum);
    bytes
}

fn index(universe: &str, taken: &str) -> Occupancy {
    let universe: RangeSet = universe.parse().unwrap();
    let family = universe.iter().next().unwrap().family();
    let mut index = Occupancy::new(family, &universe);
    for range in taken.parse::<RangeSet>().unwrap().iter() {
        index.take_range(*range);
    }
    index
}
