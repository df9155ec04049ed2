//! A host that announces: the real machines behind a simulated interface, driven as on Linux.

use super::clock::Clock;
use super::data;
use crate::claim::{Claim, Config, Input, Output, State};
use crate::machine::Machine;
use crate::time::Time;
use crate::wire::{Frame, Mac};
use crate::{arp, ndp};
use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

/// One host with one interface. All times are those of its own clock.
#[derive(Debug)]
pub(super) struct Speaker {
    pub(super) mac: Mac,
    pub(super) clock: Clock,
    arp: arp::Machine,
    ndp: ndp::Machine,
    is_up: bool,
    is_paused: bool,
    /// What happened while it was paused, oldest first.
    inbox: VecDeque<Happening>,
    /// A pause longer than this is noticed and fenced off.
    fence_after: Option<Duration>,
    ran_at: Time,
    /// Traffic that reached it.
    delivered: Vec<IpAddr>,
}

/// Something that happens to a speaker.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    Frame { frame: Frame, received: Time },
    Claim(Claim),
    Release(IpAddr),
    Renew(Time),
    Fence,
    Link { mac: Mac, up: bool },
}

impl Speaker {
    pub(super) fn new(
        mac: Mac,
        config: &Config,
        clock: Clock,
        fence_after: Option<Duration>,
    ) -> Self {
        let mut speaker = Self {
            mac,
            clock,
            arp: arp::Machine::new(config.clone()),
            ndp: ndp::Machine::new(config.clone()),
            is_up: false,
            is_paused: false,
            inbox: VecDeque::new(),
            fence_after,
            ran_at: clock.local(Time::ZERO),
            delivered: Vec::new(),
        };
        speaker.happen(Happening::Link { mac, up: true }, speaker.ran_at);
        speaker
    }

    pub(super) fn state(&self, address: IpAddr) -> Option<State> {
        self.arp.state(address).or_else(|| self.ndp.state(address))
    }

    /// Something happens; a paused process learns of it when it runs again.
    pub(super) fn happen(&mut self, happening: Happening, now: Time) {
        if let Happening::Frame { frame, .. } = &happening
            && let Some(address) = data::address(frame)
        {
            // The kernel forwards traffic whatever the process does, as long as the link is up.
            self.delivered.extend(self.is_up.then_some(address));
            return;
        }
        self.inbox.push_back(happening);
        self.run(now);
    }

    pub(super) const fn pause(&mut self) {
        self.is_paused = true;
    }

    /// The process runs again, notices how long it was away, and works off what has queued up.
    pub(super) fn resume(&mut self, now: Time) {
        self.is_paused = false;
        if self
            .fence_after
            .is_some_and(|limit| now - self.ran_at > limit)
        {
            self.inbox.push_front(Happening::Fence);
        }
        self.run(now);
    }

    /// Does what is due at `now`.
    pub(super) fn run(&mut self, now: Time) {
        if self.is_paused {
            return;
        }
        self.ran_at = now;
        while let Some(happening) = self.inbox.pop_front() {
            self.handle(&happening, now);
        }
        self.arp.handle_timeout(now);
        self.ndp.handle_timeout(now);
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        let wakes = [self.arp.poll_timeout(), self.ndp.poll_timeout()];
        wakes
            .into_iter()
            .flatten()
            .min()
            .filter(|_| !self.is_paused)
    }

    pub(super) fn poll_output(&mut self) -> Option<Output> {
        self.arp.poll_output().or_else(|| self.ndp.poll_output())
    }

    /// Traffic that reached it since the last call.
    pub(super) fn take_delivered(&mut self) -> Vec<IpAddr> {
        std::mem::take(&mut self.delivered)
    }

    fn handle(&mut self, happening: &Happening, now: Time) {
        let input = match happening {
            Happening::Frame { frame, received } => Input::Frame {
                bytes: frame,
                received: *received,
            },
            Happening::Claim(claim) => {
                return match claim.address {
                    IpAddr::V4(_) => self.arp.handle_input(Input::Claim(*claim), now),
                    IpAddr::V6(_) => self.ndp.handle_input(Input::Claim(*claim), now),
                };
            }
            Happening::Release(address) => Input::Release(*address),
            Happening::Renew(deadline) => Input::Renew(*deadline),
            Happening::Fence => Input::Fence,
            Happening::Link { mac, up } => {
                (self.mac, self.is_up) = (*mac, *up);
                Input::Link { mac: *mac, up: *up }
            }
        };
        self.arp.handle_input(input, now);
        self.ndp.handle_input(input, now);
    }
}
