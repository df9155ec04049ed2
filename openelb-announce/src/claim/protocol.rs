//! What the life of an address needs to know about the protocol that announces it.

use super::{Config, Probe};
use crate::wire::{Frame, Mac};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// A protocol that tells the hardware address behind an address: ARP or NDP.
///
/// Everything here is a pure function of its arguments; [`Lifecycle`](super::Lifecycle) holds the
/// state, the time and the randomness.
pub trait NeighborProtocol {
    /// The addresses that the protocol resolves.
    type Address: Copy + Eq + Into<IpAddr> + fmt::Debug;

    /// Takes what it needs from the configuration.
    fn new(config: &Config) -> Self;

    /// `address`, if it is of the right family and one station can own it.
    fn address(address: IpAddr) -> Option<Self::Address>;

    /// The address as a number, for hashing.
    fn bits(address: Self::Address) -> u128;

    /// The group that must be joined before the address is probed or announced.
    fn group(address: Self::Address) -> Option<Ipv6Addr>;

    /// The pace of a probe profile; `None` for [`Probe::Skip`].
    fn probe_plan(probe: Probe) -> Option<ProbePlan>;

    /// What a frame says, if the protocol heeds it. `own` is the hardware address of the interface.
    fn hear(frame: &[u8], own: Mac) -> Option<Heard<Self::Address>>;

    /// Asks whether anybody uses `address`.
    fn probe(&self, address: Self::Address, own: Mac, nonce: [u8; 6]) -> Frame;

    /// How many frames an announcement consists of.
    fn forms(round: Round) -> u8;

    /// One of the frames of an announcement; `form` is below [`forms`](Self::forms).
    fn announcement(&self, address: Self::Address, own: Mac, form: u8) -> Frame;

    /// Answers a question.
    fn answer(&self, question: &Question<Self::Address>, own: Mac) -> Frame;
}

/// How to probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbePlan {
    /// The first probe leaves after a random delay up to this.
    pub wait: Duration,
    /// How many probes to send; at least one.
    pub count: u8,
    /// The least time between two probes.
    pub gap_min: Duration,
    /// The most time between two probes.
    pub gap_max: Duration,
    /// How long to listen after the last probe.
    pub settle: Duration,
}

impl ProbePlan {
    /// [`Probe::Fast`] of both protocols. RFC 5227 section 2.2 lets a network whose delays are known
    /// choose shorter times, RFC 4862 section 5.1 leaves them to the administrator. A host on a
    /// local network answers within 1 ms, a busy one within 15 ms; three probes cover two losses.
    pub const FAST: Self = Self {
        wait: Duration::from_millis(10),
        count: 3,
        gap_min: Duration::from_millis(20),
        gap_max: Duration::from_millis(30),
        settle: Duration::from_millis(40),
    };

    /// The longest time that probing takes when no probe is held back.
    pub fn longest(&self) -> Duration {
        let gaps = u32::from(self.count.saturating_sub(1));
        self.wait + self.gap_max * gaps + self.settle
    }
}

/// What one frame says about addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard<A> {
    /// The station that says it.
    pub mac: Mac,
    /// The address that it uses as its own.
    pub asserted: Option<A>,
    /// What it asks.
    pub question: Option<Question<A>>,
}

/// A question for the hardware address behind `target`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question<A> {
    /// The address asked for.
    pub target: A,
    /// Who asks; `None` for a probe, whose sender has no address yet.
    pub sender: Option<A>,
    /// Where the answer goes.
    pub mac: Mac,
    /// What tells a looped-back probe of ours from another host's.
    pub nonce: Option<[u8; 6]>,
}

/// The occasion of an announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Round {
    /// The address is new on this link.
    Claim,
    /// It has been for a while.
    Refresh,
    /// Another station uses it.
    Defence,
}
