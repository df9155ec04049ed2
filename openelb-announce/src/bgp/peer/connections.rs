//! The connections of one peer: never more than two, and a few that only have a last word to say.

use super::State;
use crate::bgp::session::{Connection, ConnectionId, Direction, Expired, Outbox, Phase};
use crate::time::Time;
use smallvec::SmallVec;
use std::collections::VecDeque;

/// The connections of one peer.
#[derive(Debug, Default)]
pub(super) struct Connections {
    live: SmallVec<[Box<Connection>; 2]>,
    closing: VecDeque<(ConnectionId, Outbox)>,
}

impl Connections {
    pub(super) fn push(&mut self, connection: Connection) {
        self.live.push(Box::new(connection));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Connection> {
        self.live.iter().map(AsRef::as_ref)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    pub(super) fn get(&self, id: ConnectionId) -> Option<&Connection> {
        self.iter().find(|connection| connection.id == id)
    }

    pub(super) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        let live = self.live.iter_mut().map(AsMut::as_mut);
        live.into_iter().find(|connection| connection.id == id)
    }

    pub(super) fn take(&mut self, id: ConnectionId) -> Option<Box<Connection>> {
        let at = self
            .live
            .iter()
            .position(|connection| connection.id == id)?;
        Some(self.live.swap_remove(at))
    }

    /// Any one of them.
    pub(super) fn first(&self) -> Option<ConnectionId> {
        self.live.first().map(|connection| connection.id)
    }

    /// One that lets another connection of a collision prove itself.
    pub(super) fn held(&self) -> Option<ConnectionId> {
        let held = |it: &&Connection| matches!(it.phase, Phase::Held { .. });
        Some(self.iter().find(held)?.id)
    }

    /// The other one of two.
    pub(super) fn other(&self, id: ConnectionId) -> Option<&Connection> {
        self.iter().find(|connection| connection.id != id)
    }

    /// One that `direction` opened and that is not the session.
    pub(super) fn attempt(&self, direction: Direction) -> Option<&Connection> {
        let attempt = |it: &&Connection| it.direction() == direction && !it.is_established();
        self.iter().find(attempt)
    }

    pub(super) fn established(&self) -> Option<&Connection> {
        self.iter().find(|connection| connection.is_established())
    }

    /// The furthest state of all connections, as RFC 4271 counts them.
    pub(super) fn furthest(&self) -> Option<State> {
        let state = |connection: &Connection| match (connection.phase, connection.direction()) {
            (Phase::Delaying, Direction::Outgoing) => State::Connect,
            (Phase::Delaying, Direction::Incoming) => State::Active,
            (Phase::OpenSent | Phase::Held { .. }, _) => State::OpenSent,
            (Phase::OpenConfirm, _) => State::OpenConfirm,
            (Phase::Established, _) => State::Established,
        };
        self.iter().map(state).max()
    }

    /// A timer of one of them that ran out.
    pub(super) fn pop_expired(&mut self, now: Time) -> Option<(ConnectionId, Expired)> {
        let expired = |it: &mut Box<Connection>| Some((it.id, it.pop_expired(now)?));
        self.live.iter_mut().find_map(expired)
    }

    /// Keeps the last word of a connection until the driver fetches it. Of too many such connections
    /// the oldest loses its word: the driver finds nothing to fetch, and closes it.
    pub(super) fn close(&mut self, id: ConnectionId, outbox: Outbox) {
        if self.closing.len() >= MAX_CLOSING {
            self.closing.pop_front();
        }
        self.closing.push_back((id, outbox));
    }

    pub(super) fn closing_mut(&mut self, id: ConnectionId) -> Option<&mut Outbox> {
        let mut closing = self.closing.iter_mut();
        closing
            .find(|(closed, _)| *closed == id)
            .map(|(_, outbox)| outbox)
    }

    pub(super) fn forget_closing(&mut self, id: ConnectionId) {
        self.closing.retain(|(closed, _)| *closed != id);
    }
}

/// A peer that connects all the time must not make us keep what it does not read.
const MAX_CLOSING: usize = 4;
