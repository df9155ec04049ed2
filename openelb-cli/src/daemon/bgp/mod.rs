//! The BGP side: configuration and routes handed to the speaker, its status and events out.

mod journal;
mod report;
mod routes;

use std::net::IpAddr;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use openelb_announce::announcer::speaker::{self, ConfigureError, SpeakerConfig, SpeakerOptions};
use openelb_announce::bgp::config::Config;
use openelb_announce::bgp::peer::Stop;
use openelb_announce::bgp::route::Route;
use openelb_announce::bgp::speaker::Change;
use tokio::sync::mpsc;
use tracing::{error, info};

use super::journal::Journal;
use super::rights::give_up_capabilities;
use super::speaker::News;
use crate::config::BgpConfig;
use crate::engine::{BgpReport, DrainState, DrainStep, EventsReport, RoutesReport};
use crate::exit_code::{ExitCode, Failure};

/// Speaks BGP, or knows why not.
#[derive(Debug)]
pub(super) struct Bgp {
    speaker: Option<Arc<speaker::Speaker>>,
    listener: Option<JoinHandle<()>>,
    journal: Arc<Mutex<Journal>>,
    config: Option<BgpConfig>,
    routes: Vec<Route>,
    is_synced: bool,
    drain: DrainState,
    /// Why the last configuration or set of routes was not taken over.
    trouble: Option<String>,
}

impl Bgp {
    /// A speaker that never says anything (`--no-announce`).
    pub(super) fn silent() -> Self {
        Self {
            speaker: None,
            listener: None,
            journal: Arc::default(),
            config: None,
            routes: Vec::new(),
            is_synced: false,
            drain: DrainState::No,
            trouble: None,
        }
    }

    /// Starts the thread of the speaker, which says nothing before it has a configuration. It must
    /// start while this thread still has the capabilities that the speaker needs.
    /// `news` hears when that thread ends by itself.
    pub(super) fn start(news: mpsc::Sender<News>) -> Result<Self, Failure> {
        let failed = |error: &dyn std::fmt::Display| {
            Failure::new(ExitCode::Failed, format!("cannot speak BGP: {error}"))
                .next("run without the network: `--no-announce`")
        };
        let speaker = speaker::Speaker::start(SpeakerOptions::default());
        let speaker = Arc::new(speaker.map_err(|error| failed(&error))?);
        let journal = Arc::<Mutex<Journal>>::default();
        let (weak, notes) = (Arc::downgrade(&speaker), Arc::clone(&journal));
        let listener = std::thread::Builder::new()
            .name("openelb-bgp-log".to_owned())
            .spawn(move || {
                // It opens nothing. What it cannot give up it does not use.
                let _ = give_up_capabilities();
                listen(&weak, &notes, &news);
            })
            .map_err(|error| failed(&error))?;
        Ok(Self {
            speaker: Some(speaker),
            listener: Some(listener),
            journal,
            ..Self::silent()
        })
    }

    /// Makes this what is announced, and to whom. Nothing is done where it is already so.
    ///
    /// `is_complete` says that nothing is missing any more that only the start kept back: then peers
    /// may forget what they kept from before (RFC 4724).
    pub(super) fn put_in_force(
        &mut self,
        config: Option<&BgpConfig>,
        routes: Vec<Route>,
        is_complete: bool,
    ) {
        if self.config.as_ref() != config {
            self.configure(config);
        }
        if self.routes != routes {
            self.routes = routes;
            self.announce();
        }
        if is_complete && !self.is_synced && self.config.is_some() {
            self.is_synced = true;
            self.tell(speaker::Speaker::synced);
        }
    }

    /// Whether there is something to drain: somebody speaks, and is configured.
    pub(super) fn can_drain(&self) -> bool {
        self.speaker.is_some() && self.config.is_some()
    }

    /// Whether it is drained, or on the way there.
    pub(super) fn is_draining(&self) -> bool {
        self.drain != DrainState::No
    }

    /// One step of taking this node out of service, or of bringing it back.
    pub(super) fn drain(&mut self, step: DrainStep) {
        match step {
            DrainStep::Announce => {
                self.drain = DrainState::Announced;
                self.tell(speaker::Speaker::drain);
                info!("draining: peers are asked to prefer other paths");
            }
            DrainStep::Withdraw => {
                self.drain = DrainState::Withdrawn;
                self.tell(speaker::Speaker::withdraw_all);
                info!("drained: every route is withdrawn");
            }
            DrainStep::Undo => {
                self.drain = DrainState::No;
                self.tell(speaker::Speaker::undrain);
                self.announce();
                info!("in service again: every route is announced as before");
            }
        }
    }

