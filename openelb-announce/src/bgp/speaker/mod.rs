//! The whole speaker as a value: peers, the shared table of routes, and what each session is told.
//!
//! It is told what to be ([`configure`](Speaker::configure)), what to announce
//! ([`announce`](Speaker::announce)) and what happens ([`Machine`]); it says what to dial, what to
//! close and what to report. Octets to be sent are pulled with [`transmit`](Speaker::transmit) when
//! TCP has room for them, so a slow peer holds up nobody and costs no memory.
//!
//! ```
//! use openelb_announce::bgp::config::{Config, Peer, Remote, Settings};
//! use openelb_announce::bgp::route::Route;
//! use openelb_announce::bgp::speaker::{Output, Speaker};
//! use openelb_announce::bgp::{Asn, RouterId};
//! use openelb_announce::{Machine, Time};
//! use std::net::IpAddr;
//! use std::sync::Arc;
//!
//! let mut speaker = Speaker::new(1, Time::ZERO);
//! speaker.announce(vec![Route::to("192.0.2.10/32".parse()?)], Time::ZERO);
//! let mut config = Config::new(Asn(64512), "10.0.0.1".parse()?);
//! let remote = Remote::from("10.0.0.254".parse::<IpAddr>()?);
//! config.peers = vec![Peer { name: "leaf1".into(), remote, settings: Settings::default() }];
//! speaker.configure(&Arc::new(config), Time::ZERO)?;
//! let dials = std::iter::from_fn(|| speaker.poll_output())
//!     .filter(|output| matches!(output, Output::Connect { .. }));
//! assert_eq!(dials.count(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod accept;
mod carry;
mod configure;
mod event;
mod input;
mod learn;
mod member;
mod output;
mod report;
mod roster;
mod surroundings;

use super::config::Config;
use super::peer::{self, Stop};
use super::prefix::Prefix;
use super::rib::Rib;
use super::route::Route;
use super::session::ConnectionId;
use crate::machine::Machine;
use crate::random::Random;
use crate::time::Time;
use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv6Addr;
use std::sync::Arc;

use accept::Refusals;
use learn::Learning;
use roster::Roster;
use surroundings::Surroundings;

pub use accept::Accepted;
pub use configure::{Applied, Change};
pub use event::{Event, NotAccepted};
pub use input::{Arrival, Input};
pub use output::{Key, Output, Target, Watched};

/// A BGP speaker without sockets and clocks.
///
/// | what | cost |
/// |---|---|
/// | octets received, a timer | that of the one peer, O(log n) in the number of peers |
/// | a changed route | O(1) for each session |
/// | the whole set of routes | O(n) in the number of routes, and O(1) for each change and session |
/// | a route of a peer that is learned | O(log n), and O(1) for each peer |
/// | memory | the table once, two bits a path for each session, what is learned of each peer |
#[derive(Debug)]
pub struct Speaker {
    started: Time,
    random: Random,
    config: Option<Arc<Config>>,
    rib: Rib,
    learning: Learning,
    roster: Roster,
    /// How many connections were accepted.
    accepted: u64,
    refusals: Refusals,
    /// The routers at the other ends of unnumbered interfaces.
    routers: BTreeMap<String, Ipv6Addr>,
    surroundings: Surroundings,
    completeness: Completeness,
    is_draining: bool,
    stopped: Option<Stop>,
    outputs: VecDeque<Output>,
}

/// May peers be told that they have all routes (RFC 4724 section 4.1)?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Completeness {
    /// Not yet: forgetting what they do not hear of now would cost them good routes.
    Waiting,
    /// The front end said so, or it had its time.
    Reached,
}

impl Speaker {
    /// A speaker without configuration and routes. All randomness follows from `seed`; restarting
    /// speakers need different ones, or their timers meet those of their former lives.
    ///
    /// `started` begins the time in which peers are told that this speaker has restarted (the R bit
    /// of RFC 4724).
    pub fn new(seed: u64, started: Time) -> Self {
        Self {
            started,
            random: Random::new(seed),
            config: None,
            rib: Rib::default(),
            learning: Learning::default(),
            roster: Roster::default(),
            accepted: 0,
            refusals: Refusals::default(),
            routers: BTreeMap::new(),
            surroundings: Surroundings::default(),
            completeness: Completeness::Waiting,
            is_draining: false,
            stopped: None,
            outputs: VecDeque::new(),
        }
    }

    /// Takes the whole set of routes that should be announced; what is not in it is withdrawn.
    ///
    /// Routes that come before any configuration are kept for the sessions to come.
    pub fn announce(&mut self, routes: Vec<Route>, now: Time) {
        let changes = self.rib.replace(routes);
        self.spread(&changes, now);
    }

