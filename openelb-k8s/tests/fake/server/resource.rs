//! The kinds that the server knows, and what is peculiar to each.

use serde_json::{Value, json};

use super::shape::Shape;

/// A kind.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    /// API group; empty for the core.
    pub group: String,
    /// The served version.
    pub version: String,
    /// Name in paths.
    pub plural: String,
    /// Name in objects.
    pub kind: String,
    /// Whether its objects live in namespaces.
    pub is_namespaced: bool,
    /// Its status subresource.
    pub status: Status,
    /// Whether `metadata.generation` counts changes of what the user wants.
    pub has_generation: bool,
    /// How its lists merge.
    pub shape: Shape,
    /// The `OpenAPI` schema of a custom kind.
    pub schema: Option<Value>,
}

/// What the status subresource of a kind lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// There is none.
    None,
    /// `status` and `metadata`: the kinds of Kubernetes itself.
    WithMetadata,
    /// `status` alone: custom kinds.
    Alone,
}

impl Resource {
    /// `services`, `eips.network.kubesphere.io`.
    pub(crate) fn qualified(&self) -> String {
        match self.group.as_str() {
            "" => self.plural.clone(),
            group => format!("{}.{group}", self.plural),
        }
    }

    /// `Service`, `Eip.network.kubesphere.io`.
    pub(crate) fn qualified_kind(&self) -> String {
        match self.group.as_str() {
            "" => self.kind.clone(),
            group => format!("{}.{group}", self.kind),
        }
    }

    /// `v1`, `network.kubesphere.io/v1alpha2`.
    pub(crate) fn api_version(&self) -> String {
        match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// Whether it was defined by a `CustomResourceDefinition`.
    pub(crate) fn is_custom(&self) -> bool {
        self.schema.is_some()
    }

    /// The entry of discovery.
    pub(crate) fn discovery(&self) -> Value {
        let verbs = [
            "create",
            "delete",
            "deletecollection",
            "get",
            "list",
            "patch",
            "update",
            "watch",
        ];
        json!({
            "name": self.plural, "singularName": self.kind.to_lowercase(), "namespaced": self.is_namespaced,
            "kind": self.kind, "verbs": verbs,
        })
    }

    /// The kind that a `CustomResourceDefinition` defines, in the version that it stores.
    pub(crate) fn defined_by(definition: &Value) -> Self {
        let spec = &definition["spec"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let versions = spec["versions"].as_array().cloned().unwrap_or_default();
        let stored = versions
            .into_iter()
            .find(|version| version["storage"] == true);
        let stored = stored.unwrap_or_default();
        let schema = stored["schema"]["openAPIV3Schema"].clone();
        let has_status = stored["subresources"]["status"].is_object();
        let shape = match Shape::of_schema(&schema) {
            Shape::Fields(mut fields) => {
                fields.insert(
                    "metadata".to_owned(),
                    Shape::object().field("metadata").clone(),
                );
                Shape::Fields(fields)
            }
            _ => Shape::object(),
        };
        Self {
            group: text(&spec["group"]),
            version: text(&stored["name"]),
            plural: text(&spec["names"]["plural"]),
            kind: text(&spec["names"]["kind"]),
            is_namespaced: spec["scope"] == "Namespaced",
            status: if has_status {
                Status::Alone
            } else {
                Status::None
            },
            has_generation: true,
            shape,
            schema: Some(schema),
        }
    }

    fn built_in(group: &str, version: &str, kind: &str, plural: &str) -> Self {
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            plural: plural.to_owned(),
            kind: kind.to_owned(),
            is_namespaced: false,
            status: Status::None,
            has_generation: false,
            shape: Shape::object(),
            schema: None,
        }
    }

    fn namespaced(mut self) -> Self {
        self.is_namespaced = true;
        self
    }

    fn with_status(mut self) -> Self {
        self.status = Status::WithMetadata;
        self
    }

    fn with_generation(mut self) -> Self {
        self.has_generation = true;
        self
    }

    fn shaped(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }
}

/// The kinds of Kubernetes that are served.
pub(crate) fn built_in() -> Vec<Resource> {
    let built_in = Resource::built_in;
    let extensions = "apiextensions.k8s.io";
    let webhooks = "admissionregistration.k8s.io";
    vec![
        built_in("", "v1", "Namespace", "namespaces").with_status(),
        built_in("", "v1", "Node", "nodes").with_status(),
        built_in("", "v1", "Service", "services")
            .namespaced()
            .with_status()
            .shaped(Shape::service()),
        built_in("", "v1", "ConfigMap", "configmaps").namespaced(),
        built_in("", "v1", "Secret", "secrets").namespaced(),
        built_in("", "v1", "Event", "events").namespaced(),
        built_in("events.k8s.io", "v1", "Event", "events")
            .namespaced()
            .shaped(Shape::object().with(&["regarding"], Shape::Atomic)),
        built_in("coordination.k8s.io", "v1", "Lease", "leases").namespaced(),
        built_in("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices")
            .namespaced()
            .with_generation(),
        built_in(
            extensions,
            "v1",
            "CustomResourceDefinition",
            "customresourcedefinitions",
        )
        .with_status()
        .with_generation(),
        built_in(
            webhooks,
            "v1",
            "ValidatingWebhookConfiguration",
            "validatingwebhookconfigurations",
        )
        .with_generation(),
    ]
}
