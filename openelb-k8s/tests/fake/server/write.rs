//! Create, update, patch, apply and delete, with everything that the server does around them.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::admit;
use super::failure::Failure;
use super::managed::{self, Writer};
use super::merge;
use super::request::Request;
use super::resource::{Resource, Status};
use super::store::Store;

/// The object as it is after a write, and the HTTP status that says so.
pub(crate) type Written = (u16, Arc<Value>);

/// `POST` of a collection.
pub(crate) fn create(
    store: &mut Store,
    resource: &Resource,
    request: &Request,
    now: &str,
) -> Result<Written, Failure> {
    let object = body(request)?;
    create_object(store, resource, request, object, now).map(|object| (201, object))
}

/// `PUT` of an object or of its status.
pub(crate) fn update(
    store: &mut Store,
    resource: &Resource,
    request: &Request,
    now: &str,
) -> Result<Written, Failure> {
    let old = store.get(resource, request)?;
    let new = body(request)?;
    if new["metadata"]["resourceVersion"]
        .as_str()
        .unwrap_or_default()
        .is_empty()
        && resource.is_custom()
    {
        return Err(Failure::without_version(resource, &request.name));
    }
    let new = settled(resource, &request.subresource, &old, new)?;
    let writer = writer(request, now);
    replace(store, resource, &old, new, Some(&writer)).map(|object| (200, object))
}

/// `PATCH` of an object or of its status, in any of the forms of a patch.
pub(crate) fn patch(
    store: &mut Store,
    resource: &Resource,
    request: &Request,
    now: &str,
) -> Result<Written, Failure> {
    let patch = body(request)?;
    if request.is_apply() {
        return apply(store, resource, request, &patch, now);
    }
    let old = store.get(resource, request)?;
    let mut new = Value::clone(&old);
    match request.content_type.split(';').next().unwrap_or_default() {
        "application/merge-patch+json" => merge::merge_patch(&mut new, &patch),
        "application/json-patch+json" => merge::json_patch(&mut new, &patch)?,
        "application/strategic-merge-patch+json" if !resource.is_custom() => {
            merge::strategic(&mut new, &patch, &resource.shape);
        }
        _ => return Err(Failure::unsupported()),
    }
    let new = settled(resource, &request.subresource, &old, new)?;
    let writer = writer(request, now);
    replace(store, resource, &old, new, Some(&writer)).map(|object| (200, object))
}

/// `DELETE` of an object: at once, or marked so while finalizers hold it.
pub(crate) fn delete(
    store: &mut Store,
    resource: &Resource,
    request: &Request,
    now: &str,
) -> Result<(u16, Value), Failure> {
    let old = store.get(resource, request)?;
    let options = if request.body.is_empty() {
        Value::Null
    } else {
        body(request)?
    };
    let wanted = &options["preconditions"];
    for (field, name) in [("uid", "UID"), ("resourceVersion", "ResourceVersion")] {
        let (wanted, found) = (&wanted[field], &old["metadata"][field]);
        if !wanted.is_null() && wanted != found {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let what = if field == "uid" {
                "deleted and then recreated"
            } else {
                "modified"
            };
            let why = format!(
                "the {name} in the precondition ({}) does not match the {name} in record ({}). The object might have been {what}",
                text(wanted),
                text(found)
            );
            return Err(Failure::precondition(resource, &request.name, &why));
        }
    }
    if !is_held(&old) {
        let gone = store.remove(resource, Value::clone(&old));
        return Ok((200, deleted(resource, &gone)));
    }
    if !old["metadata"]["deletionTimestamp"].is_null() {
        return Ok((200, Value::clone(&old)));
    }
    let mut dying = Value::clone(&old);
    dying["metadata"]["deletionTimestamp"] = json!(now);
    dying["metadata"]["deletionGracePeriodSeconds"] = json!(0);
    bump(&mut dying);
    Ok((200, Value::clone(&store.put(resource, dying))))
}

