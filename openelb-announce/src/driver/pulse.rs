//! Notices when the I/O thread itself did not run for a while.

use std::time::Duration;

use crate::time::Time;

/// Watches the time between two rounds of the loop.
///
/// A round comes at least every quarter of the longest pause that is tolerated, so a longer gap
/// means that the thread was stopped, starved or the machine suspended. Meanwhile somebody else may
/// have taken over what this host was answering for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pulse {
    last: Time,
}

impl Pulse {
    /// Starts at `now`.
    pub(crate) fn new(now: Time) -> Self {
        Self { last: now }
    }

    /// Notes that a round happens `now`; the length of the pause before it, if it was one, that is
    /// longer than `longest`.
    pub(crate) fn beat(&mut self, now: Time, longest: Duration) -> Option<Duration> {
        let gap = now - self.last;
        self.last = self.last.max(now);
        (gap > longest).then_some(gap)
    }

    /// When the next round must come at the latest.
    pub(crate) fn next_beat(self, longest: Duration) -> Time {
        self.last + longest / 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn rounds_in_time_are_no_pause() {
        let mut pulse = Pulse::new(Time::ZERO);
        assert_eq!(pulse.next_beat(SECOND), Time::ZERO + SECOND / 4);
        assert_eq!(pulse.beat(Time::ZERO + SECOND / 4, SECOND), None);
        assert_eq!(pulse.beat(Time::ZERO + SECOND * 5 / 4, SECOND), None);
    }

    #[test]
    fn a_longer_gap_is_a_pause_of_its_length_and_reported_once() {
        let mut pulse = Pulse::new(Time::ZERO);
        assert_eq!(
            pulse.beat(Time::ZERO + 3 * SECOND, SECOND),
            Some(3 * SECOND)
        );
        assert_eq!(pulse.beat(Time::ZERO + 3 * SECOND, SECOND), None);
    }

    #[test]
    fn a_clock_that_stands_still_is_no_pause() {
        let mut pulse = Pulse::new(Time::from_nanos(9));
        assert_eq!(pulse.beat(Time::from_nanos(3), SECOND), None);
        assert_eq!(pulse.beat(Time::from_nanos(9), SECOND), None);
    }
}
