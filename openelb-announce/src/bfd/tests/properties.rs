//! What holds for any two sessions on any link.

use super::world::{Link, World};
use crate::bfd::auth::{Auth, AuthKind, Key};
use crate::bfd::machine::{Input, PathState};
use crate::bfd::packet::{Diagnostic, State};
use crate::bfd::settings::Settings;
use proptest::prelude::*;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Longer than any two sessions of [`settings`] take to find each other on a good link: one
/// detection time until an old discriminator is forgotten, three packets a second apart, and room.
const PATIENCE: Duration = Duration::from_secs(15);

fn settings() -> impl Strategy<Value = Settings> {
    let interval = || {
        prop_oneof![Just(10_u64), Just(50), Just(300), Just(1000), 10..2000_u64]
            .prop_map(Duration::from_millis)
    };
    (interval(), interval(), 2..6_u8).prop_map(|(min_tx, min_rx, multiplier)| Settings {
        min_tx,
        min_rx,
        multiplier,
        ..Settings::default()
    })
}

/// Both authenticate alike, or not at all; at most one is passive.
fn pair() -> impl Strategy<Value = [Settings; 2]> {
    let auth = prop_oneof![
        2 => Just(None),
        1 => Just(Some(AuthKind::KeyedSha1)),
        1 => Just(Some(AuthKind::MeticulousKeyedSha1)),
    ];
    (settings(), settings(), auth, any::<bool>()).prop_map(|(first, second, kind, passive)| {
        let auth = kind.map(|kind| Auth {
            kind,
            key_id: 1,
            key: Key::new(b"secret").unwrap(),
        });
        [
            Settings {
                auth: auth.clone(),
                passive,
                ..first
            },
            Settings { auth, ..second },
        ]
    })
}

fn settled(pair: [Settings; 2], seed: u64) -> World {
    let mut world = World::new(pair, seed);
    world.run(PATIENCE);
    assert!(world.are_up());
    world.hosts.iter_mut().for_each(|host| host.changes.clear());
    world
}

#[derive(Clone, Copy, Debug)]
enum Trouble {
    Links(Link, Link),
    Freeze(usize, u64),
    Jump(usize, u64),
    AdminDown(usize),
    Enable(usize),
    Fail(usize),
}

fn trouble() -> impl Strategy<Value = (Trouble, u64)> {
    let link = || prop_oneof![Just(Link::GOOD), Just(Link::BAD), Just(Link::CUT)];
    let trouble = prop_oneof![
        4 => (link(), link()).prop_map(|(a, b)| Trouble::Links(a, b)),
        1 => (0..2_usize, 0..8000_u64).prop_map(|(host, span)| Trouble::Freeze(host, span)),
        1 => (0..2_usize, 0..8000_u64).prop_map(|(host, span)| Trouble::Jump(host, span)),
        1 => (0..2_usize).prop_map(Trouble::AdminDown),
        1 => (0..2_usize).prop_map(Trouble::Enable),
        1 => (0..2_usize).prop_map(Trouble::Fail),
    ];
    (trouble, 0..4000_u64)
}

