//! What the server adds to an object before it stores it, and what it refuses to store.

use serde_json::{Value, json};

use super::failure::Failure;
use super::resource::Resource;
use super::{schema, service};

/// Fills in what the user left open, as if the user had written it.
pub(crate) fn default(resource: &Resource, old: Option<&Value>, object: &mut Value) {
    match resource.kind.as_str() {
        "Service" => service::default(old, object),
        "EndpointSlice" => {
            for port in object["ports"].as_array_mut().into_iter().flatten() {
                absent(port, "name", json!(""));
                absent(port, "protocol", json!("TCP"));
            }
        }
        "Namespace" => {
            let name = object["metadata"]["name"].clone();
            object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
        }
        _ => {}
    }
    let metadata = object["metadata"].as_object_mut();
    if let Some(metadata) =
        metadata.filter(|metadata| metadata.get("finalizers") == Some(&json!([])))
    {
        metadata.remove("finalizers");
    }
    if let Some(schema) = &resource.schema {
        schema::prune(object, schema, true);
    }
}

/// Gives the object what the server has to give. `number` makes addresses and ports that nobody else
/// has.
pub(crate) fn give(resource: &Resource, old: Option<&Value>, object: &mut Value, number: u64) {
    match resource.kind.as_str() {
        "Service" => service::give(old, object, number),
        "Namespace" if old.is_none() => {
            object["spec"]["finalizers"] = json!(["kubernetes"]);
            object["status"]["phase"] = json!("Active");
        }
        _ => {}
    }
}

/// Refuses what breaks a rule of its kind.
pub(crate) fn check(
    resource: &Resource,
    old: Option<&Value>,
    object: &Value,
) -> Result<(), Failure> {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let invalid = |field: &str, reason: &'static str, why: &str| {
        Err(Failure::invalid(resource, name, field, reason, why))
    };
    let is_dying = old.is_some_and(|old| !old["metadata"]["deletionTimestamp"].is_null());
    let before = finalizers(old.unwrap_or(&Value::Null));
    let added: Vec<&str> = finalizers(object)
        .into_iter()
        .filter(|one| !before.contains(one))
        .collect();
    if is_dying && !added.is_empty() {
        let why = format!(
            "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
            added
                .iter()
                .map(|one| format!("{one:?}"))
                .collect::<Vec<_>>()
                .join(", ")
        );
        return invalid(
            "metadata.finalizers",
            "FieldValueForbidden",
            &format!("Forbidden: {why}"),
        );
    }
    if resource.kind == "Service" {
        return service::check(resource, old, object);
    }
    match resource
        .schema
        .as_ref()
        .and_then(|schema| schema::fault(object, schema, ""))
    {
        Some(fault) => invalid(&fault.field, fault.reason, &fault.why),
        None => Ok(()),
    }
}

fn finalizers(object: &Value) -> Vec<&str> {
    let finalizers = object["metadata"]["finalizers"].as_array();
    finalizers
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn absent(object: &mut Value, field: &str, value: Value) {
    if object[field].is_null() {
        object[field] = value;
    }
}
