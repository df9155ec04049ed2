//! What other nodes say: who is believed, and what follows from it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Machine, TELLINGS};
use crate::ownership::beat::{Beat, BeatError, Datagram, Heard, Offer};
use crate::ownership::keys::KeyRefusal;
use crate::ownership::name::{GroupId, NodeId, NodeKey};
use crate::ownership::roll::{Order, Peer};
use crate::ownership::status::Phase;
use crate::ownership::terms::{Event, How, Mismatch, Refusal, Why};
use crate::time::Time;

/// Another node with this node's name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Twin {
    pub(super) boot: u64,
    pub(super) sequence: u64,
    pub(super) changes: u16,
    /// When it was last heard.
    pub(super) heard: Time,
    is_reported: bool,
}

/// Why nothing follows from a datagram.
enum Nothing {
    /// It is the same as another one, or one of several pieces.
    New,
    /// It is refused.
    Refused(Option<NodeId>, Refusal),
}

/// What a beat proves about when it was written: it names a beat of this node that its sender heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Echo {
    /// It names none of this start of this node.
    None,
    /// It names one of the last D, which left at this instant.
    Fresh(Time),
    /// It names one, but one that its sender would not name any more if it had written it just now.
    Old,
}

impl Echo {
    const fn is_fresh(self) -> bool {
        matches!(self, Self::Fresh(_))
    }
}

impl Machine {
    pub(super) fn hear(&mut self, octets: &[u8], hop_limit: u8, received: Time, now: Time) {
        if self.me.is_none() || !self.is_up {
            return;
        }
        self.receive(received, now);
        let heard = self
            .read(octets, hop_limit)
            .and_then(|beat| self.accept(beat, received, now));
        if let Err(Nothing::Refused(node, reason)) = heard {
            *self.counters.refused.entry(reason).or_default() += 1;
            if self.refused.len() < REPORTED && self.refused.insert((node.clone(), reason)) {
                self.event(Event::Refused { node, reason });
            }
        }
    }

    /// A frame of any kind came in.
    pub(super) fn receive(&mut self, at: Time, now: Time) {
        let was_deaf = self.is_deaf(now);
        self.reception = self.reception.max(Some(at));
        self.is_dirty |= was_deaf && !self.is_deaf(now);
    }

    /// Has this node received nothing at all for nearly D, though it was not alone?
    pub(super) fn is_deaf(&self, now: Time) -> bool {
        // A death is noticed D after the last beat, so D itself would never be reached by then.
        let most = self.dead_after().saturating_sub(self.interval() / 4);
        self.had_peers && self.reception.is_none_or(|at| at + most <= now)
    }

    fn read(&mut self, octets: &[u8], hop_limit: u8) -> Result<Beat, Nothing> {
        if hop_limit != 255 {
            return Err(Nothing::Refused(None, Refusal::HopLimit));
        }
        let datagram = Datagram::decode(octets).map_err(|error| malformed(None, error))?;
        let node = || Some(datagram.node.clone());
        let Some(me) = &self.me else {
            return Err(Nothing::New);
        };
        datagram
            .verify(&me.settings.keys)
            .map_err(|refusal| match refusal {
                KeyRefusal::Unknown => Nothing::Refused(node(), Refusal::Key),
                KeyRefusal::Signature => Nothing::Refused(node(), Refusal::Signature),
            })?;
        let key = datagram.node.key();
        if key != me.key {
            match self.roll.place(key, datagram.boot, datagram.sequence) {
                Order::Duplicate => return Err(Nothing::New),
                Order::Stale => return Err(Nothing::Refused(node(), Refusal::Stale)),
                Order::First | Order::Next | Order::Earlier | Order::Rival => {}
            }
        }
        let beat = match datagram.whole() {
            Some(beat) => Some(beat),
            None if key == me.key => self.own_assembly.add(&datagram),
            None => match self.roll.admit(&datagram.node) {
                Some(peer) => peer.assembly.add(&datagram),
                None => return Err(Nothing::Refused(node(), Refusal::TooManyNodes)),
            },
        };
        let beat = beat.ok_or(Nothing::New)?;
        beat.map_err(|error| malformed(node(), error))
    }

