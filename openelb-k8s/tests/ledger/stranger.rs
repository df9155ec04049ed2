//! Services that show an address of a pool and want none from here.

use openelb_k8s::cluster::{Ingress, IpFamily, IpFamilyPolicy, Service};
use openelb_k8s::controller::Settings;
use openelb_k8s::names;

use crate::lab::Lab;
use crate::objects::{annotate, default_pool, service};

fn named(name: &str) -> Service {
    service("shop", name, &[IpFamily::IPv4])
}

fn show(service: &mut Service, address: &str) {
    service.status.load_balancer.ingress.push(Ingress {
        ip: address.to_owned(),
        ..Ingress::default()
    });
}

/// A Service of another load balancer.
fn stranger(name: &str, address: &str) -> Service {
    let mut service = named(name);
    service.spec.load_balancer_class = Some("other.example/lb".to_owned());
    show(&mut service, address);
    service
}

fn pinned(name: &str, address: &str) -> Service {
    let mut service = named(name);
    annotate(&mut service, names::ADDRESS_ANNOTATION, Some(address));
    service
}

fn hides(lab: &mut Lab, key: &str) {
    lab.server
        .edit_service(key, |it| it.status.load_balancer.ingress.clear());
}

#[test]
fn what_a_stranger_shows_is_given_to_nobody_until_it_is_shown_no_more() {
    let ends: [fn(&mut Lab); 3] = [
        |lab| hides(lab, "shop/other"),
        |lab| lab.server.delete_service("shop/other"),
        |lab| {
            lab.server.edit_service("shop/other", |it| {
                it.status.load_balancer.ingress[0].ip = "203.0.113.9".to_owned();
            });
        },
    ];
    for end in ends {
        let mut lab = Lab::settled(
            vec![default_pool("one", "192.0.2.1-192.0.2.2")],
            vec![stranger("other", "192.0.2.1"), named("a"), named("b")],
        );
        assert_eq!(lab.addresses("shop/a"), ["192.0.2.2"]);
        assert_eq!(lab.reason("shop/b"), "PoolExhausted");
        let said = &lab.server.services["shop/b"].service.status.conditions[0].message;
        assert!(said.contains("192.0.2.1 in shop/other"), "{said}");
        assert!(
            lab.told
                .iter()
                .any(|it| it.contains("192.0.2.1 in shop/other"))
        );
        let untouched = &lab.server.services["shop/other"].service;
        assert!(untouched.metadata.finalizers.is_empty() && untouched.status.conditions.is_empty());

        end(&mut lab);
        lab.exchange();
        lab.settle();
        assert_eq!(lab.addresses("shop/b"), ["192.0.2.1"]);
        assert_eq!(lab.used("one", "192.0.2.1"), Some("shop/b"));
    }
}

#[test]
fn who_opts_out_before_being_adopted_keeps_its_address_from_others_while_it_shows_it() {
    let mut old = named("old");
    show(&mut old, "192.0.2.1");
    let mut lab = Lab::new(
        vec![default_pool("one", "192.0.2.1")],
        vec![old, named("new")],
    );
    lab.server.edit_service("shop/old", |it| {
        annotate(it, names::OPT_IN_ANNOTATION, None);
    });
    lab.start(Settings::default());
    assert_eq!(lab.addresses("shop/old"), ["192.0.2.1"]);
    assert_eq!(lab.addresses("shop/new"), [""; 0]);

    let opt_in = Some(names::OPT_IN_VALUE);
    lab.server.edit_service("shop/old", |it| {
        annotate(it, names::OPT_IN_ANNOTATION, opt_in);
    });
    lab.settle();
    assert_eq!(lab.used("one", "192.0.2.1"), Some("shop/old"));
    assert_eq!(lab.addresses("shop/new"), [""; 0]);
}

#[test]
fn a_pin_on_what_a_stranger_shows_is_refused_and_names_it() {
    for key in [None, Some("k")] {
        let mut asking = pinned("a", "192.0.2.1");
        annotate(&mut asking, names::SHARING_ANNOTATION, key);
        let mut lab = Lab::settled(
            vec![default_pool("one", "192.0.2.1-192.0.2.2")],
            vec![stranger("other", "192.0.2.1"), asking],
        );
        assert_eq!(lab.reason("shop/a"), "AddressInUse");
        let said = &lab.server.services["shop/a"].service.status.conditions[0].message;
        assert_eq!(
            said,
            "Eip one does not give 192.0.2.1, which the status of shop/other shows, a Service that \
             is not served here; take 192.0.2.1 out of the status of shop/other, or ask for another \
             address"
        );
        hides(&mut lab, "shop/other");
        lab.settle();
        assert_eq!(lab.addresses("shop/a"), ["192.0.2.1"]);
    }
}

