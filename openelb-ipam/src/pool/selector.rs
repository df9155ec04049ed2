//! Label selectors, as plain predicates.

use alloc::string::String;
use alloc::vec::Vec;

use crate::request::Labels;

/// A predicate on labels: all its labels and all its expressions must match.
///
/// An empty selector matches everything, as in Kubernetes.
///
/// ```
/// use openelb_ipam::{Labels, pool::Selector};
///
/// let team = Selector::labels([("team", "blue")]);
/// let blue: Labels = [("team", "blue")].into();
/// assert!(team.matches(&blue));
/// assert!(!team.matches(&Labels::new()));
/// assert!(Selector::default().matches(&Labels::new()));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(rename_all = "camelCase", default, deny_unknown_fields)
)]
pub struct Selector {
    /// Labels that must be present with these values.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Labels::is_empty"))]
    pub match_labels: Labels,
    /// Requirements on single keys.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub match_expressions: Vec<Requirement>,
}

impl Selector {
    /// Selects by labels that must all be present.
    pub fn labels<const N: usize>(labels: [(&str, &str); N]) -> Self {
        Self {
            match_labels: labels.into(),
            ..Self::default()
        }
    }

    /// Whether the labels satisfy every part. O(parts × log labels).
    pub fn matches(&self, labels: &Labels) -> bool {
        self.match_labels
            .iter()
            .all(|(key, value)| labels.get(key) == Some(value))
            && self
                .match_expressions
                .iter()
                .all(|requirement| requirement.matches(labels))
    }

    /// The same selector with values and expressions sorted, for comparison.
    pub(crate) fn normalized(&self) -> Self {
        let mut normal = self.clone();
        for requirement in &mut normal.match_expressions {
            requirement.values.sort_unstable();
            requirement.values.dedup();
        }
        normal.match_expressions.sort_unstable();
        normal.match_expressions.dedup();
        normal
    }
}

/// A requirement on one label key.
///
/// ```
/// use openelb_ipam::{Labels, pool::{Operator, Requirement}};
///
/// let requirement = Requirement { key: "tier".into(), operator: Operator::DoesNotExist, values: vec![] };
/// assert!(requirement.matches(&Labels::new()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(rename_all = "camelCase", deny_unknown_fields)
)]
pub struct Requirement {
    /// The label's key.
    pub key: String,
    /// How its value is compared.
    pub operator: Operator,
    /// The values for `In` and `NotIn`.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Vec::is_empty")
    )]
    pub values: Vec<String>,
}

impl Requirement {
    /// Whether the labels satisfy it. `NotIn` also matches a missing key, as in Kubernetes.
    pub fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        let is_listed = |value: &str| self.values.iter().any(|listed| listed == value);
        match self.operator {
            Operator::In => value.is_some_and(is_listed),
            Operator::NotIn => value.is_none_or(|value| !is_listed(value)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

/// How a requirement compares, by Kubernetes' names.
///
/// ```
/// # use openelb_ipam::pool::Operator;
/// assert!(Operator::In < Operator::DoesNotExist);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Operator {
    /// The value is one of those listed.
    In,
    /// The value is none of those listed, or the key is missing.
    NotIn,
    /// The key is present.
    Exists,
    /// The key is missing.
    DoesNotExist,
}
