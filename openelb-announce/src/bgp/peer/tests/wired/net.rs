//! A network of two hosts: TCP as far as BGP sees it.

use super::super::super::*;
use super::super::bench::*;
use crate::bgp::session::Direction;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Left,
    Right,
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub(super) enum Mishap {
    /// All connections are reset at both ends.
    CutAll,
    /// One side forgets everything; the other is told when it sends next.
    Reboot(Side),
    /// Nothing gets through for a while; what is on its way arrives afterwards.
    Partition(Duration),
    /// Octets that nobody sent arrive on every connection of a side.
    Garbage(Side, Vec<u8>),
    StopAndStart(Side),
    /// A setting of the session changes, and changes back.
    Reconfigure(Side),
    LoseLiveness(Side),
    /// A process gets no time, while messages and timers wait.
    Freeze(Side, Duration),
    /// Somebody connects from the peer's address and says nothing.
    Connect(Side),
    /// The dials of a side take longer than usual.
    SlowDials(Side, Duration),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Arrival {
    Connected(ConnectionId),
    Accepted(ConnectionId),
    OpenFailed(ConnectionId),
    Octets(ConnectionId, Vec<u8>),
    Closed(ConnectionId),
}

/// A TCP connection: the numbers that its ends know it by, and whether they still do.
#[derive(Clone, Debug)]
struct Wire {
    ends: [(ConnectionId, bool); 2],
    /// How much longer octets of either end are on their way than others.
    lag: [Duration; 2],
}

struct Host {
    peer: Peer,
    dials_take: Duration,
    frozen_until: Time,
    established: Option<ConnectionId>,
    sessions: u64,
}

pub(super) struct Net {
    hosts: [Host; 2],
    passive: Option<Side>,
    latency: Duration,
    now: Time,
    /// Nothing arrives before.
    healed_at: Time,
    wires: Vec<Wire>,
    queue: BinaryHeap<Reverse<(Time, u64, Side, Arrival)>>,
    order: u64,
    accepted: u64,
    boots: u64,
    seed: u64,
    random: Random,
}

impl Net {
    pub(super) fn new(seed: u64, passive: Option<Side>, latency: Duration) -> Self {
        let host = |side| Host::new(seed, side, passive, 0, Time::ZERO);
        Self {
            hosts: [host(Side::Left), host(Side::Right)],
            passive,
            latency,
            now: Time::ZERO,
            healed_at: Time::ZERO,
            wires: Vec::new(),
            queue: BinaryHeap::new(),
            order: 0,
            accepted: 1,
            boots: 0,
            seed,
            random: Random::new(seed),
        }
    }

    pub(super) fn start(&mut self) {
        self.input(Side::Left, Input::Start);
        self.input(Side::Right, Input::Start);
    }

    pub(super) fn states(&self) -> [State; 2] {
        [Side::Left, Side::Right].map(|side| self.host(side).peer.state())
    }

    pub(super) fn sessions(&self) -> [u64; 2] {
        [Side::Left, Side::Right].map(|side| self.host(side).sessions)
    }

    /// Do both sessions run on the two ends of one connection?
    pub(super) fn share_one_connection(&self) -> bool {
        let ends = [Side::Left, Side::Right].map(|side| self.host(side).peer.connection());
        self.wires
            .iter()
            .any(|wire| wire.ends.map(|(id, _)| Some(id)) == ends)
    }

    pub(super) fn happen(&mut self, mishap: Mishap) {
        match mishap {
            Mishap::CutAll => self.cut_all(),
            Mishap::Reboot(side) => self.reboot(side),
            Mishap::Partition(span) => self.healed_at = self.now + span,
            Mishap::Garbage(side, octets) => self.inject(side, &octets),
            Mishap::StopAndStart(side) => {
                self.input(side, Input::Stop(Stop::Upgrade));
                self.input(side, Input::Start);
            }
            Mishap::Reconfigure(side) => {
                let before = Arc::clone(self.host(side).peer.neighbor());
                let mut other = before.as_ref().clone();
                other.settings.extended_messages = true;
                self.input(side, Input::Configure(Arc::new(other)));
                self.input(side, Input::Configure(before));
            }
            Mishap::LoseLiveness(side) => {
                self.input(side, Input::Liveness(Liveness::Up));
                self.input(side, Input::Liveness(Liveness::Down));
            }
            Mishap::Freeze(side, span) => {
                let until = self.now + span;
                self.host_mut(side).frozen_until = until;
            }
            Mishap::Connect(side) => {
                let id = self.next_accepted();
                self.open(side, id, Direction::Incoming);
            }
            Mishap::SlowDials(side, span) => self.host_mut(side).dials_take = span,
        }
    }

    /// Everything is in order from now on; strangers that said nothing hang up.
    pub(super) fn mend(&mut self) {
        self.healed_at = self.now;
        let now = self.now;
        for host in &mut self.hosts {
            host.frozen_until = now;
        }
    }

    /// Runs for `span`, and checks what must always hold after every step.
    pub(super) fn run(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            let arrival = self
                .queue
                .peek()
                .map(|Reverse((at, _, side, _))| (*at, *side));
            let arrival = arrival.map(|(at, side)| self.not_before(at, side));
            let timer = [Side::Left, Side::Right]
                .into_iter()
                .filter_map(|side| Some((self.host(side).peer.poll_timeout()?, side)))
                .map(|(at, side)| (at.max(self.host(side).frozen_until), side))
                .min();
            let next = arrival.into_iter().chain(timer.map(|(at, _)| at)).min();
            let Some(next) = next.filter(|at| *at <= end) else {
                break;
            };
            self.now = self.now.max(next);
            if arrival.is_some_and(|at| at <= next) {
                self.arrive();
            } else if let Some((_, side)) = timer {
                let now = self.now;
                self.host_mut(side).peer.handle_timeout(now);
                self.carry_out(side);
            }
        }
        self.now = end;
    }

    fn not_before(&self, at: Time, side: Side) -> Time {
        at.max(self.healed_at).max(self.host(side).frozen_until)
    }

    fn arrive(&mut self) {
        let Some(Reverse((at, _, side, arrival))) = self.queue.pop() else {
            return;
        };
        let due = match arrival {
            Arrival::OpenFailed(_) => at.max(self.host(side).frozen_until),
            _ => self.not_before(at, side),
        };
        if due > self.now {
            return self.post(due - self.now, side, arrival);
        }
        match arrival {
            Arrival::Connected(id) => self.open(side, id, Direction::Outgoing),
            Arrival::Accepted(id) => self.open(side, id, Direction::Incoming),
            Arrival::OpenFailed(connection) => {
                let why = "refused".to_owned();
                self.input(side, Input::OpenFailed { connection, why });
            }
            Arrival::Octets(id, octets) => self.deliver(side, id, &octets),
            Arrival::Closed(connection) => {
                if self.hang_up(side, connection) {
                    let why = "closed by the peer".to_owned();
                    self.input(side, Input::Closed { connection, why });
                }
            }
        }
    }

    /// Octets that reach a closed end make it send a reset.
    fn deliver(&mut self, side: Side, connection: ConnectionId, octets: &[u8]) {
        if self.is_open(side, connection) {
            self.input(side, Input::Received { connection, octets });
        } else if let Some(other) = self.far_end(side, connection) {
            self.post(self.latency, side.other(), Arrival::Closed(other));
        }
    }

    fn open(&mut self, side: Side, connection: ConnectionId, direction: Direction) {
        if self.far_end(side, connection).is_some() && !self.is_open(side, connection) {
            return;
        }
        self.input(
            side,
            Input::Opened {
                connection,
                direction,
                addresses: addresses(),
                remote: SocketAddr::from(([192, 0, 2, 1], 179)),
            },
        );
    }

    fn input(&mut self, side: Side, input: Input<'_>) {
        let now = self.now;
        self.host_mut(side).peer.handle_input(input, now);
        self.carry_out(side);
    }

    fn carry_out(&mut self, side: Side) {
        while let Some(output) = self.host_mut(side).peer.poll_output() {
            match output {
                Output::Connect(id) => self.dial(side, id),
                Output::Wake(id) => self.fetch(side, id),
                Output::Close {
                    connection,
                    after_flush,
                } => {
                    if after_flush {
                        self.fetch(side, connection);
                    }
                    if self.hang_up(side, connection)
                        && let Some(other) = self.far_end(side, connection)
                    {
                        let lag = self
                            .wire(side, connection)
                            .map_or(Duration::ZERO, |it| it.lag[side as usize]);
                        self.post(self.latency + lag, side.other(), Arrival::Closed(other));
                    }
                }
                Output::Established(agreed) => self.begin_session(side, &agreed),
                Output::Down(_) => {
                    let ended = self.host_mut(side).established.take();
                    assert!(ended.is_some(), "a session ended that never was up");
                }
                Output::Refresh(_) | Output::Event(_) => {}
            }
        }
        self.check(side);
    }

    fn begin_session(&mut self, side: Side, agreed: &Negotiated) {
        let host = self.host_mut(side);
        assert_eq!(host.established, None, "never two sessions at once");
        host.established = host.peer.connection();
        host.sessions += 1;
        assert!(!agreed.families.is_empty());
    }

    fn check(&self, side: Side) {
        let peer = &self.host(side).peer;
        let counters = peer.counters();
        if peer.state() == State::Established {
            let (received, sent) = (counters.received, counters.sent);
            let both = received.open.min(received.keepalive).min(sent.open);
            assert!(both >= 1, "never up without OPEN and KEEPALIVE both ways");
        }
        if peer.state() == State::Idle && peer.waiting() == Some(Waiting::Start) {
            assert_eq!(peer.poll_timeout(), None, "no timer runs in Idle");
        }
    }

    fn dial(&mut self, side: Side, id: ConnectionId) {
        if self.healed_at > self.now + TCP_PATIENCE {
            return self.post(TCP_PATIENCE, side, Arrival::OpenFailed(id));
        }
        let takes = self.host(side).dials_take;
        let there = self.next_accepted();
        let mut ends = [(id, true), (there, true)];
        if side == Side::Right {
            ends.reverse();
        }
        let lag = [(); 2].map(|()| self.random.between(Duration::ZERO, self.latency * 5));
        self.wires.push(Wire { ends, lag });
        self.post(takes + self.latency * 2, side, Arrival::Connected(id));
        let incoming = Arrival::Accepted(there);
        self.post(takes + self.latency * 3, side.other(), incoming);
    }

    /// Takes all that may be sent, as a socket that never is full.
    fn fetch(&mut self, side: Side, id: ConnectionId) {
        let now = self.now;
        let mut out = Vec::new();
        let peer = &mut self.host_mut(side).peer;
        while peer.transmit(id, &mut out, 65_535, now, &mut |_, _| false) > 0 {}
        let octets = out.len();
        self.host_mut(side).peer.handle_input(
            Input::Sent {
                connection: id,
                octets,
            },
            now,
        );
        if octets > 0
            && let Some(other) = self.far_end(side, id)
        {
            let lag = self
                .wire(side, id)
                .map_or(Duration::ZERO, |it| it.lag[side as usize]);
            self.post(
                self.latency + lag,
                side.other(),
                Arrival::Octets(other, out),
            );
        }
    }

    fn cut_all(&mut self) {
        for wire in self.wires.clone() {
            for (side, (connection, _)) in [Side::Left, Side::Right].into_iter().zip(wire.ends) {
                if self.hang_up(side, connection) {
                    let why = "reset".to_owned();
                    self.input(side, Input::Closed { connection, why });
                }
            }
        }
    }

    fn reboot(&mut self, side: Side) {
        self.boots += 1;
        let (seed, passive, boots, now) = (self.seed, self.passive, self.boots, self.now);
        *self.host_mut(side) = Host::new(seed, side, passive, boots, now);
        for wire in &mut self.wires {
            wire.end_mut(side).1 = false;
        }
        self.input(side, Input::Start);
    }

    fn inject(&mut self, side: Side, octets: &[u8]) {
        for wire in self.wires.clone() {
            let (connection, is_open) = wire.end(side);
            if is_open {
                self.input(side, Input::Received { connection, octets });
            }
        }
    }

    fn post(&mut self, after: Duration, side: Side, arrival: Arrival) {
        self.order += 1;
        self.queue
            .push(Reverse((self.now + after, self.order, side, arrival)));
    }

    fn next_accepted(&mut self) -> ConnectionId {
        self.accepted += 1;
        ConnectionId(self.accepted)
    }

    fn wire(&self, side: Side, id: ConnectionId) -> Option<&Wire> {
        self.wires.iter().rev().find(|wire| wire.end(side).0 == id)
    }

    fn is_open(&self, side: Side, id: ConnectionId) -> bool {
        self.wire(side, id).is_some_and(|wire| wire.end(side).1)
    }

    fn far_end(&self, side: Side, id: ConnectionId) -> Option<ConnectionId> {
        Some(self.wire(side, id)?.end(side.other()).0)
    }

    /// Closes this end; was it open?
    fn hang_up(&mut self, side: Side, id: ConnectionId) -> bool {
        let mut wires = self.wires.iter_mut().rev();
        let wire = wires.find(|wire| wire.end(side).0 == id);
        wire.is_some_and(|wire| std::mem::replace(&mut wire.end_mut(side).1, false))
    }

    fn host(&self, side: Side) -> &Host {
        &self.hosts[side as usize]
    }

    fn host_mut(&mut self, side: Side) -> &mut Host {
        &mut self.hosts[side as usize]
    }
}

