//! The controller's metrics: what it counts, and what the machine shows at the moment of a scrape.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use openelb_ipam::ipam::Usage;
use openelb_ipam::relative::Projection;
use openelb_ipam::{AddressCount, Family, Ipam, Time};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family as MetricFamily;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::api::{DynamicPrefix, DynamicPrefixStatus};
use crate::controller::Kind;
use crate::follow;
use crate::node_cidrs::Standing;

/// The controller's metrics.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    latency: Histogram,
    writes: Counters,
    warnings: Counters,
    unreadable: Counters,
    interruptions: Counters,
    pools: Vec<(Gauges, Column)>,
    former: Option<Former>,
    services: Gauges,
    addresses: Gauges,
    prefixes: Vec<(Gauges, PrefixFigure)>,
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
            pools: COLUMNS
                .into_iter()
                .map(|column| (gauges(registry, column.name, column.help), column))
                .collect(),
            prefixes: PREFIXES
                .into_iter()
                .map(|(name, help, figure)| (gauges(registry, name, help), figure))
                .collect(),
            services: gauges(
                registry,
                "services",
                "Services by whether they have what they ask for",
            ),
            addresses: gauges(
                registry,
                "service_address",
                "1 for each address that a Service has",
            ),
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
        for (gauges, column) in &self.pools {
            // Pools that are gone must not stay.
            gauges.clear();
            for (pool, family, usage) in usages(ipam) {
                let family = family.to_string();
                let labels = labels([("pool", pool), ("family", &family)]);
                gauges
                    .get_or_create(&labels)
                    .set(as_f64((column.value)(&usage)));
            }
        }
        let waiting = ipam.waiting().count();
        for (state, count) in [("allocated", ipam.owner_count()), ("waiting", waiting)] {
            let gauge = self.services.get_or_create(&labels([("state", state)]));
            gauge.set(count_as_f64(count as u64));
        }
        self.addresses.clear();
        for claim in ipam.allocations().flat_map(|row| row.claims) {
            for address in present.view.show(claim.address).addresses() {
                let address = address.to_string();
                let labels = labels([("pool", &*claim.pool), ("address", &address)]);
                self.addresses.get_or_create(&labels).set(1.0);
            }
        }
        self.pods.show(present.pods);
        for (gauges, figure) in &self.prefixes {
            gauges.clear();
            for object in &present.prefixes {
                if let Some(value) = figure(&object.status, present.now) {
                    let labels = labels([("prefix", &object.metadata.name)]);
                    gauges.get_or_create(&labels).set(value);
                }
            }
        }
        self.leader.set(i64::from(present.leads));
        let dropped = i64::try_from(present.dropped_events);
        self.dropped.set(dropped.unwrap_or(i64::MAX));
        if let Some(former) = &self.former {
            former.show(ipam);
        }
    }
}

/// The prefixes of nodes.
#[derive(Debug)]
struct Pods {
    nodes: Gauges,
    records: Gauge,
    conflicts: Gauge,
}

impl Pods {
    fn new(registry: &mut Registry) -> Self {
        let help = "Nodes of the pod network by whether they have pod CIDRs";
        let nodes = gauges(registry, "pod_network_nodes", help);
        let records = gauge(
            registry,
            "pod_network_records",
            "Prefixes of nodes on record",
        );
        let help = "Pairs of nodes whose pod CIDRs overlap";
        let conflicts = gauge(registry, "pod_network_conflicts", help);
        Self {
            nodes,
            records,
            conflicts,
        }
    }

    fn show(&self, standing: Option<Standing>) {
        self.nodes.clear();
        let is_there = standing.is_some();
        let standing = standing.unwrap_or_default();
        let missing = standing.nodes.saturating_sub(standing.assigned);
        let states = [
            ("assigned", standing.assigned),
            ("exhausted", standing.waiting),
            ("unassigned", missing.saturating_sub(standing.waiting)),
        ];
        for (state, count) in states.into_iter().filter(|_| is_there) {
            let gauge = self.nodes.get_or_create(&labels([("state", state)]));
            gauge.set(count_as_f64(count as u64));
        }
        let whole = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.records.set(whole(standing.records));
        self.conflicts.set(whole(standing.clashes));
    }
}

/// The metrics of `OpenELB`, under its names, with the values that the names promise: its own were
/// registered and never set.
#[derive(Debug)]
struct Former {
    addresses: Gauges,
    in_use: Gauges,
    services: Gauges,
}

impl Former {
    fn new(registry: &mut Registry) -> Self {
        Self {
            addresses: gauges(registry, "addresses_total", "Addresses of an Eip"),
            in_use: gauges(
                registry,
                "addresses_in_use_total",
                "Addresses of an Eip in use",
            ),
            services: gauges(
                registry,
                "services_allocated_total",
                "Services with an address of an Eip",
            ),
        }
    }

