//! `DynamicPrefix` v1alpha2: an IPv6 prefix that the network gives and may take back, as the user
//! writes it. An addition to OpenELB.

mod source;
mod status;

use openelb_ipam::pool::Selector;
use serde::{Deserialize, Serialize};

use super::ObjectMeta;
use super::default::is_default;
use crate::names;

pub use source::{
    AddressSource, DnsSource, FileSource, HttpSource, LeaseFormat, LeaseSource, PrefixSource,
    RouteSource, RouteType, RouterAdvertisementSource, StaticSource,
};
pub use status::{
    DynamicPrefixStatus, ObservedPrefix, PrefixGeneration, PrefixObservation, TentativePrefix,
};

/// A prefix by name: pools write `home/::1000-::1fff`, and their addresses follow it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DynamicPrefix {
    /// `network.kubesphere.io/v1alpha2`.
    pub api_version: String,
    /// `DynamicPrefix`.
    pub kind: String,
    /// Name, labels and annotations. The name is what pools write.
    pub metadata: ObjectMeta,
    /// What the user wants.
    #[serde(default)]
    pub spec: DynamicPrefixSpec,
    /// What was observed; absent in files.
    #[serde(default, skip_serializing_if = "is_default")]
    pub status: DynamicPrefixStatus,
}

impl DynamicPrefix {
    /// A prefix of this name that is taken from these sources, every other field at its default.
    pub fn new(name: impl Into<String>, sources: Vec<PrefixSource>) -> Self {
        Self {
            api_version: names::DYNAMIC_PREFIX_API_VERSION.to_owned(),
            kind: names::DYNAMIC_PREFIX_KIND.to_owned(),
            metadata: ObjectMeta {
                name: name.into(),
                ..ObjectMeta::default()
            },
            spec: DynamicPrefixSpec {
                sources,
                ..DynamicPrefixSpec::default()
            },
            status: DynamicPrefixStatus::default(),
        }
    }
}

/// Where a prefix comes from, which part of it is used, and how fast changes are followed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DynamicPrefixSpec {
    /// Where the prefix is learned; of two that tell different ones, the one listed first counts.
    #[serde(default)]
    pub sources: Vec<PrefixSource>,
    /// Which part of the learned prefix is used; absent: its lowest /64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet: Option<PrefixSubnet>,
    /// For how long another prefix must have been seen before it takes over; absent: `15s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_down: Option<String>,
    /// For how long the former prefix is still served, though never longer than it is valid; absent:
    /// `1h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace: Option<String>,
    /// How many former prefixes are served at most; absent: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generations: Option<u32>,
    /// Which kinds of prefixes are taken.
    #[serde(default, skip_serializing_if = "is_default")]
    pub scope: PrefixScope,
    /// Labels of the nodes whose observations count; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::selector"))]
    pub node_selector: Option<Selector>,
}

/// Which part of the learned prefix is used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PrefixSubnet {
    /// Length of that part, 48 to 128; absent: 64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u32>,
    /// Its number among the parts of that length, from 0; absent, and without `override`: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Instead of a number: how many leading bits of the learned prefix are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<u32>,
    /// The bits from `keep` to `length`, as an address such as `0:0:0:cd::`.
    #[serde(default, rename = "override", skip_serializing_if = "Option::is_none")]
    pub override_bits: Option<String>,
}

/// Which kinds of prefixes are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum PrefixScope {
    /// Global ones, and unique local ones (RFC 4193) while there is no global one.
    #[default]
    GlobalFirst,
    /// Only global ones.
    Global,
    /// Only unique local ones.
    UniqueLocal,
    /// Both alike.
    Any,
}
