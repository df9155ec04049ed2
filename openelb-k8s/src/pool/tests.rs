//! Every field of an Eip reaches the allocator, and every fault names its key.

use std::time::Duration;

use openelb_ipam::pool::{OnShrink, Strategy};
use openelb_ipam::{AddressCount, Family, Pool, PoolSpec};

use super::{EipError, spec};
use crate::api::{Eip, Protocol, Quota};
use crate::names;

fn golden(yaml: &str) -> Eip {
    serde_saphyr::from_str(yaml).expect("the golden file is a valid Eip")
}

fn ranges(address: &str) -> String {
    let spec = spec(&Eip::new("p", address)).expect("the address is valid");
    Pool::try_from(&spec)
        .expect("checked by spec()")
        .ranges()
        .to_string()
}

fn fault(change: impl FnOnce(&mut Eip)) -> EipError {
    let mut eip = Eip::new("edge", "192.0.2.0/24");
    change(&mut eip);
    let mut errors = spec(&eip).expect_err("the change makes it invalid");
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.remove(0)
}

#[test]
fn one_entry_reads_as_openelb_reads_it() {
    assert_eq!(ranges("192.0.2.10/24"), "192.0.2.0/24");
    assert_eq!(
        ranges("192.168.0.91-192.168.0.92"),
        "192.168.0.91-192.168.0.92"
    );
    assert_eq!(ranges("2001:db8::/126"), "2001:db8::/126");
    assert_eq!(ranges("192.0.2.7"), "192.0.2.7");
}

#[test]
fn several_entries_are_separated_by_commas_or_white_space() {
    let expected = "192.0.2.0/25,192.0.2.200-192.0.2.201,2001:db8::/64";
    for address in [
        "192.0.2.0/25,192.0.2.200-192.0.2.201,2001:db8::/64",
        "192.0.2.0/25, 192.0.2.200 - 192.0.2.201, 2001:db8::/64",
        "192.0.2.0/25\n192.0.2.200-192.0.2.201\n2001:db8::/64\n",
        "192.0.2.0/25 2001:db8::/64; 192.0.2.200-192.0.2.201",
    ] {
        assert_eq!(
            ranges(address),
            Pool::try_from(&PoolSpec::new("p".parse().unwrap(), [expected]))
                .unwrap()
                .ranges()
                .to_string(),
            "{address:?}"
        );
    }
}

#[test]
fn every_field_of_openelb_is_carried_over() {
    let pool = spec(&golden(include_str!("../../tests/data/eip-full.yaml"))).unwrap();
    assert_eq!(&*pool.name, "edge");
    assert_eq!(pool.priority, Some(100));
    assert!(pool.is_default && pool.is_disabled && pool.auto_assign);
    assert!(pool.serve_explicit && pool.drop_host_bits && pool.share_pinned);
    assert_eq!(pool.namespaces, ["test", "default"]);
    assert_eq!(pool.namespace_selectors[0].match_labels["tier"], "web");
}

#[test]
fn a_pool_that_is_drained_hands_out_nothing_new() {
    let mut eip = Eip::new("edge", "192.0.2.0/24");
    assert!(!spec(&eip).unwrap().is_disabled);
    eip.spec.drain = true;
    assert!(spec(&eip).unwrap().is_disabled);
}

#[test]
fn every_addition_is_carried_over() {
    let pool = spec(&golden(include_str!("../../tests/data/eip-additions.yaml"))).unwrap();
    assert_eq!(pool.exclude, ["192.0.2.1", "2001:db8::1"]);
    assert_eq!(pool.strategy, Strategy::LeastRecentlyReleased);
    assert_eq!(pool.cool_down, Duration::from_mins(10));
    assert!(pool.reserve.buggy && !pool.auto_assign);
    assert_eq!(pool.service_selectors.len(), 1);
    assert_eq!(pool.namespace_quota, Some(5));
    assert_eq!(pool.on_shrink, OnShrink::Drain);
}

#[test]
fn a_wide_prefix_keeps_its_exact_size() {
    let pool = Pool::try_from(&spec(&Eip::new("p", "::/0")).unwrap()).unwrap();
    assert_eq!(pool.ranges().count(Family::V6), AddressCount::MAX);
}

#[test]
fn an_unbound_pool_serves_unasked_only_as_the_default_or_by_choice() {
    let mut eip = Eip::new("p", "192.0.2.0/24");
    assert!(!spec(&eip).unwrap().auto_assign);
    eip.spec.auto_assign = Some(true);
    assert!(spec(&eip).unwrap().auto_assign);
    eip.spec.auto_assign = None;
    eip.metadata
        .annotations
        .insert(names::DEFAULT_EIP_ANNOTATION.to_owned(), "True".to_owned());
    assert!(spec(&eip).unwrap().auto_assign);
}

#[test]
fn a_fault_names_key_value_and_next_step() {
    let error = fault(|eip| eip.spec.cool_down = Some("soon".to_owned()));
    assert_eq!(
        error.to_string(),
        "Eip edge, spec.coolDown: `soon` is not a duration; write one such as 90s, 10m or 1h30m"
    );
    let error = fault(|eip| eip.spec.address = "192.0.2.9-192.0.2.1".to_owned());
    assert_eq!(error.key, "spec.address");
    assert!(error.message.contains("192.0.2.9"), "{error}");
    let error = fault(|eip| eip.spec.exclude = vec!["192.0.2.1".to_owned(), "x".to_owned()]);
    assert_eq!(error.key, "spec.exclude[1]");
    let error = fault(|eip| eip.spec.quota = Some(Quota { per_namespace: 0 }));
    assert_eq!(error.key, "spec.quota.perNamespace");
    let error = fault(|eip| eip.metadata.name = "my pool".to_owned());
    assert_eq!(error.key, "metadata.name");
}

#[test]
fn layer2_and_vip_need_an_interface_and_bgp_does_not() {
    for protocol in [Protocol::Layer2, Protocol::Vip] {
        let error = fault(|eip| eip.spec.protocol = protocol);
        assert_eq!(error.key, "spec.interface");
    }
    for protocol in [Protocol::Bgp, Protocol::None] {
        let mut eip = Eip::new("p", "192.0.2.0/24");
        eip.spec.protocol = protocol;
        assert!(spec(&eip).is_ok());
    }
}

#[test]
fn several_faults_are_told_at_once() {
    let mut eip = Eip::new("edge", "192.0.2.0/33");
    eip.spec.protocol = Protocol::Layer2;
    eip.spec.cool_down = Some("-1s".to_owned());
    let keys: Vec<_> = spec(&eip)
        .unwrap_err()
        .into_iter()
        .map(|error| error.key)
        .collect();
    assert_eq!(keys, ["spec.coolDown", "spec.interface", "spec.address"]);
}
