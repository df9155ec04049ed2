//! The ports of a Service: what two that share an address may not both have.

use openelb_ipam::{Port, PortSet, Protocol};

use crate::cluster::{IngressPort, ServicePort, ServiceSpec, Transport};
use crate::names;

/// The ports that are served, TCP and UDP of one number being two.
pub(super) fn ports(spec: &ServiceSpec) -> PortSet {
    let served = spec.ports.iter().filter_map(|port| {
        let protocol = protocol(port.protocol)?;
        let number = port.port;
        Some(Port { protocol, number })
    });
    served.collect()
}

/// What `ingress[].ports` says: nothing while all ports work, else every port, as the API wants it.
pub(super) fn errors(spec: &ServiceSpec) -> Vec<IngressPort> {
    let is_served = |port: &ServicePort| protocol(port.protocol).is_some();
    if spec.ports.iter().all(is_served) {
        return Vec::new();
    }
    let entries = spec.ports.iter().map(|port| IngressPort {
        port: port.port,
        protocol: name(port.protocol).to_owned(),
        error: (!is_served(port)).then(|| names::UNSUPPORTED_PROTOCOL_ERROR.to_owned()),
    });
    entries.collect()
}

fn protocol(transport: Transport) -> Option<Protocol> {
    match transport {
        Transport::Tcp => Some(Protocol::Tcp),
        Transport::Udp => Some(Protocol::Udp),
        Transport::Sctp => Some(Protocol::Sctp),
        Transport::Unknown => None,
    }
}

fn name(transport: Transport) -> &'static str {
    match transport {
        Transport::Tcp => "TCP",
        Transport::Udp => "UDP",
        Transport::Sctp => "SCTP",
        Transport::Unknown => "Unknown",
    }
}
