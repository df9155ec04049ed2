//! What to do so that the kernel holds what is wanted: a pure comparison.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use crate::link::routes::{Entry, Hop};

/// One step. They are independent of each other; those that add come first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// There is none of ours to the destination with our metric.
    Add(Entry),
    /// There are others than the wanted one.
    Change {
        /// What is there, all of which goes.
        from: Vec<Entry>,
        /// What shall be.
        to: Entry,
    },
    /// Nobody wants it.
    Remove(Entry),
}

/// Compares what is `wanted`, with `metric`, with what is `held` under our protocol number.
///
/// Of the destinations in `spared`, which a former process left, nothing is taken away yet, neither
/// routes nor neighbours: who still learns what to want does not know all of it. O(n log n).
pub(super) fn plan(
    wanted: &BTreeMap<IpNet, BTreeSet<Hop>>,
    held: Vec<Entry>,
    metric: u32,
    spared: &BTreeSet<IpNet>,
) -> Vec<Step> {
    let mut there: BTreeMap<IpNet, Vec<Entry>> = BTreeMap::new();
    let mut removals = Vec::new();
    for entry in held {
        let is_spared = spared.contains(&entry.destination);
        if entry.metric == metric && wanted.contains_key(&entry.destination) {
            there.entry(entry.destination).or_default().push(entry);
        } else if !is_spared {
            removals.push(Step::Remove(entry));
        }
    }
    let mut steps = Vec::new();
    for (destination, hops) in wanted {
        let entries = there.remove(destination).unwrap_or_default();
        let mut hops = hops.clone();
        if spared.contains(destination) {
            hops.extend(entries.iter().flat_map(|entry| &entry.hops));
        }
        let to = Entry::new(*destination, metric, &hops);
        steps.extend(step(entries, to));
    }
    steps.extend(removals);
    steps
}

/// The step from the entries of one destination to the one that is wanted, if any is needed.
fn step(entries: Vec<Entry>, to: Entry) -> Option<Step> {
    if entries.is_empty() {
        return Some(Step::Add(to));
    }
    let hops = to.hop_set();
    let is_other = |entry: &Entry| entry.is_odd || entry.hop_set() != hops;
    let is_there = entries.iter().any(|entry| !is_other(entry));
    let from: Vec<_> = entries.into_iter().filter(is_other).collect();
    (!is_there || !from.is_empty()).then_some(Step::Change { from, to })
}

#[cfg(test)]
mod tests;
