use super::*;
use crate::count::AddressCount;

fn spec<const N: usize>(ranges: [&str; N]) -> PoolSpec {
    PoolSpec::new("p".parse().unwrap(), ranges)
}

fn capacity(spec: &PoolSpec, family: Family) -> u128 {
    Pool::try_from(spec)
        .unwrap()
        .universe()
        .count(family)
        .to_u128_saturating()
}

fn message(spec: &PoolSpec) -> String {
    Pool::try_from(spec).unwrap_err().to_string()
}

#[test]
fn network_and_broadcast_are_reserved_in_prefixes_but_not_in_ranges() {
    assert_eq!(capacity(&spec(["10.0.0.0/24"]), Family::V4), 254);
    assert_eq!(capacity(&spec(["10.0.0.0/30"]), Family::V4), 2);
    assert_eq!(capacity(&spec(["10.0.0.0/31"]), Family::V4), 2);
    assert_eq!(capacity(&spec(["10.0.0.0/32"]), Family::V4), 1);
    assert_eq!(capacity(&spec(["10.0.0.0-10.0.0.255"]), Family::V4), 256);
}

#[test]
fn the_subnet_router_anycast_address_is_reserved_up_to_a_126() {
    let pool = Pool::try_from(&spec(["2001:db8::/64"])).unwrap();
    assert!(pool.is_reserved("2001:db8::".parse().unwrap()));
    assert!(pool.universe().contains("2001:db8::1".parse().unwrap()));
    assert_eq!(capacity(&spec(["2001:db8::/126"]), Family::V6), 3);
    assert_eq!(capacity(&spec(["2001:db8::/127"]), Family::V6), 2);
}

#[test]
fn interface_identifiers_of_the_registry_are_reserved_on_request() {
    let mut spec = spec(["2001:db8::/64"]);
    spec.reserve.interface_ids = true;
    let pool = Pool::try_from(&spec).unwrap();
    for reserved in [
        "2001:db8::",
        "2001:db8::200:5eff:fe00:5213",
        "2001:db8::fdff:ffff:ffff:ff80",
    ] {
        assert!(pool.is_reserved(reserved.parse().unwrap()), "{reserved}");
    }
    assert!(!pool.is_reserved("2001:db8::1".parse().unwrap()));
    spec.ranges = alloc::vec!["2001:db8::/32".to_string()];
    assert!(
        message(&spec).contains("reserve.interfaceIds: entry 1"),
        "{}",
        message(&spec)
    );
}

#[test]
fn special_addresses_are_never_part_of_a_pool_unless_asked_for() {
    for range in [
        "127.0.0.0/8",
        "224.0.0.1",
        "fe80::/64",
        "::1",
        "ff02::1-ff02::9",
        "169.254.1.1",
    ] {
        assert!(
            message(&spec([range])).contains("reserve.special"),
            "{range}"
        );
    }
    let mut everything = spec(["::/0", "0.0.0.0/0"]);
    let pool = Pool::try_from(&everything).unwrap();
    assert!(pool.is_reserved("ff02::1".parse().unwrap()));
    everything.reserve = ReserveRules::NONE;
    let count = Pool::try_from(&everything)
        .unwrap()
        .universe()
        .count(Family::V6);
    assert_eq!(count.to_string(), "340282366920938463463374607431768211456");
    assert_eq!(
        count,
        AddressCount::new(u128::MAX).saturating_add(AddressCount::new(1))
    );
}

#[test]
fn errors_name_pool_field_entry_and_the_next_step() {
    let mut twice = spec(["192.0.2.0/24, 192.0.2.7"]);
    assert!(message(&twice).starts_with("pool p, ranges, entry 2: 192.0.2.7 overlaps"));
    twice.ranges = alloc::vec!["192.0.2.0/24".to_string()];
    twice.exclude = alloc::vec!["192.0.2.1".to_string(), "nonsense".to_string()];
    assert!(
        message(&twice).starts_with("pool p, exclude, entry 2"),
        "{}",
        message(&twice)
    );
    twice.exclude.clear();
    twice.namespaces = alloc::vec!["a".to_string(), "b".to_string(), "a".to_string()];
    assert_eq!(
        message(&twice),
        "pool p, namespaces: \"a\" is listed twice; list it once"
    );
    twice.namespaces.clear();
    twice.namespace_quota = Some(0);
    assert!(message(&twice).contains("isDisabled"));
}

#[test]
fn equal_selectors_with_values_in_another_order_are_refused() {
    let requirement = |values: [&str; 2]| Requirement {
        key: "tier".to_string(),
        operator: Operator::In,
        values: values.into_iter().map(ToString::to_string).collect(),
    };
    let selector = |values| Selector {
        match_expressions: alloc::vec![requirement(values)],
        ..Selector::default()
    };
    let mut spec = spec(["192.0.2.0/24"]);
    spec.service_selectors = alloc::vec![selector(["a", "b"]), selector(["b", "a"])];
    assert_eq!(
        message(&spec),
        "pool p, serviceSelectors: two selectors are equal; keep one"
    );
}

#[test]
fn a_binding_needs_a_namespace_of_its_list_and_a_service_of_its_list() {
    let mut spec = spec(["192.0.2.0/24"]);
    spec.namespaces = alloc::vec!["blue".to_string()];
    spec.service_selectors = alloc::vec![Selector::labels([("app", "web")])];
    let pool = Pool::try_from(&spec).unwrap();
    let web: Labels = [("app".to_string(), "web".to_string())].into();
    assert!(pool.admits_namespace("blue", &Labels::new()));
    assert!(!pool.admits_namespace("green", &Labels::new()));
    assert!(pool.admits_service(&web));
    assert!(!pool.admits_service(&Labels::new()));
}

#[test]
fn operators_follow_kubernetes_on_missing_keys() {
    let matches = |operator, labels: &Labels| {
        Requirement {
            key: "k".to_string(),
            operator,
            values: alloc::vec!["v".to_string()],
        }
        .matches(labels)
    };
    let with: Labels = [("k".to_string(), "v".to_string())].into();
    let expected = [
        (Operator::In, true, false),
        (Operator::NotIn, false, true),
        (Operator::Exists, true, false),
        (Operator::DoesNotExist, false, true),
    ];
    for (operator, present, absent) in expected {
        assert_eq!(matches(operator, &with), present, "{operator:?}");
        assert_eq!(matches(operator, &Labels::new()), absent, "{operator:?}");
    }
}

#[cfg(feature = "serde")]
#[test]
fn a_specification_needs_only_name_and_ranges_and_refuses_unknown_fields() {
    let short = r#"{"name":"p","ranges":["192.0.2.0/24"]}"#;
    assert_eq!(
        serde_json::from_str::<PoolSpec>(short).unwrap(),
        spec(["192.0.2.0/24"])
    );
    let typo = r#"{"name":"p","ranges":[],"autoasign":true}"#;
    assert!(serde_json::from_str::<PoolSpec>(typo).is_err());
}
