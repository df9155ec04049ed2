//! Acceptance cases that the ledger decides, with their numbers in the collections they come from.

use openelb_k8s::api::{Eip, OnShrink};
use openelb_k8s::cluster::{Ingress, IpFamily, IpFamilyPolicy, Service, ServiceType};
use openelb_k8s::controller::{Change, Input, Kind, Machine, Outcome, Output, Settings};
use openelb_k8s::names;

use crate::lab::Lab;
use crate::objects::{annotate, default_pool, service, set_families};

use IpFamily::{IPv4, IPv6};

fn named(name: &str) -> Service {
    service("shop", name, &[IPv4])
}

fn asking(name: &str, key: &str, value: &str) -> Service {
    let mut service = named(name);
    annotate(&mut service, key, Some(value));
    service
}

/// As OpenELB 0.6 leaves a service that it served.
fn served(name: &str, address: &str, pool: &str) -> Service {
    let mut service = named(name);
    let metadata = &mut service.metadata;
    metadata
        .finalizers
        .push(names::SERVICE_FINALIZER.to_owned());
    metadata
        .labels
        .insert(names::POOL_LABEL.to_owned(), pool.to_owned());
    service.status.load_balancer.ingress.push(Ingress {
        ip: address.to_owned(),
        ..Ingress::default()
    });
    service
}

/// As OpenELB 0.6 leaves a pool that it used.
fn used(mut eip: Eip, records: &[(&str, &str)]) -> Eip {
    eip.metadata
        .finalizers
        .push(names::EIP_FINALIZER.to_owned());
    for (address, owner) in records {
        eip.status
            .used
            .insert((*address).to_owned(), (*owner).to_owned());
    }
    eip
}

fn service_writes(changes: &[Change]) -> usize {
    let services = changes
        .iter()
        .filter(|change| matches!(change, Change::Service { .. }));
    services.count()
}

#[test]
fn openelb_16_a_waiting_service_is_served_by_each_event_that_can_help() {
    let bound = || {
        let mut eip = Eip::new("bound", "198.51.100.1");
        eip.spec
            .namespace_selector
            .insert("team".to_owned(), "x".to_owned());
        eip
    };
    let mut lab = Lab::settled(
        vec![Eip::new("one", "192.0.2.1"), bound()],
        vec![named("a"), named("b"), named("c")],
    );
    assert_eq!(lab.addresses("shop/a"), [""; 0]);

    lab.server.edit_eip("one", |eip| {
        let key = names::DEFAULT_EIP_ANNOTATION.to_owned();
        eip.metadata.annotations.insert(key, "true".to_owned());
    });
    lab.exchange();
    lab.settle();
    assert_eq!(
        lab.addresses("shop/a"),
        ["192.0.2.1"],
        "the pool became the default"
    );

    let mut namespace = openelb_k8s::cluster::Namespace::default();
    namespace.metadata.name = "shop".to_owned();
    namespace
        .metadata
        .labels
        .insert("team".to_owned(), "x".to_owned());
    lab.server.put_namespace(namespace);
    lab.settle();
    assert_eq!(
        lab.addresses("shop/b"),
        ["198.51.100.1"],
        "the namespace got the label"
    );

    assert_eq!(lab.reason("shop/c"), "PoolExhausted");
    lab.server.delete_service("shop/b");
    lab.settle();
    assert_eq!(
        lab.addresses("shop/c"),
        ["198.51.100.1"],
        "an address came free"
    );
}

#[test]
fn openelb_18_and_19_an_address_is_recorded_once_and_asking_again_writes_nothing() {
    let mut lab = Lab::settled(
        vec![default_pool("one", "192.168.99.100-192.168.99.101")],
        vec![named("a")],
    );
    assert_eq!(lab.addresses("shop/a"), ["192.168.99.100"]);
    let status = &lab.server.eips["one"].status;
    assert_eq!((status.usage, status.pool_size), (1, 2));
    assert_eq!(lab.used("one", "192.168.99.100"), Some("shop/a"));

    lab.server
        .edit_service("shop/a", |it| annotate(it, "any", Some("thing")));
    assert_eq!(lab.settle(), []);
}

#[test]
fn openelb_20_and_24_a_service_that_asks_for_another_address_has_just_that_and_never_none() {
    let pool = default_pool("one", "192.0.2.40-192.0.2.50");
    let mut lab = Lab::settled(
        vec![pool],
        vec![asking("a", names::ADDRESS_ANNOTATION, "192.0.2.43")],
    );
    lab.server.edit_service("shop/a", |it| {
        annotate(it, names::ADDRESS_ANNOTATION, Some("192.0.2.49"));
    });
    let changes = lab.settle();
    assert_eq!(lab.addresses("shop/a"), ["192.0.2.49"]);
    assert_eq!(
        (lab.used("one", "192.0.2.43"), lab.used("one", "192.0.2.49")),
        (None, Some("shop/a"))
    );
    assert_eq!(
        service_writes(&changes),
        1,
        "from one address to the other in one write"
    );
}

