//! Properties that hold whatever happens, in whatever order.

use super::expected::{expected, known};
use super::{Site, prefix, set};
use crate::bgp::attribute::Attributes;
use crate::bgp::community::Community;
use crate::bgp::config::{RemoteAs, Settings};
use crate::bgp::family::FamilySet;
use crate::bgp::peer::{State, Stop};
use crate::bgp::route::{PeerSelection, Route};
use crate::sim::bgp::{FabricSetup, Listening, RouterOptions};
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;

/// Something that happens to a speaker with two routers.
#[derive(Clone, Debug)]
enum Step {
    Announce(Vec<Route>),
    Change(Vec<Route>),
    Withdraw(Route),
    Stall(usize, bool),
    Reset(usize),
    Cut(usize),
    Listen(usize, Listening),
    Dial(usize),
    Kill,
    Start,
    Upgrade,
    Pause,
    Resume,
    Leap(u64),
    Configure(usize, Box<Settings>),
    Run(u64),
}

fn any_route() -> impl Strategy<Value = Route> {
    let prefixes = [
        "198.51.100.0/24",
        "198.51.100.1/32",
        "198.51.100.2/32",
        "203.0.113.9/32",
        "2001:db8:1::/64",
        "2001:db8:1::1/128",
        "2001:db8:1::2/128",
        "2001:db8:2::9/128",
    ];
    let peers = prop_oneof![
        3 => Just(PeerSelection::All),
        1 => Just(PeerSelection::from_iter(["leaf0"])),
        1 => Just(PeerSelection::from_iter(["leaf1", "nobody"])),
    ];
    let communities = prop::collection::vec(0..4_u16, 0..3);
    (
        prop::sample::select(prefixes.to_vec()),
        peers,
        communities,
        0..3_u8,
    )
        .prop_map(|(text, peers, communities, prepend)| {
            let communities = communities
                .into_iter()
                .map(|low| Community::of(64_512, low));
            let attributes = Attributes {
                communities: communities.collect(),
                ..Attributes::default()
            };
            Route {
                peers,
                prepend,
                attributes: Arc::new(attributes),
                ..Route::to(prefix(text))
            }
        })
}

/// A desired set: one route for a prefix.
fn any_routes() -> impl Strategy<Value = Vec<Route>> {
    prop::collection::vec(any_route(), 0..6).prop_map(|mut routes| {
        routes.sort_by_key(|route| route.prefix);
        routes.dedup_by_key(|route| route.prefix);
        routes
    })
}

fn any_settings() -> impl Strategy<Value = Settings> {
    (
        prop::sample::select(vec![30_u64, 90]),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(hold, passive, leaving, restarts)| {
            set(|settings| {
                settings.timers.hold = Some(Duration::from_secs(hold));
                settings.passive = passive;
                settings.graceful_shutdown = leaving;
                if !restarts {
                    settings.graceful_restart = None;
                }
            })
        })
}

fn any_step() -> impl Strategy<Value = Step> {
    let router = || 0..2_usize;
    let listening = prop::sample::select(vec![
        Listening::Accepts,
        Listening::Accepts,
        Listening::Refuses,
        Listening::Silent,
    ]);
    prop_oneof![
        4 => any_routes().prop_map(Step::Announce),
        4 => any_routes().prop_map(Step::Change),
        3 => any_route().prop_map(Step::Withdraw),
        2 => (router(), any::<bool>()).prop_map(|(router, stalled)| Step::Stall(router, stalled)),
        1 => router().prop_map(Step::Reset),
        1 => router().prop_map(Step::Cut),
        1 => (router(), listening).prop_map(|(router, listening)| Step::Listen(router, listening)),
        1 => router().prop_map(Step::Dial),
        1 => Just(Step::Kill),
        2 => Just(Step::Start),
        1 => Just(Step::Upgrade),
        1 => Just(Step::Pause),
        2 => Just(Step::Resume),
        1 => (0..400_u64).prop_map(Step::Leap),
        2 => (router(), any_settings()).prop_map(|(router, settings)| Step::Configure(router, settings.into())),
        8 => (1..40_000_u64).prop_map(Step::Run),
    ]
}

