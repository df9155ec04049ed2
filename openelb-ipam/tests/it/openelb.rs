//! What OpenELB promises its users, and what it should have promised.

use openelb_ipam::ipam::{Fate, PoolEdit, Status};
use openelb_ipam::pool::Selector;
use openelb_ipam::range::HostBits;
use openelb_ipam::{
    AddressCount, AddressRange, Family, Ipam, PoolSpec, Reason, Request, Rule, Sharing, Time,
    parse_addresses,
};

use crate::desk::{
    Desk, bound_pool, default_pool, from, ip, owner, pin, plan_error, pool, ports, sharing, single,
};

fn range(text: &str) -> AddressRange {
    AddressRange::parse(text, HostBits::Drop).unwrap()
}

#[test]
fn openelb_1_a_prefix_is_all_its_addresses() {
    assert_eq!(range("192.0.2.10/24").to_string(), "192.0.2.0/24");
    let counts = [
        ("192.0.2.10/24", 256),
        ("192.0.2.0/31", 2),
        ("192.0.2.1/32", 1),
        ("0.0.0.0/0", 1 << 32),
    ];
    for (text, count) in counts {
        assert_eq!(range(text).count(), AddressCount::new(count), "{text}");
    }
}

#[test]
fn openelb_2_a_range_has_two_ends_of_one_family_in_order() {
    assert_eq!(range("192.0.2.0-192.0.2.10").count(), AddressCount::new(11));
    assert_eq!(range("192.0.2.1-192.0.2.1").count(), AddressCount::new(1));
    let wrong = [
        "192.0.2.9-192.0.2.1",
        "192.0.2.",
        "x",
        "1.1.1.1-1.1.1.2-1.1.1.3",
        "1.1.1.1---1.1.1.3",
        "1.1.1.1-::1",
        "1.1.1.1/99",
    ];
    for text in wrong {
        assert!(AddressRange::parse(text, HostBits::Drop).is_err(), "{text}");
    }
}

#[test]
fn openelb_3_ipv6_ranges_count_exactly_up_to_everything() {
    assert_eq!(
        range("2001:db8::-2001:db8::10").count(),
        AddressCount::new(17)
    );
    assert_eq!(range("2001:db8::/126").last(), ip("2001:db8::3"));
    assert_eq!(
        range("2001:db8::/64").count().to_string(),
        "18446744073709551616"
    );
    assert_eq!(
        range("::/0").count().to_string(),
        "340282366920938463463374607431768211456"
    );
}

#[test]
fn openelb_4_a_netmask_must_be_contiguous_and_ipv4() {
    assert_eq!(
        range("192.0.2.0/255.255.255.252").count(),
        AddressCount::new(4)
    );
    for text in ["192.0.2.0/255.255.0.254", "2001:db8::/255.255.0.0"] {
        assert!(AddressRange::parse(text, HostBits::Drop).is_err(), "{text}");
    }
}

#[test]
fn openelb_5_and_6_a_range_knows_its_addresses_and_their_order() {
    let range = range("192.168.0.100-192.168.0.200");
    for inside in ["192.168.0.100", "192.168.0.150", "192.168.0.200"] {
        assert!(range.contains(ip(inside)), "{inside}");
    }
    for outside in ["192.168.0.99", "192.168.0.201", "::c0a8:96"] {
        assert!(!range.contains(ip(outside)), "{outside}");
    }
    assert_eq!(range.ordinal(ip("192.168.0.101")), Some(1));
    for outside in ["192.168.0.99", "192.168.0.201"] {
        assert_eq!(range.ordinal(ip(outside)), None, "{outside}");
    }
}

#[test]
fn openelb_7_pools_that_share_an_address_overlap_and_neighbours_do_not() {
    let used = pool("a", ["192.0.2.100-192.0.2.200"]);
    for (other, overlaps) in [
        ("192.0.2.1-192.0.2.99", false),
        ("192.0.2.201-192.0.2.250", false),
        ("192.0.2.1-192.0.2.100", true),
        ("192.0.2.200-192.0.2.250", true),
    ] {
        let plan = Ipam::new()
            .plan_pools(&[used.clone(), pool("b", [other])])
            .unwrap();
        assert_eq!(!plan.conflicts().is_empty(), overlaps, "{other}");
    }
    let mut desk = Desk::new(std::slice::from_ref(&used));
    assert!(
        desk.set_pools(&[used]).is_empty(),
        "a pool does not overlap itself"
    );
}

