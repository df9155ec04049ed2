//! Which address of the ledger is meant by what people write.

use std::net::{IpAddr, Ipv6Addr};

use openelb_ipam::relative::{PrefixName, Projection, is_ledger};
use openelb_ipam::{Ipam, OwnerKey};

/// A host part that several prefixes have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{host} may be of {}; write which, such as {first}/{host}", names.join(" or "))]
pub(in crate::engine) struct Ambiguous {
    host: Ipv6Addr,
    first: String,
    names: Vec<String>,
}

/// The ledger's form of an address that was asked for, by `owner` if anybody: an address of a pool is
/// itself; one inside a prefix in use, or a host part such as `::10` that a pool has of a prefix, is
/// the address that follows it.
///
/// An owner that has an address with the same host part keeps it: it was given by a prefix that has
/// been replaced since.
pub(in crate::engine) fn meant(
    address: IpAddr,
    pool: Option<&str>,
    owner: Option<&OwnerKey>,
    ipam: &Ipam,
    projection: &Projection,
) -> Result<IpAddr, Ambiguous> {
    let IpAddr::V6(written) = address else {
        return Ok(address);
    };
    let has = |address: IpAddr| {
        let mut pools = ipam
            .pools()
            .filter(|it| pool.is_none_or(|name| &**it.name() == name));
        pools.any(|pool| pool.ranges().contains(address))
    };
    if is_ledger(written) || has(address) {
        return Ok(address);
    }
    let followed = projection.read_address(address);
    if followed != address {
        return Ok(followed);
    }
    let of_host = |name: &PrefixName| Some((name.clone(), projection.read_host_in(name, written)?));
    let candidates = projection.iter().filter_map(|(name, _)| of_host(name));
    let candidates: Vec<_> = candidates.filter(|(_, address)| has(*address)).collect();
    match candidates.as_slice() {
        [] => Ok(kept(written, owner, ipam).unwrap_or(address)),
        [(_, one)] => Ok(*one),
        [(first, _), ..] => Err(Ambiguous {
            host: written,
            first: first.to_string(),
            names: candidates
                .iter()
                .map(|(name, _)| name.to_string())
                .collect(),
        }),
    }
}

/// What an owner has with the host part of an address.
fn kept(written: Ipv6Addr, owner: Option<&OwnerKey>, ipam: &Ipam) -> Option<IpAddr> {
    let holdings = ipam.holdings(owner?.as_str())?;
    let host = |address: Ipv6Addr| address.to_bits() & u128::from(u64::MAX);
    let mut held = holdings.claims.iter().map(|claim| claim.address);
    held.find(
        |held| matches!(held, IpAddr::V6(held) if is_ledger(*held) && host(*held) == host(written)),
    )
}
