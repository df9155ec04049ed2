//! One machine and the packet socket that it speaks through.

use std::io;
use std::net::IpAddr;
use std::ops::AddAssign;
use std::os::fd::{AsFd, BorrowedFd};

use super::clock;
use crate::claim::{Input, Output};
use crate::link::filter::Filter;
use crate::link::raw_socket::{Batch, PacketSocket};
use crate::machine::Machine;
use crate::time::Time;
use crate::vrrp::Family;

/// A port by what it listens to, a link and a protocol, and by what decides on its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PortKey {
    pub(crate) index: u32,
    pub(crate) protocol: Protocol,
    pub(crate) role: Role,
}

/// What decides whether this host answers for the addresses of a port. Each role has a port of its
/// own on a link, because each has a common deadline of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Role {
    /// Nothing: it is the only one that is told to.
    Sole,
    /// The ownership election of the link.
    Elected,
    /// The virtual router with this VRID, which is one of its family alone (RFC 9568 section 3).
    Router(Protocol, u8),
}

/// How neighbours are discovered in each family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Protocol {
    /// IPv4.
    Arp,
    /// IPv6.
    Ndp,
}

impl Protocol {
    /// The protocol that resolves addresses of this one's family.
    pub(crate) fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::Arp,
            IpAddr::V6(_) => Self::Ndp,
        }
    }
}

impl From<Family> for Protocol {
    fn from(family: Family) -> Self {
        match family {
            Family::Ipv4 => Self::Arp,
            Family::Ipv6 => Self::Ndp,
        }
    }
}

/// A machine at work on one link.
///
/// Worker code holds ports of different machines side by side behind [`AnyPort`]: one dynamic call
/// for each batch of frames, none for a frame.
#[derive(Debug)]
pub(crate) struct Port<M> {
    machine: M,
    socket: PacketSocket,
    filter: Filter,
    counters: Counters,
    last_error: Option<String>,
}

/// What a port has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Counters {
    /// Frames about our addresses that were received: requests, solicitations and what others claim.
    pub received: u64,
    /// Frames that the kernel dropped because its queue was full.
    pub dropped: u64,
    /// Frames that were sent because of a received one: replies and defences.
    pub replies: u64,
    /// Frames that were sent unasked: probes and announcements.
    pub announcements: u64,
    /// Conflicts that were reported.
    pub conflicts: u64,
    /// Frames that the kernel did not take.
    pub unsent: u64,
}

impl AddAssign for Counters {
    fn add_assign(&mut self, other: Self) {
        self.received += other.received;
        self.dropped += other.dropped;
        self.replies += other.replies;
        self.announcements += other.announcements;
        self.conflicts += other.conflicts;
        self.unsent += other.unsent;
    }
}

/// A port of any machine that speaks about claims.
pub(crate) trait AnyPort {
    /// Gives the machine an input that is no frame. What it wants besides frames goes to `wishes`.
    fn handle_input(&mut self, input: Input<'_>, now: Time, wishes: &mut Vec<Output>);
    /// Gives the machine the frames that wait, some batches at most.
    fn receive(&mut self, batch: &mut Batch, wishes: &mut Vec<Output>);
    /// Tells the machine the time if it waits for it.
    fn handle_timeout(&mut self, now: Time, wishes: &mut Vec<Output>);
    /// When the machine wants to know the time.
    fn poll_timeout(&self) -> Option<Time>;
    /// Throws away the frames that wait.
    fn discard_queued(&mut self, batch: &mut Batch);
    /// Changes which frames come in.
    fn set_filter(&mut self, filter: Filter);
    /// What was done so far.
    fn counters(&mut self) -> Counters;
    /// What went wrong last.
    fn last_error(&self) -> Option<&str>;
    /// The socket, for waiting.
    fn socket(&self) -> BorrowedFd<'_>;
    /// Gives the socket up, to be closed elsewhere.
    fn into_socket(self: Box<Self>) -> PacketSocket;
}

impl<M> Port<M> {
    /// A port whose machine has not been told of its link yet.
    pub(crate) fn new(machine: M, socket: PacketSocket, filter: Filter) -> Self {
        Self {
            machine,
            socket,
            filter,
            counters: Counters::default(),
            last_error: None,
        }
    }

    fn note(&mut self, act: &str, result: io::Result<()>) {
        match result {
            // A link that goes down says so once on each socket; netlink tells the rest.
            Err(error) if error.raw_os_error() == Some(libc::ENETDOWN) => {}
            Err(error) => self.last_error = Some(format!("{act}: {error}")),
            Ok(()) => {}
        }
    }
}

impl<M> Port<M>
where
    M: for<'a> Machine<Input<'a> = Input<'a>, Output = Output>,
{
    /// Sends what the machine wants sent and returns how many frames that were.
    fn flush(&mut self, wishes: &mut Vec<Output>) -> u64 {
        let mut sent = 0;
        while let Some(output) = self.machine.poll_output() {
            match output {
                Output::Transmit(frame) => match self.socket.send(&frame) {
                    Ok(()) => sent += 1,
                    Err(error) => {
                        self.counters.unsent += 1;
                        self.note("sending a frame", Err(error));
                    }
                },
                other => {
                    if matches!(other, Output::Event(crate::claim::Event::Conflict { .. })) {
                        self.counters.conflicts += 1;
                    }
                    wishes.push(other);
                }
            }
        }
        sent
    }
}

impl<M> AnyPort for Port<M>
where
    M: for<'a> Machine<Input<'a> = Input<'a>, Output = Output>,
{
    fn handle_input(&mut self, input: Input<'_>, now: Time, wishes: &mut Vec<Output>) {
        self.machine.handle_input(input, now);
        self.counters.announcements += self.flush(wishes);
    }

    fn receive(&mut self, batch: &mut Batch, wishes: &mut Vec<Output>) {
        for _ in 0..BATCHES_PER_ROUND {
            let received = match self.socket.receive(batch) {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => return self.note("receiving frames", Err(error)),
            };
            self.counters.received += received as u64;
            for bytes in batch.frames(received) {
                // The clock is read for each frame: an answer that a pause has overtaken is not sent.
                let now = clock::now();
                self.machine.handle_input(
                    Input::Frame {
                        bytes,
                        received: now,
                    },
                    now,
                );
                self.counters.replies += self.flush(wishes);
            }
            if received < Batch::FRAMES {
                return;
            }
        }
    }

    fn handle_timeout(&mut self, now: Time, wishes: &mut Vec<Output>) {
        if self.machine.poll_timeout().is_some_and(|at| at <= now) {
            self.machine.handle_timeout(now);
            self.counters.announcements += self.flush(wishes);
        }
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.machine.poll_timeout()
    }

    fn discard_queued(&mut self, batch: &mut Batch) {
        let result = self.socket.discard_queued(batch, &self.filter);
        self.note("emptying the receive queue", result);
    }

    fn set_filter(&mut self, filter: Filter) {
        if self.filter != filter {
            let result = self.socket.set_filter(&filter);
            self.note("changing the frame filter", result);
            self.filter = filter;
        }
    }

    fn counters(&mut self) -> Counters {
        if let Ok(statistics) = self.socket.statistics() {
            self.counters.dropped += statistics.dropped;
        }
        self.counters
    }

    fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    fn into_socket(self: Box<Self>) -> PacketSocket {
        self.socket
    }
}

// A storm on one link must not keep the others, or the timers, waiting: 512 answers take about 2 ms.
const BATCHES_PER_ROUND: usize = 16;
