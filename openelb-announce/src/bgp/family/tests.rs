//! Tests of families and of values kept per family.

use super::{Family, FamilySet, PerFamily};

#[test]
fn only_unicast_of_ipv4_and_ipv6_is_known_on_the_wire() {
    for family in Family::ALL {
        assert_eq!(Family::from_wire(family.afi(), family.safi()), Some(family));
        assert_eq!(family.to_string().parse(), Ok(family));
    }
    for (afi, safi) in [(0, 1), (1, 2), (2, 128), (25, 70), (3, 1)] {
        assert_eq!(Family::from_wire(afi, safi), None);
    }
    assert!("ipv4".parse::<Family>().is_err());
}

#[test]
fn a_set_of_families_holds_each_once() {
    let mut set = FamilySet::EMPTY;
    assert!(set.is_empty());
    assert!(set.insert(Family::Ipv6Unicast));
    assert!(!set.insert(Family::Ipv6Unicast));
    assert_eq!(set.to_string(), "ipv6-unicast");
    assert_eq!(
        set.intersection(FamilySet::new(true, false)),
        FamilySet::EMPTY
    );
    assert_eq!(FamilySet::EMPTY.to_string(), "no family");
    assert_eq!(
        Family::ALL.into_iter().collect::<FamilySet>(),
        FamilySet::ALL
    );
    assert_eq!(FamilySet::ALL.to_string(), "ipv4-unicast, ipv6-unicast");
    assert!(set.remove(Family::Ipv6Unicast));
    assert!(!set.remove(Family::Ipv6Unicast));
}

#[test]
fn a_value_per_family_is_found_by_its_family() {
    let lengths = PerFamily::from_fn(Family::host_length);
    assert_eq!(
        lengths,
        PerFamily {
            ipv4: 32,
            ipv6: 128
        }
    );
    assert_eq!(lengths[Family::Ipv6Unicast], 128);
    assert_eq!(
        lengths.map(|length| length / 8),
        PerFamily { ipv4: 4, ipv6: 16 }
    );
    assert_eq!(PerFamily::both(3).iter().count(), 2);
}
