//! The configuration changes while sessions are up.

use crate::lab::with_lab;
use crate::router::{Family, Kind};
use crate::routes::{assortment, wait_for_routes};
use crate::row::PLAIN;
use crate::world::Host;

#[test]
fn a_peer_that_goes_and_comes_back_touches_no_other() {
    with_lab(&Kind::ALL, |_, hosts: [Host; 6]| {
        let mut running = PLAIN.prove(&hosts, &assortment());
        let (last, others) = running.routers.split_last().unwrap();
        running.ours.reconfigure(&PLAIN.speaker(&hosts[1..5]));
        last.wait("nothing of the speaker is left", |it| it.table().is_empty());
        running.ours.reconfigure(&PLAIN.speaker(&hosts[1..]));
        wait_for_routes(last, &PLAIN, &assortment());
        for (router, host) in others.iter().zip(&hosts[1..]) {
            wait_for_routes(router, &PLAIN, &assortment());
            for family in Family::ALL {
                let peer = running.ours.peer(&PLAIN.address(family, host.number));
                assert_eq!(peer.flaps, 0, "{peer:?}");
            }
        }
    });
}
