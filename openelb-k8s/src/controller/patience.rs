//! Leaving another controller that was seen at work the time to finish.

use std::time::Duration;

use openelb_ipam::Time;

use super::Machine;
use super::key::{Key, Subject};
use super::retry::spread;

impl Machine {
    /// Whether another controller works on the same and should have the time to finish.
    pub(super) fn is_patient(&mut self, key: &Key, now: Time) -> bool {
        let is_rival_about = self.rival_seen.is_some_and(|seen| now < seen + RIVALRY);
        let Some(holder) = self.holders.get_mut(key) else {
            return false;
        };
        match holder.patience {
            Some(until) => now < until,
            None if is_rival_about => {
                let until = now + spread(PATIENCE, (self.settings.seed, key));
                holder.patience = Some(until);
                self.timers.insert((until, Subject::Service(key.clone())));
                true
            }
            None => false,
        }
    }
}

/// How long another controller that was seen at work is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long after its last write another controller counts as at work.
const RIVALRY: Duration = Duration::from_secs(10);
