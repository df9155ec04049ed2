//! What Kubernetes expects of a load balancer.

use std::net::IpAddr;

use openelb_ipam::{Families, Family, Time};

use super::{Desk, Edit, default_eip, ip, refusal, request, service};
use crate::cluster::{
    Ingress, IpFamily, IpFamilyPolicy, Service, ServicePort, ServiceType, Transport,
};
use crate::names;
use crate::wish::{ReasonWord, Refusal, Serving, Unclassed, Wish, condition, ingress, wish};

const DUAL: &str = "192.0.2.0/24,2001:db8::/64";

fn classed(class: Option<&str>, opts_in: bool) -> Service {
    let mut service = service("web");
    service.spec.load_balancer_class = class.map(str::to_owned);
    if !opts_in {
        service.metadata.annotations.clear();
    }
    service
}

#[test]
fn contract_1_our_class_is_served_and_no_class_by_opt_in_or_as_the_default() {
    let is_served = |service: &Service, unclassed| {
        let serving = Serving {
            unclassed,
            ..Serving::default()
        };
        matches!(wish(service, None, &serving), Wish::Ask(..))
    };
    let ours = Some(names::LOAD_BALANCER_CLASS);
    for (class, opts_in, by_opt_in, as_default) in [
        (ours, false, true, true),
        (ours, true, true, true),
        (None, true, true, true),
        (None, false, false, true),
    ] {
        let service = classed(class, opts_in);
        let served = [Unclassed::OptIn, Unclassed::Always].map(|it| is_served(&service, it));
        assert_eq!(served, [by_opt_in, as_default], "{class:?} {opts_in}");
    }
    let configured = Serving {
        class: "example.com/lb".to_owned(),
        ..Serving::default()
    };
    assert_eq!(wish(&classed(ours, true), None, &configured), Wish::NotOurs);
    assert!(configured.serves(&classed(Some("example.com/lb"), false)));
}

#[test]
fn contract_2_a_service_of_another_class_is_not_touched_whatever_else_it_says() {
    let foreign = classed(Some("example.com/other"), true)
        .annotated(names::POOL_ANNOTATION, "eip")
        .annotated(names::ADDRESS_ANNOTATION, "not an address");
    for unclassed in [Unclassed::OptIn, Unclassed::Always] {
        let serving = Serving {
            unclassed,
            ..Serving::default()
        };
        assert_eq!(wish(&foreign, None, &serving), Wish::NotOurs);
    }
    // OpenELB ignored classes: what it left on such a Service is taken off, or nobody could delete it.
    let left = foreign.marked();
    assert_eq!(wish(&left, None, &Serving::default()), Wish::Nothing);
}

#[test]
fn contract_3_node_ports_make_no_difference() {
    let without = service("web");
    let mut with = service("web");
    with.spec.ports[0].node_port = 30_080;
    assert_eq!(request(&without), request(&with));
    let addresses = [ip("192.0.2.1")];
    assert_eq!(
        ingress(&without, &addresses, true),
        ingress(&with, &addresses, true)
    );
}

#[test]
fn contract_4_there_and_back_is_one_owner_and_one_address() {
    let mut desk = Desk::new([default_eip("eip", "192.0.2.1")]);
    let balanced = service("web").marked();
    let mut plain = balanced.clone();
    plain.spec.kind = ServiceType::Other;
    let steps = [&balanced, &plain, &balanced].map(|service| desk.serve(service));
    assert_eq!(steps, ["192.0.2.1", "released", "192.0.2.1"]);
    assert_eq!(desk.ipam.owner_count(), 1);
}

#[test]
fn contract_5_ingress_is_in_the_order_of_the_families_with_the_mode_where_it_is_known() {
    let addresses: [IpAddr; 2] = [ip("192.0.2.1"), ip("2001:db8::1")];
    for first in [IpFamily::IPv4, IpFamily::IPv6] {
        let dual = service("web").dual(IpFamilyPolicy::RequireDualStack, first);
        let entries = ingress(&dual, &addresses, true);
        let ips: Vec<_> = entries.iter().map(|it| it.ip.as_str()).collect();
        let mut expected = ["192.0.2.1", "2001:db8::1"];
        if first == IpFamily::IPv6 {
            expected.reverse();
        }
        assert_eq!(ips, expected);
        assert!(
            entries
                .iter()
                .all(|it| it.ip_mode.as_deref() == Some("VIP"))
        );
        assert!(
            entries
                .iter()
                .all(|it| it.hostname.is_empty() && it.ports.is_empty())
        );
        let before = ingress(&dual, &addresses, false);
        assert!(before.iter().all(|it| it.ip_mode.is_none()));
    }
}

