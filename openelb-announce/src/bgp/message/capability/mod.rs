//! Capabilities: what a speaker says it can do (RFC 5492).

mod decode;
mod encode;

pub(super) use decode::decode_all;
pub(super) use encode::write;

use crate::bgp::asn::Asn;
use crate::bgp::family::Family;
use crate::bgp::next_hop::ExtendedNextHop;

/// One thing that a speaker can do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Capability {
    /// Routes of an address family (RFC 4760 section 8): its AFI and SAFI.
    MultiProtocol(u16, u8),
    /// ROUTE-REFRESH (RFC 2918).
    RouteRefresh,
    /// Marks around the answer to one (RFC 7313).
    EnhancedRouteRefresh,
    /// AS numbers of four octets, and the speaker's own (RFC 6793).
    FourOctetAs(Asn),
    /// Next hops of another family than the routes (RFC 8950).
    ExtendedNextHop(Vec<NextHopEncoding>),
    /// Keeping routes while the speaker restarts (RFC 4724).
    GracefulRestart(GracefulRestart),
    /// Keeping them longer, as a last resort (RFC 9494).
    LongLived(Vec<LongLived>),
    /// Several paths to one destination (RFC 7911).
    AddPath(Vec<(Family, AddPathMode)>),
    /// Messages of up to 65,535 octets (RFC 8654).
    ExtendedMessage,
    /// The name of the host and of its domain; only received.
    HostName {
        /// The host, without its domain.
        host: String,
        /// The domain; often empty.
        domain: String,
    },
    /// The role in the peering (RFC 9234); only received.
    Role(u8),
    /// One that has no name here, or whose value is not what its RFC says: as it came.
    Unknown {
        /// Its code.
        code: u8,
        /// Its value.
        data: Vec<u8>,
    },
}

impl Capability {
    /// The capability of one of our families.
    pub const fn multi_protocol(family: Family) -> Self {
        Self::MultiProtocol(family.afi(), family.safi())
    }

    /// The capability of IPv4 unicast routes with IPv6 next hops (RFC 8950 section 4).
    pub fn v6_next_hops_for_v4() -> Self {
        Self::ExtendedNextHop(vec![NextHopEncoding::V6_FOR_V4])
    }
}

/// Which next hops routes of a family may have (RFC 8950 section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NextHopEncoding {
    /// The address family of the routes.
    pub afi: u16,
    /// Their subsequent address family.
    pub safi: u16,
    /// The address family of their next hops.
    pub next_hop_afi: u16,
}

impl NextHopEncoding {
    /// IPv6 next hops for IPv4 unicast routes.
    pub const V6_FOR_V4: Self = Self {
        afi: 1,
        safi: 1,
        next_hop_afi: 2,
    };
}

/// The proof that IPv4 routes may have IPv6 next hops, if both sides said so.
///
/// ```
/// use openelb_announce::bgp::message::Capability;
/// use openelb_announce::bgp::message::capability::extended_next_hop;
///
/// let able = [Capability::v6_next_hops_for_v4()];
/// assert!(extended_next_hop(&able, &able).is_some());
/// assert!(extended_next_hop(&able, &[]).is_none());
/// ```
pub fn extended_next_hop(ours: &[Capability], theirs: &[Capability]) -> Option<ExtendedNextHop> {
    let able = |capability: &Capability| match capability {
        Capability::ExtendedNextHop(encodings) => encodings.contains(&NextHopEncoding::V6_FOR_V4),
        _ => false,
    };
    let both = ours.iter().any(able) && theirs.iter().any(able);
    both.then(ExtendedNextHop::negotiated)
}

/// How a speaker restarts (RFC 4724 section 3, RFC 8538 section 2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct GracefulRestart {
    /// R: it has just restarted; do not wait for its End-of-RIB.
    pub restarting: bool,
    /// N: a NOTIFICATION, too, begins a graceful restart (RFC 8538).
    pub notification: bool,
    /// How long it may take to come back, in seconds; 12 bits, so at most 4,095.
    pub time: u16,
    /// The families whose routes are kept, each with F: forwarding went on during the restart.
    pub families: Vec<(Family, bool)>,
}

/// How long stale routes of a family may stay (RFC 9494 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LongLived {
    /// The family.
    pub family: Family,
    /// F: forwarding went on during the restart.
    pub forwarding: bool,
    /// How long, in seconds; 24 bits, so at most 16,777,215.
    pub time: u32,
}

/// Which way several paths may go (RFC 7911 section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddPathMode {
    /// The speaker wants to receive them.
    Receive,
    /// It wants to send them.
    Send,
    /// Both.
    Both,
}

impl AddPathMode {
    /// Whether a speaker that says so sends path identifiers.
    pub const fn sends(self) -> bool {
        matches!(self, Self::Send | Self::Both)
    }

    /// Whether a speaker that says so understands path identifiers.
    pub const fn receives(self) -> bool {
        matches!(self, Self::Receive | Self::Both)
    }

    const fn to_wire(self) -> u8 {
        match self {
            Self::Receive => 1,
            Self::Send => 2,
            Self::Both => 3,
        }
    }

    const fn from_wire(value: u8) -> Option<Self> {
        match value {
            1 => Some(Self::Receive),
            2 => Some(Self::Send),
            3 => Some(Self::Both),
            _ => None,
        }
    }
}

const MULTI_PROTOCOL: u8 = 1;
const ROUTE_REFRESH: u8 = 2;
const EXTENDED_NEXT_HOP: u8 = 5;
const EXTENDED_MESSAGE: u8 = 6;
const ROLE: u8 = 9;
const GRACEFUL_RESTART: u8 = 64;
const FOUR_OCTET_AS: u8 = 65;
const ADD_PATH: u8 = 69;
const ENHANCED_ROUTE_REFRESH: u8 = 70;
const LONG_LIVED: u8 = 71;
const HOST_NAME: u8 = 73;
/// In the flags of a restarting family: forwarding went on.
const FORWARDING: u8 = 0x80;
/// In the flags before the restart time.
const RESTARTING: u16 = 0x8000;
const NOTIFICATION: u16 = 0x4000;
const TIME: u16 = 0x0fff;

#[cfg(test)]
mod tests;
