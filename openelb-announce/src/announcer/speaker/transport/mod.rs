//! What a peer's settings mean for its sockets.

use crate::bgp::config::{Neighbor, RemoteAs};
use crate::link::tcp::{SessionOptions, minimum_hop_limit};

/// How the socket of a session with `neighbor` is set up, whoever dialled.
///
/// An external peer is a neighbour on a link unless the settings say otherwise: packets to it must
/// not survive a router (RFC 4271 section 5.1.3 expects a shared subnet). With GTSM both sides send
/// 255 and refuse what a router further than agreed on has forwarded (RFC 5082 section 3). Octets
/// that stay unacknowledged for the hold time end the connection: the peer has given the session up
/// by then, and the kernel alone would go on for a quarter of an hour.
pub(super) fn session_options(neighbor: &Neighbor) -> SessionOptions {
    let settings = &neighbor.settings;
    let transport = &settings.transport;
    let (hop_limit, minimum) = match (transport.gtsm, transport.multihop) {
        (Some(hops), _) => (Some(u8::MAX), Some(minimum_hop_limit(hops))),
        (None, Some(limit)) => (Some(limit), None),
        (None, None) => ((!is_internal(neighbor)).then_some(1), None),
    };
    let hold = settings.timers.hold_time();
    SessionOptions {
        hop_limit,
        minimum_hop_limit: minimum,
        maximum_segment: transport.tcp_mss,
        user_timeout: (!hold.is_zero()).then_some(hold),
        mtu_discovery: Some(transport.mtu_discovery),
    }
}

fn is_internal(neighbor: &Neighbor) -> bool {
    match neighbor.settings.remote_as {
        RemoteAs::Internal => true,
        RemoteAs::External => false,
        RemoteAs::Exactly(asn) => asn == neighbor.local_as,
    }
}

#[cfg(test)]
mod tests;
