//! `Layer2Conf` v1alpha2: who answers for the addresses of a link, as the user writes it. An addition
//! to OpenELB.

use serde::{Deserialize, Serialize};

use super::default::is_default;
use super::{Condition, ObjectMeta, SecretKey};
use crate::names;

/// How the nodes of a link agree on who answers for which address. Only the object named
/// [`names::DEFAULT_LAYER2_CONF`] counts; without it every daemon answers for all it has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Layer2Conf {
    /// `network.kubesphere.io/v1alpha2`.
    pub api_version: String,
    /// `Layer2Conf`.
    pub kind: String,
    /// Name, labels and annotations.
    pub metadata: ObjectMeta,
    /// What the user wants.
    #[serde(default)]
    pub spec: Layer2ConfSpec,
    /// What was observed; absent in files.
    #[serde(default, skip_serializing_if = "is_default")]
    pub status: Layer2ConfStatus,
}

impl Layer2Conf {
    /// An election with this key file, every other field at its default.
    pub fn new(key_file: impl Into<String>) -> Self {
        Self {
            api_version: names::LAYER2_API_VERSION.to_owned(),
            kind: names::LAYER2_CONF_KIND.to_owned(),
            metadata: ObjectMeta {
                name: names::DEFAULT_LAYER2_CONF.to_owned(),
                ..ObjectMeta::default()
            },
            spec: Layer2ConfSpec {
                key_file: key_file.into(),
                ..Layer2ConfSpec::default()
            },
            status: Layer2ConfStatus::default(),
        }
    }
}

/// What the user wants of the election.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Layer2ConfSpec {
    /// Who answers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ownership: Ownership,
    /// How soon a dead node is replaced.
    #[serde(default, skip_serializing_if = "is_default")]
    pub profile: Profile,
    /// UDP port of the beats; absent: 7947.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u32>,
    /// File whose first line is the key that beats are signed with.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key_file: String,
    /// The same in a Kubernetes Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_secret: Option<SecretKey>,
    /// Files with keys that are still accepted, but sign nothing: the old ones while a new one is
    /// rolled out, or the new one before that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub previous_key_files: Vec<String>,
    /// `true`: no key is wanted, and any host of the link may take any address.
    #[serde(default, skip_serializing_if = "is_default")]
    pub insecure_without_key: bool,
    /// Addresses of all nodes, for links without multicast; empty: multicast.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<String>,
    /// How long a node must have been back before it is given addresses again; absent: `30s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<String>,
    /// How long an address stays at least where it came to; absent: `10s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dwell: Option<String>,
    /// `false`: an address moves only when its node can serve no longer. Absent: `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preempt: Option<bool>,
    /// How many portions the addresses are dealt out in, the same on every node; absent: 256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shards: Option<u32>,
    /// Nodes that differ from the others; all others have weight 100 and preference 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<Layer2Node>,
}

/// What was observed of the election.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Layer2ConfStatus {
    /// Generation of the specification that the conditions were made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What is said about the object: one entry a subject.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

/// What a node is worth in the election.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Layer2Node {
    /// Name of the node.
    pub name: String,
    /// Its share of the addresses beside the others', 1 to 1,000; absent: 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<u32>,
    /// Nodes with a higher one come first, 0 to 100; absent: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preference: Option<u32>,
}

/// Who answers for the addresses of `layer2` pools.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Ownership {
    /// The node that the nodes of the link agree on, one for each address.
    #[default]
    Elected,
    /// Every daemon that has the address, as without a `Layer2Conf`.
    Sole,
}

/// How soon a dead node is replaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Profile {
    /// A beat each second, dead after 3.3 s: for hosts that stall.
    Calm,
    /// A beat each 333 ms, dead after 1 s.
    #[default]
    Normal,
    /// A beat each 100 ms, dead after 300 ms: needs a real-time thread.
    Fast,
}
