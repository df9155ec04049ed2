//! The beats of one segment in one family: the socket, from being asked for to being closed.

use std::time::Duration;

use crate::announcer::component::Surroundings;
use crate::announcer::readers::Reader;
use crate::driver::opener::Request;
use crate::link::beat_socket::{BeatSocket, Endpoint};
use crate::link::topology::Topology;
use crate::link::udp::Version;
use crate::time::Time;

/// One family of a segment.
#[derive(Debug)]
pub(super) struct Line {
    endpoint: Endpoint,
    /// Has the link an address of the family to send from?
    has_source: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nothing was asked for: there is no address to send from, or nobody to send to.
    Idle,
    /// The opener was asked.
    Opening,
    /// At work, watched under that token.
    Open(BeatSocket, u64),
    /// Opening went wrong; it is tried again.
    Failed { reason: String, retry_at: Time },
}

impl Line {
    /// A line that has not asked for a socket yet.
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            has_source: false,
            state: State::Idle,
        }
    }

    /// Asks for the socket once there is an address to send from. Once open it stays: addresses of
    /// IPv6 vanish and come back with the link, and joining again takes time.
    pub(super) fn follow(&mut self, around: &mut Surroundings<'_>) {
        self.has_source = has_source(around.topology, &self.endpoint);
        let has_destination = !self.endpoint.destinations.is_empty();
        let is_due = match &self.state {
            State::Idle => true,
            State::Failed { retry_at, .. } => *retry_at <= around.now,
            State::Opening | State::Open(..) => false,
        };
        if is_due && self.has_source && has_destination {
            self.state = State::Opening;
            let opener = &around.stations.outbox.opener;
            opener.ask(Request::Beats(self.endpoint.clone()));
        }
    }

    /// Takes the socket for `reader`, if it is the one that was asked for; gives it back otherwise.
    pub(super) fn opened(
        &mut self,
        endpoint: &Endpoint,
        socket: std::io::Result<BeatSocket>,
        reader: Reader,
        around: &mut Surroundings<'_>,
    ) -> Result<(), std::io::Result<BeatSocket>> {
        if *endpoint != self.endpoint || !matches!(self.state, State::Opening) {
            return Err(socket);
        }
        let retry_at = around.now + RETRY;
        let watched = socket.and_then(|socket| {
            let token = around.stations.readers.watch(&socket, reader)?;
            Ok(State::Open(socket, token))
        });
        self.state = watched.unwrap_or_else(|error| State::Failed {
            reason: error.to_string(),
            retry_at,
        });
        Ok(())
    }

    /// Which socket it has, or is about to have.
    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Can something be sent over it?
    pub(super) fn is_ready(&self) -> bool {
        self.has_source && matches!(self.state, State::Open(..))
    }

    /// Sends a datagram; false when that was not possible.
    pub(super) fn send(&self, octets: &[u8]) -> bool {
        match &self.state {
            State::Open(socket, _) if self.has_source => socket.send(octets).is_ok(),
            _ => false,
        }
    }

    /// The socket, if it is open.
    pub(super) fn socket(&self) -> Option<&BeatSocket> {
        match &self.state {
            State::Open(socket, _) => Some(socket),
            _ => None,
        }
    }

    /// The token of the socket, if it is open.
    pub(super) fn token(&self) -> Option<u64> {
        match &self.state {
            State::Open(_, token) => Some(*token),
            _ => None,
        }
    }

    /// Why there is no socket, if opening it went wrong.
    pub(super) fn failure(&self) -> Option<&str> {
        match &self.state {
            State::Failed { reason, .. } => Some(reason),
            _ => None,
        }
    }

    /// When to try again.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        match &self.state {
            State::Failed { retry_at, .. } => Some(*retry_at),
            _ => None,
        }
    }

    /// Has the socket closed where that may take its time.
    pub(super) fn close(self, around: &mut Surroundings<'_>) {
        if let State::Open(socket, token) = self.state {
            // It fails only for a descriptor that was never watched.
            drop(around.stations.readers.forget(&socket, token));
            around.stations.outbox.opener.ask(Request::close(socket));
        }
    }
}

/// The kernel would take an address of another link.
fn has_source(topology: &Topology, endpoint: &Endpoint) -> bool {
    let mut own = topology.addresses(endpoint.index);
    own.any(|net| Version::of(net.addr()) == endpoint.version)
}

const RETRY: Duration = Duration::from_secs(5);
