//! Carries out what the controller of node CIDRs wants written.

use serde_json::json;

use super::{Act, Failure, Key, Request, Resource, Watched, Writer};
use crate::api::PodNetwork;
use crate::cluster::Node;
use crate::names;
use crate::node_cidrs::{Change, Object, Outcome};

/// Does it and tells what became of it. One request.
pub async fn give(writer: &Writer, change: Change) -> Outcome {
    let key = |name: &str| Key {
        namespace: String::new(),
        name: name.to_owned(),
    };
    let outcome = match change {
        Change::ReadNetwork => {
            let found = writer.read(&key(names::DEFAULT_POD_NETWORK)).await;
            found.map(|network| Outcome::Found(Object::Network(Box::new(network))))
        }
        Change::ReadNode(name) => {
            let found = writer.read(&key(&name)).await;
            found.map(|node| Outcome::Found(Object::Node(Box::new(node))))
        }
        Change::Status {
            resource_version,
            status,
        } => {
            let name = names::DEFAULT_POD_NETWORK;
            let resource = PodNetwork::RESOURCE;
            let body = json!({
                "apiVersion": resource.api_version(),
                "kind": resource.kind,
                "metadata": {"name": name, "resourceVersion": resource_version},
                "status": status,
            });
            let request = request(resource, key(name), Some("status"), Act::Replace, body);
            done(writer, request).await
        }
        Change::Node { name, uid, cidrs } => {
            let first = cidrs.first().map(ToString::to_string);
            let all: Vec<_> = cidrs.iter().map(ToString::to_string).collect();
            // Another node of this name is refused by its `uid`, other prefixes by the server's own
            // rule: they are set once.
            let body = json!({
                "metadata": {"uid": uid},
                "spec": {"podCIDR": first, "podCIDRs": all},
            });
            let request = request(Node::RESOURCE, key(&name), None, Act::Merge, body);
            done(writer, request).await
        }
    };
    outcome.unwrap_or_else(|failure| outcome_of(&failure))
}

async fn done(writer: &Writer, request: Request) -> Result<Outcome, Failure> {
    let resource_version = writer.send(request).await?;
    Ok(Outcome::Done { resource_version })
}

fn outcome_of(failure: &Failure) -> Outcome {
    match failure {
        Failure::NotFound => Outcome::NotFound,
        Failure::Conflict { .. } | Failure::Exists => Outcome::Conflict,
        // Too busy is no answer to the question whether it can be done; it is asked again later.
        Failure::Unknown(_)
        | Failure::Rejected {
            status: 429 | 503, ..
        } => Outcome::Unknown,
        Failure::Rejected { status, reason } => Outcome::Rejected {
            status: *status,
            reason: reason.clone(),
        },
    }
}

fn request(
    resource: Resource,
    key: Key,
    subresource: Option<&'static str>,
    act: Act,
    body: serde_json::Value,
) -> Request {
    Request {
        resource,
        key,
        subresource,
        act,
        body,
    }
}
