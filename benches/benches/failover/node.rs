//! What a node of ours runs: this program again, with the service and, but for keepalived, an
//! announcer that obeys its standard input.

use std::fmt;
use std::io::BufRead;
use std::str::FromStr;

use openelb_announce::Announcer;
use openelb_announce::announcer::{Event, Options};
use openelb_announce::ownership::{self, Profile};
use openelb_announce::vrrp;

use super::contender::{Adverts, REAL_TIME};
use super::process::Process;
use super::world::{ADDRESSES, Host};
use super::{desired, echo, floor};

/// What the process does beside serving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Nothing: keepalived decides who owns the address.
    Echo,
    /// Takes part in the election.
    Election(Profile),
    /// Is a VRRP router of both families.
    Vrrp(Adverts),
    /// Takes part in the election for many addresses, and serves none of them.
    Crowd(Crowd),
    /// Sends and receives as many packets as an election does, and does nothing else.
    Floor(Profile),
}

/// Many addresses of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Crowd {
    pub(crate) profile: Profile,
    pub(crate) count: u32,
    pub(crate) is_ipv6: bool,
}

/// The first argument of a node's process.
pub(crate) const ARGUMENT: &str = "node";

impl Role {
    /// Starts this program on `host` in this role.
    pub(crate) fn start(self, host: &Host) -> Process {
        let program = std::env::current_exe().unwrap();
        let line = format!("{} {ARGUMENT} {} {self}", program.display(), host.number);
        Process::start(host, &line)
    }

    fn is_real_time(self) -> bool {
        match self {
            Self::Echo | Self::Crowd(_) | Self::Floor(_) => false,
            Self::Election(profile) => profile == Profile::Fast,
            Self::Vrrp(adverts) => adverts.real_time,
        }
    }

    fn options(self) -> Options {
        let mut options = Options::default();
        // A crowd is as a user has it; elsewhere it is said, as it is to keepalived.
        if !matches!(self, Self::Crowd(_)) {
            options.priority = self.is_real_time().then_some(REAL_TIME);
        }
        options
    }
}

/// Does what the arguments say until standard input ends.
pub(crate) fn run(arguments: &[String]) {
    let number: u8 = arguments[0].parse().unwrap();
    let role: Role = arguments[1..].join(" ").parse().unwrap();
    if let Role::Floor(profile) = role {
        std::thread::spawn(move || floor::exchange(profile));
        std::io::stdin().lock().lines().for_each(drop);
        return;
    }
    if !matches!(role, Role::Crowd(_)) {
        for address in ADDRESSES {
            echo::serve(address, number);
        }
    }
    if role == Role::Echo {
        std::io::stdin().lock().lines().for_each(drop);
        return;
    }
    let announcer = Announcer::start(role.options()).unwrap();
    announcer.set(desired::of(role, number)).unwrap();
    obey(announcer);
}

/// Does what standard input says, one word a line.
fn obey(announcer: Announcer) {
    let mut announcer = Some(announcer);
    for line in std::io::stdin().lock().lines() {
        let Some(running) = &announcer else { continue };
        match line.unwrap().as_str() {
            DRAIN => running.drain(true),
            UNDRAIN => running.drain(false),
            TELL => tell(running),
            _ => announcer = None,
        }
    }
}

/// Says on standard output how often an address became ours since the last time.
fn tell(announcer: &Announcer) {
    while let Ok(event) = announcer.events().try_recv() {
        let is_acquired = match event {
            Event::Ownership { event, .. } => matches!(event, ownership::Event::Acquired { .. }),
            Event::Router { event, .. } => matches!(event, vrrp::Event::Active { .. }),
            _ => false,
        };
        if is_acquired {
            println!("{ACQUIRED}");
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Echo => write!(f, "echo"),
            Self::Election(profile) => write!(f, "election {profile}"),
            Self::Vrrp(Adverts {
                centiseconds,
                real_time,
            }) => write!(f, "vrrp {centiseconds} {real_time}"),
            Self::Crowd(Crowd {
                profile,
                count,
                is_ipv6,
            }) => write!(f, "crowd {profile} {count} {is_ipv6}"),
            Self::Floor(profile) => write!(f, "floor {profile}"),
        }
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words: Vec<&str> = text.split(' ').collect();
        match words.as_slice() {
            ["echo"] => Ok(Self::Echo),
            ["election", profile] => Ok(Self::Election(profile.parse().unwrap())),
            ["vrrp", centiseconds, real_time] => Ok(Self::Vrrp(Adverts {
                centiseconds: centiseconds.parse().unwrap(),
                real_time: real_time.parse().unwrap(),
            })),
            ["crowd", profile, count, is_ipv6] => Ok(Self::Crowd(Crowd {
                profile: profile.parse().unwrap(),
                count: count.parse().unwrap(),
                is_ipv6: is_ipv6.parse().unwrap(),
            })),
            ["floor", profile] => Ok(Self::Floor(profile.parse().unwrap())),
            _ => Err(format!("{text} is no role")),
        }
    }
}

/// What a node obeys: hand over; take part again; say [`ACQUIRED`] for each time; stop.
pub(crate) const DRAIN: &str = "drain";
pub(crate) const UNDRAIN: &str = "undrain";
pub(crate) const TELL: &str = "tell";
pub(crate) const STOP: &str = "stop";
/// An address became ours.
pub(crate) const ACQUIRED: &str = "acquired";