    fn show(&self, ipam: &Ipam) {
        for gauges in [&self.addresses, &self.in_use, &self.services] {
            gauges.clear();
        }
        for (pool, _, usage) in usages(ipam) {
            let labels = labels([("eipName", pool)]);
            // Both families of a pool are one Eip.
            for (gauges, count) in [
                (&self.addresses, usage.capacity),
                (&self.in_use, usage.used),
            ] {
                gauges.get_or_create(&labels).inc_by(as_f64(count));
            }
        }
        for row in ipam.allocations() {
            let pools: BTreeSet<_> = row
                .claims
                .iter()
                .map(|claim| claim.pool.to_string())
                .collect();
            for pool in &pools {
                let labels = labels([("eipName", pool.as_str())]);
                self.services.get_or_create(&labels).inc();
            }
        }
    }
}

type Labels = Vec<(String, String)>;
type Gauges = MetricFamily<Labels, Gauge<f64, AtomicU64>>;
type Counters = MetricFamily<Labels, Counter>;

/// One number of each pool and family.
#[derive(Debug, Clone, Copy)]
struct Column {
    name: &'static str,
    help: &'static str,
    value: fn(&Usage) -> AddressCount,
}

/// What each pool has of each family that it has.
fn usages(ipam: &Ipam) -> impl Iterator<Item = (&str, Family, Usage)> {
    ipam.pools().flat_map(move |pool| {
        let name: &str = pool.name();
        let of = move |family| Some((name, family, ipam.usage(name, family)?));
        let usages = Family::ALL.into_iter().filter_map(of);
        usages.filter(|(_, _, usage)| !usage.capacity.is_zero() || !usage.orphaned.is_zero())
    })
}

fn gauges(registry: &mut Registry, name: &str, help: &str) -> Gauges {
    let gauges = Gauges::default();
    registry.register(name, help, gauges.clone());
    gauges
}

fn gauge(registry: &mut Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::default();
    registry.register(name, help, gauge.clone());
    gauge
}

fn counters(registry: &mut Registry, name: &str, help: &str) -> Counters {
    let counters = Counters::default();
    registry.register(name, help, counters.clone());
    counters
}

fn of_kind(kind: Kind) -> Labels {
    let kind = format!("{kind:?}");
    labels([("kind", kind.as_str())])
}

fn labels<const N: usize>(labels: [(&str, &str); N]) -> Labels {
    let owned = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
    owned.to_vec()
}

/// 2^128 has no exact place in a metric; 53 bits of it are enough for a graph.
fn as_f64(count: AddressCount) -> f64 {
    count.to_string().parse().unwrap_or(f64::NAN)
}

#[expect(clippy::cast_precision_loss, reason = "metrics are 64-bit floats")]
fn count_as_f64(count: u64) -> f64 {
    count as f64
}

/// What a prefix shows of itself; nothing where it has nothing to show.
type PrefixFigure = fn(&DynamicPrefixStatus, Time) -> Option<f64>;

const PREFIXES: [(&str, &str, PrefixFigure); 5] = [
    (
        "prefix_generation",
        "How many prefixes have been in use one after the other; 0 while none is known",
        |status, _| {
            let count = status.renumbered + 1;
            Some(
                status
                    .preferred
                    .as_ref()
                    .map_or(0.0, |_| count_as_f64(count)),
            )
        },
    ),
    (
        "prefix_valid_seconds",
        "How long the prefix in use is valid, at least; absent for one without an end",
        |status, now| {
            let until = status.preferred.as_ref()?.valid_until.as_deref()?;
            Some((follow::time(until)? - now).as_secs_f64())
        },
    ),
    (
        // The name of a counter; its value is the status', which outlives this process.
        "prefix_renumber_total",
        "How often another prefix came into use",
        |status, _| Some(count_as_f64(status.renumbered)),
    ),
    (
        "prefix_deprecated",
        "Former prefixes that are still served",
        |status, _| Some(count_as_f64(status.deprecated.len() as u64)),
    ),
    (
        "prefix_degraded",
        "1 while no source vouches for the prefix in use, or another object has it",
        |status, _| {
            let mut conditions = status.conditions.iter();
            let is_degraded = conditions.any(|it| it.kind == "Degraded" && it.status == "True");
            Some(f64::from(u8::from(is_degraded)))
        },
    ),
];

const COLUMNS: [Column; 6] = [
    Column {
        name: "pool_capacity_addresses",
        help: "Addresses the pool can give at all",
        value: |usage| usage.capacity,
    },
    Column {
        name: "pool_free_addresses",
        help: "Addresses it can give now",
        value: |usage| usage.free,
    },
    Column {
        name: "pool_used_addresses",
        help: "Addresses that Services hold",
        value: |usage| usage.used,
    },
    Column {
        name: "pool_cooling_addresses",
        help: "Addresses released a short time ago",
        value: |usage| usage.cooling,
    },
    Column {
        name: "pool_quarantined_addresses",
        help: "Addresses seen in use by strangers",
        value: |usage| usage.quarantined,
    },
    Column {
        name: "pool_orphaned_addresses",
        help: "Addresses in use outside the edited pool",
        value: |usage| usage.orphaned,
    },
];

#[cfg(test)]
mod tests {
    use openelb_ipam::dynamic_prefix::{Generation, Generations};
    use openelb_ipam::relative::{Projection, RelativeRange};
    use openelb_ipam::{Family, Ipam, Owner, PoolSpec, Request, Time};

