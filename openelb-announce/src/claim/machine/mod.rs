//! The life of every claimed address on one link, for any neighbor protocol.

mod hear;
mod speak;
mod terms;

use super::conflict::Conflicts;
use super::groups::Groups;
use super::pace::Pace;
use super::registry::{Registry, Slot, State};
use super::schedule::{Due, LazyHeap, Turn};
use super::{Config, Event, Input, NeighborProtocol, Output};
use crate::machine::Machine;
use crate::random::{Random, mix};
use crate::time::Time;
use crate::timer::{TimerKey, TimerTable};
use crate::wire::{Frame, Mac};
use std::collections::VecDeque;
use std::net::IpAddr;

/// Probes, announces, answers and defends addresses on one interface.
///
/// One machine speaks one protocol on one interface; see [`State`] for the life of an address.
///
/// | what | cost |
/// |---|---|
/// | a frame | O(1): at most two hash look-ups; no allocation |
/// | claim, release, a step of one address | O(log n) in the number of claims |
/// | fence, lapse, change of the link | O(n) |
/// | memory | about 90 octets per IPv6 claim |
#[derive(Debug)]
pub struct Lifecycle<P: NeighborProtocol> {
    protocol: P,
    config: Config,
    random: Random,
    link: Link,
    registry: Registry<P::Address>,
    // Every slot whose `due` is not `Time::MAX` has an entry with `What::Act` and that instant;
    // every slot whose deadline passes by itself has one with `What::End`.
    schedule: LazyHeap<Due>,
    // Every slot whose stage is not `Idle` has an entry with that stage. There is none while the link
    // is down.
    queue: LazyHeap<Turn>,
    turns: u32,
    pace: Pace,
    groups: Groups,
    conflicts: Conflicts,
    common_deadline: Time,
    // Frames received earlier are not heeded.
    not_before: Time,
    timers: TimerTable<Timer, 3>,
    outputs: VecDeque<Output>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Link {
    mac: Mac,
    is_up: bool,
    /// When it went down; `None` until it was up once.
    down_since: Option<Time>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Timer {
    /// The common deadline passes.
    Lapse,
    /// A claim has something to do.
    Act,
    /// The token bucket lets the next frame pass.
    Speak,
}

impl TimerKey for Timer {
    const ALL: &'static [Self] = &[Self::Lapse, Self::Act, Self::Speak];
}

impl<P: NeighborProtocol> Lifecycle<P> {
    /// A machine without claims, on a link that is not known yet.
    pub fn new(config: Config) -> Self {
        Self {
            protocol: P::new(&config),
            random: Random::new(config.seed),
            link: Link::default(),
            registry: Registry::new(P::bits, mix(config.seed)),
            schedule: LazyHeap::default(),
            queue: LazyHeap::default(),
            turns: 0,
            pace: Pace::new(config.rate),
            groups: Groups::new(config.max_groups),
            conflicts: Conflicts::default(),
            common_deadline: Time::ZERO,
            not_before: Time::ZERO,
            timers: TimerTable::default(),
            outputs: VecDeque::new(),
            config,
        }
    }

    /// Where `address` stands; `None` when it is not claimed. O(1).
    pub fn state(&self, address: IpAddr) -> Option<State> {
        let slot = self.registry.find(P::address(address)?)?;
        self.registry.slot(slot).map(|claim| claim.state)
    }

    /// How many addresses are claimed. O(1).
    pub fn claims(&self) -> usize {
        self.registry.len()
    }

    /// Octets of heap memory in use, groups and conflicts not counted. O(1).
    pub fn footprint(&self) -> usize {
        self.registry.footprint()
            + self.schedule.footprint()
            + self.queue.footprint()
            + self.outputs.capacity() * size_of::<Output>()
    }

    fn claim_mut(&mut self, slot: u32) -> Option<&mut Slot<P::Address>> {
        self.registry.slot_mut(slot)
    }

    /// Has the validity of this claim passed?
    fn has_passed(&self, claim: &Slot<P::Address>, now: Time) -> bool {
        claim.deadline.has_passed(now, self.common_deadline)
    }

    fn transmit(&mut self, frame: Frame) {
        self.outputs.push_back(Output::Transmit(frame));
    }

    fn report(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Does everything that is due, and then says when the next thing is.
    fn advance(&mut self, now: Time) {
        self.act(now);
        self.speak(now);
        self.rearm();
    }

    /// Says when the next thing is due, which may be by now.
    fn rearm(&mut self) {
        let act = self.next_due().map(|due| due.at);
        self.timers.put(Timer::Act, act);
        let speaks = self.next_turn().is_some();
        self.timers
            .put(Timer::Speak, speaks.then(|| self.pace.ready_at()));
    }
}

impl<P: NeighborProtocol> Machine for Lifecycle<P> {
    type Input<'a> = Input<'a>;
    type Output = Output;

    fn handle_input(&mut self, input: Input<'_>, now: Time) {
        self.notice_lapse(now);
        match input {
            Input::Link { mac, up } => self.change_link(mac, up, now),
            Input::Claim(claim) => self.claim(&claim, now),
            Input::Release(address) => {
                self.release(address, now);
                // What else is due waits: it may be about to be released as well.
                return self.rearm();
            }
            Input::Announce(address) => self.announce_again(address),
            Input::AnnounceOnce(address) => self.announce_once(address, now),
            Input::Renew(deadline) => self.renew(deadline, now),
            Input::Fence => self.fence(now),
            Input::Frame { bytes, received } => self.receive(bytes, received, now),
        }
        self.advance(now);
    }

    fn handle_timeout(&mut self, now: Time) {
        self.notice_lapse(now);
        self.advance(now);
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.timers.next_deadline()
    }
}
