//! The `LoadBalancer` contract of Kubernetes, as far as it is about giving addresses.
//!
//! Cases 1 to 4, 6, 16 and 17 are about API objects and live with the Kubernetes front end.

use std::time::Duration;

use openelb_ipam::ipam::Status;
use openelb_ipam::pool::OnShrink;
use openelb_ipam::{Family, Fence, Ipam, PoolSpec, Reason, Request, Time, Uid, parse_addresses};

use crate::desk::{Desk, ip, owner, pin, pool, sharing, single};

#[test]
fn contract_5_addresses_come_in_the_order_of_the_families_asked_for() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.0/24", "2001:db8::/64"])]);
    assert_eq!(
        desk.ask("a", &Request::dual_stack()),
        "192.0.2.1, 2001:db8::1"
    );
    assert_eq!(
        desk.ask("b", &Request::dual_stack().ipv6_first()),
        "2001:db8::2, 192.0.2.2"
    );
}

#[test]
fn contract_7_asking_a_hundred_times_writes_once() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.0/24"])]);
    desk.any("a");
    desk.try_ask("b", &Request::dual_stack()).unwrap_err();
    let generation = desk.ipam.generation();
    for _ in 0..100 {
        desk.any("a");
        desk.try_ask("b", &Request::dual_stack()).unwrap_err();
    }
    assert_eq!(desk.ipam.generation(), generation);
}

#[test]
fn contract_8_every_refusal_has_a_reason_of_the_fixed_set() {
    let small = PoolSpec {
        namespace_quota: Some(1),
        ..pool("small", ["192.0.2.1-192.0.2.2"])
    };
    let mut desk = Desk::new(&[small]);
    desk.any("a");
    let reasons = [
        desk.refusal("b", &Request::default()),
        desk.refusal("c", &single(Family::V6)),
        desk.refusal("c", &pin("192.0.2.1")),
        desk.refusal("c", &pin("203.0.113.9")),
    ];
    let expected = [
        Reason::QuotaExceeded,
        Reason::FamilyUnavailable,
        Reason::AddressInUse,
        Reason::AddressOutsidePools,
    ];
    assert_eq!(reasons, expected);
    desk.ipam
        .quarantine(ip("192.0.2.2"), Time(99), "seen", desk.now)
        .unwrap();
    assert_eq!(
        desk.refusal("other/c", &pin("192.0.2.2")),
        Reason::AddressConflictOnWire
    );
    assert_eq!(
        desk.refusal("other/c", &Request::default()),
        Reason::PoolExhausted
    );
    desk.set_pools(&[]);
    assert_eq!(
        desk.refusal("c", &Request::default()),
        Reason::NoMatchingPool
    );
}

#[test]
fn contract_10_single_stack_ipv6_takes_no_ipv4() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.0/24", "2001:db8::/64"])]);
    assert_eq!(desk.ask("a", &single(Family::V6)), "2001:db8::1");
    assert_eq!(desk.used("p", Family::V4), 0);
}

#[test]
fn contract_11_a_required_pair_is_completed_by_a_new_pool_without_being_touched() {
    let mut desk = Desk::new(&[pool("v4", ["192.0.2.0/24"])]);
    assert_eq!(
        desk.refusal("a", &Request::dual_stack()),
        Reason::FamilyUnavailable
    );
    assert_eq!(
        (desk.held("a").as_str(), desk.used("v4", Family::V4)),
        ("", 0)
    );
    desk.set_pools(&[pool("v4", ["192.0.2.0/24"]), pool("v6", ["2001:db8::/64"])]);
    desk.serve_woken();
    assert_eq!(desk.held("a"), "192.0.2.1, 2001:db8::1");
}

