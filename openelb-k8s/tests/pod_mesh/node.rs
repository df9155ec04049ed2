//! A node of the cluster: its speaker, told what `desired` says.

use openelb_announce::announcer::speaker::{Speaker, SpeakerConfig, SpeakerOptions};
use openelb_announce::bgp::status::PeerStatus;
use openelb_k8s::bgp::{Material, PasswordSource};
use openelb_k8s::layer2::Keys;
use openelb_k8s::speaker::{Cluster, Me, desired};
use std::sync::Arc;

use crate::world::{Host, pause};

pub(crate) struct Node {
    name: String,
    speaker: Speaker,
}

impl Node {
    /// Starts the speaker of the node on `host` where Secrets hold this password.
    pub(crate) fn start(host: &Host, cluster: &Cluster, password: &str) -> Self {
        let speaker = host.run(|| Speaker::start(SpeakerOptions::default()).unwrap());
        let mut node = Self {
            name: format!("n{}", host.number),
            speaker,
        };
        node.follow(cluster, password);
        node
    }

    /// Follows a change of the cluster.
    pub(crate) fn follow(&mut self, cluster: &Cluster, password: &str) {
        let me = Me {
            node: self.name.clone(),
            class: "openelb.io/openelb".into(),
            ignores_exclude_label: false,
        };
        let desired = desired(cluster, &me, &Secrets(password));
        let config = SpeakerConfig {
            bgp: Arc::new(desired.bgp.config.unwrap()),
            bfd: desired.bgp.bfd,
        };
        self.speaker.configure(config).unwrap();
        self.speaker.announce(desired.routes).unwrap();
        self.speaker.synced().unwrap();
    }

    pub(crate) fn peers(&self) -> Vec<PeerStatus> {
        self.speaker.status().unwrap().peers
    }

    pub(crate) fn peer(&self, name: &str) -> PeerStatus {
        let mut peers = self.peers().into_iter();
        peers.find(|peer| peer.name.as_str() == name).unwrap()
    }

    /// Waits until exactly these routes are learned.
    pub(crate) fn wait_learned(&self, routes: &[String]) {
        self.wait(&format!("{routes:?} are learned"), |node| {
            let learned = node.speaker.learned().unwrap().routes;
            let learned = learned.iter().map(|it| it.route.to_string());
            learned.eq(routes.iter().cloned())
        });
    }

    /// Waits for something, and shows how the speaker stands if that does not come.
    pub(crate) fn wait(&self, what: &str, check: impl Fn(&Self) -> bool) {
        for _ in 0..PATIENCE {
            if check(self) {
                return;
            }
            pause();
        }
        let learned = self.speaker.learned().unwrap();
        let peers = self.peers();
        panic!("{}: never: {what}\n{learned:#?}\n{peers:#?}", self.name);
    }
}

/// Every Secret holds the same.
struct Secrets<'a>(&'a str);

impl Material for Secrets<'_> {
    fn password(&self, _: PasswordSource<'_>) -> Result<Vec<u8>, String> {
        Ok(self.0.as_bytes().to_vec())
    }

    fn policy(&self, config_map: &str) -> Result<String, String> {
        Err(format!("there is no ConfigMap {config_map}"))
    }
}

impl Keys for Secrets<'_> {
    fn key(&self, _: PasswordSource<'_>) -> Result<Vec<u8>, String> {
        Err("there is no Secret".to_owned())
    }
}

// Times 20 ms and what the check takes; only ever reached by a test that fails.
const PATIENCE: u32 = 1500;
