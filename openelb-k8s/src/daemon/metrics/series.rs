//! Families of time series: how they are registered, labelled and given numbers.

use std::sync::atomic::AtomicU64;

use openelb_ipam::AddressCount;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

pub(super) type Labels = Vec<(String, String)>;
pub(super) type Gauges = Family<Labels, Gauge<f64, AtomicU64>>;
pub(super) type Counters = Family<Labels, Counter>;

pub(super) fn gauges(registry: &mut Registry, name: &str, help: &str) -> Gauges {
    let gauges = Gauges::default();
    registry.register(name, help, gauges.clone());
    gauges
}

pub(super) fn gauge(registry: &mut Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::default();
    registry.register(name, help, gauge.clone());
    gauge
}

pub(super) fn counters(registry: &mut Registry, name: &str, help: &str) -> Counters {
    let counters = Counters::default();
    registry.register(name, help, counters.clone());
    counters
}

pub(super) fn labels<const N: usize>(labels: [(&str, &str); N]) -> Labels {
    let owned = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
    owned.to_vec()
}

/// 2^128 has no exact place in a metric; 53 bits of it are enough for a graph.
pub(super) fn as_f64(count: AddressCount) -> f64 {
    count.to_string().parse().unwrap_or(f64::NAN)
}

#[expect(clippy::cast_precision_loss, reason = "metrics are 64-bit floats")]
pub(super) fn count_as_f64(count: u64) -> f64 {
    count as f64
}
