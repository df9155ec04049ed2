//! What a host hears on its wire about who has which address: ARP and neighbour discovery.

#[cfg(test)]
mod tests;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, setsockopt, socket, sockopt,
};
use nix::sys::time::TimeVal;
use openelb_announce::wire::Mac;

use super::clock::Stopwatch;
use super::greeter::QUEUE;

/// Frames being collected until [`Capture::finish`].
#[derive(Debug)]
pub(crate) struct Capture {
    listening: Arc<AtomicBool>,
    heard: Heard,
    collector: Option<JoinHandle<()>>,
}

type Heard = Arc<Mutex<Vec<Sighting>>>;

/// One frame about an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sighting {
    /// When it was heard.
    pub(crate) at: Duration,
    /// The hardware address in the frame's header.
    pub(crate) from: Mac,
    /// What it says.
    pub(crate) message: Message,
    /// About which address.
    pub(crate) address: IpAddr,
}

/// What a frame says about an address, in the words of RFC 5227 and RFC 4861 alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Message {
    /// Does anybody use it already? (ARP probe, or duplicate address detection)
    Probe,
    /// Who has it? (ARP request, or neighbour solicitation)
    Question,
    /// I have it, to the one who asked. (ARP reply, or solicited advertisement)
    Answer,
    /// I have it, to everybody. (ARP announcement, or unsolicited advertisement)
    Announcement,
}

impl Capture {
    /// Starts listening on every interface of the calling thread's host. Times count from the start
    /// of `clock`.
    pub(crate) fn start(clock: Stopwatch) -> io::Result<Self> {
        let (packet, raw) = (AddressFamily::Packet, SockType::Raw);
        let socket = socket(packet, raw, SockFlag::SOCK_CLOEXEC, SockProtocol::EthAll)?;
        let patience = i64::try_from(LISTENING.as_micros()).expect("a fraction of a second");
        setsockopt(&socket, sockopt::ReceiveTimeout, &TimeVal::new(0, patience))?;
        setsockopt(&socket, sockopt::RcvBuf, &QUEUE)?;
        let listening = Arc::new(AtomicBool::new(true));
        let heard = Heard::default();
        let collector = {
            let (listening, heard) = (Arc::clone(&listening), Arc::clone(&heard));
            thread::Builder::new().spawn(move || collect(&socket, &listening, &heard, clock))?
        };
        Ok(Self {
            listening,
            heard,
            collector: Some(collector),
        })
    }

    /// What was heard so far, in order.
    pub(crate) fn heard(&self) -> Vec<Sighting> {
        self.heard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Stops listening and returns what was heard, in order.
    pub(crate) fn finish(mut self) -> io::Result<Vec<Sighting>> {
        self.listening.store(false, Ordering::Relaxed);
        if let Some(collector) = self.collector.take() {
            collector
                .join()
                .map_err(|_| io::Error::other("the capturing thread panicked"))?;
        }
        Ok(self.heard())
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.listening.store(false, Ordering::Relaxed);
    }
}

fn collect(socket: &OwnedFd, listening: &AtomicBool, heard: &Heard, clock: Stopwatch) {
    let mut buffer = [0; MAX_FRAME];
    let mut ending: Option<Stopwatch> = None;
    loop {
        if !listening.load(Ordering::Relaxed) {
            ending = ending.or_else(|| Some(Stopwatch::start()));
        }
        let received = recv(socket.as_raw_fd(), &mut buffer, MsgFlags::empty());
        if let Ok(length) = received {
            let frame = buffer.get(..length).unwrap_or(&buffer);
            let sighting = decode(frame, clock.elapsed());
            heard
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(sighting);
        }
        // Silence, or enough of it in a busy network: what was sent before the end has arrived.
        if ending.is_some_and(|ending| received.is_err() || ending.elapsed() > LISTENING) {
            return;
        }
    }
}

/// Reads a frame; `None` when it is about something else.
fn decode(frame: &[u8], at: Duration) -> Option<Sighting> {
    let (_to, rest) = frame.split_first_chunk::<6>()?;
    let (from, rest) = rest.split_first_chunk::<6>()?;
    let (kind, content) = rest.split_first_chunk::<2>()?;
    let (message, address) = match u16::from_be_bytes(*kind) {
        ETH_P_ARP => decode_arp(content)?,
        ETH_P_IPV6 => decode_ipv6(content)?,
        _ => return None,
    };
    Some(Sighting {
        at,
        from: Mac::new(*from),
        message,
        address,
    })
}

/// RFC 826, for Ethernet and IPv4.
fn decode_arp(packet: &[u8]) -> Option<(Message, IpAddr)> {
    let (_types_and_lengths, rest) = packet.split_first_chunk::<6>()?;
    let (operation, rest) = rest.split_first_chunk::<2>()?;
    let (_sender_mac, rest) = rest.split_first_chunk::<6>()?;
    let (sender, rest) = rest.split_first_chunk::<4>()?;
    let (_target_mac, rest) = rest.split_first_chunk::<6>()?;
    let (target, _padding) = rest.split_first_chunk::<4>()?;
    let (sender, target) = (Ipv4Addr::from(*sender), Ipv4Addr::from(*target));
    Some(match u16::from_be_bytes(*operation) {
        _ if sender == target => (Message::Announcement, sender.into()),
        1 if sender.is_unspecified() => (Message::Probe, target.into()),
        1 => (Message::Question, target.into()),
        2 => (Message::Answer, sender.into()),
        _ => return None,
    })
}

/// RFC 4861 sections 4.3 and 4.4, directly after a plain IPv6 header.
fn decode_ipv6(packet: &[u8]) -> Option<(Message, IpAddr)> {
    let (header, rest) = packet.split_first_chunk::<8>()?;
    let [_, _, _, _, _, _, next_header, _hop_limit] = header;
    if *next_header != IPPROTO_ICMPV6 {
        return None;
    }
    let (source, rest) = rest.split_first_chunk::<16>()?;
    let (_destination, rest) = rest.split_first_chunk::<16>()?;
    let ([kind, _code, _, _, flags, ..], rest) = rest.split_first_chunk::<8>()?;
    let (target, _options) = rest.split_first_chunk::<16>()?;
    let target = IpAddr::from(Ipv6Addr::from(*target));
    Some(match *kind {
        135 if Ipv6Addr::from(*source).is_unspecified() => (Message::Probe, target),
        135 => (Message::Question, target),
        136 if flags & SOLICITED != 0 => (Message::Answer, target),
        136 => (Message::Announcement, target),
        _ => return None,
    })
}

const ETH_P_ARP: u16 = 0x0806;
const ETH_P_IPV6: u16 = 0x86dd;
const IPPROTO_ICMPV6: u8 = 58;

/// The S flag of an advertisement.
const SOLICITED: u8 = 0x40;

/// ARP and neighbour discovery are far shorter; of longer frames the beginning is enough.
const MAX_FRAME: usize = 256;

/// How long silence lasts before it is believed.
const LISTENING: Duration = Duration::from_millis(50);
