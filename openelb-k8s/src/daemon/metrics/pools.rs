//! What each pool has, under our names and under those of `OpenELB`.

use std::collections::BTreeSet;

use openelb_ipam::ipam::Usage;
use openelb_ipam::{AddressCount, Family, Ipam};
use prometheus_client::registry::Registry;

use super::series::{Gauges, as_f64, gauges, labels};

/// One family of series for each number of a pool.
#[derive(Debug)]
pub(super) struct Pools(Vec<(Gauges, Column)>);

impl Pools {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let columns = COLUMNS.into_iter();
        let columns = columns.map(|column| (gauges(registry, column.name, column.help), column));
        Self(columns.collect())
    }

    pub(super) fn show(&self, ipam: &Ipam) {
        for (gauges, column) in &self.0 {
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
    }
}

/// The metrics of `OpenELB`, under its names, with the values that the names promise: its own were
/// registered and never set.
#[derive(Debug)]
pub(super) struct Former {
    addresses: Gauges,
    in_use: Gauges,
    services: Gauges,
}

impl Former {
    pub(super) fn new(registry: &mut Registry) -> Self {
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

    pub(super) fn show(&self, ipam: &Ipam) {
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
