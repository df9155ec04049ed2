//! Any operations on a whole BGP speaker: what it sends can be read, and it grows with nothing.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use openelb_announce::bgp::config::{Config, Dynamic, Liveness as Watch, Peer, Remote, Settings};
use openelb_announce::bgp::message::{
    AttributeBlock, Capability, Framer, GracefulRestart, LIMIT, Open, write_announcements,
    write_end_of_rib, write_keepalive, write_withdrawals,
};
use openelb_announce::bgp::peer::{Liveness, State, Stop};
use openelb_announce::bgp::policy::PrefixRange;
use openelb_announce::bgp::route::{LocalAddresses, PeerSelection, Route};
use openelb_announce::bgp::session::ConnectionId;
use openelb_announce::bgp::speaker::{Arrival, Input, Output, Speaker};
use openelb_announce::bgp::{AsPath, Asn, Attributes, Family, NextHop, Nlri, Prefix, RouterId};
use openelb_announce::{Machine, Time};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// One thing that happens. Connections are chosen among the open ones.
#[derive(Arbitrary, Clone, Debug)]
enum Op {
    Configure { peers: u8, variant: u8, group: bool },
    Announce(Vec<u8>),
    Change { routes: Vec<u8>, withdrawn: Vec<u8> },
    Synced,
    Drain(bool),
    Stop(u8),
    Opened(u8),
    OpenFailed(u8),
    Accept { host: u8, interface: bool },
    Octets { connection: u8, octets: Vec<u8> },
    Open { connection: u8, variant: u8, id: u8 },
    Routes { connection: u8, said: Said },
    Keepalive(u8),
    Closed(u8),
    Addresses { connection: u8, variant: u8 },
    Discovered(u8),
    Lost,
    Liveness { peer: u8, state: u8 },
    Segments(u8),
    Transmit { connection: u8, room: u16 },
    Run { millis: u32 },
}

/// What an UPDATE says about IPv4 host routes; one that says nothing is an End-of-RIB.
#[derive(Arbitrary, Clone, Debug)]
struct Said {
    announced: Vec<u8>,
    withdrawn: Vec<u8>,
    asns: Vec<u8>,
    next_hop: u8,
}

struct Fuzzed {
    speaker: Speaker,
    now: Time,
    // What was sent on each connection, as far as it is no whole message yet.
    open: BTreeMap<ConnectionId, Framer>,
    dials: Vec<ConnectionId>,
    prefixes: usize,
    is_stopped: bool,
}

fuzz_target!(|input: (u64, Vec<Op>)| {
    let mut fuzzed = Fuzzed {
        speaker: Speaker::new(input.0, Time::ZERO),
        now: Time::ZERO,
        open: BTreeMap::new(),
        dials: Vec::new(),
        prefixes: 0,
        is_stopped: false,
    };
    for op in input.1 {
        fuzzed.apply(op);
        fuzzed.check();
    }
});

impl Fuzzed {
    fn apply(&mut self, op: Op) {
        match op {
            Op::Configure {
                peers,
                variant,
                group,
            } => {
                let config = Arc::new(config(peers, variant, group));
                let applied = self.speaker.configure(&config, self.now);
                assert!(applied.is_ok(), "{applied:?}");
            }
            Op::Announce(numbers) => {
                let routes = routes(&numbers);
                self.speaker.announce(routes, self.now);
            }
            Op::Change {
                routes: some,
                withdrawn,
            } => {
                let withdrawn: Vec<_> = routes(&withdrawn).iter().map(|it| it.prefix).collect();
                self.speaker.change(routes(&some), &withdrawn, self.now);
            }
            Op::Synced => self.speaker.synced(self.now),
            Op::Drain(true) => self.speaker.drain(self.now),
            Op::Drain(false) => self.speaker.undrain(self.now),
            Op::Stop(kind) => self.stop(kind),
            Op::Accept { host, interface } => self.accept(host, interface),
            Op::Run { millis } => self.run(millis),
            Op::Transmit { connection, room } => self.transmit(connection, room.into()),
            op => self.happen(op),
        }
        self.drain();
    }

