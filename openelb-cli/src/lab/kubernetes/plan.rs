//! Who is who in the cluster: hosts, addresses, and how traffic finds its way.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use openelb_announce::wire::Mac;

use crate::lab::fabric::{FORWARDING, TOR};
use crate::lab::greeter;
use crate::lab::netlink::{NetworkError, io_error};
use crate::lab::network::Network;
use crate::lab::plan::{CLIENT, PORT};
use crate::lab::router::Neighbor;
use crate::lab::station::{Plan, Station};

/// The control plane, the nodes and the router are in one network, the client in another: it reaches
/// the nodes through the router, which finds them by ARP and NDP or by the routes it learns.
pub(crate) fn stations() -> Vec<Plan> {
    let nodes = NODES
        .iter()
        .map(|name| (*name, vec![NODES_NET], last(name)));
    let others = [
        (CONTROL_PLANE, vec![NODES_NET], 1),
        (TOR, vec![NODES_NET, CLIENTS_NET], 254),
        (CLIENT, vec![CLIENTS_NET], 1),
    ];
    let all = others.into_iter().chain(nodes).zip(1..);
    let station = |((name, networks, host), number): ((&'static str, Vec<u8>, u8), u8)| Plan {
        name,
        mac: Mac::new([0x02, 0, 0, 0, 1, number]),
        addresses: networks
            .into_iter()
            .flat_map(|network| own(network, host))
            .collect(),
    };
    all.map(station).collect()
}

/// Lets the router and the nodes forward; every node delivers what is sent to its pod to a service
/// that says the node's name, and knows where the pods of the others are.
pub(crate) fn furnish(network: &Network) -> Result<(), NetworkError> {
    for station in network.stations() {
        for sysctl in [
            "ipv4/conf/eth0/accept_redirects",
            "ipv6/conf/eth0/accept_redirects",
        ] {
            station.set_sysctl(sysctl, "0")?;
        }
        let name = station.plan.name;
        if name == TOR || NODES.contains(&name) {
            for sysctl in FORWARDING {
                station.set_sysctl(sysctl, "1")?;
            }
            for sysctl in [
                "ipv4/conf/all/send_redirects",
                "ipv4/conf/eth0/send_redirects",
            ] {
                station.set_sysctl(sysctl, "0")?;
            }
        }
        if name != TOR {
            route_to_router(station)?;
        }
        if NODES.contains(&name) {
            furnish_node(station)?;
        }
    }
    Ok(())
}

/// What the host of this name is there for.
pub(crate) fn role(name: &str) -> &'static str {
    match name {
        CLIENT => "asks",
        TOR => "FRR",
        CONTROL_PLANE => "control plane",
        _ => "speaker",
    }
}

/// The router's view of the nodes: a session for each family, over that family.
pub(crate) fn neighbors() -> Vec<Neighbor> {
    let addresses = NODES.iter().flat_map(|name| own(NODES_NET, last(name)));
    let neighbor = |own: IpNet| Neighbor {
        address: own.addr(),
        asn: NODES_AS,
        bfd: false,
    };
    addresses.map(neighbor).collect()
}

/// A node's own addresses, IPv4 first.
pub(crate) fn addresses(node: &str) -> [IpAddr; 2] {
    own(NODES_NET, last(node)).map(|own| own.addr())
}

/// The router's addresses among the nodes, IPv4 first.
pub(crate) fn router() -> [IpAddr; 2] {
    own(NODES_NET, 254).map(|own| own.addr())
}

/// The address of the API server.
pub(crate) fn api_server() -> IpAddr {
    Ipv4Addr::new(192, 0, 2, 1).into()
}

/// The addresses of a node's pod, IPv4 first.
pub(crate) fn pod(node: &str) -> [IpAddr; 2] {
    let number = last(node) - 10;
    [
        Ipv4Addr::new(10, 244, number, 10).into(),
        Ipv6Addr::new(0xfd00, 0x10, 0x244, number.into(), 0, 0, 0, 0x10).into(),
    ]
}

fn furnish_node(station: &Station) -> Result<(), NetworkError> {
    let name = station.plan.name;
    for node in NODES {
        for (pod, node_address) in pod(node).into_iter().zip(addresses(node)) {
            if node == name {
                station.deliver(pod.into())?;
            } else {
                station.route(pod.into(), node_address)?;
            }
        }
    }
    let served = station.host.run(move || greeter::serve(name, PORT));
    served.map_err(io_error(format!("serve on {name}")))
}

fn route_to_router(station: &Station) -> Result<(), NetworkError> {
    let network = if station.plan.name == CLIENT {
        CLIENTS_NET
    } else {
        NODES_NET
    };
    let any = [
        IpAddr::from(Ipv4Addr::UNSPECIFIED),
        IpAddr::from(Ipv6Addr::UNSPECIFIED),
    ];
    for (any, gateway) in any.into_iter().zip(own(network, 254)) {
        station.route(net(any, 0), gateway.addr())?;
    }
    Ok(())
}

/// A host's addresses in a network, IPv4 first.
fn own(network: u8, host: u8) -> [IpNet; 2] {
    let v4 = match network {
        NODES_NET => Ipv4Addr::new(192, 0, 2, host),
        _ => Ipv4Addr::new(198, 51, 100, host),
    };
    let v6 = Ipv6Addr::new(0x2001, 0xdb8, network.into(), 0, 0, 0, 0, host.into());
    [net(v4, 24), net(v6, 64)]
}

fn last(node: &str) -> u8 {
    let place = NODES
        .iter()
        .position(|name| *name == node)
        .unwrap_or_default();
    11 + u8::try_from(place).expect("three nodes")
}

fn net(address: impl Into<IpAddr>, length: u8) -> IpNet {
    IpNet::new(address.into(), length).expect("the plan's lengths fit their families")
}

/// The nodes of the cluster.
pub(crate) const NODES: [&str; 3] = ["n1", "n2", "n3"];

/// The host of the control plane and of our controller.
pub(crate) const CONTROL_PLANE: &str = "cp";

/// The AS of the nodes.
pub(crate) const NODES_AS: u32 = 64_512;

/// The third group of each network's IPv6 prefix.
const NODES_NET: u8 = 0;
const CLIENTS_NET: u8 = 1;
