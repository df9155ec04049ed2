//! What is known of the machine: its name, its addresses, and the labels it was given.

use std::net::IpAddr;

use openelb_k8s::bgp::Node;

/// This machine under this name, or else its host name, and with these labels;
/// `kubernetes.io/hostname` is its name unless it is given.
///
/// Addresses come in the order of the kernel, so that the first one stays the first. Those that mean
/// nothing to another machine are left out.
pub(crate) fn this_node(name: Option<&str>, labels: &[(String, String)]) -> Node {
    let name = name.map_or_else(host_name, str::to_owned);
    let hostname = ("kubernetes.io/hostname".to_owned(), name.clone());
    let given = labels.iter().cloned();
    Node {
        name,
        addresses: addresses(),
        labels: std::iter::once(hostname).chain(given).collect(),
    }
}

fn host_name() -> String {
    let name = nix::unistd::gethostname().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn addresses() -> Vec<IpAddr> {
    // Without the list a router id is derived from the name, which serves as well.
    let interfaces = nix::ifaddrs::getifaddrs().into_iter().flatten();
    let addresses = interfaces.filter_map(|interface| {
        let address = interface.address?;
        let ipv4 = address.as_sockaddr_in().map(|at| IpAddr::V4(at.ip()));
        ipv4.or_else(|| Some(IpAddr::V6(address.as_sockaddr_in6()?.ip())))
    });
    addresses
        .filter(|address| match address {
            IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local(),
            IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local(),
        })
        .collect()
}
