//! How the lists of a kind merge: which are one value, which are sets, which are keyed by a field.

use std::collections::BTreeMap;

use serde_json::Value;

/// The shape of a value, as far as ownership of fields and merging need it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Shape {
    /// Nothing special is known: objects merge field by field, lists are one value.
    #[default]
    Plain,
    /// An object with fields of known shapes; the others are [`Shape::Plain`].
    Fields(BTreeMap<String, Self>),
    /// An object or list that is one value.
    Atomic,
    /// A list of scalars in which each is an element of its own.
    Set,
    /// A list of objects, each identified by these fields.
    Keyed(Vec<String>, Box<Self>),
}

impl Shape {
    /// The shape of the field `name` of an object of this shape.
    pub(crate) fn field(&self, name: &str) -> &Self {
        const PLAIN: &Shape = &Shape::Plain;
        match self {
            Self::Fields(fields) => fields.get(name).unwrap_or(PLAIN),
            _ => PLAIN,
        }
    }

    /// This shape, with `shape` at the path `fields`.
    pub(crate) fn with(mut self, fields: &[&str], shape: Self) -> Self {
        let Some((first, rest)) = fields.split_first() else {
            return shape;
        };
        if !matches!(self, Self::Fields(_)) {
            self = Self::Fields(BTreeMap::new());
        }
        if let Self::Fields(map) = &mut self {
            let inner = map.remove(*first).unwrap_or_default();
            map.insert((*first).to_owned(), inner.with(rest, shape));
        }
        self
    }

    /// What every kind has: finalizers are a set, owners are keyed by their uid.
    pub(crate) fn object() -> Self {
        let keyed = |key: &str| Self::Keyed(vec![key.to_owned()], Box::default());
        Self::Plain
            .with(&["metadata", "finalizers"], Self::Set)
            .with(&["metadata", "ownerReferences"], keyed("uid"))
    }

    /// The shape of a Service.
    pub(crate) fn service() -> Self {
        let ports = vec!["port".to_owned(), "protocol".to_owned()];
        let conditions = Self::Keyed(vec!["type".to_owned()], Box::default());
        Self::object()
            .with(&["spec", "ports"], Self::Keyed(ports, Box::default()))
            .with(&["spec", "selector"], Self::Atomic)
            .with(&["status", "conditions"], conditions)
    }

    /// The shape that an `OpenAPI` schema describes with `x-kubernetes-list-type` and its like.
    pub(crate) fn of_schema(schema: &Value) -> Self {
        let items = || Box::new(Self::of_schema(&schema["items"]));
        let text = |field: &str| schema[field].as_str().unwrap_or_default();
        match (
            text("x-kubernetes-list-type"),
            text("x-kubernetes-map-type"),
        ) {
            ("set", _) => Self::Set,
            ("map", _) => {
                let keys = schema["x-kubernetes-list-map-keys"].as_array();
                let keys = keys.into_iter().flatten().filter_map(Value::as_str);
                Self::Keyed(keys.map(str::to_owned).collect(), items())
            }
            (_, "atomic") => Self::Atomic,
            _ => match schema["properties"].as_object() {
                Some(properties) => Self::Fields(
                    properties
                        .iter()
                        .map(|(name, schema)| (name.clone(), Self::of_schema(schema)))
                        .collect(),
                ),
                None => Self::Plain,
            },
        }
    }

    /// Name of the element that `item` of a list of this shape is, as managed fields write it.
    pub(crate) fn element(&self, item: &Value) -> String {
        match self {
            Self::Keyed(keys, _) => {
                let key: BTreeMap<&String, &Value> =
                    keys.iter().map(|key| (key, &item[key])).collect();
                format!("k:{}", serde_json::json!(key))
            }
            _ => format!("v:{item}"),
        }
    }

    /// The shape of the items of a list of this shape.
    pub(crate) fn item(&self) -> &Self {
        match self {
            Self::Keyed(_, item) => item,
            _ => &Self::Atomic,
        }
    }

    /// Whether a list of this shape has elements of its own.
    pub(crate) fn has_elements(&self) -> bool {
        matches!(self, Self::Set | Self::Keyed(..))
    }

    /// Whether an object of this shape has fields of its own.
    pub(crate) fn has_fields(&self) -> bool {
        !matches!(self, Self::Atomic)
    }
}
