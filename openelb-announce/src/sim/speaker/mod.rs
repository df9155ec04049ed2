//! A host that announces: the real machines behind a simulated interface, driven as on Linux.

mod demand;
mod election;
mod router;

use super::clock::Clock;
use super::data;
use super::datagram::{Datagram, HOP_LIMIT, Protocol, sender};
use super::trace::Action;
use crate::claim::{Claim, Config, Input, Output, State};
use crate::machine::Machine;
use crate::ownership;
use crate::time::Time;
use crate::wire::{Frame, Mac};
use crate::{arp, ndp, vrrp};
use demand::Demand;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

pub(super) use election::Election;
pub(super) use router::Router;

/// One host with one interface. All times are those of its own clock.
#[derive(Debug)]
pub(super) struct Speaker {
    pub(super) mac: Mac,
    pub(super) clock: Clock,
    config: Config,
    arp: arp::Machine,
    ndp: ndp::Machine,
    election: Option<Box<Election>>,
    routers: Vec<Router>,
    is_up: bool,
    process: Process,
    /// What happened while it did not run, oldest first.
    inbox: VecDeque<Happening>,
    /// A pause longer than this is noticed and fenced off.
    fence_after: Option<Duration>,
    ran_at: Time,
    actions: VecDeque<Action>,
}

/// What the host's process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Process {
    Running,
    Paused,
    Stopped,
}

/// Something that happens to a speaker.
#[derive(Debug)]
pub(super) enum Happening {
    Frame {
        frame: Frame,
        received: Time,
    },
    Claim(Claim),
    Release(IpAddr),
    Renew(Time),
    Fence,
    Link {
        mac: Mac,
        up: bool,
    },
    Elect(Box<Election>),
    Route(Box<Router>),
    Priority(u8),
    Shutdown,
    Groups(Vec<ownership::Group>),
    Drain(bool),
    Leave,
    Order {
        node: ownership::NodeId,
        drain: bool,
    },
    Mute(bool),
}

impl Speaker {
    pub(super) fn new(
        mac: Mac,
        config: &Config,
        clock: Clock,
        fence_after: Option<Duration>,
    ) -> Self {
        let mut speaker = Self {
            mac,
            clock,
            arp: arp::Machine::new(config.clone()),
            ndp: ndp::Machine::new(config.clone()),
            config: config.clone(),
            election: None,
            routers: Vec::new(),
            is_up: false,
            process: Process::Running,
            inbox: VecDeque::new(),
            fence_after,
            ran_at: clock.local(Time::ZERO),
            actions: VecDeque::new(),
        };
        speaker.happen(Happening::Link { mac, up: true }, speaker.ran_at);
        speaker
    }

    pub(super) fn state(&self, address: IpAddr) -> Option<State> {
        self.arp.state(address).or_else(|| self.ndp.state(address))
    }

    /// The state of its virtual router of that family; `None` without one, or without a process.
    pub(super) fn router(&self, family: vrrp::Family) -> Option<vrrp::State> {
        let of_family = |router: &&Router| {
            router
                .machine
                .settings()
                .is_some_and(|it| it.family == family)
        };
        let router = self
            .routers
            .iter()
            .find(of_family)
            .filter(|_| self.process != Process::Stopped);
        router.map(|router| router.machine.state())
    }

    /// Its ownership machine; `None` without one, or without a process.
    pub(super) fn ownership(&self) -> Option<&ownership::Machine> {
        let election = self
            .election
            .as_ref()
            .filter(|_| self.process != Process::Stopped);
        election.map(|election| &election.machine)
    }

    /// Would it answer for `address`: announced, by a process that runs, on a link that is up?
    pub(super) fn answers(&self, address: IpAddr) -> bool {
        let is_live = self.process == Process::Running && self.is_up;
        is_live && self.state(address) == Some(State::Announced)
    }

    /// Something happens; a paused process learns of it when it runs again.
    pub(super) fn happen(&mut self, happening: Happening, now: Time) {
        if let Happening::Frame { frame, .. } = &happening {
            if let Some(election) = &mut self.election {
                election.count_frame();
            }
            if let Some(address) = data::address(frame) {
                // The kernel forwards traffic whatever the process does, as long as the link is up.
                let delivered = self.is_up.then_some(Action::Delivered(address));
                self.actions.extend(delivered);
                return;
            }
        }
        if self.process != Process::Running {
            self.outlive(&happening);
        }
        if self.process == Process::Stopped {
            return;
        }
        self.inbox.push_back(happening);
        self.run(now);
    }

