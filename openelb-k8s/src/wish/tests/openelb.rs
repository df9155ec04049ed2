//! What OpenELB promises its users, at the objects that they write.

use std::collections::BTreeMap;

use openelb_ipam::Family;

use super::{Desk, Edit, bound, default_eip, eip, ip, key, refusal, request, service};
use crate::api::{OnShrink, Protocol};
use crate::cluster::{IpFamily, IpFamilyPolicy, ServiceType};
use crate::names::{
    ADDRESS_ANNOTATION, DEFAULT_EIP_ANNOTATION, OPT_IN_ANNOTATION, POOL_ANNOTATION,
};
use crate::pool;
use crate::wish::{ReasonWord, eip_status, ingress};

fn overlap(elder: &str, younger: &str) -> bool {
    let mut desk = Desk::new([eip("elder", elder)]);
    desk.set([eip("elder", elder), eip("younger", younger)]);
    let status = eip_status(&desk.eips[1], &desk.ipam, desk.now);
    status.conditions.iter().any(|it| it.kind == "Overlap")
}

#[test]
fn openelb_7_pools_that_share_an_address_overlap_and_neighbours_do_not() {
    let base = "192.168.0.100-192.168.0.200";
    for (other, expected) in [
        ("192.168.0.1-192.168.0.99", false),
        ("192.168.0.201-192.168.0.250", false),
        ("192.168.0.1-192.168.0.100", true),
        ("192.168.0.200-192.168.0.250", true),
    ] {
        assert_eq!(overlap(base, other), expected, "{other}");
    }
}

// OpenELB compared bare numbers, so that an IPv4 prefix "overlapped" an IPv6 one.
#[test]
fn openelb_8_families_never_overlap_and_mapped_addresses_are_no_pool() {
    assert!(!overlap("10.0.0.0/8", "::a00:0/104"));
    assert!(pool::spec(&eip("mapped", "::ffff:10.0.0.0/104")).is_err());
}

// OpenELB refuses every edit of the address. Here a used address is kept and shown.
#[test]
fn openelb_9_a_pool_that_shrinks_below_a_used_address_keeps_it_and_says_so() {
    let mut desk = Desk::new([default_eip("eip", "192.0.2.1-192.0.2.9")]);
    let web = service("web").field("192.0.2.9");
    assert_eq!(desk.serve(&web), "192.0.2.9");
    let mut shrunk = default_eip("eip", "192.0.2.1");
    shrunk.spec.disable = true;
    desk.set([shrunk.clone()]);
    assert_eq!(desk.serve(&web), "192.0.2.9");
    let status = eip_status(&shrunk, &desk.ipam, desk.now);
    let orphaned = status.conditions.iter().find(|it| it.kind == "Orphaned");
    assert_eq!(orphaned.unwrap().reason, "Retained");
    shrunk.spec.on_shrink = OnShrink::Drain;
    desk.set([shrunk.clone()]);
    let status = eip_status(&shrunk, &desk.ipam, desk.now);
    assert!(status.conditions.iter().any(|it| it.reason == "Draining"));
}

#[test]
fn openelb_10_link_pools_need_an_interface_and_there_is_one_default_in_any_letter_case() {
    for (protocol, is_accepted) in [
        (Protocol::Bgp, true),
        (Protocol::Layer2, false),
        (Protocol::Vip, false),
    ] {
        let mut eip = eip("eip", "192.0.2.0/24");
        eip.spec.protocol = protocol;
        assert_eq!(pool::spec(&eip).is_ok(), is_accepted, "{protocol:?}");
    }
    let mut upper = eip("upper", "192.0.2.0/24");
    let annotations = &mut upper.metadata.annotations;
    annotations.insert(DEFAULT_EIP_ANNOTATION.to_owned(), "True".to_owned());
    let mut desk = Desk::new([upper, default_eip("second", "198.51.100.0/24")]);
    assert_eq!(
        desk.serve(&service("web")),
        "192.0.2.1",
        "the first one is the default"
    );
}

#[test]
fn openelb_11_a_pool_bound_to_the_namespace_by_name_is_chosen() {
    let mut desk = Desk::new([
        eip("unbound", "192.0.2.1"),
        bound("bound", "198.51.100.1", &["test", "default"]),
    ]);
    assert_eq!(desk.serve(&service("web")), "198.51.100.1");
}

#[test]
fn openelb_12_a_pool_bound_to_the_namespace_by_label_is_chosen() {
    let mut selecting = eip("bound", "198.51.100.1");
    selecting.spec.namespace_selector = BTreeMap::from([("team".to_owned(), "a".to_owned())]);
    let mut desk = Desk::new([eip("unbound", "192.0.2.1"), selecting]);
    desk.label("default", "team", "a");
    assert_eq!(desk.serve(&service("web")), "198.51.100.1");
}

