//! How long to wait before something that failed is tried again.

use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::time::Duration;

/// Waits that double up to a limit, each shortened by up to a half at random, so that processes which
/// lost the same API server do not come back to it in step.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
    seed: u64,
    pauses: u64,
}

impl Backoff {
    /// Waits that begin at `first` and never exceed `most`.
    pub fn new(first: Duration, most: Duration) -> Self {
        Self {
            first,
            most,
            next: first,
            // The standard library seeds each anew, which is random enough to spread waits.
            seed: RandomState::new().hash_one(0_u8),
            pauses: 0,
        }
    }

    /// The same waits in every process that gives this seed, so that what happened happens again.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// The wait before the next attempt; the one after is twice as long.
    pub fn pause(&mut self) -> Duration {
        let full = self.next;
        self.next = (full * 2).min(self.most);
        // Between a half and the whole of it.
        full / 2 + (full / 2).mul_f64(self.random_share())
    }

    /// The attempt succeeded: the next failure is a first one.
    pub fn reset(&mut self) {
        self.next = self.first;
    }

    /// A number from 0 to 1, another one each time.
    fn random_share(&mut self) -> f64 {
        self.pauses += 1;
        let mut hasher = DefaultHasher::new();
        (self.seed, self.pauses).hash(&mut hasher);
        let bits = hasher.finish() >> 32;
        #[expect(clippy::cast_precision_loss, reason = "32 bits fit a double exactly")]
        let share = bits as f64 / f64::from(u32::MAX);
        share
    }
}

#[cfg(test)]
mod tests {
    use super::{Backoff, Duration};

    #[test]
    fn waits_double_up_to_the_limit_and_begin_anew_after_a_success() {
        let second = Duration::from_secs(1);
        let mut backoff = Backoff::new(second, 4 * second);
        for full in [1, 2, 4, 4] {
            let pause = backoff.pause();
            assert!(pause >= full * second / 2 && pause <= full * second);
        }
        backoff.reset();
        assert!(backoff.pause() <= second);
    }

    #[test]
    fn waits_of_one_seed_are_the_same_and_of_two_are_not() {
        let second = Duration::from_secs(1);
        let waits = |seed| {
            let mut backoff = Backoff::new(second, 8 * second).with_seed(seed);
            [backoff.pause(), backoff.pause()]
        };
        assert_eq!(waits(1), waits(1));
        assert_ne!(waits(1), waits(2));
    }
}
