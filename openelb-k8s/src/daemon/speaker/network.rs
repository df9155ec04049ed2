//! The network side: the announcer of the links and the BGP speaker, told what is desired.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use caps::{CapSet, Capability};
use openelb_announce::Announcer;
use openelb_announce::announcer::kernel_routes::{self, Ending};
use openelb_announce::announcer::speaker::{Speaker, SpeakerConfig, SpeakerOptions, SpeakerStatus};
use openelb_announce::announcer::{self, Options};
use openelb_announce::bgp::config::Config;
use openelb_announce::bgp::peer::Stop;
use openelb_announce::bgp::route::{PeerName, Route};
use openelb_announce::ownership::{self, How, Refusal};
use openelb_announce::vrrp::State;
use openelb_announce::{bfd, bgp, claim};
use tracing::{debug, error, info, warn};

use super::forwarding::Forwarding;
use crate::link::Wanted;
use crate::speaker::Desired;

/// Announces, as far as this process may.
#[derive(Debug)]
pub(super) struct Network {
    bgp: Arc<Speaker>,
    forwarding: Forwarding,
    /// `None`, with the reason in `no_link`: packet sockets cannot be opened.
    announcer: Option<Arc<Announcer>>,
    no_link: Option<String>,
    boot: u64,
    link: Wanted,
    config: Option<Config>,
    bfd: BTreeMap<PeerName, bfd::Settings>,
    routes: Vec<Route>,
    is_synced: bool,
    is_draining: bool,
    link_trouble: Option<String>,
    bgp_trouble: Option<String>,
    pub(super) noted: Arc<Noted>,
}

/// What happened, counted.
#[derive(Debug, Default)]
pub(super) struct Noted {
    /// Something did since somebody looked.
    pub(super) is_stirred: AtomicBool,
    /// Shards that came here because their owner fell silent, by interface.
    pub(super) takeovers: Mutex<BTreeMap<String, u64>>,
    /// Sightings of a foreign station that uses an address of ours.
    pub(super) conflicts: AtomicU64,
    /// What has ended by itself, and why: a speaker without it is worth nothing.
    pub(super) ended: OnceLock<String>,
    /// The threads that listen are to let go of what they listen to.
    is_ending: AtomicBool,
}

/// How everything stands.
#[derive(Debug, Default)]
pub(super) struct Sight {
    pub(super) addresses: Vec<announcer::AddressStatus>,
    pub(super) segments: Vec<announcer::SegmentStatus>,
    pub(super) routers: Vec<announcer::RouterStatus>,
    pub(super) bgp: SpeakerStatus,
    /// Learned routes in the kernel; `None`: there are to be none.
    pub(super) kernel: Option<kernel_routes::Status>,
}

impl Network {
    /// Opens the network and gives up the capabilities of the calling thread, and so of those that it
    /// starts. Without `CAP_NET_RAW` only BGP is spoken. `boot` rises with every start.
    pub(super) fn start(boot: u64) -> std::io::Result<Self> {
        let failed = |error: &dyn std::fmt::Display| std::io::Error::other(error.to_string());
        // BGP first: what comes next gives up the capabilities that its thread needs.
        let bgp = Speaker::start(SpeakerOptions::default()).map_err(|error| failed(&error))?;
        let forwarding = Forwarding::start()?;
        let may_configure = caps::has_cap(None, CapSet::Permitted, Capability::CAP_NET_ADMIN);
        let announcer = Announcer::start(Options {
            configures_links: may_configure.unwrap_or(false),
            ..Options::default()
        });
        let (announcer, no_link) = match announcer {
            Ok(announcer) => (Some(Arc::new(announcer)), None),
            Err(error) => (None, Some(error.to_string())),
        };
        for set in [
            CapSet::Ambient,
            CapSet::Inheritable,
            CapSet::Effective,
            CapSet::Permitted,
        ] {
            caps::clear(None, set).map_err(|error| failed(&error))?;
        }
        let network = Self {
            bgp: Arc::new(bgp),
            forwarding,
            announcer,
            no_link,
            boot,
            link: Wanted::default(),
            config: None,
            bfd: BTreeMap::new(),
            routes: Vec::new(),
            is_synced: false,
            is_draining: false,
            link_trouble: None,
            bgp_trouble: None,
            noted: Arc::default(),
        };
        network.listen()?;
        Ok(network)
    }

