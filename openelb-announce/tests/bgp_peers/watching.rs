//! BFD beside the sessions: who is silent is given up long before the hold time.

use openelb_announce::bgp::peer::Stop;

use crate::kernel::{RouteWatch, watch_kernels};
use crate::lab::{Scratch, with_lab};
use crate::ours::Ours;
use crate::restart::expect_kept;
use crate::router::bird::birdc;
use crate::router::{Feature, Kind, Router};
use crate::routes::{assortment, wait_for_routes};
use crate::row::{PLAIN, Row, Running};
use crate::separate::spawn;
use crate::world::Host;

#[test]
fn a_frozen_router_is_given_up_by_the_speaker() {
    with_lab(&WATCHING, |_, hosts: [Host; 3]| {
        let running = WATCHED.prove(&hosts, &assortment());
        running.routers.iter().for_each(expect_bfd);
        running.routers.iter().for_each(Router::freeze);
        for peer in running.ours.peers() {
            running
                .ours
                .wait(peer.name.as_str(), "BFD ends the session", |status| {
                    let error = status.last_error.as_ref();
                    error.is_some_and(|it| it.code == Some(BFD_DOWN))
                });
        }
        running.routers.iter().for_each(Router::thaw);
        running.wait_for_routes(&WATCHED, &assortment());
    });
}

#[test]
fn a_frozen_speaker_is_given_up_by_the_routers() {
    with_lab(&WATCHING, |_, hosts: [Host; 3]| {
        let scratch = Scratch::new();
        let speaker = spawn("watched", &hosts, &scratch);
        let routers = WATCHED.routers(&hosts);
        for router in &routers {
            wait_for_routes(router, &WATCHED, &assortment());
            expect_bfd(router);
        }
        speaker.signal("STOP");
        for router in &routers {
            for neighbor in WATCHED.our_addresses() {
                router.wait("BFD ends the session", |it| !it.is_established(&neighbor));
            }
        }
        speaker.signal("CONT");
        for router in &routers {
            wait_for_routes(router, &WATCHED, &assortment());
        }
    });
}

#[test]
fn an_upgrade_of_a_speaker_that_is_watched_costs_no_route() {
    with_lab(&WATCHING, |_, hosts: [Host; 3]| {
        let row = Row {
            theirs: &[Feature::Bfd, Feature::GracefulRestart],
            also: &[Feature::GracefulNotification],
            installs: true,
            ..WATCHED
        };
        let Running { ours, routers } = row.prove(&hosts, &assortment());
        routers.iter().for_each(expect_bfd);
        let watches = watch_kernels(&routers);
        ours.stop(Stop::Upgrade);
        expect_kept(&routers);
        let _ours = Ours::start(&hosts[0], &row.speaker(&hosts[1..]), assortment());
        for router in &routers {
            wait_for_routes(router, &row, &assortment());
            expect_bfd(router);
        }
        watches.iter().for_each(RouteWatch::expect_no_deletion);
    });
}

/// BFD is up on both sessions.
fn expect_bfd(router: &Router) {
    router.wait("BFD is up", |it| match it.kind {
        Kind::Bird => {
            let sessions = birdc(&it.place, "show bfd sessions").unwrap_or_default();
            sessions.matches(" Up ").count() == 2
        }
        _ => WATCHED.our_addresses().iter().all(|neighbor| {
            let session = it.session(neighbor);
            session.is_some_and(|it| it.words.contains(r#""status":"Up""#))
        }),
    });
}

/// Both ends watch each other, and would otherwise wait for an hour.
pub(crate) const WATCHED: Row<'static> = Row {
    theirs: &[Feature::Bfd],
    ours: &[Feature::Bfd],
    hold_time: 3600,
    ..PLAIN
};
const WATCHING: [Kind; 2] = [Kind::Frr, Kind::Bird];
const BFD_DOWN: (u8, u8) = (6, 10);
