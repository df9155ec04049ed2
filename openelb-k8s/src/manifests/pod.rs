//! What the pods of the controller and of the speakers have in common.

use serde_json::{Value, json};

/// A variable of the environment that holds a field of the pod.
pub(super) fn field(name: &str, path: &str) -> Value {
    json!({ "name": name, "valueFrom": { "fieldRef": { "fieldPath": path } } })
}

/// A probe over HTTP. With a host it is asked there, as a pod in the node's network needs it.
pub(super) fn probe(path: &str, host: Option<&str>, period: u32) -> Value {
    let mut get = json!({ "path": path, "port": "http" });
    if let Some(host) = host {
        crate::crd::put(&mut get, "host", host);
    }
    json!({ "httpGet": get, "periodSeconds": period, "failureThreshold": 3 })
}

/// What a process is given, and the most memory it may take. No limit of processor time: throttled
/// beats and hold timers are lost beats and sessions.
pub(super) fn resources(cpu: &str, memory: &str, most_memory: &str) -> Value {
    json!({
        "requests": { "cpu": cpu, "memory": memory },
        "limits": { "memory": most_memory },
    })
}

/// On every kind of node that the image runs on.
pub(super) fn linux() -> Value {
    json!({ "kubernetes.io/os": "linux" })
}