#[test]
fn contract_12_a_preferred_pair_starts_with_one_family_says_so_and_gains_the_other() {
    let mut desk = Desk::new(&[pool("v4", ["192.0.2.0/24"])]);
    let allocation = desk.try_ask("a", &Request::prefer_dual_stack()).unwrap();
    assert_eq!(
        (allocation.to_string().as_str(), allocation.missing),
        ("192.0.2.1", Some(Family::V6))
    );
    desk.set_pools(&[pool("v4", ["192.0.2.0/24"]), pool("v6", ["2001:db8::/64"])]);
    desk.serve_woken();
    assert_eq!(desk.held("a"), "192.0.2.1, 2001:db8::1");
    assert_eq!(desk.ipam.waiting().count(), 0);
}

#[test]
fn contract_13_a_preferred_pair_on_a_single_stack_cluster_is_satisfied_with_one() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.0/24", "2001:db8::/64"])]);
    let mut request = single(Family::V4);
    request.policy = openelb_ipam::FamilyPolicy::PreferDualStack;
    assert_eq!(desk.try_ask("a", &request).unwrap().missing, None);
    assert_eq!(desk.ipam.waiting().count(), 0);
}

#[test]
fn contract_14_downgrading_to_one_family_frees_only_the_other() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.0/24", "2001:db8::/64"])]);
    desk.ask("a", &Request::dual_stack());
    assert_eq!(desk.ask("a", &single(Family::V4)), "192.0.2.1");
    assert_eq!(desk.ipam.whois(ip("2001:db8::1")).status, Status::Free);
}

// Leading zeros in IPv6 are accepted and canonicalised, which supersedes the case;
// in IPv4 they are refused, because programs read them as octal or as decimal.
#[test]
fn contract_15_requested_addresses_come_in_any_order_and_contradictions_are_refused() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.0/24", "2001:db8::/64"])]);
    let both = parse_addresses("2001:0db8::0007,192.0.2.7").unwrap();
    let request = Request {
        addresses: both,
        ..Request::dual_stack()
    };
    assert_eq!(desk.ask("a", &request), "192.0.2.7, 2001:db8::7");
    for text in ["010.0.0.1", "::ffff:192.0.2.7"] {
        assert!(parse_addresses(text).is_err(), "{text}");
    }
    assert_eq!(
        desk.refusal("b", &single(Family::V6).pin(ip("192.0.2.9"))),
        Reason::InvalidAddress
    );
}

#[test]
fn contract_18_a_recreated_owner_gets_its_address_back_and_the_old_one_cannot_release_it() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.0/24"])]);
    let (old, new) = (owner("web").with_uid("old"), owner("web").with_uid("new"));
    let request = Request::default();
    let first = desk.ipam.allocate(&old, &request, Time(0)).unwrap();
    let second = desk.ipam.allocate(&new, &request, Time(1)).unwrap();
    assert_eq!(first.addresses, second.addresses);
    let late = desk
        .ipam
        .release(&old.key, Fence::Uid(&Uid::from("old")), Time(2));
    assert!(late.unwrap_err().to_string().contains("is now uid new"));
    let stale = Fence::Generation(first.generation);
    assert!(desk.ipam.release(&old.key, stale, Time(2)).is_err());
    assert_eq!(desk.held("web"), "192.0.2.1");
}

// The owner is gone for a moment.
#[test]
fn contract_18_within_the_cool_down_an_address_waits_for_its_last_owner() {
    let spec = PoolSpec {
        cool_down: Duration::from_mins(1),
        ..pool("p", ["192.0.2.1-192.0.2.3"])
    };
    let mut desk = Desk::new(&[spec]);
    for name in ["a", "b", "c"] {
        desk.any(name);
    }
    desk.release("b");
    assert_eq!(
        desk.refusal("d", &Request::default()),
        Reason::PoolExhausted
    );
    assert_eq!(desk.refusal("d", &pin("192.0.2.2")), Reason::AddressInUse);
    desk.now = Time(59_000);
    assert_eq!(desk.any("b"), "192.0.2.2");
    desk.release("b");
    desk.now = Time(120_000);
    desk.ipam.expire(desk.now);
    desk.serve_woken();
    assert_eq!(
        desk.held("d"),
        "192.0.2.2",
        "after the cool-down it goes to whoever waits"
    );
}

