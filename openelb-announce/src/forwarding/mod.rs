//! Where packets go: destinations and gateways, typed so that no gateway fits a wrong destination.
//!
//! The vocabulary between whoever learns routes ([`bgp`](crate::bgp)) and whoever installs them
//! (`announcer::kernel_routes`). Values only; nothing here looks at a host.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::collections::BTreeSet;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// A destination and the gateways that lead to it, all of them equally well.
///
/// An IPv6 destination has IPv6 gateways and nothing else; an IPv4 one has gateways of either family,
/// as RFC 8950 allows. Without a gateway a route leads nowhere and cannot be installed.
///
/// ```
/// use openelb_announce::forwarding::{GatewayV4, GatewayV6, Route};
///
/// let spine = GatewayV6::link_local("fe80::1".parse()?, "eth0")?;
/// let route = Route::v4("10.244.1.0/24".parse()?, [GatewayV4::V6(spine)]);
/// assert_eq!(route.to_string(), "10.244.1.0/24 via fe80::1%eth0");
/// assert!(GatewayV6::global("::ffff:192.0.2.1".parse()?).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Route {
    /// For IPv4 packets.
    V4 {
        /// Where they go to; host bits are zero.
        destination: Ipv4Net,
        /// Through whom.
        gateways: BTreeSet<GatewayV4>,
    },
    /// For IPv6 packets.
    V6 {
        /// Where they go to; host bits are zero.
        destination: Ipv6Net,
        /// Through whom.
        gateways: BTreeSet<GatewayV6>,
    },
}

impl Route {
    /// A route for IPv4 packets; host bits of the destination are cleared.
    pub fn v4(destination: Ipv4Net, gateways: impl IntoIterator<Item = GatewayV4>) -> Self {
        Self::V4 {
            destination: destination.trunc(),
            gateways: gateways.into_iter().collect(),
        }
    }

    /// A route for IPv6 packets; host bits of the destination are cleared.
    pub fn v6(destination: Ipv6Net, gateways: impl IntoIterator<Item = GatewayV6>) -> Self {
        Self::V6 {
            destination: destination.trunc(),
            gateways: gateways.into_iter().collect(),
        }
    }

    /// Where it leads to.
    pub const fn destination(&self) -> IpNet {
        match self {
            Self::V4 { destination, .. } => IpNet::V4(*destination),
            Self::V6 { destination, .. } => IpNet::V6(*destination),
        }
    }
}

impl fmt::Display for Route {
    /// `10.244.1.0/24 via 192.0.2.1, fe80::1%eth0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} via ", self.destination())?;
        match self {
            Self::V4 { gateways, .. } => write_list(f, gateways),
            Self::V6 { gateways, .. } => write_list(f, gateways),
        }
    }
}

/// A router that takes IPv4 packets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GatewayV4 {
    /// By its IPv4 address.
    V4(Ipv4Addr),
    /// By its IPv6 address (`via inet6`), which is found by Neighbor Discovery instead of ARP. Of
    /// what BGP says it comes only out of a session on which RFC 8950 was negotiated.
    V6(GatewayV6),
}

impl fmt::Display for GatewayV4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(f),
            Self::V6(gateway) => gateway.fmt(f),
        }
    }
}

/// A router that is known by an IPv6 address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GatewayV6 {
    // Invariant: `interface` is there exactly if `address` is link-local.
    address: Ipv6Addr,
    interface: Option<Arc<str>>,
}

impl GatewayV6 {
    /// By an address that means the same on every link.
    pub fn global(address: Ipv6Addr) -> Result<Self, GatewayError> {
        if address.is_unicast_link_local() {
            return Err(GatewayError::NoInterface(address));
        }
        let is_mapped = address.to_ipv4_mapped().is_some();
        let is_host = !address.is_unspecified() && !address.is_loopback();
        if is_mapped || !is_host || address.is_multicast() {
            return Err(GatewayError::NotUnicast(address));
        }
        let interface = None;
        Ok(Self { address, interface })
    }

    /// By a link-local address, which needs the name of the interface that it is found on.
    pub fn link_local(
        address: Ipv6Addr,
        interface: impl Into<Arc<str>>,
    ) -> Result<Self, GatewayError> {
        if !address.is_unicast_link_local() {
            return Err(GatewayError::NotLinkLocal(address));
        }
        let interface = Some(interface.into());
        Ok(Self { address, interface })
    }

    /// Its address.
    pub const fn address(&self) -> Ipv6Addr {
        self.address
    }

    /// The interface of a link-local address.
    pub fn interface(&self) -> Option<&str> {
        self.interface.as_deref()
    }
}

impl fmt::Display for GatewayV6 {
    /// `2001:db8::1` or `fe80::1%eth0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)?;
        match &self.interface {
            Some(interface) => write!(f, "%{interface}"),
            None => Ok(()),
        }
    }
}

/// Why an address is no gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// Nobody in particular has it, or it is an IPv4 address in disguise.
    #[error("{0} is no unicast IPv6 address of a router")]
    NotUnicast(Ipv6Addr),
    /// It exists on every link.
    #[error("{0} is link-local; name the interface too")]
    NoInterface(Ipv6Addr),
    /// An interface was named for an address that needs none.
    #[error("{0} is not link-local; leave the interface out")]
    NotLinkLocal(Ipv6Addr),
}

fn write_list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, all: &BTreeSet<T>) -> fmt::Result {
    if all.is_empty() {
        return f.write_str("nobody");
    }
    for (number, one) in all.iter().enumerate() {
        let separator = if number == 0 { "" } else { ", " };
        write!(f, "{separator}{one}")?;
    }
    Ok(())
}

#[cfg(feature = "serde")]
impl serde::Serialize for Route {
    /// The text of its `Display`.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests;
