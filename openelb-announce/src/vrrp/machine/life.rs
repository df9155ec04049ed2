//! From one state to the next, and what else the owner of a virtual router can do to it.

use std::net::IpAddr;

use super::{Advertiser, Cause, Event, Machine, State, Timer, Why, timing};
use crate::time::Time;
use crate::vrrp::interval::Interval;
use crate::vrrp::packet::OWNER;
use crate::vrrp::settings::{Settings, is_link_local};
use crate::vrrp::vrid::Family;

impl Machine {
    pub(super) fn configure(&mut self, settings: Settings, now: Time) {
        if let Err(error) = settings.validate() {
            return self.report(Event::Unusable(error));
        }
        let Some(old) = &self.settings else {
            self.settings = Some(settings);
            return self.start(now);
        };
        if *old == settings {
            return;
        }
        let name = |it: &Settings| (it.vrid, it.family, it.version);
        if name(old) != name(&settings) {
            self.shutdown(now);
            self.settings = Some(settings);
            return self.start(now);
        }
        if old.priority != settings.priority {
            self.health = None;
        }
        self.settings = Some(settings);
        self.reports.forget();
        self.adopt(now);
    }

    /// Lets the timers follow settings that changed on the way.
    fn adopt(&mut self, now: Time) {
        match self.state {
            State::Initialize => self.start(now),
            State::Backup => {
                if self.heard.is_none() {
                    self.learned = self.own_interval();
                }
                self.restart_active_down(self.silent_since);
            }
            // What others should know of, they learn at once.
            State::Active => self.advertise_soon(now),
        }
    }

    pub(super) fn follow_link(&mut self, primary: Option<IpAddr>, now: Time) {
        self.primary = primary;
        match self.state {
            State::Initialize => self.start(now),
            State::Backup | State::Active => {
                if self.source().is_none() {
                    self.stop();
                }
            }
        }
    }

    /// The address to send from, if it is one that the standard allows (RFC 9568 section 7.2).
    pub(super) fn source(&self) -> Option<IpAddr> {
        let family = self.settings.as_ref()?.family;
        self.primary.filter(|address| match family {
            Family::Ipv4 => address.is_ipv4() && !address.is_unspecified(),
            Family::Ipv6 => is_link_local(*address),
        })
    }

    /// The Startup event (RFC 9568 section 6.4.1), once there is everything that it takes.
    fn start(&mut self, now: Time) {
        if self.source().is_none() {
            return;
        }
        self.reports.forget();
        self.heard = None;
        self.stranger_until = None;
        self.is_proven = false;
        self.mirrored = None;
        self.last_sent = None;
        self.sent_before = None;
        if self.priority() == OWNER {
            return self.become_active(Cause::Owner, now);
        }
        self.become_backup(Why::Started, now);
    }

    pub(super) fn become_active(&mut self, cause: Cause, now: Time) {
        self.state = State::Active;
        self.heard = None;
        self.preempt_from = None;
        self.is_proven = true;
        self.reannounces_again = false;
        // Becoming Active announces everything already.
        self.last_reannounced = Some(now);
        self.learned = self.own_interval();
        self.timers.clear(Timer::ActiveDown);
        self.advertise(now);
        self.reports.count().became_active += 1;
        self.report(Event::Active { cause });
    }

    pub(super) fn become_backup(&mut self, why: Why, now: Time) {
        self.state = State::Backup;
        self.preempt_from = None;
        self.timers.clear(Timer::Adver);
        if let Why::Yielded(to) = why {
            self.heard = Some(to);
        } else {
            self.learned = self.own_interval();
        }
        self.restart_active_down(now);
        self.report(Event::Backup { why });
    }

    /// `Active_Down_Timer` has come.
    pub(super) fn judge_silence(&mut self, due: Time, now: Time) {
        if self.state != State::Backup {
            return;
        }
        // Whoever sleeps cannot say that others are silent: one more interval, awake.
        if timing::is_late(due, now, self.learned) {
            let again = now + self.learned.duration() + self.skew_time();
            return self.timers.set(Timer::ActiveDown, again);
        }
        let stranger = self.stranger_until.filter(|until| *until > now);
        if let Some(until) = stranger.filter(|_| !self.is_proven) {
            return self.timers.set(Timer::ActiveDown, until);
        }
        self.become_active(self.cause(), now);
    }

    /// Why nobody is heard whom this router would follow.
    fn cause(&self) -> Cause {
        match self.heard {
            _ if self.priority() == OWNER => Cause::Owner,
            Some(Advertiser { priority: 0, .. }) => Cause::Left,
            Some(heard) if self.preempt_from.is_some() && heard.priority < self.priority() => {
                Cause::Preempts
            }
            _ => Cause::Silence,
        }
    }

    pub(super) fn change_priority(&mut self, priority: u8, now: Time) {
        let before = self.priority();
        self.health = Some(priority);
        let after = self.priority();
        match self.state {
            State::Active if after == 0 => {
                self.resign(now);
                self.become_backup(Why::StoodAside, now);
            }
            State::Backup if before == 0 && after > 0 => self.restart_active_down(now),
            State::Backup if before != after => self.restart_active_down(self.silent_since),
            // The next advertisement carries it. One at once would tell nobody anything: routers
            // that preempt count from the last one with a higher priority.
            _ => {}
        }
    }

    /// Leaves Active if others must be thought to have taken over. In silence: priority zero would
    /// hasten those who follow the one that did, and a single lost packet would make them Active.
    pub(super) fn expire(&mut self, now: Time) {
        if self.valid_until().is_some_and(|until| until <= now) {
            self.become_backup(Why::Fenced, now);
        }
    }

    pub(super) fn fence(&mut self, now: Time) {
        match self.state {
            State::Initialize => {}
            State::Backup => self.restart_active_down(now),
            // Nobody can have taken over yet: whoever is next need not wait.
            State::Active => {
                self.resign(now);
                self.become_backup(Why::Fenced, now);
            }
        }
    }

    pub(super) fn shutdown(&mut self, now: Time) {
        if self.state == State::Active {
            self.resign(now);
        }
        self.stop();
        self.settings = None;
        self.health = None;
    }

    /// Back to `Initialize`.
    fn stop(&mut self) {
        self.timers.clear(Timer::ActiveDown);
        self.timers.clear(Timer::Adver);
        self.heard = None;
        self.learned = Interval::SECOND;
        if self.state != State::Initialize {
            self.state = State::Initialize;
            self.report(Event::Initialized);
        }
    }
}
