//! What is read of a cluster's own objects: services, endpoints, nodes, namespaces.
//!
//! Only the fields that decide something are kept: ten thousand services are a few megabytes, and a
//! value of a field that this version does not know loses nothing but itself. Each type reads the
//! JSON of the API server as it is; text that is no such object is an error of that one object.

mod endpoint_slice;
mod namespace;
mod node;
mod service;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Deserializer};

pub use crate::api::{Condition, ObjectMeta};
pub use endpoint_slice::{Endpoint, EndpointConditions, EndpointSlice, SliceFamily};
pub use namespace::Namespace;
pub use node::{Node, NodeAddress, NodeCondition, NodeSpec, NodeStatus, Taint};
pub use service::{
    Ingress, IngressPort, IpFamily, IpFamilyPolicy, LoadBalancer, Service, ServicePort,
    ServiceSpec, ServiceStatus, ServiceType, TrafficPolicy, Transport,
};

/// Go writes an empty list or map as `null` where a client left it so.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
