//! A set of fields of an object, and what two versions of an object differ in.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::shape::Shape;

/// Fields of an object, as a tree. Elements are written as managed fields write them: `f:name` of
/// a field, `k:{..}` of a keyed item, `v:..` of a member of a set.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct FieldSet {
    /// Whether the place itself is in the set, not only places below it.
    is_member: bool,
    below: BTreeMap<String, Self>,
}

impl FieldSet {
    /// The fields that `value` sets.
    pub(crate) fn of(value: &Value, shape: &Shape) -> Self {
        let mut set = Self::default();
        match value {
            Value::Object(object) if shape.has_fields() && !object.is_empty() => {
                for (name, value) in object {
                    let inner = Self::of(value, shape.field(name));
                    set.below.insert(format!("f:{name}"), inner);
                }
            }
            Value::Array(items) if shape.has_elements() && !items.is_empty() => {
                for item in items {
                    let mut inner = Self::of(item, shape.item());
                    inner.is_member = true;
                    set.below.insert(shape.element(item), inner);
                }
            }
            _ => set.is_member = true,
        }
        set
    }

    /// The form in which `metadata.managedFields[].fieldsV1` has it.
    pub(crate) fn to_json(&self) -> Value {
        let mut object = Map::new();
        if self.is_member && !self.below.is_empty() {
            object.insert(".".to_owned(), json!({}));
        }
        for (element, inner) in &self.below {
            object.insert(element.clone(), inner.to_json());
        }
        Value::Object(object)
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    pub(crate) fn from_json(value: &Value) -> Self {
        let mut set = Self::default();
        for (element, inner) in value.as_object().into_iter().flatten() {
            if element == "." {
                set.is_member = true;
            } else {
                set.below.insert(element.clone(), Self::from_json(inner));
            }
        }
        set.is_member |= set.below.is_empty();
        set
    }

    /// Whether nothing is in it.
    pub(crate) fn is_empty(&self) -> bool {
        !self.is_member && self.below.values().all(Self::is_empty)
    }

    /// Everything that is in either.
    pub(crate) fn union(&self, other: &Self) -> Self {
        let mut set = self.clone();
        set.is_member |= other.is_member;
        for (element, inner) in &other.below {
            let mine = set.below.entry(element.clone()).or_default();
            *mine = mine.union(inner);
        }
        set
    }

    /// Everything that is in both.
    pub(crate) fn intersection(&self, other: &Self) -> Self {
        let below = self.below.iter().filter_map(|(element, mine)| {
            let both = mine.intersection(other.below.get(element)?);
            (!both.is_empty()).then(|| (element.clone(), both))
        });
        Self {
            is_member: self.is_member && other.is_member,
            below: below.collect(),
        }
    }

    /// Everything that is in this set and not in `other`.
    pub(crate) fn minus(&self, other: &Self) -> Self {
        let below = self.below.iter().filter_map(|(element, mine)| {
            let rest = match other.below.get(element) {
                Some(theirs) => mine.minus(theirs),
                None => mine.clone(),
            };
            (!rest.is_empty()).then(|| (element.clone(), rest))
        });
        Self {
            is_member: self.is_member && !other.is_member,
            below: below.collect(),
        }
    }

    /// The set without the places at and below `path`.
    pub(crate) fn without(mut self, path: &[&str]) -> Self {
        match path {
            [] => {}
            [last] => {
                self.below.remove(&format!("f:{last}"));
            }
            [first, rest @ ..] => {
                let element = format!("f:{first}");
                if let Some(inner) = self.below.remove(&element) {
                    let inner = inner.without(rest);
                    if !inner.is_empty() {
                        self.below.insert(element, inner);
                    }
                }
            }
        }
        self
    }

    /// The places in it, as a person writes them: `.status.loadBalancer.ingress`.
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.collect(String::new(), &mut paths);
        paths
    }

