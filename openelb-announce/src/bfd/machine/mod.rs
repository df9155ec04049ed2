//! One BFD session (RFC 5880 section 6.8): asynchronous mode, without the Echo function.
//!
//! ```text
//!             +--+
//!             |  | Up, AdminDown, timer
//!             |  V
//!     Down  +------+  Init
//!    +------|      |------------+
//!    |      | Down |            |
//!    | +--->|      |<--------+  |
//!    | |    +------+         |  |
//!    | | AdminDown, AdminDown|  |
//!    | | timer      Down,    |  |
//!    V |            timer    |  V
//!  +------+                 +------+
//!  | Init |--- Init, Up --->|  Up  |
//!  +------+                 +------+
//! ```

mod receive;
mod timing;
mod transmit;

use std::collections::VecDeque;
use std::num::{NonZeroU8, NonZeroU32};
use std::time::Duration;

use smallvec::SmallVec;

use super::auth::{AuthError, Authenticator};
use super::packet::{Diagnostic, Flags, Packet, Received, State};
use super::settings::Settings;
use crate::machine::Machine;
use crate::random::Random;
use crate::time::Time;
use crate::timer::{TimerKey, TimerTable};

/// One end of a BFD session.
///
/// It begins in `AdminDown` and says nothing until [`Input::Enable`].
///
/// ```
/// use openelb_announce::bfd::{Input, Output, Packet, Session, Settings, State};
/// use openelb_announce::{Machine, Time};
/// use std::num::NonZeroU32;
///
/// let discriminator = NonZeroU32::new(0x1234_5678).ok_or("zero")?;
/// let mut session = Session::new(Settings::default(), discriminator, 1);
/// session.handle_input(Input::Enable, Time::ZERO);
/// assert!(matches!(session.poll_output(), Some(Output::Change(_))));
/// let Some(Output::Transmit(octets)) = session.poll_output() else { panic!("says something") };
/// assert_eq!(Packet::decode(&octets)?.packet.state, State::Down);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Session {
    settings: Settings,
    random: Random,
    discriminator: NonZeroU32,
    state: State,
    diagnostic: Diagnostic,
    remote: Remote,
    authenticator: Option<Authenticator>,
    timing: Timing,
    poll: Option<Poll>,
    /// What was last sent, for [`transmit`](self::transmit) to see whether there is news.
    said: Option<Packet>,
    last_sent: Option<Time>,
    last_received: Option<Time>,
    path: PathState,
    timers: TimerTable<Timer, 3>,
    outputs: VecDeque<Output>,
}

/// What is known of the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Remote {
    /// `bfd.RemoteDiscr`.
    discriminator: Option<NonZeroU32>,
    /// `bfd.RemoteSessionState`.
    state: State,
    diagnostic: Diagnostic,
    /// `bfd.RemoteMinRxInterval`.
    min_rx: Duration,
    /// The last received Desired Min TX Interval.
    min_tx: Duration,
    /// The last received Detect Mult; zero before the first.
    multiplier: u8,
    /// `bfd.RemoteDemandMode`.
    wants_demand: bool,
}

/// Own intervals as they are in use, which lag behind what is announced while a poll is unanswered.
#[derive(Clone, Copy, Debug, Default)]
struct Timing {
    /// `bfd.DesiredMinTxInterval`.
    desired_min_tx: Duration,
    /// `bfd.RequiredMinRxInterval`.
    required_min_rx: Duration,
    min_tx_in_use: Duration,
    min_rx_in_use: Duration,
    /// The interval that the transmission timer was set with.
    scheduled: Option<Duration>,
}

