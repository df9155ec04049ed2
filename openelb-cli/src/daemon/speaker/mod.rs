//! The network side: what should be announced, handed to the announcer as one whole set.

mod drain;
mod start;

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use openelb_announce::Announcer;
use openelb_announce::announcer::{Event, Owner, State};
use openelb_announce::bgp::route::Route;
use openelb_announce::claim::{self, ConflictPhase};
use openelb_announce::ownership;
use openelb_ipam::dynamic_prefix;
use openelb_ipam::relative::PrefixName;
use openelb_k8s::link::Wanted;
use tokio::sync::mpsc;
use tracing::{error, info};

use super::bgp::Bgp;
use super::link::{self, Notes};
use super::rights::give_up_capabilities;
use crate::clock;
use crate::config::BgpConfig;
use crate::engine::{AnnouncementStatus, DrainStep, ElectionReport, EventsReport, VrrpReport};
use crate::exit_code::{ExitCode, Failure};

use self::start::{in_words, start_announcer_for, trouble};

pub(super) use self::start::Needs;
pub(crate) use self::start::start_announcer;

/// Announces, or knows why not.
#[derive(Debug)]
pub(super) struct Speaker {
    is_silent: bool,
    bgp: Bgp,
    announcer: Option<Arc<Announcer>>,
    listener: Option<JoinHandle<()>>,
    /// Which start of this node it is: later ones have higher numbers.
    boot: u64,
    wanted: Wanted,
    is_draining: bool,
    notes: Arc<Notes>,
    /// Why the last set was not taken over.
    trouble: Option<String>,
}

/// What the network tells the daemon to act upon.
#[derive(Debug)]
pub(super) enum News {
    /// A foreign station uses one of our addresses.
    Conflict(Conflict),
    /// A source says something of a prefix.
    Prefix {
        /// The prefix.
        name: PrefixName,
        /// What it says.
        input: dynamic_prefix::Input,
    },
    /// Another node told this one to drain, or to take part again.
    Ordered {
        /// Which node.
        by: String,
        /// What to do.
        step: DrainStep,
    },
    /// What speaks to the network has ended by itself: addresses are announced no more.
    Ended {
        /// Which part, and why.
        why: String,
    },
}

/// A foreign station uses one of our addresses.
#[derive(Debug)]
pub(super) struct Conflict {
    /// The address.
    pub(super) address: IpAddr,
    /// Who and where, for people.
    pub(super) cause: String,
    /// Whether the address is silent because of it. While announced it is defended instead
    /// (RFC 5227 section 2.4): a single stray frame must not renumber a running service.
    pub(super) is_lost: bool,
}

impl Speaker {
    /// A speaker that never says anything (`--no-announce`).
    pub(super) fn silent() -> Self {
        Self {
            is_silent: true,
            bgp: Bgp::silent(),
            announcer: None,
            listener: None,
            boot: clock::now().0.saturating_mul(NANOSECONDS),
            wanted: Wanted::default(),
            is_draining: false,
            notes: Arc::default(),
            trouble: None,
        }
    }

    /// Opens the network. What the daemon must act upon arrives at `news` from then on.
    ///
    /// Unless the configuration needs the link, a daemon without `CAP_NET_RAW` runs all the same.
    pub(super) fn start(news: mpsc::Sender<News>, needs: Needs) -> Result<Self, Failure> {
        // BGP first: what comes next gives up the capabilities that its thread needs.
        let bgp = Bgp::start(news.clone())?;
        let announcer = match start_announcer_for(needs) {
            Ok(announcer) => Arc::new(announcer),
            Err(failure) if !needs.link && failure.code == ExitCode::NotPermitted => {
                info!("no layer 2, which is not needed: {}", failure.message);
                give_up_capabilities()?;
                return Ok(Self {
                    is_silent: false,
                    bgp,
                    ..Self::silent()
                });
            }
            Err(failure) => return Err(failure),
        };
        let notes = Arc::<Notes>::default();
        let (weak, journal) = (Arc::downgrade(&announcer), Arc::clone(&notes));
        let thread = std::thread::Builder::new()
            .name("openelb-events".to_owned())
            .spawn(move || {
                // The weak reference is what ends this thread once the speaker is gone.
                while let Some(announcer) = weak.upgrade() {
                    let patience = if journal.is_settled() { PAUSE } else { SETTLED };
                    match announcer.events().recv_timeout(patience) {
                        Ok(event) => {
                            journal.hear(&event);
                            tell(event, &news);
                        }
                        Err(std::sync::mpsc::RecvTimeoutError::Timeout) => journal.settle(),
                        Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => {
                            let why = announcer.failure().unwrap_or_default();
                            let why = format!("addresses are answered for no more ({why})");
                            let _ = news.blocking_send(News::Ended { why });
                            return;
                        }
                    }
                }
            })
            .map_err(|error| {
                Failure::new(ExitCode::Failed, format!("cannot start a thread: {error}"))
            })?;
        Ok(Self {
            is_silent: false,
            bgp,
            announcer: Some(announcer),
            listener: Some(thread),
            notes,
            ..Self::silent()
        })
    }