#[test]
fn contract_19_widening_splitting_merging_and_reordering_ranges_changes_nothing() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.1-192.0.2.20"])]);
    let held: Vec<String> = (0..20).map(|n| desk.any(&format!("s{n}"))).collect();
    for ranges in [
        vec!["192.0.2.1-192.0.2.40"],
        vec!["192.0.2.11-192.0.2.40", "192.0.2.1-192.0.2.10"],
        vec!["192.0.2.0/24", "198.51.100.0/24"],
    ] {
        let mut spec = pool("p", []);
        spec.ranges = ranges.into_iter().map(str::to_string).collect();
        assert_eq!(desk.set_pools(&[spec]).effects(), []);
        let again: Vec<String> = (0..20).map(|n| desk.any(&format!("s{n}"))).collect();
        assert_eq!(again, held);
    }
}

#[test]
fn contract_20_shrinking_keeps_drains_or_replaces_by_policy() {
    let shrunk = |on_shrink| PoolSpec {
        on_shrink,
        ..pool("p", ["192.0.2.10-192.0.2.19"])
    };
    let mut expected = [
        (OnShrink::Retain, "192.0.2.1", "192.0.2.1"),
        (OnShrink::Drain, "192.0.2.1", "192.0.2.10"),
        (OnShrink::Reassign, "", "192.0.2.10"),
    ];
    for (policy, at_once, at_last) in &mut expected {
        let mut desk = Desk::new(&[pool("p", ["192.0.2.1-192.0.2.19"])]);
        desk.any("a");
        desk.set_pools(&[shrunk(*policy)]);
        assert_eq!(desk.held("a"), *at_once, "{policy:?}");
        desk.serve_woken();
        assert_eq!(desk.held("a"), *at_last, "{policy:?}");
    }
}

#[test]
fn contract_21_the_younger_of_two_overlapping_pools_gives_nothing_new_until_it_is_healed() {
    let young = pool("young", ["192.0.2.1-192.0.2.40"]);
    let mut desk = Desk::new(std::slice::from_ref(&young));
    desk.any("a");
    let before = desk.ask("b", &pin("192.0.2.33"));
    let elder = pool("elder", ["192.0.2.1-192.0.2.30"]);
    let plan = desk.set_pools(&[elder.clone(), young.clone()]);
    assert!(
        plan.conflicts()[0]
            .to_string()
            .contains("young overlaps pool elder")
    );
    assert_eq!(
        (desk.held("a").as_str(), desk.held("b")),
        ("192.0.2.1", before)
    );
    assert_eq!(
        desk.refusal("c", &pin("192.0.2.35")),
        Reason::NoMatchingPool
    );
    assert_eq!(
        desk.any("d"),
        "192.0.2.2",
        "the elder serves, and knows what the younger gave"
    );
    desk.set_pools(&[elder, pool("young", ["192.0.2.31-192.0.2.40"])]);
    assert_eq!(desk.ask("c", &pin("192.0.2.35")), "192.0.2.35");
}

#[test]
fn contract_22_an_exclusion_over_a_used_address_keeps_it_until_released_and_never_gives_it_again() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.1-192.0.2.2"])]);
    desk.any("a");
    let excluding = PoolSpec {
        exclude: vec!["192.0.2.1".to_string()],
        ..pool("p", ["192.0.2.1-192.0.2.2"])
    };
    desk.set_pools(&[excluding]);
    assert!(desk.ipam.whois(ip("192.0.2.1")).is_orphaned);
    assert_eq!(desk.any("a"), "192.0.2.1");
    desk.release("a");
    assert_eq!(
        (
            desk.any("b"),
            desk.ipam.usage("p", Family::V4).unwrap().capacity
        ),
        ("192.0.2.2".into(), 1u64.into())
    );
    assert_eq!(
        desk.refusal("c", &Request::default()),
        Reason::PoolExhausted
    );
}

