//! One neighbour: its state machine, and what its session is told.

use crate::bgp::config::{Neighbor, Remote};
use crate::bgp::family::PerFamily;
use crate::bgp::peer::{Peer, State};
use crate::bgp::policy::Policy;
use crate::bgp::rib::{AdjRibOut, Rib, Terms};
use crate::bgp::route::{LocalAddresses, PeerName, next_hop_for};
use crate::bgp::session::{ConnectionId, Negotiated};
use crate::time::Time;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

/// One neighbour.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) neighbor: Arc<Neighbor>,
    /// The group of dynamic neighbours that it came out of.
    pub(super) group: Option<PeerName>,
    pub(super) machine: Peer,
    /// While the session is established.
    pub(super) session: Option<Session>,
    /// The router at the other end of an unnumbered interface.
    pub(super) router: Option<Ipv6Addr>,
    /// A dial that waits for that router to be found.
    pub(super) held_dial: Option<ConnectionId>,
    /// How many sessions ended.
    pub(super) flaps: u64,
    /// Segments that the kernel dropped for their TCP-MD5 option, perhaps this peer's, since its
    /// last session.
    pub(super) refused_segments: u64,
    /// When it acts next, as the roster has noted it; `Time::MAX`: not by itself.
    pub(super) deadline: Time,
}

/// What an established session is told.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) adj: AdjRibOut,
    pub(super) negotiated: Arc<Negotiated>,
    pub(super) since: Time,
}

impl Member {
    pub(super) fn new(neighbor: Arc<Neighbor>, group: Option<PeerName>, machine: Peer) -> Self {
        Self {
            neighbor,
            group,
            machine,
            session: None,
            router: None,
            held_dial: None,
            flaps: 0,
            refused_segments: 0,
            deadline: Time::MAX,
        }
    }

    /// Where the peer is, as far as that is known.
    pub(super) fn address(&self) -> Option<IpAddr> {
        match &self.neighbor.remote {
            Remote::Address { address, .. } => Some(*address),
            Remote::Interface(_) => self.router.map(IpAddr::from),
        }
    }

    /// Whether there is a connection with it. One that only tells why it is closed does not count.
    pub(super) fn is_here(&self) -> bool {
        !matches!(self.machine.state(), State::Idle | State::Active)
    }

    /// Whether it came out of a group and nothing but a connection keeps it there.
    pub(super) fn is_idle(&self) -> bool {
        let counts = self.machine.received().counts();
        let keeps_routes = counts.iter().any(|(_, counts)| counts.stale > 0);
        self.group.is_some() && !keeps_routes
    }

    /// What the session is to be told under these circumstances.
    pub(super) fn terms(
        &self,
        negotiated: &Negotiated,
        addresses: &LocalAddresses,
        policy: &Arc<Policy>,
        is_draining: bool,
    ) -> Terms {
        let settings = &self.neighbor.settings;
        let extended = negotiated.extended_next_hop;
        let own = |family| next_hop_for(family, addresses, settings.next_hop[family], extended);
        Terms {
            peer: self.neighbor.name.clone(),
            group: self.group.clone(),
            remote: Some(negotiated.remote.ip()),
            families: negotiated.families,
            ibgp: !negotiated.is_external(),
            local_as: negotiated.local_as,
            four_octet_as: negotiated.four_octet_as,
            message_limit: negotiated.message_limit,
            add_path: negotiated.add_path,
            extended_next_hop: extended,
            enhanced_refresh: negotiated.enhanced_route_refresh,
            own_next_hop: PerFamily::from_fn(own),
            policy: Arc::clone(policy),
            peer_policy: settings.policy.clone().unwrap_or_default(),
            graceful_shutdown: is_draining || settings.graceful_shutdown,
        }
    }

    /// Appends what is to be said on `connection`: the machine's own messages first, then routes.
    pub(super) fn transmit(
        &mut self,
        connection: ConnectionId,
        rib: &Rib,
        out: &mut Vec<u8>,
        room: usize,
        now: Time,
    ) {
        let session = &mut self.session;
        let mut updates = |out: &mut Vec<u8>, room: usize| match session {
            Some(session) => session.adj.fill(rib, out, room).more,
            None => false,
        };
        self.machine
            .transmit(connection, out, room, now, &mut updates);
    }
}
