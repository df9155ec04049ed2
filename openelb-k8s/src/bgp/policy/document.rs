//! The text of a policy as GoBGP writes it: every key that has a meaning here, and no other.

#![expect(
    clippy::struct_field_names,
    reason = "the names are GoBGP's: a set repeats its kind in the key of its name"
)]

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

/// The whole document.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Document {
    pub(super) global: Global,
    pub(super) defined_sets: DefinedSets,
    pub(super) policy_definitions: Vec<PolicyDefinition>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Global {
    pub(super) apply_policy: ApplyPolicy,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct ApplyPolicy {
    pub(super) config: ApplyPolicyConfig,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct ApplyPolicyConfig {
    pub(super) import_policy_list: Vec<String>,
    pub(super) default_import_policy: String,
    pub(super) export_policy_list: Vec<String>,
    pub(super) default_export_policy: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct DefinedSets {
    pub(super) prefix_sets: Vec<PrefixSet>,
    pub(super) neighbor_sets: Vec<NeighborSet>,
    pub(super) bgp_defined_sets: BgpDefinedSets,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct PrefixSet {
    pub(super) prefix_set_name: String,
    #[serde(default)]
    pub(super) prefix_list: Vec<PrefixEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct PrefixEntry {
    pub(super) ip_prefix: String,
    #[serde(default)]
    pub(super) masklength_range: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct NeighborSet {
    pub(super) neighbor_set_name: String,
    #[serde(default)]
    pub(super) neighbor_info_list: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct BgpDefinedSets {
    pub(super) community_sets: Vec<CommunitySet>,
    pub(super) ext_community_sets: Vec<ExtCommunitySet>,
    pub(super) large_community_sets: Vec<LargeCommunitySet>,
    pub(super) as_path_sets: Vec<AsPathSet>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct CommunitySet {
    pub(super) community_set_name: String,
    #[serde(default)]
    pub(super) community_list: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct ExtCommunitySet {
    pub(super) ext_community_set_name: String,
    #[serde(default)]
    pub(super) ext_community_list: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct LargeCommunitySet {
    pub(super) large_community_set_name: String,
    #[serde(default)]
    pub(super) large_community_list: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct AsPathSet {
    pub(super) as_path_set_name: String,
    #[serde(default)]
    pub(super) as_path_list: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct PolicyDefinition {
    pub(super) name: String,
    #[serde(default)]
    pub(super) statements: Vec<Statement>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Statement {
    pub(super) name: String,
    pub(super) conditions: Conditions,
    pub(super) actions: Actions,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Conditions {
    pub(super) match_prefix_set: Option<MatchPrefixSet>,
    pub(super) match_neighbor_set: Option<MatchNeighborSet>,
    pub(super) bgp_conditions: BgpConditions,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct MatchPrefixSet {
    pub(super) prefix_set: String,
    #[serde(default)]
    pub(super) match_set_options: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct MatchNeighborSet {
    pub(super) neighbor_set: String,
    #[serde(default)]
    pub(super) match_set_options: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct BgpConditions {
    pub(super) match_community_set: Option<MatchCommunitySet>,
    pub(super) match_ext_community_set: Option<MatchExtCommunitySet>,
    pub(super) match_large_community_set: Option<MatchLargeCommunitySet>,
    pub(super) match_as_path_set: Option<MatchAsPathSet>,
    pub(super) as_path_length: Option<AsPathLength>,
    pub(super) afi_safi_in_list: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct MatchCommunitySet {
    pub(super) community_set: String,
    #[serde(default)]
    pub(super) match_set_options: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct MatchExtCommunitySet {
    pub(super) ext_community_set: String,
    #[serde(default)]
    pub(super) match_set_options: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct MatchLargeCommunitySet {
    pub(super) large_community_set: String,
    #[serde(default)]
    pub(super) match_set_options: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct MatchAsPathSet {
    pub(super) as_path_set: String,
    #[serde(default)]
    pub(super) match_set_options: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct AsPathLength {
    pub(super) operator: String,
    pub(super) value: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Actions {
    pub(super) route_disposition: String,
    pub(super) bgp_actions: BgpActions,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct BgpActions {
    pub(super) set_community: Option<SetCommunity>,
    pub(super) set_ext_community: Option<SetExtCommunity>,
    pub(super) set_large_community: Option<SetLargeCommunity>,
    pub(super) set_med: Option<Text>,
    pub(super) set_local_pref: Option<u32>,
    pub(super) set_as_path_prepend: Option<SetAsPathPrepend>,
    pub(super) set_next_hop: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct SetCommunity {
    #[serde(default)]
    pub(super) options: String,
    #[serde(default)]
    pub(super) set_community_method: CommunityMethod,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct SetExtCommunity {
    #[serde(default)]
    pub(super) options: String,
    #[serde(default)]
    pub(super) set_ext_community_method: CommunityMethod,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct SetLargeCommunity {
    // GoBGP's own type of this option is a word where the other two have text; both are text here.
    #[serde(default)]
    pub(super) options: String,
    #[serde(default)]
    pub(super) set_large_community_method: CommunityMethod,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct CommunityMethod {
    pub(super) communities_list: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct SetAsPathPrepend {
    pub(super) r#as: Text,
    #[serde(default = "once")]
    pub(super) repeat_n: u8,
}

fn once() -> u8 {
    1
}

/// Text, or a number that is taken for text.
#[derive(Debug)]
pub(super) struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text or a whole number")
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Text, E> {
        Ok(Text(value.to_owned()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Text, E> {
        Ok(Text(value.to_string()))
    }
}
