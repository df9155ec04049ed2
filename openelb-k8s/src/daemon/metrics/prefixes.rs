//! What the prefixes of the cluster show of themselves.

use openelb_ipam::Time;
use prometheus_client::registry::Registry;

use super::series::{Gauges, count_as_f64, gauges, labels};
use crate::api::{DynamicPrefix, DynamicPrefixStatus};
use crate::follow;

/// One family of series for each figure.
#[derive(Debug)]
pub(super) struct Prefixes(Vec<(Gauges, Figure)>);

impl Prefixes {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let figures = FIGURES.into_iter();
        let figures = figures.map(|(name, help, figure)| (gauges(registry, name, help), figure));
        Self(figures.collect())
    }

    pub(super) fn show(&self, prefixes: &[&DynamicPrefix], now: Time) {
        for (gauges, figure) in &self.0 {
            gauges.clear();
            for object in prefixes {
                if let Some(value) = figure(&object.status, now) {
                    let labels = labels([("prefix", &object.metadata.name)]);
                    gauges.get_or_create(&labels).set(value);
                }
            }
        }
    }
}

/// What a prefix shows of itself; nothing where it has nothing to show.
type Figure = fn(&DynamicPrefixStatus, Time) -> Option<f64>;

const FIGURES: [(&str, &str, Figure); 5] = [
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
