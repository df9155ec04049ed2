//! What the speaker wants of the host: listeners, keys, routers to be found, peers to be watched.

use super::Speaker;
use super::accept;
use super::member::Member;
use super::output::{Key, Output, Watched};
use crate::bgp::config::{Config, Remote};
use crate::bgp::route::PeerName;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// What was asked for last; only what differs is asked for again.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    keys: Vec<Key>,
    listen: BTreeSet<SocketAddr>,
    discover: BTreeSet<String>,
    watch: BTreeMap<PeerName, Watched>,
}

impl Speaker {
    /// Asks the host for what is needed now.
    pub(super) fn update_surroundings(&mut self) {
        let wanted = self.wanted_surroundings();
        let last = std::mem::replace(&mut self.surroundings, wanted);
        let now = &self.surroundings;
        // The keys come first: a listener without them would let anybody in.
        let differing = [
            (now.keys != last.keys).then(|| Output::Keys(now.keys.clone())),
            (now.listen != last.listen).then(|| Output::Listen(now.listen.clone())),
            (now.discover != last.discover).then(|| Output::Discover(now.discover.clone())),
            (now.watch != last.watch).then(|| Output::Watch(now.watch.clone())),
        ];
        self.outputs.extend(differing.into_iter().flatten());
    }

    fn wanted_surroundings(&self) -> Surroundings {
        let Some(config) = self.config.as_ref().filter(|_| self.stopped.is_none()) else {
            return Surroundings::default();
        };
        let watched =
            |(_, member): (_, &Member)| Some((member.neighbor.name.clone(), watched(member)?));
        Surroundings {
            keys: accept::keys(config),
            listen: config.listen.iter().copied().collect(),
            discover: unnumbered(config),
            watch: self.roster.named().filter_map(watched).collect(),
        }
    }
}

fn unnumbered(config: &Config) -> BTreeSet<String> {
    let interface = |remote: &Remote| match remote {
        Remote::Interface(name) => Some(name.clone()),
        Remote::Address { .. } => None,
    };
    let remotes = config.peers.iter().map(|peer| &peer.remote);
    remotes.filter_map(interface).collect()
}

fn watched(member: &Member) -> Option<Watched> {
    let settings = &member.neighbor.settings;
    settings.liveness?;
    if settings.admin_down.is_some() {
        return None;
    }
    let session = member.session.as_ref();
    let local = session.map(|session| session.negotiated.addresses.session);
    Some(Watched {
        group: member.group.clone(),
        remote: member.address()?,
        local: local.or(settings.transport.source),
        interface: member.neighbor.remote.interface().map(str::to_owned),
        multihop: member.neighbor.is_multihop(),
    })
}
