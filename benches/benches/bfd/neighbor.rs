//! A neighbour that falls silent and sees when that is noticed.

use std::net::{Ipv4Addr, UdpSocket};
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use openelb_announce::bfd::{Input, Output, Packet, Session, Settings, State};
use openelb_announce::random::Random;
use openelb_announce::{Machine, Time};

use super::world::MEASURED;

/// A session at the other end, with its sockets.
pub(crate) struct Neighbor {
    session: Session,
    ear: UdpSocket,
    mouth: UdpSocket,
    random: Random,
    start: Instant,
    last_sent: Instant,
    last_heard: Option<State>,
}

impl Neighbor {
    /// The neighbour with this address, in the namespace of the calling thread.
    pub(crate) fn new(number: u16, own: Ipv4Addr, settings: Settings) -> Self {
        let discriminator = NonZeroU32::MIN.saturating_add(number.into());
        let mut session = Session::new(settings, discriminator, number.into());
        let ear = UdpSocket::bind((own, 3784)).unwrap();
        let mouth = UdpSocket::bind((own, 49152 + number)).unwrap();
        mouth.set_ttl(255).unwrap();
        mouth.connect((MEASURED, 3784)).unwrap();
        session.handle_input(Input::Enable, Time::ZERO);
        Self {
            session,
            ear,
            mouth,
            random: Random::new(number.into()),
            start: now(),
            last_sent: now(),
            last_heard: None,
        }
    }

    /// Comes up, waits a while, falls silent: the time from its last packet to the first one that
    /// says Down. `None` when the session does not come up, or nobody notices.
    pub(crate) fn detection(&mut self, interval: Duration) -> Option<Duration> {
        let limit = now() + PATIENCE;
        loop {
            let is_settled = self.session.state() == State::Up
                && self.session.transmit_interval() == Some(interval)
                && self.session.detection_time() == interval * 3;
            if is_settled {
                break;
            }
            if now() > limit {
                return None;
            }
            self.round();
        }
        let span = self.random.between(SETTLE, SETTLE + interval * 4);
        let silent_from = now() + span;
        while now() < silent_from {
            self.round();
        }
        while self.last_heard == Some(State::Up) {
            self.hear(Duration::from_millis(1), false);
            if now() > limit + interval * 10 {
                return None;
            }
        }
        Some(now() - self.last_sent)
    }

    /// Hears and says what there is to, until the next deadline.
    fn round(&mut self) {
        let now_there = self.time();
        let wait = self
            .session
            .poll_timeout()
            .map_or(SETTLE, |at| at - now_there);
        // A read timeout of zero would be none.
        self.hear(wait.max(Duration::from_micros(50)), true);
        let time = self.time();
        self.session.handle_timeout(time);
        self.speak();
    }

    fn hear(&mut self, wait: Duration, takes_in: bool) {
        let mut room = [0; 64];
        self.ear.set_read_timeout(Some(wait)).unwrap();
        let Ok(length) = self.ear.recv(&mut room) else {
            return;
        };
        let time = self.time();
        let Ok(received) = Packet::decode(room.get(..length).unwrap_or_default()) else {
            return;
        };
        self.last_heard = Some(received.packet.state);
        if takes_in {
            let (received, ttl) = (&received, 255);
            self.session
                .handle_input(Input::Packet { received, ttl }, time);
            self.speak();
        }
    }

    fn speak(&mut self) {
        while let Some(output) = self.session.poll_output() {
            if let Output::Transmit(octets) = output {
                self.last_sent = now();
                // Nobody may be there yet.
                drop(self.mouth.send(&octets));
            }
        }
    }

    fn time(&self) -> Time {
        Time::ZERO + (now() - self.start)
    }
}

/// Lets the calling thread run ahead of others, if that is permitted: what it measures is not its
/// own delay.
#[expect(unsafe_code, reason = "no crate at hand wraps the call")]
pub(crate) fn get_ahead() {
    let parameters = libc::sched_param { sched_priority: 20 };
    // SAFETY: the kernel reads one `sched_param`, which outlives the call; 0 is this thread.
    let _ = unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const parameters) };
}

#[expect(clippy::disallowed_methods, reason = "measuring is what this is for")]
fn now() -> Instant {
    Instant::now()
}

const PATIENCE: Duration = Duration::from_secs(30);
const SETTLE: Duration = Duration::from_millis(500);