// OpenELB took such a text for any address, and released and gave one at every look.
#[test]
fn openelb_22_what_is_no_address_is_said_once_and_costs_no_write_afterwards() {
    for text in ["10.0.0.300", "abc"] {
        let mut wrong = named("a");
        wrong.spec.load_balancer_ip = text.to_owned();
        let mut lab = Lab::settled(vec![default_pool("one", "10.0.0.0/24")], vec![wrong]);
        assert_eq!(lab.addresses("shop/a"), [""; 0]);
        assert_eq!(lab.reason("shop/a"), "InvalidAddress");
        lab.server
            .edit_service("shop/a", |it| annotate(it, "any", Some("thing")));
        assert_eq!(lab.settle(), []);
        let before = lab.server.writes.len();
        lab.start(Settings::default());
        assert_eq!(lab.server.writes[before..], [], "a restart");
    }
}

#[test]
fn openelb_26_and_contract_11_and_12_both_families_or_none_and_one_where_one_will_do() {
    let mut pair = named("pair");
    set_families(&mut pair, &[IPv6, IPv4], IpFamilyPolicy::RequireDualStack);
    let mut either = named("either");
    set_families(&mut either, &[IPv6, IPv4], IpFamilyPolicy::PreferDualStack);
    let mut lab = Lab::settled(
        vec![default_pool("four", "192.0.2.1-192.0.2.9")],
        vec![pair, either],
    );
    assert_eq!(lab.addresses("shop/pair"), [""; 0]);
    assert_eq!(
        (lab.reason("shop/pair"), lab.reason("shop/either")),
        ("FamilyUnavailable", "FamilyUnavailable")
    );
    let before = lab.addresses("shop/either");
    assert_eq!(before.len(), 1);
    assert_eq!(
        lab.server.eips["four"].status.used.len(),
        1,
        "nothing is held for the pair"
    );

    lab.server
        .create_eip(default_pool("six", "2001:db8::1-2001:db8::9"));
    lab.settle();
    for key in ["shop/pair", "shop/either"] {
        let addresses = lab.addresses(key);
        assert!(
            addresses[0].contains(':') && addresses[1].contains('.'),
            "{addresses:?}"
        );
        assert_eq!(lab.reason(key), "");
    }
    assert_eq!(lab.addresses("shop/either")[1..], before, "that one stays");
}

#[test]
fn openelb_27_sharers_are_recorded_together_and_one_may_leave() {
    let mut other = asking("b", names::ADDRESS_ANNOTATION, "192.0.2.1");
    other.spec.ports[0].port = 443;
    let services = vec![asking("a", names::ADDRESS_ANNOTATION, "192.0.2.1"), other];
    let mut lab = Lab::settled(vec![default_pool("one", "192.0.2.1-192.0.2.3")], services);
    assert_eq!(lab.used("one", "192.0.2.1"), Some("shop/a;shop/b"));
    assert_eq!(lab.server.eips["one"].status.usage, 1);
    lab.server.delete_service("shop/a");
    lab.settle();
    assert_eq!(lab.used("one", "192.0.2.1"), Some("shop/b"));
    assert_eq!(lab.addresses("shop/b"), ["192.0.2.1"]);
}

#[test]
fn openelb_28_what_is_deleted_is_released_with_or_without_a_record_or_a_pool() {
    let gone = served("gone", "203.0.113.9", "missing");
    let pool = used(
        default_pool("one", "192.0.2.1-192.0.2.3"),
        &[("192.0.2.2", "shop/a"), ("192.0.2.3", "shop/never")],
    );
    let mut lab = Lab::settled(vec![pool], vec![served("a", "192.0.2.2", "one"), gone]);
    assert_eq!(
        lab.used("one", "192.0.2.3"),
        None,
        "nobody of that name exists"
    );
    for key in ["shop/a", "shop/gone"] {
        lab.server.delete_service(key);
    }
    lab.settle();
    assert!(lab.server.services.is_empty());
    assert!(lab.server.eips["one"].status.used.is_empty());
}

#[test]
fn openelb_29_a_service_that_is_no_load_balancer_any_more_keeps_nothing_of_ours() {
    let mut lab = Lab::settled(vec![default_pool("one", "192.0.2.1")], vec![named("a")]);
    for undo in [true, false] {
        lab.server.edit_service("shop/a", |it| {
            if undo {
                it.spec.kind = ServiceType::Other;
            } else {
                annotate(it, names::OPT_IN_ANNOTATION, None);
            }
        });
        lab.settle();
        let service = &lab.server.services["shop/a"].service;
        assert!(service.metadata.finalizers.is_empty());
        assert!(!service.metadata.labels.contains_key(names::POOL_LABEL));
        assert_eq!(lab.addresses("shop/a"), [""; 0]);
        assert_eq!(lab.used("one", "192.0.2.1"), None);
        lab.server
            .edit_service("shop/a", |it| it.spec.kind = ServiceType::LoadBalancer);
        lab.settle();
    }
}

