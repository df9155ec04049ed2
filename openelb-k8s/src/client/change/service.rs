//! The write on a Service: all that the controller says of it, in one server-side apply.
//!
//! The status subresource of a Service lets metadata through, so that finalizer, label, addresses and
//! condition are one write.

use serde_json::{Map, Value, json};

use super::{Act, Failure, Key, Outcome, Request, Service, Watched, Writer};
use crate::controller::ServiceApply;
use crate::names;

pub(super) async fn write(
    writer: &Writer,
    key: Key,
    apply: &ServiceApply,
) -> Result<Outcome, Failure> {
    let request = |act, body| Request {
        resource: Service::RESOURCE,
        key: key.clone(),
        subresource: Some("status"),
        act,
        body,
    };
    let act = Act::Apply { force: apply.force };
    let service: Service = writer.send_for(request(act, applied(&key, apply))).await?;
    let resource_version = match leftovers(&service, apply) {
        Some(body) => writer.send(request(Act::StrategicMerge, body)).await?,
        None => service.metadata.resource_version.unwrap_or_default(),
    };
    Ok(Outcome::Done { resource_version })
}

/// The fields as they are to be. Those that are left out go, unless somebody else owns them too.
fn applied(key: &Key, apply: &ServiceApply) -> Value {
    let mut metadata = Map::new();
    let mut set = |key: &str, value: Value| metadata.insert(key.to_owned(), value);
    set("name", json!(key.name));
    set("namespace", json!(key.namespace));
    for (key, value) in [
        ("uid", &apply.uid),
        ("resourceVersion", &apply.resource_version),
    ] {
        if !value.is_empty() {
            set(key, json!(value));
        }
    }
    if apply.finalizer {
        set("finalizers", json!([names::SERVICE_FINALIZER]));
    }
    if let Some(pool) = &apply.label {
        set("labels", json!({ names::POOL_LABEL: pool }));
    }
    let mut status = Map::new();
    if let Some(ingress) = &apply.ingress {
        status.insert("loadBalancer".to_owned(), json!({ "ingress": ingress }));
    }
    if let Some(condition) = &apply.condition {
        status.insert("conditions".to_owned(), json!([condition]));
    }
    json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "status": status})
}

/// What is to go and is still there, because it was OpenELB's as well: server-side apply only takes
/// away what nobody else owns. For the version just written, as a strategic merge patch: it removes
/// single entries of lists without naming the others.
fn leftovers(service: &Service, apply: &ServiceApply) -> Option<Value> {
    let metadata = &service.metadata;
    let is_finalized = metadata
        .finalizers
        .iter()
        .any(|it| it == names::SERVICE_FINALIZER);
    let mut of_metadata = Map::new();
    if is_finalized && !apply.finalizer {
        let finalizers = json!([names::SERVICE_FINALIZER]);
        of_metadata.insert("$deleteFromPrimitiveList/finalizers".to_owned(), finalizers);
    }
    if apply.label.is_none() && metadata.labels.contains_key(names::POOL_LABEL) {
        of_metadata.insert("labels".to_owned(), json!({ names::POOL_LABEL: null }));
    }
    let mut status = Map::new();
    let kind = names::ADDRESS_ASSIGNED_CONDITION;
    let mut conditions = service.status.conditions.iter();
    if apply.condition.is_none() && conditions.any(|condition| condition.kind == kind) {
        let removal = json!([{"type": kind, "$patch": "delete"}]);
        status.insert("conditions".to_owned(), removal);
    }
    let is_to_be_empty = apply.ingress.as_ref().is_some_and(Vec::is_empty);
    if is_to_be_empty && !service.status.load_balancer.ingress.is_empty() {
        status.insert("loadBalancer".to_owned(), json!({ "ingress": null }));
    }
    if of_metadata.is_empty() && status.is_empty() {
        return None;
    }
    of_metadata.insert(
        "resourceVersion".to_owned(),
        json!(metadata.resource_version),
    );
    Some(json!({"metadata": of_metadata, "status": status}))
}
