//! What a client lost, once and over many times.

use std::fmt;

use serde_json::{Value, json};

use super::super::trouble::Trouble;
use super::super::{Outcome, Scenario};
use super::watch::View;
use crate::lab::clock::millis;
use crate::lab::probe::StreamReport;

/// What a client lost once, per family: the first is IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub(super) struct Loss {
    v4: Family,
    v6: Family,
}

/// What a client lost once of one family.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
struct Family {
    /// Questions without an answer, of a thousand a second.
    packets: usize,
    /// The longest time without an answer.
    gap_us: u64,
}

impl Loss {
    /// What was lost in all views together: the most of each.
    pub(super) fn of(views: &[View]) -> Self {
        let most = |is_wanted: fn(&StreamReport) -> bool| {
            let reports = views.iter().flat_map(|view| &view.streams);
            let reports = reports.filter(|report| is_wanted(report));
            reports.fold(Family::default(), |most, report| Family {
                packets: most.packets.max(report.lost),
                gap_us: most.gap_us.max(report.longest_gap_us),
            })
        };
        Self {
            v4: most(|report| report.address.is_ipv4()),
            v6: most(|report| report.address.is_ipv6()),
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { v4, v6 } = self;
        let (gap_v4, gap_v6) = (millis(v4.gap_us), millis(v6.gap_us));
        write!(
            out,
            "lost {} packets of IPv4 ({gap_v4:.1} ms) and {} of IPv6 ({gap_v6:.1} ms)",
            v4.packets, v6.packets
        )
    }
}

/// The last step of a scene that was played many times.
pub(super) fn measure(play: &mut Scenario<'_>) -> Result<Outcome, Trouble> {
    let losses = &play.election.losses;
    if losses.is_empty() {
        return Err(Trouble::Unexpected {
            expected: "losses that were measured".to_owned(),
            seen: "none".to_owned(),
        });
    }
    let mut details = Vec::new();
    let mut facts = Vec::new();
    for (name, family) in FAMILIES {
        let gaps = Spread::of(losses.iter().map(|loss| family(loss).gap_us));
        let packets = Spread::of(losses.iter().map(|loss| family(loss).packets));
        details.push(format!(
            "{name}  without an answer: p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms; packets lost: p50 {}, p99 {}, max {}",
            millis(gaps.p50),
            millis(gaps.p99),
            millis(gaps.max),
            packets.p50,
            packets.p99,
            packets.max,
        ));
        facts.push(json!({ "family": name, "gap_us": gaps, "packets": packets }));
    }
    Ok(Outcome {
        summary: format!("{} times", losses.len()),
        details,
        facts: json!({ "times": losses.len(), "loss": Value::Array(facts), "each": losses }),
    })
}

/// Half of the values are at most `p50`, ninety-nine in a hundred at most `p99`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
struct Spread<T> {
    p50: T,
    p99: T,
    max: T,
}

impl<T: Copy + Default + Ord> Spread<T> {
    /// By nearest rank: each is one of the values. All zero when there is none.
    fn of(values: impl Iterator<Item = T>) -> Self {
        let mut sorted: Vec<T> = values.collect();
        sorted.sort_unstable();
        let at = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100);
            let found = sorted.get(rank.saturating_sub(1)).copied();
            found.unwrap_or_default()
        };
        Self {
            p50: at(50),
            p99: at(99),
            max: at(100),
        }
    }
}

type OfFamily = fn(&Loss) -> Family;

const FAMILIES: [(&str, OfFamily); 2] = [("IPv4", |loss| loss.v4), ("IPv6", |loss| loss.v6)];

#[cfg(test)]
mod tests;
