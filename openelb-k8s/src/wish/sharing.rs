//! With whom a Service may share its address.

use openelb_ipam::Sharing;

use super::Refusal;
use super::annotation::{agreed, annotated};
use crate::cluster::{Service, TrafficPolicy};
use crate::names;

/// The permission to share that a Service gives.
///
/// With a key, MetalLB's rules hold: one key, no port in common, and with the external traffic policy
/// `Local` the same pods. Without one, OpenELB's: Services of one namespace may ask for one address
/// if they differ in ports and both have the policy `Cluster`; the pool allows that, so nothing is
/// said here. OpenELB asked nobody, so that any namespace could take the traffic of any other.
pub(super) fn sharing(service: &Service) -> Result<Option<Sharing>, Refusal> {
    let own = annotated(service, names::SHARING_ANNOTATION);
    let form = match own {
        Some(form) => Some(form),
        None => agreed(service, names::METALLB_SHARING_ANNOTATIONS)?,
    };
    let is_local = service.spec.external_traffic_policy == TrafficPolicy::Local;
    Ok(match form {
        Some(form) if is_local => Some(Sharing::new(form.text).with_backend(&backend(service))),
        Some(form) => Some(Sharing::new(form.text)),
        // An empty key never shares: the nodes that serve one of two may have no pod of the other.
        None if is_local => Some(Sharing::default()),
        None => None,
    })
}

/// Which pods receive the traffic. Selectors mean pods of their own namespace; a Service without one
/// has endpoints that somebody else writes, which nobody else has.
fn backend(service: &Service) -> String {
    let namespace = &service.metadata.namespace;
    if service.spec.selector.is_empty() {
        return format!("{namespace}/{}", service.metadata.name);
    }
    let terms = service.spec.selector.iter();
    let terms: Vec<_> = terms.map(|(key, value)| format!("{key}={value}")).collect();
    format!("{namespace}: {}", terms.join(","))
}
