//! What a Service asks for, and what is said to its user: everything about Services but the writing.
//!
//! [`wish()`] reads a Service into a [`Request`] to the ledger, or says why there is nothing to ask.
//! The answer goes back into words here, too: [`ingress()`], [`condition()`], [`event()`] for the
//! Service, [`eip_status()`] for the pool. All of it is pure, so that the controller writes nothing
//! that a test has not seen.

mod annotation;
mod condition;
mod event;
mod families;
mod ingress;
mod pool_status;
mod ports;
mod reason;
mod refusal;
mod sharing;
#[cfg(test)]
mod tests;

pub use condition::condition;
pub use event::{Decision, Event, Severity, event};
pub use ingress::ingress;
pub use pool_status::eip_status;
pub use reason::ReasonWord;
pub use refusal::Refusal;

use openelb_ipam::{Labels, Owner, OwnerKey, Request};

use crate::cluster::{Namespace, Service, ServiceType};
use crate::names;

/// Which Services are this project's.
///
/// ```
/// use openelb_k8s::wish::{Serving, Unclassed};
///
/// let serving = Serving::default();
/// assert_eq!(serving.class, "openelb.io/openelb");
/// assert_eq!(serving.unclassed, Unclassed::OptIn);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serving {
    /// The `spec.loadBalancerClass` served. A Service of another class is never touched.
    pub class: String,
    /// What becomes of Services without a class.
    pub unclassed: Unclassed,
}

impl Default for Serving {
    fn default() -> Self {
        Self {
            class: names::LOAD_BALANCER_CLASS.to_owned(),
            unclassed: Unclassed::default(),
        }
    }
}

impl Serving {
    /// Whether a Service is to have an address from here.
    pub fn serves(&self, service: &Service) -> bool {
        service.spec.kind == ServiceType::LoadBalancer
            && service.metadata.deletion_timestamp.is_none()
            && match &service.spec.load_balancer_class {
                Some(class) => *class == self.class,
                None => self.unclassed == Unclassed::Always || opts_in(service),
            }
    }
}

/// What becomes of Services without a `spec.loadBalancerClass`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Unclassed {
    /// They are served when they opt in by annotation, as OpenELB 0.6 does.
    #[default]
    OptIn,
    /// They are served: this is the cluster's default load balancer.
    Always,
}

/// What a Service asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Nothing of this project's: another class, no opt-in, no load balancer. Not one write.
    NotOurs,
    /// Nothing any more: what it has from here is to be released.
    Nothing,
    /// Something that cannot be meant. What it has is kept until it is corrected.
    Refused(Refusal),
    /// Addresses.
    Ask(Owner, Request),
}

/// What a Service asks for. The Namespace matters by its labels, which pools select by.
///
/// Takes no I/O and no time worth counting: a handful of map look-ups and two short lists.
///
/// ```
/// use openelb_k8s::cluster::Service;
/// use openelb_k8s::wish::{Serving, Wish, wish};
///
/// let service: Service = serde_json::from_str(
///     r#"{"metadata": {"name": "web", "namespace": "shop",
///          "annotations": {"lb.kubesphere.io/v1alpha1": "openelb"}},
///         "spec": {"type": "LoadBalancer", "clusterIPs": ["10.96.0.7"], "ipFamilies": ["IPv4"]}}"#,
/// )?;
/// let Wish::Ask(owner, _) = wish(&service, None, &Serving::default()) else { panic!() };
/// assert_eq!(owner.to_string(), "service/shop/web");
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn wish(service: &Service, namespace: Option<&Namespace>, serving: &Serving) -> Wish {
    let metadata = &service.metadata;
    let key = OwnerKey::new(
        names::SERVICE_OWNER_KIND,
        &metadata.namespace,
        &metadata.name,
    );
    // What has no name is no object of an API server.
    let Ok(key) = key else {
        return Wish::NotOurs;
    };
    if !serving.serves(service) {
        return if is_marked(service) {
            Wish::Nothing
        } else {
            Wish::NotOurs
        };
    }
    if !families::has_cluster_ip(&service.spec) && is_marked(service) {
        return Wish::Nothing;
    }
    let owner = Owner::from(key);
    let owner = match &metadata.uid {
        Some(uid) => owner.with_uid(uid),
        None => owner,
    };
    match request(service, namespace) {
        Ok(request) => Wish::Ask(owner, request),
        Err(refusal) => Wish::Refused(refusal),
    }
}

/// What stands of a wish that was refused: the ports, and with whom an address may be shared. By these
/// it keeps an address beside others who have it.
pub fn remains(service: &Service) -> Request {
    Request {
        sharing: sharing::sharing(service).ok().flatten(),
        ports: ports::ports(&service.spec),
        ..Request::default()
    }
}

/// Whether a Service carries the mark of one that was served: our finalizer, or the label with the
/// name of its pool. It stays this project's to clean up whatever its user changes.
pub fn is_marked(service: &Service) -> bool {
    let metadata = &service.metadata;
    metadata.labels.contains_key(names::POOL_LABEL)
        || metadata
            .finalizers
            .iter()
            .any(|finalizer| finalizer == names::SERVICE_FINALIZER)
}

/// OpenELB 0.6 wants this very value; 0.5 took any at one place.
fn opts_in(service: &Service) -> bool {
    let value = service.metadata.annotations.get(names::OPT_IN_ANNOTATION);
    value.is_some_and(|value| value == names::OPT_IN_VALUE)
}

fn request(service: &Service, namespace: Option<&Namespace>) -> Result<Request, Refusal> {
    let (families, policy) = families::families(&service.spec)?;
    let request = Request {
        families,
        policy,
        addresses: annotation::addresses(service)?,
        pool: annotation::pool(service)?,
        namespace_labels: namespace_labels(service, namespace),
        service_labels: service_labels(service),
        sharing: sharing::sharing(service)?,
        ports: ports::ports(&service.spec),
    };
    match request.wanted() {
        Ok(_) => Ok(request),
        Err(contradiction) => Err(Refusal::new(ReasonWord::InvalidAddress, contradiction)),
    }
}

/// Kubernetes labels every namespace with its own name: true also before it was seen.
fn namespace_labels(service: &Service, namespace: Option<&Namespace>) -> Labels {
    let name = service.metadata.namespace.as_str();
    match namespace {
        Some(namespace) => namespace.metadata.labels.clone(),
        None => Labels::from([(NAMESPACE_NAME_LABEL, name)]),
    }
}

/// The label that is written here says nothing about what the user wants.
fn service_labels(service: &Service) -> Labels {
    let mut labels = service.metadata.labels.clone();
    labels.remove(names::POOL_LABEL);
    labels
}

/// Set by every API server since 1.21 on every namespace.
const NAMESPACE_NAME_LABEL: &str = "kubernetes.io/metadata.name";
