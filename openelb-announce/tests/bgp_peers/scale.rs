//! Many routes: ten thousand of each family to all routers at once, a hundred thousand to FRR.

use crate::lab::with_lab;
use crate::ours::Ours;
use crate::router::{Family, Kind, Router};
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

#[test]
fn frr_hears_a_hundred_thousand_routes_again_when_it_asks() {
    with_lab(&[Kind::Frr], |_, hosts: [Host; 2]| {
        let many = many(50_000);
        let ours = Ours::start(&hosts[0], &PLAIN.speaker(&hosts[1..]), many.clone());
        let router = Router::start(Kind::Frr, &hosts[1], PLAIN.router(Kind::Frr, &hosts[1]));
        router.wait("all routes are there", |it| it.count() == many.len());
        for family in Family::ALL {
            let name = PLAIN.address(family, 2);
            let before = ours.peer(&name).counters.sent.update;
            router.refresh(&PLAIN.address(family, 1), family);
            ours.wait(&name, "everything was sent again", |status| {
                // All but the two End-of-RIB of before and now are full of routes.
                status.counters.sent.update >= 2 * before - 2
            });
        }
        router.insist(router.count() == many.len(), "it still has all routes");
        assert!(ours.peers().iter().all(|peer| peer.flaps == 0));
    });
}
