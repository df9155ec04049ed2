//! What the object means, and what is said about one that cannot be used.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use openelb_announce::vrrp::{Checksum, Family, Interval, Settings, Version};

use super::{PoolRouters, link_local, routers};
use crate::api::Eip;
use crate::problem::{Problem, Reason};

fn pool_of(address: &str, vrrp: &str) -> Eip {
    let text = format!(
        "{{apiVersion: network.kubesphere.io/v1alpha2, kind: Eip, metadata: {{name: edge}}, \
         spec: {{address: '{address}', protocol: vip, interface: eth0, vrrp: {vrrp}}}}}"
    );
    serde_saphyr::from_str(&text).expect("an Eip")
}

fn pool(vrrp: &str) -> Eip {
    pool_of("192.0.2.0/24, 2001:db8::/64", vrrp)
}

fn meant(vrrp: &str) -> PoolRouters {
    let meant = routers(&pool(vrrp));
    assert_eq!(meant.problems, [], "{vrrp}");
    meant.routers.expect("virtual routers")
}

fn problem(eip: &Eip) -> Problem {
    let mut problems = routers(eip).problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.remove(0)
}

/// The settings of a node for one address; what the machine would refuse fails the test.
fn settings(routers: &PoolRouters, node: &str, address: &str, answers: bool) -> Option<Settings> {
    let address: IpAddr = address.parse().unwrap();
    let vrid = routers.vrid(&address.to_string());
    let settings = routers.settings(node, vrid, [address], answers)?;
    assert_eq!(settings.validate(), Ok(()));
    Some(settings)
}

fn priority(routers: &PoolRouters, node: &str, address: &str, answers: bool) -> Option<u8> {
    settings(routers, node, address, answers).map(|settings| settings.priority)
}

#[test]
fn a_pool_that_says_nothing_has_one_virtual_router_a_family_with_the_defaults_of_the_standard() {
    let routers = meant("{}");
    assert_eq!(routers.vrids.len(), 1);
    for address in ["192.0.2.7", "2001:db8::7"] {
        let settings = settings(&routers, "node-a", address, true).unwrap();
        assert_eq!(settings.version, Version::V3);
        assert_eq!(settings.interval, Interval::SECOND);
        assert!(settings.preempt && settings.peers.is_empty() && !settings.accept);
        assert_eq!(settings.family, Family::of(address.parse().unwrap()));
    }
}

#[test]
fn every_field_arrives_in_the_family_it_is_for() {
    let routers = meant(
        "{vrid: 51, priority: 150, advertisementInterval: 2s, version: 2, preemptDelay: 5s, \
         acceptMode: true, virtualMac: true, unicastPeers: [192.0.2.2, '2001:db8::2'], \
         unhealthyDecrement: 20}",
    );
    assert!(routers.virtual_mac && routers.accept);
    let ipv4 = settings(&routers, "node-a", "192.0.2.7", true).unwrap();
    assert_eq!(
        (ipv4.vrid.get(), ipv4.priority, ipv4.version),
        (51, 150, Version::V2)
    );
    assert_eq!(ipv4.interval.duration(), Duration::from_secs(2));
    assert_eq!(ipv4.preempt_delay, Duration::from_secs(5));
    assert_eq!(ipv4.peers, ["192.0.2.2".parse::<IpAddr>().unwrap()]);
    let ipv6 = settings(&routers, "node-a", "2001:db8::7", false).unwrap();
    assert_eq!((ipv6.version, ipv6.priority), (Version::V3, 130));
    assert_eq!(ipv6.peers, ["2001:db8::2".parse::<IpAddr>().unwrap()]);
    assert_eq!(ipv6.addresses[0], IpAddr::from(link_local(ipv6.vrid)));
}

#[test]
fn a_checksum_is_for_version_3_over_ipv4() {
    let routers = meant("{checksum: Plain}");
    let chosen = |address| {
        settings(&routers, "node-a", address, true)
            .unwrap()
            .checksum
    };
    assert_eq!(chosen("192.0.2.7"), Checksum::Plain);
    assert_eq!(chosen("2001:db8::7"), Checksum::Auto);
    let ignored = problem(&pool("{version: 2, checksum: Plain}"));
    assert_eq!(ignored.reason, Reason::Ignored);
}

#[test]
fn the_link_local_address_of_a_virtual_router_follows_from_its_mac() {
    let vrid = meant("{vrid: 51}").vrids.first();
    assert_eq!(link_local(vrid).to_string(), "fe80::200:5eff:fe00:233");
    assert_eq!(vrid.mac(Family::Ipv6).to_string(), "00:00:5e:00:02:33");
}