#[test]
fn openelb_30_and_metallb_19_a_service_moves_to_the_pool_it_names_in_one_write() {
    let pools = vec![
        default_pool("one", "192.0.2.1"),
        Eip::new("two", "198.51.100.1"),
    ];
    let mut lab = Lab::settled(pools, vec![named("a")]);
    lab.server.edit_service("shop/a", |it| {
        annotate(it, names::POOL_ANNOTATION, Some("two"));
    });
    let changes = lab.settle();
    assert_eq!(service_writes(&changes), 1);
    assert_eq!(lab.addresses("shop/a"), ["198.51.100.1"]);
    assert_eq!(
        (
            lab.used("one", "192.0.2.1"),
            lab.used("two", "198.51.100.1")
        ),
        (None, Some("shop/a"))
    );
}

#[test]
fn openelb_31_and_metallb_41_services_of_a_deleted_pool_move_or_wait() {
    let pools = vec![
        default_pool("one", "192.0.2.1-192.0.2.2"),
        Eip::new("two", "198.51.100.1"),
    ];
    let mut lab = Lab::settled(pools, vec![named("a"), named("b")]);
    lab.server
        .edit_eip("two", |eip| eip.spec.auto_assign = Some(true));
    lab.server.delete_eip("one");
    lab.settle();
    assert!(!lab.server.eips.contains_key("one"), "it can be deleted");
    assert_eq!(lab.addresses("shop/a"), ["198.51.100.1"]);
    assert_eq!(lab.addresses("shop/b"), [""; 0]);
    assert_eq!(lab.reason("shop/b"), "PoolExhausted");
    assert!(
        lab.server.services["shop/b"]
            .service
            .metadata
            .finalizers
            .is_empty()
    );
}

#[test]
fn openelb_32_a_disabled_pool_or_a_moved_default_renumbers_nobody() {
    let mut lab = Lab::settled(
        vec![default_pool("one", "192.0.2.1-192.0.2.9")],
        vec![named("a")],
    );
    lab.server.edit_eip("one", |eip| {
        eip.spec.disable = true;
        eip.metadata.annotations.clear();
    });
    lab.server
        .create_eip(default_pool("two", "198.51.100.1-198.51.100.9"));
    lab.server.create_service(named("b"));
    let changes = lab.settle();
    assert_eq!(lab.addresses("shop/a"), ["192.0.2.1"]);
    assert_eq!(lab.addresses("shop/b"), ["198.51.100.1"]);
    assert_eq!(service_writes(&changes), 1);
}

#[test]
fn contract_2_and_metallb_42_a_service_of_another_class_costs_no_write_and_no_event() {
    let mut foreign = served("a", "203.0.113.9", "one");
    foreign.metadata.finalizers.clear();
    foreign.metadata.labels.clear();
    foreign.spec.load_balancer_class = Some("example.com/other".to_owned());
    annotate(&mut foreign, names::POOL_ANNOTATION, Some("none"));
    annotate(&mut foreign, names::ADDRESS_ANNOTATION, Some("abc"));
    let mut lab = Lab::settled(vec![default_pool("one", "192.0.2.1")], vec![foreign]);
    lab.server
        .edit_service("shop/a", |it| it.spec.ports[0].port = 443);
    lab.settle();
    assert_eq!(service_writes(&lab.server.writes), 0);
    assert_eq!(lab.told, [""; 0]);
    assert_eq!(lab.addresses("shop/a"), ["203.0.113.9"]);
}

#[test]
fn contract_4_a_service_that_changes_its_type_there_and_back_has_one_address() {
    let mut lab = Lab::settled(
        vec![default_pool("one", "192.0.2.1-192.0.2.9")],
        vec![named("a")],
    );
    lab.server
        .edit_service("shop/a", |it| it.spec.kind = ServiceType::Other);
    lab.server
        .edit_service("shop/a", |it| it.spec.kind = ServiceType::LoadBalancer);
    lab.settle();
    assert_eq!(lab.addresses("shop/a").len(), 1);
    assert_eq!(lab.server.eips["one"].status.used.len(), 1);
}

#[test]
fn contract_6_an_address_of_no_pool_that_another_wrote_is_left_alone_and_reported() {
    let mut other = named("a");
    other.status.load_balancer.ingress.push(Ingress {
        ip: "203.0.113.9".to_owned(),
        ..Ingress::default()
    });
    let mut lab = Lab::settled(vec![default_pool("one", "192.0.2.1")], vec![other]);
    assert_eq!(lab.addresses("shop/a"), ["203.0.113.9"]);
    assert_eq!(lab.settle(), []);
    assert!(
        lab.told
            .iter()
            .any(|note| note.starts_with("ForeignAddress")),
        "{:?}",
        lab.told
    );
}

