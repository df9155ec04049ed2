//! Which address of a link a virtual router sends from.

use std::net::IpAddr;

use crate::link::topology::Topology;
use crate::vrrp::{Family, Settings};

/// The primary address of link `index`: the source of adverts, and what decides between equal
/// priorities (RFC 9568 section 6.4.3).
///
/// Of IPv4 it is the lowest one of the network that the first virtual address is in, else the lowest;
/// of IPv6 the lowest link-local one (section 7.2). `is_virtual` addresses move about and are passed
/// over, unless this host is their owner.
pub(crate) fn primary(
    topology: &Topology,
    index: u32,
    settings: &Settings,
    is_virtual: impl Fn(IpAddr) -> bool,
) -> Option<IpAddr> {
    let first = settings.addresses.first();
    let fits = |address: IpAddr| match address {
        IpAddr::V4(_) => settings.family == Family::Ipv4,
        IpAddr::V6(v6) => settings.family == Family::Ipv6 && v6.is_unicast_link_local(),
    };
    topology
        .addresses(index)
        .filter(|net| fits(net.addr()) && (settings.owner || !is_virtual(net.addr())))
        .min_by_key(|net| {
            let is_near = first.is_some_and(|first| net.contains(first));
            (!is_near, net.addr())
        })
        .map(ipnet::IpNet::addr)
}

#[cfg(test)]
mod tests;
