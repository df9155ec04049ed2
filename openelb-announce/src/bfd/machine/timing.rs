//! Intervals and deadlines (RFC 5880 sections 6.8.2 to 6.8.4 and 6.8.7).

use std::time::Duration;

use super::{Poll, Session, State, Timer};
use crate::time::Time;

impl Session {
    /// Makes the settings and the state what is announced, and what is used as soon as that is
    /// allowed: while the session is up, a longer transmission interval or a shorter reception
    /// interval waits until the neighbour has answered a poll (section 6.8.3).
    pub(super) fn adopt_intervals(&mut self) {
        let is_up = self.state == State::Up;
        let floor = if is_up { Duration::ZERO } else { SLOW };
        let desired_min_tx = self.settings.min_tx.max(floor);
        let required_min_rx = self.settings.min_rx;
        let timing = &mut self.timing;
        let is_first = timing.desired_min_tx.is_zero();
        let is_changed =
            (timing.desired_min_tx, timing.required_min_rx) != (desired_min_tx, required_min_rx);
        timing.desired_min_tx = desired_min_tx;
        timing.required_min_rx = required_min_rx;
        if is_changed && !is_first {
            let is_stale = self.poll.is_some_and(|poll| poll.is_asked);
            self.poll = Some(Poll {
                is_stale,
                is_asked: is_stale,
            });
        }
        if !is_up || desired_min_tx < timing.min_tx_in_use {
            timing.min_tx_in_use = desired_min_tx;
        }
        if !is_up || required_min_rx > timing.min_rx_in_use {
            timing.min_rx_in_use = required_min_rx;
        }
    }

    /// The neighbour has answered a poll: it knows what was announced before the poll.
    pub(super) fn finish_poll(&mut self) {
        match &mut self.poll {
            Some(poll) if poll.is_asked && poll.is_stale => {
                self.poll = Some(Poll {
                    is_stale: false,
                    is_asked: false,
                });
            }
            Some(poll) if poll.is_asked => {
                self.poll = None;
                self.timing.min_tx_in_use = self.timing.desired_min_tx;
                self.timing.min_rx_in_use = self.timing.required_min_rx;
            }
            _ => {}
        }
    }

    /// How long the neighbour may be silent (section 6.8.4); zero before its first packet.
    pub fn detection_time(&self) -> Duration {
        let interval = self.timing.min_rx_in_use.max(self.remote.min_tx);
        interval * u32::from(self.remote.multiplier)
    }

    /// The interval between two periodic packets before jitter; `None` while there must be none.
    pub fn transmit_interval(&self) -> Option<Duration> {
        let is_up = self.state == State::Up && self.remote.state == State::Up;
        let is_demanded = self.remote.wants_demand && is_up && self.poll.is_none();
        if self.is_silent() || is_demanded || self.remote.min_rx.is_zero() {
            return None;
        }
        Some(self.timing.min_tx_in_use.max(self.remote.min_rx))
    }

    /// Sets the deadlines of a silent neighbour anew, after a packet or a change of the times.
    pub(super) fn restart_detection(&mut self) {
        let detection = self.detection_time();
        let since = self.last_received.filter(|_| !detection.is_zero());
        // A neighbour that was given up is not given up again.
        let is_heard = self.remote.discriminator.is_some();
        self.timers.put(
            Timer::Detect,
            since.filter(|_| is_heard).map(|at| at + detection),
        );
        if is_heard {
            self.timers
                .put(Timer::Forget, since.map(|at| at + detection * 2));
        }
    }

    /// Sets the transmission timer anew if the interval is another than it was set with: at once,
    /// since the neighbour counts with the new one from now on.
    pub(super) fn reschedule(&mut self, now: Time) {
        let interval = self.transmit_interval();
        if interval == self.timing.scheduled && interval.is_some() == self.is_scheduled() {
            return;
        }
        self.schedule(interval, now);
    }

    /// The next periodic packet comes one jittered interval after the last packet.
    pub(super) fn schedule(&mut self, interval: Option<Duration>, now: Time) {
        self.timing.scheduled = interval;
        let next = interval.map(|interval| {
            let gap = self.jittered(interval);
            self.last_sent.map_or(now, |sent| (sent + gap).max(now))
        });
        self.timers.put(Timer::Transmit, next);
    }

    fn is_scheduled(&self) -> bool {
        self.timers.deadline(Timer::Transmit).is_some()
    }

    /// 75 to 100 percent of `interval`; to 90 percent when a single lost packet would be one too
    /// many (section 6.8.7).
    fn jittered(&mut self, interval: Duration) -> Duration {
        let longest = if self.multiplier().get() == 1 {
            interval * 9 / 10
        } else {
            interval
        };
        self.random.between(interval * 3 / 4, longest)
    }
}

// Section 6.8.3: a session that is not up must not be a burden.
const SLOW: Duration = Duration::from_secs(1);
