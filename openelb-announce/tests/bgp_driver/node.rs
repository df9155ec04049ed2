//! A speaker of ours on a host.

use std::net::IpAddr;
use std::time::Duration;

use openelb_announce::announcer::speaker::{
    Event, Speaker, SpeakerConfig, SpeakerOptions, SpeakerStatus,
};
use openelb_announce::bgp::config::{Config, Peer, Remote, RemoteAs, Settings, Timers};
use openelb_announce::bgp::peer::State;
use openelb_announce::bgp::route::Route;
use openelb_announce::bgp::status::PeerStatus;
use openelb_announce::bgp::{Asn, RouterId};

use crate::world::{Host, pause};

/// A running speaker; it ends with the test.
pub(crate) struct Node {
    pub(crate) speaker: Speaker,
    seen: std::cell::RefCell<Vec<String>>,
}

impl Node {
    /// Starts a speaker on `host`, in whose namespace its sockets are.
    pub(crate) fn start(host: &Host, config: Config) -> Self {
        let speaker = host.run(|| Speaker::start(SpeakerOptions::default()).unwrap());
        let node = Self {
            speaker,
            seen: std::cell::RefCell::default(),
        };
        node.configure(config);
        node
    }

    pub(crate) fn configure(&self, config: Config) {
        self.speaker.configure(SpeakerConfig::from(config)).unwrap();
    }

    pub(crate) fn announce(&self, prefixes: &[&str]) {
        let routes = prefixes
            .iter()
            .map(|prefix| Route::to(prefix.parse().unwrap()));
        self.speaker.announce(routes.collect()).unwrap();
        self.speaker.synced().unwrap();
    }

    pub(crate) fn status(&self) -> SpeakerStatus {
        self.speaker.status().unwrap()
    }

    pub(crate) fn peer(&self, name: &str) -> PeerStatus {
        let mut peers = self.status().peers.into_iter();
        peers.find(|peer| peer.name.as_str() == name).unwrap()
    }

    pub(crate) fn is_established(&self, name: &str) -> bool {
        self.status()
            .peers
            .iter()
            .any(|peer| peer.name.as_str() == name && peer.state == State::Established)
    }

    pub(crate) fn wait_established(&self, name: &str) {
        self.wait(&format!("the session with {name} is established"), |node| {
            node.is_established(name)
        });
    }

    /// Waits for something, and shows what the speaker said if that does not come.
    pub(crate) fn wait(&self, what: &str, mut check: impl FnMut(&Self) -> bool) {
        for _ in 0..PATIENCE {
            if check(self) {
                return;
            }
            pause();
        }
        panic!(
            "never: {what}\n{}\n{:#?}",
            self.events().join("\n"),
            self.status()
        );
    }

    /// Everything that was reported so far, in words.
    pub(crate) fn events(&self) -> Vec<String> {
        let new = std::iter::from_fn(|| self.speaker.try_event().ok());
        self.seen
            .borrow_mut()
            .extend(new.map(|event: Event| event.to_string()));
        self.seen.borrow().clone()
    }

    /// Waits until something was reported that holds these words.
    pub(crate) fn wait_event(&self, words: &str) {
        self.wait(&format!("an event with {words:?}"), |node| {
            node.events().iter().any(|event| event.contains(words))
        });
    }
}

/// A speaker of AS 64512 with the address of `host` as its identifier, listening on both families.
pub(crate) fn config(host: &Host, peers: impl IntoIterator<Item = Peer>) -> Config {
    let mut config = Config::new(Asn(64512), router_id(host));
    config.listen = vec!["0.0.0.0:179".parse().unwrap(), "[::]:179".parse().unwrap()];
    config.peers = peers.into_iter().collect();
    config
}

pub(crate) fn router_id(host: &Host) -> RouterId {
    format!("10.0.0.{}", host.number).parse().unwrap()
}

/// A peer in AS 64513 that is dialled often, as tests have no time.
pub(crate) fn peer(name: &str, address: &str) -> Peer {
    Peer {
        name: name.into(),
        remote: Remote::from(address.parse::<IpAddr>().unwrap()),
        settings: settings(),
    }
}

pub(crate) fn settings() -> Settings {
    Settings {
        remote_as: RemoteAs::Exactly(Asn(64513)),
        timers: Timers {
            connect_retry: Duration::from_secs(1),
            idle_hold: Duration::from_millis(200),
            ..Timers::default()
        },
        ..Settings::default()
    }
}

// Times 20 ms and what the check takes; only ever reached by a test that fails.
const PATIENCE: u32 = 1500;
