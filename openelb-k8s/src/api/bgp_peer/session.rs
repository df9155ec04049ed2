//! The parts of a `BgpPeer` that OpenELB has in groups of their own.

use serde::{Deserialize, Serialize};

use super::super::TextNumber;
use super::super::default::is_default;

/// Whether an external neighbour may be several hops away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct EbgpMultihop {
    /// It may.
    #[serde(default, skip_serializing_if = "is_default")]
    pub enabled: bool,
    /// How many hops at most; 0: 255.
    #[serde(default, skip_serializing_if = "is_default")]
    pub multihop_ttl: u32,
}

/// How long things take.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Timers {
    /// The times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<TimersConfig>,
}

/// Times in seconds, as text or number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TimersConfig {
    /// Longest pause between two attempts to connect; absent or 0: 120.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_retry: Option<TextNumber>,
    /// Hold time; absent: three keepalive intervals, or 90. 0: nobody times out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_time: Option<TextNumber>,
    /// Pause between two KEEPALIVEs; absent or 0: a third of the hold time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keepalive_interval: Option<TextNumber>,
    /// Least pause between two bursts of UPDATEs; absent or 0: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_advertisement_interval: Option<TextNumber>,
    /// Longest wait for the neighbour's OPEN before ours is sent; absent or 0: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_open: Option<TextNumber>,
}

/// The TCP connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Transport {
    /// Let the kernel find the largest segment that arrives whole; absent: yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu_discovery: Option<bool>,
    /// Wait for the neighbour to connect.
    #[serde(default, skip_serializing_if = "is_default")]
    pub passive_mode: bool,
    /// State that leaked into the schema; ignored with a warning.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remote_address: String,
    /// Port of the neighbour; 0: 179.
    #[serde(default, skip_serializing_if = "is_default")]
    pub remote_port: u32,
    /// Largest TCP segment; 0: the kernel's choice.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tcp_mss: u32,

    // Additions.
    /// Address that is connected from.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub local_address: String,
    /// Interface or VRF device that is connected through.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub bind_interface: String,
    /// Port that is connected from; 0: the kernel's choice.
    #[serde(default, skip_serializing_if = "is_default")]
    pub local_port: u32,
}

/// One family of a neighbour.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AfiSafi {
    /// Graceful restart of the family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mp_graceful_restart: Option<MpGracefulRestart>,
    /// Which family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<AfiSafiConfig>,
    /// Several paths for one prefix (RFC 7911).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add_paths: Option<AddPaths>,
}

/// Which family.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AfiSafiConfig {
    /// The family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<WireFamily>,
    /// Whether it is spoken. A family that is listed is spoken unless this is written as false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// A family by the names of GoBGP.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct WireFamily {
    /// `AFI_IP` or `AFI_IP6`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub afi: String,
    /// `SAFI_UNICAST`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub safi: String,
}

/// Graceful restart of a family.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MpGracefulRestart {
    /// Whether it is offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<MpGracefulRestartConfig>,
}

/// Whether graceful restart is offered for a family.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MpGracefulRestartConfig {
    /// It is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub enabled: bool,
}

/// Several paths for one prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AddPaths {
    /// How.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<AddPathsConfig>,
}

/// How several paths are exchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AddPathsConfig {
    /// Without effect: nothing received is used.
    #[serde(default, skip_serializing_if = "is_default")]
    pub receive: bool,
    /// How many paths are sent at most; 0: one. Where no `addPaths` is written, 10.
    #[serde(default, skip_serializing_if = "is_default")]
    pub send_max: u32,
}