    use super::{Duration, Metrics, Present, Standing};
    use crate::api::{Condition, DynamicPrefix, PrefixGeneration};

    #[test]
    fn openelb_52_a_page_shows_pools_services_and_what_was_counted() {
        let metrics = Metrics::new(false);
        metrics.wrote("Service", "done");
        metrics.warned("PoolExhausted");
        metrics.served_after(Duration::from_millis(3));
        let page = page(&metrics, true);
        for line in [
            r#"openelb_pool_capacity_addresses{pool="edge",family="IPv4"} 2.0"#,
            r#"openelb_pool_used_addresses{pool="edge",family="IPv4"} 1.0"#,
            r#"openelb_services{state="allocated"} 2.0"#,
            r#"openelb_service_address{pool="edge",address="192.0.2.1"} 1.0"#,
            r#"openelb_service_address{pool="moving",address="2001:db8:b::10"} 1.0"#,
            r#"openelb_service_address{pool="moving",address="2001:db8:a::10"} 1.0"#,
            r#"openelb_services{state="waiting"} 0.0"#,
            r#"openelb_api_writes_total{kind="Service",outcome="done"} 1"#,
            r#"openelb_refusals_total{reason="PoolExhausted"} 1"#,
            r#"openelb_prefix_generation{prefix="home"} 2.0"#,
            r#"openelb_prefix_valid_seconds{prefix="home"} 3600.0"#,
            r#"openelb_prefix_renumber_total{prefix="home"} 1.0"#,
            r#"openelb_prefix_deprecated{prefix="home"} 0.0"#,
            r#"openelb_prefix_degraded{prefix="home"} 1.0"#,
            "openelb_reconcile_seconds_count 1",
            "openelb_leader 1",
            r#"openelb_pod_network_nodes{state="assigned"} 1.0"#,
            r#"openelb_pod_network_nodes{state="exhausted"} 1.0"#,
            r#"openelb_pod_network_nodes{state="unassigned"} 1.0"#,
            "openelb_pod_network_records 2",
        ] {
            assert!(page.contains(line), "{line}\n{page}");
        }
        assert!(!page.contains("addresses_in_use_total"));
        assert_eq!(page.matches("openelb_service_address{").count(), 3);
    }

    #[test]
    fn the_names_of_openelb_have_the_values_that_they_promise() {
        let page = page(&Metrics::new(true), false);
        for line in [
            r#"addresses_total{eipName="edge"} 2.0"#,
            r#"addresses_in_use_total{eipName="edge"} 1.0"#,
            r#"services_allocated_total{eipName="edge"} 1.0"#,
        ] {
            let is_there = page.lines().any(|it| it == line);
            assert!(is_there, "{line}\n{page}");
        }
    }

    #[test]
    fn a_pool_that_is_gone_is_not_shown() {
        let metrics = Metrics::new(true);
        page(&metrics, true);
        let page = metrics.page(&Present {
            ipam: &Ipam::new(),
            pods: None,
            leads: true,
            dropped_events: 0,
            prefixes: vec![&home()],
            view: &Projection::default(),
            now: Time(0),
        });
        assert!(!page.contains("edge"), "{page}");
    }

    /// A prefix that was renumbered once, and is valid for an hour.
    fn home() -> DynamicPrefix {
        let mut home = DynamicPrefix::new("home", Vec::new());
        home.status.renumbered = 1;
        home.status.conditions.push(Condition {
            kind: "Degraded".into(),
            status: "True".into(),
            ..Condition::default()
        });
        home.status.preferred = Some(PrefixGeneration {
            valid_until: Some("1970-01-01T01:00:00Z".into()),
            ..PrefixGeneration::default()
        });
        home
    }

    fn page(metrics: &Metrics, leads: bool) -> String {
        let mut ipam = Ipam::new();
        let range: RelativeRange = "home/::10".parse().unwrap();
        let pools = [
            PoolSpec::new("edge".parse().unwrap(), ["192.0.2.0/30"]),
            PoolSpec::new("moving".parse().unwrap(), [&*range.in_ledger().to_string()]),
        ];
        let plan = ipam.plan_pools(&pools).unwrap();
        ipam.apply_pools(plan, Time(0)).unwrap();
        for (owner, family) in [("web", Family::V4), ("six", Family::V6)] {
            let owner: Owner = format!("service/shop/{owner}").parse().unwrap();
            ipam.allocate(&owner, &Request::single(family), Time(0))
                .unwrap();
        }
        let known = |prefix: &str| Generation::new(prefix.parse().unwrap(), Time(0));
        let mut view = Projection::default();
        let generations = Generations {
            preferred: Some(known("2001:db8:b::/64")),
            deprecated: vec![known("2001:db8:a::/64")],
        };
        view.insert(range.prefix().clone(), generations).unwrap();
        metrics.page(&Present {
            ipam: &ipam,
            pods: Some(Standing {
                nodes: 3,
                assigned: 1,
                waiting: 1,
                records: 2,
                clashes: 0,
            }),
            leads,
            dropped_events: 0,
            prefixes: vec![&home()],
            view: &view,
            now: Time(0),
        })
    }
}
