//! From one configuration to the next, touching only what differs.

use super::Speaker;
use super::accept::{Owner, owner};
use super::member::Member;
use super::roster::MemberId;
use crate::bgp::config::{Config, ConfigError, Neighbor};
use crate::bgp::peer::{self, Origin, Peer, Stop};
use crate::bgp::route::PeerName;
use crate::time::Time;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a new configuration did to a peer; one that it did nothing to is not mentioned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The peer.
    pub peer: PeerName,
    /// What was done.
    pub change: Change,
}

/// What a new configuration did to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added,
    /// It applies without touching the session.
    Live,
    /// This field needs another session. All routes are sent again in it.
    Reset(&'static str),
    /// It is gone. Its session ends with Cease/Peer De-configured (RFC 4486).
    Removed,
}

impl Speaker {
    /// Makes this the configuration. One that has a fault changes nothing.
    ///
    /// Peers are known by their names. A session is reset only if a field differs that is part of it
    /// ([`Neighbor::session_differs`]).
    pub fn configure(
        &mut self,
        config: &Arc<Config>,
        now: Time,
    ) -> Result<Vec<Applied>, ConfigError> {
        config.validate()?;
        if self.stopped.is_some() {
            return Ok(Vec::new());
        }
        let mut applied = Vec::new();
        let wanted = self.wanted_neighbors(config);
        // Those that go make room for those that come, which may have their addresses.
        self.remove_unwanted(&wanted, now, &mut applied);
        self.config = Some(Arc::clone(config));
        for (name, (neighbor, group)) in wanted {
            if let Some(id) = self.roster.find(&name) {
                self.reconfigure(id, neighbor, now, &mut applied);
            } else {
                self.add(neighbor, group, now);
                let has_moved =
                    |done: &Applied| done.peer == name && done.change != Change::Removed;
                if !applied.iter().any(has_moved) {
                    let change = Change::Added;
                    applied.push(Applied { peer: name, change });
                }
            }
        }
        self.renew_terms(now);
        self.update_surroundings();
        Ok(applied)
    }

    /// Adds a neighbour and lets it begin.
    pub(super) fn add(
        &mut self,
        neighbor: Neighbor,
        group: Option<PeerName>,
        now: Time,
    ) -> MemberId {
        let origin = Origin {
            seed: self.random.bits(),
            started: self.started,
            first_connection: self.roster.next_block(),
        };
        let neighbor = Arc::new(neighbor);
        let machine = Peer::new(Arc::clone(&neighbor), origin);
        let id = self.roster.insert(Member::new(neighbor, group, machine));
        self.find_router(id);
        self.tell(id, peer::Input::Start, now);
        id
    }

    /// Everybody that `config` wants: its peers, and those members of its groups that are here.
    fn wanted_neighbors(&self, config: &Config) -> Wanted {
        let peers = config
            .peers
            .iter()
            .map(|peer| (config.neighbor(peer), None));
        let members = self.roster.named().filter_map(|(_, member)| {
            let group = member.group.as_ref()?;
            let address = member.neighbor.remote.address()?;
            let interface = member.neighbor.remote.interface();
            match owner(config, address, interface)? {
                Owner::Member(found) if found.name == *group => {
                    let neighbor = config.dynamic_neighbor(found, address, interface);
                    Some((neighbor, Some(found.name.clone())))
                }
                Owner::Member(_) | Owner::Peer(_) => None,
            }
        });
        let all = peers.chain(members);
        all.map(|(neighbor, group)| (neighbor.name.clone(), (neighbor, group)))
            .collect()
    }

    /// Removes who is not wanted any more. A peer that moves is another one: where it was, its routes
    /// must go.
    fn remove_unwanted(&mut self, wanted: &Wanted, now: Time, applied: &mut Vec<Applied>) {
        let fate = |member: &Member| match wanted.get(&member.neighbor.name) {
            Some((_, group)) if *group != member.group => Some(Change::Removed),
            Some((new, _)) if new.remote != member.neighbor.remote => Some(Change::Reset("remote")),
            Some(_) => None,
            None => Some(Change::Removed),
        };
        let unwanted: Vec<_> = self
            .roster
            .named()
            .filter_map(|(id, member)| Some((id, member.neighbor.name.clone(), fate(member)?)))
            .collect();
        for (id, peer, change) in unwanted {
            self.remove(id, now);
            applied.push(Applied { peer, change });
        }
    }

    /// Ends a member for good, and its routes with it.
    pub(super) fn remove(&mut self, id: MemberId, now: Time) {
        self.roster.retire(id);
        self.tell(id, peer::Input::Stop(Stop::Deconfigured), now);
        self.roster.sweep(id);
    }

    fn reconfigure(
        &mut self,
        id: MemberId,
        neighbor: Neighbor,
        now: Time,
        applied: &mut Vec<Applied>,
    ) {
        let Some(member) = self.roster.member_mut(id) else {
            return;
        };
        if *member.neighbor == neighbor {
            return;
        }
        let change = match member.neighbor.session_differs(&neighbor) {
            Some(field) => Change::Reset(field),
            None => Change::Live,
        };
        let peer = neighbor.name.clone();
        let neighbor = Arc::new(neighbor);
        member.neighbor = Arc::clone(&neighbor);
        member.router = None;
        self.find_router(id);
        self.tell(id, peer::Input::Configure(neighbor), now);
        self.dismiss(id);
        applied.push(Applied { peer, change });
    }
}

type Wanted = BTreeMap<PeerName, (Neighbor, Option<PeerName>)>;