#[test]
fn an_explanation_names_every_pool_its_rule_and_what_would_help() {
    let disabled = PoolSpec {
        is_disabled: true,
        ..pool("off", ["198.51.100.0/24"])
    };
    let bound = PoolSpec {
        namespaces: vec!["blue".to_string()],
        ..pool("bound", ["203.0.113.0/24"])
    };
    let mut desk = Desk::new(&[disabled, bound, pool("small", ["192.0.2.1"])]);
    desk.any("a");
    let explanation = desk
        .ipam
        .explain(&owner("b"), &Request::default(), desk.now);
    assert_eq!(
        explanation.to_string(),
        "no address for service/default/b: PoolExhausted (pool off is disabled; pool bound is bound to \
         other namespaces; pool small has no free IPv4 address (1 of 1 taken); pool small has no IPv6 \
         range); enlarge pool small or release an IPv4 address of it"
    );
    let kept = desk
        .ipam
        .explain(&owner("a"), &Request::default(), desk.now);
    assert_eq!(
        kept.to_string(),
        "service/default/a would keep 192.0.2.1 from pool small"
    );
}

#[test]
fn an_address_to_be_left_is_replaced_as_soon_as_there_is_another_and_kept_until_then() {
    let spec = PoolSpec {
        namespace_quota: Some(2),
        ..pool("p", ["192.0.2.1-192.0.2.2", "2001:db8::1-2001:db8::9"])
    };
    let mut desk = Desk::new(&[spec]);
    let pair = Request::dual_stack();
    assert_eq!(desk.ask("a", &pair), "192.0.2.1, 2001:db8::1");
    desk.ask("b", &Request::single(Family::V4));
    let owner = owner("a");
    let elsewhere = |desk: &mut Desk, request: &Request| {
        let leave = [ip("192.0.2.1")];
        let allocation = desk
            .ipam
            .allocate_elsewhere(&owner, request, &leave, desk.now);
        assert_eq!(desk.ipam.audit(), [""; 0]);
        allocation.unwrap().to_string()
    };
    assert_eq!(
        elsewhere(&mut desk, &pair),
        "192.0.2.1, 2001:db8::1",
        "the pool has no other one"
    );
    desk.release("b");
    let pinned = pair.clone().pin(ip("192.0.2.1"));
    assert_eq!(elsewhere(&mut desk, &pinned), "192.0.2.1, 2001:db8::1");
    assert_eq!(
        elsewhere(&mut desk, &pair),
        "192.0.2.2, 2001:db8::1",
        "a quota that is used up is no reason to stay, and the other family does not move"
    );
    let generation = desk.ipam.generation();
    assert_eq!(elsewhere(&mut desk, &pair), "192.0.2.2, 2001:db8::1");
    assert_eq!(desk.ask("a", &pair), "192.0.2.2, 2001:db8::1");
    assert_eq!(desk.ipam.generation(), generation);
}

#[test]
fn whoever_leaves_an_address_with_a_sharing_key_is_not_offered_it_again() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.1-192.0.2.2"])]);
    let request = sharing("k", "TCP/80");
    desk.ask("a", &request);
    let leave = [ip("192.0.2.1")];
    let moved = desk
        .ipam
        .allocate_elsewhere(&owner("a"), &request, &leave, desk.now);
    assert_eq!(moved.unwrap().to_string(), "192.0.2.2");
    assert_eq!(desk.ipam.audit(), [""; 0]);
}

#[test]
fn a_quarantined_address_moves_its_owner_and_comes_back_later() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.1-192.0.2.2"])]);
    desk.any("a");
    let lost = desk
        .ipam
        .quarantine(ip("192.0.2.1"), Time(1_000), "ARP from a stranger", Time(1))
        .unwrap();
    assert_eq!(lost, [owner("a").key]);
    desk.serve_woken();
    assert_eq!(desk.held("a"), "192.0.2.2");
    assert_eq!(
        desk.refusal("b", &Request::default()),
        Reason::PoolExhausted
    );
    assert_eq!(desk.ipam.next_deadline(), Some(Time(1_000)));
    desk.now = Time(1_000);
    desk.ipam.expire(desk.now);
    desk.serve_woken();
    assert_eq!(desk.held("b"), "192.0.2.1");
    assert_eq!(desk.any("a"), "192.0.2.2");
}