    /// Takes some routes that are new or changed, and some prefixes to be withdrawn. A prefix that is
    /// in both is announced. All routes of a prefix are given at once.
    pub fn change(&mut self, routes: Vec<Route>, withdrawn: &[Prefix], now: Time) {
        let changes = self.rib.change(routes, withdrawn);
        self.spread(&changes, now);
    }

    /// The routes given so far are complete: peers may be told End-of-RIB (RFC 4724 section 4.1), and
    /// forget what they had from this speaker's former life and did not hear of again.
    pub fn synced(&mut self, now: Time) {
        self.complete(now);
    }

    /// Asks all peers to prefer other paths (`GRACEFUL_SHUTDOWN`, RFC 8326), while everything stays
    /// announced. The step before [`withdraw_all`](Self::withdraw_all), some seconds or minutes ahead.
    pub fn drain(&mut self, now: Time) {
        self.set_draining(true, now);
    }

    /// Takes [`drain`](Self::drain) back.
    pub fn undrain(&mut self, now: Time) {
        self.set_draining(false, now);
    }

    /// Withdraws everything; the sessions stay. A later [`announce`](Self::announce) brings routes
    /// back.
    pub fn withdraw_all(&mut self, now: Time) {
        self.announce(Vec::new(), now);
    }

    /// Ends all sessions, in the way that `stop` says, and takes no new ones.
    ///
    /// What the peers are told is still to be sent: carry out the outputs until
    /// [`connections`](Self::connections) is zero.
    pub fn stop(&mut self, stop: &Stop, now: Time) {
        self.stopped = Some(stop.clone());
        for id in self.roster.ids() {
            self.tell(id, peer::Input::Stop(stop.clone()), now);
        }
        self.update_surroundings();
    }

    /// How many connections, and attempts at one, there are.
    pub fn connections(&self) -> usize {
        self.roster.connections()
    }

    /// Has every session been given all that it should know? What was given may still be on its way.
    pub fn is_settled(&self) -> bool {
        self.roster
            .sessions()
            .all(|session| !session.adj.is_pending())
    }

    /// Appends whole messages for `connection` to `out`, `room` octets at most; says how many octets.
    ///
    /// Call it when TCP has room and a [`Output::Wake`] came, until it gives nothing. Nothing waits
    /// in a queue: what is appended is what should be said now. A message that does not fit is left
    /// for the next call, so give room for at least one (4,096 octets, or 65,535 where extended
    /// messages were negotiated).
    pub fn transmit(
        &mut self,
        connection: ConnectionId,
        out: &mut Vec<u8>,
        room: usize,
        now: Time,
    ) -> usize {
        let before = out.len();
        let Some(id) = self.roster.owner(connection) else {
            return 0;
        };
        if let Some(member) = self.roster.member_mut(id) {
            member.transmit(connection, &self.rib, out, room, now);
        }
        self.settle(id, now);
        out.len() - before
    }

    fn set_draining(&mut self, is_draining: bool, now: Time) {
        if self.is_draining != is_draining {
            self.is_draining = is_draining;
            self.renew_terms(now);
        }
    }

    fn complete(&mut self, now: Time) {
        if self.completeness == Completeness::Reached {
            return;
        }
        self.completeness = Completeness::Reached;
        for id in self.roster.ids() {
            if let Some(session) = self.roster.session_mut(id) {
                session.adj.allow_end_of_rib();
                self.offer_routes(id, now);
            }
        }
    }

    /// When End-of-RIB goes out even though the front end did not say that its routes are complete.
    fn deferral_deadline(&self) -> Option<Time> {
        let config = self.config.as_ref()?;
        let waits = self.completeness == Completeness::Waiting && self.stopped.is_none();
        waits.then(|| self.started + config.deferral_time)
    }
}

impl Machine for Speaker {
    type Input<'a> = Input<'a>;
    type Output = Output;

    fn handle_input(&mut self, input: Input<'_>, now: Time) {
        self.hear(input, now);
    }

    fn handle_timeout(&mut self, now: Time) {
        if self.deferral_deadline().is_some_and(|at| at <= now) {
            self.report(Event::DeferralTimeOver);
            self.complete(now);
        }
        while let Some(id) = self.roster.pop_due(now) {
            self.wake_member(id, now);
        }
        self.check_learning(now);
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Time> {
        let members = self.roster.next_deadline();
        let deferred = [self.deferral_deadline(), self.learning_deadline()];
        members
            .into_iter()
            .chain(deferred.into_iter().flatten())
            .min()
    }
}

#[cfg(test)]
mod tests;
