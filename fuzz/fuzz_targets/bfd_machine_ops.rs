//! Any operations on two BFD sessions and on the packets between them: the rules that hold in every
//! state hold, and unless packets were forged both come up as soon as they are left alone.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use openelb_announce::bfd::packet::{Flags, Received};
use openelb_announce::bfd::{Diagnostic, Input, Output, Packet, Session, Settings, State};
use openelb_announce::{Machine, Time};
use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::Duration;

/// One thing that happens. Sessions are numbers below two.
#[derive(Arbitrary, Clone, Debug)]
enum Op {
    /// The oldest packet for the session arrives.
    Deliver { to: bool, ttl: u8 },
    /// It is lost.
    Lose { to: bool },
    /// It is overtaken by the next ones.
    Delay { to: bool },
    /// It arrives and will arrive again.
    Double { to: bool },
    /// Octets of somebody else arrive.
    Forge { to: bool, octets: Vec<u8> },
    /// Other settings.
    Configure {
        session: bool,
        tx: u16,
        rx: u16,
        multiplier: u8,
    },
    /// Commands.
    Enable { session: bool },
    AdminDown { session: bool },
    Fail { session: bool },
    /// Time passes; sessions are woken whenever they ask for it, or only at the end.
    Run { millis: u16 },
    Stall { millis: u16 },
}

struct Two {
    sessions: [Session; 2],
    waiting: [VecDeque<Vec<u8>>; 2],
    now: Time,
    is_forged: bool,
}

fuzz_target!(|ops: Vec<Op>| {
    let session = |number| {
        let discriminator = NonZeroU32::new(number).expect("one and two are not zero");
        Session::new(Settings::default(), discriminator, number.into())
    };
    let mut two = Two {
        sessions: [session(1), session(2)],
        waiting: [VecDeque::new(), VecDeque::new()],
        now: Time::ZERO,
        is_forged: false,
    };
    for op in ops.into_iter().take(300) {
        two.apply(op);
    }
    two.come_up();
});

impl Two {
    fn apply(&mut self, op: Op) {
        match op {
            Op::Deliver { to, ttl } => {
                let ttl = if ttl < 8 { ttl } else { 255 };
                if let Some(octets) = self.waiting[usize::from(to)].pop_front() {
                    self.hear(to.into(), &octets, ttl);
                }
            }
            Op::Lose { to } => drop(self.waiting[usize::from(to)].pop_front()),
            Op::Delay { to } => {
                let queue = &mut self.waiting[usize::from(to)];
                let first = queue.pop_front();
                queue.extend(first);
            }
            Op::Double { to } => {
                if let Some(octets) = self.waiting[usize::from(to)].front().cloned() {
                    self.hear(to.into(), &octets, 255);
                }
            }
            Op::Forge { to, octets } => {
                self.is_forged = true;
                self.hear(to.into(), &octets, 255);
            }
            Op::Configure {
                session,
                tx,
                rx,
                multiplier,
            } => {
                let settings = Settings {
                    min_tx: Duration::from_millis(u64::from(tx % 4000).max(10)),
                    min_rx: Duration::from_millis(u64::from(rx % 4000).max(10)),
                    multiplier: multiplier % 5 + 2,
                    ..Settings::default()
                };
                self.input(session.into(), Input::Configure(settings));
            }
            Op::Enable { session } => self.input(session.into(), Input::Enable),
            Op::AdminDown { session } => {
                let reason = Diagnostic::AdministrativelyDown;
                self.input(session.into(), Input::AdminDown(reason));
            }
            Op::Fail { session } => self.input(session.into(), Input::Fail(Diagnostic::PathDown)),
            Op::Run { millis } => self.run(Duration::from_millis(millis.into()), false),
            Op::Stall { millis } => self.now += Duration::from_millis(millis.into()),
        }
    }

    fn hear(&mut self, to: usize, octets: &[u8], ttl: u8) {
        if let Ok(received) = Packet::decode(octets) {
            let received: &Received<'_> = &received;
            self.input(to, Input::Packet { received, ttl });
        }
    }

    fn input(&mut self, session: usize, input: Input<'_>) {
        self.sessions[session].handle_input(input, self.now);
        self.collect(session);
    }

    fn run(&mut self, span: Duration, delivers: bool) {
        let end = self.now + span;
        loop {
            while let Some(to) = (0..2).find(|to| delivers && !self.waiting[*to].is_empty()) {
                let octets = self.waiting[to].pop_front().unwrap_or_default();
                self.hear(to, &octets, 255);
            }
            let due = |session: &Session| session.poll_timeout().filter(|at| *at <= end);
            let Some(next) = self.sessions.iter().filter_map(due).min() else {
                break;
            };
            self.now = self.now.max(next);
            for session in 0..2 {
                self.sessions[session].handle_timeout(self.now);
                self.collect(session);
                let next = self.sessions[session].poll_timeout();
                assert!(next.is_none_or(|next| next > self.now), "it comes to rest");
            }
        }
        self.now = end;
    }

    fn collect(&mut self, from: usize) {
        while let Some(output) = self.sessions[from].poll_output() {
            let Output::Transmit(octets) = output else {
                continue;
            };
            let packet = Packet::decode(&octets).expect("it wrote a packet").packet;
            assert!(!packet.flags.contains(Flags::POLL.with(Flags::FINAL)));
            let is_slow = packet.desired_min_tx >= Duration::from_secs(1);
            assert!(packet.state == State::Up || is_slow);
            let queue = &mut self.waiting[1 - from];
            queue.push_back(octets.to_vec());
            queue.truncate(100);
        }
        let session = &self.sessions[from];
        assert!(session.state() != State::Up || session.remote_discriminator().is_some());
    }

    fn come_up(&mut self) {
        for session in 0..2 {
            self.waiting[session].clear();
            self.input(session, Input::Enable);
        }
        // The longest detection time of these settings is 24 s.
        self.run(Duration::from_secs(60), true);
        let are_up = self.sessions.iter().all(|it| it.state() == State::Up);
        assert!(are_up || self.is_forged);
    }
}
