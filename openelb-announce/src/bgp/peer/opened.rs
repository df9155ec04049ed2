//! TCP connections that come and go.

use super::ending::End;
use super::{Event, Output, Peer, Run, Timer};
use crate::bgp::message::{ErrorCode, Notification};
use crate::bgp::route::LocalAddresses;
use crate::bgp::session::{Connection, ConnectionId, Direction, Offer, Outbox};
use crate::time::Time;
use std::net::SocketAddr;
use std::time::Duration;

impl Peer {
    /// Events 16 and 17 (`Tcp_CR_Acked`, `TcpConnectionConfirmed`).
    pub(super) fn opened(
        &mut self,
        id: ConnectionId,
        direction: Direction,
        addresses: LocalAddresses,
        remote: SocketAddr,
        now: Time,
    ) {
        if self.connections.get(id).is_some() {
            return;
        }
        match direction {
            Direction::Outgoing if self.dial == Some(id) => self.dial = None,
            Direction::Outgoing => return self.drop_connection(id),
            Direction::Incoming => {
                if let Some((error, why)) = self.refusal(now) {
                    return self.refuse(id, error, why, now);
                }
                self.make_room(now);
            }
        }
        // A dial that is still under way keeps its timer.
        if self.dial.is_none() {
            self.timers.clear(Timer::Retry);
        }
        let offer = self.offer(now);
        let mut connection = Connection::new(id, direction, addresses, remote, offer);
        let delay = self.neighbor.settings.timers.delay_open;
        let delay = delay.filter(|delay| !delay.is_zero());
        if let Some(delay) = delay {
            connection.delay_open(now + delay);
        }
        self.connections.push(connection);
        if delay.is_none() {
            self.send_open(id, now);
        }
    }

    /// What our next OPEN says.
    fn offer(&self, now: Time) -> Offer {
        let restart = self.neighbor.settings.graceful_restart;
        let restarting = restart.is_some_and(|it| now - self.started < it.restart_time);
        Offer {
            capable: !self.plain_open,
            restarting,
        }
    }

    /// Why a connection of the peer is not taken now.
    fn refusal(&self, now: Time) -> Option<(ErrorCode, &'static str)> {
        let rejected = |why| Some((ErrorCode::CONNECTION_REJECTED, why));
        match self.run {
            Run::Going => {}
            Run::Stopped => return rejected("the peer is not started"),
            Run::AdminDown => return rejected("the peer is administratively down"),
            Run::AwaitingLiveness => {
                return rejected("BFD is not up yet, and strict mode waits for it");
            }
            Run::Paused => return rejected("a pause after a failure is not over yet"),
        }
        let collision = |why| Some((ErrorCode::CONNECTION_COLLISION, why));
        if self.connections.established().is_some() && !self.may_have_restarted(now) {
            return collision("a session is up");
        }
        let incoming = self.connections.attempt(Direction::Incoming);
        if incoming.is_some_and(Connection::has_open) {
            return collision("another connection of the peer is further");
        }
        None
    }

    /// May a peer with a session really connect anew? RFC 4724 section 5: a peer that restarts does,
    /// before we see that its old connection is dead. One that comes right after the session is the
    /// other half of a collision (RFC 4271 section 6.8).
    fn may_have_restarted(&self, now: Time) -> bool {
        let restart = self.negotiated().and_then(|it| it.peer_restart);
        let announced = restart.is_some_and(|it| !it.families.is_empty());
        announced && now - self.record.since >= COLLISION_WINDOW
    }

    /// A peer that connects again without having sent an OPEN has lost its first connection.
    fn make_room(&mut self, now: Time) {
        if let Some(older) = self
            .connections
            .attempt(Direction::Incoming)
            .map(|it| it.id)
        {
            self.drop_collided(older, now);
        }
    }

    /// Says why, and closes (RFC 4486 section 4).
    fn refuse(&mut self, id: ConnectionId, error: ErrorCode, why: &'static str, now: Time) {
        let mut outbox = Outbox::default();
        outbox.push_notification(&Notification::new(error));
        self.connections.close(id, outbox);
        self.outputs.push_back(Output::Close {
            connection: id,
            after_flush: true,
        });
        if self.record.refusal_reports.lets_through(now) {
            self.report(Event::Refused(why));
        }
    }

    fn drop_connection(&mut self, connection: ConnectionId) {
        self.outputs.push_back(Output::Close {
            connection,
            after_flush: false,
        });
    }

    pub(super) fn send_open(&mut self, id: ConnectionId, now: Time) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.send_open(&self.neighbor, now);
        }
        self.wake(id);
    }

    /// Event 18 (`TcpConnectionFails`).
    pub(super) fn closed(&mut self, id: ConnectionId, why: String, now: Time) {
        self.connections.forget_closing(id);
        if self.dial == Some(id) {
            return self.open_failed(id, why, now);
        }
        self.end(id, &End::Lost(why), now);
    }
}

/// The other half of a collision is here by then: SYNs are repeated after 1, 3 and 7 seconds.
const COLLISION_WINDOW: Duration = Duration::from_secs(10);
