//! How often nodes announce and beat (I5).

use super::Invariant;
use super::owners::Found;
use crate::ownership::Shard;
use crate::sim::ownership::scenario::letter;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// What was sent unasked, and what there was reason for.
#[derive(Debug, Default)]
pub(super) struct Rates {
    announcements: BTreeMap<(usize, IpAddr), u64>,
    reasons: BTreeMap<(usize, Shard), u64>,
    /// How often somebody began to probe the addresses of a shard.
    probed: BTreeMap<Shard, u64>,
    beats: BTreeMap<usize, u64>,
    changes: BTreeMap<usize, u64>,
}

impl Rates {
    /// A node acquired a shard, or was asked to announce it again.
    pub(super) fn allow(&mut self, node: usize, shard: Shard) {
        *self.reasons.entry((node, shard)).or_default() += 1;
    }

    /// A node probes the addresses of a shard before it announces them; whoever owns them answers, and
    /// duplicate address detection is answered to everybody (RFC 4861 section 7.2.4).
    pub(super) fn probes(&mut self, shard: Shard) {
        *self.probed.entry(shard).or_default() += 1;
    }

    /// A node reported a change of what it owns or of its standing.
    pub(super) fn changed(&mut self, node: usize) {
        *self.changes.entry(node).or_default() += 1;
    }

    pub(super) fn announced(&mut self, node: usize, address: IpAddr) {
        *self.announcements.entry((node, address)).or_default() += 1;
    }

    pub(super) fn beat(&mut self, node: usize) {
        *self.beats.entry(node).or_default() += 1;
    }

    /// Judges a whole run that took `span`.
    pub(super) fn judge(
        &self,
        span: Duration,
        interval: Duration,
        shard_of: impl Fn(IpAddr) -> Option<Shard>,
    ) -> Found {
        let spans =
            |each: Duration| u64::try_from(span.as_nanos() / each.as_nanos()).unwrap_or(u64::MAX);
        for ((node, address), sent) in &self.announcements {
            let Some(shard) = shard_of(*address) else {
                continue;
            };
            let reasons = self.reasons.get(&(*node, shard)).copied().unwrap_or(0);
            let probed = self.probed.get(&shard).copied().unwrap_or(0);
            let rounds = reasons * ROUNDS + spans(REFRESH) + spans(DEFENCE) + 1;
            if *sent > FORMS * rounds + PROBES * probed {
                let what = format!(
                    "{} announced {address} {sent} times in {span:?}",
                    letter(*node)
                );
                return Some((Invariant::Paced, what));
            }
        }
        for (node, beats) in &self.beats {
            let changes = self.changes.get(node).copied().unwrap_or(0);
            if *beats > 2 * spans(interval) + TRIGGERED * (changes + 1) {
                let what = format!(
                    "{} beat {beats} times in {span:?}, with {changes} changes",
                    letter(*node)
                );
                return Some((Invariant::Paced, what));
            }
        }
        None
    }
}

/// An announcement goes out in two forms at most.
const FORMS: u64 = 2;
/// Announcements after each acquisition, and the gap of one second before the next may begin.
const ROUNDS: u64 = 3;
/// Probes for an address.
const PROBES: u64 = 3;
/// The least time between two refreshing announcements.
const REFRESH: Duration = Duration::from_secs(45);
/// The least time between two defences.
const DEFENCE: Duration = Duration::from_secs(10);
/// Beats that a change triggers.
const TRIGGERED: u64 = 3;
