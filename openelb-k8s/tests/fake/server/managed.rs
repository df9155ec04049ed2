//! Who owns which field: server-side apply, and what every other write leaves in `managedFields`.

use serde_json::{Value, json};

use super::failure::Failure;
use super::field_set::{Difference, FieldSet};
use super::merge;
use super::resource::{Resource, Status};

/// Who writes, and how.
#[derive(Debug, Clone)]
pub(crate) struct Writer<'a> {
    /// The field manager.
    pub manager: &'a str,
    /// The subresource that it writes through; empty for the object itself.
    pub subresource: &'a str,
    /// When.
    pub now: &'a str,
}

/// One entry of `managedFields`.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    manager: String,
    operation: String,
    api_version: String,
    subresource: String,
    time: String,
    fields: FieldSet,
}

/// Notes in `new` who owns what after it replaced `old`.
pub(crate) fn note_update(
    resource: &Resource,
    old: Option<&Value>,
    new: &mut Value,
    writer: &Writer<'_>,
) {
    let before = old.map_or_else(|| nothing(resource), stripped);
    let difference = Difference::between(&before, &stripped(new), &resource.shape);
    let mut entries = old.map(entries).unwrap_or_default();
    let mine = Entry::new(resource, "Update", writer);
    let lost = difference.changed.union(&difference.removed);
    for entry in entries.iter_mut().filter(|entry| !entry.is_by(&mine)) {
        entry.fields = entry.fields.minus(&lost);
    }
    let index = index(&mut entries, mine, writer);
    if let Some(entry) = entries.get_mut(index) {
        let before = entry.fields.clone();
        let fields = before.union(&difference.changed).minus(&difference.removed);
        entry.fields = kept(resource, writer, fields);
        if entry.fields != before {
            writer.now.clone_into(&mut entry.time);
        }
    }
    write(new, entries);
}

/// What `old` becomes when `config` is applied to it.
pub(crate) fn apply(
    resource: &Resource,
    old: Option<&Value>,
    config: &Value,
    writer: &Writer<'_>,
    is_forced: bool,
) -> Result<Value, Failure> {
    let start =
        json!({"apiVersion": resource.api_version(), "kind": resource.kind, "metadata": {}});
    let old = old.unwrap_or(&start);
    let applied = kept(resource, writer, applied(config, resource));
    let mut entries = entries(old);
    let index = index(&mut entries, Entry::new(resource, "Apply", writer), writer);
    let mut new = merge::merged(old, config, &resource.shape);
    let given_up = given_up(&entries, index, &applied);
    given_up.remove_from(&mut new, &resource.shape);
    let difference = Difference::between(&stripped(old), &stripped(&new), &resource.shape);
    let conflicts = conflicts(&entries, index, &difference.changed);
    if !is_forced && !conflicts.is_empty() {
        return Err(Failure::owned(&conflicts));
    }
    let lost = difference.changed.union(&difference.removed);
    for (place, entry) in entries.iter_mut().enumerate() {
        if place == index {
            if entry.fields != applied || new != *old {
                writer.now.clone_into(&mut entry.time);
            }
            entry.fields = applied.clone();
        } else {
            entry.fields = entry.fields.minus(&lost);
        }
    }
    write(&mut new, entries);
    Ok(new)
}

impl Entry {
    fn new(resource: &Resource, operation: &str, writer: &Writer<'_>) -> Self {
        Self {
            manager: writer.manager.to_owned(),
            operation: operation.to_owned(),
            api_version: resource.api_version(),
            subresource: writer.subresource.to_owned(),
            time: writer.now.to_owned(),
            fields: FieldSet::default(),
        }
    }

    fn is_by(&self, other: &Self) -> bool {
        (&self.manager, &self.operation, &self.subresource)
            == (&other.manager, &other.operation, &other.subresource)
    }

    fn read(entry: &Value) -> Self {
        let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
        Self {
            manager: text("manager"),
            operation: text("operation"),
            api_version: text("apiVersion"),
            subresource: text("subresource"),
            time: text("time"),
            fields: FieldSet::from_json(&entry["fieldsV1"]),
        }
    }

