//! Pools and addresses that a Service names, in OpenELB's words or MetalLB's.
//!
//! OpenELB's own annotation wins over every other form, as it always did over `spec.loadBalancerIP`.
//! MetalLB's forms, which are the annotation under its present and former prefix and the field, say
//! the same or are refused.

use openelb_ipam::{Addresses, PoolName, parse_addresses};

use super::{ReasonWord, Refusal};
use crate::cluster::Service;
use crate::names;

/// The addresses asked for, in any spelling, each once; none when none are named.
pub(super) fn addresses(service: &Service) -> Result<Addresses, Refusal> {
    if let Some(form) = annotated(service, names::ADDRESS_ANNOTATION) {
        return form.addresses();
    }
    let annotations = names::METALLB_ADDRESS_ANNOTATIONS.map(|key| annotated(service, key));
    let field = Form::new("spec.loadBalancerIP", &service.spec.load_balancer_ip);
    let mut found: Option<(Form<'_>, Addresses)> = None;
    for form in annotations.into_iter().chain([field]).flatten() {
        let addresses = form.addresses()?;
        match &found {
            Some((first, known)) if sorted(known) != sorted(&addresses) => {
                return Err(contradiction(first, &form));
            }
            Some(_) => {}
            None => found = Some((form, addresses)),
        }
    }
    Ok(found.map(|(_, addresses)| addresses).unwrap_or_default())
}

/// The pool asked for.
pub(super) fn pool(service: &Service) -> Result<Option<PoolName>, Refusal> {
    let own = annotated(service, names::POOL_ANNOTATION);
    let form = match own {
        Some(form) => form,
        None => match agreed(service, names::METALLB_POOL_ANNOTATIONS)? {
            Some(form) => form,
            None => return Ok(None),
        },
    };
    let name = form.text.parse().map_err(|error| {
        let message = format!("{}: {error}", form.place);
        Refusal::new(ReasonWord::NoMatchingPool, message)
    })?;
    Ok(Some(name))
}

/// The text of several annotations that mean one thing and must not say two.
pub(super) fn agreed<'a>(
    service: &'a Service,
    keys: [&'static str; 2],
) -> Result<Option<Form<'a>>, Refusal> {
    let [present, former] = keys.map(|key| annotated(service, key));
    match (present, former) {
        (Some(present), Some(former)) if present.text != former.text => {
            Err(contradiction(&present, &former))
        }
        (present, former) => Ok(present.or(former)),
    }
}

/// An annotation that says something: an empty one is as good as none.
pub(super) fn annotated<'a>(service: &'a Service, key: &'static str) -> Option<Form<'a>> {
    let text = service.metadata.annotations.get(key)?;
    Form::new(key, text)
}

/// One of the places where a Service can say something, and what it says there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form<'a> {
    /// Key of the annotation, or path of the field.
    pub(super) place: &'static str,
    /// What stands there, without white space around it; never empty.
    pub(super) text: &'a str,
}

impl<'a> Form<'a> {
    fn new(place: &'static str, text: &'a str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then_some(Self { place, text })
    }

    fn addresses(&self) -> Result<Addresses, Refusal> {
        parse_addresses(self.text).map_err(|error| {
            let message = format!("{}: {error}", self.place);
            Refusal::new(ReasonWord::InvalidAddress, message)
        })
    }
}

fn sorted(addresses: &Addresses) -> Addresses {
    let mut sorted = addresses.clone();
    sorted.sort_unstable();
    sorted
}

fn contradiction(first: &Form<'_>, second: &Form<'_>) -> Refusal {
    let message = format!(
        "{} says {:?} and {} says {:?}; remove one of the two",
        first.place, first.text, second.place, second.text,
    );
    Refusal::new(ReasonWord::ContradictoryRequest, message)
}
