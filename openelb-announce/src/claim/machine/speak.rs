//! What the machine does by itself: probes, announcements and refreshes, at their time and pace.

use super::Lifecycle;
use super::terms::cautious;
use crate::claim::registry::{Slot, State};
use crate::claim::schedule::{Due, Stage, Turn, What};
use crate::claim::{Event, NeighborProtocol, Round};
use crate::random::mix;
use crate::time::Time;
use std::time::Duration;

impl<P: NeighborProtocol> Lifecycle<P> {
    /// Looks at every claim that is due.
    pub(super) fn act(&mut self, now: Time) {
        while let Some(due) = self.next_due().filter(|due| due.at <= now) {
            self.schedule.pop();
            match due.what {
                What::End => self.expire(due.slot),
                What::Act => self.step(due.slot, now),
            }
        }
    }

    /// Sends what waits to be sent, as far as the token bucket allows.
    pub(super) fn speak(&mut self, now: Time) {
        while let Some(turn) = self.next_turn()
            && self.pace.take(now)
        {
            self.queue.pop();
            self.send(turn, now);
        }
    }

    pub(super) fn next_due(&mut self) -> Option<Due> {
        let registry = &self.registry;
        self.schedule
            .first(|due| holds(registry.slot(due.slot), due))
    }

    pub(super) fn next_turn(&mut self) -> Option<Turn> {
        let registry = &self.registry;
        self.queue.first(|turn| {
            registry
                .slot(turn.slot)
                .is_some_and(|c| c.stage == turn.stage)
        })
    }

    pub(super) fn schedule_act(&mut self, slot: u32, at: Time) {
        let Some(claim) = self.claim_mut(slot) else {
            return;
        };
        claim.due = at;
        if at < Time::MAX {
            self.push_due(Due {
                at,
                slot,
                what: What::Act,
            });
        }
    }

    pub(super) fn push_due(&mut self, due: Due) {
        let registry = &self.registry;
        self.schedule.push(due, registry.len(), |due| {
            holds(registry.slot(due.slot), due)
        });
    }

    /// Lets the claim wait for its turn to send what `stage` says.
    pub(super) fn enqueue(&mut self, slot: u32, stage: Stage) {
        let order = self.turns;
        self.turns = self.turns.wrapping_add(1);
        let Some(claim) = self.claim_mut(slot) else {
            return;
        };
        claim.stage = stage;
        let turn = Turn {
            stage,
            coldness: u32::MAX - claim.asked,
            order,
            slot,
        };
        let registry = &self.registry;
        self.queue.push(turn, registry.len(), |turn| {
            registry
                .slot(turn.slot)
                .is_some_and(|claim| claim.stage == turn.stage)
        });
    }

    /// What tells our probes for this claim from those of others (RFC 7527 section 4.1). It follows
    /// from the seed, so that it need not be kept for each claim.
    pub(super) fn nonce(&self, claim: &Slot<P::Address>) -> [u8; 6] {
        let bits = P::bits(claim.address).to_be_bytes();
        let (halves, _) = bits.as_chunks::<8>();
        let seed = mix(self.config.seed ^ claim.since.as_nanos());
        let fold = |seed, half: &[u8; 8]| mix(seed ^ u64::from_be_bytes(*half));
        let [_, _, nonce @ ..] = halves.iter().fold(seed, fold).to_be_bytes();
        nonce
    }

    fn expire(&mut self, slot: u32) {
        let Some(claim) = self.claim_mut(slot) else {
            return;
        };
        if matches!(claim.state, State::Expired | State::WithoutGroup) {
            return;
        }
        claim.silence(State::Expired);
        let address = claim.address.into();
        self.report(Event::Expired(address));
    }

    fn step(&mut self, slot: u32, now: Time) {
        let Some(claim) = self.claim_mut(slot) else {
            return;
        };
        claim.due = Time::MAX;
        match claim.state {
            State::Probing if claim.left == 0 => self.clear(slot),
            State::Waiting | State::Probing | State::Announced => self.enqueue(slot, Stage::First),
            State::Conflicted => {
                claim.probe = cautious(claim.probe);
                self.begin(slot, now);
            }
            _ => {}
        }
    }

    fn send(&mut self, turn: Turn, now: Time) {
        let Some(claim) = self.registry.slot(turn.slot).copied() else {
            return;
        };
        if self.has_passed(&claim, now) {
            return;
        }
        match (claim.state, turn.stage) {
            (State::Waiting | State::Probing, _) => self.send_probe(turn.slot, &claim, now),
            (_, Stage::Defend) => self.send_form(turn.slot, &claim, 0, Stage::Idle),
            (State::Clear, _) => {
                self.send_first_form(turn.slot, &claim, now);
                if let Some(claim) = self.claim_mut(turn.slot) {
                    claim.state = State::Announced;
                }
                self.report(Event::Announced(claim.address.into()));
            }
            (State::Announced, Stage::First) => self.send_first_form(turn.slot, &claim, now),
            (State::Announced, Stage::Second) => {
                self.send_form(turn.slot, &claim, 1, Stage::Idle);
                self.finish_round(turn.slot, now);
            }
            _ => {}
        }
    }

