//! What the network tells this host about its IPv6 prefixes: addresses and routes that appear on it,
//! and what routers advertise on its links.
//!
//! `Upstream` hears all of it from the kernel, without asking again and again, and says which
//! prefix was seen where and for how long it may be used. Which of them counts is decided elsewhere.
//!
//! | module | holds |
//! |---|---|
//! | [`routers`] | the routers of a link and their prefixes, as a machine |
//! | `host` | the addresses and routes of this host, and what of them was told |
//! | `listener` | a link on which routers are listened to: its socket and its machine |
//! | `opener` | the thread that opens those sockets, with `CAP_NET_RAW` |
//! | `worker` | the thread that hears |

#[cfg(feature = "driver")]
mod handle;
#[cfg(feature = "driver")]
mod host;
#[cfg(feature = "driver")]
mod listener;
#[cfg(feature = "driver")]
mod opener;
pub mod routers;
mod sighting;
#[cfg(feature = "driver")]
mod worker;

#[cfg(feature = "driver")]
pub use handle::{Options, StartError, Upstream};
pub use sighting::{Event, Origin, RouteKind, Routes, Sighting, Wanted};

use ipnet::Ipv6Net;

/// Whether a prefix can be somebody's: unicast of more than one link, neither so short that it is a
/// default route in disguise nor so long that it holds no addresses beside the host's own.
fn is_wanted(prefix: Ipv6Net) -> bool {
    let address = prefix.network();
    let is_special = address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        || address.is_unicast_link_local()
        || address.to_ipv4_mapped().is_some();
    (SHORTEST..=LONGEST).contains(&prefix.prefix_len()) && !is_special
}

/// Registries hand out nothing shorter than a /16 to anybody.
const SHORTEST: u8 = 16;
/// Longer ones are single hosts and point-to-point links (RFC 6164).
const LONGEST: u8 = 126;