    /// Makes this what the network hears. Nothing is done where it is so already.
    ///
    /// It is called with complete sets only: the first one tells peers that they may forget what they
    /// kept from a former life and did not hear of again (RFC 4724).
    pub(super) fn put_in_force(&mut self, desired: &Desired) {
        if desired.link != self.link {
            self.link = desired.link.clone();
            self.announce();
        }
        let config = &desired.bgp.config;
        if *config != self.config || desired.bgp.bfd != self.bfd {
            self.bfd.clone_from(&desired.bgp.bfd);
            self.configure(config.clone());
        }
        if desired.routes != self.routes {
            self.routes.clone_from(&desired.routes);
            info!(routes = self.routes.len(), "the set of BGP routes changes");
            let told = self.bgp.announce(self.routes.clone());
            self.bgp_trouble = told.err().map(|ended| ended.to_string());
        }
        if !self.is_synced && self.config.is_some() {
            self.is_synced = true;
            let told = self.bgp.synced();
            self.bgp_trouble = told.err().map(|ended| ended.to_string());
        }
        self.forwarding.want(desired.pods.kernel);
        self.forwarding.refresh(&self.bgp);
        self.noted.is_stirred.store(true, Ordering::Relaxed);
    }

    /// How everything stands.
    pub(super) fn look(&self) -> Sight {
        let announcer = self.announcer.as_ref();
        Sight {
            addresses: announcer.map(|it| it.status()).unwrap_or_default(),
            segments: announcer.map(|it| it.segments()).unwrap_or_default(),
            routers: announcer.map(|it| it.routers()).unwrap_or_default(),
            bgp: self.bgp.status().unwrap_or_default(),
            kernel: self.forwarding.status(),
        }
    }

    /// What keeps it from announcing what it should.
    pub(super) fn troubles(&self, sight: &Sight) -> Vec<String> {
        let needs_link = !self.link.announcements.is_empty();
        let no_link = self.no_link.iter().filter(|_| needs_link).cloned();
        let ended = self.announcer.as_ref().and_then(|it| it.failure());
        let own = self.link_trouble.iter().chain(&self.bgp_trouble).cloned();
        let listeners = sight.bgp.listeners.iter().filter_map(|listener| {
            let problem = listener.problem.as_ref()?;
            Some(format!("BGP at {}: {problem}", listener.address))
        });
        let bfd = sight.bgp.bfd.iter().filter_map(|session| {
            let problem = session.problem.as_ref()?;
            Some(format!("BFD with {}: {problem}", session.id))
        });
        let peers = sight.bgp.peers.iter().filter_map(|peer| {
            let hint = peer.hint.as_ref()?;
            Some(format!("BGP peer {}: {hint}", peer.name))
        });
        let segments = sight.segments.iter().flat_map(|segment| {
            let place = &segment.interface;
            let failures = segment.failures.iter();
            let failures = failures.map(move |why| format!("election on {place}: {why}"));
            failures.chain(left_out(segment)).chain(other_key(segment))
        });
        let idle = sight
            .routers
            .iter()
            .filter(|it| it.state == State::Initialize);
        let routers = idle.filter_map(|router| {
            let problem = router.last_error.as_ref()?;
            let (name, place) = (&router.name, &router.interface);
            Some(format!("virtual router {name} on {place}: {problem}"))
        });
        let warnings = sight.addresses.iter().flat_map(|it| &it.warnings);
        let warnings = warnings.map(ToString::to_string);
        let found = no_link.chain(ended).chain(own).chain(listeners).chain(bfd);
        let found = found
            .chain(peers)
            .chain(segments)
            .chain(routers)
            .chain(warnings);
        found
            .chain(sight.kernel.iter().flat_map(in_kernel))
            .collect()
    }

    /// Asks everybody to prefer others, while everything stays announced: peers by `GRACEFUL_SHUTDOWN`
    /// (RFC 8326), other nodes by handing shards over, virtual routers by priority 0.
    pub(super) fn drain(&mut self) {
        self.is_draining = true;
        self.announce();
        let _ = self.bgp.drain();
    }

    /// Whether nothing is left on the links that another node could have.
    pub(super) fn is_handed_over(&self) -> bool {
        let segments = self.announcer.as_ref().map(|it| it.segments());
        segments.iter().flatten().all(|segment| {
            let takers = segment.status.nodes.iter();
            let mut takers = takers.filter(|node| !node.is_draining && !node.is_leaving);
            let owns = segment.shards.iter().any(|shard| shard.owned_for.is_some());
            !owns || takers.next().is_none()
        })
    }