    /// What happens to a host whose process does not run: the link's state, and what the next process
    /// will be told to do.
    fn outlive(&mut self, happening: &Happening) {
        match (happening, &mut self.election) {
            // Not the process but the host has the link: whatever runs next finds it like this.
            (Happening::Link { mac, up }, _) => (self.mac, self.is_up) = (*mac, *up),
            (Happening::Groups(groups), Some(election)) => election.groups.clone_from(groups),
            (Happening::Mute(is_mute), Some(election)) => election.is_mute = *is_mute,
            _ => {}
        }
    }

    pub(super) fn pause(&mut self) {
        if self.process == Process::Running {
            self.process = Process::Paused;
        }
    }

    /// The process runs again, notices how long it was away, and works off what has queued up.
    pub(super) fn resume(&mut self, now: Time) {
        if self.process != Process::Paused {
            return;
        }
        self.process = Process::Running;
        let own = self
            .election
            .as_ref()
            .map(|election| election.longest_pause());
        let limit = self
            .fence_after
            .map(|limit| own.map_or(limit, |own| own.min(limit)));
        if limit.is_some_and(|limit| now - self.ran_at > limit) {
            self.inbox.push_front(Happening::Fence);
        }
        self.run(now);
    }

    /// The process dies without a word.
    pub(super) fn stop(&mut self) {
        self.process = Process::Stopped;
        self.inbox.clear();
        self.arp = arp::Machine::new(self.config.clone());
        self.ndp = ndp::Machine::new(self.config.clone());
    }

    /// A new process takes the place of the former one, which dies if it lives.
    pub(super) fn restart(&mut self, boot: u64, now: Time) {
        self.stop();
        self.process = Process::Running;
        self.ran_at = now;
        let (mac, up) = (self.mac, self.is_up);
        for_both(&mut self.arp, &mut self.ndp, Input::Link { mac, up }, now);
        if let Some(election) = &mut self.election {
            election.restart(boot, up, now);
        }
        for router in &mut self.routers {
            router.restart(up, now);
        }
        self.run(now);
    }

    /// Does what is due at `now`.
    pub(super) fn run(&mut self, now: Time) {
        if self.process != Process::Running {
            return;
        }
        self.ran_at = now;
        while let Some(happening) = self.inbox.pop_front() {
            self.handle(happening, now);
            self.collect(now);
        }
        if let Some(election) = &mut self.election {
            election.run(now);
        }
        for router in &mut self.routers {
            router.run(now);
        }
        self.arp.handle_timeout(now);
        self.ndp.handle_timeout(now);
        self.collect(now);
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        let election = self
            .election
            .as_ref()
            .and_then(|election| election.poll_timeout());
        let routers = self
            .routers
            .iter()
            .filter_map(|router| router.machine.poll_timeout());
        let others = [self.arp.poll_timeout(), self.ndp.poll_timeout(), election];
        routers
            .chain(others.into_iter().flatten())
            .min()
            .filter(|_| self.process == Process::Running)
    }

    /// What the host did, oldest first.
    pub(super) fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    fn handle(&mut self, happening: Happening, now: Time) {
        match happening {
            Happening::Frame { frame, received } => return self.receive(&frame, received, now),
            Happening::Claim(claim) => return self.claim(claim, now),
            Happening::Elect(mut election) => {
                election.start(self.is_up, now);
                self.election = Some(election);
                return;
            }
            Happening::Route(mut router) => {
                router.start(self.is_up, now);
                return self.routers.push(*router);
            }
            _ => {}
        }
        let input = match &happening {
            Happening::Release(address) => Some(Input::Release(*address)),
            Happening::Renew(deadline) => Some(Input::Renew(*deadline)),
            Happening::Fence => Some(Input::Fence),
            Happening::Link { mac, up } => {
                (self.mac, self.is_up) = (*mac, *up);
                Some(Input::Link { mac: *mac, up: *up })
            }
            _ => None,
        };
        // Who owns what first: what is given up must not be announced again by what follows.
        for router in &mut self.routers {
            tell_router(router, &happening, now);
        }
        if let Some(election) = &mut self.election {
            tell(election, happening, now);
        }
        self.collect(now);
        if let Some(input) = input {
            for_both(&mut self.arp, &mut self.ndp, input, now);
        }
    }

