//! Whatever happens to a session, it keeps the rules that hold in every state.

use super::driven::{OURS, THEIRS, millis};
use crate::bfd::machine::{Input, Output, PathState, Session};
use crate::bfd::packet::{Diagnostic, Flags, Packet, State};
use crate::bfd::settings::Settings;
use crate::machine::Machine;
use crate::time::Time;
use crate::wire::Writer;
use proptest::prelude::*;
use std::num::NonZeroU8;
use std::time::Duration;

#[derive(Clone, Debug)]
enum Step {
    Hear(Packet, u8),
    Configure(Settings),
    Enable,
    AdminDown,
    Fail,
    Run(u64),
    Stall(u64),
}

fn packet() -> impl Strategy<Value = Packet> {
    let state = prop_oneof![
        1 => Just(State::AdminDown),
        4 => Just(State::Down),
        4 => Just(State::Init),
        8 => Just(State::Up),
    ];
    let flags = prop_oneof![
        4 => Just(Flags::NONE),
        1 => Just(Flags::POLL),
        1 => Just(Flags::FINAL),
        1 => Just(Flags::DEMAND),
        1 => Just(Flags::DEMAND.with(Flags::POLL)),
    ];
    let interval = || prop_oneof![Just(0), 1..2_000_000_u64, Just(u64::from(u32::MAX))];
    (state, flags, 1..=255_u8, interval(), interval()).prop_map(
        |(state, flags, multiplier, tx, rx)| Packet {
            diagnostic: Diagnostic::None,
            state,
            flags,
            multiplier: NonZeroU8::new(multiplier).unwrap(),
            my_discriminator: THEIRS,
            your_discriminator: Some(OURS),
            desired_min_tx: Duration::from_micros(tx),
            required_min_rx: Duration::from_micros(rx),
            required_min_echo_rx: Duration::ZERO,
        },
    )
}

fn settings() -> impl Strategy<Value = Settings> {
    (10..3000_u64, 10..3000_u64, 1..6_u8, any::<bool>()).prop_map(
        |(tx, rx, multiplier, passive)| Settings {
            min_tx: millis(tx),
            min_rx: millis(rx),
            multiplier,
            passive,
            ..Settings::default()
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (packet(), prop_oneof![9 => Just(255_u8), 1 => Just(254)])
            .prop_map(|(packet, ttl)| Step::Hear(packet, ttl)),
        2 => settings().prop_map(Step::Configure),
        1 => Just(Step::Enable),
        1 => Just(Step::AdminDown),
        1 => Just(Step::Fail),
        4 => (0..4000_u64).prop_map(Step::Run),
        1 => (0..20_000_u64).prop_map(Step::Stall),
    ]
}

struct Checked {
    session: Session,
    now: Time,
    /// The state as events tell it.
    told: State,
    path: PathState,
    /// The last packet that the timer sent since the last input, without its flags, and when.
    last_periodic: Option<(Packet, Time)>,
}

impl Checked {
    fn apply(&mut self, step: &Step) {
        match step {
            Step::Hear(packet, ttl) => {
                let mut octets = [0; Packet::LENGTH];
                packet.emit(0, &mut Writer::new(&mut octets)).unwrap();
                let received = Packet::decode(&octets);
                if let Ok(received) = received {
                    let (received, ttl) = (&received, *ttl);
                    self.input(Input::Packet { received, ttl });
                }
            }
            Step::Configure(settings) => self.input(Input::Configure(settings.clone())),
            Step::Enable => self.input(Input::Enable),
            Step::AdminDown => {
                self.input(Input::AdminDown(Diagnostic::AdministrativelyDown));
            }
            Step::Fail => self.input(Input::Fail(Diagnostic::PathDown)),
            Step::Run(span) => self.run(millis(*span)),
            Step::Stall(span) => self.now += millis(*span),
        }
    }

    fn input(&mut self, input: Input<'_>) {
        let may_answer = matches!(&input, Input::Packet { received, .. }
            if received.packet.flags.contains(Flags::POLL));
        self.last_periodic = None;
        self.session.handle_input(input, self.now);
        let finals = self.check(false);
        assert!(finals <= usize::from(may_answer));
    }

    fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.session.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.session.handle_timeout(self.now);
            assert_eq!(self.check(true), 0, "nobody asked");
            let next = self.session.poll_timeout();
            assert!(next.is_none_or(|next| next > self.now), "it comes to rest");
        }
        self.now = end;
    }

    /// Checks what the session wants; returns how many answers to polls are among it.
    fn check(&mut self, is_periodic: bool) -> usize {
        let mut finals = 0;
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Transmit(octets) => {
                    let packet = Packet::decode(&octets).unwrap().packet;
                    let is_answer = packet.flags.contains(Flags::FINAL);
                    finals += usize::from(is_answer);
                    self.check_packet(&packet, is_periodic && !is_answer);
                }
                Output::Change(change) => {
                    assert_eq!(change.from, self.told);
                    assert!((change.from, self.path) != (change.to, change.path));
                    // Nobody is up who was not heard.
                    let is_heard = self.session.remote_discriminator().is_some();
                    assert!(change.to != State::Up || is_heard);
                    (self.told, self.path) = (change.to, change.path);
                }
                Output::Discarded(_) => {}
            }
        }
        assert_eq!(self.told, self.session.state());
        assert_eq!(self.path, self.session.path_state());
        finals
    }

    fn check_packet(&mut self, packet: &Packet, is_periodic: bool) {
        let both = Flags::POLL.with(Flags::FINAL);
        assert!(!packet.flags.contains(both));
        assert!(!packet.flags.contains(Flags::DEMAND));
        let is_slow = packet.desired_min_tx >= Duration::from_secs(1);
        assert!(packet.state == State::Up || is_slow);
        assert!(packet.your_discriminator.is_some() || !self.session.settings().passive);
        // A packet with other contents than the last one is news, which does not wait.
        let contents = Packet {
            flags: Flags::NONE,
            ..*packet
        };
        if let (true, Some((said, last)), Some(interval)) = (
            is_periodic,
            self.last_periodic,
            self.session.transmit_interval(),
        ) && said == contents
        {
            let gap = self.now - last;
            assert!(gap >= interval * 3 / 4, "{gap:?} of {interval:?}");
        }
        self.last_periodic = Some((contents, self.now)).filter(|_| is_periodic);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn the_rules_of_every_state_hold_whatever_happens(
        settings in settings(),
        seed: u64,
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut checked = Checked {
            session: Session::new(settings, OURS, seed),
            now: Time::ZERO,
            told: State::AdminDown,
            path: PathState::AdminDown,
            last_periodic: None,
        };
        for step in &steps {
            checked.apply(step);
        }
    }
}
