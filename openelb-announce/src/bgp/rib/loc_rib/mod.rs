//! The best of what all peers announce, destination by destination (RFC 4271 section 3.2).
//!
//! It is not the whole decision process of RFC 4271 section 9.1, which picks one route to pass it on:
//! nothing here is ever passed on, and there is no reason to prefer one of several routers that lead
//! to a destination equally well. What is compared, in this order:
//!
//! 1. the higher `LOCAL_PREF`, which only internal peers send; without one it is 100;
//! 2. the shorter `AS_PATH`;
//! 3. the lower ORIGIN;
//! 4. the lower `MULTI_EXIT_DISC`, among routes of the same neighbouring AS; without one it is 0.
//!
//! All that are left are used together, whatever the systems on their paths are. Not compared are the
//! kind of the session, the cost of the way to the next hop, and identifiers.

use crate::bgp::asn::{Asn, RouterId};
use crate::bgp::attribute::Attributes;
use crate::bgp::family::PerFamily;
use crate::bgp::next_hop::NextHop;
use crate::bgp::prefix::Prefix;
use crate::bgp::rib::Received;
use crate::bgp::route::PeerName;
use crate::forwarding::{GatewayV4, GatewayV6, Route};
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};

/// The best routes to each destination that was learned.
///
/// Invariant: it is never a source of announcements. What this speaker announces is
/// [`Rib`](super::Rib)'s, and nothing leads from here to there; so no route of an internal peer ever
/// reaches another one (RFC 4271 section 9.2.1 forbids it), nor does this host offer transit.
#[derive(Debug, Default)]
pub struct LocRib {
    routes: BTreeMap<Prefix, LearnedRoute>,
}

/// A destination with all its best gateways.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct LearnedRoute {
    /// Where it leads and through whom: at least one gateway, 64 at most.
    pub route: Route,
    /// The peers that announced these gateways, sorted.
    pub peers: BTreeSet<PeerName>,
}

/// Everything that was learned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Learned {
    /// The routes, by family, address and length.
    pub routes: Vec<LearnedRoute>,
    /// Whether every peer that is learned from has sent all it has since this speaker started, or had
    /// the deferral time for it (RFC 4724 section 4.1). Before that a missing route means nothing:
    /// one that a former life of this speaker has left in the kernel should stay there.
    pub is_complete: bool,
}

/// A route of one peer that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path<'a> {
    peer: &'a PeerName,
    attributes: &'a Attributes,
    gateway: Gateway,
}

/// Why a route of a peer is not learned although it is inside the imported ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotLearned {
    /// It has been here (RFC 4271 section 9.1.2).
    #[error("its AS_PATH holds our AS {0}: it began here or went through here")]
    OwnAs(Asn),
    /// A route reflector sends us what we sent (RFC 4456 section 8).
    #[error("its ORIGINATOR_ID {0} is ours: a route reflector returns what we announced")]
    OwnOriginator(RouterId),
    /// Packets would come back.
    #[error("its next hop {0} is this host")]
    OwnNextHop(IpAddr),
    /// The session says not on which link the address is.
    #[error(
        "its next hop {0} is link-local and the session is not: let the peer send a global next hop, \
         or peer over link-local addresses"
    )]
    NoInterface(Ipv6Addr),
    /// The route of this speaker counts.
    #[error("this speaker announces the prefix itself")]
    AnnouncedHere,
}

/// What a route is judged against.
#[derive(Clone, Copy, Debug)]
pub struct Viewpoint<'a> {
    /// The AS that the peer sees us in, and the speaker's own.
    pub own_as: [Asn; 2],
    /// The speaker's BGP identifier.
    pub router_id: RouterId,
    /// The addresses that this host has on its sessions, without link-local ones.
    pub own_addresses: &'a BTreeSet<IpAddr>,
    /// Our link-local address on the link of the session. Elsewhere another router may have it.
    pub own_link_local: Option<Ipv6Addr>,
    /// The interface of the session, if its remote address is link-local.
    pub interface: Option<&'a str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Gateway {
    V4(GatewayV4),
    V6(GatewayV6),
}

impl<'a> Path<'a> {
    /// The route of `peer` as it can be used from here, or why it cannot.
    pub fn judge(
        peer: &'a PeerName,
        received: &Received<'a>,
        from: &Viewpoint<'_>,
    ) -> Result<Self, NotLearned> {
        let path = &received.attributes.as_path;
        if let Some(asn) = from.own_as.into_iter().find(|asn| path.contains(*asn)) {
            return Err(NotLearned::OwnAs(asn));
        }
        if received.originator == Some(from.router_id) {
            return Err(NotLearned::OwnOriginator(from.router_id));
        }
        let gateway = from.gateway(received.next_hop)?;
        let attributes = received.attributes;
        Ok(Self {
            peer,
            attributes,
            gateway,
        })
    }

    /// Compared first to last, the smaller is better.
    fn rank(&self) -> (std::cmp::Reverse<u32>, usize, u8) {
        let local_pref = self.attributes.local_pref.unwrap_or(LOCAL_PREF);
        let origin = self.attributes.origin.to_wire();
        let length = self.attributes.as_path.length();
        (std::cmp::Reverse(local_pref), length, origin)
    }

