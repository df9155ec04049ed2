//! What a cable does to the frames that pass it in one direction.

use crate::random::Random;
use std::time::Duration;

/// The faults of one direction of a cable. The default has none and takes 10 us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Impairment {
    /// How many of a thousand frames get lost.
    pub loss_per_mille: u16,
    /// How many of a thousand arrive twice.
    pub duplicate_per_mille: u16,
    /// How long a frame takes at least.
    pub delay: Duration,
    /// How much longer it may take. Frames overtake each other when this exceeds their distance.
    pub jitter: Duration,
    /// Is the cable cut, in this direction?
    pub is_cut: bool,
}

impl Default for Impairment {
    fn default() -> Self {
        Self {
            loss_per_mille: 0,
            duplicate_per_mille: 0,
            delay: Duration::from_micros(10),
            jitter: Duration::ZERO,
            is_cut: false,
        }
    }
}

impl Impairment {
    /// When the copies of a frame arrive, counted from now: none, one or two.
    pub(super) fn arrivals(&self, random: &mut Random) -> [Option<Duration>; 2] {
        if self.is_cut || random.chance(self.loss_per_mille) {
            return [None, None];
        }
        let duplicate = random.chance(self.duplicate_per_mille);
        let mut arrival = || self.delay + random.between(Duration::ZERO, self.jitter);
        [Some(arrival()), duplicate.then(arrival)]
    }
}

#[cfg(test)]
mod tests;
