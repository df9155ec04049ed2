//! What a session makes of a route: everything about it that its UPDATEs depend on.

use crate::bgp::asn::Asn;
use crate::bgp::family::{FamilySet, PerFamily};
use crate::bgp::next_hop::{ExtendedNextHop, NextHop};
use crate::bgp::policy::Policy;
use crate::bgp::route::{NoNextHop, PeerName};
use std::net::IpAddr;
use std::sync::Arc;

/// What a session makes of a route.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent answer of the negotiation or the configuration"
)]
pub struct Terms {
    /// The peer's name, which routes and policies may ask for.
    pub peer: PeerName,
    /// The name of the group of dynamic neighbours that it came out of, which routes may ask for too.
    pub group: Option<PeerName>,
    /// The peer's address, which policies may ask for.
    pub remote: Option<IpAddr>,
    /// The negotiated families; nothing is ever sent of another.
    pub families: FamilySet,
    /// Whether the peer is in our AS.
    pub ibgp: bool,
    /// Our AS on this session.
    pub local_as: Asn,
    /// Whether AS numbers have four octets (RFC 6793).
    pub four_octet_as: bool,
    /// The longest message in octets: 4,096, or 65,535 where that was negotiated (RFC 8654).
    pub message_limit: usize,
    /// How many paths of a prefix the peer hears, where add-path was negotiated (RFC 7911).
    pub add_path: PerFamily<Option<u8>>,
    /// The proof that IPv4 routes may have IPv6 next hops (RFC 8950).
    pub extended_next_hop: Option<ExtendedNextHop>,
    /// The next hop that leads here, or why there is none.
    pub own_next_hop: PerFamily<Result<NextHop, NoNextHop>>,
    /// The speaker's policy, asked first.
    pub policy: Arc<Policy>,
    /// The peer's own policy, asked about what the speaker's lets pass.
    pub peer_policy: Arc<Policy>,
    /// Whether all routes ask to be avoided because this speaker is about to go (RFC 8326).
    pub graceful_shutdown: bool,
    /// Whether refreshed routes stand between marks (RFC 7313).
    pub enhanced_refresh: bool,
}
