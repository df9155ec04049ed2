//! What was written into what was meant: the rules that span keys and documents.

use std::collections::HashMap;

use openelb_announce::link::InterfaceSelector;
use openelb_ipam::ipam::PoolConflict;
use openelb_ipam::{
    Families, Family, FamilyPolicy, Ipam, OwnerKey, PoolName, Port, PortSet, Protocol, Request,
    Sharing,
};
use openelb_k8s::api::Eip;
use openelb_k8s::bgp::Node;
use openelb_k8s::{link, pool};

use super::bgp::Objects;
use super::diagnostic::Diagnostic;
use super::file::{Documents, Written};
use super::pin::Pins;
use super::read::did_you_mean;
use super::service::{CheckProtocol, HealthCheck, IpFamily, IpFamilyPolicy, Service, Transport};
use super::{Config, PoolConfig, PrefixConfig, SERVICE, ServiceConfig, layer2, prefix, vrrp};

/// The configuration, and every remark in the order of the files. With an error among the remarks
/// the configuration lacks the objects at fault.
pub(super) fn resolve(documents: Documents, node: &Node) -> (Config, Vec<Diagnostic>) {
    let Documents {
        eips,
        services,
        speakers,
        peers,
        config_maps,
        elections,
        prefixes,
        mut remarks,
    } = documents;
    check_unique(&eips, |eip| eip.metadata.name.clone(), &mut remarks);
    check_unique(
        &services,
        |s| format!("{}/{}", s.metadata.namespace, s.metadata.name),
        &mut remarks,
    );
    check_unique(&speakers, |conf| conf.metadata.name.clone(), &mut remarks);
    check_unique(&peers, |peer| peer.metadata.name.clone(), &mut remarks);
    check_unique(&elections, |conf| conf.metadata.name.clone(), &mut remarks);
    check_unique(&config_maps, |map| map.metadata.name.clone(), &mut remarks);
    check_unique(
        &prefixes,
        |prefix| prefix.metadata.name.clone(),
        &mut remarks,
    );
    let objects = Objects {
        speakers: &speakers,
        peers: &peers,
        config_maps: &config_maps,
        node,
    };
    let bgp = objects.speaker(&mut remarks);
    let election = layer2::election(&elections, &eips, &node.name, &mut remarks);
    let pools: Vec<PoolConfig> = eips
        .iter()
        .filter_map(|eip| pool(eip, &objects, &mut remarks))
        .collect();
    check_pools(&eips, &pools, &mut remarks);
    let prefixes = prefix::prefixes(&prefixes, &eips, &mut remarks);
    vrrp::check_overlaps(&eips, &pools, &mut remarks);
    let known = KnownPools::of(&pools, &prefixes);
    let services: Vec<_> = services
        .iter()
        .filter_map(|written| Some((written, known.service(written, &mut remarks)?)))
        .collect();
    layer2::check_services(election.as_ref(), &pools, &services, &mut remarks);
    let services = services.into_iter().map(|(_, service)| service).collect();
    remarks.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    (
        Config {
            node: node.name.clone(),
            pools,
            services,
            bgp,
            election,
            prefixes,
            warnings: Vec::new(),
        },
        remarks,
    )
}

fn check_unique<T>(
    objects: &[Written<T>],
    name: impl Fn(&T) -> String,
    remarks: &mut Vec<Diagnostic>,
) {
    let mut seen: HashMap<String, &Written<T>> = HashMap::new();
    for object in objects {
        let name = name(&object.object);
        if let Some(first) = seen.get(&name) {
            let message = format!("`{name}` is defined twice, first at {}", first.place());
            remarks.push(
                object
                    .remark("metadata.name", message)
                    .help("rename or remove one of them"),
            );
        } else {
            seen.insert(name, object);
        }
    }
}

fn pool(
    eip: &Written<Eip>,
    objects: &Objects<'_>,
    remarks: &mut Vec<Diagnostic>,
) -> Option<PoolConfig> {
    let spec = match pool::spec(&eip.object) {
        Ok(spec) => spec,
        Err(errors) => {
            remarks.extend(
                errors
                    .into_iter()
                    .map(|e| eip.remark(&e.key, e.message).help(e.next)),
            );
            return None;
        }
    };
    let wish = &eip.object.spec;
    if !spec.auto_assign && wish.auto_assign.is_none() {
        let message = "no service gets an address of this pool without naming it";
        let help =
            "write `autoAssign: true`, list `namespaces`, or annotate it as the default pool";
        remarks.push(eip.remark("spec", message).help(help).warning());
    }
    let interfaces = interfaces(eip, remarks).ok()?;
    Some(PoolConfig {
        spec,
        protocol: wish.protocol,
        interfaces,
        probe: wish.probe,
        advertisements: objects.advertisements(eip, remarks),
        routers: vrrp::routers(eip, remarks),
    })
}

