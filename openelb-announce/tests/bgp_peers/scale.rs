//! Ten thousand routes of each family to all routers at once, then none.

use crate::lab::with_lab;
use crate::router::{Family, Kind};
use crate::routes::{assortment, differences, many};
use crate::row::PLAIN;
use crate::world::Host;

#[test]
fn ten_thousand_routes_of_each_family_arrive_everywhere_and_go() {
    with_lab(&Kind::ALL, |_, hosts: [Host; 6]| {
        let running = PLAIN.prove(&hosts, &assortment());
        let many = many(10_000);
        running.ours.announce(many.clone());
        for router in &running.routers {
            router.wait("all routes are there", |it| it.count() == many.len());
            let table = router.table();
            for over in Family::ALL {
                let mut differences = differences(&table, &PLAIN, over, &many);
                differences.truncate(5);
                router.insist(
                    differences.is_empty(),
                    &format!("they are right: {differences:#?}"),
                );
            }
        }
        running.ours.announce(Vec::new());
        for router in &running.routers {
            router.wait("all routes are gone", |it| it.count() == 0);
        }
        for peer in running.ours.peers() {
            assert_eq!(peer.flaps, 0, "{}", peer.name);
        }
    });
}