fn apply(
    store: &mut Store,
    resource: &Resource,
    request: &Request,
    config: &Value,
    now: &str,
) -> Result<Written, Failure> {
    if request.parameter("fieldManager").is_empty() {
        return Err(Failure::without_manager());
    }
    if !config["metadata"]["managedFields"].is_null() {
        return Err(Failure::bad_request("metadata.managedFields must be nil"));
    }
    let writer = writer(request, now);
    let is_forced = request.is_set("force");
    let found = store
        .find(resource, &request.namespace, &request.name)
        .cloned();
    let Some(old) = found else {
        // The real server would make even a Service out of its status, were it a valid one.
        let makes = request.subresource.is_empty() || resource.status == Status::WithMetadata;
        if !makes || !config["metadata"]["uid"].is_null() {
            return Err(Failure::not_found(resource, &request.name));
        }
        let mut object = managed::apply(resource, None, config, &writer, is_forced)?;
        object["metadata"]["name"] = json!(request.name);
        return create_object(store, resource, request, object, now).map(|object| (201, object));
    };
    let wanted = config["metadata"]["resourceVersion"].as_str();
    if wanted.is_some_and(|wanted| old["metadata"]["resourceVersion"] != wanted) {
        return Err(Failure::stale(resource, &request.name));
    }
    let config = limited(resource, &request.subresource, config);
    let new = managed::apply(resource, Some(&old), &config, &writer, is_forced)?;
    let new = settled(resource, &request.subresource, &old, new)?;
    replace(store, resource, &old, new, None).map(|object| (200, object))
}