#[test]
fn openelb_50_the_families_of_a_service_are_in_separate_virtual_routers() {
    let routers = meant("{vridRange: 100-150}");
    let unit = "192.0.2.7";
    let of = |address: &str| {
        let address: IpAddr = address.parse().unwrap();
        routers
            .settings("node-a", routers.vrid(unit), [address], true)
            .unwrap()
    };
    let (ipv4, ipv6) = (of("192.0.2.7"), of("2001:db8::7"));
    assert_eq!(ipv4.vrid, ipv6.vrid);
    assert!((ipv4.family, ipv6.family) == (Family::Ipv4, Family::Ipv6));
}

#[test]
fn openelb_51_ten_addresses_are_spread_over_three_nodes() {
    let routers = meant("{vridRange: 1-255}");
    let nodes = ["node-a", "node-b", "node-c"];
    let active = (1..=10).map(|last| {
        let address = format!("192.0.2.{last}");
        let first = nodes
            .iter()
            .max_by_key(|node| priority(&routers, node, &address, true));
        *first.unwrap()
    });
    let active: BTreeSet<_> = active.collect();
    assert_eq!(
        active.len(),
        3,
        "each node is the first choice for some: {active:?}"
    );
}

#[test]
fn a_node_whose_service_does_not_answer_is_behind_every_node_whose_does() {
    let routers = meant("{vridRange: 1-255}");
    for last in 1..=50 {
        let address = format!("192.0.2.{last}");
        let sick = priority(&routers, "node-a", &address, false).unwrap();
        let well = priority(&routers, "node-b", &address, true).unwrap();
        assert!(sick < well, "{address}: {sick} {well}");
    }
}

#[test]
fn a_priority_of_which_nothing_is_left_takes_the_node_out() {
    let routers = meant("{priority: 100}");
    assert_eq!(priority(&routers, "node-a", "192.0.2.7", true), Some(100));
    assert_eq!(priority(&routers, "node-a", "192.0.2.7", false), None);
}

#[test]
fn each_fault_names_its_key_and_what_to_write() {
    for (vrrp, key, next) in [
        ("{vrid: 0}", "vrid", "1 to 255"),
        ("{vrid: 256}", "vrid", "1 to 255"),
        ("{vridRange: 150-100}", "vridRange", "100-150"),
        ("{vridRange: 0-9}", "vridRange", "100-150"),
        ("{vrid: 1, vridRange: 1-9}", "vridRange", "remove one"),
        ("{priority: 255}", "priority", "1 to 254"),
        ("{version: 4}", "version", "2 to 3"),
        (
            "{advertisementInterval: 5ms}",
            "advertisementInterval",
            "multiple of 10ms",
        ),
        (
            "{advertisementInterval: 41s}",
            "advertisementInterval",
            "multiple of 10ms",
        ),
        (
            "{advertisementInterval: 500ms, version: 2}",
            "advertisementInterval",
            "whole seconds",
        ),
        ("{preemptDelay: soon}", "preemptDelay", "30s"),
        (
            "{unicastPeers: [224.0.0.18]}",
            "unicastPeers[0]",
            "another node",
        ),
        (
            "{unhealthyDecrement: 256}",
            "unhealthyDecrement",
            "0 to 255",
        ),
        (
            "{authentication: {type: PASS, pass: swordfish}}",
            "authentication",
            "remove it",
        ),
    ] {
        let eip = pool(vrrp);
        let problem = problem(&eip);
        assert_eq!(problem.key, format!("spec.vrrp.{key}"), "{vrrp}");
        assert!(
            problem.next.contains(next) && problem.is_error(),
            "{vrrp}: {problem}"
        );
        assert!(!problem.to_string().contains("swordfish"), "{problem}");
        assert_eq!(routers(&eip).routers, None, "{vrrp}");
    }
}

#[test]
fn version_2_needs_an_ipv4_address() {
    let problem = problem(&pool_of("2001:db8::/64", "{version: 2}"));
    assert_eq!(problem.key, "spec.vrrp.version");
    assert!(
        routers(&pool_of("192.0.2.0/24", "{version: 2}"))
            .routers
            .is_some()
    );
}

#[test]
fn what_a_pool_of_another_protocol_says_of_vrrp_is_ignored() {
    let mut eip = pool("{vrid: 51}");
    eip.spec.protocol = crate::api::Protocol::Layer2;
    assert_eq!(problem(&eip).reason, Reason::Ignored);
    assert_eq!(routers(&eip).routers, None);
}
