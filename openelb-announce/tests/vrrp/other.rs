//! Any other router, and what is expected of all of them.

use std::path::Path;

use openelb_announce::announcer::VirtualRouter;
use openelb_announce::vrrp::{Family, Interval, Settings, Version};

use crate::frr::{Frr, VRRPD, ZEBRA};
use crate::keepalived::{Instance, KEEPALIVED, Keepalived};
use crate::node::router;
use crate::world::{self, Host, World, eventually};

/// Runs `body` with hosts where other routers can be started, or says why that is impossible here.
pub(crate) fn with_routers<const N: usize, F: FnOnce(&World, [Host; N])>(body: F) {
    let test = world::test_name::<F>();
    for program in [KEEPALIVED, ZEBRA, VRRPD] {
        if !Path::new(program).exists() {
            let reason = format!("{program} is missing (packages keepalived, frr)");
            return world::skip(test, &reason);
        }
    }
    world::with_root_and_hosts(body);
}

/// Another router of the same virtual router.
pub(crate) trait Other {
    /// Is it Active, as far as it knows?
    fn is_active(&self) -> bool;

    /// Sends all of its processes a signal.
    fn signal(&self, signal: &str);

    /// Waits until it is Active, or until it is not.
    fn until_active(&self, active: bool) {
        eventually(&format!("the other is Active: {active}"), || {
            self.is_active() == active
        });
    }
}

/// What to meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    KeepalivedV2,
    Keepalived(Family),
    Frr(Family),
}

impl Kind {
    pub(crate) fn family(self) -> Family {
        match self {
            Self::KeepalivedV2 => Family::Ipv4,
            Self::Keepalived(family) | Self::Frr(family) => family,
        }
    }

    /// Starts one on `host`.
    pub(crate) fn start(self, host: &Host, priority: u8) -> Box<dyn Other> {
        let instance = Instance::new(self.family(), priority);
        match self {
            Self::KeepalivedV2 => {
                let (version, interval) = (2, "1");
                let instance = Instance {
                    version,
                    interval,
                    ..instance
                };
                Box::new(Keepalived::start(host, &instance))
            }
            Self::Keepalived(_) => Box::new(Keepalived::start(host, &instance)),
            Self::Frr(family) => Box::new(Frr::start(host, family, priority, &[])),
        }
    }

    /// Our router to meet it with.
    pub(crate) fn router(self, priority: u8) -> VirtualRouter {
        let router = router(self.family(), priority);
        if self != Self::KeepalivedV2 {
            return router;
        }
        VirtualRouter {
            settings: Settings {
                version: Version::V2,
                interval: Interval::SECOND,
                ..router.settings
            },
            ..router
        }
    }
}
