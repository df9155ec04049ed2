//! What MetalLB's users know, at the Services that they write.

use openelb_ipam::Family;

use super::{Desk, Edit, default_eip, eip, ip, refusal, request, service};
use crate::cluster::{
    Ingress, IpFamily, IpFamilyPolicy, Service, ServicePort, ServiceType, Transport,
};
use crate::names;
use crate::wish::{ReasonWord, Serving, Wish, ingress, wish};

const PREFIXES: [&str; 2] = ["metallb.io", "metallb.universe.tf"];

fn said(service: Service, prefix: &str, name: &str, value: &str) -> Service {
    service.annotated(&format!("{prefix}/{name}"), value)
}

/// Allowed to share under a key.
fn keyed(name: &str, key: &str, tcp: &[u16]) -> Service {
    said(service(name), PREFIXES[0], "allow-shared-ip", key)
        .field("192.0.2.5")
        .ports(tcp)
}

#[test]
fn metallb_17_to_19_a_pool_is_named_under_both_prefixes() {
    for prefix in PREFIXES {
        let from = |pool: &str| said(service("web"), prefix, "address-pool", pool);
        let mut desk = Desk::new([eip("p1", "192.0.2.1"), eip("p2", "198.51.100.1")]);
        assert_eq!(desk.serve(&from("p1")), "192.0.2.1");
        let generation = desk.ipam.generation();
        assert_eq!(desk.serve(&from("p2")), "198.51.100.1");
        assert_eq!(desk.ipam.generation(), generation + 1, "one write");
        assert_eq!(desk.serve(&from("p3")), "NoMatchingPool");
    }
}

// MetalLB refuses the annotation beside the field also when they agree, and clears what the Service
// has. Here what agrees is accepted, and a Service keeps what it has until its new wish can be granted.
#[test]
fn metallb_20_an_address_by_field_or_annotation_and_not_two_of_them() {
    for prefix in PREFIXES {
        let asked = |text: &str| said(service("web"), prefix, "loadBalancerIPs", text);
        let mut desk = Desk::new([default_eip("eip", "192.0.2.0/24")]);
        assert_eq!(desk.serve(&asked("192.0.2.7")), "192.0.2.7");
        assert_eq!(
            desk.serve(&asked("192.0.2.7").field("192.0.2.7")),
            "192.0.2.7"
        );
        assert_eq!(
            desk.serve(&asked("192.0.2.7").field("192.0.2.8")),
            "ContradictoryRequest"
        );
        assert_eq!(desk.serve(&asked("192.0.2.300")), "InvalidAddress");
        assert_eq!(desk.serve(&asked("203.0.113.1")), "AddressOutsidePools");
        assert_eq!(desk.held(&asked("")), "192.0.2.7");
    }
    assert_eq!(
        request(&service("web").field("192.0.2.7"))
            .addresses
            .as_slice(),
        [ip("192.0.2.7")]
    );
}

#[test]
fn metallb_20_the_two_prefixes_say_the_same_or_are_refused() {
    let both = |present: &str, former: &str, name: &str| {
        let service = said(service("web"), PREFIXES[0], name, present);
        said(service, PREFIXES[1], name, former)
    };
    for name in ["address-pool", "allow-shared-ip", "loadBalancerIPs"] {
        let refused = refusal(&both("192.0.2.1", "192.0.2.2", name));
        assert_eq!(refused.reason, ReasonWord::ContradictoryRequest, "{name}");
        assert!(
            refused
                .message
                .contains(&format!("metallb.universe.tf/{name}")),
            "{refused}"
        );
        request(&both("192.0.2.1", "192.0.2.1", name));
    }
    // OpenELB's own annotation settles it, as it does over the field.
    let settled = both("a", "b", "address-pool").annotated(names::POOL_ANNOTATION, "c");
    assert_eq!(request(&settled).pool.as_deref(), Some("c"));
}

#[test]
fn metallb_21_an_address_of_another_pool_than_the_one_named_is_refused_and_stays_free() {
    let mut desk = Desk::new([eip("p1", "192.0.2.1"), eip("p2", "198.51.100.1")]);
    let torn = said(service("web"), PREFIXES[0], "address-pool", "p1").field("198.51.100.1");
    assert_eq!(desk.serve(&torn), "AddressOutsidePools");
    assert_eq!(
        desk.serve(&service("b").field("198.51.100.1")),
        "198.51.100.1"
    );
}

