//! Next hops, one kind for each family and encoding, so that a route cannot get a foreign one.

use super::family::Family;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where a receiver sends traffic for a route.
///
/// Made by [`v4`](Self::v4), [`v6`](Self::v6), [`v6_with_link_local`](Self::v6_with_link_local) and
/// [`V6ForV4::new`], which refuse addresses that no traffic can be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NextHop {
    /// For IPv4 routes (RFC 4271 section 5.1.3).
    V4(Ipv4Addr),
    /// For IPv6 routes: 16 octets or, with a link-local address, 32 (RFC 2545 section 3).
    V6 {
        /// The global address.
        global: Ipv6Addr,
        /// The link-local one of the same interface, when the receiver is on the link.
        link_local: Option<Ipv6Addr>,
    },
    /// For IPv6 routes over a link whose only addresses are link-local.
    LinkLocal(Ipv6Addr),
    /// For IPv4 routes through an IPv6 router (RFC 8950).
    V6ForV4(V6ForV4),
}

impl NextHop {
    /// A next hop for IPv4 routes.
    pub fn v4(address: Ipv4Addr) -> Result<Self, NextHopError> {
        Self::V4(address).checked()
    }

    /// A next hop for IPv6 routes; link-local if the address is.
    pub fn v6(address: Ipv6Addr) -> Result<Self, NextHopError> {
        let next_hop = if address.is_unicast_link_local() {
            Self::LinkLocal(address)
        } else {
            Self::V6 {
                global: address,
                link_local: None,
            }
        };
        next_hop.checked()
    }

    /// A next hop for IPv6 routes with both addresses of the interface.
    pub fn v6_with_link_local(
        global: Ipv6Addr,
        link_local: Ipv6Addr,
    ) -> Result<Self, NextHopError> {
        let link_local = Some(link_local);
        Self::V6 { global, link_local }.checked()
    }

    /// The family of the routes that may have it.
    pub const fn family(&self) -> Family {
        match self {
            Self::V4(_) | Self::V6ForV4(_) => Family::Ipv4Unicast,
            Self::V6 { .. } | Self::LinkLocal(_) => Family::Ipv6Unicast,
        }
    }

    /// The address that identifies it: the global one where there are two.
    pub const fn address(&self) -> IpAddr {
        match *self {
            Self::V4(address) => IpAddr::V4(address),
            Self::V6 { global, .. } => IpAddr::V6(global),
            Self::LinkLocal(address) => IpAddr::V6(address),
            Self::V6ForV4(next_hop) => IpAddr::V6(next_hop.address()),
        }
    }

    /// Itself, unless traffic cannot be sent to it.
    pub fn checked(self) -> Result<Self, NextHopError> {
        match self {
            Self::V4(address) => check_v4(address)?,
            Self::V6 { global, link_local } => {
                check_v6(global)?;
                if global.is_unicast_link_local() {
                    return Err(NextHopError::NotGlobal(global));
                }
                link_local.map_or(Ok(()), check_link_local)?;
            }
            Self::LinkLocal(address) => check_link_local(address)?,
            // Made from one of the two before.
            Self::V6ForV4(_) => {}
        }
        Ok(self)
    }
}

impl fmt::Display for NextHop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(f),
            Self::V6 {
                global,
                link_local: Some(link_local),
            } => write!(f, "{global} ({link_local})"),
            Self::V6 { global, .. } => global.fmt(f),
            Self::LinkLocal(address) => address.fmt(f),
            Self::V6ForV4(next_hop) => next_hop.as_v6().fmt(f),
        }
    }
}

/// An IPv6 next hop for IPv4 routes.
///
/// It can be made only where RFC 8950 was negotiated, of which [`ExtendedNextHop`] is the proof: a
/// receiver that did not ask for it takes such a route for malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct V6ForV4 {
    // Invariant: at least one is `Some`, and both are what a `NextHop::V6` or `LinkLocal` may hold.
    global: Option<Ipv6Addr>,
    link_local: Option<Ipv6Addr>,
}

