//! Which families travel over which sessions, and what their routes look like when they arrive.

use crate::lab::with_lab;
use crate::router::{Family, Feature, Kind};
use crate::routes::assortment;
use crate::row::{PLAIN, Row};
use crate::world::Host;

#[test]
fn each_family_travels_over_a_session_of_its_own() {
    with_lab(&Kind::ALL, |_, hosts: [Host; 6]| {
        PLAIN.prove(&hosts, &assortment());
    });
}

#[test]
fn a_family_that_only_the_speaker_offers_is_not_spoken_of() {
    with_lab(&Kind::ALL, |_, hosts: [Host; 6]| {
        // Even its End-of-RIB would make GoBGP and OpenBGPD end the session.
        let row = Row {
            offered: Some(&Family::ALL),
            ..PLAIN
        };
        let running = row.prove(&hosts, &assortment());
        let frr = running.routers.iter().find(|it| it.kind == Kind::Frr);
        let frr = frr.unwrap();
        for (spoken, other, peer) in [
            ("IPv4", "IPv6", "192.0.2.1"),
            ("IPv6", "IPv4", "2001:db8::1"),
        ] {
            let end = |family| format!("rcvd End-of-RIB for {family} Unicast from {peer}");
            frr.wait("it has heard End-of-RIB", |it| {
                it.log().contains(&end(spoken))
            });
            frr.insist(!frr.log().contains(&end(other)), "of one family only");
        }
        for peer in running.ours.peers() {
            assert_eq!(peer.flaps, 0, "{}", peer.name);
        }
    });
}

#[test]
fn both_families_travel_over_ipv4() {
    with_lab(&Kind::ALL, |_, hosts: [Host; 6]| {
        let row = Row {
            over: &[Family::Ipv4],
            families: Some(&Family::ALL),
            ..PLAIN
        };
        row.prove(&hosts, &assortment());
    });
}

#[test]
fn both_families_travel_over_ipv6() {
    with_lab(&Kind::ALL, |_, hosts: [Host; 6]| {
        let row = Row {
            over: &[Family::Ipv6],
            families: Some(&Family::ALL),
            ..PLAIN
        };
        row.prove(&hosts, &assortment());
    });
}

#[test]
fn a_speaker_without_ipv4_announces_ipv4_by_ipv6_next_hops() {
    with_lab(&Kind::ALL, |_, hosts: [Host; 6]| {
        hosts[0].sh("ip -4 addr flush dev eth0");
        let row = Row {
            over: &[Family::Ipv6],
            families: Some(&Family::ALL),
            next_hops: Some(Family::Ipv6),
            theirs: &[Feature::ExtendedNextHop],
            ours: &[Feature::ExtendedNextHop],
            ..PLAIN
        };
        row.prove(&hosts, &assortment());
    });
}

#[test]
fn internal_sessions_carry_the_local_preference() {
    with_lab(&Kind::ALL, |_, hosts: [Host; 6]| {
        let row = Row {
            is_internal: true,
            ..PLAIN
        };
        row.prove(&hosts, &assortment());
    });
}
