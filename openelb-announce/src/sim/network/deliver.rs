//! How frames, wake-ups and outputs make their way through the network.

use super::{HostId, Kind, Network, Pending};
use crate::sim::speaker::{Happening, Speaker};
use crate::sim::trace::{Action, Record};
use crate::time::Time;
use crate::wire::Frame;
use std::cmp::Reverse;

impl Network {
    pub(super) fn take_place(&mut self, pending: Pending) {
        match pending {
            Pending::AtSwitch { port, frame } => self.forward(port, &frame),
            Pending::AtHost { host, frame } => self.arrive(host, frame),
            Pending::Wake { host } => self.wake(host),
        }
    }

    fn forward(&mut self, ingress: usize, frame: &Frame) {
        for egress in self.switch.forward(ingress, frame, self.now) {
            if self.blocked.contains(&(ingress, egress)) {
                continue;
            }
            let Some(host) = self.hosts.get(egress) else {
                continue;
            };
            for arrival in host.down.arrivals(&mut self.random).into_iter().flatten() {
                let pending = Pending::AtHost {
                    host: egress,
                    frame: frame.clone(),
                };
                self.schedule(self.now + arrival, pending);
            }
        }
    }

    fn arrive(&mut self, host: usize, frame: Frame) {
        let (now, local) = (self.now, self.local_time(HostId(host), self.now));
        match self.hosts.get_mut(host).map(|host| &mut host.kind) {
            Some(Kind::Speaker(speaker)) => {
                speaker.happen(
                    Happening::Frame {
                        frame,
                        received: local,
                    },
                    local,
                );
            }
            Some(Kind::Client(client)) => client.receive(&frame, now),
            None => {}
        }
        self.settle(host);
    }

    fn wake(&mut self, host: usize) {
        let (now, local) = (self.now, self.local_time(HostId(host), self.now));
        let Some(woken) = self.hosts.get_mut(host) else {
            return;
        };
        if woken.wake != Some(now) {
            return;
        }
        woken.wake = None;
        match &mut woken.kind {
            Kind::Speaker(speaker) => speaker.run(local),
            Kind::Client(client) => client.handle_timeout(now),
        }
        self.settle(host);
    }

    /// Carries out what a host wants done and sees to its next wake-up.
    pub(super) fn settle(&mut self, host: usize) {
        let Some(settled) = self.hosts.get_mut(host) else {
            return;
        };
        let (frames, wake) = match &mut settled.kind {
            Kind::Speaker(speaker) => {
                let wake = speaker.poll_timeout().map(|at| speaker.clock.global(at));
                (Vec::new(), wake)
            }
            Kind::Client(client) => (client.take_frames(), client.poll_timeout()),
        };
        if let Some(wake) = wake.map(|at| at.max(self.now))
            && settled.wake.is_none_or(|planned| wake < planned)
        {
            settled.wake = Some(wake);
            self.schedule(wake, Pending::Wake { host });
        }
        while let Some(action) = self
            .speaker_mut(HostId(host))
            .and_then(Speaker::next_action)
        {
            self.act(host, action);
        }
        for frame in frames {
            self.act(host, Action::Sent(frame));
        }
    }

    fn act(&mut self, host: usize, action: Action) {
        match &action {
            Action::Sent(frame) => self.send_frame(host, frame),
            // Membership reports are repeated until they are heard (RFC 3810 section 9.1), so they
            // count as arrived at once.
            Action::Joined(group) => self.switch.join(host, *group),
            Action::Left(group) => self.switch.leave(host, *group),
            Action::Delivered(_)
            | Action::Heard(_)
            | Action::Owned(_)
            | Action::Routed(_)
            | Action::Reported(_) => {}
        }
        self.trace.push(Record {
            at: self.now,
            host: HostId(host),
            action,
        });
    }

    fn send_frame(&mut self, host: usize, frame: &Frame) {
        let Some(cable) = self.hosts.get(host).map(|host| host.up) else {
            return;
        };
        for arrival in cable.arrivals(&mut self.random).into_iter().flatten() {
            let pending = Pending::AtSwitch {
                port: host,
                frame: frame.clone(),
            };
            self.schedule(self.now + arrival, pending);
        }
    }

    fn schedule(&mut self, at: Time, pending: Pending) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.pending.push(None);
            self.pending.len() - 1
        });
        if let Some(empty) = self.pending.get_mut(place) {
            *empty = Some(pending);
        }
        self.schedule.push(Reverse((at, self.scheduled, place)));
        self.scheduled += 1;
    }
}