#[test]
fn openelb_8_families_never_overlap_and_mapped_addresses_are_refused() {
    let specs = [pool("v4", ["10.0.0.0/8"]), pool("v6", ["::a00:0/104"])];
    assert!(
        Ipam::new()
            .plan_pools(&specs)
            .unwrap()
            .conflicts()
            .is_empty()
    );
    let error = plan_error(&[pool("mapped", ["::ffff:10.0.0.0/104"])]).to_string();
    assert!(error.ends_with("write 10.0.0.0"), "{error}");
}

// The reference refuses to drop a used address; design decision: it is orphaned by
// default and shown in the plan before it happens.
#[test]
fn openelb_9_shrinking_below_a_used_address_is_shown_and_keeps_it() {
    let mut desk = Desk::new(&[pool("eip", ["10.0.0.1-10.0.0.9"])]);
    assert_eq!(desk.ask("s1", &pin("10.0.0.7")), "10.0.0.7");
    let plan = desk.set_pools(&[pool("eip", ["10.0.0.1"])]);
    assert_eq!(plan.effects()[0].fate, Fate::Orphaned);
    assert_eq!(desk.any("s1"), "10.0.0.7");
    let disabled = PoolSpec {
        is_disabled: true,
        ..pool("eip", ["10.0.0.1"])
    };
    assert_eq!(
        desk.set_pools(&[disabled]).edits(),
        [PoolEdit::Changed("eip".parse().unwrap())]
    );
}

// The part about default pools; interfaces are the front ends' business.
#[test]
fn openelb_10_a_second_default_pool_of_a_family_is_refused_with_the_name_of_the_first() {
    let first = default_pool("first", ["10.0.0.1-10.0.0.9"]);
    let second = default_pool("second", ["10.0.1.1-10.0.1.9"]);
    let error = plan_error(&[first.clone(), second]).to_string();
    assert!(
        error.contains("first") && error.contains("IPv4 default"),
        "{error}"
    );
    let v6 = default_pool("v6", ["2001:db8::/64"]);
    assert!(
        Ipam::new()
            .plan_pools(&[first, v6])
            .unwrap()
            .conflicts()
            .is_empty()
    );
}

#[test]
fn openelb_11_and_12_a_pool_bound_by_namespace_name_or_label_is_chosen() {
    let mut by_label = pool("label", ["10.0.1.1-10.0.1.9"]);
    by_label.namespace_selectors = vec![Selector::labels([("team", "blue")])];
    let mut desk = Desk::new(&[bound_pool("name", "ns1", ["10.0.0.1-10.0.0.9"]), by_label]);
    assert_eq!(desk.any("ns1/a"), "10.0.0.1");
    let mut request = Request::default();
    request
        .namespace_labels
        .insert("team".to_string(), "blue".to_string());
    assert_eq!(desk.ask("ns2/b", &request), "10.0.1.1");
    assert_eq!(
        desk.refusal("ns3/c", &Request::default()),
        Reason::NoMatchingPool
    );
}

#[test]
fn openelb_13_the_smaller_priority_number_goes_first() {
    let late = PoolSpec {
        priority: Some(20),
        ..bound_pool("late", "ns", ["10.0.0.1-10.0.0.9"])
    };
    let early = PoolSpec {
        priority: Some(10),
        ..bound_pool("early", "ns", ["10.0.1.1-10.0.1.9"])
    };
    assert_eq!(Desk::new(&[late, early]).any("ns/a"), "10.0.1.1");
}

