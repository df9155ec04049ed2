//! What other stations say: questions to answer, and claims on our addresses.

use super::Lifecycle;
use crate::claim::registry::{Slot, State};
use crate::claim::schedule::Stage;
use crate::claim::{ConflictPhase, Defence, Event, NeighborProtocol, Probe, Question};
use crate::time::Time;
use crate::wire::Mac;

impl<P: NeighborProtocol> Lifecycle<P> {
    pub(super) fn receive(&mut self, frame: &[u8], received: Time, now: Time) {
        if !self.link.is_up || received < self.not_before {
            return;
        }
        let Some(heard) = P::hear(frame, self.link.mac) else {
            return;
        };
        if let Some(address) = heard.asserted
            && let Some(slot) = self.find_since(address, received)
        {
            self.contest(slot, heard.mac, now);
        }
        if let Some(question) = heard.question
            && let Some(slot) = self.find_since(question.target, received)
        {
            self.consider(slot, &question, now);
        }
    }

    /// The claim on `address`, if it is older than what was `received` and still valid then.
    fn find_since(&self, address: P::Address, received: Time) -> Option<u32> {
        let slot = self.registry.find(address)?;
        self.registry
            .slot(slot)
            .is_some_and(|claim| claim.since <= received)
            .then_some(slot)
    }

    /// Answers a question, or sees in it another station's probe for the same address.
    fn consider(&mut self, slot: u32, question: &Question<P::Address>, now: Time) {
        let Some(claim) = self.registry.slot(slot) else {
            return;
        };
        if self.is_own(claim, question) {
            return;
        }
        let is_probing = matches!(claim.state, State::Waiting | State::Probing);
        if question.sender.is_none() && is_probing {
            return self.contest(slot, question.mac, now);
        }
        self.warm_up(slot, now);
        let Some(claim) = self.registry.slot(slot) else {
            return;
        };
        if claim.state == State::Announced && !self.has_passed(claim, now) {
            self.transmit(self.protocol.answer(question, self.link.mac));
        }
    }

    /// Is it a question of ours that the network sent back? The nonce decides where there is one: two
    /// stations can have the same hardware address by mistake, but not the same nonce (RFC 7527).
    fn is_own(&self, claim: &Slot<P::Address>, question: &Question<P::Address>) -> bool {
        match question.nonce {
            Some(nonce) => nonce == self.nonce(claim),
            None => question.mac == self.link.mac,
        }
    }

    /// Notes that the address was asked for. If it waits for its first announcement, that is next.
    fn warm_up(&mut self, slot: u32, now: Time) {
        let heat = Slot::<P::Address>::heat(now);
        let Some(claim) = self.claim_mut(slot) else {
            return;
        };
        let is_news = claim.asked != heat;
        claim.asked = heat;
        if is_news && claim.state == State::Clear {
            self.enqueue(slot, Stage::First);
            self.speak(now);
        }
    }

    /// Another station uses the address of a claim.
    fn contest(&mut self, slot: u32, mac: Mac, now: Time) {
        let Some(claim) = self.registry.slot(slot).copied() else {
            return;
        };
        if self.has_passed(&claim, now) {
            return;
        }
        match (claim.state, self.config.defence) {
            // The former owner's last words: its successor was told that it is gone.
            (State::Clear, _) if claim.probe == Probe::Skip => {}
            (State::Waiting | State::Probing | State::Clear, _) => {
                self.give_way(slot, &claim, mac, ConflictPhase::Probing, now);
            }
            (State::Announced, Defence::Yield) => {
                self.give_way(slot, &claim, mac, ConflictPhase::Yielded, now);
            }
            (State::Announced, Defence::Defend) => self.defend(slot, &claim, mac, now),
            _ => {}
        }
    }

    fn give_way(
        &mut self,
        slot: u32,
        claim: &Slot<P::Address>,
        mac: Mac,
        phase: ConflictPhase,
        now: Time,
    ) {
        let wait = self.conflicts.backoff(slot, self.config.retry, now);
        if let Some(claim) = self.claim_mut(slot) {
            claim.silence(State::Conflicted);
        }
        self.schedule_act(slot, now + wait);
        self.report(Event::Conflict {
            address: claim.address.into(),
            mac,
            phase,
        });
    }

    fn defend(&mut self, slot: u32, claim: &Slot<P::Address>, mac: Mac, now: Time) {
        if !self
            .conflicts
            .may_defend(slot, self.config.defend_interval, now)
        {
            return;
        }
        // A round that is about to leave is defence enough.
        if claim.stage == Stage::Idle {
            self.enqueue(slot, Stage::Defend);
        }
        let phase = ConflictPhase::Defended;
        self.report(Event::Conflict {
            address: claim.address.into(),
            mac,
            phase,
        });
    }
}
