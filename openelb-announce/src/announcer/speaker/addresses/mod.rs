//! Which addresses this host has towards the other end of a connection.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use crate::bgp::route::LocalAddresses;
use crate::link::topology::Topology;

/// The addresses of the interface that a connection from `local` to `remote` uses.
///
/// An address with the prefix of its link comes before a host address (/32, /128), which is more
/// often a service than the node; of the same kind the lowest counts, so that every start chooses
/// the same.
pub(super) fn local_addresses(
    topology: &Topology,
    local: SocketAddr,
    remote: SocketAddr,
) -> LocalAddresses {
    let mut found = LocalAddresses {
        session: local.ip(),
        v4: None,
        v6_global: None,
        v6_link_local: None,
        on_link: is_link_local(remote.ip()),
    };
    let Some(index) = link_of(topology, local) else {
        return found;
    };
    let (hosts, nodes): (Vec<&IpNet>, Vec<&IpNet>) = topology
        .addresses(index)
        .filter(|net| !net.addr().is_loopback())
        .partition(|net| net.prefix_len() == net.max_prefix_len());
    found.on_link |= nodes.iter().any(|net| net.contains(&remote.ip()));
    for net in nodes.into_iter().chain(hosts) {
        match net.addr() {
            IpAddr::V4(address) => found.v4 = found.v4.or(Some(address)),
            IpAddr::V6(address) if address.is_unicast_link_local() => {
                found.v6_link_local = found.v6_link_local.or(Some(address));
            }
            IpAddr::V6(address) => found.v6_global = found.v6_global.or(Some(address)),
        }
    }
    found
}

/// The number of the link that has the address `local`.
fn link_of(topology: &Topology, local: SocketAddr) -> Option<u32> {
    match local {
        SocketAddr::V6(local) if local.scope_id() != 0 => Some(local.scope_id()),
        _ => topology
            .own_addresses()
            .find(|(address, _)| *address == local.ip())
            .map(|(_, index)| index),
    }
}

const fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests;
