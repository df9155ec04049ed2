//! What is measured of the BGP speaker.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::{as_f64, flag, gauges, set};
use crate::engine::{BgpReport, DrainState, FamilyReport, PeerReport};

/// Every peer with its state, its routes by family, its messages, and what BFD sees.
pub(super) fn register(registry: &mut Registry, bgp: &BgpReport) {
    for (name, help, column) in PEERS {
        let gauges = gauges(registry, &format!("bgp_{name}"), help);
        for peer in &bgp.peers {
            if let Some(value) = column(peer) {
                set(&gauges, [("peer", peer.name.clone())], value);
            }
        }
    }
    let states = gauges(
        registry,
        "bgp_peer_state",
        "1 at the state that the session is in",
    );
    for peer in &bgp.peers {
        for state in STATES {
            let labels = [("peer", peer.name.clone()), ("state", state.to_owned())];
            set(&states, labels, flag(peer.state == state));
        }
    }
    for (name, help, column) in FAMILIES {
        let gauges = gauges(registry, &format!("bgp_{name}"), help);
        for peer in &bgp.peers {
            for family in &peer.families {
                let family_name = family.family.clone();
                let labels = [("peer", peer.name.clone()), ("family", family_name)];
                set(&gauges, labels, as_f64(column(family)));
            }
        }
    }
    let drained: Gauge<f64, AtomicU64> = Gauge::default();
    drained.set(flag(bgp.drain != DrainState::No));
    registry.register(
        "bgp_drained",
        "1 while this node is out of service",
        drained,
    );
}

/// Name, help and value of a measure of a peer, where it has one.
type PeerColumn = (&'static str, &'static str, fn(&PeerReport) -> Option<f64>);

/// The same of a family.
type FamilyColumn = (&'static str, &'static str, fn(&FamilyReport) -> u64);

const PEERS: [PeerColumn; 7] = [
    ("session_up", "1 while the session is established", |peer| {
        Some(flag(peer.is_established()))
    }),
    ("session_uptime_seconds", "Since when it is", |peer| {
        let session = peer.session.as_ref()?;
        Some(as_f64(session.uptime_seconds))
    }),
    (
        "session_flaps",
        "Sessions that were established and ended",
        |peer| Some(as_f64(peer.flaps)),
    ),
    ("updates_sent", "UPDATE messages sent", |peer| {
        Some(as_f64(peer.messages.sent.update))
    }),
    ("updates_received", "UPDATE messages received", |peer| {
        Some(as_f64(peer.messages.received.update))
    }),
    (
        "notifications_received",
        "NOTIFICATION messages received",
        |peer| Some(as_f64(peer.messages.received.notification)),
    ),
    ("bfd_up", "1 while BFD sees the peer", |peer| {
        let bfd = peer.bfd.as_ref()?;
        Some(flag(bfd.state.eq_ignore_ascii_case("up")))
    }),
];

const FAMILIES: [FamilyColumn; 4] = [
    (
        "advertised_routes",
        "Routes that the peer was told of",
        |family| family.advertised,
    ),
    (
        "pending_routes",
        "Routes that wait to be sent or withdrawn",
        |family| family.pending,
    ),
    (
        "refused_routes",
        "Routes that cannot be announced to the peer",
        |family| family.refused,
    ),
    (
        "received_routes",
        "Routes that the peer announces",
        |family| family.received,
    ),
];

const STATES: [&str; 6] = [
    "Idle",
    "Connect",
    "Active",
    "OpenSent",
    "OpenConfirm",
    "Established",
];