    /// What comes from the outside.
    fn happen(&mut self, op: Op) {
        match op {
            Op::Opened(dial) => self.opened(dial),
            Op::OpenFailed(dial) => {
                if let Some(connection) = self.take_dial(dial) {
                    let why = "refused".to_owned();
                    self.input(Input::OpenFailed { connection, why });
                }
            }
            Op::Octets { connection, octets } => self.receive(connection, &octets),
            Op::Routes { connection, said } => self.receive(connection, &said.write()),
            Op::Open {
                connection,
                variant,
                id,
            } => {
                let mut octets = Vec::new();
                open(variant, id).write(&mut octets);
                self.receive(connection, &octets);
            }
            Op::Keepalive(connection) => {
                let mut octets = Vec::new();
                write_keepalive(&mut octets);
                self.receive(connection, &octets);
            }
            Op::Closed(connection) => {
                if let Some(connection) = self.connection(connection) {
                    self.close(connection);
                }
            }
            Op::Addresses {
                connection,
                variant,
            } => {
                if let Some(connection) = self.connection(connection) {
                    let addresses = addresses(variant);
                    self.input(Input::Addresses {
                        connection,
                        addresses,
                    });
                }
            }
            Op::Discovered(host) => {
                let address = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, u16::from(host));
                self.input(Input::Discovered {
                    interface: "swp1",
                    address,
                });
            }
            Op::Lost => self.input(Input::Lost { interface: "swp1" }),
            Op::Liveness { peer, state } => {
                let liveness = match state % 4 {
                    0 => Liveness::Unknown,
                    1 => Liveness::Up,
                    2 => Liveness::Down,
                    _ => Liveness::AdminDown,
                };
                let peer = &name(peer % 4).as_str().into();
                self.input(Input::Liveness { peer, liveness });
            }
            Op::Segments(segments) => {
                let segments = segments.into();
                self.input(Input::AuthenticationFailed { segments });
            }
            _ => {}
        }
    }

    fn input(&mut self, input: Input<'_>) {
        self.speaker.handle_input(input, self.now);
        self.drain();
    }

    fn stop(&mut self, kind: u8) {
        let stop = match kind % 4 {
            0 => Stop::Shutdown("maintenance".into()),
            1 => Stop::Deconfigured,
            2 => Stop::Upgrade,
            _ => Stop::Removal,
        };
        self.speaker.stop(&stop, self.now);
        self.is_stopped = true;
    }

    fn accept(&mut self, host: u8, on_interface: bool) {
        let remote = if on_interface {
            IpAddr::from(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, u16::from(host)))
        } else {
            IpAddr::from(Ipv4Addr::new(192, 0, 2, host))
        };
        let arrival = Arrival {
            remote: SocketAddr::new(remote, 40_000),
            interface: on_interface.then_some("swp1"),
            addresses: addresses(0),
        };
        if let Ok(accepted) = self.speaker.accept(arrival, self.now) {
            assert!(!self.is_stopped, "accepted after the stop");
            let before = self.open.insert(accepted.connection, framer());
            assert!(before.is_none(), "a number was used twice");
        }
    }

    fn opened(&mut self, dial: u8) {
        let Some(connection) = self.take_dial(dial) else {
            return;
        };
        self.open.insert(connection, framer());
        let remote = SocketAddr::new(IpAddr::from(Ipv4Addr::new(192, 0, 2, 1)), 179);
        let addresses = addresses(0);
        self.input(Input::Opened {
            connection,
            addresses,
            remote,
        });
    }

    fn receive(&mut self, connection: u8, octets: &[u8]) {
        if let Some(connection) = self.connection(connection) {
            self.input(Input::Received { connection, octets });
        }
    }

    fn close(&mut self, connection: ConnectionId) {
        self.open.remove(&connection);
        let why = "closed".to_owned();
        self.input(Input::Closed { connection, why });
    }

    fn run(&mut self, millis: u32) {
        // A year at most, so that no run takes for ever.
        let end = self.now + Duration::from_millis(u64::from(millis % 600_000));
        let mut wakes = 0;
        while let Some(at) = self.speaker.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.speaker.handle_timeout(self.now);
            self.drain();
            wakes += 1;
            assert!(wakes < 100_000, "it does not come to rest");
        }
        self.now = end;
    }

    /// What is sent is whole messages, not longer than there is room, and can be read.
    fn transmit(&mut self, connection: u8, room: usize) {
        let Some(connection) = self.connection(connection) else {
            return;
        };
        let room = room.max(4_096);
        let mut octets = Vec::new();
        let count = self
            .speaker
            .transmit(connection, &mut octets, room, self.now);
        assert_eq!(count, octets.len());
        assert!(count <= room, "{count} octets where {room} fit");
        if let Some(framer) = self.open.get_mut(&connection) {
            framer.feed(&octets);
            while let Some(message) = framer.next_message() {
                assert!(message.is_ok(), "{message:?}");
            }
            assert_eq!(framer.pending(), 0, "half a message");
        }
        self.input(Input::Sent {
            connection,
            octets: count,
        });
    }

    fn drain(&mut self) {
        while let Some(output) = self.speaker.poll_output() {
            match output {
                Output::Connect { connection, .. } => {
                    assert!(!self.is_stopped, "dialled after the stop");
                    self.dials.push(connection);
                }
                Output::Close { connection, .. } => {
                    self.dials.retain(|dial| *dial != connection);
                    self.open.remove(&connection);
                    let why = "closed by this side".to_owned();
                    self.speaker
                        .handle_input(Input::Closed { connection, why }, self.now);
                }
                Output::Event(event) => assert!(!event.to_string().contains(SECRET)),
                _ => {}
            }
        }
    }

    fn check(&mut self) {
        self.prefixes = self.prefixes.max(256);
        // A dial may be held until a router is found, one for each unnumbered peer.
        let known = self.open.len() + self.dials.len();
        assert!(self.speaker.connections() <= known + 1, "connections leak");
        for status in self.speaker.status(self.now) {
            let sent = status
                .families
                .map(|family| family.advertised + family.pending);
            assert!(sent[Family::Ipv4Unicast] + sent[Family::Ipv6Unicast] <= 4 * self.prefixes);
            assert_eq!(status.session.is_some(), status.state == State::Established);
            assert!(!self.is_stopped || status.state == State::Idle);
        }
        for learned in self.speaker.learned().routes {
            let shown = learned.route.to_string();
            assert!(shown.starts_with("198.51.100.") && !learned.peers.is_empty(), "{shown}");
            assert!(!shown.contains("192.0.2.254"), "it leads here: {shown}");
        }
        let soon = self.now + Duration::from_hours(24);
        assert!(self.speaker.poll_timeout().is_none_or(|at| at <= soon));
    }

    fn connection(&self, number: u8) -> Option<ConnectionId> {
        let place = usize::from(number).checked_rem(self.open.len())?;
        self.open.keys().nth(place).copied()
    }

    fn take_dial(&mut self, number: u8) -> Option<ConnectionId> {
        let place = usize::from(number).checked_rem(self.dials.len())?;
        Some(self.dials.swap_remove(place))
    }
}

