//! `Eip.spec.bgp`: how the addresses of a pool become routes.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use openelb_announce::bgp::Attributes;
use openelb_announce::bgp::family::{Family, PerFamily};
use openelb_announce::bgp::route::{
    self, NextHopMode, NodeSelection, PeerSelection, check_advertisements,
};
use openelb_ipam::Pool;

use super::Node;
use crate::api::{Advertisement, Eip, NextHop};
use crate::names;
use crate::problem::{Problem, Reason, Remarks};

/// The advertisements of a pool, and what is to be said about them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PoolRoutes {
    /// For [`route::aggregate`]; empty when the pool is not announced by BGP or its object is wrong.
    pub advertisements: Vec<route::Advertisement>,
    /// Remarks about the object.
    pub problems: Vec<Problem>,
}

/// How the addresses of a pool become routes on a node. `communities` are the names that the
/// `BgpConf` gives; `next_hops` are the nodes that can serve, for pools that lead to all of them.
///
/// ```
/// use openelb_k8s::{api::Eip, bgp};
///
/// let eip = Eip::new("edge", "192.0.2.0/24");
/// let routes = bgp::pool_routes(&eip, &Default::default(), &bgp::Node::default(), &[]);
/// assert_eq!(routes.advertisements.len(), 1);
/// ```
pub fn pool_routes(
    eip: &Eip,
    communities: &BTreeMap<String, String>,
    node: &Node,
    next_hops: &[IpAddr],
) -> PoolRoutes {
    let mut remarks = Remarks::about(names::EIP_KIND, &eip.metadata.name);
    let bgp = eip.spec.bgp.clone().unwrap_or_default();
    let next_hop = match bgp.next_hop {
        NextHop::Nodes if !next_hops.is_empty() => NextHopMode::Nodes(next_hops.into()),
        NextHop::Nodes | NextHop::Own => NextHopMode::Own,
    };
    let default = [Advertisement::default()];
    let written = if bgp.advertisements.is_empty() {
        &default[..]
    } else {
        &bgp.advertisements
    };
    let ways = written.iter().enumerate().map(|(index, written)| Way {
        key: format!("spec.bgp.advertisements[{index}]"),
        written,
        communities,
        node,
    });
    let advertisements: Vec<_> = ways
        .map(|way| way.read(next_hop.clone(), &mut remarks))
        .collect();
    if let Err(error) = check_advertisements(&advertisements, &ranges(eip)) {
        remarks.invalid_text("spec.bgp.advertisements", error);
    }
    let is_usable = !remarks.has_error();
    PoolRoutes {
        advertisements: if is_usable {
            advertisements
        } else {
            Vec::new()
        },
        problems: remarks.found,
    }
}

/// First and last address of each range of the pool; none when the pool itself is wrong.
fn ranges(eip: &Eip) -> Vec<(IpAddr, IpAddr)> {
    let spec = crate::pool::spec(eip).ok();
    let pool = spec.and_then(|spec| Pool::try_from(&spec).ok());
    let ranges = pool.iter().flat_map(|pool| pool.ranges().iter());
    ranges.map(|range| (range.first(), range.last())).collect()
}

struct Way<'a> {
    key: String,
    written: &'a Advertisement,
    communities: &'a BTreeMap<String, String>,
    node: &'a Node,
}

impl Way<'_> {
    fn read(&self, next_hop: NextHopMode, remarks: &mut Remarks) -> route::Advertisement {
        let written = self.written;
        let mut attributes = Attributes {
            local_pref: written.local_pref,
            med: written.med,
            ..Attributes::default()
        };
        for (index, text) in written.communities.iter().enumerate() {
            let key = format!("{}.communities[{index}]", self.key);
            self.community(&key, text, &mut attributes, remarks);
        }
        let peers = written.peers.iter().map(String::as_str);
        let length =
            |written: Option<u8>, family: Family| written.unwrap_or_else(|| family.host_length());
        route::Advertisement {
            aggregation: PerFamily {
                ipv4: length(written.aggregation_length, Family::Ipv4Unicast),
                ipv6: length(written.aggregation_length_v6, Family::Ipv6Unicast),
            },
            attributes: Arc::new(attributes),
            prepend: written.prepend,
            next_hop,
            peers: if written.peers.is_empty() {
                PeerSelection::All
            } else {
                peers.collect()
            },
            nodes: self.nodes(),
            selects_services: false,
        }
    }

    /// The pure part knows one node: it announces, or it does not.
    fn nodes(&self) -> NodeSelection {
        let selectors = &self.written.node_selectors;
        let is_here = selectors
            .iter()
            .any(|selector| selector.matches(&self.node.labels));
        if selectors.is_empty() || is_here {
            NodeSelection::All
        } else {
            NodeSelection::Named(Arc::default())
        }
    }

    fn community(&self, key: &str, text: &str, attributes: &mut Attributes, remarks: &mut Remarks) {
        let meant = self.communities.get(text).map_or(text, String::as_str);
        let is_name = !text.contains(':') && !text.starts_with(|c: char| c.is_ascii_digit());
        let next = "write one such as 65000:100, large:64500:1:2 or no-export";
        let error = if meant.starts_with("large:") {
            let read = meant
                .parse()
                .map(|one| attributes.large_communities.extend([one]));
            read.err()
        } else if meant.bytes().all(|octet| octet.is_ascii_digit()) {
            // The 32 bits in one number are right on the wire, and nearly always a mistake here.
            return remarks.invalid(key, format!("`{meant}` is no community"), next);
        } else {
            let read = meant
                .parse()
                .map(|one| attributes.communities.extend([one]));
            read.err()
        };
        match error {
            Some(_) if is_name && meant == text => {
                let message = format!("there is no community `{text}`");
                let next = "define it in `communities` of the BgpConf, or write its numbers";
                remarks.add(Reason::Unresolved, key, message, next);
            }
            Some(error) => remarks.invalid(key, error, next),
            None => {}
        }
    }
}
