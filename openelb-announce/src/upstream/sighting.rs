//! What is looked for, and what was seen.

use std::fmt;
use std::net::Ipv6Addr;
use std::time::Duration;

use ipnet::Ipv6Net;

/// Something of this host that tells prefixes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The prefixes of an interface's addresses, and those that it reaches without a router.
    Addresses {
        /// Name of the interface.
        interface: String,
    },
    /// The destinations of routes.
    Routes(Routes),
    /// What routers advertise on a link. Takes `CAP_NET_RAW`.
    Advertisements {
        /// Name of the interface.
        interface: String,
        /// Link-local addresses of the routers that are listened to; empty: all.
        routers: Vec<Ipv6Addr>,
    },
}

/// Routes by what they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routes {
    /// What the route does with packets.
    pub kind: RouteKind,
    /// Name of the interface that the route leads to; `None`: any.
    pub interface: Option<String>,
    /// Number of the routing table; 254 is the main one.
    pub table: u32,
    /// Who installed the route (`/etc/iproute2/rt_protos`); `None`: anybody.
    pub protocol: Option<u8>,
}

/// What a route does with packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RouteKind {
    /// Passes them on.
    Unicast,
    /// Refuses them: the usual aggregate of a delegated prefix.
    Unreachable,
    /// Drops them.
    Blackhole,
}

/// What happens to the prefixes of one entry of the list of [`Wanted`]; `wanted` is its index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A prefix was seen, for the first time, again, or with other lifetimes.
    Seen(Sighting),
    /// It is there no longer, and whoever took it away did so while the link was up: the address or
    /// the route was deleted, or a router's valid lifetime has ended.
    Gone {
        /// Which entry.
        wanted: usize,
        /// Where it was seen.
        origin: Origin,
        /// The prefix.
        prefix: Ipv6Net,
    },
    /// Nothing can be seen there now: the interface is missing or down, or a socket cannot be
    /// opened. What was seen before keeps its lifetimes.
    Failed {
        /// Which entry.
        wanted: usize,
        /// The reason, and what to do about it where anything can be done.
        why: String,
    },
    /// It can be looked at; told once at the start, and after every failure.
    Worked {
        /// Which entry.
        wanted: usize,
    },
}

/// A prefix that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Which entry of the list of [`Wanted`].
    pub wanted: usize,
    /// Where.
    pub origin: Origin,
    /// The prefix, without host bits.
    pub prefix: Ipv6Net,
    /// For how long new connections should use it, from now on; zero: they should not; `None`: for
    /// ever.
    pub preferred: Option<Duration>,
    /// For how long it may be used, from now on; `None`: for ever.
    pub valid: Option<Duration>,
}

/// Where a prefix was seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// In an address of an interface, or in a route that reaches it without a router.
    Address {
        /// Name of the interface.
        interface: String,
    },
    /// In a route.
    Route {
        /// Name of the interface that it leads to; empty: none.
        interface: String,
        /// Who installed it.
        protocol: u8,
    },
    /// In an advertisement.
    Router {
        /// The router's link-local address.
        router: Ipv6Addr,
        /// Name of the interface that it was heard on.
        interface: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { interface } => f.write_str(interface),
            Self::Route {
                interface,
                protocol,
            } if interface.is_empty() => write!(f, "route of protocol {protocol}"),
            Self::Route {
                interface,
                protocol,
            } => write!(f, "route of protocol {protocol} on {interface}"),
            Self::Router { router, interface } => write!(f, "router {router} on {interface}"),
        }
    }
}
