//! dnsmasq's lease file: `EXPIRY IAID ADDRESS NAME DUID` a line.
//!
//! It delegates no prefixes. With a range that it constructs from the address of an interface, the
//! addresses that it leases lie in the prefix of that link, which is a /64.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::time::Duration;

use openelb_ipam::Time;

use super::{Lease, Owned, prefix};

/// The /64 of every IPv6 lease with the DUID of its client: for each the one that ends last.
///
/// Lines of IPv4 leases and that of the server's own DUID are none; so a file without an IPv6 lease
/// is one without any prefix.
pub(super) fn read(text: &str) -> Owned {
    let mut leases = BTreeMap::new();
    for (client, lease) in text.lines().filter_map(line) {
        let known = leases
            .entry((lease.prefix, client))
            .or_insert(lease.valid_until);
        *known = known
            .zip(lease.valid_until)
            .map(|(one, other)| one.max(other));
    }
    leases
        .into_iter()
        .map(|((prefix, client), until)| {
            let lease = Lease {
                prefix,
                preferred_until: until,
                valid_until: until,
            };
            (client, lease)
        })
        .collect()
}

fn line(line: &str) -> Option<(String, Lease)> {
    let mut words = line.split_whitespace();
    let expiry: u64 = words.next()?.parse().ok()?;
    // `T` in front of it: a temporary address (RFC 8415 section 6.5), which is of a prefix as well.
    let _iaid = words.next()?;
    let address: Ipv6Addr = words.next()?.parse().ok()?;
    let (_name, duid) = (words.next()?, words.next()?);
    // Zero is for ever.
    let until = (expiry != 0).then(|| Time(0) + Duration::from_secs(expiry));
    let lease = Lease {
        prefix: prefix(address, 64)?,
        preferred_until: until,
        valid_until: until,
    };
    Some((duid.to_owned(), lease))
}
