//! Any operations on a BGP peer: it keeps the rules of RFC 4271 and grows with nothing.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use openelb_announce::bgp::config::{Liveness as Watch, Neighbor, RemoteAs, Settings};
use openelb_announce::bgp::message::{
    Capability, ErrorCode, Framer, GracefulRestart, Notification, Open, RefreshKind, RouteRefresh,
    write_end_of_rib, write_keepalive,
};
use openelb_announce::bgp::peer::{Input, Liveness, Origin, Output, Peer, State, Stop, Waiting};
use openelb_announce::bgp::route::{LocalAddresses, PeerName};
use openelb_announce::bgp::session::{ConnectionId, Direction};
use openelb_announce::bgp::{Asn, Family};
use openelb_announce::{Machine, Time};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// One thing that happens. Connections are chosen among the last ones.
#[derive(Arbitrary, Clone, Debug)]
enum Op {
    Start,
    Stop(u8),
    Configure {
        variant: u8,
    },
    DialOpened,
    DialFailed,
    PeerConnects,
    Octets {
        connection: u8,
        octets: Vec<u8>,
    },
    Open {
        connection: u8,
        variant: u8,
        id: u8,
    },
    Keepalive {
        connection: u8,
    },
    Notification {
        connection: u8,
        code: u8,
        subcode: u8,
        data: Vec<u8>,
    },
    Refresh {
        connection: u8,
        afi: u8,
        kind: u8,
    },
    EndOfRib {
        connection: u8,
        times: u8,
    },
    Closed {
        connection: u8,
    },
    Sent {
        connection: u8,
        octets: u16,
    },
    Transmit {
        connection: u8,
        room: u16,
    },
    Routes,
    AskForRoutes,
    Liveness(u8),
    Run {
        millis: u32,
    },
    Stall {
        millis: u32,
    },
}

struct Fuzzed {
    peer: Peer,
    now: Time,
    seen: Vec<ConnectionId>,
    dial: Option<ConnectionId>,
    open: BTreeSet<ConnectionId>,
    accepted: u64,
    is_up: bool,
}

fuzz_target!(|input: (u64, u8, Vec<Op>)| {
    let (seed, variant, ops) = input;
    let origin = Origin {
        seed,
        started: Time::ZERO,
        first_connection: ConnectionId(1 << 32),
    };
    let mut fuzzed = Fuzzed {
        peer: Peer::new(Arc::new(neighbor(variant)), origin),
        now: Time::ZERO,
        seen: Vec::new(),
        dial: None,
        open: BTreeSet::new(),
        accepted: 0,
        is_up: false,
    };
    for op in ops {
        fuzzed.apply(op);
        fuzzed.check();
    }
    fuzzed.input(Input::Stop(Stop::Removal));
    assert_eq!(
        fuzzed.peer.poll_timeout(),
        None,
        "a timer runs after the stop"
    );
    assert!(!fuzzed.is_up, "a session outlives the stop");
});

impl Fuzzed {
    fn apply(&mut self, op: Op) {
        match op {
            Op::Start => self.input(Input::Start),
            Op::Stop(kind) => self.input(Input::Stop(stop(kind))),
            Op::Configure { variant } => {
                self.input(Input::Configure(Arc::new(neighbor(variant))));
            }
            Op::DialOpened => {
                if let Some(id) = self.dial.take() {
                    self.opened(id, Direction::Outgoing);
                }
            }
            Op::DialFailed => {
                if let Some(connection) = self.dial.take() {
                    let why = String::new();
                    self.input(Input::OpenFailed { connection, why });
                }
            }
            Op::PeerConnects => {
                self.accepted += 1;
                self.opened(ConnectionId(self.accepted), Direction::Incoming);
            }
            Op::Routes => self.input(Input::Routes),
            Op::AskForRoutes => self.input(Input::AskForRoutes(Family::Ipv6Unicast)),
            Op::Liveness(kind) => self.input(Input::Liveness(match kind % 4 {
                0 => Liveness::Up,
                1 => Liveness::Down,
                2 => Liveness::AdminDown,
                _ => Liveness::Unknown,
            })),
            Op::Run { millis } => self.run(Duration::from_millis((millis % 1_000_000).into())),
            Op::Stall { millis } => self.now += Duration::from_millis(millis.into()),
            other => self.apply_to_connection(other),
        }
    }

