//! What users read: every word is of the fixed set, and every sentence says what would help.

use std::collections::BTreeSet;

use openelb_ipam::Family;
use openelb_ipam::ipam::Assigned;

use super::{Desk, Edit, default_eip, eip, ip, service};
use crate::names::POOL_ANNOTATION;
use crate::wish::{Decision, ReasonWord, Refusal, Severity, event};

#[test]
fn contract_8_every_word_is_there_once_and_is_a_name_that_conditions_may_have() {
    let words: BTreeSet<_> = ReasonWord::ALL.iter().map(|word| word.as_str()).collect();
    assert_eq!(words.len(), ReasonWord::ALL.len());
    for expected in [
        "PoolExhausted",
        "NoMatchingPool",
        "FamilyUnavailable",
        "AddressInUse",
        "AddressOutsidePools",
        "QuotaExceeded",
        "AddressConflictOnWire",
    ] {
        assert!(words.contains(expected), "{expected}");
    }
    for word in words {
        assert!(word.chars().all(|c| c.is_ascii_alphabetic()), "{word}");
        assert!(word.starts_with(|c: char| c.is_ascii_uppercase()), "{word}");
    }
}

#[test]
fn a_refusal_names_the_pools_in_order_and_the_nearest_change() {
    for (pools, expected) in [
        (vec![], "there is no Eip; create an Eip, and annotate it"),
        (
            vec![eip("one", "192.0.2.1")],
            "Eip one is not assigned automatically; annotate the Service with \
             eip.openelb.kubesphere.io/v1alpha2: one",
        ),
        (
            vec![super::bound("one", "192.0.2.1", &["shop"])],
            "Eip one is bound to other namespaces; add the namespace to spec.namespaces of Eip one",
        ),
        (
            vec![default_eip("six", "2001:db8::/64")],
            "Eip six has no IPv4 range; add IPv4 addresses to spec.address of Eip six",
        ),
    ] {
        let refused = Desk::new(pools).outcome(&service("web")).unwrap_err();
        assert!(refused.message.starts_with(expected), "{refused}");
        let (_, next) = expected.split_once("; ").unwrap();
        assert!(refused.next_step().starts_with(next), "{refused}");
    }
}

#[test]
fn of_many_pools_a_few_are_told_and_the_rest_counted() {
    let pools = (1..=7).map(|n| eip(&format!("p{n}"), &format!("192.0.2.{n}")));
    let refused = Desk::new(pools).outcome(&service("web")).unwrap_err();
    assert!(refused.message.contains("Eip p4"), "{refused}");
    assert!(!refused.message.contains("Eip p5"), "{refused}");
    assert!(refused.message.contains("3 more Eips"), "{refused}");
}

#[test]
fn a_refused_share_says_how_to_share() {
    let mut desk = Desk::new([default_eip("eip", "192.0.2.0/24")]);
    desk.serve(&service("web").field("192.0.2.5"));
    let refused = desk
        .outcome(&service("twin").field("192.0.2.5"))
        .unwrap_err();
    assert_eq!(refused.reason, ReasonWord::SharingRefused);
    assert!(
        refused
            .message
            .contains("service/default/web, and both serve TCP/80"),
        "{refused}"
    );
    assert!(
        refused.next_step().contains("openelb.io/allow-shared-ip"),
        "{refused}"
    );
}

#[test]
fn decisions_become_events_one_each() {
    let assigned = |address: &str| Assigned {
        address: ip(address),
        pool: "eip".parse().unwrap(),
    };
    let both = [assigned("192.0.2.1"), assigned("2001:db8::1")];
    let allocated = event(Decision::Allocated {
        addresses: &both,
        missing: None,
    });
    assert_eq!(
        (allocated.severity, allocated.reason),
        (Severity::Normal, "AssignIP")
    );
    assert_eq!(
        allocated.note,
        "has 192.0.2.1 of Eip eip and 2001:db8::1 of Eip eip"
    );
    let degraded = event(Decision::Allocated {
        addresses: &both[..1],
        missing: Some(Family::V6),
    });
    assert_eq!(
        degraded.note,
        "has 192.0.2.1 of Eip eip; no IPv6 address can be had now"
    );
    let released = event(Decision::Released(&["192.0.2.1".to_owned()]));
    assert_eq!(
        (released.reason, released.note.as_str()),
        ("ReleaseIP", "released 192.0.2.1")
    );
    let conflict = event(Decision::Refused(&Refusal::conflict("metallb-controller")));
    assert_eq!(
        (conflict.severity, conflict.reason),
        (Severity::Warning, "StatusConflict")
    );
    assert!(conflict.note.contains("metallb-controller"));
    assert_eq!(
        (Severity::Warning.as_str(), Severity::Normal.as_str()),
        ("Warning", "Normal")
    );
}

#[test]
fn an_event_fits_into_what_the_api_takes_at_a_whole_character() {
    let long = "ä".repeat(2_000);
    let refusal = Refusal::new(ReasonWord::NoMatchingPool, long);
    let event = event(Decision::Refused(&refusal));
    assert!(event.note.len() <= 1_024 && event.note.len() > 1_000);
    assert!(event.note.ends_with("ä…"));
}

#[test]
fn an_address_that_left_its_pool_is_kept_and_told() {
    let orphaned = Refusal::orphaned(&[ip("192.0.2.9")]);
    assert_eq!(orphaned.reason, ReasonWord::AddressOrphaned);
    assert!(orphaned.next_step().starts_with("put it back"));
}

#[test]
fn what_is_missing_of_a_pair_names_the_pool_that_is_full() {
    use crate::cluster::{IpFamily, IpFamilyPolicy};
    let pair = |name: &str| service(name).dual(IpFamilyPolicy::PreferDualStack, IpFamily::IPv4);
    let mut desk = Desk::new([default_eip("eip", "192.0.2.0/24,2001:db8::1")]);
    desk.serve(&pair("first"));
    let second = pair("second");
    assert_eq!(desk.serve(&second), "192.0.2.2");
    let explanation = desk.ipam.explain(
        &super::key(&second).into(),
        &super::request(&second),
        desk.now,
    );
    let missing = Refusal::missing(&explanation).unwrap();
    assert_eq!(missing.reason, ReasonWord::PoolExhausted);
    assert!(
        missing.message.contains("Eip eip has no free IPv6 address"),
        "{missing}"
    );
    assert!(
        super::refusal(&service("x").annotated(POOL_ANNOTATION, "a/b"))
            .message
            .contains(POOL_ANNOTATION)
    );
}