fn framer() -> Framer {
    let mut framer = Framer::new();
    framer.allow_extended_messages();
    framer
}

fn config(peers: u8, variant: u8, group: bool) -> Config {
    let mut config = Config::new(Asn(64_512), RouterId::new(1).expect("not zero"));
    config.listen = vec![SocketAddr::from(([0, 0, 0, 0], 179))];
    for number in (0..4).filter(|number| peers & (1 << number) != 0) {
        let remote = match number {
            0 => Remote::Interface("swp1".to_owned()),
            // Bit 4 moves it.
            _ => Remote::from(IpAddr::from([192, 0, 2, number + 8 * (peers >> 4 & 1)])),
        };
        config.peers.push(Peer {
            name: name(number).as_str().into(),
            remote,
            settings: settings(variant),
        });
    }
    if group {
        let mut settings = settings(variant);
        // Nobody is watched who may never come.
        if let Some(liveness) = &mut settings.liveness {
            liveness.strict = false;
        }
        config.dynamic.push(Dynamic {
            name: "servers".into(),
            ranges: vec!["192.0.2.128/25".parse().expect("a range")],
            limit: 3,
            settings,
        });
    }
    config
}

fn settings(variant: u8) -> Settings {
    let mut settings = Settings::default();
    let is_set = |bit: u8| variant & (1 << bit) != 0;
    settings.passive = is_set(0);
    settings.graceful_shutdown = is_set(1);
    settings.extended_messages = is_set(2);
    settings.extended_next_hop = is_set(3);
    settings.liveness = is_set(4).then_some(Watch { strict: is_set(5) });
    settings.admin_down = is_set(6).then(|| "maintenance".to_owned());
    settings.families.ipv4.add_path_send_max = is_set(7).then_some(4);
    settings.password = openelb_announce::bgp::config::Password::new(SECRET).ok();
    settings.keep_received = is_set(1);
    if is_set(5) {
        let range = "198.51.100.0/25".parse().expect("a range");
        settings.import = vec![PrefixRange::within(range)];
    }
    settings.prefix_limit = is_set(2).then_some(3);
    settings
}

