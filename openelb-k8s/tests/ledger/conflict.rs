//! Addresses that another station on the link has.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use openelb_k8s::cluster::{IpFamily, Service, ServicePort};
use openelb_k8s::controller::{Input, Settings};
use openelb_k8s::names;

use crate::lab::Lab;
use crate::objects::{annotate, default_pool, service};

const SEEN: &str = "node n1 sees 02:00:00:00:00:66 on eth0";
/// Two and a half make a quarantine.
const PAUSE: Duration = Duration::from_mins(2);

fn named(name: &str) -> Service {
    service("shop", name, &[IpFamily::IPv4])
}

fn pinned(name: &str, address: &str) -> Service {
    let mut service = named(name);
    annotate(&mut service, names::ADDRESS_ANNOTATION, Some(address));
    service
}

fn of_three(services: Vec<Service>) -> Lab {
    Lab::settled(vec![default_pool("one", "192.0.2.1-192.0.2.3")], services)
}

/// The speakers find a stranger at each of these addresses, and nowhere else.
fn find(lab: &mut Lab, addresses: &[&str]) {
    let all = addresses
        .iter()
        .map(|it| (it.parse().unwrap(), SEEN.to_owned()));
    let view: BTreeMap<IpAddr, String> = all.collect();
    lab.machine.handle_input(Input::Conflicts(view), lab.now);
    at_once(lab);
}

/// What happens without time.
fn at_once(lab: &mut Lab) {
    while lab.exchange() {}
}

fn pass(lab: &mut Lab, pause: Duration) {
    lab.now = lab.now + pause;
    lab.machine.handle_timeout(lab.now);
    at_once(lab);
}

fn said(lab: &Lab, key: &str) -> String {
    let conditions = &lab.server.services[key].service.status.conditions;
    conditions
        .first()
        .map_or_else(String::new, |it| it.message.clone())
}

#[test]
fn metallb_80_an_address_in_conflict_is_left_for_the_next_one_and_quarantined() {
    let mut lab = of_three(vec![named("web")]);
    find(&mut lab, &["192.0.2.1"]);
    assert_eq!(lab.addresses("shop/web"), ["192.0.2.2"]);
    assert_eq!(lab.used("one", "192.0.2.1"), None);
    assert_eq!(lab.reason("shop/web"), "", "all is well again");
    let told = lab.told.iter().filter(|it| it.contains(SEEN));
    let told: Vec<_> = told.collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("AddressConflictOnWire: leaves 192.0.2.1"),
        "{told:?}"
    );

    // Nobody has it any more, so no speaker looks.
    find(&mut lab, &[]);
    for name in ["b", "c"] {
        lab.server.create_service(named(name));
    }
    lab.server.create_service(pinned("d", "192.0.2.1"));
    at_once(&mut lab);
    assert_eq!(lab.addresses("shop/b"), ["192.0.2.3"]);
    assert_eq!(lab.reason("shop/c"), "PoolExhausted");
    assert_eq!(lab.reason("shop/d"), "AddressConflictOnWire");
    pass(&mut lab, 2 * PAUSE);
    assert_eq!(lab.addresses("shop/c"), [""; 0]);
    pass(&mut lab, PAUSE / 2);
    assert_eq!(lab.addresses("shop/c"), ["192.0.2.1"]);
    assert_eq!(lab.addresses("shop/web"), ["192.0.2.2"]);
}

#[test]
fn metallb_80_who_leads_next_stays_away_as_long() {
    let mut lab = of_three(vec![named("web")]);
    find(&mut lab, &["192.0.2.1"]);
    find(&mut lab, &[]);
    lab.machine.handle_input(Input::Leading(false), lab.now);
    lab.machine.handle_input(Input::Leading(true), lab.now);
    lab.server.create_service(named("next"));
    at_once(&mut lab);
    assert_eq!(lab.addresses("shop/next"), ["192.0.2.3"]);
}

