//! What happens to routes, told one event at a time.

use super::expected::{expected, known};
use super::{Site, internal, name, prefix, services, set};
use crate::bgp::asn::{Asn, RouterId};
use crate::bgp::community::Community;
use crate::bgp::config::{GracefulRestart, Settings};
use crate::bgp::family::{Family, FamilySet};
use crate::bgp::message::{ErrorCode, Notification};
use crate::bgp::peer::{State, Stop};
use crate::bgp::route::{PeerSelection, Route};
use crate::bgp::speaker::Change;
use crate::sim::bgp::{FabricSetup, Listening, RouterOptions};
use std::time::Duration;

#[test]
fn every_route_of_both_families_arrives_with_its_own_next_hop_and_one_end_of_rib() {
    let mut site = Site::up();
    site.announce(services(1_000));
    site.run(5);
    let routes = services(1_000);
    let wanted = expected(&site, 0, &routes, &Settings::default(), FamilySet::ALL);
    assert_eq!(known(&site, site.routers[0]), wanted);
    assert_eq!(wanted.len(), 2_000);
    let record = site.record(0);
    assert_eq!(record.end_of_rib, Family::ALL);
    assert!(record.complaints.is_empty(), "{:?}", record.complaints);
    assert!(record.longest_message <= 4_096);
    // 810 /32 and 237 /128 fit into one UPDATE.
    assert_eq!(record.updates, 2 + 5);
}

#[test]
fn routes_that_come_before_any_configuration_are_not_lost() {
    let mut site = Site::new(FabricSetup::default(), &[RouterOptions::default()]);
    site.announce(services(3));
    site.run(5);
    site.configure(&[Settings::default()]);
    site.run(5);
    assert_eq!(site.paths(0), 6);
}

#[test]
fn no_end_of_rib_before_the_front_end_says_that_its_routes_are_complete() {
    let mut site = Site::new(FabricSetup::default(), &[RouterOptions::default()]);
    let mut config = site.config(&[Settings::default()]);
    config.deferral_time = Duration::from_mins(1);
    site.fabric.configure(site.speaker, config).unwrap();
    site.fabric.change(site.speaker, &services(1), &[]);
    site.run(55);
    assert_eq!(site.paths(0), 2);
    assert!(site.record(0).end_of_rib.is_empty());
    // It has had its time: the peer must not wait for ever.
    site.run(10);
    assert_eq!(site.record(0).end_of_rib, Family::ALL);
}

#[test]
fn a_crash_and_a_restart_delete_no_route_of_a_peer_that_restarts_gracefully() {
    let mut site = Site::up();
    site.announce(services(100));
    site.run(5);
    site.fabric.kill(site.speaker);
    site.run(20);
    site.fabric.start(site.speaker);
    site.run(30);
    assert!(site.is_established(0));
    assert_eq!((site.paths(0), site.deletes(0)), (200, 0));
}

#[test]
fn what_went_while_the_speaker_was_away_is_forgotten_once_it_says_that_it_is_complete() {
    let mut site = Site::up();
    site.announce(services(2));
    site.run(5);
    site.fabric.kill(site.speaker);
    site.announce(services(1));
    site.fabric.start(site.speaker);
    site.run(30);
    assert_eq!((site.paths(0), site.deletes(0)), (2, 2));
}

#[test]
fn an_upgrade_deletes_no_route_whether_or_not_notifications_are_survived() {
    for notification in [true, false] {
        let options = RouterOptions {
            notification,
            ..RouterOptions::default()
        };
        let mut site = Site::up_with(options, Settings::default());
        site.announce(services(10));
        site.run(5);
        site.fabric.stop(site.speaker, &Stop::Upgrade);
        site.run(2);
        let said = site.record(0).notifications;
        let reset = said
            .iter()
            .any(|it| it.error == ErrorCode::ADMINISTRATIVE_RESET);
        assert_eq!(
            (reset, said.len()),
            (notification, usize::from(notification))
        );
        site.fabric.kill(site.speaker);
        site.fabric.start(site.speaker);
        site.run(30);
        assert_eq!((site.paths(0), site.deletes(0)), (20, 0));
    }
}

#[test]
fn a_removal_deletes_every_route_although_graceful_restart_was_agreed_on() {
    let mut site = Site::up();
    site.announce(services(10));
    site.run(5);
    site.fabric.stop(site.speaker, &Stop::Removal);
    site.run(2);
    assert_eq!(site.paths(0), 0);
    let said = site.record(0).notifications;
    assert!(
        said.iter().any(|it| it.error == ErrorCode::HARD_RESET),
        "{said:?}"
    );
}

