//! Where BFD and BGP meet: peers that ask for it are watched, and what BFD sees is told to BGP.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{AbortHandle, spawn_local};

use super::letters::{Letter, Letters};
use super::outbox::Event;
use super::reactor::Reactor;
use crate::announcer::liveness::{self, Liveness, Options, SessionId, SessionStatus, Target};
use crate::announcer::mailbox::Mailbox;
use crate::bfd::{PathState, Settings};
use crate::bgp::peer;
use crate::bgp::route::PeerName;
use crate::bgp::speaker::{Input, Watched};

/// The BFD sessions of this speaker's peers. Its thread runs while there are any.
pub(super) struct Watch {
    mailbox: Arc<Mailbox<Letters>>,
    settings: BTreeMap<PeerName, Settings>,
    peers: BTreeMap<PeerName, Watched>,
    running: Option<Running>,
    sessions: BTreeMap<SessionId, PeerName>,
    paths: BTreeMap<SessionId, PathState>,
}

struct Running {
    liveness: Rc<Liveness>,
    heart: AbortHandle,
}

impl Watch {
    /// Nobody is watched yet; what BFD sees is left in `mailbox`.
    pub(super) fn new(mailbox: Arc<Mailbox<Letters>>) -> Self {
        Self {
            mailbox,
            settings: BTreeMap::new(),
            peers: BTreeMap::new(),
            running: None,
            sessions: BTreeMap::new(),
            paths: BTreeMap::new(),
        }
    }

    /// How each peer is to be watched.
    pub(super) fn configure(&mut self, reactor: &Reactor, settings: BTreeMap<PeerName, Settings>) {
        if self.settings != settings {
            self.settings = settings;
            self.apply(reactor);
        }
    }

    /// Which peers are to be watched.
    pub(super) fn set(&mut self, reactor: &Reactor, mut peers: BTreeMap<PeerName, Watched>) {
        for (name, watched) in &mut peers {
            let former = self.peers.get(name);
            let is_same = former.is_some_and(|former| former.remote == watched.remote);
            // Our address is part of a session's name: it must not go with the BGP session, or BFD
            // would begin again whenever BGP does.
            if watched.local.is_none() && is_same {
                watched.local = former.and_then(|former| former.local);
            }
        }
        if self.peers != peers {
            self.peers = peers;
            self.apply(reactor);
        }
    }

    /// BFD sees something new.
    pub(super) fn hear(&mut self, reactor: &Reactor, session: SessionId, path: PathState) {
        if let Some(peer) = self.sessions.get(&session) {
            tell(reactor, peer, path);
        }
        self.paths.insert(session, path);
    }

    /// How the sessions stand.
    pub(super) fn status(&self) -> Vec<SessionStatus> {
        self.running
            .as_ref()
            .map(|running| running.liveness.status())
            .unwrap_or_default()
    }

    /// Is anybody watched?
    pub(super) const fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Tells all neighbours that BFD ends here without a failure (RFC 5882 section 4.2). Returns when
    /// they have heard it, after a second at the latest.
    pub(super) fn end(&mut self) {
        if let Some(running) = self.running.take() {
            running.heart.abort();
        }
    }

    fn apply(&mut self, reactor: &Reactor) {
        let targets: Vec<(PeerName, Target)> = self
            .peers
            .iter()
            .map(|(name, watched)| (name.clone(), self.target(name, watched)))
            .collect();
        let sessions: BTreeMap<_, _> = targets
            .iter()
            .map(|(name, target)| (target.id(), name.clone()))
            .collect();
        if targets.is_empty() {
            self.end();
        } else if let Err(problem) =
            self.start(targets.into_iter().map(|(_, target)| target).collect())
        {
            reactor.report(Event::NotWatching { problem });
        }
        self.paths
            .retain(|session, _| sessions.contains_key(session));
        let before = std::mem::replace(&mut self.sessions, sessions);
        // A session that is older than the peer's name changes no more to tell it.
        for (session, peer) in &self.sessions {
            if let Some(path) = self
                .paths
                .get(session)
                .filter(|_| before.get(session) != Some(peer))
            {
                tell(reactor, peer, *path);
            }
        }
    }

    fn target(&self, name: &PeerName, watched: &Watched) -> Target {
        // A member of a group has no settings of its own.
        let name = watched.group.as_ref().unwrap_or(name);
        let mut settings = self.settings.get(name).cloned().unwrap_or_default();
        if watched.multihop && settings.multihop.is_none() {
            settings.multihop = Some(LEAST_TTL);
        }
        Target {
            peer: watched.remote,
            // On the link the routing table knows best; behind routers the neighbour must find the
            // session by both addresses (RFC 5883 section 3).
            local: watched.local.filter(|_| settings.multihop.is_some()),
            interface: watched.interface.clone(),
            settings,
            is_admin_down: false,
        }
    }

    fn start(&mut self, targets: Vec<Target>) -> Result<(), String> {
        let running = match &self.running {
            Some(running) => running,
            None => self.running.insert(run(Arc::clone(&self.mailbox))?),
        };
        running
            .liveness
            .set(targets)
            .map_err(|error| error.to_string())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.heart.abort();
    }
}

/// Starts BFD's thread, and the heart that beats for as long as this thread does.
fn run(mailbox: Arc<Mailbox<Letters>>) -> Result<Running, String> {
    let options = Options {
        heartbeat: Some(LONGEST_SILENCE),
        ..Options::default()
    };
    let sink = move |event| {
        if let liveness::Event::Session { id, change } = event {
            // It fails only when the speaker has ended, and then nobody wants to know.
            drop(mailbox.leave(|letters| letters.push(Letter::Path(id, change.path))));
        }
    };
    let liveness = Rc::new(Liveness::start(options, sink).map_err(|error| error.to_string())?);
    let beating = Rc::downgrade(&liveness);
    let heart = spawn_local(async move {
        while let Some(liveness) = beating.upgrade() {
            liveness.heartbeat();
            drop(liveness);
            tokio::time::sleep(BEAT).await;
        }
    });
    Ok(Running {
        liveness,
        heart: heart.abort_handle(),
    })
}

fn tell(reactor: &Reactor, peer: &PeerName, path: PathState) {
    let liveness = match path {
        PathState::Unknown => peer::Liveness::Unknown,
        PathState::Up => peer::Liveness::Up,
        PathState::Down => peer::Liveness::Down,
        PathState::AdminDown => peer::Liveness::AdminDown,
    };
    reactor.tell(Input::Liveness { peer, liveness });
}

/// Longer than any stall seen on an overloaded machine (740 ms), shorter than any hold time.
const LONGEST_SILENCE: Duration = Duration::from_secs(2);
const BEAT: Duration = Duration::from_millis(250);
/// How many hops away a peer may be if the settings do not say: as many as there are.
const LEAST_TTL: u8 = 1;
