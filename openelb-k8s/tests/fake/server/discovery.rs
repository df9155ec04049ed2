//! The paths that are about the server and not about objects.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::resource::Resource;
use super::store::Store;

/// The answer to a path that names no resource; none when there is nothing either.
pub(crate) fn answer(store: &Store, path: &str) -> Option<Value> {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    Some(match segments.as_slice() {
        ["version"] => version(),
        ["readyz" | "livez" | "healthz"] => json!("ok"),
        ["api"] => json!({"kind": "APIVersions", "versions": ["v1"]}),
        ["apis"] => groups(store),
        ["api", "v1"] => resources(store, "", "v1"),
        ["apis", group, version] => resources(store, group, version),
        ["openapi", "v3"] => {
            json!({"paths": {"api/v1": {"serverRelativeURL": "/openapi/v3/api/v1?hash=0"}}})
        }
        ["openapi", "v3", "api", "v1"] => core_schemas(),
        _ => return None,
    })
}

fn version() -> Value {
    json!({
        "major": "1", "minor": "33", "gitVersion": "v1.33.0", "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z", "goVersion": "none", "compiler": "none", "platform": "linux/amd64",
    })
}

fn groups(store: &Store) -> Value {
    let named = store.kinds().iter().filter(|kind| !kind.group.is_empty());
    let named: BTreeSet<(&str, &str)> = named
        .map(|kind| (kind.group.as_str(), kind.version.as_str()))
        .collect();
    let groups: Vec<Value> = named
        .into_iter()
        .map(|(group, version)| {
            let entry = json!({"groupVersion": format!("{group}/{version}"), "version": version});
            json!({"name": group, "versions": [entry], "preferredVersion": entry})
        })
        .collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

fn resources(store: &Store, group: &str, version: &str) -> Value {
    let kinds = store.kinds().iter().filter(|kind| kind.group == group);
    let resources: Vec<Value> = kinds.map(|kind| Resource::discovery(kind)).collect();
    let of = if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    };
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": of, "resources": resources})
}

/// The one schema that a load balancer wants to know: whether an ingress has a mode.
fn core_schemas() -> Value {
    let text = json!({"type": "string"});
    let ingress = json!({"type": "object", "properties": {
        "ip": text, "hostname": text, "ipMode": text, "ports": {"type": "array"},
    }});
    json!({"openapi": "3.0.0", "components": {"schemas": {"io.k8s.api.core.v1.LoadBalancerIngress": ingress}}})
}
