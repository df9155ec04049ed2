//! What is measured of elections and virtual routers.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::{as_f64, flag, gauges, set};
use crate::engine::{ElectionReport, RouterReport, SegmentReport, VrrpReport};

/// Every link with what this node has on it, whom it hears, and what it refused.
pub(super) fn election(registry: &mut Registry, election: &ElectionReport) {
    for (name, help, column) in SEGMENTS {
        let gauges = gauges(registry, &format!("l2_{name}"), help);
        for segment in &election.segments {
            set(
                &gauges,
                [("interface", segment.interface.clone())],
                column(segment),
            );
        }
    }
    let help = "Beats that were refused, by reason";
    let refused = gauges(registry, "l2_beats_refused", help);
    for segment in &election.segments {
        for (reason, count) in &segment.refused {
            let interface = segment.interface.clone();
            let labels = [("interface", interface), ("reason", reason.clone())];
            set(&refused, labels, as_f64(*count));
        }
    }
    let help = "1 at a node that is heard; the state is a label";
    let nodes = gauges(registry, "l2_node", help);
    for segment in &election.segments {
        for node in &segment.nodes {
            let labels = [
                ("interface", segment.interface.clone()),
                ("node", node.name.clone()),
                ("state", node.state.clone()),
            ];
            set(&nodes, labels, 1.0);
        }
    }
    let draining: Gauge<f64, AtomicU64> = Gauge::default();
    draining.set(flag(election.draining));
    let help = "1 while this node hands everything over";
    registry.register("l2_draining", help, draining);
}

/// Every virtual router with its state, its priority and what it counted.
pub(super) fn vrrp(registry: &mut Registry, vrrp: &VrrpReport) {
    for (name, help, column) in ROUTERS {
        let gauges = gauges(registry, &format!("vrrp_{name}"), help);
        for router in &vrrp.routers {
            set(&gauges, labels(router), column(router));
        }
    }
    let help = "1 at the state that the virtual router is in";
    let states = gauges(registry, "vrrp_state", help);
    for router in &vrrp.routers {
        for state in STATES {
            let [router_label, interface] = labels(router);
            let labels = [router_label, interface, ("state", state.to_owned())];
            set(&states, labels, flag(router.state == state));
        }
    }
}

fn labels(router: &RouterReport) -> [(&'static str, String); 2] {
    let interface = router.interface.clone().unwrap_or_default();
    [("router", router.name.clone()), ("interface", interface)]
}

/// Name, help and value of a measure of a link.
type SegmentColumn = (&'static str, &'static str, fn(&SegmentReport) -> f64);

/// The same of a virtual router.
type RouterColumn = (&'static str, &'static str, fn(&RouterReport) -> f64);

const SEGMENTS: [SegmentColumn; 11] = [
    ("owned_shards", "Shards that this node has", |it| {
        as_f64(it.owned)
    }),
    ("valid", "1 while it may answer for them", |it| {
        flag(it.valid)
    }),
    ("nodes_heard", "Other nodes that are heard", |it| {
        it.nodes.iter().map(|_| 1.0).sum()
    }),
    ("beats_sent", "Beats that left", |it| {
        as_f64(it.counters.sent)
    }),
    ("beats_unsent", "Beats that could not be sent", |it| {
        as_f64(it.counters.unsent)
    }),
    ("beats_heard", "Beats that were accepted", |it| {
        as_f64(it.counters.heard)
    }),
    ("shards_acquired", "Shards that came to this node", |it| {
        as_f64(it.counters.acquired)
    }),
    (
        "takeovers",
        "Shards that came because their owner fell silent",
        |it| as_f64(it.counters.takeovers),
    ),
    ("shards_lost", "Shards that went", |it| {
        as_f64(it.counters.lost)
    }),
    (
        "shards_contended",
        "Shards that another living node claimed too",
        |it| as_f64(it.counters.contended),
    ),
    (
        "fenced",
        "How often everything was given up at once",
        |it| as_f64(it.counters.fenced),
    ),
];

const ROUTERS: [RouterColumn; 5] = [
    ("priority", "The priority in use", |it| {
        f64::from(it.priority)
    }),
    (
        "transitions_to_active",
        "How often it became Active here",
        |it| as_f64(it.counters.became_active),
    ),
    ("advertisements_sent", "Advertisements sent", |it| {
        as_f64(it.counters.sent)
    }),
    (
        "advertisements_received",
        "Advertisements heard and heeded",
        |it| as_f64(it.counters.received),
    ),
    (
        "advertisements_refused",
        "Packets that were not heeded",
        |it| as_f64(it.counters.refused),
    ),
];

const STATES: [&str; 3] = ["Initialize", "Backup", "Active"];
