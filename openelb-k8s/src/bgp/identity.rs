//! Who the speaker of a node is: its AS, its BGP identifier, and where it listens.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use openelb_announce::bgp::asn::{Asn, RouterId};
use openelb_announce::bgp::config::PORT;
use openelb_ipam::Labels;

use super::Node;
use crate::api::{BgpConf, BgpConfSpec};
use crate::names;
use crate::problem::Remarks;

/// The AS and the identifier; a part that is missing was remarked on.
///
/// A node with the rack label takes its rack's AS, and then its own address as identifier, as
/// OpenELB does: one `routerId` for several racks would not be unique.
pub(super) fn identity(
    conf: &BgpConf,
    node: &Node,
    remarks: &mut Remarks,
) -> (Option<Asn>, Option<RouterId>) {
    let spec = &conf.spec;
    let of_rack = node
        .labels
        .get(names::RACK_LABEL)
        .and_then(|rack| spec.as_per_rack.get(rack))
        .filter(|asn| **asn > 0);
    for (rack, asn) in &spec.as_per_rack {
        check_as(&format!("spec.asPerRack.{rack}"), *asn, remarks);
    }
    let asn = match of_rack {
        Some(asn) => Some(Asn(*asn)),
        None if spec.r#as == 0 => {
            let next = "write `as:` with the number of your autonomous system, such as 65000";
            remarks.invalid("spec.as", "the speaker has no AS", next);
            None
        }
        None => check_as("spec.as", spec.r#as, remarks).then_some(Asn(spec.r#as)),
    };
    let written = match of_rack {
        Some(_) => "",
        None => spec.router_id.trim(),
    };
    (asn, router_id(written, node, remarks))
}

/// The AS of a node with these labels: its rack's, or else the speaker's.
pub(crate) fn asn_of(conf: &BgpConf, labels: &Labels) -> Asn {
    let rack = labels.get(names::RACK_LABEL);
    let of_rack = rack.and_then(|rack| conf.spec.as_per_rack.get(rack));
    Asn(of_rack
        .copied()
        .filter(|asn| *asn > 0)
        .unwrap_or(conf.spec.r#as))
}

fn check_as(key: &str, asn: u32, remarks: &mut Remarks) -> bool {
    let is_good = !Asn(asn).is_reserved();
    if !is_good {
        let message = format!("AS {asn} is reserved and nobody's");
        remarks.invalid(key, message, "write the number of your AS, such as 65000");
    }
    is_good
}

fn router_id(written: &str, node: &Node, remarks: &mut Remarks) -> Option<RouterId> {
    if written.is_empty() {
        return Some(derived_router_id(node));
    }
    let id = written.parse().ok();
    if id.is_none() {
        let message = format!("`{written}` is no BGP identifier");
        let next = "write four numbers with dots such as 192.0.2.1, not all zero, or leave it out";
        remarks.invalid("spec.routerId", message, next);
    }
    id
}

/// The node's first IPv4 address; without one, a number that is the same after every restart.
///
/// RFC 6286 asks only for a number other than zero that is unique in the AS. The first octet of a
/// derived one is 240 or more: such addresses are nobody's, so it meets no node's address.
pub(super) fn derived_router_id(node: &Node) -> RouterId {
    let address = node.addresses.iter().find_map(|address| match address {
        IpAddr::V4(address) if !address.is_loopback() && !address.is_unspecified() => {
            Some(*address)
        }
        _ => None,
    });
    let address = address.unwrap_or_else(|| Ipv4Addr::from(fnv1a(&node.name) | 0xf000_0000));
    RouterId::try_from(address).expect("neither an address that is set nor 240/4 is zero")
}

/// The identifier of one of several nodes that speak with each other, told apart from all others.
///
/// Each has its derived router id. Of nodes without IPv4 whose numbers happen to be equal, the first
/// by name keeps it, and the next takes that of its name with a mark. `None` when the node is not
/// among them. O(n log n).
///
/// ```
/// use openelb_k8s::bgp::{Node, router_id_among};
///
/// let node = |name: &str| Node { name: name.into(), ..Node::default() };
/// let id = router_id_among("n1", [node("n1"), node("n2")]);
/// assert_eq!(id, router_id_among("n1", [node("n2"), node("n1")]));
/// ```
pub fn router_id_among(name: &str, nodes: impl IntoIterator<Item = Node>) -> Option<RouterId> {
    let mut nodes: Vec<Node> = nodes.into_iter().collect();
    nodes.sort_by(|one, other| one.name.cmp(&other.name));
    let mut taken = BTreeSet::new();
    for mut node in nodes {
        let own = node.name.clone();
        let mut id = derived_router_id(&node);
        while !taken.insert(id) {
            node.name.push('#');
            node.addresses.clear();
            id = derived_router_id(&node);
        }
        if own == name {
            return Some(id);
        }
    }
    None
}

/// FNV-1a: small, without keys, and the same on every machine.
fn fnv1a(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, octet| {
        (hash ^ u32::from(octet)).wrapping_mul(0x0100_0193)
    })
}

/// Where connections are accepted: every address of both families unless the object says otherwise.
pub(super) fn listen(spec: &BgpConfSpec, remarks: &mut Remarks) -> Vec<SocketAddr> {
    let port = match spec.listen_port {
        -1 => return Vec::new(),
        0 => PORT,
        port => u16::try_from(port).unwrap_or_else(|_| {
            let next = "write 1 to 65535, 0 for 179, or -1 to listen nowhere";
            remarks.invalid("spec.listenPort", format!("{port} is no port"), next);
            PORT
        }),
    };
    if spec.listen_addresses.is_empty() {
        return vec![
            (Ipv4Addr::UNSPECIFIED, port).into(),
            (Ipv6Addr::UNSPECIFIED, port).into(),
        ];
    }
    let mut listen = Vec::new();
    for (index, text) in spec.listen_addresses.iter().enumerate() {
        match text.trim().parse::<IpAddr>() {
            Ok(address) => listen.push((address, port).into()),
            Err(_) => remarks.invalid(
                format!("spec.listenAddresses[{index}]"),
                format!("`{text}` is no address"),
                "write an IPv4 or IPv6 address; names are not looked up",
            ),
        }
    }
    listen
}