impl V6ForV4 {
    /// Takes the addresses of an IPv6 next hop.
    pub fn new(_proof: ExtendedNextHop, next_hop: NextHop) -> Result<Self, NextHopError> {
        match next_hop.checked()? {
            NextHop::V6 { global, link_local } => Ok(Self {
                global: Some(global),
                link_local,
            }),
            NextHop::LinkLocal(address) => Ok(Self {
                global: None,
                link_local: Some(address),
            }),
            NextHop::V4(address) => Err(NextHopError::NotV6(address)),
            NextHop::V6ForV4(same) => Ok(same),
        }
    }

    /// The address that identifies it: the global one where there are two.
    pub const fn address(&self) -> Ipv6Addr {
        match (self.global, self.link_local) {
            (Some(address), _) | (None, Some(address)) => address,
            (None, None) => Ipv6Addr::UNSPECIFIED,
        }
    }

    /// The same addresses as a next hop for IPv6 routes.
    pub const fn as_v6(&self) -> NextHop {
        match (self.global, self.link_local) {
            (Some(global), link_local) => NextHop::V6 { global, link_local },
            (None, _) => NextHop::LinkLocal(self.address()),
        }
    }
}

/// Proof that both sides of a session announced the extended next hop capability for IPv4 unicast
/// routes with IPv6 next hops (RFC 8950 section 4).
///
/// Made by `message::capability::extended_next_hop`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExtendedNextHop(());

impl ExtendedNextHop {
    pub(in crate::bgp) const fn negotiated() -> Self {
        Self(())
    }
}

/// Why an address is no next hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NextHopError {
    /// 0.0.0.0 or ::, which is no address.
    #[error("next hop {0} is unspecified")]
    Unspecified(IpAddr),
    /// Every host's own.
    #[error("next hop {0} is a loopback address")]
    Loopback(IpAddr),
    /// A group's.
    #[error("next hop {0} is a multicast address")]
    Multicast(IpAddr),
    /// The IPv4 broadcast address.
    #[error("next hop {0} is the broadcast address")]
    Broadcast(Ipv4Addr),
    /// An IPv4 address in IPv6 form, which receivers install as a route that leads nowhere.
    #[error("next hop {0} is an IPv4-mapped address")]
    Mapped(Ipv6Addr),
    /// A link-local address where the global one belongs.
    #[error("next hop {0} is link-local where a global address belongs")]
    NotGlobal(Ipv6Addr),
    /// Another address where the link-local one belongs.
    #[error("next hop {0} is not link-local")]
    NotLinkLocal(Ipv6Addr),
    /// An IPv4 address where RFC 8950 wants IPv6.
    #[error("next hop {0} is not an IPv6 address")]
    NotV6(Ipv4Addr),
}

fn check_v4(address: Ipv4Addr) -> Result<(), NextHopError> {
    // RFC 1122 section 3.2.1.3: all of 0/8 means this network, and 0.0.0.0 this host.
    let [first, ..] = address.octets();
    match address {
        _ if first == 0 => Err(NextHopError::Unspecified(address.into())),
        _ if address.is_loopback() => Err(NextHopError::Loopback(address.into())),
        _ if address.is_multicast() => Err(NextHopError::Multicast(address.into())),
        Ipv4Addr::BROADCAST => Err(NextHopError::Broadcast(address)),
        _ => Ok(()),
    }
}

fn check_v6(address: Ipv6Addr) -> Result<(), NextHopError> {
    match address {
        Ipv6Addr::UNSPECIFIED => Err(NextHopError::Unspecified(address.into())),
        Ipv6Addr::LOCALHOST => Err(NextHopError::Loopback(address.into())),
        _ if address.is_multicast() => Err(NextHopError::Multicast(address.into())),
        _ if address.to_ipv4_mapped().is_some() => Err(NextHopError::Mapped(address)),
        _ => Ok(()),
    }
}

fn check_link_local(address: Ipv6Addr) -> Result<(), NextHopError> {
    if address.is_unicast_link_local() {
        Ok(())
    } else {
        Err(NextHopError::NotLinkLocal(address))
    }
}

#[cfg(test)]
mod tests;
