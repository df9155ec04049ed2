//! One TCP connection: how far its OPENs came, its timers, what arrived and what waits to be sent.

mod hear;

use super::agree::{Ends, agree};
use super::{Negotiated, Offer, Outbox, Refusal};
use crate::bgp::config::Neighbor;
use crate::bgp::message::{DecodeContext, Framer, LIMIT, Open};
use crate::bgp::route::LocalAddresses;
use crate::random::Random;
use crate::time::Time;
use crate::timer::{TimerKey, TimerTable};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub(in crate::bgp) use hear::{Faults, Heard};

/// The number of a TCP connection, or of the attempt at one; never used twice by one speaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// Who dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// We.
    Outgoing,
    /// The peer.
    Incoming,
}

/// How far a connection is: the part of RFC 4271's state machine that each connection has for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bgp) enum Phase {
    /// The peer's OPEN is waited for before ours is sent (`DelayOpen`); part of Connect or Active.
    Delaying,
    /// Our OPEN is sent, the peer's is not here yet.
    OpenSent,
    /// Both are, but the other connection should win the collision: for a moment its OPEN is waited
    /// for. Part of `OpenSent`. `confirmed`: the peer's KEEPALIVE is here already.
    Held { confirmed: bool },
    /// OPENs fit; the peer's KEEPALIVE is waited for.
    OpenConfirm,
    /// The session is up.
    Established,
}

/// A timer of a connection ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bgp) enum Expired {
    /// Time to send our OPEN after all.
    DelayOpen,
    /// The other connection of a collision had its time.
    Collision,
    /// The peer is silent.
    Hold,
    /// The peer takes nothing.
    SendHold,
    /// Time for a sign of life.
    Keepalive,
}

impl TimerKey for Expired {
    const ALL: &'static [Self] = &[
        Self::DelayOpen,
        Self::Collision,
        Self::Hold,
        Self::SendHold,
        Self::Keepalive,
    ];
}

/// One TCP connection to the peer.
#[derive(Debug)]
pub(in crate::bgp) struct Connection {
    pub(in crate::bgp) id: ConnectionId,
    pub(in crate::bgp) phase: Phase,
    pub(in crate::bgp) outbox: Outbox,
    /// A `Wake` was given, and the driver has not found the connection empty since.
    pub(in crate::bgp) awake: bool,
    ends: Ends,
    offer: Offer,
    framer: Framer,
    context: DecodeContext,
    agreed: Option<Arc<Negotiated>>,
    timers: TimerTable<Expired, 5>,
    /// Octets that the driver took and TCP did not yet.
    unsent: usize,
    send_hold_time: Duration,
}

impl Connection {
    pub(in crate::bgp) fn new(
        id: ConnectionId,
        direction: Direction,
        addresses: LocalAddresses,
        remote: SocketAddr,
        offer: Offer,
    ) -> Self {
        Self {
            id,
            phase: Phase::Delaying,
            outbox: Outbox::default(),
            awake: false,
            ends: Ends {
                direction,
                addresses,
                remote,
            },
            offer,
            framer: Framer::default(),
            context: DecodeContext::default(),
            agreed: None,
            timers: TimerTable::default(),
            unsent: 0,
            send_hold_time: Duration::ZERO,
        }
    }

    pub(in crate::bgp) const fn direction(&self) -> Direction {
        self.ends.direction
    }

    /// What the OPENs agree on, from `OpenConfirm` (or `Held`) on.
    pub(in crate::bgp) const fn agreed(&self) -> Option<&Arc<Negotiated>> {
        self.agreed.as_ref()
    }

    /// Has the peer's OPEN come and did it fit?
    pub(in crate::bgp) const fn has_open(&self) -> bool {
        self.agreed.is_some()
    }

    /// Did our OPEN have capabilities?
    pub(in crate::bgp) const fn is_capable(&self) -> bool {
        self.offer.capable
    }

    pub(in crate::bgp) fn is_established(&self) -> bool {
        self.phase == Phase::Established
    }

    /// Waits for the peer's OPEN before sending ours.
    pub(in crate::bgp) fn delay_open(&mut self, until: Time) {
        self.timers.set(Expired::DelayOpen, until);
    }

