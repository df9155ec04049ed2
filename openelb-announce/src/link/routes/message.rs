//! Routes as rtnetlink writes them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteNextHop, RouteProtocol,
    RouteScope, RouteType, RouteVia,
};

use super::{Entry, Hop};

/// Which routes of a family are there under a protocol number in a table?
pub(super) fn question(family: AddressFamily, table: u32, protocol: u8) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = family;
    message.header.protocol = RouteProtocol::from(protocol);
    put_table(&mut message, table);
    message
}

/// The table of a route.
pub(super) fn table(message: &RouteMessage) -> u32 {
    let named = message.attributes.iter().find_map(|it| match it {
        RouteAttribute::Table(table) => Some(*table),
        _ => None,
    });
    named.unwrap_or_else(|| message.header.table.into())
}

/// A route as an order to make or to remove it. An odd one is named without its neighbours.
pub(super) fn write(entry: &Entry, table: u32, protocol: u8) -> RouteMessage {
    let mut message = RouteMessage::default();
    let header = &mut message.header;
    header.address_family = match entry.destination {
        IpNet::V4(_) => AddressFamily::Inet,
        IpNet::V6(_) => AddressFamily::Inet6,
    };
    header.destination_prefix_length = entry.destination.prefix_len();
    header.protocol = RouteProtocol::from(protocol);
    header.scope = if entry.is_odd {
        RouteScope::NoWhere
    } else {
        RouteScope::Universe
    };
    header.kind = if entry.is_odd {
        RouteType::Unspec
    } else {
        RouteType::Unicast
    };
    put_table(&mut message, table);
    let destination = RouteAddress::from(entry.destination.addr());
    message.attributes.extend([
        RouteAttribute::Destination(destination),
        RouteAttribute::Priority(entry.metric),
    ]);
    match entry.hops.as_slice() {
        _ if entry.is_odd => {}
        [hop] => {
            let gateway = gateway(entry.destination, hop.gateway);
            message
                .attributes
                .extend([gateway, RouteAttribute::Oif(hop.link)]);
        }
        hops => {
            let several = hops.iter().map(|hop| next_hop(entry.destination, *hop));
            let several = RouteAttribute::MultiPath(several.collect());
            message.attributes.push(several);
        }
    }
    message
}

/// What the kernel says about a route; `None` for one of another family.
pub(super) fn read(message: &RouteMessage) -> Option<Entry> {
    let header = &message.header;
    let mut address = match header.address_family {
        AddressFamily::Inet => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        AddressFamily::Inet6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        _ => return None,
    };
    let mut entry = Entry {
        destination: IpNet::from(address),
        metric: 0,
        hops: hop(&message.attributes, None).into_iter().collect(),
        is_odd: is_odd(header),
    };
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(RouteAddress::Inet(found)) => address = (*found).into(),
            RouteAttribute::Destination(RouteAddress::Inet6(found)) => address = (*found).into(),
            RouteAttribute::Priority(metric) => entry.metric = *metric,
            RouteAttribute::MultiPath(several) => {
                let hops = several.iter();
                let hops = hops.filter_map(|it| hop(&it.attributes, Some(it.interface_index)));
                entry.hops = hops.collect();
            }
            RouteAttribute::NhId(_) => entry.is_odd = true,
            _ => {}
        }
    }
    entry.is_odd |= entry.hops.is_empty();
    entry.destination = IpNet::new(address, header.destination_prefix_length).ok()?;
    Some(entry)
}

fn is_odd(header: &RouteHeader) -> bool {
    let is_plain = header.kind == RouteType::Unicast && header.tos == 0;
    !is_plain || header.source_prefix_length != 0
}

/// One neighbour out of its attributes; the link is among them unless it is given.
fn hop(attributes: &[RouteAttribute], link: Option<u32>) -> Option<Hop> {
    let (mut gateway, mut link) = (None, link);
    for attribute in attributes {
        match attribute {
            RouteAttribute::Gateway(RouteAddress::Inet(address))
            | RouteAttribute::Via(RouteVia::Inet(address)) => gateway = Some((*address).into()),
            RouteAttribute::Gateway(RouteAddress::Inet6(address))
            | RouteAttribute::Via(RouteVia::Inet6(address)) => gateway = Some((*address).into()),
            RouteAttribute::Oif(index) => link = link.or(Some(*index)),
            _ => {}
        }
    }
    let (gateway, link) = (gateway?, link?);
    Some(Hop { gateway, link })
}

fn next_hop(destination: IpNet, hop: Hop) -> RouteNextHop {
    let mut next_hop = RouteNextHop::default();
    next_hop.interface_index = hop.link;
    next_hop.attributes = vec![gateway(destination, hop.gateway)];
    next_hop
}

/// A gateway of the other family goes under another name: `via inet6`.
fn gateway(destination: IpNet, gateway: IpAddr) -> RouteAttribute {
    match (destination, gateway) {
        (IpNet::V4(_), IpAddr::V6(address)) => RouteAttribute::Via(RouteVia::Inet6(address)),
        (_, address) => RouteAttribute::Gateway(RouteAddress::from(address)),
    }
}

/// The header has room for a table number of one octet; the attribute holds for all.
fn put_table(message: &mut RouteMessage, table: u32) {
    message.header.table = u8::try_from(table).unwrap_or(RouteHeader::RT_TABLE_UNSPEC);
    message.attributes.push(RouteAttribute::Table(table));
}