    /// Whether a BGP session is up.
    pub(super) fn has_session(&self) -> bool {
        let peers = self
            .bgp
            .status()
            .map(|status| status.peers)
            .unwrap_or_default();
        let mut peers = peers.iter();
        peers.any(|peer| peer.state == bgp::peer::State::Established)
    }

    /// Withdraws every route; the sessions stay.
    pub(super) fn withdraw(&self) {
        let _ = self.bgp.withdraw_all();
    }

    /// Answers for nothing any more and ends the sessions. Returns when the peers have heard it, or
    /// did not within seconds.
    pub(super) fn stop(self, stop: &Stop) {
        // Whoever is the last to hold the speaker ends its sessions, and only here it is known how: a
        // thread that listened on would make it the end of a restart, through which routes are kept.
        self.noted.is_ending.store(true, Ordering::Relaxed);
        // The link first: other nodes wait for nothing else than to hear that this one leaves.
        let announcer = self.announcer.as_ref().map(Arc::downgrade);
        drop(self.announcer);
        self.forwarding.end(if matches!(stop, Stop::Upgrade) {
            Ending::Keep
        } else {
            Ending::Remove
        });
        let is_held = || announcer.as_ref().is_some_and(|it| it.strong_count() > 0);
        let mut bgp = Some(self.bgp);
        for _ in 0..ATTEMPTS {
            bgp = match bgp.map(Arc::try_unwrap) {
                Some(Ok(speaker)) => {
                    speaker.stop(stop.clone());
                    None
                }
                Some(Err(shared)) => Some(shared),
                None => None,
            };
            if bgp.is_none() && !is_held() {
                return;
            }
            std::thread::sleep(PATIENCE);
        }
    }

    fn announce(&mut self) {
        let Some(announcer) = &self.announcer else {
            return;
        };
        let desired = self.link.desired(self.boot, self.is_draining);
        info!(
            addresses = desired.announcements.len(),
            "the set of announced addresses changes"
        );
        self.link_trouble = announcer.set(desired).err().map(|error| error.to_string());
        if let Some(trouble) = &self.link_trouble {
            warn!(%trouble, "the announcer did not take the set over");
        }
    }

    fn configure(&mut self, config: Option<Config>) {
        // Without a configuration there are no peers, and nobody may connect.
        let nobody = self
            .config
            .as_ref()
            .map(|it| Config::new(it.asn, it.router_id));
        let wanted = config.clone().or(nobody);
        self.config = config;
        let Some(bgp) = wanted.map(Arc::new) else {
            return;
        };
        let bfd = self.bfd.clone();
        let wanted = SpeakerConfig { bgp, bfd };
        match self.bgp.configure(wanted) {
            Ok(applied) => {
                self.bgp_trouble = None;
                for applied in applied {
                    info!(peer = %applied.peer, change = ?applied.change, "BGP peer configured");
                }
            }
            Err(error) => {
                warn!(%error, "the BGP configuration was not taken over");
                self.bgp_trouble = Some(error.to_string());
            }
        }
    }

    /// Starts the threads that write down what happens; they end with what they listen to.
    fn listen(&self) -> std::io::Result<()> {
        let (speaker, noted) = (Arc::downgrade(&self.bgp), Arc::clone(&self.noted));
        let forwarding = self.forwarding.clone();
        let threads = std::thread::Builder::new;
        threads()
            .name("openelb-bgp-log".to_owned())
            .spawn(move || {
                while let Some(speaker) = noted.unless_ending(&speaker) {
                    match speaker.event(PATIENCE) {
                        Ok(event) => {
                            noted.is_stirred.store(true, Ordering::Relaxed);
                            info!("BGP {event}");
                            forwarding.refresh(&speaker);
                        }
                        Err(RecvTimeoutError::Timeout) => {}
                        Err(RecvTimeoutError::Disconnected) => {
                            let why = speaker.status().err().map(|ended| ended.reason);
                            let why = why.unwrap_or_default();
                            return noted.tell_end(&format!("BGP is spoken no more ({why})"));
                        }
                    }
                }
            })?;
        let Some(announcer) = &self.announcer else {
            return Ok(());
        };
        let (announcer, noted) = (Arc::downgrade(announcer), Arc::clone(&self.noted));
        threads()
            .name("openelb-link-log".to_owned())
            .spawn(move || {
                while let Some(announcer) = noted.unless_ending(&announcer) {
                    match announcer.events().recv_timeout(PATIENCE) {
                        Ok(event) => noted.hear(&event),
                        Err(RecvTimeoutError::Timeout) => {}
                        Err(RecvTimeoutError::Disconnected) => {
                            let why = announcer.failure().unwrap_or_default();
                            return noted.tell_end(&format!("the announcer has ended ({why})"));
                        }
                    }
                }
            })?;
        Ok(())
    }
}