    /// Sends our OPEN (RFC 4271 section 8.2.2: with a large hold time until the peer's comes).
    pub(in crate::bgp) fn send_open(&mut self, neighbor: &Neighbor, now: Time) {
        self.outbox.push_open(&self.offer.open(neighbor));
        self.phase = Phase::OpenSent;
        self.timers.clear(Expired::DelayOpen);
        self.timers.set(Expired::Hold, now + LARGE_HOLD_TIME);
    }

    /// Compares the peer's OPEN with ours and remembers what both agree on.
    pub(in crate::bgp) fn judge(
        &mut self,
        neighbor: &Neighbor,
        open: &Open,
    ) -> Result<Arc<Negotiated>, Refusal> {
        let agreed = Arc::new(agree(neighbor, self.offer, open, self.ends)?);
        self.context = decode_context(neighbor, &agreed);
        if agreed.message_limit > LIMIT {
            self.framer.allow_extended_messages();
        }
        self.send_hold_time = neighbor.settings.timers.send_hold_time(agreed.hold_time);
        self.agreed = Some(Arc::clone(&agreed));
        Ok(agreed)
    }

    /// Lets the other connection of a collision prove itself until `until`.
    pub(in crate::bgp) fn hold_back(&mut self, until: Time) {
        self.phase = Phase::Held { confirmed: false };
        self.timers.set(Expired::Collision, until);
    }

    /// Accepts the peer's OPEN.
    pub(in crate::bgp) fn confirm(&mut self, random: &mut Random, now: Time) {
        self.phase = Phase::OpenConfirm;
        self.timers.clear(Expired::Collision);
        self.outbox.push_keepalive();
        self.heard_from(now);
        self.restart_keepalive(random, now);
    }

    /// The peer lives: its hold time starts again. A hold time of zero stops the timer.
    pub(in crate::bgp) fn heard_from(&mut self, now: Time) {
        let hold = self
            .agreed
            .as_ref()
            .map_or(LARGE_HOLD_TIME, |it| it.hold_time);
        let deadline = (!hold.is_zero()).then(|| now + hold);
        self.timers.put(Expired::Hold, deadline);
    }

    /// We gave a sign of life, or want to give the next one later; jitter as in RFC 4271 section 10.
    pub(in crate::bgp) fn restart_keepalive(&mut self, random: &mut Random, now: Time) {
        let span = self.agreed.as_ref().and_then(|it| it.keepalive_time);
        let deadline = span.map(|span| now + random.between(span * 3 / 4, span));
        self.timers.put(Expired::Keepalive, deadline);
    }

    /// The driver took `octets` to send (RFC 9687: the time runs while TCP takes none of them).
    pub(in crate::bgp) fn handed_over(&mut self, octets: usize, now: Time) {
        self.unsent = self.unsent.saturating_add(octets);
        if self.unsent > 0 && self.timers.deadline(Expired::SendHold).is_none() {
            self.restart_send_hold(now);
        }
    }

    /// TCP took `octets`.
    pub(in crate::bgp) fn taken_by_tcp(&mut self, octets: usize, now: Time) {
        self.unsent = self.unsent.saturating_sub(octets);
        self.restart_send_hold(now);
    }

    fn restart_send_hold(&mut self, now: Time) {
        let runs = self.unsent > 0
            && self.is_established()
            && self.timers.deadline(Expired::Hold).is_some();
        let deadline = runs.then(|| now + self.send_hold_time);
        self.timers.put(Expired::SendHold, deadline);
    }

    pub(in crate::bgp) fn pop_expired(&mut self, now: Time) -> Option<Expired> {
        self.timers.pop_due(now)
    }

    pub(in crate::bgp) fn next_deadline(&self) -> Option<Time> {
        self.timers.next_deadline()
    }
}

/// How UPDATEs of this session are to be read.
fn decode_context(neighbor: &Neighbor, agreed: &Negotiated) -> DecodeContext {
    let external = agreed.is_external();
    let enforced = external && neighbor.settings.enforce_first_as;
    DecodeContext {
        four_octet_as: agreed.four_octet_as,
        families: agreed.families,
        extended_next_hop: agreed.extended_next_hop,
        ebgp: external,
        first_as: enforced.then_some(agreed.peer_as),
        ..DecodeContext::default()
    }
}

/// RFC 4271 section 8.2.2 suggests four minutes until the peer's OPEN comes.
const LARGE_HOLD_TIME: Duration = Duration::from_mins(4);