fn any_setup() -> impl Strategy<Value = FabricSetup> {
    (
        any::<u64>(),
        0..200_u64,
        8_192..70_000_usize,
        1..6_000_usize,
    )
        .prop_map(|(seed, delay, window, piece)| FabricSetup {
            seed,
            delay: Duration::from_millis(delay),
            window,
            piece,
        })
}

/// The second router: another hold time, perhaps one family only.
fn any_router() -> impl Strategy<Value = RouterOptions> {
    let families = [(true, true), (true, false), (false, true)];
    prop::sample::select(families.to_vec()).prop_map(|(ipv4, ipv6)| RouterOptions {
        hold_time: 30,
        families: FamilySet::new(ipv4, ipv6),
        ..RouterOptions::default()
    })
}

/// A site with two routers, and what is asked of it.
struct World {
    site: Site,
    families: [FamilySet; 2],
    routes: Vec<Route>,
    settings: Vec<Settings>,
    is_running: bool,
}

impl World {
    fn new(setup: FabricSetup) -> Self {
        Self::with(setup, RouterOptions::default())
    }

    fn with(setup: FabricSetup, second: RouterOptions) -> Self {
        let families = [FamilySet::ALL, second.families];
        let settings = vec![
            Settings::default(),
            set(|it| it.remote_as = RemoteAs::External),
        ];
        let mut site = Site::new(setup, &[RouterOptions::default(), second]);
        site.configure(&settings);
        site.announce(Vec::new());
        Self {
            site,
            families,
            routes: Vec::new(),
            settings,
            is_running: true,
        }
    }

    fn take(&mut self, step: Step) {
        let (speaker, places) = (self.site.speaker, self.site.routers.clone());
        let fabric = &mut self.site.fabric;
        match step {
            Step::Announce(routes) => {
                self.routes.clone_from(&routes);
                fabric.announce(speaker, routes);
            }
            Step::Change(routes) => self.change(&routes),
            Step::Withdraw(route) => {
                self.routes.retain(|old| old.prefix != route.prefix);
                fabric.change(speaker, &[], &[route.prefix]);
            }
            Step::Stall(router, is_stalled) => fabric.stall(places[router], is_stalled),
            Step::Reset(router) => fabric.reset(speaker, places[router]),
            Step::Cut(router) => fabric.cut(speaker, places[router]),
            Step::Listen(router, listening) => fabric.listen(places[router], listening),
            Step::Dial(router) => fabric.dial_from(places[router], speaker),
            Step::Kill => self.end(None),
            Step::Upgrade => self.end(Some(Stop::Upgrade)),
            Step::Start => self.start(),
            Step::Pause => fabric.pause(speaker),
            Step::Resume => fabric.resume(speaker),
            Step::Leap(seconds) => fabric.leap(speaker, Duration::from_secs(seconds)),
            Step::Configure(router, settings) => {
                self.settings[router] = *settings;
                self.site.configure(&self.settings);
            }
            Step::Run(millis) => fabric.run(Duration::from_millis(millis)),
        }
    }

    fn change(&mut self, routes: &[Route]) {
        let is_new = |old: &Route| routes.iter().any(|new| new.prefix == old.prefix);
        self.routes.retain(|old| !is_new(old));
        self.routes.extend_from_slice(routes);
        self.site.fabric.change(self.site.speaker, routes, &[]);
    }

    fn end(&mut self, stop: Option<Stop>) {
        if let Some(stop) = stop {
            self.site.fabric.stop(self.site.speaker, &stop);
        }
        self.site.fabric.kill(self.site.speaker);
        self.is_running = false;
    }

    fn start(&mut self) {
        if !self.is_running {
            self.site.fabric.start(self.site.speaker);
            self.is_running = true;
        }
    }