#[test]
fn openelb_13_of_two_bound_pools_the_smaller_priority_number_serves() {
    let prioritised = |name, address, priority| {
        let mut eip = bound(name, address, &["default"]);
        eip.spec.priority = priority;
        eip
    };
    let mut desk = Desk::new([
        prioritised("twenty", "192.0.2.20", 20),
        prioritised("ten", "192.0.2.10", 10),
    ]);
    assert_eq!(desk.serve(&service("web")), "192.0.2.10");
}

#[test]
fn openelb_14_bound_beats_default_and_neither_is_pending_with_a_reason() {
    let mut far = bound("bound", "192.0.2.1", &["default"]);
    far.spec.priority = 100;
    let mut desk = Desk::new([default_eip("default", "198.51.100.1"), far]);
    assert_eq!(desk.serve(&service("web")), "192.0.2.1");
    let elsewhere = service("web").inside("shop");
    assert_eq!(desk.serve(&elsewhere), "198.51.100.1");
    let mut desk = Desk::new([eip("unbound", "192.0.2.1")]);
    assert_eq!(desk.serve(&service("web")), "NoMatchingPool");
}

#[test]
fn openelb_15_naming_a_pool_or_an_address_of_another_namespace_is_served() {
    let mut desk = Desk::new([bound("theirs", "192.0.2.1-192.0.2.9", &["other"])]);
    let by_pool = service("a").annotated(POOL_ANNOTATION, "theirs");
    assert_eq!(desk.serve(&by_pool), "192.0.2.1");
    assert_eq!(desk.serve(&service("b").field("192.0.2.7")), "192.0.2.7");
}

// OpenELB forgets whoever waits until somebody touches the Service.
#[test]
fn openelb_16_whoever_waits_is_woken_by_a_default_mark_a_label_or_a_freed_address() {
    let web = service("web");
    let mut desk = Desk::new([eip("eip", "192.0.2.1")]);
    assert_eq!(desk.serve(&web), "NoMatchingPool");
    desk.set([default_eip("eip", "192.0.2.1")]);
    assert_eq!(desk.woken(), ["web"]);
    assert_eq!(desk.serve(&web), "192.0.2.1");
    let late = service("late");
    assert_eq!(desk.serve(&late), "PoolExhausted");
    desk.gone(&web);
    assert_eq!(desk.woken(), ["late"]);
    assert_eq!(desk.serve(&late), "192.0.2.1");
    // A label makes another request of the same Service: the namespace's event asks again.
    let mut selecting = eip("eip", "192.0.2.1");
    selecting.spec.namespace_selector = BTreeMap::from([("team".to_owned(), "a".to_owned())]);
    let mut desk = Desk::new([selecting]);
    assert_eq!(desk.serve(&web), "NoMatchingPool");
    desk.label("default", "team", "a");
    assert_eq!(desk.serve(&web), "192.0.2.1");
}

#[test]
fn openelb_17_an_address_is_given_from_an_open_pool_only_and_the_message_names_the_pool() {
    let ask = |address: &str| service("web").field(address);
    let mut desk = Desk::new([eip("eip", "192.0.2.1-192.0.2.9")]);
    assert_eq!(desk.serve(&ask("192.0.2.5")), "192.0.2.5");
    let outside = service("b")
        .field("192.0.2.10")
        .annotated(POOL_ANNOTATION, "eip");
    let refused = desk.outcome(&outside).unwrap_err();
    assert_eq!(refused.reason, ReasonWord::AddressOutsidePools);
    let expected = "Eip eip does not hold 192.0.2.10, only 192.0.2.1-192.0.2.9; ";
    assert!(refused.message.starts_with(expected), "{refused}");
    let mut disabled = eip("eip", "192.0.2.1-192.0.2.9");
    disabled.spec.disable = true;
    let mut deleting = eip("eip", "192.0.2.1-192.0.2.9");
    deleting.metadata.deletion_timestamp = Some("2026-01-01T00:00:00Z".to_owned());
    for closed in [disabled, deleting] {
        let mut desk = Desk::new([closed]);
        let refused = desk.outcome(&ask("192.0.2.5")).unwrap_err();
        assert_eq!(refused.reason, ReasonWord::NoMatchingPool);
        assert!(
            refused.message.starts_with("Eip eip is disabled"),
            "{refused}"
        );
    }
    let mut desk = Desk::new([eip("eip", "192.0.2.1")]);
    let full = |name: &str| service(name).annotated(POOL_ANNOTATION, "eip");
    desk.serve(&full("a"));
    let refused = desk.outcome(&full("b")).unwrap_err();
    assert!(
        refused
            .message
            .starts_with("Eip eip has no free IPv4 address"),
        "{refused}"
    );
}