    fn collect(&self, path: String, into: &mut Vec<String>) {
        for (element, inner) in &self.below {
            let step = match element.split_once(':') {
                Some(("f", name)) => format!(".{name}"),
                Some(("v", value)) => format!("[={value}]"),
                Some(("k", key)) => format!("[{}]", keys(key)),
                _ => element.clone(),
            };
            inner.collect(format!("{path}{step}"), into);
        }
        if self.is_member {
            into.push(path);
        }
    }

    /// Removes from `value` what is in the set; an object or an item that this empties goes too.
    pub(crate) fn remove_from(&self, value: &mut Value, shape: &Shape) {
        match value {
            Value::Object(object) => {
                for (element, inner) in &self.below {
                    let Some(name) = element.strip_prefix("f:") else {
                        continue;
                    };
                    if let Some(field) = object.get_mut(name) {
                        inner.remove_from(field, shape.field(name));
                        if inner.below.is_empty() || is_void(field) {
                            object.remove(name);
                        }
                    }
                }
            }
            Value::Array(items) => items.retain_mut(|item| {
                let Some(inner) = self.below.get(&shape.element(item)) else {
                    return true;
                };
                inner.remove_from(item, shape.item());
                !inner.is_member
            }),
            _ => {}
        }
    }
}

/// What changed from one version of an object to the next.
#[derive(Debug, Default)]
pub(crate) struct Difference {
    /// Added, or with another value.
    pub changed: FieldSet,
    /// No longer there.
    pub removed: FieldSet,
}

impl Difference {
    /// Compares two versions.
    pub(crate) fn between(old: &Value, new: &Value, shape: &Shape) -> Self {
        let mut difference = Self::default();
        difference.compare(Some(old), Some(new), shape);
        difference
    }

    fn compare(&mut self, old: Option<&Value>, new: Option<&Value>, shape: &Shape) {
        let (old, new) = (
            old.filter(|value| !value.is_null()),
            new.filter(|value| !value.is_null()),
        );
        if old == new {
            return;
        }
        let before = old.and_then(|old| parts(old, shape));
        let after = new.and_then(|new| parts(new, shape));
        match (before, after) {
            (None, None) => match new {
                Some(_) => self.changed.is_member = true,
                None => self.removed.is_member = true,
            },
            (before, after) => {
                self.changed.is_member |= old.is_none();
                self.removed.is_member |= new.is_none();
                let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
                let elements = before.keys().chain(after.keys()).cloned();
                for element in elements.collect::<BTreeSet<String>>() {
                    let inner = match element.strip_prefix("f:") {
                        Some(name) => shape.field(name),
                        None => shape.item(),
                    };
                    let (old, new) = (before.get(&element), after.get(&element));
                    let mut below = Self::default();
                    below.compare(old.copied(), new.copied(), inner);
                    self.adopt(element, below);
                }
            }
        }
    }

    fn adopt(&mut self, element: String, below: Self) {
        if !below.changed.is_empty() {
            self.changed.below.insert(element.clone(), below.changed);
        }
        if !below.removed.is_empty() {
            self.removed.below.insert(element, below.removed);
        }
    }
}

/// The parts of a value that are owned apart, by element; none for what is one value.
fn parts<'a>(value: &'a Value, shape: &Shape) -> Option<BTreeMap<String, &'a Value>> {
    match value {
        Value::Object(object) if shape.has_fields() && !object.is_empty() => {
            let fields = object.iter();
            Some(
                fields
                    .map(|(name, value)| (format!("f:{name}"), value))
                    .collect(),
            )
        }
        Value::Array(items) if shape.has_elements() && !items.is_empty() => Some(
            items
                .iter()
                .map(|item| (shape.element(item), item))
                .collect(),
        ),
        _ => None,
    }
}

fn is_void(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn keys(key: &str) -> String {
    let fields: BTreeMap<String, Value> = serde_json::from_str(key).unwrap_or_default();
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    fields.join(",")
}