    fn to_json(&self) -> Value {
        let mut entry = json!({
            "manager": self.manager, "operation": self.operation, "apiVersion": self.api_version,
            "time": self.time, "fieldsType": "FieldsV1", "fieldsV1": self.fields.to_json(),
        });
        if !self.subresource.is_empty() {
            entry["subresource"] = json!(self.subresource);
        }
        entry
    }

    /// As messages name it.
    fn named(&self) -> String {
        let mut name = format!("\"{}\"", self.manager);
        if !self.subresource.is_empty() {
            name = format!("{name} with subresource \"{}\"", self.subresource);
        }
        if self.operation == "Update" {
            name = format!("{name} using {}", self.api_version);
        }
        name
    }
}

/// What the entry at `index` applied before, applies no more, and nobody else owns.
fn given_up(entries: &[Entry], index: usize, applied: &FieldSet) -> FieldSet {
    let others = entries
        .iter()
        .enumerate()
        .filter(|(place, _)| *place != index);
    let last = entries.get(index).map(|entry| entry.fields.minus(applied));
    others.fold(last.unwrap_or_default(), |rest, (_, entry)| {
        rest.minus(&entry.fields)
    })
}

fn conflicts(entries: &[Entry], index: usize, changed: &FieldSet) -> Vec<(String, String)> {
    let others = entries
        .iter()
        .enumerate()
        .filter(|(place, _)| *place != index);
    others
        .flat_map(|(_, entry)| {
            let paths = entry.fields.intersection(changed).paths();
            paths.into_iter().map(|path| (entry.named(), path))
        })
        .collect()
}

/// The fields that a write through this subresource can own at all.
fn kept(resource: &Resource, writer: &Writer<'_>, fields: FieldSet) -> FieldSet {
    match (resource.status, writer.subresource) {
        (Status::None, _) => fields,
        (_, "") => fields.without(&["status"]),
        (Status::WithMetadata, _) => fields.without(&["spec"]),
        (Status::Alone, _) => fields.without(&["spec"]).without(&["metadata"]),
    }
}

fn index(entries: &mut Vec<Entry>, mine: Entry, _writer: &Writer<'_>) -> usize {
    let found = entries.iter().position(|entry| entry.is_by(&mine));
    found.unwrap_or_else(|| {
        entries.push(mine);
        entries.len() - 1
    })
}

fn entries(object: &Value) -> Vec<Entry> {
    let entries = object["metadata"]["managedFields"].as_array();
    entries.into_iter().flatten().map(Entry::read).collect()
}

/// Applies come first, then the oldest: the order in which the server shows them.
fn write(object: &mut Value, mut entries: Vec<Entry>) {
    entries.retain(|entry| !entry.fields.is_empty());
    entries.sort_by_key(|entry| {
        (
            entry.operation != "Apply",
            entry.time.clone(),
            entry.manager.clone(),
            entry.subresource.clone(),
        )
    });
    if entries.is_empty() {
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.remove("managedFields");
        }
        return;
    }
    object["metadata"]["managedFields"] = entries.iter().map(Entry::to_json).collect();
}

/// The fields that a configuration sets.
fn applied(config: &Value, resource: &Resource) -> FieldSet {
    let mut config = stripped(config);
    if let Some(fields) = config.as_object_mut() {
        fields.retain(|name, value| {
            name != "metadata" || value.as_object().is_some_and(|fields| !fields.is_empty())
        });
        if fields.is_empty() {
            return FieldSet::default();
        }
    }
    FieldSet::of(&config, &resource.shape)
}

/// An object before it is made. What is a structure in the server's own types is there already.
fn nothing(resource: &Resource) -> Value {
    match resource.kind.as_str() {
        _ if resource.is_custom() => json!({"metadata": {}}),
        "Service" => json!({"metadata": {}, "spec": {}, "status": {"loadBalancer": {}}}),
        _ => json!({"metadata": {}, "spec": {}, "status": {}, "regarding": {}}),
    }
}

/// The object without what nobody owns.
fn stripped(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("apiVersion");
        fields.remove("kind");
    }
    let Some(metadata) = object["metadata"].as_object_mut() else {
        return object;
    };
    for field in UNOWNED {
        metadata.remove(field);
    }
    object
}

const UNOWNED: [&str; 9] = [
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "generation",
    "managedFields",
    "resourceVersion",
    "deletionTimestamp",
];
