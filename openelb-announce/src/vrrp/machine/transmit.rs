//! What is sent (RFC 9568 section 7.2), and how often.

use super::{Event, LEAST_GAP, Machine, Output, State, Timer};
use crate::time::Time;
use crate::vrrp::packet::{Head, LEAVING, Path};

impl Machine {
    /// Sends an advertisement with the priority in use, and sets `Adver_Timer`.
    pub(super) fn advertise(&mut self, now: Time) {
        self.send(self.priority(), now);
        let next = now + self.own_interval().duration();
        self.timers.set(Timer::Adver, next);
    }

    /// Answers what was heard: at once, but not closer than [`LEAST_GAP`] to the last advertisement.
    pub(super) fn advertise_soon(&mut self, now: Time) {
        let soonest = self.last_sent.map_or(now, |sent| sent + LEAST_GAP);
        if soonest <= now {
            return self.advertise(now);
        }
        let planned = self.timers.deadline(Timer::Adver);
        let next = planned.map_or(soonest, |planned| planned.min(soonest));
        self.timers.set(Timer::Adver, next);
    }

    /// `Adver_Timer` has come.
    pub(super) fn advertise_periodically(&mut self, due: Time, now: Time) {
        if self.state != State::Active {
            return;
        }
        let interval = self.own_interval();
        let is_late = super::timing::is_late(due, now, interval);
        self.advertise(now);
        if is_late || self.reannounces_again {
            self.reannounces_again = false;
            self.report(Event::Reannounce);
        }
        if !is_late {
            // The phase stays, however long the driver takes from the timer to the wire.
            self.timers.set(Timer::Adver, due + interval.duration());
        }
    }

    /// Priority zero: whoever is next need not wait.
    pub(super) fn resign(&mut self, now: Time) {
        self.send(LEAVING, now);
    }

    pub(super) fn send(&mut self, priority: u8, now: Time) {
        let (Some(settings), Some(source)) = (&self.settings, self.source()) else {
            return;
        };
        let head = Head {
            version: settings.version,
            vrid: settings.vrid,
            priority,
            interval: settings.interval,
        };
        let group = [settings.family.group()];
        let destinations = match settings.peers.as_slice() {
            [] => &group,
            peers => peers,
        };
        let form = self.checksum_form();
        for destination in destinations.iter().copied().filter(|it| *it != source) {
            let path = Path {
                source,
                destination,
            };
            self.outputs.push_back(Output::Transmit {
                source,
                destination,
                octets: head.encode(&settings.addresses, path, form),
            });
            self.reports.count().sent += 1;
        }
        self.sent_before = self.last_sent;
        self.last_sent = Some(now);
    }
}