#[test]
fn contract_6_ours_is_neither_doubled_nor_dropped_beside_a_foreign_address() {
    let mut web = service("web");
    web.status.load_balancer.ingress = vec![Ingress {
        ip: "203.0.113.9".to_owned(),
        ..Ingress::default()
    }];
    let entries = ingress(&web, &[ip("192.0.2.1"), ip("192.0.2.1")], true);
    assert_eq!(entries.len(), 1);
    let foreign = Refusal::foreign(&[ip("203.0.113.9")]);
    assert_eq!(foreign.reason, ReasonWord::ForeignAddress);
    assert!(foreign.message.contains("203.0.113.9"));
}

#[test]
fn contract_7_an_unchanged_service_makes_the_same_a_hundred_times() {
    let mut desk = Desk::new([default_eip("eip", DUAL)]);
    let web = service("web").dual(IpFamilyPolicy::PreferDualStack, IpFamily::IPv6);
    let first = desk.serve(&web);
    let generation = desk.ipam.generation();
    for _ in 0..100 {
        assert_eq!(desk.serve(&web), first);
    }
    assert_eq!(desk.ipam.generation(), generation);
}

#[test]
fn contract_8_the_time_of_a_condition_moves_only_with_its_status() {
    let mut web = service("web");
    web.metadata.generation = Some(3);
    let trouble = |word| Refusal::new(word, "why; what next");
    let (full, unknown) = (
        trouble(ReasonWord::PoolExhausted),
        trouble(ReasonWord::NoMatchingPool),
    );
    assert_eq!(condition(&web, None, true, Time(0)), None);
    let first = condition(&web, Some(&full), false, Time(1_000)).unwrap();
    assert_eq!(first.kind, "openelb.io/AddressAssigned");
    assert_eq!(
        (first.status.as_str(), first.reason.as_str()),
        ("False", "PoolExhausted")
    );
    assert_eq!(first.observed_generation, Some(3));
    assert_eq!(first.last_transition_time, "1970-01-01T00:00:01Z");
    web.status.conditions = vec![first.clone()];
    let same = condition(&web, Some(&full), false, Time(9_000)).unwrap();
    assert_eq!(same, first);
    let other_reason = condition(&web, Some(&unknown), false, Time(9_000)).unwrap();
    assert_eq!(
        other_reason.last_transition_time,
        first.last_transition_time
    );
    let other_status = condition(&web, Some(&unknown), true, Time(9_000)).unwrap();
    assert_eq!(other_status.last_transition_time, "1970-01-01T00:00:09Z");
}

#[test]
fn contract_9_two_protocols_on_one_port_are_one_address_and_an_unknown_one_is_reported() {
    let mut dns = service("dns").ports(&[53]);
    let with = |protocol| ServicePort {
        protocol,
        port: 53,
        ..ServicePort::default()
    };
    dns.spec.ports.push(with(Transport::Udp));
    assert_eq!(request(&dns).ports.to_string(), "TCP/53,UDP/53");
    assert!(ingress(&dns, &[ip("192.0.2.1")], true)[0].ports.is_empty());
    dns.spec.ports.push(with(Transport::Unknown));
    assert_eq!(request(&dns).ports.to_string(), "TCP/53,UDP/53");
    let entries = ingress(&dns, &[ip("192.0.2.1")], true);
    let errors: Vec<_> = entries[0]
        .ports
        .iter()
        .map(|it| it.error.as_deref())
        .collect();
    assert_eq!(errors, [None, None, Some("openelb.io/UnsupportedProtocol")]);
}

#[test]
fn contract_10_single_stack_ipv6_takes_no_ipv4() {
    let mut desk = Desk::new([default_eip("eip", DUAL)]);
    assert_eq!(desk.serve(&service("web").v6()), "2001:db8::1");
    assert!(desk.ipam.usage("eip", Family::V4).unwrap().used.is_zero());
}

