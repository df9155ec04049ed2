//! What is measured of the prefixes that addresses follow.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::{Labels, as_f64, flag, gauges, set};
use crate::engine::PrefixReport;

/// Every prefix: which generation it is in, for how long it may be used, and how often it changed.
pub(super) fn register(registry: &mut Registry, prefixes: &[PrefixReport]) {
    for (name, help, column) in COLUMNS {
        let gauges = gauges(registry, &format!("prefix_{name}"), help);
        for report in prefixes {
            set(
                &gauges,
                [("prefix", report.name.to_string())],
                column(report),
            );
        }
    }
    let renumbered: Family<Labels, Counter> = Family::default();
    for report in prefixes {
        let labels = vec![("prefix".to_owned(), report.name.to_string())];
        renumbered
            .get_or_create(&labels)
            .inc_by(report.explanation.renumbered);
    }
    let help = "How often another prefix took over";
    registry.register("prefix_renumber", help, renumbered);
}

/// Name, help and value of a measure of a prefix.
type Column = (&'static str, &'static str, fn(&PrefixReport) -> f64);

const COLUMNS: [Column; 4] = [
    (
        "generation",
        "Prefixes that it has been, the present one included",
        |it| as_f64(it.generation),
    ),
    (
        "valid_seconds",
        "For how long the present prefix may be used; +Inf for ever, 0 while none is known",
        |it| match (&it.explanation.generations.preferred, it.valid_seconds) {
            (None, _) => 0.0,
            (Some(_), None) => f64::INFINITY,
            (Some(_), Some(seconds)) => as_f64(seconds),
        },
    ),
    (
        "deprecated",
        "Former prefixes that are still served",
        |it| {
            it.explanation
                .generations
                .deprecated
                .iter()
                .map(|_| 1.0)
                .sum()
        },
    ),
    (
        "degraded",
        "1 while no source vouches for the prefix in use",
        |it| flag(it.explanation.degraded.is_some()),
    ),
];