#[test]
fn contract_7_an_unchanged_service_seen_a_hundred_times_costs_no_write() {
    let mut lab = Lab::settled(
        vec![default_pool("one", "192.0.2.1-192.0.2.9")],
        vec![named("a"), named("b")],
    );
    for _ in 0..100 {
        for kind in Kind::ALL {
            let again = lab
                .server
                .list(kind)
                .into_iter()
                .map(|object| (kind, object));
            lab.server.events.extend(again);
        }
        assert_eq!(lab.settle(), []);
    }
}

#[test]
fn contract_14_from_two_families_to_one_the_other_address_stays() {
    let mut both = named("a");
    set_families(&mut both, &[IPv4, IPv6], IpFamilyPolicy::RequireDualStack);
    let pool = default_pool("one", "192.0.2.1-192.0.2.9, 2001:db8::1-2001:db8::9");
    let mut lab = Lab::settled(vec![pool], vec![both]);
    assert_eq!(lab.addresses("shop/a"), ["192.0.2.1", "2001:db8::1"]);
    lab.server.edit_service("shop/a", |it| {
        set_families(it, &[IPv4], IpFamilyPolicy::SingleStack);
    });
    let changes = lab.settle();
    assert_eq!(lab.addresses("shop/a"), ["192.0.2.1"]);
    assert_eq!(lab.used("one", "2001:db8::1"), None);
    assert_eq!(service_writes(&changes), 1);
    let shows_one = |change: &Change| match change {
        Change::Service { apply, .. } => apply.ingress.as_ref().is_some_and(|it| it.len() == 1),
        _ => false,
    };
    let holds_one = |change: &Change| match change {
        Change::EipStatus { status, .. } => status.used.len() == 1,
        _ => false,
    };
    let withdrawn = changes.iter().position(shows_one).unwrap();
    let freed = changes.iter().position(holds_one).unwrap();
    assert!(withdrawn < freed);
}

#[test]
fn contract_16_the_finalizer_comes_with_the_address_and_goes_after_the_record() {
    let mut lab = Lab::settled(vec![default_pool("one", "192.0.2.1")], vec![named("a")]);
    let mut applies = lab.server.writes.iter().filter_map(|change| match change {
        Change::Service { apply, .. } => Some(apply),
        _ => None,
    });
    let first = applies.next().expect("it is written to");
    assert!(first.finalizer && first.ingress.as_ref().is_some_and(|it| it.len() == 1));
    lab.server.delete_service("shop/a");
    let changes = lab.settle();
    let order: Vec<_> = changes
        .iter()
        .filter_map(|change| match change {
            Change::Service { apply, .. } => Some((
                apply.finalizer,
                apply.ingress.as_ref().is_some_and(Vec::is_empty),
            )),
            Change::EipStatus { status, .. } if status.used.is_empty() => Some((false, false)),
            _ => None,
        })
        .collect();
    assert_eq!(
        order[..2],
        [(true, true), (false, false)],
        "shown no more, then free"
    );
    assert!(lab.server.services.is_empty(), "then the finalizer is off");
}

#[test]
fn contract_17_nothing_is_given_before_all_is_seen_and_what_is_shown_wins() {
    let lab = Lab::new(
        vec![default_pool("one", "192.0.2.1-192.0.2.2")],
        vec![named("a"), served("b", "192.0.2.1", "one")],
    );
    let mut machine = Machine::new(Settings::default());
    machine.handle_input(Input::Leading(true), lab.now);
    for kind in [Kind::Eip, Kind::Block, Kind::Namespace] {
        machine.handle_input(Input::Restart(kind), lab.now);
        lab.server
            .list(kind)
            .into_iter()
            .for_each(|it| machine.handle_input(it, lab.now));
        machine.handle_input(Input::Synced(kind), lab.now);
    }
    for object in lab.server.list(Kind::Service) {
        machine.handle_input(object, lab.now);
        assert!(machine.poll_output().is_none(), "the list is not complete");
    }
    let mut lab = lab;
    lab.start(Settings::default());
    assert_eq!(
        lab.addresses("shop/b"),
        ["192.0.2.1"],
        "it shows it, although nobody wrote it down"
    );
    assert_eq!(lab.addresses("shop/a"), ["192.0.2.2"]);
}

#[test]
fn contract_18_a_new_service_of_an_old_name_keeps_the_address() {
    let mut lab = Lab::settled(
        vec![default_pool("one", "192.0.2.1-192.0.2.9")],
        vec![named("z"), named("a")],
    );
    let before = lab.addresses("shop/z");
    lab.server
        .edit_service("shop/z", |it| it.metadata.finalizers.clear());
    lab.server.delete_service("shop/z");
    lab.server.create_service(named("z"));
    lab.settle();
    assert_eq!(lab.addresses("shop/z"), before);
    assert_eq!(lab.server.eips["one"].status.used.len(), 2);
}

