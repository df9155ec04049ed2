//! Range sets: which addresses a network hands out, by host-local's rules.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use openelb_ipam::family::{from_bits, to_bits};
use openelb_ipam::{AddressRange, Family, RangeSet};

use super::node::{Node, Object};
use crate::cni::error::{Code, Error};

/// A set of ranges of one family, of which every container gets one address.
// Invariant: at least one span, all of one family, none overlapping another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranges {
    spans: Vec<Span>,
}

/// A run of addresses within a subnet, and the subnet's gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The subnet whose length goes with every address.
    pub subnet: IpNet,
    /// What is handed out, the gateway excepted.
    pub addresses: AddressRange,
    /// Never handed out. It may lie outside the subnet.
    pub gateway: Option<IpAddr>,
}

impl Ranges {
    /// Reads one range set: a list of ranges.
    pub(super) fn read(node: &Node<'_>) -> Result<Self, Error> {
        let spans: Result<Vec<_>, _> = node
            .list()?
            .iter()
            .map(|range| Span::read(&range.object()?))
            .collect();
        let spans = spans?;
        let Some(first) = spans.first() else {
            return Err(node.refuse(
                "the range set is empty",
                "give it at least one range with a subnet",
            ));
        };
        if spans.iter().any(|span| span.family() != first.family()) {
            return Err(node.refuse(
                "the range set mixes IPv4 and IPv6",
                "write one range set for each family: a container gets one address of each set",
            ));
        }
        let mut seen = RangeSet::new();
        for span in &spans {
            let overlap = seen.insert_disjoint(span.addresses);
            overlap.map_err(|overlap| node.refuse(overlap, "keep the ranges of a set apart"))?;
        }
        Ok(Self { spans })
    }

    /// A set of the one range that stands in `ipam` itself.
    pub(super) fn of_one(span: Span) -> Self {
        Self { spans: vec![span] }
    }

    /// Refuses sets that share addresses with one another.
    pub(super) fn check_disjoint(sets: &[Self]) -> Result<(), Error> {
        let mut seen = RangeSet::new();
        for (at, set) in sets.iter().enumerate() {
            for span in &set.spans {
                seen.insert_disjoint(span.addresses).map_err(|overlap| {
                    Error::new(
                        Code::Configuration,
                        format!("range set {at} of the network: {overlap}"),
                    )
                    .next("keep the range sets apart: each hands out an address of its own")
                })?;
            }
        }
        Ok(())
    }

    /// The family of every address of the set.
    pub fn family(&self) -> Family {
        self.spans.first().map_or(Family::V4, Span::family)
    }

    /// The ranges, as they were written.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The range that holds an address.
    pub fn span_of(&self, address: IpAddr) -> Option<&Span> {
        self.spans
            .iter()
            .find(|span| span.addresses.contains(address))
    }
}

/// The ranges, separated by commas.
impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, span) in self.spans.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            write!(f, "{comma}{}", span.addresses)?;
        }
        Ok(())
    }
}

impl Span {
    pub(super) fn read(range: &Object<'_>) -> Result<Self, Error> {
        let Some(subnet_node) = range.field("subnet") else {
            return Err(Error::new(Code::Configuration, "a range has no subnet")
                .next("write `\"subnet\": \"10.1.0.0/24\"` in it"));
        };
        let subnet = read_subnet(&subnet_node)?;
        let default = Default::of(subnet);
        let start = read_end(range, "rangeStart", subnet)?;
        let end = read_end(range, "rangeEnd", subnet)?;
        let start = start.unwrap_or(default.start);
        let end = end.unwrap_or(default.end);
        let addresses = AddressRange::new(start, end).map_err(|error| {
            subnet_node.refuse(
                format!("rangeStart and rangeEnd are no range: {error}"),
                "give a rangeEnd at or above rangeStart",
            )
        })?;
        let gateway = range.address("gateway")?;
        if gateway.is_some_and(|gateway| Family::of(gateway) != Family::of(start)) {
            return Err(subnet_node.refuse(
                "the gateway is of the other family",
                "give a gateway of the subnet's family, or none",
            ));
        }
        Ok(Self {
            subnet,
            addresses,
            gateway: gateway.or(default.gateway),
        })
    }

    /// The family of its addresses.
    pub const fn family(&self) -> Family {
        self.addresses.family()
    }
}

/// What host-local takes where the configuration says nothing, and a sane answer where it refuses.
struct Default {
    start: IpAddr,
    end: IpAddr,
    gateway: Option<IpAddr>,
}

impl Default {
    fn of(subnet: IpNet) -> Self {
        let (family, whole) = (Family::of(subnet.addr()), AddressRange::from(subnet));
        let host_bits = family.bits() - subnet.prefix_len();
        // One or two addresses: all of them are usable (RFC 3021, RFC 6164), none is a gateway by default.
        if host_bits < 2 {
            return Self {
                start: whole.first(),
                end: whole.last(),
                gateway: None,
            };
        }
        // The IPv4 broadcast address is the last one; IPv6 has none.
        let last = match family {
            Family::V4 => from_bits(family, whole.last_bits() - 1),
            Family::V6 => whole.last(),
        };
        let second = from_bits(family, whole.first_bits() + 1);
        Self {
            start: second,
            end: last,
            gateway: Some(second),
        }
    }
}

fn read_subnet(node: &Node<'_>) -> Result<IpNet, Error> {
    let text = node.text()?;
    let next = "write a prefix such as 10.1.0.0/24 or fd00:1::/64";
    if !text.contains('/') {
        return Err(node.refuse(format!("`{text}` is no prefix"), next));
    }
    let range: AddressRange = text.parse().map_err(|error| node.refuse(error, next))?;
    range
        .as_prefix()
        .ok_or_else(|| node.refuse(format!("`{text}` is no prefix"), next))
}

fn read_end(range: &Object<'_>, name: &str, subnet: IpNet) -> Result<Option<IpAddr>, Error> {
    let Some(node) = range.field(name) else {
        return Ok(None);
    };
    let Some(address) = node.address()? else {
        return Ok(None);
    };
    let whole = AddressRange::from(subnet);
    let is_inside = Family::of(address) == whole.family() && whole.contains_bits(to_bits(address));
    if !is_inside {
        return Err(node.refuse(
            format!("{address} is not in the subnet {subnet}"),
            "give an address of the subnet, or leave the key out",
        ));
    }
    Ok(Some(address))
}