#[test]
fn openelb_14_bound_beats_default_and_default_beats_nothing() {
    let bound = PoolSpec {
        priority: Some(99),
        ..bound_pool("bound", "ns", ["10.0.0.1-10.0.0.9"])
    };
    let default = PoolSpec {
        priority: Some(1),
        ..default_pool("default", ["10.0.1.1-10.0.1.9"])
    };
    let mut desk = Desk::new(&[default, bound]);
    assert_eq!(desk.any("ns/a"), "10.0.0.1");
    assert_eq!(desk.any("other/b"), "10.0.1.1");
    // OpenELB never chooses a pool that is neither bound nor the default.
    let neither = PoolSpec {
        auto_assign: false,
        ..pool("neither", ["10.0.2.1"])
    };
    let mut desk = Desk::new(&[neither]);
    assert_eq!(
        desk.refusal("ns/a", &Request::default()),
        Reason::NoMatchingPool
    );
    assert_eq!(desk.ipam.waiting().count(), 1);
}

#[test]
fn openelb_15_explicit_requests_cross_namespaces_only_where_the_pool_allows_it() {
    let closed = bound_pool("closed", "ns", ["10.0.0.1-10.0.0.9"]);
    let open = PoolSpec {
        serve_explicit: true,
        ..bound_pool("open", "ns", ["10.0.1.1-10.0.1.9"])
    };
    let mut desk = Desk::new(&[closed, open]);
    assert_eq!(desk.ask("other/a", &from("open")), "10.0.1.1");
    assert_eq!(desk.ask("other/b", &pin("10.0.1.7")), "10.0.1.7");
    assert_eq!(
        desk.refusal("other/c", &from("closed")),
        Reason::NoMatchingPool
    );
    assert_eq!(
        desk.refusal("other/d", &pin("10.0.0.7")),
        Reason::NoMatchingPool
    );
}

#[test]
fn openelb_16_waiting_owners_are_woken_by_a_default_mark_a_label_or_a_freed_address() {
    let unmarked = PoolSpec {
        auto_assign: false,
        ..pool("eip", ["10.0.0.1"])
    };
    let mut desk = Desk::new(&[unmarked]);
    desk.try_ask("a", &Request::default()).unwrap_err();
    desk.set_pools(&[default_pool("eip", ["10.0.0.1"])]);
    desk.serve_woken();
    assert_eq!(desk.held("a"), "10.0.0.1");

    desk.try_ask("b", &Request::default()).unwrap_err();
    desk.release("a");
    desk.serve_woken();
    assert_eq!(desk.held("b"), "10.0.0.1");

    // A label that changes is a new request of the front end.
    let mut labelled = pool("eip2", ["10.0.1.1"]);
    labelled.namespace_selectors = vec![Selector::labels([("team", "blue")])];
    desk.set_pools(&[default_pool("eip", ["10.0.0.1"]), labelled]);
    desk.try_ask("c", &Request::default()).unwrap_err();
    let mut request = Request::default();
    request
        .namespace_labels
        .insert("team".to_string(), "blue".to_string());
    assert_eq!(desk.ask("c", &request), "10.0.1.1");
    assert_eq!(desk.ipam.waiting().count(), 0);
}

#[test]
fn everyone_who_waits_is_woken_when_there_is_room_for_all_and_one_when_there_is_room_for_one() {
    let mut desk = Desk::new(&[pool("small", ["10.0.0.1"])]);
    desk.any("first");
    let waiting: Vec<String> = (0..200).map(|at| format!("w{at}")).collect();
    for name in &waiting {
        desk.try_ask(name, &Request::default()).unwrap_err();
    }

    desk.release("first");
    assert_eq!(desk.ipam.take_woken().len(), 1, "room for one");
    desk.any("w0");

    desk.set_pools(&[pool("small", ["10.0.0.1-10.0.0.250"])]);
    // Waking is bounded in each step; serving those who were woken wakes the next.
    for _ in 0..10 {
        desk.serve_woken();
    }
    assert!(waiting.iter().all(|name| !desk.held(name).is_empty()));
    assert_eq!(desk.ipam.waiting().count(), 0);
}

