//! The state machine of one neighbour (RFC 4271 section 8): sans-IO, time is an argument.
//!
//! ```text
//!            Start                 dial                TCP up             OPEN fits           KEEPALIVE
//!   Idle ------------> Connect -----------------> OpenSent -----> OpenConfirm -----> Established
//!    ^                  |   ^                        ^
//!    |        dial fails|   |time to retry           |the peer connects
//!    |                  v   |                        |
//!    |                  Active ----------------------+
//!    +------- a NOTIFICATION, sent or received: a pause that doubles, and then again
//! ```
//!
//! RFC 4271 runs one such machine for each connection. Here it is one [`Peer`] with up to two
//! connections, each with its part of the states; the peer's [`State`] is that of the one that is
//! furthest. Bytes to send are pulled with [`Peer::transmit`], so that a peer that reads slowly grows
//! no queue.

mod backoff;
mod collision;
mod connections;
mod ending;
mod input;
mod life;
mod messages;
mod opened;
mod output;
mod receiving;
mod transmit;

pub use input::{Input, Liveness, Stop};
pub use output::{DownReason, Event, FailedBy, Failure, Output, State, Waiting};

use crate::bgp::config::Neighbor;
use crate::bgp::family::FamilySet;
use crate::bgp::prefix::Prefix;
use crate::bgp::rib::AdjRibIn;
use crate::bgp::session::{Connection, ConnectionId, Counters, Faults, Negotiated};
use crate::machine::Machine;
use crate::random::Random;
use crate::time::Time;
use crate::timer::{TimerKey, TimerTable};
use backoff::Backoff;
use connections::Connections;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// One neighbour: what was said with it, and what is tried to get a session with it.
///
/// | what | cost |
/// |---|---|
/// | a KEEPALIVE, a timer | O(1), no allocation |
/// | an UPDATE | O(its routes) |
/// | memory | one message that is not complete, and at most a few small ones that wait to be sent |
#[derive(Debug)]
pub struct Peer {
    neighbor: Arc<Neighbor>,
    random: Random,
    started: Time,
    run: Run,
    next_connection: u64,
    /// Invariant: at most one connection is `Established`, and then there is no dial.
    connections: Connections,
    dial: Option<ConnectionId>,
    timers: TimerTable<Timer, 4>,
    backoff: Backoff,
    liveness: Liveness,
    /// The next OPEN goes without capabilities: the peer refused the parameter (RFC 5492 section 3).
    plain_open: bool,
    /// There may be routes to send.
    has_routes: bool,
    received: AdjRibIn,
    /// The families of which the peer has sent everything in this session.
    complete: FamilySet,
    record: Record,
    outputs: VecDeque<Output>,
}

/// Where a new [`Peer`] begins.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// Where jitter comes from; differs from speaker to speaker and from peer to peer.
    pub seed: u64,
    /// When this speaker's process started: for a restart time from then on it says so to peers
    /// (RFC 4724 section 4.1).
    pub started: Time,
    /// The number of the first dial; each further one is greater by one. No other connection of the
    /// speaker may have one of the next 2^32 numbers.
    pub first_connection: ConnectionId,
}

/// What is remembered for status.
#[derive(Clone, Debug, Default)]
struct Record {
    state: State,
    since: Time,
    established: u64,
    counters: Counters,
    failure: Option<Failure>,
    /// Faults of UPDATEs since the last report of such.
    faults: Faults,
    fault_reports: Pace,
    refusal_reports: Pace,
}

/// Lets one report in a while through, so that no peer can fill a log.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    next: Time,
}

impl Pace {
    fn lets_through(&mut self, now: Time) -> bool {
        let is_time = now >= self.next;
        if is_time {
            self.next = now + REPORT_PAUSE;
        }
        is_time
    }
}

/// What the peer is told to do, above all connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    /// Nothing.
    Stopped,
    /// Nothing, by its settings.
    AdminDown,
    /// To wait for BFD.
    AwaitingLiveness,
    /// To stay Idle for a while (`DampPeerOscillations`).
    Paused,
    /// To come up.
    Going,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Timer {
    /// `ConnectRetryTimer`: give up a dial, or dial again.
    Retry,
    /// `IdleHoldTimer`: the pause is over.
    Pause,
    /// `MinRouteAdvertisementIntervalTimer`: UPDATEs may be sent again.
    Advertise,
    /// The routes of a peer that went are not kept any longer (RFC 4724 section 4.2).
    Stale,
}

impl TimerKey for Timer {
    const ALL: &'static [Self] = &[Self::Pause, Self::Retry, Self::Stale, Self::Advertise];
}

