//! What MetalLB's users rely on.

use openelb_ipam::ipam::Status;
use openelb_ipam::pool::{Operator, Requirement, ReserveRules, Selector};
use openelb_ipam::{AddressCount, AddressRange, Family, Ipam, PoolSpec, Reason, Request, Sharing};

use crate::desk::{
    Desk, bound_pool, from, ip, owner, pin, plan_error, pool, ports, sharing, single,
};

fn blocks(text: &str) -> Vec<String> {
    let range: AddressRange = text.parse().unwrap();
    range.blocks().map(|block| block.to_string()).collect()
}

/// A pool that gives every address of its ranges, as MetalLB does.
fn whole<const N: usize>(name: &str, ranges: [&str; N]) -> PoolSpec {
    PoolSpec {
        reserve: ReserveRules::NONE,
        ..pool(name, ranges)
    }
}

fn avoiding<const N: usize>(name: &str, ranges: [&str; N]) -> PoolSpec {
    PoolSpec {
        reserve: ReserveRules {
            buggy: true,
            ..ReserveRules::NONE
        },
        ..pool(name, ranges)
    }
}

fn capacity(spec: PoolSpec, family: Family) -> AddressCount {
    let name = spec.name.clone();
    Desk::new(&[spec])
        .ipam
        .usage(&name, family)
        .unwrap()
        .capacity
}

#[test]
fn metallb_1_to_4_ranges_become_the_fewest_blocks() {
    assert_eq!(blocks("192.0.2.16-192.0.2.31"), ["192.0.2.16/28"]);
    let many = "192.0.2.2/31 192.0.2.4/30 192.0.2.8/29 192.0.2.16/28 192.0.2.32/27 192.0.2.64/26 \
                192.0.2.128/26 192.0.2.192/27 192.0.2.224/28 192.0.2.240/29 192.0.2.248/30 \
                192.0.2.252/31 192.0.2.254/32";
    let range = "192.0.2.2-192.0.2.254";
    assert_eq!(blocks(range).join(" "), many);
    assert_eq!(
        capacity(whole("p", [range]), Family::V4),
        AddressCount::new(253)
    );
    let spaced = blocks("198.51.100.10 - 198.51.100.20");
    assert_eq!(
        spaced,
        [
            "198.51.100.10/31",
            "198.51.100.12/30",
            "198.51.100.16/30",
            "198.51.100.20/32"
        ]
    );
    let v6 = blocks("2001:db8::1-2001:db8::6");
    assert_eq!(
        v6,
        [
            "2001:db8::1/128",
            "2001:db8::2/127",
            "2001:db8::4/127",
            "2001:db8::6/128"
        ]
    );
}

#[test]
fn metallb_5_and_6_errors_name_the_entry_that_is_wrong() {
    for entry in [
        "192.0.2.9-192.0.2.3",
        "192.0.2.0/33",
        "192.0.2.300/24",
        "hello",
    ] {
        let error = plan_error(&[pool("a", ["203.0.113.0/24", entry])]).to_string();
        assert!(
            error.starts_with("pool a, ranges, entry 2") && error.contains(entry),
            "{error}"
        );
    }
}

#[test]
fn metallb_7_a_pool_needs_addresses_and_a_name() {
    assert!(
        plan_error(&[pool("a", [])])
            .to_string()
            .contains("no address is listed")
    );
    assert!("".parse::<openelb_ipam::PoolName>().is_err());
}

#[test]
fn metallb_8_two_pools_of_one_name_are_refused() {
    let error = plan_error(&[pool("a", ["192.0.2.0/25"]), pool("a", ["192.0.2.128/25"])]);
    assert_eq!(error.to_string(), "two pools are named a; rename one");
}

