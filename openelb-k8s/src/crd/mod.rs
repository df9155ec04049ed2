//! The definitions of our kinds, for an API server: schemas from the Rust types, columns, rules.
//!
//! `v1alpha2` is stored. `v1alpha1` is served with the same fields and those it had in OpenELB, so
//! that whoever reads and writes an object there loses nothing of it; there is no webhook between
//! the versions. Every field of OpenELB is there with its name and type; what OpenELB took is taken.

mod earlier;
mod kind;
mod rules;
mod structural;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use self::kind::{Column, KINDS, Kind};
use crate::names;

/// Every `CustomResourceDefinition`, as JSON objects to apply.
///
/// ```
/// let definitions = openelb_k8s::crd::definitions();
/// assert_eq!(definitions[0]["metadata"]["name"], "eips.network.kubesphere.io");
/// ```
pub fn definitions() -> Vec<Value> {
    KINDS.iter().map(definition).collect()
}

/// The plural names, as they stand in rules of access control.
pub fn plurals() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.plural)
}

fn definition(kind: &Kind) -> Value {
    let mut versions = vec![version(kind, "v1alpha2", true)];
    if kind.earlier.is_some() {
        versions.insert(0, version(kind, "v1alpha1", false));
    }
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": format!("{}.{}", kind.plural, names::GROUP),
            "labels": { "app.kubernetes.io/name": "openelb" },
        },
        "spec": {
            "group": names::GROUP,
            "names": {
                "categories": kind.categories,
                "kind": kind.name,
                "listKind": format!("{}List", kind.name),
                "plural": kind.plural,
                "singular": kind.singular,
            },
            "scope": "Cluster",
            "versions": versions,
        },
    })
}

fn version(kind: &Kind, name: &str, stored: bool) -> Value {
    let mut schema = object(kind);
    match kind.earlier {
        Some(earlier) if !stored => earlier(&mut schema),
        _ => rules::tighten(kind, &mut schema),
    }
    let columns: Vec<Value> = kind.columns.iter().map(column).collect();
    let mut version = json!({
        "name": name,
        "served": true,
        "storage": stored,
        "schema": { "openAPIV3Schema": schema },
        "additionalPrinterColumns": columns,
    });
    if !stored {
        let warning = format!(
            "{}/v1alpha1 {} is deprecated; fields that only v1alpha1 has are not stored: use v1alpha2",
            names::GROUP,
            kind.name,
        );
        put(&mut version, "deprecated", true);
        put(&mut version, "deprecationWarning", warning);
    }
    if kind.status.is_some() {
        put(&mut version, "subresources", json!({ "status": {} }));
    }
    version
}

fn object(kind: &Kind) -> Value {
    let mut properties = json!({
        "apiVersion": { "type": "string" },
        "kind": { "type": "string" },
        "metadata": { "type": "object" },
    });
    if let Some(spec) = kind.spec {
        put(&mut properties, "spec", spec());
    }
    if let Some(status) = kind.status {
        let status = with_listed_conditions(status());
        put(&mut properties, "status", status);
    }
    json!({ "description": kind.description, "type": "object", "properties": properties })
}

/// Conditions are one entry a `type`, so that several writers keep their own.
fn with_listed_conditions(mut status: Value) -> Value {
    let conditions = "/properties/conditions";
    if let Some(Value::Object(conditions)) = status.pointer_mut(conditions) {
        conditions.insert("x-kubernetes-list-type".to_owned(), "map".into());
        conditions.insert("x-kubernetes-list-map-keys".to_owned(), json!(["type"]));
        if let Some(entry) = conditions.get_mut("items") {
            put(entry, "required", json!(["type", "status"]));
        }
    }
    status
}

fn column(column: &Column) -> Value {
    let Column { name, kind, path } = column;
    json!({ "name": name, "type": kind, "jsonPath": path })
}

/// Writes a key of a JSON object.
pub(crate) fn put(object: &mut Value, key: &str, value: impl Into<Value>) {
    if let Value::Object(entries) = object {
        entries.insert(key.to_owned(), value.into());
    }
}
