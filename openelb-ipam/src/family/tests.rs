use core::net::IpAddr;

use super::*;

#[test]
fn bits_and_addresses_are_the_same_thing_at_both_ends_of_both_families() {
    for text in [
        "0.0.0.0",
        "255.255.255.255",
        "::",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ] {
        let address: IpAddr = text.parse().unwrap();
        assert_eq!(from_bits(Family::of(address), to_bits(address)), address);
    }
    assert_eq!(
        to_bits("255.255.255.255".parse().unwrap()),
        Family::V4.max_bits()
    );
}

#[test]
fn a_mapped_address_stays_in_its_own_family() {
    assert_eq!(Family::of("::ffff:192.0.2.1".parse().unwrap()), Family::V6);
}

#[test]
fn family_names_are_those_of_kubernetes_and_case_does_not_matter() {
    for family in Family::ALL {
        assert_eq!(family.to_string().parse(), Ok(family));
        assert_eq!(family.to_string().to_uppercase().parse(), Ok(family));
    }
    assert_eq!("IPv5".parse::<Family>(), Err(ParseFamilyError));
}

#[cfg(feature = "serde")]
#[test]
fn dual_stack_values_are_objects_with_two_members() {
    let pair = DualStack {
        v4: Family::V4,
        v6: Family::V6,
    };
    let json = serde_json::to_string(&pair).unwrap();
    assert_eq!(json, r#"{"v4":"IPv4","v6":"IPv6"}"#);
    assert_eq!(
        serde_json::from_str::<DualStack<Family>>(&json).unwrap(),
        pair
    );
}
