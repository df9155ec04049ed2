//! Who answers for an address: everybody is asked aloud all the time, and every answer is noted.
//!
//! The asker has a hardware address of its own beside its host's, so what it hears changes no
//! neighbour table: the client goes on knowing only what it is told by announcements.

mod frame;
mod tally;
#[cfg(test)]
mod tests;

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrLike, bind, recv,
    send, setsockopt, socket, sockopt,
};
use nix::sys::time::TimeVal;
use openelb_announce::wire::Mac;

use super::clock::Stopwatch;
use super::greeter::QUEUE;
use super::station::INTERFACE;
pub(crate) use tally::{Overlap, Tally};

/// Questions sent at a steady rate until [`Census::finish`].
#[derive(Debug)]
pub(crate) struct Census {
    addresses: Vec<IpAddr>,
    asking: Arc<AtomicBool>,
    asker: JoinHandle<Vec<Duration>>,
    listener: JoinHandle<()>,
    answers: Answers,
}

type Answers = Arc<Mutex<Vec<Answer>>>;

/// One answer to one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The address that was asked for.
    pub(crate) address: IpAddr,
    /// Which of the questions for it, counted from zero.
    pub(crate) round: u32,
    /// Who sent it.
    pub(crate) from: Mac,
    /// When it was heard.
    pub(crate) at: Duration,
}

impl Census {
    /// Starts asking from the calling thread's host, whose hardware address is `host`. Times count
    /// from the start of `clock`.
    pub(crate) fn start(addresses: &[IpAddr], host: Mac, clock: Stopwatch) -> io::Result<Self> {
        let socket = Arc::new(open()?);
        let own = asker_of(host);
        let asking = Arc::new(AtomicBool::new(true));
        let answers = Answers::default();
        let asker = {
            let (socket, asking) = (Arc::clone(&socket), Arc::clone(&asking));
            let addresses = addresses.to_vec();
            thread::Builder::new().spawn(move || ask(&socket, &addresses, own, &asking, clock))?
        };
        let listener = {
            let (asking, answers) = (Arc::clone(&asking), Arc::clone(&answers));
            thread::Builder::new().spawn(move || listen(&socket, own, &asking, &answers, clock))?
        };
        Ok(Self {
            addresses: addresses.to_vec(),
            asking,
            asker,
            listener,
            answers,
        })
    }

    /// What is asked for.
    pub(crate) fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// Who answered last for an address, and when.
    pub(crate) fn last(&self, address: IpAddr) -> Option<Answer> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut latest = answers.iter().rev();
        latest.find(|answer| answer.address == address).copied()
    }

    /// Stops asking, waits for late answers and returns everything.
    pub(crate) fn finish(self) -> io::Result<Tally> {
        self.asking.store(false, Ordering::Relaxed);
        let panicked = |_| io::Error::other("a thread of the census panicked");
        let asked = self.asker.join().map_err(panicked)?;
        self.listener.join().map_err(panicked)?;
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Tally::new(
            self.addresses,
            asked,
            std::mem::take(&mut answers),
        ))
    }
}

/// A packet socket on the host's interface that hears everything.
fn open() -> io::Result<OwnedFd> {
    let (packet, raw) = (AddressFamily::Packet, SockType::Raw);
    let socket = socket(packet, raw, SockFlag::SOCK_CLOEXEC, SockProtocol::EthAll)?;
    let patience = i64::try_from(LISTENING.as_micros()).expect("a fraction of a second");
    setsockopt(&socket, sockopt::ReceiveTimeout, &TimeVal::new(0, patience))?;
    setsockopt(&socket, sockopt::RcvBuf, &QUEUE)?;
    bind(socket.as_raw_fd(), &interface()?)?;
    Ok(socket)
}

fn interface() -> io::Result<LinkAddr> {
    let found = getifaddrs()?
        .filter(|found| found.interface_name == INTERFACE)
        .find_map(|found| found.address?.as_link_addr().copied());
    found
        .filter(|address| address.family() == Some(AddressFamily::Packet))
        .ok_or_else(|| io::Error::other(format!("the host has no interface {INTERFACE}")))
}

/// The second bit of the fifth octet is set in no address of the plans.
fn asker_of(host: Mac) -> Mac {
    let mut octets = host.octets();
    if let Some(fifth) = octets.get_mut(4) {
        *fifth |= 0x02;
    }
    Mac::new(octets)
}

fn ask(
    socket: &OwnedFd,
    addresses: &[IpAddr],
    own: Mac,
    asking: &AtomicBool,
    clock: Stopwatch,
) -> Vec<Duration> {
    let mut asked = Vec::new();
    let mut due = clock.elapsed();
    while asking.load(Ordering::Relaxed) {
        let round = u32::try_from(asked.len()).unwrap_or(u32::MAX);
        asked.push(clock.elapsed());
        for &address in addresses {
            let question = frame::question(address, round, own);
            // A question that cannot be sent is one that nobody answers.
            let _ = send(socket.as_raw_fd(), &question, MsgFlags::empty());
        }
        due += INTERVAL;
        thread::sleep(due.saturating_sub(clock.elapsed()));
    }
    asked
}

fn listen(
    socket: &OwnedFd,
    own: Mac,
    asking: &AtomicBool,
    answers: &Mutex<Vec<Answer>>,
    clock: Stopwatch,
) {
    let mut buffer = [0; MAX_FRAME];
    let mut ending: Option<Stopwatch> = None;
    loop {
        if !asking.load(Ordering::Relaxed) {
            ending = ending.or_else(|| Some(Stopwatch::start()));
        }
        let received = recv(socket.as_raw_fd(), &mut buffer, MsgFlags::empty());
        if let Ok(length) = received {
            let heard = frame::answer(buffer.get(..length).unwrap_or(&buffer), own);
            let at = clock.elapsed();
            answers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(heard.map(|(address, round, from)| Answer {
                    address,
                    round,
                    from,
                    at,
                }));
        }
        // Silence, or enough of it in a busy network: the last question has been answered.
        if ending.is_some_and(|ending| received.is_err() || ending.elapsed() > LISTENING) {
            return;
        }
    }
}

/// Fifty times a second each address: a move shows within twenty milliseconds, and three daemons
/// that hear a dozen addresses asked for are still idle.
const INTERVAL: Duration = Duration::from_millis(20);

/// Answers are far shorter; of longer frames the beginning is enough.
const MAX_FRAME: usize = 256;

/// How long silence lasts before it is believed.
const LISTENING: Duration = Duration::from_millis(100);
