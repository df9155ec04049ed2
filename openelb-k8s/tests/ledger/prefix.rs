//! Services that follow a prefix while the network replaces it.

use openelb_ipam::Time;
use openelb_ipam::dynamic_prefix::{Generation, Generations};
use openelb_ipam::relative::Projection;
use openelb_k8s::cluster::{IpFamily, IpFamilyPolicy, Service};
use openelb_k8s::controller::{Change, Input, Settings};
use openelb_k8s::names;

use crate::lab::Lab;
use crate::objects::{annotate, default_pool, service, set_families};

const A: &str = "2001:db8:a::/64";
const B: &str = "2001:db8:b::/64";

/// `home` with these generations, the preferred one first.
fn home(prefixes: &[&str]) -> Projection {
    let mut all = prefixes
        .iter()
        .map(|it| Generation::new(it.parse().unwrap(), Time(0)));
    let generations = Generations {
        preferred: all.next(),
        deprecated: all.collect(),
    };
    let mut view = Projection::default();
    view.insert("home".parse().unwrap(), generations).unwrap();
    view
}

fn web() -> Service {
    service("shop", "web", &[IpFamily::IPv6])
}

fn lab(prefixes: &[&str], services: Vec<Service>) -> Lab {
    let mut lab = Lab::new(
        vec![default_pool("one", "home/::1000-::1fff, 192.0.2.0/24")],
        services,
    );
    tell(&mut lab, prefixes);
    restart(&mut lab, prefixes);
    lab
}

/// A controller that starts is told of the prefixes before it leads.
fn restart(lab: &mut Lab, prefixes: &[&str]) {
    lab.prefixes = Some(home(prefixes));
    lab.start(Settings::default());
}

/// Gives back the writes that a change of the prefix costs.
fn tell(lab: &mut Lab, prefixes: &[&str]) -> Vec<Change> {
    lab.prefixes = Some(home(prefixes));
    let input = Input::Prefixes(Box::new(home(prefixes)));
    lab.machine.handle_input(input, lab.now);
    lab.settle()
}

fn is_of_service(change: &Change) -> bool {
    matches!(change, Change::Service { .. })
}

#[test]
fn metallb_76_a_renumbering_writes_each_service_once_and_nothing_else() {
    let v4 = service("shop", "static", &[IpFamily::IPv4]);
    let mut lab = lab(&[A], vec![web(), v4]);
    assert_eq!(lab.addresses("shop/web"), ["2001:db8:a::1000"]);
    assert_eq!(lab.used("one", "home/::1000"), Some("shop/web"));

    let renumbered = tell(&mut lab, &[B, A]);
    assert_eq!(
        lab.addresses("shop/web"),
        ["2001:db8:b::1000", "2001:db8:a::1000"]
    );
    assert_eq!(renumbered.len(), 1, "{renumbered:?}");
    assert!(is_of_service(&renumbered[0]));

    let withdrawn = tell(&mut lab, &[B]);
    assert_eq!(lab.addresses("shop/web"), ["2001:db8:b::1000"]);
    assert_eq!(
        (withdrawn.len(), is_of_service(&withdrawn[0])),
        (1, true),
        "{withdrawn:?}"
    );
    assert_eq!(
        lab.used("one", "home/::1000"),
        Some("shop/web"),
        "the record never moved"
    );
    assert_eq!(tell(&mut lab, &[B]), []);
}

#[test]
fn metallb_75_a_restart_in_the_grace_period_costs_no_write() {
    let mut lab = lab(&[A], vec![web()]);
    tell(&mut lab, &[B, A]);
    let before = lab.server.writes.len();
    restart(&mut lab, &[B, A]);
    assert_eq!(lab.server.writes[before..], []);
}

#[test]
fn metallb_79_pins_by_host_bits_by_name_and_in_full_are_the_same_and_follow() {
    for pin in ["::1010", "home/::1010", "2001:db8:a::1010"] {
        let mut asking = web();
        annotate(&mut asking, names::ADDRESS_ANNOTATION, Some(pin));
        let mut lab = lab(&[A], vec![asking]);
        assert_eq!(lab.addresses("shop/web"), ["2001:db8:a::1010"], "{pin}");
        tell(&mut lab, &[B, A]);
        assert_eq!(
            lab.addresses("shop/web"),
            ["2001:db8:b::1010", "2001:db8:a::1010"],
            "{pin}"
        );
    }
}

#[test]
fn a_service_waits_for_a_prefix_that_is_not_known_and_says_so() {
    let mut lab = lab(&[], vec![web()]);
    assert_eq!(lab.addresses("shop/web"), [""; 0]);
    assert_eq!(lab.reason("shop/web"), "PrefixUnknown");
    let before = lab.server.writes.len();
    restart(&mut lab, &[]);
    assert_eq!(lab.server.writes[before..], []);

    tell(&mut lab, &[A]);
    assert_eq!(lab.addresses("shop/web"), ["2001:db8:a::1000"]);
    assert_eq!(lab.reason("shop/web"), "");

    tell(&mut lab, &[]);
    assert_eq!(
        lab.addresses("shop/web"),
        [""; 0],
        "nobody carries it any more"
    );
    assert_eq!(
        lab.used("one", "home/::1000"),
        Some("shop/web"),
        "and it stays with its Service"
    );
}

#[test]
fn two_families_one_static_and_one_that_follows_renumber_alone() {
    let mut both = web();
    let families = [IpFamily::IPv4, IpFamily::IPv6];
    set_families(&mut both, &families, IpFamilyPolicy::RequireDualStack);
    let mut lab = lab(&[A], vec![both]);
    let static_one = lab.addresses("shop/web")[0].clone();
    tell(&mut lab, &[B, A]);
    let shown = lab.addresses("shop/web");
    assert_eq!(
        shown,
        [static_one.as_str(), "2001:db8:b::1000", "2001:db8:a::1000"]
    );
}

#[test]
fn what_a_service_shows_is_released_when_it_goes_also_after_a_renumbering() {
    let mut lab = lab(&[A], vec![web()]);
    tell(&mut lab, &[B, A]);
    lab.server.delete_service("shop/web");
    lab.settle();
    assert_eq!(lab.used("one", "home/::1000"), None);
    lab.server
        .create_service(service("shop", "next", &[IpFamily::IPv6]));
    lab.settle();
    assert_eq!(
        lab.addresses("shop/next"),
        ["2001:db8:b::1000", "2001:db8:a::1000"]
    );
}