#[test]
fn openelb_17_a_pinned_address_must_be_in_an_open_pool_and_errors_name_it() {
    let mut desk = Desk::new(&[pool("eip", ["10.0.0.1-10.0.0.2"])]);
    assert_eq!(desk.ask("a", &pin("10.0.0.2")), "10.0.0.2");
    let error = desk.try_ask("b", &pin("10.0.0.3")).unwrap_err();
    assert_eq!(error.reason(), Reason::AddressOutsidePools);
    assert!(error.to_string().contains("10.0.0.3"), "{error}");
    let named = Request {
        pool: Some("eip".parse().unwrap()),
        ..pin("10.0.0.3")
    };
    let error = desk.try_ask("b", &named).unwrap_err();
    assert_eq!(error.reason(), Reason::AddressOutsidePools);
    assert_eq!(
        error.refusals()[0].to_string(),
        "pool eip does not hold 10.0.0.3, only 10.0.0.1-10.0.0.2"
    );
    desk.any("c");
    let full = desk.try_ask("d", &Request::default()).unwrap_err();
    assert_eq!(full.reason(), Reason::PoolExhausted);
    assert!(
        full.to_string()
            .contains("pool eip has no free IPv4 address (2 of 2 taken)"),
        "{full}"
    );
    desk.release("a");
    desk.set_pools(&[PoolSpec {
        is_disabled: true,
        ..pool("eip", ["10.0.0.1-10.0.0.2"])
    }]);
    let disabled = desk.try_ask("e", &pin("10.0.0.2")).unwrap_err();
    assert!(
        disabled
            .refusals()
            .iter()
            .any(|refusal| refusal.rule == Rule::Disabled)
    );
}

#[test]
fn openelb_18_an_automatic_address_is_recorded_with_its_owner() {
    let mut desk = Desk::new(&[pool("eip", ["192.168.99.100-192.168.99.101"])]);
    assert_eq!(desk.any("ns/name"), "192.168.99.100");
    assert_eq!(desk.used("eip", Family::V4), 1);
    let Status::Held { owners, .. } = desk.ipam.whois(ip("192.168.99.100")).status else {
        panic!("not held")
    };
    assert_eq!(owners, [owner("ns/name").key]);
}

#[test]
fn openelb_19_the_same_request_twice_is_one_record_and_no_write() {
    let mut desk = Desk::new(&[pool("eip", ["10.0.0.1-10.0.0.9"])]);
    let first = desk.any("a");
    let generation = desk.ipam.generation();
    assert_eq!(desk.any("a"), first);
    assert_eq!(
        (desk.ipam.generation(), desk.used("eip", Family::V4)),
        (generation, 1)
    );
}

#[test]
fn openelb_20_and_24_asking_for_another_address_moves_in_one_step() {
    let mut desk = Desk::new(&[pool("eip", ["10.0.0.43-10.0.0.49"])]);
    desk.ask("a", &pin("10.0.0.43"));
    let generation = desk.ipam.generation();
    assert_eq!(desk.ask("a", &pin("10.0.0.49")), "10.0.0.49");
    assert_eq!(
        desk.ipam.generation(),
        generation + 1,
        "never a moment with both or with none"
    );
    assert_eq!(desk.ipam.whois(ip("10.0.0.43")).status, Status::Free);
}

#[test]
fn openelb_21_network_and_broadcast_addresses_of_a_prefix_are_never_given() {
    let mut desk = Desk::new(&[pool("eip", ["10.0.0.0/24"])]);
    let all: Vec<String> = (0..254).map(|n| desk.any(&format!("s{n}"))).collect();
    assert!(
        !all.iter()
            .any(|address| address == "10.0.0.0" || address == "10.0.0.255")
    );
    assert_eq!(
        desk.refusal("one-more", &Request::default()),
        Reason::PoolExhausted
    );
    for (range, count) in [
        ("10.0.0.0/31", 2),
        ("10.0.0.0/32", 1),
        ("10.0.0.0-10.0.0.255", 256),
    ] {
        let desk = Desk::new(&[pool("eip", [range])]);
        let capacity = desk.ipam.usage("eip", Family::V4).unwrap().capacity;
        assert_eq!(capacity, AddressCount::new(count), "{range}");
    }
}

// The door for text is `parse_addresses`; nothing reaches the ledger.
#[test]
fn openelb_22_a_wrong_address_text_is_refused_at_the_door() {
    for text in ["10.0.0.300", "abc"] {
        let error = parse_addresses(text).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    }
    let mut desk = Desk::new(&[pool("eip", ["10.0.0.1"])]);
    let generation = desk.ipam.generation();
    let contradiction = single(Family::V6).pin(ip("10.0.0.1"));
    assert_eq!(desk.refusal("a", &contradiction), Reason::InvalidAddress);
    assert_eq!(
        desk.ipam.generation(),
        generation,
        "no write for a request that can never succeed"
    );
}

