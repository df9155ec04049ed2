//! The CSV of Kea's memfile back end for IPv6 leases.
//!
//! The file is a journal: rows are appended, the last one about a prefix counts, and one with a valid
//! lifetime of zero deletes. Columns are found by their names in the first row.

use std::collections::BTreeMap;

use ipnet::Ipv6Net;
use openelb_ipam::Time;

use super::{Lease, LeaseError, Owned, prefix};

/// Every delegated prefix with the DUID of its client.
pub(super) fn read(text: &str) -> Result<Owned, LeaseError> {
    let mut lines = text.lines();
    let header = lines.next().unwrap_or_default();
    let columns = Columns::of(header).ok_or(LeaseError::OtherFormat {
        format: "kea",
        missing: "the row with the names of the columns",
    })?;
    let mut leases: BTreeMap<Ipv6Net, (String, Lease)> = BTreeMap::new();
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        match columns.row(&fields) {
            Some((net, Some(lease))) => drop(leases.insert(net, lease)),
            Some((net, None)) => drop(leases.remove(&net)),
            None => {}
        }
    }
    Ok(leases.into_values().collect())
}

/// Where in a row what is.
struct Columns {
    address: usize,
    duid: usize,
    valid: usize,
    expire: usize,
    preferred: usize,
    kind: usize,
    length: usize,
    /// Older versions do not have it.
    state: Option<usize>,
}

impl Columns {
    fn of(header: &str) -> Option<Self> {
        let names: Vec<&str> = header.trim().split(',').collect();
        let place = |name: &str| names.iter().position(|other| *other == name);
        Some(Self {
            address: place("address")?,
            duid: place("duid")?,
            valid: place("valid_lifetime")?,
            expire: place("expire")?,
            preferred: place("pref_lifetime")?,
            kind: place("lease_type")?,
            length: place("prefix_len")?,
            state: place("state"),
        })
    }

    /// A row about a delegated prefix, and its lease if it still has one.
    fn row(&self, fields: &[&str]) -> Option<(Ipv6Net, Option<(String, Lease)>)> {
        let field = |place: usize| fields.get(place).map(|text| text.trim());
        if field(self.kind)? != PREFIX_DELEGATION {
            return None;
        }
        let length = field(self.length)?.parse().ok()?;
        let net = prefix(field(self.address)?.parse().ok()?, length)?;
        let valid: u32 = field(self.valid)?.parse().ok()?;
        let state = self.state.and_then(field).unwrap_or(ASSIGNED);
        if valid == 0 || state != ASSIGNED {
            return Some((net, None));
        }
        let preferred: u32 = field(self.preferred)?.parse().ok()?;
        let expire: u64 = field(self.expire)?.parse().ok()?;
        let start = Time(expire.saturating_sub(valid.into()).saturating_mul(1_000));
        let lease = Lease {
            prefix: net,
            preferred_until: super::after(start, preferred),
            valid_until: super::after(start, valid),
        };
        Some((net, Some((field(self.duid)?.to_owned(), lease))))
    }
}

/// `lease_type` of addresses is 0 and 1.
const PREFIX_DELEGATION: &str = "2";
/// `state`: others are declined and reclaimed.
const ASSIGNED: &str = "0";
