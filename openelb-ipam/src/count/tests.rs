use proptest::prelude::*;

use super::*;

#[test]
fn every_ipv6_address_is_one_more_than_u128_can_say() {
    assert_eq!(AddressCount::between(0, u128::MAX), AddressCount::MAX);
    assert_eq!(
        AddressCount::new(u128::MAX).checked_add(AddressCount::ONE),
        Some(AddressCount::MAX)
    );
    assert!(AddressCount::MAX > AddressCount::new(u128::MAX));
}

#[test]
fn nothing_wraps_at_either_end() {
    let max = AddressCount::MAX;
    assert_eq!(max.checked_add(max), None);
    assert_eq!(max.checked_add(AddressCount::ZERO), Some(max));
    assert_eq!(max.checked_sub(max), Some(AddressCount::ZERO));
    assert_eq!(max.checked_sub(AddressCount::ZERO), Some(max));
    assert_eq!(AddressCount::new(u128::MAX).checked_sub(max), None);
    assert_eq!(max.saturating_add(max), max);
    assert_eq!(AddressCount::ZERO.saturating_sub(max), AddressCount::ZERO);
}

#[test]
fn kubernetes_integers_are_clamped_and_never_negative() {
    assert_eq!(
        AddressCount::new(i64::MAX as u128).to_i64_clamped(),
        i64::MAX
    );
    assert_eq!(AddressCount::new(1 << 63).to_i64_clamped(), i64::MAX);
    assert_eq!(AddressCount::new(5).to_i64_clamped(), 5);
}

#[test]
fn text_is_the_exact_decimal_number() {
    for count in [
        AddressCount::ZERO,
        AddressCount::new(u128::MAX),
        AddressCount::MAX,
    ] {
        assert_eq!(count.to_string().parse(), Ok(count));
    }
    assert_eq!(format!("{:>5}", AddressCount::ONE), "    1");
    for bad in [
        "",
        "-1",
        "+1",
        "1 ",
        "0x1",
        "340282366920938463463374607431768211457",
    ] {
        assert_eq!(bad.parse::<AddressCount>(), Err(ParseCountError), "{bad:?}");
    }
}

#[cfg(feature = "serde")]
#[test]
fn counts_are_strings_in_json_and_plain_numbers_are_understood() {
    assert_eq!(
        serde_json::to_string(&AddressCount::new(1 << 64)).unwrap(),
        r#""18446744073709551616""#
    );
    assert_eq!(
        serde_json::from_str::<AddressCount>("42").unwrap(),
        AddressCount::new(42)
    );
    assert!(serde_json::from_str::<AddressCount>("-1").is_err());
}

proptest! {
    #[test]
    fn adding_and_subtracting_undo_each_other(a: u128, b: u128) {
        let (a, b) = (AddressCount::new(a), AddressCount::new(b));
        if let Some(sum) = a.checked_add(b) {
            prop_assert_eq!(sum.checked_sub(b), Some(a));
            prop_assert!(sum >= a);
        }
    }
}
