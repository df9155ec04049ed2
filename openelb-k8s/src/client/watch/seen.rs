//! An object as it came: either what is kept of it, or why it is none of its kind.

use std::borrow::Cow;

use kube::core::{ApiResource, DynamicResourceScope, ObjectMeta};
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;

use super::{Key, Watched};

/// An object whose conversion may have failed. Its reading fails only when it has no metadata: a list
/// with one bad object is a list.
#[derive(Debug, Clone)]
pub(super) struct Seen<T> {
    /// Only what the watcher reads: name, namespace and resource version.
    meta: ObjectMeta,
    pub(super) object: Result<T, String>,
}

impl<T> Seen<T> {
    pub(super) fn key(&self) -> Key {
        Key {
            namespace: self.meta.namespace.clone().unwrap_or_default(),
            name: self.meta.name.clone().unwrap_or_default(),
        }
    }
}

impl<'de, T: Watched> Deserialize<'de> for Seen<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut value = Value::deserialize(deserializer)?;
        let object = value.as_object_mut();
        let object = object.ok_or_else(|| D::Error::custom("an object of the API is no object"))?;
        // Items of a list of built-in kinds do not say what they are.
        for (key, word) in [
            ("apiVersion", T::RESOURCE.api_version()),
            ("kind", T::RESOURCE.kind.to_owned()),
        ] {
            object.entry(key).or_insert(Value::String(word));
        }
        let metadata = object.get_mut("metadata").and_then(Value::as_object_mut);
        let metadata =
            metadata.ok_or_else(|| D::Error::custom("an object of the API has no metadata"))?;
        metadata.remove("managedFields");
        if let Some(annotations) = metadata
            .get_mut("annotations")
            .and_then(Value::as_object_mut)
        {
            annotations.remove(LAST_APPLIED);
        }
        let text = |key: &str| metadata.get(key)?.as_str().map(str::to_owned);
        let meta = ObjectMeta {
            name: text("name"),
            namespace: text("namespace"),
            resource_version: text("resourceVersion"),
            ..ObjectMeta::default()
        };
        let object = T::deserialize(value).map_err(|error| error.to_string());
        Ok(Self { meta, object })
    }
}

impl<T: Watched> kube::Resource for Seen<T> {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(resource: &ApiResource) -> Cow<'_, str> {
        resource.kind.as_str().into()
    }

    fn group(resource: &ApiResource) -> Cow<'_, str> {
        resource.group.as_str().into()
    }

    fn version(resource: &ApiResource) -> Cow<'_, str> {
        resource.version.as_str().into()
    }

    fn plural(resource: &ApiResource) -> Cow<'_, str> {
        resource.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.meta
    }
}

/// What `kubectl apply` writes into everything it touches: the whole object once more, as text, which
/// nothing here reads.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
