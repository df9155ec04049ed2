//! Units: which addresses must move together.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// The unit of each address: addresses of one owner (IPv4 and IPv6 of a service) belong together, and
/// so do all the addresses of owners that share one. Named by its lowest address, IPv4 before IPv6.
///
/// O(n log n). It depends on the pairs alone and not on their order, so every node gets the same.
///
/// ```
/// use openelb_announce::ownership::units;
/// use std::net::IpAddr;
///
/// let pairs = [("web", "192.0.2.1"), ("web", "2001:db8::1"), ("dns", "192.0.2.2"), ("ntp", "192.0.2.2")];
/// let units = units(pairs.iter().map(|(owner, address)| (*owner, address.parse().unwrap())));
/// let unit = |address: &str| units[&address.parse::<IpAddr>().unwrap()].clone();
/// assert_eq!(&*unit("2001:db8::1"), "192.0.2.1");
/// assert_eq!(&*unit("192.0.2.2"), "192.0.2.2");
/// ```
pub fn units<K: Ord>(pairs: impl IntoIterator<Item = (K, IpAddr)>) -> BTreeMap<IpAddr, Arc<str>> {
    // A forest: every address points to a lower one of its unit; the lowest points to itself.
    let mut lower = BTreeMap::new();
    let mut first_of = BTreeMap::new();
    for (owner, address) in pairs {
        lower.entry(address).or_insert(address);
        let first = *first_of.entry(owner).or_insert(address);
        let (one, other) = (root(&mut lower, first), root(&mut lower, address));
        lower.insert(one.max(other), one.min(other));
    }
    let addresses: Vec<IpAddr> = lower.keys().copied().collect();
    let mut names = BTreeMap::new();
    let unit = |address| {
        let lowest = root(&mut lower, address);
        let name = names
            .entry(lowest)
            .or_insert_with(|| lowest.to_string().into());
        (address, Arc::clone(name))
    };
    addresses.into_iter().map(unit).collect()
}

/// The lowest address of the unit; halves the way there for the next who asks.
fn root(lower: &mut BTreeMap<IpAddr, IpAddr>, mut address: IpAddr) -> IpAddr {
    while let Some(next) = lower.get(&address).copied().filter(|next| *next != address) {
        let beyond = lower.get(&next).copied().unwrap_or(next);
        lower.insert(address, beyond);
        address = next;
    }
    address
}

#[cfg(test)]
mod tests;
