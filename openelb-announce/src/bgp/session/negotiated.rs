//! What the two OPENs of a session agree on.

use super::Direction;
use crate::bgp::asn::{Asn, RouterId};
use crate::bgp::config::SessionKind;
use crate::bgp::family::{FamilySet, PerFamily};
use crate::bgp::message::LIMIT;
use crate::bgp::next_hop::ExtendedNextHop;
use crate::bgp::route::LocalAddresses;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// What holds in a session: the intersection of what both sides offered (RFC 5492).
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each capability was agreed on or not"
)]
pub struct Negotiated {
    /// Is the peer in our own AS?
    pub kind: SessionKind,
    /// The AS that we showed to the peer.
    pub local_as: Asn,
    /// The AS that the peer is in.
    pub peer_as: Asn,
    /// The BGP identifier that we showed.
    pub local_id: RouterId,
    /// The BGP identifier of the peer.
    pub peer_id: RouterId,
    /// Who connected.
    pub direction: Direction,
    /// Our addresses on this connection.
    pub addresses: LocalAddresses,
    /// The peer's end of this connection.
    pub remote: SocketAddr,
    /// The families whose routes may be exchanged; never empty.
    pub families: FamilySet,
    /// Silence after which the other side is gone, the smaller of both offers; zero: never.
    pub hold_time: Duration,
    /// The time between two KEEPALIVEs of ours, before jitter; `None` when nobody times out.
    pub keepalive_time: Option<Duration>,
    /// `AS_PATH`s hold numbers of four octets (RFC 6793).
    pub four_octet_as: bool,
    /// How many paths of a prefix may be sent, for families where the peer takes several (RFC 7911).
    pub add_path: PerFamily<Option<u8>>,
    /// The right to send IPv4 routes with IPv6 next hops (RFC 8950).
    pub extended_next_hop: Option<ExtendedNextHop>,
    /// The largest message that may be sent: 4,096 octets, or 65,535 (RFC 8654).
    pub message_limit: usize,
    /// Routes are sent again on request (RFC 2918).
    pub route_refresh: bool,
    /// Such a resend is marked at both ends (RFC 7313).
    pub enhanced_route_refresh: bool,
    /// What the peer said about its own restarts (RFC 4724); `None` without the capability, on either
    /// side.
    pub peer_restart: Option<PeerRestart>,
    /// Both sides keep routes through NOTIFICATIONs that are no Hard Reset (RFC 8538).
    pub keeps_through_notifications: bool,
    /// The families whose routes the peer keeps as a last resort after the restart time (RFC 9494).
    pub long_lived: FamilySet,
    /// What the peer calls itself, if it says so.
    pub host_name: Option<String>,
}

/// What the peer said about its own restarts (RFC 4724 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerRestart {
    /// The R bit: it has just restarted, and waits for no End-of-RIB of ours.
    pub restarting: bool,
    /// How long its routes are to be kept after its session ended, up to 4,095 s.
    pub time: Duration,
    /// The families whose routes are to be kept.
    pub families: FamilySet,
    /// Those among them for which it kept forwarding through its last restart: the F bit.
    pub forwarding: FamilySet,
}

impl Negotiated {
    /// Is the peer in another AS?
    pub fn is_external(&self) -> bool {
        self.kind == SessionKind::External
    }
}

impl fmt::Display for Negotiated {
    /// What was agreed on, for users: `ipv4-unicast, ipv6-unicast; hold 90 s; 4-octet AS; ...`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; ", self.families)?;
        match self.keepalive_time {
            Some(_) => write!(f, "hold {} s", self.hold_time.as_secs())?,
            None => f.write_str("no hold time")?,
        }
        for (holds, words) in self.extras() {
            if holds {
                write!(f, "; {words}")?;
            }
        }
        for (family, most) in self.add_path.iter() {
            if let Some(most) = most {
                write!(f, "; {most} paths of {family}")?;
            }
        }
        Ok(())
    }
}

impl Negotiated {
    fn extras(&self) -> [(bool, &'static str); 8] {
        [
            (self.four_octet_as, "4-octet AS"),
            (self.route_refresh, "route refresh"),
            (self.enhanced_route_refresh, "enhanced route refresh"),
            (self.extended_next_hop.is_some(), "extended next hop"),
            (self.message_limit > LIMIT, "extended messages"),
            (self.peer_restart.is_some(), "graceful restart"),
            (
                self.keeps_through_notifications,
                "routes kept through NOTIFICATIONs",
            ),
            (!self.long_lived.is_empty(), "long-lived graceful restart"),
        ]
    }
}
