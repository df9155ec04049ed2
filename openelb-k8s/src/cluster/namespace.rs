//! `Namespace` v1: by its labels, pools choose whom they serve.

use serde::{Deserialize, Serialize};

use super::ObjectMeta;

/// A namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Namespace {
    /// Its name and labels.
    pub metadata: ObjectMeta,
}