    fn accept(&mut self, beat: Beat, received: Time, now: Time) -> Result<(), Nothing> {
        let key = beat.node.key();
        let echo = self.echo(&beat, received);
        if self.me.as_ref().is_some_and(|me| me.key == key) {
            self.hear_twin(&beat, echo, received, now);
            return Ok(());
        }
        let stale = |node: &NodeId| Err(Nothing::Refused(Some(node.clone()), Refusal::Stale));
        if echo == Echo::Old {
            return stale(&beat.node);
        }
        match self.roll.place(key, beat.boot, beat.sequence) {
            Order::Duplicate => return Err(Nothing::New),
            Order::Stale => return stale(&beat.node),
            Order::Earlier if !echo.is_fresh() && !self.is_recent(&beat, received) => {
                self.dispute(&beat, received);
                return stale(&beat.node);
            }
            Order::Rival => {
                let rival = self.roll.peer_mut(key).filter(|_| echo.is_fresh());
                if rival.is_some_and(|peer| peer.hear_rival(beat.boot, beat.sequence, received)) {
                    self.event(Event::DuplicateNode(beat.node.clone()));
                }
                return stale(&beat.node);
            }
            Order::First | Order::Next | Order::Earlier => {}
        }
        if received + beat.dead_after <= now {
            // It waited so long that it proves no life any more; newer ones follow if there is any.
            return Err(Nothing::New);
        }
        self.counters.heard += 1;
        self.had_peers = true;
        self.meet(&beat, received, now)?;
        self.take_in(beat, echo, received, now);
        Ok(())
    }

    /// Nothing proves that this is said now, and not replayed, so nobody yields to it; but clients may
    /// listen to whoever says so.
    fn dispute(&mut self, beat: &Beat, received: Time) {
        if let Some(peer) = self.roll.peer_mut(beat.node.key()) {
            peer.dispute(beat, received);
            self.is_dirty = true;
        }
    }

    /// Do others prove that a beat was written within D: a node that is heard here has heard that start
    /// of its sender, or the beat names the last beat that is known here of such a node?
    fn is_recent(&self, beat: &Beat, received: Time) -> bool {
        let sender = self.roll.peer(beat.node.key());
        let is_vouched_for =
            sender.is_some_and(|peer| peer.is_vouched_for(beat.boot, beat.sequence, received));
        let is_dated = |heard: &Heard| {
            let third = self.roll.peer(heard.node);
            third.is_some_and(|peer| peer.dates(heard, received))
        };
        is_vouched_for || beat.heard.iter().any(is_dated)
    }

    fn echo(&self, beat: &Beat, received: Time) -> Echo {
        let Some(me) = &self.me else {
            return Echo::None;
        };
        let is_ours = |boot| boot == me.settings.boot;
        let Some(heard) = beat
            .heard
            .iter()
            .find(|it| it.node == me.key && is_ours(it.boot))
        else {
            return Echo::None;
        };
        let dead_after = me.settings.timing.dead_after();
        // Its sender keeps this node in the list for D, by a clock that may be slower.
        let most = dead_after * 11 / 10 + beat.interval;
        match self.voice.age(heard.sequence, received) {
            Some(age) if age <= dead_after => Echo::Fresh(received - age),
            Some(age) if age > most => Echo::Old,
            None if self.voice.is_forgotten(heard.sequence) => Echo::Old,
            _ => Echo::None,
        }
    }

    /// Makes the sender of a beat known, if it is not or if it started again.
    fn meet(&mut self, beat: &Beat, received: Time, now: Time) -> Result<(), Nothing> {
        let key = beat.node.key();
        let known = self.roll.peer(key).map(|peer| (peer.is_live, peer.boot));
        let is_again = known.is_some_and(|(is_live, boot)| is_live && boot != beat.boot);
        if is_again {
            self.bury(key);
        }
        let Some(peer) = self.roll.admit(&beat.node) else {
            return Err(Nothing::Refused(
                Some(beat.node.clone()),
                Refusal::TooManyNodes,
            ));
        };
        let was_live = peer.is_live && !is_again;
        if known.is_none() {
            peer.restart(beat.boot);
        } else if peer.boot != beat.boot {
            self.is_suspicious |= peer.may_have_claimed(received);
            peer.restart(beat.boot);
        }
        if !was_live {
            peer.is_live = true;
            peer.since = received;
            peer.was_listening = false;
            peer.mutual_since = None;
            peer.ready_since = None;
            self.is_dirty = true;
            self.rank_again();
            self.event(Event::NodeUp(beat.node.clone()));
            // So that it need not wait for a regular beat to learn that it is heard.
            self.voice.tell(1, now);
        }
        Ok(())
    }

