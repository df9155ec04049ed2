//! Our end: sessions on a host of the test, and what happened to them.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use openelb_announce::announcer::liveness::{Event, Liveness, Options, SessionStatus, Target};
use openelb_announce::bfd::{Change, PathState, Settings, State};

use crate::world::{Host, eventually};

/// A running [`Liveness`] and everything it reported.
pub(crate) struct Node {
    pub(crate) liveness: Liveness,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Node {
    pub(crate) fn start(host: &Host) -> Self {
        Self::start_with(host, Options::default())
    }

    pub(crate) fn start_with(host: &Host, options: Options) -> Self {
        let events = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&events);
        let liveness = host.run(|| {
            Liveness::start(options, move |event| sink.lock().unwrap().push(event)).unwrap()
        });
        Self { liveness, events }
    }

    /// Watches these and nobody else.
    pub(crate) fn watch(&self, targets: &[Target]) {
        self.liveness.set(targets.to_vec()).unwrap();
    }

    pub(crate) fn status(&self, peer: &str) -> SessionStatus {
        let statuses = self.liveness.status();
        let wanted: IpAddr = peer.parse().unwrap();
        let found = statuses.into_iter().find(|status| status.id.peer == wanted);
        found.unwrap_or_else(|| panic!("no session with {peer}"))
    }

    pub(crate) fn until_state(&self, peer: &str, state: State) {
        eventually(&format!("the session with {peer} is {state}"), || {
            self.status(peer).state == state
        });
    }

    /// The changes of the session with `peer` so far.
    pub(crate) fn changes(&self, peer: &str) -> Vec<Change> {
        let wanted: IpAddr = peer.parse().unwrap();
        let events = self.events.lock().unwrap();
        let changes = events.iter().filter_map(|event| match event {
            Event::Session { id, change } if id.peer == wanted => Some(*change),
            _ => None,
        });
        changes.collect()
    }

    /// What the path to `peer` was said to be, each word once in a row.
    pub(crate) fn path_states(&self, peer: &str) -> Vec<PathState> {
        let mut states: Vec<_> = self.changes(peer).iter().map(|it| it.path).collect();
        states.dedup();
        states
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }
}

/// A neighbour on the same link.
pub(crate) fn near(peer: &str, settings: Settings) -> Target {
    Target {
        peer: peer.parse().unwrap(),
        local: None,
        interface: Some("eth0".to_owned()),
        settings,
        is_admin_down: false,
    }
}

/// A neighbour behind routers.
pub(crate) fn far(peer: &str, local: &str, settings: Settings) -> Target {
    Target {
        peer: peer.parse().unwrap(),
        local: Some(local.parse().unwrap()),
        interface: None,
        settings: Settings {
            multihop: Some(250),
            ..settings
        },
        is_admin_down: false,
    }
}

/// Three times this many milliseconds.
pub(crate) fn every(millis: u64) -> Settings {
    Settings {
        min_tx: Duration::from_millis(millis),
        min_rx: Duration::from_millis(millis),
        ..Settings::default()
    }
}
