//! One virtual router (RFC 9568 section 6.4, RFC 3768 section 6.4).
//!
//! ```text
//!                   +------------+
//!        +--------->|            |<-------------+
//!        |          | Initialize |              |
//!        |   +------|            |----------+   |
//!        |   |      +------------+          |   |
//!        |   |  owner           not owner   |   |
//!        |   V                              V   |
//!    +---------+      silence, left     +---------+
//!    |         |<-----------------------|         |
//!    | Active  |                        | Backup  |
//!    |         |----------------------->|         |
//!    +---------+   higher priority,     +---------+
//!                  pause of this host
//! ```

mod compare;
mod input;
mod life;
mod receive;
mod report;
mod timing;
mod transmit;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

pub use input::Input;
pub use report::{Cause, Counters, Event, Mismatch, Refusal, Why};

use self::report::Reports;
use super::interval::Interval;
use super::packet::{ChecksumForm, LEAVING, OWNER, Octets, Path};
use super::settings::{Checksum, Settings};
use crate::machine::Machine as Sansio;
use crate::time::Time;
use crate::timer::{TimerKey, TimerTable};

/// One virtual router on one link.
///
/// It begins in `Initialize` and is silent until it has settings and the link is up with an address
/// to send from. Give it every packet that waits before you tell it the time: a packet may hold what
/// a timer would otherwise miss.
///
/// ```
/// use openelb_announce::vrrp::{Event, Input, Machine, Output, Settings, State, Vrid};
/// use openelb_announce::{Machine as _, Time};
///
/// let mut machine = Machine::new();
/// let vrid = Vrid::new(51).ok_or("zero")?;
/// let settings = Settings::new(vrid, vec!["192.0.2.10".parse()?]);
/// machine.handle_input(Input::Configure(settings), Time::ZERO);
/// machine.handle_input(Input::Link { up: true, primary: Some("192.0.2.1".parse()?) }, Time::ZERO);
/// assert_eq!(machine.state(), State::Backup);
///
/// // Nobody is heard for three intervals and the skew.
/// let at = machine.poll_timeout().ok_or("listens")?;
/// machine.handle_timeout(at);
/// assert_eq!(machine.state(), State::Active);
/// assert!(matches!(machine.poll_output(), Some(Output::Event(Event::Backup { .. }))));
/// assert!(matches!(machine.poll_output(), Some(Output::Transmit { .. })));
/// assert!(matches!(machine.poll_output(), Some(Output::Event(Event::Active { .. }))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Machine {
    /// What to be; `None` before the first `Configure` and after `Shutdown`.
    settings: Option<Settings>,
    /// The address to send from, while the link is up.
    primary: Option<IpAddr>,
    state: State,
    /// The priority that [`Input::Priority`] gave.
    health: Option<u8>,
    /// The Active router as last heard, while this one is not it.
    heard: Option<Advertiser>,
    /// `Active_Adver_Interval`: learned from the Active router.
    learned: Interval,
    /// Since when the Active router has been silent; what `Active_Down_Timer` counts from.
    silent_since: Time,
    /// When a lower priority that is heard stops being tolerated.
    preempt_from: Option<Time>,
    /// Somebody who uses the VRID for other addresses, and when it is forgotten.
    stranger_until: Option<Time>,
    /// A router of the same addresses was heard, or this one was Active: the VRID is ours.
    is_proven: bool,
    /// The form in which the last router that was heard sums.
    mirrored: Option<ChecksumForm>,
    last_sent: Option<Time>,
    /// What `last_sent` was before, in case the driver could not send.
    sent_before: Option<Time>,
    last_reannounced: Option<Time>,
    /// Announce once more with the next advertisement.
    reannounces_again: bool,
    timers: TimerTable<Timer, 2>,
    reports: Reports,
    outputs: VecDeque<Output>,
}

/// The state of a virtual router (RFC 9568 section 6.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum State {
    /// Waits for settings, the link or an address to send from.
    #[default]
    Initialize,
    /// Listens whether the Active router is alive.
    Backup,
    /// Answers for the addresses, and advertises that.
    Active,
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Initialize => "Initialize",
            Self::Backup => "Backup",
            Self::Active => "Active",
        })
    }
}

/// A router that advertises itself as Active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Advertiser {
    /// Where its advertisements come from.
    pub address: IpAddr,
    /// Its priority.
    pub priority: u8,
}

