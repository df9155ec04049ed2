//! What can happen to a virtual router.

use std::net::IpAddr;

use crate::time::Time;
use crate::vrrp::settings::Settings;

/// One thing that happens.
#[derive(Debug)]
pub enum Input<'a> {
    /// The state of the interface. Up with an address of the router's family to send from: Startup
    /// (RFC 9568 section 6.4.1). Anything else: back to `Initialize`, without a word, as nothing could
    /// be sent.
    Link {
        /// Carries the interface frames?
        up: bool,
        /// The primary IPv4 address of the interface, or its link-local address.
        primary: Option<IpAddr>,
    },
    /// What to be, whole. The same again is harmless; another VRID, family or version leaves the old
    /// virtual router and begins anew; anything else is adopted on the way. Settings that are not
    /// valid are reported and change nothing.
    Configure(Settings),
    /// A packet of protocol 112. One for another VRID is passed over.
    Packet {
        /// What follows the IP header.
        octets: &'a [u8],
        /// The sender.
        source: IpAddr,
        /// To whom it was sent.
        destination: IpAddr,
        /// The TTL or hop limit with which it arrived.
        hop_limit: u8,
        /// When it arrived: timers count from then, however late it is handed over.
        received: Time,
    },
    /// How fit this host is, instead of the priority of the settings; until they name another one.
    /// Zero: stand aside, and do not become Active whatever happens.
    Priority(u8),
    /// The advertisement could not be sent to anyone: it does not extend
    /// [`valid_until`](super::Machine::valid_until). Must come before any other input.
    Unsent,
    /// This host was paused, or may have been: leave `Active`, and listen first.
    Fence,
    /// Leave the virtual router, with a word if it is Active. `Configure` begins anew.
    Shutdown,
}