impl Sight {
    /// The addresses that no node has because a beat cannot carry their group.
    pub(super) fn left_out(&self) -> BTreeSet<IpAddr> {
        let short = self.segments.iter();
        let short = short.filter(|it| it.status.counters.groups_left_out > 0);
        let addresses = short.flat_map(|segment| {
            let carried = segment.status.groups.iter().map(|it| it.group.id());
            let carried: BTreeSet<_> = carried.collect();
            let shards = segment.shards.iter();
            let lost = shards.filter(move |it| !carried.contains(&it.shard.group));
            lost.flat_map(|it| it.addresses.iter().copied())
        });
        addresses.collect()
    }
}

/// What keeps learned routes out of the kernel.
fn in_kernel(status: &kernel_routes::Status) -> Vec<String> {
    let problem = status.problem.iter().cloned();
    let refused = status.refused.iter().map(|refused| {
        let (destination, why) = (refused.destination, &refused.why);
        format!("route to {destination}: {why}")
    });
    problem.chain(refused).collect()
}

/// Why services of a link have no owner, when a beat cannot carry every group.
fn left_out(segment: &announcer::SegmentStatus) -> Option<String> {
    let count = segment.status.counters.groups_left_out;
    (count > 0).then(|| {
        format!(
            "election on {}: {count} groups are more than a beat can carry, and no node has their \
             addresses; each service with externalTrafficPolicy Local is a group: set Cluster for \
             some, or spread them over several interfaces",
            segment.interface
        )
    })
}

/// Nodes that do not believe each other do not share: each announces everything.
fn other_key(segment: &announcer::SegmentStatus) -> Option<String> {
    let refused = &segment.status.counters.refused;
    let reasons = [Refusal::Key, Refusal::Signature];
    let is_heard = |reason| refused.get(&reason).is_some_and(|count| *count > 0);
    reasons.into_iter().any(is_heard).then(|| {
        format!(
            "election on {}: a node with another key was heard since this process started, and each \
             announces what is the other's as well; give all nodes the same keys",
            segment.interface
        )
    })
}

impl Noted {
    /// What a thread listens to, for one turn.
    fn unless_ending<T>(&self, source: &Weak<T>) -> Option<Arc<T>> {
        let is_ending = self.is_ending.load(Ordering::Relaxed);
        source.upgrade().filter(|_| !is_ending)
    }

    fn tell_end(&self, why: &str) {
        error!(why, "a thread of the speaker has ended by itself");
        // The first reason is the one that counts.
        let _ = self.ended.set(why.to_owned());
    }

    /// Counts what is counted; what an operator wants to hear of at night is a warning.
    fn hear(&self, event: &announcer::Event) {
        self.is_stirred.store(true, Ordering::Relaxed);
        match event {
            announcer::Event::Address {
                interface,
                event: claim::Event::Conflict { address, mac, .. },
            } => {
                self.conflicts.fetch_add(1, Ordering::Relaxed);
                warn!(%address, %mac, %interface, "another station uses an address of ours");
            }
            announcer::Event::Ownership {
                interface,
                event: ownership::Event::Acquired { how, .. },
            } => {
                if *how == How::Takeover {
                    let mut takeovers = self
                        .takeovers
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner);
                    *takeovers.entry(interface.to_string()).or_default() += 1;
                }
                debug!(%interface, ?how, "a shard of the election came here");
            }
            announcer::Event::Ownership {
                interface,
                event:
                    event @ (ownership::Event::Refused { .. }
                    | ownership::Event::DuplicateNode(_)
                    | ownership::Event::Mismatch { .. }),
            } => {
                // Each is told once for a node and reason.
                warn!(%interface, ?event, "the election hears what it cannot believe or agree with");
            }
            announcer::Event::Ownership { interface, event } => {
                debug!(%interface, ?event, "election");
            }
            announcer::Event::Paused { pause, lapsed } => {
                warn!(
                    ?pause,
                    lapsed, "this process did not run; what lapsed starts again"
                );
            }
            other => debug!(event = ?other, "link"),
        }
    }
}

/// How long a listening thread may outlive what it listens to.
const PATIENCE: Duration = Duration::from_millis(100);

const ATTEMPTS: usize = 20;
