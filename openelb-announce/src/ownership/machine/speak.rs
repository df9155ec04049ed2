//! What this node says, and what it tells others to do.

use super::{Machine, TELLINGS};
use crate::ownership::beat::{Beat, Heard, MOST_ORDERS, Offer, Order};
use crate::ownership::name::{NodeId, NodeKey};
use crate::ownership::status::Phase;
use crate::ownership::terms::{Event, Output};
use crate::time::Time;
use std::time::Duration;

/// An order that is told until it is heard to be obeyed.
#[derive(Clone, Debug)]
pub(super) struct SentOrder {
    node: NodeId,
    order: Order,
    until: Time,
}

impl Machine {
    /// Says what is so at `now`.
    pub(super) fn beat(&mut self, now: Time) {
        let interval = self.interval();
        let sequence = self.voice.beat(interval, &mut self.random, now);
        let Some(me) = &self.me else {
            return;
        };
        let beat = Beat {
            node: me.settings.node.clone(),
            boot: me.settings.boot,
            sequence,
            interval,
            dead_after: me.settings.timing.dead_after(),
            is_listening: matches!(self.phase, Phase::Listening { .. } | Phase::Shadowed),
            is_draining: self.is_draining,
            is_leaving: self.has_left,
            reception: self.reception.map(|at| now - at),
            changes: self.changes,
            heard: self.heard(me.key, now),
            orders: self.orders.iter().map(|sent| sent.order).collect(),
            offers: self.offers(),
        };
        for datagram in beat.datagrams(&me.settings.keys) {
            self.outputs.push_back(Output::Transmit(datagram));
        }
        self.counters.sent += 1;
    }

    fn heard(&self, me: NodeKey, now: Time) -> Vec<Heard> {
        let twin = self.twin.map(|twin| Heard {
            node: me,
            boot: twin.boot,
            sequence: twin.sequence,
            age: now - twin.heard,
            changes: twin.changes,
        });
        let direct = self.roll.live().filter(|peer| peer.is_direct);
        twin.into_iter()
            .chain(direct.map(|peer| peer.entry(now)))
            .collect()
    }

    fn offers(&self) -> Vec<Offer> {
        let offer = |tenure: &super::Tenure| Offer {
            group: tenure.id,
            standing: tenure.group.standing,
            claims: tenure.owned.clone(),
        };
        self.tenures.values().map(offer).collect()
    }

    /// The last beat did not leave: it proves nothing to anybody, and what it was the first to claim
    /// is not owned.
    pub(super) fn unsent(&mut self) {
        self.counters.unsent += 1;
        // Each of its datagrams may be reported, on either family.
        if self.voice.has_failed() {
            return;
        }
        let failed = self.voice.proved();
        self.voice.unsent();
        if let Some(at) = failed {
            self.take_back(at);
        }
    }

    /// Tells another node what to do, until it is heard doing it or half a minute is over.
    pub(super) fn order(&mut self, node: &NodeId, drain: bool, now: Time) {
        let key = node.key();
        if self.me.as_ref().is_some_and(|me| me.key == key) {
            self.drain(drain, now);
            return;
        }
        self.orders.retain(|sent| sent.order.node != key);
        if self.orders.len() >= MOST_ORDERS {
            self.orders.remove(0);
        }
        let number = self.next_order;
        self.next_order += 1;
        self.orders.push(SentOrder {
            node: node.clone(),
            order: Order {
                node: key,
                number,
                drain,
            },
            until: now + ORDER_LIFE,
        });
        self.voice.tell(TELLINGS, now);
    }

    /// Carries out what another node orders, once; and hears whether another one obeyed.
    pub(super) fn obey(&mut self, beat: &Beat, now: Time) {
        let Some(me) = self.me.as_ref().map(|me| me.key) else {
            return;
        };
        let key = beat.node.key();
        let is_obeyed =
            |sent: &SentOrder| sent.order.node == key && sent.order.drain == beat.is_draining;
        if let Some(place) = self.orders.iter().position(is_obeyed) {
            let SentOrder { node, order, .. } = self.orders.remove(place);
            let drain = order.drain;
            self.event(Event::Obeyed { node, drain });
        }
        let Some(order) = beat.orders.iter().find(|order| order.node == me) else {
            return;
        };
        let Some(peer) = self.roll.peer_mut(key) else {
            return;
        };
        if peer.ordered.is_none_or(|done| order.number > done) {
            peer.ordered = Some(order.number);
            let (by, drain) = (beat.node.clone(), order.drain);
            self.event(Event::Ordered { by, drain });
            self.drain(drain, now);
        }
    }

    /// Drops the orders that nobody obeyed for half a minute.
    pub(super) fn give_up_orders(&mut self, now: Time) {
        let (over, kept) = std::mem::take(&mut self.orders)
            .into_iter()
            .partition(|it| it.until <= now);
        self.orders = kept;
        for SentOrder { node, .. } in over {
            self.event(Event::Unheeded { node });
        }
    }
}

/// Longer than D of any profile, so that a node that is just restarting hears it too.
const ORDER_LIFE: Duration = Duration::from_secs(30);
