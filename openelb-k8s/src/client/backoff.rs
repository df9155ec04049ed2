//! How long to wait before something that failed is tried again.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Waits that double up to a limit, each shortened by up to a half at random, so that processes which
/// lost the same API server do not come back to it in step.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
}

impl Backoff {
    /// Waits that begin at `first` and never exceed `most`.
    pub fn new(first: Duration, most: Duration) -> Self {
        Self {
            first,
            most,
            next: first,
        }
    }

    /// The wait before the next attempt; the one after is twice as long.
    pub fn pause(&mut self) -> Duration {
        let full = self.next;
        self.next = (full * 2).min(self.most);
        // Between a half and the whole of it.
        full / 2 + (full / 2).mul_f64(random_share())
    }

    /// The attempt succeeded: the next failure is a first one.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

/// A number from 0 to 1. The standard library seeds each `RandomState` anew, which is random enough
/// to spread waits.
fn random_share() -> f64 {
    let bits = RandomState::new().hash_one(0_u8) >> 32;
    #[expect(clippy::cast_precision_loss, reason = "32 bits fit a double exactly")]
    let share = bits as f64 / f64::from(u32::MAX);
    share
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
}
