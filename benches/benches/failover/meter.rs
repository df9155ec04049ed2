//! What a client notices: datagrams to the address at a steady pace, and who answered them when.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use openelb_benches::meter::clock;

use super::echo::{PORT, get_ahead};
use super::world::Host;

/// A stream of datagrams to one address; ends when dropped.
pub(crate) struct Meter {
    // A queue, not a lock: the ordinary thread that reads it must never keep the real-time ones waiting.
    notes: Receiver<Note>,
    log: RefCell<Log>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// One passage from an owner to the next, as the client saw it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passage {
    /// The longest time without an answer.
    pub(crate) outage: Duration,
    /// From the fault to the first answer of another node.
    pub(crate) moved: Option<Duration>,
    /// Datagrams that were never answered.
    pub(crate) lost: u32,
}

#[derive(Default)]
struct Log {
    sent: Vec<(u32, Instant)>,
    answers: Vec<Answer>,
}

enum Note {
    Sent(u32, Instant),
    Answered(Answer),
}

#[derive(Clone, Copy)]
struct Answer {
    number: u32,
    at: Instant,
    node: u8,
}

impl Meter {
    /// Begins to send to `target` from `client`, one datagram each `pace`.
    pub(crate) fn start(client: &Host, target: IpAddr, pace: Duration) -> Self {
        let socket = client.run(|| UdpSocket::bind((any(target), 0)).unwrap());
        // Short, so that a dropped meter ends soon.
        let patience = Some(Duration::from_millis(20));
        socket.set_read_timeout(patience).unwrap();
        let (sender, notes) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let sending = {
            let (socket, sender) = (socket.try_clone().unwrap(), sender.clone());
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || send(&socket, (target, pace), &sender, &stop))
        };
        let receiving = {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || receive(&socket, &sender, &stop))
        };
        Self {
            notes,
            log: RefCell::default(),
            stop,
            threads: vec![sending, receiving],
        }
    }

    /// Forgets what was seen so far.
    pub(crate) fn forget(&self) {
        self.read();
        *self.log.borrow_mut() = Log::default();
    }

    /// The node that gave all of the last answers, if there were enough just now.
    pub(crate) fn answerer(&self) -> Option<u8> {
        self.read();
        let log = self.log.borrow();
        let recent = log.answers.iter().rev().take(ENOUGH);
        let mut nodes = recent.filter(|answer| clock() - answer.at < RECENT);
        let node = nodes.next()?.node;
        let others = nodes.map(|answer| answer.node == node);
        let same = others.take_while(|same| *same).count();
        (same + 1 == ENOUGH).then_some(node)
    }

    /// Waits until one node answers steadily, other than `old`; `None` after `patience`.
    pub(crate) fn settled(&self, old: Option<u8>, patience: Duration) -> Option<u8> {
        let end = clock() + patience;
        while clock() < end {
            let new = self.answerer().filter(|new| Some(*new) != old);
            if new.is_some() {
                return new;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        None
    }

    /// What happened from `fault`, when `old` answered, until now.
    pub(crate) fn passage(&self, fault: Instant, old: u8) -> Passage {
        // What is still under way is not lost.
        std::thread::sleep(RECENT);
        self.read();
        let log = self.log.borrow();
        let now = clock();
        let arrivals = log.answers.iter().map(|answer| answer.at);
        let arrivals: Vec<_> = arrivals.filter(|at| *at + RECENT > fault).collect();
        let gaps = arrivals.iter().zip(arrivals.iter().skip(1));
        let outage = gaps.map(|(one, next)| *next - *one).max();
        let after = log.answers.iter().filter(|answer| answer.at > fault);
        let moved = after.clone().find(|answer| answer.node != old);
        let answered: BTreeSet<u32> = log.answers.iter().map(|answer| answer.number).collect();
        let lost = log
            .sent
            .iter()
            .filter(|(number, at)| *at + RECENT < now && !answered.contains(number));
        Passage {
            outage: outage.unwrap_or(Duration::MAX),
            moved: moved.map(|answer| answer.at - fault),
            lost: u32::try_from(lost.count()).unwrap(),
        }
    }

    fn read(&self) {
        let mut log = self.log.borrow_mut();
        for note in self.notes.try_iter() {
            match note {
                Note::Sent(number, at) => log.sent.push((number, at)),
                Note::Answered(answer) => log.answers.push(answer),
            }
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
    }
}

fn send(
    socket: &UdpSocket,
    (target, pace): (IpAddr, Duration),
    notes: &Sender<Note>,
    stop: &AtomicBool,
) {
    get_ahead();
    let mut next = clock();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        // The meter may have been dropped.
        drop(notes.send(Note::Sent(number, clock())));
        // Not connected: what a dead node's kernel says to one datagram must not hold up the next.
        drop(socket.send_to(&u32::to_be_bytes(number), SocketAddr::new(target, PORT)));
        next = (next + pace).max(clock());
        std::thread::sleep(next.saturating_duration_since(clock()));
    }
}

fn receive(socket: &UdpSocket, notes: &Sender<Note>, stop: &AtomicBool) {
    get_ahead();
    let mut buffer = [0; 5];
    while !stop.load(Ordering::Relaxed) {
        if let Ok(5) = socket.recv(&mut buffer) {
            let at = clock();
            let [a, b, c, d, node] = buffer;
            let number = u32::from_be_bytes([a, b, c, d]);
            drop(notes.send(Note::Answered(Answer { number, at, node })));
        }
    }
}

fn any(target: IpAddr) -> IpAddr {
    match target {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// Answers take far less than this.
const RECENT: Duration = Duration::from_millis(30);
const ENOUGH: usize = 20;
