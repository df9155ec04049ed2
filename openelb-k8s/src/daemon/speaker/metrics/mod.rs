//! The speaker's metrics, made from what is seen at the moment of a scrape.

mod former;

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use openelb_announce::bgp::peer::State;
use openelb_announce::vrrp;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::network::{Noted, Sight};
use crate::problem::Problem;
use crate::speaker::Pods;
use crate::speaker::record::Shown;

/// What a page is made of.
#[derive(Debug)]
pub(super) struct Present<'a> {
    pub(super) shown: &'a Shown,
    pub(super) sight: &'a Sight,
    pub(super) noted: &'a Noted,
    pub(super) problems: &'a [Problem],
    pub(super) pods: &'a Pods,
    /// Kinds whose watch is interrupted.
    pub(super) interrupted: &'a [&'static str],
    /// The name of this node, when the names of `OpenELB` are wanted as well.
    pub(super) former_names: Option<&'a str>,
}

/// The page in the `OpenMetrics` text format.
pub(super) fn page(present: &Present<'_>) -> String {
    let mut root = Registry::default();
    if let Some(node) = present.former_names {
        former::sessions(&mut root, present.sight, node);
    }
    let registry = root.sub_registry_with_prefix("openelb");
    let build = gauges(registry, "build_info", "Always 1; the version is the label");
    set(
        &build,
        [("version", env!("CARGO_PKG_VERSION").to_owned())],
        1.0,
    );
    announcements(registry, present.shown);
    links(registry, present.sight, present.noted);
    sessions(registry, present.sight);
    pods(registry, present);
    objects(registry, present);
    let mut text = String::new();
    match encode(&mut text, &root) {
        Ok(()) => text,
        // Writing to a string fails only when a value's own formatting does.
        Err(error) => format!("# {error}\n# EOF\n"),
    }
}

type Labels = Vec<(String, String)>;
type Gauges = Family<Labels, Gauge<f64, AtomicU64>>;
type Counters = Family<Labels, Counter>;

fn announcements(registry: &mut Registry, shown: &Shown) {
    let help = "Addresses of services by how they are announced and how they stand on this node";
    let states = gauges(registry, "announcements", help);
    for ((protocol, state), count) in &shown.counts {
        let labels = [
            ("protocol", (*protocol).to_owned()),
            ("state", (*state).to_owned()),
        ];
        set(&states, labels, number(*count));
    }
    let help = "1 for every address that this node announces";
    let announced = gauges(registry, "announced_address", help);
    for address in &shown.announced {
        set(&announced, [("address", address.to_string())], 1.0);
    }
}

fn links(registry: &mut Registry, sight: &Sight, noted: &Noted) {
    let owned = gauges(
        registry,
        "l2_owned_shards",
        "Shards of the election that this node has",
    );
    let nodes = gauges(
        registry,
        "l2_nodes_heard",
        "Other nodes that the election hears",
    );
    let left_out = gauges(
        registry,
        "l2_groups_left_out",
        "Groups that are more than a beat can carry, so that no node has their addresses",
    );
    for segment in &sight.segments {
        let shards = segment.shards.iter().filter(|it| it.owned_for.is_some());
        let interface = || [("interface", segment.interface.clone())];
        set(&owned, interface(), number(shards.count()));
        set(&nodes, interface(), number(segment.status.nodes.len()));
        let count = usize::try_from(segment.status.counters.groups_left_out);
        set(&left_out, interface(), number(count.unwrap_or(usize::MAX)));
    }
    let help = "Shards that came here because their owner fell silent";
    let takeovers = counters(registry, "l2_takeovers", help);
    let counts = noted
        .takeovers
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    for (interface, count) in &*counts {
        count_up(&takeovers, [("interface", interface.clone())], *count);
    }
    let help = "Sightings of another station that uses an address of ours";
    let conflicts: Counter = Counter::default();
    conflicts.inc_by(noted.conflicts.load(Ordering::Relaxed));
    registry.register("conflicts", help, conflicts);
    let active = gauges(
        registry,
        "vrrp_active",
        "1 when this node is Active in a virtual router",
    );
    for router in &sight.routers {
        let labels = [
            ("router", router.name.to_string()),
            ("interface", router.interface.clone()),
        ];
        set(&active, labels, flag(router.state == vrrp::State::Active));
    }
}

fn sessions(registry: &mut Registry, sight: &Sight) {
    let up = gauges(
        registry,
        "bgp_session_up",
        "1 when the session with a peer is established",
    );
    let flaps = counters(
        registry,
        "bgp_session_flaps",
        "Established sessions that ended",
    );
    let help = "Paths that a peer has been told of";
    let routes = gauges(registry, "bgp_advertised_routes", help);
    for peer in &sight.bgp.peers {
        let name = || ("peer", peer.name.to_string());
        set(&up, [name()], flag(peer.state == State::Established));
        count_up(&flaps, [name()], peer.flaps);
        for (family, status) in peer.families.iter().filter(|(_, it)| it.enabled) {
            let labels = [name(), ("family", family.to_string())];
            set(&routes, labels, number(status.advertised));
        }
    }
}

fn pods(registry: &mut Registry, present: &Present<'_>) {
    let help = "1 for each pod CIDR of this node that it announces, 0 for one that it does not";
    let announced = gauges(registry, "pod_cidr_announced", help);
    for row in &present.pods.rows {
        let labels = [("cidr", row.cidr.to_string())];
        set(&announced, labels, flag(row.here.is_ok()));
    }
    let help = "Learned routes to pods by how they stand in the kernel";
    let routes = gauges(registry, "kernel_routes", help);
    if let Some(status) = &present.sight.kernel {
        let states = [
            ("installed", status.installed),
            ("refused", status.refused.len()),
            ("leftover", status.leftovers),
        ];
        for (state, count) in states {
            set(&routes, [("state", state.to_owned())], number(count));
        }
    }
}

fn objects(registry: &mut Registry, present: &Present<'_>) {
    let help = "Objects of a kind that cannot be used as they are";
    let refused = gauges(registry, "objects_refused", help);
    let mut by_kind: BTreeMap<&str, usize> = BTreeMap::new();
    for problem in present.problems.iter().filter(|it| it.is_error()) {
        *by_kind.entry(problem.kind).or_default() += 1;
    }
    for (kind, count) in by_kind {
        set(&refused, [("kind", kind.to_owned())], number(count));
    }
    let help = "1 while the watch of a kind is interrupted; announcing goes on";
    let interrupted = gauges(registry, "watch_interrupted", help);
    for kind in present.interrupted {
        set(&interrupted, [("kind", (*kind).to_owned())], 1.0);
    }
}

fn gauges(registry: &mut Registry, name: &str, help: &str) -> Gauges {
    let gauges = Gauges::default();
    registry.register(name, help, gauges.clone());
    gauges
}

fn counters(registry: &mut Registry, name: &str, help: &str) -> Counters {
    let counters = Counters::default();
    registry.register(name, help, counters.clone());
    counters
}

fn set<const N: usize>(gauges: &Gauges, labels: [(&str, String); N], value: f64) {
    gauges.get_or_create(&owned(labels)).set(value);
}

fn count_up<const N: usize>(counters: &Counters, labels: [(&str, String); N], value: u64) {
    counters.get_or_create(&owned(labels)).inc_by(value);
}

fn owned<const N: usize>(labels: [(&str, String); N]) -> Labels {
    let labels = labels.into_iter();
    labels
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn flag(is_set: bool) -> f64 {
    if is_set { 1.0 } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "metrics are 64-bit floats")]
fn number(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
