//! The ports on which packets of BFD arrive: one socket per family and port, opened when needed.

use std::collections::BTreeMap;

use super::target::SessionId;
use crate::bfd::Hops;
use crate::driver::poller::Poller;
use crate::link::udp::{Datagram, Receiver, Room, Version};

/// The sockets that are wanted, and those that could not be opened.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    sockets: BTreeMap<Port, Result<Receiver, String>>,
}

type Port = (Version, Hops);

impl Listeners {
    /// A session needs its port.
    pub(super) fn want(&mut self, id: &SessionId) {
        let waiting = || Err("not opened yet".to_owned());
        self.sockets.entry(port(id)).or_insert_with(waiting);
    }

    /// Opens what is wanted and not open.
    pub(super) fn open(&mut self, poller: &Poller) {
        for ((version, hops), socket) in &mut self.sockets {
            let Err(problem) = socket else { continue };
            let opened = Receiver::open(*version, hops.port());
            let watched = opened.and_then(|receiver| {
                poller.watch(&receiver, token(*version, *hops))?;
                Ok(receiver)
            });
            match watched {
                Ok(receiver) => *socket = Ok(receiver),
                Err(error) => {
                    let words = format!(
                        "UDP port {}: {error}; does another BFD daemon (FRR's bfdd, BIRD) run here?",
                        hops.port()
                    );
                    if *problem != words {
                        tracing::warn!(problem = words, "BFD cannot receive");
                    }
                    *problem = words;
                }
            }
        }
    }

    /// Is there something that [`open`](Self::open) should try again?
    pub(super) fn is_incomplete(&self) -> bool {
        self.sockets.values().any(Result::is_err)
    }

    /// The next datagram at the port called `token`, if one waits.
    pub(super) fn receive<'a>(
        &self,
        token: u64,
        room: &'a mut Room,
    ) -> Option<(Hops, Datagram<'a>)> {
        let (version, hops) = PORTS
            .into_iter()
            .find(|(version, hops)| self::token(*version, *hops) == token)?;
        let receiver = self.sockets.get(&(version, hops))?.as_ref().ok()?;
        Some((hops, receiver.receive(room).ok()?))
    }

    /// Why nothing can be received for a session.
    pub(super) fn problem(&self, id: &SessionId) -> Option<&str> {
        self.sockets
            .get(&port(id))?
            .as_ref()
            .err()
            .map(String::as_str)
    }
}

fn port(id: &SessionId) -> Port {
    (Version::of(id.peer), id.hops)
}

/// Zero is the mailbox's.
const fn token(version: Version, hops: Hops) -> u64 {
    match (version, hops) {
        (Version::V4, Hops::Single) => 1,
        (Version::V4, Hops::Multiple) => 2,
        (Version::V6, Hops::Single) => 3,
        (Version::V6, Hops::Multiple) => 4,
    }
}

const PORTS: [Port; 4] = [
    (Version::V4, Hops::Single),
    (Version::V4, Hops::Multiple),
    (Version::V6, Hops::Single),
    (Version::V6, Hops::Multiple),
];
