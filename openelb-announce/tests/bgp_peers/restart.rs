//! Either side goes away and comes back: what the peers keep, and what they hear again.

use openelb_announce::bgp::peer::Stop;

use crate::kernel::{RouteWatch, watch_kernels};
use crate::lab::{Scratch, with_lab};
use crate::ours::Ours;
use crate::router::{Feature, Kind, Router};
use crate::routes::{assortment, wait_for_routes};
use crate::row::{PLAIN, Row, Running};
use crate::separate::spawn;
use crate::world::Host;

#[test]
fn a_router_that_restarts_hears_everything_again() {
    with_lab(&Kind::ALL, |_, hosts: [Host; 6]| {
        let mut running = PLAIN.prove(&hosts, &assortment());
        for router in &mut running.routers {
            router.stop();
            router.run();
        }
        running.wait_for_routes(&PLAIN, &assortment());
        for router in &mut running.routers {
            router.kill();
            router.run();
        }
        running.wait_for_routes(&PLAIN, &assortment());
    });
}

#[test]
fn a_speaker_that_is_shut_down_leaves_nothing_behind_and_comes_back() {
    with_lab(&Kind::ALL, |_, hosts: [Host; 6]| {
        let Running { ours, routers } = GRACEFUL.prove(&hosts, &assortment());
        ours.stop(Stop::Removal);
        for router in &routers {
            router.wait("nothing of the speaker is left", |it| it.table().is_empty());
        }
        let _ours = start(&hosts);
        expect_back(&routers);
    });
}

#[test]
fn an_upgrade_costs_no_route() {
    with_lab(&Kind::ALL, |_, hosts: [Host; 6]| {
        let Running { ours, routers } = GRACEFUL.prove(&hosts, &assortment());
        let watches = watch_kernels(&routers);
        ours.stop(Stop::Upgrade);
        expect_kept(&routers);
        let _ours = start(&hosts);
        expect_back(&routers);
        watches.iter().for_each(RouteWatch::expect_no_deletion);
    });
}

#[test]
fn a_speaker_that_is_killed_costs_no_route() {
    with_lab(&Kind::ALL, |_, hosts: [Host; 6]| {
        let scratch = Scratch::new();
        let first = spawn("graceful", &hosts, &scratch);
        let routers = GRACEFUL.routers(&hosts);
        expect_back(&routers);
        let watches = watch_kernels(&routers);
        first.end("KILL");
        expect_kept(&routers);
        let _second = spawn("graceful", &hosts, &scratch);
        expect_back(&routers);
        watches.iter().for_each(RouteWatch::expect_no_deletion);
    });
}

fn start(hosts: &[Host]) -> Ours {
    let description = GRACEFUL.speaker(&hosts[1..=GRACEFUL.kinds().len()]);
    Ours::start(&hosts[0], &description, assortment())
}

/// The session is gone and the routes are not.
pub(crate) fn expect_kept(routers: &[Router]) {
    for router in routers {
        for neighbor in ["192.0.2.1", "2001:db8::1"] {
            router.wait("it has lost the session", |it| !it.is_established(neighbor));
            let kept = router.heard_from(neighbor).len();
            router.insist(kept == assortment().len() / 2, "it keeps the routes");
        }
    }
}

/// The sessions are there, and all routes as they should be.
fn expect_back(routers: &[Router]) {
    for router in routers {
        for neighbor in ["192.0.2.1", "2001:db8::1"] {
            router.wait_established(neighbor);
        }
        wait_for_routes(router, &GRACEFUL, &assortment());
    }
}

/// Routers that keep the routes of a speaker that restarts.
pub(crate) const GRACEFUL: Row<'static> = Row {
    theirs: &[Feature::GracefulRestart],
    also: &[Feature::GracefulNotification],
    installs: true,
    ..PLAIN
};
