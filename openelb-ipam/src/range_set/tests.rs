use alloc::collections::BTreeSet;
use alloc::string::ToString;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

#[test]
fn lists_take_every_form_in_both_families() {
    let set = set("192.0.2.7, 198.51.100.0/255.255.255.0,\n\n2001:db8::1 - 2001:db8::9,\n");
    assert_eq!(
        set.to_string(),
        "192.0.2.7,198.51.100.0/24,2001:db8::1-2001:db8::9"
    );
    assert_eq!(set.count(Family::V4), AddressCount::new(257));
    assert_eq!(set.count(Family::V6), AddressCount::new(9));
}

#[test]
fn an_empty_text_is_the_empty_set_but_an_empty_entry_is_an_error() {
    assert_eq!(set(""), RangeSet::new());
    for text in [",", "192.0.2.1,,192.0.2.2", ",192.0.2.1"] {
        let message = text.parse::<RangeSet>().unwrap_err().to_string();
        assert!(
            message.contains("nothing is written here"),
            "{text:?}: {message}"
        );
    }
}

#[test]
fn a_bad_entry_is_named_by_position_text_and_reason() {
    let error = "192.0.2.0/24,hello".parse::<RangeSet>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "entry 2, `hello`: `hello` is not an IPv4 or IPv6 address"
    );
}

#[test]
fn an_address_listed_twice_is_an_error_that_names_both_sides() {
    for (text, common) in [
        ("198.51.100.0/24,198.51.100.128/25", "198.51.100.128/25"),
        ("192.0.2.1,192.0.2.1", "192.0.2.1"),
        (
            "203.0.113.10-203.0.113.20,203.0.113.16/28",
            "203.0.113.16-203.0.113.20",
        ),
        ("::/0,2001:db8::1", "2001:db8::1"),
    ] {
        match text.parse::<RangeSet>() {
            Err(ParseRangeSetError::Overlap {
                position: 2,
                overlap,
            }) => {
                assert_eq!(overlap.common.to_string(), common);
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn a_refused_insert_changes_nothing() {
    let mut pool = set("192.0.2.0/24");
    pool.insert_disjoint("192.0.2.255-192.0.3.9".parse().unwrap())
        .unwrap_err();
    assert_eq!(pool, set("192.0.2.0/24"));
}

#[test]
fn touching_ranges_become_one_at_both_ends_of_the_number_line() {
    let mut all = RangeSet::new();
    for text in ["8000::/1", "::/2", "4000::/2"] {
        all.insert(text.parse().unwrap());
    }
    assert_eq!(all.to_string(), "::/0");
    assert_eq!(all.count(Family::V6), AddressCount::MAX);
    all.remove("::".parse().unwrap());
    all.remove("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff".parse().unwrap());
    assert_eq!(all.count(Family::V6), AddressCount::new(u128::MAX - 1));
}

#[test]
fn families_never_overlap() {
    assert_eq!(set("0.0.0.0/0").overlap(&set("::/0")), None);
}

#[cfg(feature = "serde")]
#[test]
fn sets_are_text_in_documents() {
    let pool = set("192.0.2.0/24,2001:db8::/64");
    let json = serde_json::to_string(&pool).unwrap();
    assert_eq!(json, r#""192.0.2.0/24,2001:db8::/64""#);
    assert_eq!(serde_json::from_str::<RangeSet>(&json).unwrap(), pool);
}

proptest! {
    #[test]
    fn a_range_set_is_the_set_of_its_addresses(ops in edits()) {
        let (built, model) = build(&ops);
        prop_assert!(is_canonical(&built), "{}", built);
        for family in Family::ALL {
            let expected = model.iter().filter(|(f, _)| *f == family).count();
            prop_assert_eq!(built.count(family), AddressCount::from(expected as u64));
            for bits in 0..=MAX {
                let expected = model.contains(&(family, bits));
                prop_assert_eq!(built.contains_bits(family, bits), expected);
            }
        }
        prop_assert_eq!(built.to_string().parse::<RangeSet>().unwrap(), built);
    }

    #[test]
    fn algebra_agrees_with_sets_of_addresses(left in edits(), right in edits()) {
        let ((a, in_a), (b, in_b)) = (build(&left), build(&right));
        for (found, expected) in [
            (a.union(&b), in_a.union(&in_b).copied().collect::<BTreeSet<_>>()),
            (a.difference(&b), in_a.difference(&in_b).copied().collect()),
            (a.intersection(&b), in_a.intersection(&in_b).copied().collect()),
        ] {
            prop_assert!(is_canonical(&found), "{}", found);
            prop_assert_eq!(addresses(&found), expected);
        }
        let first_common = in_a.intersection(&in_b).next().copied();
        let overlap = a.overlap(&b).map(|range| (range.family(), range.first_bits()));
        prop_assert_eq!(overlap, first_common);
    }
}

const MAX: u128 = 40;

type Edit = (bool, Family, u128, u128);

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let family = prop_oneof![Just(Family::V4), Just(Family::V6)];
    proptest::collection::vec((any::<bool>(), family, 0..=MAX, 0..=MAX), 0..12)
}

fn build(edits: &[Edit]) -> (RangeSet, BTreeSet<(Family, u128)>) {
    let (mut set, mut model) = (RangeSet::new(), BTreeSet::new());
    for &(insert, family, a, b) in edits {
        let range = AddressRange::from_bits(family, a.min(b), a.max(b)).unwrap();
        let members = (a.min(b)..=a.max(b)).map(|bits| (family, bits));
        if insert {
            set.insert(range);
            model.extend(members);
        } else {
            set.remove(range);
            for member in members {
                model.remove(&member);
            }
        }
    }
    (set, model)
}

fn addresses(set: &RangeSet) -> BTreeSet<(Family, u128)> {
    set.iter()
        .flat_map(|r| (r.first_bits()..=r.last_bits()).map(|bits| (r.family(), bits)))
        .collect()
}

fn is_canonical(set: &RangeSet) -> bool {
    Family::ALL.into_iter().all(|family| {
        set.ranges(family)
            .windows(2)
            .all(|pair| pair[0].last_bits() + 1 < pair[1].first_bits())
    })
}

fn set(text: &str) -> RangeSet {
    text.parse().unwrap()
}
