//! The network side: what should be announced, handed to the announcer as one whole set.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use openelb_announce::Announcer;
use openelb_announce::announcer::{Announcement, Event, Options, StartError};
use openelb_announce::bgp::route::Route;
use openelb_announce::claim::{self, ConflictPhase};
use openelb_k8s::api;
use tokio::sync::mpsc;
use tracing::{error, info, warn};

use super::bgp::Bgp;
use super::rights::give_up_capabilities;
use crate::config::BgpConfig;
use crate::engine::AnnouncementStatus;
use crate::exit_code::{ExitCode, Failure};

/// Announces, or knows why not.
#[derive(Debug)]
pub(super) struct Speaker {
    is_silent: bool,
    bgp: Bgp,
    announcer: Option<Arc<Announcer>>,
    listener: Option<JoinHandle<()>>,
    desired: Vec<Announcement>,
    /// Why the last set was not taken over.
    trouble: Option<String>,
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
            desired: Vec::new(),
            trouble: None,
        }
    }

    /// Opens the network. Conflicts arrive at `conflicts` from then on.
    ///
    /// Unless the configuration needs the link, a daemon without `CAP_NET_RAW` runs all the same.
    pub(super) fn start(
        conflicts: mpsc::Sender<Conflict>,
        needs_link: bool,
    ) -> Result<Self, Failure> {
        // BGP first: what comes next gives up the capabilities that its thread needs.
        let bgp = Bgp::start()?;
        let announcer = match start_announcer() {
            Ok(announcer) => Arc::new(announcer),
            Err(failure) if !needs_link && failure.code == ExitCode::NotPermitted => {
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
        let weak = Arc::downgrade(&announcer);
        let thread = std::thread::Builder::new()
            .name("openelb-events".to_owned())
            .spawn(move || {
                // The weak reference is what ends this thread once the speaker is gone.
                while let Some(announcer) = weak.upgrade() {
                    match announcer.events().recv_timeout(PAUSE) {
                        Ok(event) => hear(event, &conflicts),
                        Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
                        Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return,
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
            desired: Vec::new(),
            trouble: None,
        })
    }

    /// Makes this the set of announced addresses; nothing is done when it is already.
    pub(super) fn announce(&mut self, desired: BTreeMap<IpAddr, Announcement>) {
        let desired: Vec<_> = desired.into_values().collect();
        if desired == self.desired {
            return;
        }
        self.desired.clone_from(&desired);
        let Some(announcer) = &self.announcer else {
            let needs_link = !self.is_silent && !self.desired.is_empty();
            self.trouble = needs_link.then(|| NO_LINK.to_owned());
            return;
        };
        info!(
            addresses = desired.len(),
            "the set of announced addresses changes"
        );
        self.trouble = announcer
            .announce(desired)
            .err()
            .map(|error| error.to_string());
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

    /// The BGP side, to be told something.
    pub(super) fn bgp_mut(&mut self) -> &mut Bgp {
        &mut self.bgp
    }

    /// Withdraws everything from the link, and ends the BGP sessions so that peers that keep routes
    /// over a restart keep them; returns when nothing is answered for any more.
    pub(super) fn stop(mut self) {
        self.bgp.stop();
        // The listening thread may hold the announcer for a moment longer and end it then.
        drop(self.announcer.take());
        if let Some(listener) = self.listener.take() {
            // A thread that panicked has said so on standard error.
            let _ = listener.join();
        }
        info!("everything is withdrawn from the link");
    }

    /// Whether the daemon was told not to announce.
    pub(super) fn is_silent(&self) -> bool {
        self.is_silent
    }

    /// Why the link hears nothing of what it should.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
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

/// How to probe, in the announcer's words.
pub(super) fn probe(probe: api::Probe) -> claim::Probe {
    match probe {
        api::Probe::Fast => claim::Probe::Fast,
        api::Probe::Standard => claim::Probe::Standard,
        api::Probe::Skip => claim::Probe::Skip,
    }
}

/// Opens the network and gives up every capability of this thread, and so of those it starts. What
/// opens sockets for interfaces that appear later is a thread of the announcer's own.
pub(crate) fn start_announcer() -> Result<Announcer, Failure> {
    let announcer = Announcer::start(Options::default()).map_err(|error| start_failure(&error))?;
    give_up_capabilities()?;
    Ok(announcer)
}

/// The failure to open the network, as the user sees it.
fn start_failure(error: &StartError) -> Failure {
    let (code, next) = match error {
        StartError::PacketSocket(_) => (
            ExitCode::NotPermitted,
            "run `setcap cap_net_raw+ep $(command -v openelb)`, or put \
             `AmbientCapabilities=CAP_NET_RAW` into the systemd unit, or run without the network: \
             `--no-announce`",
        ),
        _ => (ExitCode::Failed, "run without the network: `--no-announce`"),
    };
    // The announcer's own advice is for programs; the one for operators is below.
    let text = error.to_string();
    let fact = text.split("; ").next().unwrap_or_default().to_owned();
    Failure::new(code, format!("cannot announce: {fact}")).next(next)
}

fn hear(event: Event, conflicts: &mpsc::Sender<Conflict>) {
    match event {
        Event::Address { interface, event } => hear_about_address(&interface, event, conflicts),
        Event::Paused { pause } => {
            warn!(
                ?pause,
                "the process was kept from running; every address starts again"
            );
        }
        Event::Missed(count) => warn!(count, "events were missed; the status is complete"),
        _ => {}
    }
}

fn hear_about_address(interface: &str, event: claim::Event, conflicts: &mpsc::Sender<Conflict>) {
    match event {
        claim::Event::Probing(address) => info!(%address, interface, "probing"),
        claim::Event::Announced(address) => info!(%address, interface, "announced"),
        claim::Event::Released(address) => info!(%address, interface, "withdrawn"),
        claim::Event::Conflict {
            address,
            mac,
            phase,
        } => {
            warn!(%address, interface, %mac, ?phase, "another station uses the address");
            let cause = format!("{mac} uses it on {interface}");
            // A keeper that ended needs no conflicts any more.
            let is_lost = phase != ConflictPhase::Defended;
            let _ = conflicts.blocking_send(Conflict {
                address,
                cause,
                is_lost,
            });
        }
        claim::Event::GroupsExhausted { address, limit, .. } => {
            warn!(%address, interface, limit, "no solicited-node group left for the address");
        }
        other => info!(?other, interface, "the announcer reports"),
    }
}

const NO_LINK: &str = "layer 2 takes CAP_NET_RAW, without which the daemon was started; grant it and \
                       start the daemon again";

/// How long the listening thread may outlive the speaker.
const PAUSE: Duration = Duration::from_millis(100);

/// The state of an address that is announced and that nobody contests.
pub(super) const ANNOUNCED: &str = "announced";
