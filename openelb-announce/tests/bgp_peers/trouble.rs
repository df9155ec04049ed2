//! Mistakes and outages: what the status says, what the peers are told, and that it heals.

use crate::lab::with_lab;
use crate::ours::Ours;
use crate::router::frr::vtysh;
use crate::router::{Family, Feature, Heard, Kind, Neighbor, Router};
use crate::routes::{assortment, wait_for_routes};
use crate::row::{PLAIN, Row};
use crate::world::Host;

#[test]
fn a_wrong_as_on_either_side_is_named_in_the_status() {
    with_lab(&Kind::ALL, |_, hosts: [Host; 6]| {
        // Over IPv4 the routers expect another AS of the speaker, over IPv6 it does of them.
        let mut ours = PLAIN.speaker(&hosts[1..]);
        for neighbor in &mut ours.neighbors {
            mistake(neighbor, Family::Ipv6);
        }
        let ours = Ours::start(&hosts[0], &ours, assortment());
        let _routers: Vec<Router> = Kind::ALL
            .into_iter()
            .zip(&hosts[1..])
            .map(|(kind, host)| {
                let mut description = PLAIN.router(kind, host);
                for neighbor in &mut description.neighbors {
                    mistake(neighbor, Family::Ipv4);
                }
                Router::start(kind, host, description)
            })
            .collect();
        for peer in ours.peers() {
            ours.wait(
                peer.name.as_str(),
                "Bad Peer AS is in its status",
                |status| {
                    let error = status.last_error.as_ref();
                    error.is_some_and(|it| it.code == Some(BAD_PEER_AS) && it.words.contains("AS"))
                },
            );
        }
    });
}

#[test]
fn a_wrong_password_is_guessed_from_the_kernels_counters() {
    with_lab(&Kind::ALL, |_, hosts: [Host; 6]| {
        let row = Row {
            theirs: &[Feature::Password],
            has_passwords: true,
            ..PLAIN
        };
        let mut description = row.speaker(&hosts[1..]);
        for neighbor in &mut description.neighbors {
            neighbor.password = Some("another".to_owned());
        }
        let ours = Ours::start(&hosts[0], &description, assortment());
        let _routers = row.routers(&hosts);
        for peer in ours.peers() {
            ours.wait(
                peer.name.as_str(),
                "its status speaks of the password",
                |status| {
                    status
                        .hint
                        .as_ref()
                        .is_some_and(|hint| hint.contains("MD5"))
                },
            );
        }
    });
}

#[test]
fn a_peer_that_is_out_of_breath_is_given_up_after_the_hold_time_and_comes_back() {
    with_lab(&Kind::ALL, |_, hosts: [Host; 6]| {
        let row = Row {
            hold_time: 3,
            ..PLAIN
        };
        let running = row.prove(&hosts, &assortment());
        running.routers.iter().for_each(Router::freeze);
        for peer in running.ours.peers() {
            running
                .ours
                .wait(peer.name.as_str(), "the hold timer expires", |status| {
                    let error = status.last_error.as_ref();
                    error.is_some_and(|it| it.code == Some(HOLD_TIMER_EXPIRED))
                });
        }
        running.routers.iter().for_each(Router::thaw);
        running.wait_for_routes(&row, &assortment());
    });
}

#[test]
fn a_drain_marks_every_route_and_keeps_it() {
    with_lab(&Kind::ALL, |_, hosts: [Host; 6]| {
        let running = PLAIN.prove(&hosts, &assortment());
        running.ours.drain();
        for router in &running.routers {
            let is_marked = |it: &Heard| it.communities.contains(&GRACEFUL_SHUTDOWN);
            router.wait("every route has GRACEFUL_SHUTDOWN", |it| {
                let table = it.table();
                table.len() == assortment().len() && table.iter().all(is_marked)
            });
        }
    });
}

#[test]
fn words_of_a_shutdown_reach_the_operator_at_the_other_end() {
    with_lab(&[Kind::Frr], |_, hosts: [Host; 2]| {
        let mut ours = Ours::start(&hosts[0], &PLAIN.speaker(&hosts[1..]), assortment());
        let router = Router::start(Kind::Frr, &hosts[1], PLAIN.router(Kind::Frr, &hosts[1]));
        wait_for_routes(&router, &PLAIN, &assortment());
        let commands = "configure terminal\nrouter bgp 64502\n\
                        neighbor 2001:db8::1 shutdown message new cables";
        vtysh(&router.place, commands).unwrap();
        ours.wait("2001:db8::2", "it shows the router's words", |status| {
            let error = status.last_error.as_ref();
            error.is_some_and(|it| it.words.contains("new cables") && it.code == Some(HARD_RESET))
        });
        ours.change(|peer| peer.settings.admin_down = Some("moving house".to_owned()));
        router.wait("FRR shows the speaker's words", |it| {
            let session = it.session("192.0.2.1").unwrap();
            session.words.contains("moving house")
        });
        ours.change(|peer| peer.settings.admin_down = None);
        router.wait_established("192.0.2.1");
    });
}

/// Makes a neighbour of that family one that is expected in another AS.
fn mistake(neighbor: &mut Neighbor, family: Family) {
    if neighbor.families.contains(&family) {
        neighbor.asn = 64999;
    }
}

const BAD_PEER_AS: (u8, u8) = (2, 2);
const HOLD_TIMER_EXPIRED: (u8, u8) = (4, 0);
/// It wraps the administrative shutdown: both sides keep routes through other NOTIFICATIONs.
const HARD_RESET: (u8, u8) = (6, 9);
const GRACEFUL_SHUTDOWN: u32 = 0xffff_0000;