#[test]
fn openelb_18_an_automatic_address_is_of_the_pool_and_counted_once() {
    let mut desk = Desk::new([default_eip("eip", "192.168.99.100-192.168.99.101")]);
    assert_eq!(desk.serve(&service("web")), "192.168.99.100");
    let status = eip_status(&desk.eips[0], &desk.ipam, desk.now);
    assert_eq!(
        (status.usage, status.pool_size, status.occupied),
        (1, 2, false)
    );
}

#[test]
fn openelb_19_the_same_service_twice_is_one_record() {
    let mut desk = Desk::new([default_eip("eip", "192.0.2.0/24")]);
    let first = desk.serve(&service("web"));
    let generation = desk.ipam.generation();
    assert_eq!(desk.serve(&service("web")), first);
    assert_eq!(desk.ipam.generation(), generation);
}

#[test]
fn openelb_20_and_24_another_address_of_the_pool_replaces_the_first_in_one_step() {
    let mut desk = Desk::new([eip("eip", "192.0.2.40-192.0.2.50")]);
    desk.serve(&service("web").field("192.0.2.43"));
    let generation = desk.ipam.generation();
    assert_eq!(
        desk.serve(&service("web").field("192.0.2.49")),
        "192.0.2.49"
    );
    assert_eq!(
        desk.ipam.generation(),
        generation + 1,
        "never without an address"
    );
    assert_eq!(
        desk.ipam.usage("eip", Family::V4).unwrap().used.to_string(),
        "1"
    );
    assert_eq!(
        desk.serve(&service("other").field("192.0.2.43")),
        "192.0.2.43"
    );
}

#[test]
fn openelb_21_the_edges_of_a_prefix_are_never_given_and_those_of_a_range_are() {
    let all = |address: &str, count: usize| {
        let mut desk = Desk::new([default_eip("eip", address)]);
        let serve = |n: usize| desk.serve(&service(&format!("s{n}")));
        (0..count).map(serve).collect::<Vec<_>>()
    };
    let given = all("10.0.0.0/29", 7);
    assert_eq!(
        (given[0].as_str(), given[5].as_str()),
        ("10.0.0.1", "10.0.0.6")
    );
    assert_eq!(given[6], "PoolExhausted");
    assert_eq!(all("10.0.0.0/31", 2), ["10.0.0.0", "10.0.0.1"]);
    assert_eq!(all("10.0.0.0-10.0.0.1", 2), ["10.0.0.0", "10.0.0.1"]);
}

#[test]
fn openelb_22_what_is_no_address_is_refused_with_a_reason_and_nothing_is_given() {
    for text in [
        "10.0.0.300",
        "abc",
        "010.0.0.1",
        "::ffff:10.0.0.1",
        "10.0.0.1,",
        "fe80::1%eth0",
    ] {
        let mut desk = Desk::new([default_eip("eip", "0.0.0.0/0,::/0")]);
        for web in [
            service("web").field(text),
            service("web").annotated(ADDRESS_ANNOTATION, text),
        ] {
            let web = web.annotated(POOL_ANNOTATION, "eip");
            assert_eq!(desk.serve(&web), "InvalidAddress", "{text}");
            assert_eq!(desk.serve(&web), "InvalidAddress", "{text}");
        }
        assert_eq!(desk.ipam.owner_count(), 0, "{text}");
    }
}

// OpenELB wrote an IPv6 address in other than the canonical text again and again.
#[test]
fn openelb_22_any_spelling_of_an_ipv6_address_is_one_address() {
    let mut desk = Desk::new([eip("eip", "2001:db8::/64")]);
    for text in [
        "2001:DB8:0:0:0:0:0:00ff",
        "2001:db8::ff",
        " 2001:0db8::0.0.0.255 ",
    ] {
        assert_eq!(desk.serve(&service("web").v6().field(text)), "2001:db8::ff");
    }
    assert_eq!(
        desk.ipam.generation(),
        2,
        "one step for the pool and one for the address"
    );
}

#[test]
fn openelb_23_the_annotation_wins_over_the_field() {
    let web = service("web")
        .annotated(ADDRESS_ANNOTATION, "192.0.2.1")
        .field("192.0.2.2");
    assert_eq!(request(&web).addresses.as_slice(), [ip("192.0.2.1")]);
    let empty = service("web")
        .annotated(ADDRESS_ANNOTATION, " ")
        .field("192.0.2.2");
    assert_eq!(request(&empty).addresses.as_slice(), [ip("192.0.2.2")]);
    let wrong = service("web")
        .annotated(ADDRESS_ANNOTATION, "x")
        .field("192.0.2.2");
    assert_eq!(refusal(&wrong).reason, ReasonWord::InvalidAddress);
}