    /// Takes in what a beat of a known node says.
    fn take_in(&mut self, beat: Beat, echo: Echo, received: Time, now: Time) {
        let key = beat.node.key();
        if echo.is_fresh() {
            let outdated = self.roll.hear_of(&beat, received);
            self.is_dirty |= !outdated.is_empty();
            for node in outdated {
                self.bereave(node);
            }
        }
        self.obey(&beat, now);
        self.compare(&beat);
        let Some(peer) = self.roll.peer_mut(key) else {
            return;
        };
        let standing_before = Looks::of(peer);
        let claims_before = peer.changes;
        let is_first = peer.sequence == 0;
        peer.sequence = beat.sequence;
        peer.changes = beat.changes;
        peer.interval = beat.interval;
        peer.dead_after = beat.dead_after;
        peer.heard = peer.heard.max(received);
        peer.is_direct = true;
        peer.is_outdated = false;
        peer.is_listening = beat.is_listening;
        peer.was_listening |= beat.is_listening;
        peer.is_draining = beat.is_draining;
        peer.is_leaving = beat.is_leaving;
        // Nobody is deaf who has had nothing to hear, or no time to, or who hears others.
        let is_spoken_to = self.voice.steady_for(received) >= beat.dead_after + beat.interval;
        if !beat.heard.is_empty() {
            peer.deaf_until = Time::ZERO;
        } else if is_spoken_to
            && !beat.is_listening
            && beat.reception.is_none_or(|age| age > beat.dead_after)
        {
            peer.deaf_until = received + DEAFNESS;
        }
        if let Echo::Fresh(left) = echo {
            peer.deaf_until = Time::ZERO;
            peer.reached = peer.reached.max(Some(left));
            peer.mutual_since = peer.mutual_since.or(Some(received));
        } else {
            peer.mutual_since = None;
        }
        let is_ready = peer.mutual_since.is_some() && !beat.is_listening;
        peer.ready_since = peer.ready_since.or(Some(received)).filter(|_| is_ready);
        // Some stray frame does not cure it, or else its shards would go to and fro.
        peer.is_deaf = peer.mutual_since.is_none() && received < peer.deaf_until;
        let looks = Looks::of(peer);
        let is_same = looks == standing_before && claims_before == beat.changes && !is_first;
        let has_claims = peer.has_claims();
        let is_odd = peer.mutual_since.is_none() && has_claims;
        if looks != standing_before {
            self.rank_again();
        }
        self.is_dirty |= !is_same || is_odd;
        self.take_in_offers(key, claims_before, beat);
    }

    /// Replaces what a node offers and claims, and notes which shards it gave up.
    ///
    /// Its number of changes tells of what it claimed and gave up between the last beat that was heard
    /// and this one, as it does when it takes over after a split and yields at the first beat after
    /// the heal: then it may have been the last to announce anything of what is owned here.
    fn take_in_offers(&mut self, key: NodeKey, changes_before: u16, beat: Beat) {
        let changes = beat.changes.wrapping_sub(changes_before);
        let Some(peer) = self.roll.peer_mut(key) else {
            return;
        };
        let is_deaf = peer.is_deaf;
        let offers = beat
            .offers
            .into_iter()
            .map(|offer| (offer.group, offer))
            .collect();
        let before = std::mem::replace(&mut peer.offers, offers);
        let has_missed = changes != differing(&before, &peer.offers);
        for tenure in self.tenures.values_mut() {
            let (id, shards) = (tenure.id, tenure.group.shards);
            let offer = |offers: &BTreeMap<GroupId, Offer>| {
                offers
                    .get(&id)
                    .map(|offer| (offer.standing, offer.claims.shards()))
            };
            if offer(&before) != offer(&peer.offers) {
                tenure.is_stale = true;
                self.is_dirty = true;
            }
            if has_missed {
                let owned = tenure.owned.clone();
                tenure.was_contended(&owned);
            }
            let Some(old) = before.get(&id).filter(|old| !old.claims.is_empty()) else {
                continue;
            };
            let new = peer.claims(id, shards);
            let old = old.claims.rescaled(shards);
            let gone = new.map_or_else(|| old.clone(), |new| old.without(&new));
            if !gone.is_empty() {
                tenure.bereave(&gone, How::Handover);
                tenure.was_contended(&gone);
                self.is_dirty = true;
            }
            if is_deaf {
                tenure.bereave(&old, How::Takeover);
            }
        }
    }