#[test]
fn what_is_asked_for_by_name_is_kept_and_the_user_is_told_once() {
    let mut lab = of_three(vec![pinned("web", "192.0.2.2")]);
    find(&mut lab, &["192.0.2.2"]);
    assert_eq!(lab.addresses("shop/web"), ["192.0.2.2"]);
    assert_eq!(lab.reason("shop/web"), "AddressConflictOnWire");
    let words = said(&lab, "shop/web");
    assert!(
        words.contains(SEEN) && words.contains("ask for another"),
        "{words}"
    );
    let writes = lab.server.writes.len();
    find(&mut lab, &["192.0.2.2"]);
    lab.settle();
    assert_eq!(lab.server.writes[writes..], []);
    find(&mut lab, &[]);
    assert_eq!(lab.reason("shop/web"), "");
    assert_eq!(lab.addresses("shop/web"), ["192.0.2.2"]);
}

#[test]
fn without_another_address_it_is_kept_until_there_is_one() {
    let mut lab = Lab::settled(
        vec![default_pool("one", "192.0.2.1-192.0.2.2")],
        vec![named("a"), named("b")],
    );
    find(&mut lab, &["192.0.2.1"]);
    assert_eq!(lab.addresses("shop/a"), ["192.0.2.1"]);
    let words = said(&lab, "shop/a");
    assert!(words.contains("add addresses to the Eip"), "{words}");
    lab.server.delete_service("shop/b");
    lab.settle();
    assert_eq!(lab.addresses("shop/a"), ["192.0.2.2"]);
    assert_eq!(lab.reason("shop/a"), "");
}

#[test]
fn what_several_share_is_kept_by_all() {
    let sharing = |name: &str, port: u16| {
        let mut service = named(name);
        annotate(&mut service, names::SHARING_ANNOTATION, Some("k"));
        service.spec.ports = vec![ServicePort {
            port,
            ..ServicePort::default()
        }];
        service
    };
    let mut lab = of_three(vec![sharing("a", 80), sharing("b", 81)]);
    assert_eq!(lab.addresses("shop/b"), ["192.0.2.1"]);
    find(&mut lab, &["192.0.2.1"]);
    for key in ["shop/a", "shop/b"] {
        assert_eq!(lab.addresses(key), ["192.0.2.1"]);
        assert_eq!(lab.reason(key), "AddressConflictOnWire");
    }
}

#[test]
fn the_other_family_does_not_move() {
    let mut both = service("shop", "web", &[IpFamily::IPv4, IpFamily::IPv6]);
    both.spec.ip_family_policy = Some(openelb_k8s::cluster::IpFamilyPolicy::RequireDualStack);
    let pool = default_pool("one", "192.0.2.1-192.0.2.3, 2001:db8::1-2001:db8::3");
    let mut lab = Lab::settled(vec![pool], vec![both]);
    find(&mut lab, &["2001:db8::1"]);
    assert_eq!(lab.addresses("shop/web"), ["192.0.2.1", "2001:db8::2"]);
}

#[test]
fn a_move_that_a_crash_interrupts_is_finished_by_the_next_and_not_made_twice() {
    let mut lab = of_three(vec![named("web")]);
    let view: BTreeMap<IpAddr, String> = [("192.0.2.1".parse().unwrap(), SEEN.to_owned())].into();
    lab.machine
        .handle_input(Input::Conflicts(view.clone()), lab.now);
    // The record of the new address is written, the Service is not.
    lab.exchange();
    assert_eq!(lab.used("one", "192.0.2.2"), Some("shop/web"));
    assert_eq!(lab.addresses("shop/web"), ["192.0.2.1"]);
    let before = lab.server.writes.len();
    lab.conflicts = view;
    lab.start(Settings::default());
    assert_eq!(lab.addresses("shop/web"), ["192.0.2.2"]);
    assert_eq!(lab.used("one", "192.0.2.1"), None);
    let writes = lab.server.writes.len() - before;
    assert_eq!(writes, 3, "the record again, the Service, the old record");
}
