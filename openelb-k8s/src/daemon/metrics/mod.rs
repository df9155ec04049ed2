//! The controller's metrics: what it counts, and what the machine shows at the moment of a scrape.

mod addresses;
mod pods;
mod pools;
mod prefixes;
mod series;
#[cfg(test)]
mod tests;

use std::time::Duration;

use openelb_ipam::relative::Projection;
use openelb_ipam::{Ipam, Time};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::api::DynamicPrefix;
use crate::controller::Kind;
use crate::node_cidrs::Standing;
use addresses::Addresses;
use pods::Pods;
use pools::{Former, Pools};
use prefixes::Prefixes;
use series::{Counters, Gauges, Labels, count_as_f64, counters, gauge, gauges, labels};

/// The controller's metrics.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    latency: Histogram,
    writes: Counters,
    warnings: Counters,
    unreadable: Counters,
    interruptions: Counters,
    pools: Pools,
    former: Option<Former>,
    services: Gauges,
    addresses: Addresses,
    prefixes: Prefixes,
    leader: Gauge,
    dropped: Gauge,
    pods: Pods,
}

/// What is shown as it is at the moment of a scrape.
#[derive(Debug)]
pub(super) struct Present<'a> {
    pub(super) ipam: &'a Ipam,
    /// `None` without a `PodNetwork`.
    pub(super) pods: Option<Standing>,
    pub(super) leads: bool,
    pub(super) dropped_events: u64,
    pub(super) prefixes: Vec<&'a DynamicPrefix>,
    /// How addresses that follow a prefix are shown.
    pub(super) view: &'a Projection,
    pub(super) now: Time,
}

impl Metrics {
    /// Metrics with nothing counted; `with_former_names`: those of `OpenELB` as well.
    pub(super) fn new(with_former_names: bool) -> Self {
        let mut root = Registry::default();
        let former = with_former_names.then(|| Former::new(&mut root));
        let registry = root.sub_registry_with_prefix("openelb");
        let latency = Histogram::new(exponential_buckets(0.001, 2.0, 16));
        let help = "From the event of a Service without an address to the answer to the write of its status";
        registry.register("reconcile_seconds", help, latency.clone());
        let build = gauges(registry, "build_info", "Always 1; the version is the label");
        build
            .get_or_create(&labels([("version", env!("CARGO_PKG_VERSION"))]))
            .set(1.0);
        Self {
            latency,
            writes: counters(
                registry,
                "api_writes",
                "Writes to the API server by kind and outcome",
            ),
            warnings: counters(
                registry,
                "refusals",
                "Warnings about Services and pools by reason",
            ),
            unreadable: counters(
                registry,
                "unreadable_objects",
                "Objects met that are no valid ones of their kind",
            ),
            interruptions: counters(
                registry,
                "watch_interruptions",
                "Times a watch could not go on at once",
            ),
            pools: Pools::new(registry),
            prefixes: Prefixes::new(registry),
            services: gauges(
                registry,
                "services",
                "Services by whether they have what they ask for",
            ),
            addresses: Addresses::new(registry),
            leader: gauge(registry, "leader", "1 while this controller leads"),
            dropped: gauge(
                registry,
                "events_dropped",
                "Events not sent because too many waited",
            ),
            pods: Pods::new(registry),
            registry: root,
            former,
        }
    }

    /// A write ended.
    pub(super) fn wrote(&self, kind: &'static str, outcome: &'static str) {
        let labels = labels([("kind", kind), ("outcome", outcome)]);
        self.writes.get_or_create(&labels).inc();
    }

    /// Somebody was warned about an object.
    pub(super) fn warned(&self, reason: &str) {
        self.warnings
            .get_or_create(&labels([("reason", reason)]))
            .inc();
    }

    /// An object is no valid one of its kind.
    pub(super) fn unreadable(&self, kind: Kind) {
        self.unreadable.get_or_create(&of_kind(kind)).inc();
    }

    /// A watch could not go on.
    pub(super) fn interrupted(&self, kind: Kind) {
        self.interruptions.get_or_create(&of_kind(kind)).inc();
    }

    /// A Service that came without an address has one.
    pub(super) fn served_after(&self, wait: Duration) {
        self.latency.observe(wait.as_secs_f64());
    }

    /// The page in the `OpenMetrics` text format.
    pub(super) fn page(&self, present: &Present<'_>) -> String {
        self.show(present);
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            // Writing to a string fails only when a value's own formatting does.
            Err(error) => format!("# {error}\n# EOF\n"),
        }
    }

    fn show(&self, present: &Present<'_>) {
        let ipam = present.ipam;
        self.pools.show(ipam);
        let waiting = ipam.waiting().count();
        for (state, count) in [("allocated", ipam.owner_count()), ("waiting", waiting)] {
            let gauge = self.services.get_or_create(&labels([("state", state)]));
            gauge.set(count_as_f64(count as u64));
        }
        self.addresses.show(ipam, present.view);
        self.pods.show(present.pods);
        self.prefixes.show(&present.prefixes, present.now);
        self.leader.set(i64::from(present.leads));
        let dropped = i64::try_from(present.dropped_events);
        self.dropped.set(dropped.unwrap_or(i64::MAX));
        if let Some(former) = &self.former {
            former.show(ipam);
        }
    }
}

fn of_kind(kind: Kind) -> Labels {
    let kind = format!("{kind:?}");
    labels([("kind", kind.as_str())])
}
