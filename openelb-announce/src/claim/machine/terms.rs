//! What the owner of the machine says: claims, releases, renewals, fences and the state of the link.

use super::{Lifecycle, Link, Timer};
use crate::claim::groups::{Groups, Joined, Left};
use crate::claim::registry::{Deadline, Slot, State};
use crate::claim::schedule::{Due, Stage, What};
use crate::claim::{Claim, Event, NeighborProtocol, Output, Probe};
use crate::time::Time;
use crate::wire::Mac;
use std::net::IpAddr;
use std::time::Duration;

impl<P: NeighborProtocol> Lifecycle<P> {
    pub(super) fn claim(&mut self, claim: &Claim, now: Time) {
        let Some(address) = P::address(claim.address) else {
            return self.report(Event::Unsuitable(claim.address));
        };
        let deadline = Deadline::from(claim.valid_until);
        if let Some(slot) = self.registry.find(address) {
            return self.change_terms(slot, claim.probe, deadline, now);
        }
        let claim = Slot::new(address, claim.probe, deadline, now);
        // 2^32 claims would need 400 GB; there the new one is dropped.
        let Some(slot) = self.registry.insert(claim) else {
            return;
        };
        self.schedule_end(slot);
        self.join_group(slot, now);
    }

    pub(super) fn release(&mut self, address: IpAddr, now: Time) {
        let found = P::address(address).and_then(|address| self.registry.find(address));
        let Some(slot) = found else { return };
        let Some(claim) = self.registry.remove(slot) else {
            return;
        };
        self.conflicts.forget(slot);
        self.report(Event::Released(claim.address.into()));
        if let Some(group) = P::group(claim.address)
            && let Left::Empty { last } = self.groups.leave(group, slot)
        {
            self.outputs.push_back(Output::LeaveGroup(group));
            if last {
                self.outputs.push_back(Output::LeaveGroup(Groups::ALL));
            }
            for waiting in self.groups.admit() {
                self.join_group(waiting, now);
            }
        }
    }

    /// Starts the announcements of an announced address again, also if the first frame of one has left
    /// already: what is to be corrected may have been sent after it.
    pub(super) fn announce_again(&mut self, address: IpAddr) {
        let count = self.config.announce.count.max(1);
        let found = P::address(address).and_then(|address| self.registry.find(address));
        let Some(slot) = found else { return };
        let Some(claim) = self.claim_mut(slot) else {
            return;
        };
        match claim.state {
            State::Announced => {
                claim.left = count;
                claim.due = Time::MAX;
                if claim.stage != Stage::First {
                    self.enqueue(slot, Stage::First);
                }
            }
            State::Waiting | State::Probing | State::Conflicted => self.clear(slot),
            _ => {}
        }
    }

    /// The announcement that is under way, or the one that is over, is the last before a refresh.
    pub(super) fn announce_once(&mut self, address: IpAddr, now: Time) {
        let found = P::address(address).and_then(|address| self.registry.find(address));
        let Some(slot) = found else { return };
        let Some(claim) = self.claim_mut(slot) else {
            return;
        };
        if !matches!(claim.state, State::Clear | State::Announced) {
            return;
        }
        let is_over = claim.state == State::Announced && claim.stage == Stage::Idle;
        claim.left = claim.left.min(u8::from(!is_over));
        if is_over {
            let next = self.next_refresh(now);
            self.schedule_act(slot, next);
        }
    }

    pub(super) fn renew(&mut self, deadline: Time, now: Time) {
        let had_lapsed = now >= self.common_deadline;
        let is_first = self.common_deadline == Time::ZERO;
        self.common_deadline = deadline;
        self.timers.set(Timer::Lapse, deadline);
        if !had_lapsed {
            return;
        }
        for slot in self.registry.positions() {
            let Some(claim) = self.claim_mut(slot) else {
                continue;
            };
            if claim.deadline != Deadline::RENEWED || claim.state != State::Expired {
                continue;
            }
            claim.since = now;
            if !is_first {
                claim.probe = cautious(claim.probe);
            }
            self.begin(slot, now);
        }
    }

    /// Silences what depends on the common deadline once that has passed.
    pub(super) fn notice_lapse(&mut self, now: Time) {
        if self
            .timers
            .deadline(Timer::Lapse)
            .is_none_or(|lapse| now < lapse)
        {
            return;
        }
        self.timers.clear(Timer::Lapse);
        let mut any = false;
        for slot in self.registry.positions() {
            let Some(claim) = self.claim_mut(slot) else {
                continue;
            };
            let is_waiting = matches!(claim.state, State::WithoutGroup | State::Expired);
            if claim.deadline == Deadline::RENEWED && !is_waiting {
                claim.silence(State::Expired);
                any = true;
            }
        }
        if any {
            self.discard_frames();
            self.report(Event::Lapsed);
        }
    }

    pub(super) fn fence(&mut self, now: Time) {
        self.not_before = now;
        self.discard_frames();
        for slot in self.registry.positions() {
            let Some(claim) = self.claim_mut(slot) else {
                continue;
            };
            if claim.state.is_active() || claim.state == State::Parked {
                claim.probe = cautious(claim.probe);
                self.begin(slot, now);
            }
        }
    }