#[test]
fn a_drain_marks_every_route_and_withdraws_none_and_is_taken_back() {
    let mut site = Site::up_with(
        RouterOptions {
            asn: Asn(64_512),
            ..RouterOptions::default()
        },
        internal(),
    );
    let routes = services(10);
    site.announce(routes.clone());
    site.run(5);
    site.fabric.drain(site.speaker);
    site.run(5);
    let mut drained = internal();
    drained.graceful_shutdown = true;
    let wanted = expected(&site, 0, &routes, &drained, FamilySet::ALL);
    assert_eq!(known(&site, site.routers[0]), wanted);
    let (_, _, local_pref, communities) = wanted.values().next().unwrap();
    assert_eq!(*local_pref, Some(0));
    assert_eq!(communities, &[Community::GRACEFUL_SHUTDOWN]);
    site.fabric.undrain(site.speaker);
    site.run(5);
    let wanted = expected(&site, 0, &routes, &internal(), FamilySet::ALL);
    assert_eq!(known(&site, site.routers[0]), wanted);
    assert_eq!(site.deletes(0), 0);
}

#[test]
fn a_peer_that_reads_nothing_delays_nobody_and_gets_the_latest_state_alone() {
    let options = RouterOptions::default();
    let mut site = Site::new(FabricSetup::default(), &[options.clone(), options]);
    site.configure(&[Settings::default(), Settings::default()]);
    site.announce(services(1));
    site.run(5);
    let before = site.record(0).updates;
    site.fabric.stall(site.routers[0], true);
    // Far more than the window of the connection holds.
    for round in 0..20_u32 {
        let mut routes = services(5_000);
        let med =
            |route: &mut Route| std::sync::Arc::make_mut(&mut route.attributes).med = Some(round);
        routes.iter_mut().for_each(med);
        site.announce(routes);
        site.fabric.run(Duration::from_millis(100));
        assert_eq!(site.paths(1), 10_000, "round {round}");
    }
    site.fabric.stall(site.routers[0], false);
    site.run(5);
    assert_eq!(site.paths(0), 10_000);
    let table = site.fabric.table(site.routers[0], site.speaker).unwrap();
    assert!(
        table
            .paths()
            .values()
            .all(|path| path.attributes.med == Some(19))
    );
    let rounds = (site.record(0).updates - before) / 29;
    assert!(rounds <= 4, "{rounds} times everything");
}

#[test]
fn a_route_that_flaps_a_thousand_times_while_the_peer_is_blocked_costs_one_update_at_most() {
    let setup = FabricSetup {
        window: 8_192,
        ..FabricSetup::default()
    };
    let mut site = Site::new(setup, &[RouterOptions::default()]);
    site.configure(&[Settings::default()]);
    site.announce(services(1));
    site.run(5);
    site.fabric.stall(site.routers[0], true);
    // Fills the window.
    site.announce(services(2_000));
    let flapping = Route::to(prefix("203.0.113.7/32"));
    for _ in 0..1_000 {
        site.fabric
            .change(site.speaker, std::slice::from_ref(&flapping), &[]);
        site.fabric.change(site.speaker, &[], &[flapping.prefix]);
    }
    let before = site.record(0).updates;
    site.fabric
        .change(site.speaker, std::slice::from_ref(&flapping), &[]);
    site.fabric.stall(site.routers[0], false);
    site.run(5);
    assert_eq!(site.paths(0), 4_001);
    assert_eq!(site.deletes(0), 0);
    // 2,000 routes of each family are 3 and 9 messages; the flapping one is in one of them.
    assert!(site.record(0).updates - before <= 12 + 1);
}

#[test]
fn a_change_that_concerns_one_peer_leaves_the_other_session_alone() {
    let options = RouterOptions::default();
    let mut site = Site::new(FabricSetup::default(), &[options.clone(), options]);
    site.configure(&[Settings::default(), Settings::default()]);
    site.announce(services(10));
    site.run(5);
    let mut shorter = Settings::default();
    shorter.timers.hold = Some(Duration::from_secs(30));
    let config = site.config(&[Settings::default(), shorter.clone()]);
    let applied = site.fabric.configure(site.speaker, config).unwrap();
    assert_eq!(applied.len(), 1);
    assert_eq!(applied[0].peer.as_str(), name(1));
    assert_eq!(applied[0].change, Change::Reset("hold"));
    site.run(10);
    assert_eq!((site.established(0), site.established(1)), (1, 2));
    // All routes came back without another event.
    assert_eq!((site.paths(0), site.paths(1)), (20, 20));
    // The same configuration again does nothing.
    let config = site.config(&[Settings::default(), shorter]);
    assert_eq!(site.fabric.configure(site.speaker, config), Ok(Vec::new()));
}