    /// Makes this what the network hears; nothing is done when it is so already.
    pub(super) fn announce(&mut self, wanted: Wanted) {
        if wanted != self.wanted {
            self.wanted = wanted;
            self.put_in_force();
        }
    }

    fn put_in_force(&mut self) {
        let Some(announcer) = &self.announcer else {
            let needs_link = !self.is_silent && !self.wanted.announcements.is_empty();
            self.trouble = needs_link.then(|| NO_LINK.to_owned());
            return;
        };
        let groups = self
            .wanted
            .contest
            .iter()
            .flat_map(|contest| &contest.groups);
        self.notes.learn(groups.map(|group| &group.name));
        let desired = self.wanted.desired(self.boot, self.is_draining);
        info!(
            addresses = desired.announcements.len(),
            "the set of announced addresses changes"
        );
        self.trouble = announcer.set(desired).err().map(|error| trouble(&error));
        if let Some(trouble) = &self.trouble {
            error!(%trouble, "the announcer did not take the set over");
        }
    }

    /// Makes this the BGP speaker and its routes.
    pub(super) fn announce_routes(
        &mut self,
        config: Option<&BgpConfig>,
        routes: Vec<Route>,
        is_complete: bool,
    ) {
        self.bgp.put_in_force(config, routes, is_complete);
    }

    /// The BGP side.
    pub(super) fn bgp(&self) -> &Bgp {
        &self.bgp
    }

    /// Whether nobody but this host decides on an address: then a conflict means a stranger. Of one
    /// that is elected, or of a virtual router, the other station may just be the owner.
    pub(super) fn is_sole(&self, address: IpAddr) -> bool {
        let announcement = self.wanted.announcements.get(&address);
        announcement.is_none_or(|announcement| announcement.owner == Owner::Sole)
    }

    /// The election as it stands; `None` without a `Layer2Conf`.
    pub(super) fn election(&self) -> Option<ElectionReport> {
        let contest = self.wanted.contest.as_ref()?;
        let segments = self.announcer.as_ref();
        let segments = segments
            .map(|announcer| announcer.segments())
            .unwrap_or_default();
        let report = link::election_report(contest, &segments, &self.notes.open());
        let scheduling = self.announcer.as_ref().map(|it| in_words(it.scheduling()));
        Some(ElectionReport {
            draining: self.is_draining,
            scheduling,
            trouble: self.link_trouble(),
            ..report
        })
    }

    /// The virtual routers as they stand; `None` without any.
    pub(super) fn vrrp(&self) -> Option<VrrpReport> {
        let wanted = &self.wanted.routers;
        let running = self.announcer.as_ref();
        let running = running
            .map(|announcer| announcer.routers())
            .unwrap_or_default();
        let trouble = self.link_trouble();
        (!wanted.is_empty()).then(|| link::vrrp_report(wanted, &running, trouble.as_deref()))
    }

    /// What happened on the links from a number on.
    pub(super) fn events(&self, from: Option<u64>) -> EventsReport {
        self.notes.open().journal.since(from)
    }

    fn link_trouble(&self) -> Option<String> {
        let silent = self.is_silent.then(|| "off (--no-announce)".to_owned());
        silent.or_else(|| self.trouble.clone())
    }

