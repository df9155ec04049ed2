//! The files in which `DHCPv6` programs keep what was delegated (RFC 8415), as pure readers.
//!
//! | format | what is read | where times come from |
//! |---|---|---|
//! | `kea` | the memfile back end's CSV: a journal, of which the last row about a prefix counts | seconds since the epoch |
//! | `dnsmasq` | its lease file: addresses, whose /64 is taken | seconds since the epoch |
//! | `dhcpcd` | the reply of the server, octet by octet, or the text of `dhcpcd -U` and of hooks | when the file was written |
//! | `odhcp6c` | the environment of its script | when the file was written |
//! | `networkd` | the JSON of `networkctl status` | microseconds since the host was started |
//!
//! What is not understood is passed over, row by row, because programs add to their formats; a file
//! of which nothing is understood is an error, because an empty answer would take the prefix back.

mod dnsmasq;
mod environment;
mod kea;
mod networkd;
mod reply;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use ipnet::Ipv6Net;
use openelb_ipam::Time;
use thiserror::Error;

use super::Lease;
use crate::api::LeaseFormat;

/// What the times of a file count from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Clocks {
    /// When the file was written.
    pub written: Time,
    /// When the host was started.
    pub boot: Time,
}

/// The prefixes that a file tells of; none when it says that there is none. O(octets).
///
/// Of servers only leases of `client` are taken, whose DUID it is; without one there must be but one
/// client.
///
/// ```
/// use openelb_ipam::Time;
/// use openelb_k8s::api::LeaseFormat;
/// use openelb_k8s::prefix::lease::{self, Clocks};
///
/// let environment = b"PREFIXES=2001:db8::/56,1800,3600\n";
/// let clocks = Clocks { written: Time(1_000), boot: Time(0) };
/// let leases = lease::read(LeaseFormat::Odhcp6c, environment, None, clocks)?;
/// assert_eq!(leases[0].prefix.to_string(), "2001:db8::/56");
/// assert_eq!(leases[0].valid_until, Some(Time(3_601_000)));
/// # Ok::<(), lease::LeaseError>(())
/// ```
pub fn read(
    format: LeaseFormat,
    octets: &[u8],
    client: Option<&str>,
    clocks: Clocks,
) -> Result<Vec<Lease>, LeaseError> {
    let text = String::from_utf8_lossy(octets);
    let leases = match format {
        LeaseFormat::Kea => of_one_client(kea::read(&text)?, client)?,
        LeaseFormat::Dnsmasq => of_one_client(dnsmasq::read(&text), client)?,
        LeaseFormat::Dhcpcd if octets.first() == Some(&reply::REPLY) => {
            reply::read(octets, clocks.written)?
        }
        LeaseFormat::Dhcpcd => environment::dhcpcd(&text, clocks.written)?,
        LeaseFormat::Odhcp6c => environment::odhcp6c(&text, clocks.written)?,
        LeaseFormat::Networkd => networkd::read(octets, clocks.boot)?,
    };
    if leases.len() > MOST_LEASES {
        return Err(LeaseError::TooMany(leases.len()));
    }
    Ok(leases)
}

/// The end of a lifetime in seconds, of which all ones are infinity (RFC 8415 section 7.7).
pub(super) fn after(start: Time, seconds: u32) -> Option<Time> {
    (seconds != u32::MAX).then(|| start + Duration::from_secs(seconds.into()))
}

/// A prefix without its host bits; `None` for one that no lease has.
fn prefix(address: std::net::Ipv6Addr, length: u8) -> Option<Ipv6Net> {
    let net = Ipv6Net::new(address, length).ok()?.trunc();
    (length > 0).then_some(net)
}

/// Leases and whose they are.
type Owned = Vec<(String, Lease)>;

fn of_one_client(leases: Owned, client: Option<&str>) -> Result<Vec<Lease>, LeaseError> {
    let wanted = client.map(str::to_lowercase);
    let is_wanted = |duid: &String| {
        wanted
            .as_ref()
            .is_none_or(|wanted| duid.to_lowercase() == *wanted)
    };
    let clients: BTreeSet<&String> = leases.iter().map(|(client, _)| client).collect();
    if client.is_none() && clients.len() > 1 {
        let mut clients = clients.into_iter().cloned();
        return Err(LeaseError::Clients {
            number: clients.len(),
            first: clients.next().unwrap_or_default(),
        });
    }
    Ok(leases
        .into_iter()
        .filter(|(client, _)| is_wanted(client))
        .map(|(_, lease)| lease)
        .collect())
}

/// Why a file tells nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LeaseError {
    /// It ends in the middle: it may be in the middle of being written.
    #[error("the reply of the server is cut short at octet {at}; it is read again when it changes")]
    Truncated {
        /// Where.
        at: usize,
    },
    /// Nothing in it is of the format.
    #[error("the file is not of the format {format}: {missing} is missing; name another `format`")]
    OtherFormat {
        /// The format.
        format: &'static str,
        /// What it should hold.
        missing: &'static str,
    },
    /// It is not JSON, or not all of it.
    #[error("the file is no JSON: {0}; write it with `networkctl --json=short status INTERFACE`")]
    Json(String),
    /// Which lease is meant is not known.
    #[error("the server has leases of {number} clients; name one with `client: {first}`")]
    Clients {
        /// How many.
        number: usize,
        /// One of them.
        first: String,
    },
    /// Nobody is delegated so many.
    #[error("{0} prefixes, which are more than {MOST_LEASES}; name one `client`")]
    TooMany(usize),
}

const MOST_LEASES: usize = 64;
