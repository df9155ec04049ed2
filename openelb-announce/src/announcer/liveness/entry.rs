//! One session with its socket.

use std::io;
use std::time::Duration;

use nix::net::if_::if_nametoindex;

use super::status::{Event, SessionStatus};
use super::target::{SessionId, Wanted};
use crate::bfd::{Demultiplexer, Diagnostic, Input, Output, Path, Session, State};
use crate::link::udp::{Route, Sender};
use crate::machine::Machine;
use crate::random::Random;
use crate::time::Time;

/// What a session needs of its surroundings.
pub(super) struct Surroundings<'a> {
    pub(super) demultiplexer: &'a mut Demultiplexer<u32>,
    pub(super) random: &'a mut Random,
    pub(super) sink: &'a mut (dyn FnMut(Event) + Send),
    pub(super) now: Time,
}

/// A session, its socket, and what has been counted.
pub(super) struct Entry {
    pub(super) id: SessionId,
    session: Session,
    path: Path,
    sender: Option<Sender>,
    source_port: Option<u16>,
    problem: Option<String>,
    /// The state has been the same since.
    since: Time,
    counters: Counters,
    /// A session that nobody wants any more is gone by then.
    retires_at: Option<Time>,
}

#[derive(Default)]
struct Counters {
    flaps: u64,
    sent: u64,
    received: u64,
    discarded: u64,
    last_discard: Option<String>,
}

impl Entry {
    /// A session in slot `slot` that has said nothing yet.
    pub(super) fn new(
        id: SessionId,
        wanted: &Wanted,
        slot: u32,
        around: &mut Surroundings<'_>,
    ) -> Self {
        let path = Path {
            remote: id.peer,
            local: id.local,
            interface: interface(&id),
            hops: id.hops,
        };
        let discriminator = around.demultiplexer.insert(path, slot, around.random);
        let settings = wanted.settings.clone();
        let mut entry = Self {
            id,
            session: Session::new(settings, discriminator, around.random.bits()),
            path,
            sender: None,
            source_port: None,
            problem: None,
            since: around.now,
            counters: Counters::default(),
            retires_at: None,
        };
        entry.follow(wanted, around);
        entry
    }

    /// Makes it what is wanted, without ending the session.
    pub(super) fn follow(&mut self, wanted: &Wanted, around: &mut Surroundings<'_>) {
        self.retires_at = None;
        if *self.session.settings() != wanted.settings {
            self.input(Input::Configure(wanted.settings.clone()), around);
        }
        let is_admin_down = self.session.state() == State::AdminDown;
        match (wanted.is_admin_down, is_admin_down) {
            (true, false) => self.dismiss(around),
            (false, true) => self.input(Input::Enable, around),
            _ => {}
        }
    }

    /// Nobody wants it any more: tells the neighbour, and lets it go once that knows or, at the
    /// latest, would have noticed by itself (RFC 5880 section 6.8.16).
    pub(super) fn retire(&mut self, longest: Duration, around: &mut Surroundings<'_>) {
        if self.retires_at.is_none() {
            let settings = self.session.settings();
            let interval = self.session.transmit_interval().unwrap_or(settings.min_tx);
            let noticed = interval * settings.multiplier.into();
            self.dismiss(around);
            self.retires_at = Some(around.now + noticed.min(longest));
        }
    }

    /// May it be dropped now?
    pub(super) fn is_retired(&self, now: Time) -> bool {
        self.retires_at
            .is_some_and(|at| at <= now || self.session.is_dismissed())
    }

    /// Is it on its way out?
    pub(super) const fn is_retiring(&self) -> bool {
        self.retires_at.is_some()
    }

    /// Tells the session something and carries out what it wants.
    pub(super) fn input(&mut self, input: Input<'_>, around: &mut Surroundings<'_>) {
        self.counters.received += u64::from(matches!(input, Input::Packet { .. }));
        self.session.handle_input(input, around.now);
        self.carry_out(around);
    }

    /// It is `around.now`.
    pub(super) fn handle_timeout(&mut self, around: &mut Surroundings<'_>) {
        self.session.handle_timeout(around.now);
        self.carry_out(around);
    }

