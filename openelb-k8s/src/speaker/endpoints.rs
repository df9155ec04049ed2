//! What is behind the services, and where: all slices of a service together, each family by itself.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use crate::cluster::{Endpoint, EndpointSlice, SliceFamily};

/// The endpoints by namespace and name of the service.
pub(super) type ByService<'a> = HashMap<(&'a str, &'a str), Endpoints<'a>>;

/// The serving endpoints of a service.
#[derive(Debug, Default)]
pub(super) struct Endpoints<'a> {
    ipv4: Served<'a>,
    ipv6: Served<'a>,
}

/// The serving endpoints of one family.
#[derive(Debug, Default)]
pub(super) struct Served<'a> {
    /// There is one.
    pub(super) is_any: bool,
    /// There is one on this node.
    pub(super) is_here: bool,
    /// The nodes that are known to have one.
    pub(super) nodes: BTreeSet<&'a str>,
}

impl Endpoints<'_> {
    /// Those that can be behind an address.
    pub(super) fn of(&self, address: IpAddr) -> &Served<'_> {
        match address {
            IpAddr::V4(_) => &self.ipv4,
            IpAddr::V6(_) => &self.ipv6,
        }
    }
}

/// The serving endpoints of every service that has slices. O(endpoints × log nodes).
pub(super) fn of_services<'a>(
    slices: impl Iterator<Item = &'a EndpointSlice>,
    me: &str,
) -> ByService<'a> {
    let mut found = ByService::new();
    for slice in slices {
        let Some(service) = slice.service() else {
            continue;
        };
        let key = (&*slice.metadata.namespace, service);
        let of_service = found.entry(key).or_default();
        let served = match slice.address_type {
            SliceFamily::IPv4 => &mut of_service.ipv4,
            SliceFamily::IPv6 => &mut of_service.ipv6,
            SliceFamily::Fqdn => continue,
        };
        for endpoint in slice.endpoints.iter().filter(|it| is_serving(it)) {
            served.is_any = true;
            // An endpoint that is on no known node serves every node, and none by itself.
            let Some(node) = endpoint.node_name.as_deref() else {
                continue;
            };
            served.is_here |= node == me;
            served.nodes.insert(node);
        }
    }
    found
}

/// Whether kube-proxy would use it: it is ready, or it is ending and still serves while nothing ready
/// is left (KEP-1669). What is ready elsewhere makes no difference to whether a node can deliver.
fn is_serving(endpoint: &Endpoint) -> bool {
    let conditions = &endpoint.conditions;
    conditions.is_ready() || conditions.is_serving()
}
