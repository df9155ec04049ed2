//! Tests of the registry.

use super::{Deadline, Registry, Slot};
use crate::claim::{Probe, Validity};
use crate::time::Time;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::net::Ipv6Addr;

fn slot(address: u128) -> Slot<u128> {
    Slot::new(
        address,
        Probe::Skip,
        Deadline::from(Validity::Unlimited),
        Time::ZERO,
    )
}

fn registry() -> Registry<u128> {
    Registry::new(|address| address, 7)
}

#[test]
fn an_ipv6_claim_takes_48_octets() {
    assert_eq!(size_of::<Option<Slot<Ipv6Addr>>>(), 48);
}

#[test]
fn a_deadline_passes_at_its_own_instant_or_at_the_common_one() {
    let (now, before) = (Time::from_nanos(5), Time::from_nanos(4));
    assert!(Deadline::from(Validity::Until(now)).has_passed(now, Time::MAX));
    assert!(!Deadline::from(Validity::Until(now)).has_passed(before, Time::ZERO));
    assert!(Deadline::from(Validity::Renewed).has_passed(now, now));
    assert!(!Deadline::from(Validity::Renewed).has_passed(before, now));
    assert!(!Deadline::from(Validity::Unlimited).has_passed(now, Time::ZERO));
}

#[test]
fn slots_of_removed_claims_are_used_again() {
    let mut registry = registry();
    let first = registry.insert(slot(1)).unwrap();
    registry.insert(slot(2)).unwrap();
    registry.remove(first).unwrap();
    assert_eq!(registry.insert(slot(3)), Some(first));
    assert!(registry.remove(99).is_none());
}

proptest! {
    #[test]
    fn it_behaves_as_an_ordered_map(operations in prop::collection::vec((0..40_u128, any::<bool>()), 0..400)) {
        let (mut registry, mut model) = (registry(), BTreeMap::new());
        for (address, insert) in operations {
            prop_assert_eq!(registry.find(address), model.get(&address).copied());
            match (registry.find(address), insert) {
                (None, true) => {
                    model.insert(address, registry.insert(slot(address)).unwrap());
                }
                (Some(slot), false) => {
                    prop_assert_eq!(registry.remove(slot).unwrap().address, address);
                    model.remove(&address);
                }
                _ => {}
            }
            prop_assert_eq!(registry.len(), model.len());
        }
    }
}
