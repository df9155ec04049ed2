//! The API objects, byte-compatible with OpenELB: same field names, same defaults on the wire.

mod address_block;
mod bgp_conf;
mod bgp_peer;
mod condition;
mod default;
mod dynamic_prefix;
mod eip;
mod eip_bgp;
mod eip_layer2;
mod eip_vrrp;
mod layer2_conf;
mod metadata;
mod node_announcement;
mod number;
mod pod_network;
#[cfg(feature = "schema")]
mod schema;
mod secret;
mod status;
#[cfg(test)]
mod tests;

pub use address_block::{AddressBlock, AddressBlockSpec};
pub use bgp_conf::{BgpConf, BgpConfSpec, BgpConfStatus, BgpGracefulRestart, NodeConfStatus};
pub use bgp_peer::{
    AddPaths, AddPathsConfig, AfiSafi, AfiSafiConfig, Bfd, BfdAuth, BgpPeer, BgpPeerSpec,
    BgpPeerStatus, DynamicNeighbors, EbgpMultihop, MessageCounts, Messages, MpGracefulRestart,
    MpGracefulRestartConfig, NextHops, NodePeerStatus, PeerAsType, PeerConf, PeerState, Queues,
    SecretKey, Timers, TimersConfig, TimersState, Transport, TtlSecurity, WireFamily,
};
pub use condition::Condition;
pub use dynamic_prefix::{
    AddressSource, DnsSource, DynamicPrefix, DynamicPrefixSpec, DynamicPrefixStatus, FileSource,
    HttpSource, LeaseFormat, LeaseSource, ObservedPrefix, PrefixGeneration, PrefixObservation,
    PrefixScope, PrefixSource, PrefixSubnet, RouteSource, RouteType, RouterAdvertisementSource,
    StaticSource, TentativePrefix,
};
pub use eip::{Eip, EipSpec, NodeReadiness, OnShrink, Probe, Protocol, Quota, Strategy};
pub use eip_bgp::{Advertisement, EipBgp, NextHop};
pub use eip_layer2::EipLayer2;
pub use eip_vrrp::{Checksum, EipVrrp, VrrpAuthentication};
pub use layer2_conf::{
    Layer2Conf, Layer2ConfSpec, Layer2ConfStatus, Layer2Node, Ownership, Profile,
};
pub use metadata::ObjectMeta;
pub use node_announcement::{
    AnnouncedAddress, AnnouncementState, NodeAnnouncement, NodeAnnouncementStatus,
};
pub use number::TextNumber;
pub use pod_network::{
    NodePrefixLength, PodAnnounce, PodCni, PodKernelRoutes, PodMesh, PodNetwork, PodNetworkSpec,
    PodNetworkStatus,
};
pub use secret::Secret;
pub use status::{EipStatus, Ledger, owners_of};
