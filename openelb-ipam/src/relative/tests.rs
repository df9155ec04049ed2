//! Relative ranges, the ledger's own addresses, and the way there and back.

use core::net::{IpAddr, Ipv6Addr};

use proptest::prelude::*;

use super::{Names, PrefixName, Projection, ReadError, RelativeProblem, RelativeRange, Shown};
use super::{is_ledger, ledger_space, project, unproject};
use crate::Time;
use crate::dynamic_prefix::{Generation, Generations};

fn home() -> PrefixName {
    "home".parse().unwrap()
}

fn range(text: &str) -> Result<RelativeRange, RelativeProblem> {
    text.parse()
        .map_err(|error: super::RelativeRangeError| error.problem)
}

fn at(preferred: &str, deprecated: &[&str]) -> Projection {
    let generation = |text: &&str| Generation::new(text.parse().unwrap(), Time(0));
    let generations = Generations {
        preferred: Some(generation(&preferred)),
        deprecated: deprecated.iter().map(generation).collect(),
    };
    let mut projection = Projection::default();
    projection.insert(home(), generations).unwrap();
    projection
}

fn shown(projection: &Projection, ledger: IpAddr) -> Vec<String> {
    let addresses = projection.show(ledger).addresses().collect::<Vec<_>>();
    addresses.iter().map(ToString::to_string).collect()
}

#[test]
fn metallb_74_reversed_host_ranges_are_refused_and_single_hosts_accepted() {
    assert!(matches!(
        range("home/::1999-::1000"),
        Err(RelativeProblem::Host(_))
    ));
    let one = range("home/::1000-::1000").unwrap();
    assert_eq!(one, range("home/::1000").unwrap());
    assert_eq!(one.to_string(), "home/::1000");
}

#[test]
fn ranges_with_bits_of_a_prefix_in_either_end_are_refused() {
    for text in [
        "home/::1000-2001:db8::1fff",
        "home/2001:db8::1000-::1fff",
        "home/2001:db8::1000-2001:db8::1fff",
        "home/2001:db8::/64",
    ] {
        let problem = range(text).unwrap_err();
        assert!(
            matches!(problem, RelativeProblem::PrefixBits { .. }),
            "{text}: {problem}"
        );
    }
}