#[test]
fn openelb_25_a_64_prefix_gives_automatic_and_pinned_addresses_and_ten_thousand_more() {
    let mut desk = Desk::new(&[pool("eip", ["2001:db8::/64"])]);
    assert_eq!(desk.any("auto"), "2001:db8::1");
    assert_eq!(desk.ask("pinned", &pin("2001:db8::ffff")), "2001:db8::ffff");
    for n in 0..10_000 {
        let owner = owner(&format!("s{n}"));
        desk.ipam
            .allocate(&owner, &Request::default(), Time(0))
            .unwrap();
    }
    assert_eq!(desk.used("eip", Family::V6), 10_002);
    assert_eq!(desk.ipam.audit(), [""; 0]);
}

// Two pools: the default pool of each family, one address from each.
#[test]
fn openelb_26_dual_stack_from_two_default_pools_is_both_or_none() {
    let v4 = default_pool("v4", ["10.0.0.1"]);
    let v6 = default_pool("v6", ["2001:db8::1"]);
    let mut desk = Desk::new(&[v4.clone(), v6]);
    assert_eq!(
        desk.ask("a", &Request::dual_stack().ipv6_first()),
        "2001:db8::1, 10.0.0.1"
    );
    assert_eq!(
        desk.refusal("b", &Request::dual_stack()),
        Reason::PoolExhausted
    );
    assert_eq!(desk.held("b"), "");
    let mut desk = Desk::new(&[v4]);
    assert_eq!(
        desk.refusal("a", &Request::dual_stack()),
        Reason::FamilyUnavailable
    );
    assert_eq!(desk.used("v4", Family::V4), 0);
    assert_eq!(desk.ask("a", &Request::prefer_dual_stack()), "10.0.0.1");
}

// In its compatibility mode and with a sharing key.
#[test]
fn openelb_27_two_services_share_one_pinned_address_on_different_ports() {
    let shared = PoolSpec {
        share_pinned: true,
        ..pool("eip", ["10.0.0.1-10.0.0.9"])
    };
    let mut desk = Desk::new(&[shared]);
    let on = |port: &str| Request {
        ports: ports(port),
        ..pin("10.0.0.5")
    };
    desk.ask("web", &on("TCP/80"));
    desk.ask("tls", &on("TCP/443"));
    assert_eq!(desk.used("eip", Family::V4), 1);
    let status = desk.ipam.whois(ip("10.0.0.5")).status;
    assert!(
        matches!(&status, Status::Held { owners, sharing: None } if owners.len() == 2),
        "the key of the pool's own making is not shown: {status:?}"
    );
    assert_eq!(desk.refusal("clash", &on("TCP/80")), Reason::AddressInUse);
    // Fault 11: another namespace does not get in without being asked.
    assert_eq!(
        desk.refusal("other/evil", &on("TCP/9000")),
        Reason::AddressInUse
    );
    desk.release("web");
    assert_eq!(
        (desk.held("tls").as_str(), desk.used("eip", Family::V4)),
        ("10.0.0.5", 1)
    );
    assert_eq!(desk.ask("keyed", &sharing("k", "TCP/80")), "10.0.0.1");
}

// The other half: sharing is for the traffic policy Cluster. A front end says so of
// an owner with another policy by an empty key.
#[test]
fn openelb_27_an_owner_with_an_empty_key_shares_with_nobody_even_where_the_pool_shares() {
    let shared = PoolSpec {
        share_pinned: true,
        ..pool("eip", ["10.0.0.1-10.0.0.9"])
    };
    let mut desk = Desk::new(&[shared]);
    let on = |port: &str| Request {
        ports: ports(port),
        ..pin("10.0.0.5")
    };
    let alone = |port: &str| Request {
        sharing: Some(Sharing::default()),
        ..on(port)
    };
    desk.ask("web", &on("TCP/80"));
    assert_eq!(
        desk.refusal("local", &alone("TCP/443")),
        Reason::AddressInUse
    );
    desk.release("web");
    desk.ask("local", &alone("TCP/443"));
    assert_eq!(desk.refusal("web", &on("TCP/80")), Reason::AddressInUse);
}