#[test]
fn a_configuration_with_a_fault_changes_nothing() {
    let mut site = Site::up();
    let mut config = site.config(&[Settings::default()]);
    config.peers.clear();
    config.asn = Asn(0);
    assert!(site.fabric.configure(site.speaker, config).is_err());
    site.run(5);
    assert!(site.is_established(0));
    assert_eq!(site.established(0), 1);
}

#[test]
fn a_peer_whose_as_changes_comes_back_with_all_routes() {
    let mut site = Site::up();
    site.announce(services(3));
    let settings = set(|settings| settings.local_as = Some(Asn(64_999)));
    site.configure(&[settings]);
    site.run(10);
    assert_eq!((site.established(0), site.paths(0)), (2, 6));
    let table = site.fabric.table(site.routers[0], site.speaker).unwrap();
    let first = |path: &super::super::Path| path.attributes.as_path.first_as();
    assert!(
        table
            .paths()
            .values()
            .all(|path| first(path) == Some(Asn(64_999)))
    );
}

#[test]
fn a_removed_peer_is_told_so_and_gone_from_the_status() {
    let mut site = Site::up();
    site.announce(services(3));
    site.run(1);
    site.configure(&[]);
    assert!(site.fabric.status(site.speaker).is_empty());
    site.run(5);
    assert!(!site.is_established(0));
    let said = site.record(0).notifications;
    // Both survive NOTIFICATIONs, so only a Hard Reset makes the peer forget the routes.
    let reason = said.last().and_then(Notification::hard_reset_reason);
    assert_eq!(
        reason,
        Some(Notification::new(ErrorCode::PEER_DECONFIGURED))
    );
    assert_eq!(site.paths(0), 0);
}

#[test]
fn routes_for_some_peers_reach_only_those() {
    let options = RouterOptions::default();
    let mut site = Site::new(FabricSetup::default(), &[options.clone(), options]);
    site.configure(&[Settings::default(), Settings::default()]);
    let mut routes = services(2);
    routes[0].peers = PeerSelection::from_iter([name(1).as_str()]);
    routes[1].peers = PeerSelection::from_iter(["nobody"]);
    site.announce(routes);
    site.run(5);
    assert_eq!((site.paths(0), site.paths(1)), (2, 3));
}

#[test]
fn a_family_that_the_peer_did_not_agree_to_is_never_mentioned() {
    let options = RouterOptions {
        families: FamilySet::new(false, true),
        ..RouterOptions::default()
    };
    let mut site = Site::up_with(options, Settings::default());
    site.announce(services(5));
    site.run(5);
    assert_eq!(site.paths(0), 5);
    assert_eq!(site.record(0).end_of_rib, [Family::Ipv6Unicast]);
    assert!(site.record(0).complaints.is_empty());
}

#[test]
fn a_route_without_a_fitting_next_hop_is_not_announced_and_the_status_says_why() {
    let mut site = Site::new(FabricSetup::default(), &[RouterOptions::default()]);
    let mut addresses = site.fabric.addresses(site.speaker);
    (addresses.v6_global, addresses.v6_link_local) = (None, None);
    site.fabric.set_addresses(site.speaker, addresses);
    site.configure(&[Settings::default()]);
    site.announce(services(4));
    site.run(5);
    assert_eq!(site.paths(0), 4);
    let status = site.fabric.status(site.speaker);
    let families = &status[0].families;
    assert_eq!((families.ipv4.advertised, families.ipv4.refused), (4, 0));
    assert_eq!((families.ipv6.advertised, families.ipv6.refused), (0, 4));
    let why = families.ipv6.refused_why.as_ref().unwrap();
    assert!(
        why.contains("no address that can be the next hop of an ipv6-unicast route"),
        "{why}"
    );
    // The interface gets an address: the routes go out in the session as it is.
    addresses.v6_global = "2001:db8::77".parse().ok();
    site.fabric.set_addresses(site.speaker, addresses);
    site.run(1);
    assert_eq!((site.paths(0), site.established(0)), (8, 1));
}