#[test]
fn openelb_26_dual_stack_from_two_default_pools_is_both_or_none_in_order() {
    let required = service("web").dual(IpFamilyPolicy::RequireDualStack, IpFamily::IPv6);
    let (v4, v6) = ("192.0.2.0/24", "2001:db8::/64");
    let mut desk = Desk::new([default_eip("four", v4), default_eip("six", v6)]);
    assert_eq!(desk.serve(&required), "2001:db8::1, 192.0.2.1");
    let mut desk = Desk::new([default_eip("four", v4)]);
    assert_eq!(desk.serve(&required), "FamilyUnavailable");
    assert_eq!(desk.ipam.owner_count(), 0);
    let preferred = service("web").dual(IpFamilyPolicy::PreferDualStack, IpFamily::IPv4);
    assert_eq!(desk.serve(&preferred), "192.0.2.1");
}

#[test]
fn openelb_27_services_of_a_namespace_share_an_address_on_different_ports() {
    let mut desk = Desk::new([default_eip("eip", "192.0.2.0/24")]);
    let shared = |name: &str, port| service(name).field("192.0.2.5").ports(&[port]);
    let (web, tls) = (shared("web", 80), shared("tls", 443));
    assert_eq!(
        (desk.serve(&web), desk.serve(&tls)),
        ("192.0.2.5".into(), "192.0.2.5".into())
    );
    let usage = |desk: &Desk| eip_status(&desk.eips[0], &desk.ipam, desk.now).usage;
    assert_eq!(usage(&desk), 1);
    desk.gone(&web);
    assert_eq!((desk.held(&tls), usage(&desk)), ("192.0.2.5".into(), 1));
}

// OpenELB gave a used address to whoever named it, so that any namespace could take the traffic of any
// other; and it only warned about the traffic policy Local.
#[test]
fn openelb_27_is_refused_across_namespaces_for_one_port_and_for_local_traffic() {
    let mut desk = Desk::new([default_eip("eip", "192.0.2.0/24")]);
    let shared = |name: &str, port| service(name).field("192.0.2.5").ports(&[port]);
    desk.serve(&shared("web", 80));
    for (why, other) in [
        ("another namespace", shared("evil", 9000).inside("other")),
        ("the same port", shared("twin", 80)),
        ("local traffic", shared("local", 443).local("app=web")),
    ] {
        assert_eq!(desk.serve(&other), "SharingRefused", "{why}");
    }
    let local = shared("local", 443).local("app=web");
    let mut desk = Desk::new([default_eip("eip", "192.0.2.0/24")]);
    assert_eq!(desk.serve(&local), "192.0.2.5");
    assert_eq!(desk.serve(&shared("web", 80)), "AddressInUse");
}

#[test]
fn openelb_29_a_service_that_stops_to_be_ours_gives_its_address_back() {
    let mut cluster_ip = service("web").marked();
    cluster_ip.spec.kind = ServiceType::Other;
    let mut opted_out = service("web").marked();
    opted_out.metadata.annotations.clear();
    let other_value = service("web").marked().annotated(OPT_IN_ANNOTATION, "yes");
    let mut deleting = service("web").marked();
    deleting.metadata.deletion_timestamp = Some("2026-01-01T00:00:00Z".to_owned());
    for gone in [cluster_ip, opted_out, other_value, deleting] {
        let mut desk = Desk::new([default_eip("eip", "192.0.2.1")]);
        desk.serve(&service("web"));
        assert_eq!(desk.serve(&gone), "released");
        assert_eq!(desk.held(&gone), "");
        assert!(ingress(&gone, &[], true).is_empty());
    }
    let mut desk = Desk::new([default_eip("eip", "192.0.2.1")]);
    let mut never_ours = service("web");
    never_ours.metadata.annotations.clear();
    assert_eq!(desk.serve(&never_ours), "not ours");
    assert!(desk.ipam.allocation(key(&never_ours).as_str()).is_none());
}

#[test]
fn openelb_30_naming_another_pool_moves_the_service_there() {
    let mut desk = Desk::new([eip("eip1", "192.0.2.1"), eip("eip", "198.51.100.1")]);
    let from = |pool: &str| service("web").annotated(POOL_ANNOTATION, pool);
    assert_eq!(desk.serve(&from("eip1")), "192.0.2.1");
    assert_eq!(desk.serve(&from("eip")), "198.51.100.1");
    let status = |desk: &Desk, at: usize| eip_status(&desk.eips[at], &desk.ipam, desk.now).usage;
    assert_eq!((status(&desk, 0), status(&desk, 1)), (0, 1));
    assert_eq!(desk.serve(&from("none")), "NoMatchingPool");
    assert_eq!(
        desk.held(&from("none")),
        "198.51.100.1",
        "until the wish can be granted"
    );
    assert_eq!(refusal(&from("a b")).reason, ReasonWord::NoMatchingPool);
}