#[test]
fn what_is_no_relative_range_says_why() {
    for (text, part) in [
        ("::10", "no prefix is named"),
        ("/::10", "the name of the prefix is missing"),
        ("Home/::10", "lower-case letters"),
        ("home/", "nothing is written here"),
        ("home/192.0.2.1", "is an IPv4 address"),
        ("home/::10/112", "bits set beyond its prefix"),
        ("home/::ffff:192.0.2.1", "IPv4 address in IPv6 dress"),
    ] {
        let error = text.parse::<RelativeRange>().unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn no_address_and_no_range_of_either_family_is_taken_for_a_relative_one() {
    for text in [
        "192.0.2.0/24",
        "2001:db8::/64",
        "::/0",
        "192.0.2.1-192.0.2.9",
        "::1",
    ] {
        assert!(!RelativeRange::is_meant_by(text), "{text}");
    }
}

#[test]
fn metallb_71_host_ranges_appear_under_the_derived_prefix() {
    let hosts = range("home/::1000-::1999").unwrap();
    let projection = at("2001:db8:aaaa:bbcd::/64", &[]);
    let ends = [hosts.in_ledger().first(), hosts.in_ledger().last()];
    let ends = ends.map(|end| projection.show(end).current().unwrap().to_string());
    assert_eq!(
        ends,
        ["2001:db8:aaaa:bbcd::1000", "2001:db8:aaaa:bbcd::1999"]
    );
}

#[test]
fn metallb_75_addresses_of_ipv4_and_of_other_pools_are_untouched() {
    let projection = at("2001:db8:b::/64", &["2001:db8:a::/64"]);
    for text in ["192.0.2.1", "2001:db8:c::1"] {
        let address: IpAddr = text.parse().unwrap();
        assert_eq!(projection.show(address), Shown::Static(address));
        assert_eq!(projection.read(text), Ok(address));
    }
}

#[test]
fn metallb_76_the_new_address_comes_first_while_the_old_one_leaves() {
    let ledger = range("home/::1000").unwrap().in_ledger().first();
    let projection = at("2001:db8:b::/64", &["2001:db8:a::/64"]);
    assert_eq!(
        shown(&projection, ledger),
        ["2001:db8:b::1000", "2001:db8:a::1000"]
    );
    assert_eq!(
        shown(&at("2001:db8:b::/64", &[]), ledger),
        ["2001:db8:b::1000"]
    );
}

#[test]
fn metallb_79_a_pin_by_host_bits_follows_the_prefix() {
    for prefix in ["2001:db8:a::/64", "2001:db8:b::/64"] {
        let projection = at(prefix, &[]);
        let (bare, named) = (projection.read("::10"), projection.read("home/::10"));
        assert_eq!(bare, named);
        let full = prefix.replace("/64", "10");
        assert_eq!(
            projection.read(&full),
            named,
            "a full address is the same pin"
        );
        assert_eq!(shown(&projection, named.unwrap()), [full]);
    }
}

#[test]
fn host_bits_alone_are_refused_where_two_prefixes_may_be_meant() {
    let mut projection = at("2001:db8:a::/64", &[]);
    let office: PrefixName = "office".parse().unwrap();
    projection
        .insert(office.clone(), Generations::default())
        .unwrap();
    let error = projection.read("::10").unwrap_err();
    assert!(matches!(error, ReadError::WhichPrefix { .. }), "{error}");
    let meant = projection.read_host_in(&office, "::10".parse().unwrap());
    assert_eq!(meant, projection.read("office/::10").ok());
}

#[test]
fn a_prefix_that_is_not_known_yet_shows_nothing_and_can_be_pinned() {
    let mut projection = Projection::default();
    projection.insert(home(), Generations::default()).unwrap();
    let ledger = projection.read("home/::10").unwrap();
    let Shown::Following(following) = projection.show(ledger) else {
        panic!("it follows home");
    };
    assert_eq!(following.relative.to_string(), "home/::10");
    assert_eq!((following.current, following.former.len()), (None, 0));
}

#[test]
fn nobody_writes_the_ledgers_own_addresses() {
    let projection = at("2001:db8:a::/64", &[]);
    let own = ledger_space(&home()).network().to_string();
    assert!(matches!(
        projection.read(&own),
        Err(ReadError::Unassigned(_))
    ));
}

#[test]
fn a_host_part_too_long_for_the_prefix_is_shown_nowhere() {
    let ledger = range("home/::1:0:0:0:1").unwrap().in_ledger().first();
    assert_eq!(shown(&at("2001:db8:a::/64", &[]), ledger), [""; 0]);
    assert_eq!(
        shown(&at("2001:db8:a::/56", &[]), ledger),
        ["2001:db8:a:1::1"]
    );
}

#[test]
fn names_with_one_block_of_the_ledger_are_not_used_together() {
    // Found by trying two million names.
    let (first, second) = (
        "home-1849343".parse().unwrap(),
        "home-2193466".parse().unwrap(),
    );
    assert_eq!(ledger_space(&first), ledger_space(&second));
    let mut names = Names::default();
    names.insert(&first).unwrap();
    names.insert(&first).unwrap();
    let refused = names.insert(&second).unwrap_err().to_string();
    assert!(refused.contains("cannot be used together"), "{refused}");
    names.remove(&second);
    assert!(names.contains(&first), "only the one who is there can go");
    names.remove(&first);
    assert_eq!(names.insert(&second), Ok(()));
}

/// Two names, each with a prefix and when it had it first.
fn two(home: (&str, u64), office: (&str, u64)) -> Projection {
    let mut projection = Projection::default();
    for (name, (prefix, since)) in [("home", home), ("office", office)] {
        let generations = Generations {
            preferred: Some(Generation::new(prefix.parse().unwrap(), Time(since))),
            deprecated: Vec::new(),
        };
        projection
            .insert(name.parse().unwrap(), generations)
            .unwrap();
    }
    projection
}

#[test]
fn of_two_names_with_one_prefix_the_one_that_had_it_first_is_shown() {
    let a = "2001:db8:a::/64";
    for (home, office, shown) in [(1, 2, "home"), (2, 1, "office"), (1, 1, "home")] {
        let projection = two((a, home), (a, office));
        let [home, office] = ["home/::10", "office/::10"].map(|it| projection.read(it).unwrap());
        let shown_of = |ledger| projection.show(ledger).current();
        let address: IpAddr = "2001:db8:a::10".parse().unwrap();
        let (first, other) = if shown == "home" {
            (home, office)
        } else {
            (office, home)
        };
        assert_eq!((shown_of(first), shown_of(other)), (Some(address), None));
        assert_eq!(projection.read_address(address), first);
    }
    let overlaps = two((a, 1), (a, 2)).overlaps().to_vec();
    let words: Vec<_> = overlaps.iter().map(ToString::to_string).collect();
    assert_eq!(
        words,
        [
            "office is 2001:db8:a::/64, which is also that of home, and home keeps it; \
          give office another spec.subnet.number"
        ]
    );
}

#[test]
fn a_name_whose_prefix_lies_within_that_of_another_is_not_shown_until_the_other_leaves() {
    let mut projection = two(("2001:db8:a::/60", 1), ("2001:db8:a:3::/64", 2));
    let office = projection.read("office/::10").unwrap();
    assert_eq!(shown(&projection, office), [""; 0]);
    let overlap = projection.overlap_of("office").unwrap().to_string();
    assert!(
        overlap.contains("overlaps home with 2001:db8:a::/60"),
        "{overlap}"
    );
    assert_eq!(projection.overlap_of("home"), None);
    projection.remove(&home());
    assert_eq!(shown(&projection, office), ["2001:db8:a:3::10"]);
    assert!(projection.overlaps().is_empty());
}

#[test]
fn a_former_prefix_counts_as_long_as_it_is_shown() {
    let mut projection = at("2001:db8:b::/64", &["2001:db8:a::/64"]);
    let generations = Generations {
        preferred: Some(Generation::new("2001:db8:a::/64".parse().unwrap(), Time(9))),
        deprecated: vec![Generation::new("2001:db8:c::/64".parse().unwrap(), Time(1))],
    };
    let office: PrefixName = "office".parse().unwrap();
    projection.insert(office.clone(), generations).unwrap();
    let ledger = projection.read("office/::10").unwrap();
    assert_eq!(shown(&projection, ledger), ["2001:db8:c::10"]);
    assert_eq!(projection.shown(&office).count(), 1);
}

proptest! {
    #[test]
    fn no_two_names_are_ever_shown_under_overlapping_prefixes(
        claims in prop::collection::vec((0..4_usize, 0..8_u16, 58..=64_u8, 0..3_u64), 0..12),
    ) {
        let mut all = std::collections::BTreeMap::<usize, Vec<Generation>>::new();
        for (name, site, length, since) in claims {
            let prefix = Ipv6Addr::new(0x2001, 0xdb8, 0, site, 0, 0, 0, 0);
            let prefix = ipnet::Ipv6Net::new(prefix, length).unwrap().trunc();
            let own = all.entry(name).or_default();
            if own.iter().all(|it| it.prefix != prefix) {
                own.push(Generation::new(prefix, Time(since)));
            }
        }
        let mut projection = Projection::default();
        let mut told = Vec::new();
        for (name, mut generations) in all {
            let name: PrefixName = format!("name-{name}").parse().unwrap();
            told.extend(generations.iter().map(|it| (name.clone(), it.prefix)));
            let preferred = Some(generations.remove(0));
            projection.insert(name, Generations { preferred, deprecated: generations }).unwrap();
        }
        let is_shown = |(name, prefix): &(PrefixName, ipnet::Ipv6Net)| {
            projection.shown(name).any(|it| it.prefix == *prefix)
        };
        let meet = |one: &(PrefixName, ipnet::Ipv6Net), other: &(PrefixName, ipnet::Ipv6Net)| {
            one.0 != other.0 && (one.1.contains(&other.1) || other.1.contains(&one.1))
        };
        let (shown, hidden): (Vec<_>, Vec<_>) = told.into_iter().partition(is_shown);
        for one in &shown {
            prop_assert!(shown.iter().all(|other| !meet(one, other)));
        }
        for one in &hidden {
            prop_assert!(shown.iter().any(|other| meet(one, other)), "hidden for no reason");
        }
        prop_assert_eq!(projection.overlaps().len(), hidden.len());
    }

    #[test]
    fn every_host_part_finds_its_way_there_and_back(
        host in 0..1_u128 << 64,
        site: u128,
        length in 48..=64_u8,
        name in "[a-z]([a-z0-9-]{0,20}[a-z0-9])?",
    ) {
        let name: PrefixName = name.parse().unwrap();
        let site = Ipv6Addr::from_bits(0x2 << 124 | site >> 4);
        let prefix = ipnet::Ipv6Net::new(site, length).unwrap().trunc();
        let ledger = RelativeRange::from_bits(name.clone(), host, host).unwrap().in_ledger();
        let IpAddr::V6(ledger) = ledger.first() else { panic!("a prefix is of IPv6") };
        prop_assert!(is_ledger(ledger) && ledger_space(&name).contains(&ledger));
        let seen = project(ledger, prefix).unwrap();
        prop_assert!(prefix.contains(&seen) && !is_ledger(seen));
        prop_assert_eq!(seen.to_bits() & u128::from(u64::MAX), host);
        prop_assert_eq!(unproject(seen, prefix, &name), Some(ledger));
    }

    #[test]
    fn any_text_is_a_range_or_an_error_and_ranges_print_as_they_are_read(text in ".{0,60}") {
        if let Ok(range) = text.parse::<RelativeRange>() {
            prop_assert_eq!(range.to_string().parse::<RelativeRange>().unwrap(), range);
        }
    }

    #[test]
    fn relative_ranges_print_as_they_are_read(first in 0..1_u128 << 80, length in 0..1_u128 << 80) {
        let last = (first + length).min((1 << 80) - 1);
        let range = RelativeRange::from_bits(home(), first, last).unwrap();
        prop_assert_eq!(range.to_string().parse::<RelativeRange>().unwrap(), range);
    }
}