/// Where the pool is announced; `Err` when what is written there means nothing.
fn interfaces(
    eip: &Written<Eip>,
    remarks: &mut Vec<Diagnostic>,
) -> Result<Option<InterfaceSelector>, ()> {
    link::interfaces(&eip.object).map_err(|error| {
        let help = "write a name such as eth0, a glob, a prefix, can_reach:ADDRESS or all";
        remarks.push(eip.remark("spec.interface", error.to_string()).help(help));
    })
}

/// What the allocator says about the pools together: overlaps, two defaults.
fn check_pools(eips: &[Written<Eip>], pools: &[PoolConfig], remarks: &mut Vec<Diagnostic>) {
    let specs: Vec<_> = pools.iter().map(|pool| pool.spec.clone()).collect();
    // Equal names are told already; with them there is no plan.
    let Ok(plan) = Ipam::new().plan_pools(&specs) else {
        return;
    };
    for conflict in plan.conflicts() {
        let (name, key) = match conflict {
            PoolConflict::Overlap { pool, .. } => (pool, "spec.address"),
            PoolConflict::SecondDefault { pool, .. } => (pool, "metadata.annotations"),
        };
        let eip = eips.iter().find(|eip| eip.object.metadata.name == **name);
        let text = conflict.to_string();
        let text = eip.map_or_else(|| text.clone(), |eip| pool::as_written(&text, &eip.object));
        let (fact, help) = text
            .split_once("; ")
            .unwrap_or((&text, "change one of the two"));
        if let Some(eip) = eip {
            remarks.push(eip.remark(key, fact).help(help));
        }
    }
}

struct KnownPools {
    names: Vec<PoolName>,
    pins: Pins,
}

impl KnownPools {
    fn of(pools: &[PoolConfig], prefixes: &[PrefixConfig]) -> Self {
        Self {
            names: pools.iter().map(|pool| pool.spec.name.clone()).collect(),
            pins: Pins::of(pools, prefixes),
        }
    }

    fn service(
        &self,
        service: &Written<Service>,
        remarks: &mut Vec<Diagnostic>,
    ) -> Option<ServiceConfig> {
        let before = remarks.iter().filter(|remark| remark.is_error()).count();
        let metadata = &service.object.metadata;
        let key = OwnerKey::new(SERVICE, &metadata.namespace, &metadata.name)
            .map_err(|error| {
                let help = "name the service as Kubernetes would, such as `web`";
                remarks.push(
                    service
                        .remark("metadata.name", error.to_string())
                        .help(help),
                );
            })
            .ok();
        let request = self.request(service, remarks);
        if let Some(check) = &service.object.spec.health_check {
            remarks.extend(health_check_faults(service, check));
        }
        let after = remarks.iter().filter(|remark| remark.is_error()).count();
        (before == after).then_some(ServiceConfig {
            owner: key?.into(),
            request,
            announce: service.object.spec.announce,
            health_check: service.object.spec.health_check.clone(),
        })
    }

    fn request(&self, service: &Written<Service>, remarks: &mut Vec<Diagnostic>) -> Request {
        let (wish, metadata) = (&service.object.spec, &service.object.metadata);
        let mut request = Request {
            service_labels: metadata.labels.clone(),
            ..Request::default()
        };
        // Kubernetes labels every namespace with its own name; here nothing else is known of it.
        let label = ("kubernetes.io/metadata.name", metadata.namespace.as_str());
        request.namespace_labels = [label].into();
        request.addresses = self.pins.meant(service, remarks).into();
        request.ports = ports(service, remarks);
        request.sharing = wish.sharing_key.as_deref().map(Sharing::new);
        if request.sharing.is_some() && request.ports == PortSet::All {
            let help = "list the `ports` of the service; sharers must not have one in common";
            remarks.push(
                service
                    .remark("spec.sharingKey", "sharing needs `ports`")
                    .help(help),
            );
        }
        request.pool = wish
            .pool
            .as_deref()
            .and_then(|name| self.named(name, service, remarks));
        (request.families, request.policy) = families(service, remarks);
        if let Err(error) = request.wanted() {
            let key = if wish.addresses.is_empty() {
                "spec.ipFamilies"
            } else {
                "spec.addresses"
            };
            let text = error.to_string();
            let (fact, help) = text
                .split_once("; ")
                .unwrap_or((&text, "correct the request"));
            remarks.push(service.remark(key, fact).help(help));
        }
        request
    }