fn cause(world: &mut World, trouble: Trouble) {
    match trouble {
        Trouble::Links(first, second) => world.links = [first, second],
        Trouble::Freeze(host, span) => world.freeze(host, Duration::from_millis(span)),
        Trouble::Jump(host, span) => world.jump(host, Duration::from_millis(span)),
        Trouble::AdminDown(host) => {
            world.input(host, Input::AdminDown(Diagnostic::AdministrativelyDown));
        }
        Trouble::Enable(host) => world.input(host, Input::Enable),
        Trouble::Fail(host) => world.input(host, Input::Fail(Diagnostic::PathDown)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    /// The world itself checks that nobody is up without the three-way handshake.
    #[test]
    fn after_any_trouble_both_come_up_once_the_link_works(
        pair in pair(),
        seed: u64,
        troubles in prop::collection::vec(trouble(), 0..12),
    ) {
        let mut world = World::new(pair, seed);
        for (trouble, after) in troubles {
            cause(&mut world, trouble);
            world.run(Duration::from_millis(after));
        }
        world.links = [Link::GOOD; 2];
        for host in 0..2 {
            world.input(host, Input::Enable);
        }
        // The longest freeze, and twice the longest detection time for old sequence numbers.
        world.run(SECOND * 8 + SECOND * 20 + PATIENCE);
        prop_assert!(world.are_up());
        world.hosts.iter_mut().for_each(|host| host.changes.clear());
        world.run(SECOND * 10);
        for host in &world.hosts {
            prop_assert_eq!(&host.changes, &[]);
        }
    }

    #[test]
    fn a_good_link_never_flaps_whatever_the_settings_change_to(
        pair in pair(),
        seed: u64,
        changes in prop::collection::vec((0..2_usize, settings(), 0..5000_u64), 1..8),
    ) {
        let mut world = settled(pair.clone(), seed);
        for (host, settings, after) in changes {
            let settings = Settings {
                auth: pair[host].auth.clone(),
                passive: pair[host].passive,
                ..settings
            };
            world.input(host, Input::Configure(settings));
            world.run(Duration::from_millis(after));
        }
        world.run(SECOND * 30);
        for host in &world.hosts {
            prop_assert_eq!(&host.changes, &[]);
        }
    }

    #[test]
    fn a_cut_is_found_exactly_one_detection_time_after_the_last_packet(
        pair in pair(),
        seed: u64,
        run in 0..3000_u64,
    ) {
        let mut world = settled(pair, seed);
        world.run(Duration::from_millis(run));
        let detection = world.hosts[0].session.detection_time();
        let cut = world.now;
        world.links[1] = Link::CUT;
        world.run(detection + SECOND);

        let [first, second] = &world.hosts;
        let (down_at, change) = first.changes[0];
        prop_assert_eq!(down_at - first.heard_at.unwrap(), detection);
        prop_assert!(down_at <= cut + Link::GOOD.delay.1 + detection);
        prop_assert_eq!(change.diagnostic, Diagnostic::ControlDetectionTimeExpired);
        prop_assert_eq!((change.to, change.path), (State::Down, PathState::Down));
        // The other direction works, so the other end is told, unless by one who must be silent.
        if first.session.settings().passive {
            return Ok(());
        }
        let (told_at, change) = second.changes[0];
        prop_assert!(told_at - down_at <= Link::GOOD.delay.1);
        prop_assert_eq!(change.diagnostic, Diagnostic::NeighborSignaledSessionDown);
    }

    #[test]
    fn a_pause_shorter_than_the_neighbors_patience_flaps_nothing(
        pair in pair(),
        seed: u64,
        percent in 1..100_u32,
    ) {
        let mut world = settled(pair, seed);
        // The last packet before it may be an interval old and the first one after it late.
        let interval = world.hosts[0].session.transmit_interval().unwrap();
        let patience = world.hosts[1].session.detection_time();
        let slack = interval + Link::GOOD.delay.1 * 2;
        world.freeze(0, patience.saturating_sub(slack) * percent / 100);
        world.run(SECOND * 10);
        for host in &world.hosts {
            prop_assert_eq!(&host.changes, &[]);
        }
    }

    #[test]
    fn a_long_pause_is_found_by_the_neighbor_and_ends_in_up_on_both_ends(
        pair in pair(),
        seed: u64,
        extra in 0..20_000_u64,
    ) {
        let mut world = settled(pair, seed);
        let patience = world.hosts[1].session.detection_time();
        world.freeze(0, patience + Link::GOOD.delay.1 + Duration::from_millis(extra));
        world.run(patience + Link::GOOD.delay.1);
        let (_, change) = world.hosts[1].changes[0];
        prop_assert_eq!(change.diagnostic, Diagnostic::ControlDetectionTimeExpired);
        world.run(SECOND * 40 + PATIENCE);
        prop_assert!(world.are_up());
    }

    #[test]
    fn admin_down_reaches_the_neighbor_within_the_delay_and_alarms_nobody(
        pair in pair(),
        seed: u64,
    ) {
        let mut world = settled(pair, seed);
        world.input(0, Input::AdminDown(Diagnostic::AdministrativelyDown));
        world.run(Link::GOOD.delay.1);
        let (_, change) = world.hosts[1].changes[0];
        prop_assert_eq!(change.to, State::Down);
        prop_assert_eq!(change.path, PathState::AdminDown);
        world.run(Link::GOOD.delay.1);
        prop_assert!(world.hosts[0].session.is_dismissed(), "the neighbour has said so");
        world.run(SECOND * 30);
        prop_assert_eq!(world.hosts[1].session.path_state(), PathState::AdminDown);
        world.input(0, Input::Enable);
        world.run(PATIENCE);
        prop_assert!(world.are_up());
        let has_alarmed = |state| world.hosts[1].changes.iter().any(|(_, it)| it.path == state);
        prop_assert!(!has_alarmed(PathState::Down));
    }
}