#[test]
fn metallb_22_addresses_fit_the_families() {
    let asked = |text: &str| said(service("web"), PREFIXES[0], "loadBalancerIPs", text);
    let dual = |text: &str| asked(text).dual(IpFamilyPolicy::PreferDualStack, IpFamily::IPv4);
    for (why, service) in [
        ("two IPv4", dual("192.0.2.1,192.0.2.2")),
        ("three", dual("192.0.2.1,2001:db8::1,2001:db8::2")),
        ("IPv4 for an IPv6 Service", asked("192.0.2.1").v6()),
        ("a pair for a single family", asked("192.0.2.1,2001:db8::1")),
    ] {
        assert_eq!(
            refusal(&service).reason,
            ReasonWord::InvalidAddress,
            "{why}"
        );
    }
    // MetalLB refuses one address for two families for good; here the other one is added.
    let mut desk = Desk::new([default_eip("eip", "192.0.2.0/24,2001:db8::/64")]);
    assert_eq!(desk.serve(&dual("192.0.2.9")), "192.0.2.9, 2001:db8::1");
}

#[test]
fn metallb_23_requiring_two_families_takes_both_from_one_pool_and_needs_two_cluster_ips() {
    let pair = service("web").dual(IpFamilyPolicy::RequireDualStack, IpFamily::IPv4);
    let mut desk = Desk::new([default_eip("eip", "192.0.2.0/30,2001:db8:0:1::/126")]);
    assert_eq!(desk.serve(&pair), "192.0.2.1, 2001:db8:0:1::1");
    let mut short = pair.clone();
    short.spec.cluster_ips.truncate(1);
    let refused = refusal(&short);
    assert_eq!(refused.reason, ReasonWord::FamilyUnavailable);
    assert!(refused.message.contains("one cluster IP"), "{refused}");
}

// MetalLB gives one address, because both must be of one pool. Here two pools of one tier do.
#[test]
fn metallb_24_preferring_two_families_takes_each_from_its_pool_in_order() {
    let mut desk = Desk::new([
        default_eip("four", "192.0.2.0/24"),
        default_eip("six", "2001:db8::/64"),
    ]);
    let web = service("web").dual(IpFamilyPolicy::PreferDualStack, IpFamily::IPv6);
    assert_eq!(desk.serve(&web), "2001:db8::1, 192.0.2.1");
}

#[test]
fn metallb_25_preferring_two_families_with_one_cluster_ip_is_one_address() {
    let mut desk = Desk::new([default_eip("eip", "192.0.2.0/24,2001:db8::/64")]);
    let mut web = service("web").dual(IpFamilyPolicy::PreferDualStack, IpFamily::IPv4);
    web.spec.cluster_ips.truncate(1);
    assert_eq!(desk.serve(&web), "192.0.2.1");
    assert!(desk.ipam.usage("eip", Family::V6).unwrap().used.is_zero());
}

// Superseded by what OpenELB's users rely on (openelb_15): naming an address of a pool bound to
// another namespace is served.
#[test]
fn metallb_30_an_address_of_a_pool_of_another_namespace_is_given_to_who_names_it() {
    let mut desk = Desk::new([super::bound("theirs", "192.0.2.7", &["other"])]);
    assert_eq!(desk.serve(&service("web")), "NoMatchingPool");
    assert_eq!(desk.serve(&service("web").field("192.0.2.7")), "192.0.2.7");
}

#[test]
fn metallb_32_sharing_needs_one_key_and_different_ports() {
    let udp = |name: &str, port| {
        let mut service = keyed(name, "blue", &[port]);
        let udp = |port: &mut ServicePort| port.protocol = Transport::Udp;
        service.spec.ports.iter_mut().for_each(udp);
        service
    };
    let (web, dns) = (keyed("web", "blue", &[80]), keyed("dns", "blue", &[53]));
    for (why, first, second, expected) in [
        ("two ports", &web, keyed("b", "blue", &[443]), "192.0.2.5"),
        ("two protocols", &dns, udp("b", 53), "192.0.2.5"),
        (
            "one port",
            &web,
            keyed("b", "blue", &[80]),
            "SharingRefused",
        ),
        (
            "two keys",
            &web,
            keyed("b", "red", &[443]),
            "SharingRefused",
        ),
        ("no key", &web, keyed("b", "", &[443]), "SharingRefused"),
        (
            "two namespaces",
            &web,
            keyed("b", "blue", &[443]).inside("other"),
            "192.0.2.5",
        ),
    ] {
        let mut desk = Desk::new([default_eip("eip", "192.0.2.0/24")]);
        desk.serve(first);
        assert_eq!(desk.serve(&second), expected, "{why}");
    }
}

#[test]
fn metallb_32_the_key_may_stand_under_either_prefix_or_ours() {
    let keys = ["metallb.io", "metallb.universe.tf", "openelb.io"];
    let mut desk = Desk::new([default_eip("eip", "192.0.2.0/24")]);
    for (name, prefix, port) in [("a", keys[0], 1), ("b", keys[1], 2), ("c", keys[2], 3)] {
        let service = said(service(name), prefix, "allow-shared-ip", "blue");
        assert_eq!(
            desk.serve(&service.field("192.0.2.5").ports(&[port])),
            "192.0.2.5"
        );
    }
}