    /// Hands over to other nodes what they can have, withdraws the rest from the link, and ends the
    /// BGP sessions so that peers that keep routes over a restart keep them; returns when nothing is
    /// answered for any more.
    pub(super) fn stop(mut self) {
        // The link first: other nodes wait for nothing else than to hear that this one leaves.
        // The listening thread may hold the announcer for a moment longer and end it then.
        drop(self.announcer.take());
        if let Some(listener) = self.listener.take() {
            // A thread that panicked has said so on standard error.
            let _ = listener.join();
        }
        info!("everything is handed over or withdrawn from the link");
        self.bgp.stop();
    }

    /// Whether the daemon was told not to announce.
    pub(super) fn is_silent(&self) -> bool {
        self.is_silent
    }

    /// Why the link hears nothing of what it should.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Addresses that are about to be announced: a link still asks whether somebody has them, or a BGP
    /// peer was not told yet. Those that others answer for, or that cannot be announced, are not
    /// among them.
    pub(super) fn unfinished(&self) -> Vec<IpAddr> {
        let status = self.announcer.iter().flat_map(|it| it.status());
        let is_open = |state: &State| matches!(state, State::Probing | State::Waiting);
        let finished = status.filter(|it| !is_open(&it.state()));
        let finished: HashSet<IpAddr> = finished.map(|status| status.address).collect();
        // What was handed over a moment ago has no status yet.
        let wanted = self
            .announcer
            .iter()
            .flat_map(|_| self.wanted.announcements.keys());
        let open = wanted.filter(|address| !finished.contains(address));
        open.copied().chain(self.bgp.pending()).collect()
    }

    /// `on`, or why nothing is announced.
    pub(super) fn summary(&self) -> String {
        match (&self.announcer, &self.trouble) {
            (None, None) if self.is_silent => "off (--no-announce)".to_owned(),
            (None, None) => "on, BGP only".to_owned(),
            (None, Some(trouble)) => format!("in trouble: {trouble}"),
            (Some(_), None) => "on".to_owned(),
            (Some(_), Some(trouble)) => format!("in trouble: {trouble}"),
        }
    }

    /// How every address stands on the network.
    pub(super) fn status(&self) -> Vec<AnnouncementStatus> {
        let Some(announcer) = &self.announcer else {
            return Vec::new();
        };
        let status = announcer
            .status()
            .into_iter()
            .map(|status| AnnouncementStatus {
                address: status.address,
                interfaces: status
                    .places
                    .iter()
                    .map(|place| place.interface.clone())
                    .collect(),
                state: status.state().to_string(),
                warnings: status
                    .missing
                    .iter()
                    .map(ToString::to_string)
                    .chain(status.warnings.iter().map(ToString::to_string))
                    .collect(),
            });
        status.collect()
    }
}

/// Tells the daemon what it must act upon. A daemon that is ending needs no news any more.
fn tell(event: Event, news: &mpsc::Sender<News>) {
    let told = match event {
        Event::Address {
            interface,
            event:
                claim::Event::Conflict {
                    address,
                    mac,
                    phase,
                },
        } => News::Conflict(Conflict {
            address,
            cause: format!("{mac} uses it on {interface}"),
            is_lost: phase != ConflictPhase::Defended,
        }),
        Event::Ownership {
            event: ownership::Event::Ordered { by, drain },
            ..
        } => News::Ordered {
            by: by.to_string(),
            step: if drain {
                DrainStep::Announce
            } else {
                DrainStep::Undo
            },
        },
        _ => return,
    };
    let _ = news.blocking_send(told);
}

const NO_LINK: &str = "layer 2 takes CAP_NET_RAW, without which the daemon was started; grant it and \
                       start the daemon again";

/// Allocations count in milliseconds, elections in nanoseconds.
const NANOSECONDS: u64 = 1_000_000;

/// Shards that move together are told of within a few milliseconds of each other.
const SETTLED: Duration = Duration::from_millis(20);

/// How long the listening thread may outlive the speaker.
const PAUSE: Duration = Duration::from_millis(100);

/// The state of an address that is announced and that nobody contests.
pub(super) const ANNOUNCED: &str = "announced";
