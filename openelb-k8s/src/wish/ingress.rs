//! The addresses of a Service as its status lists them.

use std::net::IpAddr;

use openelb_ipam::Family;

use super::families::family_of;
use super::ports;
use crate::cluster::{Ingress, Service};

/// `status.loadBalancer.ingress`: one entry an address, in the order of `ipFamilies`.
///
/// `ipMode` is given only to a server that knows it (1.29 and later): others drop what they do not
/// know, and what was written would never equal what is read. The data plane may take the address
/// itself (`VIP`), because it arrives with the packets unchanged.
///
/// The API server treats the list as one value: this is all of it, and the same input gives the same
/// list, so that an unchanged Service is never written.
pub fn ingress(service: &Service, addresses: &[IpAddr], is_mode_known: bool) -> Vec<Ingress> {
    let order = &service.spec.ip_families;
    let place = |address: &IpAddr| {
        let family = Family::of(*address);
        order.iter().position(|listed| family_of(*listed) == family)
    };
    let mut addresses: Vec<_> = addresses.to_vec();
    // Stable: without `ipFamilies` the order of the allocation stays.
    addresses.sort_by_key(|address| place(address).unwrap_or(usize::MAX));
    addresses.dedup();
    let ports = ports::errors(&service.spec);
    let entries = addresses.into_iter().map(|address| Ingress {
        ip: address.to_string(),
        hostname: String::new(),
        ip_mode: is_mode_known.then(|| VIP.to_owned()),
        ports: ports.clone(),
    });
    entries.collect()
}

/// `LoadBalancerIPModeVIP` of KEP-1860.
const VIP: &str = "VIP";