    fn receive(&mut self, frame: &Frame, received: Time, now: Time) {
        let Some(datagram) = Datagram::of(frame) else {
            let input = Input::Frame {
                bytes: frame,
                received,
            };
            return for_both(&mut self.arp, &mut self.ndp, input, now);
        };
        if datagram.protocol == Protocol::Vrrp {
            return self
                .routers
                .iter_mut()
                .for_each(|router| router.receive(&datagram, received, now));
        }
        self.actions.extend(sender(frame).map(Action::Heard));
        if let Some(election) = &mut self.election {
            let Datagram {
                octets, hop_limit, ..
            } = datagram;
            election.input(
                ownership::Input::Datagram {
                    octets,
                    hop_limit,
                    received,
                },
                now,
            );
        }
    }

    fn claim(&mut self, claim: Claim, now: Time) {
        match claim.address {
            IpAddr::V4(_) => self.arp.handle_input(Input::Claim(claim), now),
            IpAddr::V6(_) => self.ndp.handle_input(Input::Claim(claim), now),
        }
    }

    /// Carries out what the election asks for, and gathers what the machines want done.
    fn collect(&mut self, now: Time) {
        self.gather();
        while let Some(demand) = self.next_demand() {
            match demand {
                Demand::Send {
                    protocol,
                    source,
                    destination,
                    octets,
                } => {
                    let octets = &octets;
                    let datagram = Datagram {
                        protocol,
                        source,
                        destination,
                        hop_limit: HOP_LIMIT,
                        octets,
                    };
                    self.actions
                        .push_back(Action::Sent(datagram.frame(self.mac)));
                }
                Demand::Claim(claim) => self.claim(claim, now),
                Demand::Release(address) => self.tell_both(Input::Release(address), now),
                Demand::Renew(deadline) => self.tell_both(Input::Renew(deadline), now),
                Demand::Announce(address) => self.tell_both(Input::Announce(address), now),
                Demand::Report(action) => self.actions.push_back(action),
            }
            self.gather();
        }
    }

    fn next_demand(&mut self) -> Option<Demand> {
        let elected = self
            .election
            .as_mut()
            .and_then(|election| election.next_demand());
        elected.or_else(|| self.routers.iter_mut().find_map(Router::next_demand))
    }

    fn tell_both(&mut self, input: Input<'_>, now: Time) {
        for_both(&mut self.arp, &mut self.ndp, input, now);
    }

    fn gather(&mut self) {
        let Self {
            arp, ndp, actions, ..
        } = self;
        let outputs = std::iter::from_fn(|| arp.poll_output().or_else(|| ndp.poll_output()));
        actions.extend(outputs.map(Action::from));
    }
}

fn for_both(arp: &mut arp::Machine, ndp: &mut ndp::Machine, input: Input<'_>, now: Time) {
    arp.handle_input(input, now);
    ndp.handle_input(input, now);
}

/// Hands the election what concerns it.
fn tell(election: &mut Election, happening: Happening, now: Time) {
    match happening {
        Happening::Fence => election.input(ownership::Input::Fence, now),
        Happening::Link { up, .. } => election.input(ownership::Input::Link { up }, now),
        Happening::Groups(groups) => election.configure(groups, now),
        Happening::Drain(drain) => election.input(ownership::Input::Drain(drain), now),
        Happening::Leave => election.input(ownership::Input::Leave, now),
        Happening::Order { node, drain } => {
            election.input(ownership::Input::Order { node: &node, drain }, now);
        }
        Happening::Mute(is_mute) => election.is_mute = is_mute,
        _ => {}
    }
}

/// Hands a virtual router what concerns it.
fn tell_router(router: &mut Router, happening: &Happening, now: Time) {
    match happening {
        Happening::Fence => router.input(vrrp::Input::Fence, now),
        Happening::Link { up, .. } => router.link(*up, now),
        Happening::Priority(priority) => router.input(vrrp::Input::Priority(*priority), now),
        Happening::Shutdown => router.input(vrrp::Input::Shutdown, now),
        _ => {}
    }
}

impl From<Output> for Action {
    fn from(output: Output) -> Self {
        match output {
            Output::Transmit(frame) => Self::Sent(frame),
            Output::JoinGroup(group) => Self::Joined(group),
            Output::LeaveGroup(group) => Self::Left(group),
            Output::Event(event) => Self::Reported(event),
        }
    }
}