/// What a virtual router wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this as IP protocol 112 with TTL or hop limit 255. If that is not possible, say
    /// [`Input::Unsent`].
    Transmit {
        /// From which address.
        source: IpAddr,
        /// To the group of all VRRP routers, or to one unicast peer.
        destination: IpAddr,
        /// The advertisement.
        octets: Octets,
    },
    /// Something happened that the owner acts upon or shows.
    Event(Event),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Timer {
    /// `Active_Down_Timer`.
    ActiveDown,
    /// `Adver_Timer`.
    Adver,
}

impl TimerKey for Timer {
    const ALL: &'static [Self] = &[Self::ActiveDown, Self::Adver];
}

impl Machine {
    /// A virtual router in `Initialize`, silent.
    pub fn new() -> Self {
        Self::default()
    }

    /// The state.
    pub const fn state(&self) -> State {
        self.state
    }

    /// The settings in use; `None` before the first and after a shutdown.
    pub const fn settings(&self) -> Option<&Settings> {
        self.settings.as_ref()
    }

    /// The priority in use: what [`Input::Priority`] said, else that of the settings. Zero: it stands
    /// aside, or has no settings.
    pub fn priority(&self) -> u8 {
        let Some(settings) = &self.settings else {
            return 0;
        };
        match self.health {
            Some(OWNER) if !settings.owner => OWNER - 1,
            Some(priority) => priority,
            None => settings.priority,
        }
    }

    /// Who is Active as far as this router knows; itself, with its primary address, when it is.
    pub fn active(&self) -> Option<Advertiser> {
        match (self.state, self.primary) {
            (State::Active, Some(address)) => Some(Advertiser {
                address,
                priority: self.priority(),
            }),
            (State::Backup, _) => self.heard.filter(|it| it.priority != LEAVING),
            _ => None,
        }
    }

    /// Does it take packets to the addresses for itself (`Accept_Mode`, or the owner)? Neighbor
    /// solicitations and advertisements are for it in any case while it is Active (RFC 9568 section
    /// 6.4.3).
    pub fn accepts(&self) -> bool {
        let may = |settings: &Settings| settings.accept || settings.owner;
        self.state == State::Active && self.settings.as_ref().is_some_and(may)
    }

    /// What was sent, heard and refused since the machine was made.
    pub const fn counters(&self) -> &Counters {
        self.reports.counters()
    }

    fn checksum_form(&self) -> ChecksumForm {
        let chosen = self.settings.as_ref().map(|settings| settings.checksum);
        match chosen.unwrap_or_default() {
            Checksum::PseudoHeader => ChecksumForm::PseudoHeader,
            Checksum::Plain => ChecksumForm::Plain,
            Checksum::Auto => self.mirrored.unwrap_or(ChecksumForm::PseudoHeader),
        }
    }
}

impl Sansio for Machine {
    type Input<'a> = Input<'a>;
    type Output = Output;

    fn handle_input(&mut self, input: Input<'_>, now: Time) {
        // After a pause nothing is judged as Active any more: others have given this router up.
        self.expire(now);
        match input {
            Input::Link { up, primary } => self.follow_link(primary.filter(|_| up), now),
            Input::Configure(settings) => self.configure(settings, now),
            Input::Packet {
                octets,
                source,
                destination,
                hop_limit,
                received,
            } => {
                let path = Path {
                    source,
                    destination,
                };
                self.receive(octets, path, hop_limit, received.min(now), now);
            }
            Input::Priority(priority) => self.change_priority(priority, now),
            Input::Unsent => {
                self.last_sent = self.sent_before;
                self.expire(now);
            }
            Input::Fence => self.fence(now),
            Input::Shutdown => self.shutdown(now),
        }
    }

    fn handle_timeout(&mut self, now: Time) {
        self.expire(now);
        for timer in Timer::ALL {
            let Some(due) = self.timers.deadline(*timer).filter(|at| *at <= now) else {
                continue;
            };
            self.timers.clear(*timer);
            match timer {
                Timer::ActiveDown => self.judge_silence(due, now),
                Timer::Adver => self.advertise_periodically(due, now),
            }
        }
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Time> {
        let deadline = self.timers.next_deadline();
        deadline.into_iter().chain(self.valid_until()).min()
    }
}

/// No two advertisements are closer than the shortest interval there is, whatever is heard.
const LEAST_GAP: Duration = super::interval::CENTISECOND;

#[cfg(test)]
mod tests;
