//! `Eip.spec.layer2`: which nodes answer for the addresses of a pool. An addition to OpenELB.

use serde::{Deserialize, Serialize};

/// Which nodes answer for the addresses of a pool, where they are elected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct EipLayer2 {
    /// Names of the nodes that come before all others, whatever these are worth otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preferred_nodes: Vec<String>,
    /// Names of the only nodes that answer; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<String>,
}
