//! Intervals and deadlines (RFC 9568 section 6.1, RFC 3768 section 6.1).

use std::time::Duration;

use super::{Machine, State, Timer};
use crate::time::Time;
use crate::vrrp::interval::Interval;
use crate::vrrp::packet::Version;

impl Machine {
    /// `Active_Adver_Interval`: how often the Active router advertises. Version 3 learns it.
    pub const fn active_adver_interval(&self) -> Interval {
        self.learned
    }

    /// `Skew_Time`: how much longer than three intervals this router waits, so that the highest
    /// priority is the first. Not rounded: at the shortest intervals whole centiseconds would make
    /// all routers equal.
    pub fn skew_time(&self) -> Duration {
        let rest = 256 - u32::from(self.priority());
        match self.version() {
            // A part of a second whatever the interval is (RFC 3768 section 6.1).
            Version::V2 => Duration::from_secs(1) * rest / 256,
            Version::V3 => self.learned.duration() * rest / 256,
        }
    }

    /// `Active_Down_Interval`: how long the Active router may be silent.
    pub fn active_down_interval(&self) -> Duration {
        self.learned.duration() * 3 + self.skew_time()
    }

    /// While Active: the instant from which on nothing may be answered or announced any more, because
    /// another router may have taken over. It moves with every advertisement. `None` while not
    /// Active.
    ///
    /// Others wait for more than three of our intervals after the last advertisement that they heard.
    /// A tenth less leaves room for clocks that run differently and for the way of the packet.
    pub fn valid_until(&self) -> Option<Time> {
        let span = self.own_interval().duration() * 3 * 9 / 10;
        // Who could not send a single advertisement has nothing that is valid.
        let until = self.last_sent.map_or(Time::ZERO, |sent| sent + span);
        (self.state == State::Active).then_some(until)
    }

    pub(super) fn own_interval(&self) -> Interval {
        self.settings
            .as_ref()
            .map_or(Interval::SECOND, |it| it.interval)
    }

    pub(super) fn version(&self) -> Version {
        self.settings.as_ref().map_or(Version::V3, |it| it.version)
    }

    /// Sets `Active_Down_Timer` anew, counting from `since`. Who stands aside waits for nothing.
    pub(super) fn restart_active_down(&mut self, since: Time) {
        self.silent_since = since;
        let is_fit = self.priority() > 0;
        let deadline = since + self.active_down_interval();
        self.timers
            .put(Timer::ActiveDown, is_fit.then_some(deadline));
    }

    /// The timer fires `Skew_Time` after `since`: the Active router has left.
    pub(super) fn hasten_active_down(&mut self, since: Time) {
        let is_fit = self.priority() > 0;
        let deadline = since + self.skew_time();
        self.timers
            .put(Timer::ActiveDown, is_fit.then_some(deadline));
    }
}

/// Did a wake-up come so late that packets of half an interval may be missing?
pub(super) fn is_late(due: Time, now: Time, interval: Interval) -> bool {
    now - due > interval.duration() / 2
}