#[test]
fn contract_19_and_metallb_40_wider_reordered_merged_and_split_pools_change_no_address() {
    let mut lab = Lab::settled(
        vec![default_pool("one", "192.0.2.1-192.0.2.4")],
        vec![named("a"), named("b")],
    );
    lab.server
        .edit_eip("one", |eip| eip.spec.address = "192.0.2.0/24".to_owned());
    assert_eq!(service_writes(&lab.settle()), 0);
    for ranges in [
        "192.0.2.128/25, 192.0.2.2-192.0.2.9, 192.0.2.1",
        "192.0.2.1-192.0.2.9",
    ] {
        lab.server
            .edit_eip("one", |eip| eip.spec.address = ranges.to_owned());
        assert_eq!(service_writes(&lab.settle()), 0, "{ranges}");
    }

    lab.server
        .edit_eip("one", |eip| eip.spec.address = "192.0.2.1".to_owned());
    lab.server
        .create_eip(Eip::new("two", "192.0.2.2-192.0.2.9"));
    lab.settle();
    assert_eq!(
        (lab.addresses("shop/a"), lab.addresses("shop/b")),
        (vec!["192.0.2.1".to_owned()], vec!["192.0.2.2".to_owned()])
    );
    assert_eq!(
        (lab.used("one", "192.0.2.2"), lab.used("two", "192.0.2.2")),
        (None, Some("shop/b"))
    );
    let labels = &lab.server.services["shop/b"].service.metadata.labels;
    let label = labels.get(names::POOL_LABEL);
    assert_eq!(label, Some("two"), "reported in the pool that has it now");
}

#[test]
fn contract_20_what_a_pool_no_longer_lists_is_kept_unless_the_policy_says_otherwise() {
    for (policy, address) in [
        (OnShrink::Retain, "192.0.2.1"),
        (OnShrink::Reassign, "192.0.2.5"),
    ] {
        let mut lab = Lab::settled(
            vec![default_pool("one", "192.0.2.1-192.0.2.9")],
            vec![named("a")],
        );
        lab.server.edit_eip("one", |eip| {
            eip.spec.on_shrink = policy;
            eip.spec.address = "192.0.2.5-192.0.2.9".to_owned();
        });
        lab.settle();
        assert_eq!(lab.addresses("shop/a"), [address]);
        lab.server.delete_service("shop/a");
        lab.server.create_service(named("b"));
        lab.settle();
        assert_eq!(lab.addresses("shop/b").len(), 1);
        assert_ne!(lab.addresses("shop/b"), ["192.0.2.1"], "never given again");
    }
}

#[test]
fn contract_22_an_exclusion_over_a_used_address_keeps_and_flags_it_until_it_is_released() {
    let mut lab = Lab::settled(
        vec![default_pool("one", "192.0.2.1-192.0.2.2")],
        vec![named("a")],
    );
    lab.server.edit_eip("one", |eip| {
        eip.spec.exclude = vec!["192.0.2.1".to_owned()];
    });
    lab.settle();
    assert_eq!(lab.addresses("shop/a"), ["192.0.2.1"]);
    assert_eq!(lab.reason("shop/a"), "AddressOrphaned");
    let orphaned = |lab: &Lab| {
        let conditions = lab.server.eips["one"].status.conditions.iter();
        let mut conditions = conditions.filter(|it| it.kind == "Orphaned");
        conditions.next().map(|it| it.status.clone())
    };
    assert_eq!(orphaned(&lab).as_deref(), Some("True"));

    lab.server.delete_service("shop/a");
    for name in ["b", "c"] {
        lab.server.create_service(named(name));
    }
    lab.settle();
    let given = ["shop/b", "shop/c"].map(|key| lab.addresses(key)).concat();
    assert_eq!(given, ["192.0.2.2"], "never given again");
    assert_ne!(orphaned(&lab).as_deref(), Some("True"));
}

#[test]
fn contract_20_a_policy_holds_as_well_for_what_was_edited_while_no_controller_ran() {
    for (policy, address) in [
        (OnShrink::Retain, "192.0.2.1"),
        (OnShrink::Reassign, "192.0.2.5"),
    ] {
        let mut lab = Lab::settled(
            vec![default_pool("one", "192.0.2.1-192.0.2.9")],
            vec![named("a")],
        );
        lab.server.edit_eip("one", |eip| {
            eip.spec.on_shrink = policy;
            eip.spec.address = "192.0.2.5-192.0.2.9".to_owned();
        });
        lab.start(Settings::default());
        assert_eq!(lab.addresses("shop/a"), [address]);
        assert_eq!(lab.used("one", address), Some("shop/a"));
        assert_eq!(lab.server.eips["one"].status.used.len(), 1);
    }
}

