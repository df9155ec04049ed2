//! Who is who in the lab: the hosts, their addresses, the pool and the service.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv6Net};
use openelb_announce::wire::Mac;

use super::fabric;
use super::greeter;
use super::netlink::NetworkError;
use super::network::Network;
use super::station::{INTERFACE, Plan};

/// The hosts of these names, all on one segment, in the prefixes that RFC 5737 and RFC 3849 set
/// aside for documentation.
pub(crate) fn stations(names: &[&str]) -> Vec<Plan> {
    let wanted = HOSTS.iter().filter(|(name, ..)| names.contains(name));
    wanted
        .map(|(name, v4, v6)| station(name, *v4, *v6))
        .collect()
}

/// The prefix that a provider delegates under this number.
pub(crate) const fn delegated(number: u16) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0xdb8, number, 0, 0, 0, 0, 0), 64)
}

/// What the host of this name is there for.
pub(crate) fn role(name: &str) -> &'static str {
    match name {
        CLIENT | CLIENT_2 => "asks",
        STRANGER => "misconfigured",
        fabric::TOR => "FRR",
        ISP => "radvd",
        _ => "openelb run",
    }
}

/// Makes every node deliver the pool's traffic to a service that says the node's name, and the
/// client quick to see that nobody answers.
pub(crate) fn furnish(network: &Network) -> Result<(), NetworkError> {
    for station in network.stations() {
        match station.plan.name {
            CLIENT | CLIENT_2 => {
                for name in PATIENCE_OF_KERNEL {
                    station.set_sysctl(name, "100")?;
                }
            }
            STRANGER | ISP => {}
            name => {
                for prefix in pool() {
                    station.deliver(prefix)?;
                }
                let served = station.host.run(move || greeter::serve(name, PORT));
                served.map_err(|source| {
                    let act = format!("serve on {name}");
                    NetworkError::Io { act, source }
                })?;
            }
        }
    }
    Ok(())
}

/// The host's own address of the same family as `like`.
pub(crate) fn address_of(network: &Network, name: &str, like: IpAddr) -> Option<IpAddr> {
    let addresses = network.station(name)?.plan.addresses.iter();
    addresses
        .map(IpNet::addr)
        .find(|own| own.is_ipv4() == like.is_ipv4())
}

/// The prefixes that the pool hands out and that every node delivers to itself.
pub(crate) fn pool() -> [IpNet; 2] {
    [
        prefix(Ipv4Addr::new(192, 0, 2, 240), 28),
        prefix(v6(0xf0), 124),
    ]
}

/// The configuration that defines the pool and nothing else.
pub(crate) fn pool_only() -> String {
    let [v4, v6] = pool();
    format!(
        "apiVersion: network.kubesphere.io/v1alpha2\n\
         kind: Eip\n\
         metadata: {{name: {POOL}}}\n\
         spec:\n  \
           address: {v4}, {v6}\n  \
           protocol: layer2\n  \
           interface: {INTERFACE}\n  \
           probe: Fast\n  \
           autoAssign: true\n  \
           coolDown: 10m\n"
    )
}

/// The pool and the service: `announce` says `Always` or `Standby`, `addresses` pins them.
pub(crate) fn with_service(announce: &str, addresses: &[IpAddr]) -> String {
    format!(
        "{}---\n\
         apiVersion: openelb.io/v1\n\
         kind: Service\n\
         metadata: {{namespace: {NAMESPACE}, name: {SERVICE}}}\n\
         spec:\n  \
           ipFamilyPolicy: RequireDualStack\n  \
           addresses: {addresses:?}\n  \
           announce: {announce}\n  \
           ports: [{{name: http, protocol: TCP, port: {PORT}}}]\n",
        pool_only()
    )
}

fn station(name: &'static str, v4: u8, last: u8) -> Plan {
    Plan {
        name,
        // The second bit says that nobody but us gave this address out.
        mac: Mac::new([0x02, 0, 0, 0, 0, last]),
        addresses: vec![
            prefix(Ipv4Addr::new(192, 0, 2, v4), 24),
            prefix(v6(u16::from(last)), 64),
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

/// A third, where three are needed.
pub(crate) const NODE_C: &str = "node-c";

/// A second client, for the other side of a split.
pub(crate) const CLIENT_2: &str = "client-2";

/// The pool's name.
pub(crate) const POOL: &str = "lab";

/// The service's namespace.
pub(crate) const NAMESPACE: &str = "shop";

/// The service's name.
pub(crate) const SERVICE: &str = "web";

/// A host that knows nothing of the nodes and claims an address of theirs.
pub(crate) const STRANGER: &str = "stranger";

/// The router of a provider, which gives prefixes and takes them back.
pub(crate) const ISP: &str = "isp";

/// Where the service listens.
pub(crate) const PORT: u16 = 8080;

/// All hosts of the labs without a router.
pub(crate) const EVERYBODY: &[&str] = &[CLIENT, CLIENT_2, NODE_A, NODE_B, NODE_C, STRANGER];

/// Each of them: its name, and the last parts of its addresses. The last
/// part of an IPv6 address is that of the hardware address too.
const HOSTS: [(&str, u8, u8); 7] = [
    (CLIENT, 1, 0x1),
    (CLIENT_2, 2, 0x2),
    (NODE_A, 10, 0xa),
    (NODE_B, 11, 0xb),
    (NODE_C, 12, 0xc),
    (STRANGER, 66, 0x66),
    (ISP, 254, 0xfe),
];

/// How long the client's kernel waits for an answer before it asks again, three times in all. Its
/// one second would only make it slow to show that nobody answers.
const PATIENCE_OF_KERNEL: [&str; 2] = [
    "ipv4/neigh/eth0/retrans_time_ms",
    "ipv6/neigh/eth0/retrans_time_ms",
];
