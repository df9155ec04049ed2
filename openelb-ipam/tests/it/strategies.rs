//! Which free address each strategy gives.

use std::collections::BTreeSet;
use std::time::Duration;

use openelb_ipam::pool::Strategy;
use openelb_ipam::{Family, PoolSpec, Reason, Request, Time};

use crate::desk::{Desk, owner, pin, pool, single};

fn with(strategy: Strategy, range: &str) -> Desk {
    Desk::new(&[PoolSpec {
        strategy,
        ..pool("p", [range])
    }])
}

#[test]
fn lowest_gives_the_lowest_free_address() {
    let mut desk = with(Strategy::Lowest, "192.0.2.1-192.0.2.9");
    for name in ["a", "b", "c"] {
        desk.any(name);
    }
    desk.release("b");
    assert_eq!(
        (desk.any("d"), desk.any("e")),
        ("192.0.2.2".into(), "192.0.2.4".into())
    );
}

#[test]
fn next_fit_visits_every_address_before_one_repeats() {
    let mut desk = with(Strategy::NextFit, "192.0.2.1-192.0.2.8");
    let mut seen = BTreeSet::new();
    for _ in 0..8 {
        seen.insert(desk.any("a"));
        desk.release("a");
        desk.ipam = openelb_ipam::Ipam::restore(desk.ipam.snapshot()).unwrap();
    }
    assert_eq!(seen.len(), 8, "{seen:?}");
    assert_eq!(desk.any("a"), "192.0.2.1");
    assert_eq!(desk.ask("pinned", &pin("192.0.2.7")), "192.0.2.7");
    assert_eq!(
        desk.any("b"),
        "192.0.2.2",
        "a pinned address does not move the cursor"
    );
}

#[test]
fn least_recently_released_gives_fresh_addresses_first_and_respects_the_age() {
    let spec = PoolSpec {
        strategy: Strategy::LeastRecentlyReleased,
        cool_down: Duration::from_secs(10),
        ..pool("p", ["192.0.2.1-192.0.2.3"])
    };
    let mut desk = Desk::new(&[spec]);
    desk.any("a");
    desk.any("b");
    desk.release("b");
    desk.now = Time(1_000);
    desk.release("a");
    assert_eq!(desk.any("c"), "192.0.2.3", "never used before used");
    assert_eq!(
        desk.refusal("d", &Request::default()),
        Reason::PoolExhausted
    );
    desk.now = Time(11_000);
    desk.ipam.expire(desk.now);
    desk.serve_woken();
    assert_eq!(
        (desk.held("d"), desk.any("e")),
        ("192.0.2.2".into(), "192.0.2.1".into())
    );
}

#[test]
fn a_reservation_that_lapses_after_a_change_of_strategy_leaves_no_age_behind() {
    let aged = |strategy| PoolSpec {
        strategy,
        ..pool("p", ["192.0.2.1"])
    };
    let mut desk = Desk::new(&[aged(Strategy::LeastRecentlyReleased)]);
    desk.any("a");
    desk.release("a");
    let request = Request::default();
    desk.ipam
        .reserve(&owner("b"), &request, Time(9), Time(0))
        .unwrap();
    desk.set_pools(&[aged(Strategy::Lowest)]);
    desk.ipam.expire(Time(9));
    assert_eq!(desk.ipam.audit(), [""; 0]);
    openelb_ipam::Ipam::restore(desk.ipam.snapshot()).unwrap();
    assert_eq!(desk.any("c"), "192.0.2.1");
}

#[test]
fn random_fills_the_pool_without_repeating_and_follows_its_seed() {
    let fill = |seed| {
        let mut desk = with(Strategy::Random, "192.0.2.0-192.0.2.63");
        desk.ipam = desk.ipam.with_seed(seed);
        (0..64)
            .map(|n| desk.any(&format!("s{n}")))
            .collect::<Vec<_>>()
    };
    let (first, again, other) = (fill(1), fill(1), fill(2));
    assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 64);
    assert_eq!(first, again);
    assert_ne!(first, other);
}

/// Chi-square over 64 addresses, 6,400 draws: 63 degrees of freedom exceed 120 once in 40,000 runs;
/// the seed is fixed, so the figure is the same each time.
#[test]
fn random_gives_each_address_equally_often() {
    let mut counts = [0_u32; 64];
    let mut desk = with(Strategy::Random, "192.0.2.0-192.0.2.63");
    for n in 0..6_400 {
        let owner = owner(&format!("s{n}"));
        let given = desk
            .ipam
            .allocate(&owner, &Request::default(), Time(0))
            .unwrap();
        let std::net::IpAddr::V4(address) = given.addresses[0].address else {
            panic!("IPv6")
        };
        counts[usize::from(address.octets()[3])] += 1;
        desk.ipam
            .release(&owner.key, openelb_ipam::Fence::Any, Time(0))
            .unwrap();
    }
    let chi_square: f64 = counts
        .iter()
        .map(|&n| (f64::from(n) - 100.0).powi(2) / 100.0)
        .sum();
    assert!(chi_square < 120.0, "{chi_square}");
}

#[test]
fn hash_stable_depends_on_the_owner_alone() {
    let names = ["a", "b", "c", "d", "e"];
    let given = |order: &[&str]| {
        let mut desk = with(Strategy::HashStable, "2001:db8::/64");
        for name in order {
            desk.any(name);
        }
        names.map(|name| desk.held(name))
    };
    let mut reversed = names;
    reversed.reverse();
    assert_eq!(given(&names), given(&reversed));
    // The hash is documented and must never change: FNV-1a of the key, spread by SplitMix64.
    assert_eq!(given(&names)[0], GIVEN_TO_A);
}

const GIVEN_TO_A: &str = "2001:db8::46a:a03:5769:30c3";

#[test]
fn solicited_node_packs_thousands_of_addresses_into_one_multicast_group() {
    let mut desk = with(Strategy::SolicitedNode, "2001:db8::/64");
    let mut groups = BTreeSet::new();
    for n in 0..3_000 {
        let owner = owner(&format!("s{n}"));
        let given = desk
            .ipam
            .allocate(&owner, &single(Family::V6), Time(0))
            .unwrap();
        let std::net::IpAddr::V6(address) = given.addresses[0].address else {
            panic!("IPv4")
        };
        groups.insert(address.to_bits() & 0xff_ffff);
    }
    assert_eq!(groups.len(), 1);
    desk.release("s7");
    assert_eq!(
        desk.ask("new", &single(Family::V6)),
        "2001:db8::800:0",
        "the gap is found again"
    );
}

#[test]
fn solicited_node_falls_back_to_the_lowest_in_a_small_pool() {
    let mut desk = with(Strategy::SolicitedNode, "2001:db8::100-2001:db8::101");
    assert_eq!(
        (desk.any("a"), desk.any("b")),
        ("2001:db8::100".into(), "2001:db8::101".into())
    );
    desk.release("a");
    assert_eq!(desk.any("c"), "2001:db8::100");
}