// OpenELB gave the first and the last address of a prefix, too.
#[test]
fn openelb_53_the_first_address_of_a_prefix_is_kept_and_costs_no_write() {
    let mut lab = Lab::settled(
        vec![default_pool("one", "192.0.2.0-192.0.2.9")],
        vec![named("a")],
    );
    assert_eq!(
        lab.addresses("shop/a"),
        ["192.0.2.0"],
        "of a range it is given"
    );
    let eip = lab.server.eips.get_mut("one").unwrap();
    eip.spec.address = "192.0.2.0/28".to_owned();
    (eip.status.conditions, eip.status.pool_size) = (Vec::new(), 16);
    (eip.status.first_ip, eip.status.last_ip) = ("192.0.2.0".to_owned(), "192.0.2.15".to_owned());
    let before = lab.server.writes.len();
    lab.start(Settings::default());
    assert_eq!(lab.server.writes[before..], []);
    assert_eq!(lab.addresses("shop/a"), ["192.0.2.0"]);
}

#[test]
fn contract_21_of_two_pools_that_overlap_the_younger_gives_nothing_until_it_is_healed() {
    let mut lab = Lab::settled(
        vec![default_pool("one", "192.0.2.1-192.0.2.2")],
        vec![named("a")],
    );
    lab.server
        .create_eip(Eip::new("two", "192.0.2.2-192.0.2.9"));
    lab.server
        .create_service(asking("b", names::POOL_ANNOTATION, "two"));
    lab.settle();
    let marks = |lab: &Lab| {
        let conditions = lab.server.eips["two"].status.conditions.iter();
        conditions.filter(|it| it.kind == "Overlap").count()
    };
    assert_eq!((lab.addresses("shop/b").len(), marks(&lab)), (0, 1));
    assert_eq!(lab.addresses("shop/a"), ["192.0.2.1"]);
    lab.server.edit_eip("two", |eip| {
        eip.spec.address = "192.0.2.3-192.0.2.9".to_owned();
    });
    lab.settle();
    assert_eq!(
        (lab.addresses("shop/b"), marks(&lab)),
        (vec!["192.0.2.3".to_owned()], 0)
    );
}

#[test]
fn metallb_14_and_15_a_full_pool_says_so_and_serves_who_waits_when_one_leaves() {
    let mut lab = Lab::settled(
        vec![default_pool("one", "192.0.2.0/31")],
        vec![named("a"), named("b"), named("c")],
    );
    assert_eq!(lab.reason("shop/c"), "PoolExhausted");
    assert!(
        lab.told
            .iter()
            .any(|note| note.starts_with("PoolExhausted"))
    );
    lab.server.delete_service("shop/a");
    lab.settle();
    assert_eq!(
        (lab.addresses("shop/c"), lab.reason("shop/c")),
        (vec!["192.0.2.0".to_owned()], "")
    );

    lab.server
        .create_service(asking("d", names::ADDRESS_ANNOTATION, "192.0.2.1"));
    lab.settle();
    assert_eq!(
        (lab.addresses("shop/d").len(), lab.addresses("shop/b").len()),
        (0, 1)
    );
}

#[test]
fn metallb_35_the_last_of_two_sharers_frees_the_address() {
    let mut other = asking("b", names::SHARING_ANNOTATION, "k");
    other.spec.ports[0].port = 443;
    let services = vec![asking("a", names::SHARING_ANNOTATION, "k"), other];
    let mut lab = Lab::settled(vec![default_pool("one", "192.0.2.1")], services);
    assert_eq!(
        (lab.addresses("shop/a"), lab.addresses("shop/b")),
        (vec!["192.0.2.1".to_owned()], vec!["192.0.2.1".to_owned()])
    );
    lab.server.delete_service("shop/a");
    lab.settle();
    assert_eq!(lab.addresses("shop/b"), ["192.0.2.1"]);
    lab.server.delete_service("shop/b");
    lab.settle();
    assert_eq!(lab.used("one", "192.0.2.1"), None);
}

#[test]
fn metallb_39_after_a_restart_who_has_keeps_and_who_waits_waits_at_no_cost() {
    let mut lab = Lab::settled(vec![default_pool("one", "192.0.2.1")], vec![named("z")]);
    lab.server.create_service(named("a"));
    lab.settle();
    let before = lab.server.writes.len();
    lab.start(Settings::default());
    assert_eq!(lab.server.writes.len(), before, "not one write");
    assert_eq!(
        (lab.addresses("shop/z").len(), lab.addresses("shop/a").len()),
        (1, 0)
    );
}

