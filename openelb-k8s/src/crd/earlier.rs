//! The fields that OpenELB has in `v1alpha1` only. They are shown to clients of that version and, as
//! in OpenELB, not stored.

use serde_json::{Value, json};

/// All fields of a `v1alpha1` Eip are in `v1alpha2` too.
pub(super) fn nothing_more(_: &mut Value) {}

/// The `v1alpha1` names of `routerId` and `listenPort`.
pub(super) fn bgp_conf(schema: &mut Value) {
    add(
        schema,
        json!({
            "routerID": { "type": "string" },
            "port": { "type": "integer", "format": "int32" },
        }),
    );
}

/// The `v1alpha1` names of `conf` and of `afiSafis[].addPaths`, and a forwarding of ports that is gone.
pub(super) fn bgp_peer(schema: &mut Value) {
    let number = json!({ "type": "integer", "format": "int32" });
    add(
        schema,
        json!({
            "config": {
                "type": "object",
                "properties": { "peerAs": number, "neighborAddress": { "type": "string" } },
            },
            "addPaths": { "type": "object", "properties": { "sendMax": number } },
            "usingPortForward": { "type": "boolean" },
        }),
    );
}

fn add(schema: &mut Value, fields: Value) {
    let properties = schema.pointer_mut("/properties/spec/properties");
    if let (Some(Value::Object(properties)), Value::Object(fields)) = (properties, fields) {
        properties.extend(fields);
    }
}
