//! Smaller scenarios that fail as well: easier to read than what the generator found.

use super::{Fault, Scenario};

impl Scenario {
    /// A smaller scenario for which `fails` still holds. Runs `fails` a few hundred times at most.
    #[must_use]
    pub fn shrunk(&self, mut fails: impl FnMut(&Self) -> bool) -> Self {
        let mut best = self.clone();
        for _ in 0..ROUNDS {
            let before = best.clone();
            for candidate in best.clone().simpler() {
                if fails(&candidate) {
                    best = candidate;
                    break;
                }
            }
            let mut at = 0;
            while at < best.steps.len() {
                let mut candidate = best.clone();
                let removed = candidate.steps.remove(at);
                if let Some(next) = candidate.steps.get_mut(at) {
                    next.after += removed.after;
                } else {
                    candidate.quiet += removed.after;
                }
                if !matches!(removed.fault, Fault::Start(_)) && fails(&candidate) {
                    best = candidate;
                } else {
                    at += 1;
                }
            }
            if best == before {
                break;
            }
        }
        best
    }

    /// The same with one complication less.
    fn simpler(self) -> Vec<Self> {
        let mut plain_clocks = self.clone();
        for node in &mut plain_clocks.nodes {
            node.clock = crate::sim::Clock::default();
        }
        let mut plain_cables = self.clone();
        plain_cables.cable = crate::sim::Impairment::default();
        let plain_beats = Self {
            is_signed: false,
            ..self.clone()
        };
        let no_clients = Self {
            clients: 0,
            ..self.clone()
        };
        let mut one_shard = self.clone();
        for shards in &mut one_shard.groups {
            *shards = 1;
        }
        let variants = [
            plain_clocks,
            plain_cables,
            plain_beats,
            no_clients,
            one_shard,
        ];
        variants
            .into_iter()
            .filter(|variant| *variant != self)
            .collect()
    }
}

/// Each round removes something or is the last.
const ROUNDS: usize = 12;