// MetalLB compares selectors as texts, so that equal ones of two namespaces, which are different pods,
// may share; and none at all counts as the policy Cluster.
#[test]
fn metallb_33_local_traffic_is_shared_by_the_same_pods_only() {
    let web = keyed("web", "blue", &[80]).local("app=web");
    for (why, other, expected) in [
        (
            "the same pods",
            keyed("b", "blue", &[443]).local("app=web"),
            "192.0.2.5",
        ),
        (
            "other pods",
            keyed("b", "blue", &[443]).local("app=db"),
            "SharingRefused",
        ),
        (
            "one of them Cluster",
            keyed("b", "blue", &[443]),
            "SharingRefused",
        ),
        (
            "no selector",
            keyed("b", "blue", &[443]).local(""),
            "SharingRefused",
        ),
        (
            "another namespace",
            keyed("b", "blue", &[443]).local("app=web").inside("other"),
            "SharingRefused",
        ),
    ] {
        let mut desk = Desk::new([default_eip("eip", "192.0.2.0/24")]);
        desk.serve(&web);
        assert_eq!(desk.serve(&other), expected, "{why}");
    }
}

#[test]
fn metallb_34_a_lone_service_changes_its_key_in_place() {
    let mut desk = Desk::new([default_eip("eip", "192.0.2.0/24")]);
    desk.serve(&keyed("web", "blue", &[80]));
    assert_eq!(desk.serve(&keyed("web", "red", &[80])), "192.0.2.5");
    desk.serve(&keyed("tls", "red", &[443]));
    assert_eq!(desk.serve(&keyed("web", "green", &[80])), "SharingRefused");
}

#[test]
fn metallb_36_a_service_that_is_no_load_balancer_any_more_is_cleared() {
    let mut desk = Desk::new([default_eip("eip", "192.0.2.1")]);
    let mut web = service("web").marked();
    assert_eq!(desk.serve(&web), "192.0.2.1");
    web.spec.kind = ServiceType::Other;
    assert_eq!(desk.serve(&web), "released");
    assert_eq!(desk.serve(&service("next")), "192.0.2.1");
}

// MetalLB replaces what others wrote. An address of no pool of ours is left alone and reported
// (contract_6) by whoever writes; what is written, once it is ours to write, is our address alone.
#[test]
fn metallb_37_what_is_written_is_our_address_alone() {
    let mut web = service("web");
    let names = ["203.0.113.1", "203.0.113.2", "203.0.113.3"];
    let entry = |ip: &str| Ingress {
        ip: ip.to_owned(),
        hostname: "lb.example.com".to_owned(),
        ..Ingress::default()
    };
    web.status.load_balancer.ingress = names.map(entry).into();
    let written = ingress(&web, &[ip("192.0.2.1")], false);
    let expected = Ingress {
        ip: "192.0.2.1".to_owned(),
        ..Ingress::default()
    };
    assert_eq!(written, [expected]);
}

#[test]
fn metallb_38_without_a_cluster_ip_nothing_is_given_and_what_there_was_is_cleared() {
    for cluster_ips in [vec![], vec!["None".to_owned()], vec![String::new()]] {
        let mut headless = service("web");
        headless.spec.cluster_ips = cluster_ips;
        assert_eq!(refusal(&headless).reason, ReasonWord::NoClusterIP);
        let held = headless.marked();
        assert_eq!(wish(&held, None, &Serving::default()), Wish::Nothing);
    }
}

#[test]
fn metallb_42_a_service_of_another_class_is_untouched() {
    let mut web = service("web");
    web.spec.load_balancer_class = Some("metallb.io/metallb".to_owned());
    assert_eq!(wish(&web, None, &Serving::default()), Wish::NotOurs);
}

#[test]
fn families_follow_the_cluster_ips_where_the_object_says_nothing_else() {
    use openelb_ipam::{Families, FamilyPolicy};
    let mut web = service("web").dual(IpFamilyPolicy::PreferDualStack, IpFamily::IPv6);
    web.spec.ip_family_policy = None;
    let asked = request(&web);
    assert_eq!(asked.policy, FamilyPolicy::PreferDualStack);
    assert_eq!(asked.families, Families::Both { first: Family::V6 });
    web.spec.ip_families.clear();
    assert_eq!(
        request(&web).families,
        Families::One(Family::V6),
        "that of the primary one"
    );
    web.spec.ip_families = vec![IpFamily::IPv4, IpFamily::IPv4];
    assert_eq!(
        request(&web).families,
        Families::One(Family::V4),
        "each counts once"
    );
    let mut torn = service("web");
    torn.spec.ip_families = vec![IpFamily::IPv6];
    assert_eq!(
        request(&torn).families,
        Families::One(Family::V4),
        "the cluster IP is a fact"
    );
}
