//! Who is measured: our election, our VRRP, keepalived or FRR, each on the same three nodes.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use openelb_announce::ownership::Profile;
use openelb_benches::meter::clock;

use super::node::{self, Role};
use super::process::{Journal, Process};
use super::world::{Host, World};
use super::{frr, keepalived};

/// What runs on all three nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contender {
    /// Our election, with one of its profiles; `Fast` with a real-time thread, it is refused without.
    Election(Profile),
    /// Our VRRP.
    Vrrp(Adverts),
    /// keepalived, with the same timers.
    Keepalived(Adverts),
    /// FRR's `vrrpd`, with the same timers.
    Frr(Adverts),
}

/// How often a VRRP router speaks, and whether its thread is real-time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Adverts {
    pub(crate) centiseconds: u16,
    pub(crate) real_time: bool,
}

/// One node's programs.
pub(crate) struct Member {
    processes: Vec<Process>,
    /// What they said, as far as they say it to us.
    pub(crate) journal: Journal,
    joined: Instant,
}

impl Contender {
    /// Starts it on one node.
    pub(crate) fn join(self, world: &World, host: &Host) -> Member {
        let role = match self {
            Self::Election(profile) => Role::Election(profile),
            Self::Vrrp(adverts) => Role::Vrrp(adverts),
            Self::Keepalived(_) | Self::Frr(_) => Role::Echo,
        };
        let mut processes = vec![role.start(host)];
        let mut journal = processes[0].journal.clone();
        match self {
            Self::Keepalived(adverts) => {
                journal = Journal::default();
                processes.push(keepalived::start(world, host, adverts, &journal));
            }
            Self::Frr(adverts) => processes.extend(frr::start(world, host, adverts)),
            Self::Election(_) | Self::Vrrp(_) => {}
        }
        Member {
            processes,
            journal,
            joined: clock(),
        }
    }

    /// From its start, or from its return, until a node could take over.
    pub(crate) fn recovery(self) -> Duration {
        let start = Duration::from_millis(400);
        match self {
            Self::Election(profile) => {
                // It listens for D and at most T more before it takes part.
                profile.timing().dead_after() + profile.timing().interval() + start
            }
            Self::Vrrp(adverts) | Self::Keepalived(adverts) | Self::Frr(adverts) => {
                adverts.interval() * 2 + start
            }
        }
    }

    /// Between two beats or adverts: faults come at any moment of it.
    pub(crate) fn interval(self) -> Duration {
        match self {
            Self::Election(profile) => profile.timing().interval(),
            Self::Vrrp(adverts) | Self::Keepalived(adverts) | Self::Frr(adverts) => {
                adverts.interval()
            }
        }
    }

    /// Is it there, and chosen? `OPENELB_CONTENDER` keeps those whose name holds it, such as `Fast`.
    pub(crate) fn is_wanted(self) -> bool {
        let part = std::env::var("OPENELB_CONTENDER").unwrap_or_default();
        format!("{self:?}").contains(&part) && self.is_installed()
    }

    fn is_installed(self) -> bool {
        match self {
            Self::Election(_) | Self::Vrrp(_) => true,
            Self::Keepalived(_) => keepalived::is_installed(),
            Self::Frr(_) => frr::is_installed(),
        }
    }

    /// Between two datagrams of the client.
    pub(crate) fn pace(self) -> Duration {
        // What takes a second is not told finer; it is measured beside others, and disturbs them less.
        let is_slow = self.interval() > Duration::from_millis(100);
        Duration::from_micros(if is_slow { 1000 } else { 500 })
    }

    /// The longest outage that is promised after a silent death.
    pub(crate) fn bound(self) -> Duration {
        let millis = match self {
            Self::Election(Profile::Calm) => 3700,
            Self::Election(Profile::Normal) => 1100,
            Self::Election(Profile::Fast) => 350,
            Self::Vrrp(adverts) | Self::Keepalived(adverts) | Self::Frr(adverts) => {
                match adverts.centiseconds {
                    100 => 3700,
                    10 => 370,
                    other => 40 * u64::from(other),
                }
            }
        };
        Duration::from_millis(millis)
    }
}

impl Adverts {
    pub(crate) fn interval(self) -> Duration {
        Duration::from_millis(u64::from(self.centiseconds) * 10)
    }
}

impl Member {
    /// Ends everything without a word, the service too: the node is dead.
    pub(crate) fn die(&mut self) {
        self.processes.iter_mut().for_each(Process::kill);
    }

    /// Ends what still runs, and waits until it is gone: a new one finds no trace of the old.
    pub(crate) fn end(&mut self) {
        self.processes.iter_mut().for_each(Process::end);
    }

    /// Stops everything where it stands, the service too: the node is frozen.
    pub(crate) fn freeze(&mut self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Lets it go on.
    pub(crate) fn thaw(&mut self) {
        self.signal(Signal::SIGCONT);
        self.has_returned();
    }

    /// Ends the announcer in the ordinary way; the service goes on.
    pub(crate) fn leave(&mut self) {
        match self.processes.as_mut_slice() {
            [ours] => ours.say(node::STOP),
            [.., theirs] => theirs.terminate(),
            [] => {}
        }
    }

    /// Asks our announcer to hand over what it owns, or to take part again.
    pub(crate) fn drain(&mut self, draining: bool) {
        if let [ours] = self.processes.as_mut_slice() {
            ours.say(if draining { node::DRAIN } else { node::UNDRAIN });
        }
    }

    /// Asks our announcer to write into the journal what became of it; others do that unasked.
    pub(crate) fn tell(&mut self) {
        if let [ours] = self.processes.as_mut_slice() {
            ours.say(node::TELL);
        }
    }

    /// From now on the node has to find its place again.
    pub(crate) fn has_returned(&mut self) {
        self.joined = clock();
    }

    /// When it joined, or returned.
    pub(crate) fn joined(&self) -> Instant {
        self.joined
    }

    fn signal(&self, signal: Signal) {
        for process in &self.processes {
            process.signal(signal);
        }
    }
}

/// The VRRP priority of a node; nobody preempts, so it only tells who takes over first.
pub(crate) fn priority(number: u8) -> u8 {
    130 - 10 * number
}

/// The virtual routers of the address, one in each family.
pub(crate) const VRID: u8 = 51;
/// What real-time announcers run at.
pub(crate) const REAL_TIME: u8 = 50;
