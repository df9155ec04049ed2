//! Either side goes away and comes back: what the peers keep, and what they hear again.

use openelb_announce::bgp::peer::Stop;

use crate::lab::{Scratch, with_lab};
use crate::ours::Ours;
use crate::router::process::Process;
use crate::router::{Family, Feature, Kind, Router};
use crate::routes::{assortment, wait_for_routes};
use crate::row::{PLAIN, Row, Running};
use crate::world::{Host, pause};

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
        let first = spawn(&hosts, &scratch);
        let routers = GRACEFUL.routers(&hosts);
        expect_back(&routers);
        let watches = watch_kernels(&routers);
        first.end("KILL");
        expect_kept(&routers);
        let _second = spawn(&hosts, &scratch);
        expect_back(&routers);
        watches.iter().for_each(RouteWatch::expect_no_deletion);
    });
}

/// No test of its own: what [`spawn`] starts. It ends with the test that started it.
#[test]
fn speaks_if_asked_to() {
    let Ok(hosts) = std::env::var(HOSTS) else {
        return;
    };
    let host = |number: &str| Host {
        namespace: String::new(),
        number: number.parse().unwrap(),
    };
    let hosts: Vec<Host> = hosts.split(',').map(host).collect();
    let _ours = Ours::start_here(&GRACEFUL.speaker(&hosts), assortment());
    loop {
        std::thread::park();
    }
}

fn start(hosts: &[Host]) -> Ours {
    let description = GRACEFUL.speaker(&hosts[1..=GRACEFUL.kinds().len()]);
    Ours::start(&hosts[0], &description, assortment())
}

/// The speaker as a process of its own: this test program, started again.
fn spawn(hosts: &[Host], scratch: &Scratch) -> Process {
    let peers = &hosts[1..=GRACEFUL.kinds().len()];
    let peers: Vec<String> = peers.iter().map(|host| host.number.to_string()).collect();
    let program = std::env::current_exe().unwrap();
    let line = format!(
        "env {HOSTS}={} {} --exact restart::speaks_if_asked_to --nocapture",
        peers.join(","),
        program.display()
    );
    Process::start(&hosts[0], &line, &scratch.path().join("speaker"))
}

/// The session is gone and the routes are not.
fn expect_kept(routers: &[Router]) {
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

/// Watches what happens to the kernel's routes, where the router writes them there.
fn watch_kernels(routers: &[Router]) -> Vec<RouteWatch<'_>> {
    let mut installing = routers
        .iter()
        .filter(|it| it.kind.lacks(Feature::Installs).is_none());
    let mut watches = Vec::new();
    for router in &mut installing {
        for family in Family::ALL {
            router.wait("the routes are in the kernel", |it| {
                it.installed(family).len() == assortment().len() / 2
            });
        }
        watches.push(RouteWatch::new(router));
    }
    watches
}

/// `ip monitor route` on a router's host.
struct RouteWatch<'a> {
    router: &'a Router,
    scratch: Scratch,
    _monitor: Process,
}

impl<'a> RouteWatch<'a> {
    fn new(router: &'a Router) -> Self {
        let scratch = Scratch::new();
        let log = scratch.path().join("routes");
        let monitor = Process::start(&router.place.host, "stdbuf -oL ip -o monitor route", &log);
        let watch = Self {
            router,
            scratch,
            _monitor: monitor,
        };
        watch.see("192.0.2.254/32");
        watch
    }

    /// Nothing but the marks of this watch has been deleted.
    fn expect_no_deletion(&self) {
        self.see("192.0.2.253/32");
        let said = self.said();
        let deleted: Vec<&str> = said
            .lines()
            .filter(|line| line.contains("Deleted") && !line.contains("192.0.2.25"))
            .collect();
        self.router.insist(
            deleted.is_empty(),
            &format!("no route was deleted: {deleted:?}"),
        );
    }

    /// Makes a route and deletes it, and waits until the monitor has seen that: then it has seen
    /// everything before it.
    fn see(&self, mark: &str) {
        let address = mark.trim_end_matches("/32");
        let host = &self.router.place.host;
        while !self
            .said()
            .contains(&format!("Deleted blackhole {address}"))
        {
            host.sh(&format!("ip route add blackhole {mark}"));
            host.sh(&format!("ip route del blackhole {mark}"));
            pause();
        }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.scratch.path().join("routes")).unwrap()
    }
}

/// Routers that keep the routes of a speaker that restarts.
const GRACEFUL: Row<'static> = Row {
    theirs: &[Feature::GracefulRestart],
    also: &[Feature::GracefulNotification],
    installs: true,
    ..PLAIN
};
const HOSTS: &str = "OPENELB_TEST_SPEAKER_TO";
