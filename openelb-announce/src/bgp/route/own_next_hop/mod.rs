//! Which address a speaker gives as next hop: a pure function with words for every refusal.

use crate::bgp::family::Family;
use crate::bgp::next_hop::{ExtendedNextHop, NextHop, NextHopError, V6ForV4};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The addresses that this speaker has towards one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalAddresses {
    /// Our end of the TCP connection.
    pub session: IpAddr,
    /// An IPv4 address of the connection's interface.
    pub v4: Option<Ipv4Addr>,
    /// A global IPv6 address of that interface.
    pub v6_global: Option<Ipv6Addr>,
    /// The link-local address of that interface.
    pub v6_link_local: Option<Ipv6Addr>,
    /// Whether the peer is on the link of that interface: only then a link-local address means
    /// anything to it (RFC 2545 section 3).
    pub on_link: bool,
}

/// Why routes of a family are not announced to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoNextHop {
    /// Nothing fits the family, and the peer did not ask for IPv6 next hops of IPv4 routes.
    #[error(
        "this node has no address that can be the next hop of an {family} route at {session}; give \
         the interface one, or set the peer's next hop for the family"
    )]
    NoAddress {
        /// The family of the routes.
        family: Family,
        /// Our end of the session.
        session: IpAddr,
    },
    /// An address that was asked for belongs to the other family.
    #[error("next hop {address} does not fit an {family} route; name an address of that family")]
    OtherFamily {
        /// The family of the route.
        family: Family,
        /// The address that was asked for.
        address: IpAddr,
    },
    /// An IPv4 route through an IPv6 address, and the peer does not understand such next hops.
    #[error(
        "next hop {address} of an ipv4-unicast route needs extended next hops (RFC 8950), which \
         were not negotiated; enable them on both sides, or name an IPv4 address"
    )]
    NotNegotiated {
        /// The IPv6 address.
        address: Ipv6Addr,
    },
    /// The address of somebody else has no meaning outside its link.
    #[error("next hop {address} is link-local; name a global address of the node")]
    LinkLocal {
        /// The address that was asked for.
        address: Ipv6Addr,
    },
    /// No traffic can be sent to the address.
    #[error("{0}; name an address of a node")]
    Unusable(#[from] NextHopError),
}

/// The next hop that leads routes of `family` to this speaker, for one session.
///
/// `configured` comes first: whoever sets it means it. Then the session's own address, if it is of
/// the family; then one of its interface; then, for IPv4 routes and with the proof that RFC 8950
/// was negotiated, the IPv6 next hop. It depends on the family of the routes, never on that of the
/// session. IPv6 next hops have the link-local address beside the global one if the peer is on the
/// link, and only it if there is no other.
///
/// ```
/// use openelb_announce::bgp::route::{LocalAddresses, next_hop_for};
/// use openelb_announce::bgp::Family;
///
/// let local = LocalAddresses {
///     session: "192.0.2.1".parse()?,
///     v4: None,
///     v6_global: Some("2001:db8::1".parse()?),
///     v6_link_local: None,
///     on_link: false,
/// };
/// let next_hop = next_hop_for(Family::Ipv6Unicast, &local, None, None)?;
/// assert_eq!(next_hop.to_string(), "2001:db8::1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn next_hop_for(
    family: Family,
    local: &LocalAddresses,
    configured: Option<IpAddr>,
    extended: Option<ExtendedNextHop>,
) -> Result<NextHop, NoNextHop> {
    if let Some(address) = configured {
        return third_party_next_hop(family, address, extended);
    }
    match (family, extended) {
        (Family::Ipv6Unicast, _) => own_v6(local),
        (Family::Ipv4Unicast, extended) => match (own_v4(local), extended) {
            (Some(address), _) => Ok(NextHop::v4(address)?),
            (None, Some(proof)) => own_v6(local)
                .map_err(|_| local.nothing_for(family))
                .and_then(|next_hop| Ok(NextHop::V6ForV4(V6ForV4::new(proof, next_hop)?))),
            (None, None) => Err(local.nothing_for(family)),
        },
    }
}

/// `address`, whoever it belongs to, as next hop for routes of `family`.
pub fn third_party_next_hop(
    family: Family,
    address: IpAddr,
    extended: Option<ExtendedNextHop>,
) -> Result<NextHop, NoNextHop> {
    match (family, address) {
        (Family::Ipv4Unicast, IpAddr::V4(address)) => Ok(NextHop::v4(address)?),
        (Family::Ipv6Unicast, IpAddr::V6(address)) => global_v6(address),
        (Family::Ipv4Unicast, IpAddr::V6(address)) => {
            let next_hop = global_v6(address)?;
            let proof = extended.ok_or(NoNextHop::NotNegotiated { address })?;
            Ok(NextHop::V6ForV4(V6ForV4::new(proof, next_hop)?))
        }
        (Family::Ipv6Unicast, IpAddr::V4(_)) => Err(NoNextHop::OtherFamily { family, address }),
    }
}

impl LocalAddresses {
    fn nothing_for(&self, family: Family) -> NoNextHop {
        NoNextHop::NoAddress {
            family,
            session: self.session,
        }
    }
}

fn own_v4(local: &LocalAddresses) -> Option<Ipv4Addr> {
    match local.session {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => local.v4,
    }
}

fn own_v6(local: &LocalAddresses) -> Result<NextHop, NoNextHop> {
    let session = match local.session {
        IpAddr::V6(address) => Some(address),
        IpAddr::V4(_) => None,
    };
    let is_link_local = |address: &Ipv6Addr| address.is_unicast_link_local();
    let global = session
        .filter(|address| !is_link_local(address))
        .or(local.v6_global);
    let link_local = session
        .filter(is_link_local)
        .or(local.v6_link_local)
        .filter(|_| local.on_link);
    match (global, link_local) {
        (Some(global), Some(link_local)) => Ok(NextHop::v6_with_link_local(global, link_local)?),
        (Some(address), None) | (None, Some(address)) => Ok(NextHop::v6(address)?),
        (None, None) => Err(local.nothing_for(Family::Ipv6Unicast)),
    }
}

fn global_v6(address: Ipv6Addr) -> Result<NextHop, NoNextHop> {
    if address.is_unicast_link_local() {
        return Err(NoNextHop::LinkLocal { address });
    }
    Ok(NextHop::v6(address)?)
}

#[cfg(test)]
mod tests;
