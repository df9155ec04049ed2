//! Who is who in the labs with a router: the hosts, their addresses, the pool and the objects.

use std::fmt::Write;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use openelb_announce::wire::Mac;

use super::greeter;
use super::netlink::NetworkError;
use super::network::Network;
use super::plan::{CLIENT, NAMESPACE, NODE_A, NODE_B, POOL, PORT, SERVICE};
use super::router::Neighbor;
use super::station::Plan;

/// The client and the nodes are in networks of their own; the router has an address in each, all on
/// one interface. So the client reaches a node through the router only.
pub(crate) fn stations(nodes: &[&'static str]) -> Vec<Plan> {
    let mut all = vec![
        station(CLIENT, 0x1, &[CLIENTS], 1),
        station(TOR, 0xfe, &[NODES, CLIENTS], ROUTER_HOST),
    ];
    all.extend(
        nodes
            .iter()
            .map(|name| station(name, number(name), &[NODES], number(name))),
    );
    all
}

/// Lets the router forward, spreading connections over equal paths, and all others send to it; the
/// nodes deliver the pool's traffic to a service that says the node's name.
pub(crate) fn furnish(network: &Network) -> Result<(), NetworkError> {
    for station in network.stations() {
        let name = station.plan.name;
        // The router sends back through the interface that a packet came from, and says so to
        // hosts that would listen. Here they must go on sending to it.
        for family in ["ipv4", "ipv6"] {
            station.set_sysctl(&format!("{family}/conf/eth0/accept_redirects"), "0")?;
        }
        if name == TOR {
            for sysctl in FORWARDING {
                station.set_sysctl(sysctl, "1")?;
            }
            for sysctl in [
                "ipv4/conf/all/send_redirects",
                "ipv4/conf/eth0/send_redirects",
            ] {
                station.set_sysctl(sysctl, "0")?;
            }
            continue;
        }
        let own = if name == CLIENT { CLIENTS } else { NODES };
        for (prefix, gateway) in [ANY_V4, ANY_V6]
            .into_iter()
            .zip(addresses(own, ROUTER_HOST))
        {
            station.route(prefix, gateway.addr())?;
        }
        if name != CLIENT {
            for prefix in pool() {
                station.deliver(prefix)?;
            }
            let served = station.host.run(move || greeter::serve(name, PORT));
            served.map_err(|source: io::Error| NetworkError::Io {
                act: format!("serve on {name}"),
                source,
            })?;
        }
    }
    Ok(())
}

/// The router's view of the nodes: a session for each family, over that family.
pub(crate) fn neighbors(nodes: &[&'static str], bfd: bool) -> Vec<Neighbor> {
    let of_node = |name: &&'static str| addresses(NODES, number(name)).map(|own| own.addr());
    let of_node = nodes.iter().flat_map(of_node);
    of_node
        .map(|address| Neighbor {
            address,
            asn: NODES_AS,
            bfd,
        })
        .collect()
}

/// The configuration of a node without a service.
pub(crate) fn without_service(node: &str, bfd: bool) -> String {
    let [v4, v6] = pool();
    let router_id = Ipv4Addr::from([192, 0, 2, number(node)]);
    let mut text = format!(
        "apiVersion: network.kubesphere.io/v1alpha2\n\
         kind: BgpConf\n\
         metadata: {{name: default}}\n\
         spec:\n  \
           as: {NODES_AS}\n  \
           routerId: {router_id}\n  \
           gracefulRestart: {{enabled: true, restartTime: 30}}\n"
    );
    let [router_v4, router_v6] = addresses(NODES, ROUTER_HOST).map(|own| own.addr());
    for (name, address, afi) in [
        (PEERS[0], router_v4, "AFI_IP"),
        (PEERS[1], router_v6, "AFI_IP6"),
    ] {
        write!(text, "{}", peer(name, address, afi, bfd)).expect("writing to memory cannot fail");
    }
    write!(
        text,
        "---\n\
         apiVersion: network.kubesphere.io/v1alpha2\n\
         kind: Eip\n\
         metadata: {{name: {POOL}}}\n\
         spec:\n  \
           address: {v4}, {v6}\n  \
           protocol: bgp\n  \
           autoAssign: true\n"
    )
    .expect("writing to memory cannot fail");
    text
}

/// The same with the service, at the pair of [`pair`].
pub(crate) fn with_service(node: &str, bfd: bool) -> String {
    format!(
        "{}---\n\
         apiVersion: openelb.io/v1\n\
         kind: Service\n\
         metadata: {{namespace: {NAMESPACE}, name: {SERVICE}}}\n\
         spec:\n  \
           ipFamilyPolicy: RequireDualStack\n  \
           addresses: {:?}\n  \
           ports: [{{name: http, protocol: TCP, port: {PORT}}}]\n",
        without_service(node, bfd),
        pair()
    )
}

/// The prefixes that the pool hands out, in no network of a host.
pub(crate) fn pool() -> [IpNet; 2] {
    [
        net(Ipv4Addr::new(203, 0, 113, 240), 28),
        net(Ipv6Addr::new(0x2001, 0xdb8, 0xf, 0, 0, 0, 0, 0xf0), 124),
    ]
}

/// The addresses of the service, IPv4 first.
pub(crate) fn pair() -> [IpAddr; 2] {
    [
        Ipv4Addr::new(203, 0, 113, 241).into(),
        Ipv6Addr::new(0x2001, 0xdb8, 0xf, 0, 0, 0, 0, 0xf1).into(),
    ]
}

fn peer(name: &str, address: IpAddr, afi: &str, bfd: bool) -> String {
    let mut text = format!(
        "---\n\
         apiVersion: network.kubesphere.io/v1alpha2\n\
         kind: BgpPeer\n\
         metadata: {{name: {name}}}\n\
         spec:\n  \
           conf: {{neighborAddress: \"{address}\", peerAs: {ROUTER_AS}}}\n  \
           timers: {{config: {{connectRetry: '1', holdTime: '9', keepaliveInterval: '3'}}}}\n  \
           afiSafis:\n  \
           - config: {{family: {{afi: {afi}, safi: SAFI_UNICAST}}, enabled: true}}\n    \
             mpGracefulRestart: {{config: {{enabled: true}}}}\n"
    );
    if bfd {
        text.push_str("  bfd: {minTxMs: 100, minRxMs: 100, multiplier: 3}\n");
    }
    text
}

fn station(name: &'static str, last: u8, networks: &[u8], host: u8) -> Plan {
    Plan {
        name,
        // The second bit says that nobody but us gave this address out.
        mac: Mac::new([0x02, 0, 0, 0, 0, last]),
        addresses: networks
            .iter()
            .flat_map(|network| addresses(*network, host))
            .collect(),
    }
}

/// A host's addresses in a network, IPv4 first.
fn addresses(network: u8, host: u8) -> [IpNet; 2] {
    let v4 = if network == NODES {
        Ipv4Addr::new(192, 0, 2, host)
    } else {
        Ipv4Addr::new(198, 51, 100, host)
    };
    let v6 = Ipv6Addr::new(0x2001, 0xdb8, network.into(), 0, 0, 0, 0, host.into());
    [net(v4, 24), net(v6, 64)]
}

fn number(node: &str) -> u8 {
    match node {
        NODE_A => 10,
        NODE_B => 11,
        _ => 12,
    }
}

fn net(address: impl Into<IpAddr>, length: u8) -> IpNet {
    IpNet::new(address.into(), length).expect("the plan's lengths fit their families")
}

/// The top-of-rack router.
pub(crate) const TOR: &str = "tor";

/// The router's AS, and its identifier.
pub(crate) const ROUTER_AS: u32 = 64_513;
pub(crate) const ROUTER_ID: Ipv4Addr = Ipv4Addr::new(192, 0, 2, ROUTER_HOST);

/// The names of the `BgpPeer` objects, IPv4 first.
pub(crate) const PEERS: [&str; 2] = ["tor-v4", "tor-v6"];

const NODES_AS: u32 = 64_512;
const ROUTER_HOST: u8 = 254;

/// The nodes' network, and the third group of its IPv6 prefix.
const NODES: u8 = 0;

/// The client's.
const CLIENTS: u8 = 1;

const ANY_V4: IpNet = IpNet::V4(ipnet::Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0));
const ANY_V6: IpNet = IpNet::V6(ipnet::Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 0));

/// Forwarding, and choosing among equal paths by addresses and ports.
pub(crate) const FORWARDING: [&str; 4] = [
    "ipv4/ip_forward",
    "ipv6/conf/all/forwarding",
    "ipv4/fib_multipath_hash_policy",
    "ipv6/fib_multipath_hash_policy",
];
