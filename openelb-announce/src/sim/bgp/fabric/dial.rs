//! How connections come to be.

use super::super::tcp::{Connection, Side};
use super::{Fabric, Listening, Pending, SpeakerId, Wire, router_address};
use crate::bgp::session::ConnectionId;
use crate::bgp::speaker::{Arrival, Input};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

impl Fabric {
    /// A speaker dials an address.
    pub(super) fn dial(&mut self, speaker: usize, connection: ConnectionId, address: IpAddr) {
        let router = (0..self.routers.len()).find(|router| router_address(*router) == address);
        if let Some(process) = self.process(speaker) {
            process.dials.insert(connection);
        }
        let at = self.now + self.setup.delay * 2;
        let dialled = Pending::Dialled {
            speaker,
            connection,
            router,
        };
        self.schedule(at, dialled);
    }

    /// A dial of a speaker has come to a router, or to nobody.
    pub(super) fn dialled(
        &mut self,
        speaker: usize,
        connection: ConnectionId,
        router: Option<usize>,
    ) {
        let listening =
            router.and_then(|router| Some((router, self.routers.get(router)?.listening)));
        let is_dialling = self
            .process(speaker)
            .is_some_and(|it| it.dials.contains(&connection));
        if !is_dialling {
            return;
        }
        let refused = |why: &str| Input::OpenFailed {
            connection,
            why: why.to_owned(),
        };
        match listening {
            Some((_, Listening::Silent)) => return,
            Some((router, Listening::Accepts)) => {
                self.connect(speaker, connection, router, Side::Dialler);
            }
            Some((_, Listening::Refuses)) => self.tell(speaker, refused("connection refused")),
            None => self.tell(speaker, refused("no route to host")),
        }
        if let Some(process) = self.process(speaker) {
            process.dials.remove(&connection);
        }
    }

    /// A router dials a speaker.
    pub(super) fn dial_speaker(&mut self, router: usize, speaker: usize) {
        let now = self.now;
        let Some(host) = self.routers.get_mut(router) else {
            return;
        };
        host.dials.insert(speaker, now + DIAL_PAUSE);
        if host.machine(speaker).is_established() {
            return;
        }
        let (remote, addresses) = match self.speakers.get(speaker) {
            Some(host) => (
                SocketAddr::new(router_address(router), DIAL_PORT),
                host.addresses,
            ),
            None => return,
        };
        let mut number = None;
        self.with(SpeakerId(speaker), |process, now| {
            let arrival = Arrival {
                remote,
                interface: None,
                addresses,
            };
            number = process.speaker.accept(arrival, now).ok();
        });
        if let Some(accepted) = number {
            self.connect(speaker, accepted.connection, router, Side::Listener);
        }
    }

    fn connect(
        &mut self,
        speaker: usize,
        connection: ConnectionId,
        router: usize,
        speaker_side: Side,
    ) {
        let id = self.next_wire;
        self.next_wire += 1;
        let wire = Wire {
            tcp: Connection::new(self.setup.delay, self.setup.window),
            speaker,
            router,
            number: Some(connection),
            speaker_side,
            is_open_at_router: true,
        };
        self.wires.insert(id, wire);
        if let Some(process) = self.process(speaker) {
            process.wires.insert(connection, id);
        }
        let now = self.now;
        if let Some(host) = self.routers.get_mut(router) {
            host.machine(speaker)
                .opened(id, speaker_side == Side::Listener, now);
        }
        self.settle_router(router);
        match speaker_side {
            Side::Dialler => {
                let addresses = self.addresses(SpeakerId(speaker));
                let remote = SocketAddr::new(router_address(router), BGP_PORT);
                let opened = Input::Opened {
                    connection,
                    addresses,
                    remote,
                };
                self.tell(speaker, opened);
            }
            // The speaker has its OPEN ready since it accepted the connection.
            Side::Listener => self.pump(id),
        }
    }
}

const BGP_PORT: u16 = 179;
const DIAL_PORT: u16 = 40_000;
const DIAL_PAUSE: Duration = Duration::from_secs(3);
