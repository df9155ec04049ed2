//! A peer asks for everything again (RFC 2918) and gets it, on the session that is up.

use crate::lab::with_lab;
use crate::router::{Family, Feature, Kind};
use crate::routes::{assortment, wait_for_routes};
use crate::row::{PLAIN, Row};
use crate::world::Host;

#[test]
fn a_peer_that_asks_hears_everything_again() {
    with_lab(&Kind::ALL, |_, hosts: [Host; 6]| {
        let row = Row {
            theirs: &[Feature::Refresh],
            ..PLAIN
        };
        let running = row.prove(&hosts, &assortment());
        for (router, host) in running.routers.iter().zip(&hosts[1..]) {
            for family in Family::ALL {
                let name = row.address(family, host.number);
                let before = running.ours.peer(&name);
                router.refresh(&row.address(family, 1), family);
                running.ours.wait(
                    &name,
                    &format!("{:?} asked and was told", router.kind),
                    |now| {
                        now.counters.received.route_refresh > before.counters.received.route_refresh
                            && now.counters.sent.update > before.counters.sent.update
                    },
                );
                assert_eq!(running.ours.peer(&name).flaps, before.flaps, "{name}");
            }
            wait_for_routes(router, &row, &assortment());
        }
    });
}
