//! Services as users write them, and what becomes of them; the desk is a controller without writes.

mod contract;
mod metallb;
mod openelb;
mod pool_status;
mod properties;
mod words;

use std::collections::BTreeMap;
use std::net::IpAddr;

use openelb_ipam::{Fence, Ipam, Request, Time};

use super::{Refusal, Serving, Wish, is_marked, wish};
use crate::api::Eip;
use crate::cluster::{
    IpFamily, IpFamilyPolicy, Namespace, Service, ServicePort, ServiceType, TrafficPolicy,
    Transport,
};
use crate::{names, pool};

/// Pools, namespaces and a ledger: asks it what a Service asks for, and says what came of it.
struct Desk {
    ipam: Ipam,
    eips: Vec<Eip>,
    namespaces: BTreeMap<String, Namespace>,
    serving: Serving,
    now: Time,
}

impl Desk {
    fn new(eips: impl IntoIterator<Item = Eip>) -> Self {
        let mut desk = Self {
            ipam: Ipam::new(),
            eips: Vec::new(),
            namespaces: BTreeMap::new(),
            serving: Serving::default(),
            now: Time(1_000),
        };
        desk.set(eips);
        desk
    }

    /// Edits the pools; those that mean nothing are left out, as in a cluster.
    fn set(&mut self, eips: impl IntoIterator<Item = Eip>) {
        self.eips = eips.into_iter().collect();
        let specs: Vec<_> = self.eips.iter().flat_map(pool::spec).collect();
        let plan = self.ipam.plan_pools(&specs).unwrap();
        self.ipam.apply_pools(plan, self.now).unwrap();
    }

    fn label(&mut self, namespace: &str, key: &str, value: &str) {
        let namespace = self.namespaces.entry(namespace.to_owned()).or_default();
        let labels = &mut namespace.metadata.labels;
        labels.insert(key.to_owned(), value.to_owned());
    }

    /// The addresses that the Service has now, or the word of the refusal.
    fn serve(&mut self, service: &Service) -> String {
        match self.outcome(service) {
            Ok(addresses) => addresses,
            Err(refusal) => refusal.reason.to_string(),
        }
    }

    fn outcome(&mut self, service: &Service) -> Result<String, Refusal> {
        let namespace = self.namespaces.get(&service.metadata.namespace);
        match wish(service, namespace, &self.serving) {
            Wish::NotOurs => Ok("not ours".to_owned()),
            Wish::Nothing => {
                let released = self.ipam.release(&key(service), Fence::Any, self.now);
                released.map_or_else(|error| Ok(error.to_string()), |_| Ok("released".to_owned()))
            }
            Wish::Refused(refusal) => Err(refusal),
            Wish::Ask(owner, request) => self
                .ipam
                .allocate(&owner, &request, self.now)
                .map(|allocation| allocation.to_string())
                .map_err(|error| Refusal::from(&error)),
        }
    }

    fn held(&self, service: &Service) -> String {
        let held = self.ipam.allocation(key(service).as_str());
        held.map(|held| held.to_string()).unwrap_or_default()
    }

    fn gone(&mut self, service: &Service) {
        self.ipam
            .release(&key(service), Fence::Any, self.now)
            .unwrap();
    }

    fn woken(&mut self) -> Vec<String> {
        let woken = self.ipam.take_woken();
        woken.iter().map(|key| key.name().to_owned()).collect()
    }
}

fn key(service: &Service) -> openelb_ipam::OwnerKey {
    let metadata = &service.metadata;
    openelb_ipam::OwnerKey::new("service", &metadata.namespace, &metadata.name).unwrap()
}

/// A pool bound to nobody, which serves who names it.
fn eip(name: &str, address: &str) -> Eip {
    Eip::new(name, address)
}

/// The default pool.
fn default_eip(name: &str, address: &str) -> Eip {
    let mut eip = eip(name, address);
    let annotations = &mut eip.metadata.annotations;
    annotations.insert(names::DEFAULT_EIP_ANNOTATION.to_owned(), "true".to_owned());
    eip
}

/// A pool bound to namespaces by name.
fn bound(name: &str, address: &str, namespaces: &[&str]) -> Eip {
    let mut eip = eip(name, address);
    eip.spec.namespaces = namespaces.iter().map(|&name| name.to_owned()).collect();
    eip
}

