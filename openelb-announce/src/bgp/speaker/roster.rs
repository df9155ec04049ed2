//! Who the members are: by number, by name, by connection, and by when they act next.

use super::member::{Member, Session};
use crate::bgp::route::{LocalAddresses, PeerName};
use crate::bgp::session::ConnectionId;
use crate::machine::Machine;
use crate::time::Time;
use hashbrown::HashMap;
use std::collections::{BTreeMap, BTreeSet};

/// The number of a member; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct MemberId(u64);

/// All members. One that is not configured any more has lost its name, and stays until its last
/// connection is closed, since the other end still has to be told why.
#[derive(Debug, Default)]
pub(super) struct Roster {
    next: u64,
    members: BTreeMap<MemberId, Member>,
    // Invariant: every id is in `members`.
    names: BTreeMap<PeerName, MemberId>,
    // Invariant: every owner is in `members`.
    connections: HashMap<ConnectionId, Link>,
    // Invariant: holds exactly the deadlines of the members that have one.
    schedule: BTreeSet<(Time, MemberId)>,
}

/// A connection, or an attempt at one.
#[derive(Debug)]
struct Link {
    owner: MemberId,
    /// Our addresses on it, if they changed since it was opened.
    addresses: Option<LocalAddresses>,
}

impl Roster {
    pub(super) fn insert(&mut self, member: Member) -> MemberId {
        let id = MemberId(self.next);
        self.next += 1;
        self.names.insert(member.neighbor.name.clone(), id);
        self.members.insert(id, member);
        id
    }

    /// The numbers of the next member's dials: this one and those that follow it, 2^32 in all.
    pub(super) const fn next_block(&self) -> ConnectionId {
        ConnectionId(self.next << 32)
    }

    /// Takes the name away, so that another member can have it.
    pub(super) fn retire(&mut self, id: MemberId) {
        if let Some(member) = self.members.get(&id) {
            let name = &member.neighbor.name;
            if self.names.get(name) == Some(&id) {
                self.names.remove(name);
            }
        }
    }

    /// Forgets a member that has no name and no connection any more.
    pub(super) fn sweep(&mut self, id: MemberId) {
        let Some(member) = self.members.get(&id) else {
            return;
        };
        let is_named = self.names.get(&member.neighbor.name) == Some(&id);
        if !is_named && !self.is_connected(id) {
            self.schedule.remove(&(member.deadline, id));
            self.members.remove(&id);
        }
    }

    pub(super) fn connect(&mut self, connection: ConnectionId, owner: MemberId) {
        let addresses = None;
        self.connections
            .insert(connection, Link { owner, addresses });
    }

    pub(super) fn disconnect(&mut self, connection: ConnectionId) {
        self.connections.remove(&connection);
    }

    pub(super) fn owner(&self, connection: ConnectionId) -> Option<MemberId> {
        self.connections.get(&connection).map(|link| link.owner)
    }

    /// Notes that our addresses on a connection changed.
    pub(super) fn readdress(&mut self, connection: ConnectionId, addresses: LocalAddresses) {
        if let Some(link) = self.connections.get_mut(&connection) {
            link.addresses = Some(addresses);
        }
    }

    /// Our addresses on a connection, if they changed since it was opened.
    pub(super) fn addresses(&self, connection: ConnectionId) -> Option<LocalAddresses> {
        self.connections.get(&connection)?.addresses
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.len()
    }

    pub(super) fn is_connected(&self, id: MemberId) -> bool {
        self.connections.values().any(|link| link.owner == id)
    }

    pub(super) fn find(&self, name: &PeerName) -> Option<MemberId> {
        self.names.get(name).copied()
    }

    pub(super) fn member(&self, id: MemberId) -> Option<&Member> {
        self.members.get(&id)
    }

    pub(super) fn member_mut(&mut self, id: MemberId) -> Option<&mut Member> {
        self.members.get_mut(&id)
    }

    pub(super) fn session_mut(&mut self, id: MemberId) -> Option<&mut Session> {
        self.member_mut(id)?.session.as_mut()
    }

    /// Every member, those without a name too.
    pub(super) fn ids(&self) -> Vec<MemberId> {
        self.members.keys().copied().collect()
    }

    /// The members with a name, sorted by it.
    pub(super) fn named(&self) -> impl Iterator<Item = (MemberId, &Member)> {
        let member = |id: &MemberId| Some((*id, self.members.get(id)?));
        self.names.values().filter_map(member)
    }

    pub(super) fn sessions(&self) -> impl Iterator<Item = &Session> + Clone {
        self.members
            .values()
            .filter_map(|member| member.session.as_ref())
    }

    /// Notes when a member acts next.
    pub(super) fn schedule(&mut self, id: MemberId) {
        if let Some(member) = self.members.get_mut(&id) {
            let next = member.machine.poll_timeout().unwrap_or(Time::MAX);
            if next != member.deadline {
                self.schedule.remove(&(member.deadline, id));
                member.deadline = next;
                if next != Time::MAX {
                    self.schedule.insert((next, id));
                }
            }
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.schedule.first().map(|(at, _)| *at)
    }

    /// The member that is most overdue at `now`; it must be scheduled again.
    pub(super) fn pop_due(&mut self, now: Time) -> Option<MemberId> {
        let (at, id) = *self.schedule.first()?;
        if at > now {
            return None;
        }
        self.schedule.pop_first();
        if let Some(member) = self.members.get_mut(&id) {
            member.deadline = Time::MAX;
        }
        Some(id)
    }
}
