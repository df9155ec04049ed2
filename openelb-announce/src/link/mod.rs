//! The host's interfaces and sockets (Linux).
//!
//! | Module | Says |
//! |---|---|
//! | `configure` | how a virtual router gets its link and its addresses |
//! | `topology` | what links and addresses the host has |
//! | `netlink` | how the kernel tells about them |
//! | `prefix_monitor` | how it tells about IPv6 addresses with their lifetimes, and about routes |
//! | `interface` | which of them an announcement means |
//! | `filter` | which frames the kernel hands over |
//! | `raw_socket` | how frames come in and go out |
//! | `beat_socket` | how the beats of the ownership election come in and go out |
//! | `readiness` | how tasks wait for descriptors |
//! | `routes` | what the kernel's routing tables hold of ours |
//! | `router_socket` | how routers of one link find each other |
//! | `udp` | how the packets of BFD come in and go out |
//! | `vrrp_socket` | how the adverts of VRRP come in and go out |
//! | `reception` | whether anything comes in at all |
//! | `scheduling` | how a thread gets ahead of others |
//! | `tcp` | how the connections of BGP are set up |

pub(crate) mod beat_socket;
pub(crate) mod configure;
pub(crate) mod filter;
mod interface;
pub(crate) mod membership;
pub(crate) mod netlink;
pub(crate) mod prefix_monitor;
pub(crate) mod raw_socket;
#[cfg(feature = "speaker")]
pub(crate) mod readiness;
pub(crate) mod reception;
pub(crate) mod router_socket;
pub(crate) mod routes;
pub(crate) mod scheduling;
pub(crate) mod sysctl;
#[cfg(feature = "speaker")]
#[cfg_attr(
    not(test),
    allow(
        dead_code,
        unused_imports,
        reason = "the sessions that use it are on their way"
    )
)]
pub(crate) mod tcp;
pub(crate) mod topology;
pub(crate) mod udp;
pub(crate) mod vrrp_socket;

pub use interface::{
    InterfaceSelector, NoInterface, Obstacle, ParseSelectorError, Pattern, RouteError,
};
