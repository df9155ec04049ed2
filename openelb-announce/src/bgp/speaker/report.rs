//! What is shown to people: how the peers stand, and what each was told.

use super::Speaker;
use super::member::{Member, Session};
use crate::bgp::family::{Family, PerFamily};
use crate::bgp::peer::{FailedBy, Failure, State, Waiting};
use crate::bgp::prefix::Nlri;
use crate::bgp::rib::{Received, Refusal, Sent};
use crate::bgp::route::PeerName;
use crate::bgp::session::Direction;
use crate::bgp::status::{EndedBy, FamilyStatus, LastError, PeerStatus, SessionStatus};
use crate::time::Time;

impl Speaker {
    /// How every configured peer stands, and every dynamic one that is here, sorted by name.
    ///
    /// O(1) for each peer whose routes are all announced to it, else linear in the table.
    pub fn status(&self, now: Time) -> Vec<PeerStatus> {
        let members = self.roster.named();
        members
            .map(|(_, member)| self.status_of(member, now))
            .collect()
    }

    /// The routes that a peer has or should have, with what it was told and why not; `None` when
    /// there is no such peer, nothing while its session is down. Some hundred nanoseconds a route.
    pub fn routes(&self, peer: &PeerName) -> Option<impl Iterator<Item = Sent> + '_> {
        let member = self.roster.member(self.roster.find(peer)?)?;
        let session = member.session.iter();
        Some(session.flat_map(|session| session.adj.routes(&self.rib)))
    }

    /// The routes that a peer sent, if its settings say that they are kept; `None` when there is no
    /// such peer.
    pub fn received(&self, peer: &PeerName) -> Option<impl Iterator<Item = Received<'_>>> {
        let member = self.roster.member(self.roster.find(peer)?)?;
        Some(member.machine.received().routes())
    }

    /// How many prefixes are to be announced, per family.
    pub const fn prefixes(&self) -> PerFamily<usize> {
        self.rib.prefixes()
    }

    fn status_of(&self, member: &Member, now: Time) -> PeerStatus {
        let (neighbor, machine) = (&member.neighbor, &member.machine);
        let settings = &neighbor.settings;
        let waiting = machine.waiting();
        PeerStatus {
            name: neighbor.name.clone(),
            description: settings.description.clone(),
            remote: neighbor.remote.to_string(),
            address: member.address(),
            group: member.group.clone(),
            state: machine.state(),
            waiting: waiting.map(|waiting| words(waiting, member)),
            retry_in: waiting.and_then(retry_at).map(|at| at - now),
            local_as: neighbor.local_as,
            local_id: neighbor.router_id,
            session: member
                .session
                .as_ref()
                .map(|session| session_status(session, now)),
            families: PerFamily::from_fn(|family| self.family_status(member, family)),
            counters: *machine.counters(),
            last_error: machine
                .last_failure()
                .map(|failure| last_error(failure, now)),
            flaps: member.flaps,
            graceful_shutdown: self.is_draining || settings.graceful_shutdown,
            hint: hint(member),
        }
    }

    fn family_status(&self, member: &Member, family: Family) -> FamilyStatus {
        let received = member.machine.received().counts()[family];
        let mut status = FamilyStatus {
            enabled: member.neighbor.settings.families[family].enabled,
            announcements: received.announced,
            received: received.prefixes,
            received_stale: received.stale,
            ..FamilyStatus::default()
        };
        let Some(session) = &member.session else {
            return status;
        };
        let counts = session.adj.counts()[family];
        status.negotiated = session.negotiated.families.contains(family);
        status.advertised = counts.advertised;
        status.pending = counts.pending;
        // Looking for refusals means looking at every route.
        if status.negotiated && counts.advertised < self.rib.prefixes()[family] {
            let mut refused = self.refusals(session, family);
            let first = refused.next();
            status.refused = usize::from(first.is_some()) + refused.count();
            status.refused_why = first.map(|(_, why)| why.to_string());
        }
        status
    }

    fn refusals<'a>(
        &'a self,
        session: &'a Session,
        family: Family,
    ) -> impl Iterator<Item = (Nlri, Refusal)> + 'a {
        let refusals = session.adj.refusals(&self.rib);
        refusals.filter(move |(nlri, _)| nlri.prefix.family() == family)
    }
}

fn session_status(session: &Session, now: Time) -> SessionStatus {
    let negotiated = &session.negotiated;
    SessionStatus {
        uptime: now - session.since,
        peer_as: negotiated.peer_as,
        peer_id: negotiated.peer_id,
        local: negotiated.addresses.session,
        remote: negotiated.remote,
        incoming: negotiated.direction == Direction::Incoming,
        hold_time: negotiated.hold_time,
        negotiated: negotiated.to_string(),
        host_name: negotiated.host_name.clone(),
        is_complete: session.adj.has_ended(),
    }
}

fn last_error(failure: &Failure, now: Time) -> LastError {
    let error = failure
        .notification
        .as_ref()
        .map(|notification| notification.error);
    LastError {
        words: failure.words.clone(),
        code: error.map(|error| (error.code, error.subcode)),
        by: match failure.by {
            FailedBy::Us => EndedBy::Us,
            FailedBy::Peer => EndedBy::Peer,
            FailedBy::Transport => EndedBy::Transport,
        },
        ago: now - failure.at,
    }
}

fn words(waiting: Waiting, member: &Member) -> String {
    let text = match waiting {
        Waiting::Start => "to be started",
        Waiting::Operator => "an operator: it is administratively down",
        Waiting::Liveness => "BFD to come up (strict mode)",
        Waiting::Pause(_) => "the end of a pause after failures",
        Waiting::Retry(_) => "the next attempt to connect",
        Waiting::Peer => "the peer to connect (passive)",
        Waiting::Answer if member.held_dial.is_some() => {
            let interface = member.neighbor.remote.interface().unwrap_or_default();
            return format!("a router advertisement on {interface}");
        }
        Waiting::Answer => "the peer's answer",
    };
    text.to_owned()
}

const fn retry_at(waiting: Waiting) -> Option<Time> {
    match waiting {
        Waiting::Pause(at) | Waiting::Retry(at) => Some(at),
        Waiting::Start
        | Waiting::Operator
        | Waiting::Liveness
        | Waiting::Peer
        | Waiting::Answer => None,
    }
}

/// A wrong TCP-MD5 key shows itself nowhere but in a counter of the kernel that drops the segments;
/// who sent them only sees that nobody answers.
fn hint(member: &Member) -> Option<String> {
    let settings = &member.neighbor.settings;
    let has_password = settings.password.is_some();
    match member.machine.state() {
        State::Established => None,
        _ if member.refused_segments > 0 => {
            let advice = if has_password {
                "compare the passwords of both sides"
            } else {
                "the peer may use a password, and none is set here"
            };
            Some(format!(
                "the kernel dropped {} segments for their TCP-MD5 option: {advice}",
                member.refused_segments
            ))
        }
        State::Connect | State::Active if has_password && !settings.passive => Some(
            "no answer to connections signed by TCP-MD5: the peer cannot be reached, or its password \
             is another"
                .to_owned(),
        ),
        _ => None,
    }
}
