//! The client's questions: one connection, or many datagrams a second to see a gap.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt};

use super::clock::{Stopwatch, micros};
use super::greeter::QUEUE;

/// Connects from the calling thread's host and reads who answers.
pub(crate) fn ask(address: IpAddr, port: u16, patience: Duration) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&(address, port).into(), patience)?;
    stream.set_read_timeout(Some(patience))?;
    let mut name = String::new();
    stream.read_to_string(&mut name)?;
    Ok(name.trim_end().to_owned())
}

/// Questions sent at a steady rate until [`Stream::finish`].
#[derive(Debug)]
pub(crate) struct Stream {
    address: IpAddr,
    interval: Duration,
    asking: Arc<AtomicBool>,
    sender: JoinHandle<Vec<Duration>>,
    receiver: JoinHandle<Vec<Answer>>,
}

/// What a stream of questions saw.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct StreamReport {
    /// The address that was asked.
    pub(crate) address: IpAddr,
    /// One question each so many microseconds.
    pub(crate) interval_us: u64,
    /// Questions sent.
    pub(crate) sent: usize,
    /// Questions answered.
    pub(crate) answered: usize,
    /// Questions that nobody answered.
    pub(crate) lost: usize,
    /// The longest time between two answers that followed each other, in microseconds.
    pub(crate) longest_gap_us: u64,
    /// The time between the last answer of the host that answered first and the first answer of
    /// the next, in microseconds; absent when one host answered everything.
    pub(crate) switch_gap_us: Option<u64>,
    /// Who answered, in the order of first answers.
    pub(crate) answers: Vec<Answering>,
}

/// One host's share of the answers. Times are microseconds of the stream's clock.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Answering {
    /// The host's name.
    pub(crate) host: String,
    /// How many answers it gave.
    pub(crate) answers: usize,
    /// When its first answer came.
    pub(crate) first_us: u64,
    /// When its last answer came.
    pub(crate) last_us: u64,
}

impl Stream {
    /// Starts asking from the calling thread's host. Times count from the start of `clock`.
    pub(crate) fn start(
        address: IpAddr,
        port: u16,
        interval: Duration,
        clock: Stopwatch,
    ) -> io::Result<Self> {
        let local: SocketAddr = match address {
            IpAddr::V4(_) => ([0; 4], 0).into(),
            IpAddr::V6(_) => ([0_u16; 8], 0).into(),
        };
        let socket = Arc::new(UdpSocket::bind(local)?);
        socket.connect((address, port))?;
        socket.set_read_timeout(Some(LISTENING))?;
        setsockopt(&socket, sockopt::RcvBuf, &QUEUE)?;
        let asking = Arc::new(AtomicBool::new(true));
        let sender = {
            let (socket, asking) = (Arc::clone(&socket), Arc::clone(&asking));
            thread::Builder::new().spawn(move || send(&socket, &asking, clock, interval))?
        };
        let receiver = {
            let asking = Arc::clone(&asking);
            thread::Builder::new().spawn(move || receive(&socket, &asking, clock))?
        };
        Ok(Self {
            address,
            interval,
            asking,
            sender,
            receiver,
        })
    }

    /// Stops asking; late answers still count until [`Stream::finish`].
    pub(crate) fn stop(&self) {
        self.asking.store(false, Ordering::Relaxed);
    }

    /// Stops asking, waits for late answers and reports.
    pub(crate) fn finish(self) -> io::Result<StreamReport> {
        self.stop();
        let panicked = |_| io::Error::other("a probing thread panicked");
        let sent = self.sender.join().map_err(panicked)?;
        let answers = self.receiver.join().map_err(panicked)?;
        Ok(report(self.address, self.interval, sent.len(), &answers))
    }
}

/// One answer: which question, when it came and from whom.
#[derive(Debug, Clone)]
struct Answer {
    question: u64,
    at: Duration,
    host: String,
}

fn send(
    socket: &UdpSocket,
    asking: &AtomicBool,
    clock: Stopwatch,
    interval: Duration,
) -> Vec<Duration> {
    let mut sent = Vec::new();
    let mut due = clock.elapsed();
    while asking.load(Ordering::Relaxed) {
        let question = sent.len() as u64;
        sent.push(clock.elapsed());
        // A question that cannot be sent gets no answer and counts as lost.
        let _ = socket.send(&question.to_be_bytes());
        due += interval;
        thread::sleep(due.saturating_sub(clock.elapsed()));
    }
    sent
}

fn receive(socket: &UdpSocket, asking: &AtomicBool, clock: Stopwatch) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut buffer = [0; 64];
    loop {
        let wanted = asking.load(Ordering::Relaxed);
        match socket.recv(&mut buffer) {
            Ok(length) => answers.extend(
                buffer
                    .get(..length)
                    .and_then(|answer| read_answer(answer, clock.elapsed())),
            ),
            // The first silence after the last question: nothing more comes.
            Err(_) if !wanted => return answers,
            // Silence, or an unreachable answer from the kernel: the next may come.
            Err(_) => {}
        }
    }
}

fn read_answer(answer: &[u8], at: Duration) -> Option<Answer> {
    let (question, host) = answer.split_first_chunk()?;
    let host = String::from_utf8_lossy(host).into_owned();
    Some(Answer {
        question: u64::from_be_bytes(*question),
        at,
        host,
    })
}

fn report(address: IpAddr, interval: Duration, sent: usize, answers: &[Answer]) -> StreamReport {
    let gap = |pair: &[Answer]| match pair {
        [earlier, later] => later.at.saturating_sub(earlier.at),
        _ => Duration::ZERO,
    };
    let changed = |pair: &&[Answer]| matches!(pair, [earlier, later] if earlier.host != later.host);
    let questions: BTreeSet<u64> = answers.iter().map(|answer| answer.question).collect();
    StreamReport {
        address,
        interval_us: micros(interval),
        sent,
        answered: questions.len(),
        lost: sent.saturating_sub(questions.len()),
        longest_gap_us: answers.windows(2).map(gap).max().map_or(0, micros),
        switch_gap_us: answers.windows(2).find(changed).map(gap).map(micros),
        answers: shares(answers),
    }
}

fn shares(answers: &[Answer]) -> Vec<Answering> {
    let mut shares: Vec<Answering> = Vec::new();
    for answer in answers {
        let at = micros(answer.at);
        if let Some(share) = shares.iter_mut().find(|share| share.host == answer.host) {
            share.answers += 1;
            share.last_us = at;
        } else {
            let host = answer.host.clone();
            shares.push(Answering {
                host,
                answers: 1,
                first_us: at,
                last_us: at,
            });
        }
    }
    shares
}

/// How long silence lasts before it is believed: far above a round trip between two namespaces of
/// one machine, also a busy one.
const LISTENING: Duration = Duration::from_millis(200);
