//! `AddressBlock` v1alpha2: the records of a pool that are too many for its status.

use std::collections::BTreeMap;
use std::net::IpAddr;

use openelb_ipam::Family;
use serde::{Deserialize, Serialize};

use super::ObjectMeta;
use super::default::is_default;
use crate::names;

/// The records of up to 4,096 neighbouring addresses of a pool.
///
/// An object of the cluster has a size limit, and every write of a ledger writes all of it: beyond a
/// few thousand records an Eip keeps them in blocks. Written by the controller alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddressBlock {
    /// `network.kubesphere.io/v1alpha2`.
    pub api_version: String,
    /// `AddressBlock`.
    pub kind: String,
    /// The name tells the pool and the addresses, see [`AddressBlock::name_of`].
    pub metadata: ObjectMeta,
    /// The records.
    #[serde(default)]
    pub spec: AddressBlockSpec,
}

/// What a block holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct AddressBlockSpec {
    /// Name of the Eip.
    pub eip: String,
    /// Lowest address that the block can hold.
    pub first: String,
    /// Address to owners, in the form of `Eip.status.used`.
    #[serde(skip_serializing_if = "is_default")]
    // As `Eip.status.used`: one value to field managers.
    #[cfg_attr(feature = "schema", schemars(extend("x-kubernetes-map-type" = "atomic")))]
    pub used: BTreeMap<String, String>,
    /// How many times the records were written.
    #[serde(skip_serializing_if = "is_default")]
    pub revision: i64,
}

impl AddressBlock {
    /// Binary digits of an address that are told apart within a block.
    pub const BITS: u32 = 12;

    /// An empty block for an address of a pool.
    pub fn around(eip: &str, address: IpAddr) -> Self {
        let first = match address {
            IpAddr::V4(address) => {
                IpAddr::V4((u32::from(address) >> Self::BITS << Self::BITS).into())
            }
            IpAddr::V6(address) => {
                IpAddr::V6((u128::from(address) >> Self::BITS << Self::BITS).into())
            }
        };
        Self {
            api_version: names::EIP_API_VERSION.to_owned(),
            kind: names::ADDRESS_BLOCK_KIND.to_owned(),
            metadata: ObjectMeta {
                name: Self::name_of(eip, address),
                ..ObjectMeta::default()
            },
            spec: AddressBlockSpec {
                eip: eip.to_owned(),
                first: first.to_string(),
                ..AddressBlockSpec::default()
            },
        }
    }

    /// The name of the block that holds an address: the Eip, the family and the leading digits, so
    /// that two controllers who need the same block create the same object.
    ///
    /// ```
    /// use openelb_k8s::api::AddressBlock;
    ///
    /// let name = AddressBlock::name_of("edge", "192.0.2.1".parse()?);
    /// assert_eq!(name, "edge-v4-c0000");
    /// # Ok::<(), core::net::AddrParseError>(())
    /// ```
    pub fn name_of(eip: &str, address: IpAddr) -> String {
        let (family, digits) = match address {
            IpAddr::V4(address) => (Family::V4, u128::from(u32::from(address))),
            IpAddr::V6(address) => (Family::V6, u128::from(address)),
        };
        let family = if family == Family::V4 { "v4" } else { "v6" };
        format!("{eip}-{family}-{:x}", digits >> Self::BITS)
    }

    /// The lowest address of a block by the part of its name behind the Eip's: `v4-c0000`.
    pub(crate) fn first_of(suffix: &str) -> Option<IpAddr> {
        let (family, digits) = suffix.split_once('-')?;
        let digits = u128::from_str_radix(digits, 16).ok()?;
        let bits = digits.checked_mul(1 << Self::BITS)?;
        match family {
            "v4" => Some(IpAddr::V4(u32::try_from(bits).ok()?.into())),
            "v6" => Some(IpAddr::V6(bits.into())),
            _ => None,
        }
    }
}
