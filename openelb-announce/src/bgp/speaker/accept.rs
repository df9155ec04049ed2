//! Whose connection it is that somebody made to us, and how often it is said that it is nobody's.

use super::member::Member;
use super::output::Key;
use super::roster::MemberId;
use super::{Arrival, Event, NotAccepted, Speaker};
use crate::bgp::config::{Config, Dynamic, Neighbor, Peer, Remote};
use crate::bgp::peer;
use crate::bgp::route::PeerName;
use crate::bgp::session::{ConnectionId, Direction};
use crate::time::Time;
use ipnet::{IpNet, Ipv6Net};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// A connection that was accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct Accepted {
    /// Its number from now on.
    pub connection: ConnectionId,
    /// Whose it is, and so which options its socket needs.
    pub neighbor: Arc<Neighbor>,
}

impl Speaker {
    /// Takes a connection that somebody made to a listener, or says why not: then close it. The
    /// outputs that follow may close an accepted one again, when the peer may not connect now.
    ///
    /// Strangers are reported as an event, at most one in ten seconds.
    pub fn accept(&mut self, arrival: Arrival<'_>, now: Time) -> Result<Accepted, NotAccepted> {
        let remote = SocketAddr::new(arrival.remote.ip().to_canonical(), arrival.remote.port());
        let id = match self.owner_of(remote.ip(), arrival.interface, now) {
            Ok(id) => id,
            Err(why) => {
                if let Some(event) = self.refusals.report(remote, why.clone(), now) {
                    self.report(event);
                }
                return Err(why);
            }
        };
        let connection = self.next_accepted();
        let member = self.roster.member(id).ok_or(NotAccepted::UnknownPeer)?;
        let neighbor = Arc::clone(&member.neighbor);
        self.roster.connect(connection, id);
        let opened = peer::Input::Opened {
            connection,
            direction: Direction::Incoming,
            addresses: arrival.addresses,
            remote,
        };
        self.tell(id, opened, now);
        Ok(Accepted {
            connection,
            neighbor,
        })
    }

    /// The member whose connection it is; one of a group begins to exist with it.
    fn owner_of(
        &mut self,
        remote: IpAddr,
        interface: Option<&str>,
        now: Time,
    ) -> Result<MemberId, NotAccepted> {
        if self.stopped.is_some() {
            return Err(NotAccepted::Stopped);
        }
        let config = self.config.clone().ok_or(NotAccepted::UnknownPeer)?;
        let group = match owner(&config, remote, interface).ok_or(NotAccepted::UnknownPeer)? {
            Owner::Peer(name) => return self.roster.find(name).ok_or(NotAccepted::UnknownPeer),
            Owner::Member(group) => group,
        };
        let neighbor = config.dynamic_neighbor(group, remote, interface);
        if let Some(id) = self.roster.find(&neighbor.name) {
            return Ok(id);
        }
        if group.settings.admin_down.is_some() {
            return Err(NotAccepted::GroupDown(group.name.clone()));
        }
        if !self.make_room_in(group, now) {
            return Err(NotAccepted::GroupFull {
                group: group.name.clone(),
                limit: group.limit,
            });
        }
        Ok(self.add(neighbor, Some(group.name.clone()), now))
    }

    /// Whether one more may come. Where the limit is reached, those that are not here make room, first
    /// those whose routes would go first in any case.
    fn make_room_in(&mut self, group: &Dynamic, now: Time) -> bool {
        let is_of_it = |it: &&Member| it.group.as_ref() == Some(&group.name);
        let members = || self.roster.named().filter(|(_, it)| is_of_it(it));
        let limit = usize::try_from(group.limit).unwrap_or(usize::MAX);
        let excess = (members().count() + 1).saturating_sub(limit);
        let absent = members().filter(|(_, it)| !it.is_here());
        let mut absent: Vec<_> = absent.map(|(id, it)| (it.deadline, id)).collect();
        absent.sort_unstable();
        if absent.len() < excess {
            return false;
        }
        for (_, id) in absent.into_iter().take(excess) {
            self.remove(id, now);
        }
        true
    }

    /// Dials have numbers in blocks of 2^32 for each member; these are in the upper half of all.
    fn next_accepted(&mut self) -> ConnectionId {
        let number = self.accepted;
        self.accepted += 1;
        ConnectionId(ACCEPTED | number)
    }
}

/// Whose connection it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Owner<'a> {
    /// That of a peer with a name.
    Peer(&'a PeerName),
    /// That of a member of a group.
    Member(&'a Dynamic),
}

/// Finds whose connection from `remote` it is: a peer's address comes before its interface, and both
/// come before a range.
pub(super) fn owner<'a>(
    config: &'a Config,
    remote: IpAddr,
    interface: Option<&str>,
) -> Option<Owner<'a>> {
    let is_at = |peer: &&Peer| match &peer.remote {
        Remote::Address {
            address,
            interface: on,
        } => *address == remote && (on.is_none() || on.as_deref() == interface),
        Remote::Interface(_) => false,
    };
    let is_behind = |peer: &&Peer| match &peer.remote {
        Remote::Interface(name) => is_link_local(remote) && Some(name.as_str()) == interface,
        Remote::Address { .. } => false,
    };
    let holds = |group: &&Dynamic| group.ranges.iter().any(|range| range.contains(&remote));
    let named = config.peers.iter().find(is_at);
    named
        .or_else(|| config.peers.iter().find(is_behind))
        .map(|peer| Owner::Peer(&peer.name))
        .or_else(|| config.dynamic.iter().find(holds).map(Owner::Member))
}

/// The keys that connections to the listeners need: those of peers before those of ranges.
pub(super) fn keys(config: &Config) -> Vec<Key> {
    let peers = config.peers.iter().filter_map(|peer| {
        Some(Key {
            remote: peer.remote.address().map_or(LINK_LOCAL, IpNet::from),
            interface: peer.remote.interface().map(str::to_owned),
            password: peer.settings.password.clone()?,
        })
    });
    let ranges = config.dynamic.iter().flat_map(|group| {
        let password = group.settings.password.as_ref();
        let key = |(password, range): (&_, &IpNet)| Key {
            remote: *range,
            interface: None,
            password: Clone::clone(password),
        };
        password
            .into_iter()
            .flat_map(move |password| group.ranges.iter().map(move |range| key((password, range))))
    });
    peers.chain(ranges).collect()
}

/// Lets one refused connection in a while be reported, so that nobody can fill a log from outside.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Refusals {
    /// When the next one is reported.
    next: Time,
    suppressed: u64,
}

impl Refusals {
    pub(super) fn report(
        &mut self,
        remote: SocketAddr,
        why: NotAccepted,
        now: Time,
    ) -> Option<Event> {
        if now < self.next {
            self.suppressed = self.suppressed.saturating_add(1);
            return None;
        }
        self.next = now + REFUSAL_PAUSE;
        Some(Event::NotAccepted {
            remote,
            why,
            suppressed: std::mem::take(&mut self.suppressed),
        })
    }
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

/// Where the peers of unnumbered interfaces are.
const LINK_LOCAL: IpNet = IpNet::V6(Ipv6Net::new_assert(
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0),
    10,
));

const ACCEPTED: u64 = 1 << 63;

/// A stranger that dials every second makes six lines a minute.
const REFUSAL_PAUSE: Duration = Duration::from_secs(10);