#[test]
fn metallb_9_overlaps_within_and_between_pools_name_both_sides() {
    let between = plan_error(&[
        pool("A", ["198.51.100.0/24"]),
        pool("B", ["198.51.100.128/25"]),
    ])
    .to_string();
    assert!(between.contains("pool B overlaps pool A"), "{between}");
    for ranges in [
        ["198.51.100.0/24", "198.51.100.0/24"],
        ["203.0.113.10-203.0.113.20", "203.0.113.16/28"],
    ] {
        let within = plan_error(&[pool("A", ranges)]).to_string();
        assert!(
            within.contains("entry 2") && within.contains("overlaps"),
            "{within}"
        );
    }
}

#[test]
fn metallb_10_capacities_add_up_with_and_without_buggy_addresses() {
    let both = ["192.0.2.0/24", "198.51.100.128/25"];
    assert_eq!(
        capacity(whole("p", both), Family::V4),
        AddressCount::new(384)
    );
    assert_eq!(
        capacity(avoiding("p", both), Family::V4),
        AddressCount::new(381)
    );
    assert_eq!(
        capacity(avoiding("p", ["203.0.113.64/26"]), Family::V4),
        AddressCount::new(64)
    );
    let dual = avoiding("p", ["192.0.2.0/31", "2001:db8::/127"]);
    assert_eq!(capacity(dual.clone(), Family::V4), AddressCount::new(1));
    assert_eq!(capacity(dual, Family::V6), AddressCount::new(2));
}

#[test]
fn metallb_11_a_namespace_or_selector_listed_twice_is_refused() {
    let mut twice = pool("p", ["192.0.2.0/24"]);
    twice.namespaces = vec!["a".to_string(), "a".to_string()];
    assert!(plan_error(&[twice]).to_string().contains("listed twice"));
    let selector = |values: [&str; 2]| Selector {
        match_expressions: vec![Requirement {
            key: "app".to_string(),
            operator: Operator::In,
            values: values.map(str::to_string).into(),
        }],
        ..Selector::default()
    };
    let mut equal = pool("p", ["192.0.2.0/24"]);
    equal.service_selectors = vec![selector(["x", "y"]), selector(["y", "x"])];
    assert!(
        plan_error(&[equal])
            .to_string()
            .contains("two selectors are equal")
    );
}

// An allocation clause that names nobody is an empty selector, which matches all.
#[test]
fn metallb_12_a_pool_bound_by_priority_alone_serves_everyone_first() {
    let mut first = PoolSpec {
        priority: Some(1),
        ..pool("first", ["192.0.2.1"])
    };
    first.service_selectors = vec![Selector::default()];
    let mut desk = Desk::new(&[pool("open", ["192.0.2.9"]), first]);
    assert_eq!(
        (desk.any("x/a"), desk.any("y/b")),
        ("192.0.2.1".into(), "192.0.2.9".into())
    );
}

#[test]
fn metallb_13_a_bare_address_is_a_pool_of_one() {
    assert_eq!(Desk::new(&[pool("p", ["192.0.2.7"])]).any("a"), "192.0.2.7");
}

#[test]
fn metallb_14_a_freed_address_goes_to_the_owner_already_waiting_for_it() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.0/31"])]);
    assert_eq!(
        (desk.any("s1"), desk.any("s2")),
        ("192.0.2.0".into(), "192.0.2.1".into())
    );
    assert_eq!(
        desk.refusal("s3", &Request::default()),
        Reason::PoolExhausted
    );
    desk.release("s1");
    desk.serve_woken();
    assert_eq!(desk.held("s3"), "192.0.2.0");
}

#[test]
fn metallb_15_a_taken_address_is_refused_to_others_and_confirmed_to_its_owner() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.4/31"])]);
    desk.ask("s1", &pin("192.0.2.4"));
    assert_eq!(desk.refusal("s2", &pin("192.0.2.4")), Reason::AddressInUse);
    assert_eq!(desk.ask("s2", &pin("192.0.2.5")), "192.0.2.5");
    assert!(!desk.try_ask("s1", &pin("192.0.2.4")).unwrap().is_changed);
}

