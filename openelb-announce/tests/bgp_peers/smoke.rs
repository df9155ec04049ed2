//! The harness itself: every router hears BIRD, BIRD hears every router, and all read alike.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use crate::lab::with_lab;
use crate::router::description::{COMMUNITY, LARGE_COMMUNITY, MED};
use crate::router::{Description, Family, Feature, Heard, Kind, Neighbor, Router};
use crate::world::Host;

#[test]
fn every_router_and_bird_read_each_other_alike() {
    with_lab(&Kind::ALL, |_, hosts: [Host; 6]| {
        let mut center = Description::new(64500, Ipv4Addr::new(192, 0, 2, 1))
            .announcing(&["203.0.113.1/32", "2001:db8:ffff::1/128"]);
        for host in &hosts[1..] {
            center = center
                .neighbor(Neighbor::new(asn(host), &v4(host)))
                .neighbor(Neighbor::new(asn(host), &v6(host)));
        }
        let center = Router::start(Kind::Bird, &hosts[0], center);
        let routers: Vec<Router> = Kind::ALL
            .into_iter()
            .zip(&hosts[1..])
            .map(|(kind, host)| Router::start(kind, host, around(host)))
            .collect();
        for (router, host) in routers.iter().zip(&hosts[1..]) {
            for neighbor in ["192.0.2.1", "2001:db8::1"] {
                router.wait_established(neighbor);
            }
            router.wait("BIRD's routes are in its table", |it| it.table().len() == 2);
            for heard in router.table() {
                expect(&heard, 64500, &["192.0.2.1", "2001:db8::1"], router.kind);
            }
            let (own4, own6) = (v4(host), v6(host));
            center.wait(
                &format!("the routes of {:?} are in its table", router.kind),
                |it| it.heard_from(&own4).len() == 1 && it.heard_from(&own6).len() == 1,
            );
            for heard in [center.heard_from(&own4), center.heard_from(&own6)].concat() {
                expect(&heard, asn(host), &[&own4, &own6], router.kind);
            }
        }
    });
}

#[test]
fn a_router_that_is_frozen_ended_or_killed_comes_back() {
    with_lab(&Kind::ALL, |_, hosts: [Host; 6]| {
        for (kind, host) in Kind::ALL.into_iter().zip(&hosts[1..]) {
            let mut router = Router::start(kind, host, around(host));
            router.freeze();
            router.thaw();
            router.stop();
            router.run();
            router.kill();
            router.run();
        }
    });
}

/// A router with one session in each address family towards the first host.
fn around(host: &Host) -> Description {
    let number = host.number;
    let network6 = format!("2001:db8:{number}::1/128");
    let network4 = format!("198.51.100.{number}/32");
    Description::new(asn(host), Ipv4Addr::new(192, 0, 2, number))
        .announcing(&[&network4, &network6])
        .neighbor(Neighbor::new(64500, "192.0.2.1").from(&v4(host)))
        .neighbor(Neighbor::new(64500, "2001:db8::1").from(&v6(host)))
}

fn expect(heard: &Heard, asn: u32, next_hops: &[&str], kind: Kind) {
    assert_eq!(heard.as_path, [asn], "{kind:?}: {heard:?}");
    let community = u32::from(COMMUNITY.0) << 16 | u32::from(COMMUNITY.1);
    assert_eq!(heard.communities, [community], "{kind:?}: {heard:?}");
    assert_eq!(
        heard.large_communities,
        [LARGE_COMMUNITY],
        "{kind:?}: {heard:?}"
    );
    assert_eq!(heard.med, Some(MED), "{kind:?}: {heard:?}");
    assert!(!heard.is_stale, "{kind:?}: {heard:?}");
    let expected: IpAddr = next_hops
        .iter()
        .find(|it| it.contains(':') == (heard.family() == Family::Ipv6))
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(heard.next_hops[0], expected, "{kind:?}: {heard:?}");
}

#[test]
fn what_a_router_lacks_has_a_reason() {
    let features = [Feature::Bfd, Feature::Installs, Feature::Unnumbered];
    let lacking = |kind: Kind| features.iter().filter(move |it| kind.lacks(**it).is_some());
    let without: BTreeSet<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| lacking(*kind).count() == 0)
        .collect();
    assert_eq!(without, [Kind::Frr].into());
}

fn asn(host: &Host) -> u32 {
    64500 + u32::from(host.number)
}

fn v4(host: &Host) -> String {
    format!("192.0.2.{}", host.number)
}

fn v6(host: &Host) -> String {
    format!("2001:db8::{}", host.number)
}
