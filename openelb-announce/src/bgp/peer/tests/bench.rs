//! A peer on a bench: a clock that the test turns, and the other end of its wires.

use super::super::*;
use crate::bgp::asn::{Asn, RouterId};
use crate::bgp::config::{Remote, RemoteAs, Settings};
use crate::bgp::family::Family;
use crate::bgp::message::{
    Capability, ErrorCode, Framer, GracefulRestart, MessageKind, Notification, Open, RefreshKind,
    RouteRefresh, write_end_of_rib, write_keepalive,
};
use crate::bgp::route::{LocalAddresses, PeerName};
use crate::bgp::session::Direction;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

pub(super) const OURS: Asn = Asn(64_512);
pub(super) const THEIRS: Asn = Asn(64_513);

pub(super) fn id(text: &str) -> RouterId {
    text.parse().unwrap()
}

pub(super) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A neighbour in [`THEIRS`]; we are 10.0.0.5 in [`OURS`].
pub(super) fn neighbor(change: impl FnOnce(&mut Settings)) -> Neighbor {
    let mut settings = Settings {
        remote_as: RemoteAs::Exactly(THEIRS),
        ..Settings::default()
    };
    change(&mut settings);
    Neighbor {
        name: PeerName::from("tor"),
        remote: Remote::from("192.0.2.1".parse::<IpAddr>().unwrap()),
        local_as: OURS,
        router_id: id("10.0.0.5"),
        settings,
    }
}

pub(super) fn addresses() -> LocalAddresses {
    LocalAddresses {
        session: "192.0.2.5".parse().unwrap(),
        v4: None,
        v6_global: None,
        v6_link_local: None,
        on_link: true,
    }
}

/// The OPEN of a peer that can all that we can.
pub(super) fn their_open() -> Open {
    let capabilities = vec![
        Capability::multi_protocol(Family::Ipv4Unicast),
        Capability::multi_protocol(Family::Ipv6Unicast),
        Capability::FourOctetAs(THEIRS),
        Capability::RouteRefresh,
        Capability::EnhancedRouteRefresh,
        restarting(
            120,
            true,
            &[(Family::Ipv4Unicast, true), (Family::Ipv6Unicast, true)],
        ),
    ];
    Open::new(THEIRS, 90, id("10.0.0.9"), capabilities)
}

/// An OPEN without graceful restart.
pub(super) fn plain_open() -> Open {
    let mut open = their_open();
    open.capabilities
        .retain(|it| !matches!(it, Capability::GracefulRestart(_)));
    open
}

pub(super) fn restarting(time: u16, notification: bool, families: &[(Family, bool)]) -> Capability {
    Capability::GracefulRestart(GracefulRestart {
        restarting: false,
        notification,
        time,
        families: families.to_vec(),
    })
}

pub(super) fn octets(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut octets = Vec::new();
    write(&mut octets);
    octets
}

pub(super) fn keepalive() -> Vec<u8> {
    octets(write_keepalive)
}

pub(super) fn end_of_rib(family: Family) -> Vec<u8> {
    octets(|out| write_end_of_rib(out, family))
}

pub(super) fn refresh(family: Family) -> Vec<u8> {
    octets(|out| RouteRefresh::new(family, RefreshKind::Request).write(out))
}

pub(super) fn notification(error: ErrorCode) -> Vec<u8> {
    octets(|out| Notification::new(error).write(out))
}

/// What the peer under test sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    Open(Open),
    Keepalive,
    Update,
    Notification(Notification),
    Refresh(Family),
}

/// Takes octets apart as the other end would.
pub(super) fn parse(octets: &[u8]) -> Vec<Said> {
    let mut framer = Framer::new();
    framer.feed(octets);
    let mut said = Vec::new();
    while let Some(message) = framer.next_message() {
        let message = message.unwrap();
        said.push(match message.kind {
            MessageKind::Open => Said::Open(Open::decode(message.body).unwrap()),
            MessageKind::Keepalive => Said::Keepalive,
            MessageKind::Update => Said::Update,
            MessageKind::Notification => {
                Said::Notification(Notification::decode(message.body).unwrap())
            }
            _ => Said::Refresh(
                RouteRefresh::decode(message.body)
                    .unwrap()
                    .family()
                    .unwrap(),
            ),
        });
    }
    assert_eq!(framer.pending(), 0, "only whole messages are sent");
    said
}

pub(super) struct Bench {
    pub(super) peer: Peer,
    pub(super) now: Time,
    /// What came out since the last look.
    pub(super) outputs: Vec<Output>,
    incoming: u64,
}