impl Wire {
    fn end(&self, side: Side) -> (ConnectionId, bool) {
        self.ends[side as usize]
    }

    fn end_mut(&mut self, side: Side) -> &mut (ConnectionId, bool) {
        &mut self.ends[side as usize]
    }
}

impl Host {
    fn new(seed: u64, side: Side, passive: Option<Side>, boots: u64, started: Time) -> Self {
        let (local, remote, router_id) = match side {
            Side::Left => (OURS, THEIRS, "10.0.0.5"),
            Side::Right => (THEIRS, OURS, "10.0.0.9"),
        };
        let mut neighbor = neighbor(|it| {
            it.passive = passive == Some(side);
            it.remote_as = crate::bgp::config::RemoteAs::Exactly(remote);
            it.liveness = Some(crate::bgp::config::Liveness { strict: false });
        });
        neighbor.local_as = local;
        neighbor.router_id = id(router_id);
        let origin = Origin {
            seed: seed ^ (side as u64 + 1) ^ (boots << 8),
            started,
            first_connection: ConnectionId((2 * boots + side as u64 + 1) << 32),
        };
        Self {
            peer: Peer::new(Arc::new(neighbor), origin),
            dials_take: Duration::ZERO,
            frozen_until: Time::ZERO,
            established: None,
            sessions: 0,
        }
    }
}

/// After so long without an answer a dial fails.
const TCP_PATIENCE: Duration = Duration::from_secs(10);