    fn apply_to_connection(&mut self, op: Op) {
        let mut octets = Vec::new();
        let connection = match op {
            Op::Octets {
                connection,
                octets: noise,
            } => {
                octets = noise;
                connection
            }
            Op::Open {
                connection,
                variant,
                id,
            } => {
                open(variant, id).write(&mut octets);
                connection
            }
            Op::Keepalive { connection } => {
                write_keepalive(&mut octets);
                connection
            }
            Op::Notification {
                connection,
                code,
                subcode,
                data,
            } => {
                Notification::with_data(ErrorCode { code, subcode }, &data).write(&mut octets);
                connection
            }
            Op::Refresh {
                connection,
                afi,
                kind,
            } => {
                let (afi, kind) = (u16::from(afi % 4), RefreshKind::from(kind));
                RouteRefresh { afi, safi: 1, kind }.write(&mut octets);
                connection
            }
            Op::EndOfRib { connection, times } => {
                for _ in 0..times {
                    write_end_of_rib(&mut octets, Family::Ipv4Unicast);
                }
                connection
            }
            Op::Closed { connection } => {
                if let Some(connection) = self.pick(connection) {
                    self.open.remove(&connection);
                    let why = String::new();
                    self.input(Input::Closed { connection, why });
                }
                return;
            }
            Op::Sent { connection, octets } => {
                if let Some(connection) = self.pick(connection) {
                    let octets = octets.into();
                    self.input(Input::Sent { connection, octets });
                }
                return;
            }
            Op::Transmit { connection, room } => {
                if let Some(connection) = self.pick(connection) {
                    self.transmit(connection, usize::from(room));
                }
                return;
            }
            _ => return,
        };
        if let Some(connection) = self.pick(connection) {
            let octets = &octets;
            self.input(Input::Received { connection, octets });
        }
    }

    fn pick(&self, number: u8) -> Option<ConnectionId> {
        let back = usize::from(number) % self.seen.len().clamp(1, 4);
        self.seen.iter().rev().nth(back).copied()
    }

