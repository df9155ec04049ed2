//! How soon somebody is asked again.

use std::time::Duration;

use openelb_announce::random::Random;

/// The pauses between questions to one source.
#[derive(Debug)]
pub(super) struct Pace {
    every: Duration,
    failures: u32,
    random: Random,
}

impl Pace {
    /// One question every so often, from another moment on for every seed.
    pub(super) fn new(every: Duration, seed: u64) -> Self {
        Self {
            every,
            failures: 0,
            random: Random::new(seed),
        }
    }

    /// The pause after a question. A failure is soon tried again, then after twice the time each
    /// time, but no later than a success would be; a tenth either way keeps the nodes of a cluster
    /// from asking all at once.
    pub(super) fn next(&mut self, has_worked: bool) -> Duration {
        self.failures = if has_worked { 0 } else { self.failures + 1 };
        let pause = match self.failures.checked_sub(1) {
            None => self.every,
            Some(earlier) => {
                let soon = FIRST_RETRY.saturating_mul(1 << earlier.min(LARGEST_SHIFT));
                soon.min(self.every)
            }
        };
        self.random.between(pause * 9 / 10, pause * 11 / 10)
    }
}

const FIRST_RETRY: Duration = Duration::from_secs(10);
/// Ten seconds shifted so far are longer than any interval that is allowed.
const LARGEST_SHIFT: u32 = 16;

#[cfg(test)]
mod tests;
