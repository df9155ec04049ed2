//! Speakers whose addresses are theirs by election.

use super::{HostId, Network};
use crate::ownership::{Group, Machine, NodeId, Settings, Shard};
use crate::sim::datagram;
use crate::sim::speaker::{Election, Happening};
use std::collections::BTreeMap;
use std::net::IpAddr;

impl Network {
    /// Lets a speaker take part in the election of who answers for the addresses of each shard.
    ///
    /// It beats, claims what it acquires on both families, and answers no longer than its ownership
    /// is valid. Hand the same `holdings` to every speaker of a cluster.
    pub fn elect(
        &mut self,
        speaker: HostId,
        settings: Settings,
        groups: Vec<Group>,
        holdings: BTreeMap<Shard, Vec<IpAddr>>,
    ) {
        self.switch.join(speaker.0, datagram::BEATS);
        let (_, source) = datagram::own_addresses(self.mac(speaker));
        let source = source.into();
        let election = Election::new(settings, source, groups, holdings);
        self.happen(speaker, Happening::Elect(Box::new(election)));
    }

    /// Changes what a speaker is eligible for.
    pub fn set_groups(&mut self, speaker: HostId, groups: Vec<Group>) {
        self.happen(speaker, Happening::Groups(groups));
    }

    /// Lets a speaker hand over what it owns, or end that.
    pub fn drain(&mut self, speaker: HostId, drain: bool) {
        self.happen(speaker, Happening::Drain(drain));
    }

    /// Lets one speaker tell another to drain, by its beats.
    pub fn order_drain(&mut self, speaker: HostId, node: NodeId, drain: bool) {
        self.happen(speaker, Happening::Order { node, drain });
    }

    /// Lets a speaker say goodbye; stop it a moment later.
    pub fn leave(&mut self, speaker: HostId) {
        self.happen(speaker, Happening::Leave);
    }

    /// Lets a speaker's socket refuse to send beats, or end that; the process learns of it.
    pub fn mute(&mut self, speaker: HostId, is_mute: bool) {
        self.happen(speaker, Happening::Mute(is_mute));
    }

    /// The ownership machine of a speaker that takes part in an election.
    pub fn ownership(&self, speaker: HostId) -> Option<&Machine> {
        self.speaker(speaker)?.ownership()
    }

    /// Would a speaker answer for the address now: announced, on a link that is up, by a process
    /// that runs?
    pub fn answers(&self, speaker: HostId, address: IpAddr) -> bool {
        self.speaker(speaker)
            .is_some_and(|speaker| speaker.answers(address))
    }
}
