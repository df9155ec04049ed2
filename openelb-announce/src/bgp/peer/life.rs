//! Starting, stopping, waiting and trying again (RFC 4271 section 8.2.2: Idle, Connect, Active).

use super::backoff::jitter;
use super::ending::{End, Weight};
use super::{Event, Liveness, Output, Peer, Run, Stop, Timer};
use crate::bgp::config::Neighbor;
use crate::bgp::message::{ErrorCode, Notification};
use crate::bgp::session::{ConnectionId, Expired};
use crate::time::Time;
use std::sync::Arc;
use std::time::Duration;

impl Peer {
    /// Event 1 (`ManualStart`); ignored outside of Idle, as the RFC wants.
    pub(super) fn start(&mut self, now: Time) {
        if self.run == Run::Stopped {
            self.backoff.reset();
            self.begin(now);
        }
    }

    /// Event 2 (`ManualStop`).
    pub(super) fn stop(&mut self, stop: &Stop, now: Time) {
        self.end_all(&End::Stopped(stop.clone()), now);
        self.rest(Run::Stopped);
    }

    /// Takes new settings; the session ends only if they need another one.
    pub(super) fn configure(&mut self, neighbor: Arc<Neighbor>, now: Time) {
        let changed = self.neighbor.session_differs(&neighbor);
        let was_down = self.run == Run::AdminDown;
        let before = std::mem::replace(&mut self.neighbor, neighbor);
        self.change_import(&before);
        let settings = &self.neighbor.settings;
        if settings.liveness.is_none() || settings.admin_down.is_some() {
            // Nobody watches the peer now; what was seen before must not open a later session.
            self.liveness = Liveness::Unknown;
        }
        if self.run == Run::Stopped {
            return;
        }
        if let Some(words) = self.neighbor.settings.admin_down.clone() {
            self.end_all(&End::Stopped(Stop::Shutdown(words)), now);
            self.rest(Run::AdminDown);
        } else if changed.is_some() || was_down {
            let words = format!("the peer's {} changed", changed.unwrap_or("settings"));
            let cease = Notification::new(ErrorCode::OTHER_CONFIGURATION_CHANGE);
            self.end_all(&End::Say(cease, words), now);
            self.rest(Run::Stopped);
            self.plain_open = false;
            self.backoff.reset();
            self.begin(now);
        } else {
            self.revise(now);
        }
    }

    /// Goes on as the settings want it that do not concern the session.
    fn revise(&mut self, now: Time) {
        let idles = self.connections.is_empty();
        match self.run {
            Run::AwaitingLiveness if !self.must_await_liveness() => self.begin(now),
            Run::Going if self.neighbor.settings.passive => {
                self.give_up_dial();
                self.timers.clear(Timer::Retry);
            }
            Run::Going if idles && self.timers.deadline(Timer::Retry).is_none() => self.dial(now),
            _ => {}
        }
    }

    /// Leaves Idle, if nothing forbids it.
    pub(super) fn begin(&mut self, now: Time) {
        let settings = &self.neighbor.settings;
        if settings.admin_down.is_some() {
            self.rest(Run::AdminDown);
        } else if self.must_await_liveness() {
            self.rest(Run::AwaitingLiveness);
        } else {
            self.run = Run::Going;
            self.timers.clear(Timer::Pause);
            if !settings.passive {
                self.dial(now);
            }
        }
    }

    /// Becomes Idle: no dial, no timer of the session.
    pub(super) fn rest(&mut self, run: Run) {
        self.run = run;
        self.give_up_dial();
        self.timers.clear(Timer::Retry);
        self.timers.clear(Timer::Pause);
        self.timers.clear(Timer::Advertise);
        if matches!(run, Run::Stopped | Run::AdminDown) {
            // Nothing is expected of the peer that could confirm them.
            self.forget_routes();
        }
    }

    /// Strict mode: no session before BFD is up.
    fn must_await_liveness(&self) -> bool {
        let strict = self.neighbor.settings.liveness.is_some_and(|it| it.strict);
        strict && self.liveness != Liveness::Up
    }

    pub(super) fn dial(&mut self, now: Time) {
        let id = ConnectionId(self.next_connection);
        self.next_connection = self.next_connection.wrapping_add(1);
        self.dial = Some(id);
        let span = self.neighbor.settings.timers.connect_retry;
        self.timers
            .set(Timer::Retry, now + jitter(span, &mut self.random));
        self.outputs.push_back(Output::Connect(id));
    }

