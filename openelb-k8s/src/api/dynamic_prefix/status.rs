//! What is known of a prefix: which one counts, which did before, and who saw what.

use serde::{Deserialize, Serialize};

use super::super::Condition;
use super::super::default::is_default;

/// What was observed of a prefix. The leading controller writes it, and everybody projects with it.
/// Every time is RFC 3339 text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct DynamicPrefixStatus {
    /// Generation of the specification that the rest was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The one that new connections use; absent while none is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred: Option<PrefixGeneration>,
    /// Those that counted before and are still served, the latest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deprecated: Vec<PrefixGeneration>,
    /// The one that takes over when it has been seen for long enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tentative: Option<TentativePrefix>,
    /// Who sees what, in the order of the sources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub observations: Vec<PrefixObservation>,
    /// How often another prefix took over.
    #[serde(skip_serializing_if = "is_default")]
    pub renumbered: u64,
    /// What is said about the object: one entry a subject.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

/// A prefix that counts or did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct PrefixGeneration {
    /// The part that addresses are made of.
    pub prefix: String,
    /// The prefix that it is a part of, as it was learned.
    pub delegated: String,
    /// Since when it counts.
    pub since: String,
    /// Until when it may be used; absent: for ever, as far as its source knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
    /// When it is served no longer; only of those that counted before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Which entry of `spec.sources` it was learned from, counted from 0.
    pub source: u32,
    /// Where exactly, such as `router fe80::1 on wan0`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub origin: String,
}

/// A prefix that does not count yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct TentativePrefix {
    /// The part that addresses would be made of.
    pub prefix: String,
    /// The prefix that it is a part of, as it was learned.
    pub delegated: String,
    /// Since when it is seen.
    pub since: String,
    /// Which entry of `spec.sources` it was learned from, counted from 0.
    pub source: u32,
    /// Where exactly.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub origin: String,
}

/// What one source says now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct PrefixObservation {
    /// The node that sees it; empty: the controller.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub node: String,
    /// Which entry of `spec.sources` it is, counted from 0.
    pub source: u32,
    /// Where exactly.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub origin: String,
    /// The prefix as it was learned.
    pub prefix: String,
    /// Until when new connections should use it; absent: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_until: Option<String>,
    /// Until when it may be used; absent: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
}

/// What the speaker of a node sees of a `DynamicPrefix`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct ObservedPrefix {
    /// Name of the `DynamicPrefix`.
    pub name: String,
    /// Which entry of its `spec.sources` it is, counted from 0.
    pub source: u32,
    /// Where exactly, such as `router fe80::1 on wan0`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub origin: String,
    /// The prefix as it was learned; empty: none is seen there.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// Until when new connections should use it, as RFC 3339 text; absent: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_until: Option<String>,
    /// Until when it may be used, as RFC 3339 text; absent: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
    /// Why the source cannot be read; empty: it can.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub problem: String,
}
