//! Whether the peer's OPEN fits ours, and what both together mean (RFC 4271 section 6.2, RFC 5492).

use super::{Direction, Negotiated, Offer, PeerRestart, Refusal};
use crate::bgp::config::{Neighbor, SessionKind};
use crate::bgp::family::{Family, FamilySet, PerFamily};
use crate::bgp::message::capability::extended_next_hop;
use crate::bgp::message::{AddPathMode, Capability, EXTENDED_LIMIT, GracefulRestart, LIMIT, Open};
use crate::bgp::route::LocalAddresses;
use std::net::SocketAddr;
use std::time::Duration;

/// Which connection the OPENs were exchanged on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) direction: Direction,
    pub(super) addresses: LocalAddresses,
    pub(super) remote: SocketAddr,
}

/// What our OPEN, which made `offer`, and the peer's agree on.
pub(super) fn agree(
    neighbor: &Neighbor,
    offer: Offer,
    open: &Open,
    ends: Ends,
) -> Result<Negotiated, Refusal> {
    let kind = identify(neighbor, open)?;
    let ours = offer.open(neighbor);
    let families = ours.families().intersection(open.families());
    if families.is_empty() {
        return Err(Refusal::NoCommonFamily {
            ours: ours.families(),
            theirs: open.families(),
        });
    }
    let both = |capability: Capability| ours.has(&capability) && open.has(&capability);
    let hold_time = Duration::from_secs(ours.hold_time.min(open.hold_time).into());
    let our_restart = ours.graceful_restart();
    let restart = open.graceful_restart().filter(|_| our_restart.is_some());
    let says_notification = |it: Option<&GracefulRestart>| it.is_some_and(|it| it.notification);
    let is_v4 = families.contains(Family::Ipv4Unicast);
    Ok(Negotiated {
        kind,
        local_as: neighbor.local_as,
        peer_as: open.asn,
        local_id: neighbor.router_id,
        peer_id: open.router_id,
        direction: ends.direction,
        addresses: ends.addresses,
        remote: ends.remote,
        families,
        hold_time,
        keepalive_time: neighbor.settings.timers.keepalive_time(hold_time),
        four_octet_as: ours.is_four_octet_as() && open.is_four_octet_as(),
        add_path: PerFamily::from_fn(|family| {
            let most = neighbor.settings.families[family].add_path_send_max;
            most.filter(|_| families.contains(family) && sends_paths(&ours, open, family))
        }),
        extended_next_hop: extended_next_hop(&ours.capabilities, &open.capabilities)
            .filter(|_| is_v4),
        message_limit: if both(Capability::ExtendedMessage) {
            EXTENDED_LIMIT
        } else {
            LIMIT
        },
        route_refresh: both(Capability::RouteRefresh),
        enhanced_route_refresh: both(Capability::RouteRefresh)
            && both(Capability::EnhancedRouteRefresh),
        keeps_through_notifications: says_notification(our_restart) && says_notification(restart),
        peer_restart: restart.map(|it| peer_restart(it, families)),
        long_lived: our_restart.map_or(FamilySet::EMPTY, |_| {
            long_lived(&ours)
                .intersection(long_lived(open))
                .intersection(families)
        }),
        host_name: host_name(open),
    })
}

/// Who the peer is: RFC 4271 section 6.2, RFC 6286 section 2.2, RFC 7607.
fn identify(neighbor: &Neighbor, open: &Open) -> Result<SessionKind, Refusal> {
    if open.asn.is_reserved() {
        return Err(Refusal::ReservedAs(open.asn));
    }
    let kind = neighbor.accepts(open.asn).ok_or(Refusal::PeerAs {
        wanted: neighbor.settings.remote_as,
        local: neighbor.local_as,
        got: open.asn,
    })?;
    // Between ASes equal identifiers are no fault since RFC 6286.
    if kind == SessionKind::Internal && open.router_id == neighbor.router_id {
        return Err(Refusal::SameIdentifier(open.router_id));
    }
    Ok(kind)
}

/// RFC 7911 section 4: one side must want to send several paths, the other to receive them.
fn sends_paths(ours: &Open, theirs: &Open, family: Family) -> bool {
    ours.add_path(family).is_some_and(AddPathMode::sends)
        && theirs.add_path(family).is_some_and(AddPathMode::receives)
}

fn peer_restart(said: &GracefulRestart, families: FamilySet) -> PeerRestart {
    let negotiated = said
        .families
        .iter()
        .filter(|(family, _)| families.contains(*family));
    let forwarding = negotiated.clone().filter(|(_, forwarding)| *forwarding);
    PeerRestart {
        restarting: said.restarting,
        time: Duration::from_secs(said.time.into()),
        families: negotiated.map(|(family, _)| *family).collect(),
        forwarding: forwarding.map(|(family, _)| *family).collect(),
    }
}

fn long_lived(open: &Open) -> FamilySet {
    let kept = open.capabilities.iter().filter_map(|one| match one {
        Capability::LongLived(kept) => Some(kept),
        _ => None,
    });
    kept.flatten().map(|kept| kept.family).collect()
}

fn host_name(open: &Open) -> Option<String> {
    open.capabilities.iter().find_map(|one| match one {
        Capability::HostName { host, domain } if domain.is_empty() => Some(host.clone()),
        Capability::HostName { host, domain } => Some(format!("{host}.{domain}")),
        _ => None,
    })
}