    /// The neighbouring AS; `None` for our own.
    fn neighbor_as(&self) -> Option<Asn> {
        self.attributes.as_path.first_as()
    }

    fn med(&self) -> u32 {
        self.attributes.med.unwrap_or(0)
    }
}

impl Viewpoint<'_> {
    fn gateway(&self, next_hop: NextHop) -> Result<Gateway, NotLearned> {
        match next_hop {
            NextHop::V4(address) => {
                self.check_foreign(address.into())?;
                Ok(Gateway::V4(GatewayV4::V4(address)))
            }
            NextHop::V6ForV4(via) => Ok(Gateway::V4(GatewayV4::V6(self.v6(via.as_v6())?))),
            NextHop::V6 { .. } | NextHop::LinkLocal(_) => Ok(Gateway::V6(self.v6(next_hop)?)),
        }
    }

    /// The link-local address, where the session tells the interface: it is on the link for certain,
    /// and stays when prefixes change. Else the global one.
    fn v6(&self, next_hop: NextHop) -> Result<GatewayV6, NotLearned> {
        let (global, link_local) = match next_hop {
            NextHop::V6 { global, link_local } => (Some(global), link_local),
            NextHop::LinkLocal(address) => (None, Some(address)),
            // Only IPv6 addresses come here.
            NextHop::V4(_) | NextHop::V6ForV4(_) => (None, None),
        };
        for address in global.into_iter().chain(link_local) {
            self.check_foreign(address.into())?;
        }
        let nowhere = NotLearned::NoInterface(link_local.unwrap_or(Ipv6Addr::UNSPECIFIED));
        let gateway = match (link_local, self.interface, global) {
            (Some(address), Some(interface), _) => GatewayV6::link_local(address, interface),
            (_, _, Some(address)) => GatewayV6::global(address),
            (_, _, None) => return Err(nowhere),
        };
        gateway.map_err(|_| nowhere)
    }

    fn check_foreign(&self, address: IpAddr) -> Result<(), NotLearned> {
        let link_local = self.own_link_local.map(IpAddr::from);
        if self.own_addresses.contains(&address) || link_local == Some(address) {
            return Err(NotLearned::OwnNextHop(address));
        }
        Ok(())
    }
}

impl LocRib {
    /// Takes all usable routes to `prefix`; true when its best ones are others than before.
    /// O(n log n) in the number of paths, and quadratic in that of the best ones.
    pub fn select(&mut self, prefix: Prefix, paths: Vec<Path<'_>>) -> bool {
        let Some(best) = learned(prefix, &best(paths)) else {
            return self.routes.remove(&prefix).is_some();
        };
        let same = self.routes.get(&prefix) == Some(&best);
        if !same {
            self.routes.insert(prefix, best);
        }
        !same
    }

    /// The best routes to each destination, by family, address and length.
    pub fn routes(&self) -> impl Iterator<Item = (&Prefix, &LearnedRoute)> {
        self.routes.iter()
    }

    /// Whether there is one to `prefix`.
    pub fn contains(&self, prefix: &Prefix) -> bool {
        self.routes.contains_key(prefix)
    }

    /// How many destinations there are, per family.
    pub fn prefixes(&self) -> PerFamily<usize> {
        let mut counts = PerFamily::default();
        for prefix in self.routes.keys() {
            counts[prefix.family()] += 1;
        }
        counts
    }
}

/// Those that no other one is better than.
fn best(mut paths: Vec<Path<'_>>) -> Vec<Path<'_>> {
    let Some(rank) = paths.iter().map(Path::rank).min() else {
        return paths;
    };
    paths.retain(|path| path.rank() == rank);
    let mut least: BTreeMap<Option<Asn>, u32> = BTreeMap::new();
    for path in &paths {
        let med = least.entry(path.neighbor_as()).or_insert(u32::MAX);
        *med = path.med().min(*med);
    }
    paths.retain(|path| least.get(&path.neighbor_as()) == Some(&path.med()));
    paths
}

/// The paths as one route; `None` when there is none.
fn learned(prefix: Prefix, best: &[Path<'_>]) -> Option<LearnedRoute> {
    let mut peers = BTreeSet::new();
    let (mut v4, mut v6) = (BTreeSet::new(), BTreeSet::new());
    for path in best {
        match &path.gateway {
            Gateway::V4(gateway) => v4.insert(gateway.clone()),
            Gateway::V6(gateway) => v6.insert(gateway.clone()),
        };
        peers.insert(path.peer.clone());
    }
    let route = match IpNet::from(prefix) {
        IpNet::V4(net) if !v4.is_empty() => Route::v4(net, v4.into_iter().take(MOST_GATEWAYS)),
        IpNet::V6(net) if !v6.is_empty() => Route::v6(net, v6.into_iter().take(MOST_GATEWAYS)),
        _ => return None,
    };
    Some(LearnedRoute { route, peers })
}

/// RFC 4271 leaves it open; every implementation that is known here takes this.
const LOCAL_PREF: u32 = 100;
/// The widest ECMP of common routers.
const MOST_GATEWAYS: usize = 64;

#[cfg(test)]
mod tests;