#[test]
fn metallb_16_addresses_ending_in_0_or_255_are_avoided_on_request() {
    let mut desk = Desk::new(&[avoiding("p", ["192.0.2.0/31"])]);
    assert_eq!(
        desk.refusal("pinned", &pin("192.0.2.0")),
        Reason::AddressReserved
    );
    assert_eq!(desk.any("a"), "192.0.2.1");
    assert_eq!(
        desk.refusal("b", &Request::default()),
        Reason::PoolExhausted
    );
    let mut desk = Desk::new(&[avoiding("p", ["192.0.2.254/31", "2001:db8::/120"])]);
    assert_eq!(desk.ask("a", &single(Family::V4)), "192.0.2.254");
    assert_eq!(
        desk.refusal("b", &single(Family::V4)),
        Reason::PoolExhausted
    );
    assert_eq!(
        desk.refusal("c", &pin("192.0.2.255")),
        Reason::AddressReserved
    );
    assert_eq!(desk.ask("d", &pin("2001:db8::")), "2001:db8::");
}

#[test]
fn metallb_17_a_pool_without_automatic_assignment_serves_by_name_and_pin_only() {
    let spec = PoolSpec {
        auto_assign: false,
        ..pool("p", ["192.0.2.0/24", "2001:db8::/64"])
    };
    let mut desk = Desk::new(&[spec]);
    for request in [
        single(Family::V4),
        single(Family::V6),
        Request::dual_stack(),
    ] {
        assert_eq!(desk.refusal("a", &request), Reason::NoMatchingPool);
    }
    assert_eq!(desk.ask("b", &from("p")), "192.0.2.1");
    assert_eq!(desk.ask("c", &pin("192.0.2.7")), "192.0.2.7");
}

#[test]
fn metallb_18_an_unknown_pool_is_refused_by_name() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.0/24"])]);
    let error = desk.try_ask("a", &from("q")).unwrap_err();
    assert_eq!(error.reason(), Reason::NoMatchingPool);
    assert!(
        error.to_string().contains("pool q does not exist"),
        "{error}"
    );
    assert_eq!(desk.held("a"), "");
}

#[test]
fn metallb_19_moving_to_another_pool_is_one_write() {
    let mut desk = Desk::new(&[pool("p1", ["192.0.2.1"]), pool("p2", ["198.51.100.1"])]);
    desk.ask("a", &from("p1"));
    let generation = desk.ipam.generation();
    assert_eq!(desk.ask("a", &from("p2")), "198.51.100.1");
    let changes = desk.ipam.changes_since(generation).unwrap();
    assert_eq!(
        (changes.to, changes.puts.len(), changes.deletes.len()),
        (generation + 1, 1, 0)
    );
}

// MetalLB clears the previous address when the new one cannot be had; here a
// changed request is an atomic replace, so the owner keeps what works until the wish can be granted.
#[test]
fn metallb_20_an_address_out_of_every_pool_is_refused_and_the_present_one_kept() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.0/24"])]);
    assert_eq!(desk.ask("a", &pin("192.0.2.7")), "192.0.2.7");
    assert_eq!(
        desk.refusal("a", &pin("203.0.113.1")),
        Reason::AddressOutsidePools
    );
    assert_eq!(desk.held("a"), "192.0.2.7");
}

#[test]
fn metallb_21_a_pin_and_a_pool_that_disagree_are_refused_and_the_address_stays_free() {
    let mut desk = Desk::new(&[
        pool("p1", ["192.0.2.0/24"]),
        pool("p2", ["198.51.100.0/24"]),
    ]);
    let both = Request {
        pool: Some("p2".parse().unwrap()),
        ..pin("192.0.2.7")
    };
    assert_eq!(desk.refusal("a", &both), Reason::AddressOutsidePools);
    assert_eq!(desk.ipam.whois(ip("192.0.2.7")).status, Status::Free);
}