#[test]
fn a_peer_that_is_silent_is_gone_after_the_hold_time() {
    let options = RouterOptions {
        hold_time: 9,
        graceful_restart: None,
        ..RouterOptions::default()
    };
    let mut site = Site::up_with(options, Settings::default());
    site.announce(services(1));
    site.run(1);
    site.fabric.listen(site.routers[0], Listening::Silent);
    site.fabric.cut(site.speaker, site.routers[0]);
    // The last KEEPALIVE came up to three seconds before.
    site.run(5);
    assert_eq!(
        site.fabric.status(site.speaker)[0].state,
        State::Established
    );
    site.run(5);
    let status = &site.fabric.status(site.speaker)[0];
    assert_ne!(status.state, State::Established);
    assert_eq!(
        status.last_error.as_ref().and_then(|error| error.code),
        Some((4, 0))
    );
    assert_eq!(status.flaps, 1);
}

#[test]
fn two_dials_at_once_end_in_one_session_for_good() {
    for router_wins in [true, false] {
        let router_id = RouterId::new(if router_wins { u32::MAX } else { 1 }).unwrap();
        let options = RouterOptions {
            router_id,
            ..RouterOptions::default()
        };
        let mut site = Site::new(FabricSetup::default(), &[options]);
        let mut config = site.config(&[Settings::default()]);
        config.router_id = RouterId::new(7).unwrap();
        site.fabric.configure(site.speaker, config).unwrap();
        site.fabric.dial_from(site.routers[0], site.speaker);
        site.announce(services(2));
        site.run(30);
        assert!(site.is_established(0));
        assert_eq!((site.established(0), site.paths(0)), (1, 4));
        assert!(
            site.record(0).complaints.is_empty(),
            "{:?}",
            site.record(0).complaints
        );
    }
}

#[test]
fn a_passive_peer_is_waited_for_and_never_dialled() {
    let mut site = Site::new(FabricSetup::default(), &[RouterOptions::default()]);
    site.configure(&[set(|settings| settings.passive = true)]);
    site.announce(services(1));
    site.run(300);
    assert!(site.fabric.record(site.routers[0], site.speaker).is_none());
    site.fabric.dial_from(site.routers[0], site.speaker);
    site.run(5);
    assert_eq!(site.paths(0), 2);
}

#[test]
fn a_peer_that_is_back_after_an_hour_is_connected_within_the_retry_time() {
    let mut site = Site::new(FabricSetup::default(), &[RouterOptions::default()]);
    site.fabric.listen(site.routers[0], Listening::Refuses);
    site.configure(&[Settings::default()]);
    site.announce(services(1));
    site.run(3_600);
    let retry_in = site.fabric.status(site.speaker)[0].retry_in.unwrap();
    assert!(retry_in <= Duration::from_mins(2), "{retry_in:?}");
    site.fabric.listen(site.routers[0], Listening::Accepts);
    site.run(151);
    assert_eq!(site.paths(0), 2);
}

#[test]
fn a_speaker_that_slept_for_an_hour_starts_over_and_announces_everything_again() {
    let mut site = Site::up();
    site.announce(services(3));
    site.run(5);
    site.fabric.pause(site.speaker);
    site.run(3_600);
    site.fabric.leap(site.speaker, Duration::from_hours(1));
    site.fabric.resume(site.speaker);
    site.run(130);
    assert!(site.is_established(0));
    assert_eq!(site.paths(0), 6);
}

#[test]
fn without_graceful_restart_nothing_is_promised() {
    let settings = set(|settings| settings.graceful_restart = None);
    let mut site = Site::up_with(RouterOptions::default(), settings);
    site.announce(services(3));
    site.run(5);
    site.fabric.kill(site.speaker);
    site.run(1);
    assert_eq!((site.paths(0), site.deletes(0)), (0, 6));
}

#[test]
fn a_helper_only_speaker_does_not_ask_for_its_routes_to_be_kept() {
    let settings = set(|settings| {
        settings.graceful_restart = Some(GracefulRestart {
            helper_only: true,
            ..GracefulRestart::default()
        });
    });
    let mut site = Site::up_with(RouterOptions::default(), settings);
    site.announce(services(3));
    site.run(5);
    site.fabric.kill(site.speaker);
    site.run(1);
    assert_eq!(site.paths(0), 0);
}
