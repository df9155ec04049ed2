//! Objects as a user writes them.

use openelb_k8s::api::Eip;
use openelb_k8s::cluster::{IpFamily, IpFamilyPolicy, Service, ServicePort, ServiceType};
use openelb_k8s::names;

/// A Service that opts in, with one port.
pub(crate) fn service(namespace: &str, name: &str, families: &[IpFamily]) -> Service {
    let mut service = Service::default();
    service.metadata.namespace = namespace.to_owned();
    service.metadata.name = name.to_owned();
    let annotations = &mut service.metadata.annotations;
    annotations.insert(
        names::OPT_IN_ANNOTATION.to_owned(),
        names::OPT_IN_VALUE.to_owned(),
    );
    service.spec.kind = ServiceType::LoadBalancer;
    service.spec.ports.push(ServicePort {
        port: 80,
        ..ServicePort::default()
    });
    set_families(&mut service, families, IpFamilyPolicy::SingleStack);
    service
}

pub(crate) fn set_families(service: &mut Service, families: &[IpFamily], policy: IpFamilyPolicy) {
    service.spec.ip_families = families.to_vec();
    service.spec.ip_family_policy = Some(policy);
    let cluster_ip = |family: &IpFamily| match family {
        IpFamily::IPv4 => "10.96.0.7".to_owned(),
        IpFamily::IPv6 => "fd00::7".to_owned(),
    };
    service.spec.cluster_ips = families.iter().map(cluster_ip).collect();
}

pub(crate) fn annotate(service: &mut Service, key: &str, value: Option<&str>) {
    match value {
        Some(value) => service.metadata.annotations.insert(key, value),
        None => service.metadata.annotations.remove(key),
    };
}

/// A default pool.
pub(crate) fn default_pool(name: &str, address: &str) -> Eip {
    let mut eip = Eip::new(name, address);
    let annotations = &mut eip.metadata.annotations;
    annotations.insert(names::DEFAULT_EIP_ANNOTATION.to_owned(), "true".to_owned());
    eip
}