#[test]
fn metallb_22_pins_must_fit_the_families_asked_for() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.0/24", "2001:db8::/64"])]);
    let wrong = [
        pin("192.0.2.1").pin(ip("192.0.2.2")),
        pin("192.0.2.1").pin(ip("2001:db8::1")).pin(ip("192.0.2.2")),
        single(Family::V6).pin(ip("192.0.2.1")),
        single(Family::V4)
            .pin(ip("192.0.2.1"))
            .pin(ip("2001:db8::1")),
    ];
    for request in wrong {
        assert_eq!(
            desk.refusal("a", &request),
            Reason::InvalidAddress,
            "{:?}",
            request.addresses
        );
    }
    assert_eq!(desk.ipam.owner_count(), 0);
}

#[test]
fn metallb_23_requiring_dual_stack_takes_both_from_one_pool_and_needs_both_families() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.0/30", "2001:db8:0:1::/126"])]);
    assert_eq!(
        desk.ask("a", &Request::dual_stack()),
        "192.0.2.1, 2001:db8:0:1::1"
    );
    let mut half = single(Family::V4);
    half.policy = openelb_ipam::FamilyPolicy::RequireDualStack;
    assert_eq!(desk.refusal("b", &half), Reason::InvalidAddress);
    assert_eq!(desk.held("b"), "");
}

// Superseded: MetalLB gives one address; one pool per family of the same tier is
// allowed here, so the owner gets both, in its order.
#[test]
fn metallb_24_preferring_dual_stack_takes_one_address_from_each_of_two_pools() {
    let mut desk = Desk::new(&[pool("v4", ["192.0.2.0/24"]), pool("v6", ["2001:db8::/64"])]);
    assert_eq!(
        desk.ask("a", &Request::prefer_dual_stack()),
        "192.0.2.1, 2001:db8::1"
    );
    assert_eq!(
        desk.ask("b", &Request::prefer_dual_stack().ipv6_first()),
        "2001:db8::2, 192.0.2.2"
    );
}

#[test]
fn metallb_25_preferring_dual_stack_with_one_family_is_content_with_it() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.0/24", "2001:db8::/64"])]);
    let mut request = single(Family::V4);
    request.policy = openelb_ipam::FamilyPolicy::PreferDualStack;
    let allocation = desk.try_ask("a", &request).unwrap();
    assert_eq!(
        (allocation.to_string().as_str(), allocation.missing),
        ("192.0.2.1", None)
    );
}

// The second half is superseded: MetalLB ignores a different pool; here the missing
// family may come from another pool of the same tier, and what is held never changes.
#[test]
fn metallb_26_a_family_that_appears_is_added_and_the_other_kept() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.0/24"])]);
    assert_eq!(desk.ask("a", &Request::prefer_dual_stack()), "192.0.2.1");
    desk.set_pools(&[pool("p", ["192.0.2.0/24", "2001:db8::/64"])]);
    desk.serve_woken();
    assert_eq!(desk.held("a"), "192.0.2.1, 2001:db8::1");
    desk.set_pools(&[
        pool("p", ["192.0.2.0/24", "2001:db8::/64"]),
        pool("q", ["198.51.100.0/24", "2001:db8:1::/64"]),
    ]);
    assert_eq!(
        desk.ask("a", &Request::prefer_dual_stack()),
        "192.0.2.1, 2001:db8::1"
    );
}

#[test]
fn metallb_27_a_dual_pool_with_free_ipv6_only_fails_required_pairs_and_serves_the_rest() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.1", "2001:db8::/64"])]);
    desk.ask("first", &single(Family::V4));
    assert_eq!(
        desk.refusal("a", &Request::dual_stack()),
        Reason::PoolExhausted
    );
    assert_eq!(desk.ask("b", &single(Family::V6)), "2001:db8::1");
    assert_eq!(desk.ask("c", &Request::prefer_dual_stack()), "2001:db8::2");
}

