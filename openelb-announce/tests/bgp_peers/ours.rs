//! The speaker under test, on a host.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use openelb_announce::announcer::speaker::{Speaker, SpeakerConfig, SpeakerOptions};
use openelb_announce::bfd;
use openelb_announce::bgp::config::{
    self, Config, FamilySettings, Liveness, Password, Peer, RemoteAs, Settings, Timers, Transport,
};
use openelb_announce::bgp::peer::Stop;
use openelb_announce::bgp::policy::PrefixRange;
use openelb_announce::bgp::rib::Learned;
use openelb_announce::bgp::route::{PeerName, Route};
use openelb_announce::bgp::status::PeerStatus;
use openelb_announce::bgp::{Asn, Family as BgpFamily, PerFamily, Prefix, RouterId};

use crate::router::{Description, Family, Feature, Neighbor, Remote};
use crate::world::{Host, pause};

/// A speaker that runs.
pub(crate) struct Ours {
    handle: Speaker,
    config: SpeakerConfig,
}

impl Ours {
    /// Starts a speaker on `host` that announces `routes`, all of them at once.
    pub(crate) fn start(host: &Host, description: &Description, routes: Vec<Route>) -> Self {
        host.run(|| Self::start_here(description, routes))
    }

    /// The same where this thread is.
    pub(crate) fn start_here(description: &Description, routes: Vec<Route>) -> Self {
        let handle = Speaker::start(SpeakerOptions::default()).unwrap();
        let config = configuration(description);
        handle.configure(config.clone()).unwrap();
        handle.announce(routes).unwrap();
        handle.synced().unwrap();
        Self { handle, config }
    }

    /// Replaces all routes.
    pub(crate) fn announce(&self, routes: Vec<Route>) {
        self.handle.announce(routes).unwrap();
    }

    /// What it has learned from its peers.
    pub(crate) fn learned(&self) -> Learned {
        self.handle.learned().unwrap()
    }

    /// Asks all peers to prefer others (RFC 8326).
    pub(crate) fn drain(&self) {
        self.handle.drain().unwrap();
    }

    /// Ends it; returns when the peers have been told.
    pub(crate) fn stop(self, stop: Stop) {
        self.handle.stop(stop);
    }

    /// Changes the configuration of all peers while it runs.
    pub(crate) fn change(&mut self, mut change: impl FnMut(&mut Peer)) {
        let mut bgp = Config::clone(&self.config.bgp);
        bgp.peers.iter_mut().for_each(&mut change);
        self.config.bgp = Arc::new(bgp);
        self.handle.configure(self.config.clone()).unwrap();
    }

    /// Becomes what `description` says while it runs.
    pub(crate) fn reconfigure(&mut self, description: &Description) {
        self.config = configuration(description);
        self.handle.configure(self.config.clone()).unwrap();
    }

    /// How one peer stands; peers are named by their addresses.
    pub(crate) fn peer(&self, name: &str) -> PeerStatus {
        let mut peers = self.peers().into_iter();
        peers.find(|peer| peer.name.as_str() == name).unwrap()
    }

    /// How all peers stand.
    pub(crate) fn peers(&self) -> Vec<PeerStatus> {
        self.handle.status().unwrap().peers
    }

    /// Waits until `check` holds for one peer, and shows how it stands if that does not come.
    pub(crate) fn wait(&self, name: &str, what: &str, check: impl Fn(&PeerStatus) -> bool) {
        for _ in 0..PATIENCE {
            if check(&self.peer(name)) {
                return;
            }
            pause();
        }
        panic!(
            "the speaker's peer {name}: never: {what}\n{:#?}",
            self.peer(name)
        );
    }
}

/// The configuration that a description means.
fn configuration(description: &Description) -> SpeakerConfig {
    let router_id = RouterId::new(description.router_id.to_bits()).unwrap();
    let mut bgp = Config::new(Asn(description.asn), router_id);
    bgp.listen = ["0.0.0.0:179", "[::]:179"]
        .map(|it| it.parse::<SocketAddr>().unwrap())
        .to_vec();
    bgp.peers = description.neighbors.iter().map(peer).collect();
    let import = description.imports.iter();
    let import = import.map(|range| PrefixRange::within(Prefix::from(*range)));
    let import: Vec<_> = import.collect();
    for peer in &mut bgp.peers {
        peer.settings.import.clone_from(&import);
    }
    let with_bfd = description
        .neighbors
        .iter()
        .filter(|it| it.has(Feature::Bfd));
    let bfd = with_bfd.map(|it| (PeerName::from(it.name()), bfd::Settings::default()));
    SpeakerConfig {
        bgp: Arc::new(bgp),
        bfd: bfd.collect::<BTreeMap<_, _>>(),
    }
}

fn peer(neighbor: &Neighbor) -> Peer {
    let remote = match &neighbor.remote {
        Remote::Address(address) => config::Remote::from(*address),
        Remote::Interface(interface) => config::Remote::Interface(interface.clone()),
    };
    Peer {
        name: PeerName::from(neighbor.name()),
        remote,
        settings: settings(neighbor),
    }
}

fn settings(neighbor: &Neighbor) -> Settings {
    let when = |feature| neighbor.has(feature).then_some(());
    let families = PerFamily::from_fn(|family| FamilySettings {
        enabled: neighbor.families.contains(&ours(family)),
        add_path_send_max: when(Feature::AddPath).map(|()| 8),
        ..FamilySettings::default()
    });
    Settings {
        remote_as: RemoteAs::Exactly(Asn(neighbor.asn)),
        transport: Transport {
            source: neighbor.local,
            multihop: when(Feature::Multihop).map(|()| neighbor.hops),
            gtsm: when(Feature::TtlSecurity).map(|()| 1),
            ..Transport::default()
        },
        password: neighbor
            .password
            .as_ref()
            .map(|word| Password::new(word).unwrap()),
        passive: neighbor.has(Feature::Passive),
        timers: Timers {
            hold: Some(Duration::from_secs(neighbor.hold_time.into())),
            // Sessions shall come back within the patience of these tests.
            connect_retry: Duration::from_secs(2),
            ..Timers::default()
        },
        families,
        extended_next_hop: neighbor.has(Feature::ExtendedNextHop),
        liveness: when(Feature::Bfd).map(|()| Liveness::default()),
        ..Settings::default()
    }
}

fn ours(family: BgpFamily) -> Family {
    match family {
        BgpFamily::Ipv4Unicast => Family::Ipv4,
        BgpFamily::Ipv6Unicast => Family::Ipv6,
    }
}

// Times 20 ms and what the check takes; only ever reached by a test that fails.
const PATIENCE: u32 = 1500;