    fn named(
        &self,
        name: &str,
        service: &Written<Service>,
        remarks: &mut Vec<Diagnostic>,
    ) -> Option<PoolName> {
        if let Some(known) = self.names.iter().find(|known| &***known == name) {
            return Some(known.clone());
        }
        let names = || self.names.iter().map(|name| &**name);
        let help = match did_you_mean(name, names()) {
            Some(known) => format!("did you mean `{known}`?"),
            None if self.names.is_empty() => "add an Eip of that name".to_owned(),
            None => format!("pools here: {}", names().collect::<Vec<_>>().join(", ")),
        };
        remarks.push(
            service
                .remark("spec.pool", format!("there is no pool `{name}`"))
                .help(help),
        );
        None
    }
}

fn ports(service: &Written<Service>, remarks: &mut Vec<Diagnostic>) -> PortSet {
    let ports = &service.object.spec.ports;
    for (index, port) in ports.iter().enumerate() {
        let key = format!("spec.ports[{index}].port");
        if port.port == 0 {
            remarks.push(
                service
                    .remark(&key, "port 0 is no port")
                    .help("write 1 to 65535"),
            );
        }
        if ports
            .iter()
            .take(index)
            .any(|p| (p.port, p.protocol) == (port.port, port.protocol))
        {
            let message = format!("port {} is listed twice", port.port);
            remarks.push(service.remark(&key, message).help("remove one of them"));
        }
    }
    if ports.is_empty() {
        return PortSet::All;
    }
    let port = |port: &super::service::Port| Port {
        protocol: match port.protocol {
            Transport::Tcp => Protocol::Tcp,
            Transport::Udp => Protocol::Udp,
            Transport::Sctp => Protocol::Sctp,
        },
        number: port.port,
    };
    ports.iter().map(port).collect()
}

fn families(service: &Written<Service>, remarks: &mut Vec<Diagnostic>) -> (Families, FamilyPolicy) {
    let wish = &service.object.spec;
    let listed: Vec<Family> = wish
        .ip_families
        .iter()
        .map(|family| match family {
            IpFamily::IPv4 => Family::V4,
            IpFamily::IPv6 => Family::V6,
        })
        .collect();
    let families = Families::from_slice(&listed).unwrap_or_else(|| {
        let help = "list each of IPv4 and IPv6 at most once";
        let message = "a family is listed twice";
        remarks.push(service.remark("spec.ipFamilies", message).help(help));
        Families::Any
    });
    let policy = match wish.ip_family_policy {
        Some(IpFamilyPolicy::SingleStack) if listed.len() > 1 => {
            let message = "SingleStack with two families";
            let help = "list one family, or write PreferDualStack or RequireDualStack";
            remarks.push(service.remark("spec.ipFamilyPolicy", message).help(help));
            FamilyPolicy::SingleStack
        }
        Some(IpFamilyPolicy::SingleStack) => FamilyPolicy::SingleStack,
        Some(IpFamilyPolicy::PreferDualStack) => FamilyPolicy::PreferDualStack,
        Some(IpFamilyPolicy::RequireDualStack) => FamilyPolicy::RequireDualStack,
        // Two families without a policy: whoever lists both wants both.
        None if listed.len() > 1 => FamilyPolicy::RequireDualStack,
        None => FamilyPolicy::SingleStack,
    };
    (families, policy)
}

fn health_check_faults(
    service: &Written<Service>,
    check: &HealthCheck,
) -> impl Iterator<Item = Diagnostic> {
    let zero = [
        ("port", u64::from(check.port)),
        ("intervalSeconds", u64::from(check.interval_seconds)),
        ("timeoutSeconds", u64::from(check.timeout_seconds)),
        ("failureThreshold", u64::from(check.failure_threshold)),
        ("successThreshold", u64::from(check.success_threshold)),
    ]
    .into_iter()
    .filter(|(_, value)| *value == 0)
    .map(|(key, _)| {
        let message = format!("`{key}` is 0");
        service
            .remark(&format!("spec.healthCheck.{key}"), message)
            .help("write at least 1")
    });
    let is_wrong_path = check.protocol == CheckProtocol::Http && !check.path.starts_with('/');
    let path = is_wrong_path.then(|| {
        let message = format!("`{}` is no path", check.path);
        service
            .remark("spec.healthCheck.path", message)
            .help("start it with a slash")
    });
    zero.chain(path).collect::<Vec<_>>().into_iter()
}