    /// How everything stands.
    pub(super) fn report(&self) -> BgpReport {
        let status = self.speaker.as_ref().map(|speaker| speaker.status());
        let mut report = report::of(status, self.config.as_ref());
        report.routes = self.routes.len();
        report.drain = self.drain;
        report.trouble = report.trouble.or_else(|| self.trouble.clone());
        report
    }

    /// What peers were told, or what they told; `None` when there is no such peer.
    pub(super) fn routes(&self, peer: Option<&str>, is_received: bool) -> Option<RoutesReport> {
        let speaker = self.speaker.as_ref()?;
        routes::of(speaker, peer, is_received)
    }

    /// Destinations that a peer with a session was not told of yet. Peers without one hear of
    /// everything when they have one.
    pub(super) fn pending(&self) -> Vec<IpAddr> {
        let speaker = self.speaker.as_ref().filter(|_| !self.routes.is_empty());
        speaker
            .map(|speaker| routes::pending(speaker))
            .unwrap_or_default()
    }

    /// What happened from a number on.
    pub(super) fn events(&self, from: Option<u64>) -> EventsReport {
        let journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        journal.since(from)
    }

    /// Whether there is a configuration.
    pub(super) fn is_configured(&self) -> bool {
        self.config.is_some()
    }

    /// Ends the sessions so that peers that keep routes over a restart keep them.
    pub(super) fn stop(mut self) {
        match self.speaker.take().map(Arc::try_unwrap) {
            Some(Ok(speaker)) => speaker.stop(Stop::Upgrade),
            // The listening thread holds it for a moment longer, and ends it in the same way.
            Some(Err(shared)) => drop(shared),
            None => {}
        }
        if let Some(listener) = self.listener.take() {
            // A thread that panicked has said so on standard error.
            let _ = listener.join();
        }
    }

    fn configure(&mut self, config: Option<&BgpConfig>) {
        let before = self.config.take();
        self.config = config.cloned();
        let Some(speaker) = &self.speaker else {
            return;
        };
        let Some(wanted) = config.map(wanted).or_else(|| before.as_ref().map(nobody)) else {
            return;
        };
        self.trouble = None;
        match speaker.configure(wanted) {
            Ok(applied) => {
                for applied in applied {
                    info!("BGP peer {}: {}", applied.peer, in_words(applied.change));
                }
            }
            Err(fault) => {
                let fault: ConfigureError = fault;
                error!(%fault, "the BGP configuration was not taken over");
                self.trouble = Some(fault.to_string());
            }
        }
    }

    fn announce(&mut self) {
        if self.drain == DrainState::Withdrawn {
            return;
        }
        info!(routes = self.routes.len(), "the set of BGP routes changes");
        let routes = self.routes.clone();
        self.tell(move |speaker| speaker.announce(routes));
    }

    fn tell(&mut self, what: impl FnOnce(&speaker::Speaker) -> Result<(), speaker::Ended>) {
        let outcome = self.speaker.as_deref().map(what);
        if let Some(Err(ended)) = outcome {
            error!(%ended, "BGP");
            self.trouble = Some(ended.to_string());
        }
    }
}

/// Writes down what happens. The weak reference is what ends it once the speaker is gone.
fn listen(speaker: &Weak<speaker::Speaker>, notes: &Mutex<Journal>, news: &mpsc::Sender<News>) {
    while let Some(speaker) = speaker.upgrade() {
        match speaker.event(PAUSE) {
            Ok(event) => {
                journal::log(&event);
                let mut notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
                journal::note(&mut notes, &event);
            }
            Err(RecvTimeoutError::Timeout) => {}
            // Its thread ended by itself, and nothing follows.
            Err(RecvTimeoutError::Disconnected) => {
                let why = speaker.status().err().map(|ended| ended.reason);
                let why = format!("BGP is spoken no more ({})", why.unwrap_or_default());
                let _ = news.blocking_send(News::Ended { why });
                return;
            }
        }
    }
}

/// What a new configuration did to a peer.
fn in_words(change: Change) -> String {
    match change {
        Change::Added => "added".to_owned(),
        Change::Live => "changed without touching the session".to_owned(),
        Change::Reset(field) => format!("the session starts again: {field} changed"),
        Change::Removed => "removed".to_owned(),
    }
}

fn wanted(config: &BgpConfig) -> SpeakerConfig {
    SpeakerConfig {
        bgp: Arc::new(config.speaker.clone()),
        bfd: config.bfd.clone(),
    }
}

/// The configuration of a speaker whose objects are gone: no peers, and nobody may connect.
fn nobody(before: &BgpConfig) -> SpeakerConfig {
    let speaker = &before.speaker;
    SpeakerConfig::from(Config::new(speaker.asn, speaker.router_id))
}

/// How long the listening thread may outlive the speaker.
const PAUSE: Duration = Duration::from_millis(100);
