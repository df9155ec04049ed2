//! Carries out what the controller's machine wants written.

mod service;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use super::{Act, Failure, FieldOwner, Key, Request, Resource, Watched, Writer};
use crate::api::{AddressBlock, Eip};
use crate::cluster::Service;
use crate::controller::{Change, Kind, Object, Outcome};
use crate::names;

/// Does it and tells what became of it. One request; a second one only when a field that is to go
/// from a Service is still there because OpenELB, too, owns it.
pub async fn carry_out(writer: &Writer, change: Change) -> Result<Outcome, Failure> {
    let request = match change {
        Change::Read {
            kind,
            namespace,
            name,
        } => return read(writer, kind, &Key { namespace, name }).await,
        Change::Service {
            namespace,
            name,
            apply,
        } => return service::write(writer, Key { namespace, name }, &apply).await,
        Change::EipStatus {
            name,
            resource_version,
            status,
        } => eip_status(name, &resource_version, json!(status)),
        Change::EipFinalizer {
            name,
            resource_version,
            finalizers,
        } => eip_finalizers(name, &resource_version, &finalizers),
        Change::Block {
            resource_version,
            block,
        } => block_write(resource_version, *block),
        Change::BlockDelete {
            name,
            resource_version,
        } => block_delete(name, &resource_version),
    };
    let resource_version = writer.send(request).await?;
    Ok(Outcome::Done { resource_version })
}

/// What the machine makes of a failure.
pub fn outcome(failure: &Failure) -> Outcome {
    match failure {
        Failure::NotFound => Outcome::NotFound,
        Failure::Exists => Outcome::Exists,
        // Too busy is no answer to the question whether it can be done; it is asked again later.
        Failure::Unknown(_)
        | Failure::Rejected {
            status: 429 | 503, ..
        } => Outcome::Unknown,
        Failure::Rejected { status, reason } => Outcome::Rejected {
            status: *status,
            reason: reason.clone(),
        },
        Failure::Conflict { owners } => {
            // A stranger among the owners decides: force is for OpenELB's former names alone.
            let is_former = |owner: &&FieldOwner| {
                let manager = owner.manager.as_str();
                names::FORMER_MANAGERS.contains(&manager)
            };
            let stranger = owners.iter().find(|owner| !is_former(owner));
            match stranger.or_else(|| owners.first()) {
                Some(owner) => Outcome::Owned {
                    manager: owner.manager.clone(),
                    field: owner.field.clone(),
                },
                None => Outcome::Conflict,
            }
        }
    }
}

async fn read(writer: &Writer, kind: Kind, key: &Key) -> Result<Outcome, Failure> {
    let object = match kind {
        Kind::Eip => Object::Eip(Box::new(writer.read(key).await?)),
        Kind::Block => Object::Block(Box::new(writer.read(key).await?)),
        Kind::Service => Object::Service(Box::new(writer.read(key).await?)),
        Kind::Namespace => return Err(Failure::NotFound),
    };
    Ok(Outcome::Found(object))
}

fn eip_status(name: String, resource_version: &str, status: Value) -> Request {
    let metadata = json!({"name": name, "resourceVersion": resource_version});
    Request {
        // The API server takes everything but the status from the object that it has.
        subresource: Some("status"),
        ..request(Eip::RESOURCE, name, Act::Replace, |body| {
            body["metadata"] = metadata;
            body["status"] = status;
        })
    }
}

fn eip_finalizers(name: String, resource_version: &str, finalizers: &[String]) -> Request {
    let metadata = json!({"resourceVersion": resource_version, "finalizers": finalizers});
    request(Eip::RESOURCE, name, Act::Merge, |body| {
        body["metadata"] = metadata;
    })
}

fn block_write(resource_version: Option<String>, mut block: AddressBlock) -> Request {
    let act = match &resource_version {
        Some(_) => Act::Replace,
        None => Act::Create,
    };
    block.metadata.resource_version = resource_version;
    let name = block.metadata.name.clone();
    let block = json!(block);
    request(AddressBlock::RESOURCE, name, act, |body| *body = block)
}

fn block_delete(name: String, resource_version: &str) -> Request {
    let options = json!({
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": {"resourceVersion": resource_version},
    });
    request(AddressBlock::RESOURCE, name, Act::Delete, |body| {
        *body = options;
    })
}

/// A request about an object of the whole cluster; the body says of which kind it is.
fn request(resource: Resource, name: String, act: Act, fill: impl FnOnce(&mut Value)) -> Request {
    let mut body = json!({"apiVersion": resource.api_version(), "kind": resource.kind});
    fill(&mut body);
    Request {
        resource,
        key: Key {
            namespace: String::new(),
            name,
        },
        subresource: None,
        act,
        body,
    }
}
