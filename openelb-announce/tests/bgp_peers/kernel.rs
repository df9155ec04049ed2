//! What happens to the routes in the kernel of a router's host, as `ip monitor` tells.

use crate::lab::Scratch;
use crate::router::process::Process;
use crate::router::{Family, Feature, Router};
use crate::routes::assortment;
use crate::world::{Host, pause};

/// Watches the kernel's routes from when all are there, where the router writes them there.
pub(crate) fn watch_kernels(routers: &[Router]) -> Vec<RouteWatch> {
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
        watches.push(RouteWatch::new(&router.place.host));
    }
    watches
}

/// `ip monitor route` on a host.
pub(crate) struct RouteWatch {
    host: Host,
    scratch: Scratch,
    _monitor: Process,
}

impl RouteWatch {
    pub(crate) fn new(host: &Host) -> Self {
        let scratch = Scratch::new();
        let log = scratch.path().join("routes");
        let monitor = Process::start(host, "stdbuf -oL ip -o monitor route", &log);
        let watch = Self {
            host: host.clone(),
            scratch,
            _monitor: monitor,
        };
        watch.see("192.0.2.254/32");
        watch
    }

    /// Nothing but the marks of this watch has been deleted.
    pub(crate) fn expect_no_deletion(&self) {
        self.see("192.0.2.253/32");
        let said = self.said();
        let deleted: Vec<&str> = said
            .lines()
            .filter(|line| line.contains("Deleted") && !line.contains("192.0.2.25"))
            .collect();
        assert!(deleted.is_empty(), "a route was deleted: {deleted:?}");
    }

    /// Makes a route and deletes it, and waits until the monitor has seen that: then it has seen
    /// everything before it.
    fn see(&self, mark: &str) {
        let address = mark.trim_end_matches("/32");
        let host = &self.host;
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