fn create_object(
    store: &mut Store,
    resource: &Resource,
    request: &Request,
    mut object: Value,
    now: &str,
) -> Result<Arc<Value>, Failure> {
    named(store, request, resource, &mut object)?;
    let name = object["metadata"]["name"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    if store.find(resource, &request.namespace, &name).is_some() {
        return Err(Failure::exists(resource, &name));
    }
    let has_own_status = resource.is_custom() && resource.status != Status::None;
    if let Some(fields) = object
        .as_object_mut()
        .filter(|_| has_own_status || resource.kind == "Service")
    {
        fields.remove("status");
    }
    if resource.kind == "Service" {
        object["status"] = json!({"loadBalancer": {}});
    }
    admit::default(resource, None, &mut object);
    if !request.is_apply() {
        managed::note_update(resource, None, &mut object, &writer(request, now));
    }
    let number = store.next_number();
    admit::give(resource, None, &mut object, number);
    let metadata = &mut object["metadata"];
    metadata["uid"] = json!(format!("00000000-0000-4000-8000-{number:012x}"));
    metadata["creationTimestamp"] = json!(now);
    if resource.has_generation {
        metadata["generation"] = json!(1);
    }
    admit::check(resource, None, &object)?;
    Ok(store.put(resource, object))
}

/// Gives the object its name and namespace, or says why it cannot have them.
fn named(
    store: &mut Store,
    request: &Request,
    resource: &Resource,
    object: &mut Value,
) -> Result<(), Failure> {
    object["apiVersion"] = json!(resource.api_version());
    object["kind"] = json!(resource.kind);
    let number = store.next_number();
    let metadata = &mut object["metadata"];
    if !metadata["resourceVersion"]
        .as_str()
        .unwrap_or_default()
        .is_empty()
    {
        return Err(Failure::version_at_creation());
    }
    if let (Some(prefix), None) = (metadata["generateName"].as_str(), metadata["name"].as_str()) {
        metadata["name"] = json!(format!("{prefix}{number:05x}"));
    }
    if !resource.is_namespaced {
        return Ok(());
    }
    metadata["namespace"] = json!(request.namespace);
    let name = metadata["name"].as_str().unwrap_or_default().to_owned();
    let namespaces = store.resource("", "namespaces")?;
    match store.find(&namespaces, "", &request.namespace) {
        None => Err(Failure::not_found(&namespaces, &request.namespace)),
        Some(namespace) if !namespace["metadata"]["deletionTimestamp"].is_null() => {
            let why = format!(
                "unable to create new content in namespace {} because it is being terminated",
                request.namespace
            );
            Err(Failure::forbidden(resource, &name, &why))
        }
        Some(_) => Ok(()),
    }
}

/// `new` with what a client cannot change put back; refused when it was made from another version.
fn settled(
    resource: &Resource,
    subresource: &str,
    old: &Value,
    mut new: Value,
) -> Result<Value, Failure> {
    let name = old["metadata"]["name"].as_str().unwrap_or_default();
    let text = |object: &Value, field: &str| {
        object["metadata"][field]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let version = text(&new, "resourceVersion");
    if !version.is_empty() && version != text(old, "resourceVersion") {
        return Err(Failure::stale(resource, name));
    }
    let wanted = text(&new, "uid");
    if !wanted.is_empty() && wanted != text(old, "uid") {
        let why = format!("Invalid value: \"{wanted}\": field is immutable");
        return Err(Failure::invalid(
            resource,
            name,
            "metadata.uid",
            "FieldValueInvalid",
            &why,
        ));
    }
    for field in GIVEN {
        keep(&mut new["metadata"], &old["metadata"], field);
    }
    let mut settled = old.clone();
    let fields = old
        .as_object()
        .into_iter()
        .flatten()
        .chain(new.as_object().into_iter().flatten());
    let names: BTreeSet<&String> = fields.map(|(name, _)| name).collect();
    for name in names {
        if passes(resource, subresource, name) {
            match new.get(name) {
                Some(value) => settled[name] = value.clone(),
                None => keep(&mut settled, &Value::Null, name),
            }
        }
    }
    if resource.is_custom() && !subresource.is_empty() {
        settled["metadata"]["managedFields"] = new["metadata"]["managedFields"].clone();
    }
    Ok(settled)
}

/// Whether a write through `subresource` can change the field `name` of the object.
fn passes(resource: &Resource, subresource: &str, name: &str) -> bool {
    match (name, resource.status, subresource) {
        ("apiVersion" | "kind", ..) => false,
        (_, Status::None, _) => true,
        ("status", ..) => !subresource.is_empty(),
        (_, _, "") => true,
        ("metadata", Status::WithMetadata, _) => true,
        _ => false,
    }
}

/// What of an applied configuration counts when it goes through `subresource`.
fn limited(resource: &Resource, subresource: &str, config: &Value) -> Value {
    let mut config = config.clone();
    if let Some(fields) = config.as_object_mut() {
        fields.retain(|name, _| passes(resource, subresource, name));
    }
    config
}

/// Stores `new` in the place of `old`, if it differs. `writer` is none for what was applied: its
/// managed fields are already right.
fn replace(
    store: &mut Store,
    resource: &Resource,
    old: &Value,
    mut new: Value,
    writer: Option<&Writer<'_>>,
) -> Result<Arc<Value>, Failure> {
    admit::default(resource, Some(old), &mut new);
    if let Some(writer) = writer {
        managed::note_update(resource, Some(old), &mut new, writer);
    }
    let number = store.next_number();
    admit::give(resource, Some(old), &mut new, number);
    admit::check(resource, Some(old), &new)?;
    if resource.has_generation && wish(&new) != wish(old) {
        bump(&mut new);
    }
    new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"].clone();
    if new == *old {
        return Ok(Arc::new(new));
    }
    if !new["metadata"]["deletionTimestamp"].is_null() && !is_held(&new) {
        // Its end has a version of its own, which only watches tell.
        store.remove(resource, new.clone());
        return Ok(Arc::new(new));
    }
    Ok(store.put(resource, new))
}

fn keep(new: &mut Value, old: &Value, field: &str) {
    match &old[field] {
        Value::Null => {
            new.as_object_mut().map(|fields| fields.remove(field));
        }
        value => new[field] = value.clone(),
    }
}

/// The answer to the deletion of an object that nothing held.
fn deleted(resource: &Resource, object: &Value) -> Value {
    if resource.kind == "Service" {
        return object.clone();
    }
    let metadata = &object["metadata"];
    let mut details =
        json!({"name": metadata["name"], "kind": resource.plural, "uid": metadata["uid"]});
    if !resource.group.is_empty() {
        details["group"] = json!(resource.group);
    }
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}

fn is_held(object: &Value) -> bool {
    object["metadata"]["finalizers"]
        .as_array()
        .is_some_and(|finalizers| !finalizers.is_empty())
}

fn bump(object: &mut Value) {
    if let Some(generation) = object["metadata"]["generation"].as_i64() {
        object["metadata"]["generation"] = json!(generation + 1);
    }
}

/// The object without metadata and status: what its generation counts the changes of.
fn wish(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("metadata");
        fields.remove("status");
    }
    object
}

fn body(request: &Request) -> Result<Value, Failure> {
    let json = serde_json::from_slice(&request.body);
    json.map_err(|error| {
        Failure::bad_request(&format!("the object provided is unrecognized: {error}"))
    })
}

fn writer<'a>(request: &'a Request, now: &'a str) -> Writer<'a> {
    Writer {
        manager: request.field_manager(),
        subresource: &request.subresource,
        now,
    }
}

const GIVEN: [&str; 6] = [
    "name",
    "namespace",
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "generation",
];
