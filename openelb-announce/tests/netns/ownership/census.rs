//! Who answers for which address, asked aloud a hundred times a second.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, bind, recv, send, socket,
};
use openelb_announce::arp::packet::{Operation, Repr as Arp};
use openelb_announce::ndp::packet::{Datagram, Repr as Ndp};
use openelb_announce::wire::ethernet::{EtherType, Header};
use openelb_announce::wire::ip::solicited_node;
use openelb_announce::wire::{Frame, Mac};

use super::super::world::{Host, eventually};

/// Questions from one host to everybody, until it is dropped.
///
/// The asker has a hardware address of its own, and for each round addresses of its own that the
/// answers repeat: which question was answered is known however late that is.
pub(super) struct Census {
    rounds: Arc<Mutex<Vec<Round>>>,
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// Who answered one question for each address.
pub(super) type Round = BTreeMap<IpAddr, BTreeSet<Mac>>;

impl Census {
    /// Starts asking from `host` for `addresses`.
    pub(super) fn start(host: &Host, addresses: &[IpAddr]) -> Self {
        let socket = Arc::new(host.run(open));
        let (rounds, is_over) = (Arc::<Mutex<Vec<Round>>>::default(), Arc::default());
        let asking = {
            let (socket, rounds) = (Arc::clone(&socket), Arc::clone(&rounds));
            let (over, addresses) = (Arc::clone(&is_over), addresses.to_vec());
            std::thread::spawn(move || ask(&socket, &addresses, &rounds, &over))
        };
        let listening = {
            let (rounds, over) = (Arc::clone(&rounds), Arc::clone(&is_over));
            std::thread::spawn(move || listen(&socket, &rounds, &over))
        };
        Self {
            rounds,
            is_over,
            threads: vec![asking, listening],
        }
    }

    /// How many questions were asked for each address.
    pub(super) fn asked(&self) -> usize {
        self.rounds.lock().unwrap().len()
    }

    /// The rounds from this one on that answers have had time for.
    pub(super) fn since(&self, first: usize) -> Vec<Round> {
        let rounds = self.rounds.lock().unwrap();
        let last = rounds.len().saturating_sub(LATENESS).max(first);
        rounds.get(first..last).unwrap_or_default().to_vec()
    }

    /// Lets so many more questions be asked and answered.
    pub(super) fn ask_more(&self, count: usize) {
        let end = self.asked() + count + LATENESS;
        eventually("more questions were asked", || self.asked() >= end);
    }

    /// Waits until each of `addresses` has been answered for by one station alone, the same all the
    /// time, for 30 questions from now on; who that is.
    pub(super) fn settled(&self, addresses: &[IpAddr]) -> BTreeMap<IpAddr, Mac> {
        let start = self.asked();
        let mut owners = BTreeMap::new();
        eventually("one station answers for each address", || {
            let rounds = self.since(start.max(self.asked().saturating_sub(30 + LATENESS)));
            owners = addresses
                .iter()
                .filter_map(|address| Some((*address, only_owner(&rounds, *address)?)))
                .collect();
            rounds.len() >= 30 && owners.len() == addresses.len()
        });
        owners
    }

    /// The questions from this one on that two stations answered, in order: address and stations.
    pub(super) fn doubles(&self, first: usize) -> Vec<(usize, IpAddr, BTreeSet<Mac>)> {
        let mut doubles = Vec::new();
        for (place, round) in self.since(first).into_iter().enumerate() {
            for (address, from) in round.into_iter().filter(|(_, from)| from.len() > 1) {
                doubles.push((first + place, address, from));
            }
        }
        doubles
    }

    /// How often a station answered a question from this one on.
    pub(super) fn answers(&self, first: usize, from: Mac) -> usize {
        let rounds = self.since(first);
        let answers = rounds.iter().flat_map(BTreeMap::values);
        answers.filter(|stations| stations.contains(&from)).count()
    }

