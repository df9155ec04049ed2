//! What we offer to a peer: the capabilities of our OPEN, as the settings ask for them.

use crate::bgp::config::Neighbor;
use crate::bgp::family::{Family, FamilySet};
use crate::bgp::message::{AddPathMode, Capability, GracefulRestart, LongLived, Open};

/// What our OPEN says. Kept until the peer's comes, since only what both said holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bgp) struct Offer {
    /// With capabilities. Without: IPv4 unicast alone, for a peer that refuses the parameter
    /// (RFC 5492 section 3).
    pub(in crate::bgp) capable: bool,
    /// The R bit: this speaker has restarted so recently that the peer may still keep our routes.
    pub(in crate::bgp) restarting: bool,
}

impl Offer {
    /// The OPEN that makes this offer.
    pub(super) fn open(self, neighbor: &Neighbor) -> Open {
        let capabilities = if self.capable {
            self.capabilities(neighbor)
        } else {
            Vec::new()
        };
        let hold_time = neighbor.settings.timers.hold_seconds();
        Open::new(
            neighbor.local_as,
            hold_time,
            neighbor.router_id,
            capabilities,
        )
    }

    fn capabilities(self, neighbor: &Neighbor) -> Vec<Capability> {
        let settings = &neighbor.settings;
        let families = settings.enabled_families();
        let mut offered: Vec<_> = families.iter().map(Capability::multi_protocol).collect();
        offered.push(Capability::FourOctetAs(neighbor.local_as));
        if settings.route_refresh {
            offered.push(Capability::RouteRefresh);
            offered.push(Capability::EnhancedRouteRefresh);
        }
        if settings.extended_messages {
            offered.push(Capability::ExtendedMessage);
        }
        if settings.extended_next_hop && families.contains(Family::Ipv4Unicast) {
            offered.push(Capability::v6_next_hops_for_v4());
        }
        offered.extend(add_path(neighbor, families));
        offered.extend(self.graceful_restart(neighbor, families));
        offered.extend(long_lived(neighbor, families));
        offered
    }

    /// F is always set (RFC 4724 section 3): the kernel forwards to announced addresses whether or
    /// not the speaker runs. A peer that sees it unset after a restart deletes every route.
    fn graceful_restart(self, neighbor: &Neighbor, families: FamilySet) -> Option<Capability> {
        let settings = neighbor.settings.graceful_restart?;
        if settings.helper_only {
            // No family: we keep the peer's routes and ask it to keep none of ours.
            return Some(Capability::GracefulRestart(GracefulRestart {
                restarting: false,
                notification: settings.notification,
                time: 0,
                families: Vec::new(),
            }));
        }
        let keep = |family: &Family| neighbor.settings.families[*family].graceful_restart;
        let seconds = u16::try_from(settings.restart_time.as_secs()).unwrap_or(u16::MAX);
        Some(Capability::GracefulRestart(GracefulRestart {
            restarting: self.restarting,
            notification: settings.notification,
            time: seconds.min(MAX_RESTART_TIME),
            families: families
                .iter()
                .filter(keep)
                .map(|family| (family, true))
                .collect(),
        }))
    }
}

fn add_path(neighbor: &Neighbor, families: FamilySet) -> Option<Capability> {
    let sends = |family: &Family| {
        neighbor.settings.families[*family]
            .add_path_send_max
            .is_some()
    };
    let modes: Vec<_> = families
        .iter()
        .filter(sends)
        .map(|family| (family, AddPathMode::Send))
        .collect();
    (!modes.is_empty()).then_some(Capability::AddPath(modes))
}

/// RFC 9494 section 4.2: not without graceful restart.
fn long_lived(neighbor: &Neighbor, families: FamilySet) -> Option<Capability> {
    let settings = neighbor.settings.graceful_restart?;
    let stale_time = |family: Family| {
        let time = neighbor.settings.families[family].long_lived?;
        let seconds = u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        Some(LongLived {
            family,
            forwarding: true,
            time: seconds.min(MAX_STALE_TIME),
        })
    };
    let kept: Vec<_> = families.iter().filter_map(stale_time).collect();
    (!kept.is_empty() && !settings.helper_only).then_some(Capability::LongLived(kept))
}

/// What fits into the 12 bits of RFC 4724 section 3.
const MAX_RESTART_TIME: u16 = 4095;
/// What fits into the 24 bits of RFC 9494 section 4.2.
const MAX_STALE_TIME: u32 = 0xff_ffff;
