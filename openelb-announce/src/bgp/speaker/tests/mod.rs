//! Tests of the speaker from its own side: what it asks for, and what it reports.

mod accepting;
mod configuring;
mod learning;
mod reporting;
mod surrounding;

use super::{Accepted, Applied, Arrival, Event, Input, NotAccepted, Output, Speaker, Target};
use crate::bgp::asn::{Asn, RouterId};
use crate::bgp::config::{Config, Dynamic, Peer, Remote, Settings};
use crate::bgp::family::FamilySet;
use crate::bgp::message::{Capability, Open, write_keepalive};
use crate::bgp::peer::State;
use crate::bgp::route::{LocalAddresses, Route};
use crate::bgp::session::ConnectionId;
use crate::bgp::status::PeerStatus;
use crate::machine::Machine;
use crate::time::Time;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// A speaker, a clock, and what the speaker wanted so far.
struct Bench {
    speaker: Speaker,
    now: Time,
    outputs: Vec<Output>,
}

impl Bench {
    fn new() -> Self {
        Self {
            speaker: Speaker::new(7, Time::ZERO),
            now: Time::ZERO,
            outputs: Vec::new(),
        }
    }

    fn with(config: Config) -> Self {
        let mut bench = Self::new();
        bench.configure(config);
        bench
    }

    fn configure(&mut self, config: Config) -> Vec<Applied> {
        let applied = self.speaker.configure(&Arc::new(config), self.now).unwrap();
        self.drain();
        applied
    }

    fn input(&mut self, input: Input<'_>) {
        self.speaker.handle_input(input, self.now);
        self.drain();
    }

    /// Lets time pass, from deadline to deadline.
    fn run(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while let Some(at) = self.speaker.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.speaker.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    fn drain(&mut self) {
        self.outputs
            .extend(std::iter::from_fn(|| self.speaker.poll_output()));
    }

    fn take(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    fn events(&self) -> Vec<String> {
        let event = |output: &Output| match output {
            Output::Event(event) => Some(event.to_string()),
            _ => None,
        };
        self.outputs.iter().filter_map(event).collect()
    }

    /// The last dial, which is forgotten.
    fn dial(&mut self) -> Option<(ConnectionId, Target)> {
        let dial = |output| match output {
            Output::Connect { connection, target } => Some((connection, target)),
            _ => None,
        };
        self.take().into_iter().filter_map(dial).last()
    }

    fn accept(&mut self, from: &str, interface: Option<&str>) -> Result<Accepted, NotAccepted> {
        let remote = SocketAddr::new(ip(from), 40_000);
        let arrival = Arrival {
            remote,
            interface,
            addresses: addresses(),
        };
        let accepted = self.speaker.accept(arrival, self.now);
        self.drain();
        accepted
    }

    /// Everything that is to be sent on a connection.
    fn transmit(&mut self, connection: ConnectionId) -> Vec<u8> {
        let mut octets = Vec::new();
        while self
            .speaker
            .transmit(connection, &mut octets, 65_535, self.now)
            > 0
        {}
        self.drain();
        octets
    }

    /// The dial succeeds, and the session comes up.
    fn open(&mut self, connection: ConnectionId, remote: &str, open: &Open) {
        let remote = SocketAddr::new(ip(remote), 179);
        let addresses = addresses();
        self.input(Input::Opened {
            connection,
            addresses,
            remote,
        });
        self.establish(connection, open);
    }

    /// The peer's side of the OPENs on a connection.
    fn establish(&mut self, connection: ConnectionId, open: &Open) {
        self.transmit(connection);
        let mut octets = Vec::new();
        open.write(&mut octets);
        write_keepalive(&mut octets);
        let octets = &octets;
        self.input(Input::Received { connection, octets });
        self.transmit(connection);
    }

    fn close(&mut self, connection: ConnectionId) {
        let why = "gone".to_owned();
        self.input(Input::Closed { connection, why });
    }

    fn status(&self) -> Vec<PeerStatus> {
        self.speaker.status(self.now)
    }

    fn states(&self) -> Vec<State> {
        self.status().iter().map(|peer| peer.state).collect()
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn addresses() -> LocalAddresses {
    LocalAddresses {
        session: ip("192.0.2.1"),
        v4: "192.0.2.1".parse().ok(),
        v6_global: "2001:db8::1".parse().ok(),
        v6_link_local: "fe80::1".parse().ok(),
        on_link: true,
    }
}

/// The OPEN of a peer that is this router.
fn open(router_id: u32) -> Open {
    let asn = Asn(64_513);
    let mut capabilities = vec![Capability::FourOctetAs(asn)];
    capabilities.extend(FamilySet::ALL.iter().map(Capability::multi_protocol));
    Open::new(asn, 90, RouterId::new(router_id).unwrap(), capabilities)
}

fn config(peers: impl IntoIterator<Item = Peer>) -> Config {
    let mut config = Config::new(Asn(64_512), RouterId::new(1).unwrap());
    config.listen = vec!["0.0.0.0:179".parse().unwrap()];
    config.peers = peers.into_iter().collect();
    config
}

fn peer(name: &str, remote: impl Into<Remote>, settings: Settings) -> Peer {
    Peer {
        name: name.into(),
        remote: remote.into(),
        settings,
    }
}

/// A peer at this address, with the defaults.
fn plain(name: &str, address: &str) -> Peer {
    peer(name, ip(address), Settings::default())
}

fn unnumbered(name: &str, interface: &str) -> Peer {
    peer(
        name,
        Remote::Interface(interface.to_owned()),
        Settings::default(),
    )
}

fn group(range: &str, limit: u32) -> Dynamic {
    Dynamic {
        name: "servers".into(),
        ranges: vec![range.parse().unwrap()],
        limit,
        settings: Settings::default(),
    }
}

fn set(change: impl FnOnce(&mut Settings)) -> Settings {
    let mut settings = Settings::default();
    change(&mut settings);
    settings
}

fn route(text: &str) -> Route {
    Route::to(text.parse().unwrap())
}