#[test]
fn objects_of_openelb_are_adopted_without_a_write() {
    let mut pool = used(
        default_pool("one", "192.0.2.0/29"),
        &[("192.0.2.3", "shop/a"), ("192.0.2.1", "shop/b;other/c")],
    );
    (pool.status.usage, pool.status.pool_size, pool.status.v4) = (2, 8, true);
    (pool.status.first_ip, pool.status.last_ip) = ("192.0.2.0".to_owned(), "192.0.2.7".to_owned());
    let mut across = served("c", "192.0.2.1", "one");
    across.metadata.namespace = "other".to_owned();
    let services = vec![
        served("a", "192.0.2.3", "one"),
        served("b", "192.0.2.1", "one"),
        across,
    ];
    let mut lab = Lab::new(vec![pool], services);
    lab.start(Settings::default());
    assert_eq!(
        lab.server.writes,
        [],
        "also what is shared across namespaces"
    );
}

/// What its request asks changes with the labels, and no pool serves it any more: as with everybody
/// else, that takes nothing away.
#[test]
fn a_sharer_against_the_rules_keeps_its_address_when_its_namespace_is_labelled() {
    let one = used(
        Eip::new("one", "192.0.2.1"),
        &[("192.0.2.1", "shop/a;shop/b")],
    );
    let sharers = ["a", "b"].map(|name| served(name, "192.0.2.1", "one"));
    let mut lab = Lab::settled(vec![one], sharers.to_vec());
    let mut namespace = openelb_k8s::cluster::Namespace::default();
    namespace.metadata.name = "shop".to_owned();
    let labels = &mut namespace.metadata.labels;
    labels.insert("team".to_owned(), "x".to_owned());
    lab.server.put_namespace(namespace);
    lab.settle();
    for key in ["shop/a", "shop/b"] {
        assert_eq!(lab.addresses(key), ["192.0.2.1"], "{key}");
    }
}

/// OpenELB let it share the one; nobody else has the other, and whoever waits for that waits on.
#[test]
fn the_other_address_of_a_sharer_against_the_rules_is_offered_to_nobody() {
    let one = used(
        default_pool("one", "192.0.2.1, 2001:db8::1"),
        &[("192.0.2.1", "shop/a;shop/b"), ("2001:db8::1", "shop/b")],
    );
    let mut both = served("b", "192.0.2.1", "one");
    set_families(&mut both, &[IPv4, IPv6], IpFamilyPolicy::RequireDualStack);
    both.status.load_balancer.ingress.push(Ingress {
        ip: "2001:db8::1".to_owned(),
        ..Ingress::default()
    });
    let waiting = service("shop", "c", &[IPv6]);
    let mut lab = Lab::settled(vec![one], vec![served("a", "192.0.2.1", "one"), both]);
    lab.server.create_service(waiting);
    lab.settle();
    assert_eq!(lab.addresses("shop/b"), ["192.0.2.1", "2001:db8::1"]);
    assert_eq!(lab.addresses("shop/c"), [""; 0]);
    assert_eq!(lab.reason("shop/c"), "PoolExhausted");

    lab.server.delete_service("shop/b");
    lab.settle();
    assert_eq!(lab.addresses("shop/c"), ["2001:db8::1"]);
    assert_eq!(lab.addresses("shop/a"), ["192.0.2.1"]);
}

/// It may share with the one, and the other is tolerated only.
#[test]
fn whoever_would_share_with_a_sharer_against_the_rules_hears_it_and_waits() {
    let one = used(
        default_pool("one", "192.0.2.1"),
        &[("192.0.2.1", "shop/a;shop/b")],
    );
    let sharers = ["a", "b"].map(|name| served(name, "192.0.2.1", "one"));
    let mut lab = Lab::settled(vec![one], sharers.to_vec());
    let mut third = asking("c", names::ADDRESS_ANNOTATION, "192.0.2.1");
    third.spec.ports[0].port = 443;
    lab.server.create_service(third);
    lab.settle();
    assert_eq!(lab.addresses("shop/c"), [""; 0]);
    let heard = lab.told.last().unwrap();
    assert!(
        heard.contains("has against the rules of sharing"),
        "{heard}"
    );

    lab.server.delete_service("shop/b");
    lab.settle();
    for key in ["shop/a", "shop/c"] {
        assert_eq!(lab.addresses(key), ["192.0.2.1"], "{key}");
    }
}

/// A gap in the records, and a user who asks for another pool before any controller has seen it.
#[test]
fn what_is_shown_without_a_record_and_given_up_is_given_to_nobody_while_it_is_shown() {
    let mut gap = served("gap", "192.0.2.5", "one");
    annotate(&mut gap, names::POOL_ANNOTATION, Some("two"));
    let pools = vec![
        default_pool("one", "192.0.2.5"),
        Eip::new("two", "198.51.100.1"),
    ];
    let mut lab = Lab::new(pools, vec![gap, named("new")]);
    let stored = lab.server.services.get_mut("shop/gap").unwrap();
    stored.manager = Some("cloud-provider".to_owned());
    lab.start(Settings::default());
    assert_eq!(
        lab.addresses("shop/gap"),
        ["192.0.2.5"],
        "it cannot be written"
    );
    assert_eq!(lab.addresses("shop/new"), [""; 0]);

    lab.server
        .edit_service("shop/gap", |it| it.status.load_balancer.ingress.clear());
    lab.settle();
    assert_eq!(lab.addresses("shop/new"), ["192.0.2.5"]);
}

