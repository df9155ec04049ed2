//! A session whose time is driven by a test, and a neighbour whose packets a test writes.

use crate::bfd::auth::Authenticator;
use crate::bfd::machine::{Change, Discard, Input, Output, Session};
use crate::bfd::packet::{Diagnostic, Flags, Packet, State};
use crate::bfd::settings::Settings;
use crate::machine::Machine;
use crate::time::Time;
use crate::wire::Writer;
use std::num::{NonZeroU8, NonZeroU32};
use std::time::Duration;

pub(super) const OURS: NonZeroU32 = NonZeroU32::new(0x0a0a_0a0a).unwrap();
pub(super) const THEIRS: NonZeroU32 = NonZeroU32::new(0x0b0b_0b0b).unwrap();

pub(super) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Settings with both intervals alike.
pub(super) fn every(interval: Duration) -> Settings {
    Settings {
        min_tx: interval,
        min_rx: interval,
        ..Settings::default()
    }
}

/// What the neighbour says when it is in `state`: 300 ms both ways, three times.
pub(super) fn says(state: State) -> Packet {
    Packet {
        diagnostic: Diagnostic::None,
        state,
        flags: Flags::NONE,
        multiplier: NonZeroU8::new(3).unwrap(),
        my_discriminator: THEIRS,
        your_discriminator: Some(OURS),
        desired_min_tx: millis(300),
        required_min_rx: millis(300),
        required_min_echo_rx: Duration::ZERO,
    }
}

/// The same packet with flags.
pub(super) fn flagged(packet: Packet, flags: Flags) -> Packet {
    Packet { flags, ..packet }
}

pub(super) struct Driven {
    pub(super) session: Session,
    pub(super) now: Time,
    sent: Vec<(Time, Packet)>,
    changes: Vec<Change>,
    discarded: Vec<Discard>,
    ttl: u8,
}

impl Driven {
    /// A session that was just enabled.
    pub(super) fn new(settings: Settings) -> Self {
        let mut driven = Self::disabled(settings);
        driven.input(Input::Enable);
        driven
    }

    pub(super) fn disabled(settings: Settings) -> Self {
        Self {
            session: Session::new(settings, OURS, 7),
            now: Time::ZERO + Duration::from_secs(100),
            sent: Vec::new(),
            changes: Vec::new(),
            discarded: Vec::new(),
            ttl: 255,
        }
    }

    /// A session that is up, with its first poll answered.
    pub(super) fn up(settings: Settings) -> Self {
        let mut driven = Self::new(settings);
        driven.hear(says(State::Down));
        driven.hear(says(State::Up));
        // An unanswered poll of the time before may be under way; the second one is of now.
        for _ in 0..2 {
            driven.run(millis(300));
            driven.hear(flagged(says(State::Up), Flags::FINAL));
        }
        assert_eq!(driven.session.state(), State::Up);
        driven.sent();
        driven.changes();
        driven
    }

    pub(super) fn input(&mut self, input: Input<'_>) {
        self.session.handle_input(input, self.now);
        self.collect();
    }

    pub(super) fn with_ttl(&mut self, ttl: u8) -> &mut Self {
        self.ttl = ttl;
        self
    }

    /// The neighbour's packet arrives, not authenticated.
    pub(super) fn hear(&mut self, packet: Packet) {
        let mut octets = [0; Packet::LENGTH];
        packet.emit(0, &mut Writer::new(&mut octets)).unwrap();
        self.hear_octets(&octets);
    }

    /// The neighbour's packet arrives, signed.
    pub(super) fn hear_signed(&mut self, packet: Packet, signer: &mut Authenticator) {
        let mut octets = [0; 52];
        let (first, second) = octets.split_at_mut(Packet::LENGTH);
        packet.emit(28, &mut Writer::new(first)).unwrap();
        signer.sign(first, &mut Writer::new(second)).unwrap();
        self.hear_octets(&octets);
    }

    fn hear_octets(&mut self, octets: &[u8]) {
        let received = Packet::decode(octets).unwrap();
        let ttl = self.ttl;
        self.input(Input::Packet {
            received: &received,
            ttl,
        });
    }

    /// Time passes, and the session is woken whenever it asks for it.
    pub(super) fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.session.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.session.handle_timeout(self.now);
            self.collect();
        }
        self.now = end;
    }

    /// Time passes, but nobody wakes the session before the end.
    pub(super) fn stall(&mut self, span: Duration) {
        self.now += span;
        self.session.handle_timeout(self.now);
        self.collect();
    }

    /// Runs while the neighbour repeats `packet` every `interval`.
    pub(super) fn run_hearing(&mut self, span: Duration, interval: Duration, packet: Packet) {
        let end = self.now + span;
        while self.now < end {
            self.run(interval);
            self.hear(packet);
        }
    }

    fn collect(&mut self) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Transmit(octets) => {
                    let packet = Packet::decode(&octets).unwrap().packet;
                    self.sent.push((self.now, packet));
                }
                Output::Change(change) => self.changes.push(change),
                Output::Discarded(reason) => self.discarded.push(reason),
            }
        }
    }

    /// The packets sent since the last look.
    pub(super) fn sent(&mut self) -> Vec<Packet> {
        let sent = std::mem::take(&mut self.sent);
        sent.into_iter().map(|(_, packet)| packet).collect()
    }

    /// The spans between the packets sent since the last look, in milliseconds.
    pub(super) fn gaps(&mut self) -> Vec<f64> {
        let sent = std::mem::take(&mut self.sent);
        sent.windows(2)
            .map(|pair| (pair[1].0 - pair[0].0).as_secs_f64() * 1e3)
            .collect()
    }

    pub(super) fn changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    pub(super) fn discarded(&mut self) -> Vec<Discard> {
        std::mem::take(&mut self.discarded)
    }
}
