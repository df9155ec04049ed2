use alloc::string::ToString;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

#[test]
fn a_prefix_is_every_address_of_it() {
    for (text, first, last) in [
        ("192.0.2.0/24", "192.0.2.0", "192.0.2.255"),
        ("192.0.2.0/31", "192.0.2.0", "192.0.2.1"),
        ("192.0.2.7/32", "192.0.2.7", "192.0.2.7"),
        ("0.0.0.0/0", "0.0.0.0", "255.255.255.255"),
        ("2001:db8::/126", "2001:db8::", "2001:db8::3"),
        (
            "2001:db8::/64",
            "2001:db8::",
            "2001:db8::ffff:ffff:ffff:ffff",
        ),
        ("::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ] {
        let range = range(text);
        assert_eq!(
            (range.first(), range.last()),
            (addr(first), addr(last)),
            "{text}"
        );
    }
}

#[test]
fn counts_are_exact_up_to_the_whole_of_ipv6() {
    for (text, count) in [
        ("192.0.2.0/24", AddressCount::new(256)),
        ("192.0.2.0/31", AddressCount::new(2)),
        ("192.0.2.0/32", AddressCount::new(1)),
        ("0.0.0.0/0", AddressCount::new(1 << 32)),
        ("192.0.2.0-192.0.2.10", AddressCount::new(11)),
        ("192.0.2.5-192.0.2.5", AddressCount::new(1)),
        ("2001:db8::-2001:db8::10", AddressCount::new(17)),
        ("2001:db8::/64", AddressCount::new(1 << 64)),
        ("2001:db8::/56", AddressCount::new(1 << 72)),
        ("fc00::-fc01::", AddressCount::new((1 << 112) + 1)),
        ("::/0", AddressCount::MAX),
    ] {
        assert_eq!(range(text).count(), count, "{text}");
    }
}

#[test]
fn a_netmask_is_a_prefix_length_in_other_words() {
    assert_eq!(range("192.0.2.0/255.255.255.252"), range("192.0.2.0/30"));
    assert_eq!(range("192.0.2.7/255.255.255.255"), range("192.0.2.7"));
    assert_eq!(range("0.0.0.0/0.0.0.0"), range("0.0.0.0/0"));
}

#[test]
fn spaces_around_the_dash_and_the_entry_do_not_matter() {
    assert_eq!(
        range("  198.51.100.10 - 198.51.100.20\t"),
        range("198.51.100.10-198.51.100.20")
    );
    assert_eq!(range(" 2001:db8::1 "), range("2001:db8::1"));
}

#[test]
fn any_valid_ipv6_spelling_is_accepted_and_printed_canonically() {
    assert_eq!(range("2001:0DB8:0000::0001").to_string(), "2001:db8::1");
    assert_eq!(range("2001:DB8::/64").to_string(), "2001:db8::/64");
}

#[test]
fn every_refusal_names_the_entry_the_part_and_the_reason() {
    for (text, problem) in REFUSALS {
        let message = text.parse::<AddressRange>().unwrap_err().to_string();
        assert!(
            message.starts_with(&alloc::format!("`{text}`: ")),
            "{message}"
        );
        assert!(message.contains(problem), "{text:?} gave {message:?}");
    }
}

#[test]
fn an_error_about_a_huge_entry_is_short() {
    let huge = "é".repeat(1 << 20);
    let error = huge.parse::<AddressRange>().unwrap_err();
    assert!(error.to_string().len() < 500);
}

#[test]
fn host_bits_are_dropped_only_when_asked() {
    assert_eq!(
        AddressRange::parse("192.0.2.10/24", HostBits::Drop),
        Ok(range("192.0.2.0/24"))
    );
    assert_eq!(
        AddressRange::parse("::1/0", HostBits::Drop),
        Ok(range("::/0"))
    );
}

#[test]
fn ends_given_as_addresses_are_checked_like_text() {
    let mixed = AddressRange::new(addr("192.0.2.1"), addr("::1")).unwrap_err();
    assert!(matches!(
        mixed.problem(),
        RangeProblem::MixedFamilies { .. }
    ));
    assert_eq!(mixed.entry(), "192.0.2.1-::1");
}

#[test]
fn contains_knows_its_ends_and_its_family() {
    let range = range("192.168.0.100-192.168.0.200");
    for inside in ["192.168.0.100", "192.168.0.150", "192.168.0.200"] {
        assert!(range.contains(addr(inside)), "{inside}");
    }
    for outside in [
        "192.168.0.99",
        "192.168.0.201",
        "::",
        "::c0a8:96",
        "::ffff:192.168.0.150",
    ] {
        assert!(!range.contains(addr(outside)), "{outside}");
    }
}

#[test]
fn ordinals_count_from_the_first_address() {
    let range = range("192.0.2.1-192.0.2.100");
    assert_eq!(range.ordinal(addr("192.0.2.2")), Some(1));
    assert_eq!(range.ordinal(addr("192.0.2.0")), None);
    assert_eq!(range.ordinal(addr("192.0.2.101")), None);
    assert_eq!(range.nth(0), Some(addr("192.0.2.1")));
    assert_eq!(range.nth(100), None);
    assert_eq!(
        AddressRange::all(Family::V6).nth(u128::MAX).map(to_bits),
        Some(u128::MAX)
    );
}

#[test]
fn families_never_overlap() {
    assert!(!range("10.0.0.0/8").overlaps(&range("::a00:0/104")));
    assert_eq!(range("0.0.0.0/0").intersection(&range("::/0")), None);
}

#[test]
fn overlap_is_decided_at_the_ends() {
    let range_100_to_200 = range("192.0.2.100-192.0.2.200");
    for (other, overlaps) in [
        ("192.0.2.1-192.0.2.99", false),
        ("192.0.2.201-192.0.2.250", false),
        ("192.0.2.1-192.0.2.100", true),
        ("192.0.2.200-192.0.2.250", true),
    ] {
        assert_eq!(
            range_100_to_200.overlaps(&range(other)),
            overlaps,
            "{other}"
        );
    }
}

#[test]
fn a_range_is_covered_by_the_fewest_prefixes() {
    for (text, blocks) in [
        ("192.0.2.16-192.0.2.31", "192.0.2.16/28"),
        (
            "198.51.100.10 - 198.51.100.20",
            ".10/31 .12/30 .16/30 .20/32",
        ),
        (
            "192.0.2.2-192.0.2.254",
            ".2/31 .4/30 .8/29 .16/28 .32/27 .64/26 .128/26 .192/27 .224/28 .240/29 .248/30 \
             .252/31 .254/32",
        ),
        ("2001:db8::1-2001:db8::6", "::1/128 ::2/127 ::4/127 ::6/128"),
        ("::/0", "::/0"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        (
            "::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "::1/128 ::2/127 ::4/126",
        ),
    ] {
        let found: Vec<_> = range(text)
            .blocks()
            .map(|block| block.to_string())
            .collect();
        for (block, ending) in found.iter().zip(blocks.split(' ')) {
            assert!(block.ends_with(ending), "{text}: {block} against {ending}");
        }
        let expected = blocks.split(' ').count();
        let is_prefix_of_list = text.starts_with("::1-");
        assert!(
            found.len() == expected || is_prefix_of_list,
            "{text}: {found:?}"
        );
    }
    assert_eq!(
        range("::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
            .blocks()
            .count(),
        128
    );
}

#[cfg(feature = "serde")]
#[test]
fn ranges_are_text_in_documents_and_errors_keep_their_sentence() {
    let range = range("10.0.0.1-10.0.0.9");
    assert_eq!(
        serde_json::to_string(&range).unwrap(),
        r#""10.0.0.1-10.0.0.9""#
    );
    let error = serde_json::from_str::<AddressRange>(r#""10.0.0.9-10.0.0.1""#).unwrap_err();
    assert!(
        error.to_string().contains("after its end 10.0.0.1"),
        "{error}"
    );
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(range in any_range()) {
        prop_assume!(!range.first().to_string().starts_with("::ffff:"));
        prop_assert_eq!(range.to_string().parse(), Ok(range));
    }

    #[test]
    fn blocks_cover_the_range_without_gap_or_overlap(range in any_range()) {
        let mut next = Some(range.first_bits());
        for block in range.blocks() {
            let block = AddressRange::from(block);
            prop_assert_eq!(Some(block.first_bits()), next);
            next = block.last_bits().checked_add(1);
        }
        prop_assert_eq!(next, range.last_bits().checked_add(1));
        prop_assert!(range.blocks().count() <= 2 * usize::from(range.family().bits()));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,60}") {
        drop(text.parse::<AddressRange>());
    }

    #[test]
    fn almost_valid_text_never_makes_the_parser_panic(text in "[0-9a-f:./, %-]{0,40}") {
        if let Ok(range) = text.parse::<AddressRange>() {
            prop_assert_eq!(range.to_string().parse(), Ok(range));
        }
    }
}

fn any_range() -> impl Strategy<Value = AddressRange> {
    let v4 = any::<(u32, u32)>().prop_map(|(a, b)| (Family::V4, u128::from(a), u128::from(b)));
    let v6 = any::<(u128, u128)>().prop_map(|(a, b)| (Family::V6, a, b));
    prop_oneof![v4, v6]
        .prop_map(|(family, a, b)| AddressRange::from_bits(family, a.min(b), a.max(b)).unwrap())
}

fn range(text: &str) -> AddressRange {
    text.parse().unwrap()
}

fn addr(text: &str) -> IpAddr {
    text.parse().unwrap()
}

const REFUSALS: &[(&str, &str)] = &[
    ("", "nothing is written here"),
    ("x", "`x` is not an IPv4 or IPv6 address"),
    ("192.0.2.", "`192.0.2.` is not an IPv4 or IPv6 address"),
    (
        "192.0.2.300/24",
        "`192.0.2.300` is not an IPv4 or IPv6 address",
    ),
    ("192.0.2.1-x", "`x` is not an IPv4 or IPv6 address"),
    ("192.0.2.1-", "the last address is missing"),
    ("-192.0.2.1", "the first address is missing"),
    ("192.0.2.1--192.0.2.9", "more than one dash"),
    ("192.0.2.1-192.0.2.2-192.0.2.3", "more than one dash"),
    (
        "192.0.2.9-192.0.2.3",
        "starts at 192.0.2.9, after its end 192.0.2.3",
    ),
    (
        "192.0.2.1-2001:db8::1",
        "different families (192.0.2.1 and 2001:db8::1)",
    ),
    ("192.0.2.0/24-192.0.3.0/24", "`192.0.2.0/24` is a prefix"),
    (
        "192.0.2.0/33",
        "prefix length `33` is not a number from 0 to 32",
    ),
    (
        "192.0.2.0/99",
        "prefix length `99` is not a number from 0 to 32",
    ),
    (
        "192.0.2.0/",
        "prefix length `` is not a number from 0 to 32",
    ),
    (
        "192.0.2.0/+8",
        "prefix length `+8` is not a number from 0 to 32",
    ),
    (
        "192.0.2.0/024",
        "prefix length `024` is not a number from 0 to 32",
    ),
    (
        "192.0.2.0/24/24",
        "prefix length `24/24` is not a number from 0 to 32",
    ),
    (
        "2001:db8::/129",
        "prefix length `129` is not a number from 0 to 128",
    ),
    (
        "192.0.2.0/255.255.0.254",
        "netmask 255.255.0.254 is not a run of ones",
    ),
    (
        "2001:db8::/255.255.255.0",
        "not the netmask `255.255.255.0`",
    ),
    ("2001:db8::/ffff:ffff::", "not the netmask `ffff:ffff::`"),
    (
        "192.0.2.10/24",
        "write 192.0.2.0/24 for the prefix or 192.0.2.10 for the one address",
    ),
    (
        "2001:db8::1/64",
        "write 2001:db8::/64 for the prefix or 2001:db8::1 for",
    ),
    ("010.0.0.1", "`010.0.0.1` has leading zeros"),
    ("10.0.0.1-10.0.0.09", "`10.0.0.09` has leading zeros"),
    ("fe80::1%eth0", "`fe80::1%eth0` names a zone"),
    (
        "::ffff:192.0.2.1",
        "IPv4 address in IPv6 dress; write 192.0.2.1",
    ),
    (
        "::ffff:10.0.0.0/104",
        "IPv4 address in IPv6 dress; write 10.0.0.0",
    ),
    (
        "::1-::ffff:10.0.0.0",
        "IPv4 address in IPv6 dress; write 10.0.0.0",
    ),
];