#[test]
fn a_reservation_lapses_at_its_deadline_and_leaves_nothing() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.1", "2001:db8::1"])]);
    let before = desk.ipam.snapshot().rows;
    let reservation = desk
        .ipam
        .reserve(&owner("a"), &Request::dual_stack(), Time(100), Time(0))
        .unwrap();
    assert_eq!(desk.refusal("b", &pin("192.0.2.1")), Reason::AddressInUse);
    desk.release("b");
    desk.ipam.expire(Time(100));
    assert!(desk.ipam.commit(reservation.id, Time(100)).is_err());
    assert_eq!(desk.ipam.snapshot().rows, before);
}

#[test]
fn a_commit_is_refused_when_the_owner_changed_meanwhile() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.0/24"])]);
    let reservation = desk
        .ipam
        .reserve(&owner("a"), &pin("192.0.2.7"), Time(100), Time(0))
        .unwrap();
    assert_eq!(desk.any("a"), "192.0.2.1");
    let error = desk.ipam.commit(reservation.id, Time(1)).unwrap_err();
    assert!(error.to_string().contains("reserve again"), "{error}");
    assert_eq!(desk.ipam.whois(ip("192.0.2.7")).status, Status::Free);
}

#[test]
fn committing_a_move_frees_the_old_address_in_the_same_step() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.0/24"])]);
    desk.any("a");
    let reservation = desk
        .ipam
        .reserve(&owner("a"), &pin("192.0.2.7"), Time(100), Time(0))
        .unwrap();
    assert_eq!(desk.held("a"), "192.0.2.1");
    assert_eq!(
        desk.ipam
            .commit(reservation.id, Time(1))
            .unwrap()
            .to_string(),
        "192.0.2.7"
    );
    assert_eq!(desk.ipam.whois(ip("192.0.2.1")).status, Status::Free);
}

#[test]
fn quotas_count_by_namespace_and_family_and_a_release_makes_room() {
    let spec = PoolSpec {
        namespace_quota: Some(1),
        ..pool("p", ["192.0.2.0/24", "2001:db8::/64"])
    };
    let mut desk = Desk::new(&[spec]);
    assert_eq!(
        desk.ask("blue/a", &Request::dual_stack()),
        "192.0.2.1, 2001:db8::1"
    );
    assert_eq!(
        desk.refusal("blue/b", &single(Family::V4)),
        Reason::QuotaExceeded
    );
    assert_eq!(
        desk.ask("blue/a", &pin("192.0.2.9")),
        "192.0.2.9",
        "a move is not one more"
    );
    assert_eq!(desk.ask("green/a", &single(Family::V4)), "192.0.2.1");
    desk.release("blue/a");
    desk.serve_woken();
    assert_eq!(desk.held("blue/b"), "192.0.2.2");
}

#[test]
fn changes_too_old_to_know_ask_for_a_snapshot() {
    let mut ipam = Ipam::new().with_log_capacity(4);
    let plan = ipam.plan_pools(&[pool("p", ["192.0.2.0/24"])]).unwrap();
    ipam.apply_pools(plan, Time(0)).unwrap();
    for n in 0..8 {
        ipam.allocate(&owner(&format!("s{n}")), &Request::default(), Time(0))
            .unwrap();
    }
    let error = ipam.changes_since(1).unwrap_err();
    assert!(error.to_string().contains("take a snapshot"), "{error}");
    assert_eq!(
        ipam.changes_since(ipam.generation() - 2)
            .unwrap()
            .puts
            .len(),
        2
    );
}