    pub(super) fn give_up_dial(&mut self) {
        if let Some(connection) = self.dial.take() {
            self.timers.clear(Timer::Retry);
            let after_flush = false;
            self.outputs.push_back(Output::Close {
                connection,
                after_flush,
            });
        }
    }

    /// Listens, and dials again after a while. RFC 4271 would be Idle and deaf for that time; a peer
    /// that comes back and dials first shall not be turned away.
    pub(super) fn retry_later(&mut self, now: Time) {
        let wait = self
            .backoff
            .fail(&self.neighbor.settings.timers, &mut self.random);
        if self.must_await_liveness() {
            return self.rest(Run::AwaitingLiveness);
        }
        let dials = !self.neighbor.settings.passive;
        self.timers.put(Timer::Retry, dials.then(|| now + wait));
    }

    /// Stays Idle for a while (`DampPeerOscillations`).
    pub(super) fn pause(&mut self, wait: Duration, now: Time) {
        self.rest(Run::Paused);
        self.timers.set(Timer::Pause, now + wait);
    }

    pub(super) fn hear_liveness(&mut self, liveness: Liveness, now: Time) {
        let before = std::mem::replace(&mut self.liveness, liveness);
        let Some(settings) = self.neighbor.settings.liveness else {
            return;
        };
        if matches!(self.run, Run::Stopped | Run::AdminDown) {
            return;
        }
        let went_down = (before, liveness) == (Liveness::Up, Liveness::Down);
        let is_up = self.connections.established().is_some();
        if went_down && (is_up || settings.strict) {
            let words = "BFD lost the peer: check the link and the peer's BFD".to_owned();
            let cease = Notification::new(ErrorCode::BFD_DOWN);
            let lasted = self.end_all(&End::Say(cease, words), now);
            self.give_up_dial();
            self.try_again(Weight::Light, lasted, now);
        } else if self.run == Run::AwaitingLiveness && !self.must_await_liveness() {
            self.begin(now);
        }
    }

    pub(super) fn open_failed(&mut self, connection: ConnectionId, why: String, now: Time) {
        if self.dial != Some(connection) {
            return;
        }
        self.dial = None;
        self.timers.clear(Timer::Retry);
        if !self.connections.is_empty() {
            return;
        }
        self.retry_later(now);
        let deadline = self.timers.deadline(Timer::Retry);
        let retry_in = deadline.map(|at| at - now);
        self.report(Event::ConnectFailed { why, retry_in });
    }

    /// Does everything that is due.
    pub(super) fn expire(&mut self, now: Time) {
        while let Some(timer) = self.timers.pop_due(now) {
            match timer {
                Timer::Pause => self.begin(now),
                Timer::Retry => self.retry(now),
                Timer::Stale => self.forget_stale(),
                Timer::Advertise => self.wake_session(),
            }
        }
        while let Some((id, expired)) = self.connections.pop_expired(now) {
            self.connection_expired(id, expired, now);
        }
    }

    /// `ConnectRetryTimer`: a dial that does not get through is given up, and the next one begins.
    fn retry(&mut self, now: Time) {
        if let Some(connection) = self.dial.take() {
            let why = "no answer".to_owned();
            let after_flush = false;
            self.outputs.push_back(Output::Close {
                connection,
                after_flush,
            });
            self.report(Event::ConnectFailed {
                why,
                retry_in: Some(Duration::ZERO),
            });
        }
        if self.run == Run::Going && self.connections.is_empty() {
            self.dial(now);
        }
    }

    fn connection_expired(&mut self, id: ConnectionId, expired: Expired, now: Time) {
        match expired {
            Expired::DelayOpen => self.send_open(id, now),
            Expired::Collision => self.confirm(id, now),
            Expired::Keepalive => self.keep_alive(id, now),
            Expired::Hold => {
                let words = "nothing came from the peer for the hold time".to_owned();
                let notification = Notification::new(ErrorCode::HOLD_TIMER_EXPIRED);
                self.end(id, &End::Say(notification, words), now);
            }
            Expired::SendHold => self.end(id, &End::Stuck, now),
        }
    }
}
