//! A link on which routers are listened to: its socket, its machine, and what is told of both.

use std::io;
use std::net::Ipv6Addr;
use std::time::Duration;

use super::host::Host;
use super::opener::Opener;
use super::routers::{Input, Output, Routers};
use super::sighting::{Event, Origin, Sighting};
use crate::driver::poller::Poller;
use crate::link::router_socket::RouterSocket;
use crate::machine::Machine as _;
use crate::time::Time;

/// One entry of the wanted things that is about advertisements.
#[derive(Debug)]
pub(super) struct Listener {
    wanted: usize,
    interface: String,
    machine: Routers,
    socket: Socket,
    /// What was told last of whether it works.
    state: Option<Result<(), String>>,
    /// A refused socket is asked for again from here on.
    retry: Option<Time>,
}

#[derive(Debug)]
enum Socket {
    Closed,
    /// The opener was asked for one on the link of this number.
    Asked(u32),
    Open(u32, RouterSocket),
}

impl Listener {
    /// Listens to nobody until the link is there.
    pub(super) fn new(wanted: usize, interface: String, routers: Vec<Ipv6Addr>) -> Self {
        Self {
            wanted,
            interface,
            machine: Routers::new(routers),
            socket: Socket::Closed,
            state: None,
            retry: None,
        }
    }

    /// Takes in how the links are now: opens and closes its socket as they come and go.
    pub(super) fn follow(&mut self, host: &Host, opener: &Opener, now: Time) -> Vec<Event> {
        let link = match host.usable(&self.interface) {
            Ok(link) => link,
            Err(why) => {
                (self.socket, self.retry) = (Socket::Closed, None);
                self.machine.handle_input(Input::Down, now);
                return self.say(Err(why));
            }
        };
        let is_for_another = match &self.socket {
            Socket::Closed => self.retry.is_none_or(|at| at <= now),
            Socket::Asked(index) | Socket::Open(index, _) => *index != link.index,
        };
        if is_for_another {
            self.retry = None;
            self.socket = Socket::Asked(link.index);
            opener.ask(self.wanted, link.index, &self.interface);
        }
        if let Socket::Open(index, _) = self.socket {
            let up = match host.link_local(index) {
                Some(address) => Input::Up {
                    address,
                    mac: link.mac,
                },
                // Advertisements come in all the same; only asking takes an address.
                None => Input::Down,
            };
            self.machine.handle_input(up, now);
        }
        self.carry_out()
    }

    /// The opener's answer, which may be to a question of long ago.
    pub(super) fn take(
        &mut self,
        index: u32,
        opened: io::Result<RouterSocket>,
        poller: &Poller,
        now: Time,
    ) -> Vec<Event> {
        if !matches!(self.socket, Socket::Asked(asked) if asked == index) {
            return Vec::new();
        }
        let watched = opened.and_then(|socket| {
            poller.watch(&socket, self.token())?;
            Ok(socket)
        });
        match watched {
            Ok(socket) => {
                self.socket = Socket::Open(index, socket);
                self.say(Ok(()))
            }
            Err(error) => self.fail(&error, now),
        }
    }

    /// The socket can be read. At most some messages a call, so that a flood on one link does not
    /// keep the others waiting.
    pub(super) fn feed(&mut self, now: Time) -> Vec<Event> {
        let mut buffer = [0; LONGEST_MESSAGE];
        for _ in 0..MOST_MESSAGES {
            let Socket::Open(_, socket) = &self.socket else {
                break;
            };
            match socket.receive(&mut buffer) {
                Ok((source, length)) => {
                    let octets = buffer.get(..length).unwrap_or_default();
                    self.machine
                        .handle_input(Input::Received { source, octets }, now);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return self.fail(&error, now),
            }
        }
        self.carry_out()
    }

    /// It is `now`.
    pub(super) fn handle_timeout(&mut self, now: Time) -> Vec<Event> {
        self.machine.handle_timeout(now);
        self.carry_out()
    }

    /// When something is due.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        [self.machine.poll_timeout(), self.retry]
            .into_iter()
            .flatten()
            .min()
    }

    /// The name under which its socket is watched.
    pub(super) fn token(&self) -> u64 {
        FIRST_TOKEN + self.wanted as u64
    }

    /// Whether a refused socket is to be asked for again.
    pub(super) fn is_due(&self, now: Time) -> bool {
        self.retry.is_some_and(|at| at <= now)
    }

    fn fail(&mut self, error: &io::Error, now: Time) -> Vec<Event> {
        self.socket = Socket::Closed;
        self.retry = Some(now + RETRY_TIME);
        let why = match error.kind() {
            io::ErrorKind::PermissionDenied => format!(
                "router advertisements on {}: {error}; they take CAP_NET_RAW, so grant it, or take \
                 another source",
                self.interface
            ),
            _ => format!("router advertisements on {}: {error}", self.interface),
        };
        self.say(Err(why))
    }

    fn say(&mut self, state: Result<(), String>) -> Vec<Event> {
        if self.state.as_ref() == Some(&state) {
            return Vec::new();
        }
        self.state = Some(state.clone());
        let wanted = self.wanted;
        vec![match state {
            Ok(()) => Event::Worked { wanted },
            Err(why) => Event::Failed { wanted, why },
        }]
    }

    fn carry_out(&mut self) -> Vec<Event> {
        let (wanted, mut events) = (self.wanted, Vec::new());
        let origin = |router, interface: &String| Origin::Router {
            router,
            interface: interface.clone(),
        };
        while let Some(output) = self.machine.poll_output() {
            match output {
                Output::Transmit {
                    destination,
                    octets,
                } => {
                    if let Socket::Open(_, socket) = &self.socket {
                        // A link that cannot take it now gets the next one.
                        drop(socket.send(&octets, destination));
                    }
                }
                Output::Advertised(told) => events.push(Event::Seen(Sighting {
                    wanted,
                    origin: origin(told.router, &self.interface),
                    prefix: told.prefix,
                    preferred: told.preferred,
                    valid: told.valid,
                })),
                Output::Ended { router, prefix } => events.push(Event::Gone {
                    wanted,
                    origin: origin(router, &self.interface),
                    prefix,
                }),
            }
        }
        events
    }
}

/// Tokens below are the worker's own.
pub(super) const FIRST_TOKEN: u64 = 2;
/// How often a refused socket is asked for again.
const RETRY_TIME: Duration = Duration::from_secs(5);
const MOST_MESSAGES: usize = 64;
/// Advertisements with every option we know of are shorter; those cut short are not heeded.
const LONGEST_MESSAGE: usize = 1500;
