//! How connections are made: keys, hops, and who dials.

use crate::lab::with_lab;
use crate::ours::Ours;
use crate::router::{Feature, Kind};
use crate::routes::assortment;
use crate::row::{PLAIN, Row, Running, put_in_the_middle};
use crate::world::Host;

#[test]
fn every_peer_has_a_password_of_its_own() {
    with_lab(&Kind::ALL, |_, hosts: [Host; 6]| {
        let row = Row {
            theirs: &[Feature::Password],
            has_passwords: true,
            ..PLAIN
        };
        row.prove(&hosts, &assortment());
    });
}

#[test]
fn packets_must_come_from_the_link() {
    with_lab(&Kind::ALL, |_, hosts: [Host; 6]| {
        let row = Row {
            theirs: &[Feature::TtlSecurity],
            ours: &[Feature::TtlSecurity],
            ..PLAIN
        };
        row.prove(&hosts, &assortment());
    });
}

#[test]
fn peers_may_be_behind_a_router() {
    with_lab(&Kind::ALL, |_, hosts: [Host; 7]| {
        put_in_the_middle(&hosts);
        let row = Row {
            theirs: &[Feature::Multihop],
            hops: 2,
            ..PLAIN
        };
        row.prove(&hosts, &assortment());
    });
}

#[test]
fn a_passive_peer_is_dialled() {
    with_lab(&Kind::ALL, |_, hosts: [Host; 6]| {
        let row = Row {
            theirs: &[Feature::Passive],
            ..PLAIN
        };
        let running = row.prove(&hosts, &assortment());
        expect_direction(&running.ours, false);
    });
}

#[test]
fn a_passive_speaker_is_dialled() {
    with_lab(&Kind::ALL, |_, hosts: [Host; 6]| {
        let row = Row {
            ours: &[Feature::Passive],
            ..PLAIN
        };
        let running = row.prove(&hosts, &assortment());
        expect_direction(&running.ours, true);
    });
}

#[test]
fn of_two_connections_that_meet_one_stays() {
    with_lab(&Kind::ALL, |world, hosts: [Host; 6]| {
        // Who meets whom is up to the timers of six programs; all of them missing each other so
        // often means that nobody dials.
        let has_met = (0..5).any(|_| {
            // Both ends dial into the dark and try again when there is light.
            world.on_switch("ip link set br0 down");
            let running = PLAIN.start(&hosts, &assortment());
            world.on_switch("ip link set br0 up");
            running.wait_for_routes(&PLAIN, &assortment());
            expect_one_connection_each(&hosts[0], &running);
            running.ours.peers().iter().any(|peer| {
                let messages = [peer.counters.sent, peer.counters.received];
                messages.iter().any(|it| it.notification > 0)
            })
        });
        assert!(has_met, "two connections never met");
    });
}

fn expect_direction(ours: &Ours, incoming: bool) {
    for peer in ours.peers() {
        assert_eq!(peer.session.unwrap().incoming, incoming, "{}", peer.name);
    }
}

fn expect_one_connection_each(host: &Host, running: &Running) {
    let connections = host.sh("ss -Htn state established ( sport = :179 or dport = :179 )");
    assert_eq!(
        connections.lines().count(),
        running.ours.peers().len(),
        "{connections}"
    );
}