    /// Reports, once for each start of a node, in what it is set up differently.
    fn compare(&mut self, beat: &Beat) {
        let Some(ours) = self.me.as_ref().map(|me| me.settings.timing) else {
            return;
        };
        let node = beat.node.clone();
        let mut found = Vec::new();
        if let Some(peer) = self.roll.peer_mut(node.key()) {
            let theirs = (beat.interval, beat.dead_after);
            if theirs != (ours.interval(), ours.dead_after()) && !peer.is_timing_reported {
                peer.is_timing_reported = true;
                found.push(Mismatch::Timing { ours, theirs });
            }
            for offer in &beat.offers {
                let Some(tenure) = self.tenures.get(&offer.group) else {
                    continue;
                };
                let (ours, theirs) = (tenure.group.shards, offer.claims.shards());
                if ours != theirs && !peer.reported.contains(&offer.group) {
                    let group = offer.group;
                    peer.reported.push(group);
                    found.push(Mismatch::Shards {
                        group,
                        ours,
                        theirs,
                    });
                }
            }
        }
        for what in found {
            let node = node.clone();
            self.event(Event::Mismatch { node, what });
        }
    }

    /// Another node uses this node's name. The later start keeps it; a start that cannot be told from
    /// this one keeps it if it has said more.
    fn hear_twin(&mut self, beat: &Beat, echo: Echo, received: Time, now: Time) {
        let Some(boot) = self.me.as_ref().map(|me| me.settings.boot) else {
            return;
        };
        if beat.boot == boot && beat.sequence <= self.voice.sequence {
            // Its own voice, thrown back by a switch or by a list of peers that names this node.
            return;
        }
        let known = self.twin.filter(|twin| twin.boot == beat.boot);
        if known.is_some_and(|twin| beat.sequence <= twin.sequence) {
            return;
        }
        let is_proved = echo.is_fresh() || beat.boot == boot;
        let is_reported = known.is_some_and(|twin| twin.is_reported);
        if self.twin.is_none_or(|twin| twin.boot <= beat.boot) {
            self.twin = Some(Twin {
                boot: beat.boot,
                sequence: beat.sequence,
                changes: beat.changes,
                heard: received,
                is_reported: is_reported || is_proved,
            });
        }
        if !is_proved {
            // It may be what an earlier start of this node has left in a queue. A living one will
            // hear this node and say so.
            self.voice.tell(1, now);
            return;
        }
        if !is_reported {
            self.event(Event::DuplicateNode(beat.node.clone()));
        }
        if beat.boot >= boot && matches!(self.phase, Phase::Running | Phase::Listening { .. }) {
            self.lose_all(&Why::Duplicate);
            self.phase = Phase::Shadowed;
            self.voice.tell(TELLINGS, now);
        }
    }

    /// The other node with this name is gone once it has not been heard for D.
    pub(super) fn forget_twin(&mut self, now: Time) {
        let dead_after = self.dead_after();
        if self.twin.is_some_and(|twin| twin.heard + dead_after <= now)
            && self.lenient_until.is_none()
        {
            self.twin = None;
            if self.phase == Phase::Shadowed {
                self.listen(now);
            }
        }
    }
}

/// What makes a node a candidate, or keeps it from being one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the facts of a node that rankings depend on, side by side"
)]
struct Looks {
    is_candidate: bool,
    is_listening: bool,
    is_draining: bool,
    is_deaf: bool,
}

impl Looks {
    const fn of(peer: &Peer) -> Self {
        Self {
            is_candidate: peer.is_candidate(),
            is_listening: peer.is_listening,
            is_draining: peer.is_draining,
            is_deaf: peer.is_deaf,
        }
    }
}

/// In how many shards the claims of two beats differ, counted as [`Beat::changes`] counts.
fn differing(before: &BTreeMap<GroupId, Offer>, now: &BTreeMap<GroupId, Offer>) -> u16 {
    let mut differing: usize = 0;
    for (id, offer) in now {
        let before = before.get(id).map(|before| &before.claims);
        differing += before.map_or(offer.claims.len(), |it| it.differing(&offer.claims));
    }
    let gone = before.iter().filter(|(id, _)| !now.contains_key(id));
    differing += gone.map(|(_, offer)| offer.claims.len()).sum::<usize>();
    u16::try_from(differing % 0x1_0000).unwrap_or_default()
}

fn malformed(node: Option<NodeId>, error: BeatError) -> Nothing {
    let reason = match error {
        BeatError::Version(_) => Refusal::Version,
        BeatError::Truncated(_) | BeatError::Foreign | BeatError::Field(_) => Refusal::Malformed,
    };
    Nothing::Refused(node, reason)
}

/// How long a node that received nothing must receive something before that is believed: longer than
/// clients take to come and go (`DEFEND_INTERVAL`, RFC 5227 section 1.1).
const DEAFNESS: Duration = Duration::from_secs(10);
/// So many sources and reasons are remembered; what more there are is only counted.
const REPORTED: usize = 256;
