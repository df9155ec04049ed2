//! Sending, pulled by whoever holds the socket: control messages first, then UPDATEs.

use super::{Output, Peer, Timer};
use crate::bgp::family::Family;
use crate::bgp::session::{ConnectionId, Negotiated};
use crate::time::Time;

impl Peer {
    /// Appends what may be sent on `connection` now, about `room` octets and always whole messages;
    /// says how many octets that is.
    ///
    /// Call it when TCP takes octets and after [`Output::Wake`], again and again until it gives
    /// zero; the next [`Output::Wake`] comes after that. Report with [`Input::Sent`](super::Input::Sent) what TCP took.
    /// `room` must be at least [`Negotiated::message_limit`], which
    /// never exceeds 65,535 octets.
    ///
    /// `updates` appends UPDATEs of at most the room that it is given, and says whether there are
    /// more. It is asked only while the session is up, after all control messages. So a peer that
    /// reads slowly, or never, makes nothing grow.
    pub fn transmit(
        &mut self,
        connection: ConnectionId,
        out: &mut Vec<u8>,
        room: usize,
        now: Time,
        updates: &mut dyn FnMut(&mut Vec<u8>, usize) -> bool,
    ) -> usize {
        let before = out.len();
        let sent = &mut self.record.counters.sent;
        if let Some(outbox) = self.connections.closing_mut(connection) {
            outbox.write(out, room, sent);
            return out.len() - before;
        }
        let Some(live) = self.connections.get_mut(connection) else {
            return 0;
        };
        live.outbox.write(out, room, sent);
        let rests = self.timers.deadline(Timer::Advertise).is_some();
        if live.is_established() && live.outbox.is_empty() && self.has_routes && !rests {
            let first = out.len();
            self.has_routes = updates(out, room.saturating_sub(first - before));
            let added = out.get(first..).unwrap_or_default();
            sent.count_all(added);
            let interval = self.neighbor.settings.timers.min_advertisement;
            if !self.has_routes && !added.is_empty() && !interval.is_zero() {
                self.timers.set(Timer::Advertise, now + interval);
            }
        }
        let added = out.len() - before;
        if added > 0 {
            live.handed_over(added, now);
            live.restart_keepalive(&mut self.random, now);
        } else {
            live.awake = false;
        }
        added
    }

    /// TCP took octets.
    pub(super) fn sent(&mut self, id: ConnectionId, octets: usize, now: Time) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.taken_by_tcp(octets, now);
        }
    }

    /// There are routes to send.
    pub(super) fn offer_routes(&mut self) {
        if self.connections.established().is_some() {
            self.has_routes = true;
            self.wake_session();
        }
    }

    /// Asks for the peer's routes again, if the peer takes such requests.
    pub(super) fn ask_for_routes(&mut self, family: Family) {
        let Some(id) = self.connection() else {
            return;
        };
        let takes = |agreed: &Negotiated| agreed.route_refresh && agreed.families.contains(family);
        if !self.negotiated().is_some_and(|agreed| takes(agreed)) {
            return;
        }
        if let Some(connection) = self.connections.get_mut(id) {
            connection.outbox.push_refresh(family);
        }
        self.wake(id);
    }

    /// Time for a sign of life. One that waits already is enough.
    pub(super) fn keep_alive(&mut self, id: ConnectionId, now: Time) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.outbox.push_keepalive();
            connection.restart_keepalive(&mut self.random, now);
        }
        self.wake(id);
    }

    /// Wakes the session if it may send routes now.
    pub(super) fn wake_session(&mut self) {
        let rests = self.timers.deadline(Timer::Advertise).is_some();
        if let Some(id) = self.connection().filter(|_| self.has_routes && !rests) {
            self.wake(id);
        }
    }

    /// Asks for [`transmit`](Self::transmit), unless that was asked for already.
    pub(super) fn wake(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id)
            && !std::mem::replace(&mut connection.awake, true)
        {
            self.outputs.push_back(Output::Wake(id));
        }
    }
}