/// A Poll Sequence that waits for its end (RFC 5880 section 6.5).
#[derive(Clone, Copy, Debug)]
struct Poll {
    /// Something changed after the first packet with P had left: the answer may be to that one.
    is_stale: bool,
    /// A packet with P has left.
    is_asked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Timer {
    /// One detection time without a packet.
    Detect,
    /// Two detection times without a packet.
    Forget,
    Transmit,
}

impl TimerKey for Timer {
    const ALL: &'static [Self] = &[Self::Detect, Self::Forget, Self::Transmit];
}

/// What can happen to a session.
#[derive(Debug)]
pub enum Input<'a> {
    /// A packet that the demultiplexer found to be for this session.
    Packet {
        /// What it says.
        received: &'a Received<'a>,
        /// The TTL or hop limit with which it arrived.
        ttl: u8,
    },
    /// Other settings, at once and without ending the session (RFC 5880 sections 6.8.3, 6.8.12).
    /// Changing `multihop` between `Some` and `None` makes another session of it: make a new one.
    Configure(Settings),
    /// Leave `AdminDown` and look for the neighbour; harmless in any other state.
    Enable,
    /// Enter `AdminDown` with this diagnostic (RFC 5880 section 6.8.16).
    AdminDown(Diagnostic),
    /// The path, or what this host does with it, cannot be relied on: go Down with this diagnostic
    /// (RFC 5880 section 6.8.15).
    Fail(Diagnostic),
}

/// What a session wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send these octets to the neighbour.
    Transmit(Octets),
    /// Something changed that the owner acts upon.
    Change(Change),
    /// A packet was not accepted; the session is as it was before.
    Discarded(Discard),
}

/// A UDP payload of BFD.
pub type Octets = SmallVec<[u8; 64]>;

/// A change of the session's state, or of what it means for the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The state before.
    pub from: State,
    /// The state now; the same as `from` when only `path` changed.
    pub to: State,
    /// What that means for whoever relies on the path.
    pub path: PathState,
    /// Why our session last changed state.
    pub diagnostic: Diagnostic,
    /// The neighbour's state.
    pub remote_state: State,
    /// The neighbour's reason for it.
    pub remote_diagnostic: Diagnostic,
}

/// What a session says about the path (RFC 5882 sections 3.2 and 4.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum PathState {
    /// Nothing: the session has not been up since it was last enabled on both ends.
    #[default]
    Unknown,
    /// It works in both directions.
    Up,
    /// It worked and fails now: act.
    Down,
    /// An administrator holds one end down, which is no failure: do not act.
    AdminDown,
}

/// Why a packet was not accepted after its session had been found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Discard {
    /// It came from farther away than the session allows (RFC 5881 section 5).
    #[error("packet arrived with TTL {ttl}, less than {least}; it came from farther than allowed")]
    Ttl {
        /// With which TTL or hop limit it arrived.
        ttl: u8,
        /// The least that is accepted.
        least: u8,
    },
    /// It is not authenticated as configured.
    #[error(transparent)]
    Auth(#[from] AuthError),
}

impl Session {
    /// A session in `AdminDown`, silent.
    ///
    /// Jitter follows from `seed`, and so does the first sequence number when packets are
    /// authenticated: take it from the operating system.
    pub fn new(settings: Settings, discriminator: NonZeroU32, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let authenticator = authenticator(&settings, &mut random);
        Self {
            settings,
            random,
            discriminator,
            state: State::AdminDown,
            diagnostic: Diagnostic::None,
            remote: Remote::UNKNOWN,
            authenticator,
            timing: Timing::default(),
            poll: None,
            said: None,
            last_sent: None,
            last_received: None,
            path: PathState::AdminDown,
            timers: TimerTable::default(),
            outputs: VecDeque::new(),
        }
    }

    /// `bfd.SessionState`.
    pub const fn state(&self) -> State {
        self.state
    }

    /// `bfd.LocalDiag`: why the session last changed state.
    pub const fn diagnostic(&self) -> Diagnostic {
        self.diagnostic
    }

    /// What the session says about the path.
    pub const fn path_state(&self) -> PathState {
        self.path
    }

    /// `bfd.RemoteSessionState` and the neighbour's diagnostic, as last heard.
    pub const fn remote_state(&self) -> (State, Diagnostic) {
        (self.remote.state, self.remote.diagnostic)
    }

    /// `bfd.LocalDiscr`.
    pub const fn discriminator(&self) -> NonZeroU32 {
        self.discriminator
    }

    /// `bfd.RemoteDiscr`; `None` while the neighbour is not heard.
    pub const fn remote_discriminator(&self) -> Option<NonZeroU32> {
        self.remote.discriminator
    }

    /// The settings in force.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Does the neighbour know that this end is in `AdminDown`? It says so by being down itself.
    pub fn is_dismissed(&self) -> bool {
        let knows = matches!(self.remote.state, State::Down | State::AdminDown);
        self.state == State::AdminDown && (knows || self.remote.discriminator.is_none())
    }