impl Bench {
    /// A peer that was started long after its speaker was.
    pub(super) fn new(change: impl FnOnce(&mut Settings)) -> Self {
        let mut bench = Self::stopped(neighbor(change));
        bench.input(Input::Start);
        bench
    }

    pub(super) fn stopped(neighbor: Neighbor) -> Self {
        let origin = Origin {
            seed: 7,
            started: Time::ZERO,
            first_connection: ConnectionId(1 << 32),
        };
        Self {
            peer: Peer::new(Arc::new(neighbor), origin),
            now: Time::ZERO + secs(10_000),
            outputs: Vec::new(),
            incoming: 0,
        }
    }

    pub(super) fn input(&mut self, input: Input<'_>) {
        self.peer.handle_input(input, self.now);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.peer.poll_output() {
            self.outputs.push(output);
        }
    }

    /// What came out since the last call.
    pub(super) fn take(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    pub(super) fn has(&self, wanted: impl Fn(&Output) -> bool) -> bool {
        self.outputs.iter().any(wanted)
    }

    pub(super) fn state(&self) -> State {
        self.peer.state()
    }

    /// Lets time pass, waking the peer whenever it asks for that.
    pub(super) fn wait(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.peer.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.peer.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    /// The dial that the peer asked for last.
    pub(super) fn dialled(&self) -> ConnectionId {
        let dials = self.outputs.iter().rev().find_map(|output| match output {
            Output::Connect(id) => Some(*id),
            _ => None,
        });
        dials.expect("a dial")
    }

    pub(super) fn opened(&mut self, connection: ConnectionId, direction: Direction) {
        self.input(Input::Opened {
            connection,
            direction,
            addresses: addresses(),
            remote: SocketAddr::from(([192, 0, 2, 1], 179)),
        });
    }

    /// The peer's dial gets through.
    pub(super) fn dial_through(&mut self) -> ConnectionId {
        let id = self.dialled();
        self.opened(id, Direction::Outgoing);
        id
    }

    /// The other side connects.
    pub(super) fn connect(&mut self) -> ConnectionId {
        self.incoming += 1;
        let id = ConnectionId(self.incoming);
        self.opened(id, Direction::Incoming);
        id
    }

    pub(super) fn receive(&mut self, connection: ConnectionId, octets: &[u8]) {
        self.input(Input::Received { connection, octets });
    }

    pub(super) fn receive_open(&mut self, connection: ConnectionId, open: &Open) {
        self.receive(connection, &octets(|out| open.write(out)));
    }

    /// All that the peer says on this connection now; TCP takes it at once.
    pub(super) fn said(&mut self, connection: ConnectionId) -> Vec<Said> {
        let mut out = Vec::new();
        let mut none = |_: &mut Vec<u8>, _: usize| false;
        while self
            .peer
            .transmit(connection, &mut out, 65_535, self.now, &mut none)
            > 0
        {}
        let octets = out.len();
        self.input(Input::Sent { connection, octets });
        parse(&out)
    }

    /// The NOTIFICATION that the peer says.
    pub(super) fn last_word(&mut self, connection: ConnectionId) -> Option<Notification> {
        match self.said(connection).pop() {
            Some(Said::Notification(notification)) => Some(notification),
            _ => None,
        }
    }

    pub(super) fn closed(&mut self, connection: ConnectionId) {
        let why = "connection reset".to_owned();
        self.input(Input::Closed { connection, why });
    }

    /// Brings the session up on the peer's own dial.
    pub(super) fn establish(&mut self, open: &Open) -> ConnectionId {
        let id = self.dial_through();
        self.establish_on(id, open);
        id
    }

    pub(super) fn establish_on(&mut self, id: ConnectionId, open: &Open) {
        self.said(id);
        self.receive_open(id, open);
        self.receive(id, &keepalive());
        self.said(id);
        assert_eq!(self.state(), State::Established);
        self.take();
    }
}

/// A session that just came up, with the settings and OPENs of the defaults.
pub(super) fn up() -> (Bench, ConnectionId) {
    up_with(|_| {}, &their_open())
}

pub(super) fn up_with(change: impl FnOnce(&mut Settings), open: &Open) -> (Bench, ConnectionId) {
    let mut bench = Bench::new(change);
    let id = bench.establish(open);
    (bench, id)
}

pub(super) fn is_close(output: &Output) -> bool {
    matches!(output, Output::Close { .. })
}