    fn send_probe(&mut self, slot: u32, claim: &Slot<P::Address>, now: Time) {
        let nonce = self.nonce(claim);
        self.transmit(self.protocol.probe(claim.address, self.link.mac, nonce));
        if claim.state == State::Waiting {
            self.report(Event::Probing(claim.address.into()));
        }
        let Some(plan) =
            P::probe_plan(claim.probe).or_else(|| P::probe_plan(cautious(claim.probe)))
        else {
            return;
        };
        let left = claim.left.saturating_sub(1);
        let gap = match left {
            0 => plan.settle,
            _ => self.random.between(plan.gap_min, plan.gap_max),
        };
        if let Some(claim) = self.claim_mut(slot) {
            claim.state = State::Probing;
            claim.stage = Stage::Idle;
            claim.left = left;
        }
        self.schedule_act(slot, now + gap);
    }

    fn send_first_form(&mut self, slot: u32, claim: &Slot<P::Address>, now: Time) {
        let round = if claim.left > 0 {
            Round::Claim
        } else {
            Round::Refresh
        };
        self.send_form(slot, claim, 0, Stage::Idle);
        if P::forms(round) > 1 {
            self.enqueue(slot, Stage::Second);
        } else {
            self.finish_round(slot, now);
        }
    }

    fn send_form(&mut self, slot: u32, claim: &Slot<P::Address>, form: u8, next: Stage) {
        self.transmit(
            self.protocol
                .announcement(claim.address, self.link.mac, form),
        );
        if let Some(claim) = self.claim_mut(slot) {
            claim.stage = next;
        }
    }

    fn finish_round(&mut self, slot: u32, now: Time) {
        let Some(claim) = self.claim_mut(slot) else {
            return;
        };
        claim.left = claim.left.saturating_sub(1);
        let left = claim.left;
        let next = if left == 0 {
            self.next_refresh(now)
        } else {
            now + self.gap(left)
        };
        self.schedule_act(slot, next);
    }

    /// The time between two announcements of an address that has `left` more to go.
    fn gap(&self, left: u8) -> Duration {
        let plan = self.config.announce;
        let doublings = plan.count.max(1).saturating_sub(left).saturating_sub(1);
        let factor = 1_u32.checked_shl(doublings.into()).unwrap_or(u32::MAX);
        plan.interval.max(RETRANS_TIMER).saturating_mul(factor)
    }

    /// When an address that was announced often enough is announced next, if ever.
    ///
    /// Those that are due within a sixteenth of the time between two, or within [`TOGETHER`], go together:
    /// with thousands of addresses waking up for each, here and at every other node that hears it, would
    /// cost more than sending.
    pub(super) fn next_refresh(&mut self, now: Time) -> Time {
        let Some(mean) = self.config.announce.refresh else {
            return Time::MAX;
        };
        let claims = u32::try_from(self.registry.len()).unwrap_or(u32::MAX);
        let mean = mean.max(Duration::from_secs(1) * claims / REFRESHES_PER_SECOND);
        let quarter = mean / 4;
        let (min, max) = (mean.saturating_sub(quarter), mean.saturating_add(quarter));
        let at = now + self.random.between(min, max);
        let together = (mean / 16).min(TOGETHER);
        let since = Duration::from_nanos(at.as_nanos() % nanos(together).max(1));
        (now + min).max(at - since)
    }
}

fn holds<A>(claim: Option<&Slot<A>>, due: &Due) -> bool {
    claim.is_some_and(|claim| match due.what {
        What::Act => claim.due == due.at,
        What::End => claim.deadline.instant() == Some(due.at),
    })
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// Refreshing announcements of all addresses: [`AnnouncePlan::refresh`](crate::claim::AnnouncePlan::refresh) tells why.
const REFRESHES_PER_SECOND: u32 = 20;
/// Refreshes that are due within this span leave together: in two forms as many frames as may leave at
/// once ([`RateLimit::burst`](crate::claim::RateLimit::burst)).
const TOGETHER: Duration = Duration::from_secs(5);
/// The least time between two unsolicited advertisements (RFC 4861 sections 7.2.6 and 10); ARP has
/// two seconds (RFC 5227 section 1.1), which the second and third announcements keep.
const RETRANS_TIMER: Duration = Duration::from_secs(1);
