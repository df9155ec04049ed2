//! Every field of an Eip reaches the allocator, and every fault names its key.

use std::collections::BTreeMap;
use std::time::Duration;

use openelb_ipam::pool::{OnShrink, Strategy};
use openelb_ipam::relative::RelativeRange;
use openelb_ipam::{AddressCount, Family, Pool, PoolSpec};

use super::{EipError, check_prefixes, relative, spec};
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
        "192.0.2.0/25 192.0.2.200- 192.0.2.201 2001:db8::/64",
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
    assert_eq!(
        pool.namespace_selectors[0].match_labels,
        [("tier", "web")].into()
    );
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

#[test]
fn entries_that_follow_a_prefix_are_held_in_its_ledger_space() {
    let eip = Eip::new(
        "p",
        "192.0.2.0/24, home/::1000-::1fff, my-lab/::/112 home/::10",
    );
    let spec = spec(&eip).unwrap();
    let pool = Pool::try_from(&spec).unwrap();
    for entry in ["home/::1000-::1fff", "my-lab/::/112", "home/::10"] {
        let range: RelativeRange = entry.parse().unwrap();
        assert!(pool.ranges().contains_range(&range.in_ledger()), "{entry}");
    }
    let entries: Vec<_> = relative(&eip).into_iter().map(|it| it.entry).collect();
    assert_eq!(
        entries,
        ["home/::1000-::1fff", "my-lab/::/112", "home/::10"]
    );
}

#[test]
fn metallb_74_a_reversed_host_range_is_refused_and_one_address_is_a_range() {
    let error = fault(|eip| eip.spec.address = "home/::1fff-::1000".to_owned());
    assert_eq!(error.key, "spec.address");
    assert!(error.message.contains("home/::1fff-::1000"), "{error}");
    let spec = spec(&Eip::new("p", "home/::1000-::1000")).unwrap();
    let pool = Pool::try_from(&spec).unwrap();
    assert_eq!(pool.universe().count(Family::V6), AddressCount::new(1));
}

#[test]
fn the_first_address_of_a_relative_range_is_given_and_of_a_relative_prefix_is_not() {
    let free = |address: &str| {
        let spec = spec(&Eip::new("p", address)).unwrap();
        Pool::try_from(&spec).unwrap().universe().count(Family::V6)
    };
    assert_eq!(free("home/::1000-::1fff"), AddressCount::new(0x1000));
    assert_eq!(free("home/::/112"), AddressCount::new(0xffff));
}

#[test]
fn what_is_left_out_may_follow_a_prefix_too() {
    let mut eip = Eip::new("edge", "home/::1000-::1fff");
    eip.spec.exclude = vec!["home/::1000-::17ff".to_owned()];
    let pool = Pool::try_from(&spec(&eip).unwrap()).unwrap();
    assert_eq!(pool.universe().count(Family::V6), AddressCount::new(0x800));
    let error = fault(|eip| eip.spec.exclude = vec!["192.0.2.1".to_owned(), "home/::x".to_owned()]);
    assert_eq!(error.key, "spec.exclude[1]");
}

#[test]
fn a_fault_of_a_relative_entry_names_it_as_it_was_written() {
    let error = fault(|eip| eip.spec.address = "home/::10-::1f, home/::18".to_owned());
    assert_eq!(error.key, "spec.address");
    assert!(error.message.contains("home/::18"), "{error}");
    for entry in ["/::10", "home/::1-2001:db8::2", "Home_1/::1"] {
        let error = fault(|eip| eip.spec.address = entry.to_owned());
        assert_eq!(error.key, "spec.address", "{entry}");
        assert!(error.message.contains(entry), "{entry}: {error}");
    }
}

#[test]
fn an_entry_that_needs_more_bits_than_its_prefix_leaves_is_refused() {
    let prefixes = BTreeMap::from([("home".parse().unwrap(), 116), ("lab".parse().unwrap(), 64)]);
    let mut eip = Eip::new("edge", "home/::1-::fff, lab/::1:0:0:1");
    assert_eq!(check_prefixes(&eip, &prefixes), []);
    eip.spec.exclude = vec!["home/::1000".to_owned()];
    let [error] = check_prefixes(&eip, &prefixes).try_into().unwrap();
    assert_eq!(error.key, "spec.exclude[0]");
    assert_eq!(
        error.message,
        "`home/::1000` needs 13 bits, and the /116 of DynamicPrefix home leaves 12"
    );
    assert!(error.next.ends_with("as at most 115"), "{error}");
}

#[test]
fn an_unknown_prefix_is_told_with_the_name_that_was_probably_meant() {
    let next = |known: &[&str]| {
        let known = known
            .iter()
            .map(|name| (name.parse().unwrap(), 64))
            .collect();
        let [error] = check_prefixes(&Eip::new("edge", "home/::1"), &known)
            .try_into()
            .unwrap();
        assert_eq!(
            error.message,
            "`home/::1`: there is no DynamicPrefix `home`"
        );
        error.next
    };
    assert_eq!(next(&["hom"]), "did you mean `hom`?");
    assert_eq!(next(&["office"]), "add it, or write one of: office");
    assert_eq!(next(&[]), "add a DynamicPrefix of the name home");
}