    /// Changes the state; the diagnostic says why. Intervals follow the state.
    fn enter(&mut self, state: State, diagnostic: Diagnostic) {
        let from = self.state;
        self.state = state;
        self.diagnostic = diagnostic;
        self.note_path(from);
        self.adopt_intervals();
        self.restart_detection();
    }

    /// Reports a change of state since `from`, or of what the state means.
    fn note_path(&mut self, from: State) {
        let before = self.path;
        let is_admin_down = self.state == State::AdminDown || self.remote.state == State::AdminDown;
        self.path = match (self.state, before) {
            (State::Up, _) => PathState::Up,
            _ if is_admin_down => PathState::AdminDown,
            (_, PathState::Up | PathState::Down) => PathState::Down,
            (_, PathState::AdminDown | PathState::Unknown) => PathState::Unknown,
        };
        if (from, before) != (self.state, self.path) {
            self.outputs.push_back(Output::Change(Change {
                from,
                to: self.state,
                path: self.path,
                diagnostic: self.diagnostic,
                remote_state: self.remote.state,
                remote_diagnostic: self.remote.diagnostic,
            }));
        }
    }

    fn configure(&mut self, settings: Settings) {
        if settings.auth.as_ref() != self.authenticator.as_ref().map(Authenticator::auth) {
            self.authenticator = authenticator(&settings, &mut self.random);
        }
        self.settings = settings;
        self.adopt_intervals();
        self.restart_detection();
    }

    fn forget_sequence(&mut self) {
        if let Some(authenticator) = &mut self.authenticator {
            authenticator.forget();
        }
    }

    /// The multiplier on the wire: zero, which settings can hold but no packet, becomes one.
    fn multiplier(&self) -> NonZeroU8 {
        NonZeroU8::new(self.settings.multiplier).unwrap_or(NonZeroU8::MIN)
    }

    /// Is anything said at all? Before the first `Enable` nothing is.
    fn is_silent(&self) -> bool {
        let is_unborn = self.state == State::AdminDown && self.said.is_none();
        let is_waiting = self.settings.passive && self.remote.discriminator.is_none();
        is_unborn || is_waiting
    }
}

impl Machine for Session {
    type Input<'a> = Input<'a>;
    type Output = Output;

    fn handle_input(&mut self, input: Input<'_>, now: Time) {
        match input {
            Input::Packet { received, ttl } => self.receive(received, ttl, now),
            Input::Configure(settings) => self.configure(settings),
            Input::Enable => {
                if self.state == State::AdminDown {
                    self.enter(State::Down, Diagnostic::None);
                }
            }
            Input::AdminDown(diagnostic) => self.enter(State::AdminDown, diagnostic),
            Input::Fail(diagnostic) => {
                if matches!(self.state, State::Init | State::Up) {
                    self.enter(State::Down, diagnostic);
                }
            }
        }
        self.speak(now);
    }

    fn handle_timeout(&mut self, now: Time) {
        // A silent neighbour first: after a pause nothing is said that is known to be out of date.
        for timer in Timer::ALL {
            if self.timers.deadline(*timer).is_none_or(|at| at > now) {
                continue;
            }
            self.timers.clear(*timer);
            match timer {
                Timer::Detect => self.lose_neighbor(),
                Timer::Forget => self.forget_sequence(),
                Timer::Transmit => self.transmit_periodically(now),
            }
        }
        self.speak(now);
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.timers.next_deadline()
    }
}

impl Remote {
    /// The initial values of RFC 5880 section 6.8.1.
    const UNKNOWN: Self = Self {
        discriminator: None,
        state: State::Down,
        diagnostic: Diagnostic::None,
        min_rx: Duration::from_micros(1),
        min_tx: Duration::ZERO,
        multiplier: 0,
        wants_demand: false,
    };
}

fn authenticator(settings: &Settings, random: &mut Random) -> Option<Authenticator> {
    let first = u32::try_from(random.below(1 << 32)).unwrap_or_default();
    let auth = settings.auth.clone()?;
    Some(Authenticator::new(auth, first))
}

#[cfg(test)]
mod tests;
