//! Lists, and the forms in which objects and lists are answered.

use std::sync::Arc;

use serde_json::{Value, json};

use super::failure::Failure;
use super::request::Request;
use super::resource::Resource;
use super::selector::Selection;
use super::store::Store;

/// `GET` of a collection. `stale` is the version that a list which takes any version gets.
pub(crate) fn list(
    store: &mut Store,
    resource: &Resource,
    request: &Request,
    stale: Option<u64>,
) -> Result<Value, Failure> {
    let limit = request.parameter("limit").parse().unwrap_or_default();
    let listing = match request.parameter("continue") {
        "" => {
            let version = version(store, request, stale)?;
            let items = store.at(resource, version, &selection(request))?;
            store.paged(version, items, limit)
        }
        token => store.next_page(token, limit)?,
    };
    let is_partial = is_partial(request);
    let items: Vec<Value> = listing
        .items
        .iter()
        .map(|item| listed(resource, item, is_partial))
        .collect();
    let mut metadata = json!({"resourceVersion": listing.version.to_string()});
    if !listing.token.is_empty() || resource.is_custom() {
        metadata["continue"] = json!(listing.token);
    }
    let is_selected = ["labelSelector", "fieldSelector"]
        .iter()
        .any(|name| !request.parameter(name).is_empty());
    if listing.remaining > 0 && !is_selected {
        metadata["remainingItemCount"] = json!(listing.remaining);
    }
    let (kind, api_version) = if is_partial {
        (
            "PartialObjectMetadataList".to_owned(),
            "meta.k8s.io/v1".to_owned(),
        )
    } else {
        (format!("{}List", resource.kind), resource.api_version())
    };
    Ok(json!({"kind": kind, "apiVersion": api_version, "metadata": metadata, "items": items}))
}

/// Which objects a list or a watch is about.
pub(crate) fn selection(request: &Request) -> Selection {
    let name = request.name.as_str();
    let fields = request.parameter("fieldSelector");
    let fields = if name.is_empty() {
        fields.to_owned()
    } else {
        format!("metadata.name={name}")
    };
    Selection::new(
        &request.namespace,
        request.parameter("labelSelector"),
        &fields,
    )
}

/// An object in the form that was asked for.
pub(crate) fn formed(object: &Arc<Value>, request: &Request) -> Value {
    if is_partial(request) {
        return partial(object);
    }
    Value::clone(object)
}

/// The version at which a list is answered.
fn version(store: &Store, request: &Request, stale: Option<u64>) -> Result<u64, Failure> {
    let current = store.version();
    let wanted = request.parameter("resourceVersion");
    let wanted = wanted.parse().unwrap_or_default();
    if wanted > current {
        let message = format!("Too large resource version: {wanted}, current: {current}");
        return Err(Failure::too_large(&message));
    }
    Ok(match request.parameter("resourceVersionMatch") {
        "Exact" => wanted,
        _ if request.parameter("resourceVersion").is_empty() => current,
        _ => stale.unwrap_or(current).max(wanted),
    })
}

fn is_partial(request: &Request) -> bool {
    request.accept.contains("as=PartialObjectMetadata")
}

fn partial(object: &Value) -> Value {
    let metadata = &object["metadata"];
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
}

/// The kinds of Kubernetes itself do not repeat what they are in a list.
fn listed(resource: &Resource, item: &Value, is_partial: bool) -> Value {
    if is_partial {
        return partial(item);
    }
    let mut item = item.clone();
    if let Some(fields) = item.as_object_mut().filter(|_| !resource.is_custom()) {
        fields.remove("apiVersion");
        fields.remove("kind");
    }
    item
}