    /// The most questions for `address` in a row, from this one on, that nobody answered.
    pub(super) fn longest_silence(&self, first: usize, address: IpAddr) -> usize {
        let (mut longest, mut silence) = (0, 0);
        for round in self.since(first) {
            silence = if round.contains_key(&address) {
                0
            } else {
                silence + 1
            };
            longest = longest.max(silence);
        }
        longest
    }
}

impl Drop for Census {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// The one station that answered at least nine of ten questions, if no other answered any.
fn only_owner(rounds: &[Round], address: IpAddr) -> Option<Mac> {
    let answers: Vec<_> = rounds
        .iter()
        .filter_map(|round| round.get(&address))
        .collect();
    let stations: BTreeSet<Mac> = answers.iter().copied().flatten().copied().collect();
    let is_steady = answers.len() * 10 >= rounds.len() * 9 && stations.len() == 1;
    stations.first().copied().filter(|_| is_steady)
}

/// A packet socket on `eth0` that hears everything.
pub(super) fn open() -> OwnedFd {
    let (packet, raw) = (AddressFamily::Packet, SockType::Raw);
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(packet, raw, flags, SockProtocol::EthAll).unwrap();
    let link = getifaddrs()
        .unwrap()
        .filter(|it| it.interface_name == "eth0")
        .find_map(|it| it.address?.as_link_addr().copied());
    bind(socket.as_raw_fd(), &link.unwrap()).unwrap();
    socket
}

fn ask(socket: &OwnedFd, addresses: &[IpAddr], rounds: &Mutex<Vec<Round>>, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        let round = {
            let mut rounds = rounds.lock().unwrap();
            rounds.push(Round::new());
            u16::try_from(rounds.len() - 1).unwrap()
        };
        for address in addresses {
            // It fails while a test has taken the link down.
            let _ = send(
                socket.as_raw_fd(),
                &question(*address, round),
                MsgFlags::empty(),
            );
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn listen(socket: &OwnedFd, rounds: &Mutex<Vec<Round>>, over: &AtomicBool) {
    let mut room = [0; 256];
    while !over.load(Ordering::Relaxed) {
        let Ok(length) = recv(socket.as_raw_fd(), &mut room, MsgFlags::empty()) else {
            std::thread::sleep(Duration::from_millis(1));
            continue;
        };
        let Some((address, round, from)) = answer(&room[..length]) else {
            continue;
        };
        if let Some(round) = rounds.lock().unwrap().get_mut(usize::from(round)) {
            round.entry(address).or_default().insert(from);
        }
    }
}

fn question(address: IpAddr, round: u16) -> Frame {
    let header = |destination, ethertype| Header {
        destination,
        source: ASKER,
        ethertype,
    };
    match address {
        IpAddr::V4(target) => {
            let request = Arp {
                operation: Operation::Request,
                sender_mac: ASKER,
                sender: Ipv4Addr::from_bits(ASKERS_V4.to_bits() | u32::from(round)),
                target_mac: Mac::ZERO,
                target,
            };
            header(Mac::BROADCAST, EtherType::Arp).frame(Arp::LENGTH, |out| request.emit(out))
        }
        IpAddr::V6(target) => {
            let group = solicited_node(target);
            let solicitation = Datagram {
                source: Ipv6Addr::from_bits(ASKERS_V6.to_bits() | u128::from(round)),
                destination: group,
                message: Ndp::Solicitation {
                    target,
                    source_mac: Some(ASKER),
                    nonce: None,
                },
            };
            header(Mac::of_group(group), EtherType::Ipv6)
                .frame(solicitation.length(), |out| solicitation.emit(out))
        }
    }
}

fn answer(frame: &[u8]) -> Option<(IpAddr, u16, Mac)> {
    let (header, payload) = Header::split(frame).ok()?;
    if header.destination != ASKER {
        return None;
    }
    let (address, asker) = match header.ethertype {
        EtherType::Arp => {
            let reply = Arp::decode(payload).ok()?;
            (reply.sender.into(), u128::from(reply.target.to_bits()))
        }
        EtherType::Ipv6 => {
            let datagram = Datagram::decode(payload).ok()?;
            let Ndp::Advertisement { target, .. } = datagram.message else {
                return None;
            };
            (target.into(), datagram.destination.to_bits())
        }
        EtherType::Unknown(_) => return None,
    };
    Some((
        address,
        u16::try_from(asker & 0xffff).unwrap(),
        header.source,
    ))
}

const ASKER: Mac = Mac::new([0x02, 0x5e, 0xed, 0, 0, 1]);
// RFC 2544 sets 198.18.0.0/15 aside for measurements: nobody's addresses here.
const ASKERS_V4: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 0);
const ASKERS_V6: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0x5eed, 0, 0, 0);
/// The newest questions may still be answered: that many are not looked at yet.
const LATENESS: usize = 20;