    pub(super) fn change_link(&mut self, mac: Mac, up: bool, now: Time) {
        let before = self.link;
        let down_since = if before.is_up && !up {
            Some(now)
        } else {
            before.down_since
        };
        self.link = Link {
            mac,
            is_up: up,
            down_since,
        };
        match (before.is_up, up) {
            (false, true) => self.link_came_up(now),
            (true, false) => self.link_went_down(),
            (true, true) if before.mac != mac => self.mac_changed(now),
            (true, true) | (false, false) => {}
        }
    }

    fn change_terms(&mut self, slot: u32, probe: Probe, deadline: Deadline, now: Time) {
        let common = self.common_deadline;
        let Some(claim) = self.claim_mut(slot) else {
            return;
        };
        claim.probe = probe;
        if claim.deadline != deadline {
            claim.deadline = deadline;
            self.schedule_end(slot);
        }
        let Some(claim) = self.claim_mut(slot) else {
            return;
        };
        if claim.state == State::Expired && !claim.deadline.has_passed(now, common) {
            claim.since = now;
            self.begin(slot, now);
        }
    }

    /// Joins the group that the claim needs before anything is sent for it, or lets it wait.
    fn join_group(&mut self, slot: u32, now: Time) {
        let Some(address) = self.registry.slot(slot).map(|claim| claim.address) else {
            return;
        };
        let Some(group) = P::group(address) else {
            return self.begin(slot, now);
        };
        match self.groups.join(group, slot) {
            Joined::New { first } => {
                if first {
                    self.outputs.push_back(Output::JoinGroup(Groups::ALL));
                }
                self.outputs.push_back(Output::JoinGroup(group));
                self.begin(slot, now);
            }
            Joined::Shared => self.begin(slot, now),
            Joined::Exhausted => {
                if let Some(claim) = self.claim_mut(slot) {
                    claim.silence(State::WithoutGroup);
                }
                let limit = self.groups.limit();
                self.report(Event::GroupsExhausted {
                    address: address.into(),
                    group,
                    limit,
                });
            }
        }
    }

    /// Starts a claim from the beginning, as far as the link and its validity allow.
    pub(super) fn begin(&mut self, slot: u32, now: Time) {
        let is_up = self.link.is_up;
        let common = self.common_deadline;
        let Some(claim) = self.registry.slot_mut(slot) else {
            return;
        };
        let has_passed = claim.deadline.has_passed(now, common);
        claim.silence(if has_passed {
            State::Expired
        } else {
            State::Dormant
        });
        if has_passed || !is_up {
            return;
        }
        let Some(plan) = P::probe_plan(claim.probe) else {
            return self.clear(slot);
        };
        claim.state = State::Waiting;
        claim.left = plan.count.max(1);
        let wait = self.random.between(Duration::ZERO, plan.wait);
        self.schedule_act(slot, now + wait);
    }

    /// Nobody objects: announces the address as soon as the token bucket allows.
    pub(super) fn clear(&mut self, slot: u32) {
        let count = self.config.announce.count.max(1);
        let Some(claim) = self.claim_mut(slot) else {
            return;
        };
        claim.silence(State::Clear);
        claim.left = count;
        self.enqueue(slot, Stage::First);
    }

    fn link_came_up(&mut self, now: Time) {
        self.not_before = now;
        let down_for = self.link.down_since.map(|since| now - since);
        for slot in self.registry.positions() {
            let Some(claim) = self.claim_mut(slot) else {
                continue;
            };
            match claim.state {
                State::Parked => {
                    claim.probe = cautious(claim.probe);
                    let plan = P::probe_plan(claim.probe);
                    // Nobody could have probed the address to its end meanwhile.
                    let was_short = plan.is_some_and(|plan| down_for <= Some(plan.longest()));
                    if was_short {
                        self.clear(slot);
                    } else {
                        self.begin(slot, now);
                    }
                }
                State::Dormant => self.begin(slot, now),
                _ => {}
            }
        }
    }

    fn link_went_down(&mut self) {
        self.discard_frames();
        for slot in self.registry.positions() {
            let Some(claim) = self.claim_mut(slot) else {
                continue;
            };
            if claim.state == State::Announced {
                claim.silence(State::Parked);
            } else if claim.state.is_active() {
                claim.silence(State::Dormant);
            }
        }
    }

    fn mac_changed(&mut self, now: Time) {
        self.discard_frames();
        let count = self.config.announce.count.max(1);
        for slot in self.registry.positions() {
            let Some(claim) = self.claim_mut(slot) else {
                continue;
            };
            match claim.state {
                State::Announced | State::Clear => {
                    claim.left = count;
                    claim.due = Time::MAX;
                    self.enqueue(slot, Stage::First);
                }
                State::Waiting | State::Probing => self.begin(slot, now),
                _ => {}
            }
        }
    }

    /// Drops frames that nobody fetched: they say what is no longer true.
    fn discard_frames(&mut self) {
        self.outputs
            .retain(|output| !matches!(output, Output::Transmit(_)));
    }

    fn schedule_end(&mut self, slot: u32) {
        let deadline = self
            .registry
            .slot(slot)
            .and_then(|claim| claim.deadline.instant());
        if let Some(at) = deadline {
            self.push_due(Due {
                at,
                slot,
                what: What::End,
            });
        }
    }
}

impl<A> Slot<A> {
    /// Nothing more is sent for the claim until something else begins.
    pub(super) fn silence(&mut self, state: State) {
        self.state = state;
        self.stage = Stage::Idle;
        self.due = Time::MAX;
    }
}

/// Who was away cannot know that the address is still free, whatever was known at the claim.
pub(super) fn cautious(probe: Probe) -> Probe {
    probe.max(Probe::Fast)
}