#[test]
fn metallb_28_bound_pools_are_used_by_priority_until_empty_then_the_open_ones() {
    let bound = |name, priority, range| PoolSpec {
        priority,
        ..bound_pool(name, "ns", [range])
    };
    let mut desk = Desk::new(&[
        pool("open", ["203.0.113.1"]),
        bound("none", None, "192.0.2.3"),
        bound("eleven", Some(11), "192.0.2.2"),
        bound("ten", Some(10), "192.0.2.1"),
    ]);
    let given: Vec<String> = ["a", "b", "c", "d"]
        .map(|name| desk.any(&format!("ns/{name}")))
        .into();
    assert_eq!(
        given,
        ["192.0.2.1", "192.0.2.2", "192.0.2.3", "203.0.113.1"]
    );
}

#[test]
fn metallb_29_a_pool_bound_to_namespaces_and_services_needs_both_and_any_selector_will_do() {
    let mut spec = bound_pool("p", "ns", ["192.0.2.0/24"]);
    spec.service_selectors = vec![
        Selector::labels([("app", "web")]),
        Selector::labels([("app", "api")]),
    ];
    let mut desk = Desk::new(&[spec]);
    let labelled = |app: &str| {
        let mut request = Request::default();
        request
            .service_labels
            .insert("app".to_string(), app.to_string());
        request
    };
    assert_eq!(desk.ask("ns/a", &labelled("web")), "192.0.2.1");
    assert_eq!(desk.ask("ns/b", &labelled("api")), "192.0.2.2");
    assert_eq!(
        desk.refusal("ns/c", &labelled("db")),
        Reason::NoMatchingPool
    );
    assert_eq!(
        desk.refusal("other/d", &labelled("web")),
        Reason::NoMatchingPool
    );
}

#[test]
fn metallb_30_and_31_pools_of_other_tenants_are_neither_pinned_into_nor_a_fallback() {
    let mut desk = Desk::new(&[
        bound_pool("blue", "blue", ["192.0.2.1"]),
        bound_pool("green", "green", ["198.51.100.0/24"]),
    ]);
    assert_eq!(
        desk.refusal("blue/a", &pin("198.51.100.7")),
        Reason::NoMatchingPool
    );
    desk.any("blue/b");
    assert_eq!(
        desk.refusal("blue/c", &Request::default()),
        Reason::PoolExhausted
    );
}

#[test]
fn metallb_32_sharing_needs_equal_keys_and_different_ports() {
    let at = |request: Request| request.pin(ip("192.0.2.7"));
    let mut desk = Desk::new(&[pool("p", ["192.0.2.0/24"])]);
    desk.ask("a", &at(sharing("k", "TCP/80,TCP/53")));
    assert_eq!(
        desk.ask("b", &at(sharing("k", "TCP/443,UDP/53"))),
        "192.0.2.7"
    );
    for refused in [
        sharing("k", "TCP/80"),
        sharing("other", "TCP/81"),
        Request::default(),
        sharing("", "TCP/81"),
    ] {
        assert_eq!(desk.refusal("c", &at(refused)), Reason::AddressInUse);
    }
    desk.ask("alone", &pin("192.0.2.9"));
    assert_eq!(
        desk.refusal("d", &sharing("k", "TCP/1").pin(ip("192.0.2.9"))),
        Reason::AddressInUse
    );
    let usage = desk.ipam.usage("p", Family::V4).unwrap();
    assert_eq!((usage.used, usage.shared_claims), (AddressCount::new(2), 1));
}

#[test]
fn metallb_33_sharing_with_local_traffic_needs_equal_backends() {
    let at = |backend: &str, port: &str| {
        let sharing = Sharing::new("k").with_backend(backend);
        pin("192.0.2.7").share(sharing, ports(port))
    };
    let mut desk = Desk::new(&[pool("p", ["192.0.2.0/24"])]);
    desk.ask("a", &at("app=web", "TCP/80"));
    assert_eq!(desk.ask("b", &at("app=web", "TCP/81")), "192.0.2.7");
    assert_eq!(
        desk.refusal("c", &at("app=db", "TCP/82")),
        Reason::AddressInUse
    );
    assert_eq!(desk.refusal("d", &at("", "TCP/83")), Reason::AddressInUse);
}

