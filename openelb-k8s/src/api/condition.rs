//! Conditions: what is said about an object, one entry a subject.

use serde::{Deserialize, Serialize};

/// A condition, as every kind has them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// Which one.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// One word of a fixed set.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
    /// Generation of the object that it was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// When `status` last changed, as RFC 3339 text.
    pub last_transition_time: String,
}
