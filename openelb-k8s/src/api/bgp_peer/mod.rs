//! `BgpPeer` v1alpha2: a neighbour as the user writes it.

mod extension;
mod session;
mod status;

use openelb_ipam::pool::Selector;
use serde::{Deserialize, Serialize};

use super::default::is_default;
use super::{BgpGracefulRestart, ObjectMeta, Secret};
use crate::names;

pub use extension::{Bfd, BfdAuth, DynamicNeighbors, NextHops, PeerAsType, SecretKey, TtlSecurity};
pub use session::{
    AddPaths, AddPathsConfig, AfiSafi, AfiSafiConfig, EbgpMultihop, MpGracefulRestart,
    MpGracefulRestartConfig, Timers, TimersConfig, Transport, WireFamily,
};
pub use status::{
    BgpPeerStatus, MessageCounts, Messages, NodePeerStatus, PeerState, Queues, TimersState,
};

/// A neighbour.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BgpPeer {
    /// `network.kubesphere.io/v1alpha2`.
    pub api_version: String,
    /// `BgpPeer`.
    pub kind: String,
    /// Name, labels and annotations.
    pub metadata: ObjectMeta,
    /// What the user wants.
    #[serde(default)]
    pub spec: BgpPeerSpec,
    /// What the speakers observed; absent in files.
    #[serde(default, skip_serializing_if = "is_default")]
    pub status: BgpPeerStatus,
}

impl BgpPeer {
    /// A neighbour of this name, address and AS, every other field at its default.
    pub fn new(name: impl Into<String>, address: impl Into<String>, asn: u32) -> Self {
        Self {
            api_version: names::BGP_API_VERSION.to_owned(),
            kind: names::BGP_PEER_KIND.to_owned(),
            metadata: ObjectMeta {
                name: name.into(),
                ..ObjectMeta::default()
            },
            spec: BgpPeerSpec {
                conf: Some(PeerConf {
                    neighbor_address: address.into(),
                    peer_as: asn,
                    ..PeerConf::default()
                }),
                ..BgpPeerSpec::default()
            },
            status: BgpPeerStatus::default(),
        }
    }
}

/// What the user wants of a neighbour.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own that users turn on or off"
)]
pub struct BgpPeerSpec {
    /// Who it is. OpenELB's speakers crash without it; here its absence is an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conf: Option<PeerConf>,
    /// Whether it may be several hops away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ebgp_multihop: Option<EbgpMultihop>,
    /// How long things take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timers: Option<Timers>,
    /// The TCP connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<Transport>,
    /// Graceful restart; absent: as the `BgpConf` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graceful_restart: Option<BgpGracefulRestart>,
    /// The families; empty: as the `BgpConf` says, or both.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub afi_safis: Vec<AfiSafi>,
    /// Which nodes have the session; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::selector"))]
    pub node_selector: Option<Selector>,

    // Additions. All optional.
    /// Refuse packets from further away (RFC 5082).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_security: Option<TtlSecurity>,
    /// File whose first line is the password, on the machine of the speaker.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub auth_password_file: String,
    /// Kubernetes Secret that holds the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_password_secret: Option<SecretKey>,
    /// Failure detection (RFC 5880).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bfd: Option<Bfd>,
    /// Accept whoever connects out of these prefixes, instead of one address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dynamic_neighbors: Option<DynamicNeighbors>,
    /// This object is no neighbour: others take its fields as their defaults.
    #[serde(default, skip_serializing_if = "is_default")]
    pub is_template: bool,
    /// Name of the template whose fields are the defaults of this object.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub template: String,
    /// Name of the `ConfigMap` with the export policy of this neighbour, after the speaker's own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub export_policy: String,
    /// Keep the routes that it sends, to be looked at.
    #[serde(default, skip_serializing_if = "is_default")]
    pub keep_received: bool,
    /// End the session when it sends more prefixes than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix_limit: Option<u32>,
    /// Next hops instead of the session's own addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_hop: Option<NextHops>,
    /// Ask the neighbour to prefer other paths, before maintenance (RFC 8326).
    #[serde(default, skip_serializing_if = "is_default")]
    pub graceful_shutdown: bool,
    /// Offer IPv4 routes with IPv6 next hops (RFC 8950); absent: only on interface peers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_next_hop: Option<bool>,
    /// Offer messages of up to 65,535 octets (RFC 8654).
    #[serde(default, skip_serializing_if = "is_default")]
    pub extended_messages: bool,
}

/// Who a neighbour is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PeerConf {
    /// TCP-MD5 key (RFC 2385), 1 to 80 octets.
    #[serde(default, skip_serializing_if = "Secret::is_empty")]
    pub auth_password: Secret,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Our AS as it sees it; 0: the speaker's.
    #[serde(default, skip_serializing_if = "is_default")]
    pub local_as: u32,
    /// Its address; a link-local one with its interface, `fe80::1%eth0`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub neighbor_address: String,
    /// Its AS.
    #[serde(default, skip_serializing_if = "is_default")]
    pub peer_as: u32,
    /// Not supported: see `spec.template`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub peer_group: String,
    /// Derived from the AS numbers; only its zero value is accepted.
    #[serde(default, skip_serializing_if = "is_default")]
    pub peer_type: u32,
    /// `NONE` or empty; nothing else makes sense for routes that begin here.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remove_private_as: String,
    /// Not supported: nothing is received to be damped.
    #[serde(default, skip_serializing_if = "is_default")]
    pub route_flap_damping: bool,
    /// Not supported: communities are always sent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub send_community: u32,
    /// The point-to-point interface on which it is found: an unnumbered neighbour.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub neighbor_interface: String,
    /// Not supported: see `spec.transport.bindInterface`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub vrf: String,
    /// Not supported: nothing received is used.
    #[serde(default, skip_serializing_if = "is_default")]
    pub allow_own_as: u32,
    /// Not supported: no foreign route is sent on.
    #[serde(default, skip_serializing_if = "is_default")]
    pub replace_peer_as: bool,
    /// Keep the session down.
    #[serde(default, skip_serializing_if = "is_default")]
    pub admin_down: bool,

    // Additions.
    /// The AS by kind, where its number does not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_as_type: Option<PeerAsType>,
}