#[test]
fn contract_11_a_required_pair_is_completed_by_a_new_pool_without_touching_the_service() {
    let web = service("web").dual(IpFamilyPolicy::RequireDualStack, IpFamily::IPv4);
    let mut desk = Desk::new([default_eip("four", "192.0.2.0/24")]);
    assert_eq!(desk.serve(&web), "FamilyUnavailable");
    assert_eq!(desk.ipam.owner_count(), 0);
    desk.set([
        default_eip("four", "192.0.2.0/24"),
        default_eip("six", "2001:db8::/64"),
    ]);
    assert_eq!(desk.woken(), ["web"]);
    assert_eq!(desk.serve(&web), "192.0.2.1, 2001:db8::1");
}

#[test]
fn contract_12_a_preferred_pair_begins_with_what_there_is_and_says_what_is_missing() {
    let web = service("web").dual(IpFamilyPolicy::PreferDualStack, IpFamily::IPv4);
    let mut desk = Desk::new([default_eip("four", "192.0.2.0/24")]);
    assert_eq!(desk.serve(&web), "192.0.2.1");
    let explain = |desk: &Desk| {
        let Wish::Ask(owner, request) = wish(&web, None, &desk.serving) else {
            panic!()
        };
        Refusal::missing(&desk.ipam.explain(&owner, &request, desk.now))
    };
    let missing = explain(&desk).unwrap();
    assert_eq!(missing.reason, ReasonWord::FamilyUnavailable);
    let degraded = condition(&web, Some(&missing), true, Time(0)).unwrap();
    assert_eq!(degraded.status, "True");
    assert!(
        degraded.message.contains("no IPv6 address yet"),
        "{}",
        degraded.message
    );
    desk.set([
        default_eip("four", "192.0.2.0/24"),
        default_eip("six", "2001:db8::/64"),
    ]);
    assert_eq!(desk.woken(), ["web"]);
    assert_eq!(desk.serve(&web), "192.0.2.1, 2001:db8::1");
    assert_eq!(explain(&desk), None);
}

#[test]
fn contract_13_preferring_two_families_where_the_cluster_has_one_is_satisfied_by_it() {
    let mut web = service("web");
    web.spec.ip_family_policy = Some(IpFamilyPolicy::PreferDualStack);
    assert_eq!(request(&web).families, Families::One(Family::V4));
    let mut desk = Desk::new([default_eip("eip", DUAL)]);
    assert_eq!(desk.serve(&web), "192.0.2.1");
    let owner = super::key(&web).into();
    assert_eq!(
        desk.ipam.explain(&owner, &request(&web), desk.now).missing,
        None
    );
}

#[test]
fn contract_14_from_two_families_to_one_keeps_the_one_that_stays() {
    let mut desk = Desk::new([default_eip("eip", DUAL)]);
    let pair = service("web").dual(IpFamilyPolicy::RequireDualStack, IpFamily::IPv4);
    assert_eq!(desk.serve(&pair), "192.0.2.1, 2001:db8::1");
    assert_eq!(desk.serve(&service("web")), "192.0.2.1");
    assert!(desk.ipam.usage("eip", Family::V6).unwrap().used.is_zero());
}

// An IPv6 address in other than the canonical text is accepted: see openelb_22.
#[test]
fn contract_15_addresses_in_any_order_and_no_contradiction() {
    let dual = || service("web").dual(IpFamilyPolicy::RequireDualStack, IpFamily::IPv4);
    let asked =
        |service: Service, text: &str| service.annotated("metallb.io/loadBalancerIPs", text);
    let mut desk = Desk::new([default_eip("eip", DUAL)]);
    let both = asked(dual(), "2001:db8::9, 192.0.2.9");
    assert_eq!(desk.serve(&both), "192.0.2.9, 2001:db8::9");
    for (why, service) in [
        ("two of one family", asked(dual(), "192.0.2.9,192.0.2.8")),
        ("one of them twice", asked(dual(), "192.0.2.9,192.0.2.9")),
        ("not in ipFamilies", asked(service("web"), "2001:db8::9")),
        ("leading zeros", asked(dual(), "192.0.2.09")),
        ("IPv4-mapped", asked(dual(), "::ffff:192.0.2.9")),
    ] {
        assert_eq!(
            refusal(&service).reason,
            ReasonWord::InvalidAddress,
            "{why}"
        );
    }
    let contradicting = asked(service("web"), "192.0.2.9").field("192.0.2.8");
    assert_eq!(
        refusal(&contradicting).reason,
        ReasonWord::ContradictoryRequest
    );
}