#[test]
fn metallb_34_a_lone_owner_changes_its_sharing_key_in_place_and_a_sharer_may_not() {
    let at = |key: &str, port: &str| sharing(key, port).pin(ip("192.0.2.7"));
    let mut desk = Desk::new(&[pool("p", ["192.0.2.0/24"])]);
    desk.ask("a", &at("old", "TCP/80"));
    assert_eq!(desk.ask("a", &at("new", "TCP/80")), "192.0.2.7");
    assert_eq!(desk.ask("b", &at("new", "TCP/81")), "192.0.2.7");
    assert_eq!(
        desk.refusal("a", &at("third", "TCP/80")),
        Reason::AddressInUse
    );
    assert_eq!(desk.held("a"), "192.0.2.7");
}

#[test]
fn metallb_35_sharers_of_the_only_address_leave_one_by_one() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.7"])]);
    assert_eq!(desk.ask("a", &sharing("k", "TCP/80")), "192.0.2.7");
    assert_eq!(desk.ask("b", &sharing("k", "TCP/81")), "192.0.2.7");
    desk.release("a");
    assert_eq!(desk.held("b"), "192.0.2.7");
    desk.release("b");
    assert_eq!(desk.ipam.whois(ip("192.0.2.7")).status, Status::Free);
}

// Cases 36 to 38 and 42 are about Service objects: the front ends'.
#[test]
fn metallb_39_after_a_restart_the_holder_keeps_the_only_address_whoever_asks_first() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.7"])]);
    desk.any("s1");
    desk.try_ask("s2", &Request::default()).unwrap_err();
    desk.ipam = Ipam::restore(desk.ipam.snapshot()).unwrap();
    assert_eq!(
        desk.refusal("s2", &Request::default()),
        Reason::PoolExhausted
    );
    assert_eq!(desk.any("s1"), "192.0.2.7");
}

#[test]
fn metallb_40_renaming_splitting_and_enlarging_pools_change_no_address() {
    let mut desk = Desk::new(&[pool("p", ["192.0.2.1-192.0.2.20"])]);
    let low = desk.any("low");
    let high = desk.ask("high", &pin("192.0.2.15"));
    let pool_of = |desk: &Desk, name: &str| {
        desk.ipam
            .allocation(owner(name).key.as_str())
            .unwrap()
            .addresses[0]
            .pool
            .to_string()
    };
    desk.set_pools(&[pool("renamed", ["192.0.2.1-192.0.2.20"])]);
    assert_eq!(pool_of(&desk, "low"), "renamed");
    desk.set_pools(&[
        pool("a", ["192.0.2.1-192.0.2.10"]),
        pool("b", ["192.0.2.11-192.0.2.20"]),
    ]);
    assert_eq!(
        (pool_of(&desk, "low"), pool_of(&desk, "high")),
        ("a".into(), "b".into())
    );
    let plan = desk.set_pools(&[
        pool("a", ["192.0.2.1-192.0.2.10"]),
        pool("b", ["192.0.2.11-192.0.2.40"]),
    ]);
    assert_eq!((plan.effects().len(), plan.kept()), (0, 2));
    assert_eq!((desk.any("low"), desk.held("high")), (low, high));
}

#[test]
fn metallb_41_owners_of_a_deleted_pool_move_or_wait() {
    let (p, q) = (
        pool("p", ["192.0.2.1-192.0.2.2"]),
        pool("q", ["198.51.100.1"]),
    );
    let mut desk = Desk::new(&[p, q.clone()]);
    desk.any("a");
    desk.any("b");
    desk.set_pools(&[q]);
    desk.serve_woken();
    assert_eq!(
        (desk.held("a"), desk.held("b")),
        ("198.51.100.1".into(), String::new())
    );
    assert!(desk.ipam.waiting().any(|row| row.owner == owner("b")));
}
