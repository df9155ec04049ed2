//! The metrics page, made from the status at each scrape: it cannot drift from the records.

mod bgp;
mod link;
mod prefix;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::engine::{FamilyUse, StatusReport};

/// The page in the `OpenMetrics` text format.
pub(super) fn page(status: &StatusReport) -> String {
    let mut registry = Registry::with_prefix("openelb");
    pools(&mut registry, status);
    services(&mut registry, status);
    announcements(&mut registry, status);
    if let Some(election) = &status.election {
        link::election(&mut registry, election);
    }
    if let Some(vrrp) = &status.vrrp {
        link::vrrp(&mut registry, vrrp);
    }
    if let Some(bgp) = &status.bgp {
        bgp::register(&mut registry, bgp);
    }
    if !status.prefixes.is_empty() {
        prefix::register(&mut registry, &status.prefixes);
    }
    process(&mut registry, status);
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => text,
        // Writing to a string fails only when a value's own formatting does.
        Err(error) => format!("# {error}\n# EOF\n"),
    }
}

type Labels = Vec<(String, String)>;
/// Name, help and value of a metric of pools.
type Column = (&'static str, &'static str, fn(&FamilyUse) -> &String);
type Gauges = Family<Labels, Gauge<f64, AtomicU64>>;

fn pools(registry: &mut Registry, status: &StatusReport) {
    for (name, help, column) in COLUMNS {
        let gauges = gauges(registry, &format!("pool_{name}"), help);
        for pool in &status.pools {
            for usage in &pool.families {
                let labels = [
                    ("pool", pool.name.to_string()),
                    ("family", usage.family.clone()),
                ];
                // 2^128 has no exact place in a metric; 53 bits of it are enough for a graph.
                let value = column(usage).parse().unwrap_or(f64::NAN);
                set(&gauges, labels, value);
            }
        }
    }
}

fn services(registry: &mut Registry, status: &StatusReport) {
    let gauges = gauges(
        registry,
        "services",
        "Services of the configuration by state",
    );
    let words = status
        .services
        .iter()
        .map(|service| format!("{:?}", service.state));
    for (state, count) in count(words) {
        set(&gauges, [("state", state)], count);
    }
}

fn announcements(registry: &mut Registry, status: &StatusReport) {
    let gauges = gauges(registry, "announcements", "Announced addresses by state");
    let words = status
        .announcements
        .iter()
        .map(|announcement| announcement.state.clone());
    for (state, count) in count(words) {
        set(&gauges, [("state", state)], count);
    }
    counter(
        registry,
        "conflicts",
        "Conflicts seen on the network",
        status.conflicts,
    );
}

fn process(registry: &mut Registry, status: &StatusReport) {
    let simple = [
        (
            "generation",
            "Changes that led to the present allocations",
            as_f64(status.generation),
        ),
        (
            "store_read_only",
            "1 when the store cannot be written",
            flag(status.read_only.is_some()),
        ),
        (
            "config_last_reload_successful",
            "1 when the files are the configuration in force",
            flag(status.config.errors.is_empty()),
        ),
    ];
    for (name, help, value) in simple {
        let gauge: Gauge<f64, AtomicU64> = Gauge::default();
        gauge.set(value);
        registry.register(name, help, gauge);
    }
    counter(
        registry,
        "config_loads",
        "Configurations put in force",
        status.config.loads,
    );
    counter(
        registry,
        "config_refusals",
        "Configurations refused",
        status.config.refusals,
    );
    let build = gauges(registry, "build_info", "Always 1; the version is the label");
    set(&build, [("version", status.version.clone())], 1.0);
}

fn gauges(registry: &mut Registry, name: &str, help: &str) -> Gauges {
    let gauges = Gauges::default();
    registry.register(name, help, gauges.clone());
    gauges
}

fn counter(registry: &mut Registry, name: &str, help: &str, value: u64) {
    let counter: Counter<u64, AtomicU64> = Counter::default();
    counter.inc_by(value);
    registry.register(name, help, counter);
}

fn set<const N: usize>(gauges: &Gauges, labels: [(&str, String); N], value: f64) {
    let labels = labels.map(|(name, value)| (name.to_owned(), value));
    gauges.get_or_create(&labels.to_vec()).set(value);
}

fn count(words: impl Iterator<Item = String>) -> BTreeMap<String, f64> {
    words.fold(BTreeMap::new(), |mut counts, word| {
        *counts.entry(word).or_insert(0.0) += 1.0;
        counts
    })
}

fn flag(is_set: bool) -> f64 {
    if is_set { 1.0 } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "metrics are 64-bit floats")]
fn as_f64(value: u64) -> f64 {
    value as f64
}

const COLUMNS: [Column; 9] = [
    (
        "capacity_addresses",
        "Addresses the pool can give at all",
        |pool| &pool.capacity,
    ),
    ("free_addresses", "Addresses it can give now", |pool| {
        &pool.free
    }),
    ("used_addresses", "Addresses that owners hold", |pool| {
        &pool.used
    }),
    (
        "reserved_addresses",
        "Addresses held for open reservations",
        |pool| &pool.reserved,
    ),
    (
        "cooling_addresses",
        "Addresses released a short time ago",
        |pool| &pool.cooling,
    ),
    (
        "quarantined_addresses",
        "Addresses seen in use by strangers",
        |pool| &pool.quarantined,
    ),
    (
        "orphaned_addresses",
        "Addresses in use outside the edited pool",
        |pool| &pool.orphaned,
    ),
    (
        "free_runs",
        "Runs of free addresses; 1 is unfragmented",
        |pool| &pool.free_runs,
    ),
    (
        "largest_free_run_addresses",
        "Length of the longest run",
        |pool| &pool.largest_free_run,
    ),
];
