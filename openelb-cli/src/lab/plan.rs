//! Who is who in the lab: the hosts, their addresses, the pool and the service.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use openelb_announce::wire::Mac;

use super::greeter;
use super::network::{Network, NetworkError, Plan};

/// The hosts: a client and the nodes, all on one segment, in the prefixes that RFC 5737 and
/// RFC 3849 set aside for documentation.
pub(crate) fn stations() -> Vec<Plan> {
    let hosts = [(CLIENT, 0x01), (NODE_A, 0x0a), (NODE_B, 0x0b)];
    hosts
        .into_iter()
        .map(|(name, number)| station(name, number))
        .collect()
}

/// Makes every node deliver the pool's traffic to a service that says the node's name.
pub(crate) fn furnish(network: &Network) -> Result<(), NetworkError> {
    for station in network
        .stations()
        .iter()
        .filter(|station| station.plan.name != CLIENT)
    {
        for prefix in pool() {
            station.deliver(prefix)?;
        }
        let name = station.plan.name;
        station
            .host
            .run(move || greeter::serve(name, PORT))
            .map_err(|source| NetworkError::Io {
                act: format!("serve on {name}"),
                source,
            })?;
    }
    Ok(())
}

/// The prefixes that the pool hands out and that every node delivers to itself.
pub(crate) fn pool() -> [IpNet; 2] {
    [
        prefix(Ipv4Addr::new(192, 0, 2, 240), 28),
        prefix(v6(0xf0), 124),
    ]
}

fn station(name: &'static str, number: u8) -> Plan {
    Plan {
        name,
        // The second bit says that nobody but us gave this address out.
        mac: Mac::new([0x02, 0, 0, 0, 0, number]),
        addresses: vec![
            prefix(Ipv4Addr::new(192, 0, 2, number), 24),
            prefix(v6(u16::from(number)), 64),
        ],
    }
}

fn v6(last: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last)
}

fn prefix(address: impl Into<IpAddr>, length: u8) -> IpNet {
    IpNet::new(address.into(), length).expect("the plan's lengths fit their families")
}

/// The host that wants to reach the service.
pub(crate) const CLIENT: &str = "client";

/// The node that announces the service first.
pub(crate) const NODE_A: &str = "node-a";

/// The node that the service moves to.
pub(crate) const NODE_B: &str = "node-b";

/// Where the service listens.
pub(crate) const PORT: u16 = 8080;
