//! The API objects, byte-compatible with OpenELB: same field names, same defaults on the wire.

mod bgp_conf;
mod bgp_peer;
mod default;
mod eip;
mod eip_bgp;
mod metadata;
mod number;
mod secret;
mod status;
#[cfg(test)]
mod tests;

pub use bgp_conf::{BgpConf, BgpConfSpec, BgpConfStatus, BgpGracefulRestart, NodeConfStatus};
pub use bgp_peer::{
    AddPaths, AddPathsConfig, AfiSafi, AfiSafiConfig, Bfd, BfdAuth, BgpPeer, BgpPeerSpec,
    BgpPeerStatus, DynamicNeighbors, EbgpMultihop, MessageCounts, Messages, MpGracefulRestart,
    MpGracefulRestartConfig, NextHops, NodePeerStatus, PeerAsType, PeerConf, PeerState, Queues,
    SecretKey, Timers, TimersConfig, TimersState, Transport, TtlSecurity, WireFamily,
};
pub use eip::{Eip, EipSpec, OnShrink, Probe, Protocol, Quota, Strategy};
pub use eip_bgp::{Advertisement, EipBgp, NextHop};
pub use metadata::ObjectMeta;
pub use number::TextNumber;
pub use secret::Secret;
pub use status::EipStatus;