impl Peer {
    /// A neighbour that nothing is tried with before [`Input::Start`].
    pub fn new(neighbor: Arc<Neighbor>, origin: Origin) -> Self {
        Self {
            received: receiving::table(&neighbor),
            neighbor,
            random: Random::new(origin.seed),
            started: origin.started,
            run: Run::Stopped,
            next_connection: origin.first_connection.0,
            connections: Connections::default(),
            dial: None,
            timers: TimerTable::default(),
            backoff: Backoff::default(),
            liveness: Liveness::Unknown,
            plain_open: false,
            has_routes: false,
            complete: FamilySet::EMPTY,
            record: Record::default(),
            outputs: VecDeque::new(),
        }
    }

    /// The settings that hold now.
    pub const fn neighbor(&self) -> &Arc<Neighbor> {
        &self.neighbor
    }

    /// Where the peer stands. O(1).
    pub fn state(&self) -> State {
        match (self.connections.furthest(), self.dial, self.run) {
            (Some(state), ..) => state,
            (None, Some(_), _) => State::Connect,
            (None, None, Run::Going) => State::Active,
            (None, None, _) => State::Idle,
        }
    }

    /// When it came into this state.
    pub const fn since(&self) -> Time {
        self.record.since
    }

    /// What holds in the session; `None` when there is none.
    pub fn negotiated(&self) -> Option<&Arc<Negotiated>> {
        self.connections.established()?.agreed()
    }

    /// The connection that the session runs on.
    pub fn connection(&self) -> Option<ConnectionId> {
        Some(self.connections.established()?.id)
    }

    /// What a peer that is not up waits for; `None` when it is up.
    pub fn waiting(&self) -> Option<Waiting> {
        let at = |timer| self.timers.deadline(timer);
        match self.run {
            Run::Stopped => Some(Waiting::Start),
            Run::AdminDown => Some(Waiting::Operator),
            Run::AwaitingLiveness => Some(Waiting::Liveness),
            Run::Paused => at(Timer::Pause).map(Waiting::Pause),
            Run::Going => match self.state() {
                State::Established => None,
                State::Active if self.connections.is_empty() => {
                    Some(at(Timer::Retry).map_or(Waiting::Peer, Waiting::Retry))
                }
                _ => Some(Waiting::Answer),
            },
        }
    }

    /// Messages that went by since the peer exists.
    pub const fn counters(&self) -> &Counters {
        &self.record.counters
    }

    /// How often the session came up since the peer exists.
    pub const fn times_established(&self) -> u64 {
        self.record.established
    }

    /// How many attempts failed in a row; the pauses between them grow with it.
    pub const fn failures_in_a_row(&self) -> u32 {
        self.backoff.failures()
    }

    /// Why the last session, or attempt at one, ended.
    pub const fn last_failure(&self) -> Option<&Failure> {
        self.record.failure.as_ref()
    }

    /// What BFD sees of the peer.
    pub const fn liveness(&self) -> Liveness {
        self.liveness
    }

    /// The routes that the peer sent: counted, and kept where the settings ask for that.
    pub const fn received(&self) -> &AdjRibIn {
        &self.received
    }

    /// The families of which the peer has sent everything in this session (RFC 4724 section 2).
    pub const fn complete(&self) -> FamilySet {
        self.complete
    }

    /// The prefixes whose imported route came, changed or went since this was last asked.
    pub(in crate::bgp) fn take_changed(&mut self) -> Vec<Prefix> {
        self.received.take_changed()
    }

    fn report(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Reports a change of the state, after everything that led to it.
    fn settle(&mut self, now: Time) {
        let (from, to) = (self.record.state, self.state());
        if from != to {
            self.record.state = to;
            self.record.since = now;
            self.report(Event::StateChanged { from, to });
        }
    }
}

impl Machine for Peer {
    type Input<'a> = Input<'a>;
    type Output = Output;

    fn handle_input(&mut self, input: Input<'_>, now: Time) {
        match input {
            Input::Start => self.start(now),
            Input::Stop(stop) => self.stop(&stop, now),
            Input::Configure(neighbor) => self.configure(neighbor, now),
            Input::Opened {
                connection,
                direction,
                addresses,
                remote,
            } => self.opened(connection, direction, addresses, remote, now),
            Input::OpenFailed { connection, why } => self.open_failed(connection, why, now),
            Input::Received { connection, octets } => self.receive(connection, octets, now),
            Input::Sent { connection, octets } => self.sent(connection, octets, now),
            Input::Closed { connection, why } => self.closed(connection, why, now),
            Input::Routes => self.offer_routes(),
            Input::AskForRoutes(family) => self.ask_for_routes(family),
            Input::Liveness(liveness) => self.hear_liveness(liveness, now),
            Input::AuthenticationFailed { segments } => {
                self.report(Event::AuthenticationFailed { segments });
            }
        }
        self.settle(now);
    }

    fn handle_timeout(&mut self, now: Time) {
        self.expire(now);
        self.settle(now);
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Time> {
        let connections = self
            .connections
            .iter()
            .filter_map(Connection::next_deadline);
        connections.chain(self.timers.next_deadline()).min()
    }
}

/// As for strangers: six lines a minute.
const REPORT_PAUSE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