#[test]
fn of_two_strangers_at_one_address_the_last_frees_it() {
    let mut lab = Lab::settled(
        vec![default_pool("one", "192.0.2.1")],
        vec![
            stranger("other", "192.0.2.1"),
            stranger("third", "192.0.2.1"),
            named("a"),
        ],
    );
    hides(&mut lab, "shop/other");
    lab.settle();
    assert_eq!(lab.addresses("shop/a"), [""; 0]);
    hides(&mut lab, "shop/third");
    lab.settle();
    assert_eq!(lab.addresses("shop/a"), ["192.0.2.1"]);
}

#[test]
fn who_has_a_record_keeps_the_address_beside_a_stranger_and_leaves_it_to_that_one() {
    let mut lab = Lab::settled(vec![default_pool("one", "192.0.2.1")], vec![named("a")]);
    lab.server.create_service(stranger("other", "192.0.2.1"));
    lab.server.create_service(named("b"));
    lab.settle();
    assert_eq!(lab.addresses("shop/a"), ["192.0.2.1"]);
    lab.start(Settings::default());
    assert_eq!(lab.addresses("shop/a"), ["192.0.2.1"]);

    lab.server.delete_service("shop/a");
    lab.settle();
    assert_eq!(lab.used("one", "192.0.2.1"), None);
    assert_eq!(lab.addresses("shop/b"), [""; 0]);
    hides(&mut lab, "shop/other");
    lab.settle();
    assert_eq!(lab.addresses("shop/b"), ["192.0.2.1"]);
}

#[test]
fn strangers_cost_no_write_and_follow_the_edits_of_pools() {
    let mut lab = Lab::settled(
        vec![default_pool("one", "192.0.2.1-192.0.2.2")],
        vec![stranger("other", "192.0.2.2"), named("a")],
    );
    let before = lab.server.writes.len();
    lab.start(Settings::default());
    assert_eq!(lab.server.writes[before..], []);

    lab.server
        .edit_eip("one", |it| it.spec.address = "192.0.2.1".to_owned());
    lab.settle();
    lab.server.create_service(named("b"));
    lab.settle();
    assert_eq!(lab.reason("shop/b"), "PoolExhausted");
    let conditions = &lab.server.eips["one"].status.conditions;
    assert!(
        conditions.iter().all(|it| it.kind != "Orphaned"),
        "{conditions:?}"
    );

    lab.server.edit_eip("one", |it| {
        it.spec.address = "192.0.2.1-192.0.2.3".to_owned();
    });
    lab.settle();
    assert_eq!(lab.addresses("shop/b"), ["192.0.2.3"]);
}

/// It would be recorded, and could not be shown before the address that is shown is recorded, too.
#[test]
fn whoever_shows_an_address_that_cannot_be_recorded_gets_no_other_family_until_it_can() {
    let mut old = service("shop", "old", &[IpFamily::IPv4, IpFamily::IPv6]);
    old.spec.ip_family_policy = Some(IpFamilyPolicy::RequireDualStack);
    show(&mut old, "192.0.2.6");
    let elder = default_pool("elder", "192.0.2.2-192.0.2.4, 2001:db8::1");
    let younger = default_pool("younger", "192.0.2.2-192.0.2.8");
    let mut lab = Lab::settled(vec![elder, younger], Vec::new());
    lab.server.create_service(old);
    lab.settle();
    assert_eq!(lab.addresses("shop/old"), ["192.0.2.6"]);
    assert_eq!(lab.used("elder", "2001:db8::1"), None);
    let told = lab
        .told
        .iter()
        .filter(|it| it.contains("overlaps another Eip"));
    assert_eq!(told.count(), 1, "{:?}", lab.told);
    lab.server.edit_eip("younger", |it| {
        it.spec.address = "192.0.2.5-192.0.2.8".to_owned();
    });
    lab.settle();
    assert_eq!(lab.addresses("shop/old"), ["192.0.2.6", "2001:db8::1"]);
    assert_eq!(lab.used("younger", "192.0.2.6"), Some("shop/old"));
}