/// A Service `default/NAME` that opts in, with one IPv4 cluster address and the port TCP 80.
fn service(name: &str) -> Service {
    let mut service = Service::default();
    service.metadata.name = name.to_owned();
    service.metadata.namespace = "default".to_owned();
    service.metadata.uid = Some(format!("uid-of-{name}"));
    service.spec.kind = ServiceType::LoadBalancer;
    service.spec.cluster_ips = vec!["10.96.0.7".to_owned()];
    service.spec.ip_families = vec![IpFamily::IPv4];
    service.spec.ip_family_policy = Some(IpFamilyPolicy::SingleStack);
    service
        .annotated(names::OPT_IN_ANNOTATION, names::OPT_IN_VALUE)
        .ports(&[80])
}

/// What users change about a Service.
trait Edit {
    fn annotated(self, key: &str, value: &str) -> Self;
    fn inside(self, namespace: &str) -> Self;
    fn field(self, address: &str) -> Self;
    fn ports(self, tcp: &[u16]) -> Self;
    fn local(self, selector: &str) -> Self;
    fn marked(self) -> Self;
    fn v6(self) -> Self;
    fn dual(self, policy: IpFamilyPolicy, first: IpFamily) -> Self;
}

impl Edit for Service {
    fn annotated(mut self, key: &str, value: &str) -> Self {
        let annotations = &mut self.metadata.annotations;
        annotations.insert(key.to_owned(), value.to_owned());
        self
    }

    fn inside(mut self, namespace: &str) -> Self {
        self.metadata.namespace = namespace.to_owned();
        self
    }

    /// Asks by `spec.loadBalancerIP`.
    fn field(mut self, address: &str) -> Self {
        self.spec.load_balancer_ip = address.to_owned();
        self
    }

    fn ports(mut self, tcp: &[u16]) -> Self {
        let port = |&port: &u16| ServicePort {
            protocol: Transport::Tcp,
            port,
            ..ServicePort::default()
        };
        self.spec.ports = tcp.iter().map(port).collect();
        self
    }

    fn local(mut self, selector: &str) -> Self {
        self.spec.external_traffic_policy = TrafficPolicy::Local;
        let terms = selector.split_once('=');
        let terms = terms.map(|(key, value)| (key.to_owned(), value.to_owned()));
        self.spec.selector = terms.into_iter().collect();
        self
    }

    /// Carries what a controller leaves on a Service that it serves.
    fn marked(mut self) -> Self {
        let finalizer = names::SERVICE_FINALIZER.to_owned();
        self.metadata.finalizers.push(finalizer);
        self
    }

    fn v6(mut self) -> Self {
        self.spec.cluster_ips = vec!["fd00::7".to_owned()];
        self.spec.ip_families = vec![IpFamily::IPv6];
        self
    }

    fn dual(mut self, policy: IpFamilyPolicy, first: IpFamily) -> Self {
        self.spec.cluster_ips = vec!["10.96.0.7".to_owned(), "fd00::7".to_owned()];
        self.spec.ip_families = vec![IpFamily::IPv4, IpFamily::IPv6];
        if first == IpFamily::IPv6 {
            self.spec.cluster_ips.reverse();
            self.spec.ip_families.reverse();
        }
        self.spec.ip_family_policy = Some(policy);
        self
    }
}

fn request(service: &Service) -> Request {
    match wish(service, None, &Serving::default()) {
        Wish::Ask(_, request) => request,
        other => panic!("{other:?}"),
    }
}

fn refusal(service: &Service) -> Refusal {
    match wish(service, None, &Serving::default()) {
        Wish::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_service_is_marked_by_the_finalizer_or_the_label_of_its_pool() {
    assert!(!is_marked(&service("web")));
    assert!(is_marked(&service("web").marked()));
    let mut labelled = service("web");
    let labels = &mut labelled.metadata.labels;
    labels.insert(names::POOL_LABEL.to_owned(), "eip".to_owned());
    assert!(is_marked(&labelled));
    assert!(
        request(&labelled).service_labels.is_empty(),
        "what the controller writes is no wish of the user"
    );
}

#[test]
fn the_owner_is_the_service_with_its_uid() {
    let Wish::Ask(owner, _) = wish(&service("web"), None, &Serving::default()) else {
        panic!()
    };
    let expected = openelb_ipam::Owner::from(key(&service("web"))).with_uid("uid-of-web");
    assert_eq!(owner, expected);
}