    /// Everybody is well again, and everything that was under way comes to an end.
    fn rest(&mut self) {
        self.start();
        self.site.fabric.resume(self.site.speaker);
        for router in self.site.routers.clone() {
            self.site.fabric.stall(router, false);
            self.site.fabric.listen(router, Listening::Accepts);
            self.site.fabric.dial_from(router, self.site.speaker);
        }
        self.site.run(600);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_happened_every_router_ends_up_with_exactly_the_desired_routes(
        setup in any_setup(),
        second in any_router(),
        steps in prop::collection::vec(any_step(), 1..40),
    ) {
        let mut world = World::with(setup, second);
        for step in steps {
            world.take(step);
        }
        world.rest();
        for router in 0..2 {
            prop_assert!(world.site.is_established(router), "router {}", router);
            let wanted = expected(
                &world.site, router, &world.routes, &world.settings[router], world.families[router],
            );
            prop_assert_eq!(known(&world.site, world.site.routers[router]), wanted);
            let record = world.site.record(router);
            prop_assert!(record.complaints.is_empty(), "{:?}", record.complaints);
            prop_assert!(record.longest_message <= 4_096);
        }
        for status in world.site.fabric.status(world.site.speaker) {
            prop_assert_eq!(status.families.map(|family| family.pending).ipv4, 0);
        }
    }

    #[test]
    fn crashes_upgrades_resets_and_leaps_of_the_clock_delete_no_route_of_a_graceful_peer(
        setup in any_setup(),
        steps in prop::collection::vec(
            prop_oneof![
                Just(Step::Kill),
                Just(Step::Start),
                Just(Step::Upgrade),
                Just(Step::Pause),
                Just(Step::Resume),
                (0..2_usize).prop_map(Step::Reset),
                (0..2_usize).prop_map(Step::Cut),
                (0..2_usize).prop_map(Step::Dial),
                (0..400_u64).prop_map(Step::Leap),
                (1..4_000_u64).prop_map(Step::Run),
            ],
            1..12,
        ),
    ) {
        let mut world = World::new(setup);
        let routes = super::services(30);
        world.take(Step::Announce(routes));
        world.site.run(30);
        prop_assert_eq!((world.site.paths(0), world.site.paths(1)), (60, 60));
        for step in steps {
            world.take(step);
        }
        world.rest();
        prop_assert_eq!((world.site.paths(0), world.site.paths(1)), (60, 60));
        prop_assert_eq!((world.site.deletes(0), world.site.deletes(1)), (0, 0));
    }

    #[test]
    fn a_session_whose_peer_fell_silent_never_outlives_the_hold_time(
        setup in any_setup(),
        steps in prop::collection::vec(any_step(), 0..12),
    ) {
        let mut world = World::new(setup);
        for step in steps {
            world.take(step);
        }
        world.start();
        world.site.fabric.resume(world.site.speaker);
        for router in world.site.routers.clone() {
            world.site.fabric.listen(router, Listening::Silent);
            world.site.fabric.stall(router, true);
            world.site.fabric.cut(world.site.speaker, router);
        }
        world.site.run(91);
        for status in world.site.fabric.status(world.site.speaker) {
            prop_assert_ne!(status.state, State::Established);
        }
    }

    #[test]
    fn a_peer_that_reads_nothing_delays_nobody_and_queues_nothing(
        seed: u64,
        changes in prop::collection::vec(any_routes(), 1..30),
    ) {
        let setup = FabricSetup { seed, window: 8_192, ..FabricSetup::default() };
        let mut world = World::new(setup);
        world.site.run(5);
        world.site.fabric.stall(world.site.routers[0], true);
        for routes in changes {
            world.take(Step::Announce(routes));
            world.take(Step::Run(10));
            let wanted = expected(
                &world.site, 1, &world.routes, &world.settings[1], FamilySet::ALL,
            );
            prop_assert_eq!(known(&world.site, world.site.routers[1]), wanted);
            for status in world.site.fabric.status(world.site.speaker) {
                let pending = status.families.map(|family| family.pending);
                prop_assert!(pending.ipv4 + pending.ipv6 <= 8, "more than there are prefixes");
            }
        }
    }

    #[test]
    fn no_change_of_one_peer_ever_touches_the_session_of_another(
        seed: u64,
        changes in prop::collection::vec((any_settings(), any_routes(), 1..20_000_u64), 1..12),
    ) {
        let mut world = World::new(FabricSetup { seed, ..FabricSetup::default() });
        world.site.run(5);
        for (settings, routes, millis) in changes {
            world.take(Step::Configure(0, settings.into()));
            world.take(Step::Change(routes));
            world.take(Step::Run(millis));
        }
        world.rest();
        prop_assert_eq!(world.site.established(1), 1);
    }
}