#[test]
fn a_foreign_owner_of_the_status_bars_and_a_former_one_does_not() {
    let mut lab = Lab::settled(vec![default_pool("one", "192.0.2.1-192.0.2.2")], vec![]);
    lab.server
        .create_service(served("a", "203.0.113.1", "gone"));
    lab.settle();
    assert_eq!(
        lab.addresses("shop/a"),
        ["192.0.2.1"],
        "OpenELB wrote it, under another pool"
    );

    lab.server
        .create_service(served("b", "203.0.113.2", "gone"));
    let stored = lab.server.services.get_mut("shop/b").unwrap();
    stored.manager = Some("cloud-provider".to_owned());
    lab.settle();
    assert_eq!(lab.addresses("shop/b"), ["203.0.113.2"]);
    assert!(
        lab.told
            .iter()
            .any(|note| note.starts_with("StatusConflict")),
        "{:?}",
        lab.told
    );

    lab.server.delete_service("shop/b");
    lab.settle();
    assert!(
        !lab.server.services.contains_key("shop/b"),
        "nobody's status holds up a deletion"
    );
}

#[test]
fn a_lost_answer_is_looked_after_and_not_repeated() {
    let mut lab = Lab::new(vec![default_pool("one", "192.0.2.1")], vec![named("a")]);
    let mut machine = Machine::new(Settings::default());
    machine.handle_input(Input::Leading(true), lab.now);
    for kind in Kind::ALL {
        machine.handle_input(Input::Restart(kind), lab.now);
        lab.server
            .list(kind)
            .into_iter()
            .for_each(|it| machine.handle_input(it, lab.now));
        machine.handle_input(Input::Synced(kind), lab.now);
    }
    let Some(Output::Write(write)) = machine.poll_output() else {
        panic!("nothing is wanted")
    };
    lab.server.execute(&write.what);
    let outcome = Outcome::Unknown;
    machine.handle_input(
        Input::Written {
            id: write.id,
            outcome,
        },
        lab.now,
    );
    assert!(machine.poll_output().is_none());
    let next = std::iter::repeat_with(|| {
        lab.now = machine.poll_timeout().unwrap();
        machine.handle_timeout(lab.now);
        machine.poll_output()
    });
    let Some(Output::Write(write)) = next.take(5).flatten().next() else {
        panic!("it never looks")
    };
    assert!(matches!(write.what, Change::Read { .. }));
}

/// Another controller has given an address to its next holder, and this one has heard of the Service
/// alone: by its records, the address is still the former holder's.
#[test]
fn a_controller_whose_records_are_behind_takes_no_address_away() {
    let mut lab = Lab::settled(vec![default_pool("one", "192.0.2.1")], vec![named("old")]);
    assert_eq!(lab.addresses("shop/old"), ["192.0.2.1"]);
    lab.server.services.remove("shop/old");
    let gone = Input::ServiceGone {
        namespace: "shop".to_owned(),
        name: "old".to_owned(),
    };
    lab.server.events.push((Kind::Service, gone));
    lab.server.edit_eip("one", |eip| {
        let used = &mut eip.status.used;
        used.insert("192.0.2.1".to_owned(), "shop/new".to_owned());
        eip.status.ledger_revision += 2;
    });
    lab.server.create_service(served("new", "192.0.2.1", "one"));
    lab.server.events.retain(|(kind, _)| *kind != Kind::Eip);
    let changes = lab.settle();
    assert_eq!(service_writes(&changes), 0, "{changes:?}");
    assert_eq!(lab.used("one", "192.0.2.1"), Some("shop/new"));
}

/// The same with a pool of which this controller has not heard at all.
#[test]
fn a_service_of_a_pool_that_is_not_known_yet_keeps_its_address() {
    let mut lab = Lab::settled(vec![default_pool("one", "192.0.2.1")], Vec::new());
    let eip = Eip::new("two", "198.51.100.1");
    let eip = used(eip, &[("198.51.100.1", "shop/new")]);
    lab.server.create_eip(eip);
    lab.server
        .create_service(served("new", "198.51.100.1", "two"));
    lab.server.events.retain(|(kind, _)| *kind != Kind::Eip);
    let changes = lab.settle();
    assert_eq!(service_writes(&changes), 0, "{changes:?}");
    assert_eq!(lab.addresses("shop/new"), ["198.51.100.1"]);
}