fn routes(numbers: &[u8]) -> Vec<Route> {
    let mut routes: Vec<Route> = numbers.iter().map(|number| route(*number)).collect();
    routes.sort_by_key(|route| route.prefix);
    routes.dedup_by_key(|route| route.prefix);
    routes
}

fn route(number: u8) -> Route {
    let address = if number & 1 == 0 {
        IpAddr::from([198, 51, 100, number])
    } else {
        IpAddr::from(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, number.into()))
    };
    let mut route = Route::to(openelb_announce::bgp::Prefix::host(address));
    route.prepend = number >> 6;
    if number & 2 != 0 {
        route.peers = PeerSelection::from_iter([name(1).as_str()]);
    }
    route
}

impl Said {
    fn write(&self) -> Vec<u8> {
        let mut octets = Vec::new();
        if self.announced.is_empty() && self.withdrawn.is_empty() {
            let family = match self.next_hop % 2 {
                0 => Family::Ipv4Unicast,
                _ => Family::Ipv6Unicast,
            };
            write_end_of_rib(&mut octets, family);
            return octets;
        }
        let hosts = |numbers: &[u8]| -> Vec<Nlri> {
            let host = |number: &u8| Prefix::host(IpAddr::from([198, 51, 100, *number])).into();
            numbers.iter().map(host).collect()
        };
        let asns = self.asns.iter().map(|asn| Asn(64_512 + u32::from(asn % 4)));
        let attributes = Attributes {
            as_path: AsPath::sequence(asns),
            ..Attributes::default()
        };
        let next_hop = NextHop::v4([192, 0, 2, 250 + self.next_hop % 5].into());
        // What does not fit into one message is left out.
        let mut gone = hosts(&self.withdrawn).into_iter();
        let _ = write_withdrawals(&mut octets, LIMIT, Family::Ipv4Unicast, &mut gone);
        let next_hop = next_hop.expect("a host's address");
        if let Ok(block) = AttributeBlock::new(&attributes, next_hop, true) {
            let mut new = hosts(&self.announced).into_iter();
            let _ = write_announcements(&mut octets, LIMIT, &block, &mut new);
        }
        octets
    }
}

/// The lower half of `variant` says which AS it is in, the upper half whether it restarts gracefully.
fn open(variant: u8, id: u8) -> Open {
    let asn = Asn(64_512 + u32::from(variant & 0xf) % 3);
    let id = RouterId::new(u32::from(id) + 1).expect("not zero");
    let mut capabilities: Vec<_> = Family::ALL.map(Capability::multi_protocol).to_vec();
    capabilities.push(Capability::FourOctetAs(asn));
    capabilities.push(Capability::ExtendedMessage);
    let is_set = |bit: u8| variant & (1 << bit) != 0;
    if is_set(7) {
        capabilities.push(Capability::GracefulRestart(GracefulRestart {
            restarting: is_set(6),
            notification: is_set(5),
            time: 120,
            families: Family::ALL.map(|family| (family, is_set(4))).to_vec(),
        }));
    }
    Open::new(asn, 90, id, capabilities)
}

fn addresses(variant: u8) -> LocalAddresses {
    LocalAddresses {
        session: IpAddr::from([192, 0, 2, 254]),
        v4: (variant & 1 == 0).then_some(Ipv4Addr::new(192, 0, 2, 254)),
        v6_global: (variant & 2 == 0).then_some(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
        v6_link_local: (variant & 4 == 0).then_some(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1)),
        on_link: variant & 8 == 0,
    }
}

fn name(number: u8) -> String {
    format!("leaf{number}")
}

const SECRET: &str = "geheim";
