//! Two connections at once: which one stays (RFC 4271 section 6.8, RFC 6286 section 2.3).

use super::Peer;
use super::ending::End;
use crate::bgp::message::{ErrorCode, Notification};
use crate::bgp::session::{ConnectionId, Direction, Negotiated, Phase};
use crate::time::Time;
use std::time::Duration;

/// Which direction's connection both speakers keep: that of the one with the higher BGP identifier;
/// when they are equal, as they may be between ASes, the higher AS number.
pub(super) fn winner(agreed: &Negotiated) -> Direction {
    let ours = (agreed.local_id, agreed.local_as);
    let theirs = (agreed.peer_id, agreed.peer_as);
    if ours > theirs {
        Direction::Outgoing
    } else {
        Direction::Incoming
    }
}

impl Peer {
    /// The peer's OPEN came on connection `id` and fits: that connection goes on, or gives way to the
    /// other one.
    ///
    /// RFC 4271 lets both speakers decide as each sees it, and one that sees the loser established
    /// already while the other still compares closes the wrong one: both connections are lost. Here
    /// a connection that should lose is therefore not confirmed for a moment, as long as the other
    /// one may still prove itself.
    pub(super) fn resolve_collision(&mut self, id: ConnectionId, agreed: &Negotiated, now: Time) {
        let Some(other) = self.connections.other(id) else {
            return self.confirm(id, now);
        };
        let (other, other_phase) = (other.id, other.phase);
        let wins = agreed.direction == winner(agreed);
        match other_phase {
            // `opened` took this one only because the peer may have restarted.
            Phase::Established => {
                self.end(other, &End::Replaced, now);
                self.confirm(id, now);
            }
            Phase::OpenConfirm | Phase::Held { .. } if wins => {
                self.drop_collided(other, now);
                self.confirm(id, now);
            }
            Phase::OpenConfirm | Phase::Held { .. } => self.drop_collided(id, now),
            Phase::Delaying | Phase::OpenSent if wins => {
                self.drop_collided(other, now);
                self.confirm(id, now);
            }
            Phase::Delaying | Phase::OpenSent => {
                if let Some(connection) = self.connections.get_mut(id) {
                    connection.hold_back(now + PATIENCE);
                }
            }
        }
    }

    /// Closes the connection that lost (Cease/Connection Collision Resolution).
    pub(super) fn drop_collided(&mut self, id: ConnectionId, now: Time) {
        let notification = Notification::new(ErrorCode::CONNECTION_COLLISION);
        let words = "another connection with the peer stays".to_owned();
        self.cut(id, &End::Say(notification, words), now);
    }

    /// Closes all but the one that became the session.
    pub(super) fn drop_others(&mut self, id: ConnectionId, now: Time) {
        while let Some(other) = self.connections.other(id).map(|it| it.id) {
            self.drop_collided(other, now);
        }
    }
}

/// Many round trips; more would only delay a session whose other connection is dead.
const PATIENCE: Duration = Duration::from_secs(2);
