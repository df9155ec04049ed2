//! What a received packet does to the session (RFC 5880 section 6.8.6, from the session on).

use super::{Diagnostic, Discard, Flags, Output, Received, Remote, Session, State};
use crate::bfd::auth::AuthError;
use crate::time::Time;

impl Session {
    pub(super) fn receive(&mut self, received: &Received<'_>, ttl: u8, now: Time) {
        if let Err(reason) = self.admit(received, ttl) {
            self.outputs.push_back(Output::Discarded(reason));
            return;
        }
        let packet = &received.packet;
        self.remote = Remote {
            discriminator: Some(packet.my_discriminator),
            state: packet.state,
            diagnostic: packet.diagnostic,
            min_rx: packet.required_min_rx,
            min_tx: packet.desired_min_tx,
            multiplier: packet.multiplier.get(),
            wants_demand: packet.flags.contains(Flags::DEMAND),
        };
        self.last_received = Some(now);
        if packet.flags.contains(Flags::FINAL) {
            self.finish_poll();
        }
        self.restart_detection();
        if self.state == State::AdminDown {
            return;
        }
        match transition(self.state, packet.state) {
            Some((state, diagnostic)) => self.enter(state, diagnostic),
            None => self.note_path(self.state),
        }
        if packet.flags.contains(Flags::POLL) {
            self.answer_poll(now);
        }
    }

    /// The checks that need the session: distance first, as it costs nothing.
    fn admit(&mut self, received: &Received<'_>, ttl: u8) -> Result<(), Discard> {
        let least = self.settings.multihop.unwrap_or(u8::MAX);
        if ttl < least {
            return Err(Discard::Ttl { ttl, least });
        }
        match &mut self.authenticator {
            Some(authenticator) => Ok(authenticator.verify(received)?),
            None if received.auth.is_some() => Err(AuthError::Unexpected.into()),
            None => Ok(()),
        }
    }

    /// One detection time has passed without a packet (RFC 5880 sections 6.8.1 and 6.8.4).
    pub(super) fn lose_neighbor(&mut self) {
        // The state stays as last heard: an administrator's word outlives the neighbour's silence.
        let (state, diagnostic) = (self.remote.state, self.remote.diagnostic);
        self.remote = Remote {
            state,
            diagnostic,
            ..Remote::UNKNOWN
        };
        if matches!(self.state, State::Init | State::Up) {
            self.enter(State::Down, Diagnostic::ControlDetectionTimeExpired);
        }
    }
}

/// The state machine: ours and theirs give our next, with the diagnostic for it. `None`: no change.
/// `AdminDown` never gets here.
pub(super) const fn transition(ours: State, theirs: State) -> Option<(State, Diagnostic)> {
    match (ours, theirs) {
        (State::Down, State::Down) => Some((State::Init, Diagnostic::None)),
        (State::Down, State::Init) => Some((State::Up, Diagnostic::None)),
        (State::Down, State::Up | State::AdminDown) => None,

        (State::Init, State::AdminDown) => Some((State::Down, SIGNALED)),
        (State::Init, State::Down) => None,
        (State::Init, State::Init | State::Up) => Some((State::Up, Diagnostic::None)),

        (State::Up, State::AdminDown | State::Down) => Some((State::Down, SIGNALED)),
        (State::Up, State::Init | State::Up) => None,

        (State::AdminDown, _) => None,
    }
}

const SIGNALED: Diagnostic = Diagnostic::NeighborSignaledSessionDown;
