//! `Eip.status`: what OpenELB records about a pool.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Condition;
use super::default::is_default;

/// The observed state of an Eip, written by the controller.
///
/// `used` is the allocation record of OpenELB 0.5 and 0.6: canonical address text to
/// `namespace/name`, or several of them joined with `;` when they share the address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct EipStatus {
    /// Every address of the pool is used.
    #[serde(skip_serializing_if = "is_false")]
    pub occupied: bool,
    /// Number of used addresses (not of services).
    #[serde(skip_serializing_if = "is_zero")]
    pub usage: i64,
    /// Number of addresses; 9223372036854775807 for more. OpenELB wrote 0 or less for wide IPv6 pools.
    #[serde(skip_serializing_if = "is_zero")]
    pub pool_size: i64,
    /// Address to owners.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    // One value to field managers: an entry for each record in `managedFields` would double the object,
    // and the API server goes through all of them at each write.
    #[cfg_attr(feature = "schema", schemars(extend("x-kubernetes-map-type" = "atomic")))]
    pub used: BTreeMap<String, String>,
    /// Lowest address of the pool.
    #[serde(rename = "firstIP", skip_serializing_if = "String::is_empty")]
    pub first_ip: String,
    /// Highest address of the pool.
    #[serde(rename = "lastIP", skip_serializing_if = "String::is_empty")]
    pub last_ip: String,
    /// The speaker of the pool is up (0.5 only).
    #[serde(skip_serializing_if = "is_false")]
    pub ready: bool,
    /// The pool is IPv4.
    #[serde(skip_serializing_if = "is_false")]
    pub v4: bool,

    // Additions. All optional.
    /// Where new allocations are recorded.
    #[serde(skip_serializing_if = "is_default")]
    pub ledger: Ledger,
    /// How many times the records were written: two readings of the same number had no write between
    /// them, whatever else was edited.
    #[serde(skip_serializing_if = "is_zero")]
    pub ledger_revision: i64,
    /// Generation of the specification that the status was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What is said about the pool.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

/// Where the new allocations of a pool are recorded. Written once and never taken back: a controller that does not
/// know of it loses its next compare-and-swap on the Eip.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Ledger {
    /// In `used`, as OpenELB does.
    #[default]
    Status,
    /// In objects of kind `AddressBlock`. What `status.used` holds stays there until it
    /// is released.
    Blocks,
}

/// The owners in the record of one address, each `namespace/name`: what stands beside it in `used` of an
/// Eip's status or of an `AddressBlock`.
pub fn owners_of(record: &str) -> impl Iterator<Item = &str> {
    record.split(';')
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes the field by reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes the field by reference"
)]
fn is_zero(value: &i64) -> bool {
    *value == 0
}