#[test]
fn openelb_28_and_29_releasing_what_is_held_or_not_held_is_never_an_error() {
    let mut desk = Desk::new(&[pool("eip", ["10.0.0.1"])]);
    assert!(desk.release("never-seen").is_empty());
    desk.any("a");
    assert_eq!(desk.release("a").addresses.as_slice(), [ip("10.0.0.1")]);
    assert!(desk.release("a").is_empty());
    desk.set_pools(&[]);
    assert!(desk.release("a").is_empty());
}

#[test]
fn openelb_30_naming_another_pool_moves_the_owner_there() {
    let mut desk = Desk::new(&[pool("eip1", ["10.0.0.1"]), pool("eip", ["10.0.1.1"])]);
    assert_eq!(desk.ask("a", &from("eip1")), "10.0.0.1");
    assert_eq!(desk.ask("a", &from("eip")), "10.0.1.1");
    assert_eq!(desk.used("eip1", Family::V4), 0);
}

#[test]
fn openelb_31_deleting_a_pool_releases_its_owners_and_another_pool_serves_them() {
    let (old, new) = (pool("old", ["10.0.0.1"]), pool("new", ["10.0.1.1"]));
    let mut desk = Desk::new(&[old, new.clone()]);
    assert_eq!(desk.any("a"), "10.0.0.1");
    let plan = desk.set_pools(&[new]);
    assert_eq!(plan.effects()[0].fate, Fate::Released);
    desk.serve_woken();
    assert_eq!(desk.held("a"), "10.0.1.1");
}

#[test]
fn openelb_32_disabling_remarking_or_adding_a_better_pool_renumbers_nobody() {
    let old = default_pool("old", ["10.0.0.1-10.0.0.9"]);
    let mut desk = Desk::new(std::slice::from_ref(&old));
    let held = desk.any("ns/a");
    let better = PoolSpec {
        priority: Some(1),
        ..bound_pool("better", "ns", ["10.0.1.1-10.0.1.9"])
    };
    for pools in [
        vec![PoolSpec {
            is_disabled: true,
            ..old.clone()
        }],
        vec![PoolSpec {
            is_default: false,
            auto_assign: false,
            ..old.clone()
        }],
        vec![old.clone(), better],
    ] {
        desk.set_pools(&pools);
        assert_eq!(desk.any("ns/a"), held);
    }
    assert_eq!(
        desk.any("ns/new"),
        "10.0.1.1",
        "a new owner follows the new rules"
    );
}

// openelb fault 1
#[test]
fn an_owner_of_the_last_address_of_a_pool_never_alternates() {
    let first = PoolSpec {
        priority: Some(1),
        ..bound_pool("first", "ns", ["10.0.0.1"])
    };
    let second = PoolSpec {
        priority: Some(2),
        ..bound_pool("second", "ns", ["10.0.1.1-10.0.1.9"])
    };
    let mut desk = Desk::new(&[first, second]);
    for _ in 0..5 {
        assert_eq!(desk.any("ns/a"), "10.0.0.1");
        assert_eq!(desk.any("ns/b"), "10.0.1.1");
    }
}

// After a restart 4,000 owners ask again and nothing is written.
#[test]
fn openelb_33_after_a_restart_asking_again_writes_nothing() {
    let mut desk = Desk::new(&[pool("eip", ["10.0.0.0/16", "2001:db8::/64"])]);
    let owners: Vec<_> = (0..4_000).map(|n| owner(&format!("s{n}"))).collect();
    let request = Request::dual_stack();
    for owner in &owners {
        desk.ipam.allocate(owner, &request, Time(0)).unwrap();
    }
    let mut restarted = Ipam::restore(desk.ipam.snapshot()).unwrap();
    let generation = restarted.generation();
    for owner in owners.iter().rev() {
        assert!(
            !restarted
                .allocate(owner, &request, Time(9))
                .unwrap()
                .is_changed
        );
    }
    assert_eq!(restarted.generation(), generation);
}
