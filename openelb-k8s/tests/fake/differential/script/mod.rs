//! The requests: everything that the controller and the speaker ask of an API server, and the ways in
//! which they are refused.

#![expect(
    clippy::too_many_lines,
    reason = "a chapter is a list: its length is no depth"
)]

mod objects;
mod services;

use serde_json::Value;

/// One request.
#[derive(Debug)]
pub(super) struct Step {
    /// What it shows; unique.
    pub name: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// Path and query; `$version(step)` and its like stand for what an earlier answer said.
    pub path: String,
    /// Media type of the body.
    pub content_type: &'static str,
    /// The body; null for none.
    pub body: Value,
}

/// Every request, in order.
pub(super) fn steps() -> Vec<Step> {
    let chapters = [
        services::services(),
        services::service_status(),
        services::ownership(),
        objects::eips(),
        objects::eip_status(),
        objects::finalizers(),
        objects::lists(),
        objects::watches(),
        objects::others(),
    ];
    chapters.into_iter().flatten().collect()
}

fn get(name: &'static str, path: &str) -> Step {
    step(name, "GET", path, "application/json", Value::Null)
}

fn post(name: &'static str, path: &str, body: Value) -> Step {
    step(name, "POST", path, "application/json", body)
}

fn put(name: &'static str, path: &str, body: Value) -> Step {
    step(name, "PUT", path, "application/json", body)
}

fn delete(name: &'static str, path: &str, body: Value) -> Step {
    step(name, "DELETE", path, "application/json", body)
}

fn merge(name: &'static str, path: &str, body: Value) -> Step {
    step(name, "PATCH", path, "application/merge-patch+json", body)
}

fn strategic(name: &'static str, path: &str, body: Value) -> Step {
    step(
        name,
        "PATCH",
        path,
        "application/strategic-merge-patch+json",
        body,
    )
}

fn json_patch(name: &'static str, path: &str, body: Value) -> Step {
    step(name, "PATCH", path, "application/json-patch+json", body)
}

fn apply(name: &'static str, path: &str, body: Value) -> Step {
    step(name, "PATCH", path, "application/apply-patch+yaml", body)
}

fn step(
    name: &'static str,
    method: &'static str,
    path: &str,
    content_type: &'static str,
    body: Value,
) -> Step {
    Step {
        name,
        method,
        path: path.to_owned(),
        content_type,
        body,
    }
}

const SERVICES: &str = "/api/v1/namespaces/play/services";
const WEB: &str = "/api/v1/namespaces/play/services/web";
const MAPS: &str = "/api/v1/namespaces/play/configmaps";
const EIPS: &str = "/apis/network.kubesphere.io/v1alpha2/eips";
const POOL: &str = "/apis/network.kubesphere.io/v1alpha2/eips/pool";
