//! The prefixes of nodes.

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::series::{Gauges, count_as_f64, gauge, gauges, labels};
use crate::node_cidrs::Standing;

/// Nodes of a pod network, and what is on record for them.
#[derive(Debug)]
pub(super) struct Pods {
    nodes: Gauges,
    records: Gauge,
    conflicts: Gauge,
}

impl Pods {
    pub(super) fn new(registry: &mut Registry) -> Self {
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

    pub(super) fn show(&self, standing: Option<Standing>) {
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
