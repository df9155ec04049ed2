//! What `networkctl --json=short status INTERFACE` prints: systemd-networkd's description of a link.
//!
//! `DHCPv6Client.Prefixes[]` holds the octets of each delegated prefix as numbers, its length, and
//! when its lifetimes end, in microseconds of the host's own clock; an end that never comes is left
//! out.

use std::net::Ipv6Addr;
use std::time::Duration;

use openelb_ipam::Time;
use serde::Deserialize;

use super::{Lease, LeaseError, prefix};

/// Every delegated prefix of the link.
pub(super) fn read(octets: &[u8], boot: Time) -> Result<Vec<Lease>, LeaseError> {
    let link: Link =
        serde_json::from_slice(octets).map_err(|error| LeaseError::Json(error.to_string()))?;
    if link.name.is_none() {
        return Err(LeaseError::OtherFormat {
            format: "networkd",
            missing: "the `Name` of a link",
        });
    }
    let client = link.client.unwrap_or_default();
    let end = |micros: Option<u64>| micros.map(|micros| boot + Duration::from_micros(micros));
    let lease = |told: Told| {
        Some(Lease {
            prefix: prefix(Ipv6Addr::from(told.prefix), told.length)?,
            preferred_until: end(told.preferred),
            valid_until: end(told.valid),
        })
    };
    Ok(client.prefixes.into_iter().filter_map(lease).collect())
}

#[derive(Deserialize)]
struct Link {
    #[serde(rename = "Name")]
    name: Option<String>,
    #[serde(rename = "DHCPv6Client")]
    client: Option<Client>,
}

#[derive(Default, Deserialize)]
struct Client {
    #[serde(rename = "Prefixes", default)]
    prefixes: Vec<Told>,
}

#[derive(Deserialize)]
struct Told {
    #[serde(rename = "Prefix")]
    prefix: [u8; 16],
    #[serde(rename = "PrefixLength")]
    length: u8,
    #[serde(rename = "PreferredLifetimeUSec")]
    preferred: Option<u64>,
    #[serde(rename = "ValidLifetimeUSec")]
    valid: Option<u64>,
}