    fn opened(&mut self, connection: ConnectionId, direction: Direction) {
        self.seen.push(connection);
        self.open.insert(connection);
        self.input(Input::Opened {
            connection,
            direction,
            addresses: LocalAddresses {
                session: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 5)),
                v4: None,
                v6_global: None,
                v6_link_local: None,
                on_link: true,
            },
            remote: SocketAddr::from(([192, 0, 2, 1], 179)),
        });
    }

    fn input(&mut self, input: Input<'_>) {
        self.peer.handle_input(input, self.now);
        self.drain();
    }

    fn drain(&mut self) {
        let mut count = 0;
        while let Some(output) = self.peer.poll_output() {
            count += 1;
            assert!(count < 64, "one input makes no flood of outputs");
            match output {
                Output::Connect(id) => {
                    assert_eq!(self.dial.replace(id), None, "never two dials at once");
                }
                Output::Close { connection, .. } => {
                    self.open.remove(&connection);
                    self.dial.take_if(|dial| *dial == connection);
                }
                Output::Established(agreed) => {
                    assert!(!self.is_up, "never two sessions at once");
                    assert!(!agreed.families.is_empty());
                    self.is_up = true;
                }
                Output::Down(_) => {
                    assert!(self.is_up, "a session ended that never was up");
                    self.is_up = false;
                }
                Output::Wake(_) | Output::Refresh(_) | Output::Event(_) => {}
            }
        }
    }

    /// Only whole messages are sent, and UPDATEs only in a session.
    fn transmit(&mut self, connection: ConnectionId, room: usize) {
        let mut out = Vec::new();
        let is_session = self.peer.connection() == Some(connection);
        let mut updates = |out: &mut Vec<u8>, room: usize| {
            assert!(is_session, "routes are sent outside of the session");
            if room >= 30 {
                write_end_of_rib(out, Family::Ipv6Unicast);
            }
            false
        };
        let written = self
            .peer
            .transmit(connection, &mut out, room, self.now, &mut updates);
        assert!(written == out.len() && written <= room);
        let mut framer = Framer::new();
        framer.feed(&out);
        while let Some(message) = framer.next_message() {
            message.expect("what we write can be read");
        }
        assert_eq!(framer.pending(), 0);
        self.drain();
    }

    fn run(&mut self, span: Duration) {
        let end = self.now + span;
        // Timers that are set anew at once would hang a driver.
        for _ in 0..100_000 {
            match self.peer.poll_timeout().filter(|at| *at <= end) {
                Some(at) => {
                    self.now = self.now.max(at);
                    self.peer.handle_timeout(self.now);
                    self.drain();
                }
                None => break,
            }
        }
        assert!(self.peer.poll_timeout().is_none_or(|at| at > end));
        self.now = end;
    }

    fn check(&self) {
        let state = self.peer.state();
        assert_eq!(state == State::Established, self.is_up);
        assert_eq!(self.is_up, self.peer.negotiated().is_some());
        let received = self.peer.counters().received;
        assert!(!self.is_up || (received.open > 0 && received.keepalive > 0));
        assert!(self.open.len() <= 2, "more than two connections are open");
        if matches!(
            self.peer.waiting(),
            Some(Waiting::Start | Waiting::Operator)
        ) {
            assert_eq!(self.peer.poll_timeout(), None, "a timer runs in Idle");
        }
    }
}

fn stop(kind: u8) -> Stop {
    match kind % 4 {
        0 => Stop::Shutdown("words".to_owned()),
        1 => Stop::Deconfigured,
        2 => Stop::Upgrade,
        _ => Stop::Removal,
    }
}

/// Settings by the bits of `variant`.
fn neighbor(variant: u8) -> Neighbor {
    let bit = |number: u8| variant & (1 << number) != 0;
    let mut settings = Settings {
        remote_as: RemoteAs::External,
        passive: bit(0),
        extended_messages: bit(1),
        keep_received: bit(2),
        prefix_limit: bit(3).then_some(2),
        admin_down: (variant == 0xff).then(String::new),
        liveness: bit(4).then_some(Watch { strict: bit(5) }),
        ..Settings::default()
    };
    settings.timers.delay_open = bit(6).then_some(Duration::from_secs(3));
    settings.timers.hold = bit(7).then_some(Duration::from_secs(9));
    Neighbor {
        name: PeerName::from("peer"),
        remote: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)).into(),
        local_as: Asn(64_512),
        router_id: "10.0.0.5".parse().expect("a router id"),
        settings,
    }
}

/// An OPEN that fits, or nearly so.
fn open(variant: u8, id: u8) -> Open {
    let asn = Asn(if variant & 1 == 0 { 64_513 } else { 64_512 });
    let hold = if variant & 2 == 0 { 30 } else { 0 };
    let families = vec![(Family::Ipv4Unicast, variant & 4 == 0)];
    let capabilities = vec![
        Capability::multi_protocol(Family::Ipv4Unicast),
        Capability::multi_protocol(Family::Ipv6Unicast),
        Capability::FourOctetAs(asn),
        Capability::RouteRefresh,
        Capability::ExtendedMessage,
        Capability::GracefulRestart(GracefulRestart {
            restarting: variant & 8 == 0,
            notification: variant & 16 == 0,
            time: 60,
            families,
        }),
    ];
    let router_id = Ipv4Addr::new(10, 0, 0, id.max(1));
    let router_id = router_id.try_into().expect("not zero");
    let count = if variant & 32 == 0 {
        capabilities.len()
    } else {
        0
    };
    Open::new(
        asn,
        hold,
        router_id,
        capabilities.into_iter().take(count).collect(),
    )
}