    /// When it wants to be woken.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        let own = self.session.poll_timeout();
        own.into_iter().chain(self.retires_at).min()
    }

    /// Removes it from where it is known.
    pub(super) fn close(self, demultiplexer: &mut Demultiplexer<u32>) {
        demultiplexer.remove(self.session.discriminator());
    }

    /// Follows an interface that appeared, or appeared anew, while nothing is heard over it.
    pub(super) fn find_interface(&mut self, demultiplexer: &mut Demultiplexer<u32>) {
        if self.id.interface.is_none() || self.session.state() == State::Up {
            return;
        }
        let found = interface(&self.id);
        if found != self.path.interface {
            self.path.interface = found;
            self.sender = None;
            demultiplexer.relocate(self.session.discriminator(), self.path);
        }
    }

    /// How it stands. `deaf`: why nothing can be received for it.
    pub(super) fn status(&self, deaf: Option<&str>, now: Time) -> SessionStatus {
        let (remote_state, remote_diagnostic) = self.session.remote_state();
        let number = std::num::NonZeroU32::get;
        SessionStatus {
            id: self.id.clone(),
            state: self.session.state(),
            path: self.session.path_state(),
            diagnostic: self.session.diagnostic(),
            remote_state,
            remote_diagnostic,
            discriminator: number(self.session.discriminator()),
            remote_discriminator: self.session.remote_discriminator().map(number),
            transmit_interval: self.session.transmit_interval(),
            detection_time: self.session.detection_time(),
            since: now - self.since,
            flaps: self.counters.flaps,
            sent: self.counters.sent,
            received: self.counters.received - self.counters.discarded,
            discarded: self.counters.discarded,
            last_discard: self.counters.last_discard.clone(),
            problem: deaf.map(str::to_owned).or_else(|| self.problem.clone()),
        }
    }

    fn dismiss(&mut self, around: &mut Surroundings<'_>) {
        let reason = Diagnostic::AdministrativelyDown;
        self.input(Input::AdminDown(reason), around);
    }

    fn carry_out(&mut self, around: &mut Surroundings<'_>) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Transmit(octets) => self.transmit(&octets, around),
                Output::Change(change) => {
                    if change.from != change.to {
                        self.since = around.now;
                        self.counters.flaps += u64::from(change.from == State::Up);
                    }
                    tracing::debug!(session = %self.id, from = %change.from, to = %change.to,
                        diagnostic = %change.diagnostic, "BFD session changed");
                    (around.sink)(Event::Session {
                        id: self.id.clone(),
                        change,
                    });
                }
                Output::Discarded(reason) => {
                    self.counters.discarded += 1;
                    self.counters.last_discard = Some(reason.to_string());
                }
            }
        }
    }

    /// Sends, or says why not. A socket that fails is opened anew for the next packet: addresses,
    /// routes and interfaces come and go.
    fn transmit(&mut self, octets: &[u8], around: &mut Surroundings<'_>) {
        if self.sender.is_none() {
            match self.open(around) {
                Ok(sender) => self.sender = Some(sender),
                Err(problem) => self.problem = Some(problem),
            }
        }
        let Some(sender) = &self.sender else { return };
        match sender.send(octets) {
            Ok(()) => {
                self.counters.sent += 1;
                self.problem = None;
            }
            Err(error) => {
                self.problem = Some(format!("sending to {}: {error}", self.id));
                if error.kind() != io::ErrorKind::WouldBlock {
                    self.sender = None;
                }
            }
        }
    }

    fn open(&mut self, around: &mut Surroundings<'_>) -> Result<Sender, String> {
        self.find_interface(around.demultiplexer);
        let interface = match (&self.id.interface, self.path.interface) {
            (Some(name), Some(ABSENT)) => return Err(format!("there is no interface {name}")),
            (Some(name), Some(number)) => Some((&**name, number)),
            _ => None,
        };
        let mut last = io::Error::from(io::ErrorKind::AddrInUse);
        for _ in 0..PORT_ATTEMPTS {
            let drawn = around.random.below(u64::from(u16::MAX - FIRST_PORT) + 1);
            let drawn = FIRST_PORT + u16::try_from(drawn).unwrap_or_default();
            let source_port = self.source_port.unwrap_or(drawn);
            let route = Route {
                remote: self.id.peer,
                port: self.id.hops.port(),
                local: self.id.local,
                interface,
                source_port,
            };
            match Sender::open(&route) {
                Ok(sender) => {
                    self.source_port = Some(source_port);
                    return Ok(sender);
                }
                Err(error) => {
                    let is_taken = error.kind() == io::ErrorKind::AddrInUse;
                    last = error;
                    if !is_taken {
                        break;
                    }
                    self.source_port = None;
                }
            }
        }
        Err(format!("opening a socket for {}: {last}", self.id))
    }
}

/// The number of the session's interface; [`ABSENT`], which no packet arrives on, while it has none.
fn interface(id: &SessionId) -> Option<u32> {
    let name = id.interface.as_deref()?;
    Some(if_nametoindex(name).unwrap_or(ABSENT))
}

const ABSENT: u32 = 0;
// RFC 5881 section 4: the source port of a session stays the same and lies between 49152 and 65535.
const FIRST_PORT: u16 = 49152;
// Of 16,384 ports a thousand in use: sixteen in a row all taken happens once in 10^19 times.
const PORT_ATTEMPTS: u32 = 16;
